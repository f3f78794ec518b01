from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from services.indicator.ledger.rules import MeasureKind, ReportedAt
from services.indicator.plans.schemas import Amount, Day, DivisionCode


def _written_number(value: object) -> object:
    """Decimals come as strings or numbers, never as truth values."""
    if isinstance(value, bool):
        raise ValueError("数据类型不符")  # noqa: TRY004 - pydantic's way to refuse a value
    return value


def _text(longest: int) -> StringConstraints:
    return StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=longest,
        pattern=r"^[^\x00-\x1f\x7f\ufeff\ufffe\uffff]+$",
    )


MeasureCode = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^[a-z_]+(\.[a-z_]+)+$",
        description="计量项目代码，见 `GET /v1/plan/measures`",
        examples=["welfare.lottery.outlets"],
    ),
]
Value = Annotated[
    Decimal,
    BeforeValidator(_written_number),
    Field(
        max_digits=20,
        decimal_places=6,
        allow_inf_nan=False,
        description="数值；时期数为自 1 月 1 日起的累计数",
        examples=["411"],
    ),
]
Document = Annotated[
    str, _text(200), Field(description="所依据的文件", examples=["渝北民政统〔2021〕1号"])
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
    reason: Annotated[str, _text(500), Field(description="更正的理由")]


class FigureQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    measure: MeasureCode | None = None
    division: DivisionCode | None = Field(default=None, description="12 位区划代码，不含其下各级")
    on: Day | None = Field(default=None, description="数值所属的日期")
    known_on: Day | None = Field(default=None, description="按该日终了时已填报的内容，默认现在")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")


class FigureView(BaseModel):
    """一个填报数。"""

    id: UUID
    series_id: UUID
    version: int = Field(description="所在数列的版本，更正时填入 If-Match")
    measure: str
    name: str
    unit: str = Field(description="计量单位")
    division: str | None = Field(description="数值所属日期有效的区划代码；未知时为空")
    division_name: str | None
    on: date
    value: Amount
    document: str
    reported_by: str
    reported_at: datetime
    superseded_at: datetime | None = Field(description="被更正的时间；现行的为空")
    note: str = Field(description="更正的理由")


class MeasureView(BaseModel):
    """一个填报的计量项目。"""

    code: str
    name: str
    unit: str
    kind: MeasureKind = Field(
        description="stock 时点数，flow 时期数（自 1 月 1 日起累计），level 标准或比率，"
        "presence 个数"
    )
    reported_at: ReportedAt | None = Field(description="通常填报的层级：district 全区，town 镇街")
    yearly: bool = Field(description="只在所属年份有效，填该年 12 月 31 日")
    decimals: int
    note: str
    indicators: list[str] = Field(description="用到它的指标")


class MeasureList(BaseModel):
    items: list[MeasureView]


class ImportResult(BaseModel):
    """导入结果。"""

    figures: int = Field(description="填报的数")
    series: int = Field(description="涉及的数列")
