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
    StrictInt,
    model_validator,
)

from casework.clock import Light
from casework.models import DeliveryMethod
from chassis.fields import Day, DivisionCode, Document, text
from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT
from contracts.events.relief import Area, AwardState
from services.relief.awards.rules import ChangeKind, Effect, HearingMethod

Words = Annotated[str, text(1000)]
PersonName = Annotated[str, text(50)]
Person = Annotated[UUID, Field(description="人员编号（persons 中所列）")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Change(Body):
    reason: Words = Field(description="事由与依据的事实，加密保存，写入决定书")


class AmountChange(_Change):
    """按家庭今日的事实、今日的规定与标准重新测算；金额不由人填写。"""

    kind: Literal[
        ChangeKind.INCREASE,
        ChangeKind.REDUCE,
        ChangeKind.MEMBERS_CHANGED,
        ChangeKind.STANDARD_CHANGED,
    ]
    happened_on: Day | None = Field(default=None, description="变化发生之日")


class Fraud(Body):
    """骗取低保金（社会救助法第七十三条；2026年7月1日前为暂行办法第六十八条、条例第三十六条）。"""

    since: Day = Field(description="自哪一日起骗取；自当月起发放的全部应当退回")
    serious: StrictBool = Field(
        default=False,
        description="情节是否严重；2026年7月1日前情节严重的才处罚款（条例第三十六条）",
    )


class StopChange(_Change):
    """停发：不再符合条件，或者骗取。"""

    kind: Literal[ChangeKind.STOP]
    happened_on: Day | None = Field(default=None, description="变化发生之日")
    fraud: Fraud | None = None


class GraceChange(_Change):
    """渐退：就业后家庭人均收入超过标准的，在一定期间内按原金额发放，期满自行停发。"""

    kind: Literal[ChangeKind.GRACE]
    person: Person
    employed_on: Day = Field(description="就业之日")
    months: StrictInt | None = Field(
        default=None, ge=1, le=24, description="渐退月数，不填为规定的上限，超过的以上限为准"
    )


class DeathChange(_Change):
    """家庭成员死亡：次月起停发本人部分，其余成员重新测算。"""

    kind: Literal[ChangeKind.DEATH]
    person: Person
    died_on: Day


class MoveChange(_Change):
    """迁往另一镇街或村居：移交，金额不变。"""

    kind: Literal[ChangeKind.MOVE]
    division: DivisionCode
    moved_on: Day


class VoluntaryChange(_Change):
    """家庭书面申请退出；申请本身即其意见。"""

    kind: Literal[ChangeKind.VOLUNTARY]
    requested_on: Day
    document: Document


class RefusalsChange(_Change):
    """有就业能力的成员无正当理由连续三次拒绝介绍的工作：只减发、停发其本人部分。"""

    kind: Literal[ChangeKind.JOB_REFUSALS]
    person: Person


class NotCooperatingChange(_Change):
    """拒不配合核查（条例第二十九条）。"""

    kind: Literal[ChangeKind.NOT_COOPERATING]
    asked_on: Day = Field(description="最近一次要求配合之日")


class CorrectionChange(_Change):
    """更正登记有误的一段；金额按现有事实与该段决定之日的规定重新算出，原登记保留。"""

    kind: Literal[ChangeKind.CORRECTION]
    period: UUID = Field(description="有误的一段")
    valid_from: Day | None = Field(
        default=None, description="正确的起始日：不早于首个应发月，不晚于下月，不越过相邻的一段"
    )
    withdrawn: StrictBool = Field(default=False, description="撤销该段，由前一段延续")
    recompute: StrictBool = Field(default=False, description="重新测算该段的人口与金额")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.withdrawn == (self.valid_from is not None or self.recompute):
            raise ValueError("撤销、改起始日或重新测算，须择其一；撤销的不得再改")
        return self


AnyChange = (
    AmountChange
    | StopChange
    | GraceChange
    | DeathChange
    | MoveChange
    | VoluntaryChange
    | RefusalsChange
    | NotCooperatingChange
    | CorrectionChange
)
ChangeIn = Annotated[AnyChange, Discriminator("kind")]


class HearingIn(Body):
    """听取意见的记录（社会救助法第四十八条）。"""

    notified_on: Day = Field(description="告知之日")
    heard_on: Day = Field(description="听取意见之日；逾期未提出的，为期满之后的一日")
    method: HearingMethod = Field(
        description="in_person 当面，phone 电话，video 视频，writing 书面，"
        "waived 明确放弃，absent 已告知而逾期未提出"
    )
    person: UUID | None = Field(default=None, description="提出或者放弃意见的家庭成员")
    guardian: PersonName | None = Field(
        default=None,
        description="代为或者一同提出意见的监护人，未成年人必填；加密保存",
    )
    statement: Words = Field(description="意见原话或要点；未提出意见的写明送达告知的情况")

    @model_validator(mode="after")
    def _heard(self) -> Self:
        if self.heard_on < self.notified_on:
            raise ValueError("听取意见不得早于告知")
        if (self.method is HearingMethod.ABSENT) == (self.person is not None):
            raise ValueError("注明提出意见的家庭成员；逾期未提出意见的不填")
        if self.guardian is not None and self.person is None:
            raise ValueError("监护人须与其所代的家庭成员一并填写")
        return self


class DecisionIn(Body):
    """作出决定；金额与起止日期由系统按决定之日的事实、规定与标准算出。"""

    reason: Words | None = Field(default=None, description="采纳或不采纳意见的理由")


class DeliveryIn(Body):
    """决定书送达。"""

    how: DeliveryMethod = Field(
        description="in_person 直接，entrusted 委托，mail 邮寄，electronic 电子，left 留置，"
        "announced 公告"
    )
    on: Day
    received_by: PersonName = Field(description="签收人")


class WithdrawalIn(Body):
    """撤销提出的变动。"""

    reason: Words


class ReviewIn(Body):
    """定期核查，未见需要变动。"""

    reviewed_on: Day
    note: Words = Field(description="核查的方式与所见")


class JobOfferIn(Body):
    """向有就业能力而未就业的成员介绍工作及其结果（民发〔2021〕57号第三十四条）。"""

    person: Person
    offered_on: Day
    job: Words = Field(description="介绍的工作")
    accepted: StrictBool = Field(description="是否接受")
    excused: StrictBool = Field(default=False, description="拒绝是否有正当理由")
    note: Words | None = Field(default=None, description="拒绝的理由及认定")

    @model_validator(mode="after")
    def _excuse(self) -> Self:
        if self.excused and (self.accepted or self.note is None):
            raise ValueError("正当理由只对拒绝的工作认定，并须写明")
        return self


class ListQuery(Body):
    """查询条件。"""

    division: DivisionCode | None = None
    state: AwardState | None = Field(
        default=None, description="paid 在保，grace 渐退，stopped 停发"
    )
    as_of: Day | None = Field(default=None, description="哪一日的情况，默认今天")
    q: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="申请的受理编号，可只填开头"
    )
    review_due_by: Day | None = Field(
        default=None, description="应在该日或之前核查的，含成员死亡后的核查"
    )
    death_open: bool | None = Field(
        default=None, description="true 只列有成员死亡尚待核查、办理的，false 只列没有的"
    )
    cursor: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")


class ViewQuery(Body):
    """按哪一日、当时已登记的内容查看。"""

    as_of: Day | None = Field(default=None, description="哪一日的情况，默认今天")
    known_on: Day | None = Field(default=None, description="按该日终了时已登记的内容，默认现在")


class PublishedQuery(Body):
    """查询条件。"""

    division: DivisionCode
    cursor: str | None = Field(default=None, max_length=500)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")


class ExtraView(BaseModel):
    """一人的分类重点救助，发给本人，单列。"""

    person: UUID
    category: str
    amount: Decimal
    article: str


class PeriodView(BaseModel):
    """自某日起每月发放的内容。"""

    id: UUID
    from_: date = Field(serialization_alias="from")
    division: str | None
    division_name: str | None
    area: Area
    state: AwardState
    persons: int
    amount: Decimal = Field(description="家庭每月金额（元）")
    extras: Decimal = Field(description="分类重点救助每月合计（元）")
    covered: list[UUID] = Field(description="享受的人员")
    lines: list[ExtraView]
    case: UUID | None = Field(description="据以决定的办件")
    recorded_at: datetime
    superseded_at: datetime | None


class AwardItem(BaseModel):
    """一户低保待遇。"""

    id: UUID
    number: str = Field(description="申请的受理编号")
    label: str
    division: str | None
    division_name: str | None
    area: Area
    state: AwardState | None = Field(description="所查日期的状态；尚未起发的为空")
    persons: int
    amount: Decimal
    extras: Decimal
    paid_from: date = Field(description="起发日")
    review_class: str = Field(description="核查类别 A、B、C")
    review_due_on: date = Field(description="应核查日")
    death_open: bool = Field(description="有成员死亡尚待核查、办理")
    death_review_due_on: date | None = Field(
        description="待办的成员死亡应办结核查与手续的最后日期；当时没有规定期限的为空"
    )
    death_light: Light = Field(description="该期限今天的灯：green、amber、red；没有的为 none")


class MemberView(BaseModel):
    """家庭成员；姓名掩码，同名掩码者以出生日期区分。"""

    person: UUID
    name: str
    born: date
    covered: bool = Field(description="所查日期是否享受")


class ReviewView(BaseModel):
    """一次定期核查。"""

    id: UUID
    reviewed_on: date
    review_class: str
    next_due_on: date
    recorded_at: datetime
    warnings: list[str] = Field(default_factory=list, description="提示，不影响登记")


class JobOfferView(BaseModel):
    """一次介绍工作。"""

    id: UUID
    person: UUID
    offered_on: date
    accepted: bool
    excused: bool
    recorded_at: datetime


class DeathView(BaseModel):
    """一名成员的死亡：自家庭成员中登记之日起待办，由变动决定或者核查了结。"""

    person: UUID
    died_on: date
    due_on: date | None = Field(description="应办结的最后日期；当时没有规定期限的为空")
    light: Light
    settled_on: date | None = Field(description="了结之日")
    settled_by: UUID | None = Field(
        description="据以了结的变动或核查；死亡的登记被更正，或者待遇已停发、无须再随之调整的为空"
    )


class AwardView(AwardItem):
    """一户待遇的全部：各段、人员、核查与就业介绍。"""

    household: UUID
    case: UUID
    periods: list[PeriodView] = Field(description="全部登记，含已被更正或替代的")
    persons_known: list[MemberView]
    deaths: list[DeathView]
    reviews: list[ReviewView]
    job_offers: list[JobOfferView]
    etag: str


class HearingView(BaseModel):
    """听取意见的记录；意见原文加密保存，不在此列出。"""

    notified_on: date
    heard_on: date
    method: HearingMethod
    heard: str = Field(description="提出意见者，姓名掩码")
    guardian: str = Field(description="监护人，姓名掩码")
    recorded_at: datetime


class FraudView(BaseModel):
    """骗取的追回与罚款幅度。"""

    since: date
    recovery: Decimal = Field(description="应退回（元）")
    fine_least: Decimal | None = Field(description="不得处罚款的为空")
    fine_most: Decimal | None
    article: str


class CorrectedView(BaseModel):
    """更正了哪一段。"""

    was_from: date = Field(description="原登记的起始日")
    becomes_from: date | None = Field(description="更正后的起始日；撤销的为空")


class ChangeView(BaseModel):
    """一次变动。"""

    id: UUID
    award: UUID
    number: str
    kind: ChangeKind
    kind_title: str
    state: str
    state_title: str
    proposed_on: date
    decided_on: date | None
    effective_from: date = Field(description="自哪一日起生效；未决定的为拟议")
    effect: Effect = Field(
        description="raised 增发，lowered 减发，stopped 停发，grace 渐退，unchanged 金额不变"
    )
    before: Decimal | None = Field(description="变动前每月合计（元）")
    after: Decimal | None = Field(description="变动后每月合计（元）")
    interim: Decimal | None = Field(
        description="成员死亡的：自生效之日起至 settles_on 前每月合计（元）"
    )
    settles_on: date | None = Field(description="成员死亡的：自哪一日起按重新测算的金额发放")
    ends_on: date | None = Field(description="渐退期满停发之日")
    overpaid: Decimal | None = Field(description="已经多发、应当收回的（元）")
    fraud: FraudView | None
    correction: CorrectedView | None
    unreported: bool = Field(description="变化超过规定月数未主动告知，可以批评教育")
    hearing: HearingView | None
    hearing_needed: bool = Field(description="决定前须先听取意见")
    hearing_note: str = Field(description="无须或无从听取意见的缘由")
    documents: list[UUID]
    etag: str


class ChangeList(BaseModel):
    items: list[ChangeView]


class PublishedItem(BaseModel):
    """公布的一户（民发〔2021〕57号第二十四条）：仅此三项。"""

    applicant: str = Field(description="申请人姓名；未成年人只公布姓氏")
    members: int = Field(description="家庭成员数量")
    amount: Decimal = Field(description="保障金额（元/月）")
