"""One small encoder-decoder with the same weights in companion, torch.nn and Hugging Face.

Post-norm, learned positions, a norm behind the embedding, gelu, the output tied to the embedding:
what Bart is, and what the two others can be.
"""

from typing import Any

import numpy as np

from companion.config import TransformerConfig
from companion.params import seq2seq_shapes

PAD, START, EOS, FIRST_WORD = 1, 2, 3, 4
LONGEST = 256
BART = {  # its names → ours
    "model.": "",
    "shared.": "token_embedding.",
    "encoder.embed_positions.": "position_embedding.",
    "decoder.embed_positions.": "position_embedding.",
    "encoder.layernorm_embedding.": "embedding_norm.",
    "decoder.layernorm_embedding.": "embedding_norm.",
    "layers.": "",
    "self_attn_layer_norm": "self_attention_norm",
    "encoder_attn_layer_norm": "cross_attention_norm",
    "final_layer_norm": "feed_forward_norm",
    "self_attn.": "self_attention.",
    "encoder_attn.": "cross_attention.",
    "q_proj": "query_proj",
    "k_proj": "key_proj",
    "v_proj": "value_proj",
    "out_proj": "output_proj",
    "fc1": "feed_forward.up_proj",
    "fc2": "feed_forward.down_proj",
}
TORCH = {
    "layers.": "",
    "self_attn.": "self_attention.",
    "multihead_attn.": "cross_attention.",
    "out_proj": "output_proj",
    "linear1": "feed_forward.up_proj",
    "linear2": "feed_forward.down_proj",
}

Weights = dict[str, np.ndarray]


def config_of(C: int, V: int, layers: int = 2) -> TransformerConfig:
    return TransformerConfig(
        vocabulary=V,
        width=C,
        heads=max(C // 32, 2),
        layers=layers,
        positions="learned",
        embedding_norm=True,
        feed_forward="gelu",
        scaled_embedding=False,
        max_length=LONGEST,
    )


def draw_weights(config: TransformerConfig, rng: np.random.Generator) -> Weights:
    """Norms near 1, biases and matrices such that every part matters."""
    weights = {}
    for name, shape in seq2seq_shapes(config).items():
        drawn = rng.standard_normal(shape)
        scale = 0.1 if len(shape) == 1 else shape[-1] ** -0.5
        shift = float("norm.weight" in name)
        weights[name] = (shift + scale * drawn).astype(np.float32)
    return weights


def bart(config: TransformerConfig, weights: Weights) -> Any:
    """BartForConditionalGeneration; its two tables of positions and two norms start out alike."""
    import torch
    from transformers import BartConfig, BartForConditionalGeneration

    sizes = {f"{side}_layers": config.layers for side in ("encoder", "decoder")}
    sizes |= {f"{side}_attention_heads": config.heads for side in ("encoder", "decoder")}
    sizes |= {f"{side}_ffn_dim": config.hidden_units for side in ("encoder", "decoder")}
    model = BartForConditionalGeneration(
        BartConfig(
            vocab_size=config.vocabulary,
            d_model=config.width,
            max_position_embeddings=config.max_length,
            dropout=0.0,
            pad_token_id=PAD,
            bos_token_id=START,
            eos_token_id=EOS,
            decoder_start_token_id=START,
            forced_eos_token_id=None,
            **sizes,
        )
    )
    with torch.no_grad():
        for name, own in model.named_parameters():
            value = torch.from_numpy(weights[renamed(name, BART)])
            own[-len(value) :] = value  # two rows of its positions are never used
    return model.eval()


def torch_transformer(config: TransformerConfig, weights: Weights) -> Any:
    """nn.Transformer without its last norms, between an embedding and the tied output."""
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token_embedding = nn.Embedding(config.vocabulary, config.width)
            self.position_embedding = nn.Embedding(config.max_length, config.width)
            self.embedding_norm = nn.LayerNorm(config.width)
            both = (config.layers, config.layers)
            sizes = (config.width, config.heads, *both, config.hidden_units, 0.0, "gelu")
            self.body = nn.Transformer(*sizes, batch_first=True)
            self.body.encoder.norm = self.body.decoder.norm = None

        def embed(self, ids: Any) -> Any:
            at = self.position_embedding.weight[: ids.shape[1]]
            return self.embedding_norm(self.token_embedding(ids) + at)

        def forward(self, source: Any, target: Any, source_lengths: Any) -> Any:
            """source (B, S), target (B, T), source_lengths (B,) → logits (B, T, V)."""
            T = target.shape[1]
            padding = torch.arange(source.shape[1]) >= source_lengths[:, None]
            states = self.body(
                self.embed(source),
                self.embed(target),
                tgt_mask=torch.ones(T, T, dtype=torch.bool).triu(1),
                src_key_padding_mask=padding,
                memory_key_padding_mask=padding,
                tgt_is_causal=True,
            )
            return states @ self.token_embedding.weight.T

    model = Model()
    with torch.no_grad():
        for name, own in model.named_parameters():
            own.copy_(torch.from_numpy(of_torch(name, weights)))
    return model.train()


def of_torch(name: str, weights: Weights) -> np.ndarray:
    """The weight that torch.nn calls `name`; it keeps three projections in one array."""
    name = renamed(name.removeprefix("body."), TORCH)
    norms = ("self_attention_norm", "feed_forward_norm")
    if name.startswith("decoder"):
        norms = ("self_attention_norm", "cross_attention_norm", "feed_forward_norm")
    for number, norm in enumerate(norms, start=1):
        name = name.replace(f"norm{number}.", f"{norm}.")
    start, packed, last = name.partition("in_proj_")
    if not packed:
        return weights[name]
    return np.concatenate([weights[f"{start}{n}_proj.{last}"] for n in ("query", "key", "value")])


def renamed(name: str, table: dict[str, str]) -> str:
    for theirs, ours in table.items():
        name = name.replace(theirs, ours)
    return name


def sentences(
    rng: np.random.Generator, lengths: np.ndarray, V: int, longest: int | None = None
) -> np.ndarray:
    """Random words (B, T) with padding at the right."""
    T = longest or int(lengths.max())
    ids = rng.integers(FIRST_WORD, V, size=(len(lengths), T))
    ids[np.arange(T) >= lengths[:, None]] = PAD
    return ids
