"""A training step of an encoder-decoder: forward, backward and AdamW, in real tokens per second.

The learning rate is 0, so that every round does the same work and its loss can be checked.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import twins
from measure import Contender, Contenders

BASELINE = "Hugging Face, Bart"
UNIT = "real tokens"
MODEL = {"C": 128, "V": 4000}
SETUPS = [
    {**MODEL, "B": 48, "S": 64, "T": 32, "real": 2 / 3},
    {**MODEL, "B": 48, "S": 64, "T": 32, "real": 1.0},
    {**MODEL, "B": 48, "news": 480},
]
QUICK = [
    {"C": 32, "V": 50, "B": 4, "S": 9, "T": 6, "real": 2 / 3},
    {"C": 32, "V": 50, "B": 4, "news": 12},
]
TOLERANCE = 2e-5  # float32; a gradient's norm is a sum over some thousand tokens
IGNORED = -100
OF_THEIR_OWN = ("Hugging Face, T5", "x-transformers (flash)")  # weights, in models of like size

Batch = tuple[Any, Any, Any, Any]  # source (B, S), its lengths (B,), target and labels (B, T)
Loss = Callable[[Batch], Any]
Maker = Callable[[Any, twins.Weights], tuple[Any, Loss, Any]]  # model, loss, embedding


def contenders(C: int, V: int, B: int, **data: Any) -> Contenders:
    """Each gives its loss, and the norm of the embedding's gradient, summed over the batches."""
    import torch

    torch.manual_seed(0)
    config = twins.config_of(C, V)
    weights = twins.draw_weights(config, np.random.default_rng(0))
    drawn, by_length = batches(V, B, **data)

    found: Contenders = {}
    makers: dict[str, Maker] = {
        "companion": ours,
        "companion, by length": ours,
        BASELINE: partial(hugging_face, twins.bart),
        "torch, nn.Transformer": torch_transformer,
        "Hugging Face, T5": partial(hugging_face, t5),
        "x-transformers (flash)": x_transformers,
    }
    if by_length is None:
        del makers["companion, by length"]
    for name, make in makers.items():
        try:
            model, loss, embedding = make(config, weights)
        except ImportError as error:
            found[name] = f"not installed: {error.name}"
            continue
        shown = by_length if name == "companion, by length" else drawn
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)
        true = partial(in_float64, torch_transformer, config, weights, shown)
        if name in OF_THEIR_OWN:
            true = partial(in_float64, make, config, weights, shown, model.state_dict())
        found[name] = Contender(partial(epoch, loss, embedding, optimizer, shown), true, TOLERANCE)
    return found


def amount(C: int, V: int, B: int, **data: Any) -> int:
    """The real tokens of one call, of source and target."""
    drawn, _ = batches(V, B, **data)
    return sum(int(batch[1].sum()) + weight_of(batch) for batch in drawn)


def epoch(loss: Loss, embedding: Any, optimizer: Any, shown: list[Batch]) -> np.ndarray:
    total = np.zeros(2)
    for batch in shown:
        optimizer.zero_grad()
        value = loss(batch)
        value.backward()
        optimizer.step()
        total += weight_of(batch) * np.array([value.item(), float(embedding.grad.norm())])
    return total / sum(map(weight_of, shown))


def in_float64(
    make: Maker, config: Any, weights: twins.Weights, shown: list[Batch], own: Any = None
) -> np.ndarray:
    """By torch.nn where the weights are the same, else by the model itself with its own."""
    import torch

    model, loss, embedding = make(config, weights)
    if own is not None:
        model.load_state_dict(own)
    model.double()
    found = epoch(loss, embedding, torch.optim.SGD(model.parameters(), lr=0.0), shown)
    if not 0.5 < found[0] / np.log(config.vocabulary) < 2:  # as before anything is learned
        raise AssertionError(f"loss: expected about ln V, got {found[0]:.2f}")
    return found


def weight_of(batch: Batch) -> int:
    """A batch's share in the mean over all real target tokens."""
    return int((batch[3] != IGNORED).sum())


# -------------------------------------------------------------------------- data


def batches(V: int, B: int, **data: Any) -> tuple[list[Batch], list[Batch] | None]:
    """Batches in drawn order and, of news, batches of like length."""
    rng = np.random.default_rng(1)
    if "news" not in data:
        pair = [drawn_lengths(rng, B, data[axis], data["real"]) for axis in "ST"]
        return [batch(rng, V, *pair)], None
    from companion.news.batches import length_buckets

    source, target = news_lengths(data["news"])
    rows = [batch(rng, V, source[i : i + 1], target[i : i + 1]) for i in range(len(source))]
    drawn = np.random.default_rng(2).permutation(len(rows))
    mixed = [drawn[i : i + B] for i in range(0, len(rows), B)]
    buckets = length_buckets([int(n) for n in source], B, seed=0)
    return [joined(rows, some) for some in mixed], [joined(rows, some) for some in buckets]


def drawn_lengths(rng: np.random.Generator, B: int, longest: int, real: float) -> np.ndarray:
    """Lengths whose mean is the share `real` of the longest, which is there."""
    least = round((2 * real - 1) * longest)
    return np.linspace(least, longest, B).round().astype(int)[rng.permutation(B)]


def news_lengths(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Words of articles and titles of the corpus, written and made."""
    from companion.news.corpus import load_articles
    from companion.news.events import generate_articles
    from companion.text import words

    articles = load_articles("en", "train")[: count // 2]
    articles += generate_articles(count - len(articles), language="en", split="train", seed=0)
    longest = twins.LONGEST - 1
    lengths = [
        [min(len(words(item[field])), longest) for item in articles]
        for field in ("content", "summary")
    ]
    return np.array(lengths[0]), np.array(lengths[1])


def batch(rng: np.random.Generator, V: int, source: np.ndarray, target: np.ndarray) -> Batch:
    import torch

    ids, words = twins.sentences(rng, source, V), twins.sentences(rng, target, V)
    shifted = np.concatenate([np.full((len(words), 1), twins.START), words[:, :-1]], axis=1)
    labels = np.where(words == twins.PAD, IGNORED, words)
    return tuple(torch.from_numpy(array) for array in (ids, source, shifted, labels))


def joined(rows: list[Batch], some: Any) -> Batch:
    """Rows of one each as a batch, padded to its longest."""
    import torch

    fills = (twins.PAD, None, twins.PAD, IGNORED)
    parts = []
    for column, fill in zip(zip(*(rows[i] for i in some), strict=True), fills, strict=True):
        if fill is None:
            parts.append(torch.cat(column))
        else:
            flat = [array[0] for array in column]
            pad = torch.nn.utils.rnn.pad_sequence
            parts.append(pad(flat, batch_first=True, padding_value=fill))
    return tuple(parts)


# ---------------------------------------------------------------------- contenders


def ours(config: Any, weights: twins.Weights) -> tuple[Any, Loss, Any]:
    from companion.interop import as_torch
    from companion.with_torch import Seq2Seq, cross_entropy

    model = Seq2Seq(config, as_torch(weights))

    def loss(batch: Batch) -> Any:
        source, lengths, target, labels = batch
        return cross_entropy(model(source, target, lengths), labels)

    return model, loss, model.params["token_embedding.weight"]


def torch_transformer(config: Any, weights: twins.Weights) -> tuple[Any, Loss, Any]:
    from torch.nn.functional import cross_entropy

    model = twins.torch_transformer(config, weights)

    def loss(batch: Batch) -> Any:
        source, lengths, target, labels = batch
        return cross_entropy(model(source, target, lengths).flatten(0, 1), labels.flatten())

    return model, loss, model.token_embedding.weight


def hugging_face(
    make: Callable[..., Any], config: Any, weights: twins.Weights
) -> tuple[Any, Loss, Any]:
    import torch

    model = make(config, weights).train()

    def loss(batch: Batch) -> Any:
        source, lengths, target, labels = batch
        real = torch.arange(source.shape[1]) < lengths[:, None]
        return model(
            source, attention_mask=real.long(), decoder_input_ids=target, labels=labels
        ).loss

    return model, loss, model.get_input_embeddings().weight


def t5(config: Any, weights: twins.Weights) -> Any:
    """Weights of its own: T5 has no biases, no position vectors and other norms."""
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=config.vocabulary,
            d_model=config.width,
            d_kv=config.head_width,
            d_ff=config.hidden_units,
            num_layers=config.layers,
            num_heads=config.heads,
            dropout_rate=0.0,
            pad_token_id=twins.PAD,
            eos_token_id=twins.EOS,
            decoder_start_token_id=twins.START,
        )
    )


def x_transformers(config: Any, weights: twins.Weights) -> tuple[Any, Loss, Any]:
    """Weights of its own: pre-norm, no biases."""
    import torch
    from x_transformers import XTransformer

    sides = {
        "num_tokens": config.vocabulary,
        "depth": config.layers,
        "heads": config.heads,
        "attn_dim_head": config.head_width,
        "max_seq_len": config.max_length,
        "attn_flash": True,
    }
    options = {f"{side}_{k}": value for side in ("enc", "dec") for k, value in sides.items()}
    model = XTransformer(dim=config.width, tie_token_emb=True, pad_value=twins.PAD, **options)

    def loss(batch: Batch) -> Any:
        source, lengths, target, labels = batch
        real = torch.arange(source.shape[1]) < lengths[:, None]
        whole = torch.cat([target[:, :1], labels], dim=1)  # it shifts them itself
        return model(source, whole, mask=real)

    return model.train(), loss, model.encoder.token_emb.emb.weight
