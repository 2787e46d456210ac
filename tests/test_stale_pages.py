"""What makes a page stale: its own code, and every file of this project that the code reaches."""

import tempfile
from modulefinder import ModuleFinder
from pathlib import Path

import pages
import pytest


def by_module_finder(statement):
    """The standard library's word on it, from compiled code."""
    finder = ModuleFinder(path=[str(pages.ROOT), str(pages.BOOK)])
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "page.py")
        script.write_text(statement, encoding="utf-8")
        finder.run_script(str(script))
    found = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    return found - {script}


@pytest.mark.parametrize(
    "statement",
    [
        "import companion",
        "import numpy, companion.config as config",
        "from companion.with_numpy import attention, softmax",
        "from companion.brain import oja_step",
        "from companion.text.bpe import BPE",
        "import pages",
    ],
)
def test_an_import_reaches_what_the_standard_library_says(statement):
    found = pages.imported([statement])
    python = {path for path in found if path.suffix == ".py"}
    assert python == by_module_finder(statement)
    assert all(path.is_relative_to(pages.ROOT) for path in python)


def test_imports_inside_functions_count_and_names_are_no_files(tmp_path):
    (tmp_path / "house").mkdir()
    for name, text in {
        "house/__init__.py": "",
        "house/door.py": "def open():\n    from house import key\n",
        "house/key.py": "import house.lock",
        "house/lock.py": "import house.door",  # round in a circle
        "house/cellar.py": "",
        "garden.py": "",
    }.items():
        (tmp_path / name).write_text(text)
    found = pages._reached("from house.door import open", tmp_path)
    assert {path.name for path in found} == {"__init__.py", "door.py", "key.py", "lock.py"}


@pytest.mark.parametrize("statement", ["from companion import *", "from . import pages"])
def test_an_import_that_does_not_say_what_it_brings_is_refused(statement):
    with pytest.raises(ValueError, match="expected whole names, got"):
        pages.imported([statement])


def test_pages_that_read_others_come_last():
    for page in pages.toc():
        assert pages._reads_others(page) == ("reads" in pages.read(page).metadata), page
