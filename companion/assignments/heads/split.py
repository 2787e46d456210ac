"""Task: cut the width into heads."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

PLACE = "transformer/heads"
ONE_SEQUENCE, TWO_AXES = "a single sequence", "two leading axes"


def split_heads(x: Any, heads: int) -> Any:
    """Head h holds units h D to h D + D - 1 of every position."""
    *lead, T, C = x.shape
    return np.swapaxes(x.reshape(*lead, T, heads, C // heads), -2, -3)


def numbered(rng: np.random.Generator, *shape: int) -> Any:
    """Different whole numbers in random order, so that it shows where each went."""
    return rng.permutation(np.arange(1.0, 1 + np.prod(shape))).reshape(shape)


def cases(rng: np.random.Generator) -> list[Case]:
    """Unequal T, H and D, then equal ones, then other leading axes."""
    shapes = {
        "two positions, two heads": ((1, 2, 4), 2, "values"),
        "three positions": ((1, 3, 4), 2, "values"),
        "three heads": ((1, 2, 6), 3, "values"),
        "one head": ((1, 3, 2), 1, "values"),
        "a batch": ((2, 5, 12), 4, "values"),
        "as many of everything": ((3, 3, 9), 3, "values"),
        "heads of one unit": ((2, 3, 4), 4, "values"),
        ONE_SEQUENCE: ((3, 8), 2, "leading axes"),
        TWO_AXES: ((2, 3, 4, 10), 5, "leading axes"),
    }
    drawn = [
        case(name, "split_heads", numbered(rng, *shape), heads, part=part)
        for name, (shape, heads, part) in shapes.items()
    ]
    one = rng.normal(size=(2, 3, 6)).astype(np.float32)
    return [*drawn, case("single precision", "split_heads", one, 2)]


def _cut(x: Any, heads: int) -> Any:
    """(..., T, H, D): right so far."""
    return x.reshape(*x.shape[:-1], heads, x.shape[-1] // heads)


def _strided(x: Any, heads: int) -> Any:
    """(..., T, D, H): a head gets every H-th unit."""
    return x.reshape(*x.shape[:-1], x.shape[-1] // heads, heads)


def _three_axes(x: Any, heads: int) -> Any:
    B, T, C = x.shape
    return x.reshape(B, T, heads, C // heads).transpose(0, 2, 1, 3)


TASK = Task(
    id="heads.split-heads",
    function="split_heads",
    signature="split_heads(x, heads)",
    goal=Text(
        "Cut the width of every position into heads: (..., T, C) to (..., H, T, D).",
        "把每个位置的宽度切成多个头：由 (..., T, C) 到 (..., H, T, D)。",
    ),
    cases=cases,
    reference={"split_heads": split_heads},
    mistakes=(
        Mistake(
            "heads.split-heads.reshape-only",
            Text("reshaped without exchanging axes", "只用了 reshape，没有交换轴"),
            Text(
                "reshape keeps the numbers in their order in memory and only sets the brackets "
                "anew. Going straight to (..., H, T, D) hands the first positions to head 0 and "
                "the last ones to the last head. Every head needs a slice of every position.",
                "reshape 不改变数值在内存中的次序，只是重新划分。直接变成 (..., H, T, D)，"
                "会把前面的位置整个交给第 0 个头，后面的位置交给最后一个头。"
                "每个头都应得到每个位置的一段。",
            ),
            PLACE,
            variants=(
                lambda x, heads: x.reshape(*x.shape[:-2], heads, x.shape[-2], x.shape[-1] // heads),
            ),
        ),
        Mistake(
            "heads.split-heads.axes-in-place",
            Text("the axis of the heads is not moved", "没有把头的轴移到前面"),
            Text(
                "This is (..., T, H, D). With it, `@` on the last two axes compares heads of one "
                "position with each other. The heads go before the positions.",
                "这里得到的是 (..., T, H, D)。这样对最后两个轴做 `@`，"
                "比较的是同一位置的各个头。头的轴应在位置轴之前。",
            ),
            PLACE,
            variants=(_cut,),
        ),
        Mistake(
            "heads.split-heads.strided",
            Text("head and width exchanged", "头与头宽的轴颠倒"),
            Text(
                "Head h holds units h, h + H, h + 2H …, as if a deck of cards were dealt. The "
                "task asks for neighbours: head 0 the first D units, head 1 the next D. Weights "
                "from elsewhere would not fit.",
                "第 h 个头得到的是单元 h、h + H、h + 2H……，像轮流发牌一样。题目要求相邻的单元："
                "第 0 个头取前 D 个，第 1 个头取接下来的 D 个。否则与别处训练的权重不兼容。",
            ),
            PLACE,
            variants=(
                lambda x, heads: np.moveaxis(_strided(x, heads), -1, -3),
                _strided,
            ),
        ),
        Mistake(
            "heads.split-heads.width-and-time",
            Text("width and positions exchanged", "头宽与位置的轴颠倒"),
            Text(
                "This is (..., H, D, T): the form that the keys take just before the product, "
                "and no earlier.",
                "这里得到的是 (..., H, D, T)：只有在做乘积之前，键才需要变成这种形式。",
            ),
            PLACE,
            variants=(
                lambda x, heads: np.swapaxes(split_heads(x, heads), -1, -2),
                lambda x, heads: np.swapaxes(x, -1, -2).reshape(
                    *x.shape[:-2], heads, x.shape[-1] // heads, x.shape[-2]
                ),
                lambda x, heads: np.swapaxes(x, -1, -2).reshape(
                    *x.shape[:-2], heads, x.shape[-2], x.shape[-1] // heads
                ),
            ),
        ),
        Mistake(
            "heads.split-heads.heads-are-width",
            Text("number and width of the heads exchanged", "头的个数与头宽弄反"),
            Text(
                "`heads` says how many there are. Here each head is `heads` units wide, and there "
                "are C / heads of them.",
                "`heads` 是头的个数。这里却成了每个头的宽度，头的个数变成了 C / heads。",
            ),
            PLACE,
            variants=(lambda x, heads: split_heads(x, x.shape[-1] // heads),),
        ),
        Mistake(
            "heads.split-heads.heads-first",
            Text("the heads stand before the batch", "头的轴跑到了批次之前"),
            Text(
                "Stacking the slices on the first axis gives (H, ..., T, D). The leading axes stay "
                "first: (..., H, T, D).",
                "把各段沿第一个轴堆叠，得到的是 (H, ..., T, D)。"
                "批次等前导轴仍应在最前：(..., H, T, D)。",
            ),
            PLACE,
            variants=(
                lambda x, heads: np.moveaxis(split_heads(x, heads), -3, 0),
                lambda x, heads: np.moveaxis(_cut(x, heads), -2, 1 if x.ndim > 2 else 0),
            ),
        ),
        Mistake(
            "heads.split-heads.three-axes-only",
            Text("works for three axes only", "只适用于三个轴"),
            Text(
                "The dots in (..., T, C) stand for any number of leading axes, also none. Count "
                "the axes from the end.",
                "(..., T, C) 中的省略号表示任意多个前导轴，也可以一个都没有。请从末尾数轴。",
            ),
            PLACE,
            variants=(
                _three_axes,
                lambda x, heads: np.swapaxes(_cut(x, heads), 1, 2),
            ),
            only=frozenset({ONE_SEQUENCE, TWO_AXES}),
        ),
        Mistake(
            "heads.split-heads.repeated",
            Text("every head gets the same", "每个头得到的都一样"),
            Text(
                "Each head has a slice of its own. Here all of them hold the same units.",
                "每个头都有自己的一段。这里所有的头包含的单元都相同。",
            ),
            PLACE,
            variants=(
                lambda x, heads: np.repeat(split_heads(x, heads)[..., :1, :, :], heads, axis=-3),
                lambda x, heads: np.repeat(x[..., None, :, :], heads, axis=-3),
            ),
        ),
    ),
    hints=(
        Text(
            "Take two positions of four units, and write by hand what head 0 holds.",
            "取两个位置、每个四个单元，手写出第 0 个头包含哪些数。",
        ),
        Text(
            "First reshape the last axis alone, to (..., T, H, D); then exchange two axes.",
            "先只把最后一个轴变形为 (..., T, H, D)，再交换两个轴。",
        ),
    ),
    reread=PLACE,
    parts={"values": 0.7, "leading axes": 0.3},
)
