"""Invariant 5: what cannot be applied is parked with what comes behind it; the rest goes on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import consumption as consumption_module
from chassis.bus import Record
from chassis.consumption import Consumption, Handler, Received
from contracts.events.envelope import CloudEvent
from tests.support.toy import EFFECTS, Toy, count_effect, record

POISON = 2
PLACE = "minzheng.placename.unit.founded.v1"
TIMES = 2
TRANSIENT = ("08006", "28P01", "40001", "53100", "55P03", "57P01", "58030", "XX000")
PERMANENT = ("22003", "23505", "42703", "P0001")


class Choosy:
    """Counts effects; refuses one key's second event until it is told what is right."""

    def __init__(self, key: UUID) -> None:
        self.key = str(key)
        self.mended = False

    async def __call__(self, session: AsyncSession, events: Sequence[Received]) -> None:
        await count_effect(session, events, EFFECTS)
        for event in events:
            envelope = event.envelope
            if envelope.subject == self.key and envelope.sequence == POISON and not self.mended:
                raise ValueError(envelope.subject)


async def consume(toy: Toy, one: Consumption) -> None:
    ends = await toy.running.bus.end_offsets([toy.topic.name])
    async with toy.running.bus.subscribe(
        str(uuid4()), [toy.topic.name], assigned=one.assigned
    ) as subscription:
        while not all(one.positions.get(place, 0) >= end for place, end in ends.items()):
            await one.step(subscription, wait=0.2)


async def test_a_failing_event_is_parked_with_those_behind_it_and_other_keys_go_on(
    toy_on_bus: Toy,
) -> None:
    toy = toy_on_bus
    bad, good, other = await toy.baskets(3, events=4)
    await toy.running.relay()
    handler = Choosy(bad)
    one = toy.consumption(handler)
    await consume(toy, one)
    assert await toy.effects_by_key() == {
        str(bad): [1],
        str(good): [1, 2, 3, 4],
        str(other): [1, 2, 3, 4],
    }
    behind = (str(bad), "behind a parked event")
    assert await toy.parked() == [(str(bad), "ValueError"), behind, behind]
    await toy.add(bad)
    await toy.add(good)
    await toy.running.relay()
    await consume(toy, one)
    assert (await toy.effects_by_key())[str(bad)] == [1]
    assert (await toy.effects_by_key())[str(good)] == [1, 2, 3, 4, 5]
    handler.mended = True
    assert await one.replay() == (4, 0)
    assert (await toy.effects_by_key())[str(bad)] == [1, 2, 3, 4, 5]
    assert await one.parked() == []
    await toy.add(bad)
    await toy.running.relay()
    await consume(toy, one)
    assert (await toy.effects_by_key())[str(bad)] == [1, 2, 3, 4, 5, 6]


async def test_a_replay_before_the_fix_changes_nothing_and_helps_other_keys(toy: Toy) -> None:
    baskets = await toy.baskets(2, events=3)
    refusing = Choosy(baskets[0])
    records = await toy.records()
    await toy.consumption(refusing).take(toy.partition, records)
    await toy.running.rows(
        "INSERT INTO acting.dead_letter"
        ' (consumer, topic, partition, "offset", key, body, reason, parked_at)'
        " VALUES ($1, $2, 0, 0, 'other', $3, '', now())",
        EFFECTS,
        toy.topic.name,
        records[0].value,
    )
    await toy.running.rows("DELETE FROM acting.inbox WHERE event_id = $1", event_id(records[0]))
    before = await toy.effects()
    one = toy.consumption(refusing)
    assert await one.replay() == (1, 2)
    assert await toy.effects() == [*before, (str(baskets[0]), 1)]
    assert [letter.key for letter in await one.parked()] == [str(baskets[0])] * 2


async def test_parked_events_are_told_without_their_content(toy: Toy) -> None:
    (basket,) = await toy.baskets(1, events=POISON)
    one = toy.consumption(Choosy(basket))
    await one.take(toy.partition, await toy.records())
    (letter,) = await one.parked()
    assert (letter.topic, letter.key, letter.reason) == (toy.topic.name, str(basket), "ValueError")
    assert not hasattr(letter, "body")


async def test_events_seen_in_the_batch_that_failed_are_applied_once(toy: Toy) -> None:
    bad, good = await toy.baskets(2, events=3)
    one = toy.consumption(Choosy(bad))
    await one.take(toy.partition, await toy.records())
    assert await toy.effects_by_key() == {str(bad): [1], str(good): [1, 2, 3]}
    await one.assigned({toy.partition})
    assert one.positions == {toy.partition: 6}


def event_id(one: Record) -> UUID:
    return CloudEvent.read(one.value).id


def changed(one: Record, **changes: Any) -> Record:
    envelope = json.loads(one.value)
    return replace(one, value=json.dumps({**envelope, **changes}).encode())


BAD_BODIES: dict[str, Callable[[Record], bytes]] = {
    "no JSON": lambda one: b"{" + one.value,
    "nothing": lambda _: b"",
    "no UTF-8": lambda _: b"\xff\xfe",
    "deep JSON": lambda _: b"[" * 100_000,
    "a list": lambda _: b"[1, 2]",
    "no envelope": lambda _: b'{"data": {}}',
    "a number as text": lambda one: changed(one, sequence="first").value,
    "number 0": lambda one: changed(one, sequence=0).value,
    "data that do not fit": lambda one: changed(one, data={"id": "1"}).value,
    "an unknown data model": lambda one: changed(one, type=one.topic + ".set.v2").value,
    "no version": lambda one: changed(one, type=one.topic + ".set.v²").value,
    "another topic's type": lambda one: (
        changed(one, type="minzheng.placename.unit.founded.v1").value
    ),
    "NUL in its type": lambda one: changed(one, type="minzheng.\0.v1").value,
}


async def test_what_cannot_be_read_is_parked_and_never_skipped(toy: Toy) -> None:
    broken = [str(basket) for basket in await toy.baskets(len(BAD_BODIES))]
    good = str((await toy.baskets(1))[0])
    bodies = dict(zip(broken, BAD_BODIES.values(), strict=True))
    for basket in broken:
        await toy.add(UUID(basket))
    records = await toy.records()
    sent = [
        replace(one, value=bodies[one.key](one)) if one.key in bodies and at < len(broken) else one
        for at, one in enumerate(records)
    ]
    one = toy.consumption()
    await one.take(toy.partition, sent)
    assert await toy.effects_by_key() == {good: [1]}
    assert sorted(key for key, _ in await toy.parked()) == sorted(broken * 2)
    rows = await toy.running.rows('SELECT "offset", body FROM acting.dead_letter')
    assert {row["offset"]: row["body"] for row in rows} == {
        one.offset: one.value for one in sent if one.key != good
    }
    assert await one.replay() == (0, 2 * len(broken))


async def test_an_unknown_verb_on_a_known_model_is_applied(toy: Toy) -> None:
    await toy.baskets(1)
    (first,) = await toy.records()
    one = toy.consumption()
    await one.take(toy.partition, [changed(first, type=f"{toy.topic.name}.abolished.v1")])
    assert len(await toy.effects()) == 1
    assert await toy.parked() == []


async def test_fields_of_later_versions_are_ignored(toy: Toy) -> None:
    await toy.baskets(1)
    (first,) = await toy.records()
    data = {**json.loads(first.value)["data"], "later": {"field": 1}}
    await toy.consumption().take(toy.partition, [changed(first, data=data, later="x")])
    assert len(await toy.effects()) == 1


async def test_a_key_that_the_database_cannot_hold_stops_nobody(toy: Toy) -> None:
    """Others may write to the topic too."""
    (basket,) = await toy.baskets(1)
    (good,) = await toy.records()
    bad = record(toy.topic.name, 0, "\0", b"{")
    one = toy.consumption()
    await one.take(toy.partition, [bad, replace(good, offset=1)])
    assert await toy.effects() == [(str(basket), 1)]
    assert len(await one.parked()) == 1


def refusing(state: str, key: str, consumer: str) -> Handler:
    """A handler whose events of `key` the database refuses twice: as a batch, and alone."""
    refused: list[bool] = []

    async def handler(session: AsyncSession, events: Sequence[Received]) -> None:
        await count_effect(session, events, consumer)
        if len(refused) < TIMES and any(event.envelope.subject == key for event in events):
            refused.append(True)
            await refuse(session, state)

    return handler


async def refuse(session: AsyncSession, state: str) -> None:
    await session.execute(
        text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")
    )


async def test_a_transient_error_is_waited_out_and_parks_nothing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumption_module, "FIRST_PAUSE", 0.001)
    baskets = await toy.baskets(2, events=2)
    await toy.running.relay()
    for state in TRANSIENT:
        handler = refusing(state, str(baskets[0]), consumer=state)
        await consume(toy, toy.consumption(handler, name=state))
        assert sorted(await toy.effects(state)) == [
            (str(basket), sequence) for basket in sorted(baskets) for sequence in (1, 2)
        ]
    assert await toy.parked() == []


async def test_what_the_database_refuses_for_good_is_parked(toy: Toy) -> None:
    (basket,) = await toy.baskets(1)
    for state in PERMANENT:

        async def handler(session: AsyncSession, _: Sequence[Received], state: str = state) -> None:
            await refuse(session, state)

        await toy.consumption(handler, name=state).take(toy.partition, await toy.records())
    assert [key for key, _ in await toy.parked()] == [str(basket)] * len(PERMANENT)


async def test_a_connection_that_breaks_is_waited_out(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumption_module, "FIRST_PAUSE", 0.001)
    (basket,) = await toy.baskets(1, events=2)
    await toy.running.relay()
    broken: list[bool] = []

    async def handler(session: AsyncSession, events: Sequence[Received]) -> None:
        await count_effect(session, events, EFFECTS)
        if len(broken) < TIMES:
            broken.append(True)
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await consume(toy, toy.consumption(handler))
    assert await toy.effects_by_key() == {str(basket): [1, 2]}
    assert await toy.parked() == []


async def test_poison_beside_a_transient_error_is_parked_once(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a batch redone singly has settled is not settled again after the wait."""
    monkeypatch.setattr(consumption_module, "FIRST_PAUSE", 0.001)
    bad, shaky = await toy.baskets(2, events=3)
    records = await toy.records()
    choosy = Choosy(bad)
    waited: list[bool] = []

    async def handler(session: AsyncSession, events: Sequence[Received]) -> None:
        await choosy(session, events)
        alone = len(events) == 1 and events[0].envelope
        if alone and alone.subject == str(shaky) and alone.sequence == POISON and not waited:
            waited.append(True)
            raise ConnectionResetError

    one = toy.consumption(handler)
    await one._settle(StandingStill(), toy.partition, records)  # type: ignore[arg-type]  # noqa: SLF001 - one partition, both keys
    assert waited
    assert await toy.effects_by_key() == {str(bad): [1], str(shaky): [1, 2, 3]}
    assert [reason for _, reason in await toy.parked()] == ["ValueError", "behind a parked event"]


class StandingStill:
    """The subscription that `_settle` tells how far it got."""

    async def commit(self, offsets: object) -> None:
        pass


async def test_an_error_that_lasts_ends_the_process_and_parks_nothing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumption_module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(consumption_module, "LAST_PAUSE", 0.01)
    await toy.baskets(1)
    await toy.running.relay()

    async def handler(_: AsyncSession, __: Sequence[Received]) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await toy.consumption(handler).run(toy.running.bus, group=str(uuid4()))
    assert await toy.parked() == []
    assert await toy.running.rows("SELECT 1 FROM acting.consumer_offset") == []


async def test_what_is_parked_stays_parked_over_the_end_of_the_day(toy: Toy) -> None:
    """Parking is by key, not by age: the event of a later day waits as well."""
    (basket,) = await toy.baskets(1, events=POISON)
    handler = Choosy(basket)
    await toy.consumption(handler).take(toy.partition, await toy.records())
    await toy.running.rows(
        "UPDATE acting.dead_letter SET parked_at = parked_at - $1::interval", timedelta(days=40)
    )
    await toy.add(basket)
    one = toy.consumption(handler)
    await one.assigned({toy.partition})
    await one.take(toy.partition, (await toy.records())[POISON:])
    assert len(await one.parked()) == 2
