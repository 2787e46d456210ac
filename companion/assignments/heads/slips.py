"""Mistakes in projections and heads that both layers can show, as wrong steps."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.assignments.heads.layer import NAMES, projected
from companion.assignments.heads.merge import VIEW
from companion.assignments.heads.split import PLACE, split_heads
from companion.assignments.heads.weighing import LAST, Slip
from companion.assignments.heads.weighing import SLIPS as WEIGHING
from companion.assignments.task import Mistake, Text

SCORES = "attention/scores"


def _reshaped(part: Any, heads: int) -> Any:
    B, T, C = part.shape
    return part.reshape(B, heads, T, C // heads)


def _glued(part: Any) -> Any:
    B, H, T, D = part.shape
    return part.reshape(B, T, H * D)


def _strided(part: Any, heads: int) -> Any:
    B, T, C = part.shape
    return np.moveaxis(part.reshape(B, T, C // heads, heads), -1, 1)


def _dealt(part: Any) -> Any:
    B, H, T, D = part.shape
    return part.transpose(0, 2, 3, 1).reshape(B, T, D * H)


def _in_place(part: Any, heads: int) -> Any:
    return part.reshape(*part.shape[:-1], heads, -1)


def _same(which: tuple[bool, bool, bool], at: int = 0) -> Callable[..., Any]:
    """Every head gets the slice of head `at`, for query, key or value as asked."""

    def cut(*parts: Any) -> Any:
        return [
            np.repeat(part[:, [at]], part.shape[1], axis=1) if same else part
            for part, same in zip(parts, which, strict=True)
        ]

    return cut


def _untransposed(*which: str) -> dict[str, Any]:
    def project(inputs: Any, weight: Any, name: str = "output_proj") -> Any:
        return inputs @ weight if name in which else projected(inputs, weight)

    return {"project": project, "out": project}


def _bare(*which: str) -> dict[str, Any]:
    """Queries, keys or values that are the input itself."""

    def project(inputs: Any, weight: Any, name: str) -> Any:
        return inputs if name in which else projected(inputs, weight)

    return {"project": project}


QUERY, KEY, VALUE, OUTPUT = NAMES
SLIPS: tuple[Slip, ...] = (
    (
        "root-of-model-width",
        Text("divided by √C instead of √D", "除以了 √C 而不是 √D"),
        Text(
            "Each head compares vectors of D = C / H numbers, and D goes under the root. With √C "
            "the scores come out √H times too small, and the weights too even.",
            "每个头比较的是 D = C / H 维的向量，根号下应是 D。"
            "用 √C 会使得分缩小为 1/√H，权重过于平均。",
        ),
        SCORES,
        ({"root": lambda C, D, S: C**0.5},),
    ),
    (
        "other-root",
        Text("the root is missing, or of another number", "没有除以 √D，或开方的对象不对"),
        Text(
            "The scores of a head are divided by the root of its width D: not left as they are, "
            "not divided by D itself, by the root of the number of heads or of positions.",
            "每个头的得分应除以头宽 D 的平方根：既不能不除，也不是除以 D，"
            "更不是除以头数或位置数的平方根。",
        ),
        SCORES,
        (
            {"root": lambda C, D, S: 1.0},
            {"root": lambda C, D, S: D},
            {"root": lambda C, D, S: (C / D) ** 0.5},
            {"root": lambda C, D, S: S**0.5},
            {"root": lambda C, D, S: D**-0.5},
            {"root": lambda C, D, S: C},
        ),
    ),
    (
        "no-output-projection",
        Text("the output projection is missing", "缺少输出投影"),
        Text(
            "The merged heads are returned as they are. Only output_proj lets what one head found "
            "be combined with what another found.",
            "直接返回了合并后的各个头。只有经过 output_proj，不同头得到的信息才能结合起来。",
        ),
        PLACE,
        ({"out": lambda merged, weight: merged},),
    ),
    (
        "weight-not-transposed",
        Text("a weight is not transposed", "权重没有转置"),
        Text(
            "A weight has shape (C_out, C_in) and is applied as x @ weight.T. The matrices are "
            "square, so that no shape gives it away.",
            "权重的形状是 (C_out, C_in)，用法是 x @ weight.T。"
            "这里的矩阵都是方阵，所以写错了形状也不会报错。",
        ),
        "notation",
        (
            _untransposed(*NAMES),
            _untransposed(*NAMES[:3]),
            *(_untransposed(name) for name in NAMES),
        ),
    ),
    (
        "projection-mixed-up",
        Text("one projection used for another", "用错了投影矩阵"),
        Text(
            "Queries, keys and values each have a matrix of their own. Which goes where?",
            "查询、键、值各有自己的矩阵。请检查各处用的是哪一个名字。",
        ),
        PLACE,
        (
            {"names": (QUERY, QUERY, VALUE)},
            {"names": (QUERY, KEY, KEY)},
            {"names": (KEY, KEY, VALUE)},
            {"names": (KEY, QUERY, VALUE)},
            {"names": (VALUE, KEY, QUERY)},
            {"names": (QUERY, VALUE, KEY)},
            {"names": (QUERY, VALUE, VALUE)},
            {"names": (QUERY, KEY, QUERY)},
            {"names": (QUERY, QUERY, QUERY)},
            {"names": (KEY, KEY, KEY)},
            {"names": (VALUE, VALUE, VALUE)},
        ),
    ),
    (
        "not-projected",
        Text("queries, keys or values without projection", "查询、键或值没有经过投影"),
        Text(
            "The input itself was used where its projection belongs; most often it is the values "
            "that are forgotten.",
            "本该使用投影结果的地方，直接用了输入本身；最常被忘记的是值。",
        ),
        PLACE,
        (
            _bare(VALUE),
            _bare(KEY),
            _bare(QUERY),
            _bare(KEY, VALUE),
            _bare(QUERY, KEY),
            _bare(QUERY, KEY, VALUE),
        ),
    ),
    (
        "heads-ignored",
        Text("the number of heads is not used", "没有使用 heads"),
        Text(
            "The width is not cut at all, one attention over all C units, or always into the same "
            "number of heads.",
            "没有切分宽度，只在全部 C 个单元上做了一次注意力；或者头数写成了固定值。",
        ),
        PLACE,
        (
            {"split": lambda part, heads: part[:, None], "root": lambda C, D, S: C**0.5},
            {"split": lambda part, heads: part[:, None]},
            *(
                {
                    "split": lambda part, heads, H=H: split_heads(part, H),
                    "root": lambda C, D, S, H=H: (C // H) ** 0.5,
                }
                for H in (2, 4)
            ),
        ),
    ),
    (
        "split-by-reshape",
        Text("heads split by reshape alone", "切分各头时没有交换轴"),
        Text(
            "reshape straight to (B, H, T, D) gives each head some positions of the sequence, "
            "not a slice of every position.",
            "直接 reshape 成 (B, H, T, D)，每个头得到的是若干位置，而不是每个位置的一段。",
        ),
        PLACE,
        (
            {"split": _reshaped, "merge": _glued},
            {"split": _reshaped},
        ),
    ),
    (
        "view-after-transpose",
        Text("view after transpose", "transpose 之后用了 view"),
        Text(
            "In PyTorch, `view` needs numbers that lie in memory in the new order; after "
            "`transpose` they don't. `reshape` copies where it has to.",
            "PyTorch 的 view 要求数值在内存中已按新的次序排列，transpose 之后并非如此。"
            "reshape 会在需要时复制。",
        ),
        PLACE,
        (),
    ),
    (
        "merged-by-reshape",
        Text("heads merged by reshape alone", "合并各头时没有交换轴"),
        Text(
            "The heads come out as (B, H, T, D). reshape straight to (B, T, C) puts several "
            "positions of one head into a row, instead of all heads of one position.",
            "各头的结果是 (B, H, T, D)。直接 reshape 成 (B, T, C)，"
            "一行里会是同一个头的几个位置，而不是同一位置的所有头。",
        ),
        PLACE,
        ({"merge": _glued},),
    ),
    (
        "head-and-width-exchanged",
        Text("head and width exchanged", "头与头宽的轴颠倒"),
        Text(
            "Head h should hold neighbouring units, h·D to h·D + D - 1. Here it holds every H-th "
            "unit, when the width is cut, when it is joined, or both times.",
            "第 h 个头应包含相邻的单元，即 h·D 到 h·D + D - 1。"
            "这里在切分或合并时（或两处都是），每隔 H 个单元取了一个。",
        ),
        PLACE,
        (
            {"split": _strided, "merge": _dealt},
            {"split": _strided},
            {"merge": _dealt},
        ),
    ),
    (
        "attends-over-heads",
        Text("the heads of a position attend to each other", "在同一位置的各头之间做注意力"),
        Text(
            "With (B, T, H, D) the product of the last two axes compares the heads of one "
            "position. No position looks at any other. Bring the heads before the positions.",
            "形状为 (B, T, H, D) 时，最后两个轴的乘积比较的是同一位置的各个头，"
            "任何位置都没有看到别的位置。要先把头的轴移到位置之前。",
        ),
        PLACE,
        (
            {"split": _in_place, "merge": lambda part: part.reshape(*part.shape[:2], -1)},
            {"split": _in_place, "merge": _glued},
        ),
    ),
    (
        "heads-share-a-slice",
        Text("all heads use the same slice", "所有的头用了同一段"),
        Text(
            "Each head has D rows of its own in every projection. Here head 0's (or the last "
            "one's) serve all heads, for queries, keys or values.",
            "在每个投影中，每个头都有自己的 D 行。"
            "这里查询、键或值的所有头都用了第 0 个（或最后一个）头的那一段。",
        ),
        PLACE,
        tuple(
            {"cut": _same(which, at)}
            for at in (0, -1)
            for which in (
                (True, True, True),
                (False, True, True),
                (False, False, True),
                (True, False, False),
                (False, True, False),
                (True, True, False),
            )
        ),
    ),
)


def truth(task: str) -> Mistake:
    """`if mask:`, which stops before anything else can be told."""
    return Mistake(
        f"{task}.truth-of-a-mask",
        Text("`if mask:` asks an array for one truth value", "用 `if mask:` 判断整个数组"),
        Text(
            "An array of many truth values is neither true nor false. Ask whether there is a "
            "mask at all: `if mask is not None:`.",
            "含多个元素的数组没有单一的真假值。要判断的是有没有掩码：`if mask is not None:`。",
        ),
        "attention/numerics-and-masks",
        error=("ValueError", "truth value of an array"),
    )


def mistakes(task: str, made: Callable[..., Any], masked: frozenset[str]) -> tuple[Mistake, ...]:
    """The catalogue of a task: `made` turns wrong steps into its function, masked names cases."""
    return tuple(
        Mistake(
            f"{task}.{name}", title, text, reread,
            tuple(made(**steps) for steps in variants),
            masked if name == LAST else frozenset(),
            VIEW if name == "view-after-transpose" else None,
        )
        for name, title, text, reread, variants in (*SLIPS, *WEIGHING)
    )  # fmt: skip
