"""Tasks: ROUGE-1, a ridge regression for importance, and a summariser with a measured target."""

from collections import Counter
from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

# ----------------------------------------------------------------------------------- ROUGE


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


ROUGE = Task(
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
            variants=(_rouge(lambda m, c, r: m / (c + r)), _rouge(lambda m, c, r: m / max(c, r))),
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

# -------------------------------------------------------------------------------- importance


def fit_importance(features: Any, importance: Any, strength: float) -> Any:
    """Weights and bias of least mean squared error plus strength times the squared weights."""
    return _ridge(features, importance, strength)


def _ridge(
    features: Any, importance: Any, strength: float, *, centre: bool = True, scale: str = "N",
    penalty: bool = True, bias: bool = True,
) -> Any:  # fmt: skip
    N, D = features.shape
    mean = features.mean(0) if centre else np.zeros(D)
    middle = importance.mean() if centre else 0.0
    x, y = features - mean, importance - middle
    amount = strength * (N if scale == "N" else 1.0) if penalty else 0.0
    weights = np.linalg.solve(x.T @ x + amount * np.eye(D), x.T @ y)
    return weights, float(middle - mean @ weights) if bias else 0.0


def importance_cases(rng: np.random.Generator) -> list[Case]:
    """Features and importances away from zero, weak and strong penalties."""

    def drawn(name: str, N: int, D: int, strength: float, part: str) -> Case:
        x = rng.normal(size=(N, D)) + rng.normal(size=D) + 1
        y = x @ rng.normal(size=D) + 3 + 0.5 * rng.normal(size=N)
        return case(name, "fit_importance", x, y, strength, part=part)

    return [
        drawn("no penalty", 6, 2, 0.0, "fit"),
        drawn("one feature", 4, 1, 0.3, "penalty"),
        drawn("three features", 9, 3, 0.1, "penalty"),
        drawn("a strong penalty", 7, 2, 5.0, "penalty"),
        drawn("more features than items", 3, 5, 0.2, "penalty"),
    ]


def _fit(**switches: Any) -> Any:
    return lambda features, importance, strength: _ridge(features, importance, strength, **switches)


def _penalised_bias(features: Any, importance: Any, strength: float) -> Any:
    x = np.column_stack([features, np.ones(len(features))])
    amount = strength * len(features) * np.eye(x.shape[1])
    both = np.linalg.solve(x.T @ x + amount, x.T @ importance)
    return both[:-1], float(both[-1])


IMPORTANCE = Task(
    id="news.importance",
    function="fit_importance",
    signature="fit_importance(features, importance, strength)",
    goal=Text(
        "Ridge regression: weights and bias that predict importance from features.",
        "岭回归：由特征预测重要性的权重和偏置。",
    ),
    cases=importance_cases,
    reference={"fit_importance": fit_importance},
    mistakes=(
        Mistake(
            "news.importance.no-penalty",
            Text("the penalty is missing", "没有惩罚项"),
            Text(
                "This is least squares: the result does not depend on `strength`.",
                "这是普通最小二乘：结果与 strength 无关。",
            ),
            "network/training",
            variants=(
                _fit(penalty=False),
                lambda features, importance, strength: (lambda both: (both[:-1], float(both[-1])))(
                    np.linalg.lstsq(
                        np.column_stack([features, np.ones(len(features))]), importance, rcond=None
                    )[0]
                ),
            ),
        ),
        Mistake(
            "news.importance.penalty-not-per-item",
            Text("the penalty is not scaled by the number of items", "惩罚没有乘以样本数"),
            Text(
                "The loss is a mean over the items: multiplied by N, so is the penalty.",
                "损失是对样本取平均：两边同乘 N 时，惩罚也要乘 N。",
            ),
            "network/training",
            variants=(_fit(scale="1"),),
        ),
        Mistake(
            "news.importance.no-bias",
            Text("no bias", "没有偏置"),
            Text(
                "Importance does not average 0: without a bias the line has to go through the "
                "origin.",
                "重要性的平均值不是 0：没有偏置，直线就必须过原点。",
            ),
            "network/units",
            variants=(_fit(centre=False, bias=False), _fit(bias=False), _fit(centre=False)),
        ),
        Mistake(
            "news.importance.bias-penalised",
            Text("the bias is penalised too", "偏置也被惩罚了"),
            Text(
                "The penalty is for the weights only: else the predictions are pulled towards 0, "
                "and would change if importance were counted from another zero.",
                "惩罚只针对权重：否则预测会被拉向 0，换一个重要性的零点结果就变了。",
            ),
            "network/training",
            variants=(_penalised_bias,),
        ),
        Mistake(
            "news.importance.bias-is-the-mean",
            Text("the bias is the mean importance", "把平均重要性当成了偏置"),
            Text(
                "After centring the line goes through the two means: take mean(X) · w off the mean "
                "importance again.",
                "中心化之后，直线经过两个平均值：还要从平均重要性中减去 mean(X) · w。",
            ),
            "network/training",
            variants=(
                lambda features, importance, strength: (
                    fit_importance(features, importance, strength)[0],
                    float(importance.mean()),
                ),
            ),
        ),
        Mistake(
            "news.importance.order",
            Text("bias and weights in the wrong order", "权重与偏置的顺序颠倒"),
            Text("Return weights first, then the bias.", "应先返回权重，再返回偏置。"),
            "news/judging",
            variants=(
                lambda features, importance, strength: fit_importance(
                    features, importance, strength
                )[::-1],
                lambda features, importance, strength: np.append(
                    *fit_importance(features, importance, strength)
                ),
            ),
        ),
    ),
    hints=(
        Text(
            "What happens to the bias if features and importance are centred first?",
            "先把特征和重要性中心化，偏置会怎样？",
        ),
        Text(
            "Centre both; solve (XᵀX + strength · N · I) w = Xᵀy; bias = mean(y) - mean(X) · w.",
            "两者中心化；解 (XᵀX + strength · N · I) w = Xᵀy；bias = mean(y) - mean(X) · w。",
        ),
    ),
    reread="news/judging",
    parts={"fit": 0.4, "penalty": 0.6},
)

# ------------------------------------------------------------------------------ the target


def summarise_all(articles: list[list[list[str]]]) -> list[int]:
    """For each article the number of the sentence that shares most words with the others."""
    return [_central(article) for article in articles]


def _central(article: list[list[str]]) -> int:
    sets = [set(sentence) for sentence in article]
    shared = [
        sum(len(one & two) / (len(one) * len(two)) ** 0.5 for two in sets if two is not one)
        for one in sets
    ]
    return int(np.argmax(shared))


def target_cases(rng: np.random.Generator) -> list[Case]:
    """Articles of made-up words in which one sentence takes a word from each of the others."""

    def article(T: int) -> tuple[list[list[str]], int]:
        words = [
            "".join(rng.choice(list("bdfgklmnprst")) + rng.choice(list("aeiou")) for _ in range(3))
            for _ in range(12 * T)
        ]
        sentences = [words[12 * t : 12 * t + int(rng.integers(5, 12))] for t in range(T)]
        at = int(rng.integers(T))
        others = [sentence for t, sentence in enumerate(sentences) if t != at]
        sentences[at] = [str(rng.choice(sentence)) for sentence in others for _ in range(2)]
        return [list(rng.permutation(sentence)) for sentence in sentences], at

    def drawn(name: str, count: int, T: int) -> Case:
        made = [article(T) for _ in range(count)]
        articles = [[[str(word) for word in sentence] for sentence in one] for one, _ in made]
        return case(name, "summarise_all", articles, least=0.8)

    return [drawn("40 articles of four sentences", 40, 4), drawn("40 of seven", 40, 7)]


TARGET = Task(
    id="news.summarise",
    function="summarise_all",
    signature="summarise_all(articles)",
    goal=Text(
        "Choose one sentence of each article; at least 80 % must be the central one.",
        "为每篇文章选一个句子；至少 80% 应是中心句。",
    ),
    cases=target_cases,
    reference={"summarise_all": summarise_all},
    mistakes=(
        Mistake(
            "news.summarise.lead",
            Text("always the first sentence", "总是选第一句"),
            Text(
                "Lead is a strong baseline in news, and it misses the target here: the central "
                "sentence stands anywhere.",
                "“取第一句”是新闻中很强的基线，但这里达不到目标：中心句可以在任何位置。",
            ),
            "news/judging",
            variants=(lambda articles: [0 for _ in articles],),
        ),
        Mistake(
            "news.summarise.longest",
            Text("the longest sentence", "选了最长的句子"),
            Text(
                "Length is not importance: look at which words the sentences share.",
                "长度不等于重要性：请看句子之间共享哪些词。",
            ),
            "news/judging",
            variants=(
                lambda articles: [int(np.argmax([len(s) for s in a])) for a in articles],
                lambda articles: [int(np.argmax([len(set(s)) for s in a])) for a in articles],
            ),
        ),
        Mistake(
            "news.summarise.last",
            Text("always the last sentence", "总是选最后一句"),
            Text("The position alone does not tell.", "只看位置说明不了问题。"),
            "news/judging",
            variants=(
                lambda articles: [len(article) - 1 for article in articles],
                lambda articles: [-1 for _ in articles],
            ),
        ),
        Mistake(
            "news.summarise.least-central",
            Text("the sentence that shares least", "选了共享最少的句子"),
            Text(
                "The minimum was taken: a central sentence shares words with many others.",
                "取了最小值：中心句与许多句子共享词。",
            ),
            "news/reading",
            variants=(
                lambda articles: [
                    int(
                        np.argmin(
                            [len(set(s) & {w for o in a if o is not s for w in o}) for s in a]
                        )
                    )
                    for a in articles
                ],
            ),
        ),
        Mistake(
            "news.summarise.from-one",
            Text("counted from 1", "从 1 开始编号"),
            Text("The first sentence has the number 0.", "第一个句子的编号是 0。"),
            "news/reading",
            variants=(lambda articles: [_central(article) + 1 for article in articles],),
        ),
        Mistake(
            "news.summarise.text-not-number",
            Text("the sentence itself, not its number", "返回了句子而不是编号"),
            Text("Return one number for each article.", "每篇文章返回一个编号。"),
            "news/reading",
            variants=(lambda articles: [a[_central(a)] for a in articles],),
        ),
    ),
    hints=(
        Text("Which sentence would the others vote for?", "其他句子会投票给哪一句？"),
        Text(
            "Count the words that a sentence shares with each other one; take the largest sum.",
            "数一数每个句子与其他各句共享的词，取总和最大的。",
        ),
    ),
    reread="news/reading",
    parts={"values": 1.0},
    points=20.0,
)
