"""Write on from a prompt, one token after another: the likeliest, or a drawn one.

    step    any function step(ids (B, T), cache) → logits (B, T, V), longer cache, that leaves its
            arguments as they were: `Decoder.step`, `Seq2Seq.step` or one of your own. Where the
            prompt's rows differ in length, it is called once with lengths=(B,) as well.
    cache   what the step has read before, whatever that is: `empty_cache(config, B)`,
            `seq2seq_start(source, ...)`

    ids, lengths, log_probs = greedy(model.step, empty_cache(config, B), prompt, max_new_tokens=20)

A row ends with `eos_id`; behind it comes `pad_id`. No row's result depends on the others. How long
a text the model can read is known to the model, which refuses the first token beyond.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from companion import _check, _check_decoding, _check_layers
from companion.with_numpy._types import Array
from companion.with_numpy.sampling import block_repeated_ngrams, sample_token
from companion.with_numpy.softmax import log_softmax

__all__ = ["greedy", "sample"]

Step: TypeAlias = Callable[..., tuple[Array, Any]]


def greedy(
    step: Step,
    cache: Any,
    ids: Array,
    *,
    max_new_tokens: int,
    lengths: Array | None = None,
    eos_id: int | None = None,
    pad_id: int = 0,
    no_repeat_ngram: int = 0,
) -> tuple[Array, Array, Array]:
    """Take the likeliest token at each step; of equals, that of the lowest id.

        y_t = argmax_v log p(v | prompt, y_1 … y_{t-1})

    step (ids, cache) → logits (B, T, V), cache: `model.step`, or one of your own
    cache that the step takes: `empty_cache(config, B)`, `seq2seq_start(source, ...)`
    ids (B, T), integer: the prompt, T ≥ 1
    max_new_tokens N ≥ 1   lengths (B,), 1 to T: real tokens of each row, at its left; None: all
    eos_id ends a row; None: nothing does   pad_id fills what is left
    no_repeat_ngram n of `block_repeated_ngrams`, prompt included; 0: off
    Returns ids (B, N), the new tokens; lengths (B,), how many of them are real, eos_id among them;
    log_probs (B,), the sum of their log-probabilities in nats, as the model gave them.

    Raises TypeError or ValueError naming the argument that does not fit, or if every token of a
    row is forbidden.
    """
    _check_decoding.prompt(np.ndarray, ids, lengths)
    _check.length(1, max_new_tokens=max_new_tokens)

    def choose(logits: Array, t: int) -> Array:
        return logits.argmax(axis=-1)

    text, starts = begin(ids, lengths, max_new_tokens, pad_id)
    return _write(step, cache, ids, text, starts, choose, eos_id, pad_id, no_repeat_ngram)


def sample(
    step: Step,
    cache: Any,
    ids: Array,
    uniform: Array,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    lengths: Array | None = None,
    eos_id: int | None = None,
    pad_id: int = 0,
    no_repeat_ngram: int = 0,
) -> tuple[Array, Array, Array]:
    """Draw each token from what the model finds likely.

        y_t ~ softmax(filtered logits / τ)

    uniform (B, N), floating, 0 ≤ u < 1, such as rng.random((B, N)): one draw for each token,
    so that the same draws give the same text, in either wing and in any batch
    temperature, top_k, top_p as in `sample_token`, after no_repeat_ngram; the others as in `greedy`
    Returns ids (B, N), lengths (B,) and log_probs (B,) as `greedy`; log_probs are the model's own,
    before temperature and filters.

    Raises TypeError or ValueError naming the argument that does not fit, or if every token of a
    row is forbidden.
    """
    _check_decoding.prompt(np.ndarray, ids, lengths)
    _check.floats(np.ndarray, uniform=uniform)
    N = max(1, *uniform.shape[1:2])
    _check_decoding.uniform(np.ndarray, uniform, (ids.shape[0], N), "(B, N), N ≥ 1")

    def choose(logits: Array, t: int) -> Array:
        return sample_token(
            logits, uniform[:, t], temperature=temperature, top_k=top_k, top_p=top_p
        )

    text, starts = begin(ids, lengths, N, pad_id)
    return _write(step, cache, ids, text, starts, choose, eos_id, pad_id, no_repeat_ngram)


def begin(ids: Array, lengths: Array | None, N: int, pad_id: int) -> tuple[Array, Array]:
    """Room for N tokens behind each row's prompt: text (B, T+N), and where they start (B,)."""
    _check.length(pad_id=pad_id)
    _check_decoding.holds(ids, "pad_id", pad_id)
    B, T = ids.shape
    starts = np.full(B, T, np.int64) if lengths is None else lengths.astype(np.int64)
    text = np.full((B, T + N), pad_id, ids.dtype)
    text[:, :T] = np.where(np.arange(T) < starts[:, None], ids, pad_id)
    return text, starts


def read(step: Step, cache: Any, ids: Array, lengths: Array | None = None) -> tuple[Array, Any]:
    """Let the model read ids (B, T); returns the logits (B, V) of what comes next, and the cache.

    lengths (B,), 1 to T; None: all T are real
    """
    ragged = lengths is not None and bool((lengths < ids.shape[1]).any())
    logits, cache = step(ids, cache, lengths=lengths) if ragged else step(ids, cache)
    _check_decoding.step_logits(np.ndarray, logits, ids)
    if lengths is None:
        return logits[:, -1], cache
    return logits[np.arange(len(ids)), lengths - 1], cache


def forbid(logits: Array, text: Array, lengths: Array, n: int) -> Array:
    """`block_repeated_ngrams`, or nothing if n is 0."""
    return block_repeated_ngrams(logits, text, lengths, n) if n else logits


def written(text: Array, starts: Array, N: int) -> Array:
    """The N tokens of text (..., T+N) from starts (...) on."""
    return np.take_along_axis(text, starts[..., None] + np.arange(N), axis=-1)


def _write(
    step: Step,
    cache: Any,
    ids: Array,
    text: Array,
    starts: Array,
    choose: Callable[[Array, int], Array],
    eos_id: int | None,
    pad_id: int,
    n: int,
) -> tuple[Array, Array, Array]:
    """Fill text, an array of our own, from `starts` on with what `choose(logits, t)` chooses."""
    _check.length(no_repeat_ngram=n)
    logits, cache = read(step, cache, ids, starts)
    _check_decoding.tokens(logits.shape[-1], ids, eos_id=eos_id, pad_id=pad_id)
    _check_layers.within(np.ndarray, "ids", text, logits.shape[-1], "V-1")
    N, rows = text.shape[1] - ids.shape[1], np.arange(len(ids))
    going, counts = np.ones(len(ids), bool), np.zeros(len(ids), np.int64)
    log_probs = np.zeros(len(ids), logits.dtype)
    for t in range(N):
        allowed = forbid(logits, text, starts + t, n)
        allowed = np.where(going[:, None], allowed, 0).astype(logits.dtype, copy=False)
        _check_decoding.some_token(allowed)
        token = np.where(going, choose(allowed, t), pad_id).astype(ids.dtype)
        text[rows, starts + t] = token
        log_probs = log_probs + np.where(going, log_softmax(logits)[rows, token], 0)
        counts += going
        going = going & (token != (-1 if eos_id is None else eos_id))
        if t + 1 == N or not going.any():
            break
        logits, cache = read(step, cache, token[:, None])
    return written(text, starts, N), counts, log_probs.astype(logits.dtype, copy=False)
