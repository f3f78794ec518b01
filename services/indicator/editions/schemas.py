from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.indicator.plans.schemas import Amount, Day, IndicatorItem


def _text(longest: int) -> StringConstraints:
    return StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=longest,
        pattern=r"^[^\x00-\x1f\x7f\ufeff\ufffe\uffff]+$",
    )


class EditionPublish(BaseModel):
    """公布一版指标数据。"""

    model_config = ConfigDict(extra="forbid")

    as_of: Day = Field(description="数据的截止日期，不能晚于今天")
    known_on: Day | None = Field(default=None, description="按该日终了时已知的内容，默认现在")
    title: Annotated[str, _text(100)] = Field(examples=["2020 年度规划指标"])
    restates: UUID | None = Field(default=None, description="所更正的版本")
    reason: Annotated[str, _text(500)] | None = Field(
        default=None, description="更正的理由；更正版必填"
    )

    @model_validator(mode="after")
    def _reason(self) -> Self:
        if self.restates is not None and self.reason is None:
            raise ValueError("更正版须说明理由")
        if self.restates is None and self.reason is not None:
            raise ValueError("只有更正版才填理由")
        return self


class EditionFigure(IndicatorItem):
    """公布的一项指标，公布后不再改动。"""

    definition_version: int = Field(description="当时指标定义的版本")
    before: Amount | None = Field(default=None, description="更正版：所更正版本中的数值")


class EditionSummary(BaseModel):
    """公布的一版指标数据。"""

    id: UUID
    number: int = Field(description="第几版")
    title: str
    as_of: date
    known_on: date | None
    frozen_at: datetime
    definition_version: int = Field(description="当时规划指标定义的版本")
    restates: UUID | None = Field(description="所更正的版本")
    restated_by: UUID | None = Field(description="被哪一版更正")
    reason: str | None


class EditionView(EditionSummary):
    figures: list[EditionFigure]
