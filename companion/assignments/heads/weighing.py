"""Mistakes in softmax, mask and result that both layers can show, as wrong steps."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.assignments.heads.layer import hidden, over_heads, softmax
from companion.assignments.heads.split import PLACE
from companion.assignments.task import Text

MASKS = "attention/numerics-and-masks"

LAST = "wrong-with-a-mask"  # told by the cases that fail


def _joint(axis: Any) -> Callable[..., Any]:
    return lambda scores, mask: softmax(hidden(scores, mask), axis)


def _shared(scores: Any, mask: Any) -> Any:
    """One map of weights for all heads. (Of the sum instead, it would be that of a single head.)"""
    mean = scores.mean(axis=1, keepdims=True)
    return np.repeat(softmax(hidden(mean, mask)), scores.shape[1], axis=1)


def _one_head(at: Any) -> Callable[..., Any]:
    def weigh(scores: Any, mask: Any) -> Any:
        if mask is not None:
            kept = np.ones(scores.shape, bool)
            kept[:, at] = np.broadcast_to(mask, scores.shape)[:, at]
            mask = kept
        return softmax(hidden(scores, mask))

    return weigh


def _masked(change: Callable[..., Any]) -> dict[str, Any]:
    """change(scores, mask) → weights, where there is a mask."""
    return {"weigh": lambda scores, mask: softmax(scores) if mask is None else change(scores, mask)}


def _inverted(number: float, empty: float | None = None) -> dict[str, Any]:
    """What may be seen gets this score; a row that then sees nothing may be set to a number."""

    def change(scores: Any, mask: Any) -> Any:
        weights = softmax(hidden(scores, ~mask, number))
        return weights if empty is None else np.where(mask.all(-1, keepdims=True), empty, weights)

    return _masked(change)


Slip = tuple[str, Text, Text, str, tuple[dict[str, Any], ...]]
SLIPS: tuple[Slip, ...] = (
    (
        "one-softmax",
        Text("one softmax over all heads", "所有的头共用一次 softmax"),
        Text(
            "Each head shares out a 1 of its own over the keys. Here one softmax runs over heads "
            "and keys together, over the heads alone, or over the mean of their scores.",
            "每个头各自把 1 分给各个键。这里却对头和键一起做 softmax、只在头之间做 softmax，"
            "或先对各头的得分取平均再做 softmax。",
        ),
        PLACE,
        (
            {"weigh": _joint((1, 3))},
            {"weigh": _joint(1)},
            {"weigh": _joint((1, 2, 3))},
            {"weigh": _shared},
        ),
    ),
    (
        "softmax-over-queries",
        Text("softmax over the queries", "对查询轴做了 softmax"),
        Text(
            "Each query shares out its 1 over the keys: along the last axis of (B, H, T, S).",
            "每个查询把 1 分给各个键：沿 (B, H, T, S) 的最后一个轴。",
        ),
        "attention/soft-lookup",
        (
            {"weigh": _joint(2)},
            {"weigh": _joint((2, 3))},
            {"weigh": _joint(0)},
            {"weigh": lambda scores, mask: np.nan_to_num(_joint(2)(scores, mask))},
        ),
    ),
    (
        "mask-inverted",
        Text("mask inverted", "掩码取反了"),
        Text(
            'True means "may look". Here the pairs that may meet are hidden, and the others are '
            "seen.",
            "True 表示“可以看”。这里把可以看的遮住了，反而看到了不该看的。",
        ),
        MASKS,
        (_inverted(-np.inf), _inverted(-1e9), _inverted(-np.inf, 0.0)),
    ),
    (
        "mask-ignored",
        Text("the mask is ignored", "没有使用掩码"),
        Text(
            "The result does not depend on the mask: padding and the future leak in.",
            "结果与掩码无关：填充和未来的信息都会泄漏进来。",
        ),
        MASKS,
        ({"stretch": lambda mask: np.ones((1, 1), bool)},),
    ),
    (
        "mask-too-weak",
        Text("hidden pairs still count", "被遮住的位置仍有影响"),
        Text(
            "Hidden pairs have to be out before softmax: a score of minus infinity. Weights set "
            "to 0 afterwards leave rows that sum to less than 1; a score of 0 or of -10 still "
            "gets weight; adding True adds 1.",
            "被遮住的位置必须在 softmax 之前排除，即得分取负无穷。事后把权重清零，一行之和小于 1；"
            "得分为 0 或 -10 仍会分到权重；加上 True 只是加了 1。",
        ),
        MASKS,
        (
            _masked(lambda scores, mask: softmax(scores) * mask),
            _masked(lambda scores, mask: softmax(scores * mask)),
            _masked(lambda scores, mask: softmax(scores + mask)),
            *(
                _masked(lambda scores, mask, n=n: softmax(hidden(scores, mask, n)))
                for n in (-1.0, -10.0, -20.0, 1e-9)
            ),
        ),
    ),
    (
        "mask-on-one-head",
        Text("mask applied to one head only", "掩码只用在一个头上"),
        Text(
            "The same mask holds for every head; here only the first (or the last) one obeys, and "
            "what it hides comes in through the others.",
            "同一个掩码对每个头都有效；这里只有第一个（或最后一个）头遵守，"
            "被遮住的信息会从别的头泄漏进来。",
        ),
        PLACE,
        (
            {"weigh": _one_head(slice(0, 1))},
            {"weigh": _one_head(slice(-1, None))},
            {"weigh": _one_head(slice(1, None))},
        ),
    ),
    (
        "mask-transposed",
        Text("rows and columns of the mask exchanged", "掩码的行列颠倒"),
        Text(
            "Rows of the mask belong to queries, its columns to keys, as in the scores. Here it "
            "is laid over them transposed.",
            "掩码的行对应查询，列对应键，与得分一致。这里却把掩码转置后才用上去。",
        ),
        MASKS,
        tuple(
            {"stretch": lambda mask: np.swapaxes(over_heads(mask), -1, -2)}
            | _masked(lambda scores, mask, n=n: softmax(hidden(scores, mask, n)))
            for n in (-np.inf, -1e9)
        ),
    ),
    (
        "mask-of-a-batch",
        Text("the mask's batch axis meets the heads", "掩码的批次轴对到了头的轴"),
        Text(
            "Axes are matched from the end, so that a mask (B, 1, S) beside scores (B, H, T, S) "
            "has its B read as H: an error, or, with as many sequences as heads, wrong numbers "
            "without one. A mask with three axes needs an axis for the heads.",
            "广播从末尾对齐，形状 (B, 1, S) 的掩码遇到 (B, H, T, S) 的得分时，B 会被当成 H："
            "要么报错，要么在序列数恰好等于头数时悄悄算错。三个轴的掩码要先加上头的轴。",
        ),
        PLACE,
        (
            {"stretch": lambda mask: mask},
            {"stretch": lambda mask: mask[:, None]},
            {"stretch": lambda mask: mask[0] if mask.ndim == 3 else mask},
        ),
    ),
    (
        LAST,
        Text("right without a mask, wrong with one", "没有掩码时正确，有掩码时不对"),
        Text(
            "Everything up to the scores is right. Look at how the mask is laid over the scores "
            "(B, H, T, S), which value hides a pair, and whether the hidden weights are 0.",
            "直到得分为止都正确。请检查：掩码怎样与 (B, H, T, S) 的得分对齐，"
            "用什么数来遮住，被遮住的权重是否为 0。",
        ),
        MASKS,
        (),
    ),
    (
        "residual-added",
        Text("the input is added", "加上了输入"),
        Text(
            "The residual connection belongs to the block around this layer, not to the layer.",
            "残差连接属于外面的模块，不属于这一层。",
        ),
        "transformer/block",
        ({"finish": lambda output, x, weights: output + x},),
    ),
    (
        "more-than-the-output",
        Text("weights are returned too", "还返回了权重"),
        Text(
            "Here the output alone is asked for, not a pair with the weights.",
            "这里只要求返回输出，而不是输出与权重。",
        ),
        PLACE,
        (
            {"finish": lambda output, x, weights: (output, weights)},
            {"finish": lambda output, x, weights: (output, weights.mean(axis=1))},
            {"finish": lambda output, x, weights: weights},
        ),
    ),
)
