"""Weights of Hugging Face's BERT and GPT-2, in files or in models.

BERT's linear layers lie as ours do, (out, in). GPT-2's are of a class called Conv1D, which keeps
them (in, out): each is transposed here; and the projections of query, key and value are one array,
c_attn.weight (C, 3 C), one third beside the other.
"""

from collections.abc import Mapping
from typing import Any

from companion import _check
from companion.config import TransformerConfig
from companion.interop.arrays import kind_of
from companion.interop.hf_config import activation, fields_of, needed
from companion.interop.state import (
    Imported,
    Source,
    Sources,
    check_state,
    linear_sources,
    load,
)
from companion.params import decoder_shapes, encoder_shapes

State = Mapping[str, Any]

__all__ = ["from_hf_bert", "from_hf_gpt2"]

_BERT = {"position_embedding_type": "absolute", "is_decoder": False, "add_cross_attention": False}
_GPT2 = {
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
}
_BERT_BLOCK = {  # our linear layers and norms → theirs, below encoder.layer.i
    "self_attention.query_proj": "attention.self.query",
    "self_attention.key_proj": "attention.self.key",
    "self_attention.value_proj": "attention.self.value",
    "self_attention.output_proj": "attention.output.dense",
    "self_attention_norm": "attention.output.LayerNorm",
    "feed_forward.up_proj": "intermediate.dense",
    "feed_forward.down_proj": "output.dense",
    "feed_forward_norm": "output.LayerNorm",
}
_GPT2_BLOCK = {  # those of Conv1D, below h.i
    "self_attention.output_proj": "attn.c_proj",
    "feed_forward.up_proj": "mlp.c_fc",
    "feed_forward.down_proj": "mlp.c_proj",
}


def from_hf_bert(state_dict: State, hf_config: Any) -> Imported:
    """The weights of BertModel or BertForSequenceClassification for `encoder` and `classifier`.

        token_type_embeddings → segment_embedding    embeddings.LayerNorm → embedding_norm
        pooler.dense, classifier → pool_proj, class_proj

    state_dict name → array or tensor, from a model or from its file, with or without "bert." in
    front   hf_config the model's config, or config.json as a dict
    Returns config, and params as `encoder_shapes(config)` names them; classes is 0 without a
    classifier, and a pooler without one is left out: our pooled head is both or neither.

    Raises TypeError or ValueError naming the option, name or shape that does not fit. For a model
    with another head give its encoder alone, `model.bert.state_dict()`.
    Source: Devlin et al. 2019, section 3. Differs: of the dropout rates only hidden_dropout_prob
    has a place here.
    """
    check_state(state_dict)
    config = _bert_config(fields_of(hf_config, "bert", _BERT), _classes(state_dict))
    start = _prefix(state_dict, "bert.")
    sources = _tables(f"{start}embeddings.", ("word", "position", "token_type"))
    sources |= linear_sources("embedding_norm", f"{start}embeddings.LayerNorm")
    for i in range(config.layers):
        for ours, theirs in _BERT_BLOCK.items():
            sources |= linear_sources(f"encoder.{i}.{ours}", f"{start}encoder.layer.{i}.{theirs}")
    # counted up by old versions, and saved with the weights
    ignored = [f"{start}embeddings.{name}_ids" for name in ("position", "token_type")]
    if config.classes:
        sources |= linear_sources("pool_proj", f"{start}pooler.dense")
        sources |= linear_sources("class_proj", "classifier")
    else:
        ignored += [f"{start}pooler.dense.{last}" for last in ("weight", "bias")]
    return Imported(config, load(state_dict, sources, encoder_shapes(config), ignored))


def from_hf_gpt2(state_dict: State, hf_config: Any) -> Imported:
    """The weights of GPT2Model or GPT2LMHeadModel for `decoder`.

        c_attn.weight (C, 3 C) → query_proj, key_proj, value_proj (C, C), each transposed
        c_proj, c_fc (in, out) → output_proj, up_proj, down_proj (out, in)    ln_f → decoder_norm

    state_dict name → array or tensor, from a model or from its file, with or without
    "transformer." in front   hf_config the model's config, or config.json as a dict
    Returns config, and params as `decoder_shapes(config)` names them; tied as in the config.

    Raises TypeError or ValueError naming the option, name or shape that does not fit, and if
    lm_head is not the token embedding although the config ties them.
    Source: Radford et al. 2019, section 2.3. Differs: of the dropout rates only resid_pdrop has a
    place here.
    """
    check_state(state_dict)
    config = _gpt2_config(fields_of(hf_config, "gpt2", _GPT2))
    start = _prefix(state_dict, "transformer.")
    sources = {
        "token_embedding.weight": Source(f"{start}wte.weight"),
        "position_embedding.weight": Source(f"{start}wpe.weight"),
        **linear_sources("decoder_norm", f"{start}ln_f"),
    }
    ignored = []
    for i in range(config.layers):
        sources |= _gpt2_block(f"decoder.{i}", f"{start}h.{i}")
        # causal masks, saved with the weights by old versions
        ignored += [f"{start}h.{i}.attn.{name}" for name in ("bias", "masked_bias")]
    if config.tied:
        _check_tied(state_dict, f"{start}wte.weight")
        ignored.append("lm_head.weight")
    else:
        sources["output_proj.weight"] = Source("lm_head.weight")
    return Imported(config, load(state_dict, sources, decoder_shapes(config), ignored))


def _bert_config(fields: dict[str, Any], classes: int) -> TransformerConfig:
    return TransformerConfig(
        vocabulary=needed(fields, "vocab_size"),
        width=needed(fields, "hidden_size"),
        heads=needed(fields, "num_attention_heads"),
        layers=needed(fields, "num_hidden_layers"),
        hidden=needed(fields, "intermediate_size"),
        positions="learned",
        max_length=needed(fields, "max_position_embeddings"),
        segments=needed(fields, "type_vocab_size"),
        embedding_norm=True,
        norm_eps=needed(fields, "layer_norm_eps"),
        feed_forward=activation(fields, "hidden_act"),
        scaled_embedding=False,
        dropout=needed(fields, "hidden_dropout_prob"),
        classes=classes,
    )


def _classes(state: State) -> int:
    """As many as the classifier has rows."""
    if (weight := state.get("classifier.weight")) is None:
        return 0
    named = {"state_dict['classifier.weight']": weight}
    _check.is_array(kind_of(weight), **named)
    _check.rank(2, **named)
    return int(weight.shape[0])


def _gpt2_config(fields: dict[str, Any]) -> TransformerConfig:
    return TransformerConfig(
        vocabulary=needed(fields, "vocab_size"),
        width=needed(fields, "n_embd"),
        heads=needed(fields, "n_head"),
        layers=needed(fields, "n_layer"),
        hidden=fields.get("n_inner"),  # 4 C if not given, there as here
        positions="learned",
        max_length=needed(fields, "n_positions"),
        norm_first=True,
        norm_eps=needed(fields, "layer_norm_epsilon"),
        feed_forward=activation(fields, "activation_function"),
        tied=fields.get("tie_word_embeddings", True),
        scaled_embedding=False,
        dropout=needed(fields, "resid_pdrop"),
    )


def _gpt2_block(ours: str, theirs: str) -> Sources:
    sources: Sources = {}
    for third, name in enumerate(("query", "key", "value")):
        packed, where = f"{theirs}.attn.c_attn", f"{ours}.self_attention.{name}_proj"
        sources[f"{where}.weight"] = Source(f"{packed}.weight", third, transposed=True)
        sources[f"{where}.bias"] = Source(f"{packed}.bias", third)
    for name, layer in _GPT2_BLOCK.items():
        sources |= linear_sources(f"{ours}.{name}", f"{theirs}.{layer}", transposed=True)
    sources |= linear_sources(f"{ours}.self_attention_norm", f"{theirs}.ln_1")
    return sources | linear_sources(f"{ours}.feed_forward_norm", f"{theirs}.ln_2")


def _tables(start: str, names: tuple[str, str, str]) -> Sources:
    ours = (f"{name}_embedding.weight" for name in ("token", "position", "segment"))
    return {
        o: Source(f"{start}{name}_embeddings.weight") for o, name in zip(ours, names, strict=True)
    }


def _prefix(state: State, prefix: str) -> str:
    return prefix if any(name.startswith(prefix) for name in state) else ""


def _check_tied(state: State, table: str) -> None:
    if not {table, "lm_head.weight"} <= state.keys():
        return
    ours, theirs = state[table], state["lm_head.weight"]
    if tuple(ours.shape) != tuple(theirs.shape) or not bool((ours == theirs).all()):
        raise ValueError(
            "state_dict['lm_head.weight']: expected the token embedding, for "
            "hf_config.tie_word_embeddings is True, got another array"
        )
