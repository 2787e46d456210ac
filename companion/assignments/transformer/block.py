"""Task: the order of things in a block."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


def block(x: Any, mix: Any, params: Any) -> Any:
    """Pre-norm: x + attend(norm(x)), then x + feed_forward(norm(x))."""
    x = x + _attend(_plain_norm(x), mix, params)
    return x + _feed(_plain_norm(x), params)


def _plain_norm(x: Any) -> Any:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def _attend(x: Any, mix: Any, params: Any) -> Any:
    return mix @ (x @ params["value"].T) @ params["output"].T


def _feed(x: Any, params: Any) -> Any:
    return np.maximum(x @ params["hidden"].T, 0) @ params["out"].T


def block_cases(rng: np.random.Generator) -> list[Case]:
    """Unequal T, C, F; uneven attention weights; a batch."""

    def drawn(name: str, *lead: int, T: int, C: int, F: int, part: str = "values") -> Case:
        mix = rng.dirichlet(np.ones(T), size=(*lead, T))
        shapes = {"value": (C, C), "output": (C, C), "hidden": (F, C), "out": (C, F)}
        params = {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}
        x = 2 * rng.normal(size=(*lead, T, C)) + 0.5
        return case(name, "block", x, mix, params, part=part)

    return [
        drawn("two tokens", T=2, C=3, F=4),
        drawn("five tokens", T=5, C=4, F=7),
        drawn("as many tokens as numbers", T=3, C=3, F=5),
        drawn("a batch", 2, T=4, C=3, F=6, part="batch"),
    ]


def _without(params: Any, *names: str) -> Any:
    return {**params, **{name: np.eye(len(params["value"])) for name in names}}


TASK = Task(
    id="transformer.block",
    function="block",
    signature="block(x, mix, params)",
    goal=Text(
        "One pre-norm block: attention with given weights, then feed-forward, both with residual.",
        "一个前置归一化模块：用给定权重做注意力，再做前馈，两者都有残差。",
    ),
    cases=block_cases,
    reference={"block": block},
    mistakes=(
        Mistake(
            "transformer.block.residual-forgotten",
            Text("a residual connection is missing", "缺少残差连接"),
            Text(
                "What a sub-layer computes is added to what came into it; here that is lost. The "
                "second sum begins from u, not from x.",
                "子层的结果应加到它自己的输入上；这里把输入丢掉了。第二次相加从 u 开始，而不是 x。",
            ),
            "transformer/residual",
            variants=(
                lambda x, mix, params: _feed(
                    _plain_norm(_attend(_plain_norm(x), mix, params)), params
                ),
                lambda x, mix, params: (lambda a: a + _feed(_plain_norm(a), params))(
                    _attend(_plain_norm(x), mix, params)
                ),
                lambda x, mix, params: _feed(
                    _plain_norm(x + _attend(_plain_norm(x), mix, params)), params
                ),
                lambda x, mix, params: (
                    x + _feed(_plain_norm(x + _attend(_plain_norm(x), mix, params)), params)
                ),
            ),
        ),
        Mistake(
            "transformer.block.post-norm",
            Text("post-norm instead of pre-norm", "用了后置归一化"),
            Text(
                "Here the sum is normalised, as in 2017. Pre-norm normalises what the sub-layer "
                "reads and leaves the sum alone.",
                "这里归一化的是相加之后的结果（2017 年的做法）。前置归一化只归一化子层的输入。",
            ),
            "transformer/residual",
            variants=(
                lambda x, mix, params: (lambda a: _plain_norm(a + _feed(a, params)))(
                    _plain_norm(x + _attend(x, mix, params))
                ),
            ),
        ),
        Mistake(
            "transformer.block.no-norm",
            Text("nothing is normalised", "没有归一化"),
            Text(
                "One of the sub-layers, or both, read the sum as it is.",
                "一个或两个子层直接读取了未归一化的和。",
            ),
            "transformer/residual",
            variants=(
                lambda x, mix, params: (lambda a: a + _feed(a, params))(
                    x + _attend(x, mix, params)
                ),
                lambda x, mix, params: (lambda a: a + _feed(a, params))(
                    x + _attend(_plain_norm(x), mix, params)
                ),
                lambda x, mix, params: (lambda a: a + _feed(_plain_norm(a), params))(
                    x + _attend(x, mix, params)
                ),
            ),
        ),
        Mistake(
            "transformer.block.normalised-residual",
            Text("the normalised vector is added", "残差加的是归一化后的向量"),
            Text(
                "The residual carries x itself past the sub-layer, not its normalised copy.",
                "残差传递的是 x 本身，而不是归一化之后的副本。",
            ),
            "transformer/residual",
            variants=(
                lambda x, mix, params: (lambda a: _plain_norm(a) + _feed(_plain_norm(a), params))(
                    _plain_norm(x) + _attend(_plain_norm(x), mix, params)
                ),
                lambda x, mix, params: (lambda a: a + _feed(_plain_norm(a), params))(
                    _plain_norm(x) + _attend(_plain_norm(x), mix, params)
                ),
                lambda x, mix, params: (lambda a: _plain_norm(a) + _feed(_plain_norm(a), params))(
                    x + _attend(_plain_norm(x), mix, params)
                ),
            ),
        ),
        Mistake(
            "transformer.block.feed-forward-reads-input",
            Text("the feed-forward reads the block's input", "前馈读取了模块的输入"),
            Text(
                "The feed-forward comes after attention and reads its result (the article's "
                "section 3.2.4 has it the other way).",
                "前馈在注意力之后，读取的是注意力的结果（文章 3.2.4 节弄反了）。",
            ),
            "transformer/block",
            variants=(
                lambda x, mix, params: (
                    x + _attend(_plain_norm(x), mix, params) + _feed(_plain_norm(x), params)
                ),
            ),
        ),
        Mistake(
            "transformer.block.order",
            Text("feed-forward before attention", "先前馈后注意力"),
            Text("Attention first, then the feed-forward.", "先注意力，再前馈。"),
            "transformer/block",
            variants=(
                lambda x, mix, params: (lambda a: a + _attend(_plain_norm(a), mix, params))(
                    x + _feed(_plain_norm(x), params)
                ),
            ),
        ),
        Mistake(
            "transformer.block.no-relu",
            Text("the feed-forward has no activation", "前馈没有激活函数"),
            Text(
                "Two linear maps without relu between them are one.",
                "两个线性映射之间没有 relu，就等于一个。",
            ),
            "transformer/block",
            variants=(
                lambda x, mix, params: (
                    lambda a: a + _plain_norm(a) @ params["hidden"].T @ params["out"].T
                )(x + _attend(_plain_norm(x), mix, params)),
            ),
        ),
        Mistake(
            "transformer.block.mix-transposed",
            Text("rows and columns of the weights exchanged", "注意力权重的行列颠倒"),
            Text(
                "Row t of `mix` says how much token t takes from each token: mix @ values, not "
                "its transpose.",
                "mix 的第 t 行表示词元 t 从各个词元取多少：应是 mix @ 值，而不是它的转置。",
            ),
            "transformer/block",
            variants=(lambda x, mix, params: block(x, np.swapaxes(mix, -1, -2), params),),
        ),
        Mistake(
            "transformer.block.projection-missing",
            Text("a projection is missing", "缺少一个投影"),
            Text(
                "Two matrices stand around the attention weights, value before and output "
                "after; one of "
                "them, or both, are left out.",
                "注意力权重前后各有一个矩阵：前面是 value，后面是 output；"
                "这里漏掉了其中一个或两个。",
            ),
            "transformer/block",
            variants=(
                *(
                    lambda x, mix, params, out=out: block(x, mix, _without(params, *out))
                    for out in (("output",), ("value",), ("value", "output"))
                ),
            ),
        ),
        Mistake(
            "transformer.block.norm-at-the-end",
            Text("a norm at the end of the block", "模块末尾多了归一化"),
            Text(
                "In pre-norm only the whole stack ends with a norm, not each block.",
                "前置归一化只在整个堆叠的末尾做一次归一化，而不是每个模块。",
            ),
            "transformer/residual",
            variants=(lambda x, mix, params: _plain_norm(block(x, mix, params)),),
        ),
    ),
    hints=(
        Text(
            "What does each sub-layer read, and what is its result added to?",
            "每个子层读取什么？结果加到什么上？",
        ),
        Text(
            "x = x + attend(norm(x)); x = x + feed_forward(norm(x)).",
            "先 x = x + attend(norm(x))，再 x = x + feed_forward(norm(x))。",
        ),
    ),
    reread="transformer/residual",
    parts={"values": 0.8, "batch": 0.2},
)
