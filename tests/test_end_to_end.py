"""A small Transformer from first parameters to decoded text, in both wings, as a user would do it.

The task: read four digits and a colon, write the digits in reverse. Only the public names are used.
"""

import re
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from companion import with_numpy, with_torch
from companion.config import TransformerConfig
from companion.interop import as_numpy, as_torch

N, COLON, V = 4, 0, 8  # digits 1 to 7 in each text; their separator
WINGS = ("numpy", "torch")
CONFIG = TransformerConfig(
    vocabulary=V, width=32, heads=2, positions="learned", max_length=2 * N, norm_first=True
)


def texts() -> tuple[np.ndarray, np.ndarray]:
    """All 7⁴ texts (B, 2 N + 1), 1801 to train on and 600 that training never sees."""
    digits = np.array(list(product(range(1, V), repeat=N)))
    ids = np.concatenate([digits, np.full((len(digits), 1), COLON), digits[:, ::-1]], axis=1)
    ids = np.random.default_rng(0).permutation(ids)
    return ids[:1801], ids[1801:]


def in_wing(wing: str, array: Any) -> Any:
    return array if wing == "numpy" else torch.from_numpy(array.copy())


def batch_of(wing: str, ids: np.ndarray) -> tuple[Any, Any]:
    """What the model reads and what it should say: nothing is asked before the colon."""
    targets = ids[:, 1:].copy()
    targets[:, :N] = -100
    return in_wing(wing, ids[:, :-1]), in_wing(wing, targets)


def batches(wing: str, ids: np.ndarray) -> Any:
    def of_epoch(epoch: int, seed: int) -> Iterator[tuple[Any, Any]]:
        order = np.random.default_rng(seed).permutation(len(ids))
        return (batch_of(wing, ids[order[i : i + 32]]) for i in range(0, len(ids), 32))

    return of_epoch


def numpy_loss_and_grad(config: TransformerConfig) -> Any:
    def loss_and_grad(params: Any, batch: Any, seed: int | None) -> Any:
        ids, targets = batch
        logits = with_numpy.decoder(ids, params, config, seed=seed)
        loss = with_numpy.cross_entropy(logits, targets)
        if seed is None:
            return loss, {}
        grad = with_numpy.cross_entropy_backward(1.0, logits, targets)
        return loss, with_numpy.decoder_backward(grad, ids, params, config, seed=seed)

    return loss_and_grad


def torch_loss_and_grad(config: TransformerConfig, params: Any) -> Any:
    def loss(model: Any, batch: Any, seed: int | None) -> Any:
        return with_torch.cross_entropy(model(batch[0], seed=seed), batch[1])

    return with_torch.module_loss_and_grad(with_torch.Decoder(config, params), loss)


def job(wing: str, config: TransformerConfig, texts_: int = 1801, dtype: Any = np.float32) -> Any:
    """`train` with all that it needs but `epochs`; both wings start from the same parameters."""
    lib: Any = import_module(f"companion.with_{wing}")
    params: Any = with_numpy.init_decoder(config, np.random.default_rng(1), dtype)
    if wing == "numpy":
        call = numpy_loss_and_grad(config)
    else:
        params = as_torch(params)
        call = torch_loss_and_grad(config, as_torch(params))
    seen, unseen = texts()
    return partial(
        lib.train,
        params,
        call,
        batches(wing, seen[:texts_]),
        optimizer=partial(lib.adamw, weight_decay=0.01),
        schedule=partial(lib.cosine_schedule, peak=0.01, total=6 * 57, warmup=20),
        clip_norm=1.0,
        validate=partial(
            lib.validation_loss, loss_and_grad=call, batches=[batch_of(wing, unseen[:100])]
        ),
        seed=0,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    # 20 AdamW steps from one start, no dropout: rounding alone sets the wings apart; measured 5e-7
    # and 1e-15. The parameters of float32 part sooner: a key bias moves no weight, so its gradient
    # is nothing but rounding, which Adam scales up to whole steps.
    ("dtype", "atol"),
    [(np.float32, 1e-5), (np.float64, 1e-11)],
)
def test_the_wings_train_a_transformer_alike(dtype: Any, atol: float) -> None:
    ours, theirs = (job(wing, CONFIG, 320, dtype)(epochs=2) for wing in WINGS)
    assert len(ours[1]) == 20
    for one, other in zip(ours[1], theirs[1], strict=True):
        assert one.loss == pytest.approx(other.loss, abs=atol), one.step
        assert one.grad_norm == pytest.approx(other.grad_norm, abs=10 * atol), one.step
        assert one.learning_rate == other.learning_rate
    assert ours[1][-1].validation_loss == pytest.approx(theirs[1][-1].validation_loss, abs=atol)
    assert ours[1][-1].loss < 0.9 * ours[1][0].loss
    for name, array in ours[0].items():
        if dtype == np.float64 or not name.endswith("key_proj.bias"):
            np.testing.assert_allclose(array, theirs[0][name], rtol=0, atol=10 * atol, err_msg=name)
    assert {str(a.dtype) for a in ours[0].values()} == {np.dtype(dtype).name}
    assert {a.dtype for a in theirs[0].values()} == {torch.from_numpy(np.zeros(1, dtype)).dtype}


@pytest.mark.slow
def test_the_readme_trains_a_small_transformer(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    code = re.search(r"## Train a small Transformer\n.*?```python\n(.*?)```", text, re.S)
    assert code is not None
    names: dict[str, Any] = {}
    exec(compile(code[1], "README.md", "exec"), names)
    assert capsys.readouterr().out == "[[2 4 1 3]]\n"
    assert "print(written)  # [[2 4 1 3]]" in code[1]
    digits = texts()[0][:500, : N + 1]
    model = with_numpy.Decoder(names["config"], names["params"])
    cache = with_numpy.empty_cache(names["config"], len(digits))
    written, _, _ = with_numpy.greedy(model.step, cache, digits, max_new_tokens=N)
    assert (written == digits[:, N - 1 :: -1]).mean() > 0.98


@pytest.mark.parametrize("wing", WINGS)
def test_a_padding_mask_is_never_laid_along_the_heads(wing: str) -> None:
    lib: Any = import_module(f"companion.with_{wing}")
    heads = in_wing(wing, np.random.default_rng(0).normal(size=(2, 2, 5, 3)))  # B = H: it would fit
    mask = lib.padding_mask(in_wing(wing, np.array([3, 5])), 5)
    for function in (lib.attention, lib.tiled_attention, lib.grouped_attention):
        message = r"^mask: expected 2 axes or the 4 of scores.*got \(2, 1, 5\).*mask\[:, None\]"
        with pytest.raises(ValueError, match=message):
            function(heads, heads, heads, mask=mask)
        function(heads, heads, heads, mask=mask[:, None])
    message = r"^mask: .*scores \(2, 5, 5\), got \(2, 1\); a padding mask \(B, S\) is written"
    with pytest.raises(ValueError, match=message):
        lib.attention(heads[0], heads[0], heads[0], mask=mask[:, 0, :1])


@pytest.mark.parametrize("wing", WINGS)
@pytest.mark.parametrize(
    ("name", "given", "came"), [("batches", [], "list"), ("schedule", 0.1, "float")]
)
def test_train_takes_functions(wing: str, name: str, given: Any, came: str) -> None:
    start = job(wing, CONFIG)
    arguments = {"batches": start.args[2]} | start.keywords | {name: given, "epochs": 1}
    with pytest.raises(TypeError, match=f"^{name}: expected a function, got {came}$"):
        start.func(*start.args[:2], **arguments)


class Stopped(Exception):  # noqa: N818 - it stands for a power cut, not for an error
    pass


@pytest.mark.parametrize("wing", WINGS)
def test_a_transformer_resumes_in_mid_run_to_the_last_bit(wing: str, tmp_path: Path) -> None:
    config = TransformerConfig(vocabulary=V, width=16, heads=2, layers=1, dropout=0.1)
    start = partial(job(wing, config, 160), epochs=3, checkpoint_every=2)
    params, history = start(checkpoint=tmp_path / "whole.safetensors")

    steps: list[int] = []

    def watched(step: int, stop: int | None = None) -> float:
        if step == stop:
            raise Stopped
        steps.append(step)
        return float(start.keywords["schedule"](step))

    parts = tmp_path / "parts.safetensors"
    with pytest.raises(Stopped):  # in the second epoch of five steps
        partial(start, schedule=partial(watched, stop=8))(checkpoint=parts)
    assert steps == [1, 2, 3, 4, 5, 6, 7]
    steps.clear()
    again, told = partial(start, schedule=watched)(checkpoint=parts, resume=True)
    assert steps == list(range(7, 16))  # from the checkpoint of step 6, not from the start
    assert told == history
    for name in params:
        np.testing.assert_array_equal(np.asarray(again[name]), np.asarray(params[name]), name)


# ------------------------------------------------------------------ what a trained model writes


@pytest.fixture(scope="module", params=WINGS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a training in one wing."""
    path = tmp_path_factory.mktemp(request.param) / "run.safetensors"
    job(request.param, CONFIG)(epochs=6, checkpoint=path)
    return path


def models(path: Path) -> dict[str, Any]:
    """The one checkpoint as a model of each wing."""
    ours = with_numpy.load_checkpoint(path).params
    theirs = with_torch.load_checkpoint(path).params
    return {
        "numpy": with_numpy.Decoder(CONFIG, ours),
        "torch": with_torch.Decoder(CONFIG, theirs).requires_grad_(False),
    }


def uncached(lib: Any, model: Any) -> Any:
    """A step that keeps the text itself and reads all of it again each time."""
    join = np.concatenate if lib is with_numpy else torch.cat

    def step(ids: Any, text: Any) -> Any:
        text = join([text, ids], 1)
        return model(text)[:, -ids.shape[1] :], text

    return step


def write(wing: str, model: Any, prompt: np.ndarray, cached: bool) -> dict[str, np.ndarray]:
    """What greedy, sampled and beam decoding write, by their names."""
    lib: Any = import_module(f"companion.with_{wing}")
    ids = in_wing(wing, prompt)
    uniform = in_wing(wing, np.random.default_rng(2).random((len(prompt), N)))
    if cached:
        step, cache, more = model.step, lib.empty_cache(CONFIG, len(prompt)), {}
    else:
        step, cache = uncached(lib, model), ids[:, :0]
        more = {"select": lambda text, rows: text[rows]}
    found = {
        "greedy": lib.greedy(step, cache, ids, max_new_tokens=N),
        "sample": lib.sample(step, cache, ids, uniform, temperature=3.0, top_k=5),
        "beams": lib.beam_search(step, cache, ids, beams=3, max_new_tokens=N, **more),
    }
    return {name: np.asarray(result[0]) for name, result in found.items()}


def likeliest_digit(prompt: np.ndarray) -> np.ndarray:
    """The best answer (B, 1) of who counts the digits and does not see their order."""
    return np.array([[np.bincount(row).argmax()] for row in prompt[:, :N]])


@pytest.mark.slow
def test_a_trained_transformer_reverses_what_it_has_not_seen(trained: Path) -> None:
    seen, unseen = texts()
    assert not {tuple(row) for row in seen} & {tuple(row) for row in unseen}
    prompt, answer = unseen[:, : N + 1], unseen[:, N + 1 :]
    history = with_numpy.load_checkpoint(trained).metadata["history"]
    assert len(history) == 6 * 57
    guessed = (likeliest_digit(prompt) == answer).mean()
    assert guessed < 0.45  # digit by digit
    for wing, model in models(trained).items():
        lib: Any = import_module(f"companion.with_{wing}")
        cache = lib.empty_cache(CONFIG, len(prompt))
        written, lengths, _ = lib.greedy(model.step, cache, in_wing(wing, prompt), max_new_tokens=N)
        assert (np.asarray(lengths) == N).all()
        assert (np.asarray(written) == answer).all(axis=1).mean() >= 0.98  # all four digits right


@pytest.mark.slow
def test_one_checkpoint_gives_both_wings_the_same_logits(trained: Path) -> None:
    both = models(trained)
    ids = texts()[1][:50, :-1]
    ours, theirs = both["numpy"](ids), both["torch"](torch.from_numpy(ids)).numpy()
    assert ours.dtype == theirs.dtype == np.float32
    # float32 sums in another order, logits up to 8; measured 7e-6
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-5)
    params = with_numpy.load_checkpoint(trained, expected=both["numpy"].params).params
    for name, back in as_numpy(as_torch(params)).items():
        np.testing.assert_array_equal(back, params[name], name)


@pytest.mark.slow
def test_cached_uncached_and_both_wings_write_the_same(trained: Path) -> None:
    prompt = texts()[1][:40, : N + 1]
    wanted: dict[str, np.ndarray] = {}
    for wing, model in models(trained).items():
        for cached in (True, False):
            written = write(wing, model, prompt, cached)
            wanted = wanted or written
            for name, ids in written.items():
                np.testing.assert_array_equal(ids, wanted[name], f"{name} {wing} {cached}")
    assert wanted["beams"].shape == (40, 3, N)
    np.testing.assert_array_equal(wanted["beams"][:, 0], wanted["greedy"])
    assert (wanted["sample"] != wanted["greedy"]).any()  # hot enough to say something else
