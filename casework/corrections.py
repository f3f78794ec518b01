"""One-time correction list (一次性告知): once a case, whole (社会救助暂行办法; 政务服务 V17 §7)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository
from casework.models import CaseCorrection, CaseFile
from casework.problems import AlreadyTold
from casework.sealed import reveal_json, seal_json
from chassis import audit
from chassis.database import today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.problems import NotFound


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing to be brought or put right, and why it is needed."""

    code: str
    title: str
    why: str


async def tell(session: AsyncSession, case: CaseFile, items: Sequence[Missing]) -> CaseCorrection:
    """Tell the applicant all that is missing; the caller holds the case's lock.

    Raises:
        AlreadyTold: it was told before: what is missing then is asked for no more.
        ValueError: nothing is missing.
    """
    if not items:
        raise ValueError("补正事项不能为空")
    if await repository.correction_of(session, case.id) is not None:
        raise AlreadyTold("每件只能一次性告知补正一次，不得再次要求补正")
    correction_id = new_id()
    told = CaseCorrection(
        id=correction_id,
        case_id=case.id,
        unit_id=case.unit_id,
        items=seal_json(
            session,
            [asdict(item) for item in items],
            Cell("case_correction", "items", correction_id),
        ),
        told_on=today(session),
        told_by=session.info["actor"],
    )
    session.add(told)
    await session.flush()
    await audit.record(session, action="correction.told", subject=str(case.id))
    return told


async def fulfil(session: AsyncSession, case: CaseFile) -> CaseCorrection:
    """Record that what was missing has come.

    Raises:
        NotFound: nothing was ever asked for.
    """
    told = await repository.correction_of(session, case.id)
    if told is None:
        raise NotFound("本件没有补正事项")
    told.fulfilled_on = told.fulfilled_on or today(session)
    await session.flush()
    return told


async def items_of(session: AsyncSession, told: CaseCorrection) -> list[Missing]:
    """What was asked for; the reading is audited."""
    cell = Cell("case_correction", "items", told.id)
    found = await reveal_json(
        session, told.items, cell, of=str(told.case_id), purpose="查看补正事项"
    )
    return [Missing(**item) for item in found]
