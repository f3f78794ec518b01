"""What is known of a household that asks for 低保: facts, not judgements of the law.

民发〔2021〕57号 arts. 7, 13, 14, 17 and 重庆市…条例 (2016) arts. 11–13 name them. Every field that
is left out has the value of the ordinary case, so that a fact is stated when it is known.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from contracts.events.relief import Area

MOST_MEMBERS = 50


class Relation(StrEnum):
    """What the member is to the applicant."""

    SELF = "self"  # 申请人
    SPOUSE = "spouse"  # 配偶
    CHILD = "child"  # 子女
    PARENT = "parent"  # 父母
    GRANDCHILD = "grandchild"  # 孙子女、外孙子女
    GRANDPARENT = "grandparent"  # 祖父母、外祖父母
    SIBLING = "sibling"  # 兄弟姐妹
    OTHER = "other"  # 其他


class Education(StrEnum):
    """The school that the member attends now, not the degree that was reached."""

    NONE = "none"  # 不在学
    PRESCHOOL = "preschool"  # 学前教育
    COMPULSORY = "compulsory"  # 义务教育
    SENIOR = "senior"  # 普通高中
    VOCATIONAL = "vocational"  # 中等职业教育
    BACHELOR = "bachelor"  # 专科、本科
    POSTGRADUATE = "postgraduate"  # 研究生


class DisabilityKind(StrEnum):
    VISION = "vision"  # 视力
    HEARING = "hearing"  # 听力
    SPEECH = "speech"  # 言语
    PHYSICAL = "physical"  # 肢体
    INTELLECTUAL = "intellectual"  # 智力
    MENTAL = "mental"  # 精神
    MULTIPLE = "multiple"  # 多重


class WorkCapacity(StrEnum):
    FULL = "full"  # 有劳动能力
    PARTIAL = "partial"  # 部分丧失
    NONE = "none"  # 丧失


class IncomeKind(StrEnum):
    """Kinds of 57号 art. 13; which of the last ones are not counted is a matter of the date."""

    WAGE = "wage"  # 工资性收入
    FARMING = "farming"  # 农林牧渔业经营净收入
    BUSINESS = "business"  # 其他经营净收入
    PROPERTY = "property"  # 财产净收入
    SUPPORT_RECEIVED = "support_received"  # 赡养、扶养、抚养费
    PENSION = "pension"  # 离退休金、养老金
    UNEMPLOYMENT = "unemployment"  # 失业保险金
    COMPENSATION = "compensation"  # 赔偿收入
    DONATION = "donation"  # 接受捐赠、赠送
    OTHER_TRANSFER = "other_transfer"  # 其他转移性收入
    TAX_PAID = "tax_paid"  # 缴纳的税款
    INSURANCE_PAID = "insurance_paid"  # 社会保障支出
    SUPPORT_PAID = "support_paid"  # 赡养支出
    OTHER_PAID = "other_paid"  # 其他经常性转移支出
    IMPUTED = "imputed"  # 核算(推定)收入
    OTHER = "other"  # 其他应当计入的收入
    VETERANS_ALLOWANCE = "veterans_allowance"  # 优待抚恤金
    FAMILY_PLANNING_AWARD = "family_planning_award"  # 计划生育奖励与扶助金
    SCHOLARSHIP = "scholarship"  # 奖学金
    BRAVERY_AWARD = "bravery_award"  # 见义勇为奖励
    GOVERNMENT_RELIEF = "government_relief"  # 政府发放的社会救助款物
    BASIC_PENSION = "basic_pension"  # 城乡居民基本养老保险基础养老金(中央)
    DISABILITY_SUBSIDY = "disability_subsidy"  # 残疾人两项补贴
    UNATTENDED_CHILD_ALLOWANCE = "unattended_child_allowance"  # 事实无人抚养儿童补贴
    OTHER_EXEMPT = "other_exempt"  # 市级以上政府规定不计入的其他收入


class PropertyKind(StrEnum):
    DEPOSIT = "deposit"  # 存款、互联网金融资产
    SECURITIES = "securities"  # 有价证券、基金
    INSURANCE_SAVINGS = "insurance_savings"  # 商业保险(储蓄性)
    DWELLING = "dwelling"  # 住房
    PREMISES = "premises"  # 商业门面、店铺
    VEHICLE = "vehicle"  # 机动车辆
    SHIP = "ship"  # 船舶
    MACHINERY = "machinery"  # 工程机械、大型农机具
    COMPANY = "company"  # 市场主体登记
    OTHER = "other"  # 债权、林木等其他财产


class ConsumptionKind(StrEnum):
    HOUSE = "house"  # 新建、购买住房
    REFIT = "refit"  # 豪华装修
    STUDY_ABROAD = "study_abroad"  # 自费出国留学
    EMPLOYING = "employing"  # 雇用他人
    LUXURY = "luxury"  # 非生活必需品消费
    UTILITIES = "utilities"  # 水、电、燃气、通讯费用
    VEHICLE_USE = "vehicle_use"  # 经常使用机动车辆
    PRIVATE_SCHOOL = "private_school"  # 高收费学校就读


class FactSource(StrEnum):
    """Where a figure comes from."""

    DECLARED = "declared"  # 申报
    CHECKED = "checked"  # 核对
    SURVEYED = "surveyed"  # 调查
    DOCUMENT = "document"  # 证明材料
    JUDGEMENT = "judgement"  # 认定


@dataclass(frozen=True, slots=True)
class Disability:
    """What the disability certificate (残疾人证) says; grade 1 is the most severe of 4."""

    kind: DisabilityKind
    grade: int


@dataclass(frozen=True, slots=True)
class Income:
    """What a member received, or paid as a transfer, in `months` months from `first_month` on.

    `amount` is the total of the span in yuan and never negative, but for a loss of farming or
    business; what kind it is says whether it was paid. An imputed income needs a `reason` given by
    a person (83号 1(1)). `disregarded`, with a reason, marks support by siblings or by persons of
    60 and over that is left out for an unemployed severely disabled adult (83号 1(1)).
    """

    member: str
    kind: IncomeKind
    amount: Decimal
    first_month: date
    months: int = 1
    source: FactSource = FactSource.DECLARED
    source_day: date | None = None
    reason: str = ""
    disregarded: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """Something owned, by one member or (None) by the family together; area in m².

    `judged` is the finding of a person of the office on this fact, which holds only from the source
    `JUDGEMENT` and with its reason: True, it does not stand against the household; False, it does.
    `essential` is a claim until somebody of the office has looked into it.
    """

    kind: PropertyKind
    member: str | None = None
    amount: Decimal | None = None
    area: Decimal | None = None
    essential: bool = False
    disability_vehicle: bool = False
    source: FactSource = FactSource.DECLARED
    source_day: date | None = None
    judged: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Consumption:
    """A way of living that speaks against need; `judged` as in `Property`.

    `share`: monthly utilities as a part of standard × persons, 0.2 is 20 %; else their `amount`.
    """

    kind: ConsumptionKind
    on: date | None = None
    amount: Decimal | None = None
    share: Decimal | None = None
    source: FactSource = FactSource.DECLARED
    source_day: date | None = None
    judged: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the household.

    `employed_since`: when the present employment began, None where that is not known.
    `clergy_since`: since when the person lives apart from the family as clergy. `independent`: an
    adult who can live independently. `special_hardship`: found by a person (57号 8(4), 法 21;
    条例 11: 家庭生活确有困难).
    """

    ref: str
    relation: Relation
    born: date
    education: Education = Education.NONE
    full_time: bool = False
    disability: Disability | None = None
    severe_illness: bool = False
    work_capacity: WorkCapacity = WorkCapacity.FULL
    employed: bool = False
    employed_since: date | None = None
    bedridden: bool = False
    independent: bool = True
    lives_together: bool = True
    legal_duty: bool = True
    clergy_since: date | None = None
    lives_in_religious_site: bool = False
    in_prison: bool = False
    in_compulsory_rehabilitation: bool = False
    declared_missing: bool = False
    soldier_unmarried: bool = False
    special_hardship: bool = False


@dataclass(frozen=True, slots=True)
class Support:
    """What a person outside (义务人) has, of whom a member may ask support (赡养、抚养、扶养费).

    `income` is that of the supporter's own household by the month, of so many `persons`; `owed` to
    how many people, the member among them, the supporter owes support. `disregarded` as in
    `Income`.
    """

    member: str
    supporter: str
    income: Decimal
    persons: int
    owed: int = 1
    source: FactSource = FactSource.DECLARED
    source_day: date | None = None
    reason: str = ""
    disregarded: bool = False


@dataclass(frozen=True, slots=True)
class EdgeFinding:
    """What a person of the office has found of the family's property, where no figure says it.

    Whether it is as ruled for edge families (57号 art. 8: 财产状况符合相关规定); it holds from the
    source `JUDGEMENT` and with its reason alone.
    """

    met: bool
    source: FactSource = FactSource.DECLARED
    source_day: date | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """A source without whose answer about a member somebody went on, for a reason.

    `reference` is under what the reason is kept; `answered_late` whether an answer came afterwards,
    which nothing here knows of.
    """

    member: str
    source: str
    reference: str
    answered_late: bool = False


@dataclass(frozen=True, slots=True)
class Household:
    """All that is known of one household on one day.

    Income is looked for in the months before that of `applied_on`. `alone`: refs of members who ask
    to be taken in by themselves. `missing_sources`: (member ref, source) that has not answered and
    whose silence nobody has accepted; `accepted_silences`: those whose silence somebody has.
    """

    members: tuple[Member, ...]
    area: Area
    applied_on: date
    incomes: tuple[Income, ...] = ()
    properties: tuple[Property, ...] = ()
    consumptions: tuple[Consumption, ...] = ()
    supports: tuple[Support, ...] = ()
    edge_finding: EdgeFinding | None = None
    alone: frozenset[str] = frozenset()
    missing_sources: tuple[tuple[str, str], ...] = ()
    accepted_silences: tuple[Silence, ...] = ()
