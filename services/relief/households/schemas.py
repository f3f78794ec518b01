import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StrictBool,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from chassis.fields import BirthDay, Day, DivisionCode, Document, PlainDecimal, text
from chassis.identity import DocumentKind, Sex, document_number
from chassis.telemetry import masked
from contracts.events.relief import Area, Programme
from services.relief.entitlement.facts import (
    MOST_MEMBERS,
    ConsumptionKind,
    DisabilityKind,
    Education,
    FactSource,
    IncomeKind,
    PropertyKind,
    Relation,
    WorkCapacity,
)
from services.relief.households.kinds import (
    ClaimState,
    FactKind,
    JoinReason,
    LeaveReason,
    RelativeOf,
)

MOST_ITEMS = 100
LONGEST_SPAN = 60
LEAST_PURPOSE = 4
_HAN = r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_BETWEEN_HAN = re.compile(rf"(?<={_HAN}) (?={_HAN})")


def _impersonal(value: str) -> str:
    if masked(value) != value:
        raise ValueError("查阅目的中不得含身份证号、电话等个人信息")
    return value


def _telling(value: str) -> str:
    if sum(letter.isalpha() for letter in value) < LEAST_PURPOSE:
        raise ValueError("查阅目的至少四个字")
    return value


def _names_nobody(document: str | None, *marks: str | None) -> None:
    """The title of a paper stands in clear and goes into audit and exchange records."""
    if document and any(mark and len(mark) > 1 and mark in document for mark in marks):
        raise ValueError("授权书、同意书只填名称与版本，不得含姓名、证件号码或电话")


def _closed_up(name: str) -> str:
    """No blanks within a Chinese name, which is masked by its length; one between other words."""
    return _BETWEEN_HAN.sub("", re.sub(r"\s+", " ", name))


Ref = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,40}$", description="本次提交中的代称")]
Amount = Annotated[PlainDecimal, Field(ge=-100_000_000, max_digits=12, decimal_places=2)]
Worth = Annotated[PlainDecimal, Field(ge=0, max_digits=14, decimal_places=2, description="元")]
FloorArea = Annotated[
    PlainDecimal, Field(ge=0, max_digits=9, decimal_places=2, description="平方米")
]
Share = Annotated[PlainDecimal, Field(ge=0, le=100, max_digits=7, decimal_places=4)]
Month = Annotated[
    Day, AfterValidator(lambda day: day.replace(day=1)), Field(description="月份，以其任一日表示")
]
Name = Annotated[
    str,
    text(50),
    AfterValidator(_closed_up),
    Field(repr=False, description="姓名", examples=["张三"]),
]
Number = Annotated[
    str,
    Field(min_length=1, max_length=40, description="证件号码；没有证件的不填"),
]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9][0-9 -]{4,19}$", description="联系电话")]
Why = Annotated[str, text(500), Field(description="理由或说明，加密保存")]
Address = Annotated[str, text(200), Field(repr=False, description="居住地址")]
Purpose = Annotated[
    str,
    text(100),
    AfterValidator(_impersonal),
    AfterValidator(_telling),
    Field(description="查阅目的，至少四个字，记入审计", examples=["入户调查前核对身份"]),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class DisabilityOf(Body):
    """残疾人证所载类别与等级。"""

    kind: DisabilityKind
    grade: int = Field(ge=1, le=4, strict=True)


class EducationFields(Body):
    education: Education = Field(default=Education.NONE, description="就学阶段")
    full_time: StrictBool = Field(default=False, description="全日制")


class DisabilityFields(Body):
    disability: DisabilityOf | None = None


class HealthFields(Body):
    severe_illness: StrictBool = Field(default=False, description="重特大疾病")
    bedridden: StrictBool = Field(default=False, description="长期卧床")


class WorkFields(Body):
    work_capacity: WorkCapacity = Field(default=WorkCapacity.FULL, description="劳动能力")
    employed: StrictBool = Field(default=False, description="就业")
    employed_since: Day | None = Field(
        default=None, description="现就业的起始日，必要就业成本自该月起扣减；不详的不填"
    )

    @model_validator(mode="after")
    def _since_only_at_work(self) -> Self:
        if self.employed_since is not None and not self.employed:
            raise ValueError("未就业的不填就业的起始日")
        return self


class LivingFields(Body):
    independent: StrictBool = Field(default=True, description="成年且能独立生活")
    lives_together: StrictBool = Field(default=True, description="共同生活")
    legal_duty: StrictBool = Field(default=True, description="有法定赡养、抚养、扶养义务关系")


class ClergyFields(Body):
    clergy_since: Day | None = Field(default=None, description="脱离家庭任宗教教职之日")
    in_religious_site: StrictBool = Field(default=False, description="在宗教活动场所居住")


class AbsenceFields(Body):
    in_prison: StrictBool = Field(default=False, description="服刑")
    in_compulsory_rehabilitation: StrictBool = Field(default=False, description="强制隔离戒毒")
    declared_missing: StrictBool = Field(default=False, description="宣告失踪")
    unmarried_soldier: StrictBool = Field(default=False, description="未婚现役军人")


class RequestFields(Body):
    special_hardship: StrictBool = Field(default=False, description="经认定的特殊困难")
    alone: StrictBool = Field(default=False, description="申请单独纳入")


class DomicileFields(Body):
    domicile: DivisionCode | None = Field(default=None, description="户籍地区划代码")


class ResidenceFields(Body):
    residence: DivisionCode | None = Field(default=None, description="经常居住地区划代码")


SITUATION: Mapping[FactKind, type[Body]] = {
    FactKind.EDUCATION: EducationFields,
    FactKind.DISABILITY: DisabilityFields,
    FactKind.HEALTH: HealthFields,
    FactKind.WORK: WorkFields,
    FactKind.LIVING: LivingFields,
    FactKind.CLERGY: ClergyFields,
    FactKind.ABSENCE: AbsenceFields,
    FactKind.REQUEST: RequestFields,
    FactKind.DOMICILE: DomicileFields,
    FactKind.RESIDENCE: ResidenceFields,
}
"""The fields of a member's situation that are one fact together."""


class IncomeFields(Body):
    kind: IncomeKind
    amount: Amount = Field(description="所属各月合计（元）")
    months: int = Field(default=1, ge=1, le=LONGEST_SPAN, strict=True, description="所属月数")
    disregarded: StrictBool = Field(default=False, description="经认定不计入的供养费")

    @model_validator(mode="after")
    def _negative_only_as_a_loss(self) -> Self:
        losses = (IncomeKind.FARMING, IncomeKind.BUSINESS)
        if self.amount < 0 and self.kind not in losses:
            raise ValueError("除经营亏损外，金额不得为负")
        return self


class SupportFields(Body):
    supporter: UUID = Field(description="义务人编号")
    income: Worth = Field(description="义务人家庭月收入（元）")
    persons: int = Field(ge=1, le=MOST_MEMBERS, strict=True, description="义务人家庭人数")
    owed: int = Field(
        default=1, ge=1, le=MOST_MEMBERS, strict=True, description="由其供养的人数（含该成员）"
    )
    disregarded: StrictBool = Field(default=False, description="经认定不计入的供养费")


class IncomeIn(IncomeFields):
    """成员的一项收入或转移支出。"""

    first_month: Month | None = Field(
        default=None, description="首月；不填的，所属各月止于申请前一月"
    )
    reason: Why | None = Field(default=None, repr=False)


class PropertyFields(Body):
    kind: PropertyKind
    amount: Worth | None = None
    area: FloorArea | None = None
    essential: StrictBool = Field(default=False, description="维持家庭生产生活的必需财产")
    disability_vehicle: StrictBool = Field(default=False, description="残疾人功能性补偿代步车")
    judged: StrictBool | None = Field(
        default=None, description="人工认定：true 不影响资格，false 影响；须说明理由"
    )


class PropertyIn(PropertyFields):
    """一项财产；不填成员即为家庭共有。"""

    member: Ref | None = None
    reason: Why | None = Field(default=None, repr=False)


class ConsumptionFields(Body):
    kind: ConsumptionKind
    on: Day | None = Field(default=None, description="发生之日")
    amount: Worth | None = None
    share: Share | None = Field(default=None, description="占收入的份额，0.2 即 20%")
    judged: StrictBool | None = Field(default=None, description="同财产")


class ConsumptionIn(ConsumptionFields):
    """一项消费情形。"""

    reason: Why | None = Field(default=None, repr=False)


class NearRelative(Body):
    """近亲属备案（民发〔2021〕57号第十一条）。"""

    of: RelativeOf = Field(description="staff 经办人员，village_committee 村（居）委会成员")
    relation: Annotated[str, text(30)] = Field(repr=False, description="何种亲属")
    organisation: Annotated[str, text(100)] = Field(repr=False, description="任职单位")


class Documented(Body):
    """姓名与证件。"""

    name: Name
    document_kind: DocumentKind | None = Field(
        default=DocumentKind.RESIDENT_ID,
        description="resident_id 居民身份证，residence_permit 港澳台居民居住证，"
        "permanent_residence 外国人永久居留身份证，passport 护照，"
        "travel_permit_hk_macao 港澳通行证，travel_permit_taiwan 台胞证，military_id 军人证件，"
        "birth_certificate 出生医学证明；没有证件的填 null",
    )
    document_number: Number | None = Field(default=None, repr=False)

    @field_validator("document_number")
    @classmethod
    def _of_its_kind(cls, number: str | None, info: ValidationInfo) -> str | None:
        kind = info.data.get("document_kind")
        return number if number is None or kind is None else document_number(kind, number)

    @model_validator(mode="after")
    def _kind_and_number(self) -> Self:
        if (self.document_kind is None) != (self.document_number is None):
            raise ValueError("须填证件号码；没有证件的，证件类型应填 null")
        return self


class AuthorisationIn(Body):
    """成员的真实性承诺与核对授权。"""

    truth_committed: StrictBool = Field(default=False, description="已签真实性承诺")
    check_authorised: StrictBool = Field(default=False, description="已签核对授权")
    authorisation: Document | None = Field(default=None, description="授权书的名称与版本")


class MemberIn(
    Documented,
    AuthorisationIn,
    EducationFields,
    DisabilityFields,
    HealthFields,
    WorkFields,
    LivingFields,
    ClergyFields,
    AbsenceFields,
    RequestFields,
    DomicileFields,
    ResidenceFields,
):
    """一名家庭成员及其申报的情况。"""

    ref: Ref = ""
    relation: Relation = Field(description="与申请人的关系，申请人本人为 self")
    born: BirthDay
    sex: Sex | None = Field(default=None, description="性别；有身份证号码的以号码为准")
    phone: Phone | None = Field(default=None, repr=False)
    joined_on: Day | None = Field(default=None, description="成为家庭成员之日，默认申报之日")
    join_reason: JoinReason = Field(
        default=JoinReason.DECLARED,
        description="declared 初次申报，birth 出生，marriage 结婚，adoption 收养，moved_in 迁入，"
        "returned 刑满、退役等返回",
    )
    near_relative: NearRelative | None = None
    incomes: list[IncomeIn] = Field(default_factory=list, max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _authorisation_names_nobody(self) -> Self:
        _names_nobody(self.authorisation, self.name, self.document_number, self.phone)
        return self


class SupporterIn(Documented):
    """家庭以外的法定赡养、抚养、扶养义务人。"""

    relation: Relation = Field(description="与申请人的关系")
    consented_on: Day | None = Field(default=None, description="同意核对之日")
    consent_document: Document | None = Field(default=None, description="同意书的名称与版本")

    @model_validator(mode="after")
    def _consent_in_writing(self) -> Self:
        if (self.consented_on is None) != (self.consent_document is None):
            raise ValueError("同意核对须同时填写日期与同意书")
        _names_nobody(self.consent_document, self.name, self.document_number)
        return self


class HouseholdIn(Body):
    """申请家庭的申报。"""

    address: Address
    declared_on: Day | None = Field(
        default=None, description="申报之日，默认今天；申请的申报之日即申请之日"
    )
    members: list[MemberIn] = Field(min_length=1, max_length=MOST_MEMBERS)
    properties: list[PropertyIn] = Field(default_factory=list, max_length=MOST_ITEMS)
    consumptions: list[ConsumptionIn] = Field(default_factory=list, max_length=MOST_ITEMS)
    supporters: list[SupporterIn] = Field(default_factory=list, max_length=MOST_ITEMS)

    @model_validator(mode="after")
    def _members_named(self) -> Self:
        refs = [member.ref for member in self.members]
        if len(set(refs)) < len(refs):
            raise ValueError("成员的代称 ref 不得重复")
        if [member.relation for member in self.members].count(Relation.SELF) != 1:
            raise ValueError("须有且只有一名申请人（self）")
        if any(one.member is not None and one.member not in refs for one in self.properties):
            raise ValueError("财产所属成员的代称不在成员之中")
        return self

    @model_validator(mode="after")
    def _papers_name_nobody(self) -> Self:
        marks = [one.name for one in (*self.members, *self.supporters)]
        for member in self.members:
            _names_nobody(member.authorisation, *marks)
        for supporter in self.supporters:
            _names_nobody(supporter.consent_document, *marks)
        return self


class LeaveIn(Body):
    """成员离开家庭。"""

    left_on: Day = Field(description="自该日起不再是家庭成员；死亡的为死亡之日")
    reason: LeaveReason = Field(
        description="death 死亡，moved_out 迁出、分户，marriage 结婚离家，divorce 离婚，"
        "adoption 被收养，prison 服刑，rehabilitation 强制隔离戒毒，missing 宣告失踪，"
        "clergy 出家，military 服役，supported_elsewhere 另行供养，error 登记有误"
    )


class Origin(Body):
    """一项事实的来源。"""

    source: FactSource = Field(
        default=FactSource.DECLARED,
        description="declared 申报，checked 核对，surveyed 调查，document 证明材料，"
        "judgement 人工认定",
    )
    source_day: Day | None = Field(default=None, description="来源数据的日期")


class Dated(Origin):
    """自某日起成立的一项事实。"""

    valid_from: Day = Field(description="自哪一天起")
    valid_to: Day | None = Field(default=None, description="到哪一天为止（含当日）")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError("截止日期不得早于起始日期")
        return self


class AddressFact(Dated):
    """居住地址，加密保存。"""

    fact: Literal["address"]
    address: Address


class FactOf(Origin):
    """一项事实的来源与说明。"""

    reason: Why | None = Field(default=None, repr=False)


class DatedFact(FactOf, Dated):
    """自某日起成立、可附说明的一项事实。"""


class SituationFact(DatedFact):
    """成员的一项情况：其各个字段须一并填写，以免未填的被当作没有。"""

    MAY_BE_UNKNOWN: ClassVar[frozenset[str]] = frozenset()
    member: UUID = Field(description="成员编号")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        own = set(type(self).model_fields) - set(SituationFact.model_fields)
        if not own - self.MAY_BE_UNKNOWN <= self.model_fields_set:
            raise ValueError("须完整填写该项情况的各个字段")
        return self


class PersonFact(SituationFact):
    """与申请人的关系、出生日期。"""

    fact: Literal["person"]
    relation: Relation
    born: BirthDay


class EducationFact(SituationFact, EducationFields):
    """就学。"""

    fact: Literal["education"]


class DisabilityFact(SituationFact, DisabilityFields):
    """残疾。"""

    fact: Literal["disability"]


class HealthFact(SituationFact, HealthFields):
    """重病、长期卧床。"""

    fact: Literal["health"]


class WorkFact(SituationFact, WorkFields):
    """劳动能力、就业。"""

    MAY_BE_UNKNOWN = frozenset({"employed_since"})
    fact: Literal["work"]


class LivingFact(SituationFact, LivingFields):
    """独立生活能力、共同生活、法定义务。"""

    fact: Literal["living"]


class ClergyFact(SituationFact, ClergyFields):
    """宗教教职。"""

    fact: Literal["clergy"]


class AbsenceFact(SituationFact, AbsenceFields):
    """服刑、强制隔离戒毒、失踪、服役。"""

    fact: Literal["absence"]


class RequestFact(SituationFact, RequestFields):
    """单独提出申请、特殊困难。"""

    fact: Literal["request"]


class DomicileFact(SituationFact, DomicileFields):
    """户籍地。"""

    fact: Literal["domicile"]


class ResidenceFact(SituationFact, ResidenceFields):
    """经常居住地。"""

    fact: Literal["residence"]


class IncomeFact(FactOf, IncomeFields):
    """一项收入或转移支出。"""

    fact: Literal["income"]
    member: UUID = Field(description="成员编号")
    first_month: Month = Field(description="首月")


class PropertyFact(DatedFact, PropertyFields):
    """一项财产；不填成员即为家庭共有。"""

    fact: Literal["property"]
    member: UUID | None = None


class ConsumptionFact(DatedFact, ConsumptionFields):
    """一项消费情形。"""

    fact: Literal["consumption"]


class SupportFact(DatedFact, SupportFields):
    """家庭以外一名义务人的收入；没有计算办法的，只作登记。"""

    fact: Literal["support"]
    member: UUID = Field(description="受供养的成员")


class EdgePropertyFact(DatedFact):
    """低保边缘家庭财产认定：没有登记财产限额的，由经办人认定并说明理由。"""

    fact: Literal["edge_property"]
    met: StrictBool = Field(description="符合低保边缘家庭的财产规定")

    @model_validator(mode="after")
    def _judged_with_a_reason(self) -> Self:
        if self.source is not FactSource.JUDGEMENT or self.reason is None:
            raise ValueError("须由经办人认定（judgement）并说明理由")
        return self


class MembershipFact(SituationFact):
    """成员的进入或离开；只用于更正。"""

    fact: Literal["membership"]
    state: Literal["in", "out"]
    join_reason: JoinReason | None = None
    leave_reason: LeaveReason | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        given = (self.join_reason is not None, self.leave_reason is not None)
        if given != (self.state == "in", self.state == "out"):
            raise ValueError("进入须填 join_reason，离开须填 leave_reason")
        return self


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
                    loc=one["loc"][1:] if one["loc"] else ("fact",),
                    input=None,
                    ctx=one.get("ctx", {}),
                )
                for one in error.errors(include_url=False)
            ],
            hide_input=True,
        ) from None


_Situation = (
    PersonFact
    | EducationFact
    | DisabilityFact
    | HealthFact
    | WorkFact
    | LivingFact
    | ClergyFact
    | AbsenceFact
    | RequestFact
    | DomicileFact
    | ResidenceFact
)
_Items = AddressFact | IncomeFact | PropertyFact | ConsumptionFact | SupportFact | EdgePropertyFact
FactIn = Annotated[
    _Situation | _Items, Discriminator("fact"), WrapValidator(_as_it_stands_in_the_body)
]
Replacement = Annotated[
    _Situation | _Items | MembershipFact,
    Discriminator("fact"),
    WrapValidator(_as_it_stands_in_the_body),
]
AnyFact = _Situation | _Items | MembershipFact


class FactCorrection(Body):
    """更正一项事实：以 replacement 取代；不给 replacement 即撤销。原记载保留备查。"""

    reason: Annotated[str, text(500)] = Field(repr=False, description="更正的理由，加密保存")
    replacement: Replacement | None = None


class ConsentIn(Body):
    """义务人同意核对（社会救助法第四十一条）。"""

    consented_on: Day
    consent_document: Document


class RevealIn(Body):
    """查阅未遮蔽的个人信息。"""

    purpose: Purpose


class PersonCheck(Body):
    """新增人员校验。"""

    document_kind: DocumentKind
    document_number: Number = Field(repr=False)

    @field_validator("document_number")
    @classmethod
    def _of_its_kind(cls, number: str, info: ValidationInfo) -> str:
        kind = info.data.get("document_kind")
        return number if kind is None else document_number(kind, number)


class MemberView(BaseModel):
    """家庭成员在所查日期的情况，姓名与证件已遮蔽。"""

    id: UUID
    name: str = Field(description="遮蔽后的姓名")
    document_kind: DocumentKind | None
    number: str | None = Field(description="遮蔽后的证件号码")
    phone_known: bool
    relation: Relation
    born: date
    sex: Sex | None
    present: bool = Field(description="所查日期是否为家庭成员")
    joined_on: date
    left_on: date | None = Field(description="自该日起不再是家庭成员")
    left_reason: LeaveReason | None
    truth_committed_on: date | None
    check_authorised_on: date | None
    near_relative_of: RelativeOf | None
    situation: dict[str, JsonValue] = Field(description="所查日期的就学、残疾、劳动能力等情况")
    warnings: list[str] = Field(description="提示，不影响办理")


class FactView(BaseModel):
    """一项事实，原样保留。"""

    id: UUID
    fact: FactKind
    title: str
    member: UUID | None
    value: dict[str, Any]
    valid_from: date
    valid_to: date | None
    in_force: bool = Field(description="所查日期成立的一项")
    source: FactSource
    source_day: date | None
    has_reason: bool = Field(description="有理由或说明，须查阅")
    known_at: datetime
    recorded_by: str
    superseded_at: datetime | None
    superseded_by: UUID | None


class SupporterView(BaseModel):
    """家庭以外的义务人，姓名与证件已遮蔽。"""

    id: UUID
    name: str
    document_kind: DocumentKind | None
    number: str | None
    relation: Relation
    consented_on: date | None
    consent_document: str
    checkable: bool = Field(description="所查日期可否核对（社会救助法第四十一条）")


class HouseholdView(BaseModel):
    """家庭在所查日期的情况，按所查时点已知的内容。"""

    id: UUID
    as_of: date
    known_on: date | None
    division: str | None
    division_name: str | None
    declared_on: date
    area: Area | None = Field(description="城乡类别，受理时确定")
    area_fixed_on: date | None
    members: list[MemberView]
    facts: list[FactView]
    supporters: list[SupporterView]


class RevealedMember(BaseModel):
    """未遮蔽的个人信息；本次查阅已记入审计。"""

    name: str
    document_kind: DocumentKind | None
    number: str | None
    phone: str | None
    near_relative: NearRelative | None


class RevealedHousehold(BaseModel):
    """未遮蔽的家庭信息；本次查阅已记入审计。"""

    address: str | None
    area_reason: str | None = Field(description="确定城乡类别的理由")


class RevealedFact(BaseModel):
    """一项事实的理由或说明；本次查阅已记入审计。"""

    reason: str | None
    superseded_reason: str | None = Field(description="更正的理由")


class ClaimView(BaseModel):
    """某人在一处申请或在保；他处的只说明有与状态。"""

    programme: Programme
    state: ClaimState = Field(description="open 申请办理中，awarded 在保")
    file: UUID | None = Field(description="在您管辖范围内的才显示")
    division: str | None
    division_name: str | None


class PersonCheckView(BaseModel):
    """该人员是否已申请或在保。"""

    claimed: bool
    claims: list[ClaimView]
