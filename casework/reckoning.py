"""The daily job of a service with matters: last days that a holiday notice may still move."""

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository, service
from chassis.database import today
from chassis.jobs import Job, Record

KIND = "casework.reckon"


async def reckon(_: Job) -> Record:
    """Reckon provisional last days anew, with the notices that this process has."""

    async def record(session: AsyncSession) -> None:
        for case in await repository.unsettled(session):
            await service.recompute(session, case, today(session))

    return record
