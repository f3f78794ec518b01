"""The relay: one at a time per service, in order, marking after the broker's word. Crash-only.

It reads what is not yet published in the order of `seq`; a cursor over `seq` would lose events of
transactions that commit late. A commit with an event wakes it (`chassis.wake`); should that word be
lost, it looks all the same, every half second at the latest. Its lock lives on its own connection,
which the server closes when nothing is heard of it, or what it sends is not taken: a frozen relay
loses its lock. While the database is on hold (`chassis.outbox.relay_hold`) it lets go of it and
publishes nothing.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg

from chassis.bus import Bus, Message
from chassis.lost_log import refuse_to_publish
from chassis.telemetry import log, metrics
from chassis.wake import CHANNEL
from contracts.events.envelope import CONTENT_TYPE

BATCH = 500
AT_A_TIME = 4_000
SHORTEST, LONGEST = 0.02, 0.5
MEASURE_EVERY = 0.5
SEND_TIMEOUT = 8.0
IDLE_LIMIT = "15s"
RELAY_LOCK = 7_301
HEADERS = (("content-type", CONTENT_TYPE.encode()),)

PENDING = """SELECT seq, topic, key, body FROM chassis.outbox
WHERE published_at IS NULL AND NOT EXISTS (SELECT FROM chassis.relay_hold)
  AND seq <> ALL($2::bigint[])
ORDER BY seq LIMIT $1"""
TRY_LOCK = """SELECT CASE WHEN EXISTS (SELECT FROM chassis.relay_hold) THEN false
ELSE pg_try_advisory_lock($1) END"""
UNLOCK = "SELECT pg_advisory_unlock($1)"
MARK = "UPDATE chassis.outbox SET published_at = now() WHERE seq = ANY($1::bigint[])"
BACKLOG = """SELECT count(*) AS pending, min(recorded_at) AS oldest,
  EXISTS (SELECT FROM chassis.relay_hold) AS on_hold
FROM chassis.outbox WHERE published_at IS NULL"""


async def publish_once(
    connection: asyncpg.Connection, send: Callable[[list[Message]], Awaitable[None]]
) -> int:
    """Send what waits in batches, `AT_A_TIME` at most, and mark it; how many events it was.

    While one batch is under way the one before it is marked and the next one read. Its order
    holds: what is committed later of a key stands behind it, and is sent after the broker's word.
    """
    count, sent = 0, list[int]()
    rows = await connection.fetch(PENDING, BATCH, sent)
    while rows:
        count += len(rows)
        under_way = [row["seq"] for row in rows]
        messages = [Message(row["topic"], row["key"], row["body"], HEADERS) for row in rows]
        sending = asyncio.ensure_future(send(messages))
        try:
            if sent:
                await connection.execute(MARK, sent)
            following = count < AT_A_TIME
            rows = await connection.fetch(PENDING, BATCH, under_way) if following else []
        except BaseException:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            raise
        await sending
        sent = under_way
    if sent:
        await connection.execute(MARK, sent)
    return count


async def relay(database_url: str, bus: Bus, *, service: str) -> None:
    """Publish the outbox for ever; any failure ends it, and the process with it."""
    connection = await asyncpg.connect(
        database_url,
        timeout=5,
        command_timeout=10,
        server_settings={
            "idle_session_timeout": IDLE_LIMIT,
            "tcp_user_timeout": IDLE_LIMIT,
            "application_name": f"{service}-relay",
        },
    )
    try:
        woken = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        while True:
            await _take_turn(connection, service)
            await refuse_to_publish(connection, bus, service)
            await _publish(connection, bus, service, woken)
            await connection.execute(UNLOCK, RELAY_LOCK)
            log().info("relay_on_hold", service=service)
    finally:
        connection.terminate()


async def _take_turn(connection: asyncpg.Connection, service: str) -> None:
    """Wait for the lock, and until the database is not on hold."""
    metrics.relay_held.labels(service).set(0)
    # The lock is the database's: no event of ours tells when it is free.
    while not await connection.fetchval(TRY_LOCK, RELAY_LOCK):  # noqa: ASYNC110 - as above
        await asyncio.sleep(1)
    log().info("relay_started", service=service)
    metrics.relay_held.labels(service).set(1)
    # Before the broker is asked: with it away we come no further, and this is what tells.
    await _measure(connection, service)


async def _publish(
    connection: asyncpg.Connection, bus: Bus, service: str, woken: asyncio.Event
) -> None:
    """Publish until the database is put on hold."""
    measured = time.monotonic()
    async with bus.producer() as producer:
        pause = SHORTEST
        while True:
            woken.clear()
            sent = await publish_once(
                connection, lambda messages: producer.send(messages, timeout=SEND_TIMEOUT)
            )
            if time.monotonic() - measured >= MEASURE_EVERY:
                # Not with each batch: to count a long backlog costs as much as to send it.
                if await _measure(connection, service):
                    return
                measured = time.monotonic()
            pause = SHORTEST if sent else min(pause * 2, LONGEST)
            if not sent:
                # Not wait_for: on 3.11 it loses the word to stop when it is woken at that moment.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await woken.wait()


async def _measure(connection: asyncpg.Connection, service: str) -> bool:
    """Tell what waits; whether the database is on hold."""
    backlog = await connection.fetchrow(BACKLOG)
    oldest = backlog["oldest"]
    metrics.outbox_pending.labels(service).set(backlog["pending"])
    metrics.outbox_oldest_seconds.labels(service).set(
        (datetime.now(UTC) - oldest).total_seconds() if oldest else 0
    )
    return bool(backlog["on_hold"])
