"""Checkpoints: keep parameters, optimiser state and where training was, safe against a crash.

Both wings write and read the same file; its layout is told in `companion._checkpoint`. Needs the
extra `train` (safetensors).
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from companion import _atomic, _checkpoint
from companion._check_params import alike
from companion._checkpoint import Checkpoint
from companion._optional import optional
from companion.with_numpy._types import Array

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]


def save_checkpoint(
    path: str | os.PathLike[str],
    params: Mapping[str, Array],
    *,
    state: Mapping[str, Array] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint; whoever reads `path`, at any time, finds the old one or this one whole.

    path of the file, by custom *.safetensors; an older one there is replaced
    params name → array, floating, any shapes   state name → array, also integer or bool, or None
    metadata what JSON can hold: text, numbers, None, lists, dicts with text as keys
    Returns nothing. Up to three times the size of the tensors is held in memory while it runs.

    Raises TypeError or ValueError naming the key that cannot be kept, NaN and inf among them: the
    last good checkpoint stays. ModuleNotFoundError without safetensors, OSError from the disk.
    """
    tensors = _checkpoint.join(np.ndarray, params, state or {})
    rows = {key: np.asarray(array, order="C") for key, array in tensors.items()}
    save = optional("safetensors.numpy", "train").save
    _atomic.write(path, _checkpoint.seal(lambda header: save(rows, metadata=header), metadata))


def load_checkpoint(
    path: str | os.PathLike[str], expected: Mapping[str, Array] | None = None
) -> Checkpoint[Array]:
    """Read a checkpoint of either wing, and nothing that is not exactly what was saved.

    path of the file   expected name → array (...), whose names, shapes and dtypes the parameters
      must have, or None
    Returns a Checkpoint with params, state and metadata; the arrays are new and may be written to.

    Raises FileNotFoundError; ValueError if the file is no checkpoint, is cut off, was changed after
    it was saved, or holds NaN or inf; ValueError or TypeError naming the key that is missing,
    unexpected, or of another shape or dtype than expected. NumPy has no bfloat16: TypeError.
    """
    raw, metadata = _checkpoint.unseal(path)
    try:
        rows = optional("safetensors.numpy", "train").load(raw)
    except KeyError as error:
        raise TypeError(
            f"path: expected dtypes that NumPy has, got {error} in {path}; load it with torch"
        ) from error
    except optional("safetensors", "train").SafetensorError as error:
        raise ValueError(f"path: expected the safetensors format, got {path}: {error}") from error
    checkpoint = _checkpoint.part(rows, metadata)
    if expected is None:
        return checkpoint
    alike("params", checkpoint.params, expected, "expected")
    return replace(checkpoint, params={key: checkpoint.params[key] for key in expected})
