"""Sentences and words of English and Chinese text, by one set of rules for both.

The rules are written for news prose. They need no training and no list of a language's words
except for the abbreviations below, and they will be wrong at times: a full stop after "U.S." ends
a sentence or does not, and only a reader who understands the text can always tell.
"""

import re

# Han, kana and their extensions: scripts without spaces, so that one character counts as a word.
_HAN = "\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CLOSERS = "\"'”’」』）)】》〉»\\]"

_MARKS = re.compile(
    rf"(?P<marks>[。！？；]+[。！？；…]*|…+|[.!?]+)(?P<closers>[{_CLOSERS}]*)(?P<space>\s*)"
    # A blank line, or a line indented in the Chinese way. The look-behind lets a long run of spaces
    # be tried once only, from its first; without it the time grows with the square of its length.
    r"|(?P<paragraph>(?<![^\S\n])[^\S\n]*\n(?:[^\S\n]*\n\s*|(?=\u3000)\s*))"
)
_HAN_AFTER = re.compile(rf"[“「『（《]?[{_HAN}]")
_HAN_BEFORE = re.compile(rf"[{_HAN}”」』）》]$")
_SPEAKER = re.compile(
    r"[^，。！？；：\s]{0,8}?(?:说|表示|问(?!题)|喊|答|写道|笑道)"
    r"|[A-Z]\w*(?: [A-Z]\w*)? (?:said|says|asked|cried|wrote)\b"
)


def _listed(listing: str) -> frozenset[str]:
    return frozenset(listing.split())


# Before a name, a number or an example: never the end of a sentence.
_NEVER_LAST = _listed(
    "dr mr mrs ms prof rev hon gen col capt lt sgt sen rep gov cllr st mt e.g i.e cf vs viz"
    " fig eq sec ch pp vol approx"
)
# Often inside a sentence, sometimes its last word: then a capital opener such as "The" decides.
_SOMETIMES_LAST = _listed(
    "inc ltd co corp jr sr etc al ave jan feb mar apr jun jul aug sept sep oct nov dec"
)
_OPENERS = _listed(
    "a after all an and as at before but by each for he her his how i if in it its last many more"
    " most no nobody on one our she so some since that the their then there these they this those"
    " to two we what when where while who why with you"
)
_LAST_WORD = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]+$")
_NEXT_WORD = re.compile(r"[“‘\"'(\[]*(?P<word>\w+)")

_LETTERS = rf"(?:(?![{_HAN}])[^\W_])+"
_WORD = re.compile(rf"[{_HAN}]+|{_LETTERS}(?:['’-]{_LETTERS}|(?<=\d)[.,]\d+)*")
_IS_HAN = re.compile(rf"[{_HAN}]")


def split_sentences(text: str) -> list[str]:
    """Cut a text after each sentence, losing nothing.

        "".join(split_sentences(text)) == text

    text any str, English or Chinese or both
    Returns the sentences in order, each with its closing quotes and the white space after it;
    an empty text has none.

    A sentence ends after 。！？； or after . ! ? … followed by white space or the end; also at a
    blank line and before a line indented with U+3000. It does not end inside 3.5, U.S. or a web
    address, after a title (Dr.) or an initial (J. R. Moss), before a lower-case letter, or before
    the speaker of a quotation (“停！”他说). A quotation of two sentences is cut in two.

    Raises TypeError if text is no str.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected str, got {type(text).__name__}")
    sentences: list[str] = []
    start = 0
    for match in _MARKS.finditer(text):
        if text[start : match.end()].isspace():  # a blank line at the very beginning
            continue
        if match["paragraph"] is not None or _ends_sentence(text, start, match):
            sentences.append(text[start : match.end()])
            start = match.end()
    if text[start:].isspace() and sentences:
        sentences[-1] += text[start:]
    elif start < len(text):
        sentences.append(text[start:])
    return sentences


def words(text: str, *, bigrams: bool = True) -> list[str]:
    """The units by which two sentences are compared.

        "Rain in 北京市" → rain, in, 北, 京, 市, 北京, 京市

    Outside Chinese: runs of letters and digits, case folded; 3.5, don't and sea-wall stay whole.
    Chinese: each character, and with `bigrams` each pair of neighbours, since most Chinese words
    have two characters and a list of them would be a dependency. Punctuation is dropped.

    Raises TypeError if text is no str.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected str, got {type(text).__name__}")
    found: list[str] = []
    for match in _WORD.finditer(text):
        run = match[0]
        if not _IS_HAN.match(run):
            found.append(run.casefold())
            continue
        found.extend(run)
        if bigrams:
            found.extend(run[n : n + 2] for n in range(len(run) - 1))
    return found


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    marks, closers, space = match["marks"], match["closers"], match["space"]
    after = text[match.end() : match.end() + 40]  # enough to see the next word
    if not after or "\n" in space.replace("\r", "").replace("\n", "", 1):
        return True
    if closers and _SPEAKER.match(after):
        return False
    if marks[0] in "。！？；":
        return True
    if marks[0] == "…" and not space:
        return bool(closers)
    if not space:  # 3.5, example.org; but "好!他来了" is Chinese with Western marks
        before = text[start : match.start()][-1:]
        return bool(_HAN_BEFORE.search(before) and _HAN_AFTER.match(after))
    following = _NEXT_WORD.match(after)
    word = following["word"] if following else ""
    if word[:1].islower():
        return False
    if marks != "." or closers:
        return True
    before = text[max(start, match.start() - 20) : match.start()]
    return not (before.strip().isdigit() or _is_abbreviation(before, word))  # "1. First item"


def _is_abbreviation(before: str, following: str) -> bool:
    """Whether the full stop after `before` shortens a word, and does not also end a sentence."""
    match = _LAST_WORD.search(before)
    if match is None:
        return False
    last = match[0]
    if last.lower() in _NEVER_LAST:
        return True
    if last.lower() == "no":  # "No. 5", but also the answer "No."
        return following.isdigit()
    if "." in last or last.lower() in _SOMETIMES_LAST:  # U.S., p.m., Inc.
        return following.lower() not in _OPENERS
    initial = len(last) == 1 and last.isupper() and last != "I"
    return initial and (len(following) == 1 or following.lower() not in _OPENERS)  # J. A. Moss
