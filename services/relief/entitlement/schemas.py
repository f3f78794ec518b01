from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from chassis.fields import BirthDay, Day, DivisionCode, PlainDecimal
from contracts.events.relief import Area
from services.relief.entitlement.alone import Path
from services.relief.entitlement.facts import (
    MOST_MEMBERS,
    ConsumptionKind,
    DisabilityKind,
    Education,
    IncomeKind,
    PropertyKind,
    Relation,
    WorkCapacity,
)
from services.relief.entitlement.rules import Family, Outcome
from services.relief.parameters.rules import Raw

MOST_FACTS = 200
LONGEST_SPAN = 60

Ref = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_-]{1,40}$", description="成员在本次测算中的代称，不填姓名或证件号"),
]
Yuan = Annotated[PlainDecimal, Field(ge=0, max_digits=11, decimal_places=2, description="元")]
SquareMetres = Annotated[
    PlainDecimal, Field(ge=0, max_digits=8, decimal_places=2, description="建筑面积，平方米")
]
Share = Annotated[
    PlainDecimal,
    Field(ge=0, le=100, max_digits=7, decimal_places=4, description="占低保标准总额，0.2 即 20%"),
]
Why = Annotated[str, Field(max_length=500, description="经办人说明的理由，不填个人信息")]
Judged = Annotated[
    StrictBool | None,
    Field(description="经办人的认定，须有理由：true 不影响，false 影响，空为未认定"),
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class DisabilityIn(_Asked):
    """残疾人证所载的类别和等级。"""

    kind: DisabilityKind
    grade: StrictInt = Field(ge=1, le=4, description="一级最重")


class IncomeIn(_Asked):
    """一项收入，或一项转移性支出（税款、社会保障、赡养等，填正数）。"""

    kind: IncomeKind
    amount: Yuan = Field(description="所填各月的合计，元")
    first_month: Day | None = Field(default=None, description="首月的任一日，默认申请前一月")
    months: StrictInt = Field(default=1, ge=1, le=LONGEST_SPAN)
    reason: Why = Field(default="", description="推定收入、豁免供养费用须有理由")
    disregarded: StrictBool = Field(
        default=False, description="兄弟姐妹或60周岁以上老年人给付的供养费用，视情豁免"
    )


class MemberIn(_Asked):
    """一名家庭成员。"""

    ref: Ref
    relation: Relation = Field(description="与申请人的关系")
    born: BirthDay
    education: Education = Field(default=Education.NONE, description="现在就读的阶段")
    full_time: StrictBool = Field(default=False, description="全日制")
    disability: DisabilityIn | None = None
    severe_illness: StrictBool = Field(default=False, description="患重特大疾病")
    work_capacity: WorkCapacity = WorkCapacity.FULL
    employed: StrictBool = False
    employed_since: Day | None = Field(default=None, description="现就业的起始日")
    bedridden: StrictBool = Field(default=False, description="长期卧床不起")
    independent: StrictBool = Field(default=True, description="成年且能独立生活")
    lives_together: StrictBool = Field(default=True, description="长期共同居住")
    legal_duty: StrictBool = Field(default=True, description="有法定赡养、扶养、抚养义务关系")
    clergy_since: Day | None = Field(default=None, description="作为宗教教职人员脱离家庭之日")
    in_religious_site: StrictBool = False
    in_prison: StrictBool = False
    in_compulsory_rehabilitation: StrictBool = False
    declared_missing: StrictBool = False
    unmarried_soldier: StrictBool = False
    special_hardship: StrictBool = Field(default=False, description="经认定的其他特殊困难")
    alone: StrictBool = Field(default=False, description="本人提出参照单人户单独申请")
    incomes: list[IncomeIn] = Field(default_factory=list, max_length=MOST_FACTS)


class PropertyIn(_Asked):
    """一项财产。"""

    kind: PropertyKind
    member: Ref | None = Field(default=None, description="所有人；家庭共有的为空")
    amount: Yuan | None = None
    area: SquareMetres | None = None
    essential: StrictBool = Field(default=False, description="维持家庭生产生活的必需财产")
    disability_vehicle: StrictBool = Field(
        default=False, description="残疾人功能性补偿代步机动车辆"
    )
    judged: Judged = None
    reason: Why = ""


class ConsumptionIn(_Asked):
    """一项消费情形。"""

    kind: ConsumptionKind
    on: Day | None = None
    amount: Yuan | None = None
    share: Share | None = None
    judged: Judged = None
    reason: Why = ""


class SupportIn(_Asked):
    """家庭以外一名义务人的收入；有计算办法的，据以计算赡养（抚养、扶养）费。"""

    member: Ref = Field(description="受供养的成员")
    supporter: Ref = Field(description="义务人在本次测算中的代称")
    income: Yuan = Field(description="义务人家庭月收入，元")
    persons: StrictInt = Field(ge=1, le=MOST_MEMBERS, description="义务人家庭人数")
    owed: StrictInt = Field(default=1, ge=1, le=MOST_MEMBERS, description="由其供养的人数")
    reason: Why = ""
    disregarded: StrictBool = Field(default=False, description="同收入的视情豁免")


class EdgeFindingIn(_Asked):
    """经办人对低保边缘家庭财产状况的认定。"""

    met: StrictBool = Field(description="符合低保边缘家庭的财产规定")
    reason: Why = Field(default="", description="认定须有理由")


class MissingIn(_Asked):
    """尚未返回的一项核对信息。"""

    member: Ref
    source: str = Field(pattern=r"^[a-z][a-z_]{0,39}$", description="来源代码，如 bank")


class CalculatorIn(_Asked):
    """拟测算的家庭。内容不保存。"""

    as_of: Day | None = Field(default=None, description="适用哪一天的规定和标准，默认今天")
    area: Area = Field(description="urban 城市，rural 农村")
    applied_on: Day | None = Field(default=None, description="申请之日，默认同上")
    division: DivisionCode | None = Field(default=None, description="默认为您所在的区县")
    members: list[MemberIn] = Field(min_length=1, max_length=MOST_MEMBERS)
    properties: list[PropertyIn] = Field(default_factory=list, max_length=MOST_FACTS)
    consumptions: list[ConsumptionIn] = Field(default_factory=list, max_length=MOST_FACTS)
    supports: list[SupportIn] = Field(default_factory=list, max_length=MOST_FACTS)
    edge_finding: EdgeFindingIn | None = None
    missing: list[MissingIn] = Field(default_factory=list, max_length=20 * MOST_MEMBERS)


class StandardOut(BaseModel):
    """所适用的低保标准。"""

    amount: Decimal
    document: str
    valid_from: date


class StandingOut(BaseModel):
    """成员是否计入及理由。"""

    ref: str
    counted: bool
    reason: str
    article: str


class LineOut(BaseModel):
    """按月折算的一项收入，支出为负数。"""

    member: str
    kind: IncomeKind
    amount: Decimal
    counted: bool
    deducted: Decimal
    article: str
    note: str


class SupportDueOut(BaseModel):
    """按计算办法应由一名义务人给付的费用；已实际给付的不重复计入。"""

    member: str
    supporter: str
    amount: Decimal = Field(description="按计算办法应给付的，元/月")
    added: Decimal = Field(description="除实际给付外计入家庭收入的，元/月")
    article: str
    valid_from: date
    note: str


class DeductionOut(BaseModel):
    """因残疾、患重病增加的刚性支出的扣减。"""

    member: str
    ground: str
    amount: Decimal
    article: str
    valid_from: date


class IncomeOut(BaseModel):
    """家庭月收入；金额只为显示取两位小数，计算不取整。"""

    total: Decimal
    per_capita: Decimal | None
    lines: list[LineOut]
    support: list[SupportDueOut]
    deductions: list[DeductionOut]


class ExtraOut(BaseModel):
    """分类重点救助，发给本人。"""

    member: str
    category: str
    amount: Decimal
    article: str


class AloneOut(BaseModel):
    """可以单独纳入的成员。"""

    member: str
    path: Path
    amount: Decimal
    extras: Decimal
    article: str
    asked: bool = Field(description="本人已提出单独申请")


class ConditionOut(BaseModel):
    """一项条件：所用的数字和来源、限额、依据，以及怎样可以改变结果。"""

    code: str
    title: str
    passed: bool | None = Field(description="空为尚不能认定")
    fact: str
    threshold: str
    source: str
    source_day: date | None
    article: str
    remedy: str
    member: str | None = Field(description="只涉及一名成员的条件，为其代称")


class CitedOut(BaseModel):
    """所适用的一项规定。"""

    key: str
    value: Raw
    source: str
    valid_from: date
    confirmed: bool = Field(description="假为数值或日期尚待民政部门确认")


class CalculatorOut(BaseModel):
    """测算结果，不是决定。"""

    as_of: date
    area: Area
    outcome: Outcome
    family: Family = Field(description="整个家庭的类别")
    standard: StandardOut
    persons: int
    members: list[StandingOut]
    income: IncomeOut
    base: Decimal | None = Field(description="家庭的低保金，元/月")
    extras: list[ExtraOut]
    total: Decimal | None = Field(description="低保金与重点救助合计；单独纳入的为其本人合计")
    alone: list[AloneOut]
    conditions: list[ConditionOut]
    payable_from: date | None
    law: list[CitedOut]
    notes: list[str]
