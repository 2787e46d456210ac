"""A layer of attention with many heads, each step of which can be replaced by a wrong one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from companion.assignments.heads.merge import merge_heads
from companion.assignments.heads.split import split_heads

NAMES = ("query_proj", "key_proj", "value_proj", "output_proj")
Step = Callable[..., Any]


def softmax(scores: Any, axis: Any = -1) -> Any:
    """As students write it: NaN where all scores are minus infinity."""
    powers = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def hidden(scores: Any, mask: Any, number: float = -np.inf) -> Any:
    """The scores with a number in place of those that the mask hides."""
    return scores if mask is None else np.where(mask, scores, number)


def over_heads(mask: Any) -> Any:
    """A mask of a batch stretches over the heads: (B, 1 or T, S) to (B, 1, 1 or T, S)."""
    return mask[:, None] if mask.ndim == 3 else mask


def projected(inputs: Any, weight: Any, name: str = "") -> Any:
    """The right projection, whichever it is."""
    return inputs @ weight.T


def sources(x: Any, memory: Any) -> tuple[Any, Any, Any]:
    """What queries, keys and values are made of."""
    return x, memory, memory


def layer(
    x: Any, memory: Any, params: Any, heads: int, mask: Any, *,
    of: Step = sources, project: Step = projected, names: tuple[str, str, str] = NAMES[:3],
    out: Step = projected, split: Step = split_heads, cut: Step = lambda *parts: parts,
    merge: Step = merge_heads, root: Step = lambda C, D, S: D**0.5, stretch: Step = over_heads,
    score: Step = lambda query, key: query @ np.swapaxes(key, -1, -2),
    weigh: Step = lambda scores, mask: softmax(hidden(scores, mask)),
    finish: Step = lambda output, x, weights: output,
) -> Any:  # fmt: skip
    """Attention with heads; the defaults are right.

    of (x, memory) → inputs of query, key, value   names of their weights   project, out with those
    cut (query, key, value) with heads → the same   root (C, D, S) → what scores are divided by
    stretch mask → mask for (B, H, T, S)   weigh (scores, mask) → weights   finish the output
    """
    parts = [
        project(inputs, params[name], name)
        for inputs, name in zip(of(x, memory), names, strict=True)
    ]
    query, key, value = cut(*(split(part, heads) for part in parts))
    scores = score(query, key) / root(x.shape[-1], x.shape[-1] // heads, key.shape[-2])
    weights = weigh(scores, None if mask is None else stretch(mask))
    return finish(out(merge(weights @ value), params["output_proj"]), x, weights)


def of_self(**steps: Any) -> Step:
    """`multi_head_attention` with steps replaced."""

    def multi_head_attention(x: Any, params: Any, heads: int, mask: Any = None) -> Any:
        return layer(x, x, params, heads, mask, **steps)

    return multi_head_attention


def of_two(**steps: Any) -> Step:
    """`cross_attention` with steps replaced."""

    def cross_attention(x: Any, memory: Any, params: Any, heads: int, mask: Any = None) -> Any:
        return layer(x, memory, params, heads, mask, **steps)

    return cross_attention


def drawn_params(rng: np.random.Generator, C: int, dtype: Any = np.float64) -> dict[str, Any]:
    """Weights that spread the scores by about 2, so that no slip drowns in even weights."""
    return {name: (1.5 * rng.normal(size=(C, C)) / C**0.5).astype(dtype) for name in NAMES}


def cold(draw: Callable[[], Any], scores: Callable[[Any], Any], mask: Any) -> Any:
    """A draw in which some query is far from all keys that it may see: from -30 to -15."""
    while True:
        drawn = draw()
        best = np.where(over_heads(mask), scores(drawn), -np.inf).max(axis=-1)
        if -30 < best.min() < -15 and abs(scores(drawn)).max() < 60:
            return drawn


def scores_of(x: Any, memory: Any, params: Any, heads: int) -> Any:
    """The scores (B, H, T, S) of a layer."""
    query, key = (
        split_heads(projected(inputs, params[name]), heads)
        for inputs, name in ((x, "query_proj"), (memory, "key_proj"))
    )
    return query @ np.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5


def drawn_mask(rng: np.random.Generator, *shape: int) -> Any:
    """A mask that leaves every query a key, and hides one from it."""
    mask = rng.random(shape) < 0.6
    some = rng.integers(shape[-1], size=(*shape[:-1], 1))
    np.put_along_axis(mask, some, True, -1)
    np.put_along_axis(mask, (some + 1) % shape[-1], False, -1)
    return mask


def like_package(params: Any) -> dict[str, Any]:
    """The parameters by the names that the package gives them."""
    return {f"{name}.weight": params[name] for name in NAMES}
