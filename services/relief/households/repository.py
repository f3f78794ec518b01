from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, Table, any_, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from chassis import sm3
from chassis.database import now
from chassis.ids import new_id
from contracts.events.relief import Programme
from services.relief.households.kinds import ClaimRole, ClaimState
from services.relief.households.models import (
    ClaimRow,
    FactRow,
    HouseholdRow,
    MemberRow,
    SupporterRow,
)
from services.relief.households.rules import Fact

WITH_UNIT = (MemberRow, FactRow, SupporterRow)

_CLAIMS = cast("Table", ClaimRow.__table__)
CLAIM = insert(_CLAIMS).on_conflict_do_nothing().returning(_CLAIMS.c.person)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A claim of a person under another file; which file, only if the caller may see it.

    `possible`: it is that of somebody of the same name and birthday, of whom or of the person no
    number is known; a clerk has to find out.
    """

    person: UUID
    programme: Programme
    role: ClaimRole
    state: ClaimState
    file_id: UUID | None
    household_id: UUID | None
    unit_id: int | None
    possible: bool = False


def readable(units: Collection[int]) -> Select[HouseholdRow]:
    """Households for which one of the units is responsible, exact to the village."""
    return select(HouseholdRow).where(_seen(units))


async def find(
    session: AsyncSession, units: Collection[int], household_id: UUID, *, lock: bool = False
) -> HouseholdRow | None:
    statement = readable(units).where(HouseholdRow.id == household_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def members_of(session: AsyncSession, household_id: UUID) -> list[MemberRow]:
    """All who ever belonged, in the order of their entry on record."""
    return list(
        await session.scalars(
            select(MemberRow).where(MemberRow.household_id == household_id).order_by(MemberRow.id)
        )
    )


async def fact_rows(session: AsyncSession, household_id: UUID) -> list[FactRow]:
    """Everything ever recorded of a household, superseded facts too."""
    return list(
        await session.scalars(
            select(FactRow)
            .where(FactRow.household_id == household_id)
            .order_by(FactRow.known_at, FactRow.id)
        )
    )


async def facts_of(session: AsyncSession, household_id: UUID) -> list[Fact]:
    return [fact(row) for row in await fact_rows(session, household_id)]


async def supporters_of(session: AsyncSession, household_id: UUID) -> list[SupporterRow]:
    return list(
        await session.scalars(
            select(SupporterRow)
            .where(SupporterRow.household_id == household_id)
            .order_by(SupporterRow.id)
        )
    )


async def hand_over(session: AsyncSession, household: HouseholdRow, unit: int) -> None:
    """Rewrite the unit of the household and of all its rows; claims carry none."""
    household.unit_id = unit
    await session.flush()
    for table in WITH_UNIT:
        await session.execute(
            update(table).where(table.household_id == household.id).values(unit_id=unit)
        )


async def claim(
    session: AsyncSession,
    claims: Mapping[UUID, ClaimRole],
    members: Sequence[MemberRow],
    *,
    programme: Programme,
    file_id: UUID,
    state: ClaimState,
) -> set[UUID]:
    """Those for whom the claim now stands; of the others somebody else holds the only one.

    `members` are all who ever belonged to the household of the file. Two at once: the second waits
    for the first. In the order of the persons, so that neither waits for the other.
    """
    if not claims:
        return set()
    known = {one.person: one for one in members}
    rows = [
        {
            "id": new_id(),
            "person": person,
            "programme": programme,
            "file_id": file_id,
            "household_id": members[0].household_id,
            "role": role,
            "state": state,
            "since": now(session),
            "likeness": likeness(known[person]) if person in known else None,
            "documented": person not in known or known[person].document_kind is not None,
        }
        for person, role in sorted(claims.items())
    ]
    return set((await session.scalars(CLAIM, rows)).all())


def likeness(member: MemberRow) -> bytes:
    """Equal for equal names and birthdays; the index of the name is its key."""
    return sm3.mac(member.name_index, member.born.isoformat().encode())


async def claimed_under(session: AsyncSession, file_id: UUID) -> set[UUID]:
    """The persons whose claims under a file are not closed."""
    return set(
        await session.scalars(
            select(ClaimRow.person).where(
                ClaimRow.file_id == file_id, ClaimRow.state != ClaimState.CLOSED
            )
        )
    )


async def open_claims(session: AsyncSession, household_id: UUID) -> list[ClaimRow]:
    """What is asked for with a household's files, as long as it is not decided."""
    statement = select(ClaimRow).where(
        ClaimRow.household_id == household_id, ClaimRow.state == ClaimState.OPEN
    )
    return list(await session.scalars(statement.execution_options(populate_existing=True)))


async def close_claims(
    session: AsyncSession, file_id: UUID, persons: Collection[UUID] | None = None
) -> None:
    """Close the claims under a file, all of them or those of some persons."""
    statement = update(ClaimRow).where(
        ClaimRow.file_id == file_id, ClaimRow.state != ClaimState.CLOSED
    )
    if persons is not None:
        statement = statement.where(ClaimRow.person.in_(persons))
    await session.execute(statement.values(state=ClaimState.CLOSED))


async def elsewhere(
    session: AsyncSession,
    units: Collection[int],
    persons: Collection[UUID],
    *,
    programme: Programme | None = None,
    but: UUID | None = None,
) -> list[Elsewhere]:
    """The standing claims of persons and of those who may be the same, but for one file's.

    The household is joined behind both walls: of a foreign one nothing comes back.
    """
    of_person = aliased(ClaimRow)
    both_known = of_person.documented & ClaimRow.documented
    alike = (of_person.likeness == ClaimRow.likeness) & ~both_known
    statement = (
        select(ClaimRow, HouseholdRow.unit_id, of_person.person)
        .join(of_person, (of_person.person == ClaimRow.person) | alike)
        .outerjoin(HouseholdRow, (HouseholdRow.id == ClaimRow.household_id) & _seen(units))
        .where(of_person.person.in_(persons), ClaimRow.state != ClaimState.CLOSED)
        .order_by(ClaimRow.id)
        .distinct()
    )
    if programme is not None:
        statement = statement.where(ClaimRow.programme == programme)
    if but is not None:
        statement = statement.where(ClaimRow.file_id != but)
    return [
        Elsewhere(
            person=person,
            programme=row.programme,
            role=row.role,
            state=row.state,
            file_id=None if unit is None else row.file_id,
            household_id=None if unit is None else row.household_id,
            unit_id=unit,
            possible=person != row.person,
        )
        for row, unit, person in await session.execute(statement)
    ]


def fact(row: FactRow) -> Fact:
    return Fact(
        id=row.id,
        member=row.member_id,
        kind=row.kind,
        value=row.value,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        source=row.source,
        source_day=row.source_day,
        noted=row.note is not None,
        known_at=row.known_at,
        superseded_at=row.superseded_at,
    )


def _seen(units: Collection[int]) -> ColumnElement[bool]:
    return HouseholdRow.unit_id == any_(literal(list(units), ARRAY(BigInteger)))
