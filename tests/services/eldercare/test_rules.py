"""Facilities over time: each attribute a series of its own, whatever the order of learning."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from services.eldercare.facilities import rules
from services.eldercare.facilities.rules import (
    Assessment,
    Beds,
    Fact,
    Functions,
    Kind,
    Life,
    Name,
    Operator,
    Place,
    Value,
)

FACILITY = UUID(int=1)
TOWN, OTHER_TOWN = 500112142000, 500112144000
OPENED = date(2021, 1, 1)
TODAY = date(2025, 3, 3)
LEARNT = datetime(2021, 1, 1, tzinfo=UTC)


def fact(value: Value, day: date, *, learnt: datetime = LEARNT) -> Fact:
    series = rules.SERIES_OF[type(value)]
    return Fact(uuid4(), series, day, value, "文号", learnt, "clerk-1")


def opening(beds: int = 30, day: date = OPENED) -> list[Fact]:
    values: tuple[Value, ...] = (
        Life(open=True),
        Name("敬老院"),
        Kind(FacilityKind.RURAL_HOME),
        Place(TOWN, "中心街 1 号"),
        Operator("镇政府", OperatorKind.GOVERNMENT),
        Beds(beds, 10, beds),
        Functions((FacilityFunction.FULL_CARE,)),
    )
    return [fact(value, day) for value in values]


def beds(number: int, day: date) -> Fact:
    return fact(Beds(number, 10, number), day)


PRIVATE = Operator("某公司", OperatorKind.PRIVATE_FORPROFIT)


def steps(facts: Iterable[Fact]) -> list[tuple[date, int, OperatorKind, bool]]:
    periods = rules.timeline(FACILITY, facts).periods
    return [(one.from_, one.beds, one.operator, one.open) for one in periods]


def texts(facts: Iterable[Fact], today: date = TODAY) -> list[str]:
    return [violation.text for violation in rules.violations(facts, today)]


def test_40_from_february_learnt_after_50_from_march_and_a_new_operator_on_15_march() -> None:
    facts = [
        *opening(30),
        beds(50, date(2021, 3, 1)),
        fact(PRIVATE, date(2021, 3, 15)),
        beds(40, date(2021, 2, 1)),
    ]
    assert steps(facts) == [
        (date(2021, 1, 1), 30, OperatorKind.GOVERNMENT, True),
        (date(2021, 2, 1), 40, OperatorKind.GOVERNMENT, True),
        (date(2021, 3, 1), 50, OperatorKind.GOVERNMENT, True),
        (date(2021, 3, 15), 50, OperatorKind.PRIVATE_FORPROFIT, True),
    ]


def test_a_closing_and_a_reopening_are_periods_and_keep_what_was_known() -> None:
    facts = [
        *opening(30),
        fact(Life(open=False), date(2022, 6, 1)),
        fact(Life(open=True), date(2023, 1, 1)),
        beds(20, date(2023, 1, 1)),
    ]
    assert rules.violations(facts, TODAY) == []
    assert [(one[0], one[1], one[3]) for one in steps(facts)] == [
        (OPENED, 30, True),
        (date(2022, 6, 1), 30, False),
        (date(2023, 1, 1), 20, True),
    ]


def test_a_new_name_or_address_is_no_new_period_of_the_event() -> None:
    facts = [
        *opening(),
        fact(Name("新名"), date(2021, 5, 1)),
        fact(Place(TOWN, "中心街 2 号"), date(2021, 6, 1)),
        fact(Place(OTHER_TOWN, "新街 3 号"), date(2021, 7, 1)),
    ]
    periods = rules.timeline(FACILITY, facts).periods
    assert [(one.from_, one.unit) for one in periods] == [
        (OPENED, TOWN),
        (date(2021, 7, 1), OTHER_TOWN),
    ]


def test_the_event_holds_each_assessment_in_order_and_no_name_or_address() -> None:
    facts = [
        *opening(),
        fact(Assessment(passed=False, score=None), date(2022, 5, 1)),
        fact(Assessment(passed=True, score=Decimal(80)), date(2021, 5, 1)),
    ]
    state = rules.timeline(FACILITY, facts)
    assert [(one.assessed_on.year, one.passed) for one in state.assessments] == [
        (2021, True),
        (2022, False),
    ]
    assert len(state.periods) == 1
    assert not any(word in state.model_dump_json() for word in ("敬老院", "中心街", "镇政府"))


def test_a_correction_holds_from_when_it_was_recorded_and_the_old_fact_before() -> None:
    wrong = beds(500, date(2021, 3, 1))
    later = LEARNT + timedelta(days=90)
    right = replace(beds(50, date(2021, 3, 1)), supersedes=wrong.id, recorded_at=later)
    facts = [*opening(30), wrong, right]
    assert [one[1] for one in steps(facts)] == [30, 50]
    assert wrong in rules.standing(facts, before=later)
    assert right not in rules.standing(facts, before=later)
    assert wrong not in rules.standing(facts)


def test_a_withdrawal_takes_the_fact_away() -> None:
    wrong = beds(50, date(2021, 3, 1))
    facts = [*opening(30), wrong, replace(wrong, id=uuid4(), value=None, supersedes=wrong.id)]
    assert [one[1] for one in steps(facts)] == [30]


def test_a_withdrawn_registration_was_never_open() -> None:
    facts = opening(30)
    void = replace(facts[0], id=uuid4(), value=None, supersedes=facts[0].id)
    assert [(one[1], one[3]) for one in steps([*facts, void])] == [(30, False)]
    assert rules.opened_on(rules.standing([*facts, void])) is None
    assert texts([*facts, void]) == []


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ([beds(5, date(2020, 12, 31))], "早于开办日期"),
        ([beds(5, OPENED)], "已登记过同一事项"),
        ([fact(Life(open=True), date(2021, 5, 1))], "当日已在办"),
        ([fact(Life(open=False), date(2020, 5, 1))], "当日未在办"),
        ([fact(Life(open=False), date(2022, 1, 1)), beds(9, date(2022, 1, 1))], "在停办期间"),
        ([fact(Life(open=False), date(2022, 1, 1)), beds(9, date(2023, 1, 1))], "在停办期间"),
        ([beds(5, date(2027, 3, 4))], "最多可提前 2 年"),
        ([fact(Assessment(passed=True, score=None), date(2025, 3, 4))], "不得晚于今天"),
        ([fact(Place(OTHER_TOWN, "新街"), date(2025, 3, 4))], "迁入当日或之后"),
        ([beds(n + 10, OPENED + timedelta(days=n + 1)) for n in range(200)], "不得超过 200 项"),
    ],
)
def test_what_cannot_be_is_told(added: list[Fact], told: str) -> None:
    assert any(told in text for text in texts([*opening(), *added]))


@pytest.mark.parametrize(
    "added",
    [
        [fact(Life(open=False), date(2022, 1, 1)), beds(9, date(2021, 12, 31))],
        [fact(Life(open=False), date(2026, 1, 1))],
        [fact(Assessment(passed=True, score=None), TODAY)],
        [beds(9, date(2027, 3, 3))],
    ],
)
def test_late_facts_before_a_closing_and_announced_ones_are_sound(added: list[Fact]) -> None:
    assert texts([*opening(), *added]) == []


def test_what_was_stated_at_the_opening_cannot_be_put_off() -> None:
    facts = opening()
    name = facts[1]
    put_off = replace(name, id=uuid4(), valid_from=date(2021, 2, 1), supersedes=name.id)
    assert any("只能更正内容" in text for text in texts([*facts, put_off]))


def test_an_opening_in_the_future_is_sound_with_all_that_is_stated_for_it() -> None:
    assert texts(opening(day=date(2025, 9, 1))) == []


def test_decree_66_an_institution_with_fewer_than_10_beds_is_a_warning() -> None:
    assert rules.warnings(FacilityKind.INSTITUTION, 9)
    assert not rules.warnings(FacilityKind.INSTITUTION, 10)
    assert not rules.warnings(FacilityKind.COMMUNITY_STATION, 7)


days = st.dates(date(2021, 1, 2), date(2024, 12, 31))
values = st.one_of(
    st.integers(10, 500).map(lambda n: Beds(n, 10, n)),
    st.sampled_from([PRIVATE, Operator("某社", OperatorKind.PRIVATE_NONPROFIT)]),
    st.sampled_from([Place(OTHER_TOWN, "新街"), Place(TOWN, "旧街")]),
    st.sampled_from([Kind(FacilityKind.COMPLEX), Kind(FacilityKind.INSTITUTION)]),
    st.sets(st.sampled_from(FacilityFunction)).map(lambda some: Functions(tuple(sorted(some)))),
    st.booleans().map(lambda passed: Assessment(passed, None)),
)
histories = st.lists(
    st.builds(fact, values, days),
    max_size=12,
    unique_by=lambda one: (one.series, one.valid_from),
)


@given(histories, st.randoms())
def test_the_order_of_learning_does_not_matter_for_what_is_known_now(
    learnt: list[Fact], random: object
) -> None:
    facts = [*opening(), *learnt]
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rules.timeline(FACILITY, facts) == rules.timeline(FACILITY, shuffled)
    assert texts(facts) == texts(shuffled) == []


@given(histories)
def test_each_day_has_the_last_value_of_every_series_and_no_period_repeats_the_one_before(
    learnt: list[Fact],
) -> None:
    facts = [*opening(), *learnt]
    periods = rules.timeline(FACILITY, facts).periods
    for period in periods:
        last = max(
            (one for one in facts if one.series == "beds" and one.valid_from <= period.from_),
            key=lambda one: one.valid_from,
        )
        assert isinstance(last.value, Beds)
        assert period.beds == last.value.beds
    for earlier, later in pairwise(periods):
        assert earlier.model_dump(exclude={"from_"}) != later.model_dump(exclude={"from_"})
