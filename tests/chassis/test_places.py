"""Each service's register of units: seeded from the contracts, moved by events."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date
from uuid import uuid4

import pytest

from chassis import places as places_module
from chassis.access import Principal
from chassis.bus import Record, TopicPartition
from chassis.clock import RealClock
from chassis.consumption import Consumption
from chassis.database import Database
from chassis.places import Places, places_consumer
from contracts.events.placename import PlaceUnit, UnitLevel, UnitPeriod
from contracts.places import place_units
from tests.support.toy import FOREIGN, TOWN, UNIT, Toy, record

TOPIC = "minzheng.placename.unit"
DAY = date(2025, 1, 1)
NEW = 500112998000


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places_module, "LOOK_AGAIN_AFTER", 0)


def town(unit: int = NEW, *, name: str = "新设镇", parent: int = UNIT) -> PlaceUnit:
    period = UnitPeriod(from_=DAY, code=str(unit), name=name, level=UnitLevel.TOWN, parent=parent)
    return PlaceUnit(id=unit, periods=(period,))


def told(unit: PlaceUnit, sequence: int, offset: int = 0) -> Record:
    envelope = {
        "id": str(uuid4()),
        "source": "urn:minzheng:placename",
        "type": f"{TOPIC}.changed.v1",
        "subject": str(unit.id),
        "time": "2025-01-01T00:00:00Z",
        "sequence": sequence,
        "actor": "clerk-1",
        "data": unit.model_dump(mode="json"),
    }
    return record(TOPIC, offset, str(unit.id), json.dumps(envelope).encode())


def consumption(toy: Toy) -> Consumption:
    return Consumption(toy.database, places_consumer("toy"), toy.running.runtime.places.everywhere)


async def take(toy: Toy, *records: Record) -> Consumption:
    one = consumption(toy)
    await one.assigned({TopicPartition(TOPIC, 0)})
    await one.take(TopicPartition(TOPIC, 0), records)
    return one


async def test_before_any_event_the_register_is_that_of_the_contracts(toy: Toy) -> None:
    places = toy.running.runtime.places
    assert await places.everywhere() == {unit.id for unit in place_units()}
    register = await places.register()
    assert register.by_code("500112000000", DAY) == UNIT


async def test_an_event_moves_the_register_of_a_running_service(toy: Toy) -> None:
    places = toy.running.runtime.places
    assert NEW not in await places.everywhere()
    await take(toy, told(town(), 1))
    register = await places.register()
    assert register.name_of(NEW, DAY) == "新设镇"
    await take(toy, told(town(name="改名镇"), 2, offset=1))
    register = await places.register()
    assert register.name_of(NEW, DAY) == "改名镇"


async def test_the_highest_sequence_alone_is_the_truth(toy: Toy) -> None:
    await take(toy, told(town(name="后"), 5), told(town(name="前"), 4, offset=1))
    assert (await toy.running.runtime.places.register()).name_of(NEW, DAY) == "后"
    (row,) = await toy.running.rows("SELECT sequence FROM projection.place_unit")
    assert row["sequence"] == 5


async def test_an_event_that_contradicts_the_register_is_parked(toy: Toy) -> None:
    """Two units with one code on one day."""
    twin = town(NEW + 1000).model_copy(update={"periods": town().periods})
    one = await take(toy, told(town(), 1), told(twin, 1, offset=1))
    (letter,) = await one.parked()
    assert (letter.key, letter.reason) == (str(NEW + 1000), "RegisterError")
    assert (await toy.running.runtime.places.register()).by_code(str(NEW), DAY) == NEW


async def test_who_sees_a_county_sees_a_town_founded_in_it(toy: Toy) -> None:
    places = toy.running.runtime.places
    county = Principal("clerk-1", "渝北区民政局", ("500112000000",))
    foreign = Principal("clerk-2", "北碚区民政局", ("500109000000",))
    assert NEW not in await places.visible(county)
    await take(toy, told(town(), 1))
    assert NEW in await places.visible(county)
    assert NEW not in await places.visible(foreign)


async def test_a_district_keeps_what_was_below_it_when_a_town_moves_away(toy: Toy) -> None:
    places = toy.running.runtime.places
    moved = UnitPeriod(
        from_=date(2025, 2, 1), code=None, name="新设镇", level=UnitLevel.TOWN, parent=FOREIGN
    )
    both = town().model_copy(update={"periods": (*town().periods, moved)})
    await take(toy, told(both, 1))
    for code in ("500112000000", "500109000000"):
        assert NEW in await places.visible(Principal("clerk-1", "", (code,)))


async def test_a_town_sees_neither_its_county_nor_its_neighbours(toy: Toy) -> None:
    seen = await toy.running.runtime.places.visible(Principal("clerk-1", "", (str(TOWN),)))
    assert TOWN in seen
    assert UNIT not in seen
    assert FOREIGN not in seen


async def test_an_unknown_code_opens_nothing(toy: Toy) -> None:
    places = toy.running.runtime.places
    assert await places.visible(Principal("clerk-1", "", ("999999999999",))) == frozenset()
    assert await places.visible(Principal("clerk-1", "", ())) == frozenset()


async def test_looking_while_all_connections_are_taken_holds_nobody_up(toy: Toy) -> None:
    """A request asks for the register with its transaction open: the look may have to wait."""
    database = Database(toy.running.databases.app, RealClock(), source="toy", pool_size=3)
    places = Places(database)
    await places.register()
    begun = asyncio.Barrier(3)

    async def request() -> bool:
        async with database.transaction(actor="clerk-1"):
            await begun.wait()
            return NEW in (await places.register()).ids

    try:
        async with asyncio.timeout(4):  # the pool would give up after five seconds
            assert await asyncio.gather(*(request() for _ in range(3))) == [False] * 3
    finally:
        await database.close()


async def test_many_at_once_look_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places_module, "LOOK_AGAIN_AFTER", 60)
    places = Places(toy.database)
    looks: list[Callable[[], Awaitable[None]]] = []
    look = places._look  # noqa: SLF001 - how often it looks is what it promises

    async def counted() -> None:
        looks.append(look)
        await look()

    monkeypatch.setattr(places, "_look", counted)
    await asyncio.gather(*(places.register() for _ in range(20)))
    assert len(looks) == 1
