"""What a check needs of the household: whom to ask about, what they declared, where it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import today
from chassis.law.dates import add_months
from chassis.privacy import Cell
from chassis.problems import NotFound
from chassis.sealing import reveal
from contracts.events.relief import Area
from services.relief.checks.models import RequestRow
from services.relief.checks.rules import (
    CONSUMPTION_KINDS,
    INCOME_KINDS,
    Item,
    Role,
    first_month,
)
from services.relief.entitlement.facts import (
    ConsumptionKind,
    FactSource,
    Income,
    IncomeKind,
    Property,
    PropertyKind,
)
from services.relief.households import repository, service
from services.relief.households.kinds import FactKind
from services.relief.households.models import HouseholdRow, MemberRow, SupporterRow
from services.relief.households.rules import Fact, assemble, in_force, standing
from services.relief.households.schemas import (
    AnyFact,
    ConsumptionFact,
    IncomeFact,
    PropertyFact,
)


@dataclass(frozen=True, slots=True)
class Document:
    """By what a source knows a person."""

    kind: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the household itself said of income and property, as known now."""

    incomes: tuple[Income, ...]
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An item of an answer, and whose it is."""

    member: UUID
    day: date
    item: Item


async def document_of(
    session: AsyncSession, request: RequestRow, *, purpose: str
) -> Document | None:
    """The number of the one who is asked about, opened into the audit; None without a document."""
    row: MemberRow | SupporterRow | None
    if request.role is Role.MEMBER:
        row = await session.get(MemberRow, request.member_id)
    else:
        row = await session.get(SupporterRow, request.member_id)
    if row is None or row.document_kind is None or row.number is None:
        return None
    cell = Cell(row.__tablename__, "number", row.id)
    number = await reveal(session, row.number, cell, of=str(row.person), purpose=purpose)
    return Document(row.document_kind.value, number)


async def declared(session: AsyncSession, household_id: UUID) -> Declared:
    """What the household stands by of what it declared, though a source's figure took its place."""
    rows = await repository.fact_rows(session, household_id)
    checked = {row.id for row in rows if row.source is FactSource.CHECKED}
    facts = [
        replace(repository.fact(row), superseded_at=None)
        if row.superseded_by in checked
        else repository.fact(row)
        for row in rows
    ]
    day = today(session)
    # The area decides nothing that is read here, but nothing is assembled without one.
    household = assemble(facts, day=day, area=Area.URBAN, applied_on=day)
    return Declared(
        tuple(one for one in household.incomes if one.source is FactSource.DECLARED),
        tuple(one for one in household.properties if one.source is FactSource.DECLARED),
    )


async def take_over(session: AsyncSession, household_id: UUID, found: Sequence[Found]) -> None:
    """Make items facts of the household, in the place of what was declared of the same.

    The same is: of income the member, kind and month; of property the kind, owned by the member or
    by the family together.
    """
    household = await session.get(HouseholdRow, household_id)
    if household is None:
        raise NotFound
    day = today(session)
    facts = in_force(standing(await repository.facts_of(session, household_id)), day)
    held = {fact.id: fact for fact in facts if fact.source is FactSource.DECLARED}
    taken: list[tuple[AnyFact, list[UUID]]] = []
    for one in found:
        same = [fact for fact in held.values() if _same(fact, one)]
        taken.append((_fact(one, same, day), [fact.id for fact in same]))
        for fact in same:
            del held[fact.id]
    if taken:
        await service.record_found(session, household, taken)


def _same(fact: Fact, found: Found) -> bool:
    item = found.item
    if fact.value.get("kind") != item.kind:
        return False
    if fact.kind is FactKind.INCOME:
        told = _months(first_month(item, found.day), item.months)
        return fact.member == found.member and not told.isdisjoint(
            _months(fact.valid_from, fact.value["months"])
        )
    return fact.kind is FactKind.PROPERTY and fact.member in {found.member, None}


def _months(first: date, count: int) -> set[date]:
    return {add_months(first.replace(day=1), number) for number in range(count)}


def _fact(found: Found, replaced: Sequence[Fact], day: date) -> AnyFact:
    item = found.item
    told = {"source": FactSource.CHECKED, "source_day": found.day}
    if item.kind in INCOME_KINDS and item.amount is not None:
        return IncomeFact(
            fact="income",
            member=found.member,
            kind=IncomeKind(item.kind),
            amount=item.amount,
            months=item.months,
            first_month=first_month(item, found.day),
            **told,
        )
    since = min(item.on or found.day, day)
    if item.kind in CONSUMPTION_KINDS:
        kind = ConsumptionKind(item.kind)
        return ConsumptionFact(
            fact="consumption", kind=kind, on=since, amount=item.amount, valid_from=since, **told
        )
    return PropertyFact(
        fact="property",
        member=found.member,
        kind=PropertyKind(item.kind),
        amount=item.amount,
        area=item.area,
        # What a register does not know of the thing: as it was declared.
        essential=any(fact.value["essential"] for fact in replaced),
        disability_vehicle=any(fact.value["disability_vehicle"] for fact in replaced),
        valid_from=since,
        **told,
    )
