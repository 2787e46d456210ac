"""One of the two wings, for tests that are the same for both; conftest.py has the fixture."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Wing:
    """One wing, and the way to its arrays and back."""

    name: str
    lib: ModuleType

    def array(self, values: Any, dtype: Any = None) -> Any:
        array = np.array(values, dtype=dtype)
        if self.name == "numpy":
            return array
        import torch

        return torch.tensor(array)

    def numpy(self, array: Any) -> Any:
        return np.asarray(array)
