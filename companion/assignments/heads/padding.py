"""Task: the mask that hides the padding of a batch."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import padding_mask as reference

PLACE = "attention/numerics-and-masks"


def cases(rng: np.random.Generator) -> list[Case]:
    """One sequence, several, a full and an empty one, as many sequences as positions."""
    S = int(rng.integers(5, 8))
    some = rng.permutation(np.arange(1, S))[:3]
    return [
        case("one sequence", "padding_mask", np.array([2]), 3),
        case("two sequences", "padding_mask", np.array([1, 3]), 4),
        case("a full one", "padding_mask", np.array([3, 2]), 3),
        case("several", "padding_mask", some, S),
        case("as many sequences as positions", "padding_mask", np.array([2, 4, 1, 3]), 4),
        case("an empty one", "padding_mask", np.array([0, 2, 1]), 5),
    ]


def _kept(rule: Any, shape: Any = (-1, 1, 1)) -> Any:
    """A mask by a rule on the key's place s, the lengths and S."""

    def padding_mask(lengths: Any, S: int) -> Any:
        return rule(np.arange(S), np.asarray(lengths).reshape(shape), S)

    return padding_mask


TASK = Task(
    id="heads.padding-mask",
    function="padding_mask",
    signature="padding_mask(lengths, S)",
    goal=Text(
        "Let every query of a sequence see its real tokens and none of the padding at the end.",
        "让序列中的每个查询都能看到真实词元，而看不到末尾的填充。",
    ),
    cases=cases,
    reference={"padding_mask": reference},
    mistakes=(
        Mistake(
            "heads.padding-mask.not-boolean",
            Text("numbers instead of booleans", "返回了数值而不是布尔值"),
            Text(
                "A mask here holds True and False. One made of 0 and 1, or of 0 and minus "
                "infinity, does something else when it is combined with `&`, turned round with "
                "`~`, or used to index.",
                "这里的掩码由 True 和 False 组成。0 和 1，或者 0 和负无穷组成的数组，"
                "在使用 `&`、`~` 或作索引时含义都不同。",
            ),
            PLACE,
            variants=(
                lambda lengths, S: reference(lengths, S).astype(float),
                lambda lengths, S: reference(lengths, S)[:, 0].astype(float),
                lambda lengths, S: reference(lengths, S)[:, None].astype(float),
                lambda lengths, S: np.where(reference(lengths, S), 0.0, -np.inf),
                lambda lengths, S: np.where(reference(lengths, S), 0.0, -1e9),
                lambda lengths, S: (~reference(lengths, S)).astype(float),
            ),
        ),
        Mistake(
            "heads.padding-mask.inverted",
            Text("mask inverted", "掩码取反了"),
            Text(
                'True means "may look". Here the padding is True and the real tokens are False, '
                "as in libraries whose mask says what to hide.",
                "True 表示“可以看”。这里填充是 True，真实词元是 False；"
                "有些库的掩码确实表示“要遮住什么”，但本课程相反。",
            ),
            PLACE,
            variants=(
                lambda lengths, S: ~reference(lengths, S),
                lambda lengths, S: ~reference(lengths, S)[:, 0],
            ),
        ),
        Mistake(
            "heads.padding-mask.off-by-one",
            Text("one token too many or too few", "多看或少看了一个词元"),
            Text(
                "Count: a sequence of length 2 has its real tokens at positions 0 and 1.",
                "数一数：长度为 2 的序列，真实词元在位置 0 和 1。",
            ),
            PLACE,
            variants=(
                _kept(lambda s, n, S: s <= n),
                _kept(lambda s, n, S: s < n - 1),
                _kept(lambda s, n, S: (s < n) & (s > 0)),
            ),
        ),
        Mistake(
            "heads.padding-mask.over-queries",
            Text("the queries are masked, not the keys", "遮住的是查询而不是键"),
            Text(
                "The last axis counts keys. Shaped (B, S, 1) the mask blinds the queries that are "
                "padding, whose outputs nobody reads; the real queries still see the padding.",
                "最后一个轴对应键。形状为 (B, S, 1) 时，被遮住的是填充位置上的查询，"
                "而这些输出本来就没人使用；真实的查询仍然能看到填充。",
            ),
            PLACE,
            variants=(
                lambda lengths, S: reference(lengths, S).swapaxes(-1, -2),
                lambda lengths, S: reference(lengths, S)[:, 0].T,
                lambda lengths, S: np.repeat(reference(lengths, S).swapaxes(-1, -2), S, axis=2),
            ),
        ),
        Mistake(
            "heads.padding-mask.shape",
            Text("the shape does not stretch", "形状不能正确广播"),
            Text(
                "The task asks for (B, 1, S): the axis of length 1 stretches over the queries. A "
                "mask (B, S) is read as (T, S), and a longer one stands in the way of the heads. S "
                "may be more than the longest length.",
                "题目要求形状 (B, 1, S)：长度为 1 的轴会沿查询广播。"
                "形状 (B, S) 会被当成 (T, S)；轴更多的掩码则会与头的轴冲突。S 可能大于最长的长度。",
            ),
            PLACE,
            variants=(
                lambda lengths, S: reference(lengths, S)[:, 0],
                lambda lengths, S: reference(lengths, S)[:, None],
                lambda lengths, S: reference(lengths, S).swapaxes(0, 1),
                lambda lengths, S: np.repeat(reference(lengths, S), S, axis=1),
                lambda lengths, S: reference(lengths, S)[..., None],
                lambda lengths, S: reference(lengths, int(lengths.max())),
            ),
        ),
        Mistake(
            "heads.padding-mask.both-sides",
            Text("a square mask of real pairs", "把查询的填充也遮住了"),
            Text(
                "This (B, S, S) mask hides the padding among the queries as well. The function "
                "does not know the queries: in cross-attention they are of another sequence.",
                "形状 (B, S, S) 的掩码把查询中的填充也遮住了。而本函数并不知道查询是什么："
                "在交叉注意力中，查询来自另一个序列。",
            ),
            PLACE,
            variants=(
                lambda lengths, S: reference(lengths, S) & reference(lengths, S).swapaxes(-1, -2),
                lambda lengths, S: reference(lengths, S) & np.tril(np.ones((S, S), bool)),
            ),
        ),
        Mistake(
            "heads.padding-mask.at-the-start",
            Text("padding taken to stand at the start", "以为填充在开头"),
            Text(
                "The real tokens come first and the padding last; here the last ones are seen. "
                "(Some libraries pad on the left. Ask before you mask.)",
                "真实词元在前，填充在后；这里看到的却是末尾的位置。"
                "（有些库从左侧填充，做掩码之前要弄清楚。）",
            ),
            PLACE,
            variants=(
                _kept(lambda s, n, S: s >= S - n),
                _kept(lambda s, n, S: s < S - n),
            ),
        ),
        Mistake(
            "heads.padding-mask.one-length-for-all",
            Text("one length for all sequences", "所有序列用了同一个长度"),
            Text(
                "Every sequence of the batch has a length of its own; the longest, or the first, "
                "decided for all.",
                "批次中每个序列都有自己的长度；这里却由最长的（或第一个）决定了全部。",
            ),
            PLACE,
            variants=(
                _kept(lambda s, n, S: np.broadcast_to(s < n.max(), (n.size, 1, S))),
                _kept(lambda s, n, S: np.broadcast_to(s < n.min(), (n.size, 1, S))),
                _kept(lambda s, n, S: np.broadcast_to(s < n.flat[0], (n.size, 1, S))),
            ),
        ),
        Mistake(
            "heads.padding-mask.nothing-hidden",
            Text("the padding is not hidden", "没有遮住填充"),
            Text(
                "Every key is seen, whatever the lengths say.",
                "无论长度是多少，所有的键都可以看到。",
            ),
            PLACE,
            variants=(_kept(lambda s, n, S: np.ones((n.size, 1, S), bool)),),
        ),
        Mistake(
            "heads.padding-mask.only-the-last",
            Text("only one position is marked", "只标出了一个位置"),
            Text(
                "All positions before the length are real, not one of them.",
                "长度之前的所有位置都是真实词元，而不只是其中一个。",
            ),
            PLACE,
            variants=(
                _kept(lambda s, n, S: s == n - 1),
                _kept(lambda s, n, S: s == n),
                _kept(lambda s, n, S: s != n),
            ),
        ),
    ),
    hints=(
        Text(
            "Which axis of the scores does the padding lie along, and which axes should the mask "
            "not care about?",
            "填充沿着得分的哪个轴？掩码与哪些轴无关？",
        ),
        Text(
            "Compare the positions 0 … S - 1, shape (S,), with the lengths, shape (B, 1, 1).",
            "把位置 0 … S - 1（形状 (S,)）与长度（形状 (B, 1, 1)）作比较。",
        ),
    ),
    reread=PLACE,
    parts={"values": 1.0},
)
