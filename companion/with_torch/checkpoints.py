"""Checkpoints: keep parameters, optimiser state and where training was, safe against a crash.

Both wings write and read the same file; its layout is told in `companion._checkpoint`. Needs the
extra `train` (safetensors).
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from companion import _atomic, _checkpoint
from companion._check_params import alike
from companion._checkpoint import Checkpoint
from companion._optional import optional

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]


@torch.no_grad()
def save_checkpoint(
    path: str | os.PathLike[str],
    params: Mapping[str, Tensor],
    *,
    state: Mapping[str, Tensor] | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint; whoever reads `path`, at any time, finds the old one or this one whole.

    path of the file, by custom *.safetensors; an older one there is replaced
    params name → tensor, floating, any shapes   state name → tensor, also integer or bool, or None
    metadata what JSON can hold: text, numbers, None, lists, dicts with text as keys
    Returns nothing. Up to three times the size of the tensors is held in memory while it runs.

    Raises TypeError or ValueError naming the key that cannot be kept, NaN and inf among them: the
    last good checkpoint stays. ModuleNotFoundError without safetensors, OSError from the disk.
    """
    tensors = _checkpoint.join(torch.Tensor, params, state or {})
    rows = {  # copies, for safetensors refuses tensors that share memory
        key: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, tensor in tensors.items()
    }
    save = optional("safetensors.torch", "train").save
    _atomic.write(path, _checkpoint.seal(lambda header: save(rows, metadata=header), metadata))


def load_checkpoint(
    path: str | os.PathLike[str],
    expected: Mapping[str, Tensor] | None = None,
    *,
    device: torch.device | str | None = None,
) -> Checkpoint[Tensor]:
    """Read a checkpoint of either wing, and nothing that is not exactly what was saved.

    path of the file   expected name → tensor (...), whose names, shapes and dtypes the parameters
      must have, or None
    device where the tensors go, the CPU if not given
    Returns a Checkpoint with params, state and metadata; the tensors need no gradient.

    Raises FileNotFoundError; ValueError if the file is no checkpoint, is cut off, was changed after
    it was saved, or holds NaN or inf; ValueError or TypeError naming the key that is missing,
    unexpected, or of another shape or dtype than expected.
    """
    raw, metadata = _checkpoint.unseal(path)
    try:
        rows = optional("safetensors.torch", "train").load(raw)
    except optional("safetensors", "train").SafetensorError as error:
        raise ValueError(f"path: expected the safetensors format, got {path}: {error}") from error
    moved = {key: tensor.to(device or "cpu") for key, tensor in rows.items()}
    checkpoint = _checkpoint.part(moved, metadata)
    if expected is None:
        return checkpoint
    alike("params", checkpoint.params, expected, "expected")
    return replace(checkpoint, params={key: checkpoint.params[key] for key in expected})
