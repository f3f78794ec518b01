"""What the chassis asks of a bus, and all that it may rely on.

A topic has a fixed number of partitions. A key always falls into the same one, on both buses, and
the records of a partition are numbered without a gap in the order in which they were appended.
A group's members share the partitions; a partition is read by one member at a time, except for the
moments of a hand-over, in which a frozen or cut-off member may still be at its last batch. So
delivery is at least once, and effects are kept single by whoever consumes.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class BusError(Exception):
    """The bus is away, stands still or has cut us off: let go of what was opened, start anew."""


@dataclass(frozen=True, slots=True)
class Message:
    """To be appended. At most 1 MB with its headers, as Kafka's brokers have it by default."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class TopicPartition:
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it stands in its partition; `timestamp_ms` is when it was appended."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


Assigned = Callable[[frozenset[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]
"""Asked for the next offsets of partitions just taken over; one left out starts at 0."""


class Producer(Protocol):
    async def send(self, messages: Sequence[Message], timeout: float) -> None:  # noqa: ASYNC109 - what fails then is the producer, not the call
        """Return when all are appended for good, those of a key in the order given.

        Raises:
            BusError: away, unknown topic, or not within `timeout` seconds. Some may have been
                appended. This producer is unusable from then on.
        """


class Subscription(Protocol):
    """One member of a group. Used by one task, which leaves the group when it is cancelled."""

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        """The partitions read now; changes only within `fetch`."""

    async def fetch(
        self,
        *,
        max_records: int,
        timeout: float,  # noqa: ASYNC109 - the end of waiting, no error
    ) -> dict[TopicPartition, list[Record]]:
        """The next records, at most `max_records` in all; nothing after `timeout` seconds.

        Takes over and gives up partitions, and calls `assigned` for the new ones: what that raises
        comes out here, and the next `fetch` calls it again.

        Raises:
            BusError: the bus is away or silent, or this member was cut off.
        """

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on from `offset`; nothing happens if the partition is no longer ours."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the bus the next offsets, for whoever looks at the lag from outside.

        Refused during a hand-over, which is no error: our own offsets are what counts.
        """

    async def lag(self) -> dict[TopicPartition, int]:
        """The number of records not yet fetched, for each partition of the assignment."""


class Bus(Protocol):
    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        """Make the topics (name → number of partitions) that are missing; records are kept forever.

        Raises:
            BusError: away, or a topic exists with another number of partitions, which would send
                keys elsewhere.
        """

    async def partitions(self, topic: str) -> int:
        """The number of partitions.

        Raises:
            BusError: away, or no such topic.
        """

    async def end_offsets(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """The offset that the next record of each partition will get: how many there are."""

    def producer(self) -> AbstractAsyncContextManager[Producer]:
        """A producer for one task."""

    def subscribe(
        self, group: str, topics: Sequence[str], *, assigned: Assigned
    ) -> AbstractAsyncContextManager[Subscription]:
        """Join `group`; leave it on the way out.

        Raises:
            BusError: away, or a topic does not exist.
        """
