"""What holds after every fault: answered writes there once, events in order, figures recounted."""

import asyncio
import contextlib
import time
from collections import defaultdict
from datetime import date
from decimal import Decimal

import asyncpg
import httpx

from chassis.bus import BusError, TopicPartition, open_bus
from chassis.ids import new_id
from contracts.events.envelope import CloudEvent
from contracts.topics import TOPICS
from suite import catalogue
from suite.settled import until_settled
from tests.support import recount
from tests.support.bus_readers import from_the_start
from tests.support.faults import SERVICES, pid_of
from tests.support.load import PATIENCE, Load, Write

DAYS = date(2020, 12, 31), date(2023, 6, 1), date(2025, 12, 31)
PAID_ON, DISTRICT_2026 = date(2026, 9, 1), "500157000000"
BEFORE_LIGHT = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, BusError)
OUTBOX = """SELECT id, topic, key, sequence, published_at IS NULL AS waits
FROM chassis.outbox ORDER BY topic, key, sequence"""
PARKED = """SELECT key, reason FROM projection.dead_letter WHERE replayed_at IS NULL
UNION ALL SELECT key, reason FROM acting.dead_letter WHERE replayed_at IS NULL"""


async def verify(load: Load, *, strangers: set[str] | None = None) -> None:
    """All that is promised, however it went wrong before."""
    house = load.house
    await processes_are_back(load)
    await load.ask_again()
    assert not load.wrong, load.wrong[:5]
    await settled(load)
    for write in load.writes:
        await there_once(load, write)
    await no_application_twice(load)
    await published_once_in_order(load)
    await indicators_recounted(load)
    parked = {}
    for service in catalogue.NAMES:
        for row in await house.rows(service, PARKED):
            parked[row["key"]] = (service, row["reason"])
    assert set(parked) == (strangers or set()), parked


async def processes_are_back(load: Load) -> None:
    house = load.house
    for name in SERVICES:
        await pid_of(house, name)
    deadline = time.monotonic() + PATIENCE
    addresses = {name: url for name, url in house.endpoints.items() if name != "bus"}
    async with httpx.AsyncClient(timeout=10) as http:
        for name, url in addresses.items():
            path = "/metrics" if name.startswith("metrics-") else "/-/ready"
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(url + path)).is_success:
                        break
                assert time.monotonic() < deadline, f"{name} does not come back"
                await asyncio.sleep(0.2)


async def settled(load: Load) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await until_settled(load.house.folder)
        except BEFORE_LIGHT:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.5)
        else:
            return


async def there_once(load: Load, write: Write) -> None:
    """As it was answered, and no second time."""
    answer = write.answer
    assert answer is not None
    documents = "SELECT facility_id AS id FROM facility_fact WHERE document = $1 GROUP BY 1"
    match write.kind:
        case "register":
            found = await load.house.rows(
                "eldercare",
                "SELECT facility_id AS id FROM facility_fact WHERE name = $1",
                write.body["name"],
            )
        case "change":
            found = await load.house.rows("eldercare", documents, write.body["document"])
            facts = await load.house.rows(
                "eldercare",
                "SELECT beds FROM facility_fact WHERE document = $1",
                write.body["document"],
            )
            assert [row["beds"] for row in facts] == [write.body["beds"]["total"]]
        case "apply":
            found = await load.house.rows(
                "relief", "SELECT id FROM case_file WHERE id = $1", answer["id"]
            )
        case _:
            found = await load.house.rows(
                "relief",
                "SELECT case_id AS id FROM award WHERE case_id = $1",
                write.path.split("/")[-2],
            )
            answer = {"id": write.path.split("/")[-2]}
    assert [str(row["id"]) for row in found] == [answer["id"]], write.kind


async def no_application_twice(load: Load) -> None:
    """A family stands in one open file."""
    twice = await load.house.rows(
        "relief",
        "SELECT person FROM person_claim WHERE state = 'open' GROUP BY person HAVING count(*) > 1",
    )
    assert twice == []
    applied = [one for one in load.writes if one.kind == "apply"]
    assert len({(one.answer or {})["id"] for one in applied}) == len(applied)


async def published_once_in_order(load: Load) -> None:
    """Each outbox row is on its topic; per key in its order, once repeats are set aside."""
    expected: dict[tuple[str, str], list[str]] = defaultdict(list)
    for service in catalogue.NAMES:
        numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in await load.house.rows(service, OUTBOX):
            assert not row["waits"]
            key = row["topic"], row["key"]
            expected[key].append(str(row["id"]))
            numbers[key].append(row["sequence"])
        for key, found in numbers.items():
            assert found == list(range(1, len(found) + 1)), key
    seen = await on_the_topics(load)
    for key, ids in expected.items():
        assert seen[key] == ids, key


async def on_the_topics(load: Load) -> dict[tuple[str, str], list[str]]:
    """(topic, key) → ids of its events in the order in which each was first there."""
    bus = open_bus(load.house.endpoints["bus"])
    names = [topic.name for topic in TOPICS]
    ends = await bus.end_offsets(names)
    positions: dict[TopicPartition, int] = defaultdict(int)
    seen: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    async with (
        asyncio.timeout(PATIENCE),
        bus.subscribe(f"look-{new_id().hex}", names, assigned=from_the_start) as reading,
    ):
        while any(positions[partition] < end for partition, end in ends.items()):
            for partition, records in (await reading.fetch(max_records=500, timeout=0.5)).items():
                positions[partition] = records[-1].offset + 1
                for record in records:
                    with contextlib.suppress(ValueError):
                        event = CloudEvent.read(record.value)
                        seen[partition.topic, record.key][str(event.id)] = None
    return {key: list(ids) for key, ids in seen.items()}


async def indicators_recounted(load: Load) -> None:
    house = load.house
    facts = await house.rows("eldercare", recount.FACTS)
    amounts = await house.rows("relief", recount.AMOUNTS)
    figures = await house.rows("indicator", recount.FIGURES)
    for day in DAYS:
        counted = (
            recount.count_facilities(facts, day)
            | recount.count_standards(amounts, day)
            | recount.count_figures(figures, day)
        )
        shown = await asyncio.to_thread(house.indicators, as_of=day.isoformat())
        for no, (numerator, denominator) in counted.items():
            one = shown[no]
            if denominator is None:
                told = (one["value"], None)
            else:
                told = (one["numerator"], one["denominator"])
            decimals = tuple(None if part is None else Decimal(part) for part in told)
            assert decimals == (numerator, denominator), (day, no)
    awards = recount.count_awards(await house.rows("relief", recount.AWARDS), PAID_ON) or {}
    expected = recount.together(awards.values()).shown()
    asked = {"as_of": PAID_ON.isoformat(), "division": DISTRICT_2026}
    items = (await asyncio.to_thread(house.get, "/v1/plan/beside", **asked))["items"]
    shown = {
        one["code"]: {part: Decimal(one[part] or 0) for part in ("value", "urban", "rural")}
        for one in items
    }
    assert shown == expected
