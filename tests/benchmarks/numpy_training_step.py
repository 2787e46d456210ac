"""The same training step by hand in NumPy and by autograd in torch, each with its wing's AdamW."""

from functools import partial
from typing import Any

import numpy as np
import twins
from measure import Contender, Contenders
from training_step import IGNORED, amount, batches, ours, torch_transformer

__all__ = ["amount"]

BASELINE = "companion, torch"
UNIT = "real tokens"
SETUPS = [{"C": 128, "V": 4000, "B": 48, "S": 64, "T": 32, "real": real} for real in (2 / 3, 1.0)]
QUICK = [{"C": 32, "V": 50, "B": 4, "S": 9, "T": 6, "real": 2 / 3}]
TOLERANCE = 2e-5


def contenders(C: int, V: int, B: int, **data: Any) -> Contenders:
    """Each gives its loss, and the norm of the embedding's gradient."""
    config = twins.config_of(C, V)
    weights = twins.draw_weights(config, np.random.default_rng(0))
    ((batch,), _) = batches(V, B, **data)

    def truth() -> np.ndarray:
        model, loss, embedding = torch_transformer(config, weights)
        model.double()
        value = loss(batch)
        value.backward()
        return np.array([value.item(), float(embedding.grad.norm())])

    arrays = [part.numpy() for part in batch]
    return {
        "companion, NumPy": Contender(
            partial(with_numpy, config, weights, arrays), truth, TOLERANCE
        ),
        BASELINE: Contender(with_torch(config, weights, batch), truth, TOLERANCE),
    }


def with_numpy(config: Any, weights: twins.Weights, batch: list[np.ndarray]) -> np.ndarray:
    from companion.with_numpy import (
        adamw,
        cross_entropy,
        cross_entropy_backward,
        seq2seq,
        seq2seq_backward,
    )

    source, lengths, target, labels = batch
    logits = seq2seq(source, target, weights, config, lengths)
    loss = cross_entropy(logits, labels, ignore_index=IGNORED)
    grad_logits = cross_entropy_backward(1.0, logits, labels, ignore_index=IGNORED)
    grads = seq2seq_backward(grad_logits, source, target, weights, config, lengths)
    adamw(weights, grads, None, learning_rate=0.0)
    return np.array([float(loss), float(np.linalg.norm(grads["token_embedding.weight"]))])


def with_torch(config: Any, weights: twins.Weights, batch: Any) -> Any:
    from companion.with_torch import adamw, cross_entropy, module_loss_and_grad, module_params

    def loss(model: Any, batch: Any, seed: int | None) -> Any:
        source, lengths, target, labels = batch
        return cross_entropy(model(source, target, lengths), labels, ignore_index=IGNORED)

    module, _, _ = ours(config, weights)
    params, loss_and_grad = module_params(module), module_loss_and_grad(module, loss)

    def step() -> np.ndarray:
        value, grads = loss_and_grad(params, batch, 0)
        adamw(params, grads, None, learning_rate=0.0)
        return np.array([float(value), float(grads["token_embedding.weight"].norm())])

    return step
