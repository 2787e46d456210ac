"""`companion summarize` and `companion importance` with the shipped reader."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from companion._input import InputError, read_text, shown_name
from companion._optional import optional
from companion.news.read import Reading, read_news
from companion.news.records import load_records

ENDINGS = (".txt", ".md")
FEW = 8  # articles that are read before a second process has started


def read_all(options: argparse.Namespace) -> tuple[str, int]:
    """Read every input and say what was found; one bad input does not stop the others.

    options of the command line: files, json, beams, explain, sentences, what
    Returns what to print, and the exit status: 0, or 2 if an input could not be read (each is named
    on stderr as it comes).
    """
    sources = [(name, _text(name, content)) for name, content in _sources(options.files)]
    texts = [text for _, text in sources if isinstance(text, str)]
    readings = _readings(texts, partial(_read, beams=options.beams, explain=options.explain))
    shown, failed = [], False
    for name, text in _with_progress(sources):
        found = next(readings) if isinstance(text, str) else text
        if isinstance(found, Exception):
            cause = str(found)
            if not isinstance(found, InputError):  # whose message names the file
                cause = f"{shown_name(name)}: {cause.removeprefix('news: ')}"
            print(f"companion: error: {cause}", file=sys.stderr)
            failed = True
        elif options.json:
            shown.append(json.dumps(_record(name, found, options), ensure_ascii=False))
        elif options.what == "importance":
            shown.append(_importance(name if len(sources) > 1 else None, found, options.explain))
        else:
            shown.append(_summary(name if len(sources) > 1 else None, found, options))
    return "\n".join(shown), 2 if failed else 0


def _text(name: str, content: str | None) -> str | InputError:
    """The text to read: a record's content, or what stands in the file."""
    try:
        return read_text(name) if content is None else content
    except InputError as error:
        return error


def _read(text: str, *, beams: int, explain: bool) -> Reading | Exception:
    try:
        return read_news(text, beams=beams, explain=explain)
    except (ValueError, TypeError) as error:
        return error


def _readings(texts: Sequence[str], read: Callable[[str], Any]) -> Iterator[Any]:
    """What was read, in the order of texts; many of them on all cores, a process each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = min(cores or 1, len(texts) // FEW)
    if workers < 2:
        yield from map(read, texts)
        return
    # Spawned, not forked: a fork copies BLAS in whatever state its threads are.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_worker)
    try:
        yield from pool.map(read, texts)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _worker() -> None:
    """Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _sources(files: list[str]) -> Iterator[tuple[str, str | None]]:
    """Name and, for records of a file, their text; None: the file is the text."""
    for file in files:
        path = Path(file)
        if file not in ("", "-") and path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix in (*ENDINGS, ".jsonl", ".csv"))
            if not found:
                raise InputError(
                    f"{shown_name(file)}: expected .txt, .md, .jsonl or .csv files, got none"
                )
            yield from _sources([str(p) for p in found])
        elif path.suffix in (".jsonl", ".csv"):
            try:
                records = load_records(path)
            except FileNotFoundError:
                raise InputError(f"{shown_name(file)}: no such file") from None
            except ValueError as error:
                raise InputError(str(error)) from None
            for number, record in enumerate(records, 1):
                name = str(record.get("id", f"{file}:{number}"))
                yield name, record["content"]
        else:
            yield file, None


def _with_progress(sources: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    if len(sources) < 2 or not sys.stderr.isatty():
        yield from sources
        return
    yield from optional("tqdm", "train").tqdm(sources, unit="article")


def _summary(name: str | None, reading: Reading, options: argparse.Namespace) -> str:
    text = reading.summary
    if options.sentences is not None:
        best = sorted(
            range(len(reading.sentences)), key=lambda n: -round(float(reading.weights[n]), 6)
        )
        gap = "" if reading.language == "zh" else " "
        text = gap.join(reading.sentences[n] for n in sorted(best[: options.sentences]))
    line = " ".join(text.split())
    lines = [line if name is None else f"{name}\t{line}"]
    if options.explain:
        lines += _explained(reading)
    return "\n".join(lines)


def _importance(name: str | None, reading: Reading, explain: bool) -> str:
    points = "  ".join(f"{key} {value:.2f}" for key, value in reading.rubric.items())
    first = f"{reading.importance:.1f}" + (f"  {points}" if explain or name is None else "")
    lines = [first if name is None else f"{name}\t{first}"]
    if explain:
        lines += _explained(reading)
    return "\n".join(lines)


def _explained(reading: Reading) -> list[str]:
    """Each sentence with its weight, and where the words of the written summary come from."""
    lines = [
        f"  {method:<9} {text}"
        for method, text in (("written", reading.written), ("extracted", reading.extracted))
        if text
    ]
    lines.append(
        f"  answer    {reading.method}, confidence of the written {reading.confidence:.2f}"
    )
    for number, sentence in enumerate(reading.sentences):
        lines.append(
            f"  {number + 1:>3}  {reading.weights[number]:.2f}  {' '.join(sentence.split())}"
        )
    told = [
        f"{text}[{'new' if sentence is None else sentence + 1}]"
        for text, sentence, _ in reading.sources
    ]
    return [*lines, "  copied from sentence: " + " ".join(told)] if told else lines


def _record(name: str, reading: Reading, options: argparse.Namespace) -> dict[str, Any]:
    record: dict[str, Any] = {
        "source": name,
        "language": reading.language,
        "importance": round(reading.importance, 3),
        "rubric": {key: round(value, 3) for key, value in reading.rubric.items()},
        "summary": reading.summary,
        "method": reading.method,
        "confidence": round(reading.confidence, 3),
    }
    if options.explain:
        record |= {
            "written": reading.written,
            "extracted": reading.extracted,
            "sentences": [
                {"text": text, "weight": round(float(weight), 3)}
                for text, weight in zip(reading.sentences, reading.weights, strict=True)
            ],
            "pieces": [
                {"text": text, "sentence": sentence, "copied": round(share, 3)}
                for text, sentence, share in reading.sources
            ],
        }
    return record
