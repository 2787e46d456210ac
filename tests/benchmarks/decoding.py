"""Writing 32 tokens, greedily or with 5 beams, from the same weights to the same texts."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import twins
from measure import Contender, Contenders

BASELINE = "Hugging Face, Bart.generate"
SETUPS = [
    {"beams": beams, "B": B, "C": 128, "V": 4000, "S": 64, "N": 32}
    for beams, B in product((1, 5), (1, 16))
]
QUICK = [{"beams": beams, "B": 2, "C": 32, "V": 50, "S": 7, "N": 5} for beams in (1, 5)]
TOLERANCE = 1e-5  # of the bare products; texts must be equal

Decode = Callable[[], np.ndarray]


def contenders(beams: int, B: int, C: int, V: int, S: int, N: int) -> Contenders:
    """Each gives the ids (B, N) of the best text of each source."""
    import torch

    config, rng = twins.config_of(C, V), np.random.default_rng(0)
    weights = sharpened(twins.draw_weights(config, rng))
    lengths = np.linspace(S, S // 3, B).astype(int)
    source = twins.sentences(rng, lengths, V)

    def truth() -> np.ndarray:
        return hugging_face(config, weights, source, lengths, beams, N, torch.float64)()

    found: Contenders = {}
    makers = {
        "companion, torch": partial(ours, wing="with_torch"),
        "companion, NumPy": partial(ours, wing="with_numpy"),
        BASELINE: hugging_face,
    }
    for name, make in makers.items():
        try:
            found[name] = Contender(make(config, weights, source, lengths, beams, N), truth, 0)
        except ImportError as error:
            found[name] = f"not installed: {error.name}"
    as_it_is, sizes = (lambda array: array), (config, beams, B, S, N)
    for wing, make in (("torch", torch.from_numpy), ("NumPy", as_it_is)):
        found[f"products alone, {wing}"] = Contender(
            partial(products, {n: make(w) for n, w in weights.items()}, make, *sizes),
            partial(products, weights, as_it_is, *sizes, np.float64),
            TOLERANCE,
        )
    return found


def sharpened(weights: twins.Weights) -> twins.Weights:
    """Far from a tie between the best words, and not the same word again and again."""
    for name, weight in weights.items():
        if name == "position_embedding.weight" or name.endswith("output_proj.weight"):
            weight *= 3
    return weights


def ours(
    config: Any,
    weights: twins.Weights,
    source: np.ndarray,
    lengths: np.ndarray,
    beams: int,
    N: int,
    *,
    wing: str,
) -> Decode:
    from importlib import import_module

    lib = import_module(f"companion.{wing}")
    arrays: list[Any] = [source, lengths, np.full((len(source), 1), twins.START)]
    if wing == "with_torch":
        import torch

        from companion.interop import as_torch

        model = lib.Seq2Seq(config, as_torch(weights)).requires_grad_(False)
        arrays = [torch.from_numpy(array) for array in arrays]
    else:
        model = lib.Seq2Seq(config, weights)
    source, lengths, start = arrays
    options = {"max_new_tokens": N, "eos_id": twins.EOS, "pad_id": twins.PAD}

    def decode() -> np.ndarray:
        cache = model.start(source, lengths)
        if beams == 1:
            return np.asarray(lib.greedy(model.step, cache, start, **options)[0])
        found = lib.beam_search(
            model.step,
            cache,
            start,
            beams=beams,
            alpha=1.0,
            length_penalty=lib.power_length_penalty,
            **options,
        )
        return np.asarray(found[0][:, 0])

    return decode


def hugging_face(
    config: Any,
    weights: twins.Weights,
    source: np.ndarray,
    lengths: np.ndarray,
    beams: int,
    N: int,
    dtype: Any = None,
) -> Decode:
    import torch

    model = twins.bart(config, weights).to(dtype or torch.float32)
    ids = torch.from_numpy(source)
    real = (torch.arange(ids.shape[1]) < torch.from_numpy(lengths)[:, None]).long()
    search = {"num_beams": beams, "length_penalty": 1.0, "early_stopping": "never"}

    def decode() -> np.ndarray:
        texts = model.generate(
            ids,
            attention_mask=real,
            max_new_tokens=N,
            do_sample=False,
            **(search if beams > 1 else {}),
        )[:, 1:].numpy()  # behind the start token
        short = N - texts.shape[1]
        return np.pad(texts, [(0, 0), (0, short)], constant_values=twins.PAD)

    return decode


def products(
    weights: dict[str, Any],
    make: Callable[[np.ndarray], Any],
    config: Any,
    beams: int,
    B: int,
    S: int,
    N: int,
    dtype: type = np.float32,
) -> np.ndarray:
    """The matrix products of writing N tokens with a cache and nothing else: this writes no text.

    Its inputs are the same numbers throughout; what is returned are the last logits.
    """
    H, D = config.heads, config.head_width
    wide = max(S, N)

    def some(*shape: int) -> Any:
        return make(np.cos(np.arange(np.prod(shape))).reshape(shape).astype(dtype))

    def block(name: str, rows: int, parts: tuple[str, ...]) -> None:
        for part in parts:
            weight = weights[f"{name}.{part}.weight"]
            inputs[rows, weight.shape[1]] @ weight.T

    def look(rows: int, new: int, seen: int) -> None:
        query, memory = heads[rows, new]
        scores = query @ memory[:, :, :seen].swapaxes(-1, -2)
        scores @ memory[:, :, :seen]

    sizes = {B * S, B * N, B, B * beams}
    inputs = {(n, k): some(n, k) for n in sizes for k in (config.width, config.hidden_units)}
    heads = {
        (n, new): (some(n, H, new, D), some(n, H, wide, D))
        for n, new in {(B, S), (B, 1), (B * beams, 1)}
    }
    for i in range(config.layers):
        block(f"encoder.{i}", B * S, WHOLE)
        look(B, S, S)
        block(f"decoder.{i}.cross_attention", B * S, ("key_proj", "value_proj"))
    for t in range(N):
        rows = B * beams if t else B
        for i in range(config.layers):
            block(f"decoder.{i}", rows, (*WHOLE, *CROSS))
            look(rows, 1, t + 1)
            look(rows, 1, S)
        logits = inputs[rows, config.width] @ weights["token_embedding.weight"].T
    return np.asarray(logits)


WHOLE = (
    *(f"self_attention.{part}_proj" for part in ("query", "key", "value", "output")),
    *(f"feed_forward.{part}_proj" for part in ("up", "down")),
)
CROSS = ("cross_attention.query_proj", "cross_attention.output_proj")
