"""Awards of 低保: granted, and published as one timeline with every event."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework import publicity
from casework import repository as cases
from casework.models import CaseFile, PublicityKind, PublicityOutcome
from chassis import audit
from chassis.database import now, today
from chassis.ids import new_id
from chassis.outbox import emit
from chassis.privacy import Cell
from chassis.problems import Conflict, FieldError, Unprocessable
from chassis.sealing import reveal, seal
from contracts.events.relief import Area, Award, AwardState, Programme
from services.relief.awards import measuring, repository, rules
from services.relief.awards.desk import Desk
from services.relief.awards.measuring import Amounts
from services.relief.awards.models import AwardRow, JobOfferRow
from services.relief.awards.rules import Period
from services.relief.awards.schemas import JobOfferIn
from services.relief.entitlement import awards as law_of_awards
from services.relief.entitlement.facts import Household
from services.relief.entitlement.rules import Assessment
from services.relief.households import service as households
from services.relief.households.kinds import ClaimRole
from services.relief.parameters.rules import Law


class NotGranted(Conflict):
    """The assessment grants nothing, so there is nothing to award."""

    slug, title = "contradicts-rules", "与按规定测算的结果不一致"


class OfferRecorded(Conflict):
    slug, title = "job-offer-recorded", "该次就业介绍已登记"


class HearingRequired(Conflict):
    slug, title = "hearing-required", "须先听取意见"


async def approve(  # noqa: PLR0913 - each names a part of the decision
    session: AsyncSession,
    *,
    case_id: UUID,
    household_id: UUID,
    unit: int,
    area: Area,
    persons: Mapping[UUID, ClaimRole],
    assessment: Assessment,
    decided_on: date,
    law: Law,
) -> AwardRow:
    """Grant what the assessment says, from the first month that is paid (57号 art. 21).

    Args:
        session: the transaction of the decision.
        case_id: the application; its number and masked label become the award's.
        household_id: whose.
        unit: the village or community responsible.
        area: as fixed at acceptance.
        persons: the pseudonyms of the household's members, with their part in the application.
        assessment: of the day of the decision.
        decided_on: that day.
        law: of that day.

    Raises:
        NotGranted: the assessment grants nothing (409).
        AlreadyAwarded: another award covers one of those whom this one would (409).
    """
    granted = measuring.amounts_of(assessment, await measuring.persons_of(session, household_id))
    case = await session.get(CaseFile, case_id)
    if granted is None or case is None:
        raise NotGranted("测算结果不符合条件，不能确认")
    household = await households.assembled(session, household_id, day=decided_on, area=area)
    review_class, due = review_plan(household, decided_on, law)
    award = AwardRow(
        id=new_id(),
        event_seq=0,
        version=1,
        unit_id=unit,
        programme=Programme.DIBAO,
        number=case.number,
        label=case.label,
        case_id=case_id,
        household_id=household_id,
        applicant=next(one for one, role in persons.items() if role is ClaimRole.APPLICANT),
        approved_on=decided_on,
        review_class=review_class,
        review_due_on=due,
    )
    session.add(award)
    await session.flush()
    first = Period(
        from_=law_of_awards.payable_from(decided_on, law),
        unit=unit,
        area=area,
        state=AwardState.PAID,
        persons=granted.persons,
        base=granted.base,
        lines=granted.lines,
    )
    await post(session, award, "approved", (first,), case_id=case_id)
    return award


async def post(
    session: AsyncSession,
    award: AwardRow,
    verb: str,
    timeline: tuple[Period, ...],
    *,
    case_id: UUID | None,
    reason: str = "",
) -> None:
    """Make the timeline the one that stands, claim whom it covers, and publish it whole.

    Raises:
        AlreadyAwarded: another award covers one of them.
    """
    if len(timeline) > rules.MOST_PERIODS:
        raise Unprocessable(f"一户待遇的变动不得超过 {rules.MOST_PERIODS} 段")
    known = (await repository.recorded(session, [award.id]))[award.id]
    await repository.replace_periods(
        session, award, known=known, timeline=timeline, case_id=case_id, reason=reason
    )
    await cover(session, award, timeline)
    event = Award(
        id=award.id,
        programme=award.programme,
        case=award.case_id,
        periods=rules.published(timeline),
    )
    await emit(session, award, verb, event)
    await audit.record(session, action=f"relief.award.{verb}", subject=str(award.id))


async def cover(session: AsyncSession, award: AwardRow, timeline: tuple[Period, ...]) -> None:
    """Claim those who are covered next month, release the others.

    Whoever is released can be taken in elsewhere: that is paid from the next month too.
    """
    coming = max(rules.month_after(today(session)), timeline[0].from_)
    period = rules.in_force(timeline, coming)
    if period is None or not period.persons:
        await _take_down(session, award)
    await households.award_claims(
        session,
        programme=award.programme,
        case_id=award.case_id,
        award_id=award.id,
        household_id=award.household_id,
        persons={
            one: ClaimRole.APPLICANT if one == award.applicant else ClaimRole.MEMBER
            for one in (period.persons if period else ())
        },
    )


async def _take_down(session: AsyncSession, award: AwardRow) -> None:
    """Nobody hangs in the village as an object of 低保 who is none any more."""
    for one in await cases.publicities_of(session, award.case_id):
        if one.kind is PublicityKind.RESULT and one.closed_on is None:
            await publicity.close(session, one, outcome=PublicityOutcome.UNCHALLENGED)


async def timeline_of(session: AsyncSession, award: AwardRow) -> tuple[Period, ...]:
    """What stands now."""
    known = (await repository.recorded(session, [award.id]))[award.id]
    return rules.timeline(one for _, one in known)


def review_plan(household: Household, day: date, law: Law) -> tuple[str, date]:
    """The class of the periodic review and its next day (条例 art. 26; 57号 art. 31)."""
    review_class, months = law_of_awards.review_class(household, day=day, law=law)
    return review_class.value, law_of_awards.next_review(day, months)


def review_anew(
    award: AwardRow, household: Household, day: date, law: Law, *, looked_at: bool
) -> None:
    """Class the household of a changed award anew and plan its next review.

    Counted from today where the change looked at the household as a review does; else it may come
    sooner, never later.
    """
    award.review_class, due = review_plan(household, day, law)
    award.review_due_on = due if looked_at else min(award.review_due_on, due)


async def record_job_offer(
    desk: Desk, award_id: UUID, if_match: str | None, asked: JobOfferIn
) -> tuple[AwardRow, JobOfferRow]:
    """Record a job that was offered to a member who can work, and what came of it.

    Raises:
        OfferRecorded: the same job on the same day; told three times it is one offer (409).
    """
    session = desk.session
    award = await desk.award_to_change(award_id, if_match)
    if asked.person not in (await measuring.persons_of(session, award.household_id)).values():
        raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户的家庭成员")])
    require_between(asked.offered_on, award.approved_on, desk.day, "/offered_on")
    await _require_new(session, award, asked)
    award.version += 1
    row_id = new_id()
    row = JobOfferRow(
        id=row_id,
        award_id=award.id,
        unit_id=award.unit_id,
        person=asked.person,
        offered_on=asked.offered_on,
        job=seal(session, asked.job, Cell("award_job_offer", "job", row_id)),
        accepted=asked.accepted,
        excused=asked.excused,
        note=None
        if asked.note is None
        else seal(session, asked.note, Cell("award_job_offer", "note", row_id)),
        recorded_at=now(session),
        recorded_by=session.info["actor"],
    )
    session.add(row)
    await session.flush()
    await audit.record(session, action="relief.award.job_offered", subject=str(award.id))
    return award, row


async def _require_new(session: AsyncSession, award: AwardRow, asked: JobOfferIn) -> None:
    for one in await repository.job_offers_of(session, award.id):
        if (one.person, one.offered_on) != (asked.person, asked.offered_on):
            continue
        cell = Cell("award_job_offer", "job", one.id)
        job = await reveal(
            session, one.job, cell, of=str(one.person), purpose="核对就业介绍是否重复登记"
        )
        if "".join(job.split()) == "".join(asked.job.split()):
            raise OfferRecorded("同一人同一日介绍同一工作的，只登记一次")


async def refused_in_a_row(session: AsyncSession, award: AwardRow, person: UUID, law: Law) -> bool:
    """Whether the person refused so many jobs in a row without a good reason (57号 art. 34)."""
    offers = [
        not one.accepted and not one.excused
        for one in await repository.job_offers_of(session, award.id)
        if one.person == person
    ]
    return law_of_awards.refused_jobs(offers, law)


def with_amounts(period: Period, amounts: Amounts) -> Period:
    """The period with what the rules give, paid."""
    return replace(
        period,
        state=AwardState.PAID,
        persons=amounts.persons,
        base=amounts.base,
        lines=amounts.lines,
    )


def require_between(day: date, first: date, last: date, pointer: str) -> None:
    if not first <= day <= last:
        raise Unprocessable(
            "日期有误", errors=[FieldError(pointer, f"应在 {first} 至 {last} 之间")]
        )
