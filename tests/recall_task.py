"""A task that needs attention, and the smallest model for it, in both wings.

Four notes "key k holds value v", one token each, keys in any order; then a question "what does k
hold?". Mixing the notes without looking (the mean) knows which values occur, not which is asked.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from companion.with_numpy.attention import attention, attention_backward
from companion.with_numpy.losses import cross_entropy, cross_entropy_backward
from companion.with_torch.attention import attention as torch_attention
from companion.with_torch.losses import cross_entropy as torch_cross_entropy

KEYS, VALUES, C = 4, 4, 16
NOTES = KEYS * VALUES  # note (k, v) is token k VALUES + v, question k is token NOTES + k


def draw_examples(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """tokens (count, KEYS + 1), the question last, and answers (count,)."""
    keys = rng.permuted(np.tile(np.arange(KEYS), (count, 1)), axis=1)
    values = rng.integers(VALUES, size=(count, KEYS))
    asked = rng.integers(KEYS, size=count)
    tokens = np.concatenate([keys * VALUES + values, NOTES + asked[:, None]], axis=1)
    return tokens, values[keys == asked[:, None]]


def most_frequent_value(tokens: np.ndarray) -> np.ndarray:
    """The best guess (B,) of who reads the notes and not the question."""
    values = tokens[:, :KEYS] % VALUES
    return np.array([np.bincount(row, minlength=VALUES).argmax() for row in values])


def draw_params(rng: np.random.Generator, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    shapes = {
        "token_embedding.weight": (NOTES + KEYS, C),
        "query_proj.weight": (C, C),
        "key_proj.weight": (C, C),
        "value_proj.weight": (C, C),
        "output_proj.weight": (VALUES, C),
    }
    return {n: (rng.standard_normal(s) / C**0.5).astype(dtype) for n, s in shapes.items()}


def batches(tokens: np.ndarray, answers: np.ndarray, size: int, convert: Any = lambda a: a) -> Any:
    """A factory as `train` takes it: each epoch another order."""

    def of_epoch(epoch: int, seed: int) -> Any:
        order = np.random.default_rng(seed).permutation(len(tokens))
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        return [(convert(tokens[part]), convert(answers[part])) for part in parts]

    return of_epoch


# ------------------------------------------------------------------------- NumPy, by hand


def numpy_logits(params: Any, tokens: np.ndarray) -> tuple[np.ndarray, tuple[Any, ...]]:
    embedded = params["token_embedding.weight"][tokens]  # (B, S + 1, C)
    notes, question = embedded[:, :-1], embedded[:, -1:]
    query = question @ params["query_proj.weight"].T
    key, value = (notes @ params[f"{n}_proj.weight"].T for n in ("key", "value"))
    mixed, weights = attention(query, key, value)
    saved = (notes, question, query, key, value, mixed, weights)
    return mixed[:, 0] @ params["output_proj.weight"].T, saved


def numpy_loss_and_grad(params: Any, batch: Any, seed: int | None) -> Any:
    tokens, answers = batch
    logits, saved = numpy_logits(params, tokens)
    loss = cross_entropy(logits, answers)
    if seed is None:
        return loss, {}
    notes, question, query, key, value, mixed, weights = saved
    grad_logits = cross_entropy_backward(1.0, logits, answers)
    grad_mixed = (grad_logits @ params["output_proj.weight"])[:, None]
    grad_query, grad_key, grad_value = attention_backward(grad_mixed, query, key, value, weights)
    grads = {"output_proj.weight": grad_logits.T @ mixed[:, 0]}
    grad_embedded = np.zeros((*tokens.shape, C), logits.dtype)
    for name, grad, inputs, place in (
        ("query", grad_query, question, np.s_[:, -1:]),
        ("key", grad_key, notes, np.s_[:, :-1]),
        ("value", grad_value, notes, np.s_[:, :-1]),
    ):
        grads[f"{name}_proj.weight"] = grad.reshape(-1, C).T @ inputs.reshape(-1, C)
        grad_embedded[place] += grad @ params[f"{name}_proj.weight"]
    grads["token_embedding.weight"] = np.zeros_like(params["token_embedding.weight"])
    np.add.at(grads["token_embedding.weight"], tokens, grad_embedded)
    return loss, grads


def numpy_with_dropout(params: Any, batch: Any, seed: int | None) -> Any:
    """Training with notes lost at random: each batch from its seed loses one column."""
    tokens, answers = batch
    if seed is not None:
        lost = np.random.default_rng(seed).integers(KEYS)
        tokens = np.delete(tokens, lost, axis=1)
    return numpy_loss_and_grad(params, (tokens, answers), seed)


# -------------------------------------------------------------------------------- PyTorch


class Recall(nn.Module):
    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(NOTES + KEYS, C)
        self.query_proj = nn.Linear(C, C, bias=False)
        self.key_proj = nn.Linear(C, C, bias=False)
        self.value_proj = nn.Linear(C, C, bias=False)
        self.output_proj = nn.Linear(C, VALUES, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        embedded = self.dropout(self.token_embedding(tokens))
        notes, question = embedded[:, :-1], embedded[:, -1:]
        mixed, _ = torch_attention(
            self.query_proj(question), self.key_proj(notes), self.value_proj(notes)
        )
        return self.output_proj(mixed[:, 0])


def torch_loss(model: Any, batch: Any, seed: int | None) -> torch.Tensor:
    tokens, answers = batch
    return torch_cross_entropy(model(tokens), answers)
