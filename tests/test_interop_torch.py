"""Weights of torch.nn's layers, loaded into both wings, give what torch's layers give.

Modules are drawn anew with numbers in every parameter, biases and norms too: torch starts several
of them at 0 or 1, where a forgotten one would not show.

Tolerances: outputs are of order 1 after a norm or a projection and sum up at most a few dozen
products, so float64 (rounds at 1e-16) must agree to 1e-10 and float32 (6e-8) to 1e-5.
"""

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from wings import Wing

from companion.config import TransformerConfig
from companion.interop import (
    as_numpy,
    as_torch,
    from_decoder_layer,
    from_encoder_layer,
    from_multihead_attention,
    mask_from_torch,
)

B, T, S, H, D, F = 2, 3, 5, 2, 7, 6
C = H * D
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
DTYPES = list(TOLERANCE)
PADDING = torch.tensor([[False] * 5, [False, False, False, True, True]])  # torch: True = ignore


def drawn(module: nn.Module, dtype: torch.dtype) -> Any:
    generator = torch.Generator().manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return module.eval().to(dtype)


def vectors(*shape: int, dtype: torch.dtype, seed: int = 1) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def given(wing: Wing, *tensors: Any) -> list[Any]:
    return [t if t is None or wing.name == "torch" else t.numpy() for t in tensors]


def params_in(wing: Wing, params: Any) -> Any:
    return as_numpy(params) if wing.name == "numpy" else params


def assert_same(ours: Any, theirs: torch.Tensor) -> None:
    ours, expected = np.asarray(ours), theirs.detach().numpy()
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    tolerance = TOLERANCE[theirs.dtype]
    np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=tolerance)


# ------------------------------------------------------------------------ multi-head attention

ATTENTIONS = list(itertools.product((True, False), (True, False), DTYPES))


@pytest.mark.parametrize(("bias", "batch_first", "dtype"), ATTENTIONS)
def test_multihead_attention(wing: Wing, bias: bool, batch_first: bool, dtype: Any) -> None:
    module = drawn(nn.MultiheadAttention(C, H, bias=bias, batch_first=batch_first), dtype)
    query, key = vectors(B, T, C, dtype=dtype), vectors(B, S, C, dtype=dtype, seed=2)
    look = torch.rand(B * H, T, S, generator=torch.Generator().manual_seed(3)) < 0.3
    look[..., 0] = False  # a query that sees no key is NaN in torch
    turned = [x if batch_first else x.swapaxes(0, 1) for x in (query, key)]
    theirs, weights = module(
        *(turned[0], turned[1], turned[1]),
        key_padding_mask=PADDING,
        attn_mask=look,
        average_attn_weights=False,
    )
    _, average = module(
        *(turned[0], turned[1], turned[1]), key_padding_mask=PADDING, attn_mask=look
    )
    config, params = from_multihead_attention(module)
    params = params_in(wing, params)
    mask = mask_from_torch(*given(wing, PADDING, look), heads=H)
    ours = given(wing, query, key)
    output = wing.lib.multi_head_attention(*ours, params, mask, heads=config.heads)
    assert_same(output, theirs if batch_first else theirs.swapaxes(0, 1))
    ours_weights = wing.lib.multi_head_weights(*ours, params, mask, heads=config.heads)
    assert_same(ours_weights, weights)
    assert_same(ours_weights.mean(1), average)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_state_dict_of_arrays_will_do_with_a_config(wing: Wing, dtype: Any) -> None:
    module = drawn(nn.MultiheadAttention(C, H, batch_first=True), dtype)
    state = as_numpy(module.state_dict())
    config = TransformerConfig(vocabulary=1, width=C, heads=H)
    imported = from_multihead_attention(state, config)
    assert imported.config is config
    assert {type(array) for array in imported.params.values()} == {np.ndarray}
    params = imported.params if wing.name == "numpy" else as_torch(imported.params)
    query = vectors(B, T, C, dtype=dtype)
    ours = given(wing, query)[0]
    output = wing.lib.multi_head_attention(ours, ours, params, heads=H)
    assert_same(output, module(query, query, query)[0])


def test_a_query_that_sees_no_key_is_nan_in_torch_and_zeros_here(wing: Wing) -> None:
    module = drawn(nn.MultiheadAttention(C, H, batch_first=True), torch.float64)
    query, all_padding = vectors(1, T, C, dtype=torch.float64), torch.ones(1, T, dtype=torch.bool)
    assert module(query, query, query, key_padding_mask=all_padding)[0].isnan().all()
    params = params_in(wing, from_multihead_attention(module).params)
    ours, mask = given(wing, query, mask_from_torch(all_padding))
    output = wing.lib.multi_head_attention(ours, ours, params, mask, heads=H)
    assert_same(output, module.out_proj.bias.expand(1, T, C))


# ------------------------------------------------------------------------------------- blocks

LAYERS = [
    pytest.param(norm_first, bias, activation, dtype, id=f"{norm_first}-{bias}-{number}-{dtype}")
    for norm_first, bias, (number, activation), dtype in itertools.product(
        (True, False),
        (True, False),
        enumerate(("relu", nn.GELU(approximate="tanh"))),
        DTYPES,
    )
]


def _layer(kind: type, norm_first: bool, bias: bool, activation: Any, dtype: Any) -> Any:
    options = {"batch_first": True, "layer_norm_eps": 0.1}  # large, so that its place shows
    module = kind(C, H, F, activation=activation, norm_first=norm_first, bias=bias, **options)
    return drawn(module, dtype)


@pytest.mark.parametrize(("norm_first", "bias", "activation", "dtype"), LAYERS)
def test_encoder_layer(
    wing: Wing, norm_first: bool, bias: bool, activation: Any, dtype: Any
) -> None:
    module = _layer(nn.TransformerEncoderLayer, norm_first, bias, activation, dtype)
    config, params = from_encoder_layer(module)
    inputs = vectors(B, S, C, dtype=dtype)
    causal = torch.triu(torch.ones(S, S, dtype=torch.bool), 1)
    theirs = module(inputs, src_mask=causal, src_key_padding_mask=PADDING)
    ours, mask = given(wing, inputs, mask_from_torch(PADDING, causal))
    assert_same(wing.lib.transformer_block(ours, params_in(wing, params), config, mask), theirs)


@pytest.mark.parametrize(("norm_first", "bias", "activation", "dtype"), LAYERS)
def test_decoder_layer(
    wing: Wing, norm_first: bool, bias: bool, activation: Any, dtype: Any
) -> None:
    module = _layer(nn.TransformerDecoderLayer, norm_first, bias, activation, dtype)
    config, params = from_decoder_layer(module)
    inputs, memory = vectors(B, T, C, dtype=dtype), vectors(B, S, C, dtype=dtype, seed=2)
    causal = nn.Transformer.generate_square_subsequent_mask(T, dtype=dtype)
    theirs = module(inputs, memory, tgt_mask=causal, memory_key_padding_mask=PADDING)
    look, seen = mask_from_torch(attn_mask=causal), mask_from_torch(PADDING)
    x, m, look, seen = given(wing, inputs, memory, look, seen)
    params = params_in(wing, params)
    output = wing.lib.transformer_block(x, params, config, look, memory=m, memory_mask=seen)
    assert_same(output, theirs)


@pytest.mark.parametrize(
    ("activation", "ours"),
    [
        (nn.functional.gelu, "gelu"),
        (nn.GELU(), "gelu"),
        (nn.functional.silu, "silu"),
        (nn.SiLU(), "silu"),
        (torch.relu, "relu"),
        (nn.ReLU(), "relu"),
    ],
)
def test_activations(wing: Wing, activation: Any, ours: str) -> None:
    module = _layer(nn.TransformerEncoderLayer, False, True, activation, torch.float64)
    config, params = from_encoder_layer(module)
    assert config.feed_forward == ours
    inputs = vectors(B, S, C, dtype=torch.float64)
    params = params_in(wing, params)
    output = wing.lib.transformer_block(given(wing, inputs)[0], params, config)
    assert_same(output, module(inputs))


def test_what_comes_out_is_a_copy() -> None:
    module = drawn(nn.TransformerEncoderLayer(C, H, F), torch.float64)
    before = {name: array.clone() for name, array in module.state_dict().items()}
    for array in from_encoder_layer(module).params.values():
        assert array.is_contiguous()
        assert not array.requires_grad
        array += 1
    for name, array in module.state_dict().items():
        assert torch.equal(array, before[name])


def test_there_and_back_between_the_wings() -> None:
    params = from_multihead_attention(drawn(nn.MultiheadAttention(C, H), torch.float32)).params
    arrays = as_numpy(params)
    back = as_torch(arrays)
    assert list(arrays) == list(back) == list(params)
    for name, array in params.items():
        assert arrays[name].dtype == np.float32
        assert torch.equal(back[name], array)
        back[name] += 1
        assert np.array_equal(arrays[name], array.numpy())  # a copy, too


def test_importing_the_package_imports_no_other_library() -> None:
    code = (
        "import companion.interop, sys; "
        "sys.exit(bool({'torch', 'transformers', 'matplotlib'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_as_torch_keeps_the_dtypes_that_numpy_has_not() -> None:
    tensor = torch.tensor([1.5, -2.0], dtype=torch.bfloat16, requires_grad=True)
    copy = as_torch({"w": tensor})["w"]
    assert copy.dtype == torch.bfloat16
    assert not copy.requires_grad
    assert copy.data_ptr() != tensor.data_ptr()
    assert torch.equal(copy, tensor)
