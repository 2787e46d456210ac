"""The article's path through Hugging Face, repaired: each class used for what it is for.

    importance    BertForSequenceClassification       article → one of five classes
    summary       BartForConditionalGeneration        article → text, by `generate`

    tokenizer = news_tokenizer(item["content"] for item in items)
    model = news_classifier(tokenizer)
    fit(model, items, tokenizer, epochs=10)
    probabilities(model, tokenizer, texts)

Without `pretrained` everything is made on the spot, small, with random weights, and nothing is
downloaded. With `pretrained`, the name of a model on the hub or a folder, tokeniser and weights
come from there: `news_tokenizer(pretrained="bert-base-chinese")`. Needs the extra `hf`.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from companion import _check
from companion._optional import optional
from companion.news.batches import IGNORE, length_buckets
from companion.news.dataset import IMPORTANCE

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LONGEST = 512  # tokens of an article; what is longer is cut at the end

LABELS = tuple(f"importance {n}" for n in IMPORTANCE)

Item = Mapping[str, Any]
Batch = dict[str, Tensor]
Encode = Callable[[Sequence[Item], Any], Batch]


def news_tokenizer(
    texts: Iterable[str] = (), *, pretrained: str | None = None, least: int = 2
) -> Any:
    """A WordPiece tokeniser whose vocabulary is made of `texts`, or the one of a pretrained model.

    texts to count   pretrained a name on the hub, or a folder   least how often a word must stand
    in the texts to be a token; the others are spelled: "tovin" → t ##o ##v ##i ##n
    Each Chinese character is a word. `[UNK]` is left for characters that no text has.

    Raises ValueError for texts without a character, and as `from_pretrained` does.
    Source: Devlin et al. 2019, section 3.1. Differs: pieces are words and characters, not trained.
    """
    transformers = optional("transformers", "hf")
    if pretrained is not None:
        return transformers.AutoTokenizer.from_pretrained(pretrained)
    tokenizers = optional("tokenizers", "hf")
    parts = tokenizers.normalizers, tokenizers.pre_tokenizers, tokenizers.processors
    normalizers, pre_tokenizers, processors = parts
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    counts = Counter(
        word
        for text in texts
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))
    )
    if not counts:
        raise ValueError("texts: expected at least one character, got none")
    letters = sorted({letter for word in counts for letter in word})
    words = sorted(word for word, n in counts.items() if n >= least and len(word) > 1)
    pieces = [*SPECIAL, *letters, *("##" + letter for letter in letters), *words]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    model = tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.decoder = tokenizers.decoders.WordPiece()
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=LONGEST,
        **dict(zip(names, SPECIAL, strict=True)),
    )


def news_classifier(
    tokenizer: Any,
    labels: Sequence[str] = LABELS,
    *,
    pretrained: str | None = None,
    seed: int = 0,
    **sizes: Any,
) -> Any:
    """BertForSequenceClassification with one class for each label, in eval mode.

    tokenizer of `news_tokenizer`   labels K names, class k is labels[k]
    pretrained a name on the hub, or a folder; its encoder, and a new head with random weights
    seed of the random weights   sizes fields of `BertConfig`, for a model made on the spot
    Returns a model with logits (B, K).

    Raises ValueError for fewer than two labels, or sizes beside pretrained.
    """
    transformers = optional("transformers", "hf")
    if len(labels) < 2:
        raise ValueError(f"labels: expected at least two, got {len(labels)}")
    names = {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: k for k, label in enumerate(labels)},
    }
    kind = transformers.AutoModelForSequenceClassification
    if pretrained is not None:
        return _pretrained(kind, pretrained, seed, sizes, ignore_mismatched_sizes=True, **names)
    options: dict[str, Any] = {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 128,
        "max_position_embeddings": LONGEST,
        "pad_token_id": tokenizer.pad_token_id,
    }
    options |= names | sizes
    options.setdefault("initializer_range", _spread(options["hidden_size"]))
    config = transformers.BertConfig(vocab_size=len(tokenizer), **options)
    return _drawn(transformers.BertForSequenceClassification, config, seed)


def news_summarizer(
    tokenizer: Any, *, pretrained: str | None = None, seed: int = 0, **sizes: Any
) -> Any:
    """BartForConditionalGeneration, an encoder-decoder that `generate` can write with; eval mode.

    tokenizer of `news_tokenizer`   pretrained a name on the hub, or a folder, of any
    sequence-to-sequence model   seed of the random weights   sizes fields of `BartConfig`
    Returns a model with logits (B, T, V).

    Raises ValueError for sizes beside pretrained.
    """
    transformers = optional("transformers", "hf")
    if pretrained is not None:
        return _pretrained(transformers.AutoModelForSeq2SeqLM, pretrained, seed, sizes)
    options: dict[str, Any] = {
        "d_model": 64,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 128,
        "decoder_ffn_dim": 128,
        "max_position_embeddings": LONGEST,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "decoder_start_token_id": tokenizer.sep_token_id,  # as BART does
        "forced_eos_token_id": tokenizer.sep_token_id,
    }
    options |= sizes
    options.setdefault("init_std", _spread(options["d_model"]))
    config = transformers.BartConfig(vocab_size=len(tokenizer), **options)
    return _drawn(transformers.BartForConditionalGeneration, config, seed)


def classifier_batch(items: Sequence[Item], tokenizer: Any) -> Batch:
    """Contents as input_ids and attention_mask (B, T), importance 1 to 5 as labels (B,) 0 to 4.

    items B of them, with content; the title is not read   tokenizer of `news_tokenizer`
    T is the longest of these items, not a fixed size. Items without importance: no labels.
    """
    batch = _read([item["content"] for item in items], tokenizer)
    if all("importance" in item for item in items):
        batch["labels"] = torch.tensor([item["importance"] - 1 for item in items])
    return batch


def summarizer_batch(items: Sequence[Item], tokenizer: Any) -> Batch:
    """Contents as input_ids and attention_mask (B, S), summaries as labels (B, T).

    items B of them, with content and summary   tokenizer of `news_tokenizer`
    Padding in labels is -100, which the loss leaves out. The model shifts labels to the right
    itself, to get what its decoder reads.
    """
    batch = _read([item["content"] for item in items], tokenizer)
    target = _read([item["summary"] for item in items], tokenizer, target=True)
    batch["labels"] = target["input_ids"].masked_fill(target["attention_mask"] == 0, IGNORE)
    return batch


def fit(
    model: Any,
    items: Sequence[Item],
    tokenizer: Any,
    encode: Encode = classifier_batch,
    *,
    epochs: int = 10,
    rate: float = 5e-4,
    batch_size: int = 8,
    seed: int = 0,
) -> list[float]:
    """Train in place by AdamW, the rate rising for a tenth of the steps, then falling to 0.

    model, tokenizer of this module   items with labels   encode `classifier_batch` or
    `summarizer_batch`   rate at its highest; 2e-5 to 5e-5 for pretrained weights
    seed of the order of items and of dropout
    Weight decay 0.01, gradients clipped to norm 1. Returns the mean training loss of each epoch;
    the model is left in eval mode.

    Raises TypeError or ValueError naming the argument that does not fit, and if the model returns
    no loss, as it does for a batch without labels.
    """
    _check.length(1, epochs=epochs, batch_size=batch_size)
    if not items:
        raise ValueError("items: expected at least one, got none")
    lengths = [len(item["content"]) for item in items]
    steps = epochs * -(-len(items) // batch_size)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=rate, weight_decay=0.01)
    warm = max(1, steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / warm, (steps - n) / max(1, steps - warm))
    )
    means = []
    with torch.random.fork_rng():  # dropout draws from the global generator
        torch.manual_seed(seed)
        model.train()
        try:
            for epoch in range(epochs):
                losses = []
                for rows in length_buckets(lengths, batch_size, seed=seed * 1000 + epoch):
                    loss = model(**encode([items[n] for n in rows], tokenizer)).loss
                    if loss is None:
                        raise ValueError("items: expected labels for the loss, got none")
                    optimizer.zero_grad()
                    loss.backward()
                    torch.nn.utils.clip_grad_norm_(learned, 1.0)
                    optimizer.step()
                    schedule.step()
                    losses.append(loss.item())
                means.append(float(np.mean(losses)))
        finally:
            model.eval()
    return means


def probabilities(
    model: Any, tokenizer: Any, texts: Sequence[str], batch_size: int = 16
) -> np.ndarray:
    """What a classifier says of texts: softmax of its logits, (N, K), float32, in their order."""
    was_training = model.training
    model.eval()
    said = []
    with torch.inference_mode():
        for first in range(0, len(texts), batch_size):
            batch = _read(list(texts[first : first + batch_size]), tokenizer)
            said.append(model(**batch).logits.softmax(dim=-1))
    model.train(was_training)
    return torch.cat(said).numpy()


def generate_summary(
    news: Item, model: Any, tokenizer: Any, *, beams: int = 5, longest: int = 60
) -> str:
    """The article's function, on a model that can write: it reads the content, by beam search.

    news with content; nothing else of it is read   model of `news_summarizer`   beams from 1
    longest how many tokens may be written; the article's own are not counted
    Returns text. Chinese comes without the spaces that WordPiece puts between characters.
    """
    batch = _read([news["content"]], tokenizer)
    was_training = model.training
    model.eval()
    with torch.inference_mode():
        ids = model.generate(**batch, num_beams=beams, max_new_tokens=longest)
    model.train(was_training)
    text = tokenizer.decode(ids[0], skip_special_tokens=True)
    wide = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef“”‘’—…·]"
    return re.sub(rf"(?<={wide})\s+|\s+(?={wide})", "", text).strip()


def _read(texts: list[str], tokenizer: Any, *, target: bool = False) -> Batch:
    """Ids and mask (B, T), padded to the longest; what is longer than the model takes is cut."""
    longest = min(tokenizer.model_max_length, LONGEST)
    options = {"padding": True, "truncation": True, "max_length": longest, "return_tensors": "pt"}
    encoded = tokenizer(text_target=texts, **options) if target else tokenizer(texts, **options)
    return {name: encoded[name] for name in ("input_ids", "attention_mask")}


def _spread(width: int) -> float:
    """Standard deviation of first weights: 0.02 at BERT's width 768, more for shorter sums."""
    return float(0.02 * (768 / width) ** 0.5)


def _drawn(kind: Any, config: Any, seed: int) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(config).eval()


def _pretrained(kind: Any, name: str, seed: int, sizes: Mapping[str, Any], **options: Any) -> Any:
    if sizes:
        raise ValueError(f"{min(sizes)}: expected no sizes beside pretrained, got {dict(sizes)}")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind.from_pretrained(name, **options).eval()
