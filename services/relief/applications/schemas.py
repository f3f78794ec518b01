from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from casework.models import DeliveryMethod, ObjectionMethod
from casework.schemas import CaseView, DocumentItem
from chassis.fields import Day, DivisionCode, text
from contracts.events.relief import Area
from services.relief.applications.rules import (
    HouseholdSignature,
    Outcome,
    Prolongation,
    SurveyMethod,
    TerminationGround,
)
from services.relief.checks.schemas import CheckReport
from services.relief.households.kinds import RelativeOf
from services.relief.households.schemas import AuthorisationIn, HouseholdIn, HouseholdView

MOST_SURVEYORS = 6
MOST_ITEMS = 50

Words = Annotated[str, text(500)]
Findings = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\p{C}]+$"),
]
Subject = Annotated[
    str, Field(pattern=r"^[\x21-\x7e]{1,200}$", description="工作人员的登录标识（令牌的 sub）")
]
MaterialCode = Annotated[str, Field(pattern=r"^[a-z_]{1,40}$", description="材料代码")]
Why = Annotated[Words, Field(description="理由")]
PersonName = Annotated[str, text(50)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Channel(StrEnum):
    """How an application reached the town."""

    WINDOW = "window"  # 镇街窗口
    ONLINE = "online"  # 网上
    MOBILE = "mobile"  # 移动端
    COMMITTEE = "committee"  # 村（居）民委员会代为提出


class ApplicationIn(Body):
    """一户的低保申请：家庭、成员、收入、财产一次提交；各成员的承诺与核对授权一并注明。"""

    division: DivisionCode = Field(description="申请所在的村（社区）")
    channel: Channel = Field(
        default=Channel.WINDOW,
        description="window 镇街窗口，online 网上，mobile 移动端，committee 村（居）委会代为提出",
    )
    submit: StrictBool = Field(default=True, description="false 时只存为草稿")
    entrusted: StrictBool = Field(default=False, description="是否委托他人代为申请")
    materials: list[MaterialCode] = Field(default_factory=list, max_length=MOST_ITEMS)
    household: HouseholdIn


class Undertaking(AuthorisationIn):
    """一名成员补签的承诺与授权；未成年人由监护人代签。"""

    member: UUID = Field(description="家庭成员编号")

    @property
    def signed(self) -> AuthorisationIn:
        """What the household's records take of it."""
        return AuthorisationIn(
            truth_committed=self.truth_committed,
            check_authorised=self.check_authorised,
            authorisation=self.authorisation,
        )


class CorrectionList(Body):
    """一次性告知：系统已列出的缺项之外，另需补正的材料。"""

    materials: list[MaterialCode] = Field(
        default_factory=list,
        max_length=MOST_ITEMS,
        description="另需提供的材料代码；可由信息共享取得的不得要求",
    )


class CorrectionDone(Body):
    """补正收讫。"""

    materials: list[MaterialCode] = Field(default_factory=list, max_length=MOST_ITEMS)
    undertakings: list[Undertaking] = Field(default_factory=list, max_length=MOST_ITEMS)


class Acceptance(Body):
    """受理：城乡属性由此确定，并注明理由。"""

    area: Literal[Area.URBAN, Area.RURAL] = Field(description="urban 城市，rural 农村")
    area_reason: Words = Field(description="城乡属性的确定理由")


class NearRelative(Body):
    member: UUID = Field(description="家庭成员编号")
    of: RelativeOf = Field(description="staff 低保经办人员，village_committee 村（居）委会成员")
    relation: PersonName = Field(description="亲属关系，如“兄弟”")
    organisation: Annotated[str, text(100)] = Field(description="所在单位")


class NearRelatives(Body):
    """近亲属备案。"""

    relatives: list[NearRelative] = Field(min_length=1, max_length=MOST_ITEMS)


class NewApplicant(Body):
    """原申请人已不是家庭成员的，由另一成员作为申请人。"""

    member: UUID = Field(description="家庭成员编号；有成年成员的须为成年人")


class Complaint(Body):
    """投诉举报：只记内容，不记举报人。"""

    received_on: Day
    content: Findings


class Contest(Body):
    """申请人对核对结果有异议并提供佐证。"""

    reason: Findings = Field(description="异议及佐证材料的说明")


class Survey(Body):
    """入户调查记录；由调查人员之一登记，其余各以本人登录签字。"""

    visited_on: Day
    methods: list[SurveyMethod] = Field(
        min_length=1,
        max_length=len(SurveyMethod),
        description="household_visit 入户，neighbours 邻里访问，letter 信函索证，other 其他，"
        "phone 电话、video 视频（限重大突发事件）",
    )
    emergency: StrictBool = Field(default=False, description="是否因重大突发事件采取非接触方式")
    surveyors: list[Subject] = Field(min_length=1, max_length=MOST_SURVEYORS)
    household_signature: HouseholdSignature = Field(
        description="signed 在场成员已签字，refused 拒签，without_contact 非接触"
    )
    signed_by: UUID | None = Field(default=None, description="签字的家庭成员编号")
    refusal: Words | None = Field(default=None, description="拒签的情况")
    findings: Findings = Field(description="调查所见")

    @model_validator(mode="after")
    def _signature(self) -> Self:
        if (self.household_signature is HouseholdSignature.SIGNED) != (self.signed_by is not None):
            raise ValueError("已签字的注明签字的家庭成员，未签字的不填")
        if (self.household_signature is HouseholdSignature.REFUSED) != (self.refusal is not None):
            raise ValueError("拒签的注明情况，未拒签的不填")
        return self


class Opinion(Body):
    """初审意见；须与当日按规定测算的结果一致。"""

    outcome: Outcome = Field(description="grant 符合条件，refuse 不符合条件")
    statement: Findings = Field(description="意见")


class Publicity(Body):
    """公示初审意见。"""

    telephone: Annotated[str, Field(pattern=r"^[0-9-]{5,20}$")] = Field(
        description="受理异议的电话"
    )


class Objection(Body):
    """对公示提出的异议。"""

    objector: PersonName = Field(description="提出异议的人")
    content: Findings
    handled_by: ObjectionMethod = Field(description="resurvey 重新调查，appraisal 民主评议")


class Appraisal(Body):
    """民主评议记录。"""

    held_on: Day = Field(description="评议日期，应在登记异议之日以后")
    participants: Annotated[int, Field(ge=1, le=500, strict=True)] = Field(
        description="参加评议的人数，不少于 3 人"
    )
    outcome: Findings = Field(description="评议结论")


class Convening(Body):
    """组织群众评议（2021年7月1日前的程序）。"""

    held_on: Day = Field(description="拟定的评议日期，不早于今天")


class CommunityAppraisal(Appraisal):
    """群众评议记录；争议较大的，应当重新调查核实。"""

    held_on: Day = Field(description="评议日期，应在组织评议之日至今天之间")
    disputed: StrictBool = Field(description="评议是否争议较大")


class Finding(Body):
    """异议处理的结果与重新提出的初审意见；由提出被异议意见以外的人办理。"""

    handled_by: ObjectionMethod = Field(description="resurvey 重新调查，appraisal 民主评议")
    finding: Findings
    upheld: StrictBool = Field(description="异议是否成立")
    opinion: Opinion | None = Field(
        default=None, description="重新提出的初审意见；尚有其他异议未处理时不填"
    )
    appraisal: Appraisal | None = Field(default=None, description="民主评议记录；民主评议的必填")

    @model_validator(mode="after")
    def _appraised(self) -> Self:
        if self.appraisal is not None and self.handled_by is not ObjectionMethod.APPRAISAL:
            raise ValueError("重新调查的不填评议记录")
        return self


class Reasoned(Body):
    reason: Why


class ProlongationAsked(Body):
    """延长办理期限。"""

    ground: Prolongation = Field(
        description="objection 公示有异议，separate_residence 人户分离，"
        "applied_elsewhere 异地申办，hard_survey 调查难度较大"
    )
    reason: Why


class Decision(Body):
    """审核确认；结论须与当日按当日法律测算的结果一致。"""

    outcome: Outcome = Field(description="grant 确认同意，refuse 不予确认")
    confirmed: StrictBool = Field(description="决定人已核对测算依据；不得由系统自动作出")

    @model_validator(mode="after")
    def _by_a_person(self) -> Self:
        if not self.confirmed:
            raise ValueError("须由决定人核对后确认")
        return self


class Delivery(Body):
    """送达。"""

    how: DeliveryMethod = Field(
        description="in_person 直接，entrusted 委托，mail 邮寄，electronic 电子，left 留置，"
        "announced 公告"
    )
    on: Day = Field(description="送达日期")
    received_by: PersonName | None = Field(default=None, description="签收人")


class Withdrawal(Body):
    """申请人撤回申请。"""

    reason: Words | None = Field(default=None, description="撤回的原因，可不填")


class Termination(Body):
    """终止审核确认。"""

    ground: TerminationGround = Field(
        description="uncooperative 无正当理由拒不配合，deceased 单独申请人死亡，moved_away 迁出本区"
    )
    reason: Why


class Move(Body):
    """移交本区其他镇街的村（社区）。"""

    division: DivisionCode = Field(description="接收的村（社区）")
    reason: Why


class MissingItem(BaseModel):
    """补正清单中的一项。"""

    code: str
    title: str
    why: str = Field(description="依据")
    member: UUID | None = Field(description="涉及的家庭成员")


class SignatureView(BaseModel):
    surveyor: str
    signed_at: datetime | None = Field(description="尚未签字的为空")


class SurveyView(BaseModel):
    """一次入户调查。"""

    id: UUID
    by_bureau: bool = Field(description="是否由区县民政部门进行")
    resurvey: bool = Field(description="是否为异议后的重新调查")
    visited_on: date
    methods: list[SurveyMethod]
    emergency: bool
    household_signature: HouseholdSignature
    signed_by: UUID | None
    refusal: str | None
    findings: str
    withdrawn_on: date | None = Field(description="签齐之前由登记人撤回的日期")
    signatures: list[SignatureView]


class OpinionView(BaseModel):
    """一次初审意见及其当日的测算。"""

    position: int
    outcome: Outcome
    statement: str
    after_objection: bool
    handled_by: ObjectionMethod | None
    given_on: date
    given_by: str
    assessment: dict[str, Any] = Field(description="当日按规定测算的结果")


class PublicityView(BaseModel):
    id: UUID
    kind: str
    posted_on: date
    last_day: date
    closed_on: date | None
    outcome: str | None
    fields: dict[str, Any] = Field(description="公示的内容")


class AppraisalView(BaseModel):
    held_on: date
    participants: int
    outcome: str


class CommunityAppraisalView(AppraisalView):
    """初审前的群众评议。"""

    disputed: bool = Field(description="评议是否争议较大")


class ObjectionView(BaseModel):
    id: UUID
    publicity: UUID
    received_on: date
    objector: str
    content: str
    handled_by: ObjectionMethod | None
    finding: str | None
    upheld: bool | None
    answered_on: date | None
    appraisal: AppraisalView | None = Field(description="民主评议记录")


class NearRelativeView(BaseModel):
    member: UUID
    of: RelativeOf
    filed_on: date
    filed_by: str
    relation: str


class ComplaintView(BaseModel):
    id: UUID
    received_on: date
    content: str


class DecisionView(BaseModel):
    """审核确认决定。"""

    outcome: Outcome
    level: str = Field(description="county 区县民政部门，town 镇街")
    authority: dict[str, Any] = Field(description="作出决定的权限依据")
    decided_on: date
    decided_by: str
    award: UUID | None = Field(description="由此产生的待遇")
    assessment: dict[str, Any] = Field(description="决定当日的测算")


class ElsewhereView(BaseModel):
    """同一人在别处的申请或待遇；不在您管辖范围内的只显示存在。"""

    member: UUID = Field(description="本户的哪一名成员")
    person: UUID
    state: str = Field(description="open 申请办理中，awarded 在保")
    file: UUID | None = Field(description="办件或待遇的编号；在您管辖范围内的才显示")
    possible: bool = Field(
        description="没有证件号码可比，仅姓名与出生日期相同，是否同一人须核实；不影响办理"
    )


class AssessmentNow(BaseModel):
    """今日按规定测算的结果；不保存。"""

    as_of: date
    outcome: Outcome | None = Field(description="应当作出的结论；尚不能认定的为空")
    level: str = Field(description="今日由谁审核确认：county 区县民政部门，town 镇街")
    flagged: str = Field(description="下放的权限不成立的原因，没有时为空")
    assessment: dict[str, Any] = Field(description="测算结果，与低保测算器的答复相同")


class ApplicationFile(BaseModel):
    """一件低保申请的全部材料；查看留痕。"""

    case: CaseView
    applied_on: date
    entrusted: bool
    materials: list[str]
    place_basis: str = Field(description="受理的属地依据；受理前为空")
    applicant: UUID = Field(description="申请人（家庭成员编号）")
    applicant_left: bool = Field(description="申请人已不是家庭成员，须先变更申请人")
    missing_items: list[MissingItem] = Field(description="受理前尚缺的事项")
    household: HouseholdView
    conflicts: list[ElsewhereView] = Field(description="成员在别处的申请或待遇")
    near_relatives: list[NearRelativeView]
    complaints: list[ComplaintView]
    check: CheckReport | None = Field(description="最近一次信息核对")
    surveys: list[SurveyView]
    appraisal_required: bool = Field(description="按今日的规定，初审前是否须组织群众评议")
    appraisals: list[CommunityAppraisalView] = Field(description="初审前的群众评议")
    opinions: list[OpinionView]
    publicities: list[PublicityView]
    objections: list[ObjectionView]
    decision: DecisionView | None
    documents: list[DocumentItem]
