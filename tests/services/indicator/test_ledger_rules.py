from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.community import SocialWorker, SocialWorkerPeriod
from contracts.events.eldercare import (
    Facility,
    FacilityAssessment,
    FacilityFunction,
    FacilityKind,
    FacilityPeriod,
    OperatorKind,
)
from contracts.events.indicator import FigureEntry, FigureSeries
from contracts.events.relief import (
    Area,
    Award,
    AwardPeriod,
    AwardState,
    Programme,
    Standard,
    StandardCode,
    StandardPeriod,
)
from services.indicator.ledger.rules import (
    Balance,
    ComprehensiveFunctions,
    Entry,
    Ground,
    InstitutionKinds,
    Measure,
    Parameters,
    Slot,
    Subject,
    UnknownMeasureError,
    counted_since,
    difference,
    entries,
    figure,
    marked_since,
    present_keys,
    year_earlier,
    year_later,
)
from services.indicator.plans.loader import load_plan

DISTRICT = 500112000000
TOWN_A = 500112129000
TOWN_B = 500112131000
VILLAGE_A = 500112129201
PARENTS = {VILLAGE_A: TOWN_A, TOWN_A: TOWN_A, TOWN_B: TOWN_B}
ID = UUID("00000000-0000-4000-8000-000000000001")

PARAMETERS = load_plan().parameters
COMPREHENSIVE = (
    FacilityFunction.FULL_CARE,
    FacilityFunction.DAY_CARE,
    FacilityFunction.HOME_SERVICE,
    FacilityFunction.GUIDANCE,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def scope() -> Ground:
    return Ground(
        home=DISTRICT,
        covers=lambda unit: unit == DISTRICT or unit in PARENTS,
        town_of=PARENTS.get,
    )


def town(unit: int) -> Ground:
    return Ground(home=unit, covers=lambda u: PARENTS.get(u) == unit, town_of=PARENTS.get)


def period(first: str, **changes: object) -> FacilityPeriod:
    values: dict[str, object] = {
        "from_": day(first),
        "unit": TOWN_A,
        "kind": FacilityKind.INSTITUTION,
        "operator": OperatorKind.GOVERNMENT,
        "open": True,
        "beds": 50,
        "nursing_beds": 20,
        "beds_in_use": 40,
    }
    return FacilityPeriod.model_validate(values | changes)


def facility(*periods: FacilityPeriod, assessed: Mapping[str, bool] | None = None) -> Facility:
    return Facility(
        id=ID,
        periods=periods,
        assessments=tuple(
            FacilityAssessment(assessed_on=day(on), passed=passed)
            for on, passed in (assessed or {}).items()
        ),
    )


def series(measure: str, figures: Mapping[str, str], unit: int = DISTRICT) -> FigureSeries:
    return FigureSeries(
        id=ID,
        measure=measure,
        unit=unit,
        figures=tuple(
            FigureEntry(on=day(on), value=Decimal(value), document="渝北民政〔2021〕1号")
            for on, value in figures.items()
        ),
    )


def worker(person: UUID, *periods: tuple[str, int, bool]) -> SocialWorker:
    return SocialWorker(
        id=uuid4(),
        person=person,
        periods=tuple(
            SocialWorkerPeriod(from_=day(first), unit=unit, registered=registered)
            for first, unit, registered in periods
        ),
    )


def balances(posted: Iterable[Entry], measure: str, since: date, until: date) -> list[Balance]:
    sums: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for entry in posted:
        if entry.measure == measure and since <= entry.effective <= until:
            sums[entry.key, entry.unit] += entry.amount
    return [Balance(key, unit, amount) for (key, unit), amount in sums.items()]


def value(
    posted: Iterable[Entry], code: str, on: str, ground: Ground | None = None
) -> Decimal | None:
    measure = PARAMETERS.measures[code]
    return value_of(list(posted), measure, day(on), ground or scope())


def value_of(posted: list[Entry], measure: Measure, on: date, ground: Ground) -> Decimal | None:
    return figure(
        measure,
        on,
        balances(posted, measure.code, counted_since(measure, on), on),
        balances(posted, measure.marker, marked_since(measure, on), on),
        ground,
    )


def append(ledger: list[Entry], subject: Subject) -> None:
    standing: defaultdict[Slot, Decimal] = defaultdict(Decimal)
    for entry in ledger:
        standing[entry.measure, entry.key, entry.unit, entry.effective] += entry.amount
    ledger.extend(difference(standing, entries(subject, PARAMETERS)))


class TestFacility:
    def test_only_open_facilities_count_and_a_known_closing_is_posted_at_once(self) -> None:
        posted = entries(
            facility(period("2020-01-01"), period("2026-12-01", open=False)), PARAMETERS
        )
        assert value(posted, "eldercare.beds", "2026-11-30") == 40
        assert value(posted, "eldercare.beds", "2026-12-01") == 0
        assert value(posted, "eldercare.institution.count", "2026-12-01") == 0

    def test_late_40_from_february_corrects_every_later_day(self) -> None:
        private = OperatorKind.PUBLIC_BUILT_PRIVATE_RUN
        ledger: list[Entry] = []
        thirty = period("2021-01-01", beds=30)
        fifty = period("2021-03-01", beds=50)
        handed_over = period("2021-03-15", beds=50, operator=private)
        append(ledger, facility(thirty))
        append(ledger, facility(thirty, fifty))
        append(ledger, facility(thirty, fifty, handed_over))
        known_before = list(ledger)
        append(ledger, facility(thirty, period("2021-02-01", beds=40), fifty, handed_over))

        expected = {
            "2020-12-31": (None, None),
            "2021-01-31": (30, 30),
            "2021-02-01": (40, 40),
            "2021-02-28": (40, 40),
            "2021-03-01": (50, 50),
            "2021-03-14": (50, 50),
            "2021-03-15": (50, 0),
        }
        for on, (beds, by_government) in expected.items():
            assert value(ledger, "eldercare.institution.beds", on) == beds, on
            assert value(ledger, "eldercare.institution.government_beds", on) == by_government, on
        assert value(known_before, "eldercare.institution.beds", "2021-02-28") == 30
        assert len(ledger) - len(known_before) == 4  # two days, two measures: only the difference

    def test_beds_in_use_make_14_and_approved_beds_make_15_to_17(self) -> None:
        posted = entries(facility(period("2020-01-01")), PARAMETERS)
        assert value(posted, "eldercare.beds", "2020-12-31") == 40
        assert value(posted, "eldercare.institution.beds", "2020-12-31") == 50
        assert value(posted, "eldercare.institution.nursing_beds", "2020-12-31") == 20

    @pytest.mark.parametrize("kind", FacilityKind)
    def test_which_kinds_are_institutions_is_the_dated_table(self, kind: FacilityKind) -> None:
        institutions = {"institution", "rural_home", "intensive_care_centre", "complex"}
        posted = entries(facility(period("2020-01-01", kind=kind)), PARAMETERS)
        assert value(posted, "eldercare.institution.count", "2020-12-31") == (kind in institutions)
        assert value(posted, "eldercare.beds", "2020-12-31") == 40

    def test_entries_change_at_the_date_of_the_tables(self) -> None:
        parameters = Parameters(
            (
                InstitutionKinds(day("2000-01-01"), frozenset({FacilityKind.INSTITUTION})),
                InstitutionKinds(day("2022-07-01"), frozenset({FacilityKind.RURAL_HOME})),
            ),
            (
                ComprehensiveFunctions(day("2000-01-01"), frozenset(COMPREHENSIVE)),
                ComprehensiveFunctions(day("2023-01-01"), frozenset({FacilityFunction.MEALS})),
            ),
            PARAMETERS.measures,
        )
        posted = entries(facility(period("2020-01-01", functions=COMPREHENSIVE)), parameters)
        assert value(posted, "eldercare.institution.beds", "2022-06-30") == 50
        assert value(posted, "eldercare.institution.beds", "2022-07-01") == 0
        assert value(posted, "eldercare.comprehensive", "2022-12-31") == 1
        assert value(posted, "eldercare.comprehensive", "2023-01-01") == 0

    def test_assessment_counts_until_a_year_later_or_the_next(self) -> None:
        posted = entries(
            facility(
                period("2019-01-01"),
                assessed={"2020-06-01": True, "2021-03-01": False, "2022-01-01": True},
            ),
            PARAMETERS,
        )
        passed = "eldercare.institution.passed"
        assert value(posted, passed, "2020-05-31") == 0
        assert value(posted, passed, "2020-06-01") == 1
        assert value(posted, passed, "2021-02-28") == 1
        assert value(posted, passed, "2021-03-01") == 0
        assert value(posted, passed, "2021-06-01") == 0
        assert value(posted, passed, "2022-12-31") == 1
        assert value(posted, passed, "2023-01-01") == 0

    def test_assessments_in_a_row_leave_no_fall_between_them(self) -> None:
        posted = entries(
            facility(period("2019-01-01"), assessed={"2020-06-01": True, "2021-06-01": True}),
            PARAMETERS,
        )
        assert [e.effective for e in posted if e.measure == "eldercare.institution.passed"] == [
            day("2020-06-01"),
            day("2022-06-01"),
        ]

    def test_assessment_counts_only_while_open_and_an_institution(self) -> None:
        passed = "eldercare.institution.passed"
        posted = entries(
            facility(
                period("2020-01-01"),
                period("2020-09-01", open=False),
                period("2020-11-01", kind=FacilityKind.TOWN_CENTRE),
                assessed={"2020-06-01": True},
            ),
            PARAMETERS,
        )
        assert value(posted, passed, "2020-08-31") == 1
        assert value(posted, passed, "2020-09-01") == 0
        assert value(posted, passed, "2020-11-01") == 0

    def test_assessment_of_a_year_counts_on_its_31_december_wherever_it_lies(self) -> None:
        for month in range(1, 13):
            on = date(2021, month, 1).isoformat()
            posted = entries(facility(period("2020-01-01"), assessed={on: True}), PARAMETERS)
            assert value(posted, "eldercare.institution.passed", "2020-12-31") == 0
            assert value(posted, "eldercare.institution.passed", "2021-12-31") == 1
            assert value(posted, "eldercare.institution.passed", "2022-12-31") == 0

    def test_towns_are_counted_once_and_by_the_tree_of_the_day(self) -> None:
        posted = [
            *entries(
                facility(period("2020-01-01", unit=VILLAGE_A, functions=COMPREHENSIVE)), PARAMETERS
            ),
            *entries(facility(period("2020-01-01", functions=COMPREHENSIVE)), PARAMETERS),
        ]
        measure = PARAMETERS.measures["eldercare.comprehensive"]
        sums = balances(posted, measure.code, date.min, day("2020-12-31"))
        assert present_keys(measure, sums, scope()) == {TOWN_A}
        moved = Ground(
            DISTRICT, scope().covers, lambda u: TOWN_B if u == VILLAGE_A else PARENTS.get(u)
        )
        assert present_keys(measure, sums, moved) == {TOWN_A, TOWN_B}
        assert value(posted, measure.code, "2020-12-31", town(TOWN_A)) == 1
        assert value(posted, measure.code, "2020-12-31", town(TOWN_B)) == 0

    def test_a_facility_without_all_functions_is_not_comprehensive(self) -> None:
        posted = entries(facility(period("2020-01-01", functions=COMPREHENSIVE[:3])), PARAMETERS)
        assert value(posted, "eldercare.comprehensive", "2020-12-31") == 0

    def test_a_facility_that_moves_takes_its_beds_along(self) -> None:
        posted = entries(
            facility(period("2020-01-01"), period("2021-01-01", unit=TOWN_B)), PARAMETERS
        )
        assert value(posted, "eldercare.beds", "2020-12-31", town(TOWN_A)) == 40
        assert value(posted, "eldercare.beds", "2021-01-01", town(TOWN_A)) == 0
        assert value(posted, "eldercare.beds", "2021-01-01", town(TOWN_B)) == 40
        assert value(posted, "eldercare.beds", "2021-01-01") == 40

    def test_not_known_before_the_first_facility_anywhere_then_zero(self) -> None:
        posted = entries(facility(period("2020-01-01")), PARAMETERS)
        assert value(posted, "eldercare.beds", "2019-12-31") is None
        assert value(posted, "eldercare.beds", "2020-01-01", town(TOWN_B)) == 0

    def test_a_facility_that_never_opened_makes_nothing_known(self) -> None:
        mistaken = facility(
            period("1999-01-01", open=False, functions=COMPREHENSIVE),
            period("2000-01-01", open=False),
            assessed={"1999-06-01": True},
        )
        assert entries(mistaken, PARAMETERS) == ()

    def test_a_registration_taken_back_takes_back_what_it_made_known(self) -> None:
        ledger: list[Entry] = []
        append(ledger, facility(period("1999-01-01")))
        assert value(ledger, "eldercare.beds", "1999-01-01", town(TOWN_B)) == 0
        append(ledger, facility(period("1999-01-01", open=False)))
        assert value(ledger, "eldercare.beds", "1999-01-01", town(TOWN_B)) is None

    def test_known_from_the_first_open_period_and_after_the_last(self) -> None:
        posted = entries(
            facility(
                period("1999-01-01", open=False),
                period("2020-03-01"),
                period("2021-01-01", open=False),
            ),
            PARAMETERS,
        )
        for measure in ("eldercare.beds", "eldercare.institution.count", "eldercare.comprehensive"):
            assert value(posted, measure, "2020-02-29") is None, measure
            assert value(posted, measure, "2020-03-01", town(TOWN_B)) == 0, measure
            assert value(posted, measure, "2021-01-01") == 0, measure


class TestStandard:
    def standard(self, unit: int = DISTRICT, code: StandardCode = StandardCode.DIBAO) -> Standard:
        return Standard(
            id=ID,
            unit=unit,
            code=code,
            area=Area.URBAN,
            periods=(
                StandardPeriod(from_=day("2020-01-01"), amount=Decimal(620), document="甲"),
                StandardPeriod(from_=day("2021-09-01"), amount=Decimal(636), document="乙"),
            ),
        )

    def test_the_one_in_force_counts(self) -> None:
        posted = entries(self.standard(), PARAMETERS)
        measure = "relief.standard.dibao.urban"
        assert value(posted, measure, "2019-12-31") is None
        assert value(posted, measure, "2021-08-31") == 620
        assert value(posted, measure, "2021-09-01") == 636

    def test_a_level_is_never_summed_over_units(self) -> None:
        posted = [
            *entries(self.standard(), PARAMETERS),
            *entries(self.standard(unit=TOWN_A), PARAMETERS),
        ]
        assert value(posted, "relief.standard.dibao.urban", "2021-12-31") == 636
        assert value(posted, "relief.standard.dibao.urban", "2021-12-31", town(TOWN_B)) is None

    def test_a_standard_that_no_measure_speaks_of_posts_nothing(self) -> None:
        assert entries(self.standard(code=StandardCode.TEKUN_CARE_FULL), PARAMETERS) == ()

    def test_withdrawn_periods_leave_nothing_known(self) -> None:
        ledger: list[Entry] = []
        append(ledger, self.standard())
        append(ledger, self.standard().model_copy(update={"periods": ()}))
        assert value(ledger, "relief.standard.dibao.urban", "2021-12-31") is None


def award_period(first: str, **changes: object) -> AwardPeriod:
    values: dict[str, object] = {
        "from_": day(first),
        "unit": VILLAGE_A,
        "area": Area.RURAL,
        "state": AwardState.PAID,
        "persons": 3,
        "amount": Decimal("810.50"),
        "extras": Decimal(100),
    }
    return AwardPeriod.model_validate(values | changes)


def award(*periods: AwardPeriod) -> Award:
    return Award(id=ID, programme=Programme.DIBAO, case=ID, periods=periods)


class TestAward:
    def awarded(
        self, posted: Iterable[Entry], on: str, ground: Ground | None = None, area: str = ""
    ) -> tuple[Decimal | None, ...]:
        return tuple(
            value(posted, f"relief.award.{one}{area}", on, ground)
            for one in ("households", "persons", "amount")
        )

    def test_a_household_its_persons_and_base_with_extras_count_from_the_period_s_day(self) -> None:
        posted = entries(award(award_period("2025-04-01")), PARAMETERS)
        assert self.awarded(posted, "2025-03-31") == (None, None, None)
        assert self.awarded(posted, "2025-04-01") == (1, 3, Decimal("910.50"))
        assert self.awarded(posted, "2025-04-01", town(TOWN_B)) == (0, 0, 0)

    def test_in_its_grace_it_counts_and_stopped_it_does_not(self) -> None:
        posted = entries(
            award(
                award_period("2025-04-01"),
                award_period("2026-03-01", state=AwardState.GRACE),
                award_period("2026-09-01", state=AwardState.STOPPED),
            ),
            PARAMETERS,
        )
        assert self.awarded(posted, "2026-08-31") == (1, 3, Decimal("910.50"))
        assert self.awarded(posted, "2026-09-01") == (0, 0, 0)

    def test_urban_and_rural_are_told_apart_and_one_may_become_the_other(self) -> None:
        posted = entries(
            award(award_period("2025-04-01"), award_period("2025-09-01", area=Area.URBAN)),
            PARAMETERS,
        )
        whole = (1, 3, Decimal("910.50"))
        assert self.awarded(posted, "2025-08-31", area=".rural") == whole
        assert self.awarded(posted, "2025-08-31", area=".urban") == (0, 0, 0)
        assert self.awarded(posted, "2025-09-01", area=".rural") == (0, 0, 0)
        assert self.awarded(posted, "2025-09-01", area=".urban") == whole
        assert self.awarded(posted, "2025-09-01") == whole

    def test_an_award_of_no_area_is_in_the_total_alone(self) -> None:
        posted = entries(award(award_period("2025-04-01", area=Area.ALL)), PARAMETERS)
        assert self.awarded(posted, "2025-04-01") == (1, 3, Decimal("910.50"))
        assert self.awarded(posted, "2025-04-01", area=".urban") == (0, 0, 0)
        assert self.awarded(posted, "2025-04-01", area=".rural") == (0, 0, 0)

    def test_a_household_that_moves_town_is_one_less_there_and_one_more_here_on_that_day(
        self,
    ) -> None:
        posted = entries(
            award(award_period("2025-04-01"), award_period("2026-01-01", unit=TOWN_B)), PARAMETERS
        )
        moved = {
            (entry.unit, entry.amount)
            for entry in posted
            if entry.measure == "relief.award.households" and entry.effective == day("2026-01-01")
        }
        assert moved == {(VILLAGE_A, -1), (TOWN_B, 1)}
        assert self.awarded(posted, "2025-12-31", town(TOWN_A))[0] == 1
        assert self.awarded(posted, "2026-01-01", town(TOWN_A))[0] == 0
        assert self.awarded(posted, "2026-01-01", town(TOWN_B))[0] == 1
        assert self.awarded(posted, "2026-01-01")[0] == 1

    def test_only_the_amount_that_changed_is_posted(self) -> None:
        ledger: list[Entry] = []
        append(ledger, award(award_period("2025-04-01")))
        before = len(ledger)
        raised = award_period("2025-09-01", amount=Decimal(930))
        append(ledger, award(award_period("2025-04-01"), raised))
        assert {(one.measure, one.amount) for one in ledger[before:]} == {
            ("relief.award.amount", Decimal("119.50")),
            ("relief.award.amount.rural", Decimal("119.50")),
        }

    def test_an_award_that_never_ran_makes_nothing_known(self) -> None:
        stopped = award_period("2025-04-01", state=AwardState.STOPPED)
        assert entries(award(stopped), PARAMETERS) == ()


class TestFigures:
    def test_a_stock_is_not_known_before_its_first_figure(self) -> None:
        posted = entries(
            series("welfare.lottery.outlets", {"2020-12-31": "411", "2021-12-31": "0"}), PARAMETERS
        )
        assert value(posted, "welfare.lottery.outlets", "2020-12-30") is None
        assert value(posted, "welfare.lottery.outlets", "2021-06-30") == 411
        assert value(posted, "welfare.lottery.outlets", "2021-12-31") == 0

    def test_a_flow_is_cumulative_and_not_known_before_the_first_figure_of_its_year(self) -> None:
        measure = "community.donations"
        posted = entries(
            series(
                measure,
                {
                    "2020-06-30": "700",
                    "2020-12-31": "1300",
                    "2021-03-31": "0",
                    "2021-12-31": "1400.5",
                },
            ),
            PARAMETERS,
        )
        assert value(posted, measure, "2020-06-29") is None
        assert value(posted, measure, "2020-06-30") == 700
        assert value(posted, measure, "2020-12-31") == 1300
        assert value(posted, measure, "2021-01-01") is None
        assert value(posted, measure, "2021-03-31") == 0
        assert value(posted, measure, "2021-12-31") == Decimal("1400.5")
        assert value(posted, measure, "2022-01-01") is None

    def test_a_yearly_level_holds_in_its_own_year_only(self) -> None:
        measure = "statistics.consumption.urban_growth"
        posted = entries(series(measure, {"2020-12-31": "-1.5", "2022-12-31": "3"}), PARAMETERS)
        assert value(posted, measure, "2020-12-31") == Decimal("-1.5")
        assert value(posted, measure, "2021-01-01") is None
        assert value(posted, measure, "2022-12-31") == 3
        assert value(posted, measure, "2023-01-01") is None

    def test_a_scope_sums_towns_and_district_and_a_town_without_a_figure_is_not_known(self) -> None:
        measure = "community.households"
        posted = [
            *entries(series(measure, {"2020-12-31": "1000"}, unit=TOWN_A), PARAMETERS),
            *entries(series(measure, {"2020-12-31": "300"}), PARAMETERS),
        ]
        assert value(posted, measure, "2020-12-31") == 1300
        assert value(posted, measure, "2020-12-31", town(TOWN_A)) == 1000
        assert value(posted, measure, "2020-12-31", town(TOWN_B)) is None

    def test_a_town_with_two_stations_is_one_town_and_zero_is_a_known_absence(self) -> None:
        measure = "welfare.protection.stations"
        posted = [
            *entries(series(measure, {"2021-12-31": "2"}, unit=TOWN_A), PARAMETERS),
            *entries(series(measure, {"2021-12-31": "0"}, unit=TOWN_B), PARAMETERS),
        ]
        assert value(posted, measure, "2021-12-30") is None
        assert value(posted, measure, "2021-12-31") == 1
        assert value(posted, measure, "2021-12-31", town(TOWN_B)) == 0

    def test_a_withdrawn_figure_leaves_nothing_known(self) -> None:
        ledger: list[Entry] = []
        append(ledger, series("welfare.lottery.outlets", {"2020-12-31": "411"}))
        append(ledger, series("welfare.lottery.outlets", {}))
        assert value(ledger, "welfare.lottery.outlets", "2021-12-31") is None

    @pytest.mark.parametrize("measure", ["eldercare.beds", "no.such_measure"])
    def test_what_is_not_declared_as_reported_is_refused(self, measure: str) -> None:
        with pytest.raises(UnknownMeasureError, match=measure):
            entries(series(measure, {"2020-12-31": "1"}), PARAMETERS)


class TestSocialWorkers:
    def test_one_person_in_two_registrations_counts_once_until_the_last_ends(self) -> None:
        person = uuid4()
        posted = [
            *entries(
                worker(person, ("2020-01-01", TOWN_A, True), ("2022-01-01", TOWN_A, False)),
                PARAMETERS,
            ),
            *entries(
                worker(person, ("2021-01-01", TOWN_B, True), ("2023-01-01", TOWN_B, False)),
                PARAMETERS,
            ),
            *entries(worker(uuid4(), ("2021-01-01", TOWN_B, True)), PARAMETERS),
        ]
        expected = {"2020-12-31": 1, "2021-06-30": 2, "2022-06-30": 2, "2023-01-01": 1}
        for on, count in expected.items():
            assert value(posted, "community.social_workers", on) == count, on
        assert value(posted, "community.social_workers", "2021-06-30", town(TOWN_A)) == 1
        assert value(posted, "community.social_workers", "2021-06-30", town(TOWN_B)) == 2
        assert value(posted, "community.social_workers", "2019-12-31") is None

    def test_a_registration_never_in_force_makes_nothing_known(self) -> None:
        assert entries(worker(uuid4(), ("1999-01-01", TOWN_A, False)), PARAMETERS) == ()

    def test_known_from_the_first_registration_in_force(self) -> None:
        posted = entries(
            worker(
                uuid4(),
                ("1999-01-01", TOWN_A, False),
                ("2020-03-01", TOWN_A, True),
                ("2021-01-01", TOWN_A, False),
            ),
            PARAMETERS,
        )
        for measure in ("community.social_workers", "community.social_workers.certified"):
            assert value(posted, measure, "2020-02-29") is None, measure
            assert value(posted, measure, "2020-03-01", town(TOWN_B)) == 0, measure
            assert value(posted, measure, "2021-01-01") == 0, measure

    def test_certified_ones_are_counted_apart(self) -> None:
        registered = SocialWorkerPeriod(
            from_=day("2020-01-01"), unit=TOWN_A, registered=True, certified=False
        )
        certified = registered.model_copy(update={"from_": day("2021-01-01"), "certified": True})
        posted = entries(
            SocialWorker(id=ID, person=uuid4(), periods=(registered, certified)), PARAMETERS
        )
        assert value(posted, "community.social_workers.certified", "2020-12-31") == 0
        assert value(posted, "community.social_workers.certified", "2021-01-01") == 1

    def test_a_declared_start_decides_from_when_an_event_measure_is_known(self) -> None:
        measure = Measure(
            **{
                name: getattr(PARAMETERS.measures["community.social_workers"], name)
                for name in ("code", "name", "kind", "key", "unit", "service", "topic")
            },
            starts=day("2022-01-01"),
        )
        posted = list(entries(worker(uuid4(), ("2020-01-01", TOWN_A, True)), PARAMETERS))
        assert value_of(posted, measure, day("2021-12-31"), scope()) is None
        assert value_of(posted, measure, day("2022-01-01"), scope()) == 1
        assert value_of([], measure, day("2022-01-01"), scope()) == 0


def test_a_year_from_29_february_is_28_february() -> None:
    assert year_later(day("2020-02-29")) == day("2021-02-28")
    assert year_earlier(day("2024-02-29")) == day("2023-02-28")
    assert year_later(day("2023-02-28")) == day("2024-02-28")


DAYS = st.dates(date(2019, 12, 1), date(2023, 3, 1))
UNITS = st.sampled_from([TOWN_A, TOWN_B, VILLAGE_A, DISTRICT])


@st.composite
def facilities(draw: st.DrawFn) -> Facility:
    days = sorted(draw(st.sets(DAYS, min_size=1, max_size=5)))
    return Facility(
        id=ID,
        periods=tuple(
            period(
                first.isoformat(),
                unit=draw(UNITS),
                kind=draw(st.sampled_from(FacilityKind)),
                operator=draw(st.sampled_from(OperatorKind)),
                open=draw(st.booleans()),
                beds=draw(st.integers(0, 200)),
                beds_in_use=draw(st.integers(0, 200)),
                functions=draw(st.sampled_from([COMPREHENSIVE, ()])),
            )
            for first in days
        ),
        assessments=tuple(
            FacilityAssessment(assessed_on=on, passed=draw(st.booleans()))
            for on in draw(st.lists(DAYS, max_size=4))
        ),
    )


def figure_timelines(measure: str) -> st.SearchStrategy[FigureSeries]:
    return st.dictionaries(DAYS, st.integers(0, 9).map(str), max_size=6).map(
        lambda figures: series(measure, {on.isoformat(): v for on, v in figures.items()})
    )


@st.composite
def workers(draw: st.DrawFn) -> SocialWorker:
    days = draw(st.lists(DAYS, min_size=1, max_size=5))
    return SocialWorker(
        id=ID,
        person=ID,
        periods=tuple(
            SocialWorkerPeriod(
                from_=first,
                unit=draw(UNITS),
                registered=draw(st.booleans()),
                certified=draw(st.booleans()),
            )
            for first in days
        ),
    )


@st.composite
def awards(draw: st.DrawFn) -> Award:
    money = st.decimals(0, 5000, places=2)
    return award(
        *(
            award_period(
                first.isoformat(),
                unit=draw(UNITS),
                area=draw(st.sampled_from(Area)),
                state=draw(st.sampled_from(AwardState)),
                persons=draw(st.integers(0, 8)),
                amount=draw(money),
                extras=draw(money),
            )
            for first in sorted(draw(st.sets(DAYS, min_size=1, max_size=5)))
        )
    )


def sums_by_day(posted: Iterable[Entry]) -> dict[Slot, Decimal]:
    sums: defaultdict[Slot, Decimal] = defaultdict(Decimal)
    for entry in posted:
        sums[entry.measure, entry.key, entry.unit, entry.effective] += entry.amount
    return {slot: amount for slot, amount in sums.items() if amount}


@given(
    st.one_of(
        st.lists(facilities(), min_size=1, max_size=4),
        st.lists(workers(), min_size=1, max_size=4),
        st.lists(awards(), min_size=1, max_size=4),
        st.lists(figure_timelines("community.households"), min_size=1, max_size=4),
        st.lists(figure_timelines("community.donations"), min_size=1, max_size=4),
        st.lists(figure_timelines("statistics.consumption.urban_growth"), min_size=1, max_size=4),
    )
)
def test_appended_differences_equal_the_entries_of_the_last_timeline(
    timelines: list[Subject],
) -> None:
    ledger: list[Entry] = []
    for timeline in timelines:
        append(ledger, timeline)
    assert sums_by_day(ledger) == sums_by_day(entries(timelines[-1], PARAMETERS))
    before = len(ledger)
    append(ledger, timelines[-1])
    assert len(ledger) == before


@given(facilities())
def test_every_day_s_figures_are_those_of_the_period_and_assessment_in_force(
    known: Facility,
) -> None:
    posted = list(entries(known, PARAMETERS))
    for offset in range(0, 1300, 9):
        on = date(2019, 11, 20) + timedelta(days=offset)
        current = [p for p in known.periods if p.from_ <= on]
        counts = bool(current) and current[-1].open
        institution = counts and current[-1].kind in {
            FacilityKind.INSTITUTION,
            FacilityKind.RURAL_HOME,
            FacilityKind.INTENSIVE_CARE_CENTRE,
            FacilityKind.COMPLEX,
        }
        done = {a.assessed_on: a.passed for a in known.assessments if a.assessed_on <= on}
        passed = institution and bool(done) and done[max(done)] and on < year_later(max(done))
        expected = {
            "eldercare.beds": current[-1].beds_in_use if counts else 0,
            "eldercare.institution.beds": current[-1].beds if institution else 0,
            "eldercare.institution.passed": int(passed),
        }
        for measure, amount in expected.items():
            total = sum(e.amount for e in posted if e.measure == measure and e.effective <= on)
            assert total == amount, (measure, on)


@given(awards())
def test_every_day_s_awards_are_those_of_the_period_in_force_at_its_unit(known: Award) -> None:
    posted = list(entries(known, PARAMETERS))
    for offset in range(0, 1300, 9):
        on = date(2019, 11, 20) + timedelta(days=offset)
        current = [p for p in known.periods if p.from_ <= on][-1:]
        expected: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for one in current:
            if one.state is not AwardState.STOPPED:
                for area in ("", f".{one.area}" if one.area is not Area.ALL else ".none"):
                    expected[f"relief.award.households{area}", one.unit] = Decimal(1)
                    expected[f"relief.award.persons{area}", one.unit] = Decimal(one.persons)
                    expected[f"relief.award.amount{area}", one.unit] = one.amount + one.extras
        for what in ("households", "persons", "amount"):
            for area in ("", ".urban", ".rural"):
                for unit in (TOWN_A, TOWN_B, VILLAGE_A, DISTRICT):
                    measure = f"relief.award.{what}{area}"
                    total = sum(
                        b.amount for b in balances(posted, measure, date.min, on) if b.unit == unit
                    )
                    assert total == expected[measure, unit], (measure, unit, on)


@given(awards())
def test_the_two_areas_never_come_to_more_than_the_total(known: Award) -> None:
    posted = list(entries(known, PARAMETERS))
    for on in (period.from_ for period in known.periods):
        for what in ("households", "persons", "amount"):
            told = [
                value(posted, f"relief.award.{what}{area}", on.isoformat())
                for area in ("", ".urban", ".rural")
            ]
            if None in told:
                assert told == [None, None, None]
            else:
                total, urban, rural = (Decimal(one or 0) for one in told)
                assert urban >= 0
                assert rural >= 0
                assert total >= urban + rural


@given(figure_timelines("community.donations"))
def test_a_flow_on_every_day_is_the_last_figure_of_its_year(known: FigureSeries) -> None:
    posted = list(entries(known, PARAMETERS))
    for offset in range(0, 1300, 9):
        on = date(2019, 11, 20) + timedelta(days=offset)
        told = [f for f in known.figures if f.on <= on and f.on.year == on.year]
        expected = max(told, key=lambda f: f.on).value if told else None
        assert value(posted, "community.donations", on.isoformat()) == expected
