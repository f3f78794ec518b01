"""The assembly of a household is pure: the order in which facts were learnt does not matter."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.relief.entitlement import facts as law
from services.relief.households import rules
from services.relief.households.kinds import FactKind
from services.relief.households.rules import Fact

START = datetime(2025, 3, 3, tzinfo=UTC)
OWN = UUID(int=1)


def fact(number: int, kind: FactKind, value: dict[str, Any], **changes: Any) -> Fact:
    return replace(
        Fact(
            id=UUID(int=100 + number),
            member=OWN,
            kind=kind,
            value=value,
            valid_from=date(2025, 3, 3),
            valid_to=None,
            source=law.FactSource.DECLARED,
            source_day=None,
            noted=False,
            known_at=START + timedelta(minutes=number),
        ),
        **changes,
    )


FACTS = [
    fact(0, FactKind.MEMBERSHIP, {"state": "in", "reason": "declared"}),
    fact(1, FactKind.PERSON, {"relation": "self", "born": "1980-05-01"}),
    fact(2, FactKind.WORK, {"work_capacity": "partial", "employed": True}),
    fact(
        3,
        FactKind.WORK,
        {"work_capacity": "none", "employed": False},
        valid_from=date(2025, 4, 1),
    ),
    fact(
        4,
        FactKind.WORK,
        {"work_capacity": "full", "employed": True},
        valid_from=date(2025, 5, 1),
        superseded_at=START + timedelta(days=70),
    ),
]
LEFT = fact(
    5,
    FactKind.MEMBERSHIP,
    {"state": "out", "reason": "death"},
    valid_from=date(2025, 6, 1),
)


def assembled(facts: list[Fact], day: date, before: datetime | None = None) -> law.Household:
    return rules.assemble(
        facts, day=day, area=law.Area.URBAN, applied_on=date(2025, 3, 3), before=before
    )


@given(st.permutations([*FACTS, LEFT]), st.integers(0, 120))
def test_the_order_of_facts_does_not_matter(facts: list[Fact], days: int) -> None:
    day = date(2025, 3, 1) + timedelta(days=days)
    assert assembled(facts, day) == assembled([*FACTS, LEFT], day)


def test_what_was_superseded_holds_for_who_looks_from_before() -> None:
    day = date(2025, 5, 2)
    before, after = START + timedelta(days=70), START + timedelta(days=70, seconds=1)
    assert assembled(FACTS, day, before).members[0].work_capacity is law.WorkCapacity.FULL
    assert assembled(FACTS, day, after).members[0].work_capacity is law.WorkCapacity.NONE
    assert assembled(FACTS, day).members[0].work_capacity is law.WorkCapacity.NONE


def test_law_41_consent_counts_from_its_day_where_it_is_required() -> None:
    day = date(2026, 7, 10)
    for consented_on, required, checkable in (
        (None, False, True),
        (None, True, False),
        (date(2026, 7, 10), True, True),
        (date(2026, 7, 11), True, False),
    ):
        found = rules.supporter_checkable(
            consented_on=consented_on, day=day, consent_required=required
        )
        assert found is checkable


def test_57_21_a_declared_figure_is_of_the_day_on_which_it_was_told() -> None:
    """A refusal gives source and date of each figure; a declaration is of the day it was made."""
    deposit = {"kind": "deposit", "amount": "100.00", "area": None, "essential": False}
    deposit |= {"disability_vehicle": False, "judged": None}
    late = datetime(2025, 3, 4, 17, 30, tzinfo=UTC)  # already the fifth in Shanghai
    told = fact(6, FactKind.PROPERTY, deposit, known_at=late)
    of_the_register = replace(told, source=law.FactSource.CHECKED, source_day=date(2025, 2, 28))
    for one, day in ((told, date(2025, 3, 5)), (of_the_register, date(2025, 2, 28))):
        found = assembled([*FACTS[:2], one], date(2025, 3, 6))
        assert [known.source_day for known in found.properties] == [day]
