"""Who is counted: 民发〔2021〕57号 art. 7, 条例 (2016) art. 11, relief.md §14."""

from datetime import date
from typing import Any

import pytest

from contracts.events.relief import Area
from services.relief.entitlement.facts import Education, Household, Member
from services.relief.entitlement.membership import standings
from tests.services.relief.entitlement.families import law_on, person

BEFORE, AFTER = date(2021, 6, 30), date(2021, 7, 1)


def counted(member: Member, day: date = AFTER, **law: Any) -> bool:
    household = Household((person(), member), Area.URBAN, day)
    return standings(household, day=day, law=law_on(day, **law))[1].counted


def grown(**facts: Any) -> Member:
    """An adult child who lives elsewhere and can live independently."""
    return person("x", "child", "1999-01-01", **{"lives_together": False, **facts})


def test_57_7_1_the_spouse_is_counted_wherever_they_live() -> None:
    assert counted(person("x", "spouse", lives_together=False, legal_duty=False))


def test_57_7_2_a_minor_child_is_counted_wherever_it_lives() -> None:
    assert counted(person("x", "child", "2010-01-01", lives_together=False))


def test_57_7_2_a_child_is_grown_on_its_18th_birthday() -> None:
    child = person("x", "child", "2003-07-01", lives_together=False)
    assert counted(child, date(2021, 6, 30))
    assert not counted(child, date(2021, 7, 1))


def test_57_7_3_an_adult_child_that_cannot_live_independently_is_counted() -> None:
    assert counted(grown(independent=False))
    assert not counted(grown())


@pytest.mark.parametrize(
    ("education", "full_time", "before", "after"),
    [
        (Education.BACHELOR, True, True, True),
        (Education.SENIOR, True, True, True),
        (Education.VOCATIONAL, True, True, True),
        (Education.BACHELOR, False, True, False),
        (Education.POSTGRADUATE, True, True, False),
        (Education.NONE, False, False, False),
    ],
)
def test_57_7_3_full_time_up_to_bachelor_and_ordinance_11_any_school(
    education: Education, full_time: bool, before: bool, after: bool
) -> None:
    student = grown(education=education, full_time=full_time)
    assert counted(student, BEFORE) is before
    assert counted(student, AFTER) is after


@pytest.mark.parametrize("relation", ["child", "parent", "grandparent", "sibling", "grandchild"])
def test_57_7_4_legal_duty_and_living_together_both_are_needed(relation: str) -> None:
    def kin(**facts: Any) -> Member:
        return person("x", relation, "1960-01-01", **facts)

    assert counted(kin())
    assert not counted(kin(lives_together=False))
    assert not counted(kin(legal_duty=False))


@pytest.mark.parametrize(
    ("fact", "before"),
    [("in_prison", False), ("in_compulsory_rehabilitation", True), ("declared_missing", True)],
)
def test_57_7_prison_rehabilitation_and_missing_are_left_out_and_ordinance_11_prison_alone(
    fact: str, before: bool
) -> None:
    absent = person("x", "spouse", **{fact: True})
    assert counted(absent, BEFORE) is before
    assert not counted(absent, AFTER)


def test_57_7_clergy_after_three_years_and_ordinance_11_after_one() -> None:
    one_year = person("x", "spouse", clergy_since=date(2020, 6, 30))
    assert not counted(one_year, BEFORE)
    assert counted(one_year, AFTER)
    assert not counted(person("x", "spouse", clergy_since=date(2018, 7, 1)), AFTER)  # 含三年
    assert counted(person("x", "spouse", clergy_since=date(2018, 7, 2)), AFTER)


def test_ordinance_11_unmarried_soldiers_are_not_counted_unless_the_bureau_says_so() -> None:
    soldier = person("x", "child", "2000-01-01", soldier_unmarried=True)
    assert not counted(soldier, BEFORE)
    assert not counted(soldier, AFTER)
    assert counted(soldier, AFTER, dibao__soldier__counted=True)


def test_each_standing_names_its_article_of_the_day() -> None:
    household = Household((person(), person("x", "spouse", in_prison=True)), Area.URBAN, AFTER)
    for day, text in ((BEFORE, "条例（2016年修订）第十一条"), (AFTER, "民发〔2021〕57号第七条")):
        found = standings(household, day=day, law=law_on(day))
        assert all(text in one.article for one in found)
        assert all(one.reason for one in found)
