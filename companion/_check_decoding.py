"""Argument checks of decoding, for both wings; see `_check` for how they speak."""

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from companion import _check, _check_layers


def logits(kind: type, logits: Any) -> None:
    """Refuse logits (..., V) that are not floating, or hold NaN or +inf; -inf means "never"."""
    _check.floats(kind, logits=logits)
    _check.rank(1, logits=logits)
    _check.length(1, V=logits.shape[-1])
    if bool((logits != logits).any()) or bool((logits == math.inf).any()):
        raise ValueError("logits: expected finite numbers or -inf, got NaN or +inf")


def some_token(logits: Any) -> None:
    """ValueError if a row of logits (..., V) allows no token at all."""
    if bool((logits == -math.inf).all(-1).any()):
        raise ValueError("logits: expected a token above -inf in each row, got a row of -inf")


def step_logits(kind: type, logits_: Any, ids: Any) -> None:
    """Refuse what a step returned for ids (B, T) unless it is logits (B, T, V)."""
    logits(kind, logits_)
    V = logits_.shape[-1]
    _check.shape("logits", logits_, (*ids.shape, V), "(B, T, V), as a step returns them")


def prompt(kind: type, ids: Any, lengths: Any | None) -> None:
    """Refuse a prompt ids (B, T) that is not integer, or lengths (B,) that are not 1 to T."""
    _check_layers.integers(kind, ids=ids)
    if len(ids.shape) != 2:
        raise ValueError(f"ids: expected (B, T), got shape {tuple(ids.shape)}")
    if ids.shape[1] == 0:
        raise ValueError(f"ids: expected a prompt of at least 1 token, got {tuple(ids.shape)}")
    if lengths is not None:
        history_lengths(kind, lengths, ids, least=1)


def history_lengths(kind: type, lengths: Any, ids: Any, *, least: int = 0) -> None:
    """Refuse lengths (B,) that do not count tokens of ids (B, T), `least` to T."""
    _check_layers.integers(kind, lengths=lengths)
    B, T = ids.shape
    _check.shape("lengths", lengths, (B,), "(B,)")
    if B and (int(lengths.min()) < least or int(lengths.max()) > T):
        low, high = int(lengths.min()), int(lengths.max())
        raise ValueError(f"lengths: expected {least} to T = {T}, got {low} to {high}")


def history(kind: type, logits_: Any, ids: Any, lengths: Any | None, n: int) -> None:
    """Refuse arguments of `block_repeated_ngrams` that do not fit together."""
    logits(kind, logits_)
    _check_layers.within(kind, "ids", ids, logits_.shape[-1], "V-1")
    _check.rank(2, logits=logits_)
    _check.shape("logits", logits_, logits_.shape[-2:], "(B, V)")
    if len(ids.shape) != 2 or ids.shape[0] != logits_.shape[0]:
        raise ValueError(
            f"ids: expected (B, T) with B = {logits_.shape[0]} like logits, got {tuple(ids.shape)}"
        )
    if lengths is not None:
        history_lengths(kind, lengths, ids)
    _check.length(1, n=n)


def holds(ids: Any, name: str, token: int) -> None:
    """TypeError if the integer dtype of ids is too narrow for a token: it would wrap around."""
    kind, bits = _check.dtype_name(ids).split("int")
    if token >= 2 ** (int(bits) - (kind != "u")):
        raise TypeError(
            f"ids: expected a dtype that can hold {name} = {token}, such as int64, "
            f"got {_check.dtype_name(ids)}"
        )


def tokens(V: int, ids: Any, *, eos_id: int | None, pad_id: int) -> None:
    """TypeError/ValueError unless the two are of the vocabulary; eos_id may be None.

    TypeError as well if ids, whose dtype the new tokens will have, cannot hold all of it.
    """
    holds(ids, "V-1", V - 1)
    for name, token in (("eos_id", eos_id), ("pad_id", pad_id)):
        if token is None:
            continue
        _check.length(**{name: token})
        if token >= V:
            raise ValueError(f"{name}: expected 0 to V-1 = {V - 1}, got {token}")


def top_k(top_k: int, V: int) -> None:
    """TypeError/ValueError unless 1 ≤ top_k ≤ V."""
    _check.length(1, top_k=top_k)
    if top_k > V:
        raise ValueError(f"top_k: expected at most V = {V}, got {top_k}")


def top_p(top_p: float) -> None:
    """TypeError/ValueError unless 0 < top_p ≤ 1."""
    _check.positive(top_p=top_p)
    if top_p > 1:
        raise ValueError(f"top_p: expected 0 < top_p ≤ 1, got {top_p}")


def uniform(kind: type, uniform: Any, shape: Sequence[int], axes: str) -> None:
    """Refuse draws that are not floating, not of this shape, or not in 0 ≤ u < 1."""
    _check.floats(kind, uniform=uniform)
    _check.shape("uniform", uniform, shape, axes)
    if not bool(((uniform >= 0) & (uniform < 1)).all()):
        raise ValueError("uniform: expected draws with 0 ≤ u < 1, got others")


def divisors(length_penalty: Callable[[int, float], float], alpha: float, N: int) -> list[float]:
    """The penalties of the lengths 1 to N, refused unless each is a finite number above 0."""
    if isinstance(alpha, bool) or not isinstance(alpha, Real):
        raise TypeError(f"alpha: expected a number, got {type(alpha).__name__}")
    if not math.isfinite(alpha):
        raise ValueError(f"alpha: expected a finite number, got {alpha}")
    found = [float(length_penalty(length, alpha)) for length in range(1, N + 1)]
    for length, divisor in enumerate(found, start=1):
        if not 0 < divisor < math.inf:
            raise ValueError(
                f"length_penalty: expected finite numbers > 0, got {divisor} at length {length}"
            )
    return found
