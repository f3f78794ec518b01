"""The answer as a whole, and what holds of every answer (issue 4; relief.md §11, at its end)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.law.standards import NotInForceError
from contracts.events.relief import Area
from services.relief.entitlement.facts import (
    Consumption,
    ConsumptionKind,
    Education,
    FactSource,
    Household,
    Income,
    IncomeKind,
    Member,
    Property,
    PropertyKind,
    Relation,
    Silence,
    WorkCapacity,
)
from services.relief.entitlement.rules import Assessment
from tests.services.relief.entitlement.families import (
    DAY,
    answer,
    disabled,
    income,
    person,
    three,
)


def test_every_failed_condition_says_figure_source_day_article_and_what_would_change_it() -> None:
    fact = income("a", "other", 4000, source=FactSource.CHECKED, source_day=date(2025, 7, 3))
    found = answer(three(fact))
    assert found.outcome == "not_entitled"
    assert {one.code for one in found.failed} == {"income_below_standard", "income_below_edge"}
    for one in found.failed:
        assert "4000.00 元" in one.fact
        assert (one.source, one.source_day) == ("核对", date(2025, 7, 3))
        assert one.threshold
        assert one.article
        assert "重新申请" in one.remedy


def test_the_article_is_that_of_the_day() -> None:
    def article(day: date) -> str:
        return answer(replace(three(), applied_on=day), day=day).conditions[0].article

    assert article(date(2026, 6, 30)) == "重庆市城乡居民最低生活保障条例（2016年修订）第十条"
    assert article(date(2026, 7, 1)) == "社会救助法（2026）第十八条"


def test_the_answer_names_the_law_that_it_stands_on() -> None:
    keys = {one.key for one in answer(three()).law}
    assert {"dibao.round", "dibao.amount.method", "dibao.payment.start", "dibao.extras"} <= keys


def test_before_the_ordinance_there_is_no_answer() -> None:
    day = date(2016, 4, 30)
    with pytest.raises(NotInForceError):
        answer(replace(three(), applied_on=day), day=day)


def test_a_household_with_nobody_counted_is_not_entitled() -> None:
    found = answer(Household((person(in_prison=True),), Area.URBAN, DAY))
    assert (found.outcome, found.family, found.persons) == ("not_entitled", "none", 0)
    assert found.per_capita is None
    assert found.notes
    (reason,) = found.failed
    assert (reason.code, reason.fact) == ("household_has_members", "在监狱内服刑，不计入")
    assert "第七条" in reason.article


def test_57_4_who_is_not_counted_does_not_apply_for_the_others() -> None:
    prisoner = replace(three(), members=(person(in_prison=True), *three().members[1:]))
    assert any("其他成员提出申请" in one for one in answer(prisoner).notes)
    assert not any("其他成员提出申请" in one for one in answer(three()).notes)


def test_the_day_decides_the_age_not_the_application() -> None:
    child = person("c", "child", "2007-08-01", lives_together=False)
    household = replace(three(), members=(person(), child))
    assert answer(household, day=date(2025, 7, 31)).persons == 2
    assert answer(household, day=date(2025, 8, 1)).persons == 1


def test_texts_name_no_reference() -> None:
    members = (person("ref-7f3a"), person("ref-9c1d", "child", "2014-01-01"))
    household = Household(
        members,
        Area.URBAN,
        DAY,
        incomes=(Income("ref-7f3a", IncomeKind.OTHER, Decimal(9000), date(2025, 6, 1)),),
        alone=frozenset({"ref-9c1d"}),
        missing_sources=(("ref-9c1d", "bank"),),
    )
    found = answer(household)
    texts = [one.fact + one.threshold + one.remedy for one in found.conditions]
    assert not [text for text in [*texts, *found.notes] if "ref-" in text]


STANDARDS = st.sampled_from([Decimal(770), Decimal(630), Decimal("515.50"), Decimal(620)])
AMOUNTS = st.decimals(0, 4000, places=2)
RECEIVED = [
    IncomeKind.WAGE,
    IncomeKind.FARMING,
    IncomeKind.BUSINESS,
    IncomeKind.PROPERTY,
    IncomeKind.PENSION,
    IncomeKind.SUPPORT_RECEIVED,
    IncomeKind.OTHER,
]
PAID = [IncomeKind.TAX_PAID, IncomeKind.INSURANCE_PAID, IncomeKind.SUPPORT_PAID]
EXEMPT = [
    IncomeKind.SCHOLARSHIP,
    IncomeKind.GOVERNMENT_RELIEF,
    IncomeKind.DISABILITY_SUBSIDY,
    IncomeKind.BASIC_PENSION,
]


@st.composite
def members(draw: st.DrawFn) -> tuple[Member, ...]:
    count = draw(st.integers(0, 5))
    relations = st.sampled_from([one for one in Relation if one is not Relation.SELF])
    others = [_member(draw, f"m{place}", draw(relations)) for place in range(count)]
    return (_member(draw, "self", Relation.SELF), *others)


def _member(draw: st.DrawFn, ref: str, relation: Relation) -> Member:
    rarely = st.integers(0, 5).map(lambda one: one == 0)
    return Member(
        ref,
        relation,
        draw(st.dates(date(1940, 1, 1), date(2025, 1, 1))),
        education=draw(st.sampled_from(Education)),
        full_time=draw(st.booleans()),
        disability=draw(
            st.sampled_from([None, None, disabled("physical", 1), disabled("mental", 3)])
        ),
        severe_illness=draw(rarely),
        work_capacity=draw(st.sampled_from(WorkCapacity)),
        employed=draw(st.booleans()),
        independent=draw(st.booleans()),
        lives_together=not draw(rarely),
        legal_duty=not draw(rarely),
        in_prison=draw(rarely),
    )


def facts_of(refs: list[str]) -> st.SearchStrategy[tuple[Income, ...]]:
    one = st.builds(
        Income,
        member=st.sampled_from(refs),
        kind=st.sampled_from([*RECEIVED, *PAID, *EXEMPT]),
        amount=AMOUNTS,
        first_month=st.sampled_from([date(2025, 6, 1), date(2024, 11, 1)]),
        months=st.integers(1, 12),
    )
    return st.lists(one, max_size=6).map(tuple)


@st.composite
def households(draw: st.DrawFn) -> Household:
    chosen = draw(members())
    refs = [one.ref for one in chosen]
    properties = st.builds(
        Property,
        kind=st.sampled_from(PropertyKind),
        member=st.sampled_from([None, *refs]),
        amount=st.one_of(st.none(), AMOUNTS),
        essential=st.booleans(),
    )
    consumptions = st.builds(
        Consumption,
        kind=st.sampled_from(ConsumptionKind),
        on=st.one_of(st.none(), st.dates(date(2020, 1, 1), DAY)),
        amount=st.one_of(st.none(), AMOUNTS),
    )
    return Household(
        chosen,
        Area.URBAN,
        DAY,
        incomes=draw(facts_of(refs)),
        properties=draw(st.lists(properties, max_size=2).map(tuple)),
        consumptions=draw(st.lists(consumptions, max_size=2).map(tuple)),
        alone=frozenset(draw(st.sets(st.sampled_from(refs), max_size=2))),
    )


@given(households(), STANDARDS)
def test_the_base_is_never_above_standard_by_persons_nor_below_nothing(
    household: Household, standard: Decimal
) -> None:
    found = answer(household, standard=standard)
    assert (found.base is not None) == (found.outcome == "entitled")
    if found.base is not None:
        assert 0 < found.base <= standard * found.persons
    for one in found.alone:
        assert 0 < one.amount <= standard


@given(households(), STANDARDS)
def test_the_base_is_the_exact_difference_rounded_up_once(
    household: Household, standard: Decimal
) -> None:
    found = answer(household, standard=standard)
    if found.base is not None:
        exact = Fraction(standard) * found.persons - found.income.total
        assert found.base == standard * found.persons or exact <= found.base < exact + 1


@given(households(), st.integers(0, 5), AMOUNTS, st.sampled_from(RECEIVED))
def test_within_one_composition_richer_never_gets_more(
    household: Household, place: int, more: Decimal, kind: IncomeKind
) -> None:
    ref = household.members[place % len(household.members)].ref
    added = Income(ref, kind, more, date(2025, 6, 1))
    poorer = answer(household)
    richer = answer(replace(household, incomes=(*household.incomes, added)))
    assert richer.income.total >= poorer.income.total
    if richer.outcome == "entitled":
        assert poorer.base is not None
        assert richer.base is not None
        assert richer.base <= poorer.base
        assert richer.extras == poorer.extras


def essence(found: Assessment) -> tuple[object, ...]:
    return (
        found.outcome,
        found.family,
        found.persons,
        found.income,
        found.base,
        found.total,
        frozenset(found.members),
        frozenset(found.extras),
        frozenset(found.alone),
        frozenset(found.conditions),
        frozenset(found.notes),
    )


@given(households(), st.randoms(use_true_random=False))
def test_the_order_of_members_and_facts_does_not_matter(
    household: Household, random: Random
) -> None:
    def turned(things: tuple[object, ...]) -> tuple[object, ...]:
        listed = list(things)
        random.shuffle(listed)
        return tuple(listed)

    other = replace(
        household,
        members=turned(household.members),
        incomes=turned(household.incomes),
        properties=turned(household.properties),
        consumptions=turned(household.consumptions),
    )
    assert essence(answer(other)) == essence(answer(household))


@given(households(), st.integers(0, 5), AMOUNTS, st.sampled_from(EXEMPT))
def test_income_that_is_not_counted_changes_nothing(
    household: Household, place: int, amount: Decimal, kind: IncomeKind
) -> None:
    ref = household.members[place % len(household.members)].ref
    added = Income(ref, kind, amount, date(2025, 6, 1))
    before = answer(household)
    after = answer(replace(household, incomes=(*household.incomes, added)))
    assert after.income.total == before.income.total
    assert essence(replace(after, income=before.income)) == essence(before)


@given(households())
def test_a_whole_family_or_some_of_its_members_never_both(household: Household) -> None:
    found = answer(household)
    counted = {one.ref for one in found.members if one.counted}
    if found.outcome == "entitled":
        assert not {one.member for one in found.alone} & counted


@given(households())
def test_what_is_refused_has_a_reason_and_what_is_open_says_why(household: Household) -> None:
    found = answer(household)
    if found.outcome in ("not_entitled", "edge", "alone"):
        assert found.failed
    if found.outcome == "undecided":
        assert found.unsettled
    assert all(one.remedy for one in (*found.failed, *found.unsettled))


@given(households(), st.integers(0, 5))
def test_a_missing_source_never_makes_anybody_entitled(household: Household, place: int) -> None:
    ref = household.members[place % len(household.members)].ref
    before = answer(household)
    after = answer(replace(household, missing_sources=((ref, "bank"),)))
    if after.outcome == "entitled":
        assert before.outcome == "entitled"


def test_57_17_an_accepted_silence_is_named_with_its_reference_and_is_no_zero() -> None:
    known = replace(three(), accepted_silences=(Silence("a", "bank", "查询-7"),))
    (told,) = [one for one in answer(known).conditions if one.code == "sources_complete"]
    assert told.passed is True
    assert "银行存款信息缺失，经说明理由接受（查询编号 查询-7）" in told.fact
    late = replace(known, accepted_silences=(Silence("a", "bank", "查询-7", answered_late=True),))
    (told,) = [one for one in answer(late).conditions if one.code == "sources_complete"]
    assert "报告出具后已有答复，未用于本次测算" in told.fact
