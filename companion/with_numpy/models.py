"""Models to hold in the hand: a config with the parameters that fit it.

Each method calls the function of its name with them; nothing else is kept. Parameters change by
making a new model, or by an optimiser that writes into the dict.
"""

from dataclasses import dataclass

import numpy as np

from companion.config import TransformerConfig
from companion.params import check_params, decoder_shapes, encoder_shapes, seq2seq_shapes
from companion.with_numpy._types import Array
from companion.with_numpy.cache import Cache
from companion.with_numpy.decoder import decoder, decoder_backward, decoder_step
from companion.with_numpy.encoder import (
    classifier,
    classifier_backward,
    encoder,
    encoder_backward,
)
from companion.with_numpy.residual import Grads
from companion.with_numpy.seq2seq import (
    seq2seq,
    seq2seq_backward,
    seq2seq_start,
    seq2seq_step,
)


@dataclass(frozen=True)
class Decoder:
    """A config and the parameters that fit it; each method calls the function of its name.

    params as `init_decoder` draws them   Returns what the function of each method returns.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    config: TransformerConfig
    params: dict[str, Array]

    def __post_init__(self) -> None:
        check_params(np.ndarray, self.params, decoder_shapes(self.config))

    def forward(self, ids: Array, *, seed: int | None = None) -> Array:
        """`decoder`: ids (B, T) → logits (B, T, V)."""
        return decoder(ids, self.params, self.config, seed=seed)

    __call__ = forward

    def backward(self, grad_logits: Array, ids: Array, *, seed: int | None = None) -> Grads:
        """`decoder_backward`: the gradient of each parameter."""
        return decoder_backward(grad_logits, ids, self.params, self.config, seed=seed)

    def step(
        self, ids: Array, cache: Cache, *, lengths: Array | None = None
    ) -> tuple[Array, Cache]:
        """`decoder_step`: logits (B, T, V) and the longer cache."""
        return decoder_step(ids, cache, self.params, self.config, lengths=lengths)


@dataclass(frozen=True)
class Encoder:
    """A config and the parameters that fit it; each method calls the function of its name.

    params as `init_encoder` draws them   Returns what the function of each method returns.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    config: TransformerConfig
    params: dict[str, Array]

    def __post_init__(self) -> None:
        check_params(np.ndarray, self.params, encoder_shapes(self.config))

    def forward(
        self,
        ids: Array,
        lengths: Array | None = None,
        *,
        segments: Array | None = None,
        seed: int | None = None,
    ) -> Array:
        """`encoder`: ids (B, T) → states (B, T, C)."""
        return encoder(ids, self.params, self.config, lengths, segments=segments, seed=seed)

    __call__ = forward

    def classify(
        self,
        ids: Array,
        lengths: Array | None = None,
        *,
        segments: Array | None = None,
        seed: int | None = None,
    ) -> Array:
        """`classifier`: ids (B, T) → logits (B, K)."""
        return classifier(ids, self.params, self.config, lengths, segments=segments, seed=seed)

    def backward(
        self,
        grad_states: Array,
        ids: Array,
        lengths: Array | None = None,
        *,
        segments: Array | None = None,
        seed: int | None = None,
    ) -> Grads:
        """`encoder_backward`: the gradient of each parameter of the encoder."""
        return encoder_backward(
            grad_states, ids, self.params, self.config, lengths, segments=segments, seed=seed
        )

    def classify_backward(
        self,
        grad_logits: Array,
        ids: Array,
        lengths: Array | None = None,
        *,
        segments: Array | None = None,
        seed: int | None = None,
    ) -> Grads:
        """`classifier_backward`: the gradient of each parameter."""
        return classifier_backward(
            grad_logits, ids, self.params, self.config, lengths, segments=segments, seed=seed
        )


@dataclass(frozen=True)
class Seq2Seq:
    """A config and the parameters that fit it; each method calls the function of its name.

    params as `init_seq2seq` draws them   Returns what the function of each method returns.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    config: TransformerConfig
    params: dict[str, Array]

    def __post_init__(self) -> None:
        check_params(np.ndarray, self.params, seq2seq_shapes(self.config))

    def forward(
        self,
        source: Array,
        target: Array,
        source_lengths: Array | None = None,
        *,
        seed: int | None = None,
    ) -> Array:
        """`seq2seq`: source (B, S) and target (B, T) → logits (B, T, V)."""
        return seq2seq(source, target, self.params, self.config, source_lengths, seed=seed)

    __call__ = forward

    def backward(
        self,
        grad_logits: Array,
        source: Array,
        target: Array,
        source_lengths: Array | None = None,
        *,
        seed: int | None = None,
    ) -> Grads:
        """`seq2seq_backward`: the gradient of each parameter."""
        return seq2seq_backward(
            grad_logits, source, target, self.params, self.config, source_lengths, seed=seed
        )

    def start(self, source: Array, source_lengths: Array | None = None) -> Cache:
        """`seq2seq_start`: a cache that has read the source."""
        return seq2seq_start(source, self.params, self.config, source_lengths)

    def step(
        self, ids: Array, cache: Cache, *, lengths: Array | None = None
    ) -> tuple[Array, Cache]:
        """`seq2seq_step`: logits (B, T, V) and the longer cache."""
        return seq2seq_step(ids, cache, self.params, self.config, lengths=lengths)
