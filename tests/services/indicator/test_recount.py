"""Every figure on every day, known on any other: an independent recount, and a rebuild by hash."""

import json
import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.rebuild import rebuild
from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from contracts.events.envelope import CloudEvent
from contracts.events.relief import Area, AwardState
from contracts.model import Contract
from contracts.places import place_units
from services.indicator.ledger.fingerprint import fingerprint
from tests.services.indicator.house import (
    DISTRICT_UNIT,
    YUANYANG,
    House,
    award,
    award_period,
    facility,
    period,
    standard,
    worker,
)
from tests.services.indicator.recount import SCOPE, Count, Recount, Where, as_shown

FIRST, LAST = date(2019, 6, 1), date(2026, 3, 1)
TOWNS = (*SCOPE.units[:5], YUANYANG)
UNITS = [
    unit.id
    for unit in place_units()
    if unit.id in TOWNS or (unit.periods[0].parent in TOWNS and unit.id % 7 == 0)
]


def some_day(chance: random.Random, first: date = FIRST, last: date = LAST) -> date:
    return first + timedelta(days=chance.randrange((last - first).days))


def some_days(chance: random.Random, most: int) -> list[date]:
    return sorted({some_day(chance) for _ in range(chance.randint(1, most))})


def facility_history(chance: random.Random, id_: UUID) -> Contract:
    def one(on: date) -> Any:
        beds = chance.randint(0, 60)
        return period(
            on.isoformat(),
            chance.choice(UNITS),
            kind=chance.choice(list(FacilityKind)),
            operator=chance.choice(list(OperatorKind)),
            open=chance.random() > 0.2,
            beds=beds,
            nursing_beds=chance.randint(0, beds),
            beds_in_use=chance.randint(0, beds),
            functions=tuple(f for f in FacilityFunction if chance.random() > 0.15),
        )

    assessed = {on.isoformat(): chance.random() > 0.3 for on in some_days(chance, 5)}
    return facility(*map(one, some_days(chance, 6)), id_=id_, assessed=assessed)


def worker_history(chance: random.Random, id_: UUID) -> Contract:
    person = UUID(int=chance.randrange(12))
    told = [
        (on.isoformat(), chance.choice(UNITS), chance.random() > 0.3) for on in some_days(chance, 4)
    ]
    return worker(person, *told, id_=id_)


def standard_history(chance: random.Random, area: Area) -> Contract:
    days = some_days(chance, 6)
    return standard(area, {on.isoformat(): str(chance.randint(400, 900)) for on in days})


def award_history(chance: random.Random, id_: UUID) -> Contract:
    def one(on: date) -> Any:
        return award_period(
            on.isoformat(),
            chance.choice(UNITS),
            area=chance.choice([Area.URBAN, Area.RURAL]),
            state=chance.choice(list(AwardState)),
            persons=chance.randint(1, 6),
            amount=Decimal(chance.randint(100, 90_000)) / 100,
            extras=Decimal(60 * chance.randint(0, 3)),
        )

    return award(*map(one, some_days(chance, 5)), id_=id_)


def history(house: House, chance: random.Random) -> list[CloudEvent]:
    """Every subject told several times, each time with another past."""
    made = []
    for number in range(40):
        subject = UUID(int=chance.getrandbits(128), version=4)
        tell = facility_history if number < 25 else worker_history
        made += [(day, tell(chance, subject)) for day in some_days(chance, 4)]
    for _ in range(25):
        subject = UUID(int=chance.getrandbits(128), version=4)
        made += [(day, award_history(chance, subject)) for day in some_days(chance, 4)]
    for area in (Area.URBAN, Area.RURAL):
        first = standard_history(chance, area)
        for day in some_days(chance, 4):
            again = standard_history(chance, area)
            made.append((day, again.model_copy(update={"id": first.id})))  # type: ignore[attr-defined]
    made.sort(key=lambda told: told[0])
    return [house.event(data, at=day.isoformat()) for day, data in made]


async def report_at_random(house: House, chance: random.Random) -> None:
    """Figures for some towns and the district, some of them corrected later."""
    measures = (
        ("community.donations", [DISTRICT_UNIT]),
        ("community.households", TOWNS),
        ("community.facility.area", TOWNS),
        ("welfare.protection.stations", TOWNS),
        ("community.social_workers.reported", [DISTRICT_UNIT]),
    )
    told: dict[tuple[str, int, date], dict[str, Any]] = {}
    for now in sorted(some_day(chance, date(2020, 1, 1)) for _ in range(60)):
        house.running.at(now.isoformat())
        measure, units = chance.choice(measures)
        place = (measure, chance.choice(units), some_day(chance, FIRST, now))
        value = str(
            chance.randint(0, 3) if measure.endswith("stations") else chance.randint(0, 900)
        )
        if place not in told:
            told[place] = await house.report(
                measure, place[2].isoformat(), value, division=str(place[1])
            )
    for place, figure in list(told.items())[::3]:
        shown = await house.get(f"/v1/plan/figures/{figure['id']}")
        answer = await house.post(
            f"/v1/plan/figures/{figure['id']}/correction",
            {"value": str(chance.randint(0, 5)), "document": "乙", "reason": "更正"},
            "plan:report",
            headers={"If-Match": shown.headers["etag"]},
        )
        assert answer.status_code == 201, (place, answer.text)
    await house.settle()
    rows = await house.running.rows("SELECT body FROM chassis.outbox ORDER BY seq")
    house.published += [CloudEvent.model_validate(json.loads(row["body"])) for row in rows]


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def compare(shown: dict[str, Any], counted: dict[str, tuple[Count, Count]], said: str) -> None:
    for code, (part, whole) in counted.items():
        one = shown[code]
        ratio = code in {
            "rural_urban_dibao_ratio",
            "nursing_bed_share",
            "government_bed_share",
            "institution_quality_rate",
            "comprehensive_coverage",
            "community_facility_area",
            "child_protection_coverage",
        }
        if not ratio:
            assert amount(one["value"]) == as_shown(part), (said, code)
            continue
        assert amount(one["numerator"]) == as_shown(part), (said, code)
        assert amount(one["denominator"]) == as_shown(whole), (said, code)
        if part is None or not whole:
            assert one["value"] is None, (said, code)
        else:
            value = as_shown(100 * part / whole)
            assert value is not None
            assert abs(Decimal(one["value"]) - value) <= Decimal("0.005"), (said, code)


async def compare_beside(house: House, recount: Recount, asked: dict[str, Any]) -> None:
    shown = await house.beside(**asked)
    where = Where(asked.get("division"))
    for part, area in (("value", ""), ("urban", "urban"), ("rural", "rural")):
        counted = recount.awards(asked["as_of"], where, area)
        assert {code: amount(one[part]) for code, one in shown.items()} == {
            code: as_shown(count) for code, count in counted.items()
        }, (asked, part)


async def test_a_recount_from_what_was_published_equals_every_figure(house: House) -> None:
    chance = random.Random(500112)  # noqa: S311 - the same histories on every run
    events = history(house, chance)
    await house.send(*events)
    await report_at_random(house, chance)
    house.running.at("2026-03-01")
    for _ in range(25):
        day = some_day(chance)
        known_on = chance.choice([None, some_day(chance)])
        recount = Recount(house.published, known_on)
        asked: dict[str, object] = {"as_of": day}
        if known_on is not None:
            asked["known_on"] = known_on
        said = f"{day} as known on {known_on}"
        compare(await house.board(**asked), recount.board(day, Where(None)), said)
        town = chance.choice(TOWNS)
        in_town = await house.board(**asked, division=town)
        compare(in_town, recount.board(day, Where(town)), f"{said} in {town}")
        await compare_beside(house, recount, asked)
        await compare_beside(house, recount, asked | {"division": town})
    assert len(house.published) > 150

    await rebuilt_and_recounted(house, events)


async def rebuilt_and_recounted(house: House, events: Sequence[CloudEvent]) -> None:
    """The same topics read anew, everything in other batches, give the same hash and figures."""
    day = date(2025, 6, 30)
    before = await house.board(as_of=day), await house.beside(as_of=day)
    outcome = await rebuild(
        house.running.runtime,
        house.running.bus,
        fingerprint=fingerprint,
        progress=lambda *_: None,
    )
    assert outcome.records == len(house.published)
    assert outcome.equal
    assert (await house.board(as_of=day), await house.beside(as_of=day)) == before
    # It goes on from there.
    again = Recount(house.published, None).latest[events[0].subject]
    state = again.model_copy(update={"sequence": again.sequence + 1, "id": UUID(int=1)})
    await house.send(state)
    compare(
        await house.board(as_of=day),
        Recount(house.published, None).board(day, Where(None)),
        "after",
    )


async def test_the_fingerprint_tells_a_ledger_that_was_tampered_with(house: House) -> None:
    await house.tell(facility(period("2020-01-01")), at="2020-01-02")
    runtime = house.running.runtime
    everywhere = await runtime.places.everywhere()

    async def now() -> str:
        async with runtime.database.transaction(actor="test", units=everywhere) as session:
            return await fingerprint(session)

    seen = {await now()}
    for change in (
        "UPDATE projection.entry SET amount = amount + 1 WHERE measure = 'eldercare.beds'",
        "UPDATE projection.movement SET amount = amount + 1 WHERE measure = 'eldercare.beds'",
        "UPDATE projection.register_mark SET amount = amount + 1",
        "DELETE FROM projection.entry WHERE measure = 'eldercare.institution.beds'",
    ):
        await house.running.rows(change)
        seen.add(await now())
    assert len(seen) == 5
