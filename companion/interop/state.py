"""Read a foreign state: each of our parameters says where it lies there, and nothing is guessed."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from companion import _check
from companion.config import TransformerConfig
from companion.interop.arrays import is_finite, kind_of, owned, zeros
from companion.params import Shapes

__all__ = ["Imported"]

_SHOWN = 4  # names of a list in an error; the others are counted


class Imported(NamedTuple):
    """A config and the parameters that fit it: `Encoder(*imported)`, `config, params = imported`.

    params name → array (out, in), of the library and dtype that the foreign state had; copies
    """

    config: TransformerConfig
    params: dict[str, Any]


class Source(NamedTuple):
    """Where one of our parameters lies: `name`, perhaps a third of it, perhaps on its side."""

    name: str
    third: int | None = None  # 0, 1, 2: query, key, value, stacked along Out in one array
    transposed: bool = False  # stored (in, out)


Sources = dict[str, Source | None]  # None: zeros, where a foreign layer has no such parameter


def load(
    state: Mapping[str, Any], sources: Sources, shapes: Shapes, ignored: Collection[str] = ()
) -> dict[str, Any]:
    """Our parameters, in the order of `shapes`, out of a foreign state.

    ignored: names that may be there and are not read
    Returns copies, of the library and dtype that the state has.

    Raises TypeError or ValueError naming what is missing, unexpected, misshapen, not finite, or of
    another library or dtype than the rest.
    """
    _check_names(state, {source.name for source in sources.values() if source}, set(ignored))
    used = {_called(source): state[source.name] for source in sources.values() if source}
    first = next(iter(used.values()))
    _check.floats(kind_of(first), **used)
    for name, shape in shapes.items():
        if source := sources[name]:
            array, axes = state[source.name], "its shape by the config"
            _check.shape(_called(source), array, _foreign(shape, source), axes)
    for called, array in used.items():
        if not is_finite(array):
            raise ValueError(f"{called}: expected finite numbers, got NaN or infinity")
    return {
        name: _read(state, source, shape) if (source := sources[name]) else zeros(first, shape)
        for name, shape in shapes.items()
    }


def linear_sources(
    ours: str, theirs: str, *, bias: bool = True, transposed: bool = False
) -> Sources:
    """A linear layer's weight (out, in), or (in, out) if transposed, and its bias."""
    found: Sources = {f"{ours}.weight": Source(f"{theirs}.weight", transposed=transposed)}
    return found | ({f"{ours}.bias": Source(f"{theirs}.bias")} if bias else {})


def check_state(state: Mapping[str, Any]) -> None:
    """TypeError unless `state` is a mapping, such as a model's state_dict()."""
    if not isinstance(state, Mapping):
        came = type(state).__name__
        raise TypeError(f"state_dict: expected a mapping of names to arrays, got {came}")


def expect(where: str, came: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """ValueError naming the first option that is not as wanted."""
    for name, value in wanted.items():
        if came.get(name) != value:
            raise ValueError(f"{where}.{name}: expected {value!r}, got {came.get(name)!r}")


def _read(state: Mapping[str, Any], source: Source, shape: tuple[int, ...]) -> Any:
    array = state[source.name]
    if source.transposed:
        array = array.T
    if source.third is not None:
        array = array[source.third * shape[0] : (source.third + 1) * shape[0]]
    return owned(array)


def _foreign(shape: tuple[int, ...], source: Source) -> tuple[int, ...]:
    """The shape that the source must have for its part to have our shape."""
    if source.third is not None:
        shape = (3 * shape[0], *shape[1:])
    return shape[::-1] if source.transposed else shape


def _called(source: Source) -> str:
    return f"state_dict[{source.name!r}]"


def _check_names(state: Mapping[str, Any], wanted: set[str], ignored: set[str]) -> None:
    missing, extra = sorted(wanted - state.keys()), sorted(state.keys() - wanted - ignored)
    if missing or extra:
        raise ValueError(
            f"state_dict: expected the names of its config, got "
            f"missing: {_some(missing)}; unexpected: {_some(extra)}"
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "none") + more
