"""The daily job of a service with matters: last days that a holiday notice may still move."""

from collections.abc import Awaitable, Callable
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository, service
from chassis.database import today
from chassis.jobs import Job, JobHandler, Record

KIND = "casework.reckon"

Part = Callable[[AsyncSession], Awaitable[None]]
"""What else a service does of its cases each day."""


def daily(*further: Part) -> JobHandler:
    """The rest; then reckon provisional last days anew, with the notices that this process has.

    In this order, for the rest locks what stands before cases in the order of locks. Of days that
    were missed the last one does it all.
    """

    async def handle(job: Job) -> Record:
        async def record(session: AsyncSession) -> None:
            if date.fromisoformat(job.arguments["day"]) < today(session):
                return
            for part in (*further, _reckon):
                await part(session)

        return record

    return handle


async def _reckon(session: AsyncSession) -> None:
    for case in await repository.unsettled(session):
        await service.recompute(session, case, today(session))
