"""The wing to train: the same names, arguments and weights as the NumPy wing, on torch tensors.

Gradients come from autograd, so the `*_backward` functions of the NumPy wing have no twin here.
"""

from companion.with_torch.attention import attention
from companion.with_torch.masks import causal_mask, padding_mask
from companion.with_torch.scores import (
    additive_score,
    cosine_score,
    dot_score,
    general_score,
    scaled_dot_score,
)
from companion.with_torch.softmax import online_softmax, softmax

__all__ = [
    "additive_score",
    "attention",
    "causal_mask",
    "cosine_score",
    "dot_score",
    "general_score",
    "online_softmax",
    "padding_mask",
    "scaled_dot_score",
    "softmax",
]
