"""Task: one step of Oja's rule."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


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


TASK = Task(
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
            "neuron.oja.no-rate",
            Text("the rate is not used", "没有使用学习率"),
            Text(
                "The whole change is made in one step. Multiplied by the rate it is a small one, "
                "and the weights settle instead of jumping about.",
                "整个变化量一步加完了。乘以学习率才是一小步，权重才会收敛而不是来回跳动。",
            ),
            "brain/plasticity",
            variants=(
                lambda weights, inputs, rate: oja_step(weights, inputs, 1.0),
                lambda weights, inputs, rate: weights + (weights @ inputs) * inputs,
            ),
        ),
        Mistake(
            "neuron.oja.sign",
            Text("the change has the wrong sign", "变化量的符号反了"),
            Text(
                "Cells that fire together wire together: growth is added and decay taken off. Here "
                "it is the other way round, and the weights run away from the inputs.",
                "一起放电的细胞连在一起：增长项要加，衰减项要减。这里正好相反，权重会远离输入的方向。",
            ),
            "brain/plasticity",
            variants=(
                lambda weights, inputs, rate: oja_step(weights, inputs, -rate),
                lambda weights, inputs, rate: oja_step(weights, inputs, -1.0),
                _oja(lambda w, x, y: -y * x),
            ),
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
                lambda weights, inputs, rate: (
                    weights + (weights @ inputs) * inputs - rate * (weights @ inputs) ** 2 * weights
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
