"""Cases of layers, positions, blocks and models; see `cases`."""

from typing import Any

import numpy as np
from cases import Arguments, Case, add, normal, sizes, some_mask

import companion.with_numpy as numpy_wing
from companion import params as shapes_of
from companion.config import FEED_FORWARDS, NORMS, POSITIONS, TransformerConfig

Rng = np.random.Generator
Lead = tuple[int, ...]


def _batch(lead: Lead) -> int:
    return lead[0] if lead else 1


def some_config(rng: Rng, lead: Lead, **fixed: Any) -> TransformerConfig:
    """A tiny model with any of the choices; small where finite differences are taken."""
    large = len(lead) == 3
    choices: Any = {
        "vocabulary": 5,
        "width": 8,  # of 4 units a norm is now and then near 0/0, too steep for differences
        "heads": 2,
        "layers": 2 if large else 1,
        "hidden": 3,
        "key_heads": int(rng.integers(1, 3)),
        "positions": POSITIONS[rng.integers(len(POSITIONS))],
        "norm": NORMS[rng.integers(len(NORMS))],
        "feed_forward": FEED_FORWARDS[rng.integers(len(FEED_FORWARDS))],
        "max_length": 6,
        "segments": int(rng.integers(3)),
        "norm_eps": rng.uniform(0.1, 1),  # large, so that its place shows
    }
    for flag in ("norm_first", "biases", "tied", "scaled_embedding", "embedding_norm"):
        choices[flag] = bool(rng.integers(2))
    return TransformerConfig(**{**choices, **fixed})


def some_params(rng: Rng, dtype: Any, shapes: shapes_of.Shapes) -> dict[str, Any]:
    """Each parameter different from what it starts as, norms and biases too."""
    return {name: 0.4 * normal(rng, dtype, *shape) for name, shape in shapes.items()}


def _lengths(rng: Rng, B: int, S: int) -> Any:
    return None if rng.integers(2) else rng.integers(1, S + 1, size=B)


# --------------------------------------------------------- layers, norms, activations


def _vectors(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"inputs": 2 * normal(rng, dtype, *lead, *sizes(rng, "TC"))}


def _log_softmax(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, S = sizes(rng, "TS")
    scores = 3 * normal(rng, dtype, *lead, T, S)
    axis = int(rng.integers(-scores.ndim, scores.ndim))  # no mask: -inf has no gradient to compare
    return {"scores": scores, "axis": axis, "temperature": rng.uniform(0.5, 2)}


def _linear(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, I, O = sizes(rng, "TIO")  # noqa: E741
    inputs, weight = normal(rng, dtype, *lead, T, I), normal(rng, dtype, O, I)
    return {"inputs": inputs, "weight": weight, "bias": normal(rng, dtype, O)}


def _embedding(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, V, C = sizes(rng, "TVC")
    return {"ids": rng.integers(0, V, (*lead, T)), "weight": normal(rng, dtype, V, C)}


def _norm(*weights: str) -> Any:
    def draw(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
        given = _vectors(rng, dtype, lead)
        C = given["inputs"].shape[-1]
        given |= {name: normal(rng, dtype, C) for name in weights}
        return given | {"eps": rng.uniform(0.1, 1)}  # large, so that its place shows

    return draw


def _dropout(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    # the draws of the wings differ: what is compared is the way without one
    seed, rate = ((None, 0.4), (3, 0.0))[rng.integers(2)]
    return _vectors(rng, dtype, lead) | {"rate": rate, "seed": seed}


def _keep(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"shape": lead, "rate": 0.0, "seed": int(rng.integers(9))}


for name in ("relu", "gelu", "gelu_tanh", "silu"):
    add(Case(name, _vectors, gradients=("inputs",)))
add(Case("log_softmax", _log_softmax, ("log_weights",), ("scores",)))
add(Case("linear", _linear, gradients=("inputs", "weight", "bias")))
add(Case("embedding", _embedding, gradients=("weight",)))
add(Case("layer_norm", _norm("weight", "bias"), gradients=("inputs", "weight", "bias")))
add(Case("rms_norm", _norm("weight"), gradients=("inputs", "weight")))
add(Case("dropout", _dropout, gradients=("inputs",)))
add(Case("keep_mask", _keep, ("keep",)))


def _feed_forward(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, C, F = sizes(rng, "TCF")
    config = TransformerConfig(vocabulary=1, width=2 * C, heads=1, hidden=F)
    params = shapes_of.part(shapes_of.block_shapes(config), "feed_forward")
    activation = ("relu", "gelu", "gelu_tanh", "silu")[rng.integers(4)]
    inputs = normal(rng, dtype, *lead, T, 2 * C)
    return {
        "inputs": inputs,
        "params": some_params(rng, dtype, params),
        "activation": activation,
    }


def _swiglu(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, C, F = sizes(rng, "TCF")
    fixed: Any = {"feed_forward": "swiglu", "biases": bool(rng.integers(2))}
    config = TransformerConfig(vocabulary=1, width=2 * C, heads=1, hidden=F, **fixed)
    params = shapes_of.part(shapes_of.block_shapes(config), "feed_forward")
    inputs = normal(rng, dtype, *lead, T, 2 * C)
    return {"inputs": inputs, "params": some_params(rng, dtype, params)}


add(Case("feed_forward", _feed_forward, gradients=("inputs", "params")))
add(Case("swiglu", _swiglu, gradients=("inputs", "params")))


# --------------------------------------------------------------------------- positions


def _sinusoids(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, C = sizes(rng, "TC")
    return {"positions": rng.integers(0, 99, (*lead, T)), "C": 2 * C, "base": rng.uniform(5, 99)}


def _learned(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _embedding(rng, dtype, lead)
    return {"positions": given["ids"], "weight": given["weight"]}


def _rotary(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, D = sizes(rng, "TD")
    positions = rng.integers(0, 99, ((T,), (*lead, T))[rng.integers(2)])
    vectors = normal(rng, dtype, *lead, T, 2 * D)
    return {"vectors": vectors, "positions": positions, "base": rng.uniform(5, 99)}


def _alibi(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, S, H = sizes(rng, "TSH")
    at_query, at_key = rng.integers(0, 9, (*lead, T)), rng.integers(0, 9, (*lead, S))
    return {"query_positions": at_query, "key_positions": at_key, "H": H}


def _slopes(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"H": int(rng.integers(1, 20))}


add(Case("sinusoidal_positions", _sinusoids))
add(Case("learned_positions", _learned, gradients=("weight",)))
add(Case("rotary", _rotary, gradients=("vectors",)))
add(Case("alibi_bias", _alibi, ("bias",)))
add(Case("alibi_slopes", _slopes, ("slopes",)))


# --------------------------------------------------------------------------- attention


def _tiled(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, S, D, E = sizes(rng, "TSDE")
    causal = bool(rng.integers(2))
    S = max(T, S) if causal else S
    masks = (None, some_mask(rng, *lead, T, S), some_mask(rng, T, S), some_mask(rng, 1, S))
    return {
        "query": normal(rng, dtype, *lead, T, D),
        "key": normal(rng, dtype, *lead, S, D),
        "value": normal(rng, dtype, *lead, S, E),
        "mask": masks[rng.integers(len(masks))],
        "causal": causal,
        "tile": int(rng.integers(1, S + 3)),
    }


def _heads(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    T, H, D = sizes(rng, "THD")
    return {"inputs": normal(rng, dtype, _batch(lead), T, H * D), "heads": H}


def _split(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"inputs": normal(rng, dtype, _batch(lead), *sizes(rng, "HTD"))}


def _grouped(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    (T, S, D), B, G, H = sizes(rng, "TSD"), _batch(lead), int(rng.integers(1, 3)), 4
    key, value = normal(rng, dtype, B, G, S, D), normal(rng, dtype, B, G, S, D)
    masks = (None, some_mask(rng, B, H, T, S), some_mask(rng, B, 1, T, S), some_mask(rng, T, S))
    return {
        "query": normal(rng, dtype, B, H, T, D),
        "key": key,
        "value": value,
        "mask": masks[rng.integers(len(masks))],
        "bias": (None, normal(rng, dtype, H, T, S))[rng.integers(2)],
    }


def _multi_head(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    (T, S), B, config = sizes(rng, "TS"), _batch(lead), some_config(rng, lead)
    masks = (None, some_mask(rng, B, T, S), some_mask(rng, B, 1, S), some_mask(rng, T, S))
    turn = (rng.integers(0, 9, T), rng.integers(0, 9, (B, S)))
    return {
        "query_input": normal(rng, dtype, B, T, config.width),
        "key_input": normal(rng, dtype, B, S, config.width),
        "params": some_params(rng, dtype, shapes_of.attention_shapes(config)),
        "mask": masks[rng.integers(len(masks))],
        "heads": config.heads,
        "bias": (None, normal(rng, dtype, config.heads, T, S))[rng.integers(2)],
        "positions": (None, turn)[rng.integers(2) if config.head_width % 2 == 0 else 0],
    }


def _project_keys(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _multi_head(rng, dtype, lead)
    positions = None if given["positions"] is None else given["positions"][1]
    rest = {name: given[name] for name in ("params", "heads")}
    return {"inputs": given["key_input"], **rest, "positions": positions}


def _attend(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _multi_head(rng, dtype, lead)
    key, value = numpy_wing.project_keys(given["key_input"], given["params"], heads=given["heads"])
    positions = None if given["positions"] is None else given["positions"][0]
    rest = {name: given[name] for name in ("params", "mask", "heads", "bias")}
    heads = {"key": key, "value": value}
    return {"inputs": given["query_input"], **heads, **rest, "positions": positions}


inputs_of_two = ("query_input", "key_input", "params")
attended = ("output", "log_normaliser")
add(Case("tiled_attention", _tiled, attended, ("query", "key", "value")))
add(Case("split_heads", _heads))
add(Case("merge_heads", _split))
add(Case("grouped_attention", _grouped, ("output", "weights"), ("query", "key", "value")))
add(Case("multi_head_attention", _multi_head, gradients=inputs_of_two))
add(Case("multi_head_weights", _multi_head, ("weights",)))
add(Case("project_keys", _project_keys, ("key", "value")))
add(Case("attend", _attend))


# ------------------------------------------------------------------- blocks and stacks


def _block(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    (T, S), B, config = sizes(rng, "TS"), _batch(lead), some_config(rng, lead)
    return {
        "inputs": 3 * normal(rng, dtype, B, T, config.width),
        "params": some_params(rng, dtype, shapes_of.block_shapes(config, cross=True)),
        "config": config,
        "mask": (None, some_mask(rng, T, T), some_mask(rng, B, 1, T))[rng.integers(3)],
        "memory": normal(rng, dtype, B, S, config.width),
        "memory_mask": (None, some_mask(rng, B, 1, S))[rng.integers(2)],
        "seed": (None, 3)[rng.integers(2)],  # of no effect at rate 0
    }


def _stack(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _block(rng, dtype, lead)
    shapes = {
        name: shape
        for name, shape in shapes_of.seq2seq_shapes(given["config"]).items()
        if name.startswith("decoder")
    }
    given |= {"params": some_params(rng, dtype, shapes), "name": "decoder"}
    order = "inputs params config name mask memory memory_mask seed"
    return {name: given[name] for name in order.split()}


def _stack_weights(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {name: value for name, value in _stack(rng, dtype, lead).items() if name != "seed"}


in_block = ("inputs", "memory", "params")
add(Case("transformer_block", _block, gradients=in_block))
add(Case("run_stack", _stack, ("output",), in_block))
add(Case("stack_weights", _stack_weights, ("weights",)))


# ------------------------------------------------------------------------------ models


def _ids(rng: Rng, B: int, T: int, config: TransformerConfig) -> Any:
    return rng.integers(0, config.vocabulary, (B, T))


def _segments(rng: Rng, ids: Any, config: TransformerConfig) -> Any:
    if not config.segments or rng.integers(2):
        return None
    return rng.integers(0, config.segments, ids.shape)


def _embed(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    config = some_config(rng, lead, tied=True)
    shapes = shapes_of.decoder_shapes(config)
    tables = {n: s for n, s in shapes.items() if "embedding" in n}
    params, ids = some_params(rng, dtype, tables), _ids(rng, _batch(lead), 5, config)
    segments = _segments(rng, ids, config)
    return {"ids": ids, "params": params, "config": config, "segments": segments}


def _logits(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    config = some_config(rng, lead)
    name = "token_embedding.weight" if config.tied else "output_proj.weight"
    params = some_params(rng, dtype, {name: (config.vocabulary, config.width)})
    return {"states": normal(rng, dtype, *lead, config.width), "params": params, "config": config}


def _decoder(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    config = some_config(rng, lead)
    params = some_params(rng, dtype, shapes_of.decoder_shapes(config))
    return {"ids": _ids(rng, _batch(lead), 4, config), "params": params, "config": config}


def _decoder_step(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given, B = _decoder(rng, dtype, lead), _batch(lead)
    config, params = given["config"], given["params"]
    cache = numpy_wing.empty_cache(config, B, dtype.type)
    lengths = rng.integers(0, 4, size=B)
    _, cache = numpy_wing.decoder_step(
        _ids(rng, B, 3, config), cache, params, config, lengths=lengths
    )
    ids, lengths = _ids(rng, B, 2, config), (None, rng.integers(0, 3, size=B))[rng.integers(2)]
    return {"ids": ids, "cache": cache, "params": params, "config": config, "lengths": lengths}


def _encoder(rng: Rng, dtype: Any, lead: Lead, **fixed: Any) -> Arguments:
    config, B = some_config(rng, lead, **fixed), _batch(lead)
    ids = _ids(rng, B, 4, config)
    return {
        "ids": ids,
        "params": some_params(rng, dtype, shapes_of.encoder_shapes(config)),
        "config": config,
        "lengths": _lengths(rng, B, 4),
        "segments": _segments(rng, ids, config),
    }


def _classifier(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return _encoder(rng, dtype, lead, classes=3)


def _seq2seq(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    config, B = some_config(rng, lead), _batch(lead)
    return {
        "source": _ids(rng, B, 4, config),
        "target": _ids(rng, B, 3, config),
        "params": some_params(rng, dtype, shapes_of.seq2seq_shapes(config)),
        "config": config,
        "source_lengths": _lengths(rng, B, 4),
    }


def _start(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {name: v for name, v in _seq2seq(rng, dtype, lead).items() if name != "target"}


def _seq2seq_step(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given = _start(rng, dtype, lead)
    cache, config = numpy_wing.seq2seq_start(**given), given["config"]
    ids = _ids(rng, _batch(lead), 2, config)
    return {"ids": ids, "cache": cache, "params": given["params"], "config": config}


def _select(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    given, B = _seq2seq_step(rng, dtype, lead), _batch(lead)
    return {"cache": given["cache"], "rows": rng.integers(0, max(B, 1), size=min(B, 1) * 4)}


def _config(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"config": some_config(rng, lead, classes=int(rng.integers(3)))}


def _config_and_rows(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"config": some_config(rng, lead), "B": _batch(lead)}


def _shapes(rng: Rng, dtype: Any, lead: Lead) -> Arguments:
    return {"shapes": {"a_norm.weight": (3,), "a.weight": (2, 3), "a.bias": (2,)}}


def _generator(wing: Any) -> Any:
    if wing is numpy_wing:
        return np.random.default_rng(1)
    import torch

    return torch.Generator().manual_seed(1)


def _initialised(name: str) -> Any:
    """The draws of the wings differ: what is compared is names, order and shapes."""

    def call(wing: Any, **arguments: Any) -> Any:
        params = getattr(wing, name)(*arguments.values(), _generator(wing))
        return [(key, tuple(value.shape)) for key, value in params.items()]

    return call


def _model(name: str) -> Any:
    def call(wing: Any, config: Any, params: Any, **inputs: Any) -> Any:
        return getattr(wing, name)(config, params)(**inputs)

    return call


add(Case("embed_tokens", _embed, gradients=("params",)))
add(Case("output_logits", _logits, ("logits",), ("states", "params")))
add(Case("decoder", _decoder, ("logits",), ("params",)))
add(Case("decoder_step", _decoder_step, ("logits", "cache")))
add(Case("decoder_weights", _decoder, ("weights",)))
add(Case("encoder", _encoder, ("states",), ("params",)))
add(Case("encoder_weights", _encoder, ("weights",)))
add(Case("classifier", _classifier, ("logits",), ("params",)))
add(Case("seq2seq", _seq2seq, ("logits",), ("params",)))
add(Case("seq2seq_start", _start, ("cache",)))
add(Case("seq2seq_step", _seq2seq_step, ("logits", "cache")))
add(Case("seq2seq_weights", _seq2seq, ("weights",)))
add(Case("select_rows", _select, ("cache",)))
add(Case("empty_cache", _config_and_rows, ("cache",)))
add(
    Case(
        "Cache",
        _config_and_rows,
        ("cache",),
        call=lambda wing, **given: wing.Cache(*wing.empty_cache(**given)),
    )
)
for name, draw in (
    ("init_decoder", _config),
    ("init_encoder", _config),
    ("init_seq2seq", _config),
    ("init_parameters", _shapes),
):
    add(Case(name, draw, ("params",), call=_initialised(name)))
add(Case("Decoder", _decoder, ("logits",), call=_model("Decoder")))
add(Case("Encoder", _encoder, ("states",), call=_model("Encoder")))
add(Case("Seq2Seq", _seq2seq, ("logits",), call=_model("Seq2Seq")))
