"""Task: attention with a mask: scores, softmax, weighted sum of the values."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import attention as reference
from companion.with_numpy import dot_score, scaled_dot_score, softmax

EMPTY = "a query that sees nothing"
HALF = "half precision with a mask"


def cases(rng: np.random.Generator) -> list[Case]:
    """Without and with a mask, a mask that stretches, a row that sees nothing, half precision."""

    def drawn(name: str, *lead: int, T: int, S: int, D: int, E: int, **more: Any) -> Case:
        query, key = rng.normal(size=(*lead, T, D)), rng.normal(size=(*lead, S, D))
        value, dtype = rng.normal(size=(*lead, S, E)) + 1, more.pop("dtype", np.float64)
        given = [array.astype(dtype) for array in (2 * query, key, value)]
        return case(name, "attention", *given, **more)

    some = np.array([[True, False, True], [False, True, True]])
    batch = rng.random((2, 3, 4)) < 0.6
    batch[..., 1] = True
    empty = np.array([[True, True, False], [False, False, False]])
    masked: dict[str, Any] = {"part": "mask", "zeros": True}
    return [
        drawn("one query", T=1, S=2, D=2, E=1),
        drawn("no mask", T=2, S=3, D=4, E=5),
        drawn("as many queries as keys as numbers", T=3, S=3, D=3, E=3),
        drawn("two of three keys", T=2, S=3, D=2, E=2, mask=some, **masked),
        drawn("a mask for a batch", 2, T=3, S=4, D=5, E=2, mask=batch, **masked),
        drawn("one mask for all heads", 2, 3, T=2, S=3, D=4, E=2, mask=some, **masked),
        drawn(EMPTY, T=2, S=3, D=2, E=2, mask=empty, part="empty row", zeros=True),
        drawn(HALF, T=2, S=3, D=2, E=2, mask=some, dtype=np.float16, part="mask"),
    ]


def _with(change: Any) -> Any:
    """attention with a step of its own: change(query, key, value, mask) → output, weights."""

    def attention(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        return change(query, key, value, mask)

    return attention


def _mixed(weights: Any, value: Any) -> Any:
    return weights @ value, weights


def _masked_after(renormalised: bool) -> Any:
    def change(query: Any, key: Any, value: Any, mask: Any) -> Any:
        weights = softmax(scaled_dot_score(query, key))
        if mask is not None:
            weights = weights * mask
            if renormalised:
                weights = weights / weights.max(axis=-1, keepdims=True)
        return _mixed(weights, value)

    return _with(change)


def _times_zero(query: Any, key: Any, value: Any, mask: Any) -> Any:
    scores = scaled_dot_score(query, key)
    return _mixed(softmax(scores if mask is None else scores * mask), value)


def _filled(number: float, added: bool = False, emptied: bool = False) -> Any:
    def change(query: Any, key: Any, value: Any, mask: Any) -> Any:
        scores = scaled_dot_score(query, key)
        if mask is not None and added:
            scores = scores + (1 - mask.astype(scores.dtype)) * scores.dtype.type(number)
        elif mask is not None:
            scores = np.where(mask, scores, scores.dtype.type(number))
        exponential = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = exponential / exponential.sum(axis=-1, keepdims=True)
        if mask is not None and emptied:
            weights = np.where(mask.any(axis=-1, keepdims=True), weights, 0)
        return _mixed(weights, value)

    return _with(change)


def _inverted_but_for_empty_rows(attend: Any) -> Any:
    def attention(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
        if mask is None:
            return reference(query, key, value)
        _, weights = attend(query, key, value, ~mask)
        return _mixed(np.where(mask.any(axis=-1, keepdims=True), weights, 0), value)

    return attention


def _no_root(query: Any, key: Any, value: Any, mask: Any) -> Any:
    return reference(query, key, value, mask, score=dot_score)


def _divided(by: Any) -> Any:
    def change(query: Any, key: Any, value: Any, mask: Any) -> Any:
        def score(query: Any, key: Any) -> Any:
            return dot_score(query, key) / query.dtype.type(by(query, key, value))

        return reference(query, key, value, mask, score=score)

    return change


def _over_queries(query: Any, key: Any, value: Any, mask: Any) -> Any:
    return _mixed(softmax(scaled_dot_score(query, key), mask, axis=-2), value)


def _again_input(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
    _, weights = reference(query, key, value, mask)
    return weights.sum(-1, keepdims=True) * query, weights


def _again_weights(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
    output, weights = reference(query, key, value, mask)
    return weights @ output, weights


def _again_product(query: Any, key: Any, value: Any, mask: Any = None) -> Any:
    output, weights = reference(query, key, value, mask)
    return output * query, weights


TASK = Task(
    id="attention.attention",
    function="attention",
    signature="attention(query, key, value, mask=None)",
    goal=Text(
        "Mix the values by the softmax of the scaled scores; return output and weights.",
        "用缩放得分的 softmax 对值加权求和；返回输出和权重。",
    ),
    cases=cases,
    reference={"attention": reference, "softmax": softmax, "scaled_scores": scaled_dot_score},
    mistakes=(
        Mistake(
            "attention.attention.truth-of-a-mask",
            Text("`if mask:` asks an array for one truth value", "用 `if mask:` 判断整个数组"),
            Text(
                "An array of many truth values is neither true nor false. Ask whether there is a "
                "mask at all: `if mask is not None:`.",
                "含多个元素的数组没有单一的真假值。要判断的是有没有掩码：`if mask is not None:`。",
            ),
            "attention/numerics-and-masks",
            error=("ValueError", "truth value of an array"),
        ),
        Mistake(
            "attention.attention.missing-root",
            Text("not divided by √D", "没有除以 √D"),
            Text(
                "The scores are plain dot products: softmax gets sharper as the vectors get wider.",
                "得分是未缩放的点积：向量越宽，softmax 越尖锐。",
            ),
            "attention/scores",
            variants=(_with(_no_root),),
        ),
        Mistake(
            "attention.attention.other-root",
            Text("divided by another number than √D", "除以的不是 √D"),
            Text(
                "The scores are divided by the root of D, the width of a query: not by D itself, "
                "nor by the root of the number of keys or of the width of the values; and they are "
                "divided, not multiplied.",
                "得分应除以 √D（D 是查询的宽度）：不是除以 D 本身，"
                "也不是键的个数或值的宽度的平方根；而且是除，不是乘。",
            ),
            "attention/scores",
            variants=tuple(
                _with(_divided(by))
                for by in (
                    lambda q, k, v: q.shape[-1],
                    lambda q, k, v: k.shape[-2] ** 0.5,
                    lambda q, k, v: v.shape[-1] ** 0.5,
                    lambda q, k, v: q.shape[-2] ** 0.5,
                    lambda q, k, v: q.shape[-1] ** -0.5,
                    lambda q, k, v: q.shape[-1] ** 2,
                )
            ),
        ),
        Mistake(
            "attention.attention.mask-inverted",
            Text("mask inverted", "掩码取反了"),
            Text(
                'True means "may look". Here the pairs that may meet are hidden, and the others '
                "are seen.",
                "True 表示“可以看”。这里把可以看的遮住了，反而看到了不该看的。",
            ),
            "attention/numerics-and-masks",
            variants=(
                _with(lambda q, k, v, m: reference(q, k, v, None if m is None else ~m)),
                lambda query, key, value, mask=None: _filled(-np.inf)(
                    query, key, value, None if mask is None else ~mask
                ),
                lambda query, key, value, mask=None: _filled(-1e9)(
                    query, key, value, None if mask is None else ~mask
                ),
                _inverted_but_for_empty_rows(reference),
                _inverted_but_for_empty_rows(_filled(-np.inf)),
                _inverted_but_for_empty_rows(_filled(-1e9)),
            ),
        ),
        Mistake(
            "attention.attention.mask-after-softmax",
            Text("mask after softmax", "在 softmax 之后才加掩码"),
            Text(
                "The weights of hidden keys were set to 0 after softmax had shared out the 1, so "
                "a row with hidden keys sums to less than 1. Hide before softmax.",
                "softmax 已经分完了 1，之后才把被遮住的权重清零，于是这一行之和小于 1。"
                "应当在 softmax 之前遮住。",
            ),
            "attention/numerics-and-masks",
            variants=(_masked_after(False), _masked_after(True)),
        ),
        Mistake(
            "attention.attention.mask-times-zero",
            Text("scores multiplied by the mask", "得分乘以掩码"),
            Text(
                'A score of 0 is not "never": exp(0) = 1, more than a negative score gets. '
                "Hidden pairs need minus infinity.",
                "得分为 0 并不等于“看不到”：exp(0) = 1，比负的得分还大。要遮住的位置应设为负无穷。",
            ),
            "attention/numerics-and-masks",
            variants=(_with(_times_zero),),
        ),
        Mistake(
            "attention.attention.mask-added",
            Text("a boolean mask added to the scores", "把布尔掩码加到得分上"),
            Text(
                "Adding True adds 1 to the score; nothing is hidden.",
                "加上 True 只是让得分加 1，并没有遮住任何东西。",
            ),
            "attention/numerics-and-masks",
            variants=(
                _with(
                    lambda q, k, v, m: _mixed(
                        softmax(scaled_dot_score(q, k) + (0 if m is None else m.astype(q.dtype))), v
                    )
                ),
            ),
        ),
        Mistake(
            "attention.attention.mask-ignored",
            Text("the mask is ignored", "没有使用掩码"),
            Text(
                "The result does not depend on the mask: padding and the future leak in.",
                "结果与掩码无关：填充和未来的信息都会泄漏进来。",
            ),
            "attention/numerics-and-masks",
            variants=(_with(lambda q, k, v, m: reference(q, k, v)),),
        ),
        Mistake(
            "attention.attention.wrong-axis",
            Text("softmax over the queries", "对查询轴做了 softmax"),
            Text(
                "The columns sum to 1, not the rows. Each query shares out its 1 over the keys: "
                "the last axis.",
                "现在是列和为 1，而不是行和为 1。每个查询要把 1 分给各个键：沿最后一个轴。",
            ),
            "attention/soft-lookup",
            variants=(
                _with(_over_queries),
                lambda query, key, value, mask=None: _mixed(
                    softmax(scaled_dot_score(query, key), mask, axis=0), value
                ),
            ),
        ),
        Mistake(
            "attention.attention.small-number-not-infinity",
            Text("a hidden score that is too large", "遮挡用的数不够小"),
            Text(
                "The number put in place of hidden scores still gets weight. Use minus infinity.",
                "用来遮住得分的数仍然分到了权重。请使用负无穷。",
            ),
            "attention/numerics-and-masks",
            variants=tuple(
                _filled(number, emptied=emptied)
                for emptied in (False, True)
                for number in (0.0, -1.0, -10.0, -20.0, -50.0, -100.0, 1e-9)
            ),
        ),
        Mistake(
            "attention.attention.half-precision",
            Text("-1e9 in half precision", "半精度下用了 -1e9"),
            Text(
                "float16 ends at 65504, so that -1e9 becomes minus infinity, and 0 · (-inf) is "
                "NaN. Choose with `where`, and use minus infinity itself.",
                "float16 最大到 65504，-1e9 会变成负无穷，而 0 · (-inf) 是 NaN。"
                "请用 where 选择，并直接使用负无穷。",
            ),
            "attention/numerics-and-masks",
            variants=(_filled(-1e9, added=True), _filled(-1e5, added=True)),
            only=frozenset({HALF}),
            error=("RuntimeError", "without overflow"),  # torch's masked_fill
        ),
        Mistake(
            "attention.attention.empty-row-nan",
            Text("NaN where nothing may be looked at", "什么都看不到的行得到 NaN"),
            Text(
                "A row of minus infinities gives 0/0. The task asks for weights and output of 0 "
                "there, so that a NaN cannot travel on.",
                "整行都是负无穷时得到 0/0。题目要求此时权重与输出为 0，以免 NaN 传播。",
            ),
            "attention/numerics-and-masks",
            variants=(_filled(-np.inf),),
        ),
        Mistake(
            "attention.attention.empty-row-even",
            Text("even weights where nothing may be looked at", "什么都看不到的行得到均匀权重"),
            Text(
                "Where all scores are replaced by the same large negative number, softmax shares "
                "out evenly what should not be seen at all.",
                "整行得分都换成同一个很大的负数，softmax 会把权重平均分给本不该看到的位置。",
            ),
            "attention/numerics-and-masks",
            variants=(_filled(-1e4), _filled(-1e9), _filled(-6e4)),
            only=frozenset({EMPTY}),
        ),
        Mistake(
            "attention.attention.value-is-key",
            Text("keys mixed instead of values", "加权的是键而不是值"),
            Text(
                "The weights say how much of each value to take. Here the keys were mixed.",
                "权重说明每个值取多少。这里加权的却是键。",
            ),
            "attention/soft-lookup",
            variants=(_with(lambda q, k, v, m: reference(q, k, k, m)),),
        ),
        Mistake(
            "attention.attention.weights-only",
            Text("output alone, or in the other order", "只返回输出，或顺序颠倒"),
            Text(
                "Return two things: the output, then the weights.",
                "要返回两个结果：先输出，后权重。",
            ),
            "attention/soft-lookup",
            variants=(
                _with(lambda q, k, v, m: reference(q, k, v, m)[0]),
                _with(lambda q, k, v, m: reference(q, k, v, m)[1]),
                _with(lambda q, k, v, m: reference(q, k, v, m)[::-1]),
            ),
        ),
        Mistake(
            "attention.attention.times-input",
            Text("multiplied by the input once more", "又乘了一次输入"),
            Text(
                "The weighted sum of the values is the output; a second product with weights or "
                "query is the article's fourth step, which does nothing useful.",
                "对值的加权和就是输出；再乘一次权重或查询，是文章中多余的第四步。",
            ),
            "attention/four-steps",
            variants=(_again_input, _again_weights, _again_product),
        ),
    ),
    hints=(
        Text(
            "At which of the three steps must a hidden pair be out?",
            "被遮住的位置要在哪一步之前排除？",
        ),
        Text(
            "np.where(mask, scores, -np.inf), softmax along the last axis, and 0 for a row "
            "without any True.",
            "np.where(mask, scores, -np.inf)，沿最后一个轴做 softmax；整行没有 True 时结果取 0。",
        ),
    ),
    reread="attention/numerics-and-masks",
    parts={"values": 0.5, "mask": 0.4, "empty row": 0.1},
)
