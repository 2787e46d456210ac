"""Tasks: the perceptron's rule, Oja's rule, and the gradient of a squared error."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

# ------------------------------------------------------------------------------ perceptron


def perceptron_step(weights: Any, bias: float, inputs: Any, label: int) -> Any:
    """Add label · inputs if the answer was wrong."""
    if label * (weights @ inputs + bias) <= 0:
        return weights + label * inputs, bias + label
    return weights, bias


def perceptron_cases(rng: np.random.Generator) -> list[Case]:
    """Right and wrong answers of both labels, and one exactly on the border."""

    def drawn(name: str, D: int, label: int, right: bool) -> Case:
        while True:
            weights, inputs, bias = rng.normal(size=D), rng.normal(size=D), float(rng.normal())
            margin = label * (weights @ inputs + bias)
            # a bias that decides, so that leaving it out shows
            if (
                (margin > 0.2) == right
                and abs(margin) > 0.2
                and margin * label * (weights @ inputs) * label < 0
            ):
                part = "right answers" if right else "wrong answers"
                return case(name, "perceptron_step", weights, bias, inputs, label, part=part)

    none = np.zeros(2)
    return [
        drawn("a wrong answer for +1", 2, 1, False),
        drawn("a wrong answer for -1", 3, -1, False),
        drawn("a right answer for +1", 2, 1, True),
        drawn("a right answer for -1", 4, -1, True),
        case("the first step", "perceptron_step", none, 0.0, np.array([0.5, -1.5]), -1,
             part="border"),
        case("the first step for +1", "perceptron_step", none, 0.0, np.array([0.5, -1.5]), 1,
             part="border"),
    ]  # fmt: skip


def _perceptron(wrong: Any = None, change: Any = None, bias_too: bool = True) -> Any:
    wrong = wrong or (lambda w, b, x, y: y * (w @ x + b) <= 0)
    change = change or (lambda x, y: y * x)

    def perceptron_step(weights: Any, bias: float, inputs: Any, label: int) -> Any:
        if not wrong(weights, bias, inputs, label):
            return weights, bias
        return weights + change(inputs, label), bias + (label if bias_too else 0)

    return perceptron_step


PERCEPTRON = Task(
    id="neuron.perceptron",
    function="perceptron_step",
    signature="perceptron_step(weights, bias, inputs, label)",
    goal=Text(
        "One step of Rosenblatt's rule; labels are +1 and -1.",
        "Rosenblatt 学习规则的一步；标签为 +1 和 -1。",
    ),
    cases=perceptron_cases,
    reference={"perceptron_step": perceptron_step},
    mistakes=(
        Mistake(
            "neuron.perceptron.always",
            Text("changes on right answers too", "答对时也更新了"),
            Text(
                "The rule learns from mistakes only; here the weights change every time.",
                "该规则只从错误中学习；这里每次都更新了权重。",
            ),
            "network/units",
            variants=(_perceptron(wrong=lambda w, b, x, y: True),),
        ),
        Mistake(
            "neuron.perceptron.on-right-answers",
            Text("changes on right answers instead", "反而在答对时更新"),
            Text("The condition is the wrong way round.", "判断条件写反了。"),
            "network/units",
            variants=(_perceptron(wrong=lambda w, b, x, y: y * (w @ x + b) > 0),),
        ),
        Mistake(
            "neuron.perceptron.sign",
            Text("moves away from the answer", "更新方向反了"),
            Text(
                "After the step the sum is further from the right side than before: add label "
                "times input, do not subtract it.",
                "更新之后反而离正确一侧更远：应加上标签乘输入，而不是减去。",
            ),
            "network/units",
            variants=(
                lambda weights, bias, inputs, label: (
                    (weights - label * inputs, bias - label)
                    if label * (weights @ inputs + bias) <= 0
                    else (weights, bias)
                ),
            ),
        ),
        Mistake(
            "neuron.perceptron.label-ignored",
            Text("the label does not decide the direction", "更新方向与标签无关"),
            Text(
                "The input is always added; for a point of class -1 it has to be subtracted.",
                "总是加上输入；对 -1 类的点应当减去。",
            ),
            "network/units",
            variants=(_perceptron(change=lambda x, y: x),),
        ),
        Mistake(
            "neuron.perceptron.bias-fixed",
            Text("the bias does not learn", "偏置没有更新"),
            Text(
                "The bias is the weight of an input that is always 1: it changes by the label.",
                "偏置就是恒为 1 的输入的权重：它要加上标签。",
            ),
            "network/units",
            variants=(_perceptron(bias_too=False),),
        ),
        Mistake(
            "neuron.perceptron.bias-not-in-sum",
            Text("decides without the bias", "判断时没有用偏置"),
            Text(
                "Whether the answer is wrong depends on weights · inputs + bias.",
                "答案是否错误，取决于 权重·输入 + 偏置。",
            ),
            "network/units",
            variants=(_perceptron(wrong=lambda w, b, x, y: y * (w @ x) <= 0),),
        ),
        Mistake(
            "neuron.perceptron.border-is-right",
            Text("a sum of 0 counts as right", "和为 0 被当成正确"),
            Text(
                "Starting from zero weights every sum is 0; if that counts as right, nothing is "
                "ever learned.",
                "权重从零开始时所有的和都是 0；若算作正确，就永远学不到东西。",
            ),
            "network/units",
            variants=(
                _perceptron(wrong=lambda w, b, x, y: y * (w @ x + b) < 0),
                _perceptron(wrong=lambda w, b, x, y: (w @ x + b >= 0) != (y > 0)),
                _perceptron(wrong=lambda w, b, x, y: (w @ x + b > 0) != (y > 0)),
            ),
            only=frozenset({"the first step", "the first step for +1"}),
        ),
    ),
    hints=(
        Text("When is label times sum positive?", "标签乘以和何时为正？"),
        Text(
            "If label * (weights @ inputs + bias) <= 0, add label * inputs and label.",
            "若 label * (weights @ inputs + bias) <= 0，则分别加上 label * inputs 和 label。",
        ),
    ),
    reread="network/units",
    parts={"wrong answers": 0.5, "right answers": 0.3, "border": 0.2},
)

# ------------------------------------------------------------------------------------- Oja


def oja_step(weights: Any, inputs: Any, rate: float) -> Any:
    """weights + rate · y (inputs - y weights), y = weights · inputs."""
    y = weights @ inputs
    return weights + rate * y * (inputs - y * weights)


def oja_cases(rng: np.random.Generator) -> list[Case]:
    """Outputs of both signs, rates other than 1."""
    return [
        case(f"{D} inputs, rate {rate}", "oja_step", rng.normal(size=D) + 0.3,
             2 * rng.normal(size=D) + 0.5, rate)
        for D, rate in ((2, 0.1), (2, 0.5), (3, 0.03), (5, 0.2), (4, 0.7))
    ]  # fmt: skip


def _oja(change: Callable[[Any, Any, Any], Any]) -> Any:
    return lambda weights, inputs, rate: weights + rate * change(weights, inputs, weights @ inputs)


OJA = Task(
    id="neuron.oja",
    function="oja_step",
    signature="oja_step(weights, inputs, rate)",
    goal=Text(
        "One step of Oja's rule: Hebb's growth, and a decay that keeps the length near 1.",
        "Oja 规则的一步：赫布增长，加上使长度保持在 1 附近的衰减。",
    ),
    cases=oja_cases,
    reference={"oja_step": oja_step},
    mistakes=(
        Mistake(
            "neuron.oja.hebb-only",
            Text("Hebb's rule alone", "只有赫布规则"),
            Text(
                "Without the decay the weights grow without end.",
                "没有衰减项，权重会无限增长。",
            ),
            "brain/plasticity",
            variants=(_oja(lambda w, x, y: y * x),),
        ),
        Mistake(
            "neuron.oja.decay-not-squared",
            Text("the decay has y once", "衰减项只乘了一次 y"),
            Text(
                "The decay is y² times the weights: it has to hold whatever the sign of y is.",
                "衰减项是 y² 乘以权重：无论 y 的符号如何都要起作用。",
            ),
            "brain/plasticity",
            variants=(_oja(lambda w, x, y: y * x - y * w), _oja(lambda w, x, y: y * x - w)),
        ),
        Mistake(
            "neuron.oja.decay-added",
            Text("the decay is added", "加上了衰减项"),
            Text(
                "The decay makes the weights grow faster still.", "加上衰减项会让权重增长得更快。"
            ),
            "brain/plasticity",
            variants=(_oja(lambda w, x, y: y * x + y * y * w),),
        ),
        Mistake(
            "neuron.oja.no-output",
            Text("the output is missing", "漏掉了输出"),
            Text(
                "The growth is the product of both sides, input and output.",
                "增长是输入与输出两侧的乘积。",
            ),
            "brain/plasticity",
            variants=(_oja(lambda w, x, y: x - y * w), _oja(lambda w, x, y: x - y * y * w)),
        ),
        Mistake(
            "neuron.oja.rate-on-one-term",
            Text("the rate belongs to both terms", "学习率只乘了一项"),
            Text("Growth and decay are multiplied by the same rate.", "增长和衰减都要乘以学习率。"),
            "brain/plasticity",
            variants=(
                lambda weights, inputs, rate: (
                    weights + rate * (weights @ inputs) * inputs - (weights @ inputs) ** 2 * weights
                ),
            ),
        ),
        Mistake(
            "neuron.oja.normalised",
            Text("normalised instead of decayed", "用归一化代替了衰减"),
            Text(
                "Dividing by the length is what Oja's rule comes near to for small rates; the task "
                "asks for the rule itself, which needs no sum over all weights.",
                "除以长度是 Oja 规则在学习率很小时的近似目标；"
                "题目要的是规则本身，它不需要对所有权重求和。",
            ),
            "brain/plasticity",
            variants=(
                lambda weights, inputs, rate: (
                    (weights + rate * (weights @ inputs) * inputs)
                    / np.linalg.norm(weights + rate * (weights @ inputs) * inputs)
                ),
            ),
        ),
        Mistake(
            "neuron.oja.change-only",
            Text("the change alone is returned", "只返回了变化量"),
            Text("Return the new weights.", "应返回新的权重。"),
            "brain/plasticity",
            variants=(lambda weights, inputs, rate: oja_step(weights, inputs, rate) - weights,),
        ),
    ),
    hints=(
        Text("What keeps the weights from growing for ever?", "是什么阻止权重无限增长？"),
        Text(
            "y = weights @ inputs; add rate * y * (inputs - y * weights).",
            "y = weights @ inputs；加上 rate * y * (inputs - y * weights)。",
        ),
    ),
    reread="brain/plasticity",
    parts={"values": 1.0},
)

# -------------------------------------------------------------------------------- gradient


def squared_error_gradient(weights: Any, inputs: Any, targets: Any) -> Any:
    """The gradient of the mean of (inputs weights - targets)²."""
    return 2 * inputs.T @ (inputs @ weights - targets) / len(targets)


def gradient_cases(rng: np.random.Generator) -> list[Case]:
    """More examples than inputs, as many, and one example."""
    return [
        case(f"{N} examples of {D} numbers", "squared_error_gradient", rng.normal(size=D),
             rng.normal(size=(N, D)), rng.normal(size=N), part="one" if N == 1 else "several")
        for N, D in ((1, 2), (2, 3), (4, 2), (3, 3), (7, 4))
    ]  # fmt: skip


def _gradient(factor: Callable[[int, int], float], sign: float = 1.0) -> Any:
    def squared_error_gradient(weights: Any, inputs: Any, targets: Any) -> Any:
        N, D = inputs.shape
        return sign * factor(N, D) * inputs.T @ (inputs @ weights - targets)

    return squared_error_gradient


GRADIENT = Task(
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
            variants=(_gradient(lambda N, D: 1 / N),),
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
