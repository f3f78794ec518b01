import re
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from services.indicator.plans.rules import Status

EARLIEST_DAY, LATEST_DAY = date(2000, 1, 1), date(2099, 12, 31)


def _written_day(value: object) -> object:
    """A number is no day here, though a timestamp could be read from it."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII) is None:
        raise ValueError("日期应为 YYYY-MM-DD")
    if not isinstance(value, (str, date)):
        raise ValueError("日期应为 YYYY-MM-DD")  # noqa: TRY004 - pydantic's way to refuse a value
    return value


Day = Annotated[
    date,
    BeforeValidator(_written_day),
    Field(ge=EARLIEST_DAY, le=LATEST_DAY, examples=["2025-12-31"]),
]
DivisionCode = Annotated[
    str, Field(pattern=r"^[0-9]{12}$", description="12 位区划代码", examples=["500112129000"])
]
Amount = Annotated[str, Field(description="十进制数", examples=["59.09"])]


class ViewQuery(BaseModel):
    """看哪一天、按哪一天已知的内容、看哪个区划。"""

    model_config = ConfigDict(extra="forbid")

    as_of: Day | None = Field(
        default=None, description="哪一天的情况，默认今天（规划期满后为期末）"
    )
    known_on: Day | None = Field(default=None, description="按该日终了时已知的内容，默认现在")
    division: DivisionCode | None = Field(
        default=None, description="12 位区划代码；不填为规划的管辖范围，镇街为本镇街"
    )


class MatrixQuery(BaseModel):
    """看哪一天、按哪一天已知的内容。"""

    model_config = ConfigDict(extra="forbid")

    as_of: Day | None = Field(
        default=None, description="哪一天的情况，默认今天（规划期满后为期末）"
    )
    known_on: Day | None = Field(default=None, description="按该日终了时已知的内容，默认现在")


class SeriesQuery(BaseModel):
    """看哪一段时间。"""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Day | None = Field(default=None, alias="from", description="默认规划基期")
    to: Day | None = Field(default=None, description="默认今天（规划期满后为期末）")
    step: str = Field(
        default="year", pattern=r"^(year|quarter)$", description="year 各年末，quarter 各季度末"
    )
    known_on: Day | None = Field(default=None, description="按该日终了时已知的内容，默认现在")
    division: DivisionCode | None = Field(default=None, description="12 位区划代码")


class LineageQuery(ViewQuery):
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")


class ScopeView(BaseModel):
    """管辖口径。"""

    code: str
    name: str


class PlanView(BaseModel):
    """规划。"""

    code: str
    name: str
    edition: str = Field(description="规划文本的版本")
    version: int = Field(description="指标定义的版本")
    period_from: date
    period_to: date
    baseline_on: date
    scopes: list[ScopeView]
    default_as_of: date = Field(description="不指明日期时所看的日期")
    today: date


class GapView(BaseModel):
    """距目标的差距。"""

    amount: Amount
    more: bool = Field(description="true 为还差，false 为超出")
    thing: str = Field(description="差的是什么", examples=["张护理型床位"])


class TargetView(BaseModel):
    """一项目标，按规划原文；governing 的一项（表1）决定指标的状态。"""

    id: str
    operator: str = Field(examples=[">="])
    value: Amount | None
    reference: str | None = Field(description="目标随另一项数据而定时，其原文")
    printed: str = Field(description="规划原文")
    goal: Amount | None = Field(description="评估所用的目标值；未知时为空")
    due: date | None
    section: str
    scope: str
    standing: str = Field(description="有效、以表1为准、待确认")
    status: Status
    governing: bool
    measured_value: Amount | None = Field(description="与目标比较的数值")
    judged_on: date = Field(description="比较的日期")
    path: Amount | None = Field(description="比较日期应达到的进度（自基数至目标的直线）")
    due_passed: bool
    note: str
    gap: GapView | None


class TownView(BaseModel):
    """镇街；代码未知时为空。"""

    division: str | None
    name: str | None


class IndicatorItem(BaseModel):
    """一项指标在所查日期的情况；没有数据的为空，不是零。"""

    no: int
    code: str
    name: str
    unit: str
    kind: str = Field(description="约束性或预期性")
    value: Amount | None
    numerator: Amount | None
    denominator: Amount | None
    baseline: str | None = Field(description="2020 年基数，按原文；“——”为空")
    targets: list[TargetView]
    status: Status = Field(
        description="done 已达到，on_course 进度正常，behind 落后，not_assessable 无法评估"
    )
    origin: str | None = Field(description="events 由事件形成，reported 填报，mixed 两者都有")
    reported_on: date | None = Field(description="最近一次填报数的日期")
    age_days: int | None = Field(description="填报数距所查日期的天数")
    as_of: date
    known_on: date | None
    scope: str = Field(description="管辖口径，或所查区划的代码")
    per_town: bool
    provisional: bool = Field(description="所依据的报告尚未到期，为暂定数")
    conflict: bool = Field(description="规划各处的目标不一致")
    missing: list[TownView] = Field(description="尚未具备的镇街")
    unreported: list[TownView] = Field(description="分镇街填报的数据中尚未填报的镇街；其数未计入")
    owner: str | None = Field(description="牵头单位")
    section: str
    definition: str
    decimals: int
    note: str


class VerdictCounts(BaseModel):
    done: int
    on_course: int
    behind: int
    not_assessable: int


class VerdictView(BaseModel):
    """各种状态的指标数；约束性指标单列。"""

    binding: VerdictCounts
    expected: VerdictCounts


class IndicatorList(BaseModel):
    """规划的全部指标。"""

    as_of: date
    known_on: date | None = Field(description="为空即现在")
    division: str | None = Field(description="所查区划；为空即管辖范围")
    scope: str
    verdict: VerdictView
    items: list[IndicatorItem]


class PointView(BaseModel):
    on: date
    value: Amount | None
    numerator: Amount | None
    denominator: Amount | None
    status: Status


class PathPoint(BaseModel):
    on: date
    value: Amount


class SeriesTarget(BaseModel):
    operator: str
    value: Amount | None


class IndicatorSeries(BaseModel):
    """一项指标历年的数值，以及自基数至目标的直线。"""

    code: str
    points: list[PointView]
    path: list[PathPoint]
    target: SeriesTarget


class LineageItem(BaseModel):
    """构成指标数值的一笔记录及其来源事件。"""

    event_id: UUID
    event_type: str
    type: str = Field(description="同 event_type")
    subject: UUID = Field(description="事件所说的对象，如一处养老服务设施")
    topic: str
    measure: str
    measure_name: str
    key: str
    unit: str | None = Field(description="所查日期有效的区划代码；未知时为空")
    unit_name: str | None
    effective_date: date
    recorded_at: datetime
    amount: Amount


class MatrixIndicator(BaseModel):
    code: str
    no: int
    name: str
    unit: str


class CellView(BaseModel):
    value: Amount | None
    numerator: Amount | None
    denominator: Amount | None
    status: Status


class MatrixRow(BaseModel):
    division: str | None
    name: str | None
    cells: dict[str, CellView]


class Matrix(BaseModel):
    """各镇街的各项指标。"""

    as_of: date
    known_on: date | None
    indicators: list[MatrixIndicator]
    rows: list[MatrixRow]
