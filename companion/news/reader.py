"""The news reader in PyTorch: what it says of a batch, and the loss it is trained by.

memory = encoder(article)
sentence score    sentence_proj · mean of memory over the sentence,   does it carry the news?
                  plus a weight for each of its words
rubric            rubric_proj · mean of memory over the article       four yes-or-no questions
summary           pointer_generator                                   write or copy
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from companion.config import TransformerConfig
from companion.news.batches import IGNORE, Batch
from companion.news.shapes import reader_shapes
from companion.news.units import SENTENCE
from companion.with_torch.copying import copy_cross_entropy
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import embedding, linear
from companion.with_torch.losses import binary_cross_entropy
from companion.with_torch.pointer import pointer_parts
from companion.with_torch.residual import Params

TERMS = ("summary", "sentence", "rubric")


def reader_config(vocabulary: int, **changes: Any) -> TransformerConfig:
    """The sizes of the shipped models.

    vocabulary V of the lexicon   changes of other fields
    Returns a `TransformerConfig`. Raises as it does.
    """
    config = TransformerConfig(
        vocabulary=vocabulary,
        width=96,
        heads=4,
        layers=2,
        hidden=192,
        norm_first=True,
        dropout=0.2,
    )
    return config.but(**changes)


def init_reader(config: TransformerConfig, generator: torch.Generator) -> dict[str, Tensor]:
    """Draw first parameters of the reader, named as in `reader_shapes`; float32.

    Raises TypeError if generator is not a torch.Generator.
    """
    return init_parameters(reader_shapes(config), generator)


def judge(memory: Tensor, source: Tensor, lengths: Tensor, params: Params) -> tuple[Tensor, Tensor]:
    """Does a sentence carry the news, and which points of the rubric does the article get?

        sentence_n = sentence_proj · mean_{s in n} memory_s + Σ_{s in n} sentence_words[source_s]
        rubric = rubric_proj · mean_s memory_s

    memory (B, S, C) the encoder's states   source (B, S) with a SENTENCE mark before each sentence
    lengths (B,)   params with sentence_proj and rubric_proj
    Returns logits of sentences (B, N), of no meaning where a row has fewer, and of the rubric
    (B, 4).

    Raises TypeError or ValueError naming the parameter that does not fit.
    Source: a linear model beside a deep one, added: Cheng et al. 2016 (wide & deep learning).
    """
    number = torch.cumsum(source == SENTENCE, dim=1) - 1  # the sentence of each place
    N = int(number.max()) + 1
    real = torch.arange(source.shape[1], device=source.device) < lengths[:, None]
    every = torch.arange(N, device=source.device)[:, None]
    inside = (number[:, None] == every) & real[:, None]
    share = inside / inside.sum(dim=-1, keepdim=True).clamp(min=1)
    sentences = share.to(memory.dtype) @ memory
    whole = (real / lengths[:, None]).to(memory.dtype)[:, None] @ memory
    own = linear(sentences, params["sentence_proj.weight"], params["sentence_proj.bias"])
    own = own + inside.to(memory.dtype) @ embedding(source, params["sentence_words.weight"])
    rubric = linear(whole, params["rubric_proj.weight"], params["rubric_proj.bias"])
    return own[..., 0], rubric[:, 0]


class Sums(NamedTuple):
    """A loss in parts that add up over batches: sums (3,) in nats and counts (3,), by TERMS."""

    sums: Tensor
    counts: Tensor


def reader_sums(
    params: Params, batch: Batch, config: TransformerConfig, seed: int | None = None
) -> Sums:
    """The surprise of a batch, term by term, and over how many answers it was summed.

    params as `init_reader` names them   batch as `collate_fn` makes it   seed None: no dropout
    Returns `Sums`: words of summaries, sentences, points of rubrics. A term without labels is 0 of
    0. A loss is Σ weight · sum / count; processes that share a batch add up counts first.

    Raises TypeError or ValueError naming the argument that does not fit.
    """
    memory, parts = pointer_parts(
        batch.source, batch.before, params, config, batch.lengths, seed=seed
    )
    sentences, rubric = judge(memory, batch.source, batch.lengths, params)
    summary = copy_cross_entropy(*parts, batch.source, batch.after)
    words = (batch.after != IGNORE).sum()
    labels = batch.carries[:, : sentences.shape[1]]  # rows of a batch may have fewer sentences
    terms = [(summary * words, words), _answers(sentences, labels)]
    terms += [_answers(rubric, batch.rubric)]
    sums, counts = zip(*terms, strict=True)
    return Sums(torch.stack(sums), torch.stack(counts).to(memory.dtype))


def _answers(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    known = labels != IGNORE
    if not known.any():
        return 0 * logits.sum(), known.sum()
    loss = binary_cross_entropy(logits[known], labels[known].to(logits.dtype))
    return loss * known.sum(), known.sum()
