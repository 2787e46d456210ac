"""Training: one plan, one result; two processes, the gradient of one; killed, it goes on."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from companion.news import generate_articles, load_articles
from companion.news.batches import IGNORE, Batch, collate_fn, encode_item
from companion.news.distributed import Group, loss_and_grad
from companion.news.fit import WEIGHTS, Plan, as_reader, fit
from companion.news.lexicon import build_lexicon
from companion.news.reader import init_reader, reader_config, reader_sums
from companion.with_numpy import load_checkpoint

TINY = Plan(language="en", steps=3, width=8, generated=21, batch_size=4)
ROOT = Path(__file__).parent.parent


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def start(script: Path, *arguments: object, env=None) -> subprocess.Popen:
    """A second Python that finds this checkout, one thread each."""
    inherited = {**os.environ, "OMP_NUM_THREADS": "1"}
    inherited["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.Popen(command, env={**inherited, **(env or {})}, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def fitted():
    return fit(TINY)


def test_a_plan_gives_the_same_parameters_twice(fitted) -> None:
    again = fit(TINY)
    assert same(fitted.params, again.params)
    assert [r.loss for r in fitted.history] == [r.loss for r in again.history]
    assert fitted.lexicon == again.lexicon
    assert len(fitted.history) == TINY.steps


def test_another_seed_gives_others(fitted) -> None:
    assert not same(fitted.params, fit(replace(TINY, seed=1)).params)


def test_without_copying_the_pointer_stays_shut() -> None:
    params = fit(replace(TINY, copying=False)).params
    pointing = {name: p for name, p in params.items() if name.startswith("copy_")}
    assert pointing
    for name, p in pointing.items():
        value = 30.0 if name == "copy_gate.bias" else 0.0  # but for a little weight decay
        torch.testing.assert_close(p, torch.full_like(p, value), rtol=1e-3, atol=0, msg=name)


def test_a_fitted_reader_reads(fitted) -> None:
    reader = as_reader(fitted)
    assert reader.lexicon is fitted.lexicon
    for name, p in fitted.params.items():
        assert np.allclose(reader.params[name], p.numpy(), atol=1e-3, rtol=1e-3), name


def test_a_batch_must_be_shareable() -> None:
    with pytest.raises(ValueError, match="batch_size: expected a multiple of 3 processes, got 4"):
        fit(TINY, group=Group(0, 3))


def case(dropout: float = 0.0):
    """A config, first parameters and one batch of four, of which one has no labels but words."""
    items = load_articles("en", "train")[:3]
    items += generate_articles(1, language="en", split="train", seed=5)
    lexicon = build_lexicon(items, "en", least=1)
    items[1] = {key: items[1][key] for key in ("content", "summary")}
    config = reader_config(lexicon.size, width=8, hidden=16, dropout=dropout)
    params = init_reader(config, torch.Generator().manual_seed(3))
    return config, params, collate_fn([encode_item(item, lexicon) for item in items])


def rows(batch: Batch, rank: int, size: int) -> Batch:
    return Batch(*(field[rank::size] for field in batch))


def test_sums_add_up_over_parts() -> None:
    config, params, batch = case()
    whole = reader_sums(params, batch, config)
    parts = [reader_sums(params, rows(batch, rank, 2), config) for rank in range(2)]
    for name in ("sums", "counts"):
        added = sum(getattr(part, name) for part in parts)
        torch.testing.assert_close(added, getattr(whole, name), rtol=1e-5, atol=1e-4)
    words = int((batch.after != IGNORE).sum())
    assert whole.counts.tolist() == [words, int((batch.carries != IGNORE).sum()), 12]


def test_the_loss_is_the_weighted_sum_of_three_means() -> None:
    config, params, batch = case()
    loss, grads = loss_and_grad(params, config, WEIGHTS, Group())(params, batch, 0)
    leaves = {name: p.clone().requires_grad_() for name, p in params.items()}
    found = reader_sums(leaves, batch, config)
    by_hand = sum(w * s / n for w, s, n in zip(WEIGHTS, *found, strict=True))
    assert float(loss) == pytest.approx(by_hand.item(), rel=1e-6)
    wanted = torch.autograd.grad(by_hand, list(leaves.values()))
    for name, grad in zip(leaves, wanted, strict=True):
        torch.testing.assert_close(grads[name], grad, rtol=1e-5, atol=1e-7)


def test_a_part_without_labels_adds_nothing() -> None:
    config, params, batch = case()
    bare = Batch(*(field[1:2] for field in batch))
    found = reader_sums(params, bare, config)
    assert found.counts[1:].tolist() == found.sums[1:].tolist() == [0, 0]
    loss, grads = loss_and_grad(params, config, WEIGHTS, Group())(params, bare, 0)
    assert torch.isfinite(loss)
    assert not grads["rubric_proj.weight"].any()


def test_rows_with_fewer_sentences_than_their_batch_are_read() -> None:
    config, params, batch = case()
    counted = (batch.carries != IGNORE).sum(dim=1)
    assert counted.min() < counted.max()
    parts = [
        reader_sums(params, Batch(*(field[n : n + 1] for field in batch)), config)
        for n in range(len(batch.source))
    ]
    whole = reader_sums(params, batch, config)
    torch.testing.assert_close(sum(p.sums for p in parts), whole.sums, rtol=1e-5, atol=1e-5)
    assert sum(p.counts for p in parts).tolist() == whole.counts.tolist()


def test_dropout_is_on_in_training_only() -> None:
    config, params, batch = case(dropout=0.5)
    measured = loss_and_grad(params, config, WEIGHTS, Group())
    assert measured(params, batch, None)[0] == measured(params, batch, None)[0]
    assert measured(params, batch, 1)[0] == measured(params, batch, 1)[0]
    assert measured(params, batch, 1)[0] != measured(params, batch, 2)[0]
    assert measured(params, batch, None)[1] == {}


SHARED = """
import sys
import torch
sys.path.insert(0, {tests!r})
from test_fit import WEIGHTS, case, rows
from companion.news.distributed import from_environment, loss_and_grad
torch.set_num_threads(1)
with from_environment() as group:
    config, params, batch = case()
    measured = loss_and_grad(params, config, WEIGHTS, group)
    own = rows(batch, group.rank, group.size)
    loss, grads = measured(params, own, 0)
    held_out, _ = measured(params, own, None)
    torch.save([group, loss, held_out, grads], f"{{sys.argv[1]}}/rank{{group.rank}}.pt")
"""


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def run_two(script: Path, folder: Path) -> None:
    """Run a script in two processes that know of each other, as torchrun would."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2"}
    children = [start(script, folder, env={**address, "RANK": str(rank)}) for rank in range(2)]
    try:
        for child in children:
            _, said = child.communicate(timeout=240)
            assert child.returncode == 0, said.decode()
    finally:
        for child in children:
            child.kill()


@pytest.mark.slow
def test_two_processes_have_the_gradient_of_one(tmp_path) -> None:
    """Two processes with two of four rows each; the parts have unequal numbers of words."""
    config, params, batch = case()
    counts = [reader_sums(params, rows(batch, r, 2), config).counts for r in range(2)]
    assert (counts[0] != counts[1]).all(), "else a mean of means would pass"
    script = tmp_path / "shared.py"
    script.write_text(SHARED.format(tests=str(ROOT / "tests")), "utf-8")
    run_two(script, tmp_path)
    measured = loss_and_grad(params, config, WEIGHTS, Group())
    loss, grads = measured(params, batch, 0)
    held_out, _ = measured(params, batch, None)
    for rank in range(2):
        group, *theirs = torch.load(tmp_path / f"rank{rank}.pt", weights_only=False)
        assert group == Group(rank, 2)
        torch.testing.assert_close(theirs[:2], [loss, held_out], rtol=1e-5, atol=1e-6)
        assert theirs[2].keys() == grads.keys()
        for name, grad in grads.items():
            torch.testing.assert_close(theirs[2][name], grad, rtol=1e-4, atol=1e-6, msg=name)


ONE_FILE = """
import sys
from pathlib import Path
import torch
sys.path.insert(0, {tests!r})
from test_fit import TINY
from companion.news.distributed import from_environment
from companion.news.fit import fit
from companion.with_torch import training
torch.set_num_threads(1)
written, save = [], training.save_checkpoint
def note(path, *rest, **more):
    written.append(str(path))
    save(path, *rest, **more)
training.save_checkpoint = note
folder = Path(sys.argv[1])
with from_environment() as group:
    for resume in (False, True):
        fitted = fit(TINY, group=group, checkpoint=folder / "kept.safetensors", resume=resume)
        torch.distributed.barrier()  # two commands, one after the other
    torch.save([written, fitted.params], folder / f"rank{{group.rank}}.pt")
"""


@pytest.mark.slow
def test_only_the_first_process_writes_the_checkpoint(tmp_path) -> None:
    script = tmp_path / "one_file.py"
    script.write_text(ONE_FILE.format(tests=str(ROOT / "tests")), "utf-8")
    run_two(script, tmp_path)
    kept = tmp_path / "kept.safetensors"
    (first, params), (second, others) = (torch.load(tmp_path / f"rank{r}.pt") for r in range(2))
    assert set(first) == {str(kept)}
    assert str(kept) not in second
    assert not any(Path(path).exists() for path in second)
    assert same(params, others)
    assert {path.name for path in tmp_path.iterdir()} == {
        "one_file.py",
        "kept.safetensors",
        "rank0.pt",
        "rank1.pt",
    }


KILLED = """
import os, signal, sys
from itertools import count
from pathlib import Path
import torch
sys.path.insert(0, {tests!r})
from test_fit import LONGER
from companion.news import fit as module
torch.set_num_threads(1)
given, step = module._rows, count()
def rows(*arguments):
    if next(step) == 53:
        os.kill(os.getpid(), signal.SIGKILL)
    return given(*arguments)
module._rows = rows
module.fit(LONGER, checkpoint=Path(sys.argv[1]))
"""
LONGER = replace(TINY, steps=56, batch_size=2)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_and_resumed_it_ends_as_if_never_stopped(tmp_path) -> None:
    """kill -9 before step 54, after the checkpoint of step 50."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the child, so that sums are added in the same order
    try:
        script, kept = tmp_path / "killed.py", tmp_path / "kept.safetensors"
        script.write_text(KILLED.format(tests=str(ROOT / "tests")), "utf-8")
        child = start(script, kept)
        _, said = child.communicate(timeout=120)
        assert child.returncode == -signal.SIGKILL, said.decode()
        assert load_checkpoint(kept).metadata["batch"] == 50
        resumed = fit(LONGER, checkpoint=kept, resume=True)
        whole = fit(LONGER)
    finally:
        torch.set_num_threads(threads)
    assert len(whole.history) == LONGER.steps
    assert same(resumed.params, whole.params)
    assert resumed.history == whole.history
