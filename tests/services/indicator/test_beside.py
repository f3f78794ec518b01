"""The award's measures beside the 18, with their lineage: issue 4."""

import dataclasses
from decimal import Decimal

from chassis.ids import new_id
from chassis.rebuild import rebuild
from chassis.work import consumption
from contracts.events.relief import Area, AwardState
from services.indicator.ledger.fingerprint import fingerprint
from services.indicator.ledger.reactions import LEDGER
from services.indicator.ledger.rules import AWARD_TOPIC
from tests.services.indicator.house import (
    DISTRICT_UNIT,
    LONGXING,
    SHUANGLONGHU,
    TONGJING,
    YUFENGSHAN,
    YUFENGSHAN_VILLAGE,
    House,
    award,
    award_period,
    facility,
    period,
    sums,
)
from tests.support.services import DISTRICT, drain

NOTHING = {"value": None, "urban": None, "rural": None}


async def rebuild_is_equal(house: House) -> bool:
    outcome = await rebuild(
        house.running.runtime, house.running.bus, fingerprint=fingerprint, progress=lambda *_: None
    )
    return outcome.equal


async def test_households_persons_and_yuan_a_month_by_urban_and_rural(house: House) -> None:
    await house.tell(
        award(award_period("2025-04-01")),
        award(
            award_period(
                "2025-05-01", SHUANGLONGHU, area=Area.URBAN, persons=1, amount="770", extras="60.5"
            )
        ),
        at="2025-03-20",
    )
    assert await house.beside(as_of="2025-04-01") == {
        "relief_households": {"value": "1", "urban": "0", "rural": "1"},
        "relief_persons": {"value": "3", "urban": "0", "rural": "3"},
        "relief_amount": {"value": "910.00", "urban": "0.00", "rural": "910.00"},
    }
    assert await house.beside(as_of="2025-05-01") == {
        "relief_households": {"value": "2", "urban": "1", "rural": "1"},
        "relief_persons": {"value": "4", "urban": "1", "rural": "3"},
        "relief_amount": {"value": "1740.50", "urban": "830.50", "rural": "910.00"},
    }


async def test_before_the_first_award_nothing_is_known_and_then_a_town_without_any_has_none(
    house: House,
) -> None:
    await house.tell(award(award_period("2025-04-01")), at="2025-03-20")
    before = await house.beside(as_of="2025-03-31")
    assert list(before.values()) == [NOTHING, NOTHING, NOTHING]
    in_longxing = await house.beside(as_of="2025-04-01", division=LONGXING)
    assert in_longxing["relief_households"] == {"value": "0", "urban": "0", "rural": "0"}


async def test_an_award_counts_until_its_grace_has_ended(house: House) -> None:
    await house.tell(
        award(
            award_period("2025-01-01"),
            award_period("2025-06-01", state=AwardState.GRACE),
            award_period("2025-12-01", state=AwardState.STOPPED),
        ),
        at="2025-05-20",
    )
    households = {
        on: (await house.beside(as_of=on))["relief_households"]["value"]
        for on in ("2025-05-31", "2025-06-01", "2025-11-30", "2025-12-01")
    }
    assert list(households.values()) == ["1", "1", "1", "0"]


async def test_a_household_that_moves_is_counted_in_one_town_on_every_day(house: House) -> None:
    id_ = new_id()
    before = award_period("2025-01-01")
    moved = award_period("2025-07-01", LONGXING, area=Area.URBAN)
    await house.tell(award(before, id_=id_), at="2024-12-20")
    await house.tell(award(before, moved, id_=id_), at="2025-06-15")
    for on, in_yufengshan, in_longxing in (("2025-06-30", "1", "0"), ("2025-07-01", "0", "1")):
        at = {"as_of": on}
        there = await house.beside(**at, division=YUFENGSHAN)
        here = await house.beside(**at, division=LONGXING)
        assert there["relief_households"]["value"] == in_yufengshan, on
        assert here["relief_households"]["value"] == in_longxing, on
        assert (await house.beside(**at))["relief_households"]["value"] == "1", on
    known = {"as_of": "2025-07-01", "known_on": "2025-06-14"}
    assert (await house.beside(**known))["relief_households"]["rural"] == "1"


async def test_the_list_tells_what_is_looked_at(house: House) -> None:
    await house.tell(award(award_period("2025-01-01")), at="2024-12-20")
    shown = (await house.get("/v1/plan/beside", {"as_of": "2025-02-01"})).json()
    assert (shown["scope"], shown["division"], shown["as_of"]) == ("YUBEI22", None, "2025-02-01")
    assert shown["items"][0] == {
        "code": "relief_households",
        "name": "低保在保户数",
        "unit": "户",
        "decimals": 0,
        "note": "已发放和渐退期内的家庭，停发的不计",
        "value": "1",
        "urban": "0",
        "rural": "1",
    }
    district = await house.get("/v1/plan/beside", {"division": DISTRICT_UNIT})
    assert district.json()["scope"] == str(DISTRICT_UNIT)


async def test_after_the_plan_they_are_those_of_today_in_the_callers_own_district(
    house: House,
) -> None:
    """The scope ends on 2026-01-24; one of the two towns went to another district (北碚区)."""
    await house.tell(
        award(award_period("2025-01-01")),
        award(award_period("2025-01-01", TONGJING)),
        at="2024-12-20",
    )
    house.running.at("2026-11-24")
    bureau = {"divisions": (DISTRICT, "500157000000")}
    shown = (await house.get("/v1/plan/beside", **bureau)).json()
    assert (shown["as_of"], shown["scope_name"]) == ("2026-11-24", "两江新区")
    assert shown["items"][0]["value"] == "1"
    rows = (await house.get("/v1/plan/beside/matrix", **bureau)).json()["rows"]
    of_towns = {row["name"]: row["cells"]["relief_households"]["value"] for row in rows}
    assert of_towns["玉峰山镇"] == "1"
    assert "统景镇" not in of_towns
    assert len(await house.lineage("relief_households", of="beside", **bureau)) == 1
    at_its_end = (await house.get("/v1/plan/beside", {"as_of": "2025-12-31"}, **bureau)).json()
    assert (at_its_end["scope"], at_its_end["items"][0]["value"]) == ("YUBEI22", "2")


async def test_the_towns_add_up_to_the_district(house: House) -> None:
    await house.tell(
        award(award_period("2025-01-01")),
        award(award_period("2025-01-01", LONGXING, amount="100.25")),
        award(award_period("2025-01-01", SHUANGLONGHU, area=Area.URBAN)),
        at="2024-12-20",
    )
    shown = (await house.get("/v1/plan/beside/matrix", {"as_of": "2025-02-01"})).json()
    assert [one["code"] for one in shown["figures"]] == [
        "relief_households",
        "relief_persons",
        "relief_amount",
    ]
    assert len(shown["rows"]) == 22
    total = await house.beside(as_of="2025-02-01")
    for code, parts in total.items():
        for part, amount in parts.items():
            of_towns = sum(Decimal(row["cells"][code][part]) for row in shown["rows"])
            assert of_towns == Decimal(amount or "nan"), (code, part)
    longxing = next(row for row in shown["rows"] if row["name"] == "龙兴镇")
    assert longxing["cells"]["relief_amount"]["value"] == "200.25"


async def test_the_entries_of_a_figure_add_up_to_it_and_name_nobody(house: House) -> None:
    one, other = (
        award(award_period("2025-01-01")),
        award(
            award_period("2025-01-01", LONGXING),
            award_period("2025-03-01", LONGXING, area=Area.URBAN, amount="900"),
        ),
    )
    events = await house.tell(one, other, at="2024-12-20")
    total = await house.beside(as_of="2025-04-01")
    for code, parts in total.items():
        measure = f"relief.award.{code.removeprefix('relief_')}"
        for part, suffix in (("value", ""), ("urban", ".urban"), ("rural", ".rural")):
            area = {"value": "total"}.get(part, part)
            items = await house.lineage(code, of="beside", as_of="2025-04-01", area=area, limit=1)
            assert sums(items) == {f"{measure}{suffix}": Decimal(parts[part] or "nan")}, code
            assert {item["event_id"] for item in items} <= {str(event.id) for event in events}
            assert {item["key"] for item in items} == {""}
    (first, *_) = await house.lineage("relief_households", of="beside", as_of="2025-04-01")
    assert (first["effective_date"], first["amount"]) == ("2025-01-01", "1")
    assert first["measure_name"] == "低保在保户数"
    assert first["topic"] == AWARD_TOPIC
    assert first["event_type"] == "minzheng.relief.award.changed.v1"


async def test_what_is_not_known_has_no_entries(house: House) -> None:
    id_ = new_id()
    stopped = award_period("2025-01-01", state=AwardState.STOPPED)
    await house.tell(award(award_period("2025-01-01"), id_=id_), at="2024-12-20")
    await house.tell(award(stopped, id_=id_), at="2024-12-21")  # granted by mistake
    assert (await house.beside(as_of="2025-02-01"))["relief_amount"] == NOTHING
    assert await house.lineage("relief_amount", of="beside", as_of="2025-02-01") == []
    known = {"as_of": "2025-02-01", "known_on": "2024-12-20"}
    assert (await house.beside(**known))["relief_amount"]["value"] == "910.00"
    assert len(await house.lineage("relief_amount", of="beside", **known)) == 1


async def test_awards_told_before_the_ledger_subscribed_to_them_count_all_the_same(
    house: House,
) -> None:
    """A topic that a consumer reads from now on is read from its beginning, beside the others."""
    running = house.running
    before = dataclasses.replace(
        LEDGER, topics=tuple(topic for topic in LEDGER.topics if topic != AWARD_TOPIC)
    )
    told = [
        house.event(award(award_period("2025-01-01", unit)), at="2024-12-20")
        for unit in (YUFENGSHAN_VILLAGE, LONGXING, SHUANGLONGHU)
    ]
    opened = house.event(facility(period("2020-01-01")), at="2020-01-02")
    await house.publish(*told, opened)
    await drain(consumption(running.runtime, before), running.bus)
    assert await house.value("eldercare_beds", as_of="2025-02-01") == "40"
    assert (await house.beside(as_of="2025-02-01"))["relief_households"] == NOTHING

    await running.consume()
    assert (await house.beside(as_of="2025-02-01"))["relief_households"]["value"] == "3"
    assert await house.value("eldercare_beds", as_of="2025-02-01") == "40"
    assert await rebuild_is_equal(house)
    assert (await house.beside(as_of="2025-02-01"))["relief_households"]["value"] == "3"
