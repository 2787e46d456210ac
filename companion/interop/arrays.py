"""Arrays of either library, told apart without importing torch."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from companion import _check

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["as_numpy", "as_torch"]


def as_numpy(params: Mapping[str, Any]) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """The same parameters for the NumPy wing: copies, of the same dtype.

    params name → array or tensor of any shape, on any device
    Returns one numpy.ndarray under each name.

    Raises TypeError naming the parameter that is neither, or whose dtype NumPy has not (bfloat16).
    """
    return {name: _numpy(f"params[{name!r}]", array) for name, array in params.items()}


def as_torch(params: Mapping[str, Any]) -> "dict[str, Tensor]":
    """The same parameters for the torch wing: copies on the CPU, of the same dtype.

    params name → array or tensor of any shape
    Returns one torch.Tensor under each name, none of which asks for a gradient.

    Raises TypeError naming the parameter that is neither.
    """
    import torch

    return {
        name: owned(array).cpu()
        if isinstance(array, torch.Tensor)
        else torch.from_numpy(_numpy(f"params[{name!r}]", array))
        for name, array in params.items()
    }


def kind_of(array: Any) -> type:
    """The array's library, as its array type; numpy.ndarray for what is no array at all."""
    torch = sys.modules.get("torch")  # a tensor cannot be there before its library is
    return torch.Tensor if torch is not None and isinstance(array, torch.Tensor) else np.ndarray


def owned(array: Any) -> Any:
    """A copy in C order, which shares no memory and asks for no gradient."""
    if isinstance(array, np.ndarray):
        return np.array(array, order="C")
    return array.detach().contiguous().clone()


def zeros(like: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of the library, dtype and device of `like`."""
    return np.zeros(shape, like.dtype) if isinstance(like, np.ndarray) else like.new_zeros(shape)


def is_finite(array: Any) -> bool:
    """No NaN and no infinity."""
    finite = np.isfinite(array) if isinstance(array, np.ndarray) else array.isfinite()
    return bool(finite.all())


def _numpy(name: str, array: Any) -> np.ndarray[Any, np.dtype[Any]]:
    _check.is_array(kind_of(array), **{name: array})
    if isinstance(array, np.ndarray):
        return np.array(array, order="C")
    if _check.dtype_name(array) == "bfloat16":
        raise TypeError(
            f"{name}: expected a dtype that NumPy has, got bfloat16; take .float() of it"
        )
    return np.array(array.detach().cpu().numpy(), order="C")
