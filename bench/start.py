"""`start`: `make run` on data that is there, from the command to `ready`; memory of all processes.

The first start builds the demonstration district and is only told of; the next ones count. Memory
is the proportional set size (PSS) of the run and everything below it, PostgreSQL included.
"""

import contextlib
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.rounds import Bar, Row, Spread
from bench.stage import Stage
from suite.ports import free_port

PATIENCE = 900.0
SETTLED = 3.0
MOST_SECONDS, MOST_MIB = 15.0, 1.2 * 1024


@dataclass(frozen=True, slots=True)
class Started:
    seconds: float
    mib: float


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    data = stage.folder.path.parent / "run"
    data.mkdir(mode=0o711)
    demo = [] if quick else ["--demo"]
    first = _start(data, demo)
    started = [_start(data, demo) for _ in range(1 if quick else max(rounds, 1))]
    seconds = Spread.of([one.seconds for one in started])
    mib = Spread.of([one.mib for one in started])
    built = Spread.of([first.seconds])
    return [
        Row("start", "make run, warm, to ready", "s", seconds, bar=Bar(most=MOST_SECONDS)),
        Row("start", "memory of all processes (PSS)", "MiB", mib, bar=Bar(most=MOST_MIB)),
        Row("start", "make run, first (builds the demonstration)", "s", built),
    ]


def _start(data: Path, options: list[str]) -> Started:
    command = [sys.executable, "-m", "suite", "run", *options, "--data", str(data)]
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - the suite's own command
        [*command, "--port", str(free_port())],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        _until_ready(process, began + PATIENCE)
        seconds = time.monotonic() - began
        time.sleep(SETTLED)
        return Started(seconds, sum(_pss(pid) for pid in _tree(process.pid)) / 1024)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def _until_ready(process: "subprocess.Popen[str]", deadline: float) -> None:
    if process.stdout is None:
        raise RuntimeError("nothing to read from")
    for line in process.stdout:
        if line.startswith("ready"):
            return
        if time.monotonic() > deadline:
            break
    raise RuntimeError("the suite did not become ready")


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _pss(pid: int) -> int:
    """KiB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
