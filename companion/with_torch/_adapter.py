"""From an nn.Module to the pure functions that `train` takes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from companion._check_params import keys
from companion.params import derive


def module_params(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the module's trainable parameters, by the names of its state_dict.

    module any nn.Module
    Returns name → tensor (...), without gradient; what requires_grad_(False) froze is left out, and
    a tied parameter appears once. `module.load_state_dict(params, strict=False)` puts them back.

    Raises AttributeError if it is no nn.Module.
    """
    return {n: p.detach().clone() for n, p in module.named_parameters() if p.requires_grad}


def module_loss_and_grad(
    module: nn.Module, loss: Callable[[Callable[..., Any], Any, int | None], Tensor]
) -> Callable[[Mapping[str, Tensor], Any, int | None], tuple[Tensor, dict[str, Tensor]]]:
    """The loss of a module as a function of its parameters, with its gradient from autograd.

    module any nn.Module; its own parameters are neither used nor changed
    loss (model, batch, seed) → loss (); model is called as the module is, with the parameters given
    Returns loss_and_grad (params, batch, seed) → (loss, grads), as `train` takes it, with grads
    name → tensor (...). With a seed the module is in training mode and nn.Dropout draws from that
    seed; with None it is in evaluation mode and grads is empty. Mode and torch's global generator
    are then put back.

    What it returns raises ValueError if params has other names than `module_params(module)` or if
    the loss does not depend on one of them. Raises nothing itself. Buffers, such as BatchNorm's,
    stay the module's own.
    """

    def loss_and_grad(
        params: Mapping[str, Tensor], batch: Any, seed: int | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        own = {name: p for name, p in module.named_parameters() if p.requires_grad}
        keys("params", params, own, "the module")
        training = seed is not None
        leaves = {name: p.detach().requires_grad_(training) for name, p in params.items()}

        def model(*args: Any, **kwargs: Any) -> Any:
            return functional_call(module, leaves, args, kwargs)

        with _mode(module, training), _seeded(seed, leaves), torch.set_grad_enabled(training):
            value = loss(model, batch, seed)
        return value.detach(), _gradients(value, leaves) if training else {}

    return loss_and_grad


def _gradients(loss: Tensor, leaves: dict[str, Tensor]) -> dict[str, Tensor]:
    grads = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    found: dict[str, Tensor] = {}
    for name, grad in zip(leaves, grads, strict=True):
        if grad is None:
            raise ValueError(f"params[{name!r}]: expected the loss to depend on it, it does not")
        found[name] = grad
    return found


@contextmanager
def _mode(module: nn.Module, training: bool) -> Iterator[None]:
    """Training or evaluation mode, and afterwards each part in the mode that it was in."""
    before = [(part, part.training) for part in module.modules()]
    try:
        module.train(training)
        yield
    finally:
        for part, was in before:
            part.training = was


@contextmanager
def _seeded(seed: int | None, params: Mapping[str, Tensor]) -> Iterator[None]:
    """nn.Dropout asks torch's global generator: lend it a seed, then give its state back."""
    if seed is None:
        yield
        return
    devices = {p.device.index or 0 for p in params.values() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(devices)):
        torch.manual_seed(derive(seed, "nn.Dropout"))
        yield
