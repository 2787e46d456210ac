"""First values of the parameters, by the kind of parameter that the name tells."""

import numpy as np

from companion import _check
from companion.params import Shapes
from companion.with_numpy._types import Array


def init_parameters(
    shapes: Shapes, rng: np.random.Generator, dtype: type = np.float32
) -> dict[str, Array]:
    """Draw parameters of the given shapes.

        norm weight 1    bias 0    embedding row ~ N(0, 1/C)    weight ~ U(-a, a), a = √(6/(in+out))

    shapes name → any shape, as `decoder_shapes(config)` and its sisters give them
    rng the one source of the draw
    Returns one array of `dtype` under each name.

    Raises TypeError if rng is not a numpy.random.Generator.
    Source: Glorot & Bengio 2010, eq. 16, for the weights; each token vector starts with length
    near 1, so that `scaled_embedding` brings its units to the size of the sinusoids.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: expected numpy.random.Generator, got {type(rng).__name__}")
    return {name: _draw(name, shape, rng).astype(dtype) for name, shape in shapes.items()}


def _draw(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    _check.length(1, **{f"shapes[{name!r}]": min(shape)})
    if name.endswith(".bias"):
        return np.zeros(shape)
    if len(shape) == 1:  # the one kind of weight that is no matrix is a norm's
        return np.ones(shape)
    if name.endswith("_embedding.weight"):
        return rng.normal(0, shape[-1] ** -0.5, shape)
    edge = (6 / (shape[0] + shape[1])) ** 0.5
    return rng.uniform(-edge, edge, shape)
