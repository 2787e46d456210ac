"""Task: ROUGE-1."""

from collections import Counter
from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


def rouge1(candidate: list[str], reference: list[str]) -> float:
    """F1 of the words in common, each counted as often as it stands in both."""
    common = sum((Counter(candidate) & Counter(reference)).values())
    return 2 * common / (len(candidate) + len(reference)) if common else 0.0


def rouge_cases(rng: np.random.Generator) -> list[Case]:
    """Unequal lengths, repeated words on either side, nothing in common, Chinese characters."""

    def drawn(name: str, m: int, n: int, V: int) -> Case:
        while True:
            one, two = (rng.choice(list("abcdefgh")[:V], size=k).tolist() for k in (m, n))
            common = sum((Counter(one) & Counter(two)).values())
            kinds = len(set(one) & set(two))
            if 0 < kinds < common < min(m, n) and common != sum(word in two for word in one):
                return case(name, "rouge1", one, two, part="repeated words")

    return [
        case(
            "two of three words", "rouge1", ["rain", "in", "ulm"], ["heavy", "rain", "ulm", "today"]
        ),
        case("nothing in common", "rouge1", ["rain"], ["sun", "again"], part="edges"),
        case("an empty candidate", "rouge1", [], ["sun"], part="edges"),
        drawn("a long candidate", 9, 5, 5),
        drawn("a long reference", 5, 10, 4),
        case("characters", "rouge1", list("大雨大风"), list("今天大雨大")),
    ]


def _rouge(measure: Any) -> Any:
    def wrong(candidate: Any, reference: Any) -> Any:
        common = sum((Counter(candidate) & Counter(reference)).values())
        if not common:
            return 0.0
        return measure(common, len(candidate), len(reference))

    return wrong


def _sets(candidate: Any, reference: Any) -> Any:
    one, two = set(candidate), set(reference)
    return 2 * len(one & two) / (len(one) + len(two)) if one & two else 0.0


def _rouge_of_kinds(candidate: Any, reference: Any) -> Any:
    kinds = len(set(candidate) & set(reference))
    return 2 * kinds / (len(candidate) + len(reference)) if kinds else 0.0


def _unclipped(candidate: Any, reference: Any) -> Any:
    common = sum(word in reference for word in candidate)
    return 2 * common / (len(candidate) + len(reference)) if common else 0.0


TASK = Task(
    id="news.rouge",
    function="rouge1",
    signature="rouge1(candidate, reference)",
    goal=Text("ROUGE-1 F1 of two lists of words.", "两个词列表的 ROUGE-1 F1。"),
    cases=rouge_cases,
    reference={"rouge1": rouge1},
    mistakes=(
        Mistake(
            "news.rouge.recall",
            Text("recall alone", "只有召回率"),
            Text(
                "Recall rewards length: a candidate that copies the whole article would get 1.",
                "只看召回率会偏向长文本：照抄全文就能得 1。",
            ),
            "news/judging",
            variants=(_rouge(lambda m, c, r: m / r),),
        ),
        Mistake(
            "news.rouge.precision",
            Text("precision alone", "只有精确率"),
            Text(
                "Precision rewards brevity: one right word would get 1.",
                "只看精确率会偏向短文本：写对一个词就能得 1。",
            ),
            "news/judging",
            variants=(_rouge(lambda m, c, r: m / c),),
        ),
        Mistake(
            "news.rouge.arithmetic-mean",
            Text("the arithmetic mean", "用了算术平均"),
            Text(
                "F1 is the harmonic mean of precision and recall: it is small if one of them is.",
                "F1 是精确率与召回率的调和平均：其中一个小，它就小。",
            ),
            "news/judging",
            variants=(
                _rouge(lambda m, c, r: (m / c + m / r) / 2),
                _rouge(lambda m, c, r: (m / c * m / r) ** 0.5),
                _rouge(lambda m, c, r: m / c * m / r),
            ),
        ),
        Mistake(
            "news.rouge.sets",
            Text("every word counted once", "每个词只算了一次"),
            Text(
                "A word that stands twice in both counts twice.", "在两边都出现两次的词要算两次。"
            ),
            "news/judging",
            variants=(_sets, _rouge_of_kinds),
        ),
        Mistake(
            "news.rouge.not-clipped",
            Text("repetitions are not clipped", "重复的词没有截断"),
            Text(
                "A word counts as often as it stands in both: *rain rain rain* must not score "
                "three times for one *rain*.",
                "一个词最多算两边都有的次数：对方只有一个“雨”，写三个也只算一次。",
            ),
            "news/judging",
            variants=(
                _unclipped,
                lambda candidate, reference: _unclipped(reference, candidate),
            ),
        ),
        Mistake(
            "news.rouge.no-factor-two",
            Text("the factor 2 is missing", "漏掉了系数 2"),
            Text("Two equal texts must get 1.", "两个相同的文本应得 1。"),
            "news/judging",
            variants=(_rouge(lambda m, c, r: m / (c + r)),),
        ),
        Mistake(
            "news.rouge.another-measure",
            Text("another measure of overlap", "用了别的重合度"),
            Text(
                "The words in common over the shorter text, the longer one, or the union are "
                "measures too "
                "(overlap, Jaccard). F1 takes the harmonic mean of precision and recall.",
                "共同词数除以较短文本、较长文本或并集，也是重合度（overlap、Jaccard），但 F1 "
                "是精确率与召回率的调和平均。",
            ),
            "news/judging",
            variants=(
                _rouge(lambda m, c, r: m / (c + r - m)),
                _rouge(lambda m, c, r: m / min(c, r)),
                _rouge(lambda m, c, r: m / max(c, r)),
                _rouge(lambda m, c, r: m),
            ),
        ),
        Mistake(
            "news.rouge.percent",
            Text("in percent", "用了百分数"),
            Text(
                "Two equal texts get 1, not 100.",
                "两个相同的文本应得 1，而不是 100。",
            ),
            "news/judging",
            variants=(_rouge(lambda m, c, r: 200 * m / (c + r)),),
        ),
        Mistake(
            "news.rouge.empty",
            Text("stops where nothing is in common", "没有共同词时出错"),
            Text(
                "With nothing in common precision and recall are 0, and 0/0 is no number: 0.",
                "没有共同词时精确率和召回率都是 0，而 0/0 没有意义：应返回 0。",
            ),
            "news/judging",
            error=("ZeroDivisionError", ""),
            only=frozenset({"nothing in common", "an empty candidate"}),
        ),
    ),
    hints=(
        Text(
            "How often does a word count that stands twice here and three times there?",
            "一个词这边出现两次、那边三次，应算几次？",
        ),
        Text(
            "common = Σ min(count here, count there); 2 · common / (length + length).",
            "common = Σ min(两边次数)；2 · common / (两个长度之和)。",
        ),
    ),
    reread="news/judging",
    parts={"values": 0.4, "repeated words": 0.4, "edges": 0.2},
)
