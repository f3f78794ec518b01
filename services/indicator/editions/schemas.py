from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.fields import Day, Public, Reason, text
from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from services.indicator.plans.schemas import Amount, IndicatorItem


class EditionPublish(BaseModel):
    """公布一版指标数据。"""

    model_config = ConfigDict(extra="forbid")

    as_of: Day = Field(description="数据的截止日期，不能晚于今天；同一日期再次公布须为更正版")
    known_on: Day | None = Field(
        default=None,
        description="按该日终了时已知的内容，默认现在；不能晚于今天，也不能早于截止日期",
    )
    title: Annotated[str, text(100), Public] = Field(
        description="标题", examples=["2020 年度规划指标"]
    )
    restates: UUID | None = Field(default=None, description="所更正的版本")
    reason: Reason | None = Field(default=None, description="更正的理由；更正版必填")

    @model_validator(mode="after")
    def _reason(self) -> Self:
        if self.restates is not None and self.reason is None:
            raise ValueError("更正版须说明理由")
        if self.restates is None and self.reason is not None:
            raise ValueError("只有更正版才填理由")
        return self


EditionId = Annotated[UUID, Path(description="版本编号")]


class EditionQuery(BaseModel):
    """翻页。"""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")


class EditionFigure(IndicatorItem):
    """公布的一项指标，公布后不再改动。"""

    definition_version: int = Field(description="当时指标定义的版本")
    before: Amount | None = Field(default=None, description="更正版：所更正版本中的数值")


class EditionSummary(BaseModel):
    """公布的一版指标数据。"""

    id: UUID = Field(description="版本编号")
    number: int = Field(description="第几版")
    title: str = Field(description="标题")
    as_of: date = Field(description="数据的截止日期")
    known_on: date | None = Field(description="按该日终了时已知的内容；为空即公布时")
    frozen_at: datetime = Field(description="公布时间")
    definition_version: int = Field(description="当时规划指标定义的版本")
    restates: UUID | None = Field(description="所更正的版本")
    restated_by: UUID | None = Field(description="被哪一版更正")
    reason: str | None = Field(description="更正的理由；不是更正版的为空")


class EditionView(EditionSummary):
    """公布的一版指标数据及其全部指标。"""

    figures: list[EditionFigure] = Field(description="公布的全部指标，按表1序号")
