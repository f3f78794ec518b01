"""Periodic reviews (定期核查) that leave an award as it is: 57号 art. 31; 条例 art. 26."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from chassis import audit
from chassis.database import now
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.problems import Conflict
from chassis.sealing import seal
from services.relief.awards import deaths, planning, rules, service
from services.relief.awards.desk import Desk
from services.relief.awards.models import AwardRow, DeathRow, ReviewRow
from services.relief.awards.planning import Standing
from services.relief.awards.rules import Period
from services.relief.awards.schemas import ReviewIn
from services.relief.entitlement.rules import Outcome

_UNSETTLED = "按今日的事实尚有缺失或待认定的事项，请核对"


class ReviewContradicts(Conflict):
    slug, title = "review-contradicts", "核查结论与按规定测算的结果不一致"


async def review(
    desk: Desk, award_id: UUID, if_match: str | None, asked: ReviewIn
) -> tuple[AwardRow, ReviewRow, list[str]]:
    """Record that nothing is to be changed; what cannot be told yet is a warning.

    Raises:
        ReviewContradicts: by the facts of today the award is to be changed (409).
    """
    session = desk.session
    award = await desk.award_to_change(award_id, if_match)
    service.require_between(asked.reviewed_on, award.approved_on, desk.day, "/reviewed_on")
    found = await planning.standing(desk, award)
    died = await deaths.note(session, desk.register, award)
    periods = await service.timeline_of(session, award)
    if difference := _still_covered(periods, died) or _difference(found):
        raise ReviewContradicts(f"{difference}，请提出变动")
    measured = found.measured
    award.review_class, award.review_due_on = service.review_plan(
        measured.household, asked.reviewed_on, measured.law
    )
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
    deaths.settle(session, died, row.id)
    await session.flush()
    await audit.record(session, action="relief.award.reviewed", subject=str(award.id))
    undecided = measured.assessment.outcome is Outcome.UNDECIDED
    return award, row, [_UNSETTLED] if undecided else []


def _still_covered(periods: Sequence[Period], died: Iterable[DeathRow]) -> str:
    """No review passes over a death of somebody who was paid for after it, or still is."""
    if any(rules.paid_for_after_death(periods, one.person, one.died_on) for one in died):
        return "享受人员中有成员已死亡"
    return ""


def _difference(found: Standing) -> str:
    """What the rules give otherwise than is paid from next month on; of grace they say nothing."""
    if found.measured.assessment.outcome is Outcome.UNDECIDED or not found.paid:
        return ""
    if found.due is None:
        return "按今日的事实与规定，该户不再符合条件"
    due, coming = found.due, found.coming
    if (due.persons, due.base, due.lines) == (coming.persons, coming.base, coming.lines):
        return ""
    return (
        f"按今日的事实与规定应发 {due.total} 元（{len(due.persons)} 人），"
        f"现定 {coming.total} 元（{len(coming.persons)} 人）"
    )
