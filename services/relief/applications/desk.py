"""From where an application is looked at: the transaction, the register, the caller's units."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository as cases
from casework import service as casework
from casework.models import CaseFile, CaseStep
from casework.problems import NotNow
from casework.states import NotPermitted
from chassis.access import Principal
from chassis.conditional import require_version
from chassis.database import today
from chassis.law.units import Register
from chassis.problems import FieldError, NotFound, Unprocessable
from contracts.events.placename import UnitLevel
from contracts.events.relief import ReliefCase
from services.relief.applications import repository, rules
from services.relief.applications.models import ApplicationRow
from services.relief.households import repository as households

EVENT = casework.case_event(ReliefCase)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks: what they may see, and what of it."""

    session: AsyncSession
    principal: Principal
    register: Register
    units: frozenset[int]

    async def find(self, case_id: UUID, *, lock: bool = False) -> tuple[CaseFile, ApplicationRow]:
        """A case of this matter within the caller's units; others are not found."""
        case = await cases.find(self.session, self.units, case_id, lock=lock)
        application = await repository.application(self.session, case_id) if case else None
        if case is None or application is None:
            raise NotFound("未找到该申请，或不在您的管辖范围内")
        return case, application

    async def take(self, case_id: UUID, if_match: str | None) -> tuple[CaseFile, ApplicationRow]:
        """The case to change: locked, and as the caller last read it.

        Its household is locked before it: what the step reads of it holds when it is written.
        The order of locks, everywhere in the service: award, household, case, check, claims.
        """
        of_case = await repository.application(self.session, case_id)
        if of_case is not None:
            await households.find(self.session, self.units, of_case.household_id, lock=True)
        case, application = await self.find(case_id, lock=True)
        require_version(if_match, case.version)
        return case, application

    async def advance(self, case: CaseFile, name: str, **told: Any) -> CaseStep:  # noqa: ANN401 - passed on as they come
        """Take a step of this matter; `told` as for `casework.service.advance`."""
        return await casework.advance(self.session, case, rules.DIBAO, name, event=EVENT, **told)

    def require(self, case: CaseFile, name: str) -> None:
        """Refuse a step that the table has not, before anything else is looked at."""
        try:
            rules.DIBAO.transition(case.state, name)
        except NotPermitted as refused:
            raise NotNow.of(rules.DIBAO, name, refused) from refused

    def village(self, code: str, pointer: str) -> int:
        """The village or community whose code this is today, within the caller's units."""
        day = today(self.session)
        unit = self.register.by_code(code, day)
        if unit is None:
            raise Unprocessable("区划代码有误", errors=[FieldError(pointer, "当日没有此区划代码")])
        if unit not in self.units:
            raise NotFound("未找到该区划，或不在您的管辖范围内")
        if self.register.level_of(unit, day) not in {UnitLevel.VILLAGE, UnitLevel.COMMUNITY}:
            raise Unprocessable("区划级别有误", errors=[FieldError(pointer, "须填到村或社区")])
        return unit

    def town_of(self, unit: int) -> int:
        """The town or street to which the unit belongs today."""
        return self.register.town_of(unit, today(self.session)) or unit

    def county_of(self, unit: int) -> int:
        return self.register.county_of(unit, today(self.session)) or unit

    def holds_county(self, unit: int) -> bool:
        """Whether the caller speaks for the bureau of the unit's county."""
        return self.county_of(unit) in self.units

    def holds_town(self, unit: int) -> bool:
        return self.town_of(unit) in self.units

    def name_of(self, unit: int) -> str:
        return self.register.name_of(unit, today(self.session)) or ""
