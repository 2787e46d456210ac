"""Which words a model may say: those of its training texts that are neither name nor number."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from companion._optional import optional
from companion.news._words import FUNCTION, NUMERALS
from companion.news.units import Lexicon, is_number, split_units
from companion.text.sentences import split_sentences

HAN_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
MARKS = {"en": ".,;:!?()-–—'%$€£", "zh": "。，、；：！？（）《》％%"}


def build_lexicon(
    articles: Iterable[Mapping[str, Any]], language: str, *, least: int = 2, merges: int = 6000
) -> Lexicon:
    """The words that stand in at least `least` training articles, the most frequent first.

    articles records with title, content, summary and names, all of one language
    English: words in lower case that somewhere stand so inside a sentence. Chinese, which has no
    spaces: byte-pair merges of characters (Sennrich et al. 2016, by the library tokenizers),
    learned with names and numerals cut out, so that no merge is part of a name; and characters.
    Returns the lexicon, with function words and marks. The same articles give the same lexicon.

    Raises ModuleNotFoundError for Chinese if tokenizers is not installed.
    """
    records = list(articles)
    texts = [[r[key] for key in ("title", "content", "summary")] for r in records]
    if language == "en":
        found = _english(texts, least)
    else:
        found = _chinese(texts, [r.get("names", ()) for r in records], least, merges)
    fixed = sorted(FUNCTION[language] | frozenset(MARKS[language]))
    fixed = [word for word in fixed if not is_number(word, language)]
    return Lexicon(language, (*fixed, *(word for word in found if word not in set(fixed))))


def _english(texts: list[list[str]], least: int) -> list[str]:
    empty = Lexicon("en", ())
    inside, seen = set[str](), Counter[str]()
    for record in texts:
        here = set[str]()
        for text in record:
            for sentence in split_sentences(text):
                for unit in split_units(sentence, empty):
                    if unit.kind == "rare" and unit.text[0].isalpha():
                        inside.add(unit.key)
                        here.add(unit.key)
        seen.update(here)
    return [w for w, n in _ordered(seen) if n >= least and w in inside]


def _chinese(
    texts: list[list[str]], names: list[Iterable[str]], least: int, merges: int
) -> list[str]:
    runs: list[list[str]] = []
    for record, own in zip(texts, names, strict=True):
        text = "\n".join(record)
        for name in sorted(own, key=len, reverse=True):
            text = text.replace(name, "\n")
        text = re.sub(f"[{''.join(sorted(NUMERALS))}]", "\n", text)
        runs.append(HAN_RUN.findall(text))
    words = _merged(runs, merges)
    seen = Counter(word for own in runs for word in {w for w in words if any(w in r for r in own)})
    return [w for w, n in _ordered(seen) if n >= least]


def _merged(runs: list[list[str]], merges: int) -> list[str]:
    tokenizers = optional("tokenizers", "hf")
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=merges, min_frequency=3, show_progress=False, max_token_length=4
    )
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    model.train_from_iterator((run for own in runs for run in own), trainer)
    return sorted(model.get_vocab())


def _ordered(seen: Counter[str]) -> list[tuple[str, int]]:
    return sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))
