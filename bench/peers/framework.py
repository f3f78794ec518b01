"""FastStream: a batch subscriber with the decoding, rules and SQL of ours, and the rest its own.

Tuned as its documentation says: batches of the same size, no validation by the framework
(`apply_types=False`), no automatic commits; a batch is committed when its handler has ended well.
Offsets are the broker's alone, and nothing is parked.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiokafka
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from chassis.bus import Record
from chassis.consumption import BATCH, SEE, read_event
from services.indicator.ledger.reactions import post

# Beside the environment of the house, of which it is no part.
sys.path.append(str(Path(__file__).parents[2] / "build" / "bench-peers"))

from faststream import AckPolicy  # type: ignore[import-not-found, unused-ignore] # optional
from faststream.kafka import KafkaBroker, KafkaMessage  # type: ignore[import-not-found, unused-ignore] # as above

SLOWEST = 120.0
POOL = 8


async def consume(address: str, topic: str, group: str, ledger: str, count: int) -> float:
    """Records a second, from the assignment to the last commit in the ledger's database."""
    engine = create_async_engine(
        ledger.replace("postgresql://", "postgresql+asyncpg://"),
        pool_size=POOL,
        connect_args={"server_settings": {"search_path": "projection"}},
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    began, left, done = [0.0], [count], asyncio.Event()

    class Listener(aiokafka.ConsumerRebalanceListener):  # type: ignore[misc] # untyped
        def on_partitions_revoked(self, revoked: object) -> None: ...

        def on_partitions_assigned(self, assigned: object) -> None:  # noqa: ARG002 - the contract's
            began[0] = time.perf_counter()

    async def decoded(message: KafkaMessage) -> list[Record]:
        raw: Sequence[Any] = message.raw_message
        return [
            Record(one.topic, one.partition, one.offset, "", one.value, (), one.timestamp)
            for one in raw
        ]

    broker = KafkaBroker(address, apply_types=False, graceful_timeout=5, logger=None)

    @broker.subscriber(  # type: ignore[untyped-decorator, unused-ignore] # optional
        topic,
        group_id=group,
        batch=True,
        max_records=BATCH,
        batch_timeout_ms=1_000,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=decoded,
        listener=Listener(),
    )
    async def handle(records: list[Record]) -> None:
        received = [read_event(one) for one in records]
        async with sessions() as session, session.begin():
            rows = await session.execute(
                SEE, {"consumer": "bench", "ids": [one.envelope.id for one in received]}
            )
            unseen = {row.event_id for row in rows}
            new = [one for one in received if one.envelope.id in unseen]
            await post(session, new)
        left[0] -= len(records)
        if left[0] <= 0:
            done.set()

    async with broker, asyncio.timeout(SLOWEST):
        await broker.start()
        await done.wait()
        took = time.perf_counter() - began[0]
    await engine.dispose()
    return count / took
