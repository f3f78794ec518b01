"""Commands of `minzheng`, each in a fork of one process that has loaded everything already.

To load it anew for each of twenty would take longer than what they do.
"""

import multiprocessing
import os
import re
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

_LOADED = (
    *("suite.cli", "suite.processes", "suite.postgres", "suite.clients", "chassis.work"),
    *("services.relief.app", "services.eldercare.app", "services.indicator.app"),
    *("services.gateway.app", "services.console.app"),
)
_OURS = re.compile(r"MINZHENG_\w+|(\w+_)?DATABASE_URL")


def start(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> BaseProcess:
    """Run `minzheng ARGUMENTS`; what it prints goes into `log`. The caller ends and joins it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_LOADED])
    process = context.Process(target=_run, args=(list(arguments), dict(environment), log))
    process.start()
    return process


def _run(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    for name in [name for name in os.environ if _OURS.fullmatch(name)]:
        del os.environ[name]
    os.environ.update(environment)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.argv = ["minzheng", *arguments]
    from suite.cli import main  # noqa: PLC0415 - loaded in the parent

    main()
