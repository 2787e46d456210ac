"""Write a file so that a reader finds the old one or the new one, never half of one."""

import contextlib
import os
from pathlib import Path


def write(path: str | os.PathLike[str], data: bytes) -> None:
    """Put `data` at `path` in one stroke.

    The bytes go to a neighbour, are forced onto the disk, and only then take the name of the old
    file: `os.replace` is atomic. A process killed before that leaves the old file, and perhaps the
    neighbour `.NAME.tmp`, which the next write overwrites: it never becomes a second piece of
    litter, nor stands in the way. One writer a path at a time.

    Raises OSError as the operating system does (no such folder, disk full); the old file stays.
    """
    path = Path(os.path.realpath(path))  # through a link: the link stays, what it points at changes
    beside = path.with_name(f".{path.name}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may keep the new name and lose the bytes
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Force the new name onto the disk too, where folders can be opened (not on Windows)."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
