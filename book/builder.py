"""Build the pages of the book into _build/html, unless that is what lies there already.

`make book` runs this file; the tests of the built pages import it. Two that want a build at the
same time get one.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
OUTPUT = Path(os.environ.get("BOOK_OUTPUT", ROOT)).resolve()
HTML = OUTPUT / "_build" / "html"
STAMP = OUTPUT / "_build" / "html.sha256"
ADDRESSES = ("SITE_ADDRESS", "REPOSITORY_ADDRESS")  # see _ext/published.py
COMMAND = (
    sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", "book",
    "-W", "--keep-going", "-n",
    "--config", str(ROOT / "_config.yml"),
    "--toc", str(BOOK / "_toc.yml"),
    "--path-output", str(OUTPUT),
)  # fmt: skip


def build() -> int:
    """Build what changed; return the exit code."""
    STAMP.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(STAMP.with_suffix(".lock"))):
        wanted = sources()
        if (HTML / "index.html").exists() and STAMP.exists() and STAMP.read_text() == wanted:
            return 0
        STAMP.unlink(missing_ok=True)
        environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *_path()])
        partial = (HTML / "index.html").exists()
        code = subprocess.call(COMMAND, cwd=ROOT, env=environment)
        # Only changed pages are built. What moved between pages confuses that: then all anew.
        if code and partial:
            code = subprocess.call([*COMMAND, "--all"], cwd=ROOT, env=environment)
        if code == 0:
            STAMP.write_text(wanted)
        return code


def sources() -> str:
    """A digest of everything that the pages are made of."""
    files = [ROOT / "_config.yml", ROOT / "constraints.txt"]
    for folder in (BOOK, ROOT / "companion"):
        files += [path for path in folder.rglob("*") if path.is_file()]
    digest = hashlib.sha256(str(ROOT).encode())
    digest.update(repr([os.environ.get(name, "") for name in ADDRESSES]).encode())
    for path in sorted(files):
        inside = path.relative_to(ROOT)
        if not {"__pycache__", ".ipynb_checkpoints"} & set(inside.parts):
            digest.update(f"{inside.as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _path() -> list[str]:
    return [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]


if __name__ == "__main__":
    sys.exit(build())
