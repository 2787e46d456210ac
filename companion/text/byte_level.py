"""Bytes as visible letters: every text becomes a word over one alphabet of 256 letters.

A vocabulary of bytes covers every text of every script, so nothing is ever unknown; but half of
the bytes are blanks or control characters that no one can read in a file. GPT-2 therefore writes
each byte as a letter of its own: a byte that prints stands for itself, the others borrow the
letters from U+0100 upwards, in order. The space, byte 32, becomes "Ġ" (U+0120).
"""

_PRINTS = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
_BORROWS = [byte for byte in range(256) if byte not in _PRINTS]

BYTE_LETTERS = "".join(
    chr(byte) if byte in _PRINTS else chr(0x100 + _BORROWS.index(byte)) for byte in range(256)
)
"""The letter of byte b is BYTE_LETTERS[b] (Radford et al. 2019, `bytes_to_unicode` in its code)."""

_BYTES = {letter: byte for byte, letter in enumerate(BYTE_LETTERS)}


def check_text(name: str, text: object) -> None:
    """TypeError unless `text` is a str, ValueError if it holds a lone surrogate.

    A surrogate (U+D800 to U+DFFF) is half of a UTF-16 pair: no character, and not in UTF-8.
    """
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected str, got {type(text).__name__}")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name}: expected Unicode without lone surrogates, "
            f"got U+{ord(text[error.start]):04X} at position {error.start}"
        ) from None


def to_letters(text: str) -> str:
    """The UTF-8 bytes of a text, one letter each.

        " 好" → bytes 20 E5 A5 BD → "Ġå¥½"

    text any Unicode, no lone surrogates   Returns one letter for each byte.

    Raises TypeError if text is not a str, ValueError if it holds a lone surrogate.
    Source: Radford et al. 2019, section 2.2.
    """
    check_text("text", text)
    return "".join([BYTE_LETTERS[byte] for byte in text.encode("utf-8")])


def to_bytes(letters: str) -> bytes:
    """The bytes that `to_letters` wrote: its inverse, before UTF-8 is read.

    letters from BYTE_LETTERS only   Returns one byte for each letter; they need not be whole UTF-8.

    Raises ValueError naming the first character that is not one of the 256 letters.
    """
    try:
        return bytes([_BYTES[letter] for letter in letters])
    except KeyError as error:
        raise ValueError(
            f"letters: expected the 256 letters of BYTE_LETTERS, got {error.args[0]!r}"
        ) from None
