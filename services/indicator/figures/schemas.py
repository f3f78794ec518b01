import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chassis.fields import Day, DivisionCode, Document, Reason
from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from services.indicator.ledger.rules import MeasureKind, ReportedAt
from services.indicator.plans.schemas import Amount

FigureId = Annotated[UUID, Path(description="填报数编号")]
MeasureCode = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^[a-z_]+(\.[a-z_]+)+$",
        description="计量项目代码，见 `GET /v1/plan/measures`",
        examples=["welfare.lottery.outlets"],
    ),
]
PLAIN_NUMBER = re.compile(r"(?!-0+(\.0+)?$)-?[0-9]+(\.[0-9]+)?")


def _plainly_written(value: object) -> object:
    """`Decimal` would also read the digits of other scripts, `1_0`, `1e3` and `-0`."""
    if PLAIN_NUMBER.fullmatch(str(value)) is None:
        raise ValueError("应为数字，如 411 或 1300.05")
    return value


Value = Annotated[
    Decimal,
    BeforeValidator(_plainly_written),
    Field(
        max_digits=20,
        decimal_places=6,
        description="数值；时期数为自 1 月 1 日起的累计数",
        examples=["411"],
    ),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FigureReport(Body):
    """填报一个数。"""

    measure: MeasureCode
    division: DivisionCode
    on: Day = Field(description="数值所属的日期，不能晚于今天")
    value: Value
    document: Document


class FigureCorrection(Body):
    """更正已填报的数；原数保留并注明已被更正。"""

    value: Value
    document: Document
    reason: Reason


class FigureQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    measure: MeasureCode | None = Field(
        default=None, description="计量项目代码，见 `GET /v1/plan/measures`"
    )
    division: DivisionCode | None = Field(default=None, description="12 位区划代码，不含其下各级")
    on: Day | None = Field(default=None, description="数值所属的日期")
    known_on: Day | None = Field(default=None, description="按该日终了时已填报的内容，默认现在")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")


class FigureView(BaseModel):
    """一个填报数。"""

    id: UUID = Field(description="填报数编号")
    series_id: UUID = Field(description="所在数列的编号")
    version: int = Field(description="所在数列的版本，更正时填入 If-Match")
    measure: str = Field(description="计量项目代码")
    name: str = Field(description="计量项目名称")
    unit: str = Field(description="计量单位")
    division: str | None = Field(description="数值所属日期有效的区划代码；未知时为空")
    division_name: str | None = Field(description="区划名称")
    on: date = Field(description="数值所属的日期")
    value: Amount = Field(description="数值")
    document: str = Field(description="所依据的文件")
    reported_by: str = Field(description="填报人")
    reported_at: datetime = Field(description="填报时间")
    superseded_at: datetime | None = Field(description="被更正的时间；现行的为空")
    note: str = Field(description="更正的理由")


class MeasureView(BaseModel):
    """一个填报的计量项目。"""

    code: str = Field(description="计量项目代码")
    name: str = Field(description="计量项目名称")
    unit: str = Field(description="计量单位")
    kind: MeasureKind = Field(
        description="stock 时点数，flow 时期数（自 1 月 1 日起累计），level 标准或比率，"
        "presence 个数"
    )
    reported_at: ReportedAt | None = Field(description="填报的层级：district 全区，town 镇街")
    yearly: bool = Field(description="只在所属年份有效，填该年 12 月 31 日")
    decimals: int = Field(description="最多的小数位数")
    note: str = Field(description="说明")
    indicators: list[str] = Field(description="用到它的指标")


class MeasureList(BaseModel):
    """填报的计量项目。"""

    items: list[MeasureView] = Field(description="填报的计量项目")


class ImportResult(BaseModel):
    """导入结果。"""

    figures: int = Field(description="填报的数")
    series: int = Field(description="涉及的数列")
