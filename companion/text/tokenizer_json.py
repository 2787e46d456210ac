"""The file `tokenizer.json` of Hugging Face tokenizers, as far as byte-level BPE goes."""

import json
import os
import uuid
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

Parts: TypeAlias = tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[str, ...]]

_BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}
_MODEL = {
    "type": "BPE",
    "dropout": None,
    "continuing_subword_prefix": None,
    "end_of_word_suffix": None,
    "byte_fallback": False,
    "ignore_merges": False,
}
_NEVER_UNKNOWN = {"unk_token": None, "fuse_unk": False}  # every byte is known: of no effect
_ADDED = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def write(
    path: str | PathLike[str],
    tokens: Sequence[str],
    merges: Sequence[tuple[str, str]],
    special_tokens: Sequence[str],
) -> None:
    """Write the file whole or not at all: into a neighbour first, which then takes its name.

    path  a file in an existing folder; what stood there is replaced, even if the machine stops
    midway it is either the old or the new file. Raises OSError where the folder cannot be written.
    """
    ids = {token: i for i, token in enumerate(tokens)}
    added = [{"id": ids[t], "content": t, **_ADDED, "special": True} for t in special_tokens]
    text = json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": sorted(added, key=lambda token: token["id"]),
            "normalizer": None,
            "pre_tokenizer": _BYTE_LEVEL,
            "post_processor": None,
            "decoder": _BYTE_LEVEL,
            "model": {
                **_MODEL,
                **_NEVER_UNKNOWN,
                "vocab": ids,
                "merges": [list(pair) for pair in merges],
            },
        },
        ensure_ascii=False,
        indent=1,
    )
    target = Path(path).resolve()
    neighbour = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with open(neighbour, "x", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(neighbour, target)
    except BaseException:
        neighbour.unlink(missing_ok=True)
        raise


def read(path: str | PathLike[str]) -> Parts:
    """Tokens by id, merges and special tokens of a file, if they mean here what they mean there.

    Read are files of byte-level BPE with GPT-2's pattern, whoever wrote them. Refused is all that
    would give other ids: another model, normalisation, truncation, tokens added around a text.

    Raises OSError if there is no such file, ValueError `path: part: expected ..., got ...` else.
    """
    try:
        data = json.loads(Path(path).read_bytes().decode("utf-8"))
        return _parts(data)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}: expected JSON, got {error.msg} at line {error.lineno} column {error.colno}"
        ) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, got another byte at {error.start}") from None
    except RecursionError:
        raise ValueError(f"{path}: expected tokenizer.json, got JSON nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _parts(data: Any) -> Parts:
    _of_type("file", data, dict)
    model = _of_type("model", data.get("model"), dict)
    for name, wanted in _MODEL.items():
        came = model.get(name, wanted)  # early files leave the newer options out, and the type
        if (came or None) != (wanted or None):  # "" and null, false and null mean the same
            raise ValueError(f"model.{name}: expected {wanted!r}, got {came!r}")
    for name in ("normalizer", "truncation", "padding"):
        if data.get(name) is not None:
            raise ValueError(f"{name}: expected null, got {_named(data[name])}")
    _byte_level(data)
    special, ids = _added(data.get("added_tokens"))
    ids = _joined(_of_type("model.vocab", model.get("vocab"), dict), ids)
    merges = _of_type("model.merges", model.get("merges"), list)
    return _in_order(ids), tuple(map(_merge, merges)), special


def _byte_level(data: dict[str, Any]) -> None:
    for name in ("pre_tokenizer", "decoder"):
        if _named(data.get(name)) != "ByteLevel":
            raise ValueError(f"{name}: expected ByteLevel, got {_named(data.get(name))}")
    for option, wanted in (("add_prefix_space", False), ("use_regex", True)):
        came = data["pre_tokenizer"].get(option, True)
        if came is not wanted:
            raise ValueError(f"pre_tokenizer.{option}: expected {wanted}, got {came!r}")
    if (name := _named(data.get("post_processor"))) not in ("null", "ByteLevel"):
        raise ValueError(f"post_processor: expected null or ByteLevel, got {name}")


def _added(tokens: Any) -> tuple[tuple[str, ...], dict[str, int]]:
    ids: dict[str, int] = {}
    for token in _of_type("added_tokens", [] if tokens is None else tokens, list):
        _of_type("added_tokens", token, dict)
        content = _of_type("added_tokens.content", token.get("content"), str)
        for name in ("single_word", "lstrip", "rstrip"):
            if token.get(name):
                raise ValueError(f"added_tokens.{name}: expected false, got true at {content!r}")
        if token.get("special") is not True:
            raise ValueError(f"added_tokens.special: expected true, got false at {content!r}")
        ids[content] = _of_type("added_tokens.id", token.get("id"), int)
    return tuple(sorted(ids, key=ids.__getitem__)), ids


def _joined(vocab: dict[str, Any], added: dict[str, int]) -> dict[str, int]:
    for token, i in vocab.items():
        if added.get(token, i) != _of_type("model.vocab", i, int):
            raise ValueError(f"added_tokens.id: expected {i} for {token!r}, got {added[token]}")
    return vocab | added


def _in_order(ids: dict[str, int]) -> tuple[str, ...]:
    tokens = sorted(ids, key=ids.__getitem__)
    for place, token in enumerate(tokens):
        if ids[token] != place:
            raise ValueError(f"model.vocab: expected ids 0, 1, 2, ..., got {ids[token]} at {place}")
    return tuple(tokens)


def _merge(merge: Any) -> tuple[str, str]:
    parts = merge.split(" ") if isinstance(merge, str) else merge  # "a b" before version 0.20
    if not isinstance(parts, list) or [type(part) for part in parts] != [str, str]:
        raise ValueError(f"model.merges: expected two tokens, got {merge!r}")
    return parts[0], parts[1]


def _of_type(name: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{name}: expected {kind.__name__}, got {_named(value)}")
    return value


def _named(value: Any) -> str:
    """What a part of the file calls itself, or what JSON calls it."""
    if isinstance(value, dict):
        return str(value.get("type", "an object"))
    return "null" if value is None else type(value).__name__
