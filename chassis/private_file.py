"""Files for keys and the like: readable by their owner alone, whole or not there."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write the file in one step: a reader sees the old bytes or the new ones (mode 0600)."""
    temporary = _written_beside(path, data)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
    _keep(path.parent)


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's bytes, made first where it is missing; of several makers at once one wins."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        create(path, make())
        return path.read_bytes()


def create(path: Path, data: bytes) -> bool:
    """Write a new file (mode 0600); False when it is there already, which is left as it is."""
    temporary = _written_beside(path, data)
    try:
        # A link, unlike a rename, never takes the place of another process's file.
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _keep(path.parent)
    return True


def _written_beside(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _keep(folder: Path) -> None:
    """Make the new name outlive a power cut: what a lost key sealed is lost with it."""
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
