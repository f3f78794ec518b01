from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from chassis.fields import Day, DivisionCode
from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from services.indicator.plans.rules import Status

IndicatorCode = Annotated[
    str, Path(description="指标代码，见 `GET /v1/plan/indicators`", examples=["eldercare_beds"])
]
Amount = Annotated[str, Field(description="十进制数", examples=["59.09"])]


class MatrixQuery(BaseModel):
    """看哪一天、按哪一天已知的内容。"""

    model_config = ConfigDict(extra="forbid")

    as_of: Day | None = Field(
        default=None, description="哪一天的情况，默认今天（规划期满后为期末）"
    )
    known_on: Day | None = Field(default=None, description="按该日终了时已知的内容，默认现在")


class ViewQuery(MatrixQuery):
    """看哪一天、按哪一天已知的内容、看哪个区划。"""

    division: DivisionCode | None = Field(
        default=None, description="12 位区划代码；不填为规划的管辖范围，镇街为本镇街"
    )


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

    code: str = Field(description="口径代码")
    name: str = Field(description="口径名称")


class PlanView(BaseModel):
    """规划。"""

    code: str = Field(description="规划代码")
    name: str = Field(description="规划名称")
    edition: str = Field(description="规划文本的版本")
    version: int = Field(description="指标定义的版本")
    period_from: date = Field(description="规划期的第一天")
    period_to: date = Field(description="规划期的最后一天")
    baseline_on: date = Field(description="基期：基数所属的日期")
    scopes: list[ScopeView] = Field(description="指标所用的管辖口径")
    default_as_of: date = Field(description="不指明日期时所看的日期")
    today: date = Field(description="系统的当天")


class GapView(BaseModel):
    """距目标的差距。"""

    amount: Amount = Field(description="差多少")
    more: bool = Field(description="true 为还差，false 为超出")
    thing: str = Field(description="差的是什么", examples=["张护理型床位"])


class TargetView(BaseModel):
    """一项目标，按规划原文；governing 的一项（表1）决定指标的状态。"""

    id: str = Field(description="目标编号")
    operator: str = Field(description=">= 不低于，> 高于，<= 不高于，== 等于", examples=[">="])
    value: Amount | None = Field(description="目标值；随另一项数据而定的为空")
    reference: str | None = Field(description="目标随另一项数据而定时，其原文")
    printed: str = Field(description="规划原文")
    goal: Amount | None = Field(description="评估所用的目标值；未知时为空")
    due: date | None = Field(description="期限；规划未定的为空")
    section: str = Field(description="规划章节")
    scope: str = Field(description="管辖口径代码")
    standing: str = Field(description="有效、以表1为准、待确认")
    status: Status = Field(
        description="done 已完成，on_course 进度正常，behind 落后，not_assessable 无法评判"
    )
    governing: bool = Field(description="决定指标状态的一项（表1）")
    measured_value: Amount | None = Field(description="与目标比较的数值")
    judged_on: date = Field(description="比较的日期")
    path: Amount | None = Field(description="比较日期应达到的进度（自基数至目标的直线）")
    due_passed: bool = Field(description="所查日期已到期限")
    note: str = Field(description="说明")
    gap: GapView | None = Field(description="距目标的差距；已达到或无法计算的为空")


class TownView(BaseModel):
    """镇街；代码未知时为空。"""

    division: str | None = Field(description="所查日期有效的区划代码")
    name: str | None = Field(description="名称")


class IndicatorItem(BaseModel):
    """一项指标在所查日期的情况；没有数据的为空，不是零。"""

    no: int = Field(description="表1序号")
    code: str = Field(description="指标代码")
    name: str = Field(description="指标名称")
    unit: str = Field(description="计量单位")
    kind: str = Field(description="约束性或预期性")
    value: Amount | None = Field(description="指标数值；没有数据的为空")
    numerator: Amount | None = Field(description="分子；由单一数值构成的为空")
    denominator: Amount | None = Field(description="分母；由单一数值构成的为空")
    baseline: str | None = Field(description="2020 年基数，按原文；“——”为空")
    targets: list[TargetView] = Field(description="各项目标")
    status: Status = Field(
        description="done 已完成，on_course 进度正常，behind 落后，not_assessable 无法评判"
    )
    origin: str | None = Field(description="events 由事件形成，reported 填报，mixed 两者都有")
    reported_on: date | None = Field(description="最近一次填报数的日期")
    age_days: int | None = Field(description="填报数距所查日期的天数")
    as_of: date = Field(description="所查日期")
    known_on: date | None = Field(description="按该日终了时已知的内容；为空即现在")
    scope: str = Field(description="管辖口径，或所查区划的代码")
    scope_name: str = Field(description="管辖口径或所查区划的名称")
    per_town: bool = Field(description="是否有分镇街数值")
    provisional: bool = Field(description="所依据的报告尚未到期，为暂定数")
    conflict: bool = Field(description="规划各处的目标不一致")
    missing: list[TownView] = Field(description="尚未具备的镇街")
    unreported: list[TownView] = Field(description="分镇街填报的数据中尚未填报的镇街；其数未计入")
    owner: str | None = Field(description="牵头单位")
    section: str = Field(description="规划章节")
    definition: str = Field(description="指标定义")
    decimals: int = Field(description="公布的小数位数")
    note: str = Field(description="说明")
    warnings: list[str] = Field(description="数据可疑之处，如分子大于分母")


class VerdictCounts(BaseModel):
    """各种状态的指标数。"""

    done: int = Field(description="已完成")
    on_course: int = Field(description="进度正常")
    behind: int = Field(description="落后")
    not_assessable: int = Field(description="无法评判")


class VerdictView(BaseModel):
    """各种状态的指标数；约束性指标单列。"""

    binding: VerdictCounts = Field(description="约束性指标")
    expected: VerdictCounts = Field(description="预期性指标")


class IndicatorList(BaseModel):
    """规划的全部指标。"""

    as_of: date = Field(description="所查日期")
    known_on: date | None = Field(description="为空即现在")
    division: str | None = Field(description="所查区划；为空即管辖范围")
    scope: str = Field(description="管辖口径代码，或所查区划的代码")
    verdict: VerdictView = Field(description="各种状态的指标数")
    items: list[IndicatorItem] = Field(description="全部指标，按表1序号")


class PointView(BaseModel):
    """一个日期的数值。"""

    on: date = Field(description="日期")
    value: Amount | None = Field(description="指标数值；没有数据的为空")
    numerator: Amount | None = Field(description="分子")
    denominator: Amount | None = Field(description="分母")
    status: Status = Field(
        description="done 已完成，on_course 进度正常，behind 落后，not_assessable 无法评判"
    )


class PathPoint(BaseModel):
    """直线上的一个日期。"""

    on: date = Field(description="日期")
    value: Amount = Field(description="当日应达到的数值")


class SeriesTarget(BaseModel):
    """表1的目标。"""

    operator: str = Field(description=">= 不低于，> 高于，<= 不高于，== 等于")
    value: Amount | None = Field(description="目标值；随另一项数据而定的为空")


class IndicatorSeries(BaseModel):
    """一项指标历年的数值，以及自基数至目标的直线。"""

    code: str = Field(description="指标代码")
    points: list[PointView] = Field(description="各日期的数值")
    path: list[PathPoint] = Field(description="自基数至目标的直线；没有基数的为空")
    target: SeriesTarget = Field(description="表1的目标")


class LineageItem(BaseModel):
    """构成指标数值的一笔记录及其来源事件。"""

    event_id: UUID = Field(description="来源事件的编号")
    event_type: str = Field(description="来源事件的种类")
    type: str = Field(description="同 event_type")
    subject: UUID = Field(description="事件所说的对象，如一处养老服务设施")
    topic: str = Field(description="来源事件所在的主题")
    measure: str = Field(description="计量项目代码")
    measure_name: str = Field(description="计量项目名称")
    key: str = Field(description="按人去重的个数，为其假名；其余为空")
    unit: str | None = Field(description="所查日期有效的区划代码；未知时为空")
    unit_name: str | None = Field(description="区划名称")
    effective_date: date = Field(description="生效日期")
    recorded_at: datetime = Field(description="记录时间")
    amount: Amount = Field(description="自生效日期起增减的数；填报数未使数值变动的为 0")


class MatrixIndicator(BaseModel):
    """有分镇街数值的一项指标。"""

    code: str = Field(description="指标代码")
    no: int = Field(description="表1序号")
    name: str = Field(description="指标名称")
    unit: str = Field(description="计量单位")


class CellView(BaseModel):
    """一个镇街的一项指标。"""

    value: Amount | None = Field(description="指标数值；没有数据的为空")
    numerator: Amount | None = Field(description="分子")
    denominator: Amount | None = Field(description="分母")
    status: Status = Field(
        description="done 已完成，on_course 进度正常，behind 落后，not_assessable 无法评判"
    )


class MatrixRow(BaseModel):
    """一个镇街的各项指标。"""

    division: str | None = Field(description="所查日期有效的区划代码")
    name: str | None = Field(description="镇街名称")
    cells: dict[str, CellView] = Field(description="各项指标，按指标代码")


class Matrix(BaseModel):
    """各镇街的各项指标。"""

    as_of: date = Field(description="所查日期")
    known_on: date | None = Field(description="按该日终了时已知的内容；为空即现在")
    indicators: list[MatrixIndicator] = Field(description="有分镇街数值的指标")
    rows: list[MatrixRow] = Field(description="各镇街")
