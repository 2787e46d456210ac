"""Task: one step of the perceptron's rule."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


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


def _by_difference(low: int) -> Any:
    def perceptron_step(weights: Any, bias: float, inputs: Any, label: int) -> Any:
        step = label - (1 if weights @ inputs + bias > 0 else low)
        return weights + step * inputs, bias + step

    return perceptron_step


TASK = Task(
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
            "neuron.perceptron.labels-of-zero",
            Text("labels taken for 0 and 1", "把标签当成了 0 和 1"),
            Text(
                "The labels are +1 and -1, and so is the answer. Compared with an answer of 0 "
                "or 1 the "
                "difference is never 0 for class -1, and a wrong answer counts twice.",
                "标签是 +1 和 -1，回答也应如此。若回答取 0 或 1，对 -1 类的差永远不为 0，"
                "答错时又会多加一倍。",
            ),
            "network/units",
            variants=(_by_difference(0),),
        ),
        Mistake(
            "neuron.perceptron.twice",
            Text("the step is twice as long", "步长大了一倍"),
            Text(
                "The difference of label and answer is 2 or -2. The rule adds the label "
                "itself, 1 or -1, "
                "times the input.",
                "标签与回答之差是 2 或 -2。规则要加的是标签本身（1 或 -1）乘以输入。",
            ),
            "network/units",
            variants=(_by_difference(-1),),
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
