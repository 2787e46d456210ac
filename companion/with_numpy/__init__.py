"""The wing to read: arrays in, arrays out, every gradient written out. Needs NumPy only."""

from companion.with_numpy.attention import attention, attention_backward
from companion.with_numpy.masks import causal_mask, padding_mask
from companion.with_numpy.scores import (
    additive_score,
    additive_score_backward,
    cosine_score,
    cosine_score_backward,
    dot_score,
    dot_score_backward,
    general_score,
    general_score_backward,
    scaled_dot_score,
    scaled_dot_score_backward,
)
from companion.with_numpy.softmax import online_softmax, softmax, softmax_backward

__all__ = [
    "additive_score",
    "additive_score_backward",
    "attention",
    "attention_backward",
    "causal_mask",
    "cosine_score",
    "cosine_score_backward",
    "dot_score",
    "dot_score_backward",
    "general_score",
    "general_score_backward",
    "online_softmax",
    "padding_mask",
    "scaled_dot_score",
    "scaled_dot_score_backward",
    "softmax",
    "softmax_backward",
]
