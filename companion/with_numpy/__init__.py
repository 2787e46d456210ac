"""The wing to read: arrays in, arrays out, every gradient written out. Needs NumPy only."""

from companion.with_numpy.attention import attention, attention_backward
from companion.with_numpy.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from companion.with_numpy.clipping import clip_by_global_norm, global_norm
from companion.with_numpy.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    mean_squared_error,
    mean_squared_error_backward,
)
from companion.with_numpy.masks import causal_mask, padding_mask
from companion.with_numpy.optimizers import adam, adamw, sgd
from companion.with_numpy.schedules import cosine_schedule, inverse_sqrt_warmup
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
from companion.with_numpy.training import Record, train, validation_loss

__all__ = [
    "Checkpoint",
    "Record",
    "adam",
    "adamw",
    "additive_score",
    "additive_score_backward",
    "attention",
    "attention_backward",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "causal_mask",
    "clip_by_global_norm",
    "cosine_schedule",
    "cosine_score",
    "cosine_score_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "dot_score",
    "dot_score_backward",
    "general_score",
    "general_score_backward",
    "global_norm",
    "inverse_sqrt_warmup",
    "load_checkpoint",
    "mean_squared_error",
    "mean_squared_error_backward",
    "online_softmax",
    "padding_mask",
    "save_checkpoint",
    "scaled_dot_score",
    "scaled_dot_score_backward",
    "sgd",
    "softmax",
    "softmax_backward",
    "train",
    "validation_loss",
]
