"""Task: a summariser with a measured target."""

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case


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
        sounds = np.array([one + two for one in "bdfgklmnprst" for two in "aeiou"])
        words = ["".join(three) for three in sounds[rng.integers(60, size=(12 * T, 3))]]
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


TASK = Task(
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
            "news.summarise.middle",
            Text("always the middle sentence", "总是选中间的句子"),
            Text(
                "The position alone does not tell.",
                "只看位置说明不了问题。",
            ),
            "news/judging",
            variants=(
                lambda articles: [len(article) // 2 for article in articles],
                lambda articles: [(len(article) - 1) // 2 for article in articles],
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
