"""Task: lay the heads side by side again."""

from typing import Any

import numpy as np

from companion.assignments.heads.split import ONE_SEQUENCE, PLACE, TWO_AXES, numbered
from companion.assignments.task import Case, Mistake, Task, Text, case

VIEW = ("RuntimeError", "view size is not compatible")  # torch, after a transpose


def merge_heads(x: Any) -> Any:
    """The inverse of split_heads."""
    *lead, H, T, D = x.shape
    return np.swapaxes(x, -2, -3).reshape(*lead, T, H * D)


def cases(rng: np.random.Generator) -> list[Case]:
    """Unequal H, T and D, then equal ones, then other leading axes."""
    shapes = {
        "two heads, two positions": ((1, 2, 2, 2), "values"),
        "three positions": ((1, 2, 3, 2), "values"),
        "three heads": ((1, 3, 2, 2), "values"),
        "one head": ((1, 1, 3, 2), "values"),
        "a batch": ((2, 4, 5, 3), "values"),
        "as many of everything": ((3, 3, 3, 3), "values"),
        "heads of one unit": ((2, 4, 3, 1), "values"),
        ONE_SEQUENCE: ((2, 3, 4), "leading axes"),
        TWO_AXES: ((2, 3, 5, 4, 2), "leading axes"),
    }
    drawn = [
        case(name, "merge_heads", numbered(rng, *shape), part=part)
        for name, (shape, part) in shapes.items()
    ]
    one = rng.normal(size=(2, 3, 2, 4)).astype(np.float32)
    return [*drawn, case("single precision", "merge_heads", one)]


def _flat(x: Any, *axes: int) -> Any:
    """The last three axes H, T, D (0, 1, 2) in another order, the last two of them joined."""
    lead = x.ndim - 3
    moved = np.transpose(x, (*range(lead), *(lead + axis for axis in axes)))
    return moved.reshape(*moved.shape[:-2], -1)


def _to_time(x: Any, *axes: int) -> Any:
    """As `_flat`, then forced into (..., T, C)."""
    *lead, H, T, D = x.shape
    return _flat(x, *axes).reshape(*lead, T, H * D)


TASK = Task(
    id="heads.merge-heads",
    function="merge_heads",
    signature="merge_heads(x)",
    goal=Text(
        "Lay the heads of every position side by side: (..., H, T, D) to (..., T, C).",
        "把每个位置的各个头并排拼接：由 (..., H, T, D) 到 (..., T, C)。",
    ),
    cases=cases,
    reference={"merge_heads": merge_heads},
    mistakes=(
        Mistake(
            "heads.merge-heads.view",
            Text("view after transpose", "transpose 之后用了 view"),
            Text(
                "In PyTorch, `view` needs numbers that lie in memory in the new order; after "
                "`transpose` they don't. `reshape` copies where it has to.",
                "PyTorch 的 view 要求数值在内存中已按新的次序排列，transpose 之后并非如此。"
                "reshape 会在需要时复制。",
            ),
            PLACE,
            error=VIEW,
        ),
        Mistake(
            "heads.merge-heads.reshape-only",
            Text("merged without exchanging axes", "合并前没有交换轴"),
            Text(
                "The shape is right and the numbers are not: a row holds several positions of one "
                "head instead of all heads of one position. reshape alone never moves a number; "
                "bring the axes into order first.",
                "形状对，数值不对：一行里是同一个头的几个位置，而不是同一位置的所有头。"
                "reshape 本身不会移动数值，要先把轴排好。",
            ),
            PLACE,
            variants=(lambda x: _to_time(x, 0, 1, 2),),
        ),
        Mistake(
            "heads.merge-heads.dealt",
            Text("units of the heads interleaved", "各个头的单元交错排列"),
            Text(
                "A row holds unit 0 of every head, then unit 1 of every head. Side by side means: "
                "all units of head 0, then all of head 1, as split_heads cut them.",
                "一行里先是每个头的第 0 个单元，再是每个头的第 1 个单元。"
                "并排拼接应当是：先第 0 个头的全部单元，再第 1 个头的全部单元，与切分时一致。",
            ),
            PLACE,
            variants=(lambda x: _flat(x, 1, 2, 0),),
        ),
        Mistake(
            "heads.merge-heads.wrong-axes",
            Text("other axes exchanged", "交换的轴不对"),
            Text(
                "The axes to exchange are those of heads and positions. Here the width changed "
                "places with another axis, or all axes were reversed.",
                "应交换头与位置的轴。这里头宽与别的轴换了位置，或者所有的轴都颠倒了。",
            ),
            PLACE,
            variants=(
                lambda x: _to_time(x, 0, 2, 1),
                lambda x: _to_time(x, 2, 0, 1),
                lambda x: _to_time(x, 2, 1, 0),
                lambda x: _flat(x, 0, 2, 1),
                lambda x: _flat(x, 2, 1, 0),
                lambda x: np.moveaxis(_flat(x, 0, 1, 2), -1, -2),
            ),
        ),
        Mistake(
            "heads.merge-heads.along-time",
            Text("heads joined along the positions", "沿位置轴拼接了各个头"),
            Text(
                "The heads follow each other in time: (..., H·T, D). The number of positions must "
                "stay T; it is the width that grows.",
                "各个头沿位置轴首尾相接，成了 (..., H·T, D)。位置数应仍为 T，变宽的是最后一个轴。",
            ),
            PLACE,
            variants=(
                lambda x: x.reshape(*x.shape[:-3], -1, x.shape[-1]),
                lambda x: np.swapaxes(x, -2, -3).reshape(*x.shape[:-3], -1, x.shape[-1]),
                lambda x: _flat(x, 0, 1, 2),
            ),
        ),
        Mistake(
            "heads.merge-heads.not-joined",
            Text("the axes are not joined", "没有把轴合并"),
            Text(
                "This is still one axis for the heads and one for their width; one axis C = H·D "
                "is asked for.",
                "头和头宽仍是两个轴；题目要求合成一个长为 C = H·D 的轴。",
            ),
            PLACE,
            variants=(lambda x: np.swapaxes(x, -2, -3),),
        ),
        Mistake(
            "heads.merge-heads.averaged",
            Text("heads added instead of laid side by side", "把各个头相加，而不是并排拼接"),
            Text(
                "Adding (or averaging) the heads mixes them up for good. Side by side, the output "
                "projection can still tell them apart.",
                "相加或取平均会使各个头再也分不开。并排拼接之后，输出投影仍能区分它们。",
            ),
            PLACE,
            variants=(
                lambda x: x.sum(axis=-3),
                lambda x: x.mean(axis=-3),
                lambda x: np.tile(x.mean(axis=-3), x.shape[-3]),
            ),
        ),
        Mistake(
            "heads.merge-heads.four-axes-only",
            Text("works for four axes only", "只适用于四个轴"),
            Text(
                "The dots in (..., H, T, D) stand for any number of leading axes, also none. "
                "Count the axes from the end.",
                "(..., H, T, D) 中的省略号表示任意多个前导轴，也可以一个都没有。请从末尾数轴。",
            ),
            PLACE,
            variants=(
                lambda x: np.transpose(x, (0, 2, 1, 3)).reshape(x.shape[0], x.shape[2], -1),
                lambda x: np.swapaxes(x, 1, 2).reshape(
                    *x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1]
                ),
            ),
            only=frozenset({ONE_SEQUENCE, TWO_AXES}),
        ),
    ),
    hints=(
        Text(
            "Which two axes have to be neighbours before they can become one?",
            "哪两个轴要先相邻，才能合并成一个？",
        ),
        Text(
            "Undo split_heads backwards: first exchange the axes of heads and positions, then "
            "reshape.",
            "倒着撤销 split_heads：先交换头与位置的轴，再 reshape。",
        ),
    ),
    reread=PLACE,
    parts={"values": 0.7, "leading axes": 0.3},
)
