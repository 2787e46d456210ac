"""Trainings side by side: what is collected is what was measured."""

import json
from pathlib import Path

import pytest

from companion.news import load_reader
from companion.news.study import collect, main, spread
from companion.with_numpy import load_checkpoint, save_checkpoint

STUDY = Path(__file__).parent.parent / "book" / "news" / "study.json"


def _kept(tmp_path, **changes):
    """A small file like those of `fit`, with a plan of its own."""
    plan = {"language": "en", "seed": 0, "steps": 3, "copying": True, "slots": True, "least": 4}
    metrics = {"written": {"sentence": 0.5 + 0.1 * changes.get("seed", 0)}}
    metadata = {
        "plan": {**plan, **changes},
        "card": {"metrics": metrics},
        "reader": {"threshold": 0.25},
    }
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.safetensors"
    shipped = load_reader("en")
    save_checkpoint(path, {"weight": shipped.params["copy_gate.bias"]}, metadata=metadata)
    return path


def test_runs_are_collected_in_order(tmp_path) -> None:
    paths = [_kept(tmp_path, seed=2), _kept(tmp_path, copying=False), _kept(tmp_path)]
    runs = collect(paths)
    assert [(r["seed"], r["copying"]) for r in runs] == [(0, False), (0, True), (2, True)]
    assert runs[1] == {
        "language": "en",
        "seed": 0,
        "steps": 3,
        "copying": True,
        "slots": True,
        "threshold": 0.25,
        "metrics": {"written": {"sentence": 0.5}},
    }


def test_the_spread_is_over_the_seeds_of_one_setting(tmp_path) -> None:
    paths = [_kept(tmp_path, seed=s) for s in (0, 1, 3)] + [_kept(tmp_path, seed=9, slots=False)]
    runs = collect(paths)
    mean, least, most = spread(runs, "written", "sentence", language="en")
    assert (round(mean, 6), least, most) == (round((0.5 + 0.6 + 0.8) / 3, 6), 0.5, 0.8)
    assert spread(runs, "written", "sentence", language="en", slots=False) == (1.4, 1.4, 1.4)
    with pytest.raises(ValueError, match=r"expected one with .*'zh'.* got none"):
        spread(runs, "written", "sentence", language="zh")
    with pytest.raises(KeyError, match="rouge9"):
        spread(runs, "written", "rouge9", language="en")


def test_bad_files_are_refused(tmp_path) -> None:
    first, second = _kept(tmp_path), _kept(tmp_path)
    with pytest.raises(ValueError, match="paths: expected plans that differ, got two of"):
        collect([first, second])
    other = tmp_path / "other.safetensors"
    save_checkpoint(other, load_checkpoint(first).params, metadata={"plan": {}})
    with pytest.raises(ValueError, match=r"paths: expected a measured news reader in .*other"):
        collect([other])


def test_the_command_writes_what_was_collected(tmp_path, capsys) -> None:
    paths = [_kept(tmp_path, seed=1), _kept(tmp_path)]
    main([*map(str, paths), "--output", str(tmp_path / "study.json")])
    assert json.loads((tmp_path / "study.json").read_text()) == collect(paths)
    assert "study.json: 2 runs" in capsys.readouterr().out


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_on_evaluation_is_about_the_model_that_ships(language) -> None:
    runs = json.loads(STUDY.read_text(encoding="utf-8"))
    metadata = load_reader(language).metadata
    whole = {"language": language, "seed": 0, "copying": True, "slots": True}
    (own,) = [run for run in runs if whole.items() <= run.items()]
    assert own["metrics"] == metadata["card"]["metrics"]
    assert own["threshold"] == metadata["reader"]["threshold"]
    assert own["steps"] == metadata["plan"]["steps"]
