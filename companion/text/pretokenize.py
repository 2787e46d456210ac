"""Cut a text into the pieces that merging may not cross: words, numbers, signs and spaces."""

import re
from functools import cache

from companion.text import _unicode


def _class(ranges: str) -> str:
    """The inside of a regular expression's [...] for ranges of hexadecimal code points."""
    ends = [item.split("-") for item in ranges.split()]
    return "".join("-".join(rf"\U{int(end, 16):08x}" for end in item) for item in ends)


@cache  # about 10 ms, which an import of the package need not pay
def _pattern() -> re.Pattern[str]:
    letter, number, space = map(_class, (_unicode.LETTERS, _unicode.NUMBERS, _unicode.SPACES))
    return re.compile(
        r"'s|'t|'re|'ve|'m|'ll|'d"
        rf"| ?[{letter}]+"
        rf"| ?[{number}]+"
        rf"| ?[^{space}{letter}{number}]+"
        rf"|[{space}]+(?![^{space}])"
        rf"|[{space}]+"
    )


def pretokenize(text: str) -> list[str]:
    r"""Cut a text into words, numbers, runs of signs and runs of spaces, as GPT-2 does.

        's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

        "I'm here,  2024年" → ["I", "'m", " here", ",", " ", " 2024", "年"]

    A word takes one space in front along; of a longer run of spaces the last one goes to the word.

    text any str   Returns the pieces in order; joined, they are the text.

    Raises TypeError if text is not a str.
    Source: Radford et al. 2019 (the pattern stands in the code of GPT-2, not in the paper).
    Differs from it: Python's `re` lacks \p{L} and \p{N}, so the classes are written out from the
    tables of Unicode 16.0; \s is Unicode's White_Space: Python's own \s adds U+001C to U+001F.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected str, got {type(text).__name__}")
    return _pattern().findall(text)
