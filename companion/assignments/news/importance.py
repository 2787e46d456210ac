"""Task: a ridge regression for importance."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


def fit_importance(features: Any, importance: Any, strength: float) -> Any:
    """Weights and bias of least mean squared error plus strength times the squared weights."""
    return _ridge(features, importance, strength)


def _ridge(
    features: Any, importance: Any, strength: float, *, centre: bool = True, scale: str = "N",
    penalty: bool = True, bias: bool = True,
) -> Any:  # fmt: skip
    N, D = features.shape
    mean = features.mean(0) if centre else np.zeros(D)
    middle = importance.mean() if centre else 0.0
    x, y = features - mean, importance - middle
    amount = strength * (N if scale == "N" else 1.0) if penalty else 0.0
    weights = np.linalg.solve(x.T @ x + amount * np.eye(D), x.T @ y)
    return weights, float(middle - mean @ weights) if bias else 0.0


def importance_cases(rng: np.random.Generator) -> list[Case]:
    """Features and importances away from zero, weak and strong penalties."""

    def drawn(name: str, N: int, D: int, strength: float, part: str) -> Case:
        x = rng.normal(size=(N, D)) + rng.normal(size=D) + 1
        y = x @ rng.normal(size=D) + 3 + 0.5 * rng.normal(size=N)
        return case(name, "fit_importance", x, y, strength, part=part)

    return [
        drawn("no penalty", 6, 2, 0.0, "fit"),
        drawn("one feature", 4, 1, 0.3, "penalty"),
        drawn("three features", 9, 3, 0.1, "penalty"),
        drawn("a strong penalty", 7, 2, 5.0, "penalty"),
        drawn("more features than items", 3, 5, 0.2, "penalty"),
    ]


def _fit(**switches: Any) -> Any:
    return lambda features, importance, strength: _ridge(features, importance, strength, **switches)


def _penalised_bias(features: Any, importance: Any, strength: float) -> Any:
    x = np.column_stack([features, np.ones(len(features))])
    amount = strength * len(features) * np.eye(x.shape[1])
    both = np.linalg.solve(x.T @ x + amount, x.T @ importance)
    return both[:-1], float(both[-1])


TASK = Task(
    id="news.importance",
    function="fit_importance",
    signature="fit_importance(features, importance, strength)",
    goal=Text(
        "Ridge regression: weights and bias that predict importance from features.",
        "岭回归：由特征预测重要性的权重和偏置。",
    ),
    cases=importance_cases,
    reference={"fit_importance": fit_importance},
    mistakes=(
        Mistake(
            "news.importance.no-penalty",
            Text("the penalty is missing", "没有惩罚项"),
            Text(
                "This is least squares: the result does not depend on `strength`.",
                "这是普通最小二乘：结果与 strength 无关。",
            ),
            "network/training",
            variants=(
                _fit(penalty=False),
                lambda features, importance, strength: (lambda both: (both[:-1], float(both[-1])))(
                    np.linalg.lstsq(
                        np.column_stack([features, np.ones(len(features))]), importance, rcond=None
                    )[0]
                ),
            ),
        ),
        Mistake(
            "news.importance.penalty-not-per-item",
            Text("the penalty is not scaled by the number of items", "惩罚没有乘以样本数"),
            Text(
                "The loss is a mean over the items: multiplied by N, so is the penalty.",
                "损失是对样本取平均：两边同乘 N 时，惩罚也要乘 N。",
            ),
            "network/training",
            variants=(_fit(scale="1"),),
        ),
        Mistake(
            "news.importance.penalty-factor",
            Text("the penalty is twice or half as strong", "惩罚大了一倍或小了一半"),
            Text(
                "The loss has no half in front. If it had, the factor from deriving the "
                "squares would not "
                "cancel: here both terms have it, and it goes away.",
                "损失前面没有二分之一。对平方求导得到的 2 在两项中都有，会一起约掉，"
                "惩罚既不加倍也不减半。",
            ),
            "network/training",
            variants=(
                lambda features, importance, strength: _ridge(features, importance, 2 * strength),
                lambda features, importance, strength: _ridge(features, importance, strength / 2),
            ),
        ),
        Mistake(
            "news.importance.no-bias",
            Text("no bias", "没有偏置"),
            Text(
                "Importance does not average 0: without a bias the line has to go through the "
                "origin.",
                "重要性的平均值不是 0：没有偏置，直线就必须过原点。",
            ),
            "network/units",
            variants=(_fit(centre=False, bias=False), _fit(bias=False), _fit(centre=False)),
        ),
        Mistake(
            "news.importance.bias-penalised",
            Text("the bias is penalised too", "偏置也被惩罚了"),
            Text(
                "The penalty is for the weights only: else the predictions are pulled towards 0, "
                "and would change if importance were counted from another zero.",
                "惩罚只针对权重：否则预测会被拉向 0，换一个重要性的零点结果就变了。",
            ),
            "network/training",
            variants=(_penalised_bias,),
        ),
        Mistake(
            "news.importance.bias-is-the-mean",
            Text("the bias is the mean importance", "把平均重要性当成了偏置"),
            Text(
                "After centring the line goes through the two means: take mean(X) · w off the mean "
                "importance again.",
                "中心化之后，直线经过两个平均值：还要从平均重要性中减去 mean(X) · w。",
            ),
            "network/training",
            variants=(
                lambda features, importance, strength: (
                    fit_importance(features, importance, strength)[0],
                    float(importance.mean()),
                ),
            ),
        ),
        Mistake(
            "news.importance.order",
            Text("bias and weights in the wrong order", "权重与偏置的顺序颠倒"),
            Text("Return weights first, then the bias.", "应先返回权重，再返回偏置。"),
            "news/judging",
            variants=(
                lambda features, importance, strength: fit_importance(
                    features, importance, strength
                )[::-1],
                lambda features, importance, strength: np.append(
                    *fit_importance(features, importance, strength)
                ),
            ),
        ),
    ),
    hints=(
        Text(
            "What happens to the bias if features and importance are centred first?",
            "先把特征和重要性中心化，偏置会怎样？",
        ),
        Text(
            "Centre both; solve (XᵀX + strength · N · I) w = Xᵀy; bias = mean(y) - mean(X) · w.",
            "两者中心化；解 (XᵀX + strength · N · I) w = Xᵀy；bias = mean(y) - mean(X) · w。",
        ),
    ),
    reread="news/judging",
    parts={"fit": 0.4, "penalty": 0.6},
)
