"""Log lines, trace context and metrics, none of which can carry personal data.

A log line is one JSON object on stdout. Only keys of a fixed list come out, only plain values, and
what looks like an ID number or a telephone number is masked. An exception is told by its type and
the places it passed, never by its message: drivers and validators quote the values they refuse.
"""

import json
import logging
import re
import secrets
import shutil
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from structlog.types import EventDict, WrappedLogger

KEYS = frozenset(
    {
        # every line
        *("time", "level", "event", "service", "process", "traceparent", "logger"),
        # a failure
        *("error", "causes", "frames", "reason", "attempt", "attempts", "retry_after"),
        # a request
        *("method", "route", "status", "duration_ms", "actor", "organisation", "client", "scope"),
        *("upstream", "host", "port"),
        # an event
        *("event_id", "event_type", "topic", "partition", "offset", "aggregate", "sequence"),
        *("consumer", "group", "lag", "pending", "parked"),
        # a job, a rebuild, a start
        *("job", "kind", "count", "of", "unit", "day", "version", "schema", "pid", "exit_code"),
    }
)
"""What a log line may say. A new key is added here, by somebody who asks what it can carry."""

LONGEST_VALUE = 1_000
FRAMES_KEPT = 12
FORMATTED_LOGGERS = ("aiokafka", "uvicorn")
"""Libraries whose arguments are hosts, topics and ports; of others only the template is logged."""


# --- masking -------------------------------------------------------------------------------------

_NUMBERS = re.compile(
    r"(?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
    r"|(?<![0-9A-Za-z])(?=\d*[a-f])[0-9a-f]{32}(?:[0-9a-f]{32})?(?![0-9A-Za-z]))"
    r"|(?P<person>\d{14,}[\dXxＸｘ]|\d{6}[ -]?\d{8}[ -]?\d{3}[\dXxＸｘ]|(?:\d{4}[ -]){3,4}\d{3,4})"
    r"|(?<!\d)(?P<phone>(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?!\d)"
)


def masked(text: str) -> str:
    """The text with ID numbers, long numbers and mobile numbers starred; UUIDs and digests stay."""
    return _NUMBERS.sub(_star, text)


def _star(match: re.Match[str]) -> str:
    found = match.group()
    if match["id"]:
        return found
    head, tail = (6, 4) if match["person"] else (3, 4)
    return found[:head] + "*" * (len(found) - head - tail) + found[-tail:]


def _plain(value: object) -> object:
    """The value as JSON may carry it; what is no plain value is told by its type alone."""
    match value:
        case None | bool() | float():
            return value
        case str():
            return masked(value)[:LONGEST_VALUE]
        case int():
            return value if masked(str(value)) == str(value) else masked(str(value))
        case UUID() | Decimal() | date():
            return masked(str(value))
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
    return f"<{type(value).__name__}>"


# --- trace context -------------------------------------------------------------------------------

_traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
_W3C = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})"
    r"-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)


def current_traceparent() -> str | None:
    """The W3C `traceparent` of what this task does, to pass on."""
    return _traceparent.get()


@contextmanager
def continue_trace(received: str | None) -> Iterator[str]:
    """Work under a span of our own in the sender's trace, or in a new one."""
    traceparent = next_span(received)
    token = _traceparent.set(traceparent)
    try:
        yield traceparent
    finally:
        _traceparent.reset(token)


def next_span(received: str | None) -> str:
    """A `traceparent` with the received trace id and a new span id (W3C Trace Context, level 1).

    What is malformed or absent begins a new trace; of later versions the known part is read.
    """
    match = _W3C.fullmatch(received or "")
    known = match and (match["version"] != "00" or not match["more"])
    trace = match["trace"] if match and known else _random_id(16)
    flags = match["flags"] if match and known else "01"
    return f"00-{trace}-{_random_id(8)}-{flags}"


def _random_id(size: int) -> str:
    return secrets.token_hex(size - 1) + f"{secrets.randbelow(255) + 1:02x}"  # never all zero


# --- log lines -----------------------------------------------------------------------------------


def log() -> structlog.typing.FilteringBoundLogger:
    """The process's logger: `log().info("relay_started", service="relief")`."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return logger


def configure_logging(*, service: str, process: str, level: int = logging.INFO) -> None:
    """Send our lines and those of the libraries to stdout, in one form.

    `process` is serve or work. Safe to call again; forked processes call it with their own names.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _Origin(service, process),
            _told_by_type,
            _only_known,
            _as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_Stdout,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(max(level, logging.WARNING))
    for name in FORMATTED_LOGGERS:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True


class _Stdout:
    """Writes to the stdout of the moment, which a supervisor or a test may have changed.

    A line that finds no room on a full disk is lost: what it tells of goes on.
    """

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        with suppress(OSError):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()

    debug = info = warning = warn = error = critical = fatal = exception = msg


@dataclass(frozen=True, slots=True)
class _Origin:
    service: str
    process: str

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        line["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        line.setdefault("service", self.service)
        line["process"] = self.process
        line.setdefault("traceparent", current_traceparent())
        return line


def _told_by_type(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    raised = line.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        line.update(described(raised))
    return line


def described(raised: BaseException) -> dict[str, Any]:
    """The failure without its message: type, types of its causes, innermost frames last."""
    frames = traceback.extract_tb(raised.__traceback__)[-FRAMES_KEPT:]
    return {
        "error": _type_name(raised),
        "causes": [_type_name(cause) for cause in _causes(raised)],
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _type_name(raised: BaseException) -> str:
    return f"{type(raised).__module__}.{type(raised).__qualname__}"


def _causes(raised: BaseException) -> Iterator[BaseException]:
    seen = {id(raised)}
    cause = raised.__cause__ or raised.__context__
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


def _only_known(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {key: _plain(value) for key, value in line.items() if key in KEYS and value is not None}


def _as_json(_: WrappedLogger, __: str, line: EventDict) -> str:
    return json.dumps(line, ensure_ascii=False)


class _LibraryHandler(logging.Handler):
    """Passes a library's record on: its template's first line, or in full where that is safe."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            log().log(
                record.levelno,
                self._event(record),
                logger=record.name,
                exc_info=record.exc_info or None,
            )
        except Exception:  # noqa: BLE001 - a log line must not break what it tells of
            self.handleError(record)

    @staticmethod
    def _event(record: logging.LogRecord) -> str:
        if record.name.split(".")[0] in FORMATTED_LOGGERS:
            return record.getMessage()
        return str(record.msg).split("\n", 1)[0]


# --- metrics -------------------------------------------------------------------------------------

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # since when it lives, its memory (Linux)
        self.outbox_pending = self._gauge("outbox_pending", "Events not yet published", ["service"])
        self.outbox_oldest_seconds = self._gauge(
            "outbox_oldest_seconds", "Age of the oldest event not yet published", ["service"]
        )
        self.relay_held = self._gauge(
            "relay_held", "1 in the process that publishes the service's events", ["service"]
        )
        self._disk_free = self._gauge("disk_free_bytes", "Room left on the disk of the state", [])
        self._disk_size = self._gauge("disk_size_bytes", "Size of that disk", [])
        self.dead_letters = self._gauge("dead_letters", "Events parked", ["consumer"])
        self.consumer_lag = self._gauge(
            "consumer_lag", "Records behind the topic's end", ["consumer", "topic", "partition"]
        )
        self.job_oldest_seconds = self._gauge(
            "job_oldest_seconds", "How long the oldest due job has waited", ["service"]
        )
        self._requests = Counter(
            "http_requests",
            "Requests answered",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Time to the end of the answer",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request under its route's template (None: no route), never under its path."""
        method = method if method in _METHODS else "other"
        route = route or "unmatched"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def watch_disk(self, folder: Path) -> None:
        """Show how full the disk is on which the folder lies, as it is at each look."""
        self._disk_free.set_function(partial(_bytes_of_disk, folder, "free"))
        self._disk_size.set_function(partial(_bytes_of_disk, folder, "total"))

    def show(self, host: str, port: int) -> None:
        """Answer Prometheus on a port of its own, from a thread: for `work` processes."""
        start_http_server(port, addr=host, registry=self._registry)

    def exposition(self) -> tuple[bytes, str]:
        """What Prometheus scrapes, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _gauge(self, name: str, text: str, labels: Sequence[str]) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)


def _bytes_of_disk(folder: Path, which: str) -> float:
    standing = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    size: int = getattr(shutil.disk_usage(standing), which)
    return size


metrics = Metrics()
