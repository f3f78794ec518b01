"""Events of the relief service (社会救助)."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from contracts.events.casework import Case
from contracts.model import Contract, UnitId


class StandardCode(StrEnum):
    DIBAO = "dibao"  # 最低生活保障标准
    TEKUN_BASIC = "tekun_basic"  # 特困人员基本生活标准
    TEKUN_CARE_FULL = "tekun_care_full"  # 特困照料护理标准: 全护理
    TEKUN_CARE_HALF = "tekun_care_half"  # 半护理
    TEKUN_CARE_SELF = "tekun_care_self"  # 自理


class Area(StrEnum):
    URBAN = "urban"  # 城市
    RURAL = "rural"  # 农村
    ALL = "all"  # 不分城乡


class StandardPeriod(Contract):
    """The amount in force from a day on, in yuan per person and month."""

    from_: date = Field(alias="from")
    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)
    document: str = Field(min_length=1, max_length=100)


class Standard(Contract):
    """Topic `minzheng.relief.standard`: the series of one standard for one area, as known now."""

    id: UUID
    unit: UnitId
    code: StandardCode
    area: Area
    periods: tuple[StandardPeriod, ...] = Field(max_length=400)

    def void(self) -> Self:
        return self.model_copy(update={"periods": ()})


class ReliefCase(Case):
    """Topic `minzheng.relief.case`: an application for relief, or a change of an award."""


class Programme(StrEnum):
    DIBAO = "dibao"  # 最低生活保障


class AwardState(StrEnum):
    PAID = "paid"  # 在保
    GRACE = "grace"  # 渐退
    STOPPED = "stopped"  # 停发


class AwardPeriod(Contract):
    """What is paid each month from a day on: the family's amount, and the persons' extras."""

    from_: date = Field(alias="from")
    unit: UnitId
    area: Area
    state: AwardState
    persons: int = Field(ge=0, le=100)
    amount: Decimal = Field(ge=0, max_digits=10, decimal_places=2)
    extras: Decimal = Field(ge=0, max_digits=10, decimal_places=2)


class Award(Contract):
    """Topic `minzheng.relief.award`: one household's award, the whole timeline as known now."""

    id: UUID
    programme: Programme
    case: UUID
    periods: tuple[AwardPeriod, ...] = Field(min_length=1, max_length=400)

    def void(self) -> Self:
        """Stopped from its first day: nobody was ever paid by it."""
        nothing: dict[str, object] = {"state": AwardState.STOPPED, "persons": 0}
        nothing |= {"amount": Decimal("0.00"), "extras": Decimal("0.00")}
        return self.model_copy(update={"periods": (self.periods[0].model_copy(update=nothing),)})

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [period.from_ for period in self.periods]
        if days != sorted(set(days)):
            raise ValueError("periods must be in order, one a day")
        return self
