"""The clock port: every "now" of the law comes from here; tokens alone use real time."""

import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol

from chassis import private_file

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Days are counted here. A fixed offset: no summer time since 1991, and no zone files needed."""

REAL = "real"


class ClockRefused(Exception):  # noqa: N818 - says what happened
    """A deployment was told to drive its clock."""


class Clock(Protocol):
    def now(self) -> datetime:
        """An aware instant in UTC."""
        ...

    def today(self) -> date:
        """The day in Asia/Shanghai."""
        ...


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(SHANGHAI).date()


class DrivenClock:
    """Stands at the instant in a file until that is driven on; real time while there is none.

    Every process of an embedded run reads the same file, so all of them move together.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._instant: datetime | None = None

    def now(self) -> datetime:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return datetime.now(UTC)
        signature = (status.st_mtime_ns, status.st_ino)
        if signature != self._seen:
            self._instant = _parse(self._path.read_text("ascii"))
            self._seen = signature
        return self._instant or datetime.now(UTC)

    def today(self) -> date:
        return self.now().astimezone(SHANGHAI).date()


def drive(path: Path, instant: datetime | None) -> None:
    """Set the clock of everybody who reads `path`; None hands it back to real time."""
    if instant is not None and instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    before = path.stat().st_mtime_ns if path.exists() else 0
    text = REAL if instant is None else instant.astimezone(UTC).isoformat()
    private_file.replace(path, text.encode("ascii"))
    # The file system's time is coarse; two changes within one tick must still look different.
    after = max(path.stat().st_mtime_ns, before + 1)
    os.utime(path, ns=(after, after))


def open_clock(setting: str | None, *, deployment: bool) -> Clock:
    """The clock of this process; `setting` is the file of a driven one, empty for the real one.

    Raises:
        ClockRefused: in a deployment, where dates decide about rights and money.
    """
    if not setting:
        return RealClock()
    if deployment:
        raise ClockRefused("a deployment runs on real time; unset MINZHENG_CLOCK")
    return DrivenClock(Path(setting))


def _parse(text: str) -> datetime | None:
    if text.strip() == REAL:
        return None
    instant = datetime.fromisoformat(text.strip())
    if instant.tzinfo is None:
        raise ValueError("the driven clock's file holds an instant without an offset")
    return instant.astimezone(UTC)
