"""Answers to assignment "neuron" that were written without a look at the catalogue."""

import numpy as np


def right_oja_outer(weights, inputs, rate):
    w, x = weights.reshape(-1, 1), inputs.reshape(-1, 1)
    y = (w.T @ x).item()
    return (w + rate * (x * y - w * y**2)).ravel()


def right_oja_single(weights, inputs, rate):
    w, x = np.float32(weights), np.float32(inputs)
    y = np.dot(w, x)
    return (w + np.float32(rate) * (y * x - y * y * w)).astype(np.float64)


def right_gradient_autograd(weights, inputs, targets):
    w = weights.clone().requires_grad_(True)
    ((inputs @ w - targets) ** 2).mean().backward()
    return w.grad


def right_gradient_normal_equations(weights, inputs, targets):
    n = inputs.shape[0]
    return (2 / n) * (inputs.T @ inputs @ weights - inputs.T @ targets)


def right_perceptron_copysign(weights, bias, inputs, label):
    answer = 1 if np.dot(inputs, weights) + bias > 0 else -1
    total = float(np.dot(inputs, weights) + bias)
    if total == 0 or answer != label:
        return [w + label * x for w, x in zip(weights, inputs, strict=True)], float(bias + label)
    return list(weights), bias


def right_layer_clamp_single(inputs, weight, bias):
    return np.float64(
        np.clip(np.float32(inputs) @ np.float32(weight).T + np.float32(bias), 0, None)
    )


def right_spikes_list(current, dt, tau, resistance, rest, threshold, reset):
    v, all_v, fired = rest, [], []
    for i in range(len(current)):
        v += (dt / tau) * (rest - v + resistance * current[i])
        if not v < threshold:
            fired += [i]
            v = reset
        all_v.append(float(v))
    return all_v, np.array(fired, dtype=int)


def wrong_oja_no_rate(weights, inputs, rate):
    y = float(np.dot(weights, inputs))
    return weights + y * inputs - y * y * weights


def wrong_oja_minus(weights, inputs, rate):
    y = inputs @ weights
    return weights - rate * (y * inputs - y**2 * weights)


def wrong_oja_hebb_minus(weights, inputs, rate):
    return weights - rate * np.dot(weights, inputs) * inputs


def wrong_oja_rate_on_decay(weights, inputs, rate):
    y = np.vdot(inputs, weights)
    return weights + inputs * y - weights * rate * y * y


def wrong_gradient_minus_without_two(weights, inputs, targets):
    return inputs.T @ (targets - inputs @ weights) / len(targets)


def wrong_gradient_minus_sum(weights, inputs, targets):
    return 2 * (targets - inputs @ weights) @ inputs


def wrong_gradient_minus_bare(weights, inputs, targets):
    return -np.einsum("nd,n->d", inputs, inputs @ weights - targets)


def wrong_gradient_half(weights, inputs, targets):
    return ((inputs @ weights - targets)[:, None] * inputs).mean(0) / 2


def wrong_gradient_absolute(weights, inputs, targets):
    return inputs.T @ np.sign(inputs @ weights - targets) / len(targets)


def wrong_layer_half(inputs, weight, bias):
    return np.maximum(inputs @ weight.T + bias, 0).astype(np.float16)


def wrong_layer_softplus(inputs, weight, bias):
    return np.log1p(np.exp(inputs @ weight.T + bias))


def wrong_layer_gelu(inputs, weight, bias):
    z = inputs @ weight.T + bias
    return 0.5 * z * (1 + np.tanh(0.79788456 * (z + 0.044715 * z**3)))


def wrong_spikes_tau_inverted(current, dt, tau, resistance, rest, threshold, reset):
    v, trace, spikes = rest, [], []
    for step, i in enumerate(current):
        v = v + dt * tau * (rest - v + resistance * i)
        if v >= threshold:
            spikes.append(step)
            v = reset
        trace.append(v)
    return np.array(trace), spikes


def wrong_spikes_exact_solution(current, dt, tau, resistance, rest, threshold, reset):
    v, trace, spikes = rest, [], []
    for step, i in enumerate(current):
        goal = rest + resistance * i
        v = goal + (v - goal) * np.exp(-dt / tau)
        if v >= threshold:
            spikes.append(step)
            v = reset
        trace.append(v)
    return np.array(trace), spikes


def wrong_perceptron_half_step(weights, bias, inputs, label):
    guess = 1 if weights @ inputs + bias > 0 else -1
    return weights + (label - guess) * inputs, bias + (label - guess)


def wrong_perceptron_zero_one(weights, bias, inputs, label):
    guess = 1 if weights @ inputs + bias > 0 else 0
    return weights + (label - guess) * inputs, bias + (label - guess)


RIGHT = [
    ("neuron.oja", right_oja_outer), ("neuron.oja", right_oja_single),
    ("neuron.gradient", right_gradient_autograd),
    ("neuron.gradient", right_gradient_normal_equations),
    ("neuron.perceptron", right_perceptron_copysign),
    ("neuron.layer", right_layer_clamp_single), ("neuron.spikes", right_spikes_list),
]  # fmt: skip
WRONG = [
    ("neuron.oja", "neuron.oja.no-rate", wrong_oja_no_rate),
    ("neuron.oja", "neuron.oja.sign", wrong_oja_minus),
    ("neuron.oja", "neuron.oja.sign", wrong_oja_hebb_minus),
    ("neuron.oja", "neuron.oja.rate-on-one-term", wrong_oja_rate_on_decay),
    ("neuron.gradient", "neuron.gradient.sign-and-factor", wrong_gradient_minus_without_two),
    ("neuron.gradient", "neuron.gradient.sign-and-factor", wrong_gradient_minus_sum),
    ("neuron.gradient", "neuron.gradient.sign-and-factor", wrong_gradient_minus_bare),
    ("neuron.gradient", "neuron.gradient.factor-two", wrong_gradient_half),
    ("neuron.gradient", "general.unknown", wrong_gradient_absolute),
    ("neuron.layer", "general.unknown", wrong_layer_half),
    ("neuron.layer", "neuron.layer.another-activation", wrong_layer_softplus),
    ("neuron.layer", "neuron.layer.another-activation", wrong_layer_gelu),
    ("neuron.spikes", "neuron.spikes.no-time-constant", wrong_spikes_tau_inverted),
    ("neuron.spikes", "neuron.spikes.exact-solution", wrong_spikes_exact_solution),
    ("neuron.perceptron", "neuron.perceptron.twice", wrong_perceptron_half_step),
    ("neuron.perceptron", "neuron.perceptron.labels-of-zero", wrong_perceptron_zero_one),
]
