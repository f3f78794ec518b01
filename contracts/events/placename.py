"""Events that the placename service (区划地名) will publish; consumed by every service."""

from datetime import date
from enum import StrEnum
from typing import Self

from pydantic import Field

from contracts.model import Contract, UnitId


class UnitLevel(StrEnum):
    COUNTY = "county"  # 区县
    STREET = "street"  # 街道
    TOWN = "town"  # 镇
    COMMUNITY = "community"  # 社区 (居民委员会)
    VILLAGE = "village"  # 村 (村民委员会)


class UnitPeriod(Contract):
    """What holds of a unit from a day on; `code` is None where it is not known, never guessed."""

    from_: date = Field(alias="from")
    code: str | None = Field(pattern=r"^\d{12}$")
    name: str = Field(min_length=1, max_length=50)
    level: UnitLevel
    parent: UnitId | None
    exists: bool = True


class PlaceUnit(Contract):
    """Topic `minzheng.placename.unit`: one unit's life, with the units that took its place."""

    id: UnitId
    periods: tuple[UnitPeriod, ...] = Field(min_length=1, max_length=200)
    successors: tuple[UnitId, ...] = ()

    def void(self) -> Self:
        first = self.periods[0].model_copy(update={"exists": False})
        return self.model_copy(update={"periods": (first,), "successors": ()})
