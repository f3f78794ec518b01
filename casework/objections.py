"""Objections (异议) to what is posted: who objects stays sealed, and stands in no event."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework.models import CaseFile, CaseObjection, CasePublicity, ObjectionMethod
from casework.problems import AlreadyAnswered, PublicityClosed
from chassis import audit
from chassis.database import today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.sealing import reveal, seal


@dataclass(frozen=True, slots=True)
class Told:
    """An objection in clear, as it was read for a purpose."""

    objector: str
    content: str
    finding: str


async def receive(
    session: AsyncSession,
    case: CaseFile,
    publicity: CasePublicity,
    *,
    objector: str,
    content: str,
) -> CaseObjection:
    """Take an objection in while the case is posted.

    Raises:
        PublicityClosed: the posting was taken down.
    """
    if publicity.closed_on is not None:
        raise PublicityClosed("公示已经结束，异议请按信访、复议途径提出")
    objection_id = new_id()
    received = CaseObjection(
        id=objection_id,
        case_id=case.id,
        publicity_id=publicity.id,
        unit_id=case.unit_id,
        received_on=today(session),
        objector=seal(session, objector, _cell(objection_id, "objector")),
        content=seal(session, content, _cell(objection_id, "content")),
    )
    session.add(received)
    await session.flush()
    await audit.record(session, action="objection.received", subject=str(objection_id))
    return received


async def answer(
    session: AsyncSession,
    objection: CaseObjection,
    *,
    handled_by: ObjectionMethod,
    finding: str,
    upheld: bool,
) -> None:
    """Record what the new survey or the appraisal found, once.

    Raises:
        AlreadyAnswered: it has a finding.
    """
    if objection.answered_on is not None:
        raise AlreadyAnswered("该异议已经答复")
    objection.handled_by = ObjectionMethod(handled_by)
    objection.finding = seal(session, finding, _cell(objection.id, "finding"))
    objection.upheld = upheld
    objection.answered_on = today(session)
    await session.flush()
    await audit.record(session, action="objection.answered", subject=str(objection.id))


async def read(session: AsyncSession, objection: CaseObjection, purpose: str) -> Told:
    """Who objects to what, and what was found; each reading is audited."""

    async def opened(column: str, sealed: bytes | None) -> str:
        if sealed is None:
            return ""
        cell = _cell(objection.id, column)
        return await reveal(session, sealed, cell, of=str(objection.id), purpose=purpose)

    return Told(
        objector=await opened("objector", objection.objector),
        content=await opened("content", objection.content),
        finding=await opened("finding", objection.finding),
    )


def _cell(objection_id: UUID, column: str) -> Cell:
    return Cell("case_objection", column, objection_id)
