"""Right and wrong answers to assignment "neuron", in other words than the catalogue's own."""

import math

import numpy as np
import torch

# ----------------------------------------------------------------------------------- layer


def right_loop(inputs, weight, bias):
    rows = np.reshape(inputs, (-1, inputs.shape[-1]))
    out = [
        [max(0.0, float(np.dot(w, x)) + b) for w, b in zip(weight, bias, strict=True)] for x in rows
    ]
    return np.reshape(out, (*inputs.shape[:-1], len(bias)))


def right_torch_layer(inputs, weight, bias):
    return torch.nn.functional.linear(inputs, weight, bias).relu()


def right_where(inputs, weight, bias):
    sums = np.einsum("...i,oi->...o", inputs, weight) + bias
    return np.where(sums > 0, sums, 0.0)


def right_column_vector(inputs, weight, bias):
    sums = (weight @ np.asarray(inputs)[..., None])[..., 0] + bias
    return sums * (sums > 0)


def wrong_linear(inputs, weight, bias):
    return torch.nn.functional.linear(inputs, weight, bias)


def wrong_no_bias(inputs, weight, bias):
    return np.clip(np.einsum("...i,oi->...o", inputs, weight), 0, None)


def wrong_late_bias(inputs, weight, bias):
    return np.clip(inputs @ weight.T, 0, None) + bias


def wrong_matrix(inputs, weight, bias):
    return np.clip(np.matmul(inputs, weight) + bias, 0, None)


def wrong_threshold(inputs, weight, bias):
    return np.clip(inputs @ weight.T - bias, 0, None)


def wrong_sigmoid(inputs, weight, bias):
    return torch.sigmoid(inputs @ weight.T + bias)


def wrong_absolute(inputs, weight, bias):
    return np.abs(np.einsum("...i,oi->...o", inputs, weight) + bias)


def wrong_negative(inputs, weight, bias):
    return np.clip(inputs @ weight.T + bias, None, 0)


# ---------------------------------------------------------------------------------- spikes


def _neuron(current, dt, tau, resistance, rest, threshold, reset, **o):
    v, trace, spikes = o.get("start", rest), [], []
    for n, i in enumerate(list(current)):
        old = v
        v += (
            o.get("step", dt)
            / o.get("constant", tau)
            * (o.get("leak", 1) * (o.get("goal", rest) - v) + o.get("ohm", resistance) * i)
        )
        if v >= threshold:
            spikes.append(n)
            v = o.get("to", reset) if o.get("resets", True) else v
        trace.append(old if o.get("late") else v)
    return trace, spikes


def right_lists(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset)


def right_exponential_form(current, dt, tau, resistance, rest, threshold, reset):
    share, u, trace, spikes = dt / tau, 0.0, [], []
    for n in range(len(current)):
        u = (1 - share) * u + share * resistance * float(current[n])
        if rest + u >= threshold:
            spikes.append(n)
            u = reset - rest
        trace.append(rest + u)
    return np.array(trace), np.array(spikes, dtype=int)


def wrong_runs_on(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, resets=False)


def wrong_to_rest(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, to=rest)


def wrong_no_leak(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, leak=0)


def wrong_to_zero(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, goal=0)


def wrong_away(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, leak=-1)


def wrong_no_dt(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, step=1)


def wrong_no_tau(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, constant=1)


def wrong_no_resistance(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, ohm=1)


def wrong_start(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, start=reset)


def wrong_lag(current, dt, tau, resistance, rest, threshold, reset):
    return _neuron(current, dt, tau, resistance, rest, threshold, reset, late=True)


# ------------------------------------------------------------------------------ perceptron


def right_answer_first(weights, bias, inputs, label):
    answer = 1 if math.fsum(w * x for w, x in zip(weights, inputs, strict=True)) + bias > 0 else -1
    total = float(np.dot(weights, inputs) + bias)
    if answer == label and total != 0:
        return list(weights), bias
    return [w + label * x for w, x in zip(weights, inputs, strict=True)], bias + label


def right_masked(weights, bias, inputs, label):
    wrong = ((weights * inputs).sum() + bias) * label <= 0
    return weights + wrong * label * inputs, bias + wrong * label


def right_torch_step(weights, bias, inputs, label):
    if label * (torch.dot(weights, inputs) + bias) > 0:
        return weights.clone(), bias
    return torch.add(weights, inputs, alpha=label), bias + label


def wrong_every_time(weights, bias, inputs, label):
    return weights + inputs * label, bias + label


def wrong_if_right(weights, bias, inputs, label):
    if label * (inputs @ weights + bias) > 0:
        return weights + inputs * label, bias + label
    return weights, bias


def wrong_direction(weights, bias, inputs, label):
    if label * (inputs @ weights + bias) <= 0:
        return weights - inputs * label, bias - label
    return weights, bias


def wrong_adds(weights, bias, inputs, label):
    if label * (inputs @ weights + bias) <= 0:
        return weights + inputs, bias + label
    return weights, bias


def wrong_fixed_bias(weights, bias, inputs, label):
    if label * (inputs @ weights + bias) <= 0:
        return weights + inputs * label, bias
    return weights, bias


def wrong_no_bias_in_sum(weights, bias, inputs, label):
    if label * (inputs @ weights) <= 0:
        return weights + inputs * label, bias + label
    return weights, bias


def wrong_border(weights, bias, inputs, label):
    if label * (inputs @ weights + bias) >= 0:
        return weights, bias
    return weights + inputs * label, bias + label


# ------------------------------------------------------------------------------------- Oja


def right_outer(weights, inputs, rate):
    project = np.outer(inputs, inputs)
    return weights + rate * (project @ weights - (weights @ project @ weights) * weights)


def right_components(weights, inputs, rate):
    y = sum(w * x for w, x in zip(weights, inputs, strict=True))
    return [w + rate * y * x - rate * y**2 * w for w, x in zip(weights, inputs, strict=True)]


def right_torch_oja(weights, inputs, rate):
    y = torch.dot(weights, inputs)
    return torch.lerp(weights, inputs / y, rate * y * y)


def wrong_hebb(weights, inputs, rate):
    return weights + rate * np.dot(weights, inputs) * inputs


def wrong_once(weights, inputs, rate):
    y = np.dot(weights, inputs)
    return weights + rate * y * inputs - rate * y * weights


def wrong_plus(weights, inputs, rate):
    y = np.dot(weights, inputs)
    return weights * (1 + rate * y**2) + rate * y * inputs


def wrong_input_only(weights, inputs, rate):
    return weights + rate * (inputs - np.dot(weights, inputs) * weights)


def wrong_rate(weights, inputs, rate):
    y = np.dot(weights, inputs)
    return weights * (1 - y**2) + rate * y * inputs


def wrong_unit_length(weights, inputs, rate):
    new = weights + rate * np.dot(weights, inputs) * inputs
    return new / math.sqrt(np.dot(new, new))


def wrong_change(weights, inputs, rate):
    y = np.dot(weights, inputs)
    return rate * (y * inputs - y**2 * weights)


# -------------------------------------------------------------------------------- gradient


def right_per_example(weights, inputs, targets):
    total = np.zeros(len(weights))
    for x, y in zip(inputs, targets, strict=True):
        total += 2 * (x @ weights - y) * x
    return total / len(inputs)


def right_autograd(weights, inputs, targets):
    w = weights.clone().requires_grad_()
    ((inputs @ w - targets) ** 2).mean().backward()
    return w.grad


def right_expanded(weights, inputs, targets):
    n = inputs.shape[0]
    return (2 / n) * (inputs.T @ inputs @ weights) - (2 / n) * (targets @ inputs)


def wrong_half(weights, inputs, targets):
    return (inputs * (inputs @ weights - targets)[:, None]).mean(0)


def wrong_sum(weights, inputs, targets):
    return (2 * inputs * (inputs @ weights - targets)[:, None]).sum(0)


def wrong_width(weights, inputs, targets):
    return 2 * (inputs @ weights - targets) @ inputs / inputs.size


def wrong_minus(weights, inputs, targets):
    return 2 * (targets - inputs @ weights) @ inputs / len(inputs)


def wrong_no_targets(weights, inputs, targets):
    return 2 * (inputs @ weights) @ inputs / len(inputs)


def wrong_errors(weights, inputs, targets):
    return 2 / len(targets) * (np.dot(inputs, weights) - targets)


def wrong_rows(weights, inputs, targets):
    return np.einsum("n,nd->nd", 2 * (inputs @ weights - targets), inputs)


def wrong_value(weights, inputs, targets):
    return np.mean(np.square(inputs @ weights - targets))


def wrong_strictly_above(current, dt, tau, resistance, rest, threshold, reset):
    voltage, trace, spikes = rest, [], []
    for step, push in enumerate(current):
        voltage += dt / tau * (rest - voltage + resistance * push)
        if voltage > threshold:
            spikes.append(step)
            voltage = reset
        trace.append(voltage)
    return np.array(trace), spikes


def wrong_zero_is_plus(weights, bias, inputs, label):
    answer = 1 if weights @ inputs + bias >= 0 else -1
    if answer == label:
        return weights, bias
    return weights + label * inputs, bias + label


def wrong_seen_first(current, dt, tau, resistance, rest, threshold, reset):
    v, trace, spikes = rest, [], []
    for n, i in enumerate(current):
        v = v + (rest - v + resistance * i) * dt / tau
        trace.append(v)
        if v >= threshold:
            spikes.append(n)
            v = reset
    return trace, spikes


def wrong_in_ms(current, dt, tau, resistance, rest, threshold, reset):
    trace, spikes = right_lists(current, dt, tau, resistance, rest, threshold, reset)
    return trace, [n * dt for n in spikes]


RIGHT = [
    ("neuron.layer", right_loop),
    ("neuron.layer", right_torch_layer),
    ("neuron.layer", right_where),
    ("neuron.layer", right_column_vector),
    ("neuron.spikes", right_lists),
    ("neuron.spikes", right_exponential_form),
    ("neuron.perceptron", right_answer_first),
    ("neuron.perceptron", right_masked),
    ("neuron.perceptron", right_torch_step),
    ("neuron.oja", right_outer),
    ("neuron.oja", right_components),
    ("neuron.oja", right_torch_oja),
    ("neuron.gradient", right_per_example),
    ("neuron.gradient", right_autograd),
    ("neuron.gradient", right_expanded),
]
WRONG = [
    (task, f"{task}.{mistake}", function)
    for task, mistake, function in [
        ("neuron.layer", "no-activation", wrong_linear),
        ("neuron.layer", "no-bias", wrong_no_bias),
        ("neuron.layer", "bias-after", wrong_late_bias),
        ("neuron.layer", "weight-not-transposed", wrong_matrix),
        ("neuron.layer", "sign-of-bias", wrong_threshold),
        ("neuron.layer", "another-activation", wrong_sigmoid),
        ("neuron.layer", "another-activation", wrong_absolute),
        ("neuron.layer", "negative-part", wrong_negative),
        ("neuron.spikes", "no-reset", wrong_runs_on),
        ("neuron.spikes", "reset-to-rest", wrong_to_rest),
        ("neuron.spikes", "no-leak", wrong_no_leak),
        ("neuron.spikes", "leak-to-zero", wrong_to_zero),
        ("neuron.spikes", "sign-of-leak", wrong_away),
        ("neuron.spikes", "no-time-step", wrong_no_dt),
        ("neuron.spikes", "no-time-constant", wrong_no_tau),
        ("neuron.spikes", "no-resistance", wrong_no_resistance),
        ("neuron.spikes", "starts-elsewhere", wrong_start),
        ("neuron.spikes", "recorded-before", wrong_lag),
        ("neuron.spikes", "above-only", wrong_strictly_above),
        ("neuron.perceptron", "border-is-right", wrong_zero_is_plus),
        ("neuron.perceptron", "always", wrong_every_time),
        ("neuron.perceptron", "on-right-answers", wrong_if_right),
        ("neuron.perceptron", "sign", wrong_direction),
        ("neuron.perceptron", "label-ignored", wrong_adds),
        ("neuron.perceptron", "bias-fixed", wrong_fixed_bias),
        ("neuron.perceptron", "bias-not-in-sum", wrong_no_bias_in_sum),
        ("neuron.perceptron", "border-is-right", wrong_border),
        ("neuron.oja", "hebb-only", wrong_hebb),
        ("neuron.oja", "decay-not-squared", wrong_once),
        ("neuron.oja", "decay-added", wrong_plus),
        ("neuron.oja", "no-output", wrong_input_only),
        ("neuron.oja", "rate-on-one-term", wrong_rate),
        ("neuron.oja", "normalised", wrong_unit_length),
        ("neuron.oja", "change-only", wrong_change),
        ("neuron.gradient", "factor-two", wrong_half),
        ("neuron.gradient", "sum-not-mean", wrong_sum),
        ("neuron.gradient", "wrong-number", wrong_width),
        ("neuron.gradient", "sign", wrong_minus),
        ("neuron.gradient", "targets-forgotten", wrong_no_targets),
        ("neuron.gradient", "inputs-forgotten", wrong_errors),
        ("neuron.gradient", "one-example", wrong_rows),
        ("neuron.gradient", "loss", wrong_value),
        ("neuron.spikes", "recorded-before-reset", wrong_seen_first),
        ("neuron.spikes", "numbers", wrong_in_ms),
    ]
]
