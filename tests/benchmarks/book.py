"""The book: how long its commands take, each once and alone, as somebody at work waits for them."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETUPS = [{"command": "make book"}, {"command": "make book, one edit"}, {"command": "make test"}]
QUICK: list[dict[str, str]] = []  # there is no smaller book
EDITED = Path("book/attention/scores.md")


def seconds(command: str) -> float:
    """Of one command, what is installed being installed; raises if it fails."""
    if command == "make test":
        return timed(ROOT, "make.py", "test")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "course"
        left_out = shutil.ignore_patterns("_build", ".venv", ".git", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=left_out)
        whole = made(copy)
        if command == "make book":
            return whole
        page = copy / EDITED
        page.write_text(page.read_text(encoding="utf-8") + "\nOne more sentence.\n", "utf-8")
        return made(copy)


def made(folder: Path) -> float:
    """What `make book` does once .venv is there."""
    return timed(folder, "book/pages.py") + timed(folder, "book/builder.py")


def timed(folder: Path, *step: str) -> float:
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *step], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(step)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.perf_counter() - start
