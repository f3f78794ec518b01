"""Archive (归档) of a case that has ended: the catalogue of what was made, posted and done.

Names stand in the documents alone, which stay sealed; the catalogue holds numbers and days.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository
from casework.models import CaseArchive, CaseDocument, CaseFile, CasePublicity
from casework.sealed import canonical
from chassis import audit, sm3
from chassis.database import today
from chassis.ids import new_id
from chassis.problems import Problem


class ArchiveChanged(Problem):
    """The catalogue is not the one that was put away: somebody wrote past the application."""

    slug, title = "archive-changed", "归档目录与归档时不符"


async def keep(session: AsyncSession, case: CaseFile, *, retention: str) -> CaseArchive:
    """Put an ended case away, after its last step; the caller holds the case's lock."""
    documents = await repository.documents_of(session, case.id)
    posted = await repository.publicities_of(session, case.id)
    catalogue = _catalogue(documents, posted, len(await repository.steps_of(session, case.id)))
    kept = CaseArchive(
        id=new_id(),
        case_id=case.id,
        unit_id=case.unit_id,
        archived_on=today(session),
        retention=retention,
        catalogue=catalogue,
        digest=_digest(catalogue),
    )
    session.add(kept)
    await session.flush()
    await audit.record(session, action="case.archived", subject=str(case.id))
    return kept


async def read(session: AsyncSession, case: CaseFile) -> CaseArchive | None:
    """What was put away of a case, None before it ended; the reading is audited.

    Raises:
        ArchiveChanged: the catalogue does not fit its digest.
    """
    kept = await repository.archive_of(session, case.id)
    if kept is None:
        return None
    if _digest(kept.catalogue) != kept.digest:
        raise ArchiveChanged("请停止使用该归档目录并联系管理员")
    await audit.record(session, action="case.archive", subject=str(case.id), purpose="查看归档目录")
    return kept


def _catalogue(
    documents: Sequence[CaseDocument], posted: Sequence[CasePublicity], steps: int
) -> dict[str, Any]:
    return {
        "documents": [
            {
                "position": position,
                "number": one.number,
                "title": one.title,
                "digest": one.digest,
                "made_at": one.made_at.isoformat(),
            }
            for position, one in enumerate(documents, 1)
        ],
        "publicities": [
            {
                "kind": one.kind.value,
                "posted_on": one.posted_on.isoformat(),
                "last_day": one.last_day.isoformat(),
                "closed_on": one.closed_on.isoformat() if one.closed_on else None,
                "outcome": one.outcome.value if one.outcome else None,
            }
            for one in posted
        ],
        "steps": steps,
    }


def _digest(catalogue: dict[str, Any]) -> str:
    return sm3.digest(canonical(catalogue).encode()).hex()
