"""Tasks: which sentence the others look at, and the choice of the best ones in their order."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import softmax

# ---------------------------------------------------------------------- attention received


def attention_received(vectors: Any, temperature: float = 1.0) -> Any:
    """The mean of each column of the weights with which sentences look at the others."""
    return _received(vectors, temperature)


def _received(
    vectors: Any, temperature: float, *, own: bool = False, over: int = -1, mean: int = 0,
    heat: Any = lambda scores, t: scores / t, sums: bool = False, weighted: bool = True,
) -> Any:  # fmt: skip
    scores = heat(vectors @ vectors.T, temperature)
    mask = np.ones(scores.shape, bool) if own else ~np.eye(len(scores), dtype=bool)
    if not weighted:
        return np.where(mask, scores, 0).mean(axis=mean)
    weights = softmax(scores, mask)
    return weights.sum(axis=mean) if sums else weights.mean(axis=mean)


def received_cases(rng: np.random.Generator) -> list[Case]:
    """Three to seven sentences; temperatures other than 1."""

    def drawn(name: str, T: int, V: int, part: str = "values", **more: Any) -> Case:
        return case(name, "attention_received", rng.normal(size=(T, V)), part=part, **more)

    return [
        drawn("three sentences", 3, 2),
        drawn("four sentences", 4, 6),
        drawn("seven sentences", 7, 3),
        case("vectors far apart", "attention_received", _star(rng)),
        drawn("a low temperature", 3, 3, "temperature", temperature=0.4),
        drawn("a high temperature", 5, 4, "temperature", temperature=2.5),
    ]


def _star(rng: np.random.Generator) -> Any:
    """Each most unlike the others: a sentence would rather look at itself, by far."""
    angle = np.arange(3) * 2 * np.pi / 3 + rng.uniform(-0.1, 0.1, 3)
    return rng.uniform(7, 7.5, (3, 1)) * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _filled(number: float) -> Any:
    def attention_received(vectors: Any, temperature: float = 1.0) -> Any:
        scores = vectors @ vectors.T / temperature
        return softmax(np.where(np.eye(len(vectors), dtype=bool), number, scores)).mean(0)

    return attention_received


def _attend(**switches: Any) -> Any:
    return lambda vectors, temperature=1.0: _received(vectors, temperature, **switches)


def _zero_scores(vectors: Any, temperature: float = 1.0) -> Any:
    return softmax((vectors @ vectors.T) * (1 - np.eye(len(vectors))) / temperature).mean(0)


def _zero_after(vectors: Any, temperature: float = 1.0) -> Any:
    return (softmax(vectors @ vectors.T / temperature) * (1 - np.eye(len(vectors)))).mean(0)


def _over_others(vectors: Any, temperature: float = 1.0) -> Any:
    return attention_received(vectors, temperature) * len(vectors) / (len(vectors) - 1)


RECEIVED = Task(
    id="news.attention-received",
    function="attention_received",
    signature="attention_received(vectors, temperature=1.0)",
    goal=Text(
        "How much attention each sentence receives from the others.",
        "每个句子从其他句子得到多少注意力。",
    ),
    cases=received_cases,
    reference={"attention_received": attention_received},
    mistakes=(
        Mistake(
            "news.attention-received.sees-itself",
            Text("sentences look at themselves", "句子看到了自己"),
            Text(
                "A sentence is most like itself, so it gives most of its weight to itself and "
                "says nothing about the others. Hide the diagonal before softmax, with minus "
                "infinity: a score of 0 still gets weight, and a weight of 0 put in later leaves "
                "a row that sums to less than 1.",
                "句子与自己最相似，会把大部分权重给自己，也就说明不了什么。"
                "应在 softmax 之前把对角线设为负无穷："
                "得分设为 0 仍会分到权重；"
                "事后把权重设为 0，一行之和又小于 1。",
            ),
            "news/reading",
            variants=(
                _attend(own=True),
                _zero_scores,
                _zero_after,
                *map(_filled, (-1.0, -10.0, -20.0, 1e-9)),
            ),
        ),
        Mistake(
            "news.attention-received.rows",
            Text("the rows are averaged", "对行求了平均"),
            Text(
                "A row is what a sentence gives, and always sums to 1. What it receives stands in "
                "its column.",
                "行是句子给出的权重，总和恒为 1；它得到的在列里。",
            ),
            "news/reading",
            variants=(_attend(mean=1), _attend(mean=1, sums=True)),
        ),
        Mistake(
            "news.attention-received.sum",
            Text("divided by another number", "除以的数不对"),
            Text(
                "A mean over T sentences: divide the sum of the column by T, also where one of the "
                "weights is 0.",
                "这是对 T 个句子的平均：一列之和要除以 T，其中有一个权重为 0 也一样。",
            ),
            "news/reading",
            variants=(_attend(sums=True), _over_others),
        ),
        Mistake(
            "news.attention-received.temperature",
            Text("the temperature is not divided by", "温度用错了"),
            Text(
                "The scores are divided by the temperature, before softmax.",
                "应在 softmax 之前用得分除以温度。",
            ),
            "attention/scores",
            variants=(
                _attend(heat=lambda scores, t: scores),
                _attend(heat=lambda scores, t: scores * t),
            ),
            only=frozenset({"a low temperature", "a high temperature"}),
        ),
        Mistake(
            "news.attention-received.scaled",
            Text("the dot products are scaled", "点积被缩放了"),
            Text(
                "Here the scores are plain dot products over the temperature: not cosines, and "
                "not divided "
                "by the root of the width. The temperature does what the root does in a "
                "Transformer.",
                "这里的得分就是点积除以温度：不是余弦，也不除以宽度的平方根。温度起的作用与 "
                "Transformer 中的根号相同。",
            ),
            "news/reading",
            variants=(
                lambda vectors, temperature=1.0: attention_received(
                    vectors / np.linalg.norm(vectors, axis=1, keepdims=True), temperature
                ),
                lambda vectors, temperature=1.0: attention_received(
                    vectors, temperature * vectors.shape[1] ** 0.5
                ),
                lambda vectors, temperature=1.0: attention_received(
                    vectors, temperature * vectors.shape[1]
                ),
            ),
        ),
        Mistake(
            "news.attention-received.no-softmax",
            Text("similarities averaged without softmax", "没有做 softmax"),
            Text(
                "The mean similarity is another measure: attention first shares out each "
                "sentence's 1.",
                "平均相似度是另一种度量：注意力要先把每个句子的 1 分配出去。",
            ),
            "news/reading",
            variants=(_attend(weighted=False),),
        ),
    ),
    hints=(
        Text("Who gives, who receives: row or column?", "谁给，谁得：行还是列？"),
        Text(
            "Scores over temperature, minus infinity on the diagonal, softmax along each row, then "
            "the mean of each column.",
            "得分除以温度，对角线设为负无穷，沿行做 softmax，再对每一列求平均。",
        ),
    ),
    reread="news/reading",
    parts={"values": 0.7, "temperature": 0.3},
)

# ------------------------------------------------------------------------------ the choice


def choose(scores: Any, count: int) -> list[int]:
    """The numbers of the `count` best sentences, in the order of the text."""
    best = np.argsort(-np.asarray(scores), kind="stable")[:count]
    return sorted(int(number) for number in best)


def choose_cases(rng: np.random.Generator) -> list[Case]:
    """Best ones out of order; more asked for than there are; scores below 0."""

    def drawn(name: str, T: int, count: int, part: str = "values", shift: float = 0.0) -> Case:
        while True:
            scores = rng.permutation(np.linspace(0, 1, T)) + shift
            best = np.argsort(-scores)[:count].tolist()
            if count < 2 or count >= T or (best != sorted(best) and 0 not in best):
                return case(name, "choose", scores, count, part=part)

    return [
        drawn("the best of three", 3, 1),
        drawn("two of five", 5, 2),
        drawn("three of eight", 8, 3),
        drawn("negative scores", 6, 2, shift=-3.0),
        drawn("more than there are", 3, 5, "edges"),
        drawn("none", 4, 0, "edges"),
    ]


CHOOSE = Task(
    id="news.choose",
    function="choose",
    signature="choose(scores, count)",
    goal=Text(
        "The numbers of the best sentences, in the order of the text.",
        "得分最高的句子的编号，按原文顺序排列。",
    ),
    cases=choose_cases,
    reference={"choose": choose},
    mistakes=(
        Mistake(
            "news.choose.order",
            Text("in order of score", "按得分排序了"),
            Text(
                "A summary is read in the order of the text: *he resigned* before anyone was named "
                "makes no sense.",
                "摘要要按原文顺序阅读：人名还没出现就说“他辞职了”，读者看不懂。",
            ),
            "news/reading",
            variants=(
                lambda scores, count: np.argsort(-scores)[:count],
                lambda scores, count: np.argsort(scores)[::-1][:count][::-1],
            ),
        ),
        Mistake(
            "news.choose.worst",
            Text("the worst are chosen", "选了得分最低的"),
            Text("Look at the direction in which you sort.", "请检查排序方向。"),
            "news/reading",
            variants=(
                lambda scores, count: np.sort(np.argsort(scores)[:count]),
                lambda scores, count: np.argsort(scores)[:count],
            ),
        ),
        Mistake(
            "news.choose.first",
            Text("the first sentences, whatever their score", "只取了开头的句子"),
            Text(
                "This is the lead baseline: the scores are not used.",
                "这是“取开头”基线：没有用到得分。",
            ),
            "news/judging",
            variants=(lambda scores, count: list(range(min(count, len(scores)))),),
        ),
        Mistake(
            "news.choose.scores",
            Text("scores instead of numbers", "返回了得分而不是编号"),
            Text(
                "Return which sentences, not how good they are.", "应返回是哪些句子，而不是得分。"
            ),
            "news/reading",
            variants=(
                lambda scores, count: np.sort(scores)[::-1][:count],
                lambda scores, count: scores[sorted(np.argsort(-scores)[:count])],
            ),
        ),
        Mistake(
            "news.choose.off-by-one",
            Text("one too few or too many, or counted from 1", "个数差一，或从 1 开始编号"),
            Text(
                "Exactly `count` numbers (or all, if there are fewer), counted from 0.",
                "应恰好返回 count 个编号（不足则全部），从 0 开始。",
            ),
            "news/reading",
            variants=(
                lambda scores, count: choose(scores, count + 1),
                lambda scores, count: choose(scores, max(count - 1, 0)),
                lambda scores, count: [number + 1 for number in choose(scores, count)],
            ),
        ),
        Mistake(
            "news.choose.negative-slice",
            Text("`[-count:]` with count 0", "count 为 0 时的 `[-count:]`"),
            Text(
                "The last 0 entries, written as [-0:], are all of them.",
                "取“最后 0 个”写成 [-0:]，得到的是全部。",
            ),
            "news/reading",
            variants=(lambda scores, count: np.sort(np.argsort(scores)[-count:]),),
            only=frozenset({"none"}),
        ),
    ),
    hints=(
        Text("In what order will the reader see the sentences?", "读者会按什么顺序看到这些句子？"),
        Text(
            "argsort of the negative scores, the first `count`, then sorted.",
            "对负得分 argsort，取前 count 个，再排序。",
        ),
    ),
    reread="news/reading",
    parts={"values": 0.8, "edges": 0.2},
)
