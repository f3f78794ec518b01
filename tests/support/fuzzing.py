"""A small fuzzer guided by coverage: what reaches a new line of ours is changed further."""

import random
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = str(Path(__file__).parents[2])
OURS = tuple(f"{ROOT}/{room}/" for room in ("contracts", "chassis", "casework", "services"))
LONGEST = 64 * 1024
HANGING_SECONDS = 30
"""A parser that is at one input for so long does not end."""
TRACES = 6
"""Every so many inputs one is traced: to trace is many times as slow as to run."""
PIECES: tuple[bytes, ...] = (
    *(b"\x00", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xef\xbb\xbf", "\u202e".encode()),
    *("１２".encode(), "٣".encode(), "𝟗".encode(), "Ⅻ".encode(), "ﬀ".encode(), "İ".encode()),
    *(b"null", b"true", b"NaN", b"Infinity", b"-0", b"1e999", b"9" * 400, b"-1", b"0.1", b"[]"),
    *(b"{}", b'""', b"[[[[[[[[", b"{" * 200, b'"\\ud800"', b'"\\u0000"', b"\r\n", b"%00", b"%2e"),
    *(b"2025-02-30", b"0000-00-00", b"9999-12-31", b"12:60:61Z", b"+99:99", b"=", b"==", b";"),
    *(b"&", b"..", b"<!DOCTYPE", b"&amp;", b"<a/>", b"</", b"'", b"\\", b"*" * 50, b" " * 300),
)


class Hanging(BaseException):
    """Not caught by anything that catches exceptions."""


def fuzzed(
    parse: Callable[[bytes], Any],
    seeds: Sequence[bytes],
    refusals: tuple[type[Exception], ...],
    *,
    times: int,
) -> dict[str, bytes]:
    """What came out of the parser that it does not declare, with an input for each."""
    drawn = random.Random(20260101)  # noqa: S311 - the same inputs at each run
    corpus, covered, wrong = list(seeds), set[Any](), dict[str, bytes]()
    for number in range(times):
        content = corpus[number] if number < len(seeds) else changed(drawn, corpus)
        traced = number < len(seeds) or number % TRACES == 0
        found: set[Any] = set()
        try:
            with time_limit(), tracing(found) if traced else nothing():
                parse(content)
        except refusals:
            pass
        except (Exception, Hanging) as error:  # noqa: BLE001 - that is what is looked for
            wrong.setdefault(f"{type(error).__name__}: {error}"[:200], content)
        if not found <= covered:
            covered |= found
            corpus.append(content)
    assert covered, "nothing of ours was run"
    return wrong


def changed(drawn: random.Random, corpus: Sequence[bytes]) -> bytes:
    """One of the corpus, changed in a few places; the latest more often: it reached furthest."""
    latest = drawn.random() < 0.5
    content = drawn.choice(corpus[-8:] if latest else corpus)
    for _ in range(drawn.choice((1, 1, 1, 2, 3, 8))):
        start = drawn.randrange(len(content) + 1)
        end = min(len(content), start + drawn.choice((0, 1, 1, 2, 4, 16, 64)))
        other = drawn.choice(corpus)
        at = drawn.randrange(len(other) + 1)
        new = drawn.choice(
            (
                b"",
                drawn.choice(PIECES),
                bytes([drawn.randrange(256)]),
                content[start:end] * drawn.choice((2, 2, 50)),
                other[at : at + drawn.choice((4, 32))],
            )
        )
        content = content[:start] + new + content[end:]
    return content[:LONGEST]


@contextmanager
def tracing(found: set[Any]) -> Iterator[None]:
    """Note each step from one line of ours to another."""
    last = 0

    def lines(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal last
        if event == "line":
            found.add((frame.f_code, last, frame.f_lineno))
            last = frame.f_lineno
        return lines

    def calls(frame: FrameType, _event: str, _: Any) -> Any:
        return lines if frame.f_code.co_filename.startswith(OURS) else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def time_limit() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hanging("it does not end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANGING_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
