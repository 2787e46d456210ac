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

import torch
from torch import Tensor

from companion import _check, _check_decoding, _check_layers
from companion.with_torch.sampling import block_repeated_ngrams, sample_token
from companion.with_torch.softmax import log_softmax

__all__ = ["greedy", "sample"]

Step: TypeAlias = Callable[..., tuple[Tensor, Any]]


@torch.no_grad()
def greedy(
    step: Step,
    cache: Any,
    ids: Tensor,
    *,
    max_new_tokens: int,
    lengths: Tensor | None = None,
    eos_id: int | None = None,
    pad_id: int = 0,
    no_repeat_ngram: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
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
    _check_decoding.prompt(torch.Tensor, ids, lengths)
    _check.length(1, max_new_tokens=max_new_tokens)

    def choose(logits: Tensor, t: int) -> Tensor:
        return logits.argmax(dim=-1)

    text, starts = begin(ids, lengths, max_new_tokens, pad_id)
    return _write(step, cache, ids, text, starts, choose, eos_id, pad_id, no_repeat_ngram)


@torch.no_grad()
def sample(
    step: Step,
    cache: Any,
    ids: Tensor,
    uniform: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    lengths: Tensor | None = None,
    eos_id: int | None = None,
    pad_id: int = 0,
    no_repeat_ngram: int = 0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw each token from what the model finds likely.

        y_t ~ softmax(filtered logits / τ)

    uniform (B, N), floating, 0 ≤ u < 1, such as torch.rand(B, N, generator=g): one draw for each
    token, so that the same draws give the same text, in either wing and in any batch
    temperature, top_k, top_p as in `sample_token`, after no_repeat_ngram; the others as in `greedy`
    Returns ids (B, N), lengths (B,) and log_probs (B,) as `greedy`; log_probs are the model's own,
    before temperature and filters.

    Raises TypeError or ValueError naming the argument that does not fit, or if every token of a
    row is forbidden.
    """
    _check_decoding.prompt(torch.Tensor, ids, lengths)
    _check.floats(torch.Tensor, uniform=uniform)
    N = max(1, *uniform.shape[1:2])
    _check_decoding.uniform(torch.Tensor, uniform, (ids.shape[0], N), "(B, N), N ≥ 1")

    def choose(logits: Tensor, t: int) -> Tensor:
        return sample_token(
            logits, uniform[:, t], temperature=temperature, top_k=top_k, top_p=top_p
        )

    text, starts = begin(ids, lengths, N, pad_id)
    return _write(step, cache, ids, text, starts, choose, eos_id, pad_id, no_repeat_ngram)


def begin(ids: Tensor, lengths: Tensor | None, N: int, pad_id: int) -> tuple[Tensor, Tensor]:
    """Room for N tokens behind each row's prompt: text (B, T+N), and where they start (B,)."""
    _check.length(pad_id=pad_id)
    _check_decoding.holds(ids, "pad_id", pad_id)
    B, T = ids.shape
    count = torch.arange(T, device=ids.device)
    starts = count.new_full((B,), T) if lengths is None else lengths.long()
    text = ids.new_full((B, T + N), pad_id)
    text[:, :T] = torch.where(count < starts[:, None], ids, pad_id)
    return text, starts


def read(step: Step, cache: Any, ids: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
    """Let the model read ids (B, T); returns the logits (B, V) of what comes next, and the cache.

    lengths (B,), 1 to T; None: all T are real
    """
    ragged = lengths is not None and bool((lengths < ids.shape[1]).any())
    logits, cache = step(ids, cache, lengths=lengths) if ragged else step(ids, cache)
    _check_decoding.step_logits(torch.Tensor, logits, ids)
    if lengths is None:
        return logits[:, -1], cache
    return logits[torch.arange(len(ids), device=ids.device), lengths - 1], cache


def forbid(logits: Tensor, text: Tensor, lengths: Tensor, n: int) -> Tensor:
    """`block_repeated_ngrams`, or nothing if n is 0."""
    return block_repeated_ngrams(logits, text, lengths, n) if n else logits


def written(text: Tensor, starts: Tensor, N: int) -> Tensor:
    """The N tokens of text (..., T+N) from starts (...) on."""
    return text.gather(-1, starts[..., None] + torch.arange(N, device=text.device))


def _write(
    step: Step,
    cache: Any,
    ids: Tensor,
    text: Tensor,
    starts: Tensor,
    choose: Callable[[Tensor, int], Tensor],
    eos_id: int | None,
    pad_id: int,
    n: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Fill text, an array of our own, from `starts` on with what `choose(logits, t)` chooses."""
    _check.length(no_repeat_ngram=n)
    logits, cache = read(step, cache, ids, starts)
    _check_decoding.tokens(logits.shape[-1], ids, eos_id=eos_id, pad_id=pad_id)
    _check_layers.within(torch.Tensor, "ids", text, logits.shape[-1], "V-1")
    N, rows = text.shape[1] - ids.shape[1], torch.arange(len(ids), device=ids.device)
    going, counts = torch.ones_like(rows, dtype=torch.bool), torch.zeros_like(rows)
    log_probs = logits.new_zeros(len(ids))
    for t in range(N):
        allowed = forbid(logits, text, starts + t, n)
        allowed = torch.where(going[:, None], allowed, 0)
        _check_decoding.some_token(allowed)
        token = torch.where(going, choose(allowed, t), pad_id)
        text[rows, starts + t] = token.to(text.dtype)
        log_probs = log_probs + torch.where(going, log_softmax(logits)[rows, token], 0)
        counts = counts + going
        going = going & (token != (-1 if eos_id is None else eos_id))
        if t + 1 == N or not going.any():
            break
        logits, cache = read(step, cache, token[:, None].to(ids.dtype))
    return written(text, starts, N), counts, log_probs
