"""Invariant 7: projections are made again from the topics, beside live ones, and come out equal."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.bus import Message
from chassis.ids import new_id
from chassis.rebuild import RebuildRefusedError, rebuild
from chassis.work import consumers_of, consumption
from contracts.events.envelope import CloudEvent
from contracts.events.placename import PlaceUnit, UnitLevel, UnitPeriod
from services.relief.app import SERVICE
from suite.postgres import Postgres
from tests.support.services import Running, running_service

_numbers = itertools.count()
TOPIC = "minzheng.placename.unit"
GULU = 500112141000
LIVE = """SELECT sequence, body->'periods'->-1->>'name' AS name
FROM projection.place_unit WHERE id = $1"""


@pytest.fixture
async def relief(postgres: Postgres, tmp_path: Path, bus_url: str) -> AsyncIterator[Running]:
    async with running_service(postgres, SERVICE, tmp_path, bus=bus_url) as running:
        yield running


async def fingerprint(session: AsyncSession) -> str:
    rows = await session.execute(
        text("SELECT id, sequence, body::text FROM place_unit ORDER BY id")
    )
    return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()


@pytest.fixture
def village() -> int:
    """A village of the test's own: buses are shared."""
    return GULU + 900 + next(_numbers)


def renamed(village: int, name: str, sequence: int, *, content: int = 0) -> Message:
    """A village of 古路镇 under a name, as the event of that number says."""
    unit = content or village
    period = UnitPeriod(
        from_=date(2024, 1, 1), code=None, name=name, level=UnitLevel.VILLAGE, parent=GULU
    )
    data = PlaceUnit(id=unit, periods=(period,))
    event = CloudEvent(
        id=new_id(),
        source="urn:minzheng:placename",
        type=f"{TOPIC}.changed.v1",
        subject=str(village),
        time=datetime.now(UTC),
        sequence=sequence,
        actor="clerk-9",
        data=data.model_dump(mode="json"),
    )
    return Message(TOPIC, str(village), event.model_dump_json(exclude_none=True).encode())


async def publish(relief: Running, *messages: Message) -> None:
    async with relief.bus.producer() as producer:
        await producer.send(messages, timeout=10)


async def test_in_the_middle_of_live_events_and_live_consumption_goes_on(
    relief: Running, village: int
) -> None:
    (places,) = consumers_of(SERVICE)
    living = asyncio.create_task(consumption(relief.runtime, places).run(relief.bus))
    await publish(
        relief, *(renamed(village, f"古路{number}镇", number) for number in range(1, 200))
    )

    async def go_on() -> None:
        for number in range(200, 260):
            await publish(relief, renamed(village, f"古路{number}镇", number))

    writing = asyncio.create_task(go_on())
    rebuilt = await rebuild(
        relief.runtime, relief.bus, fingerprint=fingerprint, progress=lambda *_: None
    )
    await writing
    assert rebuilt.equal
    for _ in range(100):
        rows = await relief.rows(LIVE, village)
        if rows and rows[0]["sequence"] == 259:
            break
        await asyncio.sleep(0.1)
    living.cancel()
    assert [tuple(row) for row in await relief.rows(LIVE, village)] == [(259, "古路259镇")]
    schemas = await relief.rows("SELECT nspname FROM pg_namespace WHERE nspname = 'previous'")
    assert schemas == []


async def test_what_was_changed_by_hand_is_found_and_mended(relief: Running, village: int) -> None:
    await publish(relief, renamed(village, "古路一镇", 1))
    await relief.consume()
    await relief.rows("UPDATE projection.place_unit SET sequence = 7 WHERE id = $1", village)
    rebuilt = await rebuild(
        relief.runtime, relief.bus, fingerprint=fingerprint, progress=lambda *_: None
    )
    assert not rebuilt.equal
    assert [tuple(row) for row in await relief.rows(LIVE, village)] == [(1, "古路一镇")]
    kept = await relief.rows("SELECT sequence FROM previous.place_unit WHERE id = $1", village)
    assert [row["sequence"] for row in kept] == [7]


async def test_it_is_refused_where_an_event_cannot_be_applied_anew(
    relief: Running, village: int
) -> None:
    await publish(relief, renamed(village, "古路一镇", 1))
    await relief.consume()
    await publish(
        relief, renamed(village, "古路二镇", 2, content=village + 50)
    )  # another unit's content
    await relief.consume()
    await relief.rows("UPDATE projection.dead_letter SET replayed_at = now()")
    with pytest.raises(RebuildRefusedError):
        await rebuild(relief.runtime, relief.bus, fingerprint=fingerprint, progress=lambda *_: None)
    assert [tuple(row) for row in await relief.rows(LIVE, village)] == [(1, "古路一镇")]
