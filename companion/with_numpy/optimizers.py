"""Optimisers: from parameters and their gradients to better parameters.

Each is a pure function (params, grads, state) → (new params, new state). All three are flat dicts
from dotted name to array; nothing is written in place, so the old ones stay what they were.
`state` is None at the first step and afterwards what the step before returned.

Memory, in sizes of params P: SGD keeps nothing, or 1 P with momentum; Adam and AdamW keep 2 P.
Because old and new stand side by side, a step holds twice that and twice P while it runs,
and Adam another P or two for the steps themselves.
"""

from collections.abc import Collection, Mapping

import numpy as np

from companion import _check
from companion._check_params import alike, arrays, finite, keys, number
from companion.with_numpy._types import Array

Params = dict[str, Array]


def sgd(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    state: Mapping[str, Array] | None,
    *,
    learning_rate: float,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
) -> tuple[Params, Params]:
    """Step against the gradient, with momentum along the way of the steps before.

        g = grad + λ w,   v ← μ v + g,   w ← w - η v                η = learning_rate, μ = momentum
        nesterov: w ← w - η (g + μ v)                               λ = weight_decay

    params, grads name → array (...), one set of names, shapes and floating dtypes
    state None, or from the last step
    Returns new params and state: "step" (), and "velocity.NAME" for each parameter if μ > 0.

    Raises TypeError or ValueError naming the argument and key that does not fit; ValueError if a
    gradient is NaN or infinite, or the step would leave such a parameter.
    Source: Sutskever et al. 2013, section 2. As in torch.optim.SGD, η stands outside the velocity,
    which starts as the first gradient.
    """
    rate, decay = number("learning_rate", learning_rate), number("weight_decay", weight_decay)
    momentum = number("momentum", momentum, below=1)
    if nesterov and not momentum:
        raise ValueError("momentum: expected above 0 with nesterov, got 0")
    state = _checked(params, grads, state, ("velocity",) if momentum else ())
    new_params, new_state = {}, {"step": state["step"] + 1}
    with np.errstate(all="ignore"):  # `_settled` speaks
        for name, param in params.items():
            step = grads[name] + decay * param
            if momentum:
                velocity = momentum * state[f"velocity.{name}"] + step
                new_state[f"velocity.{name}"] = velocity
                step = step + momentum * velocity if nesterov else velocity
            new_params[name] = param - rate * step
    return _settled(params, new_params, new_state)


def adam(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    state: Mapping[str, Array] | None,
    *,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Params, Params]:
    """Step against the mean gradient, measured in units of its own recent size.

        m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²,   g = grad + λ w
        w ← w - η m̂ / (√v̂ + eps),   m̂ = m / (1 - β₁ᵗ),   v̂ = v / (1 - β₂ᵗ)      t = step, from 1

    params, grads name → array (...), one set of names, shapes and floating dtypes
    state None, or from the last step
    learning_rate η   betas (β₁, β₂)   weight_decay λ, as an L2 penalty inside the gradient
    Returns new params and state: "step" (), "mean.NAME" m and "mean_square.NAME" v.

    Raises TypeError or ValueError naming the argument and key that does not fit; ValueError if a
    gradient is NaN or infinite, or the step would leave such a parameter or moment, or eps is too
    small for the dtype, as 1e-8 is for float16.
    Source: Kingma & Ba 2015, algorithm 1; the mean starts at 0, so it is divided by what is missing
    from 1. eps stands outside the root. Vaswani et al. 2017 take betas (0.9, 0.98), eps 1e-9.
    """
    rate, decay = number("learning_rate", learning_rate), number("weight_decay", weight_decay)
    state = _checked(params, grads, state, ("mean", "mean_square"))
    with np.errstate(all="ignore"):  # `_settled` speaks
        grads = {name: grads[name] + decay * param for name, param in params.items()}
        steps, new_state = _adam_steps(grads, state, betas, eps)
        new_params = {name: param - rate * steps[name] for name, param in params.items()}
    return _settled(params, new_params, new_state)


def adamw(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    state: Mapping[str, Array] | None,
    *,
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    decayed: Collection[str] | None = None,
) -> tuple[Params, Params]:
    """Adam whose weight decay stands beside the step, so that no large gradient can dilute it.

        w ← w - η (m̂ / (√v̂ + eps) + λ w)                m̂, v̂ as in `adam`, of the bare gradient

    params, grads, state name → array (...); all as in `adam`, and
    decayed the names to which λ applies, all if None; biases and norms are often left out
    Returns new params and state, as `adam` does.

    Raises TypeError or ValueError as `adam` does, and ValueError if `decayed` names no parameter.
    Source: Loshchilov & Hutter 2019, algorithm 2, line 12. As in torch.optim.AdamW, λ is multiplied
    with the learning rate; in the paper only with its schedule multiplier.
    """
    rate, decay = number("learning_rate", learning_rate), number("weight_decay", weight_decay)
    state = _checked(params, grads, state, ("mean", "mean_square"))
    decayed = _checked_names(decayed, params)
    with np.errstate(all="ignore"):  # `_settled` speaks
        steps, new_state = _adam_steps(grads, state, betas, eps)
        new_params = {}
        for name, param in params.items():
            kept = 1 - rate * decay if name in decayed else 1.0
            new_params[name] = kept * param - rate * steps[name]
    return _settled(params, new_params, new_state)


def _adam_steps(
    grads: Mapping[str, Array], state: Mapping[str, Array], betas: tuple[float, float], eps: float
) -> tuple[Params, Params]:
    """The step m̂ / (√v̂ + eps) of each parameter, and the moments it was made from."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"betas: expected two numbers, (β₁, β₂), got {betas!r}")
    beta1, beta2 = (number(f"betas[{i}]", beta, below=1) for i, beta in enumerate(betas))
    _check.positive(eps=eps)
    for name, grad in grads.items():
        if eps < (least := np.finfo(grad.dtype).tiny):  # it would be 0, and 0 / 0 no step
            dtype = _check.dtype_name(grad)
            raise ValueError(
                f"eps: expected at least {least:.1e}, the smallest normal number of {dtype} "
                f"like params[{name!r}], got {eps}"
            )
    t = int(state["step"]) + 1
    steps, new_state = {}, {"step": state["step"] + 1}
    for name, grad in grads.items():
        mean = beta1 * state[f"mean.{name}"] + (1 - beta1) * grad
        mean_square = beta2 * state[f"mean_square.{name}"] + (1 - beta2) * grad**2
        new_state[f"mean.{name}"], new_state[f"mean_square.{name}"] = mean, mean_square
        size = np.sqrt(mean_square / (1 - beta2**t)) + float(eps)
        steps[name] = mean / (1 - beta1**t) / size
    return steps, new_state


def _checked(
    params: Mapping[str, Array],
    grads: Mapping[str, Array],
    state: Mapping[str, Array] | None,
    slots: tuple[str, ...],
) -> Mapping[str, Array]:
    """The state, zeros at the first step, once everything fits together."""
    arrays(np.ndarray, "params", params)
    arrays(np.ndarray, "grads", grads)
    alike("grads", grads, params, "params")
    finite("grads", grads)
    own = {f"{slot}.{name}": param for slot in slots for name, param in params.items()}
    if state is None:
        return {"step": np.asarray(0)} | {key: np.zeros_like(own[key]) for key in own}
    keys("state", state, own | {"step": None}, "the optimiser and params")
    alike("state", {key: state[key] for key in own}, own, "params")
    return state


def _checked_names(decayed: Collection[str] | None, params: Mapping[str, Array]) -> Collection[str]:
    if decayed is None:
        return params.keys()
    if unknown := sorted(set(decayed) - params.keys()):
        raise ValueError(f"decayed: expected names of params, got {unknown}")
    return decayed


def _settled(
    params: Mapping[str, Array], new_params: Params, new_state: Params
) -> tuple[Params, Params]:
    """Hold every result to its dtype (NumPy makes scalars of shape ()) and refuse NaN and inf."""
    new_params = {key: np.asarray(new, params[key].dtype) for key, new in new_params.items()}
    dtypes = {key: params[key.partition(".")[2]].dtype for key in new_state if key != "step"}
    new_state = {k: np.asarray(new, dtypes.get(k, np.int64)) for k, new in new_state.items()}
    finite("new params", new_params)
    finite("new state", new_state)
    return new_params, new_state
