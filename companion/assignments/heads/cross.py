"""Task: cross-attention: queries of one sequence, keys and values of another."""

from typing import Any

import numpy as np

from companion.assignments.heads import slips
from companion.assignments.heads.layer import (
    cold,
    drawn_mask,
    drawn_params,
    hidden,
    like_package,
    of_two,
    scores_of,
    softmax,
)
from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import multi_head_attention as oracle
from companion.with_numpy import padding_mask

MASKED = frozenset(
    {
        "padding in the memory",
        "one mask for all",
        "a mask for each sequence",
        "as many sequences as heads",
        "far from all it may see",
    }
)
ID = "heads.cross-attention"
PLACE = "transformer/encoder-decoder"


def cross_attention(x: Any, memory: Any, params: Any, heads: int, mask: Any = None) -> Any:
    """The package's layer, with memory as key."""
    return oracle(x, memory, like_package(params), mask, heads=heads)


def cases(rng: np.random.Generator) -> list[Case]:
    """As many positions on both sides, more here, more there; masks of the memory."""

    def drawn(
        name: str, B: int, T: int, S: int, C: int, heads: int, dtype: Any = np.float64, **more: Any
    ) -> Case:
        x, memory = rng.normal(size=(B, T, C)), rng.normal(size=(B, S, C)) + 0.3
        given = (x.astype(dtype), memory.astype(dtype), drawn_params(rng, C, dtype), heads)
        return case(name, "cross_attention", *given, **more)

    real, two = padding_mask(np.array([2, 3, 1]), 4), padding_mask(np.array([1, 2]), 3)
    weights, coarse = drawn_params(rng, 4), drawn_mask(rng, 2, 3)
    x, memory = cold(
        lambda: (3 * rng.normal(size=(2, 2, 4)), 3 * rng.normal(size=(2, 3, 4))),
        lambda both: scores_of(both[0], both[1], weights, 2), coarse,
    )  # fmt: skip
    for_all, each = drawn_mask(rng, 3, 4), drawn_mask(rng, 3, 2, 5)
    return [
        drawn("as long as each other", 1, 2, 2, 2, 1),
        drawn("one query", 1, 1, 3, 2, 1),
        drawn("a longer memory", 1, 2, 3, 4, 2),
        drawn("a shorter memory", 2, 5, 3, 6, 3),
        drawn("as long as each other, two heads", 2, 4, 4, 6, 2),
        drawn("single precision", 2, 3, 4, 8, 4, np.float32),
        drawn("padding in the memory", 3, 2, 4, 4, 2, mask=real, part="mask"),
        drawn("one mask for all", 2, 3, 4, 6, 3, mask=for_all, part="mask"),
        drawn("a mask for each sequence", 3, 2, 5, 4, 2, mask=each, part="mask"),
        drawn("as many sequences as heads", 2, 3, 3, 4, 2, mask=two, part="mask"),
        case(
            "far from all it may see",
            "cross_attention",
            x,
            memory,
            weights,
            2,
            mask=coarse,
            part="mask",
        ),
    ]


def _lower(scores: Any, mask: Any) -> Any:
    """A causal mask, counted from the start, beside the one that was given."""
    kept = np.tril(np.ones(scores.shape[-2:], bool))
    return softmax(hidden(scores, kept if mask is None else kept & mask, -1e9))


def _joined(x: Any, memory: Any) -> Any:
    both = np.concatenate([memory, x], axis=1)
    return x, both, both


TASK = Task(
    id=ID,
    function="cross_attention",
    signature="cross_attention(x, memory, params, heads, mask=None)",
    goal=Text(
        "Attention in several heads from one sequence (x) to another (memory).",
        "一个序列（x）对另一个序列（memory）的多头注意力。",
    ),
    cases=cases,
    reference={"cross_attention": cross_attention},
    mistakes=(
        slips.truth(ID),
        Mistake(
            f"{ID}.target-fed-to-itself",
            Text("the target looks at itself", "目标序列看的是自己"),
            Text(
                "Keys and values come from x, so that this is self-attention and the memory is "
                "never read. A translator built so does not see the sentence it translates.",
                "键和值都取自 x，这就成了自注意力，memory 根本没有用到。"
                "这样的翻译模型看不到要翻译的句子。",
            ),
            PLACE,
            variants=(
                of_two(of=lambda x, memory: (x, x, x)),
                lambda x, memory, params, heads, mask=None: of_two(of=lambda a, b: (a, a, a))(
                    x, memory, params, heads
                ),
            ),
        ),
        Mistake(
            f"{ID}.roles-exchanged",
            Text("the queries come from the memory", "查询取自 memory"),
            Text(
                "The one that asks is x: the output has a row for each of its T positions. Here "
                "the memory asks and x answers.",
                "提问的是 x：输出的每一行对应 x 的一个位置，共 T 行。"
                "这里却是 memory 在提问，x 在回答。",
            ),
            PLACE,
            variants=(
                of_two(of=lambda x, memory: (memory, x, x)),
                lambda x, memory, params, heads, mask=None: of_two()(
                    memory, x, params, heads, None if mask is None else np.swapaxes(mask, -1, -2)
                ),
                lambda x, memory, params, heads, mask=None: of_two()(memory, x, params, heads),
            ),
        ),
        Mistake(
            f"{ID}.memory-fed-to-itself",
            Text("the memory looks at itself", "memory 看的是自己"),
            Text(
                "Queries, keys and values all come from the memory; x is never read.",
                "查询、键、值都取自 memory，x 根本没有用到。",
            ),
            PLACE,
            variants=(of_two(of=lambda x, memory: (memory, memory, memory)),),
        ),
        Mistake(
            f"{ID}.values-of-the-target",
            Text("keys and values of different sequences", "键和值取自不同的序列"),
            Text(
                "Key s and value s belong to the same position of the memory. Here one of the two "
                "comes from x, which goes unnoticed where both are equally long.",
                "键 s 与值 s 属于 memory 的同一个位置。"
                "这里其中之一取自 x；两个序列一样长时，这个错误不会报错。",
            ),
            PLACE,
            variants=(
                of_two(of=lambda x, memory: (x, memory, x)),
                of_two(of=lambda x, memory: (x, x, memory)),
                of_two(of=lambda x, memory: (memory, x, memory)),
                of_two(of=lambda x, memory: (memory, memory, x)),
            ),
        ),
        Mistake(
            f"{ID}.both-joined",
            Text("looks at both sequences", "同时看了两个序列"),
            Text(
                "Keys and values come from the memory alone. Joining x to them is another design, "
                "and a mask (T, S) does not fit it.",
                "键和值只取自 memory。把 x 也拼接进去是另一种设计，与 (T, S) 的掩码也不符。",
            ),
            PLACE,
            variants=(
                of_two(of=_joined),
                of_two(of=lambda x, memory: (x, *(_joined(memory, x)[1:]))),
            ),
        ),
        Mistake(
            f"{ID}.causal",
            Text("a causal mask in cross-attention", "在交叉注意力中加了因果掩码"),
            Text(
                "The memory is there as a whole before the first word is written: every target "
                "position may look at all of it. Only the argument `mask` hides anything.",
                "写第一个词之前，memory 已经完整存在：目标的每个位置都可以看它的全部。"
                "只有参数 mask 才会遮住什么。",
            ),
            PLACE,
            variants=(of_two(weigh=_lower), of_two(weigh=lambda s, m: _lower(s, None))),
        ),
        *slips.mistakes(ID, of_two, MASKED),
    ),
    hints=(
        Text(
            "Who asks, and who is asked? How many rows has the output?",
            "谁在提问，谁在回答？输出有几行？",
        ),
        Text(
            "As in multi_head_attention, but key_proj and value_proj are applied to the memory; "
            "the scores are (B, H, T, S).",
            "与 multi_head_attention 相同，只是 key_proj 和 value_proj 作用于 memory；"
            "得分的形状是 (B, H, T, S)。",
        ),
    ),
    reread=PLACE,
    parts={"values": 0.6, "mask": 0.4},
    points=10.0,
)
