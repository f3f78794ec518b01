import csv
import shutil
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest

from services.indicator.ledger.rules import (
    AWARD_AMOUNT,
    AWARD_HOUSEHOLDS,
    AWARD_PERSONS,
    BEDS,
    CERTIFIED_SOCIAL_WORKERS,
    COMPREHENSIVE,
    GOVERNMENT_BEDS,
    INSTITUTION_BEDS,
    INSTITUTIONS,
    NURSING_BEDS,
    PASSED,
    SOCIAL_WORKERS,
)
from services.indicator.plans.expressions import (
    TOWNS,
    ExpressionError,
    evaluate,
    parse,
    requirements,
    used,
)
from services.indicator.plans.loader import PlanError, load_plan, read_plan
from services.indicator.plans.rules import (
    Gap,
    Operator,
    Part,
    Reading,
    Status,
    gap,
    judged_on,
    publish,
    read,
    reading_requirements,
    satisfies,
    status,
    straight_line,
    verdict,
)

PLAN = load_plan()
YEAR_ENDS = {year: date(year, 12, 31) for year in range(2018, 2028)}
URBAN = "relief.standard.dibao.urban"
RURAL = "relief.standard.dibao.rural"
CONSUMPTION = "statistics.consumption.urban_growth"

# The published series, law/relief.md §3.
STANDARDS = {
    2020: (620, 496),
    2021: (636, 515),
    2022: (717, 581),
    2023: (735, 600),
    2024: (750, 610),
    2025: (770, 630),
}


class Told(dict[tuple[str, date], Decimal]):
    """Values by measure and day; `always` holds on every day."""

    def __init__(self, always: dict[str, int | str] | None = None) -> None:
        super().__init__()
        self.always = {measure: Decimal(value) for measure, value in (always or {}).items()}

    def value(self, measure: str, day: date) -> Decimal | None:
        return self.get((measure, day), self.always.get(measure))


def standards() -> Told:
    told = Told()
    for year, (urban, rural) in STANDARDS.items():
        told[URBAN, YEAR_ENDS[year]] = Decimal(urban)
        told[RURAL, YEAR_ENDS[year]] = Decimal(rural)
    return told


def reading(code: str, values: Told, day: date) -> Reading:
    indicator = PLAN.indicator(code)
    assert indicator is not None
    needed = reading_requirements(indicator, day)

    class Fetched:
        def value(self, measure: str, on: date) -> Decimal | None:
            assert (measure, on) in needed, "asked for what was not required"
            return values.value(measure, on)

    return read(PLAN, indicator, Fetched(), day)


def share(code: str, numerator: int, denominator: int, day: date = YEAR_ENDS[2025]) -> Reading:
    indicator = PLAN.indicator(code)
    assert indicator is not None
    assert indicator.numerator is not None
    assert indicator.denominator is not None
    (part,) = {m for m, _ in requirements(indicator.numerator, day)}
    (whole,) = {m for m, _ in requirements(indicator.denominator, day)}
    return reading(code, Told({part: numerator, whole: denominator}), day)


class TestExpressions:
    measures = frozenset({"a.x", "a.y", "a.x.z"})
    day = date(2024, 2, 29)

    def worth(self, text: str, always: dict[str, int | str]) -> Fraction | None:
        return evaluate(parse(text, self.measures), Told(always), self.day)

    def test_arithmetic_is_exact(self) -> None:
        assert self.worth("100 * a.x / a.y", {"a.x": 1, "a.y": 3}) == Fraction(100, 3)
        assert self.worth("0.1 + a.x - 0.3", {"a.x": "0.2"}) == 0
        assert self.worth("min(a.x, a.y, 2)", {"a.x": 3, "a.y": 5}) == 2
        assert self.worth("max(a.x, a.y) * 2", {"a.x": 3, "a.y": 5}) == 10

    @pytest.mark.parametrize(
        "text", ["a.x + a.y", "min(a.x, a.y)", "a.y / a.x", "growth(a.y)", "year_before(a.y)"]
    )
    def test_what_is_not_known_makes_the_whole_na(self, text: str) -> None:
        assert self.worth(text, {"a.x": 1}) is None

    def test_an_empty_denominator_is_na(self) -> None:
        assert self.worth("100 * a.x / a.y", {"a.x": 0, "a.y": 0}) is None

    def test_first_takes_the_first_that_is_known_and_zero_is_known(self) -> None:
        assert self.worth("first(a.x, a.y)", {"a.x": 0, "a.y": 5}) == 0
        assert self.worth("first(a.x, a.y)", {"a.y": 5}) == 5
        assert self.worth("first(a.x, a.y)", {}) is None

    def test_year_before_is_the_same_day_a_year_earlier(self) -> None:
        expression = parse("a.x - year_before(year_before(a.x))", self.measures)
        values = Told()
        values["a.x", self.day] = Decimal(7)
        values["a.x", date(2022, 2, 28)] = Decimal(5)
        assert evaluate(expression, values, self.day) == 2
        assert requirements(expression, self.day) == {
            ("a.x", self.day),
            ("a.x", date(2022, 2, 28)),
        }

    def test_towns_come_from_the_scope(self) -> None:
        expression = parse("towns()", self.measures)
        assert requirements(expression, self.day) == {(TOWNS, self.day)}

    def test_used_leaves_out_the_alternative_not_taken(self) -> None:
        expression = parse("first(a.x, a.y) + a.x.z", self.measures)
        assert used(expression, Told({"a.y": 1, "a.x.z": 1}), self.day) == {
            ("a.y", self.day),
            ("a.x.z", self.day),
        }
        assert requirements(expression, self.day) == {
            ("a.x", self.day),
            ("a.y", self.day),
            ("a.x.z", self.day),
        }

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a.x +",
            "a.unknown",
            "x",
            "a.x ** 2",
            "a.x if a.y else 1",
            "__import__('os')",
            "a.x.__class__",
            "min(a.x)",
            "towns(a.x)",
            "first(a.x, b=a.y)",
            "'1'",
            "True",
            "a.x < a.y",
        ],
    )
    def test_anything_else_is_refused_when_it_is_read(self, text: str) -> None:
        with pytest.raises(ExpressionError):
            parse(text, self.measures)


class TestPublish:
    @pytest.mark.parametrize(
        ("value", "decimals", "expected"),
        [
            (Fraction(1300, 22), 2, "59.09"),
            (Fraction(2000, 22), 2, "90.91"),
            (Fraction(154600, 5000), 2, "30.92"),
            (Fraction(1, 8), 2, "0.13"),
            (Fraction(-1, 8), 2, "-0.13"),
            (Fraction(-1, 1000), 2, "0.00"),
            (Fraction(2000), 0, "2000"),
            (Decimal(1300), 2, "1300.00"),
            (Fraction(10**9), 0, "1000000000"),
            (None, 2, None),
        ],
    )
    def test_half_up_with_all_decimals(
        self, value: Fraction | Decimal | None, decimals: int, expected: str | None
    ) -> None:
        assert publish(value, decimals) == expected


class TestTable1:
    def test_the_plan_is_of_the_district_and_its_22_towns(self) -> None:
        assert (PLAN.district, PLAN.scope, PLAN.version) == (500112000000, "YUBEI22", 1)
        assert PLAN.scopes == {"YUBEI22", "YUBEI30"}

    def test_all_eighteen_stand_as_printed(self) -> None:
        rows = list(csv.DictReader(TABLE_1.splitlines()))
        assert [i.no for i in PLAN.indicators] == list(range(1, 19))
        kinds = {"约束性": "binding", "预期性": "expected"}
        for row, indicator in zip(rows, PLAN.indicators, strict=True):
            assert indicator.name == row["name"]
            assert indicator.unit == row["unit"]
            assert indicator.kind == kinds[row["kind"]]
            assert indicator.governing.printed == row["target_2025"]
            assert indicator.governing.section == "表1"
            printed = "——" if indicator.baseline is None else str(indicator.baseline)
            assert printed == row["value_2020"]

    def test_targets_hold_the_value_and_operator_printed(self) -> None:
        signs = {"≥": Operator.AT_LEAST, ">": Operator.ABOVE, "≤": Operator.AT_MOST}
        for indicator in PLAN.indicators[1:]:
            target = indicator.governing
            assert str(target.value) == target.printed.lstrip("≥>≤")
            if target.printed[0] in signs:
                assert target.operator is signs[target.printed[0]]

    def test_only_vagrant_aid_and_funeral_are_of_the_30_towns(self) -> None:
        assert {i.no for i in PLAN.indicators if i.scope == "YUBEI30"} == {12, 13}
        assert {i.scope for i in PLAN.indicators} == {"YUBEI22", "YUBEI30"}

    def test_flows_and_the_yearly_growth_are_judged_by_the_last_whole_year(self) -> None:
        yearly = {i.no for i in PLAN.indicators if judged_on(i, date(2025, 6, 30)).year == 2024}
        assert yearly == {1, 8, 12}

    def test_owner_of_6_7_and_9_changed_with_the_social_work_department(self) -> None:
        day = date(2024, 5, 17)
        moved = {i.no for i in PLAN.indicators if i.owner_on(day) == "区委社会工作部"}
        assert moved == {6, 7, 9}
        assert {i.owner_on(date(2024, 5, 16)) for i in PLAN.indicators} == {"区民政局"}

    def test_donations_are_provisional_until_the_reports_are_due(self) -> None:
        donations = PLAN.indicator("charity_donations")
        assert donations is not None
        assert donations.provisional_until(YEAR_ENDS[2024]) == date(2025, 3, 31)
        assert donations.provisional_until(YEAR_ENDS[2025]) == date(2026, 5, 31)
        assert PLAN.frozen_on(2025) == date(2026, 1, 15)

    def test_measures_that_events_post_are_declared_as_such(self) -> None:
        posted = {
            BEDS,
            INSTITUTIONS,
            INSTITUTION_BEDS,
            NURSING_BEDS,
            GOVERNMENT_BEDS,
            PASSED,
            COMPREHENSIVE,
            SOCIAL_WORKERS,
            CERTIFIED_SOCIAL_WORKERS,
            URBAN,
            RURAL,
            *(
                f"{measure}{area}"
                for measure in (AWARD_HOUSEHOLDS, AWARD_PERSONS, AWARD_AMOUNT)
                for area in ("", ".urban", ".rural")
            ),
        }
        assert {m.code for m in PLAN.measures.values() if m.topic is not None} == posted

    def test_every_measure_but_the_population_serves_an_indicator_or_stands_beside(self) -> None:
        needed = {
            measure
            for indicator in PLAN.indicators
            for measure, _ in reading_requirements(indicator, YEAR_ENDS[2025])
        }
        needed |= {measure for one in PLAN.beside for measure in one.measures.values()}
        assert PLAN.measures.keys() - needed == {"statistics.population.resident"}

    def test_households_persons_and_amount_stand_beside_them_by_area(self) -> None:
        told = {one.code: (one.name, one.unit, one.decimals) for one in PLAN.beside}
        assert told == {
            "relief_households": ("低保在保户数", "户", 0),
            "relief_persons": ("低保在保人数", "人", 0),
            "relief_amount": ("低保月发放金额", "元/月", 2),
        }
        for one in PLAN.beside:
            total = one.measures[Part.TOTAL]
            assert one.measures[Part.URBAN] == f"{total}.urban"
            assert one.measures[Part.RURAL] == f"{total}.rural"
            assert {PLAN.measures[m].unit for m in one.measures.values()} == {one.unit}


class TestConflictingTargets:
    def test_text_targets_stand_beside_table_1(self) -> None:
        ids = {t.id for i in PLAN.indicators for t in i.targets if not t.governing}
        assert ids == {
            "T-03",
            "T-07",
            "T-13",
            "T-20a",
            "T-20b",
            "T-30",
            "T-42",
            "T-43a",
            "T-43b",
            "T-44",
            "T-45",
        }

    def test_11_at_half_meets_45_of_box_4_but_table_1_governs(self) -> None:
        protection = share("child_protection_coverage", 11, 22, date(2023, 12, 31))
        by_section = {a.target.section: a.status for a in protection.assessments}
        assert by_section == {"表1": Status.NOT_ASSESSABLE, "专栏4": Status.DONE}
        assert protection.governing.target.section == "表1"

    def test_30_square_metres_meet_at_least_but_not_above(self) -> None:
        area = share("community_facility_area", 300, 1000)
        assert area.value == 30
        assert {a.target.operator: a.status for a in area.assessments} == {
            Operator.ABOVE: Status.BEHIND,
            Operator.AT_LEAST: Status.DONE,
        }
        assert area.governing.gap == Gap(Decimal(1), more=True, thing="平方米设施")

    def test_donations_of_1600_and_20_percent_more_than_1300_disagree(self) -> None:
        donations = reading(
            "charity_donations", Told({"community.donations": 1580}), YEAR_ENDS[2025]
        )
        assert [a.status for a in donations.assessments] == [Status.BEHIND, Status.DONE]
        assert publish(Fraction(1600, 1300) * 100 - 100, 2) == "23.08"
        assert 1300 * Decimal("1.2") == donations.assessments[1].target.value

    def test_certified_social_workers_are_another_population_without_baseline(self) -> None:
        values = Told(
            {
                "community.social_workers.reported": 2600,
                "community.social_workers.reported_certified": 1100,
            }
        )
        early = reading("social_workers", values, YEAR_ENDS[2021])
        assert [a.status for a in early.assessments] == [
            Status.DONE,
            Status.ON_COURSE,
            Status.NOT_ASSESSABLE,
        ]
        late = reading("social_workers", values, YEAR_ENDS[2025])
        assert [a.status for a in late.assessments] == [
            Status.DONE,
            Status.BEHIND,
            Status.BEHIND,
        ]
        assert late.assessments[2].gap == Gap(Decimal(1500), more=True, thing="人")

    def test_sixty_percent_meets_table_1_and_not_chapter_2(self) -> None:
        nursing = share("nursing_bed_share", 3000, 5000)
        assert {a.target.id: a.status for a in nursing.assessments} == {
            "T1-15": Status.DONE,
            "T-43a": Status.DONE,
            "T-43b": Status.BEHIND,
        }


class TestPublishedVectors:
    @pytest.mark.parametrize(
        ("year", "expected"),
        [
            (2020, "80.00"),
            (2021, "80.97"),
            (2022, "81.03"),
            (2023, "81.63"),
            (2024, "81.33"),
            (2025, "81.82"),
        ],
    )
    def test_rural_to_urban_standard(self, year: int, expected: str) -> None:
        ratio = reading("rural_urban_dibao_ratio", standards(), YEAR_ENDS[year])
        assert publish(ratio.value, 2) == expected

    def test_rural_to_urban_standard_misses_85(self) -> None:
        governing = reading("rural_urban_dibao_ratio", standards(), YEAR_ENDS[2025]).governing
        assert (governing.status, governing.due_passed) == (Status.BEHIND, True)
        assert governing.gap == Gap(Decimal(25), more=True, thing="元（农村低保标准）")

    @pytest.mark.parametrize(
        ("year", "urban", "rural", "least"),
        [
            (2021, "2.58", "3.83", "2.58"),
            (2022, "12.74", "12.82", "12.74"),
            (2023, "2.51", "3.27", "2.51"),
            (2024, "2.04", "1.67", "1.67"),
            (2025, "2.67", "3.28", "2.67"),
        ],
    )
    def test_growth_of_the_standards(self, year: int, urban: str, rural: str, least: str) -> None:
        for measure, expected in ((URBAN, urban), (RURAL, rural)):
            growth = parse(f"growth({measure})", PLAN.measures)
            assert publish(evaluate(growth, standards(), YEAR_ENDS[year]), 2) == expected
        growth_of_both = reading("dibao_standard_growth", standards(), YEAR_ENDS[year])
        assert publish(growth_of_both.value, 2) == least

    def test_growth_is_na_in_2020_for_no_standard_is_known_before(self) -> None:
        growth = reading("dibao_standard_growth", standards(), YEAR_ENDS[2020])
        assert growth.value is None
        assert growth.governing.status is Status.NOT_ASSESSABLE

    @pytest.mark.parametrize(
        ("consumption_2020", "expected"),
        [("2.5", Status.DONE), ("2.58", Status.DONE), ("2.59", Status.BEHIND)],
    )
    def test_growth_is_held_against_consumption_of_the_year_before(
        self, consumption_2020: str, expected: Status
    ) -> None:
        values = standards()
        values[CONSUMPTION, YEAR_ENDS[2020]] = Decimal(consumption_2020)
        for day in (YEAR_ENDS[2021], date(2022, 6, 30)):
            governing = reading("dibao_standard_growth", values, day).governing
            assert governing.judged_on == YEAR_ENDS[2021]
            assert governing.status is expected

    def test_growth_without_the_statistic_is_not_assessable(self) -> None:
        governing = reading("dibao_standard_growth", standards(), YEAR_ENDS[2025]).governing
        assert governing.status is Status.NOT_ASSESSABLE

    @pytest.mark.parametrize(
        ("code", "numerator", "denominator", "expected"),
        [
            ("living_subsidy_coverage", 4500, 4500, "100.00"),
            ("care_subsidy_coverage", 10800, 10800, "100.00"),
            ("volunteer_station_coverage", 357, 357, "100.00"),
            ("nursing_bed_share", 1546, 5000, "30.92"),
            ("government_bed_share", 2250, 5000, "45.00"),
            ("institution_quality_rate", 26, 40, "65.00"),
            ("comprehensive_coverage", 13, 22, "59.09"),
        ],
    )
    def test_the_shares_of_2020_as_table_1_prints_them(
        self, code: str, numerator: int, denominator: int, expected: str
    ) -> None:
        base = share(code, numerator, denominator, YEAR_ENDS[2020])
        assert publish(base.value, 2) == expected
        assert (base.numerator, base.denominator) == (numerator, denominator)
        assert base.governing.status in {Status.DONE, Status.ON_COURSE}

    @pytest.mark.parametrize(
        "code", ["cross_province_marriage", "vagrant_return_rate", "institution_quality_rate"]
    )
    def test_an_empty_denominator_is_na_and_not_assessable(self, code: str) -> None:
        empty = share(code, 0, 0)
        assert empty.value is None
        assert (empty.numerator, empty.denominator) == (0, 0)
        assert empty.governing.status is Status.NOT_ASSESSABLE
        assert empty.governing.gap is None


class TestStatus:
    def test_20_of_22_towns_is_done_and_19_is_not(self) -> None:
        assert publish(share("comprehensive_coverage", 20, 22).value, 2) == "90.91"
        assert share("comprehensive_coverage", 20, 22).governing.status is Status.DONE
        assert share("comprehensive_coverage", 19, 22).governing.status is Status.BEHIND

    def test_the_unrounded_value_is_compared(self) -> None:
        almost = share("nursing_bed_share", 59_999, 100_000)
        assert publish(almost.value, 2) == "60.00"
        assert almost.governing.status is Status.BEHIND

    @pytest.mark.parametrize(("paid", "expected"), [(4500, Status.DONE), (4499, Status.BEHIND)])
    def test_100_percent_means_everybody(self, paid: int, expected: Status) -> None:
        assert share("living_subsidy_coverage", paid, 4500).governing.status is expected

    @pytest.mark.parametrize(
        ("operator", "value", "expected"),
        [
            (Operator.AT_LEAST, "30", True),
            (Operator.ABOVE, "30", False),
            (Operator.ABOVE, "30.001", True),
            (Operator.AT_MOST, "30", True),
            (Operator.AT_MOST, "30.001", False),
            (Operator.EXACTLY, "30", True),
            (Operator.EXACTLY, "30.001", False),
        ],
    )
    def test_the_operator_decides_at_the_threshold(
        self, operator: Operator, value: str, expected: bool
    ) -> None:
        assert satisfies(operator, Fraction(value), Fraction(30)) is expected

    def test_the_line_runs_straight_from_2020_to_2025_and_is_flat_outside(self) -> None:
        def at(day: date) -> Fraction:
            return straight_line(
                Fraction(6700), Fraction(7000), YEAR_ENDS[2020], YEAR_ENDS[2025], day
            )

        assert at(date(2019, 1, 1)) == 6700
        assert at(YEAR_ENDS[2020]) == 6700
        assert at(YEAR_ENDS[2021]) == 6700 + Fraction(300 * 365, 1826)
        assert at(YEAR_ENDS[2025]) == 7000
        assert at(YEAR_ENDS[2026]) == 7000

    @pytest.mark.parametrize(
        ("beds", "expected"),
        [(7000, Status.DONE), (6820, Status.ON_COURSE), (6819, Status.BEHIND)],
    )
    def test_before_the_due_date_the_line_decides(self, beds: int, expected: Status) -> None:
        # 6,700 + 300 × 730 / 1,826 = 6,819.93 on 31 December 2022
        governing = reading("eldercare_beds", Told({BEDS: beds}), YEAR_ENDS[2022]).governing
        assert governing.status is expected
        assert governing.due_passed is False

    def test_a_share_that_must_fall_is_on_course_below_the_line(self) -> None:
        # 45 − 5 × 730 / 1,826 = 43.0011 on 31 December 2022
        day = YEAR_ENDS[2022]
        assert share("government_bed_share", 2150, 5000, day).governing.status is Status.ON_COURSE
        assert share("government_bed_share", 2151, 5000, day).governing.status is Status.BEHIND

    @pytest.mark.parametrize(
        ("value", "path", "expected"),
        [
            ("89", "90", Status.BEHIND),
            ("90", "90", Status.ON_COURSE),
            ("99", "90", Status.ON_COURSE),
            ("100", "90", Status.DONE),
            ("101", "90", Status.BEHIND),
            ("101", "100", Status.BEHIND),
            ("105", "110", Status.ON_COURSE),
            ("111", "110", Status.BEHIND),
            ("99", "110", Status.BEHIND),
        ],
    )
    def test_an_exact_goal_is_approached_and_not_passed(
        self, value: str, path: str, expected: Status
    ) -> None:
        outcome = status(
            Operator.EXACTLY, Fraction(value), Fraction(100), Fraction(path), due_passed=False
        )
        assert outcome is expected

    def test_on_the_due_date_and_after_it_is_done_or_behind(self) -> None:
        for day in (YEAR_ENDS[2025], date(2026, 6, 30)):
            governing = reading("eldercare_beds", Told({BEDS: 6999}), day).governing
            assert (governing.status, governing.due_passed) == (Status.BEHIND, True)
            assert reading("eldercare_beds", Told({BEDS: 7000}), day).governing.due_passed is True

    def test_without_baseline_it_is_not_assessable_until_due(self) -> None:
        before = share("cross_province_marriage", 1, 2, YEAR_ENDS[2024])
        assert before.governing.status is Status.NOT_ASSESSABLE
        assert share("cross_province_marriage", 2, 2, YEAR_ENDS[2024]).governing.status is (
            Status.DONE
        )
        assert share("cross_province_marriage", 1, 2).governing.status is Status.BEHIND

    def test_a_target_without_due_date_is_never_past_due(self) -> None:
        values = standards()
        together = reading("rural_urban_dibao_ratio", values, YEAR_ENDS[2025]).assessments[1]
        assert together.target.due is None
        assert (together.status, together.due_passed) == (Status.BEHIND, False)

    def test_a_flow_is_judged_by_the_last_whole_year_and_shown_as_it_stands(self) -> None:
        values = Told()
        values["community.donations", YEAR_ENDS[2024]] = Decimal("1612.5")
        values["community.donations", date(2025, 6, 30)] = Decimal(400)
        donations = reading("charity_donations", values, date(2025, 6, 30))
        assert donations.value == 400
        assert donations.governing.value == Fraction("1612.5")
        assert donations.governing.judged_on == YEAR_ENDS[2024]
        assert donations.governing.status is Status.DONE

    def test_na_stays_not_assessable_after_the_due_date(self) -> None:
        outcome = status(Operator.AT_LEAST, None, Fraction(1), Fraction(1), due_passed=True)
        assert outcome is Status.NOT_ASSESSABLE


class TestGap:
    def test_18_needs_seven_more_towns(self) -> None:
        assert share("comprehensive_coverage", 13, 22).governing.gap == Gap(
            Decimal(7), more=True, thing="个镇街"
        )

    def test_15_needs_1454_more_nursing_beds(self) -> None:
        assert share("nursing_bed_share", 1546, 5000).governing.gap == Gap(
            Decimal(1454), more=True, thing="张护理型床位"
        )

    def test_17_has_250_government_beds_too_many(self) -> None:
        assert share("government_bed_share", 2250, 5000).governing.gap == Gap(
            Decimal(250), more=False, thing="张政府运营床位"
        )

    def test_8_needs_money_to_the_cent_of_10k_yuan(self) -> None:
        donations = reading(
            "charity_donations", Told({"community.donations": "1487.255"}), YEAR_ENDS[2025]
        )
        assert donations.governing.gap == Gap(Decimal("112.75"), more=True, thing="万元")

    def test_1_lacks_points(self) -> None:
        values = standards()
        values[CONSUMPTION, YEAR_ENDS[2024]] = Decimal("3.1")
        assert reading("dibao_standard_growth", values, YEAR_ENDS[2025]).governing.gap == Gap(
            Decimal("0.44"), more=True, thing="个百分点"
        )

    def test_above_needs_one_step_more_than_at_least(self) -> None:
        at_least = gap(Operator.AT_LEAST, Fraction(29), Fraction(30), "个", 0)
        above = gap(Operator.ABOVE, Fraction(29), Fraction(30), "个", 0)
        assert at_least is not None
        assert above is not None
        assert (at_least.amount, above.amount) == (1, 2)
        assert gap(Operator.ABOVE, Fraction(31), Fraction(30), "个", 0) is None

    def test_more_than_exactly_100_percent_is_too_much(self) -> None:
        over = share("volunteer_station_coverage", 358, 357).governing
        assert over.gap == Gap(Decimal(1), more=False, thing="个设施")


def test_the_verdict_counts_by_status_and_the_binding_ones_apart() -> None:
    counts = verdict(
        [
            share("nursing_bed_share", 3000, 5000),
            share("government_bed_share", 2250, 5000),
            share("comprehensive_coverage", 20, 22),
            share("institution_quality_rate", 0, 0),
        ]
    )
    assert counts.binding == {
        Status.DONE: 1,
        Status.ON_COURSE: 0,
        Status.BEHIND: 1,
        Status.NOT_ASSESSABLE: 0,
    }
    assert counts.expected == {
        Status.DONE: 1,
        Status.ON_COURSE: 0,
        Status.BEHIND: 0,
        Status.NOT_ASSESSABLE: 1,
    }


def test_7_takes_registrations_before_reported_figures() -> None:
    day = YEAR_ENDS[2025]
    registered = Told({SOCIAL_WORKERS: 12, "community.social_workers.reported": 2000})
    reported = Told({"community.social_workers.reported": 2000})
    first = reading("social_workers", registered, day)
    assert (first.value, first.sources) == (12, {(SOCIAL_WORKERS, day)})
    second = reading("social_workers", reported, day)
    assert (second.value, second.sources) == (
        2000,
        {("community.social_workers.reported", day)},
    )


class TestLoader:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        source = files("services.indicator.plans") / "yubei-145"
        target = tmp_path / "plan"
        shutil.copytree(str(source), target)
        return target

    def change(self, folder: Path, name: str, old: str, new: str) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    def test_the_copied_plan_is_the_packaged_one(self, folder: Path) -> None:
        assert read_plan(folder) == PLAN

    @pytest.mark.parametrize(
        ("name", "old", "new", "names"),
        [
            ("indicators.yaml", "numerator: eldercare.comprehensive", "numerator: no.such",
             "indicators.yaml: comprehensive_coverage: .*no.such"),
            ("indicators.yaml", "  judged: last_whole_year", "  judged: sometimes",
             "indicators.yaml: dibao_standard_growth"),
            ("indicators.yaml", "  numerator: relief", "  value: 1\n  numerator: relief",
             "indicators.yaml: rural_urban_dibao_ratio"),
            ("targets.yaml", "year_before(statistics", "last_year(statistics",
             "targets.yaml: dibao_standard_growth: T1-01: .*last_year"),
            ("targets.yaml", "governing: true", "governing: false",
             "targets.yaml: dibao_standard_growth: exactly one target governs"),
            ("targets.yaml", "lottery_outlets:", "lottery:", "lottery_outlets"),
            ("targets.yaml", "comprehensive_coverage:", "no_such: []\ncomprehensive_coverage:",
             "targets.yaml: no indicator no_such"),
            ("measures.yaml", "  kind: presence\n  key: town", "  kind: presence",
             "measures.yaml: eldercare.comprehensive"),
            ("measures.yaml", "  kind: stock", "  kind: stock\n  yearly: true",
             "measures.yaml: eldercare.beds"),
            ("measures.yaml", "  reported_at: town\n  note: 按镇街填报站点数",
             "  reported_at: district\n  note: 按镇街填报站点数",
             "measures.yaml: welfare.protection.stations"),
            ("measures.yaml", "  kind: stock", "  kindd: stock", "measures.yaml: eldercare.beds"),
            ("beside.yaml", "  urban: relief", "  urban: no",
             "beside.yaml: relief_households: .*no"),
            ("beside.yaml", "  unit: 户", "  target: 1", "beside.yaml: relief_households"),
            ("plan.yaml", "kinds: [institution", "kinds: [hotel", "plan.yaml"),
            ("plan.yaml", "code: yubei-145", "code: [", "plan.yaml"),
        ],
    )  # fmt: skip
    def test_a_mistake_is_named_with_its_file_and_place(
        self, folder: Path, name: str, old: str, new: str, names: str
    ) -> None:
        self.change(folder, name, old, new)
        with pytest.raises(PlanError, match=names):
            read_plan(folder)


# 表1 of the plan: number, name, unit, 2020, 2025, kind.
TABLE_1 = """\
no,name,unit,value_2020,target_2025,kind
1,城乡低保标准年度增速,%,——,不低于上年度城镇居民人均消费支出增速,预期性
2,农村低保标准占城市低保标准比例,%,80,≥85,预期性
3,困难残疾人生活补贴覆盖率,%,100,100,约束性
4,重度残疾人护理补贴覆盖率,%,100,100,约束性
5,福利彩票销售网点数,个,411,≥800,预期性
6,每百户居民拥有的城乡社区综合服务设施面积,平方米,——,>30,预期性
7,社会工作专业人才数,人,2000,≥2600,预期性
8,慈善组织接受社会捐赠总额,万元,1300,≥1600,预期性
9,志愿服务站点在社区综合服务设施中的覆盖率,%,100,100,预期性
10,婚姻登记“跨省通办”实施率,%,——,100,约束性
11,镇街未成年人保护工作站覆盖率,%,——,100,预期性
12,查明身份信息流浪乞讨受助人员接送返回率,%,——,100,约束性
13,城乡公益性安葬(放)设施数,个,1,3,预期性
14,养老服务床位,张,6700,7000,预期性
15,养老机构护理型床位占比,%,30.92,≥60,约束性
16,养老机构服务基本质量达标率,%,65,≥75,预期性
17,政府运营床位占比,%,45,≤40,约束性
18,镇街具备综合功能的养老服务机构覆盖率,%,59.09,≥90,预期性
"""


class TestAPartOfTheDistrict:
    """表1's numbers of things are the district's; its rates are a yardstick for each town."""

    DAY = date(2025, 12, 31)

    @pytest.mark.parametrize(
        ("code", "held"),
        [("eldercare_beds", False), ("social_workers", False), ("nursing_bed_share", True)],
    )
    def test_is_held_against_rates_alone(self, code: str, held: bool) -> None:
        plan = load_plan("yubei-145")
        values = Told(dict.fromkeys([*plan.measures, "towns"], 1))
        reading = read(plan, plan.indicator(code), values, self.DAY, whole=False)
        assessable = reading.governing.status is not Status.NOT_ASSESSABLE
        assert (assessable, reading.value is not None) == (held, True)
        assert held or reading.governing.gap is None
