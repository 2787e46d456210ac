"""Task: the loss of a language model: shifted targets, padding left out."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import log_softmax

AFTER = frozenset({"padding at the start", "padding in between"})


def next_token_loss(logits: Any, ids: Any, pad: int) -> float:
    """Mean of -log p of each real token, given by the logits one place before it."""
    return _loss(logits, ids, pad)


def _loss(
    logits: Any, ids: Any, pad: int, *, ahead: int = 1, ignore: bool = True, by_input: bool = False,
    kept: Any = None, mean: str = "real", logs: Any = log_softmax, end: Any = lambda value: value,
) -> float:  # fmt: skip
    T = ids.shape[1]
    if ahead >= 0:
        predicted, targets = logits[:, : T - ahead], ids[:, ahead:]
    else:
        predicted, targets = logits[:, -ahead:], ids[:, : T + ahead]
    real = targets != pad if ignore else np.ones(targets.shape, bool)
    if by_input:
        real = ids[:, : T - ahead] != pad
    real = kept(ids, pad) if kept else real
    own = -np.take_along_axis(logs(predicted), targets[..., None], axis=-1)[..., 0]
    own = np.where(real, own, 0.0)
    if mean == "real":
        value = own.sum() / real.sum()
    elif mean == "all":
        value = own.sum() / own.size
    elif mean == "ids":
        value = own.sum() / ids.size
    elif mean == "rows":
        value = (own.sum(1) / real.sum(1)).mean()
    elif mean == "batch":
        value = own.sum() / len(ids)
    else:
        value = own.sum()
    return float(end(value))


def cases(rng: np.random.Generator) -> list[Case]:
    """Without padding, with little, with much, of unequal lengths; large logits."""

    def drawn(name: str, lengths: list[int], T: int, V: int, part: str, size: float = 1.5) -> Case:
        ids = rng.integers(1, V, size=(len(lengths), T))
        for row, length in zip(ids, lengths, strict=True):
            row[length:] = 0
        logits = size * rng.normal(size=(*ids.shape, V))
        return case(name, "next_token_loss", logits, ids, 0, part=part)

    other = rng.integers(0, 4, size=(2, 4))
    other[0, 2:] = 4
    left, among = rng.integers(1, 5, size=(2, 5)), rng.integers(1, 4, size=(3, 6))
    left[0, :2] = left[1, :1] = 0  # a token after padding counts like any other
    among[0, 2] = among[1, [1, 4]] = among[2, 3] = 0
    return [
        drawn("one sequence of three", [3], 3, 3, "shift"),
        drawn("two sequences", [4, 4], 4, 5, "shift"),
        drawn("padding at the end", [4, 2], 4, 4, "padding"),
        drawn("much padding", [6, 2, 3], 6, 5, "padding"),
        drawn("padding in a long batch", [9, 5, 7, 2], 9, 7, "padding"),
        case("padding has another id", "next_token_loss", 1.5 * rng.normal(size=(2, 4, 5)), other,
             4, part="padding"),
        case("padding at the start", "next_token_loss", 1.5 * rng.normal(size=(2, 5, 5)), left, 0,
             part="padding"),
        case("padding in between", "next_token_loss", 1.5 * rng.normal(size=(3, 6, 4)), among, 0,
             part="padding"),
        drawn("large logits", [4], 4, 3, "stability", 800.0),
    ]  # fmt: skip


def _wrong(**switches: Any) -> Any:
    return lambda logits, ids, pad: _loss(logits, ids, pad, **switches)


def _until_padding(ids: Any, pad: int) -> Any:
    return np.cumprod(ids != pad, axis=1)[:, 1:].astype(bool)


def _by_length(ids: Any, pad: int) -> Any:
    return np.arange(1, ids.shape[1]) < (ids != pad).sum(1, keepdims=True)


def _unstable(logits: Any) -> Any:
    powers = np.exp(logits)
    return np.log(powers / powers.sum(-1, keepdims=True))


LOSS = Task(
    id="transformer.loss",
    function="next_token_loss",
    signature="next_token_loss(logits, ids, pad)",
    goal=Text(
        "The mean surprise at each next token that is not padding.",
        "对每个非填充的下一个词元，取负对数概率的平均。",
    ),
    cases=cases,
    reference={"next_token_loss": next_token_loss},
    mistakes=(
        Mistake(
            "transformer.loss.not-shifted",
            Text("labels not shifted", "标签没有移位"),
            Text(
                "The logits at a place predict the token after it. Compared with the token at the "
                "same place the model only learns to copy what it sees.",
                "某一位置的 logits 预测的是它之后的词元。与同一位置比较，模型只会学着抄写。",
            ),
            "transformer/training",
            variants=(_wrong(ahead=0),),
        ),
        Mistake(
            "transformer.loss.shifted-backwards",
            Text("shifted the wrong way", "移位方向反了"),
            Text(
                "Here the logits predict the token before them, which the model has seen.",
                "这里用 logits 预测了前一个词元，而模型早就看到它了。",
            ),
            "transformer/training",
            variants=(_wrong(ahead=-1),),
        ),
        Mistake(
            "transformer.loss.padding-counted",
            Text("padding counts in the loss", "填充也计入了损失"),
            Text(
                "Targets that are padding are no prediction of the model: leave them out of the "
                "sum and of the number.",
                "填充不是要预测的目标：求和与计数都应去掉它们。",
            ),
            "transformer/training",
            variants=(_wrong(ignore=False),),
        ),
        Mistake(
            "transformer.loss.pad-fixed",
            Text("the argument pad is not used", "没有使用参数 pad"),
            Text(
                "Padding is taken to have the number 0. Its number is the argument `pad`; 0 "
                "may be a word.",
                "把填充的编号当成了 0。填充的编号由参数 pad 给出，0 也可能是一个词。",
            ),
            "transformer/training",
            variants=(lambda logits, ids, pad: _loss(logits, ids, 0),),
            only=frozenset({"padding has another id"}),
        ),
        Mistake(
            "transformer.loss.padding-by-input",
            Text("padding is looked for at the wrong place", "判断填充时看错了位置"),
            Text(
                "What counts is whether the token to be predicted is padding, not the token "
                "before it: the last real token has nothing to predict.",
                "要看被预测的词元是不是填充，而不是它前面的那个：最后一个真实词元之后没有要预测的。",
            ),
            "transformer/training",
            variants=(_wrong(by_input=True),),
        ),
        Mistake(
            "transformer.loss.after-padding",
            Text("tokens after padding are left out", "漏掉了填充之后的词元"),
            Text(
                "Padding need not stand at the end. A real token counts wherever it stands, also "
                "if the place before it is padding: look at the target alone.",
                "填充不一定在末尾。真实词元无论在哪里都要计入，前一个位置是填充也一样："
                "只看目标本身是不是填充。",
            ),
            "transformer/training",
            variants=(
                _wrong(kept=lambda ids, pad: (ids[:, 1:] != pad) & (ids[:, :-1] != pad)),
                _wrong(kept=_until_padding),
                _wrong(kept=lambda ids, pad: np.cumprod(ids[:, 1:] != pad, axis=1).astype(bool)),
                _wrong(kept=_by_length),
            ),
            only=AFTER,
        ),
        Mistake(
            "transformer.loss.padding-in-number",
            Text("divided by the padded number", "除数包含了填充"),
            Text(
                "Padding is left out of the sum but not of the number: the more padding, the "
                "smaller the loss seems.",
                "求和时去掉了填充，计数时却没有：填充越多，损失看起来越小。",
            ),
            "transformer/training",
            variants=(_wrong(mean="all"), _wrong(mean="ids")),
        ),
        Mistake(
            "transformer.loss.mean-of-means",
            Text("a mean of the sequences' means", "先对每个序列求平均再平均"),
            Text(
                "Every real token counts the same; here those of short sequences count more.",
                "每个真实词元的份量应相同；这里短序列的词元份量更大。",
            ),
            "transformer/training",
            variants=(_wrong(mean="rows"),),
        ),
        Mistake(
            "transformer.loss.sum",
            Text("a sum, not a mean", "求了和而不是平均"),
            Text("Divide by the number of real targets.", "应除以真实目标的个数。"),
            "transformer/training",
            variants=(_wrong(mean="sum"), _wrong(mean="batch")),
        ),
        Mistake(
            "transformer.loss.unnormalised",
            Text("logits used as log-probabilities", "把 logits 当作对数概率"),
            Text(
                "The logits have to go through log-softmax first: they may be any numbers.",
                "logits 可以是任意数，应先做 log-softmax。",
            ),
            "transformer/training",
            variants=(_wrong(logs=lambda logits: logits),),
        ),
        Mistake(
            "transformer.loss.probabilities",
            Text("probabilities without the logarithm", "没有取对数"),
            Text(
                "Minus the probability is no surprise: take its logarithm.",
                "损失是概率的负对数，而不是负概率。",
            ),
            "transformer/training",
            variants=(
                _wrong(logs=lambda logits: np.exp(log_softmax(logits))),
                _wrong(logs=lambda logits: np.exp(log_softmax(logits)) - 1),
            ),
        ),
        Mistake(
            "transformer.loss.sign",
            Text("the sign is wrong", "符号反了"),
            Text("Log-probabilities are negative; the loss is not.", "对数概率为负，损失应为正。"),
            "transformer/training",
            variants=(_wrong(end=lambda value: -value),),
        ),
        Mistake(
            "transformer.loss.perplexity",
            Text("another unit", "单位不对"),
            Text(
                "This is the perplexity, or the loss in bits; the task asks for nats.",
                "这是困惑度，或以比特为单位的损失；题目要求以 nat 为单位。",
            ),
            "transformer/training",
            variants=(_wrong(end=np.exp), _wrong(end=lambda value: value / np.log(2))),
        ),
        Mistake(
            "transformer.loss.unstable",
            Text("softmax overflows", "softmax 溢出"),
            Text(
                "exp of a large logit is infinite, and the log of a tiny weight is minus "
                "infinity: take log-softmax in one piece, with the maximum subtracted.",
                "大的 logit 取 exp 会溢出，极小的权重取 log 是负无穷："
                "应减去最大值后直接计算 log-softmax。",
            ),
            "transformer/training",
            variants=(_wrong(logs=_unstable),),
            only=frozenset({"large logits"}),
        ),
    ),
    hints=(
        Text("Which token do the logits at place t speak of?", "位置 t 的 logits 说的是哪个词元？"),
        Text(
            "logits[:, :-1] against ids[:, 1:]; a mask where the target is not pad; its sum below "
            "the line.",
            "logits[:, :-1] 对 ids[:, 1:]；目标不是 pad 的位置作掩码；分母是掩码之和。",
        ),
    ),
    reread="transformer/training",
    parts={"shift": 0.4, "padding": 0.4, "stability": 0.2},
)
