"""A trained news reader, loaded from the package or a file: `load_reader("en")`.

The weights lie in the package (companion/news/data/models, with a card). How they were trained:
`companion.news.fit`, `make model`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from companion.config import TransformerConfig
from companion.news.dataset import LANGUAGES
from companion.news.shapes import reader_shapes
from companion.news.units import Lexicon
from companion.params import check_params
from companion.with_numpy import load_checkpoint
from companion.with_numpy._types import Array


@dataclass(frozen=True)
class NewsReader:
    """A trained model and all that belongs to it.

    language, lexicon   config, params of `companion.news.shapes.reader_shapes`, float32
    threshold a written summary with less confidence gives way to the extracted one
    metadata the card: data, command, seeds, metrics
    slots False for an ablation in which all names look alike, see `encode_text`
    """

    lexicon: Lexicon
    config: TransformerConfig
    params: Mapping[str, Array] = field(repr=False)
    threshold: float
    metadata: Mapping[str, Any] = field(repr=False)
    slots: bool = True

    @property
    def language(self) -> str:
        return self.lexicon.language


def load_reader(language: str, path: str | os.PathLike[str] | None = None) -> NewsReader:
    """Load the model of a language from the package, or another from a file that `fit` wrote.

    language "en" or "zh"   path of another file, or None
    Returns a `NewsReader`; its arrays refuse to be written to.

    Raises ValueError for another language, and if the file was changed or cut off (its SHA-256 is
    recorded in it), holds a NaN, or does not fit its own description; FileNotFoundError if there is
    none; ModuleNotFoundError without safetensors.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language: expected 'en' or 'zh', got {language!r}")
    return _shipped(language) if path is None else _load(language, path)


@cache
def _shipped(language: str) -> NewsReader:
    entry = resources.files("companion.news").joinpath(f"data/models/{language}.safetensors")
    with resources.as_file(entry) as path:
        return _load(language, path)


def _load(language: str, path: str | os.PathLike[str]) -> NewsReader:
    kept = load_checkpoint(path)
    try:
        card = kept.metadata["reader"]
        lexicon = Lexicon(card["language"], tuple(card["words"]))
        config = TransformerConfig(**card["config"])
        threshold, slots = float(card["threshold"]), bool(card["slots"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"path: expected a news reader in {path}, got {error!r}") from error
    if lexicon.language != language:
        raise ValueError(
            f"path: expected a reader of {language!r}, got one of {lexicon.language!r}"
        )
    params = {name: array.astype(np.float32) for name, array in kept.params.items()}
    check_params(np.ndarray, params, reader_shapes(config))
    for array in params.values():
        array.flags.writeable = False
    return NewsReader(lexicon, config, params, threshold, kept.metadata, slots)
