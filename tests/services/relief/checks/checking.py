"""A check as a county's clerk has it done, its jobs driven step by step."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from casework.service import case_event, open_case
from chassis.jobs import JobRunner
from contracts.events.relief import ReliefCase
from services.relief.applications.rules import DIBAO
from services.relief.checks import service
from services.relief.checks.jobs import CheckJobs
from services.relief.households import repository as households
from tests.services.relief.households.family import SELF, Clerk, family
from tests.support.departments import OtherSide
from tests.support.jobs import run_due
from tests.support.services import Running

NUMBER = SELF["document_number"]
PAUSES_OVER = (
    "UPDATE chassis.job SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL"
)


@dataclass
class Checking:
    relief: Running
    other: OtherSide
    late: list[UUID] = field(default_factory=list)
    jobs: CheckJobs = field(init=False)
    runner: JobRunner = field(init=False)

    def __post_init__(self) -> None:
        self.clerk = Clerk(self.relief, scopes=("relief:read", "relief:files", "relief:check"))
        self.jobs = CheckJobs(self.relief.runtime, self._late)
        self.runner = self.new_runner()

    async def _late(self, session: AsyncSession, case_id: UUID) -> None:
        assert session.in_transaction()
        self.late.append(case_id)

    def new_runner(self) -> JobRunner:
        runtime = self.relief.runtime
        return JobRunner(runtime.database, self.jobs.handlers, runtime.places.everywhere)

    async def case(self) -> UUID:
        async with self.clerk.transaction() as session:
            case = await open_case(
                session,
                DIBAO,
                unit=self.clerk.units[0],
                label="欧阳**等1人",
                channel="window",
                event=case_event(ReliefCase),
            )
        return case.id

    async def start(
        self,
        asked: dict[str, Any] | None = None,
        *,
        case: UUID | None = None,
        household: UUID | None = None,
    ) -> UUID:
        """A check of a family of one who earns a wage and has a deposit, unless told otherwise."""
        household = household or await self.clerk.create(asked or family(SELF))
        case = case or await self.case()
        async with self.clerk.transaction(
            actor="checker-1", organisation="渝北区民政局"
        ) as session:
            check = await service.start(
                session,
                case_id=case,
                household_id=household,
                unit=self.clerk.units[0],
                members=await households.members_of(session, household),
                supporters=await households.supporters_of(session, household),
            )
        return check.id

    async def run(self) -> None:
        """Run what is due, each job once, however long that takes."""
        await run_due(self.relief, self.runner)

    async def run_again(self) -> None:
        """Run what is due, and what is put off after a failure, whose pause goes by real time."""
        await self.relief.rows(PAUSES_OVER)
        await self.run()

    async def get(self, check: UUID, path: str = "") -> httpx.Response:
        return await self.relief.http.get(
            f"/v1/relief/checks/{check}{path}", headers=self.clerk.headers()
        )

    async def report(self, check: UUID) -> Any:
        answer = await self.get(check)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def line(self, check: UUID, source: str) -> Any:
        (line,) = [one for one in (await self.report(check))["lines"] if one["source"] == source]
        return line

    async def post(
        self, check: UUID, path: str, body: Any = None, *, etag: str = "now"
    ) -> httpx.Response:
        if etag == "now":
            etag = (await self.get(check)).headers.get("etag", "")
        return await self.relief.http.post(
            f"/v1/relief/checks/{check}{path}", json=body, headers=self.clerk.headers(etag)
        )

    async def on_line(
        self, check: UUID, source: str, action: str, body: Any = None
    ) -> httpx.Response:
        line = await self.line(check, source)
        return await self.post(check, f"/requests/{line['request']}/{action}", body)

    async def closed(self, check: UUID) -> Any:
        answer = await self.post(check, "/close")
        assert answer.status_code == 200, answer.text
        return answer.json()
