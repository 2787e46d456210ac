"""Layers, positions and heads against torch.nn.functional, closed forms and hand-worked numbers.

Parity of the wings and finite differences of every backward are in `test_parity`; here each wing
stands against something written by others or by hand.
"""

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

import companion.with_numpy as numpy_wing
from companion import params as shapes_of
from companion.config import TransformerConfig

B, T, S, H, D, C = 2, 3, 5, 4, 6, 24
# The same few products and sums in another order: some roundings of 6e-8 (float32), 1e-16.
TOLERANCE = {"float32": 2e-6, "float64": 1e-14}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE)


def normal(dtype: str, *shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def same(wing: Any, ours: Any, theirs: Any, dtype: str, room: float = 1) -> None:
    ours, theirs = wing.numpy(ours), np.asarray(theirs)
    assert ours.dtype == theirs.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=room * TOLERANCE[dtype])


# ------------------------------------------------------------------ torch.nn.functional


@DTYPES
@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("relu", F.relu),
        ("gelu", F.gelu),
        ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh")),
        ("silu", F.silu),
    ],
)
def test_activations(wing: Any, dtype: str, name: str, oracle: Any) -> None:
    inputs = np.concatenate([np.linspace(-9, 9, 181), [-500, 500, 0]]).astype(dtype)
    ours = getattr(wing.lib, name)(wing.array(inputs))
    scale = np.maximum(np.abs(inputs), 1)  # the outputs are of the inputs' size
    same(wing, ours / wing.array(scale), oracle(torch.tensor(inputs)).numpy() / scale, dtype)


def test_the_two_gelus_are_near(wing: Any) -> None:
    inputs = wing.array(np.linspace(-6, 6, 2001))
    gap = np.abs(wing.numpy(wing.lib.gelu(inputs) - wing.lib.gelu_tanh(inputs))).max()
    assert 1e-4 < gap < 5e-4  # what the docstring says, and that they are not one function


@DTYPES
def test_norms(wing: Any, dtype: str) -> None:
    inputs = 3 * normal(dtype, B, T, C) + 2
    weight, bias = normal(dtype, C, seed=1), normal(dtype, C, seed=2)
    tensors = [torch.tensor(x) for x in (inputs, weight, bias)]
    ours = wing.lib.layer_norm(*(wing.array(x) for x in (inputs, weight, bias)), eps=0.1)
    same(wing, ours, F.layer_norm(tensors[0], (C,), *tensors[1:], eps=0.1), dtype)
    ours = wing.lib.rms_norm(wing.array(inputs), wing.array(weight), eps=0.1)
    same(wing, ours, F.rms_norm(tensors[0], (C,), tensors[1], eps=0.1), dtype)


def test_norm_of_a_constant_vector_is_the_bias(wing: Any) -> None:
    weight, bias = wing.array(np.ones(4)), wing.array(np.arange(4.0))
    ours = wing.lib.layer_norm(wing.array(np.full((1, 4), 7.0)), weight, bias)
    assert ours.tolist() == [[0, 1, 2, 3]]
    assert wing.lib.rms_norm(wing.array(np.zeros((1, 4))), weight).tolist() == [[0, 0, 0, 0]]


def test_norms_of_float16_neither_overflow_nor_divide_by_zero(wing: Any) -> None:
    """300² is beyond float16's 65504, and float16 rounds an eps of 1e-12 to 0."""
    loud = torch.tensor([[300.0, -300.0, 200.0, 0.0], [7.0, 7.0, 7.0, 7.0]], dtype=torch.float16)
    one = torch.ones(4, dtype=torch.float16)
    ours = [wing.array(x.numpy()) for x in (loud, one, 0 * one)]
    pairs = [
        (wing.lib.layer_norm(*ours, 1e-12), F.layer_norm(loud.double(), (4,), eps=1e-12)),
        (wing.lib.rms_norm(*ours[:2], 1e-12), F.rms_norm(loud.double(), [4], eps=1e-12)),
    ]
    for our, their in pairs:
        assert wing.numpy(our).dtype == np.float16
        np.testing.assert_allclose(
            wing.numpy(our), their, rtol=0, atol=2e-3
        )  # spacing at 1.5: 1e-3


def test_norm_gradients_of_float16_are_those_of_float64() -> None:
    loud, grad = normal("float64", B, 8) * 400, normal("float64", B, 8, seed=1)
    weight, bias = np.ones(8), np.zeros(8)
    for backward, rest in (
        (numpy_wing.layer_norm_backward, (weight, bias)),
        (numpy_wing.rms_norm_backward, (weight,)),
    ):
        exact = backward(grad, loud, *rest)
        ours = backward(*(x.astype("float16") for x in (grad, loud, *rest)))
        for our, their in zip(ours, exact, strict=True):
            assert our.dtype == np.float16
            np.testing.assert_allclose(our, their, rtol=0, atol=1e-2)  # sums of rounding 1e-3


@pytest.mark.parametrize(("dtype", "far"), [("float16", 300.0), ("float32", 1e30)])
@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu"])
def test_activations_far_out_are_those_of_relu(dtype: str, far: float, name: str) -> None:
    """Where x³ overflows, 0 · inf was NaN."""
    x = np.array([far, -far], dtype)
    forward, backward = getattr(numpy_wing, name), getattr(numpy_wing, f"{name}_backward")
    assert forward(x).tolist() == [x[0], 0.0]
    assert backward(np.ones_like(x), x).tolist() == [1.0, 0.0]


def test_layer_norm_by_hand(wing: Any) -> None:
    # mean 2, variance ((-1)² + 1²) / 2 = 1, eps 3: (x - 2) / √4
    ours = wing.lib.layer_norm(*map(wing.array, ([[1.0, 3.0]], [2.0, 4.0], [0.0, 1.0])), eps=3.0)
    assert ours.tolist() == [[-1, 3]]
    # mean square (9 + 16) / 2 = 12.5, eps 12.5: x / 5
    ours = wing.lib.rms_norm(wing.array([[3.0, 4.0]]), wing.array([5.0, 10.0]), eps=12.5)
    np.testing.assert_allclose(wing.numpy(ours), [[3, 8]], rtol=1e-15)  # torch rounds the root


@DTYPES
def test_linear_and_embedding(wing: Any, dtype: str) -> None:
    inputs, weight, bias = normal(dtype, B, T, 5), normal(dtype, 7, 5), normal(dtype, 7)
    for given in ((inputs, weight, bias), (inputs, weight)):
        theirs = F.linear(*map(torch.tensor, given))
        same(wing, wing.lib.linear(*map(wing.array, given)), theirs, dtype, 2)
    ids = np.array([[4, 0, 4], [6, 1, 4]])
    theirs = F.embedding(torch.tensor(ids), torch.tensor(weight))
    same(wing, wing.lib.embedding(wing.array(ids), wing.array(weight)), theirs, dtype)


def test_linear_without_bias_has_no_bias_gradient() -> None:
    grads = numpy_wing.linear_backward(normal("float32", T, 7), normal("float32", T, 5),
                                       normal("float32", 7, 5))  # fmt: skip
    assert grads[2] is None


def test_a_tied_weight_gets_the_sum_of_its_gradients() -> None:
    config = TransformerConfig(vocabulary=7, width=4, heads=1, positions="none")
    assert config.tied
    ids, table = np.array([[1, 3, 1]]), normal("float64", 7, 4)
    params, grad = {"token_embedding.weight": table}, normal("float64", 1, 3, 7)
    vectors = numpy_wing.embed_tokens(ids, params, config)
    grad_vectors, of_output = numpy_wing.output_logits_backward(grad, vectors, params, config)
    of_input = numpy_wing.embed_tokens_backward(grad_vectors, ids, params, config)
    ours = shapes_of.summed(of_input, of_output)["token_embedding.weight"]
    weight = torch.tensor(table, requires_grad=True)
    (2 * weight[ids] @ weight.T * torch.tensor(grad)).sum().backward()  # 2 = √C
    np.testing.assert_allclose(ours, weight.grad.numpy(), rtol=0, atol=1e-13)


# -------------------------------------------------------------------------- positions


@DTYPES
def test_rotary_turns_complex_numbers(wing: Any, dtype: str) -> None:
    vectors, positions = normal(dtype, B, H, T, D), np.array([0, 5, 131])
    turned = wing.numpy(wing.lib.rotary(wing.array(vectors), wing.array(positions)))
    numbers = vectors[..., 0::2] + 1j * vectors[..., 1::2].astype(dtype)
    speed = 1 / 10_000 ** (2 * np.arange(D // 2) / D)
    theirs = numbers * np.exp(1j * positions[:, None] * speed)
    assert turned.dtype == dtype
    room = 4 * TOLERANCE[dtype]
    np.testing.assert_allclose(turned[..., 0::2], theirs.real, rtol=0, atol=room)
    np.testing.assert_allclose(turned[..., 1::2], theirs.imag, rtol=0, atol=room)


def test_rotary_scores_depend_on_the_offset_alone(wing: Any) -> None:
    query, key = normal("float64", 1, D), normal("float64", 1, D, seed=1)

    def score(at_query: int, at_key: int) -> float:
        turned = (
            wing.numpy(wing.lib.rotary(wing.array(x), wing.array([p])))
            for x, p in ((query, at_query), (key, at_key))
        )
        return float(np.vdot(*turned))

    assert score(7, 3) == pytest.approx(score(104, 100), abs=1e-13)
    assert abs(score(7, 3) - score(7, 4)) > 1e-3
    assert score(9, 9) == pytest.approx(float(np.vdot(query, key)), abs=1e-14)


def test_sinusoids_by_the_formula(wing: Any) -> None:
    ours = wing.numpy(wing.lib.sinusoidal_positions(wing.array([0, 3]), 6))
    speeds = [1, 10_000 ** (-2 / 6), 10_000 ** (-4 / 6)]
    wanted = [f(3 * s) for s in speeds for f in (math.sin, math.cos)]
    np.testing.assert_allclose(ours, [[0, 1, 0, 1, 0, 1], wanted], rtol=0, atol=1e-15)


def test_sinusoid_products_depend_on_the_offset_alone(wing: Any) -> None:
    table = wing.numpy(wing.lib.sinusoidal_positions(wing.array(np.arange(60)), 16))
    products = table @ table.T
    for offset in (1, 7):
        along = np.diagonal(products, offset)
        np.testing.assert_allclose(along, along[0], rtol=0, atol=1e-13)


def test_alibi_slopes_of_the_paper(wing: Any) -> None:
    # Press et al. 2022, section 3: for 8 heads 1/2, 1/4, … 1/256; for 16 the ratio is 2^(-1/2)
    assert wing.numpy(wing.lib.alibi_slopes(8)).tolist() == [2.0**-h for h in range(1, 9)]
    sixteen = wing.numpy(wing.lib.alibi_slopes(16))
    np.testing.assert_allclose(sixteen, [2 ** (-h / 2) for h in range(1, 17)], rtol=1e-15)
    # no power of two, as in their code: those of 2 (1/16, 1/256), then the first of 4 (1/4)
    assert wing.numpy(wing.lib.alibi_slopes(3)).tolist() == [1 / 16, 1 / 256, 1 / 4]
    assert wing.numpy(wing.lib.alibi_slopes(1)).tolist() == [1 / 256]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_any_integers_are_positions_and_ids(wing: Any, dtype: str) -> None:
    """Unsigned, 0 - 1 is 255; torch's lookup knows int32 and int64 alone."""
    lib, table = wing.lib, wing.array(normal("float32", 5, 4))
    small, usual = wing.array([0, 1, 4], dtype), wing.array([0, 1, 4])
    for ours, theirs in (
        (lib.alibi_bias(small, small, 2), lib.alibi_bias(usual, usual, 2)),
        (lib.embedding(small, table), lib.embedding(usual, table)),
        (lib.rotary(table[:3], small), lib.rotary(table[:3], usual)),
    ):
        np.testing.assert_array_equal(wing.numpy(ours), wing.numpy(theirs))


def test_alibi_bias_by_hand(wing: Any) -> None:
    bias = wing.numpy(wing.lib.alibi_bias(wing.array([1, 2]), wing.array([0, 1, 2]), 2))
    assert bias.tolist() == [
        [[-1 / 16, 0, -1 / 16], [-2 / 16, -1 / 16, 0]],
        [[-1 / 256, 0, -1 / 256], [-2 / 256, -1 / 256, 0]],
    ]


# ---------------------------------------------------------------------------- dropout


def test_dropout_keeps_the_mean_and_repeats_with_its_seed(wing: Any) -> None:
    ones = wing.array(np.ones((200, 500), "float32"))
    once, again, other = (wing.numpy(wing.lib.dropout(ones, 0.25, seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    assert once.dtype == "float32"
    np.testing.assert_allclose(np.unique(once), [0, 4 / 3], rtol=1e-6)
    # the mean of 1e5 draws of standard deviation √(1/3): five of its own deviations
    assert abs(once.mean() - 1) < 5 * (1 / 3 / 1e5) ** 0.5
    assert wing.lib.dropout(ones, 0.25, None) is ones


def test_dropout_backward_draws_the_same_mask() -> None:
    ones = np.ones((50, 50))
    ours = numpy_wing.dropout_backward(ones, 0.5, 3)
    np.testing.assert_array_equal(ours, numpy_wing.dropout(ones, 0.5, 3))
    assert 0 < (ours == 0).mean() < 1


# ------------------------------------------------------------------------------ heads


def drawn_params(config: TransformerConfig, dtype: str) -> dict[str, Any]:
    shapes = shapes_of.attention_shapes(config)
    return {n: 0.5 * normal(dtype, *s, seed=i) for i, (n, s) in enumerate(shapes.items())}


@DTYPES
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_is_that_of_torch(wing: Any, dtype: str, masked: bool) -> None:
    config = TransformerConfig(vocabulary=1, width=C, heads=H)
    params = drawn_params(config, dtype)
    query, key = normal(dtype, B, T, C), normal(dtype, B, S, C, seed=1)
    mask = np.random.default_rng(3).random((B, T, S)) < 0.6
    mask[..., 0] = True  # torch gives NaN to a query that sees nothing
    theirs = torch.nn.MultiheadAttention(C, H, batch_first=True, dtype=getattr(torch, dtype))
    names = ("query_proj", "key_proj", "value_proj")
    state = {
        "in_proj_weight": np.concatenate([params[f"{n}.weight"] for n in names]),
        "in_proj_bias": np.concatenate([params[f"{n}.bias"] for n in names]),
        "out_proj.weight": params["output_proj.weight"],
        "out_proj.bias": params["output_proj.bias"],
    }
    theirs.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    refused = torch.tensor(~np.repeat(mask, H, axis=0)) if masked else None
    memory = torch.tensor(key)
    output, weights = theirs(
        torch.tensor(query), memory, memory, attn_mask=refused, average_attn_weights=False
    )
    given = (
        wing.array(query),
        wing.array(key),
        {n: wing.array(v) for n, v in params.items()},
        wing.array(mask) if masked else None,
    )
    room = 20  # two matrix products of 24 terms of order 3
    same(wing, wing.lib.multi_head_attention(*given, heads=H), output.detach(), dtype, room)
    same(wing, wing.lib.multi_head_weights(*given, heads=H), weights.detach(), dtype, room)


@pytest.mark.parametrize("G", [1, 2, 4])
def test_grouped_heads_are_repeated_heads(wing: Any, G: int) -> None:
    query = normal("float64", B, H, T, D)
    key, value = normal("float64", B, G, S, D, seed=1), normal("float64", B, G, S, D, seed=2)
    full = (wing.array(np.repeat(x, H // G, axis=1)) for x in (key, value))
    theirs, weights = wing.lib.attention(wing.array(query), *full)
    ours = wing.lib.grouped_attention(*map(wing.array, (query, key, value)))
    same(wing, ours[0], theirs, "float64")
    same(wing, ours[1], weights, "float64")
    oracle = F.scaled_dot_product_attention(
        *map(torch.tensor, (query, key, value)), enable_gqa=True
    )
    same(wing, ours[0], oracle, "float64")


def test_a_query_that_sees_nothing_mixes_zeros(wing: Any) -> None:
    config = TransformerConfig(vocabulary=1, width=C, heads=H)
    params = {n: wing.array(v) for n, v in drawn_params(config, "float32").items()}
    mask = np.ones((B, T, S), bool)
    mask[1, 2] = False
    query, key = (wing.array(normal("float32", B, n, C)) for n in (T, S))
    output = wing.numpy(
        wing.lib.multi_head_attention(query, key, params, wing.array(mask), heads=H)
    )
    np.testing.assert_array_equal(output[1, 2], wing.numpy(params["output_proj.bias"]))
    weights = wing.lib.multi_head_weights(query, key, params, wing.array(mask), heads=H)
    assert (wing.numpy(weights)[1, :, 2] == 0).all()


def test_a_blind_query_has_zero_gradient_and_no_nan() -> None:
    import companion.with_torch as lib

    config = TransformerConfig(vocabulary=1, width=C, heads=H)
    params = {n: torch.tensor(v) for n, v in drawn_params(config, "float32").items()}
    query = torch.tensor(normal("float32", 1, T, C), requires_grad=True)
    mask = torch.tensor([[[True] * S, [False] * S, [True] * S]])
    bias = torch.zeros(H, T, S)
    for options in ({}, {"bias": bias}):
        key = torch.tensor(normal("float32", 1, S, C))
        lib.multi_head_attention(query, key, params, mask, heads=H, **options).sum().backward()
        assert query.grad is not None
        assert query.grad.isfinite().all()
        assert (query.grad[0, 1] == 0).all()
        assert (query.grad[0, 0] != 0).any()


@DTYPES
def test_feed_forward_looks_at_one_position(wing: Any, dtype: str) -> None:
    config = TransformerConfig(vocabulary=1, width=C, heads=H, feed_forward="swiglu", hidden=9)
    shapes = shapes_of.part(shapes_of.block_shapes(config), "feed_forward")
    params = {n: wing.array(normal(dtype, *s, seed=i)) for i, (n, s) in enumerate(shapes.items())}
    inputs = normal(dtype, B, T, C)
    moved = inputs.copy()
    moved[:, 1] += 1
    for function in (wing.lib.swiglu, wing.lib.feed_forward):
        before, after = (wing.numpy(function(wing.array(x), params)) for x in (inputs, moved))
        np.testing.assert_array_equal(before[:, [0, 2]], after[:, [0, 2]])
        assert (before[:, 1] != after[:, 1]).any()


@DTYPES
def test_log_softmax(wing: Any, dtype: str) -> None:
    scores = normal(dtype, T, S) * 3
    mask = np.array([[True] * S, [False] * S, [True, False, True, False, True]])
    ours = wing.lib.log_softmax(wing.array(scores), wing.array(mask), temperature=2.0)
    hidden = torch.tensor(scores).masked_fill(~torch.tensor(mask), -torch.inf)
    theirs = F.log_softmax(hidden / 2, dim=-1).numpy()
    theirs[1] = -np.inf  # NaN there
    ours = wing.numpy(ours)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(np.isneginf(ours), ~mask)
    np.testing.assert_allclose(ours[mask], theirs[mask], rtol=0, atol=2 * TOLERANCE[dtype])
    far = wing.numpy(wing.lib.log_softmax(wing.array(np.array([0.0, -900.0], dtype))))
    assert far.tolist() == [0, -900]  # the logarithm of softmax would be -inf
    if wing.name == "numpy":
        grad = numpy_wing.log_softmax_backward(normal(dtype, T, S), ours)
        assert (grad[~mask] == 0).all()


# --------------------------------------------------------------------------- contract


def message(call: Any, error: type[Exception] = ValueError) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_messages_of_layers(wing: Any) -> None:
    lib, a = wing.lib, wing.array
    x, table = a(np.ones((B, T, 6), "float32")), a(np.ones((5, 6), "float32"))
    ids = a(np.array([[0, 5]]))
    assert message(lambda: lib.embedding(ids, table)) == "ids: expected 0 to V-1 = 4, got 0 to 5"
    ids = a(np.array([[3, -1]]))
    assert message(lambda: lib.embedding(ids, table)) == "ids: expected 0 to V-1 = 4, got -1 to 3"
    said = message(lambda: lib.embedding(a([[0.0]]), table), TypeError)
    assert said == "ids: expected integers, got float64"
    said = message(lambda: lib.linear(x, a(np.ones((5, 7), "float32"))))
    assert said == "weight: expected shape (5, 6) = (Out, In), got (5, 7)"
    said = message(lambda: lib.linear(x, table, a(np.ones(6, "float32"))))
    assert said == "bias: expected shape (5,) = (Out,), got (6,)"
    said = message(lambda: lib.linear(x, a(np.ones((5, 6), "float64"))), TypeError)
    assert said == "inputs: expected dtype float64 like weight, got float32"
    said = message(lambda: lib.rms_norm(x, a(np.ones(5, "float32"))))
    assert said == "weight: expected shape (6,) = (C,), got (5,)"
    said = message(lambda: lib.rms_norm(x, a(np.ones(6, "float32")), eps=0.0))
    assert said == "eps: expected a finite number > 0, got 0.0"
    assert message(lambda: lib.dropout(x, 1.0, 1)) == "rate: expected 0 ≤ rate < 1, got 1.0"
    assert message(lambda: lib.dropout(x, 0.5, -1)) == "seed: expected at least 0, got -1"
    said = message(lambda: lib.dropout(x, 0.5, 0.5), TypeError)
    assert said == "seed: expected an integer, got float"
    said = message(lambda: lib.dropout(x, "much", 1), TypeError)
    assert said == "rate: expected a number, got str"
    said = message(lambda: lib.embedding(a([1]), a(np.ones(4, "float32"))))
    assert said == "weight: expected 2 axes (V, C), got shape (4,)"
    said = message(lambda: lib.feed_forward(x, {"up_proj": table}))
    assert said == "params: expected up_proj.weight, got up_proj"
    said = message(lambda: lib.feed_forward(x, {}, "tanh"))
    assert said == "activation: expected one of relu, gelu, gelu_tanh, silu, got 'tanh'"


def test_messages_of_positions(wing: Any) -> None:
    lib, a = wing.lib, wing.array
    table = a(np.ones((4, 6)))
    said = message(lambda: lib.rotary(a(np.ones((T, 5))), a([0, 1, 2])))
    assert said == "width: expected an even number of units to pair, got 5"
    said = message(lambda: lib.rotary(a(np.ones((B, T, 6))), a([0, 1])))
    assert said == ("positions: expected a shape that stretches to (2, 3) = (..., T), got (2,)")
    said = message(lambda: lib.rotary(a(np.ones((B, T, 6))), a([0.5])), TypeError)
    assert said == "positions: expected integers, got float64"
    said = message(lambda: lib.learned_positions(a([0, 4]), table))
    assert said == "positions: expected at most max_length = 4 tokens, got position 4"
    said = message(lambda: lib.learned_positions(a([0, -1]), table))
    assert said == "positions: expected at least 0, got -1"
    said = message(lambda: lib.sinusoidal_positions(a([0]), 5))
    assert said == "width: expected an even number of units to pair, got 5"
    assert message(lambda: lib.alibi_slopes(0)) == "H: expected at least 1, got 0"
    said = message(lambda: lib.alibi_bias(a([[0, 1]]), a([0, 1]), 2))
    assert said.startswith("key_positions: expected shape (1, 2)")


def test_messages_of_heads(wing: Any) -> None:
    lib, a = wing.lib, wing.array
    config = TransformerConfig(vocabulary=1, width=C, heads=H)
    params = {n: a(v) for n, v in drawn_params(config, "float32").items()}
    x = a(normal("float32", B, T, C))
    assert message(lambda: lib.split_heads(x, 5)) == "heads: expected a divisor of width 24, got 5"
    assert message(lambda: lib.split_heads(x[0], 4)).startswith("inputs: expected 3 axes")
    said = message(lambda: lib.multi_head_attention(x, x, params, heads=5))
    assert said == "heads: expected a divisor of width 24, got 5"
    narrow = params | {"key_proj.weight": a(normal("float32", 18, C))}
    said = message(lambda: lib.multi_head_attention(x, x, narrow, heads=H))
    assert said == (
        "params['key_proj.weight']: expected G·D rows with D = 6 and G a divisor of H = 4, got 18"
    )
    wide = a(normal("float32", B, T, C + 1))
    said = message(lambda: lib.multi_head_attention(wide, x, params, heads=H))
    assert said == "inputs: expected width 24, In of query_proj.weight, got shape (2, 3, 25)"
    mask = a(np.ones((B, T), bool))
    said = message(lambda: lib.multi_head_attention(x, x, params, mask, heads=H))
    assert said.startswith("mask: expected")
    bias = a(normal("float32", H + 1, T, T))
    said = message(lambda: lib.multi_head_attention(x, x, params, heads=H, bias=bias))
    assert said == (
        "bias: expected a shape that stretches to (2, 4, 3, 3) = (B, H, T, S), got (5, 3, 3)"
    )
    said = message(lambda: lib.merge_heads(x))
    assert said == "inputs: expected 4 axes (B, H, T, D), got shape (2, 3, 24)"
    one, every = a([0]), a(np.arange(T))  # one position would turn all tokens alike
    said = message(lambda: lib.multi_head_attention(x, x, params, heads=H, positions=(every, one)))
    assert said == "positions: expected shape (3,) = (T,) or (2, 3) = (B, T), got (1,)"
    no_query = {name: value for name, value in params.items() if name != "query_proj.weight"}
    said = message(lambda: lib.multi_head_attention(x, x, no_query, heads=H))
    assert said.startswith("params: expected query_proj.weight, got query_proj.bias, key_proj")
    query, key = a(normal("float32", B, H, T, D)), a(normal("float32", B, 3, S, D))
    said = message(lambda: lib.grouped_attention(query, key, key))
    assert said == "key: expected G key heads, a divisor of H = 4, got 3"
