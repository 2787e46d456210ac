"""Tasks: sinusoidal positions, and the sum of token and position vectors."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

# ------------------------------------------------------------------------------- positions


def sinusoidal_positions(length: int, width: int, base: float = 10_000.0) -> Any:
    """sin in even columns, cos in odd ones, of t / base^(2i / C)."""
    return _waves(length, width, base)


def _waves(
    length: int, width: int, base: float, *, power: float = 2.0, first: int = 0, odd: Any = np.cos,
    even: Any = np.sin, halves: bool = False, divided: bool = True,
) -> Any:  # fmt: skip
    place = np.arange(first, first + length)[:, None]
    scale = base ** (power * np.arange(width // 2) / width)
    angle = place / scale if divided else place * scale
    table = np.empty((length, width))
    if halves:
        table[:, : width // 2], table[:, width // 2 :] = even(angle), odd(angle)
    else:
        table[:, 0::2], table[:, 1::2] = even(angle), odd(angle)
    return table


def position_cases(rng: np.random.Generator) -> list[Case]:
    """Lengths above and below the width; another base."""
    sizes = [(2, 4), (3, 2), (5, 8), (7, 6), (int(rng.integers(9, 15)), 12)]
    drawn = [case(f"{T} positions, {C} wide", "sinusoidal_positions", T, C) for T, C in sizes]
    base = float(rng.uniform(50, 200))
    return [*drawn, case("another base", "sinusoidal_positions", 4, 6, base, part="base")]


def _position(**switches: Any) -> Any:
    def sinusoidal_positions(length: int, width: int, base: float = 10_000.0) -> Any:
        return _waves(length, width, switches.get("base", base), **{
            name: switch for name, switch in switches.items() if name != "base"
        })  # fmt: skip

    return sinusoidal_positions


def _each_column(length: int, width: int, base: float = 10_000.0) -> Any:
    column = np.arange(width)
    angle = np.arange(length)[:, None] / base ** (column / width)
    return np.where(column % 2 == 0, np.sin(angle), np.cos(angle))


POSITIONS = Task(
    id="transformer.positions",
    function="sinusoidal_positions",
    signature="sinusoidal_positions(length, width, base=10000.0)",
    goal=Text("The table of sinusoidal position vectors of 2017.", "2017 年的正弦位置编码表。"),
    cases=position_cases,
    reference={"sinusoidal_positions": sinusoidal_positions},
    mistakes=(
        Mistake(
            "transformer.positions.halves",
            Text("sines and cosines in two halves", "正弦与余弦分成了两半"),
            Text(
                "The task interleaves them: sine in even columns, cosine in odd ones. (Some "
                "libraries use halves; the order has to fit the weights.)",
                "题目要求交错排列：偶数列为正弦，奇数列为余弦。（有的库分两半排列，须与权重一致。）",
            ),
            "transformer/positions",
            variants=(_position(halves=True),),
        ),
        Mistake(
            "transformer.positions.exponent",
            Text("the exponent is wrong", "指数不对"),
            Text(
                "Column pair i has the exponent 2i / C, from 0 to nearly 1; sine and cosine of a "
                "pair share it.",
                "第 i 对列的指数是 2i / C，从 0 到接近 1；同一对的正弦和余弦指数相同。",
            ),
            "transformer/positions",
            variants=(_position(power=1.0), _position(power=4.0), _each_column),
        ),
        Mistake(
            "transformer.positions.first-place",
            Text("counts from 1", "从 1 开始计数"),
            Text(
                "The first position is 0: sines 0, cosines 1.",
                "第一个位置是 0：正弦为 0，余弦为 1。",
            ),
            "transformer/positions",
            variants=(_position(first=1),),
        ),
        Mistake(
            "transformer.positions.exchanged",
            Text("sine and cosine exchanged", "正弦与余弦颠倒"),
            Text("Even columns, counted from 0, hold sines.", "从 0 数起，偶数列放正弦。"),
            "transformer/positions",
            variants=(_position(even=np.cos, odd=np.sin),),
        ),
        Mistake(
            "transformer.positions.sines-only",
            Text("one function for all columns", "所有列用了同一个函数"),
            Text(
                "With sine and cosine of each angle a shift is a rotation; with one of them it is "
                "not.",
                "每个角度同时有正弦和余弦，平移才是旋转；只有其中一个就不是。",
            ),
            "transformer/positions",
            variants=(_position(odd=np.sin), _position(even=np.cos)),
        ),
        Mistake(
            "transformer.positions.frequency-inverted",
            Text("multiplied instead of divided", "应除却乘"),
            Text(
                "Later columns must turn more slowly, not faster.",
                "越靠后的列应转得越慢，而不是越快。",
            ),
            "transformer/positions",
            variants=(_position(divided=False),),
        ),
        Mistake(
            "transformer.positions.base-ignored",
            Text("base is ignored", "没有使用 base"),
            Text("The result does not change with `base`.", "结果不随 `base` 变化。"),
            "transformer/positions",
            variants=(_position(base=10_000.0),),
            only=frozenset({"another base"}),
        ),
    ),
    hints=(
        Text(
            "Which angle belongs to position t and column pair i?",
            "位置 t、第 i 对列的角度是多少？",
        ),
        Text(
            "angle = t / base**(2 * i / width); table[:, 0::2] = sin, table[:, 1::2] = cos.",
            "angle = t / base**(2 * i / width)；table[:, 0::2] 放 sin，table[:, 1::2] 放 cos。",
        ),
    ),
    reread="transformer/positions",
    parts={"values": 0.8, "base": 0.2},
)

# ----------------------------------------------------------------------------------- embed


def embed(ids: Any, table: Any, positions: Any) -> Any:
    """table[ids] · √C + positions of the places 0 to T - 1."""
    return table[ids] * table.shape[-1] ** 0.5 + positions[: ids.shape[-1]]


def embed_cases(rng: np.random.Generator) -> list[Case]:
    """Repeated tokens, a table of positions longer than the text, batches."""

    def drawn(name: str, *shape: int, V: int, C: int, N: int, part: str = "values") -> Case:
        ids = rng.integers(0, min(V, N), size=shape)
        return case(name, "embed", ids, rng.normal(size=(V, C)), rng.normal(size=(N, C)), part=part)

    return [
        drawn("two tokens", 2, V=3, C=2, N=2),
        drawn("as many positions as needed", 4, V=5, C=3, N=4),
        drawn("a longer table of positions", 3, V=4, C=6, N=9),
        drawn("a batch", 2, 3, V=5, C=4, N=3, part="batch"),
        drawn("a batch, a longer table", 3, 2, V=4, C=5, N=7, part="batch"),
    ]


def _embedded(combine: Any) -> Any:
    return lambda ids, table, positions: combine(
        table[ids], positions[: ids.shape[-1]], table.shape[-1], positions, ids
    )


EMBED = Task(
    id="transformer.embed",
    function="embed",
    signature="embed(ids, table, positions)",
    goal=Text(
        "What the first block reads: token vectors times √C, plus position vectors.",
        "第一个模块的输入：词元向量乘以 √C，再加位置向量。",
    ),
    cases=embed_cases,
    reference={"embed": embed},
    mistakes=(
        Mistake(
            "transformer.embed.not-scaled",
            Text("not multiplied by √C", "没有乘以 √C"),
            Text(
                "Without it small token vectors drown in the positions (Vaswani et al. 2017, "
                "section 3.4).",
                "不乘 √C，较小的词元向量会被位置编码淹没（Vaswani 等 2017，3.4 节）。",
            ),
            "transformer/tokens",
            variants=(_embedded(lambda x, p, C, *_: x + p),),
        ),
        Mistake(
            "transformer.embed.sum-scaled",
            Text("the positions are scaled too", "位置也被缩放了"),
            Text(
                "Only the token vectors are multiplied, before the sum.",
                "只有词元向量要乘，而且在相加之前。",
            ),
            "transformer/tokens",
            variants=(_embedded(lambda x, p, C, *_: (x + p) * C**0.5),),
        ),
        Mistake(
            "transformer.embed.wrong-scale",
            Text("scaled by another number", "缩放系数不对"),
            Text("The factor is the root of the width C.", "系数是宽度 C 的平方根。"),
            "transformer/tokens",
            variants=(
                _embedded(lambda x, p, C, *_: x * C + p),
                _embedded(lambda x, p, C, *_: x / C**0.5 + p),
                _embedded(lambda x, p, C, *_: x * x.shape[-2] ** 0.5 + p),
                lambda ids, table, positions: (
                    table[ids] * len(table) ** 0.5 + positions[: ids.shape[-1]]
                ),
            ),
        ),
        Mistake(
            "transformer.embed.positions-twice",
            Text("positions added twice", "位置加了两次"),
            Text("One sum is enough.", "加一次就够了。"),
            "transformer/positions",
            variants=(_embedded(lambda x, p, C, *_: x * C**0.5 + 2 * p),),
        ),
        Mistake(
            "transformer.embed.no-positions",
            Text("no positions", "没有加位置"),
            Text(
                "Without positions attention cannot tell one order of words from another.",
                "没有位置，注意力分不清词序。",
            ),
            "transformer/positions",
            variants=(_embedded(lambda x, p, C, *_: x * C**0.5),),
        ),
        Mistake(
            "transformer.embed.positions-by-token",
            Text("positions looked up by token id", "按词元编号查位置"),
            Text(
                "A position vector belongs to a place, 0, 1, 2, …, not to the token that stands "
                "there.",
                "位置向量属于位置 0、1、2、……，而不属于那里的词元。",
            ),
            "transformer/positions",
            variants=(_embedded(lambda x, p, C, table, ids: x * C**0.5 + table[ids]),),
        ),
        Mistake(
            "transformer.embed.multiplied",
            Text("multiplied by the positions", "与位置相乘"),
            Text("Positions are added.", "位置是相加的。"),
            "transformer/positions",
            variants=(_embedded(lambda x, p, C, *_: x * C**0.5 * p),),
        ),
        Mistake(
            "transformer.embed.not-cut",
            Text("the wrong number of positions", "取的位置个数不对"),
            Text(
                "The table may be longer than the text: take its first T rows. T is the last axis "
                "of `ids`; with a batch `len(ids)` is the number of texts.",
                "位置表可能比文本长：应取前 T 行。T 是 `ids` 最后一个轴的长度；"
                "有批次时，`len(ids)` 是文本的个数。",
            ),
            "transformer/positions",
            variants=(
                lambda ids, table, positions: table[ids] * table.shape[-1] ** 0.5 + positions,
                lambda ids, table, positions: (
                    table[ids] * table.shape[-1] ** 0.5 + positions[: len(ids)]
                ),
            ),
        ),
        Mistake(
            "transformer.embed.last-positions",
            Text("the wrong end of the table", "取了位置表的另一端"),
            Text(
                "A text begins at position 0: the first T rows.", "文本从位置 0 开始：取前 T 行。"
            ),
            "transformer/positions",
            variants=(
                lambda ids, table, positions: (
                    table[ids] * table.shape[-1] ** 0.5 + positions[-ids.shape[-1] :]
                ),
            ),
            only=frozenset({"a longer table of positions", "a batch, a longer table"}),
        ),
    ),
    hints=(
        Text("Which rows of which table are added to which?", "哪张表的哪些行与哪些行相加？"),
        Text(
            "table[ids] * width**0.5 + positions[: number of tokens].",
            "table[ids] * width**0.5 + positions[: 词元数]。",
        ),
    ),
    reread="transformer/tokens",
    parts={"values": 0.7, "batch": 0.3},
)
