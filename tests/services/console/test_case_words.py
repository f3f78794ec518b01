"""The words of cases: limits, what sources found, and how an amount comes about."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.console import case_words, findings, todo
from services.console.award_answers import AwardPage, Change
from services.console.case_answers import ClockView
from services.console.dossier import Assessment, Income
from services.relief.entitlement.schemas import IncomeOut
from tests.services.console import stand_in_cases as stand
from tests.services.console.stand_in_cases import MEMBER, Case


def clock(**changes: Any) -> ClockView:
    plain = {
        "title": "审核确认办理期限",
        "due": "2025-07-20",
        "used": 12,
        "count": 25,
        "unit": "working_days",
        "light": "green",
        "provisional": False,
        "stopped_on": None,
        "source": "渝民发〔2023〕3号",
    }
    return ClockView.model_validate({**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "2025年7月20日到期，共 25 个工作日，已用 12"),
        ({"light": "paused"}, "2025年7月20日到期（中止计时），共 25 个工作日，已用 12"),
        (
            {"provisional": True},
            "2025年7月20日到期（放假安排公布后重算），共 25 个工作日，已用 12",
        ),
        ({"stopped_on": "2025-06-30"}, "2025年6月30日办结，用了 12 个工作日"),
        ({"due": None, "used": None, "unit": "months", "count": 3}, "3 个月"),
    ],
)
def test_a_limit_says_until_when_and_how_much_of_it_is_used(
    changes: dict[str, Any], words: str
) -> None:
    assert case_words.clock(clock(**changes)) == words


@pytest.mark.parametrize(
    ("days", "words"), [(-5, "已逾期 5 天"), (0, "今天到期"), (3, "还有 3 天"), (None, "")]
)
def test_the_days_that_are_left(days: int | None, words: str) -> None:
    assert case_words.days_left(days) == words


def test_what_differs_is_said_with_both_figures_as_far_as_there_are_any() -> None:
    said = case_words.difference
    assert said("deposit", "未申报", None, Decimal(1520)) == "存款未申报，查得 1,520.00 元"
    assert said("wage", "申报而查无", Decimal(600), None) == "工资性收入申报而查无，申报 600.00 元"
    assert said("vehicle", "未申报", None, None) == "机动车辆未申报"
    assert said("dwelling", "查得多于申报", Decimal(60), Decimal(90)) == (
        "住房查得多于申报，申报 60 平方米，查得 90 平方米"
    )
    assert said("deceased", "有殡葬记录", None, None) == "有殡葬记录"


def test_a_member_shows_what_is_not_ordinary_alone() -> None:
    ordinary = {"education": "none", "work_capacity": "full", "employed": False}
    assert case_words.situation(ordinary) == []
    disabled = {**ordinary, "disability": {"kind": "mental", "grade": 1}, "work_capacity": "none"}
    assert case_words.situation(disabled) == ["精神残疾1级", "丧失劳动能力"]


def test_what_is_not_signed_is_said() -> None:
    assert case_words.signed(date(2025, 6, 1), date(2025, 6, 1)) == "已承诺、已授权"
    assert case_words.signed(date(2025, 6, 1), None) == "已承诺、未授权"


def assessment(**changes: Any) -> Assessment:
    case = Case(stand.identity(1, 1), 1, "awaiting")
    return Assessment.model_validate({**stand.assessment_of(case), **changes})


def test_the_amount_is_shown_as_it_is_reckoned() -> None:
    """Standard × persons − income, never a difference per head × persons."""
    sums = findings.sums(assessment(), {MEMBER: "张**（申请人）"})
    assert sums["低保金"] == "770.00 元 × 3 人 − 480.00 元 ＝ 每月 1,830.00 元"
    assert sums["分类重点救助"] == "张**（申请人）残疾人 40.00 元"
    assert sums["合计"] == "每月 1,930.00 元"


def test_the_rows_of_the_income_add_up_to_its_total() -> None:
    """民发〔2021〕57号 art. 13: what is owed and not given is added, a burden taken off."""
    case = Case(stand.identity(1, 1), 1, "awaiting")
    told = IncomeOut.model_validate(stand.assessment_of(case)["income"])
    income = Income.model_validate(told.model_dump(mode="json"))
    rows = findings.income_rows(income, {stand.SUPPORTER: "张**（子女）"})
    assert [one.net for one in rows] == [Decimal(480), 0, Decimal(250), Decimal(-250)]
    assert sum(one.net for one in rows) == income.total
    assert rows[2].notes[0].startswith("张**（子女）应给付 300.00 元")
    assert rows[3].title == "残疾刚性支出"


def test_who_is_taken_in_alone_is_named() -> None:
    """民发〔2022〕83号 1: 单人户."""
    alone = [{"member": MEMBER, "amount": "770.00", "asked": True}]
    sums = findings.sums(
        assessment(outcome="alone", base=None, alone=alone), {MEMBER: "张**（申请人）"}
    )
    assert "低保金" not in sums
    assert sums["单独纳入"] == "张**（申请人）每月 770.00 元"


def test_a_change_tells_what_it_does_and_a_fraud_what_it_costs() -> None:
    """社会救助法 art. 73."""
    case = Case(stand.identity(1, 1), 1, "proposed", "dibao_change")
    fraud = {"since": "2025-01-05", "recovery": "7320.00", "fine_least": "7320.00",
             "fine_most": "21960.00"}  # fmt: skip
    change = Change.model_validate({**stand.change_of(case), "fraud": fraud})
    told = findings.told(change)
    assert told["每月合计"] == "1,220.00 元 → 0.00 元（停发）"
    assert told["拟自"] == "2025年7月1日"
    assert told["骗取"].startswith("自2025年1月5日起，应退回 7,320.00 元")


def test_deaths_that_awards_have_to_follow_are_told_with_the_first_last_day() -> None:
    """民发〔2022〕83号 1(3)."""
    awards = [stand.bereft(number) for number in (3, 2)]
    found = AwardPage.model_validate({"items": awards})
    assert todo.deaths(found) == "有 2 户家庭成员死亡，最早的须在2025年7月2日前调整待遇。"
    unlimited = awards[0] | {"death_review_due_on": None}
    assert todo.deaths(AwardPage.model_validate({"items": [unlimited]})) == (
        "有 1 户家庭成员死亡，须调整待遇。"
    )
    assert not todo.deaths(AwardPage(items=[]))
