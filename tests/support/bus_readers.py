"""Members of a group for tests: a task that reads on, a process to be killed or frozen."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Thread
from typing import Any

from chassis.bus import Assigned, Bus, Record, Subscription, TopicPartition

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


async def from_the_start(_: frozenset[TopicPartition]) -> Mapping[TopicPartition, int]:
    return {}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what other tasks and processes bring about."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)


async def take(subscription: Subscription, count: int) -> list[Record]:
    """The next `count` records, in the order in which they came."""
    records: list[Record] = []
    async with asyncio.timeout(PATIENCE):
        while len(records) < count:
            batches = await subscription.fetch(max_records=count - len(records), timeout=1)
            records += [record for batch in batches.values() for record in batch]
    return records


class Reader:
    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.records: list[Record] = []

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        return self.subscription.assignment

    async def read_on(self) -> None:
        while True:
            batches = await self.subscription.fetch(max_records=500, timeout=0.5)
            self.records += [record for batch in batches.values() for record in batch]


@contextlib.asynccontextmanager
async def reading(
    bus: Bus, group: str, topics: Sequence[str], assigned: Assigned = from_the_start
) -> AsyncIterator[Reader]:
    async with bus.subscribe(group, topics, assigned=assigned) as subscription:
        reader = Reader(subscription)
        task = asyncio.create_task(reader.read_on())
        try:
            yield reader
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class ReadingProcess:
    """`assignment` is what it said last, `error` why it ended."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process
        self.assignment: frozenset[TopicPartition] = frozenset()
        self.error: str | None = None
        self._listener = Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said: dict[str, Any] = json.loads(line)
            self.error = said.get("error")
            self.assignment = frozenset(TopicPartition(t, p) for t, p in said.get("held", []))

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        if self._process.stdout:
            self._process.stdout.close()


@contextlib.contextmanager
def reading_process(url: str, group: str, topic: str) -> Iterator[ReadingProcess]:
    command = [sys.executable, "-m", "tests.support.bus_member", url, group, topic]
    process = ReadingProcess(
        Popen(command, stdout=PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    )
    try:
        yield process
    finally:
        process.end()
