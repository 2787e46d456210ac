"""Task: a leaky integrate-and-fire neuron, step by step."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case

KEYS = ("dt", "tau", "resistance", "rest", "threshold", "reset")
BORDER = "exactly at the threshold"
DISTINCT = {"dt": 1.0, "tau": 10.0, "resistance": 10.0}
DISTINCT |= {"rest": -65.0, "threshold": -50.0, "reset": -70.0}


def _run(
    current: Any, own: dict[str, float], *, leak: float = 1.0, towards: str = "rest",
    resist: bool = True, stepped: bool = True, divide: bool = True, to: str | None = "reset",
    start: str = "rest", record: str = "after", every: float = 1.0, reaches: bool = True,
    number: Any = lambda step, dt: step, exact: bool = False, turned: int = 0,
) -> Any:  # fmt: skip
    """The simulation, with a switch for each known mistake."""
    voltage = own.get(start, 0.0)
    trace, spikes = [], []
    goal = own.get(towards, 0.0)
    for step, input_current in enumerate(np.asarray(current, dtype=float)):
        before = voltage
        push = (own["resistance"] if resist else 1.0) * input_current
        change = (-leak * (voltage - goal) + push) * every
        change = change / own["tau"] if divide else change * own["tau"] ** turned
        voltage = voltage + (own["dt"] if stepped else 1.0) * change
        if exact:
            end = goal + push
            voltage = end + (before - end) * np.exp(-own["dt"] / own["tau"])
        free = voltage
        if voltage > own["threshold"] or (reaches and voltage == own["threshold"]):
            spikes.append(number(step, own["dt"]))
            if to is not None:
                voltage = own[to]
        trace.append({"after": voltage, "before": before, "free": free}[record])
    return np.array(trace), spikes


def integrate_and_fire(
    current: Any, dt: float, tau: float, resistance: float, rest: float, threshold: float,
    reset: float,
) -> Any:  # fmt: skip
    """Voltage after each step, and the steps at which the neuron spiked."""
    return _run(
        current, dict(zip(KEYS, (dt, tau, resistance, rest, threshold, reset), strict=True))
    )


def cases(rng: np.random.Generator) -> list[Case]:
    """Below threshold, one spike, many, a changing current; time steps other than 1."""

    def drawn(name: str, current: Any, part: str, **changes: float) -> Case:
        own: dict[str, Any] = DISTINCT | changes
        while True:  # no voltage so near the threshold that rounding would decide
            own["resistance"] = changes.get("resistance", 10.0) * rng.uniform(0.95, 1.05)
            free = _run(current, own)[0]
            if np.abs(free - own["threshold"]).min() > 1e-6:
                return case(
                    name, "integrate_and_fire", np.asarray(current, float), part=part, **own
                )

    return [
        drawn("three steps, no spike", [1.2, 0.7, 0.0], "voltage"),
        drawn("a current too small", np.full(40, 1.3), "voltage", dt=0.7),
        drawn("a time step of a quarter", np.full(12, 1.9), "voltage", dt=0.25),
        drawn("no current from another rest", np.zeros(5), "voltage", rest=-61.0),
        drawn("one spike", [4.0, 9.0, 14.0, 0.0], "spikes"),
        drawn("many spikes", np.full(60, 2.6), "spikes", dt=0.8),
        drawn(
            "a changing current", 2.5 + 2 * np.sin(np.arange(50) / 4), "spikes", dt=1.3, tau=14.0
        ),
        drawn("reset above rest", np.full(30, 2.4), "spikes", reset=-58.0),
        # halves and whole numbers: no rounding
        case(BORDER, "integrate_and_fire", np.array([0.5, 0.0]), part="spikes", dt=1.0, tau=2.0,
             resistance=16.0, rest=-64.0, threshold=-60.0, reset=-70.0),
    ]  # fmt: skip


def _wrong(**switches: Any) -> Any:
    def integrate_and_fire(
        current: Any, dt: float, tau: float, resistance: float, rest: float, threshold: float,
        reset: float,
    ) -> Any:  # fmt: skip
        own = dict(zip(KEYS, (dt, tau, resistance, rest, threshold, reset), strict=True))
        return _run(current, own, **switches)

    return integrate_and_fire


TASK = Task(
    id="neuron.spikes",
    function="integrate_and_fire",
    signature="integrate_and_fire(current, dt, tau, resistance, rest, threshold, reset)",
    goal=Text(
        "The voltage after each time step, and the numbers of the steps with a spike.",
        "每个时间步之后的电压，以及发放脉冲的步号。",
    ),
    cases=cases,
    reference={"integrate_and_fire": integrate_and_fire},
    mistakes=(
        Mistake(
            "neuron.spikes.no-reset",
            Text("no reset after a spike", "发放后没有复位"),
            Text(
                "After a spike the voltage starts again from `reset`; here it stays above the "
                "threshold.",
                "发放之后电压应回到 `reset`；这里却一直停在阈值以上。",
            ),
            "brain/spikes",
            variants=(_wrong(to=None),),
        ),
        Mistake(
            "neuron.spikes.reset-to-rest",
            Text("reset to the wrong voltage", "复位到了错误的电压"),
            Text(
                "After a spike the voltage goes to `reset`, which need not be the resting "
                "potential.",
                "发放之后电压应回到 `reset`，它不一定等于静息电位。",
            ),
            "brain/spikes",
            variants=(_wrong(to="rest"), _wrong(to="threshold")),
        ),
        Mistake(
            "neuron.spikes.no-leak",
            Text("nothing leaks", "没有泄漏"),
            Text(
                "The current is only added up. The leak pulls the voltage back to rest, so that a "
                "small current never reaches the threshold.",
                "这里只累加电流。泄漏会把电压拉回静息值，所以小电流永远达不到阈值。",
            ),
            "brain/spikes",
            variants=(_wrong(leak=0.0),),
        ),
        Mistake(
            "neuron.spikes.leak-to-zero",
            Text("leaks towards 0 mV", "向 0 mV 泄漏"),
            Text(
                "The leak pulls towards the resting potential, not towards zero.",
                "泄漏把电压拉向静息电位，而不是 0。",
            ),
            "brain/spikes",
            variants=(_wrong(towards="zero"), _wrong(towards="reset")),
        ),
        Mistake(
            "neuron.spikes.sign-of-leak",
            Text("the leak has the wrong sign", "泄漏的符号反了"),
            Text(
                "The voltage runs away from rest instead of back to it.",
                "电压远离静息值，而不是回到静息值。",
            ),
            "brain/spikes",
            variants=(_wrong(leak=-1.0),),
        ),
        Mistake(
            "neuron.spikes.no-time-step",
            Text("the time step is missing", "漏掉了时间步长"),
            Text(
                "A change per millisecond has to be multiplied by dt: with dt = 1 nobody notices.",
                "每毫秒的变化要乘以 dt：dt = 1 时看不出错误。",
            ),
            "brain/spikes",
            variants=(_wrong(stepped=False),),
        ),
        Mistake(
            "neuron.spikes.no-time-constant",
            Text("not divided by the time constant", "没有除以时间常数"),
            Text(
                "Without tau the voltage jumps nearly all the way in one step.",
                "没有除以 tau，电压几乎一步就跳到终值。",
            ),
            "brain/spikes",
            variants=(_wrong(divide=False), _wrong(divide=False, turned=1)),
        ),
        Mistake(
            "neuron.spikes.no-resistance",
            Text("the resistance is missing", "漏掉了电阻"),
            Text(
                "nA times MΩ gives mV: without the resistance the units do not agree.",
                "nA 乘以 MΩ 才得到 mV：漏掉电阻，单位就不一致。",
            ),
            "brain/spikes",
            variants=(_wrong(resist=False),),
        ),
        Mistake(
            "neuron.spikes.starts-elsewhere",
            Text("starts from the wrong voltage", "初始电压不对"),
            Text("The neuron starts at rest.", "神经元从静息电位开始。"),
            "brain/spikes",
            variants=(_wrong(start="reset"), _wrong(start="threshold"), _wrong(start="zero")),
        ),
        Mistake(
            "neuron.spikes.recorded-before",
            Text("recorded before the step", "记录了更新之前的电压"),
            Text(
                "The trace holds the voltage after each step, and after a reset; here it lags by "
                "one step.",
                "应记录每一步更新（及复位）之后的电压；这里慢了一步。",
            ),
            "brain/spikes",
            variants=(_wrong(record="before"),),
        ),
        Mistake(
            "neuron.spikes.recorded-before-reset",
            Text("recorded before the reset", "在复位之前记录了电压"),
            Text(
                "In a step with a spike the voltage after the step is `reset`: first reset, then "
                "record.",
                "有脉冲的那一步，更新之后的电压就是 `reset`：应先复位，再记录。",
            ),
            "brain/spikes",
            variants=(_wrong(record="free"),),
        ),
        Mistake(
            "neuron.spikes.exact-solution",
            Text("the exact solution of a step", "用了每一步的精确解"),
            Text(
                "With the current constant during a step the exponential is exact. The task "
                "asks for the "
                "straight step that its formula gives (Euler's), which differs by a little.",
                "在一步之内电流不变时，指数公式给出精确解。题目要求的是公式中的直线步（欧拉法），两者略有差别。",
            ),
            "brain/spikes",
            variants=(_wrong(exact=True),),
        ),
        Mistake(
            "neuron.spikes.above-only",
            Text("no spike exactly at the threshold", "电压恰好等于阈值时没有发放"),
            Text(
                "At the threshold *or above*: compare with >=, not with >.",
                "电压达到阈值就发放，等于也算：应写 >=，而不是 >。",
            ),
            "brain/spikes",
            variants=(_wrong(reaches=False),),
            only=frozenset({BORDER}),
        ),
        Mistake(
            "neuron.spikes.numbers",
            Text("the spikes are numbered in another way", "脉冲的编号方式不对"),
            Text(
                "A spike is given by the number of its step, counted from 0: not from 1, and not "
                "by its time in milliseconds.",
                "脉冲用步号表示，从 0 数起：不是从 1 数起，也不是以毫秒为单位的时刻。",
            ),
            "brain/spikes",
            variants=(
                _wrong(number=lambda step, dt: step + 1),
                _wrong(number=lambda step, dt: step * dt),
                _wrong(number=lambda step, dt: (step + 1) * dt),
            ),
        ),
    ),
    hints=(
        Text(
            "What pulls the voltage down, and what pushes it up?", "什么把电压拉低，什么把它推高？"
        ),
        Text(
            "change = (rest - voltage + resistance * current) * dt / tau; then compare with the "
            "threshold; then record.",
            "变化 = (rest - 电压 + resistance * 电流) * dt / tau；然后与阈值比较；最后记录。",
        ),
    ),
    reread="brain/spikes",
    parts={"voltage": 0.5, "spikes": 0.5},
)
