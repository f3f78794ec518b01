from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.fields import Day, DivisionCode, Document, PlainDecimal, Reason
from contracts.events.relief import Area, StandardCode
from services.relief.standards.rules import area_fits

Money = Annotated[
    PlainDecimal,
    Field(gt=0, max_digits=10, decimal_places=2, description="元/人·月", examples=["770.00"]),
]


class StandardSet(BaseModel):
    """制定或调整一项救助标准。"""

    model_config = ConfigDict(extra="forbid")

    code: StandardCode = Field(description="标准：dibao 低保，tekun_basic 特困基本生活，…")
    area: Area = Field(description="urban 城市，rural 农村，all 不分城乡")
    division: DivisionCode
    amount: Money
    valid_from: Day = Field(description="施行日期")
    document: Document

    @model_validator(mode="after")
    def _area(self) -> Self:
        if not area_fits(self.code, self.area):
            raise ValueError("该标准的城乡属性不符：低保分城市、农村，特困不分")
        return self


class StandardCorrection(BaseModel):
    """更正已登记的一项金额；原登记保留并注明已被更正。"""

    model_config = ConfigDict(extra="forbid")

    amount: Money
    valid_from: Day = Field(description="施行日期")
    document: Document
    reason: Reason


class AmountView(BaseModel):
    """一次登记的金额。"""

    id: UUID
    valid_from: date
    amount: Decimal
    document: str
    note: str
    recorded_at: datetime
    superseded_at: datetime | None


class StandardView(BaseModel):
    """一项标准及其历次金额。"""

    id: UUID
    code: StandardCode
    area: Area
    unit: int = Field(description="所属区划的固定编号")
    division: str | None = Field(description="所查日期有效的区划代码；未知或已撤销时为空")
    division_name: str | None = Field(description="所属区划名称")
    in_force: AmountView | None = Field(description="所查日期施行的金额")
    amounts: list[AmountView]
    warnings: list[str] = Field(default_factory=list, description="提示，不影响办理")


class StandardList(BaseModel):
    as_of: date
    items: list[StandardView]
