"""How a process of ours ends when it fails: without the values it had in hand."""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.telemetry import log

if sys.platform != "win32":
    import resource

    def leave_no_core() -> None:
        """Have no memory written to a disk: keys and passwords are in it. Children inherit this."""
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

else:

    def leave_no_core() -> None:
        """Windows writes none by itself."""


@contextmanager
def told_by_type() -> Iterator[None]:
    """End on a failure with a log line of ours: a traceback would show the values it met."""
    try:
        yield
    except Exception:  # noqa: BLE001 - whatever it is, the process ends and is started again
        log().exception("process_failed")
        sys.exit(1)
