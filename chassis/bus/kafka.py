"""The bus on Apache Kafka, by aiokafka."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, for_code

from chassis.bus.contract import Assigned, BusError, Message, Record, TopicPartition

_REQUEST_SECONDS = 20.0
_STOP_SECONDS = 5.0
_REPLICAS = 3
_LOOKS_FOR_BROKERS = 20
_TOPIC_EXISTS = 36
_BATCH_BYTES = 256 * 1024
_TOPIC_SETTINGS = {
    "retention.ms": "-1",
    "cleanup.policy": "delete",
    # By the broker's clock: it refuses what a sender's says is more than an hour ahead of its own.
    "message.timestamp.type": "LogAppendTime",
}
_SHARES = 3
"""A fetch brings records of so many partitions where so many have some."""
_FETCH_MILLISECONDS = 100
"""How long the broker may hold a fetch that finds nothing: a partition just emptied is asked for
again only after it, for the client has one fetch under way at a time."""


@contextlib.contextmanager
def _bus_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise BusError(f"Kafka, {doing}: {error!r}") from error


class KafkaBus:
    """`patience`: seconds after which a consumer that hears nothing, or stands still, gives up."""

    def __init__(self, bootstrap: str, *, patience: float = 60.0) -> None:
        self._bootstrap = bootstrap
        self._patience = patience

    async def ensure_topics(self, topics: Mapping[str, int]) -> None:
        async with self._admin("making topics") as admin:
            brokers = await self._all_up(admin)
            existing = await _partition_counts(admin, topics)
            missing = [
                NewTopic(
                    name,
                    num_partitions=count,
                    replication_factor=min(_REPLICAS, brokers),
                    topic_configs=_TOPIC_SETTINGS,
                )
                for name, count in topics.items()
                if name not in existing
            ]
            if missing:
                answer = await admin.create_topics(missing)
                for name, code, *_ in answer.topic_errors:
                    # Another process may have made it between our look and now.
                    if code not in (0, _TOPIC_EXISTS):
                        raise BusError(f"topic {name}: {for_code(code).__name__}")
            # Brokers learn of a new topic a little after the controller.
            while topics.keys() - (existing := await _partition_counts(admin, topics)).keys():  # noqa: ASYNC110 - they tell nobody
                await asyncio.sleep(0.05)
        for name, count in topics.items():
            if existing[name] != count:
                raise BusError(f"topic {name} has {existing[name]} partitions, not {count}")

    async def _all_up(self, admin: AIOKafkaAdminClient) -> int:
        """How many brokers there are, once as many are up as we were told of.

        A topic keeps for ever the number of copies that it was made with.
        """
        told = min(_REPLICAS, len(self._bootstrap.split(",")))
        for _ in range(_LOOKS_FOR_BROKERS):
            up = len((await admin.describe_cluster())["brokers"])
            if up >= told:
                return up
            await asyncio.sleep(0.5)
        raise BusError(f"{up} of {told} brokers are up: topics would have too few copies")

    async def partitions(self, topic: str) -> int:
        async with self._admin("counting partitions") as admin:
            counts = await _partition_counts(admin, [topic])
        if topic not in counts:
            raise BusError(f"no topic {topic}")
        return counts[topic]

    async def end_offsets(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        wanted = list(topics)
        async with self._admin("reading end offsets") as admin:
            counts = await _partition_counts(admin, wanted)
        if absent := set(wanted) - counts.keys():
            raise BusError(f"no topic {', '.join(sorted(absent))}")
        partitions = [aiokafka.TopicPartition(t, p) for t, n in counts.items() for p in range(n)]
        consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        with _bus_errors("reading end offsets"):
            async with asyncio.timeout(_REQUEST_SECONDS), consumer:
                ends = await consumer.end_offsets(partitions)
        return {_ours(partition): end for partition, end in ends.items()}

    @contextlib.asynccontextmanager
    async def producer(self) -> AsyncIterator["KafkaProducer"]:
        client = aiokafka.AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            # What comes at once goes in one request to a partition, not in one for each 16 KiB.
            max_batch_size=_BATCH_BYTES,
        )
        producer = KafkaProducer(client)
        try:
            with _bus_errors("connecting"):
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await client.start()
            yield producer
        finally:
            await producer.close()

    @contextlib.asynccontextmanager
    async def subscribe(
        self, group: str, topics: Sequence[str], *, assigned: Assigned
    ) -> AsyncIterator["KafkaSubscription"]:
        for topic in topics:
            await self.partitions(topic)
        client = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=_FETCH_MILLISECONDS,
        )
        subscription = KafkaSubscription(client, assigned, self._patience)
        client.subscribe(topics, listener=subscription)
        try:
            with _bus_errors("joining the group"):
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await client.start()
            yield subscription
        finally:
            await _stop(client, client._client)  # noqa: SLF001 - what a broken stop leaves open

    @contextlib.asynccontextmanager
    async def _admin(self, doing: str) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        with _bus_errors(doing):
            try:
                async with asyncio.timeout(_REQUEST_SECONDS):
                    await admin.start()
                    yield admin
            finally:
                async with asyncio.timeout(_STOP_SECONDS):
                    await admin.close()


class KafkaProducer:
    def __init__(self, client: aiokafka.AIOKafkaProducer) -> None:
        self._client = client
        self._usable = True

    async def send(self, messages: Sequence[Message], timeout: float) -> None:  # noqa: ASYNC109 - the contract's
        if not self._usable:
            raise BusError("this producer has failed before")
        # Also when we are cancelled, nobody knows what has arrived.
        self._usable = False
        acks: list[asyncio.Future[object]] = []
        try:
            with _bus_errors("sending"):
                # Giving a message to the client waits too: for metadata, or for room in its buffer.
                async with asyncio.timeout(timeout):
                    for message in messages:
                        acks.append(await self._append(message))  # noqa: PERF401 - kept for cancel
                    await asyncio.gather(*acks)
        finally:
            for ack in acks:
                ack.cancel()
        self._usable = True

    async def _append(self, message: Message) -> asyncio.Future[object]:
        future: asyncio.Future[object] = await self._client.send(
            message.topic,
            value=message.value,
            key=message.key.encode(),
            headers=list(message.headers),
        )
        return future

    async def close(self) -> None:
        """Drop what was not acknowledged: an idempotent producer would wait for it for ever."""
        sender = self._client._sender.sender_task  # noqa: SLF001 - it has no other way to give up
        if not self._usable and sender is not None:
            sender.cancel()
        await _stop(self._client, self._client.client)


class KafkaSubscription(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc] # untyped
    """Partitions come by callback, in the client's own task, and wait paused for the next fetch."""

    def __init__(
        self, client: aiokafka.AIOKafkaConsumer, assigned: Assigned, patience: float
    ) -> None:
        self._client = client
        self._assigned = assigned
        self._patience = patience
        self._fresh: frozenset[TopicPartition] = frozenset()
        self._ready: frozenset[TopicPartition] = frozenset()
        # Seconds spent in fetches since the bus last answered, since anything last moved, and
        # since we last asked.
        self._unheard = self._still = self._unasked = 0.0

    @property
    def assignment(self) -> frozenset[TopicPartition]:
        return self._ready

    def on_partitions_revoked(self, revoked: set[aiokafka.TopicPartition]) -> None:  # noqa: ARG002 - all are, always
        self._fresh = self._ready = frozenset()

    def on_partitions_assigned(self, assigned: set[aiokafka.TopicPartition]) -> None:
        self._client.pause(*assigned)
        self._fresh = frozenset(_ours(partition) for partition in assigned)

    async def fetch(
        self,
        *,
        max_records: int,
        timeout: float,  # noqa: ASYNC109 - the contract's
    ) -> dict[TopicPartition, list[Record]]:
        started = time.monotonic()
        await self._take_over()
        with _bus_errors("fetching"):
            batches = await self._get(max_records, int(timeout * 1000))
        records = {
            partition: [_record(record) for record in batch]
            for batch_of, batch in batches.items()
            if batch and (partition := _ours(batch_of)) in self._ready
        }
        if records:
            self._unheard = self._still = self._unasked = 0.0
        else:
            await self._watch(time.monotonic() - started)
        return records

    async def _get(
        self, most: int, milliseconds: int
    ) -> dict[aiokafka.TopicPartition, list[aiokafka.ConsumerRecord]]:
        """Some of each partition: the client alone would empty one before it gives of another."""
        share = -(-most // _SHARES)
        batches: dict[aiokafka.TopicPartition, list[aiokafka.ConsumerRecord]]
        batches = await self._client.getmany(timeout_ms=milliseconds, max_records=share)
        left = most - sum(map(len, batches.values()))
        for partition in map(_theirs, self._ready):
            if not batches or left <= 0:
                break
            if partition not in batches:
                more = await self._client.getmany(
                    partition, timeout_ms=0, max_records=min(share, left)
                )
                batches |= more
                left -= sum(map(len, more.values()))
        return batches

    async def _take_over(self) -> None:
        while fresh := self._fresh:
            starts = await self._assigned(fresh)
            if self._fresh is not fresh:
                continue  # handed out anew while we asked
            self._fresh = frozenset()
            self._ready = fresh
            for partition in fresh:
                self._client.seek(_theirs(partition), starts.get(partition, 0))
            self._client.resume(*(_theirs(partition) for partition in fresh))

    async def _watch(self, seconds: float) -> None:
        """After a broker's restart the client can stay silent without an error: ask, and judge."""
        self._unheard += seconds
        self._still += seconds
        self._unasked += seconds
        if self._unasked < self._patience / 6:
            return
        self._unasked = 0.0
        started = time.monotonic()
        try:
            behind = any((await self.lag()).values())
        except BusError:
            self._unheard += time.monotonic() - started
            if self._unheard > self._patience:
                raise
            return
        self._unheard = 0.0
        if not behind:
            self._still = 0.0
        elif self._still > self._patience:
            raise BusError(f"behind, and nothing has moved for {self._patience:.0f} s")

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition in self._ready:
            self._client.seek(_theirs(partition), offset)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        held = {_theirs(p): offset for p, offset in offsets.items() if p in self._ready}
        if not held:
            return
        with _bus_errors("committing"), contextlib.suppress(CommitFailedError, IllegalStateError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._client.commit(held)

    async def lag(self) -> dict[TopicPartition, int]:
        with _bus_errors("asking for the lag"):
            async with asyncio.timeout(min(_REQUEST_SECONDS, self._patience)):
                ends = await self._client.end_offsets([_theirs(p) for p in self._ready])
                return {
                    _ours(partition): max(0, end - await self._client.position(partition))
                    for partition, end in ends.items()
                    if _ours(partition) in self._ready
                }


async def _partition_counts(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, int]:
    described = await admin.describe_topics(list(topics))
    return {t["topic"]: len(t["partitions"]) for t in described if t["error_code"] == 0}


async def _stop(
    client: aiokafka.AIOKafkaProducer | aiokafka.AIOKafkaConsumer, connections: AIOKafkaClient
) -> None:
    """Stop in order, or give up what does not: without a broker `stop()` can hang or break off."""
    stopping = asyncio.ensure_future(client.stop())
    await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
    stopping.cancel()
    # As a task of its own: where it breaks off, it does so as if it were we who are cancelled.
    await asyncio.gather(stopping, return_exceptions=True)
    await connections.close()


def _ours(partition: aiokafka.TopicPartition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


def _theirs(partition: TopicPartition) -> aiokafka.TopicPartition:
    return aiokafka.TopicPartition(partition.topic, partition.partition)


def _record(record: aiokafka.ConsumerRecord[bytes, bytes]) -> Record:
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        # Others may write too: without a key, or in another encoding.
        key=(record.key or b"").decode(errors="replace"),
        value=record.value or b"",
        headers=tuple(record.headers),
        timestamp_ms=record.timestamp,
    )
