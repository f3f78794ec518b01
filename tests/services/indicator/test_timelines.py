"""Late facts, known ends, moves: issue 3 "how we know"; architecture.md, the indicator ledger."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, select

from chassis import places
from chassis.consumption import Received
from chassis.ids import new_id
from chassis.rebuild import rebuild
from contracts.events.community import SocialWorker
from contracts.events.eldercare import Facility, FacilityKind, OperatorKind
from contracts.events.indicator import FigureEntry, FigureSeries
from contracts.events.placename import PlaceUnit, UnitPeriod
from contracts.events.relief import Area
from contracts.places import place_units
from contracts.topics import BY_DATA
from services.indicator.ledger.fingerprint import fingerprint
from services.indicator.ledger.models import LedgerEntry
from services.indicator.ledger.reactions import post
from tests.services.indicator.house import (
    COMPREHENSIVE,
    LONGXING,
    SHUANGLONGHU,
    TONGJING,
    YUANYANG,
    YUFENGSHAN,
    YUFENGSHAN_VILLAGE,
    House,
    day,
    facility,
    period,
    standard,
    sums,
    worker,
)

GOVERNMENT = OperatorKind.GOVERNMENT


@pytest.fixture
def units_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of units is seen by the next request, not within two seconds."""
    monkeypatch.setattr(places, "LOOK_AGAIN_AFTER", 0.0)


async def hash_of(house: House) -> str:
    runtime = house.running.runtime
    units = await runtime.places.everywhere()
    async with runtime.database.transaction(actor="test", units=units) as session:
        return await fingerprint(session)


async def beds(house: House, as_of: str, **asked: object) -> tuple[str | None, str | None]:
    """Approved beds of institutions, and those run by the government."""
    board = await house.board(as_of=as_of, **asked)
    share = board["government_bed_share"]
    return share["denominator"], share["numerator"]


async def test_the_late_fact_40_from_february_gives_the_right_figure_on_every_day(
    house: House,
) -> None:
    id_ = new_id()
    thirty = period("2021-01-01", beds=30, operator=GOVERNMENT)
    forty = period("2021-02-01", beds=40, operator=GOVERNMENT)
    fifty = period("2021-03-01", beds=50, operator=GOVERNMENT)
    handed_over = period("2021-03-15", beds=50)
    await house.tell(facility(thirty, id_=id_), at="2021-01-02")
    await house.tell(facility(thirty, fifty, id_=id_), at="2021-03-02")
    await house.tell(facility(thirty, fifty, handed_over, id_=id_), at="2021-03-16")
    await house.tell(facility(thirty, forty, fifty, handed_over, id_=id_), at="2021-04-10")
    house.running.at("2021-04-20")

    assert {
        on: await beds(house, on)
        for on in ("2020-12-31", "2021-01-31", "2021-02-01", "2021-03-01", "2021-03-15")
    } == {
        "2020-12-31": (None, None),
        "2021-01-31": ("30", "30"),
        "2021-02-01": ("40", "40"),
        "2021-03-01": ("50", "50"),
        "2021-03-15": ("50", "0"),
    }
    # As known on the day before it was learnt, and on the day itself.
    assert await beds(house, "2021-02-15", known_on="2021-04-09") == ("30", "30")
    assert await beds(house, "2021-02-15", known_on="2021-04-10") == ("40", "40")
    assert await beds(house, "2021-03-20", known_on="2021-03-15") == ("50", "50")


async def test_a_day_ends_at_midnight_in_shanghai(house: House) -> None:
    await house.send(house.event(facility(period("2021-01-01")), at="2021-01-05T00:00:00"))
    assert await house.value("eldercare_beds", as_of="2021-02-01", known_on="2021-01-04") is None
    assert await house.value("eldercare_beds", as_of="2021-02-01", known_on="2021-01-05") == "40"


async def test_a_facility_that_closes_next_month_counts_until_then(house: House) -> None:
    id_ = new_id()
    opened = period("2020-01-01")
    await house.tell(facility(opened, id_=id_), at="2020-01-01")
    closing = period("2021-06-01", open=False)
    await house.tell(facility(opened, closing, id_=id_), at="2021-05-03")
    assert await house.value("eldercare_beds", as_of="2021-05-31") == "40"
    assert await house.value("eldercare_beds", as_of="2021-06-01") == "0"
    assert await house.value("eldercare_beds", as_of="2021-06-01", known_on="2021-05-02") == "40"


async def test_an_assessment_expires_after_a_year_and_a_later_one_takes_its_place(
    house: House,
) -> None:
    id_ = new_id()
    opened = period("2019-01-01")
    await house.tell(facility(opened, id_=id_, assessed={"2020-05-10": True}), at="2020-05-11")

    async def rate(as_of: str, **asked: object) -> str | None:
        return await house.value("institution_quality_rate", as_of=as_of, **asked)

    assert [await rate(on) for on in ("2020-05-09", "2020-05-10", "2021-05-09", "2021-05-10")] == [
        "0.00",
        "100.00",
        "100.00",
        "0.00",
    ]
    both = {"2020-05-10": True, "2021-03-01": True}
    await house.tell(facility(opened, id_=id_, assessed=both), at="2021-03-02")
    assert [await rate(on) for on in ("2021-05-10", "2022-02-28", "2022-03-01")] == [
        "100.00",
        "100.00",
        "0.00",
    ]
    assert await rate("2021-05-10", known_on="2021-03-01") == "0.00"


async def test_a_person_registered_twice_counts_once(house: House) -> None:
    twice, other = uuid4(), uuid4()
    first, second = new_id(), new_id()
    await house.tell(
        worker(twice, ("2021-01-01", YUFENGSHAN, True), id_=first),
        worker(twice, ("2021-02-01", LONGXING, True), id_=second),
        worker(other, ("2021-01-01", YUFENGSHAN_VILLAGE, True)),
        at="2021-02-02",
    )

    async def workers(as_of: str, unit: int | None = None) -> str | None:
        asked: dict[str, object] = {"as_of": as_of} | ({"division": unit} if unit else {})
        return await house.value("social_workers", **asked)

    assert await workers("2021-02-01") == "2"
    assert await workers("2021-02-01", YUFENGSHAN) == "2"
    assert await workers("2021-02-01", LONGXING) == "1"
    await house.tell(
        worker(
            twice, ("2021-01-01", YUFENGSHAN, True), ("2021-03-01", YUFENGSHAN, False), id_=first
        ),
        at="2021-03-01",
    )
    assert await workers("2021-03-01") == "2"  # still registered in the other town
    assert await workers("2021-03-01", YUFENGSHAN) == "1"
    # Registrations are known everywhere from the first one on: a town without any has none.
    assert await workers("2021-03-01", SHUANGLONGHU) == "0"
    assert await workers("2020-12-31") is None


async def test_a_facility_registered_by_mistake_does_not_turn_unknown_into_none(
    house: House,
) -> None:
    id_ = new_id()
    await house.tell(facility(period("1999-01-01"), id_=id_), at="2021-03-01")
    await house.tell(facility(period("1999-01-01", open=False), id_=id_), at="2021-03-02")
    await house.tell(facility(period("2021-01-01")), at="2021-03-03")
    board = await house.board(as_of="2020-12-31")
    for code in ("eldercare_beds", "comprehensive_coverage", "nursing_bed_share"):
        assert (board[code]["value"], board[code]["numerator"]) == (None, None), code
    assert await house.value("eldercare_beds", as_of="2020-12-31", known_on="2021-03-01") == "40"
    assert await house.value("eldercare_beds", as_of="2021-01-01") == "40"


async def test_reported_social_workers_count_until_there_is_a_register(house: House) -> None:
    house.running.at("2021-01-10")
    await house.report("community.social_workers.reported", "2020-12-31", "2000")
    await house.settle()
    await house.tell(worker(uuid4(), ("2021-06-01", YUFENGSHAN, True)), at="2021-06-01")
    assert await house.value("social_workers", as_of="2021-05-31") == "2000"
    assert await house.value("social_workers", as_of="2021-06-01") == "1"
    assert {
        one["measure"] for one in await house.lineage("social_workers", as_of="2021-06-01")
    } == {"community.social_workers"}


async def test_the_divisions_of_2025_11_leave_the_figures_of_the_plan_period_as_they_are(
    house: House,
) -> None:
    house.running.at("2026-01-20")
    await house.tell(
        # 双龙湖 gets the code 500157007000; 统景 goes to 北碚, its new code is not known.
        facility(period("2020-01-01", SHUANGLONGHU, functions=COMPREHENSIVE)),
        facility(period("2020-01-01", TONGJING, functions=COMPREHENSIVE)),
        facility(period("2020-01-01", YUANYANG)),
        standard(Area.URBAN, {"2020-01-01": "770"}),
        standard(Area.RURAL, {"2020-01-01": "630"}),
        at="2020-01-02",
    )
    await house.report("welfare.lottery.outlets", "2025-12-31", "812")
    await house.settle()
    before = await house.board(as_of="2025-11-05")
    after = await house.board(as_of="2025-12-31")
    for code in ("eldercare_beds", "comprehensive_coverage", "rural_urban_dibao_ratio"):
        assert after[code]["value"] == before[code]["value"] is not None, code
    assert after["eldercare_beds"]["value"] == "80"  # 鸳鸯 is not among the 22
    assert after["comprehensive_coverage"]["numerator"] == "2"
    assert after["lottery_outlets"]["value"] == "812"

    codes = {
        one["unit_name"]: one["unit"]
        for one in await house.lineage("eldercare_beds", as_of="2025-12-31")
    }
    assert codes == {"双龙湖街道": "500157007000", "统景镇": None}
    matrix = (await house.get("/v1/plan/matrix", {"as_of": "2025-12-31"})).json()
    row = next(one for one in matrix["rows"] if one["name"] == "统景镇")
    assert (row["division"], row["cells"]["eldercare_beds"]["value"]) == (None, "40")
    # A town is found by a code that it bore, and by its new one.
    for code in ("500112002000", "500157007000"):
        assert await house.value("eldercare_beds", as_of="2025-12-31", division=code) == "40"


async def test_when_the_scope_has_ended_nothing_can_be_assessed(house: House) -> None:
    await house.tell(facility(period("2020-01-01")), at="2020-01-02")
    assert await house.value("eldercare_beds", as_of="2026-01-24") == "40"
    board = await house.board(as_of="2026-01-25")
    assert {one["value"] for one in board.values()} == {None}
    assert {one["status"] for one in board.values()} == {"not_assessable"}
    assert await house.lineage("dibao_standard_growth", as_of="2026-06-30") == []


@pytest.mark.usefixtures("units_at_once")
async def test_a_village_that_moves_to_another_town_takes_its_beds_along_from_that_day(
    house: House,
) -> None:
    await house.tell(
        facility(
            period("2020-01-01", YUFENGSHAN_VILLAGE, functions=COMPREHENSIVE),
        ),
        at="2020-01-02",
    )
    village = next(one for one in place_units() if one.id == YUFENGSHAN_VILLAGE)
    told = village.periods[0].model_dump()
    moved = PlaceUnit(
        id=village.id,
        periods=(
            village.periods[0],
            UnitPeriod.model_validate(
                told | {"from": day("2022-07-01"), "parent": LONGXING, "code": None}
            ),
        ),
    )
    await house.tell(moved, at="2022-06-20")

    for as_of, in_yufengshan, in_longxing in (("2022-06-30", "40", "0"), ("2022-07-01", "0", "40")):
        at = {"as_of": as_of}
        assert await house.value("eldercare_beds", division=YUFENGSHAN, **at) == in_yufengshan
        assert await house.value("eldercare_beds", division=LONGXING, **at) == in_longxing
        assert await house.value("eldercare_beds", **at) == "40"
        missing = (await house.board(**at))["comprehensive_coverage"]["missing"]
        assert len(missing) == 21


async def test_repeated_stale_and_reordered_events_change_nothing(house: House) -> None:
    id_ = new_id()
    opened, more = period("2020-01-01"), period("2020-06-01", beds=60, beds_in_use=60)
    first = house.event(facility(opened, id_=id_), at="2020-01-02")
    second = house.event(facility(opened, more, id_=id_), at="2020-06-02")
    await house.send(first, second)
    before = await hash_of(house)
    stale = house.event(facility(opened, id_=id_), at="2020-07-01", sequence=1)
    same = house.event(facility(opened, id_=id_), at="2020-07-01", sequence=2)
    await house.send(first, second, first, stale, same)
    assert await hash_of(house) == before
    assert await house.value("eldercare_beds", as_of="2020-12-31") == "60"


async def test_the_highest_sequence_alone_is_the_truth_though_it_comes_first(house: House) -> None:
    id_ = new_id()
    opened, more = period("2020-01-01"), period("2020-06-01", beds=60, beds_in_use=60)
    first = house.event(facility(opened, id_=id_), at="2020-01-02")
    second = house.event(facility(opened, more, id_=id_), at="2020-06-02")
    await house.send(second, first)
    assert await house.value("eldercare_beds", as_of="2020-12-31") == "60"


async def test_each_event_of_a_batch_keeps_what_was_known_between_them(house: House) -> None:
    id_ = new_id()
    events = [
        house.event(
            facility(period("2020-01-01", beds_in_use=number, beds=number), id_=id_),
            at=f"2020-01-{number:02}",
        )
        for number in range(10, 20)
    ]
    await house.send(*events)
    for number in (10, 14, 19):
        known = {"as_of": "2020-12-31", "known_on": f"2020-01-{number}"}
        assert await house.value("eldercare_beds", **known) == str(number)


async def test_recorded_at_never_goes_before_the_subjects_last(house: House) -> None:
    id_ = new_id()
    await house.tell(facility(period("2020-01-01"), id_=id_), at="2020-03-01")
    fifty = period("2020-01-01", beds_in_use=50, beds=50)
    await house.tell(facility(fifty, id_=id_), at="2020-02-01")  # a clock that went back
    assert await house.value("eldercare_beds", as_of="2020-12-31", known_on="2020-02-29") is None
    assert await house.value("eldercare_beds", as_of="2020-12-31", known_on="2020-03-01") == "50"


async def test_subjects_of_two_topics_may_have_the_same_id(house: House) -> None:
    id_ = new_id()
    await house.tell(facility(period("2020-01-01"), id_=id_), at="2020-01-02")
    same = worker(uuid4(), ("2020-01-01", YUFENGSHAN, True), id_=id_)
    await house.send(house.event(same, at="2020-01-03", sequence=1))
    board = await house.board(as_of="2020-12-31")
    assert (board["eldercare_beds"]["value"], board["social_workers"]["value"]) == ("40", "1")


async def test_a_correction_that_takes_everything_back_leaves_its_trace(house: House) -> None:
    id_ = new_id()
    await house.tell(facility(period("2020-01-01"), id_=id_), at="2020-01-02")
    await house.tell(facility(period("2021-01-01", open=False), id_=id_), at="2020-02-01")
    # No facility was ever open, as far as one knows now.
    assert await house.value("eldercare_beds", as_of="2021-01-01") is None
    assert await house.value("eldercare_beds", as_of="2021-01-01", known_on="2020-01-31") == "40"
    await house.tell(facility(period("2020-06-01", YUANYANG)), at="2020-06-01")
    assert await house.value("eldercare_beds", as_of="2020-05-31") is None
    assert await house.value("eldercare_beds", as_of="2021-01-01") == "0"
    items = await house.lineage("eldercare_beds", as_of="2021-01-01")
    assert [one["amount"] for one in items] == ["40", "-40"]
    assert sums(items) == {"eldercare.beds": 0}


FOUNDED = 500112131900
"""A village of 龙兴 that the register of the contracts does not have."""


def founding() -> PlaceUnit:
    return PlaceUnit(
        id=FOUNDED,
        periods=(
            UnitPeriod(
                from_=day("2021-01-01"),
                code=str(FOUNDED),
                name="新立村",
                level="village",
                parent=LONGXING,
            ),
        ),
    )


async def rebuild_is_equal(house: House) -> bool:
    running = house.running
    outcome = await rebuild(
        running.runtime, running.bus, fingerprint=fingerprint, progress=lambda *_: None
    )
    return outcome.equal


@pytest.mark.usefixtures("units_at_once")
class TestAUnitThatIsNotKnownYet:
    """Nothing is ordered across topics: a unit's subjects may come before the unit."""

    async def test_what_is_told_of_it_counts_as_soon_as_it_is_founded(self, house: House) -> None:
        early = facility(period("2021-01-01", unit=FOUNDED))
        await house.tell(early, facility(period("2021-01-01")), at="2021-01-02")
        assert await house.value("eldercare_beds", as_of="2021-01-31") == "40"
        assert await house.value("eldercare_beds", as_of="2021-01-31", division=LONGXING) == "0"

        await house.tell(founding(), at="2021-01-03")
        assert await house.value("eldercare_beds", as_of="2021-01-31") == "80"
        assert await house.value("eldercare_beds", as_of="2021-01-31", division=LONGXING) == "40"
        assert await house.running.rows("SELECT 1 FROM projection.dead_letter") == []

        more = period("2021-02-01", unit=FOUNDED, beds=60, beds_in_use=60)
        later = facility(period("2021-01-01", unit=FOUNDED), more, id_=early.id)
        await house.tell(later, at="2021-02-02")
        assert await house.value("eldercare_beds", as_of="2021-01-31") == "80"
        assert await house.value("eldercare_beds", as_of="2021-02-01") == "100"

        before = await hash_of(house)
        assert await rebuild_is_equal(house)
        assert await hash_of(house) == before
        assert await house.value("eldercare_beds", as_of="2021-02-01") == "100"

    @pytest.mark.parametrize("rebuilt", [False, True])
    async def test_what_was_told_of_it_by_mistake_is_taken_back_before_it_is_founded(
        self, house: House, *, rebuilt: bool
    ) -> None:
        mistaken = facility(period("2021-01-01", unit=FOUNDED))
        await house.tell(mistaken, at="2021-01-02")
        if rebuilt:
            assert await rebuild_is_equal(house)
        # The unit stands nowhere in the timeline any more.
        await house.tell(facility(period("2021-01-01"), id_=mistaken.id), at="2021-01-03")
        await house.tell(founding(), at="2021-01-04")
        assert await house.value("eldercare_beds", as_of="2021-01-31") == "40"
        assert await house.value("eldercare_beds", as_of="2021-01-31", division=LONGXING) == "0"
        assert await rebuild_is_equal(house)

    async def test_the_hash_covers_what_is_told_of_it(self, house: House) -> None:
        await house.tell(facility(period("2021-01-01", unit=FOUNDED)), at="2021-01-02")
        before = await hash_of(house)
        await house.running.rows("UPDATE projection.entry SET amount = amount + 1")
        assert await hash_of(house) != before

    async def test_nobody_else_s_transaction_is_widened(self, house: House) -> None:
        await house.tell(facility(period("2021-01-01", unit=FOUNDED)), at="2021-01-02")
        runtime = house.running.runtime
        units = await runtime.places.everywhere()
        for _ in range(10):  # every connection that the consumer may have had
            async with runtime.database.transaction(actor="test", units=units) as session:
                assert (await session.scalars(select(LedgerEntry))).all() == []


class TestWhatCannotBeApplied:
    async def test_a_figure_of_a_measure_that_events_make_is_parked(self, house: House) -> None:
        series = FigureSeries(
            id=new_id(),
            measure="eldercare.beds",
            unit=YUFENGSHAN,
            figures=(FigureEntry(on=day("2020-12-31"), value=7, document="甲"),),
        )
        await house.send(house.event(series, at="2021-01-02", verb="reported"))
        assert await house.value("eldercare_beds", as_of="2021-01-31") is None
        rows = await house.running.rows("SELECT reason FROM projection.dead_letter")
        assert [row["reason"] for row in rows] == ["UnknownMeasureError"]


@pytest.mark.parametrize("kind", [FacilityKind.TOWN_CENTRE, FacilityKind.INSTITUTION])
async def test_only_institutions_make_15_to_17_and_all_beds_make_14(
    house: House, kind: FacilityKind
) -> None:
    await house.tell(facility(period("2020-01-01", kind=kind)), at="2020-01-02")
    board = await house.board(as_of="2020-12-31")
    assert board["eldercare_beds"]["value"] == "40"
    expected = "40" if kind is FacilityKind.INSTITUTION else "0"
    assert board["nursing_bed_share"]["denominator"] == expected


async def test_batches_at_once_add_up_and_do_not_wait_for_each_other_in_circles(
    house: House,
) -> None:
    """Partitions are taken in parallel by several processes; they post to the same towns."""
    runtime = house.running.runtime
    everywhere = await runtime.places.everywhere()
    towns = (YUFENGSHAN, LONGXING, SHUANGLONGHU, TONGJING)

    async def batch(number: int) -> None:
        order = towns if number % 2 else towns[::-1]
        events = [
            house.event(facility(period(f"20{year}-0{number + 1}-01", town)), at="2024-01-01")
            for town in order
            for year in ((19, 20, 21) if number % 2 else (21, 20, 19))
        ]
        received = [
            Received("minzheng.eldercare.facility", one, Facility.model_validate(one.data))
            for one in events
        ]
        async with runtime.database.transaction(actor="test", units=everywhere) as session:
            await post(session, received)

    await asyncio.gather(*(batch(number) for number in range(6)))
    assert await house.value("eldercare_beds", as_of="2021-12-31") == str(6 * 4 * 3 * 40)
    (differing,) = await house.running.rows(
        """
        SELECT count(*) AS number FROM (
          SELECT measure, key, unit_id, effective AS day, sum(amount) AS amount
          FROM projection.entry WHERE measure NOT LIKE 'minzheng%' GROUP BY 1, 2, 3, 4
        ) told FULL JOIN projection.movement moved USING (measure, key, unit_id, day)
        WHERE told.amount IS DISTINCT FROM moved.amount
        """
    )
    assert differing["number"] == 0


async def test_a_batch_writes_every_table_in_the_order_of_its_key(house: House) -> None:
    """What two batches both write they lock in one order, whatever the order of their events."""
    days = [f"20{year}-0{month}-01" for year in (21, 19, 20) for month in (5, 2, 7)]
    told: list[Facility | SocialWorker] = [
        made
        for first in days
        for made in (
            worker(uuid4(), (first, LONGXING, True), id_=uuid4()),
            facility(period(first, YUFENGSHAN), period("2022-01-01", TONGJING), id_=uuid4()),
        )
    ]
    received = [
        Received(BY_DATA[type(one)].name, house.event(one, at="2024-01-01"), one) for one in told
    ]
    keys_of = {
        "subject_state": "topic, subject",
        "entry": "topic, subject, measure, key, unit_id, effective",
        "year_movement": "measure, year, key, unit_id",
        "movement": "measure, day, key, unit_id",
        "register_mark": "marker, effective, recorded_on",
    }
    # In new tables rows lie as they were written; where others were deleted they need not.
    await house.running.rows("TRUNCATE " + ", ".join(f"projection.{one}" for one in keys_of))
    runtime = house.running.runtime
    everywhere = await runtime.places.everywhere()
    async with runtime.database.transaction(actor="test", units=everywhere) as session:
        await post(session, received)
    for table, key in keys_of.items():
        written = await house.running.rows(f"SELECT {key} FROM projection.{table} ORDER BY ctid")  # noqa: S608 - names of our own
        keys = [tuple(row) for row in written]
        assert len(keys) > 5, table
        assert keys == sorted(keys), table


async def test_the_whole_board_takes_few_queries_however_much_there_is(house: House) -> None:
    asked: list[str] = []

    def count(*execution: object) -> None:
        asked.append(str(execution[2]))

    async def queries() -> int:
        asked.clear()
        event.listen(Engine, "before_cursor_execute", count)
        try:
            await house.board(as_of="2021-12-31")
            await house.get("/v1/plan/matrix", {"as_of": "2021-12-31"})
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        return len([one for one in asked if "place_unit" not in one])

    few = await queries()
    await house.tell(
        *(facility(period("2021-01-01", unit)) for unit in (LONGXING, TONGJING) * 20),
        at="2021-01-02",
    )
    house.running.at("2022-01-05")
    await house.report("welfare.lottery.outlets", "2021-12-31", "500")
    await house.settle()
    # A transaction's settings, the sums, the registers' beginnings, the days of reported figures.
    assert await queries() <= few + 1 <= 8
