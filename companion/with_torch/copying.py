"""Write a word or copy it: one distribution out of a vocabulary's and a source's.

    log_probs = copy_mixture(logits, gate, scores, source)
    loss = copy_cross_entropy(logits, gate, scores, source, targets)

`pointer` builds the model whose last layer this is.
"""

import torch
from torch import Tensor

from companion import _check, _check_layers
from companion.with_torch.softmax import log_softmax, softmax

__all__ = ["copy_cross_entropy", "copy_mixture"]


def copy_mixture(logits: Tensor, gate: Tensor, scores: Tensor, source: Tensor) -> Tensor:
    """One distribution over words from two: one that writes, one that points into the source.

        p(v) = σ(g) softmax(logits)_v + (1 - σ(g)) Σ_s [source_s = v] softmax(scores)_s

    logits (B, T, V)   gate g (B, T, 1)   scores (B, T, S), -inf where nothing is to be copied
    source (B, S), integer, 0 to V-1: the source's words
    Returns log_probs (B, T, V), in nats. A word that stands twice in the source gets both weights.

    Raises TypeError or ValueError naming the argument that does not fit.
    Source: See et al. 2017, eq. 9. Differs: the logarithm, and a source word has an id of its own
    in the vocabulary, so that no extended vocabulary is needed.
    """
    _check_mixture(logits, gate, scores, source)
    write = torch.sigmoid(gate)
    weights = (1 - write) * softmax(scores)
    place = source.long()[:, None].expand(weights.shape)
    mixed = (write * softmax(logits)).scatter_add(-1, place, weights)
    return mixed.clamp(min=torch.finfo(mixed.dtype).tiny).log()


def copy_cross_entropy(
    logits: Tensor,
    gate: Tensor,
    scores: Tensor,
    source: Tensor,
    targets: Tensor,
    *,
    ignore_index: int = -100,
) -> Tensor:
    """Surprise at the true words under `copy_mixture`, which is never laid out for all V words.

        loss = -1/N Σ_n ln p_n(y_n)

    logits, gate, scores, source as in `copy_mixture`
    targets (B, T), integer, 0 to V-1, or ignore_index, which counts neither in the sum nor in N
    Returns loss (), in nats per real word.

    Raises TypeError or ValueError naming the argument that does not fit, or if no word is real.
    Source: See et al. 2017, eqs. 6 and 9, without coverage; the mean is over the batch's words.
    """
    _check_mixture(logits, gate, scores, source)
    _check.shape("targets", targets, tuple(logits.shape[:2]), "(B, T)")
    real = targets != ignore_index
    if not real.any():
        raise ValueError(f"targets: expected a real word, got only ignore_index = {ignore_index}")
    wanted = torch.where(real, targets, 0).long()
    _check_layers.within(Tensor, "targets", wanted, logits.shape[-1], "V-1")
    written = log_softmax(logits).gather(-1, wanted[..., None])[..., 0]
    here = source[:, None, :] == wanted[..., None]
    # Finite, not -inf: where there is no place to copy from, the gradient of all -inf is NaN.
    nowhere = torch.finfo(logits.dtype).min / 4
    pointed = torch.logsumexp(
        log_softmax(scores).clamp(min=nowhere).masked_fill(~here, nowhere), -1
    )
    gate = gate[..., 0]
    sigmoid = torch.nn.functional.logsigmoid
    loss = torch.logaddexp(sigmoid(gate) + written, sigmoid(-gate) + pointed)
    return -(loss * real).sum() / real.sum()


def _check_mixture(logits: Tensor, gate: Tensor, scores: Tensor, source: Tensor) -> None:
    _check.floats(Tensor, logits=logits, gate=gate, scores=scores)
    _check_layers.axes("logits", logits, "B", "T", "V")
    _check_layers.within(Tensor, "source", source, logits.shape[-1], "V-1")
    _check_layers.axes("source", source, "B", "S")
    B, T = logits.shape[:2]
    _check.shape("gate", gate, (B, T, 1), "(B, T, 1)")
    _check.shape("scores", scores, (B, T, source.shape[1]), "(B, T, S)")
    _check.shape("source", source, (B, source.shape[1]), "(B, S)")
