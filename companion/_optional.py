"""Libraries that only some rooms need: imported where they are used, with a word on what to do."""

import importlib
from types import ModuleType


def optional(module: str, extra: str) -> ModuleType:
    """The module, or a ModuleNotFoundError that names the extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModuleNotFoundError(
            f"{module}: expected to be installed, got none; "
            f"run: pip install 'neurons-to-transformers[{extra}]'"
        ) from error
