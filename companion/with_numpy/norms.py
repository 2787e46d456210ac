"""Norms: bring each vector to a common size, then give each unit its own scale."""

import numpy as np

from companion import _check, _check_layers
from companion.with_numpy._types import Array


def layer_norm(inputs: Array, weight: Array, bias: Array, eps: float = 1e-5) -> Array:
    """Give each vector mean 0 and variance 1 over its units, then scale and shift each unit.

        output = weight (inputs - mean) / √(variance + eps) + bias

    inputs (..., C)   weight (C,)   bias (C,), floating, one dtype; mean, variance over C (not C-1)
    Returns output (..., C).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Ba et al. 2016, section 3; eps inside the root keeps a constant vector from 0/0.
    """
    _check_layers.norm(np.ndarray, inputs, eps, weight=weight, bias=bias)
    standard, _ = _standardise(_wide(inputs), eps)
    return _like(inputs, standard) * weight + bias


def layer_norm_backward(
    grad_output: Array, inputs: Array, weight: Array, bias: Array, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Gradients of `layer_norm`: what would shift or stretch the whole vector is projected out.

        ∂L/∂inputs = (u - mean(u) - z mean(u z)) / √(variance + eps),   u = weight g
        ∂L/∂weight = Σ_n g_n z_n,   ∂L/∂bias = Σ_n g_n          z = standardised, g = ∂L/∂output

    grad_output (..., C), the others as in `layer_norm`; n runs over all leading axes
    Returns grad_inputs (..., C), grad_weight (C,) and grad_bias (C,).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_layers.norm(np.ndarray, inputs, eps, weight=weight, bias=bias)
    _check_grad(grad_output, inputs)
    standard, spread = _standardise(_wide(inputs), eps)
    along = grad_output * weight
    stretch = (along * standard).mean(axis=-1, keepdims=True)
    grad_inputs = (along - along.mean(axis=-1, keepdims=True) - standard * stretch) / spread
    grad_weight, grad_bias = _over_rows(grad_output * standard), _over_rows(grad_output)
    return _like(inputs, grad_inputs), _like(inputs, grad_weight), grad_bias


def rms_norm(inputs: Array, weight: Array, eps: float = 1e-5) -> Array:
    """Divide each vector by its root mean square, then scale each unit.

        output = weight inputs / √(mean(inputs²) + eps)

    inputs (..., C)   weight (C,), floating, one dtype; mean over C   Returns output (..., C).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    Source: Zhang & Sennrich 2019, eq. 4; there without eps, which keeps a zero vector from 0/0.
    """
    _check_layers.norm(np.ndarray, inputs, eps, weight=weight)
    wide = _wide(inputs)
    scaled = wide / _root_mean_square(wide, eps)
    return _like(inputs, scaled) * weight


def rms_norm_backward(
    grad_output: Array, inputs: Array, weight: Array, eps: float = 1e-5
) -> tuple[Array, Array]:
    """Gradients of `rms_norm`: what would stretch the whole vector is projected out.

        ∂L/∂inputs = (u - z mean(u z)) / r,   u = weight g,   z = inputs / r
        ∂L/∂weight = Σ_n g_n z_n                 r = √(mean(inputs²) + eps), g = ∂L/∂output

    grad_output (..., C), the others as in `rms_norm`; n runs over all leading axes
    Returns grad_inputs (..., C) and grad_weight (C,).

    Raises TypeError or ValueError naming the argument whose dtype or shape does not fit.
    """
    _check_layers.norm(np.ndarray, inputs, eps, weight=weight)
    _check_grad(grad_output, inputs)
    wide = _wide(inputs)
    root = _root_mean_square(wide, eps)
    scaled, along = wide / root, grad_output * weight
    stretch = (along * scaled).mean(axis=-1, keepdims=True)
    grad_weight = _over_rows(grad_output * scaled)
    return _like(inputs, (along - scaled * stretch) / root), _like(inputs, grad_weight)


def _wide(inputs: Array) -> Array:
    """float16 squares overflow beyond 255, and it rounds a small eps to 0."""
    return inputs.astype(np.promote_types(inputs.dtype, np.float32), copy=False)


def _like(inputs: Array, wide: Array) -> Array:
    return wide.astype(inputs.dtype, copy=False)


def _standardise(inputs: Array, eps: float) -> tuple[Array, Array]:
    centred = inputs - inputs.mean(axis=-1, keepdims=True)
    spread = _root_mean_square(centred, eps)
    return centred / spread, spread


def _root_mean_square(inputs: Array, eps: float) -> Array:
    return np.sqrt((inputs**2).mean(axis=-1, keepdims=True) + float(eps))


def _over_rows(array: Array) -> Array:
    return array.reshape(-1, array.shape[-1]).sum(axis=0)


def _check_grad(grad_output: Array, inputs: Array) -> None:
    _check.floats(np.ndarray, inputs=inputs, grad_output=grad_output)
    _check.shape("grad_output", grad_output, inputs.shape, "the shape of inputs")
