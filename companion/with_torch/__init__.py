"""The wing to train: the same names, arguments and weights as the NumPy wing, on torch tensors.

Gradients come from autograd, so the `*_backward` functions of the NumPy wing have no twin here.
"""

from companion.with_torch.activations import gelu, gelu_tanh, relu, silu
from companion.with_torch.attention import attention
from companion.with_torch.beam import beam_search, power_length_penalty, wu_length_penalty
from companion.with_torch.blocks import transformer_block
from companion.with_torch.cache import Cache, empty_cache, select_rows
from companion.with_torch.decoder import decoder, decoder_step, decoder_weights, init_decoder
from companion.with_torch.decoding import greedy, sample
from companion.with_torch.dropout import dropout, keep_mask
from companion.with_torch.embed import embed_tokens, output_logits
from companion.with_torch.encoder import classifier, encoder, encoder_weights, init_encoder
from companion.with_torch.feed_forward import feed_forward, swiglu
from companion.with_torch.heads import grouped_attention, merge_heads, split_heads
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import embedding, linear
from companion.with_torch.masks import causal_mask, padding_mask
from companion.with_torch.models import Decoder, Encoder, Seq2Seq
from companion.with_torch.multi_head import (
    attend,
    multi_head_attention,
    multi_head_weights,
    project_keys,
)
from companion.with_torch.norms import layer_norm, rms_norm
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

__all__ = [
    "Cache",
    "Decoder",
    "Encoder",
    "Seq2Seq",
    "additive_score",
    "alibi_bias",
    "alibi_slopes",
    "attend",
    "attention",
    "beam_search",
    "block_repeated_ngrams",
    "causal_mask",
    "classifier",
    "cosine_score",
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
    "greedy",
    "grouped_attention",
    "init_decoder",
    "init_encoder",
    "init_parameters",
    "init_seq2seq",
    "keep_mask",
    "layer_norm",
    "learned_positions",
    "linear",
    "log_softmax",
    "merge_heads",
    "multi_head_attention",
    "multi_head_weights",
    "nucleus_filter",
    "online_softmax",
    "output_logits",
    "padding_mask",
    "power_length_penalty",
    "project_keys",
    "relu",
    "rms_norm",
    "rotary",
    "run_stack",
    "sample",
    "sample_token",
    "scaled_dot_score",
    "select_rows",
    "seq2seq",
    "seq2seq_start",
    "seq2seq_step",
    "seq2seq_weights",
    "silu",
    "sinusoidal_positions",
    "softmax",
    "split_heads",
    "stack_weights",
    "swiglu",
    "tiled_attention",
    "top_k_filter",
    "transformer_block",
    "wu_length_penalty",
]
