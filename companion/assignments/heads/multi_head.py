"""Task: self-attention with many heads and a mask."""

from typing import Any

import numpy as np

from companion.assignments.heads import slips
from companion.assignments.heads.layer import (
    cold,
    drawn_mask,
    drawn_params,
    like_package,
    of_self,
    scores_of,
    softmax,
)
from companion.assignments.heads.split import PLACE
from companion.assignments.heads.weighing import MASKS
from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import causal_mask, padding_mask
from companion.with_numpy import multi_head_attention as oracle

MASKED = frozenset(
    {
        "a causal mask",
        "a mask with holes",
        "as many sequences as heads",
        "a mask for each sequence",
        "one mask for three sequences",
        "far from all it may see",
    }
)
ID = "heads.multi-head"


def multi_head_attention(x: Any, params: Any, heads: int, mask: Any = None) -> Any:
    """The package's layer, with x as query and key."""
    return oracle(x, x, like_package(params), mask, heads=heads)


def cases(rng: np.random.Generator) -> list[Case]:
    """One head, several, widths unequal to lengths; masks for all and for each sequence."""

    def drawn(
        name: str, B: int, T: int, C: int, heads: int, dtype: Any = np.float64, **more: Any
    ) -> Case:
        x = rng.normal(size=(B, T, C)).astype(dtype)
        return case(name, "multi_head_attention", x, drawn_params(rng, C, dtype), heads, **more)

    lengths = rng.permutation([1, 2])
    each = causal_mask(4) & padding_mask(np.array([2, 4, 3]), 4)
    weights, coarse = drawn_params(rng, 4), drawn_mask(rng, 3, 3)
    apart = cold(
        lambda: 3 * rng.normal(size=(2, 3, 4)), lambda x: scores_of(x, x, weights, 2), coarse
    )
    causal, hole = {"mask": causal_mask(2)}, {"mask": drawn_mask(rng, 4, 4)}
    return [
        drawn("one head", 1, 2, 2, 1),
        drawn("two heads", 1, 2, 4, 2, part="heads"),
        drawn("three heads", 1, 4, 6, 3, part="heads"),
        drawn("a batch", 2, 5, 12, 4, part="heads"),
        drawn("heads of one unit", 3, 2, 4, 4, part="heads"),
        drawn("single precision", 2, 3, 8, 2, np.float32, part="heads"),
        drawn("a causal mask", 1, 2, 4, 2, **causal, part="mask"),
        drawn("a mask with holes", 2, 4, 6, 3, **hole, part="mask"),
        drawn("as many sequences as heads", 2, 3, 4, 2, mask=padding_mask(lengths, 3), part="mask"),
        drawn("a mask for each sequence", 3, 4, 4, 2, mask=each, part="mask"),
        drawn("one mask for three sequences", 3, 4, 6, 2, mask=causal_mask(4), part="mask"),
        case(
            "far from all it may see",
            "multi_head_attention",
            apart,
            weights,
            2,
            mask=coarse,
            part="mask",
        ),
    ]


def _transposed(scores: Any, mask: Any) -> Any:
    scores = scores if mask is None else np.where(mask, scores, -np.inf)
    return np.swapaxes(softmax(scores), -1, -2)


TASK = Task(
    id=ID,
    function="multi_head_attention",
    signature="multi_head_attention(x, params, heads, mask=None)",
    goal=Text(
        "Self-attention in several heads at once, then the output projection.",
        "多个头同时做自注意力，再经过输出投影。",
    ),
    cases=cases,
    reference={"multi_head_attention": multi_head_attention},
    mistakes=(
        slips.truth(ID),
        Mistake(
            f"{ID}.queries-and-keys-exchanged",
            Text("queries and keys exchanged", "查询与键颠倒"),
            Text(
                "Rows of the scores belong to queries, columns to keys. Here the scores, or the "
                "weights, are transposed: in self-attention no shape gives it away.",
                "得分的行对应查询，列对应键。"
                "这里得分（或权重）被转置了：自注意力中，形状不会暴露这个错误。",
            ),
            "attention/formulas",
            variants=(
                of_self(score=lambda query, key: key @ np.swapaxes(query, -1, -2)),
                of_self(weigh=_transposed),
            ),
        ),
        *slips.mistakes(ID, of_self, MASKED),
        Mistake(
            f"{ID}.always-causal",
            Text("causal without being asked", "擅自加了因果掩码"),
            Text(
                "Which pairs may meet is said by the argument `mask` alone; without one every "
                "position sees every other.",
                "哪些位置可以互看，只由参数 mask 决定；没有掩码时，所有位置都可以互相看到。",
            ),
            MASKS,
            variants=(
                of_self(
                    weigh=lambda scores, mask: softmax(
                        np.where(
                            causal_mask(scores.shape[-1]) & (True if mask is None else mask),
                            scores,
                            -np.inf,
                        )
                    )
                ),
                of_self(
                    weigh=lambda scores, mask: softmax(
                        np.where(causal_mask(scores.shape[-1]), scores, -np.inf)
                    )
                ),
            ),
        ),
    ),
    hints=(
        Text(
            "Write the shape of every array beside its line, from (B, T, C) and back to it.",
            "在每一行旁边写出数组的形状，从 (B, T, C) 出发，再回到它。",
        ),
        Text(
            "Project three times and split each; scores (B, H, T, T) over the root of D; hide "
            "before softmax, with an axis for the heads in a mask of three axes; merge; project.",
            "做三次投影并分别切分；得分 (B, H, T, T) 除以 √D；在 softmax 之前加掩码，"
            "三个轴的掩码要加上头的轴；合并；再投影。",
        ),
    ),
    reread=PLACE,
    parts={"values": 0.2, "heads": 0.4, "mask": 0.4},
    points=15.0,
)
