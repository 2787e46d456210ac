"""Models to hold in the hand: a config with the parameters that fit it.

Each method calls the function of its name with them; nothing else is kept. `state_dict()` has the
names of the flat dict, so that weights move between the wings as they are. There is dropout where
a call brings a seed and nowhere else: `train()` and `eval()` change nothing.

The tensors given are held, not copied: an optimiser writes into them.
"""

import torch
from torch import Tensor, nn

from companion.config import TransformerConfig
from companion.params import Shapes, check_params, decoder_shapes, encoder_shapes, seq2seq_shapes
from companion.with_torch.cache import Cache
from companion.with_torch.decoder import decoder, decoder_step
from companion.with_torch.encoder import classifier, encoder
from companion.with_torch.seq2seq import seq2seq, seq2seq_start, seq2seq_step


class _Model(nn.Module):
    """A tree of modules that hold parameters and do nothing, so that dots in names are levels."""

    def __init__(
        self, config: TransformerConfig, params: dict[str, Tensor], shapes: Shapes
    ) -> None:
        super().__init__()
        check_params(torch.Tensor, params, shapes)
        self.config = config
        for name, value in params.items():
            *path, last = name.split(".")
            owner: nn.Module = self
            for step in path:
                if step not in owner._modules:
                    owner.add_module(step, nn.Module())
                owner = owner.get_submodule(step)
            owner.register_parameter(last, nn.Parameter(value))

    @property
    def params(self) -> dict[str, Tensor]:
        """The flat dict that the functions take, of the parameters themselves, not copies."""
        return dict(self.named_parameters())


class Decoder(_Model):
    """A config and the parameters that fit it; each method calls the function of its name.

    params as `init_decoder` draws them   Returns what the function of each method returns.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    def __init__(self, config: TransformerConfig, params: dict[str, Tensor]) -> None:
        super().__init__(config, params, decoder_shapes(config))

    def forward(self, ids: Tensor, *, seed: int | None = None) -> Tensor:
        """`decoder`: ids (B, T) → logits (B, T, V)."""
        return decoder(ids, self.params, self.config, seed=seed)

    def step(
        self, ids: Tensor, cache: Cache, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Cache]:
        """`decoder_step`: logits (B, T, V) and the longer cache."""
        return decoder_step(ids, cache, self.params, self.config, lengths=lengths)


class Encoder(_Model):
    """A config and the parameters that fit it; each method calls the function of its name.

    params as `init_encoder` draws them   Returns what the function of each method returns.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    def __init__(self, config: TransformerConfig, params: dict[str, Tensor]) -> None:
        super().__init__(config, params, encoder_shapes(config))

    def forward(
        self,
        ids: Tensor,
        lengths: Tensor | None = None,
        *,
        segments: Tensor | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """`encoder`: ids (B, T) → states (B, T, C)."""
        return encoder(ids, self.params, self.config, lengths, segments=segments, seed=seed)

    def classify(
        self,
        ids: Tensor,
        lengths: Tensor | None = None,
        *,
        segments: Tensor | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """`classifier`: ids (B, T) → logits (B, K)."""
        return classifier(ids, self.params, self.config, lengths, segments=segments, seed=seed)


class Seq2Seq(_Model):
    """A config and the parameters that fit it; each method calls the function of its name.

    params as `init_seq2seq` draws them   Returns what the function of each method returns.

    Raises TypeError or ValueError naming the parameter that is not as the config has it.
    """

    def __init__(self, config: TransformerConfig, params: dict[str, Tensor]) -> None:
        super().__init__(config, params, seq2seq_shapes(config))

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_lengths: Tensor | None = None,
        *,
        seed: int | None = None,
    ) -> Tensor:
        """`seq2seq`: source (B, S) and target (B, T) → logits (B, T, V)."""
        return seq2seq(source, target, self.params, self.config, source_lengths, seed=seed)

    def start(self, source: Tensor, source_lengths: Tensor | None = None) -> Cache:
        """`seq2seq_start`: a cache that has read the source."""
        return seq2seq_start(source, self.params, self.config, source_lengths)

    def step(
        self, ids: Tensor, cache: Cache, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Cache]:
        """`seq2seq_step`: logits (B, T, V) and the longer cache."""
        return seq2seq_step(ids, cache, self.params, self.config, lengths=lengths)
