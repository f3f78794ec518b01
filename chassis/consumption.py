"""At least once on the wire, exactly once in effect.

One transaction holds the inbox rows, the effect and the next offset (moved by compare-and-set).
What cannot be applied is parked, and later events of the same key behind it; other keys go on.
A consumer either projects (its tables live in the schema `projection`, can be rebuilt, and are
written by nothing else) or acts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.bus import Bus, Record, Subscription, TopicPartition
from chassis.database import ACTING, PROJECTION, Database, metadata
from chassis.lost_log import refuse_to_skip
from chassis.telemetry import continue_trace, log, metrics
from contracts.events.envelope import CloudEvent
from contracts.model import Contract
from contracts.topics import topic_of_type

BATCH = 500
ABREAST = 3
"""So many partitions are applied at a time, each in a transaction of its own: while one waits for
the database the next is read and reckoned. As with several processes, their order is their own."""
POLL = 1.0
FIRST_PAUSE, LAST_PAUSE = 0.1, 30.0
MEASURE_EVERY = 15.0
MOST_SHOWN = 1_000
REPLAY_LOCK = 7_304
"""Held shared by each batch of a consumer; a replay of one of its keys takes it alone."""
PAUSE_LOCK = 7_302
"""Held shared by each live projecting transaction; a rebuild takes it alone to change over."""
SEE = text(
    "INSERT INTO inbox (consumer, event_id) SELECT :consumer, unnest(CAST(:ids AS uuid[]))"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
TRANSIENT_STATES = ("08", "28", "40001", "40P01", "53", "55P03", "57", "58", "XX")
"""Among them what is wrong with the server or its disk, and no fault of the event: 28 while a
password is changed, 58 a read error, XX a file that may not grow (quota, limit)."""

consumption_metadata = metadata()

inbox = Table(
    "inbox",
    consumption_metadata,
    Column("consumer", Text, nullable=False),
    Column("event_id", PG_UUID(as_uuid=True), nullable=False),
    PrimaryKeyConstraint("consumer", "event_id"),
)

consumer_offset = Table(
    "consumer_offset",
    consumption_metadata,
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next", BigInteger, nullable=False),
    PrimaryKeyConstraint("consumer", "topic", "partition"),
)

dead_letter = Table(
    "dead_letter",
    consumption_metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("parked_at", DateTime(timezone=True), nullable=False),
    Column("replayed_at", DateTime(timezone=True)),
    Index("ix_dead_letter_waiting", "consumer", "key", postgresql_where="replayed_at IS NULL"),
)


@dataclass(frozen=True, slots=True)
class Received:
    """One event as it came: the envelope, and its data in the model of its topic."""

    topic: str
    envelope: CloudEvent
    data: Contract


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One parked event, without its content."""

    seq: int
    topic: str
    key: str
    reason: str
    parked_at: datetime


Handler = Callable[[AsyncSession, Sequence[Received]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A named reader of topics; `handler` gets the new events of a partition's batch, in order."""

    name: str
    topics: tuple[str, ...]
    handler: Handler
    projects: bool = True
    """Whether it only derives tables of the schema `projection`, or acts: writes, emits, orders."""


class UnreadableError(Exception):
    """An event whose data model is unknown or which does not fit it: parked, never skipped."""


class OffsetMovedError(Exception):
    """Somebody else moved this partition's offset: go on from where it stands."""


def read_event(record: Record) -> Received:
    """Parse a record; an unknown verb on a known model is applied, for the state is whole."""
    try:
        envelope = CloudEvent.read(record.value)
    except ValidationError as error:
        raise UnreadableError("not a CloudEvent of this house") from error
    topic = topic_of_type(envelope.type)
    if topic is None or topic.name != record.topic:
        raise UnreadableError(f"unknown type {envelope.type[:100]}")
    try:
        data = topic.data.model_validate(envelope.data, extra="ignore")
    except ValidationError as error:
        places = "; ".join(
            f"{'/'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors()[:3]
        )
        raise UnreadableError(f"does not fit {topic.name}: {places}") from error
    return Received(record.topic, envelope, data)


def is_transient(error: BaseException) -> bool:
    """Whether trying again later can help: connection, time-out, serialization, deadlock."""
    if isinstance(error, InterfaceError | PoolTimeoutError | OSError | TimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = str(getattr(error.orig, "sqlstate", "") or "")
    return error.connection_invalidated or not state or state.startswith(TRANSIENT_STATES)


def _key(record: Record) -> str:
    """The key as the database can hold it: a stranger's NUL would stop the partition for ever."""
    return record.key.replace("\0", "\ufffd")


@dataclass(slots=True)
class Consumption:
    """Runs one consumer against its own offsets in `schema`."""

    database: Database
    consumer: Consumer
    units: Callable[[], Awaitable[Collection[int]]]
    schema: str = ""
    """Where a projecting consumer writes, if not in the live projections."""
    positions: dict[TopicPartition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schema = self.schema or (PROJECTION if self.consumer.projects else ACTING)

    async def offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where this consumer goes on, by its own record."""
        known = await self._own()
        return {partition: known.get(partition, 0) for partition in partitions}

    async def _own(self) -> dict[TopicPartition, int]:
        async with self.database.transaction(schema=self.schema) as session:
            rows = await session.execute(
                select(
                    consumer_offset.c.topic, consumer_offset.c.partition, consumer_offset.c.next
                ).where(consumer_offset.c.consumer == self.consumer.name)
            )
            return {TopicPartition(topic, number): next_ for topic, number, next_ in rows}

    async def take(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """Apply one partition's batch in one transaction; on failure, each record singly."""
        try:
            await self._apply(partition, records)
        except (OffsetMovedError, asyncio.CancelledError):
            raise
        except Exception as error:
            if is_transient(error):
                raise
            for record in records:
                await self._apply_or_park(partition, record)

    async def _apply_or_park(self, partition: TopicPartition, record: Record) -> None:
        try:
            await self._apply(partition, [record])
        except (OffsetMovedError, asyncio.CancelledError):
            raise
        except Exception as error:
            if is_transient(error):
                raise
            reason = type(error).__name__
            log().exception("event_parked", consumer=self.consumer.name, topic=record.topic)
            await self._apply(partition, [record], park=reason)

    async def _apply(
        self, partition: TopicPartition, records: Sequence[Record], *, park: str | None = None
    ) -> None:
        units = await self.units()
        async with self.database.transaction(units=units, schema=self.schema) as session:
            await self._lock(session, alone=False)
            next_ = records[-1].offset + 1
            await self._move_offset(session, partition, next_)
            parked_keys = await self._parked_keys(session, {_key(record) for record in records})
            events: list[Received] = []
            aside: list[tuple[Record, str]] = []
            for record in records:
                reason = park or ("behind a parked event" if _key(record) in parked_keys else None)
                if reason is None:
                    try:
                        events.append(read_event(record))
                        continue
                    except UnreadableError as error:
                        reason = str(error)
                aside.append((record, reason))
                parked_keys.add(_key(record))
            await self._park(session, aside)
            new = await self._first_seen(session, events)
            await self._handle(session, new)
        self.positions[partition] = next_

    async def _handle(self, session: AsyncSession, new: Sequence[Received]) -> None:
        """Give the events to the handler; what it does was caused by the last of them."""
        if new:
            last = new[-1].envelope
            session.info.update(actor=f"event:{last.id}", cause=str(last.id))
            with continue_trace(last.traceparent):
                await self.consumer.handler(session, new)

    async def _lock(self, session: AsyncSession, *, alone: bool) -> None:
        """Stand still for a rebuild's change-over; and a replay is not to meet new events."""
        locks = [
            f"pg_advisory_xact_lock{'' if alone else '_shared'}({REPLAY_LOCK}, hashtext(:name))"
        ]
        if self.schema == PROJECTION:
            locks.insert(0, f"pg_advisory_xact_lock_shared({PAUSE_LOCK})")
        await session.execute(text(f"SELECT {', '.join(locks)}"), {"name": self.consumer.name})

    async def _move_offset(
        self, session: AsyncSession, partition: TopicPartition, next_: int
    ) -> None:
        expected = self.positions.get(partition, 0)
        own = (
            (consumer_offset.c.consumer == self.consumer.name)
            & (consumer_offset.c.topic == partition.topic)
            & (consumer_offset.c.partition == partition.partition)
        )
        moved = await session.execute(
            update(consumer_offset)
            .where(own, consumer_offset.c.next == expected)
            .values(next=next_)
            .returning(consumer_offset.c.next)
        )
        if moved.first() is not None:
            return
        if expected:
            raise OffsetMovedError
        created = await session.execute(
            insert(consumer_offset)
            .values(
                consumer=self.consumer.name,
                topic=partition.topic,
                partition=partition.partition,
                next=next_,
            )
            .on_conflict_do_nothing()
            .returning(consumer_offset.c.next)
        )
        if created.first() is None:
            raise OffsetMovedError

    async def _parked_keys(self, session: AsyncSession, keys: Collection[str]) -> set[str]:
        rows = await session.scalars(
            select(dead_letter.c.key)
            .where(
                dead_letter.c.consumer == self.consumer.name,
                dead_letter.c.replayed_at.is_(None),
                dead_letter.c.key.in_(keys),
            )
            .distinct()
        )
        return set(rows)

    async def _park(self, session: AsyncSession, aside: Sequence[tuple[Record, str]]) -> None:
        now = datetime.now(UTC)
        for record, reason in aside:
            await session.execute(
                insert(dead_letter)
                .inline()
                .values(
                    consumer=self.consumer.name,
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    key=_key(record),
                    body=record.value,
                    reason=reason[:500],
                    parked_at=now,
                )
            )

    async def _first_seen(
        self, session: AsyncSession, events: Sequence[Received]
    ) -> list[Received]:
        """Write the inbox rows; the events that had none, each once."""
        if not events:
            return []
        rows = await session.execute(
            SEE,
            {"consumer": self.consumer.name, "ids": [event.envelope.id for event in events]},
        )
        unseen = {row.event_id for row in rows}
        new = []
        for event in events:
            if event.envelope.id in unseen:
                unseen.discard(event.envelope.id)
                new.append(event)
        return new

    async def run(self, bus: Bus, *, group: str = "") -> None:
        """Consume for ever; what cannot be waited out ends the process (crash-only).

        Raises:
            LogLostError: the topics end before what this consumer has read.
        """
        own = {p: n for p, n in (await self._own()).items() if p.topic in self.consumer.topics}
        await refuse_to_skip(own, bus, self.consumer.name)
        async with bus.subscribe(
            group or self.consumer.name, self.consumer.topics, assigned=self.assigned
        ) as subscription:
            log().info("consumer_started", consumer=self.consumer.name)
            measured = float("-inf")
            while True:
                await self.step(subscription)
                if time.monotonic() - measured >= MEASURE_EVERY:
                    await self._measure(subscription)
                    measured = time.monotonic()

    async def _measure(self, subscription: Subscription) -> None:
        metrics.dead_letters.labels(self.consumer.name).set(await self.count_parked())
        lag = await subscription.lag()
        # What another member reads by now would stay here as it was when we last looked.
        metrics.consumer_lag.remove_by_labels({"consumer": self.consumer.name})
        for partition, behind in lag.items():
            metrics.consumer_lag.labels(
                self.consumer.name, partition.topic, str(partition.partition)
            ).set(behind)

    async def step(
        self,
        subscription: Subscription,
        *,
        wait: float = POLL,
        until: Mapping[TopicPartition, int] | None = None,
    ) -> int:
        """Fetch once and apply what came (before the offsets `until`); how many records."""
        fetched = await subscription.fetch(max_records=BATCH * ABREAST, timeout=wait)
        if until is not None:
            fetched = {
                partition: [one for one in records if one.offset < until.get(partition, 0)]
                for partition, records in fetched.items()
            }
        room = asyncio.Semaphore(ABREAST)

        async def settle(partition: TopicPartition, records: Sequence[Record]) -> int:
            async with room:
                return await self._settle_all(subscription, partition, records)

        settled = await asyncio.gather(
            *(settle(partition, records) for partition, records in fetched.items() if records),
            return_exceptions=True,  # the others come to their end first
        )
        for one in settled:
            if isinstance(one, BaseException):
                raise one
        taken = sum(one for one in settled if isinstance(one, int))
        if taken:
            await subscription.commit({one: self.positions[one] for one in fetched})
        return taken

    async def _settle_all(
        self, subscription: Subscription, partition: TopicPartition, records: Sequence[Record]
    ) -> int:
        """Apply what came of a partition, batch by batch, until the offset was moved elsewhere."""
        taken = 0
        for first in range(0, len(records), BATCH):
            done = await self._settle(subscription, partition, records[first : first + BATCH])
            if not done:
                break
            taken += done
        return taken

    async def assigned(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        own = await self.offsets(partitions)
        self.positions.update(own)
        return own

    async def _settle(
        self, subscription: Subscription, partition: TopicPartition, records: Sequence[Record]
    ) -> int:
        pause = FIRST_PAUSE
        began = self.positions.get(partition, 0)
        count = len(records)
        while True:
            try:
                await self.take(partition, records)
            except OffsetMovedError:
                self.positions.update(await self.offsets([partition]))
                subscription.seek(partition, self.positions[partition])
                return 0
            except Exception as error:
                if not is_transient(error) or pause > LAST_PAUSE:
                    raise
                log().warning(
                    "consumer_waits", consumer=self.consumer.name, reason=type(error).__name__
                )
                await asyncio.sleep(pause)
                pause *= 2
                if self.positions.get(partition, 0) != began:
                    done = self.positions[partition]
                    records = [record for record in records if record.offset >= done]
            else:
                return count

    @property
    def _waiting(self) -> ColumnElement[bool]:
        own = dead_letter.c.consumer == self.consumer.name
        return own & dead_letter.c.replayed_at.is_(None)

    async def parked(self, *, most: int = MOST_SHOWN) -> list[DeadLetter]:
        """What waits in the dead letters of this consumer, in order, the first `most` of it."""
        shown = (
            dead_letter.c.seq,
            dead_letter.c.topic,
            dead_letter.c.key,
            dead_letter.c.reason,
            dead_letter.c.parked_at,
        )
        async with self.database.transaction(schema=self.schema) as session:
            rows = await session.execute(
                select(*shown).where(self._waiting).order_by(dead_letter.c.seq).limit(most)
            )
            return [DeadLetter(*row) for row in rows]

    async def count_parked(self) -> int:
        async with self.database.transaction(schema=self.schema) as session:
            return (
                await session.scalar(
                    select(func.count()).select_from(dead_letter).where(self._waiting)
                )
                or 0
            )

    async def replay(self) -> tuple[int, int]:
        """Try what is parked again, in order per key: (events applied, events still parked)."""
        applied = 0
        async with self.database.transaction(schema=self.schema) as session:
            keys = list(
                await session.scalars(
                    select(dead_letter.c.key)
                    .where(self._waiting)
                    .group_by(dead_letter.c.key)
                    .order_by(func.min(dead_letter.c.seq))
                )
            )
        for key in keys:
            try:
                applied += await self._replay_key(key)
            except Exception:  # noqa: BLE001 - logged; the key stays parked, other keys go on
                log().exception("replay_failed", consumer=self.consumer.name)
        return applied, await self.count_parked()

    async def _replay_key(self, key: str) -> int:
        async with self.database.transaction(
            units=await self.units(), schema=self.schema
        ) as session:
            await self._lock(session, alone=True)
            waiting = (
                await session.execute(
                    select(dead_letter)
                    .where(self._waiting, dead_letter.c.key == key)
                    .order_by(dead_letter.c.seq)
                )
            ).all()
            events = [
                read_event(Record(row.topic, row.partition, row.offset, row.key, row.body, (), 0))
                for row in waiting
            ]
            await self._handle(session, await self._first_seen(session, events))
            await session.execute(
                update(dead_letter)
                .where(dead_letter.c.seq.in_([row.seq for row in waiting]))
                .values(replayed_at=datetime.now(UTC))
            )
        return len(waiting)
