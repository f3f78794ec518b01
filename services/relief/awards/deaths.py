"""Deaths that an award has to follow (83号 1(3); 57号 arts. 30, 31): work once they are known.

Whoever records with the household that a member died, and however, the award's town has work from
then on, due by the law of that day, until a change or a review has settled it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework.clock import Light
from chassis.database import now, today
from chassis.ids import new_id
from chassis.jobs import Job, JobHandler, Record
from chassis.law.units import Register
from chassis.service import Runtime
from services.relief.awards import measuring, repository, rules, service
from services.relief.awards.models import AwardRow, DeathRow
from services.relief.entitlement import awards as law_of_awards
from services.relief.households import repository as household_rows
from services.relief.households.kinds import LeaveReason
from services.relief.households.service import MEMBERS_CHANGED


def jobs(runtime: Runtime) -> Mapping[str, JobHandler]:
    """The job for the service's runner: somebody came to a household or left it."""

    async def follow(job: Job) -> Record:
        register = await runtime.places.register()

        async def record(session: AsyncSession) -> None:
            household = UUID(job.arguments["household"])
            for award in await repository.of_household(session, household):
                await note(session, register, award)

        return record

    return {MEMBERS_CHANGED: follow}


async def note(session: AsyncSession, register: Register, award: AwardRow) -> list[DeathRow]:
    """Make the open deaths those that facts and timeline ask to follow; the award is locked.

    What a change or a review has settled stays settled. Where a stop leaves nothing that a death
    would still change, it is no work any more, unless the stop is taken back.
    """
    rows = (await repository.deaths_of(session, [award.id]))[award.id]
    told = await _told(session, award)
    for row in rows:
        if row.settled_on is None and (row.person, row.died_on) not in told:
            row.settled_on = today(session)
    kept = [row for row in rows if row.settled_on is None or row.settled_by is not None]
    new = told - {(row.person, row.died_on) for row in kept}
    if new:
        law = await measuring.law_on(session, register, award.unit_id, today(session))
        await session.flush()
        for person, died_on in sorted(new):
            row = DeathRow(
                id=new_id(),
                award_id=award.id,
                unit_id=award.unit_id,
                person=person,
                died_on=died_on,
                due_on=law_of_awards.death_review_due(died_on, law),
                recorded_at=now(session),
                recorded_by=session.info["actor"],
                settled_on=None,
                settled_by=None,
            )
            session.add(row)
            kept.append(row)
    await session.flush()
    return unsettled(kept)


def unsettled(rows: Iterable[DeathRow]) -> list[DeathRow]:
    """Those that are still to be followed."""
    return [row for row in rows if row.settled_on is None]


def due_on(rows: Sequence[DeathRow]) -> date | None:
    """The last day of the one that is due first."""
    return min((row.due_on for row in rows if row.due_on is not None), default=None)


def light(rows: Sequence[DeathRow], day: date) -> Light:
    """The light of the one that is due first, among those that are still to be followed."""
    dated = [(row.due_on, row.died_on) for row in rows if row.due_on is not None]
    if not dated:
        return Light.NONE
    due, died = min(dated)
    return rules.death_light(died, due, day)


def settle(session: AsyncSession, rows: Iterable[DeathRow], by: UUID) -> None:
    """Put down by which change or review these were followed."""
    for row in rows:
        row.settled_on, row.settled_by = today(session), by


async def _told(session: AsyncSession, award: AwardRow) -> set[tuple[UUID, date]]:
    """Nobody dies twice: of who was taken down anew after a death the last one counts."""
    died: dict[UUID, date] = {}
    for member in await household_rows.members_of(session, award.household_id):
        if member.left_on is not None and member.left_reason is LeaveReason.DEATH:
            died[member.person] = max(member.left_on, died.get(member.person, date.min))
    periods = await service.timeline_of(session, award)
    return {
        (person, day)
        for person, day in died.items()
        if rules.follows_death(periods, person, died_on=day, approved_on=award.approved_on)
    }
