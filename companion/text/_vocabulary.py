"""Checks of what a byte-level vocabulary is made of."""

import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

from companion.text.byte_level import BYTE_LETTERS, check_text

_LETTERS = frozenset(BYTE_LETTERS)


def check_special(special_tokens: Sequence[str]) -> tuple[str, ...]:
    """The special tokens as a tuple, if each is a text of its own that no single byte spells."""
    if isinstance(special_tokens, str):
        raise TypeError("special_tokens: expected several tokens, got one str; write [token]")
    for token in special_tokens:
        check_text("special_tokens", token)
        if not token:
            raise ValueError("special_tokens: expected at least one character each, got ''")
        if token in _LETTERS:
            raise ValueError(
                f"special_tokens: expected none of the 256 byte letters, got {token!r}; "
                "plain text would produce its id"
            )
    _each_once("special_tokens", special_tokens)
    return tuple(special_tokens)


def check_vocabulary(
    tokens: Sequence[str], merges: Sequence[tuple[str, str]], special_tokens: Sequence[str]
) -> None:
    """ValueError unless the three fit together; see `BPE`."""
    _each_once("tokens", tokens)
    known, special = set(tokens), set(check_special(special_tokens))
    if unknown := special - known:
        raise ValueError(f"special_tokens: expected to be among the tokens, got {min(unknown)!r}")
    if missing := _LETTERS - known:
        raise ValueError(
            f"tokens: expected the letters of all 256 bytes, {len(missing)} are missing, "
            f"such as {min(missing)!r}"
        )
    for token in tokens:
        if token not in special and not (token and _LETTERS.issuperset(token)):
            raise ValueError(f"tokens: expected byte letters or a special token, got {token!r}")
    for left, right in merges:
        if not {left, right, left + right} <= known:
            raise ValueError(f"merges: expected parts and sum among the tokens, got {left, right}")
        if special & {left, right, left + right}:
            raise ValueError(f"merges: expected to build no special token, got {left, right}")


def check_id(token: Any, size: int) -> int:
    """The id as an int, if it is an integer of any kind (not a bool) in 0 .. size - 1."""
    try:
        number = operator.index(token)
    except TypeError:
        number = None
    if number is None or isinstance(token, bool):
        raise TypeError(f"ids: expected integers, got {type(token).__name__}")
    if not 0 <= number < size:
        raise ValueError(f"ids: expected 0 to V - 1 = {size - 1}, got {number}")
    return number


def _each_once(name: str, tokens: Sequence[str]) -> None:
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        raise ValueError(f"{name}: expected each once, got {twice[0]!r} twice")
