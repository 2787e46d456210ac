"""From news items to the tensors a model learns from: encoded once, padded batch by batch.

examples = [encode_item(item, lexicon) for item in load_articles("en", "train")]
loader = DataLoader(examples, batch_sampler=length_buckets(...), collate_fn=collate_fn)
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from companion import _check
from companion.news.dataset import RUBRIC
from companion.news.units import (
    END,
    FIRST_WORD,
    KINDS,
    PAD,
    SLOTS,
    START,
    Encoded,
    Lexicon,
    encode_summary,
    encode_text,
    slot,
)
from companion.with_numpy._types import Array

IGNORE = -100


class Example(NamedTuple):
    """One item, encoded: article, target ids (T,) with END, carries (N,) 0 or 1, rubric (4,).

    N sentences. What an item does not tell is IGNORE: carries or rubric that are not labelled.
    """

    article: Encoded
    target: Array
    carries: Array
    rubric: Array


class Batch(NamedTuple):
    """B items as tensors.

    source (B, S), lengths (B,)
    before, after (B, T) the target from START on, and what comes next, IGNORE for padding
    carries (B, N) 0 or 1, rubric (B, 4) 0 or 1; IGNORE where there is no label
    """

    source: Tensor
    lengths: Tensor
    before: Tensor
    after: Tensor
    carries: Tensor
    rubric: Tensor


def encode_item(item: Mapping[str, Any], lexicon: Lexicon, *, slots: bool = True) -> Example:
    """Encode one news item: the content as source, the summary as target.

    item with content and summary; carries and rubric are labels where they are there
    lexicon, slots as in `encode_text`
    Returns an `Example`; the title is not read.

    Raises TypeError or ValueError as `encode_text`, KeyError for an item without content.
    """
    article = encode_text(item["content"], lexicon, slots=slots)
    target = encode_summary(item["summary"], article, lexicon) if item.get("summary") else [END]
    N = len(article.texts)
    carries = np.full(N, IGNORE)
    if item.get("carries") is not None:
        carries = np.isin(np.arange(N), list(item["carries"])).astype(np.int64)
    rubric = np.full(len(RUBRIC), IGNORE)
    if item.get("rubric") is not None:
        rubric = np.array([item["rubric"][name] for name in RUBRIC])
    return Example(article, np.array(target, dtype=np.int64), carries, rubric)


def collate_fn(
    examples: Sequence[Example],
    *,
    rng: np.random.Generator | None = None,
    hide: float = 0.0,
    drop: float = 0.0,
) -> Batch:
    """Put examples of unequal length into one batch, padded to the longest of them.

    examples B of them, at least one
    rng to give slots out anew in each article, so that no slot means anything by itself (training);
      None: as they are   hide the share of known words to be shown as rare ones, from 0 to 1
    drop the share of examples that lose sentences which carry nothing, from 0 to 1: a summary is
      written from the sentences that were chosen, and so it is learned from some and from all;
      a sentence stays that has a name or number of the summary which is nowhere else
    Returns a `Batch`; padding is at the right, and never a label.

    Raises ValueError if there is no example, hide or drop is no share, or they need an rng.
    """
    if not examples:
        raise ValueError("examples: expected at least one, got none")
    for name, share in (("hide", hide), ("drop", drop)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name}: expected 0 to 1, got {share}")
        if share and rng is None:
            raise ValueError(
                f"rng: expected a numpy.random.Generator for {name} = {share}, got None"
            )
    sources, targets, carries = [], [], []
    for example in examples:
        source, target, own = example.article.ids, example.target, example.carries
        if rng is not None:
            source, own = _fewer_sentences(example, rng, drop)
            table = _other_slots(source, target, rng, hide)
            source, target = table[source], table[target]
        sources.append(source)
        targets.append(target)
        carries.append(own)
    return Batch(
        _padded(sources, PAD),
        torch.tensor([len(ids) for ids in sources]),
        _padded([np.array([START, *target[:-1]]) for target in targets], PAD),
        _padded(targets, IGNORE),
        _padded(carries, IGNORE),
        torch.tensor(np.stack([example.rubric for example in examples])),
    )


def length_buckets(
    lengths: Sequence[int], batch_size: int, *, seed: int | None = None, pool: int = 20
) -> list[list[int]]:
    """Batches of items of like length, so that little of a batch is padding.

    lengths of the n items   batch_size B   seed of the order; None: shortest first, nothing drawn
    pool how many batches' worth of items are sorted together: the larger, the less padding and the
      less chance in who shares a batch
    Returns the batches, lists of item numbers; each item is in one of them.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    _check.length(1, batch_size=batch_size, pool=pool)
    order = np.arange(len(lengths))
    rng = None if seed is None else np.random.default_rng(seed)
    if rng is not None:
        rng.shuffle(order)
    size = len(order) if rng is None else batch_size * pool
    batches = []
    for first in range(0, len(order), max(size, 1)):
        some = sorted(order[first : first + size].tolist(), key=lambda n: lengths[n])
        batches += [some[n : n + batch_size] for n in range(0, len(some), batch_size)]
    if rng is not None:
        rng.shuffle(batches)
    return batches


def _fewer_sentences(
    example: Example, rng: np.random.Generator, drop: float
) -> tuple[Array, Array]:
    """The article without some of the sentences that carry nothing, or as it is."""
    source, carries = example.article.ids, example.carries
    if rng.random() >= drop or not (carries == 1).any():
        return source, carries
    kept = (carries == 1) | (rng.random(len(carries)) < 0.3)
    places = example.article.sentences
    wanted = np.intersect1d(source, example.target[example.target < FIRST_WORD])
    lost = np.setdiff1d(wanted, source[(places < 0) | kept[places]])
    kept[places[np.isin(source, lost)]] = True  # copied from there, or not to be written at all
    return source[(places < 0) | kept[places]], carries[kept]


def _other_slots(source: Array, target: Array, rng: np.random.Generator, hide: float) -> Array:
    """A table id → id: slots of each kind drawn anew, and a few words turned into rare ones."""
    size = 1 + max(FIRST_WORD, int(source.max()), int(target.max()))
    words = np.unique(source[source >= FIRST_WORD])
    table = np.arange(size)
    for kind in KINDS:
        first = slot(kind, 0)
        own = np.arange(first, first + SLOTS[kind])
        table[own] = rng.permutation(own)
        if kind == "rare" and hide:
            used = np.unique(source[(source >= first) & (source < first + SLOTS[kind])])
            free = np.setdiff1d(own, table[used])
            hidden = words[rng.random(len(words)) < hide][: len(free)]
            table[hidden] = rng.permutation(free)[: len(hidden)]
    return table


def _padded(rows: Sequence[Array], value: int) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(
        [torch.as_tensor(row) for row in rows], batch_first=True, padding_value=value
    )
