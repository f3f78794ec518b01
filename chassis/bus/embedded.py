"""The bus of one machine: a durable log in a PostgreSQL database of its own.

Its sessions use advisory locks: (0, 0) for making tables, (0, member) while a member lives,
(group, partition) for who reads a partition.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka.partitioner import DefaultPartitioner

from chassis.bus.contract import Assigned, BusError, Message, Record, TopicPartition

_CONNECT_SECONDS = 10.0
_QUERY_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_POLL_SECONDS = (0.02, 0.5)
# How often the shares of a group are looked at: at rest, and while one of ours is still held.
_SHARE_SECONDS = 1.0
_HAND_OVER_SECONDS = 0.1

_TABLES = """
CREATE TABLE IF NOT EXISTS bus_partition (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition int NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    UNIQUE (topic, partition)
) WITH (fillfactor = 50);
-- No foreign key: it would look every row up, and only whoever locks the partition writes here.
CREATE TABLE IF NOT EXISTS bus_record (
    partition_id int NOT NULL,
    "offset" bigint NOT NULL,
    key text NOT NULL,
    value bytea NOT NULL,
    header_names text[] NOT NULL,
    header_values bytea[] NOT NULL,
    timestamp_ms bigint NOT NULL,
    PRIMARY KEY (partition_id, "offset")
);
CREATE TABLE IF NOT EXISTS bus_group (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS bus_member (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id int NOT NULL REFERENCES bus_group,
    topics text[] NOT NULL
);
CREATE TABLE IF NOT EXISTS bus_committed (
    group_id int NOT NULL REFERENCES bus_group,
    partition_id int NOT NULL REFERENCES bus_partition,
    next_offset bigint NOT NULL,
    PRIMARY KEY (group_id, partition_id)
) WITH (fillfactor = 50);
"""

# A member lives as long as its session, which holds the lock on the member's number: another's
# attempt to share the lock then fails. Our own session would be let in.
_SWEEP = """
DELETE FROM bus_member
WHERE group_id = $1 AND id <> $2 AND pg_try_advisory_xact_lock_shared(0, id)
"""
_READERS = """
SELECT p.id, array_agg(m.id ORDER BY m.id) AS members
FROM bus_member m JOIN bus_partition p ON p.topic = ANY (m.topics)
WHERE m.group_id = $1 AND NOT (m.id <> $2 AND pg_try_advisory_xact_lock_shared(0, m.id))
GROUP BY p.id ORDER BY p.topic, p.partition
"""
_NEXT_RECORDS = """
SELECT r.*
FROM unnest($1::int[], $2::bigint[]) AS wanted(id, start), LATERAL (
    SELECT * FROM bus_record
    WHERE partition_id = wanted.id AND "offset" >= wanted.start
    ORDER BY "offset" LIMIT $3
) AS r
ORDER BY r.partition_id, r."offset"
"""
_COMMIT = """
INSERT INTO bus_committed SELECT $1, c.* FROM unnest($2::int[], $3::bigint[]) AS c
ON CONFLICT (group_id, partition_id) DO UPDATE SET next_offset = excluded.next_offset
"""

_RECORD_COLUMNS = (
    "partition_id",
    "offset",
    "key",
    "value",
    "header_names",
    "header_values",
    "timestamp_ms",
)


@contextlib.contextmanager
def _bus_errors() -> Iterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, OSError) as error:
        raise BusError(f"embedded bus: {error!r}") from error


class _Session:
    """A connection whose statements take turns and whose failures are BusErrors."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._turn = asyncio.Lock()

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        with _bus_errors():
            async with self._turn:
                rows: list[Any] = await self.connection.fetch(query, *arguments)
                return rows


@contextlib.asynccontextmanager
async def _session(dsn: str, **settings: str) -> AsyncIterator[_Session]:
    with _bus_errors():
        connection = await asyncpg.connect(
            dsn,
            timeout=_CONNECT_SECONDS,
            command_timeout=_QUERY_SECONDS,
            server_settings={"application_name": "minzheng-bus", **settings},
        )
    try:
        yield _Session(connection)
    finally:
        with contextlib.suppress(TimeoutError, OSError, asyncpg.PostgresError):
            await connection.close(timeout=_CLOSE_SECONDS)


class EmbeddedBus:
    """`lease`: seconds without a sign of life after which a member loses its partitions."""

    def __init__(self, dsn: str, *, lease: float = 10.0) -> None:
        self._dsn = dsn
        self._lease = lease

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        async with _session(self._dsn) as session:
            with _bus_errors():
                async with session.connection.transaction():
                    # IF NOT EXISTS is no help against another who makes the same at this moment.
                    await session.fetch("SELECT pg_advisory_xact_lock(0, 0)")
                    await session.connection.execute(_TABLES)
                    existing = await _partition_counts(session, topics)
                    for topic, count in topics.items():
                        if topic not in existing:
                            await _make_topic(session, topic, count)
        for topic, count in existing.items():
            if count != topics[topic]:
                raise BusError(f"topic {topic} has {count} partitions, not {topics[topic]}")

    async def partitions(self, topic: str) -> int:
        async with _session(self._dsn) as session:
            counts = await _partition_counts(session, [topic])
        if topic not in counts:
            raise BusError(f"no topic {topic}")
        return counts[topic]

    async def end_offsets(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        wanted = set(topics)
        async with _session(self._dsn) as session:
            rows = await session.fetch(
                "SELECT topic, partition, next_offset FROM bus_partition WHERE topic = ANY($1)",
                list(wanted),
            )
        if absent := wanted - {row["topic"] for row in rows}:
            raise BusError(f"no topic {', '.join(sorted(absent))}")
        return {TopicPartition(r["topic"], r["partition"]): r["next_offset"] for r in rows}

    @contextlib.asynccontextmanager
    async def producer(self) -> AsyncIterator["EmbeddedProducer"]:
        # A producer that freezes between two statements would hold up everybody else's appends.
        limit = _milliseconds(self._lease)
        async with _session(self._dsn, idle_in_transaction_session_timeout=limit) as session:
            yield EmbeddedProducer(session)

    @contextlib.asynccontextmanager
    async def subscribe(
        self, group: str, topics: Sequence[str], *, assigned: Assigned
    ) -> AsyncIterator["EmbeddedSubscription"]:
        # Locks have a session of their own: one whose answers nobody takes out, because its
        # process is frozen, is busy sending and not idle, and would keep them.
        async with (
            _session(self._dsn, idle_session_timeout=_milliseconds(self._lease)) as locks,
            _session(self._dsn) as reading,
        ):
            subscription = EmbeddedSubscription(locks, reading, assigned, self._lease)
            await subscription.join(group, topics)
            heart = asyncio.create_task(subscription.beat())
            try:
                yield subscription
            finally:
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)
                with contextlib.suppress(BusError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_SECONDS):
                        await subscription.leave()


class EmbeddedProducer:
    def __init__(self, session: _Session) -> None:
        self._session = session
        self._usable = True
        self._partitioner = DefaultPartitioner()
        self._topics: dict[str, list[int]] = {}

    async def send(self, messages: Sequence[Message], timeout: float) -> None:  # noqa: ASYNC109 - the contract's
        if not self._usable:
            raise BusError("this producer has failed before")
        if not messages:
            return
        self._usable = False
        with _bus_errors():
            async with asyncio.timeout(timeout):
                placed = [(await self._partition_of(m.topic, m.key), m) for m in messages]
                async with self._session.connection.transaction():
                    await self._append(placed)
        self._usable = True

    async def _partition_of(self, topic: str, key: str) -> int:
        if topic not in self._topics:
            rows = await self._session.fetch(
                "SELECT id FROM bus_partition WHERE topic = $1 ORDER BY partition", topic
            )
            if not rows:
                raise BusError(f"no topic {topic}")
            self._topics[topic] = [row["id"] for row in rows]
        partitions = self._topics[topic]
        partition: int = self._partitioner(key.encode(), partitions, partitions)
        return partition

    async def _append(self, placed: list[tuple[int, Message]]) -> None:
        """Offsets come from the locked row: a sequence would show a late commit behind a gap."""
        counts = Counter(partition for partition, _ in placed)
        # In the order of ids, so that two producers cannot wait for each other.
        rows = await self._session.fetch(
            "SELECT id, next_offset, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now"
            " FROM bus_partition WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
            list(counts),
        )
        free = {row["id"]: row["next_offset"] for row in rows}
        now = rows[-1]["now"]
        records = []
        for partition, message in placed:
            names = [name for name, _ in message.headers]
            values = [value for _, value in message.headers]
            records.append(
                (partition, free[partition], message.key, message.value, names, values, now)
            )
            free[partition] += 1
        await self._session.connection.copy_records_to_table(
            "bus_record", records=records, columns=_RECORD_COLUMNS
        )
        await self._session.fetch(
            "UPDATE bus_partition p SET next_offset = f.next_offset"
            " FROM unnest($1::int[], $2::bigint[]) AS f(id, next_offset) WHERE p.id = f.id",
            list(free),
            list(free.values()),
        )


class EmbeddedSubscription:
    def __init__(
        self, locks: _Session, reading: _Session, assigned: Assigned, lease: float
    ) -> None:
        self._locks = locks
        self._reading = reading
        self._assigned = assigned
        self._lease = lease
        self._held_until = time.monotonic() + lease
        self._share_at = 0.0
        self._group = self._member = 0
        self._partitions: dict[int, TopicPartition] = {}
        self._locked: set[int] = set()
        # The next offset of each partition that we read, the one served longest ago first.
        self._positions: dict[int, int] = {}

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._partitions[number] for number in self._positions)

    async def join(self, group: str, topics: Sequence[str]) -> None:
        rows = await self._reading.fetch(
            "SELECT id, topic, partition FROM bus_partition WHERE topic = ANY($1)"
            " ORDER BY topic, partition",
            list(topics),
        )
        if absent := set(topics) - {row["topic"] for row in rows}:
            raise BusError(f"no topic {', '.join(sorted(absent))}")
        self._partitions = {r["id"]: TopicPartition(r["topic"], r["partition"]) for r in rows}
        await self._reading.fetch(
            "INSERT INTO bus_group (name) VALUES ($1) ON CONFLICT DO NOTHING", group
        )
        (row,) = await self._reading.fetch("SELECT id FROM bus_group WHERE name = $1", group)
        self._group = row["id"]
        # In one statement: a member that can be seen without its lock would count as dead.
        (row,) = await self._locks.fetch(
            "INSERT INTO bus_member (group_id, topics) VALUES ($1, $2)"
            " RETURNING id, pg_advisory_lock(0, id)",
            self._group,
            list(topics),
        )
        self._member = row["id"]
        await self._reading.fetch(_SWEEP, self._group, self._member)

    async def leave(self) -> None:
        await self._reading.fetch("DELETE FROM bus_member WHERE id = $1", self._member)

    async def beat(self) -> None:
        """Keep the locks: the server ends a session that is silent for the length of the lease."""
        while True:
            await asyncio.sleep(self._lease / 3)
            asked = time.monotonic()
            await self._locks.fetch("SELECT 1")
            self._held_until = asked + self._lease

    def _refuse_if_cut_off(self) -> None:
        # By our own clock: a process frozen after it looked at its locks has yet to learn of it.
        if time.monotonic() > self._held_until:
            raise BusError("no sign of life for too long: our partitions are another's now")

    async def fetch(
        self,
        *,
        max_records: int,
        timeout: float,  # noqa: ASYNC109 - the contract's
    ) -> dict[TopicPartition, list[Record]]:
        end = time.monotonic() + timeout
        pause, longest = _POLL_SECONDS
        while True:
            if time.monotonic() >= self._share_at:
                await self._share_out()
            records = await self._read(max_records)
            self._refuse_if_cut_off()
            left = end - time.monotonic()
            if records or left <= 0:
                return records
            await asyncio.sleep(min(pause, left, max(0.0, self._share_at - time.monotonic())))
            pause = min(pause * 2, longest)

    async def _share_out(self) -> None:
        """Each member works out the same shares, gives up what is another's, takes what is free."""
        wanted = await self._share()
        surplus = self._locked - wanted
        for number in surplus:
            self._positions.pop(number, None)
        await self._locks.fetch(
            "SELECT pg_advisory_unlock($1, id) FROM unnest($2::int[]) AS id",
            self._group,
            list(surplus),
        )
        self._locked -= surplus
        rows = await self._locks.fetch(
            "SELECT id FROM unnest($2::int[]) AS id WHERE pg_try_advisory_lock($1, id)",
            self._group,
            list(wanted - self._locked),
        )
        self._locked |= {row["id"] for row in rows}
        if fresh := self._locked - self._positions.keys():
            await self._start(fresh)
        complete = self._locked == wanted
        self._share_at = time.monotonic() + (_SHARE_SECONDS if complete else _HAND_OVER_SECONDS)

    async def _share(self) -> set[int]:
        partitions = await self._locks.fetch(_READERS, self._group, self._member)
        return {
            partition["id"]
            for turn, partition in enumerate(partitions)
            if partition["members"][turn % len(partition["members"])] == self._member
        }

    async def _start(self, fresh: set[int]) -> None:
        starts = await self._assigned(frozenset(self._partitions[number] for number in fresh))
        ends = await self._ends(fresh)
        for number in fresh:
            start = starts.get(self._partitions[number], 0)
            # Beyond the end: the log was lost or restored to an earlier day. From the beginning
            # again, as Kafka does; what was seen before is absorbed by whoever consumes.
            self._positions[number] = start if start <= ends[number] else 0

    async def _ends(self, numbers: Iterable[int]) -> dict[int, int]:
        rows = await self._reading.fetch(
            "SELECT id, next_offset FROM bus_partition WHERE id = ANY($1)", list(numbers)
        )
        return {row["id"]: row["next_offset"] for row in rows}

    async def _read(self, max_records: int) -> dict[TopicPartition, list[Record]]:
        ends = await self._ends(self._positions)
        behind = [n for n, position in self._positions.items() if position < ends[n]]
        behind = behind[:max_records]
        if not behind:
            return {}
        rows = await self._reading.fetch(
            _NEXT_RECORDS,
            behind,
            [self._positions[number] for number in behind],
            max_records // len(behind),
        )
        records: dict[TopicPartition, list[Record]] = {}
        for row in rows:
            number = row["partition_id"]
            record = _record(self._partitions[number], row)
            records.setdefault(self._partitions[number], []).append(record)
            self._positions.pop(number)
            self._positions[number] = record.offset + 1
        return records

    def seek(self, partition: TopicPartition, offset: int) -> None:
        for number in self._positions:
            if self._partitions[number] == partition:
                self._positions[number] = offset

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        held = {n: offsets[p] for n in self._positions if (p := self._partitions[n]) in offsets}
        await self._reading.fetch(
            _COMMIT,
            self._group,
            list(held),
            list(held.values()),
        )

    async def lag(self) -> dict[TopicPartition, int]:
        ends = await self._ends(self._positions)
        return {
            self._partitions[number]: max(0, ends[number] - position)
            for number, position in self._positions.items()
            if number in ends
        }


async def _partition_counts(session: _Session, topics: Iterable[str]) -> dict[str, int]:
    rows = await session.fetch(
        "SELECT topic, count(*)::int AS n FROM bus_partition WHERE topic = ANY($1) GROUP BY topic",
        list(topics),
    )
    return {row["topic"]: row["n"] for row in rows}


async def _make_topic(session: _Session, topic: str, partitions: int) -> None:
    await session.fetch(
        "INSERT INTO bus_partition (topic, partition) SELECT $1, generate_series(0, $2 - 1)",
        topic,
        partitions,
    )


def _record(partition: TopicPartition, row: Any) -> Record:  # noqa: ANN401 - asyncpg has no types
    return Record(
        topic=partition.topic,
        partition=partition.partition,
        offset=row["offset"],
        key=row["key"],
        value=row["value"],
        headers=tuple(zip(row["header_names"], row["header_values"], strict=True)),
        timestamp_ms=row["timestamp_ms"],
    )


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
