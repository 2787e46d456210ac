"""The wing to train: the same names, arguments and weights as the NumPy wing, on torch tensors.

Gradients come from autograd, so the `*_backward` functions of the NumPy wing have no twin here.
"""

from companion.with_torch._adapter import module_loss_and_grad, module_params
from companion.with_torch.attention import attention
from companion.with_torch.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from companion.with_torch.clipping import clip_by_global_norm, global_norm
from companion.with_torch.losses import binary_cross_entropy, cross_entropy, mean_squared_error
from companion.with_torch.masks import causal_mask, padding_mask
from companion.with_torch.optimizers import adam, adamw, sgd
from companion.with_torch.schedules import cosine_schedule, inverse_sqrt_warmup
from companion.with_torch.scores import (
    additive_score,
    cosine_score,
    dot_score,
    general_score,
    scaled_dot_score,
)
from companion.with_torch.softmax import online_softmax, softmax
from companion.with_torch.training import Record, train, validation_loss

__all__ = [
    "Checkpoint",
    "Record",
    "adam",
    "adamw",
    "additive_score",
    "attention",
    "binary_cross_entropy",
    "causal_mask",
    "clip_by_global_norm",
    "cosine_schedule",
    "cosine_score",
    "cross_entropy",
    "dot_score",
    "general_score",
    "global_norm",
    "inverse_sqrt_warmup",
    "load_checkpoint",
    "mean_squared_error",
    "module_loss_and_grad",
    "module_params",
    "online_softmax",
    "padding_mask",
    "save_checkpoint",
    "scaled_dot_score",
    "sgd",
    "softmax",
    "train",
    "validation_loss",
]
