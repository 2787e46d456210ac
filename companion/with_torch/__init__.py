"""The wing to train: the same names, arguments and weights as the NumPy wing, on torch tensors.

Gradients come from autograd, so the `*_backward` functions of the NumPy wing have no twin here.
"""

from companion.with_torch._adapter import module_loss_and_grad, module_params
from companion.with_torch.activations import gelu, gelu_tanh, relu, silu
from companion.with_torch.attention import attention
from companion.with_torch.beam import beam_search, power_length_penalty, wu_length_penalty
from companion.with_torch.blocks import transformer_block
from companion.with_torch.cache import Cache, empty_cache, select_rows
from companion.with_torch.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from companion.with_torch.clipping import clip_by_global_norm, global_norm
from companion.with_torch.copying import (
    copy_cross_entropy,
    copy_mixture,
)
from companion.with_torch.decoder import decoder, decoder_step, decoder_weights, init_decoder
from companion.with_torch.decoding import greedy, sample
from companion.with_torch.dropout import dropout, keep_mask
from companion.with_torch.embed import embed_tokens, output_logits
from companion.with_torch.encoder import classifier, encoder, encoder_weights, init_encoder
from companion.with_torch.feed_forward import feed_forward, swiglu
from companion.with_torch.heads import grouped_attention, merge_heads, split_heads
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import embedding, linear
from companion.with_torch.losses import binary_cross_entropy, cross_entropy, mean_squared_error
from companion.with_torch.masks import causal_mask, padding_mask
from companion.with_torch.models import Decoder, Encoder, Seq2Seq
from companion.with_torch.multi_head import (
    attend,
    multi_head_attention,
    multi_head_weights,
    project_keys,
)
from companion.with_torch.norms import layer_norm, rms_norm
from companion.with_torch.optimizers import adam, adamw, sgd
from companion.with_torch.pointer import (
    PointerCache,
    init_pointer_generator,
    pointer_generator,
    pointer_generator_start,
    pointer_generator_step,
    select_pointer_rows,
)
from companion.with_torch.positions import (
    alibi_bias,
    alibi_slopes,
    learned_positions,
    rotary,
    sinusoidal_positions,
)
from companion.with_torch.sampling import (
    block_repeated_ngrams,
    nucleus_filter,
    sample_token,
    top_k_filter,
)
from companion.with_torch.schedules import cosine_schedule, inverse_sqrt_warmup
from companion.with_torch.scores import (
    additive_score,
    cosine_score,
    dot_score,
    general_score,
    scaled_dot_score,
)
from companion.with_torch.seq2seq import (
    init_seq2seq,
    seq2seq,
    seq2seq_start,
    seq2seq_step,
    seq2seq_weights,
)
from companion.with_torch.softmax import log_softmax, online_softmax, softmax
from companion.with_torch.stack import run_stack, stack_weights
from companion.with_torch.tiled import tiled_attention
from companion.with_torch.training import Record, train, validation_loss

__all__ = [
    "Cache",
    "Checkpoint",
    "Decoder",
    "Encoder",
    "PointerCache",
    "Record",
    "Seq2Seq",
    "adam",
    "adamw",
    "additive_score",
    "alibi_bias",
    "alibi_slopes",
    "attend",
    "attention",
    "beam_search",
    "binary_cross_entropy",
    "block_repeated_ngrams",
    "causal_mask",
    "classifier",
    "clip_by_global_norm",
    "copy_cross_entropy",
    "copy_mixture",
    "cosine_schedule",
    "cosine_score",
    "cross_entropy",
    "decoder",
    "decoder_step",
    "decoder_weights",
    "dot_score",
    "dropout",
    "embed_tokens",
    "embedding",
    "empty_cache",
    "encoder",
    "encoder_weights",
    "feed_forward",
    "gelu",
    "gelu_tanh",
    "general_score",
    "global_norm",
    "greedy",
    "grouped_attention",
    "init_decoder",
    "init_encoder",
    "init_parameters",
    "init_pointer_generator",
    "init_seq2seq",
    "inverse_sqrt_warmup",
    "keep_mask",
    "layer_norm",
    "learned_positions",
    "linear",
    "load_checkpoint",
    "log_softmax",
    "mean_squared_error",
    "merge_heads",
    "module_loss_and_grad",
    "module_params",
    "multi_head_attention",
    "multi_head_weights",
    "nucleus_filter",
    "online_softmax",
    "output_logits",
    "padding_mask",
    "pointer_generator",
    "pointer_generator_start",
    "pointer_generator_step",
    "power_length_penalty",
    "project_keys",
    "relu",
    "rms_norm",
    "rotary",
    "run_stack",
    "sample",
    "sample_token",
    "save_checkpoint",
    "scaled_dot_score",
    "select_pointer_rows",
    "select_rows",
    "seq2seq",
    "seq2seq_start",
    "seq2seq_step",
    "seq2seq_weights",
    "sgd",
    "silu",
    "sinusoidal_positions",
    "softmax",
    "split_heads",
    "stack_weights",
    "swiglu",
    "tiled_attention",
    "top_k_filter",
    "train",
    "transformer_block",
    "validation_loss",
    "wu_length_penalty",
]
