"""How long `import companion` takes, from the start of Python to its end, and what it brings in."""

import subprocess
import sys

import numpy as np
from measure import Contender, Contenders

BASELINE = "python alone"
MEMORY = False
SETUPS = QUICK = [{}]
WHAT = {
    BASELINE: "pass",
    "companion": "import companion",
    "companion.with_numpy": "import companion.with_numpy",
    "numpy": "import numpy",
    "torch": "import torch",
    "transformers": "import transformers",
    "x-transformers": "import x_transformers",
}


def contenders() -> Contenders:
    return {
        name: Contender(lambda code=code: with_torch(code), lambda expected=expected: expected, 0)
        if importable(code)
        else f"{name}: not installed"
        for name, code in WHAT.items()
        for expected in [np.array(float(name in ("torch", "x-transformers")))]
    }


def with_torch(code: str) -> np.ndarray:
    """Run it in a fresh Python; 1 if that Python then has torch. Ours must not."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('torch' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return np.array(float(told.stdout.strip() == "True"))


def importable(code: str) -> bool:
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
