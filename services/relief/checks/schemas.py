from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.fields import text
from services.relief.checks.rules import Difference, Result, Role, State, Status


class Acceptance(BaseModel):
    """接受某来源缺失，并说明理由。"""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Annotated[str, text(500)] = Field(repr=False, description="理由，加密保存")


class ItemView(BaseModel):
    """来源查得的一项。"""

    kind: str = Field(description="种类代码，如 deposit 存款、wage 工资")
    amount: Decimal | None = Field(description="元；收入为所属各月合计")
    area: Decimal | None = Field(description="平方米")
    months: int = Field(description="收入所属月数")
    on: date | None = Field(description="收入的首月，或所载之日")


class LineView(BaseModel):
    """一名成员在一个来源的核对情况。"""

    request: UUID = Field(description="查询编号")
    member: UUID
    name: str = Field(description="遮蔽后的姓名")
    role: Role = Field(description="member 家庭成员，supporter 家庭以外的义务人")
    source: str
    source_title: str
    status: Status = Field(
        description="asked 查询中，none 查无，returned 查得，failed 查询失败，timeout 逾时未答复；"
        "已出具的报告保持出具时的状态"
    )
    note: str = Field(description="没有答复的原因，如“未接入”")
    attempts: int = Field(description="已查询次数")
    data_day: date | None = Field(description="来源数据的日期")
    answered_at: datetime | None
    items: list[ItemView]
    accepted: bool = Field(description="缺失已由经办人说明理由并接受")
    adopted: bool = Field(description="已按查得内容登记")


class MissingView(BaseModel):
    """尚未答复、也未接受其缺失的来源；缺失不等于没有。"""

    member: UUID
    source: str
    source_title: str


class FindingView(BaseModel):
    """申报与查得不一致之处。"""

    member: UUID | None = Field(description="为空即家庭共有")
    kind: str
    difference: Difference = Field(
        description="undeclared 未申报，more 查得多于申报，less 查得少于申报，"
        "not_found 申报而查无，deceased 有殡葬记录"
    )
    title: str
    declared: Decimal | None = Field(description="申报数；收入按月，住房为平方米")
    found: Decimal | None = Field(description="查得数")
    sources: list[str]


class LateView(BaseModel):
    """报告出具后才收到的答复；不改变已出具的报告。"""

    request: UUID
    member: UUID
    source: str
    source_title: str
    answered_at: datetime
    data_day: date
    items: int = Field(description="查得项数，零为查无")


class CheckReport(BaseModel):
    """家庭经济状况核对报告。"""

    id: UUID
    case: UUID
    case_number: str
    household: UUID
    state: State = Field(description="open 核对中，complete 可出具报告，closed 已出具报告")
    requested_on: date = Field(description="提请之日")
    due_on: date | None = Field(description="应启动之日（民发〔2021〕57号第十七条）")
    started_on: date | None = Field(description="启动核对之日；尚未接入、未向任何来源查询的为空")
    closed_on: date | None
    result: Result | None = Field(description="agrees 与申报一致，differs 与申报不一致")
    legal_basis: str
    lines: list[LineView]
    missing: list[MissingView]
    findings: list[FindingView]
    late: list[LateView]


class AcceptanceView(BaseModel):
    """接受某来源缺失的理由；本次查阅已记入审计。"""

    reason: str
    accepted_by: str
    accepted_at: datetime


class ExchangeView(BaseModel):
    """一次查询的交换记录，不含查得内容。"""

    source: str
    source_title: str
    requester: str
    organisation: str
    case_number: str
    purpose: str
    legal_basis: str
    authorisation: str
    asked_at: datetime
    ended_at: datetime | None
    outcome: str = Field(description="returned、none、promised 或没有答复的原因；空为未记下结果")
    digest: str = Field(description="答复的 SM3 摘要")


class ExchangeList(BaseModel):
    items: list[ExchangeView]
