"""The eleven failures of the article's section 4, one by one, then the repaired path end to end.

Each failure is brought about by code of our own on tiny models made on the spot, and each is
followed by its repair. Nothing here may look for a network.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"  # before the import
transformers = pytest.importorskip("transformers", minversion="5.0")

from companion.news import load_news  # noqa: E402
from companion.news.hugging_face import (  # noqa: E402
    classifier_batch,
    fit,
    generate_summary,
    news_classifier,
    news_summarizer,
    news_tokenizer,
    probabilities,
    summarizer_batch,
)

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
SMALL |= {"intermediate_size": 16}
SMALL_PAIR = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
SMALL_PAIR |= {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "dropout": 0.0}
ITEMS = load_news()[:4]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return news_tokenizer(item[key] for item in load_news() for key in ("content", "summary"))


@pytest.fixture(scope="module")
def classifier(tokenizer: Any) -> Any:
    return news_classifier(tokenizer, **SMALL)


@pytest.fixture(scope="module")
def writer(tokenizer: Any) -> Any:
    return news_summarizer(tokenizer, **SMALL_PAIR)


@pytest.fixture(scope="module")
def gpt2(tokenizer: Any) -> Any:
    end = tokenizer.sep_token_id
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer), n_embd=8, n_layer=1, n_head=1, bos_token_id=end, eos_token_id=end
    )
    return transformers.GPT2LMHeadModel(config).eval()


def test_01_shell_lines_are_not_python() -> None:
    with pytest.raises(SyntaxError):
        compile("pip install numpy\npip install torch", "cell", "exec")
    compile("import numpy\nimport torch", "cell", "exec")


def test_02_a_name_on_the_hub_needs_the_hub(tmp_path: Path, tokenizer: Any) -> None:
    nowhere = {"cache_dir": tmp_path / "empty", "local_files_only": True}
    with pytest.raises(OSError, match="connect"):
        transformers.AutoTokenizer.from_pretrained("bert-base-uncased", **nowhere)
    tokenizer.save_pretrained(tmp_path / "here")  # a folder does as well as a name
    again = news_tokenizer(pretrained=str(tmp_path / "here"))
    text = ITEMS[0]["content"]
    assert again(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert again.get_vocab() == tokenizer.get_vocab()


def test_03_encode_plus_is_gone(tokenizer: Any) -> None:
    with pytest.raises(AttributeError, match="encode_plus"):
        tokenizer.encode_plus("rain")
    lists, tensors = tokenizer("rain"), tokenizer("rain", return_tensors="pt")
    assert type(lists["input_ids"]) is list
    assert torch.equal(tensors["input_ids"], torch.tensor([lists["input_ids"]]))


def test_04_a_batch_holds_what_the_dataset_gave(tokenizer: Any) -> None:
    raw = [{"title": item["title"], "content": item["content"]} for item in ITEMS]
    loader = torch.utils.data.DataLoader(raw, 2, collate_fn=lambda b: [x["input_ids"] for x in b])
    with pytest.raises(KeyError, match="input_ids"):
        next(iter(loader))
    loader = torch.utils.data.DataLoader(
        raw, 2, collate_fn=lambda batch: classifier_batch(batch, tokenizer)
    )
    assert set(next(iter(loader))) == {"input_ids", "attention_mask"}


def test_05_labels_must_be_there(tokenizer: Any) -> None:
    raw = [{"title": item["title"], "content": item["content"]} for item in ITEMS]
    with pytest.raises(KeyError, match="importance"):
        torch.tensor([item["importance"] for item in raw])
    labels = classifier_batch(ITEMS, tokenizer)["labels"]
    assert labels.tolist() == [item["importance"] - 1 for item in ITEMS]


def test_06_lists_do_not_concatenate(tokenizer: Any) -> None:
    lists = tokenizer(["rain", "snow"], padding="max_length", max_length=12)["input_ids"]
    with pytest.raises(TypeError, match="expected Tensor"):
        torch.cat(lists, dim=0)
    rows = [torch.tensor(row) for row in lists]
    assert torch.cat(rows, dim=0).shape == (24,)  # no error, and no batch
    assert torch.stack(rows).shape == (2, 12)


def test_07_a_flat_row_is_no_batch(tokenizer: Any, classifier: Any) -> None:
    flat = torch.cat([row["input_ids"][0] for row in _each(tokenizer, "rain", "snow")])
    with pytest.raises(ValueError, match="expected 2, got 1"):
        classifier(input_ids=flat)
    batch = classifier_batch(ITEMS, tokenizer)
    assert classifier(**batch).logits.shape == (4, 5)


def test_08_an_unknown_label_is_ignored_in_silence(tokenizer: Any, classifier: Any) -> None:
    batch = classifier_batch(ITEMS, tokenizer)
    labels = batch.pop("labels")
    ignored, plain = classifier(**batch, importance=labels), classifier(**batch)
    assert ignored.loss is None
    assert torch.equal(ignored.logits, plain.logits)
    assert classifier(**batch, labels=labels).loss.item() == pytest.approx(np.log(5), rel=0.1)


def test_09_no_labels_no_loss(tokenizer: Any, classifier: Any) -> None:
    batch = classifier_batch([{"content": "rain"}], tokenizer)
    with pytest.raises(AttributeError, match="backward"):
        classifier(**batch).loss.backward()
    with pytest.raises(ValueError, match="items: expected labels for the loss, got none"):
        fit(classifier, [{"content": "rain"}], tokenizer, epochs=1)
    assert not classifier.training  # an error leaves no dropout behind
    classifier(**classifier_batch(ITEMS, tokenizer)).loss.backward()
    assert classifier.classifier.weight.grad.abs().sum() > 0
    classifier.zero_grad()


def test_10_a_classifier_cannot_write(tokenizer: Any, classifier: Any, writer: Any) -> None:
    batch = classifier_batch(ITEMS, tokenizer)
    del batch["labels"]
    with pytest.raises((AttributeError, TypeError), match="generate"):
        classifier.generate(**batch)
    assert writer.generate(**batch, num_beams=5, max_new_tokens=3).shape[0] == 4


def test_11_rows_and_lengths_of_generate(tokenizer: Any, gpt2: Any, writer: Any) -> None:
    row = tokenizer("rain " * 12, return_tensors="pt")["input_ids"][0]
    with pytest.raises(IndexError):
        gpt2.generate(row)
    options = {"pad_token_id": tokenizer.pad_token_id, "attention_mask": torch.ones_like(row)[None]}
    with pytest.raises(ValueError, match="max_length"):
        gpt2.generate(row[None], max_length=10, **options)
    ids = gpt2.generate(row[None], max_new_tokens=10, min_new_tokens=10, **options)
    assert ids.shape[1] == len(row) + 10
    assert writer.generate(row[None], max_new_tokens=10).shape[1] <= 11  # the prompt is not counted


# ------------------------------------------------------------------------ beyond the eleven


def test_classes_must_fit_the_head(tokenizer: Any) -> None:
    two = news_classifier(tokenizer, ["low", "high"], **SMALL)
    batch = classifier_batch(ITEMS, tokenizer)
    with pytest.raises(IndexError, match="out of bounds"):
        two(**(batch | {"labels": torch.tensor([0, 1, 2, 0])}))
    with pytest.raises((RuntimeError, ValueError)):
        two(**(batch | {"labels": torch.tensor([0.0, 0.5, 1.0, 0.5])}))


def test_attention_mask_hides_padding(tokenizer: Any, classifier: Any) -> None:
    texts = [item["content"] for item in ITEMS]
    together = probabilities(classifier, tokenizer, texts)
    alone = np.concatenate([probabilities(classifier, tokenizer, [text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    batch = classifier_batch(ITEMS, tokenizer)
    assert batch["attention_mask"].min() == 0  # there is padding to hide
    unmasked = classifier(batch["input_ids"]).logits.softmax(-1).detach().numpy()
    assert abs(unmasked - together).max() > 1e-5


def test_padding_is_no_label(tokenizer: Any, writer: Any) -> None:
    batch = summarizer_batch(ITEMS, tokenizer)
    labels = batch["labels"]
    assert (labels == -100).any()
    assert not (labels == tokenizer.pad_token_id).any()
    with torch.no_grad():
        together = writer(**batch).loss
        sums = [writer(**summarizer_batch([item], tokenizer)).loss for item in ITEMS]
    counts = (labels != -100).sum(dim=1)
    assert together.item() == pytest.approx(
        float((torch.stack(sums) * counts).sum() / counts.sum()), rel=1e-4
    )


def test_tokenizer_knows_its_texts(tokenizer: Any) -> None:
    for item in load_news():
        ids = tokenizer(item["content"])["input_ids"]
        assert tokenizer.unk_token_id not in ids
        assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    words = tokenizer.tokenize("Rain nnn")
    assert words[-3:] == ["n", "##n", "##n"]
    with pytest.raises(ValueError, match="texts: expected at least one character"):
        news_tokenizer(["", " "])


def test_weights_of_a_folder(tmp_path: Path, tokenizer: Any, classifier: Any, writer: Any) -> None:
    for model, made in ((classifier, news_classifier), (writer, news_summarizer)):
        folder = str(tmp_path / type(model).__name__)
        model.save_pretrained(folder)
        again = made(tokenizer, pretrained=folder)
        assert type(again) is type(model)
        assert not again.training
        ours, theirs = model.state_dict(), again.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        with pytest.raises(ValueError, match="expected no sizes beside pretrained"):
            made(tokenizer, pretrained=folder, vocab_size=3)
    three = news_classifier(
        tokenizer, ["a", "b", "c"], pretrained=str(tmp_path / "BertForSequenceClassification")
    )
    assert three.classifier.weight.shape == (3, 16)
    with pytest.raises(ValueError, match="labels: expected at least two"):
        news_classifier(tokenizer, ["a"])


def test_classifier_learns_and_leaves_the_global_generator_alone(tokenizer: Any) -> None:
    few = load_news("en")[:4]
    assert len({item["importance"] for item in few}) > 1
    state = torch.get_rng_state()
    quiet = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = news_classifier(tokenizer, **SMALL, **quiet)
    losses = fit(model, few, tokenizer, epochs=80, rate=1e-2, batch_size=4)
    assert torch.equal(torch.get_rng_state(), state)
    assert losses[-1] < 0.2 < losses[0]
    assert not model.training
    said = probabilities(model, tokenizer, [item["content"] for item in few])
    assert (said.argmax(axis=1) + 1).tolist() == [item["importance"] for item in few]


def test_summary_reads_the_content(tokenizer: Any) -> None:
    """Two items learned by heart: each text brings its own summary back; the title does nothing."""
    two = [{"content": "Rain fell. It rained.", "summary": "Wet."}]
    two += [{"content": "Snow fell. It snowed.", "summary": "White snow."}]
    words = news_tokenizer([text for item in two for text in item.values()], least=1)
    model = news_summarizer(words, **SMALL_PAIR)
    losses = fit(model, two, words, summarizer_batch, epochs=60, rate=1e-2, batch_size=2)
    assert losses[-1] < 0.1
    assert [generate_summary(item, model, words) for item in two] == ["wet.", "white snow."]
    assert generate_summary(two[0] | {"title": "Snow"}, model, words) == "wet."


def test_chinese_comes_without_spaces() -> None:
    item = {"content": "雨下了三天。", "summary": "雨下了三天。"}
    words = news_tokenizer([item["content"]], least=1)
    model = news_summarizer(words, **SMALL_PAIR)
    fit(model, [item], words, summarizer_batch, epochs=40, rate=1e-2)
    assert generate_summary(item, model, words) == item["summary"]


def _each(tokenizer: Any, *texts: str) -> list[Any]:
    return [tokenizer(text, return_tensors="pt") for text in texts]
