"""One run at a time per data folder, and what a killed run left behind."""

import contextlib
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import IO

_PATIENCE = 30.0


class InUseError(RuntimeError):
    """Another run works in this data folder, or a server of an earlier one does not end."""


def hold(folder: Path) -> IO[str]:
    """Keep `folder` for this process until the returned file is closed or the process ends.

    Raises:
        InUseError: another process holds it.
    """
    # A record lock belongs to this process alone: services forked from it don't hold it on.
    lock = (folder / "lock").open("a")
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise InUseError(f"{folder} is in use by another run") from error
    return lock


def end_left_over(pid: int, folder: Path, how: signal.Signals) -> None:
    """Stop the server `pid` if it works in `folder`: its number may be another process's by now.

    Raises:
        InUseError: it does not end within half a minute.
    """
    if not _works_in(pid, folder):
        return
    os.kill(pid, how)
    deadline = time.monotonic() + _PATIENCE
    while _works_in(pid, folder):
        if time.monotonic() > deadline:
            raise InUseError(f"the server of an earlier run, process {pid}, does not end")
        time.sleep(0.05)


def _works_in(pid: int, folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    return False
