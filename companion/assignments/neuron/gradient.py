"""Task: the gradient of a squared error."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


def squared_error_gradient(weights: Any, inputs: Any, targets: Any) -> Any:
    """The gradient of the mean of (inputs weights - targets)²."""
    return 2 * inputs.T @ (inputs @ weights - targets) / len(targets)


def gradient_cases(rng: np.random.Generator) -> list[Case]:
    """More examples than inputs, as many, and one example."""
    return [
        case(f"{N} example{'s' * (N > 1)} of {D} numbers", "squared_error_gradient",
             rng.normal(size=D), rng.normal(size=(N, D)), rng.normal(size=N),
             part="one" if N == 1 else "several")
        for N, D in ((1, 2), (2, 3), (4, 2), (3, 3), (7, 4))
    ]  # fmt: skip


def _gradient(factor: Callable[[int, int], float], sign: float = 1.0) -> Any:
    def squared_error_gradient(weights: Any, inputs: Any, targets: Any) -> Any:
        N, D = inputs.shape
        return sign * factor(N, D) * inputs.T @ (inputs @ weights - targets)

    return squared_error_gradient


TASK = Task(
    id="neuron.gradient",
    function="squared_error_gradient",
    signature="squared_error_gradient(weights, inputs, targets)",
    goal=Text(
        "The gradient of the mean squared error of a linear unit with respect to its weights.",
        "线性单元的均方误差对权重的梯度。",
    ),
    cases=gradient_cases,
    reference={"squared_error_gradient": squared_error_gradient},
    mistakes=(
        Mistake(
            "neuron.gradient.factor-two",
            Text("the factor 2 is missing", "漏掉了系数 2"),
            Text(
                "The derivative of e² is 2e. (It is missing where the loss has a half in front; "
                "this one has not.)",
                "e² 的导数是 2e。（损失前面有二分之一时才会约掉，这里没有。）",
            ),
            "network/training",
            variants=(_gradient(lambda N, D: 1 / N), _gradient(lambda N, D: 0.5 / N)),
        ),
        Mistake(
            "neuron.gradient.sum-not-mean",
            Text("the sum, not the mean", "求了和而不是平均"),
            Text(
                "The loss is a mean over the examples: divide by their number.",
                "损失是对样本取平均：应除以样本数。",
            ),
            "network/training",
            variants=(_gradient(lambda N, D: 2.0), _gradient(lambda N, D: 1.0)),
        ),
        Mistake(
            "neuron.gradient.wrong-number",
            Text("divided by the wrong number", "除错了个数"),
            Text(
                "Divide by the number of examples, not of inputs, nor by both.",
                "应除以样本数，而不是输入维数，也不是两者之积。",
            ),
            "network/training",
            variants=(_gradient(lambda N, D: 2 / D), _gradient(lambda N, D: 2 / (N * D))),
        ),
        Mistake(
            "neuron.gradient.sign",
            Text("the sign is wrong", "符号反了"),
            Text(
                "This is minus the gradient. The gradient points uphill; the step takes the minus.",
                "这是梯度的相反数。梯度指向上坡方向，更新时才取负号。",
            ),
            "network/training",
            variants=(_gradient(lambda N, D: 2 / N, -1.0),),
        ),
        Mistake(
            "neuron.gradient.sign-and-factor",
            Text("the sign is wrong, and a factor too", "符号反了，系数也不对"),
            Text(
                "Two slips. This points downhill, against the gradient; and besides the factor 2 "
                "of the square or the division by the number of examples is missing.",
                "有两处错误：方向与梯度相反（指向下坡）；"
                "此外还漏掉了平方求导得到的系数 2，或没有除以样本数。",
            ),
            "network/training",
            variants=(
                _gradient(lambda N, D: 1 / N, -1.0),
                _gradient(lambda N, D: 2.0, -1.0),
                _gradient(lambda N, D: 1.0, -1.0),
                _gradient(lambda N, D: 2 / D, -1.0),
                _gradient(lambda N, D: 0.5 / N, -1.0),
            ),
        ),
        Mistake(
            "neuron.gradient.targets-forgotten",
            Text("the targets are forgotten", "忘了减去目标"),
            Text("The error is prediction minus target.", "误差是预测减去目标。"),
            "network/training",
            variants=(
                lambda weights, inputs, targets: 2 * inputs.T @ (inputs @ weights) / len(targets),
            ),
        ),
        Mistake(
            "neuron.gradient.inputs-forgotten",
            Text("the chain stops too early", "链式法则没有走完"),
            Text(
                "The derivative of the prediction with respect to weight d is input d: multiply by "
                "it, for each example, before adding up.",
                "预测对权重 d 的导数是输入 d：应对每个样本乘上它，再求和。",
            ),
            "network/training",
            variants=(
                lambda weights, inputs, targets: np.full(
                    weights.shape, 2 * (inputs @ weights - targets).mean()
                ),
                lambda weights, inputs, targets: 2 * (inputs @ weights - targets) / len(targets),
            ),
        ),
        Mistake(
            "neuron.gradient.one-example",
            Text("each example apart", "没有对样本求和"),
            Text(
                "This is a matrix with one gradient for each example; the loss's gradient is their "
                "mean.",
                "得到的是每个样本各一行的梯度矩阵；损失的梯度是它们的平均。",
            ),
            "network/training",
            variants=(
                lambda weights, inputs, targets: 2 * inputs * (inputs @ weights - targets)[:, None],
                lambda weights, inputs, targets: (
                    2 * inputs * (inputs @ weights - targets)[:, None] / len(targets)
                ),
            ),
        ),
        Mistake(
            "neuron.gradient.loss",
            Text("the loss, not its gradient", "返回了损失而不是梯度"),
            Text("One number for each weight is asked for.", "要求每个权重对应一个数。"),
            "network/training",
            variants=(lambda weights, inputs, targets: ((inputs @ weights - targets) ** 2).mean(),),
        ),
    ),
    hints=(
        Text(
            "Write the loss of one example, and derive it by one weight.",
            "先写出一个样本的损失，再对一个权重求导。",
        ),
        Text(
            "2 * inputs.T @ (inputs @ weights - targets), over the number of examples.",
            "2 * inputs.T @ (inputs @ weights - targets)，再除以样本数。",
        ),
    ),
    reread="network/training",
    parts={"one": 0.3, "several": 0.7},
)
