"""The rooms of learning in both wings, and the way from NumPy arrays to a wing's and back."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

ROOMS = ("losses", "optimizers", "schedules", "clipping", "checkpoints", "training")


def rooms(wing: str) -> Any:
    """All public functions of these rooms, in one namespace."""
    found: dict[str, Any] = {"wing": wing}
    for room in ROOMS:
        found |= vars(import_module(f"companion.with_{wing}.{room}"))
    return SimpleNamespace(**found)


def to(wing: str, tree: Any) -> Any:
    """The same nest with the wing's arrays at its ends."""
    if isinstance(tree, dict):
        return {key: to(wing, part) for key, part in tree.items()}
    if isinstance(tree, np.ndarray):
        return tree.copy(order="K") if wing == "numpy" else torch.from_numpy(tree.copy(order="K"))
    return tree


def back(tree: Any) -> Any:
    """The same nest with NumPy arrays at its ends."""
    if isinstance(tree, dict):
        return {key: back(part) for key, part in tree.items()}
    return tree.detach().numpy() if isinstance(tree, torch.Tensor) else tree


def locked(tree: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copies that refuse to be written to."""
    copies = {key: array.copy() for key, array in tree.items()}
    for array in copies.values():
        array.setflags(write=False)
    return copies


def assert_identical(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The same keys, dtypes and bits."""
    assert ours.keys() == theirs.keys()
    for key in ours:
        one, other = back(ours[key]), back(theirs[key])
        assert one.dtype == other.dtype, key
        np.testing.assert_array_equal(one, other, err_msg=key)
