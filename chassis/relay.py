"""The relay: one at a time per service, in order, marking after the broker's word. Crash-only.

It reads what is not yet published in the order of `seq`; a cursor over `seq` would lose events of
transactions that commit late. A commit with an event wakes it (`chassis.wake`); should that word be
lost, it looks all the same, every half second at the latest. Its lock lives on its own connection,
which the server closes when nothing is heard of it: a frozen relay loses its lock.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg

from chassis.bus import Bus, Message
from chassis.telemetry import log, metrics
from chassis.wake import CHANNEL
from contracts.events.envelope import CONTENT_TYPE

BATCH = 500
SHORTEST, LONGEST = 0.02, 0.5
MEASURE_EVERY = 0.5
SEND_TIMEOUT = 8.0
IDLE_LIMIT = "15s"
RELAY_LOCK = 7_301
HEADERS = (("content-type", CONTENT_TYPE.encode()),)

PENDING = """SELECT seq, topic, key, body FROM chassis.outbox
WHERE published_at IS NULL ORDER BY seq LIMIT $1"""
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
MARK = "UPDATE chassis.outbox SET published_at = now() WHERE seq = ANY($1::bigint[])"
BACKLOG = """SELECT count(*) AS pending, min(recorded_at) AS oldest
FROM chassis.outbox WHERE published_at IS NULL"""


async def publish_once(
    connection: asyncpg.Connection, send: Callable[[list[Message]], Awaitable[None]]
) -> int:
    """Send one batch and mark it; how many events it held."""
    rows = await connection.fetch(PENDING, BATCH)
    if rows:
        await send([Message(row["topic"], row["key"], row["body"], HEADERS) for row in rows])
        await connection.execute(MARK, [row["seq"] for row in rows])
    return len(rows)


async def relay(database_url: str, bus: Bus, *, service: str) -> None:
    """Publish the outbox for ever; any failure ends it, and the process with it."""
    connection = await asyncpg.connect(
        database_url,
        timeout=5,
        command_timeout=10,
        server_settings={
            "idle_session_timeout": IDLE_LIMIT,
            "application_name": f"{service}-relay",
        },
    )
    metrics.relay_held.labels(service).set(0)
    try:
        # The lock is the database's: no event of ours tells when it is free.
        while not await connection.fetchval(TRY_LOCK, RELAY_LOCK):  # noqa: ASYNC110 - as above
            await asyncio.sleep(1)
        log().info("relay_started", service=service)
        metrics.relay_held.labels(service).set(1)
        # Before the broker is asked: with it away we come no further, and this is what tells.
        await _measure(connection, service)
        measured = time.monotonic()
        woken = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        async with bus.producer() as producer:
            pause = SHORTEST
            while True:
                woken.clear()
                sent = await publish_once(
                    connection, lambda messages: producer.send(messages, timeout=SEND_TIMEOUT)
                )
                if time.monotonic() - measured >= MEASURE_EVERY:
                    # Not with each batch: to count a long backlog costs as much as to send it.
                    await _measure(connection, service)
                    measured = time.monotonic()
                pause = SHORTEST if sent else min(pause * 2, LONGEST)
                if not sent:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(woken.wait(), pause)
    finally:
        connection.terminate()


async def _measure(connection: asyncpg.Connection, service: str) -> None:
    backlog = await connection.fetchrow(BACKLOG)
    oldest = backlog["oldest"]
    metrics.outbox_pending.labels(service).set(backlog["pending"])
    metrics.outbox_oldest_seconds.labels(service).set(
        (datetime.now(UTC) - oldest).total_seconds() if oldest else 0
    )
