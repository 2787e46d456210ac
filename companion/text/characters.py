"""One token for each character, and the bytes of UTF-8 for characters never seen before."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SPECIAL = ("<pad>", "<bos>", "<eos>")  # padding, begin and end of a sequence
BYTES = 256


@dataclass(frozen=True)
class CharacterTokenizer:
    """Write any text as token ids and read it back exactly.

        ids = [0, 3) special tokens | [3, 259) the 256 bytes | [259, V) the known characters

    characters the known characters, each once; `from_texts` collects them
    `len(tokenizer)` is the vocabulary size V = 3 + 256 + number of known characters.

    There is no token for "unknown". A character outside the vocabulary becomes its one to four
    bytes of UTF-8, so `decode(encode(text)) == text` for every string, lone surrogates included.
    Special tokens are never made from text: "<eos>" in a text is five ordinary characters.

    Raises TypeError if characters is no string, ValueError if one occurs twice.
    Source: the byte fallback is that of SentencePiece's option `byte_fallback`.
    """

    characters: str
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    pad_id = SPECIAL.index("<pad>")
    bos_id = SPECIAL.index("<bos>")
    eos_id = SPECIAL.index("<eos>")

    def __post_init__(self) -> None:
        _check_text("characters", self.characters)
        twice = [character for character, n in Counter(self.characters).items() if n > 1]
        if twice:
            raise ValueError(f"characters: expected each once, got {twice[0]!r} twice")
        first = len(SPECIAL) + BYTES
        ids = {character: first + n for n, character in enumerate(self.characters)}
        object.__setattr__(self, "_ids", ids)  # the one way to fill a frozen dataclass

    @classmethod
    def from_texts(cls, texts: Iterable[str], *, min_count: int = 1) -> "CharacterTokenizer":
        """Know every character that occurs at least `min_count` times, in code point order.

        Raises TypeError if texts is one string or holds anything but strings, ValueError if
        min_count < 1.
        """
        if isinstance(texts, str):
            raise TypeError("texts: expected several texts, got one str; write [text]")
        if min_count < 1:
            raise ValueError(f"min_count: expected at least 1, got {min_count}")
        counts: Counter[str] = Counter()
        for text in texts:
            _check_text("texts", text)
            counts.update(text)
        return cls("".join(sorted(c for c, n in counts.items() if n >= min_count)))

    def __len__(self) -> int:
        return len(SPECIAL) + BYTES + len(self.characters)

    def encode(self, text: str, *, bos: bool = False, eos: bool = False) -> list[int]:
        """Token ids of `text`, on request between <bos> and <eos>. Raises TypeError if no str."""
        _check_text("text", text)
        ids = [self.bos_id] if bos else []
        for character in text:
            known = self._ids.get(character)
            if known is not None:
                ids.append(known)
            else:  # surrogatepass: Python strings may hold half a surrogate pair
                raw = character.encode("utf-8", "surrogatepass")
                ids.extend(len(SPECIAL) + byte for byte in raw)
        return [*ids, self.eos_id] if eos else ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text that `ids` stand for; special tokens stand for nothing.

        Bytes that are no UTF-8, which a model may produce but `encode` never does, become U+FFFD.
        Raises TypeError if an id is not an integer, ValueError if one lies outside 0 to V - 1.
        """
        text: list[str] = []
        raw = bytearray()
        for number in ids:
            token = self._check_id(number)
            if len(SPECIAL) <= token < len(SPECIAL) + BYTES:
                raw.append(token - len(SPECIAL))
                continue
            text.append(_decode_bytes(raw))
            raw.clear()
            if token >= len(SPECIAL):
                text.append(self.characters[token - len(SPECIAL) - BYTES])
        return "".join([*text, _decode_bytes(raw)])

    def unseen(self, text: str) -> list[str]:
        """The characters of `text` outside the vocabulary, in order, each as often as it occurs."""
        _check_text("text", text)
        return [character for character in text if character not in self._ids]

    def _check_id(self, number: int) -> int:
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(f"ids: expected integers, got {type(number).__name__}")
        token = number.__index__()
        if not 0 <= token < len(self):
            raise ValueError(f"ids: expected 0 to V - 1 = {len(self) - 1}, got {token}")
        return token


def _decode_bytes(raw: bytearray) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected str, got {type(text).__name__}")
