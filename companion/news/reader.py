"""The news reader: one encoder that judges an article, and a decoder that tells it shorter.

    memory = encoder(article)
    sentence score    sentence_proj · memory at each SENTENCE mark        does it carry the news?
    rubric            rubric_proj · memory at ARTICLE                     four yes-or-no questions
    summary           pointer_generator                                   write or copy
"""

import torch
from torch import Tensor

from companion.config import TransformerConfig
from companion.news.batches import IGNORE, Batch
from companion.news.units import SENTENCE
from companion.news.shapes import reader_shapes
from companion.with_torch.init import init_parameters
from companion.with_torch.layers import linear
from companion.with_torch.losses import binary_cross_entropy
from companion.with_torch.pointer import copy_cross_entropy, pointer_parts
from companion.with_torch.residual import Params


def reader_config(vocabulary: int, **changes: object) -> TransformerConfig:
    """The sizes of the shipped model."""
    config = TransformerConfig(
        vocabulary=vocabulary, width=128, heads=4, layers=2, hidden=512, norm_first=True,
        positions="sinusoidal", dropout=0.1,
    )
    return config.but(**changes)


def init_reader(config: TransformerConfig, generator: torch.Generator) -> dict[str, Tensor]:
    return init_parameters(reader_shapes(config), generator)


def judge(
    memory: Tensor, source: Tensor, lengths: Tensor, params: Params
) -> tuple[Tensor, Tensor]:
    """Logits of each sentence (B, N) and of the rubric (B, 4).

    A sentence is the mean of its units' states, the article the mean of its own.
    """
    number = torch.cumsum(source == SENTENCE, dim=1) - 1  # the sentence of each place
    N = int(number.max()) + 1
    real = torch.arange(source.shape[1]) < lengths[:, None]
    inside = (number[:, None] == torch.arange(N)[:, None]) & real[:, None]
    share = inside / inside.sum(dim=-1, keepdim=True).clamp(min=1)
    sentences = share.to(memory.dtype) @ memory
    whole = (real / lengths[:, None]).to(memory.dtype)[:, None] @ memory
    own = linear(sentences, params["sentence_proj.weight"], params["sentence_proj.bias"])
    rubric = linear(whole, params["rubric_proj.weight"], params["rubric_proj.bias"])
    return own[..., 0], rubric[:, 0]


def reader_loss(
    params: Params, batch: Batch, config: TransformerConfig, seed: int | None, *,
    weights: tuple[float, float, float] = (1.0, 1.0, 0.5),
) -> tuple[Tensor, dict[str, Tensor]]:
    memory, parts = pointer_parts(batch.source, batch.before, params, config, batch.lengths, seed=seed)
    sentences, rubric = judge(memory, batch.source, batch.lengths, params)
    losses = {"summary": copy_cross_entropy(*parts, batch.source, batch.after)}
    known = batch.carries != IGNORE
    losses["sentence"] = binary_cross_entropy(sentences[known], batch.carries[known].to(memory.dtype))
    known = batch.rubric != IGNORE
    losses["rubric"] = binary_cross_entropy(rubric[known], batch.rubric[known].to(memory.dtype))
    total = sum(w * l for w, l in zip(weights, losses.values()))
    return total, losses
