"""A commit with an event wakes the relay; what is undone, or tells nothing, wakes nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from chassis import relay, wake
from tests.support.toy import SERVICE, UNIT, Toy, add_item

LONG = 600.0
PATIENCE = 30.0


@asynccontextmanager
async def heard(toy: Toy) -> AsyncIterator[asyncio.Event]:
    """What a relay would hear of this database."""
    word = asyncio.Event()
    connection = await asyncpg.connect(toy.running.databases.app)
    try:
        await connection.add_listener(wake.CHANNEL, lambda *_: word.set())
        yield word
    finally:
        await connection.close()


async def test_a_commit_with_an_event_is_told(toy: Toy) -> None:
    async with heard(toy) as word, asyncio.timeout(PATIENCE):
        await toy.baskets(1)
        await word.wait()


async def test_what_is_rolled_back_or_tells_nothing_wakes_nobody(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (basket,) = await toy.baskets(1)
    woken: list[wake.Waker] = []

    def note(waker: wake.Waker) -> None:
        woken.append(waker)

    monkeypatch.setattr(wake.Waker, "wake", note)
    with pytest.raises(RuntimeError, match="undone"):
        await _undone(toy, basket)
    await toy.basket()
    assert woken == []
    await toy.add(basket)
    assert len(woken) == 1


async def test_a_relay_that_waits_publishes_on_the_word(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would look by itself in ten minutes."""
    monkeypatch.setattr(relay, "SHORTEST", LONG)
    monkeypatch.setattr(relay, "LONGEST", LONG)
    relaying = asyncio.create_task(
        relay.relay(toy.running.databases.app, toy.running.bus, service=SERVICE.name)
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await toy.baskets(1)
            await _published(toy)
            await toy.baskets(1)
            await _published(toy)
    finally:
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)


async def _undone(toy: Toy, basket: UUID) -> None:
    async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
        await add_item(session, basket, 7)
        raise RuntimeError("undone")


async def _published(toy: Toy) -> None:
    left = "SELECT count(*) FROM chassis.outbox WHERE published_at IS NULL"
    while (await toy.running.rows(left))[0][0]:  # noqa: ASYNC110 - the relay tells nobody
        await asyncio.sleep(0.05)
