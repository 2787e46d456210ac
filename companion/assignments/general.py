"""Mistakes that any task can show: nothing written, another signature, a changed argument."""

from typing import Any

from companion.assignments import compare
from companion.assignments.task import Case, Mistake, Text

Outcomes = list[dict[str, Any]]


def _mistake(id: str, title_en: str, title_zh: str, en: str, zh: str) -> Mistake:
    return Mistake(f"general.{id}", Text(title_en, title_zh), Text(en, zh))


MISSING = _mistake(
    "missing", "the function is missing", "缺少该函数",
    "The file defines no function of this name at its top level. Check the spelling, and that the "
    "cell that defines it runs.",
    "提交的文件在顶层没有定义这个名字的函数。请检查拼写，以及定义它的单元格能否运行。",
)  # fmt: skip
UNWRITTEN = _mistake(
    "unwritten", "not written yet", "尚未完成",
    "The stub still raises NotImplementedError.", "函数桩仍然抛出 NotImplementedError。",
)  # fmt: skip
SIGNATURE = _mistake(
    "signature", "wrong signature", "函数签名不符",
    "The function cannot be called with the arguments that the task names: compare names, order "
    "and defaults with the stub.",
    "无法用题目规定的参数调用该函数：请与函数桩对照参数名、顺序和默认值。",
)  # fmt: skip
NOTHING = _mistake(
    "none", "returns nothing", "没有返回值",
    "The function returns None. A `return` is missing, or it changes its argument instead of "
    "returning a result.",
    "函数返回 None：漏写了 return，或者只改动了参数而没有返回结果。",
)  # fmt: skip
CHANGED = _mistake(
    "changes-input", "changes its input", "改动了输入",
    "The result may be right, but an argument is different after the call. The caller still needs "
    "it: work on a new array (`x = x - m`, not `x -= m`).",
    "结果也许正确，但调用之后参数变了。调用者还要用它：请生成新数组"
    "（写 `x = x - m`，不要写 `x -= m`）。",
)  # fmt: skip
STATE = _mistake(
    "shared-state", "remembers earlier calls", "记住了之前的调用",
    "The same call gives another result the second time. Something is kept between calls: a global "
    "variable, a mutable default argument (`cache=[]`), a random generator, an argument that is "
    "changed.",
    "同样的调用第二次给出了不同的结果：有东西在两次调用之间被保留了下来，例如全局变量、可变的默认参数"
    "（`cache=[]`）、随机数生成器，或被改动的参数。",
)  # fmt: skip
NOT_FINITE = _mistake(
    "nan", "NaN or infinity", "出现 NaN 或无穷大",
    "The result holds NaN or infinity where a number was expected: look for 0/0, inf - inf, the "
    "logarithm of 0, or an exponential that overflows.",
    "结果中出现了 NaN 或无穷大：请检查 0/0、inf - inf、log 0，或指数溢出。",
)  # fmt: skip
SHAPE = _mistake(
    "shape", "wrong shape", "形状不符",
    "The result has another shape than expected: say for each axis what it counts, and follow it "
    "through the function.",
    "结果的形状与预期不同：请逐一说明每个轴代表什么，并沿着函数检查一遍。",
)  # fmt: skip
TIMEOUT = _mistake(
    "timeout", "takes too long", "运行超时",
    "There was no answer in time: a loop that does not end, or far more work than needed.",
    "没有在规定时间内返回：可能是死循环，或做了远多于必要的计算。",
)  # fmt: skip
MEMORY = _mistake(
    "memory", "needs too much memory", "内存不足",
    "The function asks for more memory than allowed. Which array is that large, and why?",
    "函数申请的内存超过了限制。哪个数组这么大？为什么？",
)  # fmt: skip
ENDED = _mistake(
    "ended", "the process ended", "进程中止",
    "The process ended before it could answer (sys.exit, os._exit, a crash, or too much memory).",
    "进程在返回结果之前就结束了（sys.exit、os._exit、崩溃或内存耗尽）。",
)  # fmt: skip
EXIT = _mistake(
    "exit", "calls exit", "调用了 exit",
    "The function ends the program instead of returning a result.",
    "函数结束了程序，而没有返回结果。",
)  # fmt: skip
REFERENCE = _mistake(
    "reference", "uses the reference", "调用了参考实现",
    "The task asks for your own code; `companion`'s functions may not be used here.",
    "本题要求自己编写代码，不能调用 companion 中的函数。",
)  # fmt: skip
FORBIDDEN = _mistake(
    "forbidden", "tries what is not allowed", "执行了不允许的操作",
    "The function tries to use files, the network or another process, which no task needs.",
    "函数试图访问文件、网络或其他进程，而题目都不需要这些。",
)  # fmt: skip
RAISES = _mistake(
    "raises", "stops with an error", "运行出错",
    "The function stops with an error on a valid input.", "函数在合法输入上报错。",
)  # fmt: skip
KIND = _mistake(
    "kind", "another kind of result", "返回值类型不符",
    "The result is of another kind than expected (a list for an array, one value for two, a float "
    "mask for a boolean one).",
    "返回值的类型与预期不同（例如应为数组却返回列表、应返回两个值却返回一个、掩码应为布尔型）。",
)  # fmt: skip
UNKNOWN = _mistake(
    "unknown", "wrong numbers", "数值不对",
    "The numbers differ from the expected ones in a way that is not in the catalogue. Work the "
    "counter-example by hand, line by line.",
    "数值与预期不同，而且不属于已收录的错误。请用下面的反例逐行手算。",
)  # fmt: skip
ALL = (
    MISSING, UNWRITTEN, SIGNATURE, NOTHING, CHANGED, STATE, NOT_FINITE, SHAPE, TIMEOUT, MEMORY,
    ENDED, EXIT, REFERENCE, FORBIDDEN, RAISES, KIND, UNKNOWN,
)  # fmt: skip
KINDS = {
    "Missing": MISSING, "NotImplementedError": UNWRITTEN, "Signature": SIGNATURE,
    "Timeout": TIMEOUT, "TimeoutError": TIMEOUT, "MemoryError": MEMORY, "Ended": ENDED,
    "SystemExit": EXIT, "PermissionError": FORBIDDEN,
}  # fmt: skip


def before_the_task(outcome: dict[str, Any]) -> Mistake | None:
    """What makes every other question idle: no function, no answer, no result."""
    error = outcome.get("error")
    message = str(outcome.get("message", ""))
    if error == "ImportError" and "asks for your own code" in message:
        return REFERENCE
    if error == "PermissionError" and "reference" in message:
        return REFERENCE
    if error == "RuntimeError" and "alloc" in message:  # torch's allocator
        return MEMORY
    if error in KINDS:
        return KINDS[error]
    if error is None and outcome.get("value") is None:
        return NOTHING
    return None


def after_the_task(got: Outcomes, expected: list[Any], case: Case) -> Mistake:
    """What can be said of the results of a failed case that no known mistake explains."""
    if "error" in got[-1]:
        return RAISES
    for call, wanted, outcome in zip(case.calls, expected, got, strict=True):
        try:
            one = compare.at(wanted, call.look)
            two = compare.at(outcome["value"], call.look)
        except (LookupError, TypeError):
            return KIND
        if call.look is None or compare.same(one, two, case.tolerance):
            continue
        return _of_numbers(one, two)
    return UNKNOWN


def _of_numbers(expected: Any, got: Any) -> Mistake:
    one, two = compare.numbers(expected), compare.numbers(got)
    if one is None or two is None or (one.dtype.kind == "b") != (two.dtype.kind == "b"):
        return UNKNOWN if one is None and two is None else KIND
    if one.shape != two.shape:
        return SHAPE
    if two.dtype.kind == "f" and not (abs(two.astype(float)) < float("inf")).all():
        return NOT_FINITE
    return UNKNOWN
