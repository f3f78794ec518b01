from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    any_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from casework.clock import Light
from casework.models import (
    OF_A_CASE,
    CaseArchive,
    CaseCorrection,
    CaseDocument,
    CaseFile,
    CaseObjection,
    CasePublicity,
    CaseStep,
    PublicityKind,
    case_sequence,
)

STEPS = "case_steps"
NEVER = date(9999, 12, 31)
"""Where what has no last day stands in a list."""


@dataclass(frozen=True, slots=True)
class Task:
    """A state from which the caller may take steps: of each its four-eyes rule in `apart`.

    `where` has the cases on which each falls to the caller's organ; None where it does on all.
    """

    matter: str
    state: str
    apart: tuple[frozenset[str], ...]
    where: tuple[ColumnElement[bool] | None, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is narrowed to; None does not narrow. `states` are (matter, state)."""

    states: Collection[tuple[str, str]]
    light: Light | None = None
    number: str | None = None
    within: Collection[int] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """So many cases of a matter in a state under a light."""

    matter: str
    state: str
    light: Light
    cases: int


def readable(units: Collection[int]) -> Select[CaseFile]:
    """Cases of households in one of the units, exact to the village."""
    return select(CaseFile).where(among(units))


def among(units: Collection[int]) -> ColumnElement[bool]:
    """Whether the unit responsible for a case is one of these."""
    return CaseFile.unit_id == _one_of(units)


def _one_of(units: Collection[int]) -> ColumnElement[bool]:
    return any_(literal(list(units), ARRAY(BigInteger)))


async def find(
    session: AsyncSession, units: Collection[int], case_id: UUID, *, lock: bool = False
) -> CaseFile | None:
    """A case that the caller may see; with `lock` nobody else changes it until the commit."""
    statement = readable(units).where(CaseFile.id == case_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


async def found(
    session: AsyncSession, units: Collection[int], ids: Collection[UUID]
) -> dict[UUID, CaseFile]:
    """Those of these cases that the caller may see."""
    rows = await session.scalars(readable(units).where(CaseFile.id.in_(ids)))
    return {row.id: row for row in rows}


async def holds(session: AsyncSession, case_id: UUID, where: ColumnElement[bool]) -> bool:
    """Whether a condition holds of a case."""
    statement = select(CaseFile.id).where(CaseFile.id == case_id, where)
    return (await session.scalars(statement)).first() is not None


async def next_sequence(session: AsyncSession) -> int:
    return int(await session.scalar(select(case_sequence.next_value())) or 0)


async def listed(
    session: AsyncSession,
    units: Collection[int],
    search: Search,
    day: date,
    *,
    after: UUID | None,
    limit: int,
) -> list[CaseFile]:
    """The cases that a search finds, the latest first."""
    statement = readable(units).where(*_narrowed(search, day))
    if after is not None:
        statement = statement.where(CaseFile.id < after)
    return list(await session.scalars(statement.order_by(CaseFile.id.desc()).limit(limit)))


async def todo(
    session: AsyncSession,
    units: Collection[int],
    tasks: Sequence[Task],
    day: date,
    *,
    light: Light | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> list[CaseFile]:
    """The cases on which the actor may take one of the tasks' steps, the most urgent first."""
    last_day = func.coalesce(CaseFile.due_on, NEVER)
    statement = readable(units).where(_mine(session, tasks))
    if light is not None:
        statement = statement.where(light_on(day) == light.value)
    if after is not None:
        statement = statement.where(tuple_(last_day, CaseFile.id) > tuple_(*after))
    return list(await session.scalars(statement.order_by(last_day, CaseFile.id).limit(limit)))


async def todo_counts(
    session: AsyncSession, units: Collection[int], tasks: Sequence[Task], day: date
) -> list[Count]:
    """How many of them there are by state and light."""
    mine = (
        select(CaseFile.matter, CaseFile.state, light_on(day).label("light"))
        .where(among(units), _mine(session, tasks))
        .subquery()
    )
    keys = (mine.c.matter, mine.c.state, mine.c.light)
    rows = await session.execute(select(*keys, func.count()).group_by(*keys))
    return [Count(matter, state, Light(light), cases) for matter, state, light, cases in rows]


def light_on(day: date) -> ColumnElement[str]:
    """The light under which a case stands on a day."""
    return case(
        (CaseFile.due_on.is_(None), Light.NONE.value),
        (and_(CaseFile.paused, _still_paused(day)), Light.PAUSED.value),
        (CaseFile.due_on < day, Light.RED.value),
        (CaseFile.amber_on <= day, Light.AMBER.value),
        else_=Light.GREEN.value,
    )


def _still_paused(day: date) -> ColumnElement[bool]:
    return or_(CaseFile.paused_until.is_(None), CaseFile.paused_until >= day)


async def steps_of(session: AsyncSession, case_id: UUID) -> list[CaseStep]:
    """The steps of a case, in the order in which they were taken."""
    kept: dict[UUID, list[CaseStep]] = session.info.get(STEPS, {})
    if case_id in kept:
        return list(kept[case_id])
    rows = await session.scalars(
        select(CaseStep).where(CaseStep.case_id == case_id).order_by(CaseStep.position)
    )
    return list(rows)


def keep_steps(session: AsyncSession, case_id: UUID, steps: Sequence[CaseStep]) -> None:
    """Note the steps of a case that this transaction holds: until its end nobody takes another."""
    session.info.setdefault(STEPS, {})[case_id] = list(steps)


async def correction_of(session: AsyncSession, case_id: UUID) -> CaseCorrection | None:
    statement = select(CaseCorrection).where(CaseCorrection.case_id == case_id)
    return (await session.scalars(statement)).first()


async def archive_of(session: AsyncSession, case_id: UUID) -> CaseArchive | None:
    statement = select(CaseArchive).where(CaseArchive.case_id == case_id)
    return (await session.scalars(statement)).first()


async def posted(
    session: AsyncSession,
    units: Collection[int],
    day: date,
    *,
    matters: Collection[str],
    after: UUID | None,
    limit: int,
) -> list[tuple[CasePublicity, CaseFile]]:
    """What hangs in these units on a day: opinions of open cases until their last day, results."""
    result = CasePublicity.kind == PublicityKind.RESULT
    opinion = and_(CasePublicity.last_day >= day, CaseFile.closed_on.is_(None))
    statement = (
        select(CasePublicity, CaseFile)
        .join(CaseFile, CaseFile.id == CasePublicity.case_id)
        .where(CasePublicity.unit_id == _one_of(units), CasePublicity.closed_on.is_(None))
        .where(CaseFile.matter.in_(list(matters)), or_(result, opinion))
    )
    if after is not None:
        statement = statement.where(CasePublicity.id < after)
    rows = await session.execute(statement.order_by(CasePublicity.id.desc()).limit(limit))
    return [(publicity, of) for publicity, of in rows]


async def publicities_of(session: AsyncSession, case_id: UUID) -> list[CasePublicity]:
    """What was posted of a case, in order."""
    rows = await session.scalars(
        select(CasePublicity).where(CasePublicity.case_id == case_id).order_by(CasePublicity.id)
    )
    return list(rows)


async def objections_of(session: AsyncSession, case_id: UUID) -> list[CaseObjection]:
    rows = await session.scalars(
        select(CaseObjection).where(CaseObjection.case_id == case_id).order_by(CaseObjection.id)
    )
    return list(rows)


async def objection(
    session: AsyncSession, case_id: UUID, objection_id: UUID
) -> CaseObjection | None:
    statement = select(CaseObjection).where(
        CaseObjection.case_id == case_id, CaseObjection.id == objection_id
    )
    return (await session.scalars(statement)).first()


async def documents_of(session: AsyncSession, case_id: UUID) -> list[CaseDocument]:
    """The documents of a case, in the order in which they were made."""
    rows = await session.scalars(
        select(CaseDocument).where(CaseDocument.case_id == case_id).order_by(CaseDocument.id)
    )
    return list(rows)


async def document_ids(session: AsyncSession, cases: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The documents of each case, in the order in which they were made."""
    made: dict[UUID, list[UUID]] = {one: [] for one in cases}
    rows = await session.execute(
        select(CaseDocument.case_id, CaseDocument.id)
        .where(CaseDocument.case_id.in_(cases))
        .order_by(CaseDocument.id)
    )
    for case_id, document_id in rows:
        made[case_id].append(document_id)
    return made


async def document(session: AsyncSession, case_id: UUID, document_id: UUID) -> CaseDocument | None:
    statement = select(CaseDocument).where(
        CaseDocument.case_id == case_id, CaseDocument.id == document_id
    )
    return (await session.scalars(statement)).first()


async def move(session: AsyncSession, case: CaseFile, unit: int) -> None:
    """Hand a case and all that goes with it over to another unit."""
    case.unit_id = unit
    await session.flush()
    for kind in OF_A_CASE:
        await session.execute(
            update(kind)
            .where(kind.case_id == case.id)
            .values(unit_id=unit)
            .execution_options(synchronize_session=False)
        )


async def unsettled(session: AsyncSession) -> Sequence[CaseFile]:
    """Open cases whose last day a holiday notice may still move; locked, for a daily job."""
    statement = (
        select(CaseFile)
        .where(CaseFile.provisional, CaseFile.closed_on.is_(None))
        .order_by(CaseFile.id)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()


def _narrowed(search: Search, day: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        tuple_(CaseFile.matter, CaseFile.state).in_(list(search.states))
    ]
    if search.light is not None:
        conditions.append(light_on(day) == search.light.value)
    if search.number is not None:
        conditions.append(CaseFile.number.startswith(search.number, autoescape=True))
    if search.within is not None:
        conditions.append(among(search.within))
    return conditions


def _mine(session: AsyncSession, tasks: Sequence[Task]) -> ColumnElement[bool]:
    """In a task's state, and one of its steps falls to the actor and is not barred to him."""
    actor: str = session.info["actor"]

    def free(apart: frozenset[str], where: ColumnElement[bool] | None) -> ColumnElement[bool]:
        theirs = true() if where is None else where
        if not apart:
            return theirs
        taken = exists().where(
            CaseStep.case_id == CaseFile.id, CaseStep.actor == actor, CaseStep.name.in_(apart)
        )
        return and_(theirs, ~taken)

    def one(task: Task) -> ColumnElement[bool]:
        there = and_(CaseFile.matter == task.matter, CaseFile.state == task.state)
        return and_(there, or_(*map(free, task.apart, task.where)))

    return or_(false(), *(one(task) for task in tasks))
