"""Task: the causal mask, also for the last T of S positions."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import causal_mask as reference

PLACE = "attention/numerics-and-masks"
LONGER = ("two new of three", "one new of four", "some new positions", "many new positions")


def cases(rng: np.random.Generator) -> list[Case]:
    """As many queries as keys, then more keys: the queries are the last T positions."""
    few, more = int(rng.integers(2, 5)), int(rng.integers(3, 6))
    sizes = {"two of two": (2, 2), "a sentence": (few + 1, few + 1), "one of one": (1, 1)}
    later = dict(
        zip(LONGER, [(2, 3), (1, 4), (few, few + more), (more + 3, more + 5)], strict=True)
    )
    return [
        *(case(name, "causal_mask", *size, part="T = S") for name, size in sizes.items()),
        *(case(name, "causal_mask", *size, part="S > T") for name, size in later.items()),
    ]


def _kept(rule: Any) -> Any:
    """A mask by a rule on the query's place t, the key's place s, and S - T."""

    def causal_mask(T: int, S: int) -> Any:
        return rule(np.arange(T)[:, None], np.arange(S), S - T)

    return causal_mask


TASK = Task(
    id="heads.causal-mask",
    function="causal_mask",
    signature="causal_mask(T, S)",
    goal=Text(
        "Which of S positions may each of the last T see? Itself and what came before.",
        "S 个位置中的后 T 个，各自可以看哪些位置？自身以及之前的位置。",
    ),
    cases=cases,
    reference={"causal_mask": reference},
    mistakes=(
        Mistake(
            "heads.causal-mask.not-boolean",
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
                lambda T, S: reference(T, S).astype(float),
                lambda T, S: np.where(reference(T, S), 0.0, -np.inf),
                lambda T, S: np.where(reference(T, S), 0.0, -1e9),
                lambda T, S: np.tril(np.ones((T, S))),
                lambda T, S: np.triu(np.ones((T, S)), 1),
            ),
        ),
        Mistake(
            "heads.causal-mask.inverted",
            Text("mask inverted", "掩码取反了"),
            Text(
                'True means "may look". Here the future is True and the past is False: perhaps '
                "the mask says what to hide, as in some libraries.",
                "True 表示“可以看”。这里未来是 True，过去是 False："
                "也许你的掩码表示“要遮住什么”，有些库确实如此。",
            ),
            PLACE,
            variants=(
                lambda T, S: ~reference(T, S),
                _kept(lambda t, s, late: s > t),
            ),
        ),
        Mistake(
            "heads.causal-mask.strict",
            Text("a position cannot see itself", "看不到自身"),
            Text(
                "Each position may look at itself too. Off by one like this, the first position "
                "sees nothing at all, and softmax has nothing to share out.",
                "每个位置也可以看自身。像这样差一位，第一个位置什么都看不到，softmax 就无从分配。",
            ),
            PLACE,
            variants=(
                _kept(lambda t, s, late: s < t + late),
                _kept(lambda t, s, late: s < t),
            ),
        ),
        Mistake(
            "heads.causal-mask.one-too-many",
            Text("sees one position of the future", "多看了一个未来位置"),
            Text(
                "Each position sees the one after it. A model that is trained to predict the next "
                "token finds the answer in its input: the loss drops, and the text it writes is "
                "poor.",
                "每个位置都能看到下一个位置。训练目标正是预测下一个词元，"
                "答案却已在输入里：损失很低，生成的文本却很差。",
            ),
            PLACE,
            variants=(
                _kept(lambda t, s, late: s <= t + late + 1),
                _kept(lambda t, s, late: s <= t + 1),
            ),
        ),
        Mistake(
            "heads.causal-mask.transposed",
            Text("rows and columns exchanged", "行列颠倒"),
            Text(
                "Rows belong to queries, columns to keys. Here each position sees itself and the "
                "future, not the past.",
                "行对应查询，列对应键。这里每个位置看到的是自身和未来，而不是过去。",
            ),
            PLACE,
            variants=(
                _kept(lambda t, s, late: s >= t + late),
                _kept(lambda t, s, late: s >= t),
                lambda T, S: reference(T, S).T,
                lambda T, S: np.tril(np.ones((S, T), bool)),
                _kept(lambda t, s, late: s >= t - late),
            ),
        ),
        Mistake(
            "heads.causal-mask.from-the-start",
            Text("the queries are taken for the first T positions", "把查询当成了前 T 个位置"),
            Text(
                "With more keys than queries, the queries are the last T positions: the S - T "
                "positions before them are past, and all queries may look there. Here query 0 "
                "stands at position 0.",
                "键比查询多时，查询是最后 T 个位置：之前的 S - T 个位置都属于过去，"
                "所有查询都可以看。这里却把第 0 个查询放在了位置 0。",
            ),
            PLACE,
            variants=(
                _kept(lambda t, s, late: s <= t),
                _kept(lambda t, s, late: s <= t - late),
            ),
        ),
        Mistake(
            "heads.causal-mask.shape",
            Text("the shape is not (T, S)", "形状不是 (T, S)"),
            Text(
                "The mask has two axes: a row for each of the T queries and a column for each of "
                "the S keys, also where T and S differ.",
                "掩码有两个轴：每一行对应一个查询（共 T 行），每一列对应一个键（共 S 列）；"
                "T 与 S 可以不同。",
            ),
            PLACE,
            variants=(
                lambda T, S: reference(T, T),
                lambda T, S: reference(S, S),
                lambda T, S: reference(T, S)[None],
                lambda T, S: reference(T, S)[None, None],
            ),
        ),
        Mistake(
            "heads.causal-mask.nothing-hidden",
            Text("the future is not hidden", "没有遮住未来"),
            Text(
                "Every query sees every key. The last query may, the ones before it may not.",
                "每个查询都能看到所有键。只有最后一个查询可以如此，之前的不可以。",
            ),
            PLACE,
            variants=(lambda T, S: np.ones((T, S), bool),),
        ),
        Mistake(
            "heads.causal-mask.only-itself",
            Text("sees only itself", "只能看到自身"),
            Text(
                "A diagonal: each position sees one position. Everything that came before is "
                "allowed too.",
                "这是一条对角线：每个位置只看到一个位置。之前的所有位置也都可以看。",
            ),
            PLACE,
            variants=(
                _kept(lambda t, s, late: s == t + late),
                _kept(lambda t, s, late: s == t),
            ),
        ),
        Mistake(
            "heads.causal-mask.late-positions",
            Text("wrong where S is larger than T", "S 大于 T 时不对"),
            Text(
                "Right for T = S, wrong for more keys than queries. Where does query 0 stand "
                "among the S positions? The last query stands at the last one.",
                "T = S 时正确，键比查询多时不对。第 0 个查询在 S 个位置中排在哪里？"
                "最后一个查询在最后一个位置。",
            ),
            PLACE,
            only=frozenset(LONGER),
        ),
    ),
    hints=(
        Text(
            "Number the S positions. Which number has query t?",
            "给 S 个位置编号。第 t 个查询的编号是多少？",
        ),
        Text(
            "Query t stands at position t + S - T. Compare a column of these with a row of the "
            "positions of the keys.",
            "第 t 个查询位于位置 t + S - T。把这些位置排成一列，与键的位置排成的一行比较。",
        ),
    ),
    reread=PLACE,
    parts={"T = S": 0.5, "S > T": 0.5},
)
