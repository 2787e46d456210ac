"""Task: beam search with length normalisation."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from companion.assignments.task import Case, Given, Mistake, Task, Text, case
from companion.with_numpy import log_softmax

DEFAULT = "alpha as by default"
Beam = tuple[list[int], float]


def beam_search(
    model: Any, prompt: Sequence[int], steps: int, beams: int, end: int, alpha: float = 1.0
) -> tuple[list[int], float]:
    """The new tokens of the best sequence, and its sum of log-probabilities over length^alpha."""
    return _search(model, prompt, steps, beams, end, alpha)


def _search(
    model: Any, prompt: Sequence[int], steps: int, beams: int, end: int, alpha: float, *,
    score: Callable[[Any], Any] = log_softmax, finish: bool = True, across: bool = True,
    worst: bool = False, extra: int = 0, keep_live: bool = True, first_end: bool = False,
    live_norm: bool = False, raw: bool = False, live_only: bool = False, by_sum: bool = False,
) -> tuple[list[int], float]:  # fmt: skip
    """The search, with a switch for each known mistake."""
    live: list[Beam] = [([], 0.0)]
    done: list[Beam] = []

    def normal(beam: Beam) -> float:
        return beam[1] / (len(beam[0]) + extra) ** alpha

    for step in range(steps):
        rows = []
        for new, total in live:
            if not finish and new and new[-1] == end:
                rows.append([(new, total)])
                continue
            gains = np.asarray(score(model(np.asarray([*prompt, *new], dtype=int))))
            rows.append([([*new, token], total + float(gain)) for token, gain in enumerate(gains)])
        if step and not across:  # each beam keeps its own best
            rows = [sorted(row, key=lambda beam: -beam[1])[:1] for row in rows]
        candidates = [beam for row in rows for beam in row]
        by = normal if live_norm else (lambda beam: beam[1])
        best = sorted(candidates, key=lambda beam: -by(beam))[:beams]
        if finish:
            done += [beam for beam in best if beam[0][-1] == end]
            live = [beam for beam in best if beam[0][-1] != end]
            if first_end and done:
                live = []
        else:
            live = best
        if not live:
            break
    pool = done + live if keep_live or not done else done
    pool = live if live_only and live else pool
    pick = min if worst else max
    chosen = pick(pool, key=(lambda beam: beam[1]) if by_sum else normal)
    return chosen[0], chosen[1] if raw else normal(chosen)


def cases(rng: np.random.Generator) -> list[Case]:
    """Models on which each short cut takes another way than the search that was asked for."""

    def drawn(
        name: str, part: str, tell: list[Any], V: int, steps: int, beams: int, prompt: list[int],
        alpha: float | None = 1.0, *, apart: tuple[Any, ...] = (), spread: float = 1.6,
        memory: float = 0.35,
    ) -> Case:  # fmt: skip
        """A model on which the search and each of `tell` differ, tell[0] from `apart` too."""
        while True:  # a few draws: each shows its mistake in one of twenty models or more
            model = Given(spread * rng.normal(size=(V, V)), memory)
            given = (model, prompt, steps, beams, V - 1, *(() if alpha is None else (alpha,)))
            right = beam_search(*given)
            differ = all(_differ(right, wrong(*given)) for wrong in tell)
            if differ and all(_differ(tell[0](*given), wrong(*given)) for wrong in apart):
                return case(name, "beam_search", *given, part=part)

    return [
        drawn("one beam", "search", [_sum_of_logits], 3, 2, 1, [0]),
        drawn("two beams", "search", [_greedy], 3, 3, 2, [1], 0.0),
        drawn("three beams", "search", [_greedy, _probabilities], 5, 5, 3, [0, 2]),
        drawn("heirs of one beam", "search", [_per_beam], 4, 5, 3, [0], apart=(_greedy,)),
        drawn("no normalisation", "length", [_always_normalised], 5, 6, 3, [2], 0.0),
        drawn("length normalisation", "length", [_never_normalised], 5, 6, 4, [1, 0]),
        drawn("half of it", "length", [_never_normalised], 6, 6, 4, [1, 3], 0.6),
        drawn(DEFAULT, "length", [_never_normalised], 5, 5, 3, [2, 1], None),
        drawn("a long prompt", "length", [_prompt_counted], 4, 5, 3, [0, 1, 2, 0, 1, 0]),
        drawn("an early end", "end", [_first_end, _done_only], 4, 6, 3, [1, 0], 2.0),
        drawn("several ends", "end", [_first_end, _live_only], 4, 4, 3, [0, 1]),
        drawn("finished among the live", "end", [_extended], 5, 5, 2, [1, 0], 1.5, spread=0.7,
              apart=(_early,)),
        drawn("beams of unequal length", "end", [_early], 4, 6, 3, [2, 1], 2.0, memory=0.0,
              apart=(_extended,)),
    ]  # fmt: skip


def _differ(one: tuple[list[int], float], two: tuple[list[int], float]) -> bool:
    return one[0] != two[0] or abs(one[1] - two[1]) > 1e-3


def _wrong(**switches: Any) -> Any:
    def beam_search(
        model: Any, prompt: Any, steps: int, beams: int, end: int, alpha: float = 1.0
    ) -> Any:
        forced = dict(switches)
        beams, alpha = forced.pop("beams", beams), forced.pop("alpha", alpha)
        if forced.pop("count_prompt", False):
            forced["extra"] = len(prompt)
        return _search(model, prompt, steps, beams, end, alpha, **forced)

    return beam_search


_greedy = _wrong(beams=1)
_per_beam = _wrong(across=False)
_sum_of_logits = _wrong(score=lambda logits: logits)
_probabilities = _wrong(score=lambda logits: np.exp(log_softmax(logits)))
_never_normalised = _wrong(alpha=0.0)
_always_normalised = _wrong(alpha=1.0)
_prompt_counted = _wrong(count_prompt=True)
_extended = _wrong(finish=False, keep_live=True)
_first_end = _wrong(first_end=True)
_done_only = _wrong(keep_live=False)
_live_only = _wrong(live_only=True)
_early = _wrong(live_norm=True, finish=False)


def _defaulting(default: float) -> Any:
    def wrong(
        model: Any, prompt: Any, steps: int, beams: int, end: int, alpha: float = default
    ) -> Any:
        return beam_search(model, prompt, steps, beams, end, alpha)

    return wrong


def _end_ignored(
    model: Any, prompt: Any, steps: int, beams: int, end: int, alpha: float = 1.0
) -> Any:
    return _search(model, prompt, steps, beams, -1, alpha)


def _with_prompt(
    model: Any, prompt: Any, steps: int, beams: int, end: int, alpha: float = 1.0
) -> Any:
    new, score = beam_search(model, prompt, steps, beams, end, alpha)
    return [*prompt, *new], score


TASK = Task(
    id="decoding.beam-search",
    function="beam_search",
    signature="beam_search(model, prompt, steps, beams, end, alpha=1.0)",
    goal=Text(
        "Keep the `beams` best unfinished sequences; return the best one by normalised score.",
        "保留 `beams` 个最好的未完成序列；返回归一化得分最高的序列。",
    ),
    cases=cases,
    reference={"beam_search": beam_search},
    mistakes=(
        Mistake(
            "decoding.beam-search.greedy",
            Text("only one beam is kept", "只保留了一个束"),
            Text(
                "This is greedy search: after each step only the best sequence goes on.",
                "这是贪心搜索：每一步之后只有最好的序列继续。",
            ),
            "transformer/decoding",
            variants=(_greedy,),
        ),
        Mistake(
            "decoding.beam-search.per-beam",
            Text("each beam keeps its own best", "每个束各自保留最好的"),
            Text(
                "The beams must compete: order the extensions of all of them together. One beam "
                "may have several heirs, another none.",
                "各个束之间要竞争：应把所有束的扩展放在一起排序。有的束可以有多个后继，有的一个也没有。",
            ),
            "transformer/decoding",
            variants=(_per_beam,),
        ),
        Mistake(
            "decoding.beam-search.logits-added",
            Text("logits added, not log-probabilities", "累加了 logit 而不是对数概率"),
            Text(
                "Logits of different steps have different zero points and cannot be compared: "
                "take log-softmax first.",
                "不同步的 logit 零点不同，不能直接相加比较：应先取 log-softmax。",
            ),
            "transformer/decoding",
            variants=(_sum_of_logits,),
        ),
        Mistake(
            "decoding.beam-search.probabilities-added",
            Text("probabilities added", "累加了概率"),
            Text(
                "The probability of a sequence is the product of those of its tokens; logarithms "
                "turn it into a sum. Adding probabilities rewards length.",
                "序列的概率是各词元概率的乘积，取对数后才是求和。直接累加概率会偏向长序列。",
            ),
            "transformer/decoding",
            variants=(_probabilities,),
        ),
        Mistake(
            "decoding.beam-search.not-normalised",
            Text("no length normalisation", "没有长度归一化"),
            Text(
                "Every token makes the sum smaller, so that short sequences win. Divide by "
                "length^alpha at the end.",
                "每多一个词元，总和就更小，短序列因此占优。最后应除以 length^alpha。",
            ),
            "transformer/decoding",
            variants=(_never_normalised, _wrong(raw=True), _wrong(by_sum=True)),
        ),
        Mistake(
            "decoding.beam-search.alpha-ignored",
            Text("alpha is ignored", "没有使用 alpha"),
            Text(
                "The sum is always divided by the length itself, whatever alpha is.",
                "无论 alpha 是多少，总是直接除以长度。",
            ),
            "transformer/decoding",
            variants=(_always_normalised,),
        ),
        Mistake(
            "decoding.beam-search.prompt-counted",
            Text("the prompt counts in the length", "把提示也算进了长度"),
            Text(
                "The length is the number of new tokens, the end token included. The prompt was "
                "not chosen by the search.",
                "长度是新词元的个数（含结束词元）。提示不是搜索选出来的。",
            ),
            "transformer/decoding",
            variants=(_prompt_counted, _wrong(extra=1)),
        ),
        Mistake(
            "decoding.beam-search.normalised-too-early",
            Text("normalised while pruning", "剪枝时就做了归一化"),
            Text(
                "Within a step all live sequences have the same length and are compared by their "
                "sums; here finished ones are compared with longer ones by mean.",
                "同一步内，未完成的序列长度相同，应按总和比较；这里却按平均值与已完成的短序列一起比较。",
            ),
            "transformer/decoding",
            variants=(_early,),
        ),
        Mistake(
            "decoding.beam-search.finished-extended",
            Text("finished sequences take up beams", "已完成的序列仍占用束"),
            Text(
                "A sequence that has ended is put aside. Here it stays among the beams, so that "
                "fewer live ones are searched.",
                "已经结束的序列应放到一边。这里它仍占着束的名额，使未完成的序列变少。",
            ),
            "transformer/decoding",
            variants=(_extended,),
        ),
        Mistake(
            "decoding.beam-search.end-ignored",
            Text("goes on after the end token", "结束词元之后还在继续"),
            Text(
                "Sequences are extended past their end token.", "序列在结束词元之后仍被继续扩展。"
            ),
            "transformer/decoding",
            variants=(_end_ignored,),
        ),
        Mistake(
            "decoding.beam-search.stops-at-first-end",
            Text("stops at the first end", "出现第一个结束就停止"),
            Text(
                "The first sequence to end need not be the best: go on with the others.",
                "最先结束的序列不一定最好：其余序列要继续搜索。",
            ),
            "transformer/decoding",
            variants=(_first_end,),
        ),
        Mistake(
            "decoding.beam-search.live-dropped",
            Text("unfinished sequences are dropped", "丢掉了未完成的序列"),
            Text(
                "When the steps are used up, sequences that have not ended count as well.",
                "步数用完时，尚未结束的序列也要参与比较。",
            ),
            "transformer/decoding",
            variants=(_done_only,),
        ),
        Mistake(
            "decoding.beam-search.finished-dropped",
            Text("finished sequences are dropped", "丢掉了已完成的序列"),
            Text(
                "A sequence that ended is put aside to be compared in the end, not thrown away: it "
                "is often the best.",
                "已经结束的序列应先放到一边，最后再一起比较，而不是丢弃：它往往才是最好的。",
            ),
            "transformer/decoding",
            variants=(_live_only,),
        ),
        Mistake(
            "decoding.beam-search.another-default",
            Text("another default for alpha", "alpha 的默认值不对"),
            Text(
                "Called without alpha the function takes another number than the 1 of the stub.",
                "不传 alpha 时，函数用的不是函数桩中的 1。",
            ),
            "transformer/decoding",
            variants=tuple(_defaulting(alpha) for alpha in (0.0, 0.5, 0.6, 0.65, 0.7, 0.75)),
            only=frozenset({DEFAULT}),
        ),
        Mistake(
            "decoding.beam-search.worst",
            Text("the worst is returned", "返回了最差的"),
            Text(
                "Scores are negative: the best one is nearest to 0.",
                "得分是负数：最接近 0 的才是最好的。",
            ),
            "transformer/decoding",
            variants=(_wrong(worst=True),),
        ),
        Mistake(
            "decoding.beam-search.prompt-included",
            Text("the prompt is returned too", "把提示也返回了"),
            Text("Return the new tokens alone.", "只返回新写出的词元。"),
            "transformer/decoding",
            variants=(_with_prompt,),
        ),
    ),
    hints=(
        Text(
            "Which sequences compete at a step, and which are put aside?",
            "每一步哪些序列互相竞争？哪些要放到一边？",
        ),
        Text(
            "Order all extensions of all live sequences by sum of log-probabilities, take the best "
            "`beams`, move those that end to a list of their own.",
            "把所有未完成序列的全部扩展按对数概率之和排序，取前 `beams` 个，"
            "把已结束的移到另一个列表。",
        ),
    ),
    reread="transformer/decoding",
    parts={"search": 0.4, "length": 0.3, "end": 0.3},
)
