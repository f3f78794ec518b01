"""The load: HTTP requests made beforehand, over kept connections, for so long and no longer.

It shares the cores with what it measures, so it does as little as can be: a client library here
would cost as much as the bare server, and hide the difference between the servers.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from suite.ports import HOST

ANSWER_SECONDS = 30.0


class UnexpectedAnswerError(RuntimeError):
    """A server did not do what is measured."""


@dataclass(slots=True)
class Fired:
    """What came of it: answers, how long it took, and each answer's time."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds


def request(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: object = None,
) -> bytes:
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection(HOST, port, limit=4 * 1024 * 1024))

    async def ask(self, asked: bytes, expected: int) -> bytes:
        """The answer's body.

        Raises:
            UnexpectedAnswerError: another status than expected.
        """
        self._writer.write(asked)
        async with asyncio.timeout(ANSWER_SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            body = await self._reader.readexactly(_length(head))
        if int(head[9:12]) != expected:
            raise UnexpectedAnswerError(f"{head[:40]!r} {body[:2000].decode(errors='replace')}")
        return body

    def close(self) -> None:
        self._writer.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise UnexpectedAnswerError(f"an answer without a length: {head[:200]!r}")


async def fire(
    port: int, requests: Iterator[bytes], *, connections: int, seconds: float, expected: int
) -> Fired:
    """Keep `connections` requests under way for `seconds`; every answer is checked."""
    opened = [await Connection.open(port) for _ in range(connections)]
    fired = Fired()
    began = time.perf_counter()

    async def keep_asking(connection: Connection) -> None:
        while (asked_at := time.perf_counter()) - began < seconds:
            await connection.ask(next(requests), expected)
            fired.times.append(time.perf_counter() - asked_at)

    try:
        await asyncio.gather(*(keep_asking(one) for one in opened))
        fired.seconds = time.perf_counter() - began
    finally:
        for one in opened:
            one.close()
    return fired
