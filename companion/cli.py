"""The command line of `companion`. NumPy is imported only when there is work."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from companion import __version__
from companion._input import MAX_BYTES, InputError, read_text, shown_name

if TYPE_CHECKING:
    from companion.news.summarize import Summary

ASSIGNMENTS = ("neuron", "attention", "heads", "transformer", "decoding", "news")
FORMATS = ("text", "json", "junit", "gradescope", "csv")
METHODS = ("attention", "textrank", "lead")  # rules without training
BAD_INPUT = 2
INTERRUPTED = 130  # 128 + the number of the signal, as shells report it: SIGINT
PIPE_CLOSED = 141  # SIGPIPE


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
        if shown or not code:
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
    _add_news_commands(commands)
    _add_assignment_commands(commands)
    return parser


def _add_news_commands(commands: Any) -> None:
    """`companion summarize` and `companion importance`."""
    summarize = commands.add_parser(
        "summarize",
        help="say in one or two sentences what a news article says",
        description="Summarise news, English or Chinese, with the model that comes with the "
        "package. Where it is unsure it answers with the article's most telling sentence; names "
        "and numbers can only be copied. --method chooses a rule without training instead.",
    )
    _add_reader_options(summarize, "summary")
    summarize.add_argument(
        "-n",
        "--sentences",
        type=_count,
        metavar="N",
        help="choose N sentences of the text, unchanged; all of them, if it has fewer",
    )
    which = summarize.add_mutually_exclusive_group()
    which.add_argument(
        "--method",
        choices=("reader", *METHODS),
        help="reader: the trained model (default); attention: the sentences most looked at by the "
        "others; textrank: the same idea, repeated until it settles; lead: the first sentences",
    )
    which.add_argument(
        "--all", action="store_true", help="show what each of the three rules chooses"
    )
    summarize.add_argument(
        "--scores",
        action="store_true",
        help="with a rule: list each sentence with its score, higher is better; * marks the chosen",
    )
    summarize.set_defaults(run=_summarize)
    importance = commands.add_parser(
        "importance",
        help="say how important a news article is, from 1 to 5",
        description="Judge news, English or Chinese: 1 plus a point each for reach, severity, "
        "novelty and urgency, as probabilities of the model that comes with the package.",
    )
    _add_reader_options(importance, "importance")
    importance.set_defaults(run=_read, sentences=None)


def _add_reader_options(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help=f"a UTF-8 text of at most {MAX_BYTES:,} bytes; a folder of such; .jsonl or .csv with "
        "a column content; - reads standard input",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--beams", type=_count, default=5, metavar="W", help="width of the beam search (default: 5)"
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show the weight of each sentence, and which of them each word was copied from",
    )
    parser.set_defaults(what=what)


def _read(options: argparse.Namespace) -> tuple[str, int]:
    from companion.news.command import read_all

    try:
        return read_all(options)
    except ModuleNotFoundError as error:
        raise InputError(str(error)) from None
    except FileNotFoundError as error:
        raise InputError(f"the model is missing from this installation: {error}") from None


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
    rule = options.all or options.scores or options.method in METHODS
    if not rule:
        return _read(options)
    for name in ("json", "explain"):
        if getattr(options, name):
            raise InputError(f"--{name}: expected --method reader, which it belongs to, got a rule")
    if len(options.files) > 1:
        raise InputError(f"FILE: expected one file for a rule, got {len(options.files)}")
    return _summary(options, options.files[0]), 0


def _summary(options: argparse.Namespace, file: str) -> str:
    text = read_text(file)
    from companion.news.summarize import summarize

    method = options.method if options.method in METHODS else METHODS[0]
    methods = METHODS if options.all else (method,)
    try:
        summaries = {name: summarize(text, options.sentences or 1, name) for name in methods}
    except ValueError as error:  # more sentences than it takes; all else was checked on reading
        cause = str(error).removeprefix("text: ")  # the user gave a file, not an argument `text`
        raise InputError(f"{shown_name(file)}: {cause}") from None
    if options.scores:
        return _table(summaries)
    if options.all:
        return "\n".join(f"{name:<10} {_line(s.summary)}" for name, s in summaries.items())
    return summaries[method].summary


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


def _write_what_the_terminal_cannot_show_as_escapes() -> None:
    """Print 中 as \\u4e2d to an ASCII terminal, where Python would stop with an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
