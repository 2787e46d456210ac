"""First values of the parameters, by the kind of parameter that the name tells."""

import torch
from torch import Tensor

from companion import _check
from companion.params import Shapes


def init_parameters(
    shapes: Shapes, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """Draw parameters of the given shapes, on the generator's device.

        norm weight 1    bias 0    embedding row ~ N(0, 1/C)    weight ~ U(-a, a), a = √(6/(in+out))

    shapes name → any shape, as `decoder_shapes(config)` and its sisters give them
    generator the one source of the draw
    Returns one tensor of `dtype` under each name.

    Raises TypeError if generator is not a torch.Generator.
    Source: Glorot & Bengio 2010, eq. 16, for the weights; each token vector starts with length
    near 1, so that `scaled_embedding` brings its units to the size of the sinusoids.
    """
    if not isinstance(generator, torch.Generator):
        raise TypeError(f"generator: expected torch.Generator, got {type(generator).__name__}")
    return {name: _draw(name, shape, generator).to(dtype) for name, shape in shapes.items()}


def _draw(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    _check.length(1, **{f"shapes[{name!r}]": min(shape)})
    empty = torch.empty(shape, dtype=torch.float32, device=generator.device)
    if name.endswith(".bias"):
        return empty.zero_()
    if len(shape) == 1:  # the one kind of weight that is no matrix is a norm's
        return empty.fill_(1)
    if name.endswith("_embedding.weight"):
        return empty.normal_(0, shape[-1] ** -0.5, generator=generator)
    edge = (6 / (shape[0] + shape[1])) ** 0.5
    return empty.uniform_(-edge, edge, generator=generator)
