"""Events of the indicator service (规划指标)."""

from datetime import date
from decimal import Decimal
from typing import Self
from uuid import UUID

from pydantic import Field

from contracts.model import Contract, UnitId


class FigureEntry(Contract):
    """One reported figure in force (填报), for the day it speaks of."""

    on: date
    value: Decimal = Field(max_digits=20, decimal_places=6)
    document: str = Field(min_length=1, max_length=200)


class FigureSeries(Contract):
    """Topic `minzheng.indicator.figure`: what is reported of one measure for one unit, known now.

    A flow's values are cumulative since 1 January of the day's year.
    """

    id: UUID
    measure: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", max_length=100)
    unit: UnitId
    figures: tuple[FigureEntry, ...] = Field(max_length=1000)

    def void(self) -> Self:
        return self.model_copy(update={"figures": ()})
