"""Write a word or copy it: one distribution out of a vocabulary's and a source's.

    log_probs = copy_mixture(logits, gate, scores, source)
    grad_logits, grad_gate, grad_scores = copy_mixture_backward(grad_log_probs, logits, ...)
    loss = copy_cross_entropy(logits, gate, scores, source, targets)

`pointer` builds the model whose last layer this is.
"""

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy._types import Array
from companion.with_numpy.softmax import softmax

__all__ = ["copy_cross_entropy", "copy_mixture", "copy_mixture_backward"]


def copy_mixture(logits: Array, gate: Array, scores: Array, source: Array) -> Array:
    """One distribution over words from two: one that writes, one that points into the source.

        p(v) = σ(g) softmax(logits)_v + (1 - σ(g)) Σ_s [source_s = v] softmax(scores)_s

    logits (B, T, V)   gate g (B, T, 1)   scores (B, T, S), -inf where nothing is to be copied
    source (B, S), integer, 0 to V-1: the source's words
    Returns log_probs (B, T, V), in nats. A word that stands twice in the source gets both weights.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: See et al. 2017, eq. 9. Differs: the logarithm, and a source word has an id of its own
    in the vocabulary, so that no extended vocabulary is needed.
    """
    mixed, *_ = _mix(logits, gate, scores, source)
    return np.log(mixed)


def copy_mixture_backward(
    grad_log_probs: Array, logits: Array, gate: Array, scores: Array, source: Array
) -> tuple[Array, Array, Array]:
    """Gradients of `copy_mixture`, with respect to logits, gate and scores.

        w = σ(g),   a = softmax(logits),   b = softmax(scores),   u = ∂L/∂p = grad_log_probs / p
        ∂L/∂logits = w a (u - Σ_v a u),         ∂L/∂scores = (1 - w) b (u_s - Σ_s b u_s),
        ∂L/∂g = w (1 - w) (Σ_v a u - Σ_s b u_s)                            u_s = u[source_s]

    grad_log_probs (B, T, V), the others as in `copy_mixture`
    Returns grad_logits (B, T, V), grad_gate (B, T, 1) and grad_scores (B, T, S).

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    mixed, write, words, places = _mix(logits, gate, scores, source)
    grad = grad_log_probs / mixed
    grad_there = np.take_along_axis(grad, _places(source, scores.shape), axis=-1)
    through_words = (words * grad).sum(axis=-1, keepdims=True)
    through_places = (places * grad_there).sum(axis=-1, keepdims=True)
    grad_logits = write * words * (grad - through_words)
    grad_scores = (1 - write) * places * (grad_there - through_places)
    return grad_logits, write * (1 - write) * (through_words - through_places), grad_scores


def copy_cross_entropy(
    logits: Array,
    gate: Array,
    scores: Array,
    source: Array,
    targets: Array,
    *,
    ignore_index: int = -100,
) -> Array:
    """Surprise at the true words under `copy_mixture`.

        loss = -1/N Σ_n ln p_n(y_n)

    logits, gate, scores, source as in `copy_mixture`
    targets (B, T), integer, 0 to V-1, or ignore_index, which counts neither in the sum nor in N
    Returns loss (), in nats per real word.

    Raises TypeError or ValueError naming the argument that does not fit, or if no word is real.
    Source: See et al. 2017, eqs. 6 and 9, without coverage; the mean is over the batch's words.
    """
    log_probs = copy_mixture(logits, gate, scores, source)
    _check.shape("targets", targets, logits.shape[:2], "(B, T)")
    real = targets != ignore_index
    if not real.any():
        raise ValueError(f"targets: expected a real word, got only ignore_index = {ignore_index}")
    wanted = np.where(real, targets, 0)
    _check_layers.within(np.ndarray, "targets", wanted, logits.shape[-1], "V-1")
    chosen = np.take_along_axis(log_probs, wanted[..., None], axis=-1)[..., 0]
    return -chosen[real].mean()


def _mix(
    logits: Array, gate: Array, scores: Array, source: Array
) -> tuple[Array, Array, Array, Array]:
    """p (B, T, V), and what it is made of: σ(g), softmax(logits), softmax(scores)."""
    _check.floats(np.ndarray, logits=logits, gate=gate, scores=scores)
    _check_layers.axes("logits", logits, "B", "T", "V")
    _check_layers.within(np.ndarray, "source", source, logits.shape[-1], "V-1")
    _check_layers.axes("source", source, "B", "S")
    B, T, _ = logits.shape
    _check.shape("gate", gate, (B, T, 1), "(B, T, 1)")
    _check.shape("scores", scores, (B, T, source.shape[1]), "(B, T, S)")
    _check.shape("source", source, (B, source.shape[1]), "(B, S)")
    with np.errstate(over="ignore"):
        write = 1 / (1 + np.exp(-gate))
    words, places = softmax(logits), softmax(scores)
    mixed = write * words
    rows = np.arange(B)[:, None, None], np.arange(T)[:, None], _places(source, scores.shape)
    np.add.at(mixed, rows, (1 - write) * places)
    return np.maximum(mixed, np.finfo(mixed.dtype).tiny), write, words, places


def _places(source: Array, shape: tuple[int, ...]) -> Array:
    """source (B, S) for each target word: (B, T, S)."""
    return np.broadcast_to(source[:, None], shape)
