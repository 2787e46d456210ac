"""Task: a layer of artificial units."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


def layer(inputs: Any, weight: Any, bias: Any) -> Any:
    """relu(inputs weightᵀ + bias)."""
    return np.maximum(inputs @ weight.T + bias, 0)


def cases(rng: np.random.Generator) -> list[Case]:
    """One unit, several, a batch, as many inputs as units; sums of both signs in each."""

    def drawn(name: str, *lead: int, I: int, O: int, part: str) -> Case:  # noqa: E741
        while True:
            given = rng.normal(size=(*lead, I)), rng.normal(size=(O, I)), rng.normal(size=O)
            sums = given[0] @ given[1].T + given[2]
            if O * max(1, sum(lead)) == 1 or (sums.min() < -0.1 and sums.max() > 0.1):
                return case(name, "layer", *given, part=part)

    return [
        case("one unit that fires", "layer", np.array([1.5, -0.5]), np.array([[0.7, 0.2]]),
             np.array([0.4])),
        case("one unit that stays silent", "layer", np.array([1.5, 2.5]), np.array([[-0.7, 0.2]]),
             np.array([-0.3])),
        drawn("three units", I=2, O=3, part="values"),
        drawn("as many inputs as units", I=3, O=3, part="values"),
        drawn("a batch", 4, I=3, O=2, part="batch"),
        drawn("a batch of sequences", 2, 3, I=4, O=5, part="batch"),
    ]  # fmt: skip


def _gelu(inputs: Any, weight: Any, bias: Any) -> Any:
    total = inputs @ weight.T + bias
    return 0.5 * total * (1 + np.tanh((2 / np.pi) ** 0.5 * (total + 0.044715 * total**3)))


def _silu(inputs: Any, weight: Any, bias: Any) -> Any:
    total = inputs @ weight.T + bias
    return total / (1 + np.exp(-total))


TASK = Task(
    id="neuron.layer",
    function="layer",
    signature="layer(inputs, weight, bias)",
    goal=Text(
        "The outputs of a layer of units: the positive part of the weighted sum plus bias.",
        "一层单元的输出：加权和加偏置，取正部。",
    ),
    cases=cases,
    reference={"layer": layer},
    mistakes=(
        Mistake(
            "neuron.layer.no-activation",
            Text("no activation function", "没有激活函数"),
            Text(
                "Negative sums come out as they are. Without a nonlinearity two layers are one.",
                "负的加权和原样输出了。没有非线性，两层等于一层。",
            ),
            "background/index",
            variants=(lambda inputs, weight, bias: inputs @ weight.T + bias,),
        ),
        Mistake(
            "neuron.layer.no-bias",
            Text("the bias is missing", "漏掉了偏置"),
            Text(
                "Without a bias every unit's border goes through the origin.",
                "没有偏置，每个单元的分界都必须经过原点。",
            ),
            "network/units",
            variants=(lambda inputs, weight, bias: np.maximum(inputs @ weight.T, 0),),
        ),
        Mistake(
            "neuron.layer.bias-after",
            Text("bias added after the activation", "在激活之后才加偏置"),
            Text(
                "The bias belongs to the sum that the activation sees: it shifts the threshold.",
                "偏置应加在激活函数之前：它移动的是阈值。",
            ),
            "network/units",
            variants=(lambda inputs, weight, bias: np.maximum(inputs @ weight.T, 0) + bias,),
        ),
        Mistake(
            "neuron.layer.weight-not-transposed",
            Text("the weight matrix is not transposed", "权重矩阵没有转置"),
            Text(
                "Row o of the weight (O, I) belongs to unit o: its dot product with the inputs is "
                "that unit's sum.",
                "权重 (O, I) 的第 o 行属于单元 o：它与输入的点积才是该单元的加权和。",
            ),
            "network/units",
            variants=(lambda inputs, weight, bias: np.maximum(inputs @ weight + bias, 0),),
            only=frozenset({"as many inputs as units"}),
        ),
        Mistake(
            "neuron.layer.sign-of-bias",
            Text("the bias is subtracted", "减去了偏置"),
            Text(
                "Here the bias is added. A threshold would be subtracted: it is minus the bias.",
                "这里偏置是相加的。若写成阈值才是相减：阈值等于负的偏置。",
            ),
            "network/units",
            variants=(lambda inputs, weight, bias: np.maximum(inputs @ weight.T - bias, 0),),
        ),
        Mistake(
            "neuron.layer.another-activation",
            Text("another activation function", "用了别的激活函数"),
            Text(
                "The task asks for the positive part, max(0, sum). This is an absolute value, a "
                "sigmoid, a tanh, a step, a leaky or a smooth version.",
                "题目要求取正部 max(0, 和)。这里用的是绝对值、sigmoid、tanh、阶跃，或带泄漏、"
                "平滑的版本。",
            ),
            "background/index",
            variants=(
                lambda inputs, weight, bias: np.abs(inputs @ weight.T + bias),
                lambda inputs, weight, bias: 1 / (1 + np.exp(-(inputs @ weight.T + bias))),
                lambda inputs, weight, bias: np.log1p(np.exp(inputs @ weight.T + bias)),
                _gelu,
                _silu,
                lambda inputs, weight, bias: np.tanh(inputs @ weight.T + bias),
                lambda inputs, weight, bias: (inputs @ weight.T + bias > 0).astype(float),
                lambda inputs, weight, bias: np.maximum(
                    inputs @ weight.T + bias, 0.01 * (inputs @ weight.T + bias)
                ),
            ),
        ),
        Mistake(
            "neuron.layer.negative-part",
            Text("the negative part is kept", "保留了负的部分"),
            Text("min(0, sum) keeps what should be cut off.", "min(0, 和) 保留了应当去掉的部分。"),
            "background/index",
            variants=(
                lambda inputs, weight, bias: np.minimum(inputs @ weight.T + bias, 0),
                lambda inputs, weight, bias: np.maximum(-(inputs @ weight.T + bias), 0),
            ),
        ),
    ),
    hints=(
        Text("Which axis of the weight belongs to the inputs?", "权重的哪个轴对应输入？"),
        Text(
            "inputs @ weight.T + bias, then the larger of that and 0.",
            "inputs @ weight.T + bias，再与 0 取较大者。",
        ),
    ),
    reread="network/units",
    parts={"values": 0.7, "batch": 0.3},
)
