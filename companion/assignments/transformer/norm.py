"""Task: layer normalisation."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

FLAT, DEFAULT = "a constant vector", "eps as by default"


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

    def drawn(name: str, *shape: int, part: str = "values", **more: Any) -> Case:
        C = shape[-1]
        x = 2 * rng.normal(size=shape) + 1.5
        return case(name, "layer_norm", x, rng.uniform(0.5, 2, C), rng.normal(size=C), part=part,
                    **more)  # fmt: skip

    def near(name: str, **more: Any) -> Case:
        """A variance like eps; halves, quarters, ..., so that single precision loses nothing."""
        while True:
            steps = rng.integers(-8, 9, size=(3, 4)) / 256
            if steps.std(axis=-1).min() > 0.01:
                gain, bias = rng.integers(8, 33, size=4) / 16, rng.integers(-16, 17, size=4) / 16
                return case(name, "layer_norm", 1.5 + steps, gain, bias, part="eps", **more)

    flat = np.full((2, 3), 4.0)
    return [
        drawn("one vector", 3),
        drawn("two vectors", 2, 4),
        drawn("a batch", 2, 3, 5, part="batch"),
        drawn("as many vectors as numbers", 3, 3, part="batch"),
        drawn("eps of a tenth", 2, 3, part="eps", eps=0.1),
        near("a small spread", eps=0.01),
        near(DEFAULT),
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
            variants=(
                _norm(inside=False),
                lambda x, gain, bias, eps=1e-5: (
                    (x - x.mean(-1, keepdims=True))
                    / np.maximum(x.std(-1, keepdims=True), eps)
                    * gain
                    + bias
                ),
            ),
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
            "transformer.layer-norm.another-default",
            Text("another default for eps", "eps 的默认值不对"),
            Text(
                "Called without eps the function takes another number than the 1e-5 of the stub. "
                "It shows where the spread is small: weights trained with one eps do not fit "
                "another.",
                "不传 eps 时，函数用的不是函数桩中的 1e-5。方差很小时差别就显出来了："
                "用某个 eps 训练的权重，换一个 eps 就不合适。",
            ),
            "transformer/residual",
            variants=tuple(
                lambda x, gain, bias, eps=eps: _normed(x, gain, bias, eps)
                for eps in (1e-8, 1e-6, 1e-12, 1e-3, 1e-4)
            ),
            only=frozenset({DEFAULT}),
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
            "transformer.layer-norm.one-plus-gain",
            Text("1 + gain instead of gain", "乘的是 1 + 增益"),
            Text(
                "Some models store the gain less 1 and multiply by 1 + gain. Here the gain is the "
                "factor itself.",
                "有的模型存的是增益减 1，使用时乘以 1 + 增益。这里的增益就是系数本身。",
            ),
            "transformer/residual",
            variants=(lambda x, gain, bias, eps=1e-5: _normed(x, 1 + gain, bias, eps),),
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
