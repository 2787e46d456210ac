"""One training on several processes: each reads its rows of a batch, all take the same step.

`torchrun --nproc-per-node N` starts N copies of a command and tells each its rank. DDP, torch's
DistributedDataParallel, averages their gradients. An average of means is not the mean of all when
the parts are of unequal size, and texts are: so sums are divided by the count of *all* processes,
and multiplied by their number, which the average takes away again.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from companion.config import TransformerConfig
from companion.news.reader import Sums, reader_sums
from companion.news.shapes import reader_shapes
from companion.params import derive
from companion.with_torch.models import _Model


class Group(NamedTuple):
    """This process among those that train together: rank, from 0, and size, their number."""

    rank: int = 0
    size: int = 1

    def total(self, value: Tensor) -> Tensor:
        """The sum of a tensor over all processes, the same for each; value is left as it is."""
        if self.size == 1:
            return value
        value = value.clone()
        distributed.all_reduce(value)
        return value


@contextmanager
def from_environment() -> Iterator[Group]:
    """The group that torchrun has started this process in, or this process alone.

    Processes talk by gloo, which needs no GPU; the connection is closed at the end.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group()
        return
    distributed.init_process_group("gloo")
    try:
        yield Group(distributed.get_rank(), size)
    finally:
        distributed.destroy_process_group()


class ReaderModule(_Model):
    """The reader as an nn.Module, which is what DistributedDataParallel wraps.

    params as `init_reader` draws them   `forward` is `reader_sums`.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    def __init__(self, config: TransformerConfig, params: dict[str, Tensor]) -> None:
        super().__init__(config, params, reader_shapes(config))

    def forward(self, batch: Any, seed: int | None) -> Sums:
        """`reader_sums` of a batch."""
        return reader_sums(self.params, batch, self.config, seed)


LossAndGrad = Callable[[Mapping[str, Tensor], Any, int | None], tuple[Tensor, dict[str, Tensor]]]


def loss_and_grad(
    params: dict[str, Tensor],
    config: TransformerConfig,
    weights: tuple[float, ...],
    group: Group,
    frozen: Collection[str] = (),
) -> LossAndGrad:
    """The loss of a batch of which each process has some rows, and its gradient, for `train`.

        loss = Σ_term weight · (Σ_process sum) / (Σ_process count)

    params of the start, for their names and shapes   weights of the terms   group of processes
    frozen names of parameters whose gradient is 0, for ablations
    Returns (params, rows of a batch, seed) → (loss, grads), the same in every process, whatever
    their number; dropout differs between processes.

    Raises as `reader_sums`.
    """
    module = ReaderModule(config, {name: p.detach().clone() for name, p in params.items()})
    shared: nn.Module = DistributedDataParallel(module) if group.size > 1 else module

    def measured(
        params: Mapping[str, Tensor], batch: Any, seed: int | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        own = dict(module.named_parameters())
        with torch.no_grad():
            for name, value in params.items():
                own[name].copy_(value)
        place = seed if seed is None or group.size == 1 else derive(seed, f"rank/{group.rank}")
        with torch.set_grad_enabled(seed is not None):
            found = shared(batch, place)
        counts = group.total(found.counts)
        scale = found.sums.new_tensor(weights) * (counts > 0) / counts.clamp(min=1)
        loss = (scale * found.sums).sum()
        if seed is None:
            return group.total(loss), {}
        module.zero_grad()
        (group.size * loss).backward()
        grads = {name: p.grad.clone() for name, p in own.items() if p.grad is not None}
        for name in frozen:
            grads[name].zero_()
        return group.total(loss.detach()), grads

    return measured
