"""Who decides may change while a case is open; its limit goes with the organ that does.

民发〔2022〕83号 4(1): shorter where the power was handed down; 社会救助法 art. 44: from 2026-07-01
who decides is the bureau's choice no longer.
"""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from casework import service as casework
from casework.models import CaseFile
from chassis.database import today
from chassis.law.units import Register
from services.relief.applications import limits, rules
from services.relief.applications.desk import EVENT
from services.relief.applications.models import ApplicationRow
from services.relief.parameters import repository as parameters
from services.relief.parameters.rules import Competence, Level

ORGANS = {Level.COUNTY: "区县民政部门", Level.TOWN: "镇街"}


async def follow(
    session: AsyncSession,
    register: Register,
    case: CaseFile,
    application: ApplicationRow,
    held: Competence,
) -> None:
    """Put the limit of the organ that decides today in the place of the other's, as a step.

    It is that of the law of the day of acceptance, as the first one was; a limit that was
    prolonged is the same for both. The caller holds the case's lock.
    """
    if application.level is None or case.accepted_on is None or application.level is held.level:
        return
    application.level = held.level
    county = register.county_of(case.unit_id, today(session))
    law = await parameters.law(session, case.accepted_on, county=county)
    kept = casework.limits_of(case)
    total = kept.total if case.prolonged else limits.total_limit(law, held.level)
    await casework.advance(
        session,
        case,
        rules.DIBAO,
        "reassign",
        event=EVENT,
        reason=_why(held, None if case.prolonged or total is None else limits.words(total)),
        data={"level": held.level.value, "limit": None if total is None else total.code},
        limits=replace(kept, total=total),
    )


def _why(held: Competence, limit: str | None) -> str:
    ground = held.flagged or held.document
    by = f"现由{ORGANS[held.level]}审核确认" + (f"（{ground}）" if ground else "")
    return f"{by}，办理期限仍为延长后的期限" if limit is None else f"{by}，办理期限为{limit}"
