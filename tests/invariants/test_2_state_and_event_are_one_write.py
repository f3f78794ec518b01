"""Invariant 2: the event is numbered under its aggregate's lock: in commit order, without a gap."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.outbox import MAX_EVENT_BYTES, emit
from tests.support.toy import UNIT, Basket, Toy, add_item, state

WRITERS, CHANGES = 8, 12

Change = Callable[[AsyncSession, Basket], Awaitable[None]]


async def change(toy: Toy, basket: UUID, do: Change) -> None:
    async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
        await do(session, await session.get_one(Basket, basket))


async def test_concurrent_changes_of_child_rows_alone_are_numbered_in_commit_order(
    toy: Toy,
) -> None:
    baskets = [await toy.basket() for _ in range(2)]
    committed: dict[UUID, list[int]] = {basket: [] for basket in baskets}
    lots = random.Random(7)  # noqa: S311 - which writer dawdles, not a secret
    numbered = itertools.count()

    async def write() -> None:
        for _ in range(CHANGES):
            basket = lots.choice(baskets)
            async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
                changed = await add_item(session, basket, next(numbered))
                await asyncio.sleep(lots.choice([0, 0, 0.005]))
                await session.refresh(changed)
                number = changed.event_seq
            committed[basket].append(number)

    async with asyncio.TaskGroup() as writers:
        for _ in range(WRITERS):
            writers.create_task(write())
    rows = await toy.running.rows("SELECT key, sequence FROM chassis.outbox ORDER BY seq")
    assert len(rows) == WRITERS * CHANGES
    for basket in baskets:
        numbers = [row["sequence"] for row in rows if row["key"] == str(basket)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert sorted(committed[basket]) == numbers


async def test_the_lock_is_taken_before_the_number_so_a_later_one_waits(toy: Toy) -> None:
    basket = await toy.basket()
    async with toy.database.transaction(actor="clerk-1", units=[UNIT]) as session:
        await add_item(session, basket, 1)
        second = asyncio.create_task(toy.add(basket))
        await asyncio.wait({second}, timeout=0.2)
        assert not second.done()
        assert await toy.events() == []
    await second
    assert [event.sequence for event in await toy.events()] == [1, 2]


async def test_a_transaction_rolled_back_leaves_no_gap(toy: Toy) -> None:
    basket = await toy.basket()

    async def fail(session: AsyncSession, _: Basket) -> None:
        await add_item(session, basket, 100)
        raise RuntimeError

    await toy.add(basket)
    with pytest.raises(RuntimeError):
        await change(toy, basket, fail)
    await toy.add(basket)
    assert [event.sequence for event in await toy.events()] == [1, 2]
    assert [len(event.data["periods"]) for event in await toy.events()] == [1, 2]


async def test_the_number_is_not_the_etag_version(toy: Toy) -> None:
    basket = await toy.basket()
    await toy.add(basket)
    (row,) = await toy.running.rows("SELECT event_seq, version FROM basket")
    assert (row["event_seq"], row["version"]) == (1, 1)


async def test_an_event_of_an_aggregate_without_a_row_is_refused(toy: Toy) -> None:
    basket = await toy.basket()

    async def remove(session: AsyncSession, found: Basket) -> None:
        await session.execute(delete(Basket).where(Basket.id == basket))
        await emit(session, found, "set", state(found, [1]))

    with pytest.raises(LookupError):
        await change(toy, basket, remove)
    assert await toy.events() == []


async def test_an_event_above_256_kib_is_refused_with_its_state(toy: Toy) -> None:
    basket = await toy.basket()

    async def swell(session: AsyncSession, found: Basket) -> None:
        found.version = 7
        # 100 characters of six bytes each, as JSON writes control characters.
        large = {"document": "\x01" * 100, "amount": Decimal("99999999.99")}
        whole = state(found, range(400))
        periods = tuple(period.model_copy(update=large) for period in whole.periods)
        event = whole.model_copy(update={"periods": periods})
        assert len(event.model_dump_json()) > MAX_EVENT_BYTES
        await emit(session, found, "set", event)

    with pytest.raises(IntegrityError):
        await change(toy, basket, swell)
    assert await toy.events() == []
    (row,) = await toy.running.rows("SELECT event_seq, version FROM basket")
    assert (row["event_seq"], row["version"]) == (0, 1)


async def test_one_number_is_given_once_whatever_writes_it(toy: Toy) -> None:
    """The last wall: topic, key and number are unique in the outbox."""
    basket = await toy.basket()
    await toy.add(basket)
    await toy.running.rows("UPDATE basket SET event_seq = 0")
    with pytest.raises(IntegrityError):
        await toy.add(basket)


async def test_an_event_says_who_did_it_when_and_why(toy: Toy) -> None:
    toy.running.at("2025-03-04", "09:30")
    basket = await toy.basket()
    cause = str(new_id())
    async with toy.database.transaction(actor="clerk-9", units=[UNIT], cause=cause) as session:
        await add_item(session, basket, 1)
    (event,) = await toy.events()
    assert (event.actor, event.cause, event.subject) == ("clerk-9", cause, str(basket))
    assert event.time.isoformat() == "2025-03-04T01:30:00+00:00"
    assert event.source == "urn:minzheng:toy"
    assert event.type == f"{toy.topic.name}.set.v1"


async def test_a_verb_that_the_contract_does_not_know_is_refused(toy: Toy) -> None:
    basket = await toy.basket()

    async def rename(session: AsyncSession, found: Basket) -> None:
        await emit(session, found, "renamed", state(found, [1]))

    with pytest.raises(ValueError, match="renamed"):
        await change(toy, basket, rename)
    assert await toy.events() == []
