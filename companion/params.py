"""Parameters of a composite: one flat dict from dotted name to array, in either library.

    encoder.0.self_attention.query_proj.weight    (out, in), as in torch's state_dict

A part of a model sees its own names only: `part(params, "encoder.0")` cuts the prefix off and
`named("encoder.0", grads)` puts it back. The arrays themselves are never copied.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, TypeVar, overload

from companion import _check
from companion.config import TransformerConfig

A = TypeVar("A")
Shapes = dict[str, tuple[int, ...]]


def part(params: Mapping[str, A], name: str) -> dict[str, A]:
    """The parameters below `name`, under what is left of their names; ValueError if there is none.

    So a missing layer is named at once and not some weight of it later.
    """
    prefix = f"{name}."
    below = {key[len(prefix) :]: value for key, value in params.items() if key.startswith(prefix)}
    if not below:
        raise ValueError(f"params: expected names that begin with {prefix!r}, got none")
    return below


def named(name: str, params: Mapping[str, A]) -> dict[str, A]:
    """The same parameters, each below `name`."""
    return {f"{name}.{key}": value for key, value in params.items()}


def summed(*grads: Mapping[str, Any]) -> dict[str, Any]:
    """One dict of gradients; a parameter used in several places gets the sum."""
    total: dict[str, Any] = {}
    for some in grads:
        for key, grad in some.items():
            total[key] = total[key] + grad if key in total else grad
    return total


@overload
def derive(seed: int, place: str) -> int: ...
@overload
def derive(seed: None, place: str) -> None: ...
def derive(seed: int | None, place: str) -> int | None:
    """The seed of one place, such as "pool" or "step/7": always the same, nothing like the next.

    So backward draws the dropout mask of forward again, and a stopped training goes on as if it had
    not been. No seed, no dropout: None stays None. TypeError or ValueError unless it is an integer
    ≥ 0: any text could be hashed, the name of a Generator too, and all calls would draw one mask.
    """
    if seed is None:
        return None
    _check.length(seed=seed)
    digest = hashlib.blake2b(f"{seed}/{place}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # 63 bits: what torch.Generator takes


def check_params(kind: type, params: Mapping[str, Any], shapes: Shapes) -> None:
    """Refuse params that are not arrays of `kind`, of one dtype, named and shaped as `shapes`."""
    missing, extra = sorted(shapes.keys() - params.keys()), sorted(params.keys() - shapes.keys())
    if missing or extra:
        raise ValueError(f"params: expected the names of the config, got {missing=} {extra=}")
    for name, expected in shapes.items():
        _check.is_array(kind, **{f"params[{name!r}]": params[name]})
        _check.shape(f"params[{name!r}]", params[name], expected, "its shape in the config")
    _check.floats(kind, **{f"params[{name!r}]": params[name] for name in shapes})


def decoder_shapes(config: TransformerConfig) -> Shapes:
    """Names and shapes of a decoder-only language model."""
    return _embedding_shapes(config) | _stack_shapes("decoder", config) | _output_shapes(config)


def encoder_shapes(config: TransformerConfig) -> Shapes:
    """Names and shapes of an encoder, with its pooled head if the config has classes."""
    shapes = _embedding_shapes(config) | _stack_shapes("encoder", config)
    if config.classes:
        shapes |= _linear_shapes("pool_proj", config.width, config.width)
        shapes |= _linear_shapes("class_proj", config.classes, config.width)
    return shapes


def seq2seq_shapes(config: TransformerConfig) -> Shapes:
    """Names and shapes of an encoder-decoder; both sides share one embedding (section 3.4)."""
    return (
        _embedding_shapes(config)
        | _stack_shapes("encoder", config)
        | _stack_shapes("decoder", config, cross=True)
        | _output_shapes(config)
    )


def pointer_generator_shapes(config: TransformerConfig) -> Shapes:
    """Names and shapes of an encoder-decoder that can copy: four more layers."""
    C = config.width
    copying: Shapes = {}
    for name, out in (("copy_read", C), ("copy_query", C), ("copy_key", C), ("copy_gate", 1)):
        copying |= _linear_shapes(name, out, C)
    return seq2seq_shapes(config) | copying


def block_shapes(config: TransformerConfig, *, cross: bool = False) -> Shapes:
    """Names and shapes of one block; `cross` adds the attention that looks at a memory."""
    C, F = config.width, config.hidden_units
    shapes: Shapes = {}
    for name in ("self_attention", "cross_attention") if cross else ("self_attention",):
        shapes |= named(name, attention_shapes(config)) | _norm_shapes(f"{name}_norm", config)
    for name in ("gate_proj", "up_proj") if config.feed_forward == "swiglu" else ("up_proj",):
        shapes |= _linear_shapes(f"feed_forward.{name}", F, C, config.biases)
    shapes |= _linear_shapes("feed_forward.down_proj", C, F, config.biases)
    return shapes | _norm_shapes("feed_forward_norm", config)


def attention_shapes(config: TransformerConfig) -> Shapes:
    """Names and shapes of `multi_head_attention`: G key heads against H query heads."""
    C, narrow = config.width, config.groups * config.head_width
    shapes: Shapes = {}
    for name, out in (("query", C), ("key", narrow), ("value", narrow), ("output", C)):
        shapes |= _linear_shapes(f"{name}_proj", out, C, config.biases)
    return shapes


def _stack_shapes(name: str, config: TransformerConfig, *, cross: bool = False) -> Shapes:
    shapes: Shapes = {}
    for layer in range(config.layers):
        shapes |= named(f"{name}.{layer}", block_shapes(config, cross=cross))
    return shapes | (_norm_shapes(f"{name}_norm", config) if config.norm_first else {})


def _embedding_shapes(config: TransformerConfig) -> Shapes:
    shapes: Shapes = {"token_embedding.weight": (config.vocabulary, config.width)}
    if config.positions == "learned":
        shapes["position_embedding.weight"] = (config.max_length, config.width)
    if config.segments:
        shapes["segment_embedding.weight"] = (config.segments, config.width)
    return shapes | (_norm_shapes("embedding_norm", config) if config.embedding_norm else {})


def _output_shapes(config: TransformerConfig) -> Shapes:
    return {} if config.tied else {"output_proj.weight": (config.vocabulary, config.width)}


def _linear_shapes(name: str, out: int, into: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (out, into)} | ({f"{name}.bias": (out,)} if bias else {})


def _norm_shapes(name: str, config: TransformerConfig) -> Shapes:
    names = ("weight", "bias") if config.norm == "layer" else ("weight",)
    return {f"{name}.{last}": (config.width,) for last in names}
