"""What cannot be loaded is refused by name: options, names, shapes, dtypes, numbers."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from companion.interop import (
    as_numpy,
    as_torch,
    from_encoder_layer,
    from_hf_bert,
    from_hf_gpt2,
    from_multihead_attention,
)
from companion.params import attention_shapes

C, H, F = 14, 2, 6
BERT = {
    "model_type": "bert",
    "vocab_size": 3,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 5,
    "max_position_embeddings": 6,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
}
GPT2 = {
    "model_type": "gpt2",
    "vocab_size": 3,
    "n_embd": 4,
    "n_layer": 1,
    "n_head": 2,
    "n_positions": 6,
    "layer_norm_epsilon": 1e-5,
    "activation_function": "gelu_new",
    "resid_pdrop": 0.1,
}


def linear(name: str, *shape: int) -> dict[str, Any]:
    return {f"{name}.weight": np.ones(shape), f"{name}.bias": np.ones(shape[0])}


def bert_state() -> dict[str, Any]:
    state = {
        f"embeddings.{name}_embeddings.weight": np.ones((rows, 4))
        for name, rows in (("word", 3), ("position", 6), ("token_type", 2))
    }
    block = "encoder.layer.0."
    for name in ("self.query", "self.key", "self.value", "output.dense"):
        state |= linear(f"{block}attention.{name}", 4, 4)
    state |= linear(f"{block}intermediate.dense", 5, 4) | linear(f"{block}output.dense", 4, 5)
    for norm in ("embeddings.", f"{block}attention.output.", f"{block}output."):
        state |= linear(f"{norm}LayerNorm", 4)
    return state


def gpt2_state() -> dict[str, Any]:
    state = {"wte.weight": np.ones((3, 4)), "wpe.weight": np.ones((6, 4))}
    for name, into, out in (
        ("attn.c_attn", 4, 12),
        ("attn.c_proj", 4, 4),
        ("mlp.c_fc", 4, 16),
        ("mlp.c_proj", 16, 4),
    ):
        state[f"h.0.{name}.weight"], state[f"h.0.{name}.bias"] = np.ones((into, out)), np.ones(out)
    return state | linear("h.0.ln_1", 4) | linear("h.0.ln_2", 4) | linear("ln_f", 4)


def refused(kind: type[Exception], message: str, call: Any, *arguments: Any) -> None:
    with pytest.raises(kind) as caught:
        call(*arguments)
    assert str(caught.value) == message


def test_what_old_files_hold_besides_is_left_out() -> None:
    plain = from_hf_bert(bert_state(), BERT)
    state = bert_state() | linear("pooler.dense", 4, 4)
    state["embeddings.position_ids"] = np.arange(6)[None]
    assert from_hf_bert(state, BERT).params.keys() == plain.params.keys()
    masks = {"h.0.attn.bias": np.ones((1, 1, 6, 6), bool), "h.0.attn.masked_bias": np.array(-1e4)}
    imported = from_hf_gpt2(gpt2_state() | masks, GPT2)
    assert imported.params.keys() == from_hf_gpt2(gpt2_state(), GPT2).params.keys()


# ------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("load", "fields", "name", "value", "expected"),
    [
        (from_hf_bert, BERT, "model_type", "roberta", "'bert'"),
        (from_hf_bert, BERT, "position_embedding_type", "relative_key", "'absolute'"),
        (from_hf_bert, BERT, "is_decoder", True, "False"),
        (from_hf_bert, BERT, "add_cross_attention", True, "False"),
        (from_hf_gpt2, GPT2, "model_type", "gptj", "'gpt2'"),
        (from_hf_gpt2, GPT2, "scale_attn_weights", False, "True"),
        (from_hf_gpt2, GPT2, "scale_attn_by_inverse_layer_idx", True, "False"),
        (from_hf_gpt2, GPT2, "add_cross_attention", True, "False"),
    ],
)
def test_hf_options(load: Any, fields: Any, name: str, value: Any, expected: str) -> None:
    state = bert_state() if load is from_hf_bert else gpt2_state()
    message = f"hf_config.{name}: expected {expected}, got {value!r}"
    refused(ValueError, message, load, state, fields | {name: value})


def test_hf_configs() -> None:
    acts = "expected one of relu, gelu, gelu_new, gelu_pytorch_tanh, silu, swish, got 'mish'"
    for load, state, fields, name in (
        (from_hf_bert, bert_state(), BERT, "hidden_act"),
        (from_hf_gpt2, gpt2_state(), GPT2, "activation_function"),
    ):
        refused(ValueError, f"hf_config.{name}: {acts}", load, state, fields | {name: "mish"})
        rest = {n: v for n, v in fields.items() if n != name}
        refused(ValueError, f"hf_config.{name}: expected a value, got none", load, state, rest)
        message = "hf_config: expected a config or its dict, got str"
        refused(TypeError, message, load, state, "bert-base-uncased")
        message = "state_dict: expected a mapping of names to arrays, got list"
        refused(TypeError, message, load, [], fields)


def test_an_output_projection_that_is_not_tied_though_the_config_says_so() -> None:
    state = gpt2_state()
    message = (
        "state_dict['lm_head.weight']: expected the token embedding, for "
        "hf_config.tie_word_embeddings is True, got another array"
    )
    for other in (2 * state["wte.weight"], np.ones((1, 4))):
        refused(ValueError, message, from_hf_gpt2, state | {"lm_head.weight": other}, GPT2)
    assert from_hf_gpt2(state | {"lm_head.weight": state["wte.weight"]}, GPT2).config.tied


# ------------------------------------------------------------------- names, shapes, numbers


def test_names() -> None:
    state = bert_state() | {"cls.predictions.bias": np.ones(3)}
    del state["embeddings.LayerNorm.bias"]
    message = (
        "state_dict: expected the names of its config, got "
        "missing: embeddings.LayerNorm.bias; unexpected: cls.predictions.bias"
    )
    refused(ValueError, message, from_hf_bert, state, BERT)
    with pytest.raises(ValueError, match=r"missing: (h\.1\.\S+ ){4}and 8 more; unexpected: none$"):
        from_hf_gpt2(gpt2_state(), GPT2 | {"n_layer": 2})
    for weight, message in (
        (np.ones(3), "at least 2 axes, got shape (3,)"),
        ([], "numpy.ndarray, got builtins.list"),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            from_hf_bert(bert_state() | {"classifier.weight": weight}, BERT)
        assert str(caught.value) == f"state_dict['classifier.weight']: expected {message}"
    with pytest.raises(ValueError, match=r"missing: none; unexpected: lm\.weight$"):
        from_hf_gpt2(gpt2_state() | {"lm.weight": np.ones(3)}, GPT2)
    state = bert_state() | linear("classifier", 3, 4)  # of tokens: it has no pooler
    with pytest.raises(ValueError, match=r"missing: pooler\.dense\.bias, pooler\.dense\.weight;"):
        from_hf_bert(state, BERT)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("h.0.attn.c_attn.weight", (12, 4), "(4, 12)"),  # as a linear layer would keep it
        ("h.0.attn.c_attn.bias", (4,), "(12,)"),
        ("h.0.mlp.c_fc.weight", (16, 4), "(4, 16)"),
        ("wpe.weight", (5, 4), "(6, 4)"),
    ],
)
def test_shapes(name: str, shape: tuple[int, ...], expected: str) -> None:
    state = gpt2_state() | {name: np.ones(shape)}
    message = (
        f"state_dict[{name!r}]: expected shape {expected} = its shape by the config, got {shape}"
    )
    refused(ValueError, message, from_hf_gpt2, state, GPT2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_numbers(bad: float, library: str) -> None:
    state = gpt2_state()
    state["h.0.ln_2.weight"][1] = bad
    state = state if library == "numpy" else as_torch(state)
    message = "state_dict['h.0.ln_2.weight']: expected finite numbers, got NaN or infinity"
    refused(ValueError, message, from_hf_gpt2, state, GPT2)


def test_dtypes_and_kinds() -> None:
    name = "h.0.ln_2.weight"
    for array, message in (
        (
            np.ones(4, np.float32),
            "expected dtype float64 like state_dict['wte.weight'], got float32",
        ),
        (np.ones(4, int), "expected a floating dtype, got int64"),
        (torch.ones(4), "expected numpy.ndarray, got torch.Tensor"),
        ([1.0] * 4, "expected numpy.ndarray, got builtins.list"),
    ):
        state = gpt2_state() | {name: array}
        refused(TypeError, f"state_dict[{name!r}]: {message}", from_hf_gpt2, state, GPT2)


def test_there_and_back() -> None:
    message = "params['a']: expected a dtype that NumPy has, got bfloat16; take .float() of it"
    refused(TypeError, message, as_numpy, {"a": torch.ones(2, dtype=torch.bfloat16)})
    for move in (as_numpy, as_torch):
        refused(
            TypeError, "params['a']: expected numpy.ndarray, got builtins.list", move, {"a": [1.0]}
        )


def test_norms_without_bias_get_zeros_from_arrays_too() -> None:
    layer = nn.TransformerEncoderLayer(C, H, F, bias=False)
    config = from_encoder_layer(layer).config
    params = from_encoder_layer(as_numpy(layer.state_dict()), config).params
    for name in ("self_attention_norm.bias", "feed_forward_norm.bias"):
        assert params[name].dtype == np.float32
        assert np.array_equal(params[name], np.zeros(C))


def test_half_precision_stays() -> None:
    module = nn.MultiheadAttention(C, H).to(torch.bfloat16)
    config, params = from_multihead_attention(module)
    assert {array.dtype for array in params.values()} == {torch.bfloat16}
    assert params.keys() == attention_shapes(config).keys()
