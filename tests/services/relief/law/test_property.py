"""Property and consumption: 民发〔2021〕57号 art. 14, 17, ordinance art. 10, 13; domain.md B1.4.

The city's numbers (渝府办发〔2022〕128号) are not known: the tests read them from the answer, which
must own them as unconfirmed, and hold the shape of each rule.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.services.relief.law.window import (
    SEVERE,
    Json,
    Window,
    alone,
    applicant,
    child,
    cited,
    condition,
    spouse,
    three,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY, STANDARD = "2025-07-15", Decimal(770)
CENT = Decimal("0.01")
FORBIDDEN = ("premises", "vehicle", "ship", "machinery", "company")


def owned(kind: str, **more: Any) -> Json:
    return {"kind": kind, **more}


async def with_property(window: Window, *found: Json, day: str = DAY) -> Json:
    return await window.answer(three("0"), day, properties=list(found))


async def with_consumption(window: Window, *found: Json, day: str = DAY) -> Json:
    return await window.answer(three("0"), day, consumptions=list(found))


async def number(window: Window, key: str) -> Decimal:
    found = cited(await window.answer(three("0"), DAY))[key]
    assert found["confirmed"] is False
    return Decimal(str(found["value"]))


async def test_relief_md_12_1_every_number_of_property_is_owned_as_open(window: Window) -> None:
    assert {
        "dibao.property.deposit_multiple",
        "dibao.property.dwellings",
        "dibao.property.dwelling_area_multiple",
        "dibao.property.dwelling_area_per_person",
        "dibao.consumption.house_years",
        "dibao.consumption.half_year_multiple",
        "dibao.consumption.utilities_share",
    } <= unconfirmed(await window.answer(three("0"), DAY))


async def test_domain_md_b1_4_deposits_securities_and_insurance_are_one_sum_by_persons(
    window: Window,
) -> None:
    limit = 3 * STANDARD * await number(window, "dibao.property.deposit_multiple")
    parts = [owned("deposit", amount="100.00"), owned("insurance_savings", amount="200.00")]
    at = owned("securities", amount=str(limit - 300))
    assert (await with_property(window, *parts, at))["outcome"] == "entitled"
    over = owned("securities", amount=str(limit - 300 + CENT))
    answer = await with_property(window, *parts, over)
    assert (answer["outcome"], answer["base"]) == ("not_entitled", None)
    failed = condition(answer, "property_deposits")
    assert failed["passed"] is False
    assert f"{limit:.2f}" in failed["threshold"]


async def test_domain_md_b1_4_two_dwellings_fail_only_with_too_much_room(window: Window) -> None:
    room = (
        3
        * await number(window, "dibao.property.dwelling_area_multiple")
        * await number(window, "dibao.property.dwelling_area_per_person")
    )
    one = [owned("dwelling", area="1000")]
    two_small = [owned("dwelling", area=str(room / 2)), owned("dwelling", area=str(room / 2))]
    two_large = [*two_small[:1], owned("dwelling", area=str(room / 2 + CENT))]
    assert (await with_property(window, *one))["outcome"] == "entitled"
    assert (await with_property(window, *two_small))["outcome"] == "entitled"
    answer = await with_property(window, *two_large)
    assert answer["outcome"] == "not_entitled"
    assert condition(answer, "property_dwellings")["passed"] is False


@pytest.mark.parametrize("kind", FORBIDDEN)
@pytest.mark.parametrize("day", ["2020-06-01", "2021-07-01", DAY, "2026-07-01"])
async def test_domain_md_b1_4_premises_vehicle_ship_machinery_company_keep_a_family_out(
    window: Window, kind: str, day: str
) -> None:
    answer = await with_property(window, owned(kind), day=day)
    assert (answer["outcome"], answer["base"]) == ("not_entitled", None)
    failed = condition(answer, f"property_{kind}")
    assert failed["passed"] is False
    assert failed["remedy"]


async def test_law_art_21_minfa_2021_57_art_8_an_edge_family_too_must_meet_the_property_rules(
    window: Window,
) -> None:
    answer = await window.answer(three("2400"), DAY, properties=[owned("vehicle")])
    assert (answer["outcome"], answer["family"]) == ("not_entitled", "none")


async def test_ordinance_art_13_2_the_vehicle_of_a_disabled_person_does_not_count(
    window: Window,
) -> None:
    for day in ("2020-06-01", DAY):
        answer = await with_property(window, owned("vehicle", disability_vehicle=True), day=day)
        assert answer["outcome"] == "entitled"
        assert condition(answer, "property_vehicle")["passed"] is True


@pytest.mark.parametrize("kind", ["ship", "premises", "company", "machinery"])
async def test_ordinance_art_13_2_the_exception_is_for_motor_vehicles_alone(
    window: Window, kind: str
) -> None:
    body = {"as_of": DAY, "area": "urban", "members": three("0")}
    found = await window.post({**body, "properties": [owned(kind, disability_vehicle=True)]})
    assert found.status_code == 422 or found.json()["outcome"] == "not_entitled"


@pytest.mark.parametrize("kind", ["dwelling", "machinery", "vehicle"])
async def test_minfa_2021_57_art_14_what_a_family_lives_and_works_by_may_be_exempt(
    window: Window, kind: str
) -> None:
    essential = owned(kind, area="500" if kind == "dwelling" else None, essential=True)
    assert (await with_property(window, essential))["outcome"] == "entitled"


@pytest.mark.parametrize("kind", FORBIDDEN)
async def test_minfa_2021_57_art_14_an_exemption_is_a_persons_judgement_with_a_reason(
    window: Window, kind: str
) -> None:
    reasoned = await with_property(window, owned(kind, judged=True, reason="已报废，无交易价值"))
    assert reasoned["outcome"] == "entitled"
    silent = await with_property(window, owned(kind, judged=True))
    assert silent["outcome"] != "entitled"


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([owned("deposit")], "property_deposits"),
        ([owned("dwelling", area="80"), owned("dwelling")], "property_dwellings"),
    ],
)
async def test_domain_md_b1_4_an_unknown_amount_is_not_nothing(
    window: Window, found: list[Json], code: str
) -> None:
    answer = await with_property(window, *found)
    assert condition(answer, code)["passed"] is None
    assert (answer["outcome"], answer["base"]) == ("undecided", None)


async def test_minfa_2021_57_art_12_the_property_of_who_is_not_counted_is_not_the_familys(
    window: Window,
) -> None:
    members = [applicant(), spouse(in_prison=True)]
    answer = await window.answer(members, DAY, properties=[owned("vehicle", member="s")])
    assert answer["outcome"] == "entitled"
    own = await window.answer(members, DAY, properties=[owned("vehicle", member="a")])
    assert own["outcome"] == "not_entitled"


@pytest.mark.parametrize("kind", ["house", "refit"])
@pytest.mark.parametrize(
    ("on", "outcome"),
    [
        ("2022-07-13", "entitled"),
        ("2022-07-17", "not_entitled"),
        ("2025-07-15", "not_entitled"),
    ],
)
async def test_domain_md_b1_4_a_house_or_luxury_refit_of_the_last_three_years(
    window: Window, kind: str, on: str, outcome: str
) -> None:
    answer = await with_consumption(window, owned(kind, on=on))
    assert answer["outcome"] == outcome
    assert condition(answer, "consumption_house")["passed"] is (outcome == "entitled")


async def test_domain_md_b1_4_the_three_years_run_back_from_the_application(
    window: Window,
) -> None:
    house = owned("house", on="2022-07-13")
    members = three("0")
    early = await window.answer(members, DAY, consumptions=[house], applied_on="2025-07-10")
    assert early["outcome"] == "not_entitled"


async def test_domain_md_b1_4_luxuries_of_half_a_year_are_one_sum_strictly_limited(
    window: Window,
) -> None:
    limit = 3 * STANDARD * await number(window, "dibao.consumption.half_year_multiple")
    first = owned("luxury", on="2025-02-01", amount="1000")
    below = owned("luxury", on="2025-06-01", amount=str(limit - 1000 - CENT))
    at = owned("luxury", on="2025-06-01", amount=str(limit - 1000))
    old = owned("luxury", on="2025-01-10", amount=str(limit))
    assert (await with_consumption(window, first, below, old))["outcome"] == "entitled"
    answer = await with_consumption(window, first, at)
    assert answer["outcome"] == "not_entitled"
    assert condition(answer, "consumption_luxury")["passed"] is False


@pytest.mark.parametrize("kind", ["employing", "vehicle_use"])
async def test_domain_md_b1_4_employing_others_and_regular_driving(
    window: Window, kind: str
) -> None:
    answer = await with_consumption(window, owned(kind))
    assert answer["outcome"] == "not_entitled"
    assert condition(answer, f"consumption_{kind}")["passed"] is False


@pytest.mark.parametrize("kind", ["study_abroad", "private_school"])
@pytest.mark.parametrize("day", ["2021-07-01", DAY, "2026-07-01"])
async def test_minfa_2021_57_art_17_dear_schools_are_a_help_to_judge_by_and_decide_nothing_alone(
    window: Window, kind: str, day: str
) -> None:
    answer = await with_consumption(window, owned(kind), day=day)
    assert condition(answer, "consumption_study")["passed"] is None
    assert answer["outcome"] == "undecided"


@pytest.mark.parametrize("day", ["2021-07-01", DAY, "2026-07-01"])
async def test_minfa_2021_57_art_17_bills_are_a_help_to_judge_by_and_decide_nothing_alone(
    window: Window, day: str
) -> None:
    answer = await with_consumption(window, owned("utilities", share="0.95"), day=day)
    assert condition(answer, "consumption_utilities")["passed"] is None
    assert answer["outcome"] == "undecided"


@pytest.mark.parametrize(
    ("judged", "outcome"), [(True, "entitled"), (False, "not_entitled"), (None, "undecided")]
)
async def test_minfa_2021_57_art_17_a_person_judges_what_the_school_fees_mean(
    window: Window, judged: bool | None, outcome: str
) -> None:
    study = owned("study_abroad", judged=judged, reason="核实：全额奖学金与自费情况")
    assert (await with_consumption(window, study))["outcome"] == outcome


@pytest.mark.parametrize("kind", ["house", "luxury"])
async def test_domain_md_b1_4_an_undated_purchase_is_left_to_a_person(
    window: Window, kind: str
) -> None:
    answer = await with_consumption(window, owned(kind, amount="500000"))
    assert answer["outcome"] == "undecided"


HARD = [
    ("consumption_house", owned("house", on="2025-01-01")),
    ("consumption_luxury", owned("luxury", on="2025-06-01", amount="99999")),
    ("consumption_employing", owned("employing")),
    ("consumption_vehicle_use", owned("vehicle_use")),
]


@pytest.mark.parametrize(("code", "found"), HARD)
async def test_ordinance_art_10_a_refusal_for_consumption_rests_on_the_ordinance(
    window: Window, code: str, found: Json
) -> None:
    """57号 art. 17 lets bills and schools help to judge; 条例 art. 10 makes spending count."""
    answer = await with_consumption(window, found)
    assert condition(answer, code)["passed"] is False
    assert "条例" in condition(answer, code)["article"]


async def test_minfa_2021_57_art_8_property_of_the_family_bars_the_way_through_an_edge_family(
    window: Window,
) -> None:
    ill = three("2400", severe_illness=True, alone=True)
    assert "c" in alone(await window.answer(ill, DAY))
    answer = await window.answer(ill, DAY, properties=[owned("vehicle")])
    assert alone(answer) == {}
    assert answer["outcome"] == "not_entitled"


@pytest.mark.parametrize(
    "members",
    [
        three("2400", severe_illness=True, alone=True),
        three("4620", disability=SEVERE, alone=True),
    ],
)
async def test_relief_md_14_whether_who_is_taken_in_alone_has_a_property_test_is_owned_as_open(
    window: Window, members: list[Json]
) -> None:
    answer = await window.answer(members, DAY)
    assert answer["outcome"] == "alone"
    open_keys = unconfirmed(answer)
    assert any("property" in key for key in open_keys if "alone" in key or "single" in key)


async def test_property_of_nobody_named_belongs_to_the_family(window: Window) -> None:
    members = [applicant(), child()]
    named = await window.answer(members, DAY, properties=[owned("vehicle", member="c")])
    unnamed = await window.answer(members, DAY, properties=[owned("vehicle")])
    assert named["outcome"] == unnamed["outcome"] == "not_entitled"
