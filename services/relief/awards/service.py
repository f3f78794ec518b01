"""Awards of 低保: granted, reviewed, corrected; published as one timeline with every event."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework.models import CaseFile
from chassis import audit
from chassis.database import day_of, now, today
from chassis.ids import new_id
from chassis.outbox import emit
from chassis.privacy import Cell
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from chassis.sealing import seal
from contracts.events.relief import Area, Award, AwardState, Programme
from services.relief.awards import measuring, repository, rules
from services.relief.awards.desk import Desk
from services.relief.awards.measuring import Amounts
from services.relief.awards.models import AwardRow, JobOfferRow, ReviewRow
from services.relief.awards.rules import Period
from services.relief.awards.schemas import CorrectionIn, JobOfferIn, ReviewIn
from services.relief.entitlement import awards as law_of_awards
from services.relief.entitlement.facts import Household
from services.relief.entitlement.rules import Assessment
from services.relief.households import service as households
from services.relief.households.kinds import ClaimRole
from services.relief.parameters.rules import Law


class NotGranted(Conflict):
    """The assessment grants nothing, so there is nothing to award."""

    slug, title = "contradicts-rules", "与按规定测算的结果不一致"


class AlreadyCorrected(Conflict):
    slug, title = "period-already-corrected", "该段已被更正或替代"


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
        death_review_due_on=None,
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


async def timeline_of(session: AsyncSession, award: AwardRow) -> tuple[Period, ...]:
    """What stands now."""
    known = (await repository.recorded(session, [award.id]))[award.id]
    return rules.timeline(one for _, one in known)


def review_plan(household: Household, day: date, law: Law) -> tuple[str, date]:
    """The class of the periodic review and its next day (条例 art. 26; 57号 art. 31)."""
    review_class, months = law_of_awards.review_class(household, day=day, law=law)
    return review_class.value, law_of_awards.next_review(day, months)


async def review(
    desk: Desk, award_id: UUID, if_match: str | None, asked: ReviewIn
) -> tuple[AwardRow, ReviewRow, list[str]]:
    """Record a periodic review that changes nothing; what the rules would give now is a warning."""
    session = desk.session
    award = await desk.award_to_change(award_id, if_match)
    _between(asked.reviewed_on, award.approved_on, desk.day, "/reviewed_on")
    measured = await measuring.measure(
        session, desk.register, award.household_id, unit=award.unit_id, day=desk.day
    )
    award.review_class, award.review_due_on = review_plan(
        measured.household, asked.reviewed_on, measured.law
    )
    award.death_review_due_on = None
    award.version += 1
    row = ReviewRow(
        id=new_id(),
        award_id=award.id,
        unit_id=award.unit_id,
        reviewed_on=asked.reviewed_on,
        review_class=award.review_class,
        next_due_on=award.review_due_on,
        note=b"",
        recorded_at=now(session),
        recorded_by=session.info["actor"],
    )
    row.note = seal(session, asked.note, Cell("award_review", "note", row.id))
    session.add(row)
    await session.flush()
    await audit.record(session, action="relief.award.reviewed", subject=str(award.id))
    current = rules.in_force(await timeline_of(session, award), desk.day)
    return award, row, _differences(current, measured.amounts)


async def record_job_offer(
    desk: Desk, award_id: UUID, if_match: str | None, asked: JobOfferIn
) -> tuple[AwardRow, JobOfferRow]:
    """Record a job that was offered to a member who can work, and what came of it."""
    session = desk.session
    award = await desk.award_to_change(award_id, if_match)
    if asked.person not in (await measuring.persons_of(session, award.household_id)).values():
        raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户的家庭成员")])
    _between(asked.offered_on, award.approved_on, desk.day, "/offered_on")
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


async def refused_in_a_row(session: AsyncSession, award: AwardRow, person: UUID, law: Law) -> bool:
    """Whether the person refused so many jobs in a row without a good reason (57号 art. 34)."""
    offers = [
        not one.accepted and not one.excused
        for one in await repository.job_offers_of(session, award.id)
        if one.person == person
    ]
    return law_of_awards.refused_jobs(offers, law)


async def correct(
    desk: Desk, award_id: UUID, if_match: str | None, asked: CorrectionIn
) -> AwardRow:
    """Put another period in the place of one that was posted wrongly; both stay on record.

    From 2026-07-01 nothing is lowered in this way: that is a decision, and is heard before
    (社会救助法 art. 48).
    """
    session = desk.session
    award = await desk.award_to_change(award_id, if_match)
    known = (await repository.recorded(session, [award.id]))[award.id]
    found = next(((row, one) for row, one in known if row.id == asked.period), None)
    if found is None:
        raise NotFound("未找到该段登记")
    row, wrong = found
    if wrong.superseded_at is not None:
        raise AlreadyCorrected("请更正现行的一段")
    before = rules.timeline(one for _, one in known)
    others = [one for one in before if one != wrong.period]
    law = await measuring.law_on(session, desk.register, award.unit_id, desk.day)
    if not asked.withdrawn:
        decided_on = day_of(row.recorded_at)
        others.append(await _righted(desk, award, wrong.period, asked, decided_on))
    after = _checked(others)
    if rules.lowered(before, after) and law_of_awards.hearing_required(
        law_of_awards.Change.REDUCE, law
    ):
        raise HearingRequired("更正会减少已确定的金额，请以减发、停发办理并先听取意见")
    award.version += 1
    await post(session, award, "corrected", after, case_id=row.case_id, reason=asked.reason)
    return award


async def _righted(
    desk: Desk, award: AwardRow, wrong: Period, asked: CorrectionIn, decided_on: date
) -> Period:
    right = replace(wrong, from_=asked.valid_from or wrong.from_)
    if not asked.recompute:
        return right
    measured = await measuring.measure(
        desk.session, desk.register, award.household_id, unit=award.unit_id, day=decided_on
    )
    if wrong.state is not AwardState.PAID or measured.amounts is None:
        raise NotGranted("按现有事实不符合条件或该段不是在保，请另行办理变动")
    return with_amounts(right, measured.amounts)


def with_amounts(period: Period, amounts: Amounts) -> Period:
    """The period with what the rules give, paid."""
    return replace(
        period,
        state=AwardState.PAID,
        persons=amounts.persons,
        base=amounts.base,
        lines=amounts.lines,
    )


def _checked(periods: list[Period]) -> tuple[Period, ...]:
    days = [one.from_ for one in periods]
    if not periods or len(set(days)) != len(days):
        raise Unprocessable(
            "更正有误",
            errors=[FieldError("/valid_from", "须至少保留一段，且同一日期只能有一段")],
        )
    return rules.merged(sorted(periods, key=lambda one: one.from_))


def _between(day: date, first: date, last: date, pointer: str) -> None:
    if not first <= day <= last:
        raise Unprocessable(
            "日期有误", errors=[FieldError(pointer, f"应在 {first} 至 {last} 之间")]
        )


def _differences(current: Period | None, amounts: Amounts | None) -> list[str]:
    if current is None or current.state is not AwardState.PAID:
        return []
    if amounts is None:
        return ["按今日的事实与规定，该户可能不再符合条件或尚有事项待认定，请核对"]
    if amounts.total != current.total:
        return [f"按今日的事实与规定应发 {amounts.total} 元，现发 {current.total} 元，请核对"]
    return []
