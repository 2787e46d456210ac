"""Clipping: one long gradient must not undo a thousand short steps."""

from collections.abc import Mapping

import numpy as np

from companion import _check
from companion._check_params import arrays, finite
from companion.with_numpy._types import Array


def global_norm(grads: Mapping[str, Array]) -> Array:
    """The length of all gradients taken together as one vector.

        norm = √(Σ_name ‖grad_name‖²)

    grads name → array, floating, any shapes
    Returns norm (), of the widest dtype among them, at least float32; 0 without gradients.
    The names are taken in alphabetical order, so the last bit does not hang on the dict's.

    Raises TypeError or ValueError naming the key, if one is not floating or holds NaN or inf.
    """
    arrays(np.ndarray, "grads", grads)
    finite("grads", grads)
    dtype = np.result_type(np.float32, *grads.values())
    with np.errstate(over="ignore"):  # the check below speaks
        norms = {n: np.linalg.norm(g.ravel().astype(dtype)) for n, g in sorted(grads.items())}
        norm = np.asarray(np.linalg.norm(np.array(list(norms.values()), dtype)), dtype)
    finite("norm of grads", norms | {"all": norm})  # finite numbers whose squares are not
    return norm


def clip_by_global_norm(
    grads: Mapping[str, Array], max_norm: float
) -> tuple[dict[str, Array], Array]:
    """Shorten the gradients, all by one factor, so that together they are no longer than max_norm.

        grad ← grad min(1, max_norm / norm),   norm = global_norm(grads)

    grads name → array (...), floating   max_norm > 0, in the unit of the gradient
    Returns the clipped gradients and the norm () before clipping; the direction never changes.

    Raises TypeError or ValueError as `global_norm` does, ValueError if max_norm is not positive.
    Source: Pascanu et al. 2013, algorithm 1. torch.nn.utils.clip_grad_norm_ divides by norm + 1e-6.
    """
    _check.positive(max_norm=max_norm)
    norm = global_norm(grads)
    if norm <= max_norm:
        return dict(grads), norm
    factor = norm.dtype.type(float(max_norm) / float(norm))  # float16 could not hold a small one
    return {name: _times(grad, factor) for name, grad in grads.items()}, norm


def _times(grad: Array, factor: np.floating) -> Array:
    wide = np.promote_types(grad.dtype, factor.dtype)  # asked for: NumPy 1 would stay in float16
    return np.asarray(np.multiply(grad, factor, dtype=wide), grad.dtype)
