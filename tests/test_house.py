"""The house itself: the package works outside the checkout, the commands say what ails.

Oracle for the packaging tests is a Python that sees only the installed files.
"""

import re
import subprocess
import sys
import tarfile
import textwrap
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, cwd, **environment):
    clean = {"PATH": "/usr/bin:/bin", "SYSTEMROOT": "C:\\Windows", **environment}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, env=clean, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist and the wheel, the wheel built from the sdist as a package index would."""
    out = tmp_path_factory.mktemp("dist")
    made = run("-m", "build", "--no-isolation", "--outdir", out, cwd=ROOT, HOME=str(out))
    assert made.returncode == 0, made.stdout + made.stderr
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def site(built, tmp_path_factory):
    """The wheel, unpacked where no checkout is near."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built[1]) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.slow
def test_wheel_and_sdist_hold_the_package_and_nothing_else(built):
    sdist, wheel = built
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    folders = {name.split("/")[0] for name in in_wheel}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"companion"}
    assert {"companion", "LICENSE", "LICENSE-TEXT", "README.md", "pyproject.toml"} <= tops
    assert not {"book", "tests", ".venv", "_build"} & tops
    files = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("companion/**/*") if p.is_file()}
    missing = {name for name in files if "__pycache__" not in name} - in_wheel
    assert not missing


@pytest.mark.slow
def test_installed_package_works_outside_the_checkout(site, tmp_path):
    code = """
        import companion, numpy as np
        from companion.with_numpy import attention
        output, weights = attention(np.ones((2, 3)), np.ones((4, 3)), np.ones((4, 5)))
        assert output.shape == (2, 5) and (weights == 0.25).all()
        print(companion.__file__)
    """
    result = run("-c", textwrap.dedent(code), cwd=tmp_path, PYTHONPATH=str(site))
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(str(site))


@pytest.mark.slow
def test_metadata_needs_little_and_ships_types(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = archive.namelist()
        (name,) = [name for name in names if name.endswith("METADATA")]
        metadata = archive.read(name).decode().splitlines()
    needs = [
        line for line in metadata if line.startswith("Requires-Dist") and "extra ==" not in line
    ]
    packages = [re.split(r"[ >=<]", line.removeprefix("Requires-Dist: "))[0] for line in needs]
    assert packages == ["numpy", "safetensors", "tqdm"]
    assert "companion/py.typed" in names


@pytest.mark.parametrize("module", ["companion", "companion.with_numpy"])
def test_import_brings_in_neither_torch_nor_matplotlib(module):
    code = f"import {module}, sys; print({{'torch', 'matplotlib', 'scipy'}} & set(sys.modules))"
    result = run("-c", code, cwd=ROOT)
    assert result.stdout.strip() == "set()", result.stderr


def test_metadata_agree_with_each_other():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    package = (ROOT / "companion" / "__init__.py").read_text(encoding="utf-8")
    version = package.split('__version__ = "')[1].split('"')[0]
    assert f"version: {version}" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {version}" in changes
    assert {"torch", "book", "test", "hf", "dev"} <= set(project["optional-dependencies"])
    make = (ROOT / "make.py").read_text(encoding="utf-8")
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "OLDEST, NEWEST = (3, 11), (3, 13)" in make


def test_every_pin_is_exact():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert all(line.count("==") == 1 and "+" not in line for line in pins)


def test_make_names_every_command_and_refuses_unknown_ones():
    listed = run("make.py", cwd=ROOT)
    assert listed.returncode == 0
    for command in ("book", "test", "check", "notebooks", "clean"):
        assert f"    {command}" in listed.stdout
    wrong = run("make.py", "bok", cwd=ROOT)
    assert wrong.returncode == 2
    assert "invalid choice: 'bok'" in wrong.stderr


@pytest.fixture
def make(monkeypatch, tmp_path):
    """make.py as a module whose virtual environment lies in an empty folder."""
    monkeypatch.syspath_prepend(str(ROOT))
    module = __import__("make")
    monkeypatch.setattr(module, "VENV", tmp_path / "venv")
    monkeypatch.setattr(module, "STAMP", tmp_path / "venv" / "stamp")
    return module


def test_make_says_that_the_disk_is_full(make, monkeypatch):
    monkeypatch.setattr(make, "NEEDED_GB", 1e9)
    with pytest.raises(make.UserError, match=r"GB free on the disk of .* needed"):
        make.setup()


def test_make_says_which_python_it_needs(make, monkeypatch):
    monkeypatch.setattr(make, "works", lambda executable: False)
    with pytest.raises(make.UserError, match=r"Python 3\.11 to 3\.13 is needed; this is 3\."):
        make.suitable_python()


@pytest.mark.parametrize(
    ("ci", "there", "user", "calls"),
    [("true", {"apt-get"}, 0, 2), ("true", {"apt-get", "sudo"}, 1000, 2),
     ("true", {"apt-get"}, 1000, 0), ("true", {"apt-get", "chromium"}, 0, 0),
     ("true", set(), 0, 0), ("", {"apt-get"}, 0, 0)],
)  # fmt: skip
def test_make_brings_a_browser_only_where_tests_may_not_be_skipped(
    make, monkeypatch, ci, there, user, calls
):
    called = []
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(make.shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(make.os, "geteuid", lambda: user, raising=False)
    monkeypatch.setattr(make.subprocess, "call", called.append)
    make.browser()
    assert len(called) == calls
    before = ["sudo", "-n", "apt-get"] if user else ["apt-get"]
    assert all(command[: len(before)] == before for command in called)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("Temporary failure in name resolution", "package index could not be reached"),
        ("No module named venv", "python3-venv"),
        ("something else", "the lines above say why"),
    ],
)
def test_make_says_in_plain_words_why_installing_failed(make, printed, expected):
    failing = [sys.executable, "-c", f"print({printed!r}); raise SystemExit(1)"]
    with pytest.raises(make.UserError, match=expected):
        make.install(failing)
