"""The checkpoint file, for both wings: safetensors, sealed with a digest, written atomically.

    parameters    under their own names, so that any reader of safetensors finds them
    state         below "state/"
    metadata      JSON in the header, with the SHA-256 of everything else

safetensors holds numbers and names only: unlike a pickle, opening one runs no code. The digest
finds damage and careless edits; it does not stop a forger, who can compute it as well.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from companion import _check
from companion._check_params import arrays, finite

A = TypeVar("A")
STATE = "state/"
ENTRY = "companion"  # our one key among the header's metadata
HEADER = "__metadata__"  # safetensors' own key in its header
FLOATS = ("float16", "bfloat16", "float32", "float64")
COUNTS = ("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))


@dataclass(frozen=True)
class Checkpoint(Generic[A]):
    """What `load_checkpoint` found: params and state, name → array (...), and the metadata."""

    params: dict[str, A]
    state: dict[str, A]
    metadata: dict[str, Any]


def join(kind: type, params: Mapping[str, A], state: Mapping[str, A]) -> dict[str, A]:
    """Parameters and state under the names of the file, once they are fit to be kept."""
    arrays(kind, "params", params)
    _check.is_array(kind, **{f"state[{key!r}]": array for key, array in state.items()})
    for key in params:
        if key.startswith(STATE) or key == HEADER:
            raise ValueError(
                f"params[{key!r}]: expected a name that is not {HEADER!r} and does not begin with "
                f"{STATE!r}: the file needs both"
            )
    for name, group, known in (("params", params, FLOATS), ("state", state, FLOATS + COUNTS)):
        for key, array in group.items():
            if (dtype := _check.dtype_name(array)) not in known:
                raise TypeError(f"{name}[{key!r}]: expected one of {', '.join(known)}, got {dtype}")
        finite(name, group)
    return {**params, **{STATE + key: array for key, array in state.items()}}


def part(tensors: Mapping[str, A], metadata: dict[str, Any]) -> Checkpoint[A]:
    """The other way: what lies below "state/" is state. NaN and inf are refused by name."""
    params = {k: array for k, array in tensors.items() if not k.startswith(STATE)}
    state = {k[len(STATE) :]: array for k, array in tensors.items() if k.startswith(STATE)}
    finite("params", params)
    finite("state", state)
    return Checkpoint(params, state, metadata)


def seal(save: Callable[[dict[str, str]], bytes], metadata: Mapping[str, Any] | None) -> bytes:
    """The file's bytes: `save` writes the tensors with this header, first without the digest."""
    try:
        contents = {"metadata": json.loads(json.dumps(dict(metadata or {}), allow_nan=False))}
    except (TypeError, ValueError) as error:
        raise TypeError(f"metadata: expected what JSON can hold, got {error}") from error
    if contents["metadata"] != dict(metadata or {}):
        raise TypeError(
            "metadata: expected text as keys and lists for tuples, as JSON returns them"
        )
    bare = save({ENTRY: json.dumps(contents, sort_keys=True)})
    contents["sha256"] = _digest(*_split(bare))
    return save({ENTRY: json.dumps(contents, sort_keys=True)})


def unseal(path: str | os.PathLike[str]) -> tuple[bytes, dict[str, Any]]:
    """The file's bytes and metadata, once the bytes are known to be those that were written."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"path: expected a file, got the folder {path}")
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"path: expected a checkpoint, got no file at {path}") from error
    try:
        header, data = _split(raw)
        contents = _contents(header)
        digest = _digest(header, data)
    except ValueError as error:
        raise ValueError(f"path: expected {error} in {path}") from error
    if contents.get("sha256") != digest:
        raise ValueError(
            f"path: expected the contents that were saved, got others in {path}: their SHA-256 is "
            f"{digest[:12]}…, the recorded one {str(contents.get('sha256'))[:12]}…"
        )
    return raw, contents["metadata"]


def _split(raw: bytes) -> tuple[dict[str, Any], memoryview]:
    """Header and data. Layout: 8 bytes header length, little-endian; header in JSON; data."""
    length = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or raw[8:9] not in (b"{", b""):
        raise ValueError(f"the safetensors format, got {len(raw)} bytes that begin {raw[:16]!r}")
    if 8 + length > len(raw):
        raise ValueError(f"{8 + length} bytes or more, got {len(raw)}: the file is cut off")
    try:
        header = json.loads(raw[8 : 8 + length])
        ends = [tensor["data_offsets"][1] for k, tensor in header.items() if k != HEADER]
        size = 8 + length + max(ends, default=0)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"the header of a safetensors file, got other bytes ({error})") from error
    if size != len(raw):
        cut = ": the file is cut off" if len(raw) < size else ""
        raise ValueError(f"{size} bytes, got {len(raw)}{cut}")
    return header, memoryview(raw)[8 + length :]


def _contents(header: dict[str, Any]) -> dict[str, Any]:
    try:
        contents = json.loads(header[HEADER][ENTRY])
        if isinstance(contents, dict) and isinstance(contents["metadata"], dict):
            return contents
    except (ValueError, LookupError, TypeError):
        pass
    raise ValueError("the record that save_checkpoint makes, got none")


def _digest(header: dict[str, Any], data: memoryview) -> str:
    """SHA-256 of names, dtypes, shapes, places, metadata and data: of all but the digest."""
    contents = {k: v for k, v in _contents(header).items() if k != "sha256"}
    tensors = {k: v for k, v in header.items() if k != HEADER}
    text = json.dumps([tensors, contents], sort_keys=True)
    digest = hashlib.sha256(text.encode())
    digest.update(data)
    return digest.hexdigest()
