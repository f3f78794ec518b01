"""Families of the tests, and the answer of the rules on a day with a standard."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from contracts.events.relief import Area
from services.relief.entitlement.facts import (
    Disability,
    DisabilityKind,
    Education,
    Household,
    Income,
    IncomeKind,
    Member,
    Relation,
)
from services.relief.entitlement.rules import Assessment, assess
from services.relief.parameters.rules import Cited, Law, Row
from services.relief.parameters.rules import law_on as law_of
from services.relief.parameters.seed import seed

DAY = date(2025, 7, 15)
URBAN = Decimal(770)
OF_THE_COUNTY = "渝北民政〔2024〕9号"


def law_on(day: date = DAY, **values: Any) -> Law:
    """The seeded law of a day, with some parameters (dots written as __) set to another value.

    Of what no text sets it is what a county has set from 2025 on.
    """
    changed = {key.replace("__", "."): value for key, value in values.items()}
    assert changed.keys() <= seed().parameters.keys()
    rows = [
        replace(row, value=changed[row.key]) if row.key in changed else row for row in seed().rows
    ]
    rows += [
        Row(key, changed[key], OF_THE_COUNTY, date(2025, 1, 1), seeded=False)
        for key in changed.keys() - {row.key for row in rows}
    ]
    return law_of(day, rows)


def of(standard: Decimal | int | str) -> Cited[Decimal]:
    return Cited(
        "standard.dibao", Decimal(standard), "渝民规〔2025〕6号", date(2025, 7, 1), True, ""
    )


def person(
    ref: str = "a", relation: str = "self", born: str = "1985-05-01", **facts: Any
) -> Member:
    return Member(ref, Relation(relation), date.fromisoformat(born), **facts)


def disabled(kind: str, grade: int) -> Disability:
    return Disability(DisabilityKind(kind), grade)


def pupil(ref: str, born: str = "2014-05-01", **facts: Any) -> Member:
    return person(ref, "child", born, education=Education.COMPULSORY, full_time=True, **facts)


def income(
    member: str, kind: str, amount: str | int | Decimal, month: str = "2025-06-01", **facts: Any
) -> Income:
    return Income(member, IncomeKind(kind), Decimal(amount), date.fromisoformat(month), **facts)


def three(*incomes: Income, **facts: Any) -> Household:
    """A couple of 40 with a pupil, urban, applied on `DAY`."""
    members = (person(), person("b", "spouse", "1986-05-01"), pupil("c"))
    return Household(members, Area.URBAN, DAY, incomes=incomes, **facts)


def alone_household(**facts: Any) -> Household:
    return Household((person(**facts),), Area.URBAN, DAY)


def answer(
    household: Household,
    *,
    standard: Decimal | int | str = URBAN,
    day: date = DAY,
    law: Law | None = None,
) -> Assessment:
    return assess(household, day=day, law=law or law_on(day), standard=of(standard))


def passed(found: Assessment) -> dict[str, bool | None]:
    return {one.code: one.passed for one in found.conditions}
