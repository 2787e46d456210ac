"""Task: the distribution to sample from: temperature, top-k, top-p."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import softmax

LARGER = "top-k larger than needed"


def next_weights(
    logits: Any, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Any:
    """Softmax at a temperature; then the k likeliest; then the fewest that reach top_p."""
    weights = softmax(logits / temperature)
    if top_k is not None:
        weights = _kept(weights, _ranks(weights) < top_k)
    if top_p is not None:
        weights = _kept(weights, _before(weights) < top_p)
    return weights


def _ranks(weights: Any) -> Any:
    return np.argsort(np.argsort(-weights))


def _before(weights: Any) -> Any:
    """The probability of all likelier tokens together."""
    order = np.argsort(-weights)
    before = np.empty_like(weights)
    before[order] = np.cumsum(weights[order]) - weights[order]
    return before


def _before_ascending(weights: Any) -> Any:
    order = np.argsort(weights)
    before = np.empty_like(weights)
    before[order] = np.cumsum(weights[order]) - weights[order]
    return before


def _or_best(weights: Any, keep: Any) -> Any:
    """What is kept, or the likeliest token if nothing is."""
    return _kept(weights, keep if keep.any() else weights == weights.max())


def _kept(weights: Any, keep: Any) -> Any:
    weights = np.where(keep, weights, 0)
    return weights / weights.sum()


def cases(rng: np.random.Generator) -> list[Case]:
    """Each option alone and together; no ties, and no sum near top_p."""

    def drawn(name: str, V: int, part: str, **options: Any) -> Case:
        spread = np.linspace(-2, 2, V) + rng.uniform(-0.1, 0.1, V)
        logits = rng.permutation(spread) + rng.normal()
        if "top_p" in options:  # away from the sums of the likeliest
            weights = next_weights(logits, options.get("temperature", 1.0), options.get("top_k"))
            sums = np.cumsum(np.sort(weights)[::-1])
            at = max(1, int(np.searchsorted(sums, options["top_p"])))
            options["top_p"] = float(round((sums[at - 1] + sums[at]) / 2, 6))
        return case(name, "next_weights", logits, part=part, zeros=True, **options)

    return [
        drawn("no option", 3, "temperature"),
        drawn("a low temperature", 4, "temperature", temperature=0.5),
        drawn("a high temperature", 5, "temperature", temperature=3.0),
        drawn("the two likeliest", 4, "top-k", top_k=2),
        drawn("the three likeliest of eight", 8, "top-k", top_k=3, temperature=1.7),
        drawn(LARGER, 3, "top-k", top_k=7),
        drawn("top-p", 5, "top-p", top_p=0.6),
        drawn("top-p of nine", 9, "top-p", top_p=0.8, temperature=1.5),
        drawn("a small top-p", 8, "top-p", top_p=0.3, temperature=2.0),
        drawn("top-k, then top-p", 8, "top-p", top_k=5, top_p=0.7, temperature=2.0),
        case("one token has nearly all", "next_weights", np.array([6.0, 0.3, -1.0]), top_p=0.5,
             part="top-p", zeros=True),
    ]  # fmt: skip


def _made(*, heat: Any = None, k: Any = None, p: Any = None, order: str = "kp") -> Any:
    heat = heat or (lambda logits, temperature: softmax(logits / temperature))
    k = k or (lambda weights, top_k: _kept(weights, _ranks(weights) < top_k))
    p = p or (lambda weights, top_p: _kept(weights, _before(weights) < top_p))

    def wrong(
        logits: Any, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
    ) -> Any:
        weights = heat(logits, temperature)
        for step in order:
            if step == "k" and top_k is not None:
                weights = k(weights, top_k)
            if step == "p" and top_p is not None:
                weights = p(weights, top_p)
        return weights

    return wrong


def _late_heat(
    logits: Any, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Any:
    weights = next_weights(logits, 1.0, top_k, top_p)
    return _kept(weights ** (1 / temperature), weights > 0)


def _zero_logits(
    logits: Any, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Any:
    weights = softmax(logits / temperature)
    keep = np.ones(weights.shape, bool)
    if top_k is not None:
        keep &= _ranks(weights) < top_k
    if top_p is not None:
        keep &= _before(_kept(weights, keep)) < top_p
    return softmax(np.where(keep, logits / temperature, 0.0))


TASK = Task(
    id="decoding.next-weights",
    function="next_weights",
    signature="next_weights(logits, temperature=1.0, top_k=None, top_p=None)",
    goal=Text(
        "The probabilities to sample the next token from: temperature, then top-k, then top-p.",
        "用来采样下一个词元的概率：先温度，再 top-k，再 top-p。",
    ),
    cases=cases,
    reference={"next_weights": next_weights},
    mistakes=(
        Mistake(
            "decoding.next-weights.temperature-multiplied",
            Text("multiplied by the temperature", "乘以了温度"),
            Text(
                "Logits are divided by the temperature: a high one makes the choice more even.",
                "logits 应除以温度：温度越高，选择越均匀。",
            ),
            "transformer/decoding",
            variants=(_made(heat=lambda z, t: softmax(z * t)),),
        ),
        Mistake(
            "decoding.next-weights.temperature-ignored",
            Text("the temperature is ignored", "没有使用温度"),
            Text("The result does not depend on the temperature.", "结果与温度无关。"),
            "transformer/decoding",
            variants=(_made(heat=lambda z, t: softmax(z)), _made(heat=lambda z, t: softmax(z) / t)),
        ),
        Mistake(
            "decoding.next-weights.temperature-last",
            Text("temperature after the filters", "过滤之后才用温度"),
            Text(
                "The order matters for top-p: which tokens reach the sum depends on the "
                "temperature. Apply it first.",
                "顺序会影响 top-p：哪些词元达到累积概率取决于温度。应当先用温度。",
            ),
            "transformer/decoding",
            variants=(_late_heat,),
        ),
        Mistake(
            "decoding.next-weights.not-renormalised",
            Text("not renormalised", "过滤后没有归一化"),
            Text(
                "After tokens were dropped the rest sums to less than 1.",
                "去掉一些词元后，剩下的概率之和小于 1。",
            ),
            "transformer/decoding",
            variants=(
                _made(
                    k=lambda w, k: np.where(_ranks(w) < k, w, 0),
                    p=lambda w, p: np.where(_before(w) < p, w, 0),
                ),
                _made(k=lambda w, k: np.where(_ranks(w) < k, w, 0)),
                _made(p=lambda w, p: np.where(_before(w) < p, w, 0)),
            ),
        ),
        Mistake(
            "decoding.next-weights.smallest-kept",
            Text("the least likely are kept", "保留了概率最小的"),
            Text(
                "The k smallest are kept: look at the direction in which you sort.",
                "保留的是最小的 k 个：请检查排序方向。",
            ),
            "transformer/decoding",
            variants=(
                _made(k=lambda w, k: _kept(w, _ranks(-w) < k)),
                _made(
                    k=lambda w, k: _kept(w, _ranks(-w) < k),
                    p=lambda w, p: _kept(w, _before_ascending(w) < p),
                ),
            ),
        ),
        Mistake(
            "decoding.next-weights.top-k-off-by-one",
            Text("one token too many or too few", "top-k 多留或少留了一个"),
            Text(
                "Exactly k tokens stay. Count with k = 2: compare with the k-th largest by >=, or "
                "take the first k of the sorted ones.",
                "应恰好保留 k 个词元。以 k = 2 数一数："
                "用 >= 与第 k 大的比较，或取排序后的前 k 个。",
            ),
            "transformer/decoding",
            variants=(
                _made(k=lambda w, k: _kept(w, _ranks(w) < k + 1)),
                _made(k=lambda w, k: _kept(w, _ranks(w) < k - 1)),
            ),
        ),
        Mistake(
            "decoding.next-weights.top-k-ignored",
            Text("top-k is not used", "没有使用 top-k"),
            Text(
                "The result is the same with and without `top_k`.", "有没有 `top_k`，结果都一样。"
            ),
            "transformer/decoding",
            variants=(
                _made(k=lambda w, k: w),
                _made(k=lambda w, k: w, p=lambda w, p: w),
            ),
        ),
        Mistake(
            "decoding.next-weights.top-k-too-large",
            Text("a k larger than the vocabulary", "k 大于词表"),
            Text(
                "If there are fewer than k tokens, all of them stay. Of three tokens there is no "
                "seventh largest.",
                "词元不足 k 个时应全部保留。一共三个词元时，不存在第 7 大的。",
            ),
            "transformer/decoding",
            only=frozenset({LARGER}),
        ),
        Mistake(
            "decoding.next-weights.top-p-too-many",
            Text("one token more than top-p needs", "top-p 多留了一个词元"),
            Text(
                "The token that makes the sum reach p is the last to stay; here the next one stays "
                "too. A cut shifted by one for a sum that includes the token itself does that.",
                "使累积概率达到 p 的那个词元是最后一个保留的；这里又多留了一个。"
                "累积和已包含词元本身，却又把界线后移一位，就会这样。",
            ),
            "transformer/decoding",
            variants=(
                _made(p=lambda w, p: _kept(w, _ranks(w) <= (_before(w) < p).sum())),
                _made(p=lambda w, p: _kept(w, _ranks(w) < (_before(w) < p).sum() + 2)),
            ),
        ),
        Mistake(
            "decoding.next-weights.order",
            Text("top-p before top-k", "先做了 top-p 再做 top-k"),
            Text(
                "The task asks for top-k first: its k tokens share out the probability that top-p "
                "then counts.",
                "题目要求先 top-k：在这 k 个词元重新分配概率之后再做 top-p。",
            ),
            "transformer/decoding",
            variants=(_made(order="pk"),),
        ),
        Mistake(
            "decoding.next-weights.top-p-complement",
            Text("1 - top-p taken for top-p", "把 1 - top-p 当成了 top-p"),
            Text(
                "The tokens that stay reach p together; here they are cut at 1 - p, or the "
                "unlikely ones are dropped up to p.",
                "保留的词元合起来要达到 p；这里却在 1 - p 处截断，或者从最不可能的一端去掉了 p。",
            ),
            "transformer/decoding",
            variants=(
                _made(p=lambda w, p: _kept(w, _before(w) < 1 - p)),
                _made(p=lambda w, p: _or_best(w, _before_ascending(w) + w > p)),
            ),
        ),
        Mistake(
            "decoding.next-weights.top-p-one-by-one",
            Text("top-p compared with single probabilities", "用单个概率与 top-p 比较"),
            Text(
                "Top-p is about a sum: tokens are taken from the likeliest on until together they "
                "reach p. Here each one's own probability is compared with a limit.",
                "top-p 看的是总和：从概率最大的开始取，直到加起来达到 p。"
                "这里却拿每个词元自己的概率与一个界限比较。",
            ),
            "transformer/decoding",
            variants=tuple(
                _made(p=lambda w, p, limit=limit: _or_best(w, w >= limit(w, p)))
                for limit in (
                    lambda w, p: p,
                    lambda w, p: 1 - p,
                    lambda w, p: p * w.max(),
                    lambda w, p: (1 - p) * w.max(),
                )
            )
            + tuple(
                _made(p=lambda w, p, limit=limit: _or_best(w, w <= limit(w, p)))
                for limit in (lambda w, p: p,)
            ),
        ),
        Mistake(
            "decoding.next-weights.top-p-ignored",
            Text("top-p is not used", "没有使用 top-p"),
            Text(
                "The result is the same with and without `top_p`.", "有没有 `top_p`，结果都一样。"
            ),
            "transformer/decoding",
            variants=(_made(p=lambda w, p: w),),
        ),
        Mistake(
            "decoding.next-weights.top-p-too-few",
            Text("the token that crosses top-p is dropped", "丢掉了跨过 top-p 的词元"),
            Text(
                "Top-p keeps the fewest tokens whose sum reaches p: the one that crosses the line "
                "is in. Otherwise a token with probability over p would leave nothing.",
                "top-p 保留累积概率达到 p 所需的最少词元：跨过界线的那个要保留，"
                "否则一个概率大于 p 的词元会使结果为空。",
            ),
            "transformer/decoding",
            variants=(
                _made(p=lambda w, p: _kept(w, _before(w) + w <= p)),
                _made(p=lambda w, p: _kept(w, (_before(w) + w <= p) | (_ranks(w) == 0))),
            ),
        ),
        Mistake(
            "decoding.next-weights.top-p-unsorted",
            Text("summed without sorting", "累加前没有排序"),
            Text(
                "The sum runs over tokens in the order of the vocabulary, not of probability.",
                "累加是按词表顺序进行的，而不是按概率从大到小。",
            ),
            "transformer/decoding",
            variants=(
                _made(p=lambda w, p: _kept(w, np.cumsum(w) - w < p)),
                _made(p=lambda w, p: _kept(w, np.cumsum(np.sort(w)[::-1]) - np.sort(w)[::-1] < p)),
            ),
        ),
        Mistake(
            "decoding.next-weights.nearly-zero",
            Text("dropped tokens keep a tiny probability", "去掉的词元仍有极小的概率"),
            Text(
                "A token that was dropped must never be drawn: its probability is exactly 0. A "
                "logit of -20 or a small number put in for safety leaves it a chance.",
                "去掉的词元绝不应被抽到：概率要恰好为 0。"
                "把 logit 设为 -20，或为保险起见加一个小数，都会给它留下机会。",
            ),
            "transformer/decoding",
            variants=(
                _made(
                    k=lambda w, k: np.maximum(_kept(w, _ranks(w) < k), 1e-9),
                    p=lambda w, p: np.maximum(_kept(w, _before(w) < p), 1e-9),
                ),
            ),
        ),
        Mistake(
            "decoding.next-weights.dropped-logits-zero",
            Text("dropped logits set to 0", "把去掉的 logit 设为 0"),
            Text(
                "A logit of 0 still gets probability: exp(0) = 1. Use minus infinity, or set "
                "probabilities to 0.",
                "logit 为 0 仍有概率：exp(0) = 1。应设为负无穷，或把概率设为 0。",
            ),
            "transformer/decoding",
            variants=(_zero_logits,),
        ),
    ),
    hints=(
        Text("Which of the three can make the sum differ from 1?", "三步中哪一步会使总和不为 1？"),
        Text(
            "For top-p, sort from likely to unlikely, and keep a token if the sum of those before "
            "it is still below p.",
            "对 top-p：从大到小排序，若某词元之前的累积概率仍小于 p，就保留它。",
        ),
    ),
    reread="transformer/decoding",
    parts={"temperature": 0.3, "top-k": 0.3, "top-p": 0.4},
)
