"""Task: the gradient of softmax."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import softmax
from companion.with_numpy import softmax_backward as reference


def cases(rng: np.random.Generator) -> list[Case]:
    """Weights as softmax gives them, gradients of any sign; one weight of exactly 0."""

    def drawn(name: str, *shape: int, part: str = "values") -> Case:
        weights = softmax(2 * rng.normal(size=shape))
        return case(name, "softmax_backward", rng.normal(size=shape) + 0.5, weights, part=part)

    masked = softmax(rng.normal(size=(2, 3)), np.array([[True, True, False], [True, False, True]]))
    return [
        drawn("two weights", 2),
        drawn("three weights", 3),
        drawn("rows of a matrix", 2, 4, part="rows"),
        drawn("a square matrix", 3, 3, part="rows"),
        drawn("a batch of heads", 2, 2, 3, 5, part="rows"),
        case("a hidden key", "softmax_backward", rng.normal(size=(2, 3)), masked, part="rows"),
    ]


def _less(mean: Any) -> Any:
    return lambda grad_weights, weights: weights * (grad_weights - mean(grad_weights, weights))


TASK = Task(
    id="attention.softmax-backward",
    function="softmax_backward",
    signature="softmax_backward(grad_weights, weights)",
    goal=Text(
        "The gradient of a loss with respect to the scores, from that with respect to the weights.",
        "由损失对权重的梯度求损失对得分的梯度。",
    ),
    cases=cases,
    reference={"softmax_backward": reference},
    mistakes=(
        Mistake(
            "attention.softmax-backward.diagonal",
            Text("only the diagonal of the Jacobian", "只用了雅可比矩阵的对角线"),
            Text(
                "w (1 - w) says how a weight answers to its own score. Raising one score also "
                "lowers all other weights of the row: those terms are missing.",
                "w (1 - w) 只是权重对自身得分的导数。"
                "一个得分升高，同一行其他权重都会降低：漏掉了这些项。",
            ),
            "attention/formulas",
            variants=(lambda g, w: g * w * (1 - w),),
        ),
        Mistake(
            "attention.softmax-backward.no-mean",
            Text("the weighted mean is missing", "没有减去加权平均"),
            Text(
                "A pair gains only if its value does better than the average of what the query "
                "sees: subtract the sum of gradient times weight of the row.",
                "只有比该查询看到的平均更好的位置，得分才应升高：要减去这一行梯度与权重乘积之和。",
            ),
            "attention/formulas",
            variants=(lambda g, w: g * w,),
        ),
        Mistake(
            "attention.softmax-backward.plain-mean",
            Text("a mean without weights", "减去了不加权的平均"),
            Text(
                "The mean is weighted by the weights themselves, Σ g w; here every key counts the "
                "same, or the sum is not weighted.",
                "平均要用权重本身加权，即 Σ g w；这里每个键的份量一样，或直接求了和。",
            ),
            "attention/formulas",
            variants=(
                _less(lambda g, w: g.mean(axis=-1, keepdims=True)),
                _less(lambda g, w: g.sum(axis=-1, keepdims=True)),
                _less(lambda g, w: (g * w).mean(axis=-1, keepdims=True)),
            ),
        ),
        Mistake(
            "attention.softmax-backward.whole-array",
            Text("one mean for the whole array", "对整个数组求平均"),
            Text(
                "Each row has its own softmax, and so its own mean: sum along the last axis and "
                "keep it.",
                "每一行各有自己的 softmax，也各有自己的平均：沿最后一个轴求和，并保留该轴。",
            ),
            "attention/formulas",
            variants=(
                _less(lambda g, w: (g * w).sum()),
                _less(lambda g, w: (g * w).sum(axis=0, keepdims=True)),
            ),
        ),
        Mistake(
            "attention.softmax-backward.one-row-only",
            Text("right for a single row only", "只适用于单独一行"),
            Text(
                "`g @ w` and `np.outer` are meant for vectors. With more axes take the product "
                "number by number, and sum it along the last axis with `keepdims=True`.",
                "`g @ w` 和 `np.outer` 只适用于向量。"
                "有更多的轴时，请逐元素相乘，再沿最后一个轴求和（`keepdims=True`）。",
            ),
            "attention/formulas",
            variants=(
                lambda g, w: w * (g - g @ w),
                lambda g, w: g @ (np.diag(w) - np.outer(w, w)),
                lambda g, w: (np.diag(w) - np.outer(w, w)) @ g,
                lambda g, w: w * (g - (g * w).sum(axis=-1)),
            ),
        ),
        Mistake(
            "attention.softmax-backward.bracket",
            Text("the weight multiplies one term only", "权重只乘了一项"),
            Text(
                "The mean is taken off the gradient before the weight multiplies both: w (g - "
                "mean), not "
                "w g - mean.",
                "应先从梯度中减去平均，再整体乘以权重：是 w (g - 平均)，不是 w g - 平均。",
            ),
            "attention/formulas",
            variants=(
                lambda g, w: g * w - (g * w).sum(axis=-1, keepdims=True),
                lambda g, w: g - (g * w).sum(axis=-1, keepdims=True),
            ),
        ),
        Mistake(
            "attention.softmax-backward.sign",
            Text("the sign is wrong", "符号反了"),
            Text(
                "This is minus the gradient: a step along it would raise the loss.",
                "这是梯度的相反数：沿它走会使损失变大。",
            ),
            "attention/formulas",
            variants=(
                lambda g, w: -reference(g, w),
                lambda g, w: w * (g + (g * w).sum(axis=-1, keepdims=True)),
            ),
        ),
        Mistake(
            "attention.softmax-backward.softmax-again",
            Text("softmax applied to the weights", "对权重又做了一次 softmax"),
            Text(
                "The argument is already the result of softmax; it is used as it is.",
                "传入的参数已经是 softmax 的结果，直接使用即可。",
            ),
            "attention/formulas",
            variants=(lambda g, w: reference(g, softmax(w)),),
        ),
    ),
    hints=(
        Text(
            "How does weight s answer to score r, for s = r and for s ≠ r?",
            "权重 s 对得分 r 的导数是什么？s = r 与 s ≠ r 时分别如何？",
        ),
        Text(
            "weights * (grad_weights - the sum of grad_weights * weights along the last axis).",
            "weights * (grad_weights - 沿最后一个轴求和的 grad_weights * weights)。",
        ),
    ),
    reread="attention/formulas",
    parts={"values": 0.5, "rows": 0.5},
)
