"""What the command line reads: UTF-8 texts, with one line that says what is wrong with another."""

import shlex
import sys
from pathlib import Path

# About 17,000 words of English or 33,000 Chinese characters: far longer than any news item. The
# table of sentence vectors has a row for each sentence and a column for each different word, so it
# grows with the square of the text: 0.8 GB and 4 seconds for the worst text of this size, made of
# 1000 sentences that hardly repeat a word; a few megabytes for an ordinary one.
MAX_BYTES = 100_000


class InputError(Exception):
    """Something the user can put right; its text is the message."""


def read_text(file: str) -> str:
    """The text of a file or of standard input, or an InputError that says what is wrong with it."""
    name, raw = shown_name(file), _read_bytes(file)
    if not raw:
        raise InputError(f"{name}: empty; expected some text")
    if len(raw) > MAX_BYTES:
        size = f"{Path(file).stat().st_size:,}" if Path(file).is_file() else f"over {MAX_BYTES:,}"
        raise InputError(f"{name}: too long: {size} bytes, the limit is {MAX_BYTES:,}")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{name}: UTF-16, not UTF-8; {_convert('UTF-16', file)}")
    if b"\0" in raw:
        at = raw.index(b"\0")
        raise InputError(f"{name}: binary: NUL at byte {at}; expected a UTF-8 text")
    try:
        text = raw.decode("utf-8-sig")  # -sig: drops a byte order mark, if there is one
    except UnicodeDecodeError as error:
        # The codec drops the mark before it counts; the user counts from the start of the file.
        at = error.start + (3 if raw.startswith(b"\xef\xbb\xbf") else 0)
        hint = f"{_convert('GB18030', file)} (Chinese) or from WINDOWS-1252 (Western)"
        raise InputError(
            f"{name}: not UTF-8: byte 0x{raw[at]:02x} at offset {at}; {hint}"
        ) from None
    if not text.strip():
        raise InputError(f"{name}: only white space; expected some text")
    return text


def _read_bytes(file: str) -> bytes:
    """At most one byte more than the limit, so that an endless file ends too."""
    try:
        if file != "-":
            with open(file, "rb") as stream:
                return stream.read(MAX_BYTES + 1)
        if sys.stdin is None:
            raise InputError("standard input: closed; name a file or pipe a text in")
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise InputError(f"{shown_name(file)}: a directory; expected a text file") from None
    except FileNotFoundError:
        raise InputError(f"{shown_name(file)}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the file's name
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{shown_name(file)}: cannot be read: {cause}") from None


def shown_name(file: str) -> str:
    if file == "-":
        return "standard input"
    if not file:
        return "the empty name ''"
    return file.translate({n: "?" for n in range(32)})  # a line break would make two lines of one


def _convert(encoding: str, file: str) -> str:
    source = "" if file == "-" else f" {shlex.quote(shown_name(file))}"
    return f"convert it, e.g. iconv -f {encoding} -t UTF-8{source}"
