"""When a grace period ends by itself: its persons can be taken in elsewhere from then on."""

from collections.abc import Mapping
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import SHANGHAI
from chassis.jobs import Job, JobHandler, Record, enqueue
from chassis.law.dates import add_months
from chassis.service import Runtime
from services.relief.awards import service
from services.relief.awards.models import AwardRow

KIND = "relief.award.end"


async def plan_end(session: AsyncSession, award_id: UUID, ends_on: date) -> None:
    """Look at the claims again in the last month that is paid."""
    last_month = datetime.combine(add_months(ends_on, -1), time.min, SHANGHAI)
    await enqueue(
        session,
        KIND,
        f"{KIND}:{award_id}:{ends_on}",
        {"award": str(award_id)},
        run_at=last_month,
    )


def jobs(_: Runtime) -> Mapping[str, JobHandler]:
    """The job for the service's runner."""
    return {KIND: _end}


async def _end(job: Job) -> Record:
    async def record(session: AsyncSession) -> None:
        """Nothing happens where the award has been changed in the meantime and goes on."""
        award = await session.get(AwardRow, UUID(job.arguments["award"]), with_for_update=True)
        if award is not None:
            await service.cover(session, award, await service.timeline_of(session, award))

    return record
