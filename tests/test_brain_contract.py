"""The promises of companion.brain that hold for every name: units, docstrings, imports."""

import inspect
import re
import subprocess
import sys

import pytest

from companion import brain

UNITS = r"\b(ms|mV|nA|MΩ|Hz|m/s|µA/cm²|degrees|no unit|without unit|unit of)(?!\w)"
FUNCTIONS = [name for name in brain.__all__ if inspect.isfunction(getattr(brain, name))]


@pytest.mark.parametrize("name", brain.__all__)
def test_every_docstring_gives_units_and_says_what_is_returned_and_raised(name):
    text = inspect.getdoc(getattr(brain, name))
    assert re.search(UNITS, text), "no unit named, not even 'no unit'"
    assert "Raises" in text
    if inspect.isfunction(getattr(brain, name)):
        assert "Returns" in text
        for argument in inspect.signature(getattr(brain, name)).parameters:
            assert re.search(rf"\b{argument}\b", text), f"{argument} is not described"


QUANTITY = re.compile(r"(time|delay|voltage|current|rate|length|velocity|duration|threshold)(_|$)")
UNIT_OF_SUFFIX = {
    "ms": "ms",
    "mv": "mV",
    "na": "nA",
    "mohm": "MΩ",
    "hz": "Hz",
    "m": "m",
    "m_per_s": "m/s",
    "ua_per_cm2": "µA/cm²",
    "mv_per_hz": "mV per Hz",
}
SUFFIX = re.compile(rf"_({'|'.join(UNIT_OF_SUFFIX)})$")
WITHOUT_UNIT = {"learning_rate", ("mcculloch_pitts", "threshold")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_physical_quantities_carry_their_unit_in_their_name(name):
    for argument in inspect.signature(getattr(brain, name)).parameters:
        if QUANTITY.search(argument) and not {argument, (name, argument)} & WITHOUT_UNIT:
            assert SUFFIX.search(argument), f"{name}({argument}) says no unit"


@pytest.mark.parametrize("name", [*FUNCTIONS, "LeakyNeuron"])
def test_the_docstring_writes_the_unit_of_every_suffix(name):
    text = inspect.getdoc(getattr(brain, name))
    for argument in [name, *inspect.signature(getattr(brain, name)).parameters]:
        if found := SUFFIX.search(argument):
            unit = re.escape(UNIT_OF_SUFFIX[found[1]])
            assert re.search(rf"(?<![\w/]){unit}(?![\w/])", text), (
                f"{argument}: its unit is missing"
            )


def test_all_is_sorted_and_complete():
    assert sorted(brain.__all__, key=lambda n: (n.upper() != n, n[0].islower(), n)) == brain.__all__
    public = {
        n for n, v in vars(brain).items() if not n.startswith("_") and not inspect.ismodule(v)
    }
    assert public == set(brain.__all__)


def test_importing_needs_numpy_only():
    code = (
        "import sys, companion.brain\n"
        "heavy = {'torch', 'matplotlib', 'scipy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
