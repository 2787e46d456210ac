"""Small cases worked out on paper. Both wings must give the numbers that the comments derive.

float64 throughout: the numbers are exact on paper, so 1e-15 relative is a few roundings.
"""

from math import exp, inf, log, sqrt, tanh
from typing import Any

import numpy as np
import pytest

import companion.with_numpy as numpy_wing

LN2, LN3 = log(2), log(3)


def same(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(actual), np.array(expected), rtol=1e-15, atol=1e-16)


# ------------------------------------------------------------------------------- softmax


def test_softmax_of_logarithms(wing: Any) -> None:
    # exp gives 1, 2, 3; their sum is 6
    same(wing.lib.softmax(wing.array([0, LN2, LN3])), [1 / 6, 2 / 6, 3 / 6])


def test_softmax_masked(wing: Any) -> None:
    # 1, 2, 3 without the 2: the sum is 4
    mask = wing.array([True, False, True])
    same(wing.lib.softmax(wing.array([0, LN2, LN3]), mask), [1 / 4, 0, 3 / 4])


def test_softmax_with_temperature(wing: Any) -> None:
    # half the temperature doubles the scores: 1, 4, 9 of 14
    scores = wing.array([0, LN2, LN3])
    same(wing.lib.softmax(scores, temperature=0.5), [1 / 14, 4 / 14, 9 / 14])
    # twice the temperature halves them: 1, 2 of 3 from scores 0, 2 ln 2
    same(wing.lib.softmax(wing.array([0, 2 * LN2]), temperature=2), [1 / 3, 2 / 3])


def test_softmax_along_the_first_axis(wing: Any) -> None:
    # columns (0, ln 2) and (ln 3, 0): 1, 2 of 3 and 3, 1 of 4
    scores = wing.array([[0, LN3], [LN2, 0]])
    same(wing.lib.softmax(scores, axis=0), [[1 / 3, 3 / 4], [2 / 3, 1 / 4]])


def test_softmax_that_sees_nothing(wing: Any) -> None:
    scores = wing.array([[LN2, 0.0], [0.0, LN3]])
    # the first row is masked altogether; the second sees only its second score
    mask = wing.array([[False, False], [False, True]])
    same(wing.lib.softmax(scores, mask), [[0, 0], [0, 1]])
    # the same said with -inf
    same(wing.lib.softmax(wing.array([[-inf, -inf], [-inf, LN3]])), [[0, 0], [0, 1]])


def test_softmax_backward() -> None:
    # w = (1/4, 3/4), g = (1, 0): Σ g w = 1/4;  w (g - 1/4) = (1/4 · 3/4, 3/4 · -1/4)
    weights, grad = np.array([0.25, 0.75]), np.array([1.0, 0.0])
    same(numpy_wing.softmax_backward(grad, weights), [3 / 16, -3 / 16])
    # the scores are divided by τ = 2 on the way in, so the gradient is on the way back
    same(numpy_wing.softmax_backward(grad, weights, temperature=2), [3 / 32, -3 / 32])
    # along axis 0 the two columns are two such rows: g = (1, 0) and (0, 4)
    both, grads = np.array([[0.25, 0.5], [0.75, 0.5]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    # second column: Σ g w = 2;  (0.5 · -2, 0.5 · 2)
    same(numpy_wing.softmax_backward(grads, both, axis=0), [[3 / 16, -1], [-3 / 16, 1]])


def test_log_softmax_by_hand(wing: Any) -> None:
    # exp gives 1, 2, 3 of 6; without the 2 they are 1, 3 of 4
    scores = wing.array([0, LN2, LN3])
    same(wing.lib.log_softmax(scores), [-log(6), LN2 - log(6), LN3 - log(6)])
    mask = wing.array([True, False, True])
    same(wing.lib.log_softmax(scores, mask), [-log(4), -inf, LN3 - log(4)])
    # nothing to see, and nothing but the second: log 0 and log 1
    blind = wing.array([[False, False], [False, True]])
    same(
        wing.lib.log_softmax(wing.array([[LN2, 0.0], [0.0, LN3]]), blind), [[-inf, -inf], [-inf, 0]]
    )
    # half the temperature: 1, 4 of 5 down the first column, 9, 1 of 10 down the second
    columns = wing.array([[0, LN3], [LN2, 0]])
    found = wing.lib.log_softmax(columns, axis=0, temperature=0.5)
    same(found, [[-log(5), log(0.9)], [log(0.8), -log(10)]])


def test_log_softmax_backward() -> None:
    # w = (1/4, 3/4, 0), g = (1, 2, 8): the masked 8 counts for nothing, so Σ g = 3
    # g - w Σ g = (1 - 3/4, 2 - 9/4), and 0 where the weight is 0
    log_weights, grad = np.array([log(0.25), log(0.75), -inf]), np.array([1.0, 2.0, 8.0])
    same(numpy_wing.log_softmax_backward(grad, log_weights), [1 / 4, -1 / 4, 0])
    same(numpy_wing.log_softmax_backward(grad, log_weights, temperature=2), [1 / 8, -1 / 8, 0])
    # along axis 0 the same numbers stand in a column
    down = numpy_wing.log_softmax_backward(grad[:, None], log_weights[:, None], axis=0)
    same(down, [[1 / 4], [-1 / 4], [0]])


def test_log_softmax_backward_names_what_does_not_fit() -> None:
    ok, other = np.zeros((2, 3)), np.zeros((3, 2))
    message = r"^grad_log_weights: expected shape \(2, 3\) = that of log_weights, got \(3, 2\)$"
    with pytest.raises(ValueError, match=message):
        numpy_wing.log_softmax_backward(other, ok)
    with pytest.raises(TypeError, match=r"^log_weights: expected a floating dtype, got int64$"):
        numpy_wing.log_softmax_backward(ok, ok.astype("int64"))
    with pytest.raises(TypeError, match=r"^grad_log_weights: expected dtype float64 like log_wei"):
        numpy_wing.log_softmax_backward(ok.astype("float32"), ok)


def test_online_softmax_in_two_blocks(wing: Any) -> None:
    # block (0, ln 2): m = ln 2, Z = 1/2 + 1 = 3/2;  block (ln 3): Z = 3/2 · 2/3 + 1 = 2
    # weights exp(score - ln 3) / 2 = 1/3 / 2, 2/3 / 2, 1 / 2
    scores = wing.array([0, LN2, LN3])
    same(wing.lib.online_softmax(scores, block=2), [1 / 6, 2 / 6, 3 / 6])
    # a first block of nothing but -inf leaves Z = 0 behind; then 1, 3 of 4
    late = wing.array([-inf, -inf, 0, LN3])
    same(wing.lib.online_softmax(late, block=2), [0, 0, 1 / 4, 3 / 4])
    same(wing.lib.online_softmax(wing.array([-inf, -inf, -inf]), block=2), [0, 0, 0])


# -------------------------------------------------------------------------------- scores

QUERY = [[1.0, 2.0]]  # T = 1, D = 2
KEY = [[3.0, 4.0], [0.0, 5.0], [-2.0, 1.0]]  # S = 3; dot products 3 + 8, 0 + 10, -2 + 2


def test_dot_score(wing: Any) -> None:
    same(wing.lib.dot_score(wing.array(QUERY), wing.array(KEY)), [[11, 10, 0]])


def test_scaled_dot_score(wing: Any) -> None:
    # D = 4: the dot product 1·2 + 1·2 + 1·2 + 1·4 = 10 is divided by √4 = 2
    query, key = wing.array([[1.0, 1, 1, 1]]), wing.array([[2.0, 2, 2, 4]])
    same(wing.lib.scaled_dot_score(query, key), [[5]])


def test_cosine_score(wing: Any) -> None:
    # |query| = √5; |keys| = 5, 5, √5:  11 / 5√5, 10 / 5√5, 0 / 5
    expected = [[11 / (5 * sqrt(5)), 2 / sqrt(5), 0]]
    same(wing.lib.cosine_score(wing.array(QUERY), wing.array(KEY)), expected)


def test_cosine_score_below_eps(wing: Any) -> None:
    # lengths 5 and 0 with eps = 10: both are divided by 10;  (3·3 + 4·4) / 100 = 1/4, and 0
    query, key = wing.array([[3.0, 4.0]]), wing.array([[3.0, 4.0], [0.0, 0.0]])
    same(wing.lib.cosine_score(query, key, eps=10), [[1 / 4, 0]])
    # without it the zero vector still scores 0, not 0/0
    same(wing.lib.cosine_score(query, key), [[1, 0]])


def test_cosine_score_backward() -> None:
    # query (3, 4) has length 5 and unit (0.6, 0.8); key (2, 0) has length 2 and unit (1, 0)
    # cos = 0.6;  ∂/∂query = ((1, 0) - 0.6 (0.6, 0.8)) / 5 = (0.64, -0.48) / 5
    #             ∂/∂key = ((0.6, 0.8) - 0.6 (1, 0)) / 2 = (0, 0.4)
    query, key = np.array([[3.0, 4.0]]), np.array([[2.0, 0.0]])
    grad_query, grad_key = numpy_wing.cosine_score_backward(np.array([[1.0]]), query, key)
    same(grad_query, [[0.128, -0.096]])
    same(grad_key, [[0, 0.4]])


def test_cosine_score_backward_below_eps() -> None:
    # with eps = 10 both are divided by the constant 10: ∂/∂query = key / 100, ∂/∂key = query / 100
    query, key = np.array([[3.0, 4.0]]), np.array([[2.0, 0.0]])
    grads = numpy_wing.cosine_score_backward(np.array([[1.0]]), query, key, eps=10)
    same(grads[0], [[0.02, 0]])
    same(grads[1], [[0.03, 0.04]])


def test_general_score(wing: Any) -> None:
    # Dq = 2, Dk = 3:  query weight = (1·1 + 2·0, 1·0 + 2·1, 1·2 + 2·(-1)) = (1, 2, 0)
    weight = wing.array([[1.0, 0, 2], [0, 1, -1]])
    key = wing.array([[4.0, 5, 6], [7, -1, 100]])
    # 4 + 10 + 0 = 14;  7 - 2 + 0 = 5
    same(wing.lib.general_score(wing.array(QUERY), key, weight), [[14, 5]])


def test_additive_score(wing: Any) -> None:
    # A = 2, Dq = 2, Dk = 1:  query_proj query = (1 + 0, 0 + 2) = (1, 2)
    # key_proj key = (2k, -k):  k = 1 gives (2, -1), k = -0.5 gives (-1, 0.5)
    # sums (3, 1) and (0, 2.5);  score = 5 tanh(first) - 3 tanh(second)
    found = wing.lib.additive_score(
        wing.array(QUERY),
        wing.array([[1.0], [-0.5]]),
        wing.array([[1.0, 0.0], [0.0, 1.0]]),
        wing.array([[2.0], [-1.0]]),
        wing.array([5.0, -3.0]),
    )
    same(found, [[5 * tanh(3) - 3 * tanh(1), -3 * tanh(2.5)]])


# ------------------------------------------------------------------- masks and attention


def test_causal_mask(wing: Any) -> None:
    same(wing.lib.causal_mask(3), [[True, False, False], [True, True, False], [True, True, True]])
    # two queries at the end of four positions: they stand at 2 and 3
    same(wing.lib.causal_mask(2, 4), [[True, True, True, False], [True, True, True, True]])
    assert tuple(wing.lib.causal_mask(0).shape) == (0, 0)
    assert tuple(wing.lib.causal_mask(0, 3).shape) == (0, 3)


def test_padding_mask(wing: Any) -> None:
    found = wing.lib.padding_mask(wing.array([2, 0, 3]), 3)
    same(found, [[[True, True, False]], [[False, False, False]], [[True, True, True]]])


def test_attention_of_two_tokens(wing: Any) -> None:
    # D = 4, so √D = 2. Scores before the division:
    #   query 0 = (2 ln 3, 0, 0, 0): 2 ln 3 with key 0, 0 with key 1  →  ln 3, 0  →  3/4, 1/4
    #   query 1 = (0, 2 ln 2, 0, 0): 0 with key 0, 2 ln 2 with key 1  →  0, ln 2  →  1/3, 2/3
    query = wing.array([[2 * LN3, 0, 0, 0], [0, 2 * LN2, 0, 0]])
    key = wing.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    value = wing.array([[12.0, 0, 1], [0, 24.0, 1]])
    output, weights = wing.lib.attention(query, key, value)
    same(weights, [[3 / 4, 1 / 4], [1 / 3, 2 / 3]])
    same(output, [[9, 6, 1], [4, 16, 1]])
    # causal: the first token sees itself only
    output, weights = wing.lib.attention(query, key, value, wing.lib.causal_mask(2))
    same(weights, [[1, 0], [1 / 3, 2 / 3]])
    same(output, [[12, 0, 1], [4, 16, 1]])
    # one that sees nothing gets zeros
    nothing = wing.array([[False, False], [True, False]])
    output, weights = wing.lib.attention(query, key, value, nothing)
    same(weights, [[0, 0], [1, 0]])
    same(output, [[0, 0, 0], [12, 0, 1]])


def test_attention_with_another_score(wing: Any) -> None:
    # not divided: 2 ln 3 → 9, of 9 + 1
    query, key = wing.array([[2 * LN3]]), wing.array([[1.0], [0.0]])
    output, weights = wing.lib.attention(
        query, key, wing.array([[10.0], [20.0]]), score=wing.lib.dot_score
    )
    same(weights, [[9 / 10, 1 / 10]])
    same(output, [[11]])


def test_attention_backward() -> None:
    # D = 1, scores (ln 3, 0), weights (3/4, 1/4), values 8 and 4, G = 1
    #   ∂value = weights;  ∂weights = (8, 4), mean 7;  ∂scores = (3/4 · 1, 1/4 · -3)
    #   ∂query = 3/4 · 1 - 3/4 · 0;  ∂key = ∂scores · ln 3
    query, key, value = np.array([[LN3]]), np.array([[1.0], [0.0]]), np.array([[8.0], [4.0]])
    grads = numpy_wing.attention_backward(
        np.array([[1.0]]), query, key, value, np.array([[3 / 4, 1 / 4]])
    )
    same(grads[0], [[3 / 4]])
    same(grads[1], [[3 / 4 * LN3], [-3 / 4 * LN3]])
    same(grads[2], [[3 / 4], [1 / 4]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_is_not_fooled_by_large_scores(wing: Any, dtype: str) -> None:
    # exp(10000) has no finite float; only the difference 1 counts: e / (e + 1)
    weights = np.asarray(wing.lib.softmax(wing.array([10000.0, 9999.0], dtype)))
    high = exp(1) / (exp(1) + 1)
    np.testing.assert_allclose(weights, [high, 1 - high], rtol=2 * np.finfo(dtype).eps)
    assert weights.dtype == dtype


def test_attention_checks_the_key_itself_whatever_the_score(wing):
    query, value = wing.array(np.ones((2, 3)), "float32"), wing.array(np.ones((5, 4)), "float32")
    key = wing.array(np.ones((5, 3)), "float64")
    flat = wing.array(np.zeros((2, 5)), "float32")
    with pytest.raises(TypeError, match=r"^key: expected dtype float32 like query, got float64$"):
        wing.lib.attention(query, key, value, score=lambda query, key: flat)
