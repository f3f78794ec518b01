"""From where awards are looked at: the transaction, the register, the caller's units."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository as cases
from casework import service as casework
from casework.models import CaseFile
from chassis.conditional import require_version
from chassis.database import today
from chassis.law.units import Register
from chassis.problems import FieldError, NotFound, Unprocessable
from contracts.events.placename import UnitLevel
from contracts.events.relief import ReliefCase
from services.relief.awards import repository
from services.relief.awards.models import AwardRow, ChangeRow
from services.relief.households import repository as households

EVENT = casework.case_event(ReliefCase)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks: what they may see, and what of it."""

    session: AsyncSession
    register: Register
    units: Collection[int]

    @property
    def day(self) -> date:
        return today(self.session)

    async def award(self, award_id: UUID, *, lock: bool = False) -> AwardRow:
        """An award within the caller's units; others are not found. Locked, so is its household."""
        award = await repository.find(self.session, self.units, award_id, lock=lock)
        if award is None:
            raise NotFound("未找到该待遇，或不在您的管辖范围内")
        if lock:
            await households.find(self.session, self.units, award.household_id, lock=True)
        return award

    async def award_to_change(self, award_id: UUID, if_match: str | None) -> AwardRow:
        """The award, locked, as the caller last read it."""
        award = await self.award(award_id, lock=True)
        require_version(if_match, award.version)
        return award

    async def change(self, change_id: UUID, *, lock: bool = False) -> tuple[CaseFile, ChangeRow]:
        case = await cases.find(self.session, self.units, change_id, lock=lock)
        change = await repository.change(self.session, change_id) if case else None
        if case is None or change is None:
            raise NotFound("未找到该变动，或不在您的管辖范围内")
        return case, change

    async def take(
        self, change_id: UUID, if_match: str | None
    ) -> tuple[CaseFile, ChangeRow, AwardRow]:
        """A change with its award, both locked; the case as the caller last read it."""
        _, found = await self.change(change_id)
        award = await self.award(found.award_id, lock=True)
        case, change = await self.change(change_id, lock=True)
        require_version(if_match, case.version)
        return case, change, award

    def village(self, code: str, pointer: str) -> int:
        """The village or community whose code this is today, within the caller's units."""
        unit = self.register.by_code(code, self.day)
        if unit is None:
            raise Unprocessable("区划代码有误", errors=[FieldError(pointer, "当日没有此区划代码")])
        if unit not in self.units:
            raise NotFound("未找到该区划，或不在您的管辖范围内")
        if self.register.level_of(unit, self.day) not in {UnitLevel.VILLAGE, UnitLevel.COMMUNITY}:
            raise Unprocessable("区划级别有误", errors=[FieldError(pointer, "须填到村或社区")])
        return unit

    def within(self, code: str) -> frozenset[int]:
        """The unit that ever bore this code and all ever below it, of those the caller sees."""
        unit = self.register.by_code(code)
        if unit is None:
            raise Unprocessable("区划代码有误", errors=[FieldError("/division", "没有此区划代码")])
        if unit not in self.units:
            raise NotFound("未找到该区划，或不在您的管辖范围内")
        return self.register.ever_below(unit, self.day) & frozenset(self.units)

    def code_of(self, unit: int, day: date) -> str | None:
        """The code of that day, no later than today, or the last one known (decision 0005)."""
        return self.register.last_code_of(unit, min(day, self.day))

    def name_of(self, unit: int, day: date) -> str | None:
        return self.register.name_of(unit, min(day, self.day))
