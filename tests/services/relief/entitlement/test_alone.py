"""Members alone and families whole: 57号 art. 8, 83号 1(1), 1(4), 法 21, 条例 (2016) art. 11."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.events.relief import Area
from services.relief.entitlement.facts import (
    Household,
    Income,
    Member,
    Property,
    PropertyKind,
    WorkCapacity,
)
from services.relief.entitlement.rules import Assessment
from tests.services.relief.entitlement.families import (
    DAY,
    answer,
    disabled,
    income,
    law_on,
    passed,
    person,
    pupil,
)

NOTICE = date(2022, 10, 20)
MONTH = {DAY: "2025-06-01", NOTICE: "2022-09-01", date(2022, 10, 19): "2022-09-01"}


def family(
    *incomes: Income, day: date = DAY, asks: bool = True, born: str = "1998-01-01", **facts: Any
) -> Household:
    """A couple of 55 with a grown child who cannot live independently; the child asks."""
    facts = {"independent": False, **facts}
    members = (
        person(born="1970-01-01"),
        person("b", "spouse", "1970-01-01"),
        person("c", "child", born, **facts),
    )
    return Household(
        members,
        Area.URBAN,
        day,
        incomes=incomes,
        alone=frozenset("c") if asks else frozenset(),
    )


def earning(amount: int, day: date = DAY) -> Income:
    return income("a", "other", amount, MONTH.get(day, f"{day.replace(day=1)}"))


EDGE = earning(3000)  # 1,000 a head: between 770 and 1,155
RICH = earning(4620)  # 1,540 a head: twice the standard
SEVERE = disabled("physical", 1)


def paths(found: Assessment) -> dict[str, str]:
    return {one.member: one.path for one in found.alone}


@pytest.mark.parametrize(
    ("kind", "grade", "fits"),
    [
        ("physical", 1, True),
        ("vision", 2, True),
        ("vision", 3, False),
        ("intellectual", 3, True),
        ("mental", 3, True),
        ("intellectual", 4, False),
        ("mental", 4, False),
    ],
)
def test_57_8_1_who_of_an_edge_family_can_be_taken_alone(kind: str, grade: int, fits: bool) -> None:
    found = answer(family(EDGE, disability=disabled(kind, grade)))
    assert found.family == "edge"
    assert found.outcome == ("alone" if fits else "edge")
    assert paths(found) == ({"c": "edge_family"} if fits else {})


def test_57_8_2_a_severely_ill_member_of_an_edge_family() -> None:
    found = answer(family(EDGE, severe_illness=True))
    assert found.outcome == "alone"
    (one,) = found.alone
    assert (one.amount, one.total, one.asked) == (770, 830, True)
    assert found.total == 830
    assert found.base is None
    assert found.payable_from == date(2025, 8, 1)


def test_83_1_4_on_the_persons_own_request_else_the_family_stays_an_edge_family() -> None:
    found = answer(family(EDGE, asks=False, severe_illness=True))
    assert found.outcome == "edge"
    assert paths(found) == {"c": "edge_family"}
    assert any("单独提出申请" in note for note in found.notes)


def test_the_amount_alone_is_the_difference_to_the_persons_own_income() -> None:
    found = answer(family(EDGE, income("c", "pension", "300.50"), disability=SEVERE))
    assert found.alone[0].amount == 470  # 469.50 rounded up


def test_own_income_at_the_standard_is_not_below_it() -> None:
    found = answer(family(earning(2000), income("c", "pension", 770), disability=SEVERE))
    assert found.outcome == "edge"
    assert passed(found)["alone_income"] is False


def test_57_8_not_before_2021_07_01() -> None:
    day = date(2021, 6, 30)
    household = replace(
        family(day=day, severe_illness=True),
        incomes=(income("a", "other", 3000, "2021-05-01"),),
    )
    assert answer(household, day=day).outcome == "not_entitled"
    after = replace(
        household, applied_on=date(2021, 7, 1), incomes=(income("a", "other", 3000, "2021-06-01"),)
    )
    assert answer(after, day=date(2021, 7, 1)).outcome == "alone"


def clergy(since: date, **facts: Any) -> Household:
    monk = person("m", "sibling", "1970-01-01", clergy_since=since, **facts)
    return Household(
        (person(), monk),
        Area.URBAN,
        DAY,
        incomes=(income("a", "other", 5000),),
        alone=frozenset("m"),
    )


def test_57_8_3_clergy_of_three_years_in_a_religious_site() -> None:
    since = date(2022, 7, 15)
    found = answer(clergy(since, lives_in_religious_site=True))
    assert (found.outcome, paths(found)) == ("alone", {"m": "clergy"})
    assert answer(clergy(since)).outcome == "not_entitled"
    too_short = clergy(date(2022, 7, 16), lives_in_religious_site=True)
    assert answer(too_short).outcome == "not_entitled"


@pytest.mark.parametrize(
    ("day", "article"),
    [
        (date(2021, 7, 1), "第八条第一款第（四）项"),
        (date(2026, 6, 30), "民发〔2022〕83号"),
        (date(2026, 7, 1), "社会救助法"),
    ],
)
def test_57_8_4_and_law_21_other_special_hardship_of_an_edge_family(
    day: date, article: str
) -> None:
    month = f"{day.replace(day=1, month=day.month - 1)}"
    household = replace(
        family(day=day, special_hardship=True), incomes=(income("a", "other", 3000, month),)
    )
    found = answer(household, day=day)
    assert paths(found) == {"c": "special_hardship"}
    assert article in found.alone[0].article
    rich = replace(household, incomes=(income("a", "other", 4620, month),))
    assert answer(rich, day=day).outcome == "not_entitled"


def test_relief_md_11_21_an_unemployed_severely_disabled_adult_whatever_the_family_has() -> None:
    found = answer(family(RICH, disability=SEVERE))
    assert (found.outcome, found.family) == ("alone", "none")
    assert paths(found) == {"c": "unemployed_disabled"}
    assert found.alone[0].amount == 770


def test_83_1_1_from_2022_10_20_on() -> None:
    for day, outcome in ((date(2022, 10, 19), "not_entitled"), (NOTICE, "alone")):
        household = family(earning(4620, day), day=day, disability=SEVERE)
        assert answer(household, day=day).outcome == outcome


@pytest.mark.parametrize(
    "facts",
    [
        {"employed": True, "disability": SEVERE},
        {"born": "2008-01-01", "disability": SEVERE},
        {"disability": disabled("mental", 3)},
        {"severe_illness": True},
    ],
)
def test_83_1_1_adult_unemployed_and_severely_disabled_all_three(facts: dict[str, Any]) -> None:
    found = answer(family(RICH, **facts))
    assert found.outcome == "not_entitled"
    reason = next(one for one in found.failed if one.code == "alone_path")
    assert reason.member == "c"
    assert reason.remedy


def test_83_1_1_support_by_siblings_or_the_aged_may_be_disregarded() -> None:
    support = income("c", "support_received", 900, disregarded=True, reason="由61岁母亲供养")
    assert answer(family(RICH, support, disability=SEVERE)).alone[0].amount == 770
    counted = replace(support, disregarded=False)
    assert answer(family(RICH, counted, disability=SEVERE)).outcome == "not_entitled"


def test_83_1_1_a_person_alone_has_a_property_test_of_their_own() -> None:
    rich = Property(PropertyKind.VEHICLE, member="c")
    found = answer(replace(family(RICH, disability=SEVERE), properties=(rich,)))
    assert found.outcome == "not_entitled"
    reason = next(one for one in found.failed if one.code == "alone_property")
    assert "机动车辆" in reason.fact
    parents = replace(rich, member="a")
    assert answer(replace(family(RICH, disability=SEVERE), properties=(parents,))).alone


def test_83_1_1_what_is_missing_about_the_person_alone_leaves_it_undecided() -> None:
    household = replace(family(RICH, disability=SEVERE), missing_sources=(("c", "bank"),))
    assert answer(household).outcome == "undecided"
    parents = replace(household, missing_sources=(("a", "bank"),))
    assert answer(parents).outcome == "alone"


def test_relief_md_11_22_a_family_that_qualifies_is_taken_whole() -> None:
    found = answer(family(earning(900), disability=SEVERE))
    assert (found.outcome, found.persons, found.base) == ("entitled", 3, 1410)
    assert found.alone == ()
    refused = next(one for one in found.conditions if one.code == "whole_family")
    assert refused.passed is False
    assert "83号" in refused.article


def test_nobody_is_taken_out_of_a_family_that_may_yet_qualify() -> None:
    household = replace(family(earning(900), disability=SEVERE), missing_sources=(("a", "tax"),))
    found = answer(household)
    assert (found.outcome, found.alone) == ("undecided", ())


def test_an_edge_that_is_not_settled_leaves_the_ground_unsettled() -> None:
    household = replace(family(EDGE, severe_illness=True), missing_sources=(("a", "bank"),))
    found = answer(household)
    assert found.outcome == "undecided"
    assert passed(found)["alone_path"] is None


def apart(member: Member, day: date, earned: int = 4000) -> Household:
    month = f"{day.replace(day=1, month=day.month - 1)}"
    return Household(
        (member, person("p", "parent", "1960-01-01"), person("s", "sibling", "1995-01-01")),
        Area.URBAN,
        day,
        incomes=(income("p", "other", earned, month),),
        alone=frozenset("a"),
    )


@pytest.mark.parametrize(
    ("facts", "fits"),
    [
        ({"disability": disabled("physical", 3), "work_capacity": WorkCapacity.NONE}, True),
        ({"severe_illness": True, "bedridden": True}, True),
        ({"disability": disabled("physical", 3)}, False),
        ({"severe_illness": True}, False),
        (
            {
                "disability": disabled("physical", 3),
                "work_capacity": WorkCapacity.NONE,
                "born": "2010-01-01",
            },
            False,
        ),
    ],
)
def test_ordinance_11_apart_from_parents_and_siblings_since_2016_05_01(
    facts: dict[str, Any], fits: bool
) -> None:
    for day in (date(2016, 5, 1), DAY):
        found = answer(apart(person(**{"born": "1990-01-01", **facts}), day), day=day)
        assert found.outcome == ("alone" if fits else "not_entitled")
        assert paths(found) == ({"a": "apart_from_parents"} if fits else {})


@pytest.mark.parametrize(
    ("earned", "found_so", "outcome"),
    [
        (4619, False, "alone"),
        (4620, False, "not_entitled"),
        (300000, False, "not_entitled"),
        (300000, True, "alone"),
    ],
)
def test_ordinance_11_apart_only_where_the_family_is_truly_in_hardship(
    earned: int, *, found_so: bool, outcome: str
) -> None:
    """家庭生活确有困难: below twice 770 a head (a parameter, unconfirmed), or found by a person."""
    unable = person(
        born="1990-01-01", severe_illness=True, bedridden=True, special_hardship=found_so
    )
    found = answer(apart(unable, DAY, earned))
    assert found.outcome == outcome
    assert "dibao.alone.hardship_multiple" in {one.key for one in found.law if not one.confirmed}


def test_ordinance_11_not_apart_from_a_spouse_or_a_child() -> None:
    unable = person(born="1990-01-01", severe_illness=True, bedridden=True)
    household = apart(unable, DAY, 6000)
    for own in (person("w", "spouse"), pupil("k")):
        whole = replace(household, members=(*household.members, own))
        assert answer(whole).outcome == "not_entitled"


def test_the_amount_in_full_is_a_parameter() -> None:
    law = law_on(dibao__single__method="full_standard")
    household = family(EDGE, income("c", "pension", 300), disability=SEVERE)
    assert answer(household, law=law).alone[0].amount == 770
