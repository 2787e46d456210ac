"""Masks of other libraries in our words, and which of torch's layers and masks are refused."""

from typing import Any

import numpy as np
import pytest
import torch
from test_interop_errors import refused
from torch import nn

from companion.config import TransformerConfig
from companion.interop import (
    from_decoder_layer,
    from_encoder_layer,
    from_multihead_attention,
    lengths_from_attention_mask,
    mask_from_torch,
)

C, H, F = 14, 2, 6

# -------------------------------------------------------------------------------------- layers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kdim": 3}, "module.kdim: expected 14, got 3"),
        ({"vdim": 3}, "module.vdim: expected 14, got 3"),
        ({"add_bias_kv": True}, "module.add_bias_kv: expected False, got True"),
        ({"add_zero_attn": True}, "module.add_zero_attn: expected False, got True"),
    ],
)
def test_attention_options(options: Any, message: str) -> None:
    module = nn.MultiheadAttention(C, H, **options)
    refused(ValueError, message, from_multihead_attention, module)


def test_layer_options() -> None:
    layer = nn.TransformerEncoderLayer(C, H, F, activation=torch.tanh)
    message = f"module.activation: expected relu, gelu or silu of torch, got {torch.tanh!r}"
    refused(ValueError, message, from_encoder_layer, layer)
    layer = nn.TransformerDecoderLayer(C, H, F)
    layer.norm3.eps = 0.1
    refused(ValueError, "module.norm3.eps: expected 1e-05, got 0.1", from_decoder_layer, layer)
    layer.norm2 = nn.RMSNorm(C)
    with pytest.raises(TypeError, match=r"^module\.norm2: expected .*LayerNorm, got .*RMSNorm$"):
        from_decoder_layer(layer)
    with pytest.raises(TypeError, match=r"^module: expected .*EncoderLayer, got .*DecoderLayer$"):
        from_encoder_layer(nn.TransformerDecoderLayer(C, H, F))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm": "rms"}, "config.norm: expected 'layer', got 'rms'"),
        ({"key_heads": 1}, "config.key_heads: expected 2, got 1"),
        (
            {"feed_forward": "swiglu"},
            "config.feed_forward: expected one that torch's layers have, got 'swiglu'",
        ),
        (
            {"positions": "alibi"},
            "config.positions: expected one that torch's layers have, got 'alibi'",
        ),
    ],
)
def test_configs_that_torch_has_no_layer_for(changes: Any, message: str) -> None:
    config = TransformerConfig(vocabulary=1, width=C, heads=H, hidden=F).but(**changes)
    state = nn.TransformerEncoderLayer(C, H, F).state_dict()
    refused(ValueError, message, from_encoder_layer, state, config)


def test_config_with_a_state_and_not_with_a_module() -> None:
    layer = nn.TransformerEncoderLayer(C, H, F)
    message = "config: expected a TransformerConfig with a state_dict, got None"
    refused(TypeError, message, from_encoder_layer, layer.state_dict())
    message = "config: expected None with a module, which has its own, got one"
    refused(TypeError, message, from_encoder_layer, layer, from_encoder_layer(layer).config)


# --------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("move", [np.array, torch.tensor])
def test_torch_masks_by_hand(move: Any) -> None:
    pad = [[False, True], [False, False]]  # row 0: key 1 is padding
    look = [[0.0, -np.inf], [0.0, 0.0], [-np.inf, 0.0]]  # query 0 not at key 1, query 2 not at 0
    assert mask_from_torch() is None
    mask = mask_from_torch(move(pad))
    assert mask.tolist() == [[[True, False]], [[True, True]]]
    mask = mask_from_torch(attn_mask=move(look))
    assert mask.tolist() == [[True, False], [True, True], [False, True]]
    mask = mask_from_torch(move(pad), move(look))
    assert mask.tolist() == [
        [[True, False], [True, False], [False, False]],
        [[True, False], [True, True], [False, True]],
    ]
    each = move([[[True, False]], [[False, False]], [[False, True]], [[True, True]]])
    mask = mask_from_torch(attn_mask=each, heads=2)  # (B·H, T, S), the heads of a row together
    assert mask.tolist() == [[[[False, True]], [[True, True]]], [[[True, False]], [[False, False]]]]


@pytest.mark.parametrize("move", [np.array, torch.tensor])
def test_lengths_by_hand(move: Any) -> None:
    mask = move([[1, 1, 1], [1, 0, 0], [0, 0, 0]])
    assert lengths_from_attention_mask(mask).tolist() == [3, 1, 0]
    assert lengths_from_attention_mask(mask == 1).tolist() == [3, 1, 0]


YES = np.zeros((2, 3), bool)
NOT_MASKS = [
    ((YES[0],), ValueError, "key_padding_mask: expected at least 2 axes, got shape (3,)"),
    (
        (YES[None],),
        ValueError,
        "key_padding_mask: expected shape (1, 3) = (B, S), got (1, 2, 3)",
    ),
    ((YES + 0,), TypeError, "key_padding_mask: expected a floating dtype, got int64"),
    (
        (YES + 0.5,),
        ValueError,
        "key_padding_mask: expected 0 = may look and -inf = must not, got other numbers",
    ),
    (
        (None, np.full((2, 3), np.nan)),
        ValueError,
        "attn_mask: expected 0 = may look and -inf = must not, got other numbers",
    ),
    (
        (None, np.zeros((1, 1, 2, 3), bool)),
        ValueError,
        "attn_mask: expected (T, S) or (B·H, T, S), got (1, 1, 2, 3)",
    ),
    (
        (YES, np.zeros((4, 4), bool)),
        ValueError,
        "attn_mask: expected B and S like key_padding_mask (2, 3), got (4, 4)",
    ),
    (
        (YES, np.zeros((3, 4, 3), bool)),
        ValueError,
        "attn_mask: expected B and S like key_padding_mask (2, 3), got (3, 1, 4, 3)",
    ),
    ((YES, torch.tensor(YES)), TypeError, "attn_mask: expected numpy.ndarray, got torch.Tensor"),
    ((YES.tolist(),), TypeError, "key_padding_mask: expected numpy.ndarray, got builtins.list"),
]


@pytest.mark.parametrize(("masks", "kind", "message"), NOT_MASKS)
def test_masks_that_are_refused(masks: Any, kind: type[Exception], message: str) -> None:
    refused(kind, message, mask_from_torch, *masks)


def test_heads_that_do_not_divide() -> None:
    message = "attn_mask: expected (B·H, T, S) with H = 2, got (3, 1, 2)"
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole message is compared)
        mask_from_torch(attn_mask=np.zeros((3, 1, 2), bool), heads=2)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("mask", "kind", "message"),
    [
        ([[0, 1]], ValueError, "expected padding at the right alone, got 1 after a 0"),
        ([[1, 2]], ValueError, "expected 1 = real and 0 = padding, got other numbers"),
        ([1, 0], ValueError, "expected (B, S), got (2,)"),
        ([[1.0, 0.0]], TypeError, "expected integers, got float64"),
    ],
)
def test_attention_masks_that_are_refused(mask: Any, kind: type[Exception], message: str) -> None:
    refused(kind, f"attention_mask: {message}", lengths_from_attention_mask, np.array(mask))
