"""Starts processes forked from one warmed process, starts again what dies, ends them all.

Children inherit listening sockets that stay open when they die: a client waits, it is not refused.
"""

import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from chassis.telemetry import log

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
LOOK = 0.05
PATIENCE = 15.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
STEADY_AFTER = 30.0


@dataclass(slots=True)
class Child:
    """A process to keep alive: `run` is its whole life, in the fork."""

    name: str
    run: Callable[[], None]
    pid: int = 0
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = FIRST_PAUSE
    once: bool = False
    failures: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps `children` running until it is told to stop.

    `watch` is called between looks, for servers that are no forks of ours; where it fails (a disk
    is full, a port is taken) it is called again after a pause, and everything else goes on.
    """

    children: list[Child] = field(default_factory=list)
    watch: Callable[[], None] = lambda: None
    stopping: bool = False
    watch_at: float = 0.0

    def add(self, name: str, run: Callable[[], None], *, once: bool = False) -> Child:
        """A process to keep running, or (`once`) to run until it has ended well."""
        child = Child(name, run, once=once)
        self.children.append(child)
        return child

    def install_signals(self) -> None:
        def stop(_: int, __: FrameType | None) -> None:
            self.stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

    def start(self, children: Sequence[Child] | None = None) -> None:
        """Fork each child once; what the parent has loaded is shared, not loaded again."""
        gc.collect()
        gc.freeze()
        for child in self.children if children is None else children:
            self._fork(child)

    def tend(self) -> None:
        """One look: reap what died and start it again when its pause is over."""
        self._reap()
        now = time.monotonic()
        for child in self.children:
            if child.pid == 0 and child.start_at and now >= child.start_at and not self.stopping:
                self._fork(child)
        if now >= self.watch_at:
            self._watch()

    def _watch(self) -> None:
        try:
            self.watch()
        except Exception:  # noqa: BLE001 - whatever it is, the services go on as they can
            log().exception("watch_failed")
            self.watch_at = time.monotonic() + LONGEST_PAUSE

    def tend_until(self, done: Callable[[], bool]) -> None:
        """Look after everything until it is done, or until we are told to stop."""
        while not self.stopping and not done():
            self.tend()
            time.sleep(LOOK)

    def stop(self) -> None:
        """Ask every child to end, then make it."""
        self.stopping = True
        for child in self.children:
            _signal(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while any(child.pid for child in self.children) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for child in self.children:
            _signal(child.pid, signal.SIGKILL)
        while any(child.pid for child in self.children):
            self._reap()
            time.sleep(0.02)

    def _fork(self, child: Child) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _live(child, parent)
        child.pid = pid
        child.started_at = time.monotonic()

    def _reap(self) -> None:
        for child in self.children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            lived = time.monotonic() - child.started_at
            child.pid = 0
            child.start_at = 0.0
            if self.stopping or (child.once and code == 0):
                continue
            child.failures += 1
            child.pause = (
                FIRST_PAUSE if lived > STEADY_AFTER else min(child.pause * 2, LONGEST_PAUSE)
            )
            child.start_at = time.monotonic() + child.pause
            log().warning("process_ended", kind=child.name, exit_code=code)


def _live(child: Child, parent: int) -> None:
    """The fork's whole life: never returns."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        name_process(child.name)
        end_with_parent(parent)
        child.run()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this fork ends here and is started again
        log().exception("process_failed", kind=child.name)
    finally:
        sys.stdout.flush()
        os._exit(code)


def name_process(name: str) -> None:
    """Show what this process is in `ps -o comm` (Linux, 15 characters; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15])


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent does (Linux; elsewhere nothing)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _signal(pid: int, number: signal.Signals) -> None:
    if pid:
        os.kill(pid, number)
