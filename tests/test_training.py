"""The training loop: it learns, it repeats, it goes on after a stop to the last bit, it speaks."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recall_task as task
import torch
from learning_helpers import assert_identical, back, rooms, to

from companion.with_torch._adapter import module_loss_and_grad, module_params

WINGS = ("numpy", "torch")


@pytest.fixture(params=WINGS)
def lib(request: pytest.FixtureRequest) -> Any:
    return rooms(request.param)


def loss_and_grad(lib: Any, dropout: bool = False) -> Any:
    if lib.wing == "numpy":
        return task.numpy_with_dropout if dropout else task.numpy_loss_and_grad
    return module_loss_and_grad(task.Recall(0.1 if dropout else 0.0), task.torch_loss)


def job(lib: Any, examples: int = 96, dropout: bool = True, dtype: Any = np.float32) -> Any:
    """`train` with all that it needs but `epochs`: 6 steps an epoch of 96 examples."""
    data = task.draw_examples(examples, np.random.default_rng(1))
    held_out = tuple(to(lib.wing, a) for a in task.draw_examples(32, np.random.default_rng(2)))
    params = to(lib.wing, task.draw_params(np.random.default_rng(3), dtype))
    call = loss_and_grad(lib, dropout)
    if lib.wing == "torch" and dtype == np.float64:
        call = module_loss_and_grad(task.Recall().double(), task.torch_loss)
    return partial(
        lib.train,
        params,
        call,
        task.batches(*data, 16, partial(to, lib.wing)),
        optimizer=lib.adam,
        schedule=partial(lib.cosine_schedule, peak=0.01, total=200, warmup=5),
        seed=0,
        clip_norm=0.2,  # low enough to be felt
        validate=partial(lib.validation_loss, loss_and_grad=call, batches=[held_out]),
    )


@pytest.mark.slow
@pytest.mark.parametrize("wing", WINGS)
def test_a_tiny_model_learns_to_look_where_it_is_asked(wing: str) -> None:
    lib = rooms(wing)
    params, history = job(lib, examples=1024, dropout=False)(epochs=12)
    tokens, answers = task.draw_examples(500, np.random.default_rng(99))  # never seen
    guessed = (task.most_frequent_value(tokens) == answers).mean()
    logits, _ = task.numpy_logits(back(params), tokens)
    accuracy = (logits.argmax(axis=-1) == answers).mean()
    assert guessed < 0.6
    assert accuracy >= 0.98
    assert history[-1].validation_loss < 0.2 < history[0].loss


def test_the_wings_train_alike() -> None:
    # one start, one order, no dropout, float64: rounding alone sets them apart over 12 Adam steps
    (ours, told), (theirs, also) = (
        job(rooms(wing), dropout=False, dtype=np.float64)(epochs=2) for wing in WINGS
    )
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name].numpy(), rtol=0, atol=1e-10)
    for one, other in zip(told, also, strict=True):
        assert one.loss == pytest.approx(other.loss, abs=1e-10)
        assert one.grad_norm == pytest.approx(other.grad_norm, abs=1e-10)


def test_history_tells_each_step(lib: Any) -> None:
    start = job(lib)
    _, history = start(epochs=2)
    assert [r.step for r in history] == list(range(1, 13))
    assert [r.epoch for r in history] == [0] * 6 + [1] * 6
    rates = [lib.cosine_schedule(s, peak=0.01, total=200, warmup=5) for s in range(1, 13)]
    assert [r.learning_rate for r in history] == rates
    asked = [r.step for r in history if r.validation_loss is not None]
    assert asked == [6, 12]
    params, batch_of, call = start.args[0], start.args[2], start.args[1]
    assert {tuple(b[0].shape) for b in batch_of(0, 5)} == {(16, 5)}
    before = back(params)
    assert_identical(before, task.draw_params(np.random.default_rng(3)))  # the start is unchanged
    assert start(epochs=2)[1] == history  # one seed, one training
    other = partial(start, seed=1)(epochs=2)[1]
    assert other != history
    # clipping off: the norm is still told, and larger steps lead elsewhere
    free = partial(start, clip_norm=None, optimizer=lib.sgd)(epochs=1)[1]
    assert free[0].grad_norm == pytest.approx(history[0].grad_norm, rel=1e-6)
    assert lib.validation_loss(params, call, [batch_of(0, 5)[0]]) > 0


def test_every_step_and_epoch_has_a_seed_of_its_own(lib: Any) -> None:
    start = job(lib)
    steps: list[int | None] = []
    epochs: list[int] = []

    def call(params: Any, batch: Any, seed: int | None) -> Any:
        steps.append(seed)
        return start.args[1](params, batch, seed)

    def of_epoch(epoch: int, seed: int) -> Any:
        epochs.append(seed)
        return start.args[2](epoch, seed)

    lib.train(start.args[0], call, of_epoch, **start.keywords, epochs=2)
    assert None not in steps  # validation has a function of its own here
    assert len({*steps, *epochs}) == 12 + 2
    assert all(0 <= seed < 2**63 for seed in (*steps, *epochs))  # fits numpy's and torch's
    before = list(steps)
    lib.train(start.args[0], call, of_epoch, **start.keywords, epochs=1)
    assert steps[len(before) :] == before[:6]


class Stopped(Exception):  # noqa: N818 - it stands for a power cut, not for an error
    pass


def stop_at(call: Any, step: int) -> Any:
    """The same function until it is called for the `step`th time in training."""
    seen = 0

    def stopping(params: Any, batch: Any, seed: int | None) -> Any:
        nonlocal seen
        seen += seed is not None
        if seen == step:
            raise Stopped
        return call(params, batch, seed)

    return stopping


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "stop"),  # before, at and after checkpoints and ends of epochs
    [("sgd", 11), ("adamw", 11), *(("adam", stop) for stop in (1, 5, 6, 7, 9, 12, 17))],
)
def test_a_resumed_training_is_the_uninterrupted_one(
    lib: Any, optimizer: str, stop: int, tmp_path: Path
) -> None:
    options = {"momentum": 0.9} if optimizer == "sgd" else {}
    start = partial(job(lib), epochs=3, checkpoint_every=4)
    start = partial(start, optimizer=partial(getattr(lib, optimizer), **options))
    whole, parts = tmp_path / "whole.safetensors", tmp_path / "parts.safetensors"
    params, history = start(checkpoint=whole)
    with pytest.raises(Stopped):
        lib.train(
            start.args[0],
            stop_at(start.args[1], stop),
            start.args[2],
            **start.keywords,
            checkpoint=parts,
            resume=True,  # there is nothing yet to go on from
        )
    again, told = start(checkpoint=parts, resume=True)
    assert_identical(again, params)
    assert told == history
    assert parts.read_bytes() == whole.read_bytes()  # optimiser state and place included


def test_a_finished_training_goes_on_for_more_epochs(lib: Any, tmp_path: Path) -> None:
    start = job(lib)
    params, history = start(epochs=3)
    path = tmp_path / "run.safetensors"
    start(epochs=1, checkpoint=path)
    again, told = start(epochs=3, checkpoint=path, resume=True)
    assert_identical(again, params)
    assert told == history
    same, _ = start(epochs=3, checkpoint=path, resume=True)  # nothing left to do
    assert_identical(same, params)


def test_dropout_is_off_in_validation_and_on_in_training(lib: Any) -> None:
    call = loss_and_grad(lib, dropout=True)
    params = to(lib.wing, task.draw_params(np.random.default_rng(3)))
    data = task.draw_examples(16, np.random.default_rng(1))
    batch = tuple(to(lib.wing, a) for a in data)
    silent = {float(call(params, batch, None)[0]) for _ in range(3)}
    assert len(silent) == 1
    noisy = [float(call(params, batch, seed)[0]) for seed in (0, 1, 2, 3, 0)]
    assert noisy[0] == noisy[-1]
    assert len(set(noisy)) > 1
    assert call(params, batch, None)[1] == {}


# ------------------------------------------------------------------------------ messages


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_stops_and_names_step_and_checkpoint(
    lib: Any, bad: float, tmp_path: Path
) -> None:
    start, path = job(lib), tmp_path / "run.safetensors"
    call, count = start.args[1], 0

    def failing(params: Any, batch: Any, seed: int | None) -> Any:
        nonlocal count
        count += seed is not None
        loss, grads = call(params, batch, seed)
        return (bad if count == 5 else loss), grads

    run = partial(lib.train, start.args[0], failing, start.args[2], **start.keywords, epochs=1)
    wanted = f"step 5: loss: expected a finite number, got {bad}; last good checkpoint: "
    with pytest.raises(ValueError, match=r"^step 5") as caught:
        run(checkpoint=path, checkpoint_every=2)
    assert str(caught.value) == f"{wanted}{path}, after step 4"
    assert len(lib.load_checkpoint(path).metadata["history"]) == 4
    count = 0
    with pytest.raises(ValueError, match=r"^step 5") as caught:
        run()
    assert str(caught.value) == f"{wanted}none"


def test_a_gradient_that_is_no_number_is_named(lib: Any) -> None:
    start = job(lib)

    def failing(params: Any, batch: Any, seed: int | None) -> Any:
        loss, grads = start.args[1](params, batch, 1)
        return loss, grads | {"key_proj.weight": grads["key_proj.weight"] * np.inf}

    message = r"^step 1: grads\['key_proj.weight'\]: expected finite numbers.*checkpoint: none$"
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=message):
        lib.train(start.args[0], failing, start.args[2], **start.keywords, epochs=1)


def test_a_validation_loss_that_is_no_number_is_refused(lib: Any) -> None:
    start = partial(job(lib), validate=lambda params: float("nan"))
    message = "^epoch 0: validation loss: expected a finite number, got nan; last good"
    with pytest.raises(ValueError, match=message):
        start(epochs=1)


def test_train_says_what_is_wrong(lib: Any, tmp_path: Path) -> None:
    start, path = job(lib), tmp_path / "run.safetensors"
    with pytest.raises(ValueError, match=r"^epochs: expected at least 1, got 0"):
        start(epochs=0)
    with pytest.raises(TypeError, match=r"^seed: expected an integer, got float"):
        partial(start, seed=0.5)(epochs=1)
    with pytest.raises(ValueError, match=r"^clip_norm: expected a finite number > 0, got 0"):
        partial(start, clip_norm=0)(epochs=1)
    with pytest.raises(ValueError, match=r"^checkpoint: expected a path with resume or check"):
        start(epochs=1, resume=True)
    with pytest.raises(ValueError, match=r"^checkpoint_every: expected at least 1, got 0"):
        start(epochs=1, checkpoint=path, checkpoint_every=0)
    with pytest.raises(ValueError, match=r"^epoch 0: batches: expected at least one batch"):
        lib.train(*start.args[:2], lambda epoch, seed: [], **start.keywords, epochs=1)
    with pytest.raises(ValueError, match=r"^batches: expected at least one batch, got none"):
        lib.validation_loss(start.args[0], start.args[1], [])
    with pytest.raises(TypeError, match=r"^params\['w'\]: expected"):
        lib.validation_loss({"w": [1.0]}, start.args[1], [])
    with pytest.raises(TypeError, match=r"^params\['w'\]: expected"):
        lib.train({"w": [1.0]}, *start.args[1:], **start.keywords, epochs=1)


def test_resuming_says_what_does_not_fit(lib: Any, tmp_path: Path) -> None:
    start, path = job(lib), tmp_path / "run.safetensors"
    start(epochs=1, checkpoint=path)
    with pytest.raises(ValueError, match=r"^seed: expected 0 as in the checkpoint, got 7"):
        partial(start, seed=7)(epochs=2, checkpoint=path, resume=True)
    with pytest.raises(ValueError, match=r"^step 7: state: expected the keys of the optimiser"):
        partial(start, optimizer=lib.sgd)(epochs=2, checkpoint=path, resume=True)
    fewer = {"output_proj.weight": start.args[0]["output_proj.weight"]}
    with pytest.raises(ValueError, match=r"^params: expected the keys of expected, got missing"):
        lib.train(fewer, *start.args[1:], **start.keywords, epochs=2, checkpoint=path, resume=True)
    lib.save_checkpoint(path, start.args[0])
    with pytest.raises(ValueError, match=r"^checkpoint: expected one that `train` wrote"):
        start(epochs=2, checkpoint=path, resume=True)


def test_the_bar_shows_epoch_and_loss(lib: Any, capsys: pytest.CaptureFixture[str]) -> None:
    job(lib)(epochs=2, progress=True)
    shown = capsys.readouterr().err
    assert "epoch 2/2: 100%" in shown
    assert "6/6" in shown
    assert "loss=" in shown
    job(lib)(epochs=1)
    assert capsys.readouterr().err == ""


def test_a_missing_extra_is_named(
    lib: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    advice = r"run: pip install 'neurons-to-transformers\[train\]'$"
    for module, options in (
        ("tqdm", {"progress": True}),
        (f"safetensors.{lib.wing}", {"checkpoint": tmp_path / "run.safetensors"}),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ModuleNotFoundError, match=f"^{module}: expected .*{advice}"):
            job(lib)(epochs=1, **options)


# --------------------------------------------------------------------- nn.Module adapter


def module_and_batch(dropout: float = 0.0) -> tuple[Any, Any]:
    torch.manual_seed(0)
    tokens, answers = task.draw_examples(8, np.random.default_rng(1))
    return task.Recall(dropout), (torch.tensor(tokens), torch.tensor(answers))


def test_the_adapter_gives_the_gradients_of_backward() -> None:
    module, batch = module_and_batch()
    params = module_params(module)
    loss, grads = module_loss_and_grad(module, task.torch_loss)(params, batch, 0)
    assert all(p.grad is None for p in module.parameters())
    expected = task.torch_loss(module, batch, 0)
    expected.backward()
    assert loss == expected.detach()
    assert not loss.requires_grad
    assert_identical(grads, {name: p.grad for name, p in module.named_parameters()})
    # the parameters given count, not the module's own
    zeros = {name: torch.zeros_like(p) for name, p in params.items()}
    even, _ = module_loss_and_grad(module, task.torch_loss)(zeros, batch, 0)
    assert float(even) == pytest.approx(np.log(task.VALUES), rel=1e-6)


def test_the_adapter_sets_the_mode_and_puts_it_and_the_generator_back() -> None:
    module, batch = module_and_batch(dropout=0.5)
    module.eval()
    module.output_proj.train()  # a part in another mode
    modes, seen = [p.training for p in module.modules()], []

    def watching(model: Any, batch: Any, seed: int | None) -> Any:
        seen.append(module.training)
        if seed == 13:
            raise RuntimeError("stop")
        return task.torch_loss(model, batch, seed)

    call = module_loss_and_grad(module, watching)
    state = torch.get_rng_state()
    call(module_params(module), batch, 1)
    call(module_params(module), batch, None)
    with pytest.raises(RuntimeError, match="stop"):
        call(module_params(module), batch, 13)
    assert seen == [True, False, True]
    assert [p.training for p in module.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)


def test_frozen_parameters_stay_the_modules_own() -> None:
    module, batch = module_and_batch()
    module.token_embedding.requires_grad_(False)
    params = module_params(module)
    assert "token_embedding.weight" not in params
    _, grads = module_loss_and_grad(module, task.torch_loss)(params, batch, 0)
    assert grads.keys() == params.keys()


def test_the_adapter_says_what_is_wrong() -> None:
    module, batch = module_and_batch()
    params = module_params(module)
    missing = {name: p for name, p in params.items() if name != "key_proj.weight"}
    call = module_loss_and_grad(module, task.torch_loss)
    with pytest.raises(ValueError, match=r"^params: .*the module, got missing \['key_proj.weigh"):
        call(missing, batch, 0)
    module.extra = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"^params\['extra.weight'\]: expected the loss to dep"):
        call(module_params(module), batch, 0)


# --------------------------------------------------------------------- before the first step


def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(
    lib: Any, tmp_path: Path
) -> None:
    start, asked = job(lib), []
    never = partial(lib.train, start.args[0], start.args[1], lambda *place: asked.append(place))
    with pytest.raises(FileNotFoundError, match=r"^checkpoint: expected a folder .*make it first"):
        never(**start.keywords, epochs=1, checkpoint=tmp_path / "none" / "run.safetensors")
    with pytest.raises(IsADirectoryError, match=r"^checkpoint: expected a file, got the folder"):
        never(**start.keywords, epochs=1, checkpoint=tmp_path)
    assert not asked


def test_a_seed_of_numpy_is_kept_in_the_checkpoint(lib: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    partial(job(lib), seed=np.int64(3))(epochs=1, checkpoint=path)
    assert lib.load_checkpoint(path).metadata["seed"] == 3
