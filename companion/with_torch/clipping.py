"""Clipping: one long gradient must not undo a thousand short steps."""

from collections.abc import Mapping
from functools import reduce

import torch
from torch import Tensor

from companion import _check
from companion._check_params import arrays, finite


@torch.no_grad()
def global_norm(grads: Mapping[str, Tensor]) -> Tensor:
    """The length of all gradients taken together as one vector.

        norm = √(Σ_name ‖grad_name‖²)

    grads name → tensor, floating, any shapes
    Returns norm (), of the widest dtype among them, at least float32; 0 without gradients.
    The names are taken in alphabetical order, so the last bit does not hang on the dict's.

    Raises TypeError or ValueError naming the key, if one is not floating or holds NaN or inf.
    """
    arrays(torch.Tensor, "grads", grads)
    finite("grads", grads)
    dtype = reduce(torch.promote_types, (g.dtype for g in grads.values()), torch.float32)
    norms = {n: torch.linalg.vector_norm(g, dtype=dtype) for n, g in sorted(grads.items())}
    if not norms:
        return torch.zeros((), dtype=dtype)
    norm = torch.linalg.vector_norm(torch.stack(list(norms.values())))
    finite("norm of grads", norms | {"all": norm})  # finite numbers whose squares are not
    return norm


@torch.no_grad()
def clip_by_global_norm(
    grads: Mapping[str, Tensor], max_norm: float
) -> tuple[dict[str, Tensor], Tensor]:
    """Shorten the gradients, all by one factor, so that together they are no longer than max_norm.

        grad ← grad min(1, max_norm / norm),   norm = global_norm(grads)

    grads name → tensor (...), floating   max_norm > 0, in the unit of the gradient
    Returns the clipped gradients and the norm () before clipping; the direction never changes.

    Raises TypeError or ValueError as `global_norm` does, ValueError if max_norm is not positive.
    Source: Pascanu et al. 2013, algorithm 1. torch.nn.utils.clip_grad_norm_ divides by norm + 1e-6.
    """
    _check.positive(max_norm=max_norm)
    norm = global_norm(grads)
    if norm <= max_norm:
        return dict(grads), norm
    factor = float(max_norm) / float(norm)
    return {name: grad * factor for name, grad in grads.items()}, norm
