"""Task: greedy decoding."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.assignments.task import Case, Given, Mistake, Task, Text, case

END_CASES = frozenset({
    "an end token", "the end comes first", "token 0 is the end", "the prompt holds the end",
})  # fmt: skip


def greedy(model: Any, prompt: Sequence[int], steps: int, end: int | None = None) -> list[int]:
    """The most probable token, again and again; the new tokens, the end token included."""
    ids, new = [int(token) for token in prompt], []
    for _ in range(steps):
        token = int(np.argmax(model(np.asarray(ids))))
        new.append(token)
        ids.append(token)
        if token == end:
            break
    return new


def cases(rng: np.random.Generator) -> list[Case]:
    """Models whose next token depends on the last one, and on all; with and without an end."""

    def drawn(name: str, V: int, prompt: list[int], steps: int, part: str, **more: Any) -> Case:
        """A table without ties whose greedy path has no early repetition of one token."""
        memory, ends, at = more.pop("memory", 0.0), more.pop("ends", False), more.pop("at", None)
        while True:
            table = rng.permuted(np.linspace(-2, 2, V * V)).reshape(V, V)
            np.fill_diagonal(table, -3 - np.arange(V))  # never the same token twice running
            model = Given(table, memory)
            new = greedy(model, prompt, steps)
            if at is None or (new[2] == at and at not in new[:2]):
                break
        if ends:
            more["end"] = new[2]
        return case(name, "greedy", model, prompt, steps, part=part, **more)

    return [
        drawn("three tokens", 3, [0], 2, "tokens"),
        drawn("a longer prompt", 5, [3, 1, 4], 4, "tokens"),
        drawn("a model that remembers", 6, [2, 0, 1], 6, "context", memory=0.9),
        drawn("another that remembers", 7, [6, 2], 7, "context", memory=1.3),
        drawn("an end token", 7, [2, 5], 6, "end", ends=True, memory=0.4),
        drawn("no step", 4, [1, 2], 0, "tokens"),
        drawn("the end comes first", 8, [3, 3, 1], 9, "end", ends=True),
        drawn("token 0 is the end", 5, [2, 1], 6, "end", ends=True, at=0),
        drawn("the prompt holds the end", 5, [3, 1, 4], 6, "end", ends=True, at=3),
    ]


def _variant(
    *, choose: Any = np.argmax, seen: slice = slice(None), include_end: bool = True,
    stop: bool = True, extra: int = 0, with_prompt: bool = False,
) -> Any:  # fmt: skip
    def wrong(model: Any, prompt: Any, steps: int, end: int | None = None) -> Any:
        ids, new = list(prompt), []
        for _ in range(max(0, steps + extra)):
            token = int(choose(model(np.asarray(ids)[seen])))
            if stop and token == end and not include_end:
                break
            new.append(token)
            ids.append(token)
            if stop and token == end:
                break
        return ids if with_prompt else new

    return wrong


def _ended_before(model: Any, prompt: Any, steps: int, end: int | None = None) -> Any:
    return [] if end in prompt else greedy(model, prompt, steps, end)


def _zero_is_none(model: Any, prompt: Any, steps: int, end: int | None = None) -> Any:
    return greedy(model, prompt, steps, end or None)


def _prompt_only(model: Any, prompt: Any, steps: int, end: int | None = None) -> Any:
    new: list[int] = []
    for _ in range(steps):
        new.append(int(np.argmax(model(np.asarray(prompt)))))
        if new[-1] == end:
            break
    return new


def _new_only(model: Any, prompt: Any, steps: int, end: int | None = None) -> Any:
    new: list[int] = []
    for _ in range(steps):
        new.append(int(np.argmax(model(np.asarray(new or prompt)))))
        if new[-1] == end:
            break
    return new


def _filled(model: Any, prompt: Any, steps: int, end: int | None = None) -> Any:
    new = greedy(model, prompt, steps, end)
    return new + [end] * (steps - len(new))


TASK = Task(
    id="decoding.greedy",
    function="greedy",
    signature="greedy(model, prompt, steps, end=None)",
    goal=Text(
        "Write `steps` tokens, each the most probable after all before it; stop after `end`.",
        "写出 `steps` 个词元，每次取在此前全部词元之后概率最大的一个；写出 `end` 后停止。",
    ),
    cases=cases,
    reference={"greedy": greedy},
    mistakes=(
        Mistake(
            "decoding.greedy.prompt-included",
            Text("the prompt is returned too", "把提示也返回了"),
            Text(
                "The task asks for the new tokens alone; the prompt stands in front of them here.",
                "题目只要新写出的词元，而这里前面还带着提示。",
            ),
            "transformer/decoding",
            variants=(_variant(with_prompt=True),),
        ),
        Mistake(
            "decoding.greedy.last-token-only",
            Text("the model sees the last token only", "模型只看到最后一个词元"),
            Text(
                "A language model's next token depends on all tokens before it. Give it the whole "
                "sequence, or a cache of it.",
                "语言模型的下一个词元取决于前面所有词元。应把整个序列（或其缓存）交给模型。",
            ),
            "transformer/decoding",
            variants=(_variant(seen=slice(-1, None)),),
        ),
        Mistake(
            "decoding.greedy.prompt-forgotten",
            Text("the prompt is forgotten", "丢掉了提示"),
            Text(
                "After the first new token the model is shown the new tokens without the prompt.",
                "写出第一个词元之后，模型只看到新词元，而看不到提示。",
            ),
            "transformer/decoding",
            variants=(_new_only,),
        ),
        Mistake(
            "decoding.greedy.not-fed-back",
            Text("new tokens are not fed back", "没有把新词元送回模型"),
            Text(
                "Every step asks the model about the same prompt, so the same token comes again.",
                "每一步问模型的都是同一个提示，所以总是得到同一个词元。",
            ),
            "transformer/decoding",
            variants=(_prompt_only,),
        ),
        Mistake(
            "decoding.greedy.argmin",
            Text("the least probable token", "取了概率最小的词元"),
            Text(
                "The smallest logit is taken, not the largest.",
                "取的是最小的 logit，而不是最大的。",
            ),
            "transformer/decoding",
            variants=(_variant(choose=np.argmin),),
        ),
        Mistake(
            "decoding.greedy.end-missing",
            Text("the end token is left out", "没有包含结束词元"),
            Text(
                "The end token is a token that the model wrote: it belongs to the result.",
                "结束词元也是模型写出的词元，应包含在结果里。",
            ),
            "transformer/decoding",
            variants=(_variant(include_end=False),),
        ),
        Mistake(
            "decoding.greedy.end-ignored",
            Text("does not stop at the end token", "遇到结束词元没有停止"),
            Text(
                "What follows the end token means nothing: stop after it.",
                "结束词元之后的内容没有意义：写出它就应停止。",
            ),
            "transformer/decoding",
            variants=(_variant(stop=False), _filled),
        ),
        Mistake(
            "decoding.greedy.off-by-one",
            Text("one token too few or too many", "多写或少写了一个词元"),
            Text(
                "Count the passes of the loop for steps = 2.", "以 steps = 2 为例数一数循环次数。"
            ),
            "transformer/decoding",
            variants=(_variant(extra=-1), _variant(extra=1)),
        ),
        Mistake(
            "decoding.greedy.end-zero",
            Text("token 0 is never the end", "词元 0 从不算作结束"),
            Text(
                "0 counts as false in Python, so that `if end` says no when `end` is token 0. Ask "
                "whether it is None.",
                "在 Python 中 0 等同于假，因此当 `end` 是词元 0 时，`if end` 一律不成立。"
                "应判断它是否为 None。",
            ),
            "transformer/decoding",
            variants=(_zero_is_none,),
        ),
        Mistake(
            "decoding.greedy.end-in-prompt",
            Text("stops because of the prompt", "因提示中含有结束词元而停止"),
            Text(
                "Only a new token ends the text. The prompt may hold the end token too, for "
                "instance between two sentences.",
                "只有新写出的词元才能结束文本；提示中也可能含有结束词元，例如在两个句子之间。",
            ),
            "transformer/decoding",
            variants=(_ended_before,),
        ),
    ),
    hints=(
        Text("What does the model have to see at the second step?", "第二步时模型应该看到什么？"),
        Text(
            "Keep one list that begins as a copy of the prompt; append to it and to the result.",
            "用一个列表，开始时是提示的副本；每次把新词元加到它和结果中。",
        ),
    ),
    reread="transformer/decoding",
    parts={"tokens": 0.4, "context": 0.3, "end": 0.3},
)
