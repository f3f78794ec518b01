"""Strict limits and the amount: ordinance art. 10, 20; 民发〔2021〕57号 art. 8, 23; 法 18, 21."""

from decimal import Decimal
from math import ceil

import pytest

from tests.services.relief.law.window import (
    Window,
    applicant,
    cited,
    condition,
    income,
    spouse,
    standard,
    three,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEFORE_EDGE = ("2018-01-01", "2019-12-31", "2020-01-01", "2021-06-30")
WITH_EDGE = (
    "2021-07-01",
    "2021-08-31",
    "2021-09-01",
    "2022-08-31",
    "2022-09-01",
    "2022-10-19",
    "2022-10-20",
    "2023-09-01",
    "2024-09-01",
    "2025-06-30",
    "2025-07-01",
    "2025-12-31",
    "2026-01-01",
    "2026-06-30",
    "2026-07-01",
)
AREAS = ("urban", "rural")
CENT = Decimal("0.01")


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("day", BEFORE_EDGE + WITH_EDGE)
async def test_ordinance_art_10_law_art_18_three_persons_a_cent_below_the_standard_are_in(
    window: Window, day: str, area: str
) -> None:
    amount = standard(day, area)
    answer = await window.answer(three(str(3 * amount - CENT)), day, area)
    assert Decimal(answer["standard"]["amount"]) == amount
    assert (answer["outcome"], answer["family"], answer["persons"]) == ("entitled", "dibao", 3)
    assert Decimal(answer["base"]) > 0
    assert condition(answer, "income_below_standard")["passed"] is True


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("day", BEFORE_EDGE)
async def test_ordinance_art_10_exactly_at_the_standard_is_out_and_no_edge_family_before_57(
    window: Window, day: str, area: str
) -> None:
    answer = await window.answer(three(str(3 * standard(day, area))), day, area)
    assert (answer["outcome"], answer["family"]) == ("not_entitled", "none")
    assert condition(answer, "income_below_standard")["passed"] is False
    assert answer["base"] is None


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("day", WITH_EDGE)
async def test_minfa_2021_57_art_8_exactly_at_the_standard_is_an_edge_family(
    window: Window, day: str, area: str
) -> None:
    answer = await window.answer(three(str(3 * standard(day, area))), day, area)
    assert (answer["outcome"], answer["family"]) == ("edge", "edge")
    assert answer["base"] is None
    assert answer["total"] is None
    assert answer["payable_from"] is None


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("day", WITH_EDGE)
async def test_minfa_2021_57_art_8_edge_ends_strictly_below_one_and_a_half(
    window: Window, day: str, area: str
) -> None:
    limit = Decimal("4.5") * standard(day, area)
    below = await window.answer(three(str(limit - CENT)), day, area)
    assert (below["outcome"], below["family"]) == ("edge", "edge")
    at = await window.answer(three(str(limit)), day, area)
    assert (at["outcome"], at["family"]) == ("not_entitled", "none")
    assert condition(at, "income_below_edge")["passed"] is False


@pytest.mark.parametrize("day", ["2021-07-01", "2022-10-20", "2026-06-30"])
async def test_minfa_2021_57_art_8_one_and_a_half_is_the_texts_own_number(
    window: Window, day: str
) -> None:
    multiple = cited(await window.answer(three("2000"), day))["dibao.edge.multiple"]
    assert Decimal(multiple["value"]) == Decimal("1.5")
    assert multiple["confirmed"] is True


async def test_law_art_21_the_province_sets_the_edge_and_none_of_its_texts_is_known(
    window: Window,
) -> None:
    answer = await window.answer(three("2400"), "2026-07-01")
    assert "dibao.edge.multiple" in unconfirmed(answer)


@pytest.mark.parametrize(
    ("area", "amount", "family"),
    [
        ("urban", "1154.99", "edge"),
        ("urban", "1155.00", "none"),
        ("rural", "944.99", "edge"),
        ("rural", "945.00", "none"),
    ],
)
async def test_relief_md_11_4_edge_in_july_2025(
    window: Window, area: str, amount: str, family: str
) -> None:
    answer = await window.answer([applicant(income("pension", amount))], "2025-07-01", area)
    assert answer["family"] == family


@pytest.mark.parametrize(("amount", "base"), [("2309.00", "1.00"), ("2310.00", None)])
async def test_relief_md_11_5_one_yuan_or_nothing(
    window: Window, amount: str, base: str | None
) -> None:
    answer = await window.answer(three(amount), "2025-07-15")
    assert answer["base"] == base
    assert (answer["family"] == "dibao") is (base is not None)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (three("1500"), ("dibao", "360.00")),
        (three("1860"), ("edge", None)),
        ([applicant(income("pension", "619.99"))], ("dibao", "1.00")),
        ([applicant(income("pension", "930"))], ("none", None)),
        ([applicant(income("pension", "929.99"))], ("edge", None)),
    ],
)
async def test_domain_md_d3_the_standard_of_620(
    window: Window, members: list[dict[str, object]], expected: tuple[str, str | None]
) -> None:
    answer = await window.answer(members, "2021-07-15")
    assert (answer["family"], answer["base"]) == expected


async def test_domain_md_d3_the_difference_is_taken_before_any_division(window: Window) -> None:
    """632 × 3 − 1894 = 2; (632 − 1894 ÷ 3) × 3 in two places gives more."""
    county = "500109000000"
    await window.set_standard(county, "urban", "2020-01-01", "632")
    body = {"as_of": "2021-03-01", "area": "urban", "division": county, "members": three("1894")}
    answer = await window.post(body, divisions=[county])
    assert answer.status_code == 200, answer.text
    assert answer.json()["base"] == "2.00"


@pytest.mark.parametrize("day", ["2020-06-01", "2025-07-15", "2026-07-01"])
@pytest.mark.parametrize("total", ["0", "0.01", "1000.50", "1859.99"])
async def test_ordinance_art_20_the_base_is_the_difference_and_its_rounding_is_owned_as_open(
    window: Window, day: str, total: str
) -> None:
    answer = await window.answer(three(total), day)
    difference = 3 * standard(day, "urban") - Decimal(total)
    rounding = cited(answer)["dibao.round"]
    assert (rounding["value"], rounding["confirmed"]) == ("ceil_yuan", False)
    assert Decimal(answer["base"]) == ceil(difference)
    assert cited(answer)["dibao.amount.method"]["value"] == "difference"


async def test_ordinance_art_10_income_is_shared_by_the_counted_persons_alone(
    window: Window,
) -> None:
    members = [applicant(income("pension", "1539.99")), spouse(in_prison=True)]
    answer = await window.answer(members, "2025-07-15")
    assert answer["family"] == "none"
    together = await window.answer(
        [applicant(income("pension", "1539.99")), spouse()], "2025-07-15"
    )
    assert (together["family"], together["base"]) == ("dibao", "1.00")


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize(
    ("before", "after"),
    [("2021-08-31", "2021-09-01"), ("2022-08-31", "2022-09-01"), ("2025-06-30", "2025-07-01")],
)
async def test_relief_md_3_the_rise_of_the_standard_raises_the_base_from_its_very_day(
    window: Window, area: str, before: str, after: str
) -> None:
    old = await window.answer(three("600"), before, area)
    new = await window.answer(three("600"), after, area)
    rise = standard(after, area) - standard(before, area)
    assert Decimal(new["base"]) - Decimal(old["base"]) == 3 * rise
    assert new["standard"]["valid_from"] == after


@pytest.mark.parametrize(
    ("day", "urban", "rural"),
    [
        ("2022-12-31", "717.00", "581.00"),
        ("2023-12-31", "735.00", "600.00"),
        ("2024-12-31", "750.00", "610.00"),
        ("2025-06-30", "750.00", "610.00"),
        ("2025-12-31", "770.00", "630.00"),
    ],
)
async def test_relief_md_11_1_a_person_without_income_gets_the_standard_of_the_day(
    window: Window, day: str, urban: str, rural: str
) -> None:
    for area, base in (("urban", urban), ("rural", rural)):
        answer = await window.answer([applicant()], day, area)
        assert (answer["standard"]["amount"], answer["base"]) == (base, base)
        assert answer["standard"]["document"]


async def test_a_refused_family_is_told_its_figures_the_limit_and_what_would_change_it(
    window: Window,
) -> None:
    answer = await window.answer(three("2310"), "2025-07-15")
    failed = condition(answer, "income_below_standard")
    assert "2310.00" in failed["fact"]
    assert "770.00" in failed["threshold"]
    assert failed["remedy"]
    assert failed["article"]
