"""The wing to read: arrays in, arrays out, every gradient written out. Needs NumPy only."""

from companion.with_numpy.activations import (
    gelu,
    gelu_backward,
    gelu_tanh,
    gelu_tanh_backward,
    relu,
    relu_backward,
    silu,
    silu_backward,
)
from companion.with_numpy.attention import attention, attention_backward
from companion.with_numpy.beam import beam_search, power_length_penalty, wu_length_penalty
from companion.with_numpy.blocks import transformer_block, transformer_block_backward
from companion.with_numpy.cache import Cache, empty_cache, select_rows
from companion.with_numpy.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from companion.with_numpy.clipping import clip_by_global_norm, global_norm
from companion.with_numpy.copying import (
    copy_cross_entropy,
    copy_mixture,
    copy_mixture_backward,
)
from companion.with_numpy.decoder import (
    decoder,
    decoder_backward,
    decoder_step,
    decoder_weights,
    init_decoder,
)
from companion.with_numpy.decoding import greedy, sample
from companion.with_numpy.dropout import dropout, dropout_backward, keep_mask
from companion.with_numpy.embed import (
    embed_tokens,
    embed_tokens_backward,
    output_logits,
    output_logits_backward,
)
from companion.with_numpy.encoder import (
    classifier,
    classifier_backward,
    encoder,
    encoder_backward,
    encoder_weights,
    init_encoder,
)
from companion.with_numpy.feed_forward import (
    feed_forward,
    feed_forward_backward,
    swiglu,
    swiglu_backward,
)
from companion.with_numpy.heads import (
    grouped_attention,
    grouped_attention_backward,
    merge_heads,
    split_heads,
)
from companion.with_numpy.init import init_parameters
from companion.with_numpy.layers import embedding, embedding_backward, linear, linear_backward
from companion.with_numpy.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    mean_squared_error,
    mean_squared_error_backward,
)
from companion.with_numpy.masks import causal_mask, padding_mask
from companion.with_numpy.models import Decoder, Encoder, Seq2Seq
from companion.with_numpy.multi_head import (
    attend,
    multi_head_attention,
    multi_head_attention_backward,
    multi_head_weights,
    project_keys,
)
from companion.with_numpy.norms import layer_norm, layer_norm_backward, rms_norm, rms_norm_backward
from companion.with_numpy.optimizers import adam, adamw, sgd
from companion.with_numpy.pointer import (
    PointerCache,
    init_pointer_generator,
    pointer_generator,
    pointer_generator_backward,
    pointer_generator_start,
    pointer_generator_step,
    select_pointer_rows,
)
from companion.with_numpy.positions import (
    alibi_bias,
    alibi_slopes,
    learned_positions,
    learned_positions_backward,
    rotary,
    rotary_backward,
    sinusoidal_positions,
)
from companion.with_numpy.sampling import (
    block_repeated_ngrams,
    nucleus_filter,
    sample_token,
    top_k_filter,
)
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
from companion.with_numpy.seq2seq import (
    init_seq2seq,
    seq2seq,
    seq2seq_backward,
    seq2seq_start,
    seq2seq_step,
    seq2seq_weights,
)
from companion.with_numpy.softmax import (
    log_softmax,
    log_softmax_backward,
    online_softmax,
    softmax,
    softmax_backward,
)
from companion.with_numpy.stack import run_stack, run_stack_backward, stack_weights
from companion.with_numpy.tiled import (
    tiled_attention,
    tiled_attention_backward,
    tiled_attention_fast,
)
from companion.with_numpy.training import Record, train, validation_loss

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
    "additive_score_backward",
    "alibi_bias",
    "alibi_slopes",
    "attend",
    "attention",
    "attention_backward",
    "beam_search",
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "block_repeated_ngrams",
    "causal_mask",
    "classifier",
    "classifier_backward",
    "clip_by_global_norm",
    "copy_cross_entropy",
    "copy_mixture",
    "copy_mixture_backward",
    "cosine_schedule",
    "cosine_score",
    "cosine_score_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "decoder",
    "decoder_backward",
    "decoder_step",
    "decoder_weights",
    "dot_score",
    "dot_score_backward",
    "dropout",
    "dropout_backward",
    "embed_tokens",
    "embed_tokens_backward",
    "embedding",
    "embedding_backward",
    "empty_cache",
    "encoder",
    "encoder_backward",
    "encoder_weights",
    "feed_forward",
    "feed_forward_backward",
    "gelu",
    "gelu_backward",
    "gelu_tanh",
    "gelu_tanh_backward",
    "general_score",
    "general_score_backward",
    "global_norm",
    "greedy",
    "grouped_attention",
    "grouped_attention_backward",
    "init_decoder",
    "init_encoder",
    "init_parameters",
    "init_pointer_generator",
    "init_seq2seq",
    "inverse_sqrt_warmup",
    "keep_mask",
    "layer_norm",
    "layer_norm_backward",
    "learned_positions",
    "learned_positions_backward",
    "linear",
    "linear_backward",
    "load_checkpoint",
    "log_softmax",
    "log_softmax_backward",
    "mean_squared_error",
    "mean_squared_error_backward",
    "merge_heads",
    "multi_head_attention",
    "multi_head_attention_backward",
    "multi_head_weights",
    "nucleus_filter",
    "online_softmax",
    "output_logits",
    "output_logits_backward",
    "padding_mask",
    "pointer_generator",
    "pointer_generator_backward",
    "pointer_generator_start",
    "pointer_generator_step",
    "power_length_penalty",
    "project_keys",
    "relu",
    "relu_backward",
    "rms_norm",
    "rms_norm_backward",
    "rotary",
    "rotary_backward",
    "run_stack",
    "run_stack_backward",
    "sample",
    "sample_token",
    "save_checkpoint",
    "scaled_dot_score",
    "scaled_dot_score_backward",
    "select_pointer_rows",
    "select_rows",
    "seq2seq",
    "seq2seq_backward",
    "seq2seq_start",
    "seq2seq_step",
    "seq2seq_weights",
    "sgd",
    "silu",
    "silu_backward",
    "sinusoidal_positions",
    "softmax",
    "softmax_backward",
    "split_heads",
    "stack_weights",
    "swiglu",
    "swiglu_backward",
    "tiled_attention",
    "tiled_attention_backward",
    "tiled_attention_fast",
    "top_k_filter",
    "train",
    "transformer_block",
    "transformer_block_backward",
    "validation_loss",
    "wu_length_penalty",
]
