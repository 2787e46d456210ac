"""Weights of torch.nn's attention and Transformer layers.

torch keeps the projections of query, key and value in one array, in_proj_weight (3 C, C), one third
below the other; here each has its own. The last projection and the two of the feed-forward layer
lie as ours do, (out, in), and so does everything else.

batch_first is no matter of weights: it says which axis of torch's inputs is the batch. Ours is
always the first.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from companion import _check
from companion.config import TransformerConfig
from companion.interop.state import Imported, Source, Sources, expect, linear_sources, load
from companion.params import attention_shapes, block_shapes

if TYPE_CHECKING:
    from torch import nn

State = Mapping[str, Any]

__all__ = ["from_decoder_layer", "from_encoder_layer", "from_multihead_attention"]


def from_multihead_attention(
    module: "nn.MultiheadAttention | State", config: TransformerConfig | None = None
) -> Imported:
    """The weights of torch.nn.MultiheadAttention for `multi_head_attention`.

        in_proj_weight (3 C, C) → query_proj, key_proj, value_proj (C, C) each

    module the module itself, or its state_dict with the config that this function cannot read off
    it: width, heads, biases
    Returns config (call with heads=config.heads; its vocabulary, of which a layer knows nothing, is
    1) and params as `attention_shapes(config)` names them.

    Raises TypeError or ValueError naming the option, name or shape that does not fit: kdim, vdim,
    add_bias_kv and add_zero_attn have no place here.
    Differs: dropout of torch's falls on the attention weights, which have none here; torch's masks
    say the opposite (`mask_from_torch`); a query that sees no key is NaN there and zeros here.
    """
    config, state = _config_and_state(module, config, "MultiheadAttention")
    return Imported(config, load(state, _attention("", "", config), attention_shapes(config)))


def from_encoder_layer(
    module: "nn.TransformerEncoderLayer | State", config: TransformerConfig | None = None
) -> Imported:
    """The weights of torch.nn.TransformerEncoderLayer for `transformer_block`.

        norm1 → self_attention_norm    norm2 → feed_forward_norm
        linear1 → up_proj (F, C)       linear2 → down_proj (C, F)

    module the module itself, or its state_dict with the config that this function cannot read off
    it: width, heads, hidden, feed_forward, norm_first, norm_eps, biases
    Returns config (its vocabulary, of which a layer knows nothing, is 1) and params as
    `block_shapes(config)` names them. With bias=False torch's norms have no bias; here it is 0.

    Raises TypeError or ValueError naming the option, name or shape that does not fit.
    Differs: torch's layer also drops attention weights and what lies within the feed-forward layer;
    ours drops what the sub-layers return.
    """
    return _block(module, config, "TransformerEncoderLayer", cross=False)


def from_decoder_layer(
    module: "nn.TransformerDecoderLayer | State", config: TransformerConfig | None = None
) -> Imported:
    """The weights of torch.nn.TransformerDecoderLayer for `transformer_block` with a memory.

        norm1, norm2, norm3 → self_attention_norm, cross_attention_norm, feed_forward_norm

    Arguments as in `from_encoder_layer`
    Returns config and params as `block_shapes(config, cross=True)` names them.

    Raises TypeError or ValueError naming the option, name or shape that does not fit.
    """
    return _block(module, config, "TransformerDecoderLayer", cross=True)


def _block(module: Any, config: TransformerConfig | None, kind: str, *, cross: bool) -> Imported:
    config, state = _config_and_state(module, config, kind)
    parts = {"self_attention": "self_attn"} | (
        {"cross_attention": "multihead_attn"} if cross else {}
    )
    sources: Sources = {}
    for ours, theirs in parts.items():
        sources |= _attention(f"{ours}.", f"{theirs}.", config)
    for name, theirs in (("up_proj", "linear1"), ("down_proj", "linear2")):
        sources |= linear_sources(f"feed_forward.{name}", theirs, bias=config.biases)
    for number, ours in enumerate((*parts, "feed_forward"), start=1):
        sources |= linear_sources(f"{ours}_norm", f"norm{number}")
        if not config.biases and f"norm{number}.bias" not in state:
            sources[f"{ours}_norm.bias"] = None
    return Imported(config, load(state, sources, block_shapes(config, cross=cross)))


def _attention(ours: str, theirs: str, config: TransformerConfig) -> Sources:
    sources: Sources = {}
    for last in ("weight", "bias") if config.biases else ("weight",):
        for third, name in enumerate(("query", "key", "value")):
            sources[f"{ours}{name}_proj.{last}"] = Source(f"{theirs}in_proj_{last}", third)
    return sources | linear_sources(f"{ours}output_proj", f"{theirs}out_proj", bias=config.biases)


def _config_and_state(
    module: Any, config: TransformerConfig | None, kind: str
) -> tuple[TransformerConfig, State]:
    if isinstance(module, Mapping):
        return _checked(config), module
    from torch import nn

    if config is not None:
        raise TypeError("config: expected None with a module, which has its own, got one")
    _check.is_array(getattr(nn, kind), module=module)  # an isinstance check and its message
    read = _attention_config if kind == "MultiheadAttention" else _layer_config
    return read(module), module.state_dict()


def _checked(config: TransformerConfig | None) -> TransformerConfig:
    """A config that torch's layers can have."""
    if config is None:
        raise TypeError("config: expected a TransformerConfig with a state_dict, got None")
    came = {"norm": config.norm, "key_heads": config.groups}
    expect("config", came, {"norm": "layer", "key_heads": config.heads})
    for name, lacking in (("feed_forward", ("swiglu",)), ("positions", ("rotary", "alibi"))):
        if getattr(config, name) in lacking:
            raise ValueError(
                f"config.{name}: expected one that torch's layers have, "
                f"got {getattr(config, name)!r}"
            )
    return config


def _attention_config(module: "nn.MultiheadAttention", **others: Any) -> TransformerConfig:
    C = module.embed_dim
    came = {"kdim": module.kdim, "vdim": module.vdim, "add_zero_attn": module.add_zero_attn}
    came["add_bias_kv"] = module.bias_k is not None
    expect("module", came, {"kdim": C, "vdim": C, "add_bias_kv": False, "add_zero_attn": False})
    return TransformerConfig(
        vocabulary=1,
        width=C,
        heads=module.num_heads,
        layers=1,
        biases=module.in_proj_bias is not None,
        positions="none",
        scaled_embedding=False,
        **others,
    )


def _layer_config(module: Any) -> TransformerConfig:
    """The options of an encoder's or decoder's layer, which its state_dict does not hold."""
    from torch import nn

    for name, child in module.named_children():
        if name.startswith("norm"):  # one eps serves the whole config
            _check.is_array(nn.LayerNorm, **{f"module.{name}": child})
            expect(f"module.{name}", vars(child), {"eps": module.norm1.eps})
    return _attention_config(
        module.self_attn,
        hidden=module.linear1.out_features,
        feed_forward=_activation(module.activation),
        norm_first=module.norm_first,
        norm_eps=module.norm1.eps,
        dropout=module.dropout1.p,
    )


def _activation(activation: Any) -> str:
    import torch
    import torch.nn.functional as F  # noqa: N812 (as torch itself writes it)
    from torch import nn

    if isinstance(activation, nn.GELU):
        return {"none": "gelu", "tanh": "gelu_tanh"}[activation.approximate]
    for name, functions, module in (
        ("relu", (F.relu, torch.relu), nn.ReLU),
        ("gelu", (F.gelu,), nn.GELU),
        ("silu", (F.silu,), nn.SiLU),
    ):
        if activation in functions or isinstance(activation, module):
            return name
    raise ValueError(f"module.activation: expected relu, gelu or silu of torch, got {activation!r}")
