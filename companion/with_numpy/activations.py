"""Activations: what a unit gives out for what came in, element by element."""

import math
from collections.abc import Callable

import numpy as np

from companion import _check
from companion.with_numpy._types import Array

_erf = np.vectorize(math.erf, otypes=[np.float64])  # NumPy has none; exact, but one by one
_TANH_CUBE = 0.044715  # Hendrycks & Gimpel 2016, section 2
_FAR = 20.0  # from here on that tanh is ±1 and exp(-x²/2) is 0 beside 1, in every dtype


def relu(inputs: Array) -> Array:
    """Pass what is positive, stop the rest.

        output = max(inputs, 0)

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Vaswani et al. 2017, eq. 2.
    """
    _check.floats(np.ndarray, inputs=inputs)
    return np.maximum(inputs, 0)


def relu_backward(grad_output: Array, inputs: Array) -> Array:
    """Gradient of `relu`: that of the output where inputs > 0, else 0 (at 0 a choice, torch's).

    grad_output, inputs any shape, both the same, floating   Returns grad_inputs of that shape.

    Raises TypeError or ValueError if dtypes or shapes differ.
    """
    _check_grad(grad_output, inputs)
    return grad_output * (inputs > 0)


def gelu(inputs: Array) -> Array:
    """Weigh each input by the share of a standard normal that lies below it.

        output = x Φ(x),   Φ(x) = (1 + erf(x / √2)) / 2                          x = inputs

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Hendrycks & Gimpel 2016, section 2.
    NumPy has no erf, so that this is slow here: `gelu_tanh` is near and fast.
    """
    _check.floats(np.ndarray, inputs=inputs)
    return inputs * _normal_share(inputs)


def gelu_backward(grad_output: Array, inputs: Array) -> Array:
    """Gradient of `gelu`.

        d output / dx = Φ(x) + x φ(x),   φ(x) = exp(-x² / 2) / √(2π)             x = inputs

    grad_output, inputs any shape, both the same, floating   Returns grad_inputs of that shape.

    Raises TypeError or ValueError if dtypes or shapes differ.
    """
    _check_grad(grad_output, inputs)
    near = _near(inputs)
    density = np.exp(-(near**2) / 2) / math.sqrt(2 * math.pi)
    return grad_output * (_normal_share(inputs) + near * density)


def gelu_tanh(inputs: Array) -> Array:
    """GELU with Φ drawn by a tanh, as GPT-2 has it; within 5e-4 of `gelu`.

        output = x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2                      x = inputs

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Hendrycks & Gimpel 2016, section 2.
    """
    _check.floats(np.ndarray, inputs=inputs)
    return inputs * (1 + np.tanh(_tanh_argument(inputs))) / 2


def gelu_tanh_backward(grad_output: Array, inputs: Array) -> Array:
    """Gradient of `gelu_tanh`.

        d output / dx = (1 + t) / 2 + x (1 - t²) u′ / 2,   t = tanh(u),   u the argument above

    grad_output, inputs any shape, both the same, floating   Returns grad_inputs of that shape.

    Raises TypeError or ValueError if dtypes or shapes differ.
    """
    _check_grad(grad_output, inputs)
    bent = np.tanh(_tanh_argument(inputs))
    near = _near(inputs)
    slope = math.sqrt(2 / math.pi) * (1 + 3 * _TANH_CUBE * near**2)
    return grad_output * ((1 + bent) + near * (1 - bent**2) * slope) / 2


def silu(inputs: Array) -> Array:
    """Weigh each input by its own sigmoid; also called swish.

        output = x σ(x),   σ(x) = 1 / (1 + exp(-x))                              x = inputs

    inputs any shape, floating   Returns output of the same shape and dtype.

    Raises TypeError if inputs are not floating. Source: Hendrycks & Gimpel 2016, section 2.
    """
    _check.floats(np.ndarray, inputs=inputs)
    return inputs * _sigmoid(inputs)


def silu_backward(grad_output: Array, inputs: Array) -> Array:
    """Gradient of `silu`.

        d output / dx = σ(x) (1 + x (1 - σ(x)))                                  x = inputs

    grad_output, inputs any shape, both the same, floating   Returns grad_inputs of that shape.

    Raises TypeError or ValueError if dtypes or shapes differ.
    """
    _check_grad(grad_output, inputs)
    gate = _sigmoid(inputs)
    return grad_output * gate * (1 + inputs * (1 - gate))


ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "relu": (relu, relu_backward),
    "gelu": (gelu, gelu_backward),
    "gelu_tanh": (gelu_tanh, gelu_tanh_backward),
    "silu": (silu, silu_backward),
}


def _sigmoid(inputs: Array) -> Array:
    return (1 + np.tanh(inputs / 2)) / 2  # the same function; tanh cannot overflow as exp can


def _normal_share(inputs: Array) -> Array:
    share: Array = (1 + _erf(inputs / math.sqrt(2))) / 2
    return share.astype(inputs.dtype)


def _tanh_argument(inputs: Array) -> Array:
    near = _near(inputs)
    return math.sqrt(2 / math.pi) * (near + _TANH_CUBE * near**3)


def _near(inputs: Array) -> Array:
    return np.clip(inputs, -_FAR, _FAR)  # a cube that overflows would end as 0 · inf = NaN


def _check_grad(grad_output: Array, inputs: Array) -> None:
    _check.floats(np.ndarray, inputs=inputs, grad_output=grad_output)
    _check.shape("grad_output", grad_output, inputs.shape, "the shape of inputs")
