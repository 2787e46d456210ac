"""Task: softmax along an axis, safe for large scores."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import softmax as reference

LARGE = frozenset({
    "large scores", "large negative scores", "scores far apart", "rows far apart",
})  # fmt: skip


def cases(rng: np.random.Generator) -> list[Case]:
    """Vectors and matrices, both axes, equal scores, single precision, and scores that overflow."""
    return [
        case("two scores", "softmax", np.array([0.0, 1.0])),
        case("equal scores", "softmax", np.full(3, 2.5)),
        case("five scores", "softmax", rng.normal(size=5)),
        case("rows of a matrix", "softmax", 2 * rng.normal(size=(2, 3)), part="axis"),
        case("columns", "softmax", rng.normal(size=(3, 2)), axis=0, part="axis"),
        case("four axes", "softmax", rng.normal(size=(2, 3, 4, 5)), axis=-1, part="axis"),
        case("a middle axis", "softmax", rng.normal(size=(2, 5, 3)), axis=1, part="axis"),
        case("single precision", "softmax", rng.normal(size=(2, 4)).astype(np.float32)),
        case("large scores", "softmax", np.array([1000.0, 999.0]), part="stability"),
        case("large negative scores", "softmax", np.array([-1000.0, -1001.0]), part="stability"),
        # Only the largest score of each row serves: not the mean, the smallest, or one for all.
        case("scores far apart", "softmax", np.array([1000.0, -1000.0, 998.5, -999.0]),
             part="stability"),
        case("rows far apart", "softmax", np.array([[1000.0, 998.5], [-1000.0, -1001.25]]),
             part="stability"),
    ]  # fmt: skip


def _over(total: Any) -> Any:
    def softmax(scores: Any, axis: int = -1) -> Any:
        exponential = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return exponential / total(exponential, axis)

    return softmax


def _unstable(scores: Any, axis: int = -1) -> Any:
    exponential = np.exp(scores)
    return exponential / exponential.sum(axis=axis, keepdims=True)


def _global_maximum(scores: Any, axis: int = -1) -> Any:
    exponential = np.exp(scores - scores.max())
    return exponential / exponential.sum(axis=axis, keepdims=True)


def _fixed_axis(at: int) -> Any:
    def softmax(scores: Any, axis: int = -1) -> Any:
        return reference(scores, axis=at if scores.ndim > 1 else -1)

    return softmax


def _other_axis(scores: Any, axis: int = -1) -> Any:
    if scores.ndim == 1:
        return reference(scores)
    return reference(scores, axis=(axis - 1) % scores.ndim)


def _base_two(scores: Any, axis: int = -1) -> Any:
    return reference(scores * np.log(2.0).astype(scores.dtype), axis=axis)


def _max_after(scores: Any, axis: int = -1) -> Any:
    exponential = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return exponential / exponential.max(axis=axis, keepdims=True)


def _max_axis_lost(scores: Any, axis: int = -1) -> Any:
    return reference(scores - scores.max(axis=axis), axis=axis)


TASK = Task(
    id="attention.softmax",
    function="softmax",
    signature="softmax(scores, axis=-1)",
    goal=Text(
        "Turn scores into positive weights that sum to 1 along `axis`.",
        "把得分变成沿 `axis` 求和为 1 的正权重。",
    ),
    cases=cases,
    reference={"softmax": reference},
    mistakes=(
        Mistake(
            "attention.softmax.one-maximum",
            Text("one maximum for all rows", "所有行共用一个最大值"),
            Text(
                "The largest number of the whole array is subtracted. A row that lies far below it "
                "becomes exp of a very negative number, so that its sum is 0 and the fraction 0/0. "
                "Each row needs its own maximum.",
                "减去的是整个数组的最大值。远低于它的那一行取指数后全为 0，求和也为 0，"
                "于是出现 0/0。每一行都要减去自己的最大值。",
            ),
            "attention/numerics-and-masks",
            variants=(_global_maximum,),
            only=frozenset({"rows far apart"}),
        ),
        Mistake(
            "attention.softmax.no-max-subtraction",
            Text("no maximum subtracted", "没有减去最大值"),
            Text(
                "exp(1000) is larger than any float, so the result is inf / inf = NaN. Subtract "
                "the largest score of each row first: it cancels in the fraction and nothing "
                "overflows.",
                "exp(1000) 超出浮点数范围，得到 inf / inf = NaN。先减去每一行的最大得分："
                "它在分式中会约掉，而指数不再溢出。",
            ),
            "attention/numerics-and-masks",
            variants=(_unstable,),
            only=LARGE,
        ),
        Mistake(
            "attention.softmax.whole-array",
            Text("one sum for the whole array", "对整个数组求和"),
            Text(
                "All numbers together sum to 1, not each row: the sum needs `axis=axis` and "
                "`keepdims=True`.",
                "现在是全部元素之和为 1，而不是每一行之和为 1："
                "求和要写 `axis=axis, keepdims=True`。",
            ),
            "attention/scores",
            variants=(
                _over(lambda e, axis: e.sum()),
                lambda scores, axis=-1: reference(scores.reshape(-1)).reshape(scores.shape),
            ),
        ),
        Mistake(
            "attention.softmax.wrong-axis",
            Text("softmax over the wrong axis", "softmax 的轴不对"),
            Text(
                "The weights sum to 1 along another axis than asked for. In attention each query "
                "(row) shares out its 1 over the keys.",
                "权重沿着另一个轴求和为 1。在注意力中，是每个查询（行）把 1 分给各个键。",
            ),
            "attention/soft-lookup",
            variants=(_other_axis, _fixed_axis(0), _fixed_axis(-1), _fixed_axis(1)),
        ),
        Mistake(
            "attention.softmax.not-normalised",
            Text("not normalised", "没有归一化"),
            Text(
                "These are exponentials, not weights: divide by their sum along the axis.",
                "这只是指数，还不是权重：要除以沿该轴的和。",
            ),
            "attention/soft-lookup",
            variants=(
                lambda scores, axis=-1: np.exp(scores - scores.max(axis=axis, keepdims=True)),
                lambda scores, axis=-1: np.exp(scores),
                _max_after,
            ),
        ),
        Mistake(
            "attention.softmax.axis-lost",
            Text("the axis is lost (keepdims)", "求和后轴丢失了（缺 keepdims）"),
            Text(
                "A sum, mean or maximum along an axis drops it, and what is left lines up with "
                "the wrong axis, or with none. With `keepdims=True` the axis stays, of length 1.",
                "沿某个轴求和、求平均或取最大值之后，这个轴就没有了，剩下的会与错误的轴对齐，或根本对不齐。"
                "写上 `keepdims=True`，该轴会以长度 1 保留下来。",
            ),
            "attention/scores",
            variants=(
                _over(lambda e, axis: e.sum(axis=axis)),
                _max_axis_lost,
            ),
        ),
        Mistake(
            "attention.softmax.no-exponential",
            Text("divided without exponential", "没有取指数"),
            Text(
                "Scores divided by their sum can be negative, and 0/0. Softmax takes the "
                "exponential of each score first.",
                "直接用得分除以总和，结果可能为负，也可能是 0/0。softmax 要先对每个得分取指数。",
            ),
            "attention/scores",
            variants=(lambda scores, axis=-1: scores / scores.sum(axis=axis, keepdims=True),),
        ),
        Mistake(
            "attention.softmax.log",
            Text("the logarithm of the weights", "返回了权重的对数"),
            Text(
                "This is log-softmax: its exponential would be the weights.",
                "这是 log-softmax：再取指数才是权重。",
            ),
            "attention/numerics-and-masks",
            variants=(lambda scores, axis=-1: np.log(reference(scores, axis=axis)),),
        ),
        Mistake(
            "attention.softmax.minus",
            Text("minus the scores", "取了负的得分"),
            Text(
                "The smallest score gets the largest weight: the sign in the exponential is "
                "the wrong way "
                "round.",
                "得分最小的反而权重最大：指数里的符号反了。",
            ),
            "attention/soft-lookup",
            variants=(lambda scores, axis=-1: reference(-scores, axis=axis),),
        ),
        Mistake(
            "attention.softmax.base-two",
            Text("powers of 2 instead of e", "底数用了 2 而不是 e"),
            Text(
                "2 to the score is softmax at another temperature (1 / ln 2). Use exp.",
                "以 2 为底相当于换了温度（1 / ln 2）的 softmax。请使用 exp。",
            ),
            "attention/scores",
            variants=(_base_two,),
        ),
    ),
    hints=(
        Text("Which one number may be subtracted from a whole row?", "整行可以同时减去哪个数？"),
        Text(
            "scores - scores.max(axis=axis, keepdims=True), then exp, then divide by the sum along "
            "the same axis.",
            "先算 scores - scores.max(axis=axis, keepdims=True)，再取 exp，再除以沿同一轴的和。",
        ),
    ),
    reread="attention/soft-lookup",
    parts={"values": 0.5, "axis": 0.3, "stability": 0.2},
)
