from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from contracts.events.eldercare import FacilityFunction
from services.console import wording
from services.console.answers import (
    Assessment,
    Cell,
    Counts,
    Fact,
    Gap,
    Item,
    Status,
    Target,
    Verdict,
)


def item(**given: Any) -> Item:
    plain = {
        "no": 15,
        "code": "nursing_bed_share",
        "name": "养老机构护理型床位占比",
        "unit": "%",
        "kind": "约束性",
        "status": "behind",
        "as_of": "2025-06-30",
        **given,
    }
    return Item.model_validate(plain)


def target(**given: Any) -> dict[str, Any]:
    return {"operator": ">=", "value": "60", "status": "behind", "governing": True, **given}


def counts(done: int = 0, on_course: int = 0, behind: int = 0, not_assessable: int = 0) -> Counts:
    return Counts(done=done, on_course=on_course, behind=behind, not_assessable=not_assessable)


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("1300.00", "1,300.00"),
            ("6700", "6,700"),
            ("1E+3", "1,000"),
            ("-2.58", "-2.58"),
            ("0", "0"),
        ],
    )
    def test_thousands_are_separated_and_decimals_stay(self, value: str, expected: str) -> None:
        assert wording.number(Decimal(value)) == expected

    def test_not_known_is_the_dash_of_table_1_and_never_zero(self) -> None:
        assert wording.quantity(None, "%") == "——"
        assert wording.quantity(Decimal(0), "张") == "0 张"

    def test_a_percentage_bears_its_sign_without_a_space(self) -> None:
        assert wording.quantity(Decimal("30.92"), "%") == "30.92%"

    def test_a_fraction_is_shown_where_there_is_one(self) -> None:
        assert wording.fraction(Decimal(1546), Decimal(5000)) == "1,546 / 5,000"
        assert wording.fraction(None, None) == ""
        assert wording.fraction(None, Decimal(0)) == "—— / 0"


class TestTargets:
    @pytest.mark.parametrize(
        ("operator", "value", "unit", "expected"),
        [
            (">=", "60", "%", "≥60%"),
            (">", "30", "平方米", ">30 平方米"),
            ("<=", "40", "%", "≤40%"),
            ("==", "100", "%", "100%"),
            (">=", "7000", "张", "≥7,000 张"),
        ],
    )
    def test_a_target_reads_as_the_plan_prints_it(
        self, operator: str, value: str, unit: str, expected: str
    ) -> None:
        asked = Target(operator=operator, value=Decimal(value), status=Status.BEHIND)
        assert wording.goal(asked, unit) == expected

    def test_a_moving_target_is_told_in_words_with_where_it_stands(self) -> None:
        moving = Target(
            operator=">=", reference="不低于上年度增速", goal=Decimal("5.20"), status=Status.BEHIND
        )
        assert wording.goal(moving, "%") == "不低于上年度增速（≥5.20%）"

    def test_a_moving_target_whose_statistic_is_not_known_is_told_in_words_alone(self) -> None:
        moving = Target(operator=">=", reference="不低于上年度增速", status=Status.NOT_ASSESSABLE)
        assert wording.goal(moving, "%") == "不低于上年度增速"

    def test_conflicting_targets_are_named_with_their_place_in_the_plan(self) -> None:
        asked = item(
            conflict=True,
            targets=[
                target(operator="==", value="100", section="表1"),
                target(value="45", section="专栏4", governing=False, standing="以表1为准"),
                target(value="50", section="专栏9", governing=False, standing="待确认"),
                target(operator="==", value="100", section="第三章", governing=False),
            ],
        )
        assert wording.other_goals(asked) == "专栏4 ≥45%"

    def test_without_a_conflict_there_is_nothing_to_name(self) -> None:
        asked = item(targets=[target(), target(value="45", governing=False)])
        assert wording.other_goals(asked) == ""


class TestWhatIsMissing:
    def test_things_are_counted(self) -> None:
        gap = Gap(amount=Decimal(1454), more=True, thing="张护理型床位")
        assert wording.gap(gap) == "还差 1,454 张护理型床位"

    def test_too_much_is_called_so(self) -> None:
        gap = Gap(amount=Decimal(250), more=False, thing="张政府运营床位")
        assert wording.gap(gap) == "超出 250 张政府运营床位"

    def test_towns_without_are_named(self) -> None:
        towns = [{"division": None, "name": name} for name in ("统景镇", "大湾镇", "兴隆镇")]
        asked = item(
            targets=[target(gap={"amount": "1", "more": True, "thing": "个镇街"})], missing=towns
        )
        assert wording.lacking(asked) == ["还差 1 个镇街", "尚无的 3 个：统景镇、大湾镇、兴隆镇"]

    def test_of_many_towns_the_first_are_named(self) -> None:
        towns = [{"name": f"第{number}镇"} for number in range(22)]
        line = wording.lacking(item(targets=[target()], missing=towns))[-1]
        assert line.startswith("尚无的 22 个：第0镇、第1镇")
        assert line.endswith("第9镇 等")

    def test_nothing_is_missing_of_what_is_done(self) -> None:
        asked = item(status="done", targets=[target()], missing=[{"name": "大湾镇"}])
        assert wording.lacking(asked) == []

    def test_what_is_behind_is_told_where_the_straight_line_is(self) -> None:
        assert wording.course(item(targets=[target(path="57.07")])) == "按进度应为 57.07%"

    def test_after_the_due_day_no_line_helps(self) -> None:
        asked = item(targets=[target(path="60", due_passed=True)])
        assert wording.course(asked) == "期限已过"

    def test_what_is_done_needs_no_line(self) -> None:
        assert wording.course(item(status="done", targets=[target(path="57.07")])) == ""


class TestWhatWasJudged:
    def test_a_flow_is_judged_by_its_last_whole_year(self) -> None:
        asked = item(
            unit="万元",
            value="702.10",
            targets=[target(judged_on="2024-12-31", measured_value="1612.35")],
        )
        assert wording.is_judged_by_year(asked)
        assert wording.held_value(asked) == "2024 年 1,612.35 万元"
        assert wording.judged(asked) == "评判用 2024 年 1,612.35 万元"

    def test_a_stock_is_judged_on_the_day_shown(self) -> None:
        asked = item(value="51.44", targets=[target(judged_on="2025-06-30")])
        assert wording.held_value(asked) == "51.44%"
        assert wording.judged(asked) == ""


class TestOrigin:
    def test_events(self) -> None:
        asked = item(origin="events")
        assert (wording.origin(asked), wording.reported(asked)) == ("事件自动汇总", "")

    def test_a_reported_figure_tells_its_day_and_age(self) -> None:
        asked = item(origin="reported", reported_on="2025-05-19", age_days=42)
        assert wording.origin(asked) == "填报"
        assert wording.reported(asked) == "2025-05-19 的数，距截至日 42 天"
        assert not wording.is_stale(asked)

    def test_a_figure_of_the_day_shown_has_no_age(self) -> None:
        asked = item(origin="reported", reported_on="2025-06-30", age_days=0)
        assert wording.reported(asked) == "2025-06-30 的数"

    def test_a_figure_older_than_a_year_is_stale(self) -> None:
        assert wording.is_stale(item(reported_on="2024-06-29", age_days=366))

    def test_without_data(self) -> None:
        assert wording.origin(item(origin=None)) == "暂无数据"


class TestVerdict:
    @pytest.mark.parametrize(
        ("binding", "expected"),
        [
            (counts(3, 1, 1, 1), "约束性指标 6 项中 1 项落后"),
            (counts(6), "约束性指标 6 项全部完成"),
            (counts(4, 2), "约束性指标 6 项全部完成或进度正常"),
            (counts(4, 1, 0, 1), "约束性指标没有落后，1 项无法评判"),
            (counts(0, 0, 0, 6), "约束性指标均无法评判"),
        ],
    )
    def test_the_binding_ones_come_first(self, binding: Counts, expected: str) -> None:
        said = wording.verdict(Verdict(binding=binding, expected=counts(8, 0, 4)))
        assert said == f"{expected}；预期性指标 12 项中 4 项落后。"

    def test_an_edition_is_counted_from_its_figures(self) -> None:
        figures = [item(), item(status="done"), item(kind="预期性", status="not_assessable")]
        found = wording.verdict_of(figures)
        assert found.binding == counts(done=1, behind=1)
        assert found.expected == counts(not_assessable=1)


class TestTowns:
    def test_coverage_of_towns_is_yes_or_no_in_a_town(self) -> None:
        has = Cell(numerator=Decimal(1), denominator=Decimal(1), status=Status.DONE)
        has_not = Cell(numerator=Decimal(0), denominator=Decimal(1), status=Status.BEHIND)
        unknown = Cell(status=Status.NOT_ASSESSABLE)
        assert wording.is_yes_or_no([has, has_not, unknown])
        assert [wording.has(has), wording.has(has_not)] == ["有", "尚无"]

    def test_a_share_of_beds_is_not(self) -> None:
        one = Cell(numerator=Decimal(1), denominator=Decimal(1), status=Status.DONE)
        many = Cell(numerator=Decimal(49), denominator=Decimal(120), status=Status.DONE)
        assert not wording.is_yes_or_no([one, many])
        assert not wording.is_yes_or_no([])


class TestRecords:
    def test_events_are_called_by_their_chinese_names(self) -> None:
        assert wording.event("minzheng.eldercare.facility.assessed.v1") == "养老服务设施 · 评估"
        assert wording.event("minzheng.relief.award.stopped.v1") == "社会救助待遇 · 停发"
        assert wording.event("minzheng.welfare.unknown.made.v1") == (
            "minzheng.welfare.unknown.made.v1"
        )

    def test_times_are_of_shanghai(self) -> None:
        assert wording.moment(datetime(2024, 12, 31, 16, 30, tzinfo=UTC)) == "2025-01-01 00:30"

    def test_functions_come_in_the_order_of_the_register(self) -> None:
        found = [FacilityFunction.MEALS, FacilityFunction.FULL_CARE]
        assert wording.functions(found) == "全托、助餐"
        assert wording.functions([]) == "无"

    def test_an_assessment(self) -> None:
        found = Assessment(assessed_on=date(2023, 5, 1), passed=True, score=Decimal("86.00"))
        assert wording.assessment(found) == "2023年5月1日 达标，得分 86"
        assert wording.assessment(None) == "没有评估记录"

    def test_what_was_entered_in_one_go_stands_together_and_a_corrected_fact_alone(self) -> None:
        def fact(text: str, **more: Any) -> Fact:
            recorded = {"title": "", "document": "台账", "recorded_by": "staff-1"}
            days = {"valid_from": "2009-01-01", "recorded_at": "2020-12-01T02:00:00Z"}
            return Fact.model_validate({"id": uuid4(), "text": text, **recorded, **days, **more})

        later = fact("停办", valid_from="2024-01-01", recorded_at="2024-01-05T02:00:00Z")
        wrong = fact("床位 50 张", superseded_by=uuid4())
        found = wording.entries([later, fact("开办"), wrong, fact("类型：敬老院")])
        assert [[one.text for one in entry] for entry in found] == [
            ["开办", "类型：敬老院"],
            ["床位 50 张"],
            ["停办"],
        ]

    def test_a_correction_names_what_it_corrects_and_why(self) -> None:
        wrong, right = uuid4(), uuid4()
        recorded = {"title": "床位", "document": "文件", "recorded_by": "staff-1"}
        first = Fact(
            id=wrong,
            valid_from=date(2022, 3, 1),
            text="床位 50 张",
            recorded_at=datetime(2022, 3, 4, tzinfo=UTC),
            superseded_by=right,
            **recorded,
        )
        second = Fact(
            id=right,
            valid_from=date(2022, 2, 1),
            text="床位 40 张",
            recorded_at=datetime(2022, 5, 9, 6, 45, tzinfo=UTC),
            supersedes=wrong,
            reason="日期有误",
            **recorded,
        )
        by_id = {wrong: first, right: second}
        assert wording.corrections(first, by_id) == ["已于 2022-05-09 14:45 更正"]
        assert wording.corrections(second, by_id) == [
            "更正了2022年3月1日起的登记「床位 50 张」",
            "理由：日期有误",
        ]
