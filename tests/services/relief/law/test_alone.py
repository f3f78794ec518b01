"""Taken in alone (单人户), or all together.

民发〔2021〕57号 art. 8; 民发〔2022〕83号 1(1), 1(4); 社会救助法 art. 21; ordinance art. 11.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.services.relief.law.window import (
    GROWN,
    PUPIL,
    SEVERE,
    Json,
    Window,
    alone,
    applicant,
    child,
    cited,
    condition,
    counted,
    income,
    member,
    spouse,
    standard,
    three,
    unconfirmed,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = "2025-07-15"
WITH_EDGE = ("2021-07-01", "2022-10-19", "2022-10-20", DAY, "2026-06-30", "2026-07-01")
UNABLE: dict[str, Any] = {"disability": SEVERE, "work_capacity": "none", "independent": False}


def disabled(kind: str, grade: int) -> Json:
    return {"disability": {"kind": kind, "grade": grade}}


def edge(day: str, area: str = "urban", **third: Any) -> list[Json]:
    """Three persons at 1.25 × the standard."""
    return three(str(standard(day, area) * 3 * Decimal("1.25")), **third)


def well_off(day: str, **third: Any) -> list[Json]:
    """Three persons at 2 × the standard."""
    return three(str(standard(day, "urban") * 6), **third)


@pytest.mark.parametrize("area", ["urban", "rural"])
@pytest.mark.parametrize("day", WITH_EDGE)
@pytest.mark.parametrize(
    "facts",
    [
        disabled("physical", 1),
        disabled("vision", 2),
        disabled("intellectual", 3),
        disabled("mental", 3),
        {"severe_illness": True},
    ],
)
async def test_minfa_2021_57_art_8_the_severely_disabled_or_ill_of_an_edge_family_may_apply_alone(
    window: Window, area: str, day: str, facts: Json
) -> None:
    asked = await window.answer(edge(day, area, alone=True, employed=True, **facts), day, area)
    assert (asked["outcome"], asked["family"]) == ("alone", "edge")
    found = alone(asked)
    assert set(found) == {"c"}
    assert found["c"]["path"] == "edge_family"
    assert Decimal(found["c"]["amount"]) == standard(day, area)
    assert found["c"]["article"]
    assert asked["base"] is None
    assert Decimal(asked["total"]) == standard(day, area) + Decimal(found["c"]["extras"])
    silent = await window.answer(edge(day, area, employed=True, **facts), day, area)
    assert silent["outcome"] == "edge"
    assert set(alone(silent)) == {"c"}


@pytest.mark.parametrize(
    "facts",
    [
        {},
        disabled("physical", 3),
        disabled("hearing", 3),
        disabled("mental", 4),
        {"bedridden": True},
    ],
)
async def test_minfa_2021_57_art_8_lesser_disability_opens_no_way(
    window: Window, facts: Json
) -> None:
    answer = await window.answer(edge(DAY, alone=True, employed=True, **facts), DAY)
    assert (answer["outcome"], answer["family"]) == ("edge", "edge")
    assert alone(answer) == {}
    assert answer["total"] is None


async def test_minfa_2021_57_art_8_there_was_no_such_way_before(window: Window) -> None:
    day = "2021-06-30"
    facts: Json = {"severe_illness": True, "employed": True}
    answer = await window.answer(edge(day, alone=True, **facts), day)
    assert (answer["outcome"], answer["family"], alone(answer)) == ("not_entitled", "none", {})


async def test_minfa_2021_57_art_8_a_family_at_one_and_a_half_is_no_edge_family(
    window: Window,
) -> None:
    ill = {"severe_illness": True, "alone": True}
    assert alone(await window.answer(three("3464.99", **ill), DAY))
    answer = await window.answer(three("3465.00", **ill), DAY)
    assert (answer["outcome"], alone(answer)) == ("not_entitled", {})


async def test_minfa_2021_57_art_8_a_child_too_may_be_taken_in_alone_in_an_edge_family(
    window: Window,
) -> None:
    answer = await window.answer(three("2400", born=PUPIL, severe_illness=True, alone=True), DAY)
    assert (answer["outcome"], set(alone(answer))) == ("alone", {"c"})


@pytest.mark.parametrize(
    ("own", "amount"), [("0", "770.00"), ("269.50", "501.00"), ("769", "1.00")]
)
async def test_domain_md_b1_6_alone_ones_own_income_counts_by_a_method_owned_as_open(
    window: Window, own: str, amount: str
) -> None:
    members = three("2400", severe_illness=True, alone=True)
    members[0]["incomes"] = [income("pension", str(Decimal(2400) - Decimal(own)))]
    members[2]["incomes"] = [income("pension", own)]
    answer = await window.answer(members, DAY)
    method = cited(answer)["dibao.single.method"]
    assert (method["value"], method["confirmed"]) == ("diff", False)
    assert alone(answer)["c"]["amount"] == amount


async def test_law_art_21_who_has_the_standard_himself_is_not_taken_in_alone(
    window: Window,
) -> None:
    members = three("2400", severe_illness=True, alone=True)
    members[0]["incomes"] = [income("pension", "1630")]
    members[2]["incomes"] = [income("pension", "770")]
    answer = await window.answer(members, DAY)
    assert (answer["outcome"], alone(answer)) == ("edge", {})


@pytest.mark.parametrize("day", ["2022-10-20", DAY, "2026-07-01"])
async def test_relief_md_11_21_an_unemployed_grade_1_adult_of_a_family_at_twice_the_standard(
    window: Window, day: str
) -> None:
    answer = await window.answer(well_off(day, alone=True, disability=SEVERE), day)
    assert (answer["outcome"], answer["family"]) == ("alone", "none")
    assert alone(answer)["c"]["path"] == "unemployed_disabled"
    assert Decimal(alone(answer)["c"]["amount"]) == standard(day, "urban")


async def test_minfa_2022_83_1_1_not_a_day_before(window: Window) -> None:
    day = "2022-10-19"
    answer = await window.answer(well_off(day, alone=True, disability=SEVERE), day)
    assert (answer["outcome"], alone(answer)) == ("not_entitled", {})


@pytest.mark.parametrize("grade", [1, 2])
@pytest.mark.parametrize("kind", ["vision", "intellectual", "multiple"])
async def test_minfa_2022_83_1_1_grades_one_and_two_of_any_kind(
    window: Window, kind: str, grade: int
) -> None:
    answer = await window.answer(well_off(DAY, alone=True, **disabled(kind, grade)), DAY)
    assert answer["outcome"] == "alone"


@pytest.mark.parametrize(
    "facts",
    [
        {"disability": SEVERE, "employed": True},
        {"disability": SEVERE, "born": PUPIL},
        disabled("physical", 3),
        disabled("mental", 3),
        {"severe_illness": True},
    ],
)
async def test_minfa_2022_83_1_1_only_adult_unemployed_and_severely_disabled(
    window: Window, facts: Json
) -> None:
    answer = await window.answer(well_off(DAY, alone=True, **facts), DAY)
    assert (answer["outcome"], alone(answer)) == ("not_entitled", {})


async def test_minfa_2022_83_1_1_the_disabled_persons_own_income_still_counts(
    window: Window,
) -> None:
    members = well_off(DAY, alone=True, disability=SEVERE)
    members[2]["incomes"] = [income("property", "770")]
    assert alone(await window.answer(members, DAY)) == {}
    members[2]["incomes"] = [income("property", "769.99")]
    assert alone(await window.answer(members, DAY))["c"]["amount"] == "1.00"


@pytest.mark.parametrize("total", ["2400", "9000"])
async def test_minfa_2022_83_1_1_a_siblings_upkeep_may_be_disregarded_on_either_way(
    window: Window, total: str
) -> None:
    upkeep = income("support_received", "500", disregarded=True, reason="兄长供养，兄长家庭亦困难")
    members = three(total, alone=True, disability=SEVERE)
    members[2]["incomes"] = [upkeep]
    assert alone(await window.answer(members, DAY))["c"]["amount"] == "770.00"
    members[2]["incomes"] = [{**upkeep, "disregarded": False}]
    assert alone(await window.answer(members, DAY))["c"]["amount"] == "270.00"


@pytest.mark.parametrize("family", ["2400", "9000"])
@pytest.mark.parametrize("day", ["2021-07-01", DAY, "2026-07-01"])
async def test_minfa_2021_57_art_8_3_a_poor_monk_of_three_years_applies_alone(
    window: Window, day: str, family: str
) -> None:
    since = f"{int(day[:4]) - 3}{day[4:]}"
    monk = three(family, clergy_since=since, in_religious_site=True, alone=True)
    answer = await window.answer(monk, day)
    assert counted(answer)["c"] is False
    assert answer["outcome"] == "alone"
    assert alone(answer)["c"]["path"] == "clergy"
    assert Decimal(alone(answer)["c"]["amount"]) == standard(day, "urban")


@pytest.mark.parametrize(
    ("day", "facts"),
    [
        ("2021-06-30", {"clergy_since": "2015-01-01", "in_religious_site": True}),
        (DAY, {"clergy_since": "2015-01-01", "in_religious_site": False}),
        (DAY, {"clergy_since": "2024-08-01", "in_religious_site": True}),
    ],
)
async def test_minfa_2021_57_art_8_3_not_before_2021_07_outside_a_site_or_below_three_years(
    window: Window, day: str, facts: Json
) -> None:
    answer = await window.answer(three("9000", alone=True, **facts), day)
    assert (answer["outcome"], alone(answer)) == ("not_entitled", {})


async def test_minfa_2021_57_art_8_3_a_monk_with_the_standard_is_not_poor(window: Window) -> None:
    monk = three("9000", clergy_since="2015-01-01", in_religious_site=True, alone=True)
    monk[2]["incomes"] = [income("other", "770")]
    assert alone(await window.answer(monk, DAY)) == {}


@pytest.mark.parametrize("day", ["2022-10-20", DAY, "2026-06-30", "2026-07-01"])
async def test_law_art_21_minfa_2022_83_1_4_others_in_special_hardship_of_an_edge_family(
    window: Window, day: str
) -> None:
    answer = await window.answer(edge(day, special_hardship=True, alone=True), day)
    assert answer["outcome"] == "alone"
    assert alone(answer)["c"]["path"] == "special_hardship"
    text = "社会救助法" if day >= "2026-07-01" else "57号"
    assert text in alone(answer)["c"]["article"]
    rich = await window.answer(well_off(day, special_hardship=True, alone=True), day)
    assert (rich["outcome"], alone(rich)) == ("not_entitled", {})


async def test_law_art_21_special_hardship_opens_nothing_before_57(window: Window) -> None:
    day = "2021-06-30"
    answer = await window.answer(edge(day, special_hardship=True, alone=True), day)
    assert alone(answer) == {}


@pytest.mark.parametrize("day", ["2018-06-01", "2021-06-30"])
@pytest.mark.parametrize("relation", ["parent", "sibling"])
@pytest.mark.parametrize("facts", [UNABLE, {"severe_illness": True, "bedridden": True}])
async def test_ordinance_art_11_unable_to_work_or_long_bedridden_apart_from_parents_and_siblings(
    window: Window, day: str, relation: str, facts: Json
) -> None:
    rest = member("p", relation, "1965-01-01", income("pension", str(3 * standard(day, "urban"))))
    answer = await window.answer([applicant(born="1990-01-01", alone=True, **facts), rest], day)
    assert answer["outcome"] == "alone"
    assert alone(answer)["a"]["path"] == "apart_from_parents"
    assert Decimal(alone(answer)["a"]["amount"]) == standard(day, "urban")
    assert "条例" in alone(answer)["a"]["article"]


@pytest.mark.parametrize(
    "facts",
    [
        {"disability": SEVERE, "work_capacity": "full"},
        {"disability": SEVERE, "work_capacity": "partial"},
        {"work_capacity": "none"},
        {"severe_illness": True},
        {"bedridden": True},
    ],
)
async def test_ordinance_art_11_neither_disability_nor_illness_alone_is_enough(
    window: Window, facts: Json
) -> None:
    rest = member("p", "parent", "1965-01-01", income("pension", "2500"))
    members = [applicant(born="1990-01-01", alone=True, **facts), rest]
    answer = await window.answer(members, "2021-06-30")
    assert (answer["outcome"], alone(answer)) == ("not_entitled", {})


async def test_ordinance_art_11_a_minor_is_not_reckoned_apart(window: Window) -> None:
    members = [applicant(income("pension", "2500")), child(born=PUPIL, alone=True, **UNABLE)]
    assert alone(await window.answer(members, "2021-06-30")) == {}


async def test_ordinance_art_11_nobody_is_reckoned_apart_from_his_spouse(window: Window) -> None:
    members = [applicant(income("pension", "2500")), spouse(alone=True, **UNABLE)]
    assert alone(await window.answer(members, "2021-06-30")) == {}
    three_of_us = [
        applicant(born="1990-01-01", alone=True, **UNABLE),
        spouse(income("pension", "2500")),
        member("p", "parent", "1965-01-01", income("pension", "2500")),
    ]
    answer = await window.answer(three_of_us, "2021-06-30")
    assert alone(answer) == {}


async def test_ordinance_art_11_it_is_for_who_is_truly_in_hardship(window: Window) -> None:
    """“家庭生活确有困难”: nobody in a family at a hundred times the standard, unjudged."""
    rest = member("p", "parent", "1965-01-01", income("pension", "124000"))
    members = [applicant(born="1990-01-01", alone=True, **UNABLE), rest]
    answer = await window.answer(members, "2021-06-30")
    assert answer["outcome"] in {"not_entitled", "undecided"}


@pytest.mark.parametrize("day", ["2022-10-20", DAY, "2026-07-01"])
async def test_relief_md_14_the_ordinances_way_beside_83_is_owned_as_open(
    window: Window, day: str
) -> None:
    rest = member("p", "parent", "1965-01-01", income("pension", "2500"))
    ill = applicant(born="1990-01-01", alone=True, severe_illness=True, bedridden=True)
    answer = await window.answer([ill, rest], day)
    assert "dibao.alone.paths" in unconfirmed(answer)


@pytest.mark.parametrize("day", ["2022-10-20", DAY, "2026-07-01"])
async def test_relief_md_11_22_minfa_2022_83_1_1_a_family_that_qualifies_is_in_whole(
    window: Window, day: str
) -> None:
    answer = await window.answer(three("1000", alone=True, disability=SEVERE), day)
    assert (answer["outcome"], answer["family"], answer["persons"]) == ("entitled", "dibao", 3)
    assert Decimal(answer["base"]) == 3 * standard(day, "urban") - 1000
    assert alone(answer) == {}
    refused = condition(answer, "whole_family")
    assert refused["passed"] is False
    assert "83号" in refused["article"]
    assert refused["remedy"]


async def test_relief_md_11_the_cliff_a_richer_family_may_receive_more(window: Window) -> None:
    """n = 3, standard 770: income 2,309 gives 1 yuan; 2,310 with a severely disabled member 770."""
    poorer = await window.answer(three("2309", alone=True, disability=SEVERE), DAY)
    richer = await window.answer(three("2310", alone=True, disability=SEVERE), DAY)
    assert poorer["base"] == "1.00"
    assert alone(richer)["c"]["amount"] == "770.00"


async def test_minfa_2022_83_1_4_alone_only_on_ones_own_application(window: Window) -> None:
    members = three("2400", severe_illness=True)
    members[1]["severe_illness"] = True
    both = await window.answer(members, DAY)
    assert both["outcome"] == "edge"
    assert {ref: one["asked"] for ref, one in alone(both).items()} == {"s": False, "c": False}
    members[1]["alone"] = True
    one = await window.answer(members, DAY)
    assert one["outcome"] == "alone"
    assert {ref: one["asked"] for ref, one in alone(one).items()} == {"s": True, "c": False}
    assert Decimal(one["total"]) == 770 + Decimal(alone(one)["s"]["extras"])


@pytest.mark.parametrize("fact", ["in_prison", "in_compulsory_rehabilitation", "declared_missing"])
@pytest.mark.parametrize("total", ["1600", "9000"])
async def test_minfa_2021_57_art_7_who_is_kept_or_missing_is_not_taken_in_alone_either(
    window: Window, fact: str, total: str
) -> None:
    answer = await window.answer(
        three(total, alone=True, disability=SEVERE, severe_illness=True, **{fact: True}), DAY
    )
    assert answer["outcome"] in {"edge", "not_entitled"}
    assert alone(answer) == {}


async def test_minfa_2021_57_art_7_8_a_monk_does_not_split_the_family_he_has_left(
    window: Window,
) -> None:
    """He is no member of it: the family is in as a whole, and he applies for himself."""
    monk = three("500", clergy_since="2015-01-01", in_religious_site=True, alone=True)
    answer = await window.answer(monk, DAY)
    assert (answer["outcome"], answer["persons"], answer["base"]) == ("entitled", 2, "1040.00")
    assert "whole_family" not in {one["code"] for one in answer["conditions"]}
    assert set(alone(answer)) == {"c"}


async def test_who_asks_alone_without_a_way_is_told_why(window: Window) -> None:
    answer = await window.answer(well_off(DAY, alone=True, born=GROWN), DAY)
    assert answer["outcome"] == "not_entitled"
    failed = condition(answer, "alone_path")
    assert failed["passed"] is False
    assert failed["member"] == "c"
    assert failed["remedy"]
