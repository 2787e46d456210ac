"""The one array type of this wing: any shape, any dtype; the docstrings give the axes."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
