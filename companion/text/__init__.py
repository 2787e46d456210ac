"""Text in, numbers out, and back without losing a character. Needs the standard library only.

`CharacterTokenizer` also takes lone surrogates; `BPE`, whose files other libraries read, refuses
them by position.
"""

from companion.text.bpe import BPE, train_bpe
from companion.text.characters import CharacterTokenizer
from companion.text.pretokenize import pretokenize
from companion.text.sentences import split_sentences, words

__all__ = ["BPE", "CharacterTokenizer", "pretokenize", "split_sentences", "train_bpe", "words"]
