"""Declared against found: 民发〔2021〕57号 arts. 17, 18; what is missing is not zero (C2)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.relief.checks.rules import (
    FAMILY,
    Answer,
    Difference,
    Failure,
    Finding,
    Item,
    Status,
    findings,
    first_month,
    given_up,
    gives_up,
    kinds_to_adopt,
    missing,
)
from services.relief.entitlement.facts import Income, IncomeKind, Property, PropertyKind

DAY, MONTH = date(2025, 3, 3), date(2025, 2, 1)
FROM_TAX, FROM_BANK = ("tax",), ("bank",)


def yuan(amount: int | str) -> Decimal:
    return Decimal(amount)


def wage(amount: int | str, month: date = MONTH, months: int = 1, member: str = "a") -> Income:
    return Income(member, IncomeKind.WAGE, yuan(amount), month, months)


def deposit(amount: int | str, member: str | None = "a") -> Property:
    return Property(PropertyKind.DEPOSIT, member, yuan(amount))


def told(source: str, *items: Item, member: str = "a") -> Answer:
    return Answer(member, source, DAY, items)


def paid(amount: int | str, months: int = 1, on: date | None = None) -> Item:
    return Item("wage", yuan(amount), months=months, on=on)


def saved(amount: int | str) -> Item:
    return Item("deposit", yuan(amount))


@pytest.mark.parametrize(
    ("declared", "found", "expected"),
    [
        ([wage(1500)], paid(1500), None),
        ([wage(1500)], paid("1500.01"), (Difference.MORE, "1500.00", "1500.01")),
        ([wage(1500)], paid(1200), (Difference.LESS, "1500.00", "1200.00")),
        ([], paid(1500), (Difference.UNDECLARED, None, "1500.00")),
        ([wage(1500)], paid(4500, 3, date(2024, 12, 1)), None),
        ([wage(1500)], paid(5400, 3, date(2024, 12, 1)), (Difference.MORE, "1500.00", "1800.00")),
        ([wage(1000), wage(500)], paid(1500), None),
        ([wage(4500, date(2024, 12, 1), 3)], paid(1500), None),
        ([wage(1500)], paid(1400, 1, date(2024, 10, 1)), (Difference.LESS, "1500.00", "1400.00")),
    ],
)
def test_art_17_incomes_are_compared_by_the_months_that_both_speak_of(
    declared: list[Income], found: Item, expected: tuple[Difference, str | None, str] | None
) -> None:
    result = findings(declared, [], [told("tax", found)])
    if expected is None:
        assert result == []
        return
    difference, said, was = expected
    assert result == [
        Finding("a", "wage", difference, said and yuan(said), yuan(was), FROM_TAX)  # type: ignore[arg-type]
    ]


def test_art_17_deposits_of_all_sources_are_added_up() -> None:
    answers = [told("bank", saved(3000), saved(1000)), told("internet_finance", saved(500))]
    assert findings([], [deposit(4500)], answers) == []
    (finding,) = findings([], [deposit(4000)], answers)
    assert (finding.difference, finding.found) == (Difference.MORE, yuan(4500))
    assert finding.sources == ("bank", "internet_finance")


def test_a_dwelling_is_compared_by_its_area_and_a_vehicle_by_there_being_one() -> None:
    home = Property(PropertyKind.DWELLING, "a", area=yuan(80))
    assert findings([], [home], [told("real_estate", Item("dwelling", area=yuan(80)))]) == []
    (larger,) = findings([], [home], [told("real_estate", Item("dwelling", area=yuan(95)))])
    assert (larger.difference, larger.declared, larger.found) == ("more", yuan(80), yuan(95))
    car = Property(PropertyKind.VEHICLE, "a")
    assert findings([], [car], [told("vehicles", Item("vehicle"))]) == []
    (hidden,) = findings([], [], [told("vehicles", Item("vehicle"))])
    assert (hidden.difference, hidden.found) == (Difference.UNDECLARED, None)


def test_what_the_family_declared_together_is_compared_with_all_that_its_members_have() -> None:
    answers = [told("bank", saved(3000)), told("bank", saved(2000), member="b")]
    assert findings([], [deposit(5000, member=None)], answers) == []
    (finding,) = findings([], [deposit(4000, member=None)], answers)
    assert (finding.member, finding.found) == (FAMILY, yuan(5000))
    assert kinds_to_adopt([], [deposit(4000, member=None)], answers) == {(FAMILY, "deposit")}


def test_declared_but_not_found_is_told_only_when_those_who_would_know_have_answered() -> None:
    assert findings([wage(1500)], [deposit(20)], [told("vehicles")]) == []
    (finding,) = findings([wage(1500)], [deposit(20)], [told("tax")])
    assert finding == Finding("a", "wage", Difference.NOT_FOUND, yuan(1500), None, FROM_TAX)
    assert findings([wage(1500, member="b")], [], [told("tax")]) == []
    together = [deposit(20, member=None)]
    assert findings([], together, [told("bank"), told("tax", member="b")]) == []
    assert findings([], together, [told("bank"), told("bank", member="b")])


def test_a_record_of_the_funeral_office_stands_first() -> None:
    first, *_ = findings([wage(1)], [], [told("tax"), told("funeral", Item("deceased", on=DAY))])
    assert (first.difference, first.sources) == (Difference.DECEASED, ("funeral",))


def test_only_what_a_source_knows_beyond_the_declaration_takes_its_place() -> None:
    answers = [
        told("tax", paid(1200)),
        told("bank", saved(9000)),
        told("vehicles", Item("vehicle")),
    ]
    declared = [wage(1500)], [deposit(5000)]
    assert kinds_to_adopt(*declared, answers) == {("a", "deposit"), ("a", "vehicle")}
    assert ("a", "wage") in kinds_to_adopt([wage(1200)], [], answers)


def test_an_income_without_a_month_is_of_the_month_before_the_data() -> None:
    assert first_month(paid(1), date(2025, 1, 31)) == date(2024, 12, 1)
    assert first_month(paid(1, on=date(2024, 5, 20)), DAY) == date(2024, 5, 1)


@pytest.mark.parametrize("status", list(Status))
def test_c2_missing_is_not_zero_until_somebody_takes_it_upon_himself(status: Status) -> None:
    answered = status in {Status.NONE, Status.RETURNED, Status.LATE}
    assert missing(status, accepted=False) is not answered
    assert not missing(status, accepted=True)


def test_a_source_is_given_up_after_so_many_hours_by_the_clock() -> None:
    asked = datetime(2025, 3, 3, 2, tzinfo=UTC)
    assert not gives_up(asked, 72, asked + timedelta(hours=72) - timedelta(seconds=1))
    assert gives_up(asked, 72, asked + timedelta(hours=72))
    assert given_up(Failure.NO_ANSWER) is given_up(Failure.PROMISED) is Status.TIMEOUT
    assert given_up(Failure.UNREACHABLE) is given_up(Failure.OUT_OF_ORDER) is Status.FAILED


MEMBERS, SOURCES = st.sampled_from("abc"), st.sampled_from(("tax", "bank", "real_estate"))
AMOUNTS = st.decimals(0, 100_000, places=2)
ITEMS = st.builds(
    lambda kind, amount, months: Item(kind, amount, amount, months),
    st.sampled_from(("wage", "deposit", "dwelling", "vehicle")),
    AMOUNTS,
    st.integers(1, 6),
)
ANSWERS = st.lists(
    st.builds(
        lambda member, source, items: Answer(member, source, DAY, tuple(items)),
        MEMBERS,
        SOURCES,
        st.lists(ITEMS, max_size=3),
    ),
    max_size=6,
    unique_by=lambda answer: (answer.member, answer.source),
)


@given(ANSWERS, st.lists(st.builds(deposit, AMOUNTS, MEMBERS), max_size=4), st.randoms())
def test_the_order_in_which_answers_come_does_not_matter(
    answers: list[Answer], declared: list[Property], chance: st.DataObject
) -> None:
    def told_by(told_answers: list[Answer]) -> list[Finding]:
        found = findings([], declared, told_answers)
        return [
            Finding(one.member, one.kind, one.difference, one.declared, one.found, ())
            for one in found
        ]

    shuffled = list(answers)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told_by(shuffled) == told_by(answers)
    assert kinds_to_adopt([], declared, shuffled) == kinds_to_adopt([], declared, answers)


@given(st.lists(st.builds(saved, AMOUNTS), min_size=1, max_size=5))
def test_whoever_declares_what_the_bank_knows_has_no_finding(items: list[Item]) -> None:
    declared = [deposit(item.amount or 0) for item in items]  # type: ignore[arg-type]
    assert findings([], declared, [told("bank", *items)]) == []
