"""Text in, numbers out, and back without losing a character. Needs the standard library only."""

from companion.text.characters import CharacterTokenizer
from companion.text.sentences import split_sentences, words

__all__ = ["CharacterTokenizer", "split_sentences", "words"]
