"""What counts as income: 57号 art. 13, 条例 (2016) art. 12, 83号 1(1), relief.md §11 #23, §14."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from chassis.law.dates import add_months
from services.relief.entitlement.facts import Household, IncomeKind, Support
from services.relief.entitlement.income import reckon
from services.relief.parameters.rules import Law
from tests.services.relief.entitlement.families import (
    DAY,
    OF_THE_COUNTY,
    URBAN,
    answer,
    disabled,
    income,
    law_on,
    passed,
    three,
)

ALL = frozenset("abc")


def total(household: Household, *, law: Law | None = None, **how: Any) -> Fraction:
    return reckon(household, ALL, law=law or law_on(), standard=URBAN, **how).total


def test_57_13_1_wages_are_net_of_the_cost_of_working() -> None:
    assert total(three(income("a", "wage", 1500))) == 1200  # 20 %
    assert total(three(income("a", "wage", 3000))) == 3000 - 385  # at most half the standard


def test_57_13_the_cost_of_working_is_taken_off_once_for_each_person() -> None:
    split = three(income("a", "wage", 1500), income("a", "wage", 1500))
    assert total(split) == 3000 - 385
    both = three(income("a", "wage", 3000), income("b", "wage", 3000))
    assert total(both) == 2 * (3000 - 385)


@pytest.mark.parametrize(
    ("method", "value", "wage", "net"),
    [
        ("fixed", "200", 1000, 800),
        ("fixed", "200", 150, 0),
        ("fixed", "900", 1000, 615),
        ("pct_of_standard", "0.1", 1000, 923),
        ("pct_of_wage", "0", 1000, 1000),
    ],
)
def test_57_13_the_method_of_the_cost_is_a_parameter(
    method: str, value: str, wage: int, net: int
) -> None:
    law = law_on(
        dibao__employment_cost__method=method, dibao__employment_cost__value=Decimal(value)
    )
    assert total(three(income("a", "wage", wage)), law=law) == net


@pytest.mark.parametrize(
    ("since", "net"),
    [("2024-07-31", 1200), ("2024-06-30", 1500), (None, 1200), ("2025-07-02", 1200)],
)
def test_the_cost_of_working_is_taken_off_for_twelve_months_from_that_of_the_first_day_at_work(
    since: str | None, net: int
) -> None:
    """Of the wage of June 2025; where the first day is not known, it is, and the line says so."""
    asked = three(income("a", "wage", 1500))
    at_work = replace(asked.members[0], employed_since=since and date.fromisoformat(since))
    found = answer(replace(asked, members=(at_work, *asked.members[1:]))).income
    assert found.total == net
    note = found.lines[0].note
    assert ("已扣满 12 个月" in note, "就业起始月未登记" in note) == (net == 1500, since is None)


def test_of_a_year_of_wages_the_months_within_the_limit_bear_the_cost() -> None:
    """Looked at are twelve months, of which nine are within twelve of the first at work."""
    asked = three(income("a", "wage", 18000, "2024-07-01", months=12))
    at_work = replace(asked.members[0], employed_since=date(2024, 4, 1))
    for method, value, cost in (("pct_of_wage", "0.2", 225), ("fixed", "100", 75)):
        law = law_on(
            dibao__income__window__months=12,
            dibao__employment_cost__method=method,
            dibao__employment_cost__value=Decimal(value),
        )
        household = replace(asked, members=(at_work, *asked.members[1:]))
        assert total(household, law=law) == 1500 - cost


def test_before_57_no_cost_of_working_is_taken_off() -> None:
    law = law_on(date(2021, 6, 30))
    assert total(three(income("a", "wage", 1500)), law=law) == 1500


def test_ordinance_12_other_income_is_that_of_the_month_before_the_application() -> None:
    assert total(three(income("a", "pension", 900, "2025-06-01"))) == 900
    assert total(three(income("a", "pension", 900, "2025-05-01"))) == 0
    assert total(three(income("a", "pension", 900, "2025-07-01"))) == 0
    assert total(three(income("a", "pension", 1200, "2024-07-01", months=12))) == 100


def test_ordinance_12_farming_is_twelve_months_by_twelve() -> None:
    assert total(three(income("a", "farming", 2400, "2024-07-01", months=12))) == 200
    assert total(three(income("a", "farming", 1200, "2024-10-01"))) == 100
    assert total(three(income("a", "farming", 1200, "2024-06-01"))) == 0
    assert total(three(income("a", "farming", 2400, "2023-07-01", months=24))) == 100


def test_the_months_looked_at_are_a_parameter() -> None:
    law = law_on(dibao__income__window__months=12)
    assert total(three(income("a", "pension", 1200, "2024-12-01")), law=law) == 100


def test_income_out_of_the_months_looked_at_is_shown_and_not_counted() -> None:
    found = answer(three(income("a", "pension", 900, "2025-05-01"))).income.lines[0]
    assert (found.counted, found.note) == (False, "不在核算期内")


def test_relief_md_11_23_transfers_received_less_transfers_paid() -> None:
    household = three(
        income("a", "pension", 1500),
        income("a", "support_paid", 300),
        income("b", "insurance_paid", 100),
    )
    assert total(household) == 1100


@pytest.mark.parametrize(("offsetting", "expected"), [((), 1000), (("transfers",), 600)])
def test_relief_md_14_whether_net_transfers_fall_below_nothing_is_a_parameter(
    offsetting: tuple[str, ...], expected: int
) -> None:
    household = three(income("a", "property", 1000), income("a", "tax_paid", 400))
    law = law_on(dibao__income__offsetting=frozenset(offsetting))
    assert total(household, law=law) == expected


@pytest.mark.parametrize(("offsetting", "expected"), [((), 1000), (("business",), 600)])
def test_relief_md_14_whether_a_loss_offsets_other_income_is_a_parameter(
    offsetting: tuple[str, ...], expected: int
) -> None:
    household = three(income("a", "property", 1000), income("b", "business", -400))
    law = law_on(dibao__income__offsetting=frozenset(offsetting))
    assert total(household, law=law) == expected


def test_a_shortfall_that_is_not_set_off_is_told() -> None:
    found = answer(three(income("a", "property", 1000), income("a", "tax_paid", 400)))
    assert any("转移性支出超过" in note for note in found.notes)


def test_income_is_never_below_nothing() -> None:
    law = law_on(dibao__income__offsetting=frozenset({"transfers"}))
    assert total(three(income("a", "tax_paid", 400)), law=law) == 0


NOT_COUNTED = [
    "veterans_allowance",
    "family_planning_award",
    "scholarship",
    "bravery_award",
    "government_relief",
    "basic_pension",
    "disability_subsidy",
    "unattended_child_allowance",
    "other_exempt",
]


@pytest.mark.parametrize("kind", NOT_COUNTED)
def test_57_13_what_is_not_counted(kind: str) -> None:
    found = reckon(three(income("a", kind, 5000)), ALL, law=law_on(), standard=URBAN)
    assert found.total == 0
    assert (found.lines[0].counted, found.lines[0].note) == (False, "按规定不计入家庭收入")


def test_57_13_3_the_basic_pension_is_out_from_2021_07_01_and_stays_out_unconfirmed() -> None:
    def counted(day: date) -> Fraction:
        month = f"{add_months(day, -1)}"
        facts = (income("a", "basic_pension", 115, month),)
        household = replace(three(), applied_on=day, incomes=facts)
        return total(household, law=law_on(day))

    assert counted(date(2021, 6, 30)) == 115
    assert counted(date(2021, 7, 1)) == 0
    assert counted(date(2026, 1, 1)) == 0
    assert law_on(date(2025, 12, 31)).codes("dibao.income.not_counted").confirmed
    assert not law_on(date(2026, 1, 1)).codes("dibao.income.not_counted").confirmed


def test_every_kind_has_an_item_and_an_article() -> None:
    for kind in IncomeKind:
        line = answer(three(income("a", kind.value, 10, reason="已核实"))).income.lines[0]
        assert line.article, kind


def test_57_13_income_of_a_member_who_is_not_counted_is_not_counted() -> None:
    found = reckon(three(income("c", "other", 500)), frozenset("ab"), law=law_on(), standard=URBAN)
    assert found.total == 0
    assert found.lines[0].note == "不是计入的家庭成员"


def test_83_1_1_imputed_income_needs_a_reason_of_a_person() -> None:
    open_ = answer(three(income("a", "imputed", 1000)))
    assert open_.outcome == "undecided"
    assert passed(open_)["imputed_income_reasoned"] is None
    assert open_.unsettled[-1].remedy
    settled = answer(three(income("a", "imputed", 1000, reason="有零工，长期稳定")))
    assert settled.outcome == "entitled"
    assert settled.base == 1310


def test_83_1_1_what_is_imputed_without_reason_refuses_nobody() -> None:
    found = answer(three(income("a", "imputed", 9000)))
    assert passed(found)["income_below_standard"] is None
    assert found.outcome == "undecided"


def test_a_family_over_the_limit_without_the_imputed_part_is_refused_all_the_same() -> None:
    found = answer(three(income("a", "imputed", 1000), income("a", "other", 9000)))
    assert found.outcome == "not_entitled"


def test_83_1_1_support_marked_as_disregarded_counts_in_the_family() -> None:
    support = income("a", "support_received", 500, disregarded=True, reason="由62岁姐姐供养")
    assert total(three(support)) == 500
    assert total(three(support), disregarding="a") == 0
    assert total(three(support), disregarding="b") == 500


def test_83_1_1_support_is_not_disregarded_without_a_reason() -> None:
    support = income("a", "support_received", 500, disregarded=True)
    assert total(three(support), disregarding="a") == 500


def test_83_1_1_only_upkeep_is_disregarded_never_a_wage() -> None:
    wage = income("a", "pension", 500, disregarded=True, reason="由62岁姐姐供养")
    assert total(three(wage), disregarding="a") == 500


def test_domain_b1_6_nothing_is_rounded_before_the_end() -> None:
    found = answer(three(income("a", "farming", "1000", "2024-07-01", months=12)))
    assert found.income.total == Fraction(1000, 12)
    assert found.base == 2227  # 2310 − 83.33… = 2226.66…
    assert found.day == DAY


BY_GRADE = {f"grade_{grade}": Decimal(amount) for grade, amount in enumerate((300, 200, 0, 0), 1)}


def strained(**more: Any) -> Household:
    """A household with 1500 yuan, of which one is disabled of grade 2 and ill."""
    asked = three(income("a", "pension", 1500), **more)
    burdened = replace(asked.members[0], disability=disabled("vision", 2), severe_illness=True)
    return replace(asked, members=(burdened, *asked.members[1:]))


def test_57_13_without_a_figure_nothing_is_taken_off_for_disability_and_it_says_so() -> None:
    found = answer(strained())
    assert (found.income.total, found.income.deductions) == (1500, ())
    (note,) = [one for one in found.notes if "刚性支出" in one]
    assert "残疾、患重病" in note
    assert not any("刚性支出" in one for one in answer(three()).notes)


def test_57_13_what_a_county_sets_for_disability_and_illness_is_taken_off_with_its_source() -> None:
    law = law_on(
        dibao__deduction__disability=BY_GRADE, dibao__deduction__severe_illness=Decimal(150)
    )
    found = answer(strained(), law=law)
    assert found.income.total == 1500 - 200 - 150
    assert [(one.member, one.ground, one.amount) for one in found.income.deductions] == [
        ("a", "残疾", 200),
        ("a", "患重病", 150),
    ]
    for one in found.income.deductions:
        assert (one.source, one.valid_from) == (OF_THE_COUNTY, date(2025, 1, 1))
    assert found.base == 3 * URBAN - 1150
    assert [one for one in found.notes if "刚性支出" in one] == [
        f"申请人因残疾增加的刚性支出每月扣减 200.00 元（{OF_THE_COUNTY}，自 2025-01-01 起）",
        f"申请人因患重病增加的刚性支出每月扣减 150.00 元（{OF_THE_COUNTY}，自 2025-01-01 起）",
    ]
    alone = reckon(strained(), frozenset("b"), law=law, standard=URBAN)
    assert (alone.total, alone.deductions) == (0, ())


def owes(amount: int, **more: Any) -> Support:
    return Support("a", "s", Decimal(amount), persons=2, **more)


FORMULA = {
    "dibao__support__surplus_multiple": Decimal(2),
    "dibao__support__share": Decimal("0.5"),
}


def test_domain_b1_3_support_is_the_share_of_what_the_supporter_has_beyond() -> None:
    """4080 of two persons, of which 2 × 770 a head are left to them: 1000, half of it."""
    law = law_on(**FORMULA)
    assert total(three(supports=(owes(4080),)), law=law) == 500
    assert total(three(supports=(owes(3080),)), law=law) == 0
    assert total(three(supports=(owes(4080, owed=2),)), law=law) == 250
    both = (owes(4080), replace(owes(4080), supporter="t"))
    assert total(three(supports=both), law=law) == 1000
    given = three(income("a", "support_received", 300), supports=both)
    found = answer(given, law=law).income
    assert found.total == 1000
    assert [(one.amount, one.added) for one in found.support] == [(500, 200), (500, 500)]
    assert {(one.source, one.valid_from) for one in found.support} == {
        (OF_THE_COUNTY, date(2025, 1, 1))
    }
    more = three(income("a", "support_received", 1300), supports=both)
    assert total(more, law=law) == 1300


def test_domain_b1_3_without_both_figures_only_what_is_given_counts_and_it_says_so() -> None:
    for set_ in ({}, *({key: value} for key, value in FORMULA.items())):
        law = law_on(**set_)
        found = answer(three(income("a", "support_received", 300), supports=(owes(9000),)), law=law)
        assert (found.income.total, found.income.support) == (300, ())
        assert any("没有赡养（抚养、扶养）费的计算办法" in one for one in found.notes)
    named_nobody = answer(three(), law=law_on(**FORMULA)).notes
    assert any("没有登记义务人的收入" in one for one in named_nobody)


def test_83_1_1_support_by_formula_is_disregarded_as_what_is_given_is() -> None:
    marked = owes(4080, disregarded=True, reason="经认定")
    law = law_on(**FORMULA)
    assert total(three(supports=(marked,)), law=law, disregarding="a") == 0
    assert total(three(supports=(marked,)), law=law) == 500
