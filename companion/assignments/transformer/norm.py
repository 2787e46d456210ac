"""Task: layer normalisation."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

FLAT = "a constant vector"


def layer_norm(x: Any, gain: Any, bias: Any, eps: float = 1e-5) -> Any:
    """(x - mean) / √(variance + eps) · gain + bias, over the last axis."""
    return _normed(x, gain, bias, eps)


def _normed(
    x: Any, gain: Any, bias: Any, eps: float, *, axis: Any = -1, ddof: int = 0, inside: bool = True,
    centre: bool = True, root: bool = True, use: str = "both", eps_on: bool = True,
) -> Any:  # fmt: skip
    mean = x.mean(axis=axis, keepdims=True)
    variance = x.var(axis=axis, keepdims=True, ddof=ddof)
    if not centre:
        variance = (x * x).mean(axis=axis, keepdims=True)
    eps = eps if eps_on else 0.0
    spread = (
        variance + eps
        if not root
        else (np.sqrt(variance + eps) if inside else np.sqrt(variance) + eps)
    )
    out = (x - mean if centre else x) / spread
    if use == "exchanged":
        return out * bias + gain
    out = out * gain if use in ("both", "gain") else out
    return out + bias if use in ("both", "bias") else out


def norm_cases(rng: np.random.Generator) -> list[Case]:
    """Means and spreads unlike 0 and 1, a small spread where eps counts, a constant vector."""

    def drawn(
        name: str, *shape: int, part: str = "values", spread: float = 2.0, **more: Any
    ) -> Case:
        C = shape[-1]
        x = spread * rng.normal(size=shape) + 1.5
        return case(name, "layer_norm", x, rng.uniform(0.5, 2, C), rng.normal(size=C), part=part,
                    **more)  # fmt: skip

    flat = np.full((2, 3), 4.0)
    return [
        drawn("one vector", 3),
        drawn("two vectors", 2, 4),
        drawn("a batch", 2, 3, 5, part="batch"),
        drawn("as many vectors as numbers", 3, 3, part="batch"),
        drawn("eps of a tenth", 2, 3, part="eps", eps=0.1),
        drawn("a small spread", 3, 4, part="eps", spread=0.03, eps=0.01),
        case(FLAT, "layer_norm", flat, rng.uniform(0.5, 2, 3), rng.normal(size=3), part="eps"),
    ]


def _norm(**switches: Any) -> Any:
    def layer_norm(x: Any, gain: Any, bias: Any, eps: float = 1e-5) -> Any:
        return _normed(x, gain, bias, eps, **switches)

    return layer_norm


TASK = Task(
    id="transformer.layer-norm",
    function="layer_norm",
    signature="layer_norm(x, gain, bias, eps=1e-5)",
    goal=Text(
        "Bring each vector to mean 0 and variance 1; then gain and bias.",
        "把每个向量化为均值 0、方差 1；再乘增益、加偏置。",
    ),
    cases=norm_cases,
    reference={"layer_norm": layer_norm},
    mistakes=(
        Mistake(
            "transformer.layer-norm.over-batch",
            Text("normalised over the batch", "对批次做了归一化"),
            Text(
                "Each vector is normalised by itself, over its last axis. Over the batch it would "
                "be batch normalisation, and one text would depend on the others.",
                "每个向量各自沿最后一个轴归一化。"
                "沿批次归一化就成了批归一化，一篇文本会依赖其他文本。",
            ),
            "transformer/residual",
            variants=(_norm(axis=0),),
        ),
        Mistake(
            "transformer.layer-norm.over-everything",
            Text("one mean for the whole array", "对整个数组求均值"),
            Text(
                "Mean and variance are taken for each vector, not for all numbers together.",
                "均值和方差应对每个向量分别计算，而不是对全部元素。",
            ),
            "transformer/residual",
            variants=(
                _norm(axis=None),
                lambda x, gain, bias, eps=1e-5: _normed(
                    x, gain, bias, eps, axis=tuple(range(-min(x.ndim, 2), 0))
                ),
            ),
        ),
        Mistake(
            "transformer.layer-norm.eps-outside",
            Text("eps outside the root", "eps 放在根号外"),
            Text(
                "eps is added to the variance, under the root. Outside it hardly changes large "
                "spreads and changes small ones differently.",
                "eps 应加在根号内的方差上。放在根号外，对小方差的影响就不同了。",
            ),
            "transformer/residual",
            variants=(_norm(inside=False),),
        ),
        Mistake(
            "transformer.layer-norm.no-eps",
            Text("the argument eps is not used", "没有使用参数 eps"),
            Text(
                "Without eps a constant vector, of variance 0, gives 0/0; a number written in its "
                "place does not follow the argument.",
                "没有 eps，方差为 0 的常数向量会得到 0/0；写死一个数，则不会随参数 eps 变化。",
            ),
            "transformer/residual",
            variants=(
                _norm(eps_on=False),
                lambda x, gain, bias, eps=1e-5: _normed(x, gain, bias, 1e-5),
            ),
        ),
        Mistake(
            "transformer.layer-norm.axis-lost",
            Text("the axis is lost (keepdims)", "求和后轴丢失了（缺 keepdims）"),
            Text(
                "A sum, mean or maximum along an axis drops it, and what is left lines up with "
                "the wrong axis, or with none. With `keepdims=True` the axis stays, of length 1.",
                "沿某个轴求和、求平均或取最大值之后，这个轴就没有了，剩下的会与错误的轴对齐，或根本对不齐。"
                "写上 `keepdims=True`，该轴会以长度 1 保留下来。",
            ),
            "transformer/residual",
            variants=(
                lambda x, gain, bias, eps=1e-5: (
                    (x - x.mean(-1)) / np.sqrt(x.var(-1) + eps) * gain + bias
                ),
                lambda x, gain, bias, eps=1e-5: (
                    (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1) + eps) * gain + bias
                ),
            ),
        ),
        Mistake(
            "transformer.layer-norm.unbiased-variance",
            Text("divided by C - 1", "方差除以了 C - 1"),
            Text(
                "Layer normalisation takes the mean of the squared deviations, over C. The "
                "unbiased estimate (torch's default for `std`) divides by C - 1.",
                "层归一化用的是偏差平方的平均（除以 C）。"
                "无偏估计（torch 中 std 的默认值）除以 C - 1。",
            ),
            "transformer/residual",
            variants=(_norm(ddof=1), _norm(ddof=1, inside=False)),
        ),
        Mistake(
            "transformer.layer-norm.variance-not-root",
            Text("divided by the variance", "除以了方差"),
            Text(
                "Divide by the root of the variance: else the spread becomes 1 over itself.",
                "应除以方差的平方根：否则结果的标准差是原标准差的倒数。",
            ),
            "transformer/residual",
            variants=(_norm(root=False),),
        ),
        Mistake(
            "transformer.layer-norm.mean-kept",
            Text("the mean is not subtracted", "没有减去均值"),
            Text(
                "This is RMSNorm, a later relative that leaves the mean in.",
                "这是后来的 RMSNorm，它不减均值。",
            ),
            "transformer/residual",
            variants=(_norm(centre=False),),
        ),
        Mistake(
            "transformer.layer-norm.gain-or-bias",
            Text("gain or bias missing or exchanged", "增益或偏置缺失、颠倒"),
            Text(
                "The normalised vector is multiplied by the gain, then the bias is added.",
                "归一化之后先乘增益，再加偏置。",
            ),
            "transformer/residual",
            variants=(
                _norm(use="gain"),
                _norm(use="bias"),
                _norm(use="none"),
                _norm(use="exchanged"),
                lambda x, gain, bias, eps=1e-5: (
                    (_normed(x, gain, bias, eps, use="none") + bias) * gain
                ),
            ),
        ),
    ),
    hints=(
        Text("Over which axis, and what does eps protect from?", "沿哪个轴？eps 防止什么？"),
        Text(
            "(x - mean) / (variance + eps)**0.5 * gain + bias, mean and variance with keepdims.",
            "(x - mean) / (variance + eps)**0.5 * gain + bias，均值和方差用 keepdims。",
        ),
    ),
    reread="transformer/residual",
    parts={"values": 0.5, "batch": 0.25, "eps": 0.25},
)
