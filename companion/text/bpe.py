"""Byte-pair encoding over bytes: any text in, ids of a learned vocabulary out, and back exactly."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike

from companion import _check
from companion.text import tokenizer_json
from companion.text._vocabulary import check_id, check_special, check_vocabulary
from companion.text.bpe_encode import Ranks, join_piece, split_special
from companion.text.bpe_train import count_pieces, learn_merges
from companion.text.byte_level import BYTE_LETTERS, check_text, to_bytes, to_letters
from companion.text.pretokenize import pretokenize

_CACHED_PIECES = 1 << 16  # a piece is cut up once; beyond this many, rare ones are cut up again


@dataclass(frozen=True)
class BPE:
    """A vocabulary and the merges that reach it: a token's id is its place in `tokens`.

    `len(bpe)` is V, the number of tokens.

    tokens          special tokens as they are, all others in the letters of `byte_level`
    merges          (left, right), the one to apply first in front
    special_tokens  never cut up, never built by a merge, read from text only where allowed

    Raises ValueError if a token stands twice, a byte's letter is missing, a merge speaks of an
    unknown token, or a special token could also come from plain text.
    Source: Sennrich et al. 2016 (merges); Radford et al. 2019, section 2.2 (over bytes).
    """

    tokens: tuple[str, ...]
    merges: tuple[tuple[str, str], ...]
    special_tokens: tuple[str, ...] = ()
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)
    _bytes: list[bytes] = field(init=False, repr=False, compare=False)
    _ranks: Ranks = field(init=False, repr=False, compare=False)
    _pieces: dict[str, list[int]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_vocabulary(self.tokens, self.merges, self.special_tokens)
        ids = {token: i for i, token in enumerate(self.tokens)}
        special = set(self.special_tokens)
        tables = {
            "_ids": ids,
            "_bytes": [t.encode() if t in special else to_bytes(t) for t in self.tokens],
            "_ranks": {
                (ids[left], ids[right]): (rank, ids[left + right])
                for rank, (left, right) in enumerate(self.merges)
            },
            "_pieces": {},
        }
        for name, table in tables.items():
            object.__setattr__(self, name, table)  # the way to fill fields of a frozen dataclass

    @property
    def vocab(self) -> dict[str, int]:
        """Token → id, as a new dict."""
        return dict(self._ids)

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str, *, allowed_special: Collection[str] = ()) -> list[int]:
        """The ids of a text: cut into pieces, then each piece joined by the merges, lowest first.

            "aaabdaaabac" with merges aa, ab, aa+ab → the ids of aaab d aaab a c

        text             any Unicode, no lone surrogates
        allowed_special  the special tokens that the text may contain as such; `special_tokens`
                         allows all. Any other is read as plain text, so that what a user types
                         cannot end a document or start a new role.
        Returns a list of ids in 0 .. V - 1, empty for the empty text.

        Raises TypeError for arguments of another type, ValueError for a lone surrogate or for a
        name in allowed_special that is not a special token.
        Differs from Hugging Face tokenizers, which reads every special token in a text as such
        unless told otherwise; where two fit, the leftmost wins, then the longest, in both.
        """
        check_text("text", text)
        allowed = self._allowed(allowed_special)
        ids: list[int] = []
        for part in split_special(text, allowed):
            if part in allowed:
                ids.append(self._ids[part])
            else:
                for piece in pretokenize(part):
                    ids += self._encode_piece(piece)
        return ids

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = False) -> str:
        """The text of a list of ids: decode(encode(text)) == text, for every text.

        ids                  integers in 0 .. V - 1, one axis
        skip_special_tokens  leave special tokens out of the text
        Returns the text. Ids that `encode` did not write may hold half a character; such bytes
        become U+FFFD, one for each maximal part of a character (Unicode 16.0, section 3.9), as
        in Hugging Face tokenizers.

        Raises TypeError for ids that are not integers, ValueError for one outside 0 .. V - 1,
        which Hugging Face tokenizers leaves out silently.
        """
        if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
            raise TypeError(f"ids: expected a list of integers, got {type(ids).__name__}")
        skipped = {self._ids[t] for t in self.special_tokens} if skip_special_tokens else set()
        numbers = [check_id(token, len(self)) for token in ids]
        joined = b"".join([self._bytes[i] for i in numbers if i not in skipped])
        return joined.decode("utf-8", errors="replace")

    def save(self, path: str | PathLike[str]) -> None:
        """Write a `tokenizer.json` for Hugging Face tokenizers; see `tokenizer_json.write`."""
        tokenizer_json.write(path, self.tokens, self.merges, self.special_tokens)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "BPE":
        """Read a `tokenizer.json` of byte-level BPE; see `tokenizer_json.read`."""
        tokens, merges, special_tokens = tokenizer_json.read(path)
        try:
            return cls(tokens, merges, special_tokens)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def _allowed(self, names: Collection[str]) -> set[str]:
        if isinstance(names, str):
            raise TypeError("allowed_special: expected a collection of special tokens, got str")
        unknown = [name for name in names if name not in self.special_tokens]
        if unknown:
            raise ValueError(
                f"allowed_special: expected some of {self.special_tokens}, got {unknown[0]!r}"
            )
        return set(names)

    def _encode_piece(self, piece: str) -> list[int]:
        found = self._pieces.get(piece)
        if found is None:
            found = join_piece([self._ids[letter] for letter in to_letters(piece)], self._ranks)
            if len(self._pieces) < _CACHED_PIECES:
                self._pieces[piece] = found
        return found


def train_bpe(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    *,
    min_frequency: int = 1,
    progress: bool = False,
) -> BPE:
    """Learn a byte-level BPE vocabulary: special tokens, 256 bytes, then merges.

        V = number of special tokens + 256 + number of merges ≤ vocab_size

        train_bpe(["aaabdaaabac"], 259).merges == (("a", "a"), ("a", "b"), ("aa", "ab"))

    texts           texts of any script; a special token in them counts as plain text
    vocab_size      V to reach; fewer tokens where no pair is left to join
    special_tokens  such as "<pad>", "<eos>": ids 0, 1, ... in this order
    min_frequency   a pair that stands less often in the texts is not joined
    progress        show a bar while merging (needs the package tqdm)

    Raises TypeError or ValueError for texts that are not str, hold lone surrogates or are all
    empty, for a vocab_size without room for special tokens and bytes, and for special tokens that
    are empty, doubled or a single byte's letter.
    Source and differences: `learn_merges` for the merges, `pretokenize` for the pieces. With equal
    settings the merges equal those of Hugging Face tokenizers, except that a merge which would
    spell a special token is left out here, so that plain text can never produce its id.
    """
    special_tokens = check_special(special_tokens)
    least = len(special_tokens) + 256
    _check.length(1, vocab_size=vocab_size, min_frequency=min_frequency)
    if vocab_size < least:
        raise ValueError(
            f"vocab_size: expected at least {least} = 256 bytes + {len(special_tokens)} special "
            f"tokens, got {vocab_size}"
        )
    alphabet = (*special_tokens, *sorted(BYTE_LETTERS))
    merges = learn_merges(
        count_pieces(texts),
        alphabet,
        vocab_size,
        min_frequency=min_frequency,
        forbidden=frozenset(special_tokens),
        progress=progress,
    )
    tokens = (*alphabet, *(left + right for left, right in merges))
    return BPE(tokens, tuple(merges), special_tokens)
