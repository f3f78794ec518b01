from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from chassis.fields import Count, Day, DivisionCode, Document, Public, Reason, text
from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from services.eldercare.facilities.rules import Series, State

MOST_BEDS = 10_000


Title = Annotated[str, text(100), Public]
Address = Annotated[str, text(200), Public, Field(description="地址")]
Beds = Annotated[Count, Field(le=MOST_BEDS)]
Score = Annotated[Decimal, Field(ge=0, le=1000, max_digits=6, decimal_places=2)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OperatorOf(Body):
    """运营方。"""

    name: Title = Field(description="运营方名称")
    kind: OperatorKind = Field(
        description="government 公建公营，public_built_private_run 公建民营，"
        "private_nonprofit 民办非营利，private_forprofit 民办营利"
    )


class BedCounts(Body):
    """床位数。"""

    total: Beds = Field(description="核定床位")
    nursing: Beds = Field(description="其中护理型床位")
    in_use: Beds = Field(description="实际投入使用床位")

    @model_validator(mode="after")
    def _within_total(self) -> Self:
        if self.nursing > self.total:
            raise ValueError("护理型床位不能多于核定床位")
        if self.in_use > self.total:
            raise ValueError("投入使用床位不能多于核定床位")
        return self


FunctionList = Annotated[
    list[FacilityFunction],
    Field(
        max_length=len(FacilityFunction),
        description="full_care 全托，day_care 日托，home_service 上门服务，guidance 对下指导，"
        "meals 助餐，mutual_aid 互助",
    ),
]


class FacilityRegister(Body):
    """登记一处养老服务设施。"""

    name: Title = Field(description="设施名称")
    kind: FacilityKind = Field(
        description="institution 养老机构，town_centre 镇街养老服务中心，"
        "community_station 社区养老服务站，rural_home 敬老院，mutual_aid_point 互助养老点，"
        "meal_point 助餐点，intensive_care_centre 集中照护中心，complex 养老服务综合体"
    )
    division: DivisionCode = Field(description="开办当日有效的镇街或村居 12 位区划代码")
    address: Address
    operator: OperatorOf
    beds: BedCounts
    functions: FunctionList
    opened_on: Day = Field(description="开办日期；可以是将来的日期")
    document: Document


class FactOf(Body):
    """某日起成立的一项事实。"""

    valid_from: Day = Field(description="自哪一天起")
    document: Document


class OpeningChange(FactOf):
    """停办之后恢复运营。"""

    change: Literal["opening"]


class ClosingChange(FactOf):
    """停办。"""

    change: Literal["closing"]


class NameChange(FactOf):
    """更名。"""

    change: Literal["name"]
    name: Title


class KindChange(FactOf):
    """类型变更。"""

    change: Literal["kind"]
    kind: FacilityKind


class PlaceChange(FactOf):
    """迁址。"""

    change: Literal["place"]
    division: DivisionCode = Field(description="迁入当日有效的镇街或村居 12 位区划代码")
    address: Address


class OperatorChange(FactOf):
    """运营方变更。"""

    change: Literal["operator"]
    operator: OperatorOf


class BedsChange(FactOf):
    """床位变更。"""

    change: Literal["beds"]
    beds: BedCounts


class FunctionsChange(FactOf):
    """服务功能变更。"""

    change: Literal["functions"]
    functions: FunctionList


class AssessmentChange(FactOf):
    """服务质量评估（GB/T 35796）；valid_from 为评估日期。"""

    change: Literal["assessment"]
    passed: StrictBool = Field(description="是否达标")
    score: Score | None = Field(default=None, description="得分，可不填")


def _as_it_stands_in_the_body(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Pydantic puts the tag of a union into the place of an error; the body has no such step."""
    try:
        return check(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(
            error.title,
            [
                InitErrorDetails(
                    type=one["type"],
                    loc=one["loc"][1:] or ("change",),
                    input=one["input"],
                    ctx=one.get("ctx", {}),
                )
                for one in error.errors(include_url=False)
            ],
        ) from None


FacilityChange = Annotated[
    OpeningChange
    | ClosingChange
    | NameChange
    | KindChange
    | PlaceChange
    | OperatorChange
    | BedsChange
    | FunctionsChange
    | AssessmentChange,
    Discriminator("change"),
    WrapValidator(_as_it_stands_in_the_body),
]


class FactCorrection(Body):
    """更正一项登记：以 replacement 取代；不给 replacement 即撤销。原登记保留备查。"""

    reason: Reason
    replacement: FacilityChange | None = None


class AssessmentView(BaseModel):
    """最近一次服务质量评估。"""

    assessed_on: date
    passed: bool
    score: Decimal | None


class OperatorView(BaseModel):
    name: str
    kind: OperatorKind


class BedsView(BaseModel):
    total: int
    nursing: int
    in_use: int


class FacilityView(BaseModel):
    """一处设施在所查日期的情况；尚未开办的，为开办当日的情况。"""

    id: UUID
    as_of: date
    state: State = Field(description="planned 待开办，open 在办，closed 已停办，void 登记作废")
    opened_on: date | None
    closed_on: date | None
    name: str
    kind: FacilityKind
    division: str | None = Field(description="所查日期有效的区划代码；未知时为空")
    division_name: str | None
    town_name: str | None = Field(description="所属镇街")
    address: str
    operator: OperatorView
    beds: BedsView
    functions: list[FacilityFunction]
    assessment: AssessmentView | None
    warnings: list[str] = Field(default_factory=list, description="提示，不影响登记")


class KindTotalView(BaseModel):
    """一类在办设施的数量与床位。"""

    kind: FacilityKind
    title: str
    facilities: int
    beds: BedsView


class FacilitySummary(BaseModel):
    """在办设施按类型汇总。"""

    as_of: date
    items: list[KindTotalView]
    facilities: int
    beds: BedsView


class FactView(BaseModel):
    """一项登记，原样保留。"""

    id: UUID
    series: Series
    title: str
    valid_from: date
    text: str = Field(description="登记的内容；撤销时为空")
    document: str
    recorded_at: datetime
    recorded_by: str
    supersedes: UUID | None = Field(description="所更正的登记")
    superseded_by: UUID | None = Field(description="被哪一项登记更正")
    reason: str = Field(description="更正的理由")


class PeriodView(BaseModel):
    """自某日起的情况，直到下一段开始。"""

    from_: date = Field(serialization_alias="from")
    division: str | None
    division_name: str | None
    kind: FacilityKind
    operator_kind: OperatorKind
    open: bool
    beds: BedsView
    functions: list[FacilityFunction]


class FacilityTimeline(BaseModel):
    """设施的历史：各段情况，以及包括已被更正者在内的全部登记。"""

    id: UUID
    periods: list[PeriodView]
    facts: list[FactView]


class ViewQuery(BaseModel):
    """看哪一天、按哪一天已登记的内容看。"""

    model_config = ConfigDict(extra="forbid")

    as_of: Day | None = Field(default=None, description="哪一天的情况，默认今天")
    known_on: Day | None = Field(default=None, description="按该日终了时已登记的内容，默认现在")


class SearchQuery(ViewQuery):
    """列表、汇总与导出的条件。"""

    division: DivisionCode | None = Field(
        default=None, description="所查日期有效的区划代码，含其下各级"
    )
    kind: FacilityKind | None = Field(default=None, description="类型")
    operator_kind: OperatorKind | None = Field(default=None, description="运营方性质")
    state: State | None = Field(default=None, description="所查日期的状态，如 open 在办")
    function: FacilityFunction | None = Field(default=None, description="具有的服务功能")
    q: Annotated[str, text(50)] | None = Field(default=None, description="名称中包含的文字")


class PageQuery(SearchQuery):
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")


class ImportResult(BaseModel):
    """补录结果。"""

    facilities: int = Field(description="补录的设施数")
    facts: int = Field(description="补录的登记事项数")
