"""Invariant 4: at least once on the wire, exactly once in effect."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.bus import Message, TopicPartition
from chassis.consumption import Consumption, OffsetMovedError, Received
from tests.support.toy import EFFECTS, Toy, count_effect


async def consume(toy: Toy, one: Consumption, *, group: str = "") -> int:
    """Take all that the topic holds now; how many records came."""
    taken = 0
    ends = await toy.running.bus.end_offsets([toy.topic.name])
    async with toy.running.bus.subscribe(
        group or str(uuid4()), [toy.topic.name], assigned=one.assigned
    ) as subscription:
        while not all(one.positions.get(place, 0) >= end for place, end in ends.items()):
            taken += await one.step(subscription, wait=0.2)
    return taken


async def published(toy: Toy, *, count: int = 3, events: int = 2) -> dict[str, list[int]]:
    """Publish so many events of so many baskets; what their effect has to be."""
    baskets = await toy.baskets(count, events=events)
    await toy.running.relay()
    return {str(basket): list(range(1, events + 1)) for basket in baskets}


async def test_events_sent_twice_and_mixed_have_one_effect_each(toy_on_bus: Toy) -> None:
    toy = toy_on_bus
    expected = await published(toy)
    twice = await toy.running.rows("SELECT key, body FROM chassis.outbox ORDER BY seq")
    messages = [Message(toy.topic.name, row["key"], row["body"]) for row in twice]
    async with toy.running.bus.producer() as producer:
        await producer.send(messages + messages[::-1], timeout=10)
    await consume(toy, toy.consumption())
    assert await toy.effects_by_key() == expected


async def test_a_consumer_started_anew_goes_on_where_its_own_record_says(
    toy_on_bus: Toy,
) -> None:
    toy = toy_on_bus
    first = await published(toy)
    await consume(toy, toy.consumption())
    second = await published(toy)
    assert await consume(toy, toy.consumption()) == 6
    assert await toy.effects_by_key() == first | second
    rows = await toy.running.rows("SELECT partition, next FROM acting.consumer_offset")
    own = {TopicPartition(toy.topic.name, row["partition"]): row["next"] for row in rows}
    ends = await toy.running.bus.end_offsets([toy.topic.name])
    assert own == {place: end for place, end in ends.items() if end}


async def test_partitions_are_applied_abreast_and_each_in_its_own_order(toy_on_bus: Toy) -> None:
    toy = toy_on_bus
    expected = await published(toy, count=12)
    inside: set[str] = set()
    together = asyncio.Event()

    async def handler(session: AsyncSession, events: Sequence[Received]) -> None:
        inside.add(events[0].envelope.subject)
        if len(inside) > 1:
            together.set()
        with contextlib.suppress(TimeoutError):  # one at a time, each would wait in vain
            async with asyncio.timeout(2):
                await together.wait()
        await count_effect(session, events, EFFECTS)
        if not together.is_set():
            inside.clear()

    await consume(toy, toy.consumption(handler))
    assert together.is_set()
    assert await toy.effects_by_key() == expected


async def test_its_own_offsets_count_and_not_the_brokers(toy_on_bus: Toy) -> None:
    toy = toy_on_bus
    expected = await published(toy)
    ends = await toy.running.bus.end_offsets([toy.topic.name])
    group = str(uuid4())

    async def at_the_end(_: frozenset[TopicPartition]) -> Mapping[TopicPartition, int]:
        return ends

    async with toy.running.bus.subscribe(
        group, [toy.topic.name], assigned=at_the_end
    ) as subscription:
        while len(subscription.assignment) < len(ends):
            await subscription.fetch(max_records=1, timeout=0.2)
        await subscription.commit(ends)
    await consume(toy, toy.consumption(), group=group)
    assert await toy.effects_by_key() == expected


@pytest.mark.parametrize("kept", ["inbox and effect", "nothing"])
async def test_a_restored_database_reads_again_what_it_forgot(toy_on_bus: Toy, kept: str) -> None:
    toy = toy_on_bus
    expected = await published(toy)
    await consume(toy, toy.consumption())
    await toy.running.rows("DELETE FROM acting.consumer_offset")
    if kept == "nothing":
        await toy.running.rows("DELETE FROM acting.inbox")
        await toy.running.rows("DELETE FROM effect")
    await consume(toy, toy.consumption())
    assert await toy.effects_by_key() == expected


@pytest.mark.parametrize("restored_to", [0, 2])
async def test_a_database_restored_under_a_running_consumer_forgets_nothing(
    toy: Toy, restored_to: int
) -> None:
    basket = await toy.basket()
    for _ in range(4):
        await toy.add(basket)
    records = await toy.records()
    one = toy.consumption()
    await one.take(toy.partition, records)
    await toy.running.rows("DELETE FROM acting.inbox")
    await toy.running.rows("DELETE FROM effect")
    if restored_to:
        await toy.running.rows("UPDATE acting.consumer_offset SET next = $1", restored_to)
    else:
        await toy.running.rows("DELETE FROM acting.consumer_offset")
    await toy.add(basket)
    with pytest.raises(OffsetMovedError):
        await one.take(toy.partition, (await toy.records())[4:])
    assert await one.offsets([toy.partition]) == {toy.partition: restored_to}


async def test_two_consumers_of_one_partition_have_one_effect(toy: Toy) -> None:
    """In a hand-over a frozen member may still be at its last batch."""
    baskets = await toy.baskets(2, events=3)
    records = await toy.records()
    both = [toy.consumption() for _ in range(4)]
    outcomes = await asyncio.gather(
        *(one.take(toy.partition, records) for one in both), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "NoneType",
        *["OffsetMovedError"] * 3,
    ]
    assert await toy.effects_by_key() == {str(basket): [1, 2, 3] for basket in baskets}


async def test_whoever_was_overtaken_goes_on_from_where_the_other_stands(toy: Toy) -> None:
    expected = await published(toy)
    slow, quick = toy.consumption(), toy.consumption()
    async with toy.running.bus.subscribe(
        str(uuid4()), [toy.topic.name], assigned=slow.assigned
    ) as subscription:
        while len(subscription.assignment) < toy.topic.partitions:
            await slow.assigned(subscription.assignment)
            await subscription.fetch(max_records=1, timeout=0.01)
        for place in subscription.assignment:
            subscription.seek(place, 0)
        await consume(toy, quick)
        more = await published(toy, count=6)
        ends = await toy.running.bus.end_offsets([toy.topic.name])
        while not all(slow.positions.get(place, 0) >= end for place, end in ends.items()):
            await slow.step(subscription, wait=0.2)
    assert await toy.effects_by_key() == expected | more


async def test_inbox_effect_and_offset_are_taken_back_together(toy: Toy) -> None:
    await toy.baskets(2)
    records = await toy.records()
    failing = True

    async def handler(session: AsyncSession, events: Sequence[Received]) -> None:
        await count_effect(session, events, EFFECTS)
        if failing:
            raise ConnectionResetError

    one = toy.consumption(handler)
    with pytest.raises(ConnectionResetError):
        await one.take(toy.partition, records)
    assert await toy.effects() == []
    assert await toy.running.rows("SELECT 1 FROM acting.inbox") == []
    assert await toy.running.rows("SELECT 1 FROM acting.consumer_offset") == []
    assert one.positions == {}
    failing = False
    await one.take(toy.partition, records)
    assert len(await toy.effects()) == 2


async def test_each_consumer_has_an_inbox_of_its_own(toy: Toy) -> None:
    await toy.baskets(2)
    for name in ("toy.first", "toy.second"):
        await toy.consumption(name=name).take(toy.partition, await toy.records())
    assert len(await toy.effects("toy.first")) == len(await toy.effects("toy.second")) == 2


async def test_an_event_republished_under_another_offset_is_absorbed(toy: Toy) -> None:
    """`republish` writes the archive again with the same event ids."""
    await toy.baskets(2, events=2)
    records = await toy.records()
    one = toy.consumption()
    await one.take(toy.partition, records)
    again = TopicPartition(toy.topic.name, 1)
    await one.take(again, records)
    assert len(await toy.effects()) == 4
    rows = await toy.running.rows("SELECT partition, next FROM acting.consumer_offset")
    assert sorted(tuple(row) for row in rows) == [(0, 4), (1, 4)]


async def test_what_a_consumer_writes_names_the_event_that_made_it(toy: Toy) -> None:
    await toy.baskets(1)
    seen: list[dict[str, str]] = []

    async def handler(session: AsyncSession, _: Sequence[Received]) -> None:
        seen.append({key: session.info[key] for key in ("actor", "cause")})

    await toy.consumption(handler).take(toy.partition, await toy.records())
    (event,) = await toy.events()
    assert seen == [{"actor": f"event:{event.id}", "cause": str(event.id)}]
