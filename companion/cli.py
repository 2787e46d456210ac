"""The command line of `companion`. NumPy is imported only when there is work."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from companion import __version__

if TYPE_CHECKING:
    from companion.news.summarize import Summary

# About 17,000 words of English or 33,000 Chinese characters: far longer than any news item. The
# table of sentence vectors has a row for each sentence and a column for each different word, so it
# grows with the square of the text: 0.8 GB and 4 seconds for the worst text of this size, made of
# 1000 sentences that hardly repeat a word; a few megabytes for an ordinary one.
MAX_BYTES = 100_000
ASSIGNMENTS = ("neuron", "attention", "heads", "transformer", "decoding", "news")
FORMATS = ("text", "json", "junit", "gradescope", "csv")
METHODS = ("attention", "textrank", "lead")
BAD_INPUT = 2
INTERRUPTED = 130  # 128 + the number of the signal, as shells report it: SIGINT
PIPE_CLOSED = 141  # SIGPIPE


class InputError(Exception):
    """Something the user can put right; its text is the message."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of usage and message."""
        self.exit(BAD_INPUT, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 done   1 `check` found a mistake
    2 the arguments or the input are wrong, said in one line on stderr
    130 interrupted with Ctrl-C   141 whoever read the output has stopped reading (`| head`)
    """
    options = _parser().parse_args(arguments)
    code = 0
    try:
        _write_what_the_terminal_cannot_show_as_escapes()
        if sys.stdout is None:  # started with the output closed: `>&-`
            raise InputError("standard output: closed; there is nowhere to write to")
        shown, code = options.run(options)
        print(shown)
        sys.stdout.flush()  # here, so that a closed pipe is noticed inside this try
    except InputError as error:
        print(f"companion: error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        _let_the_last_flush_pass()
        return PIPE_CLOSED
    except OSError as error:  # reading has its own message, so this is writing: the disk is full
        _let_the_last_flush_pass()
        print(f"companion: error: standard output: {error.strerror}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _let_the_last_flush_pass() -> None:
    """The interpreter flushes stdout once more on its way out; give it somewhere to write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="companion", description="Tools of the course Neurons to Transformers.")
    parser.add_argument("--version", action="version", version=f"companion {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    summarize = commands.add_parser(
        "summarize",
        help="choose the sentences that stand best for a text",
        description="Choose the sentences that stand best for a text, English or Chinese, and "
        "print them unchanged. Nothing is rewritten and nothing was trained: a sentence counts as "
        "important when the others share its words.",
    )
    summarize.add_argument(
        "file",
        metavar="FILE",
        help=f"a UTF-8 text of at most {MAX_BYTES:,} bytes; - reads standard input",
    )
    summarize.add_argument(
        "-n",
        "--sentences",
        type=_count,
        default=1,
        metavar="N",
        help="how many to choose (default: 1); all of them, if the text has fewer",
    )
    which = summarize.add_mutually_exclusive_group()
    which.add_argument(
        "--method",
        choices=METHODS,
        default="attention",
        help="attention: the sentences most looked at by the others (default); textrank: the "
        "same idea, repeated until it settles; lead: the first sentences",
    )
    which.add_argument(
        "--all", action="store_true", help="show what each of the three methods chooses"
    )
    summarize.add_argument(
        "--scores",
        action="store_true",
        help="list every sentence with its score, higher is better; * marks the chosen",
    )
    summarize.set_defaults(run=_summarize)
    _add_assignment_commands(commands)
    return parser


def _add_assignment_commands(commands: Any) -> None:
    """`companion check`; NumPy is imported only if it is run."""
    check = commands.add_parser(
        "check",
        help="try a submission against an assignment and say what is wrong and why",
        description="Try a submission (.py or .ipynb), or every one in a folder, against an "
        "assignment. Each runs in a process of its own with limits of time and memory, without "
        "the network and without the reference. Exit status: 0 all passed, 1 not, 2 wrong input.",
    )
    check.add_argument("submission", metavar="SUBMISSION", type=Path, help=".py, .ipynb or folder")
    check.add_argument("--assignment", required=True, choices=ASSIGNMENTS)
    check.add_argument("--format", choices=FORMATS, default="text")
    check.add_argument("--output", metavar="FILE", type=Path, help="write there, not to the screen")
    check.add_argument("--language", choices=("en", "zh"), default="en")
    check.add_argument(
        "--weights", metavar="FILE", type=Path, help='JSON with points: {"attention.softmax": 5}'
    )
    check.add_argument(
        "--timeout", type=float, default=10.0, metavar="SECONDS", help="for one call (default: 10)"
    )
    check.add_argument(
        "--loading", type=float, default=60.0, metavar="SECONDS",
        help="for loading a submission; importing torch alone may take ten (default: 60)",
    )  # fmt: skip
    check.add_argument(
        "--memory", type=int, default=4096, metavar="MB", help="of a submission (default: 4096)"
    )
    check.set_defaults(run=_check)
    for name, what in (("starter", "what learners begin from"), ("solution", "for instructors")):
        make = commands.add_parser(
            name,
            help=f"write an assignment's {name}, {what}",
            description=f"Write an assignment's {name}, {what}, as NAME.py and NAME.ipynb.",
        )
        make.add_argument("assignment", choices=ASSIGNMENTS)
        make.add_argument("--output", metavar="FOLDER", type=Path, default=Path())
        make.set_defaults(run=_write_assignment, solved=name == "solution")


def _check(options: argparse.Namespace) -> tuple[str, int]:
    from companion.assignments.command import BadInputError, check_submissions

    try:
        return check_submissions(options)
    except BadInputError as error:
        raise InputError(str(error)) from None


def _write_assignment(options: argparse.Namespace) -> tuple[str, int]:
    """Both files of a starter or a solution; a file that is there already is kept."""
    from companion import _atomic
    from companion.assignments import build

    text = build.source(options.assignment)
    stem = options.assignment + ("-solution" if options.solved else "")
    made = {".py": build.script, ".ipynb": build.notebook}
    paths = {options.output / f"{stem}{ending}": make for ending, make in made.items()}
    for path in paths:
        if path.exists():
            raise InputError(f"{path}: is there already, and may hold work; move it away first")
    for path, make in paths.items():
        try:
            _atomic.write(path, make(text, solved=options.solved).encode())
        except OSError as error:
            raise InputError(f"{path}: cannot be written: {error.strerror}") from None
    return "\n".join(map(str, paths)), 0


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return number


def _summarize(options: argparse.Namespace) -> tuple[str, int]:
    return _summary(options), 0


def _summary(options: argparse.Namespace) -> str:
    text = _read(options.file)
    from companion.news.summarize import summarize

    methods = METHODS if options.all else (options.method,)
    try:
        summaries = {name: summarize(text, options.sentences, name) for name in methods}
    except ValueError as error:  # more sentences than it takes; all else was checked on reading
        cause = str(error).removeprefix("text: ")  # the user gave a file, not an argument `text`
        raise InputError(f"{_name(options.file)}: {cause}") from None
    if options.scores:
        return _table(summaries)
    if options.all:
        return "\n".join(f"{name:<10} {_line(s.summary)}" for name, s in summaries.items())
    return summaries[options.method].summary


def _table(summaries: dict[str, "Summary"]) -> str:
    """Every sentence with its score by each method; * marks the chosen."""
    first = next(iter(summaries.values()))
    lines = ["  ".join([" no", *(f"{name:>10}" for name in summaries), "sentence"])]
    for number, sentence in enumerate(first.sentences):
        scores = [
            f"{s.scores[number]:.3f} {'*' if number in s.chosen else ' '}".rjust(10)
            for s in summaries.values()
        ]
        lines.append("  ".join([f"{number + 1:>3}", *scores, _line(sentence)]))
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(text.split())


def _read(file: str) -> str:
    """The text of a file or of standard input, or an InputError that says what is wrong with it."""
    name, raw = _name(file), _read_bytes(file)
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
        raise InputError(f"{_name(file)}: a directory; expected a text file") from None
    except FileNotFoundError:
        raise InputError(f"{_name(file)}: no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the file's name
        cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{_name(file)}: cannot be read: {cause}") from None


def _name(file: str) -> str:
    if file == "-":
        return "standard input"
    if not file:
        return "the empty name ''"
    return file.translate({n: "?" for n in range(32)})  # a line break would make two lines of one


def _convert(encoding: str, file: str) -> str:
    source = "" if file == "-" else f" {shlex.quote(_name(file))}"
    return f"convert it, e.g. iconv -f {encoding} -t UTF-8{source}"


def _write_what_the_terminal_cannot_show_as_escapes() -> None:
    """Print 中 as \\u4e2d to an ASCII terminal, where Python would stop with an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
