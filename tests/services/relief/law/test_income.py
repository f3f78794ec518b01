"""What counts as income: 民发〔2021〕57号 art. 13, ordinance art. 12, 民发〔2022〕83号 1(1).

domain.md B1.3 as relief.md §2 corrects it.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.services.relief.law.window import (
    GROWN,
    SEVERE,
    Json,
    Window,
    applicant,
    child,
    cited,
    condition,
    income,
    line,
    spouse,
    three,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = "2025-07-15"
RECEIVED = (
    "business",
    "property",
    "support_received",
    "pension",
    "unemployment",
    "compensation",
    "donation",
    "other_transfer",
    "other",
)
PAID = ("tax_paid", "insurance_paid", "support_paid", "other_paid")
NOT_COUNTED = (
    "veterans_allowance",
    "family_planning_award",
    "scholarship",
    "bravery_award",
    "government_relief",
    "disability_subsidy",
    "unattended_child_allowance",
)


async def total(window: Window, *incomes: Json, day: str = DAY, **more: Any) -> str:
    answer = await window.answer([applicant(*incomes)], day, **more)
    return str(answer["income"]["total"])


@pytest.mark.parametrize("kind", RECEIVED)
@pytest.mark.parametrize("day", ["2021-06-30", "2021-07-01", DAY, "2026-07-01"])
async def test_minfa_2021_57_art_13_each_item_counts(window: Window, kind: str, day: str) -> None:
    answer = await window.answer([applicant(income(kind, "123.45"))], day)
    assert answer["income"]["total"] == "123.45"
    assert line(answer, kind)["counted"] is True


async def test_minfa_2021_57_art_12_the_income_of_every_counted_member_is_added(
    window: Window,
) -> None:
    members = [
        applicant(income("pension", "100.10"), income("other", "20.20")),
        spouse(income("property", "3.03")),
        child(income("donation", "0.05")),
    ]
    answer = await window.answer(members, DAY)
    assert answer["income"]["total"] == "123.38"


@pytest.mark.parametrize(
    ("first_month", "months", "amount", "expected"),
    [
        ("2025-06-01", 1, "500", "500.00"),
        ("2025-06-30", 1, "500", "500.00"),
        ("2025-05-01", 1, "500", "0.00"),
        ("2025-07-01", 1, "500", "0.00"),
        ("2025-04-01", 3, "900", "300.00"),
        ("2024-07-01", 12, "6000", "500.00"),
    ],
)
async def test_ordinance_art_12_the_month_before_the_application_counts(
    window: Window, first_month: str, months: int, amount: str, expected: str
) -> None:
    one = income("pension", amount, first_month=first_month, months=months)
    assert await total(window, one) == expected


@pytest.mark.parametrize("applied_on", ["2025-03-01", "2025-03-31"])
async def test_ordinance_art_12_the_month_before_is_told_from_the_day_of_application(
    window: Window, applied_on: str
) -> None:
    february = income("pension", "222", first_month="2025-02-01")
    assert await total(window, february, day="2025-04-20", applied_on=applied_on) == "222.00"
    may = income("pension", "222", first_month="2025-03-01")
    assert await total(window, may, day="2025-04-20", applied_on=applied_on) == "0.00"


@pytest.mark.parametrize(
    ("first_month", "months", "amount", "expected"),
    [
        ("2024-07-01", 12, "6000", "500.00"),
        ("2024-07-01", 1, "6000", "500.00"),
        ("2025-06-01", 1, "6000", "500.00"),
        ("2024-06-01", 1, "6000", "0.00"),
        ("2024-01-01", 12, "2400", "100.00"),
    ],
)
async def test_ordinance_art_12_farming_is_a_twelfth_of_the_twelve_months_before(
    window: Window, first_month: str, months: int, amount: str, expected: str
) -> None:
    harvest = income("farming", amount, first_month=first_month, months=months)
    assert await total(window, harvest, area="rural") == expected


@pytest.mark.parametrize(("harvest", "family"), [("22679.99", "dibao"), ("22680.00", "edge")])
async def test_ordinance_art_12_a_twelfth_of_a_harvest_is_not_rounded_before_the_limit(
    window: Window, harvest: str, family: str
) -> None:
    """22,679.99 ÷ 12 = 1,889.9992 is shown as 1,890.00 = 3 × 630 and yet stands below it."""
    members = three("0")
    members[0]["incomes"] = [income("farming", harvest, first_month="2024-07-01", months=12)]
    answer = await window.answer(members, DAY, "rural")
    assert answer["family"] == family


async def test_minfa_2021_57_art_13_1_wages_are_net_of_the_cost_of_working_once(
    window: Window,
) -> None:
    answer = await window.answer([applicant(income("wage", "1400"), employed=True)], DAY)
    wage = line(answer, "wage")
    deducted = Decimal(wage["deducted"])
    assert 0 < deducted < 1400
    assert Decimal(wage["amount"]) == 1400
    assert wage["counted"] is True
    assert Decimal(answer["income"]["total"]) == 1400 - deducted


async def test_plan_3_2_relief_md_12_2_the_cost_of_working_has_no_national_number_and_says_so(
    window: Window,
) -> None:
    answer = await window.answer([applicant(income("wage", "1400"), employed=True)], DAY)
    assert any(key.startswith("dibao.employment_cost") for key in unconfirmed(answer))


async def test_relief_md_6_the_cost_of_working_helps_an_edge_family_too(window: Window) -> None:
    answer = await window.answer([applicant(income("wage", "1160"), employed=True)], DAY)
    assert Decimal(answer["income"]["total"]) < 1155
    assert answer["family"] == "edge"


async def test_ordinance_art_12_nothing_was_taken_off_wages_before_57(window: Window) -> None:
    answer = await window.answer([applicant(income("wage", "500"), employed=True)], "2021-06-30")
    assert answer["income"]["total"] == "500.00"
    after = await window.answer([applicant(income("wage", "500"), employed=True)], "2021-07-01")
    assert Decimal(after["income"]["total"]) < 500


async def test_minfa_2021_57_art_13_only_wages_bear_the_cost_of_working(window: Window) -> None:
    for kind in RECEIVED:
        answer = await window.answer([applicant(income(kind, "500"))], DAY)
        assert line(answer, kind)["deducted"] == "0.00"


async def test_relief_md_11_23_pension_less_support_and_insurance_paid(window: Window) -> None:
    incomes = (
        income("pension", "1500"),
        income("support_paid", "300"),
        income("insurance_paid", "100"),
    )
    assert await total(window, *incomes) == "1100.00"


@pytest.mark.parametrize("paid", PAID)
async def test_minfa_2021_57_art_13_4_what_is_paid_on_is_taken_off_transfers(
    window: Window, paid: str
) -> None:
    answer = await window.answer([applicant(income("pension", "700"), income(paid, "99.99"))], DAY)
    assert answer["income"]["total"] == "600.01"
    assert Decimal(line(answer, paid)["amount"]) == Decimal("-99.99")


async def test_minfa_2021_57_art_13_4_transfers_are_netted_in_the_family_not_in_each_member(
    window: Window,
) -> None:
    members = [applicant(income("pension", "1500")), spouse(income("support_paid", "400"))]
    answer = await window.answer(members, DAY)
    assert answer["income"]["total"] == "1100.00"


@pytest.mark.parametrize(
    "kind",
    ["support_received", "unemployment", "compensation", "donation", "other_transfer"],
)
async def test_minfa_2021_57_art_13_4_every_kind_of_transfer_bears_what_is_paid_on(
    window: Window, kind: str
) -> None:
    incomes = (income(kind, "500"), income("support_paid", "100"))
    assert await total(window, *incomes) == "400.00"


async def test_minfa_2021_57_art_13_1_two_jobs_bear_the_cost_of_working_of_one_worker(
    window: Window,
) -> None:
    one = await total(window, income("wage", "6000"))
    two = await total(window, income("wage", "2500"), income("wage", "3500"))
    assert one == two


async def test_relief_md_14_whether_net_transfers_fall_below_nothing_is_owned_as_open(
    window: Window,
) -> None:
    members = [applicant(income("pension", "100"), income("tax_paid", "300"))]
    answer = await window.answer(members, DAY)
    assert "dibao.income.offsetting" in unconfirmed(answer)
    assert Decimal(answer["base"]) <= 770


@pytest.mark.parametrize("kind", NOT_COUNTED)
@pytest.mark.parametrize("day", ["2021-07-01", DAY, "2025-12-31", "2026-01-01", "2026-07-01"])
async def test_minfa_2021_57_art_13_what_the_state_gives_in_honour_or_need_is_not_counted(
    window: Window, kind: str, day: str
) -> None:
    answer = await window.answer([applicant(income("pension", "50"), income(kind, "5000"))], day)
    assert answer["income"]["total"] == "50.00"
    assert line(answer, kind)["counted"] is False
    assert line(answer, kind)["article"]
    assert answer["family"] == "dibao"


@pytest.mark.parametrize("day", ["2018-06-01", "2021-06-30"])
async def test_guofa_2015_52_the_two_subsidies_of_disabled_persons_are_not_counted(
    window: Window, day: str
) -> None:
    answer = await window.answer([applicant(income("disability_subsidy", "5000"))], day)
    assert answer["income"]["total"] == "0.00"


async def test_minfa_2019_62_the_allowance_of_unattended_children_is_not_counted(
    window: Window,
) -> None:
    member = child(income("unattended_child_allowance", "5000"))
    answer = await window.answer([applicant(), member], "2020-06-01")
    assert answer["income"]["total"] == "0.00"


@pytest.mark.parametrize(
    ("day", "counted"), [("2021-06-30", True), ("2021-07-01", False), ("2025-12-31", False)]
)
async def test_minfa_2021_57_art_13_the_central_basic_pension_is_left_out_in_the_14th_plan(
    window: Window, day: str, counted: bool
) -> None:
    answer = await window.answer([applicant(income("basic_pension", "143"))], day)
    assert line(answer, "basic_pension")["counted"] is counted
    if not counted:
        assert "dibao.income.not_counted" not in unconfirmed(answer)


@pytest.mark.parametrize("day", ["2026-01-01", "2026-07-01"])
async def test_relief_md_12_3_the_basic_pension_after_2025_is_owned_as_open(
    window: Window, day: str
) -> None:
    answer = await window.answer([applicant(income("basic_pension", "143"))], day)
    assert "dibao.income.not_counted" in unconfirmed(answer)


async def test_minfa_2022_83_1_1_imputed_income_with_a_persons_reason_counts(
    window: Window,
) -> None:
    one = income("imputed", "500", reason="常年在本村打零工，雇主证实")
    answer = await window.answer([applicant(one)], DAY)
    assert (answer["outcome"], answer["income"]["total"]) == ("entitled", "500.00")
    assert condition(answer, "imputed_income_reasoned")["passed"] is True


@pytest.mark.parametrize("day", ["2022-10-20", DAY, "2026-07-01"])
async def test_minfa_2022_83_1_1_nobody_is_refused_or_cut_by_income_imputed_without_a_reason(
    window: Window, day: str
) -> None:
    for amount in ("500", "5000"):
        answer = await window.answer([applicant(income("imputed", amount))], day)
        assert condition(answer, "imputed_income_reasoned")["passed"] is not True
        assert (answer["outcome"], answer["base"]) == ("undecided", None)


KEPT: dict[str, Any] = {"disability": SEVERE, "work_capacity": "none"}
UPKEEP = income("support_received", "500", disregarded=True, reason="兄长供养，兄长家庭亦困难")


async def test_minfa_2022_83_1_1_what_a_sibling_gives_an_unemployed_severely_disabled_adult(
    window: Window,
) -> None:
    """“在评估认定其家庭经济状况时”: also where he is a family of his own."""
    before = await window.answer([applicant(UPKEEP, **KEPT)], "2022-10-19")
    assert before["income"]["total"] == "500.00"
    after = await window.answer([applicant(UPKEEP, **KEPT)], "2022-10-20")
    assert (after["outcome"], after["base"]) == ("entitled", "717.00")


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {**KEPT, "employed": True},
        {**KEPT, "disability": {"kind": "physical", "grade": 3}},
        {**KEPT, "born": "2012-01-01"},
    ],
)
async def test_minfa_2022_83_1_1_upkeep_of_anybody_else_counts(
    window: Window, facts: dict[str, Any]
) -> None:
    answer = await window.answer([applicant(UPKEEP, **facts)], DAY)
    assert answer["income"]["total"] == "500.00"


async def test_minfa_2022_83_1_1_nothing_but_upkeep_can_be_disregarded(window: Window) -> None:
    wage = income("pension", "500", disregarded=True, reason="理由")
    assert await total(window, wage) == "500.00"
    found = await window.answer([applicant(wage, **KEPT)], DAY)
    assert found["income"]["total"] == "500.00"


async def test_minfa_2022_83_1_1_upkeep_is_not_disregarded_without_a_reason(
    window: Window,
) -> None:
    silent = income("support_received", "500", disregarded=True)
    answer = await window.answer([applicant(silent, **KEPT)], DAY)
    assert answer["base"] == "270.00"


async def test_minfa_2021_57_art_13_rigid_spending_of_the_ill_has_no_number_and_is_told(
    window: Window,
) -> None:
    """“按规定适当扣减”: no rule of the city is known, so the answer says that none was applied."""
    answer = await window.answer([applicant(income("pension", "800"), severe_illness=True)], DAY)
    assert any("扣减" in note for note in answer["notes"])


async def test_relief_md_3_rural_income_is_held_against_the_rural_standard(window: Window) -> None:
    one = income("pension", "650")
    assert (await window.answer([applicant(one)], DAY, "urban"))["family"] == "dibao"
    assert (await window.answer([applicant(one)], DAY, "rural"))["family"] == "edge"


async def test_ordinance_art_12_the_window_is_the_ordinances_and_cited(window: Window) -> None:
    answer = await window.answer(
        [applicant(income("pension", "10")), child(born=GROWN, independent=False)], DAY
    )
    assert "条例" in cited(answer)["dibao.income.window.months"]["source"]
