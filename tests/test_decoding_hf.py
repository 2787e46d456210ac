"""Decoding against Hugging Face `generate`, both reading the logits of one random-weight GPT-2.

Ours calls that model through a step that reads everything again, so that decoding is compared and
not the model. Both work on its float32 logits; sums of a few log-probabilities of order 1 to 10
may differ in the last places: 1e-5.
"""

import warnings
from typing import Any

import numpy as np
import pytest
from cases_decoding import nothing_read, take_rows, uncached

torch = pytest.importorskip("torch")
with warnings.catch_warnings():  # what its import warns of is not ours to mend
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers", minversion="5.0")

B, T, N, V = 3, 4, 7, 13
PAD, EOS = 2, 5  # a pad_token_id of 0 is taken for none by theirs, which then pads with EOS


@pytest.fixture(scope="module")
def model() -> Any:
    """A GPT-2 of 13 words; weights far from 0, so that some words are much likelier."""
    config = transformers.GPT2Config(
        vocab_size=V,
        n_positions=32,
        n_embd=16,
        n_layer=2,
        n_head=2,
        initializer_range=0.6,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return transformers.GPT2LMHeadModel(config).eval()


def prompt() -> Any:
    return np.random.default_rng(8).integers(0, V, size=(B, T))


def theirs(model: Any, **options: Any) -> Any:
    ids = torch.tensor(prompt())
    return model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=N,
        do_sample=False,
        eos_token_id=EOS,
        pad_token_id=PAD,
        return_dict_in_generate=True,
        output_scores=True,
        **options,
    )


def new_tokens(sequences: Any) -> Any:
    """Theirs stop where the longest ends; ours are always N long."""
    found = sequences[:, T:].numpy()
    return np.pad(found, [(0, 0), (0, N - found.shape[1])], constant_values=PAD)


def ours(wing: Any, model: Any, name: str, **options: Any) -> tuple[Any, ...]:
    def forward(text: Any) -> Any:
        with torch.no_grad():
            logits = model(torch.as_tensor(text)).logits
        return logits if wing.name == "torch" else logits.numpy()

    step, cache = uncached(forward, wing.array), nothing_read(B, wing.array)
    ids = wing.array(prompt())
    found = getattr(wing.lib, name)(
        step, cache, ids, max_new_tokens=N, eos_id=EOS, pad_id=PAD, **options
    )
    return tuple(np.asarray(part) for part in found)


@pytest.mark.parametrize("ngram", [0, 1, 2])
def test_greedy(wing: Any, model: Any, ngram: int) -> None:
    expected = theirs(model, num_beams=1, no_repeat_ngram_size=ngram)
    ids, lengths, _ = ours(wing, model, "greedy", no_repeat_ngram=ngram)
    np.testing.assert_array_equal(ids, new_tokens(expected.sequences))
    assert lengths.max() == expected.sequences.shape[1] - T


@pytest.mark.parametrize("beams", [2, 3, 5])
@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("ngram", [0, 2])
def test_beam_search(wing: Any, model: Any, beams: int, alpha: float, ngram: int) -> None:
    expected = theirs(
        model,
        num_beams=beams,
        num_return_sequences=beams,
        length_penalty=alpha,
        no_repeat_ngram_size=ngram,
        early_stopping="never",  # stop, as ours does, when nothing better can come
    )
    ids, lengths, log_probs, scores = ours(
        wing,
        model,
        "beam_search",
        beams=beams,
        alpha=alpha,
        length_penalty=wing.lib.power_length_penalty,
        no_repeat_ngram=ngram,
        select=take_rows,
    )
    np.testing.assert_array_equal(ids.reshape(B * beams, N), new_tokens(expected.sequences))
    np.testing.assert_allclose(
        scores.reshape(-1), expected.sequences_scores.numpy(), rtol=1e-5, atol=1e-5
    )
    assert scores.dtype == np.float32
    np.testing.assert_allclose(log_probs, scores * lengths**alpha, rtol=1e-5, atol=1e-5)


def test_what_is_compared_ends_early_and_late(model: Any) -> None:
    """Else the tests above would say nothing about eos_id or about unequal lengths."""
    found = theirs(model, num_beams=5, num_return_sequences=5, early_stopping="never")
    ended = (new_tokens(found.sequences) == EOS).any(axis=1)
    assert ended.any()
    assert not ended.all()


def test_prompts_of_unequal_length(wing: Any, model: Any) -> None:
    """Theirs has its padding at the left, ours at the right; the texts are the same."""
    lengths, W = np.array([4, 1, 3]), 3
    left = np.full((B, T), PAD)
    for row, ids, n in zip(left, prompt(), lengths, strict=True):
        row[T - n :] = ids[:n]
    expected = model.generate(
        torch.tensor(left),
        attention_mask=torch.tensor(np.arange(T) >= T - lengths[:, None]).long(),
        max_new_tokens=N,
        do_sample=False,
        eos_token_id=EOS,
        pad_token_id=PAD,
        return_dict_in_generate=True,
        output_scores=True,
        num_beams=W,
        num_return_sequences=W,
        length_penalty=1.0,
        early_stopping="never",
    )
    ids, _, _, scores = ours(
        wing,
        model,
        "beam_search",
        lengths=wing.array(lengths),
        beams=W,
        alpha=1.0,
        length_penalty=wing.lib.power_length_penalty,
        select=take_rows,
    )
    np.testing.assert_array_equal(ids.reshape(B * W, N), new_tokens(expected.sequences))
    np.testing.assert_allclose(
        scores.reshape(-1), expected.sequences_scores.numpy(), rtol=1e-5, atol=1e-5
    )


def filtered(name: str, logits: Any, option: Any) -> Any:
    warper = getattr(transformers, name)(option)
    return warper(None, torch.tensor(logits)).numpy()


def test_filters(wing: Any) -> None:
    logits = np.random.default_rng(2).standard_normal((20, V)).astype(np.float32) * 2
    for k in (1, 4, V):
        found = np.asarray(wing.lib.top_k_filter(wing.array(logits), k))
        np.testing.assert_array_equal(found, filtered("TopKLogitsWarper", logits, k))
    for p in (0.1, 0.5, 0.9, 1.0):
        found = np.asarray(wing.lib.nucleus_filter(wing.array(logits), p))
        np.testing.assert_array_equal(found, filtered("TopPLogitsWarper", logits, p))


def test_repeated_ngrams(wing: Any) -> None:
    rng = np.random.default_rng(4)
    logits, ids = rng.standard_normal((30, 4)).astype(np.float32), rng.integers(0, 4, (30, 9))
    for n in (1, 2, 3):
        block = transformers.NoRepeatNGramLogitsProcessor(n)
        expected = block(torch.tensor(ids), torch.tensor(logits)).numpy()
        found = wing.lib.block_repeated_ngrams(wing.array(logits), wing.array(ids), None, n)
        np.testing.assert_array_equal(np.asarray(found), expected)
