from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from casework.clock import Light
from casework.models import DeliveryMethod, PublicityKind, PublicityOutcome
from casework.states import Clock
from chassis.fields import Day, DivisionCode, text
from chassis.law.deadlines import TermUnit
from chassis.paging import DEFAULT_LIMIT, MAX_LIMIT, Page
from contracts.events.casework import Outcome

LIGHTS = "green 正常，amber 剩余不足两成，red 逾期，paused 中止计时，none 无期限"


class CaseItem(BaseModel):
    """列表中的一件。"""

    id: UUID
    number: str = Field(description="统一受理编号")
    matter: str = Field(description="事项代码")
    matter_title: str = Field(description="事项名称")
    label: str = Field(description="办件对象（脱敏）")
    state: str
    state_title: str = Field(description="当前状态")
    process: str = Field(description="环节")
    process_title: str = Field(description="环节名称")
    division: str | None = Field(description="负责区划当日的代码；当日未公布的，为此前最后的代码")
    division_name: str | None
    light: Light = Field(description=LIGHTS)
    due: date | None = Field(description="最近的期限届满日（总期限与本环节期限取先到者）")
    days_left: int | None = Field(description="距期限届满的自然日数，逾期为负")
    opened_on: date = Field(description="登记日期")
    entered_on: date = Field(description="进入当前状态的日期")
    flags: list[str] = Field(description="标记")


class ProcessCount(BaseModel):
    """一个环节的待办件数。"""

    process: str
    title: str
    count: int
    green: int = 0
    amber: int = 0
    red: int = 0
    paused: int = 0


class TodoList(BaseModel):
    """待办：按环节的件数，及本页的办件。"""

    as_of: date
    processes: list[ProcessCount]
    items: Page[CaseItem]


class ClockView(BaseModel):
    """一项期限的情况。"""

    title: str = Field(description="期限名称")
    due: date | None = Field(description="届满日")
    used: int | None = Field(description="已用日数；按月计算的期限为空")
    count: int = Field(description="期限长度")
    unit: TermUnit = Field(description="working_days 工作日，days 自然日，months 月")
    light: Light = Field(description=LIGHTS)
    provisional: bool = Field(description="届满日待放假通知公布后重算")
    paused: bool = Field(description="正在中止计时")
    stopped_on: date | None = Field(description="停止计时之日")
    source: str = Field(description="依据")


class Action(BaseModel):
    """现在可以办理的一步。"""

    name: str
    title: str
    scope: str = Field(description="所需权限")
    needs_reason: bool
    barred: str | None = Field(description="本人不得办理的原因；可以办理时为空")


class MissingView(BaseModel):
    """一项补正事项。"""

    code: str
    title: str
    why: str = Field(description="为什么需要")


class CorrectionView(BaseModel):
    """一次性告知。"""

    told_on: date
    fulfilled_on: date | None
    items: list[MissingView]


class CaseView(BaseModel):
    """一件的全貌。"""

    id: UUID
    number: str = Field(description="统一受理编号")
    matter: str
    matter_title: str
    state: str
    state_title: str
    process: str
    division: str | None
    division_name: str | None
    label: str = Field(description="办件对象（脱敏）")
    channel: str = Field(description="提交渠道")
    opened_on: date
    accepted_on: date | None
    decided_on: date | None
    closed_on: date | None
    outcome: Outcome | None = Field(description="办理结果")
    parent: UUID | None = Field(description="来自哪一件")
    subject: UUID | None = Field(description="所变更的待遇")
    clock: ClockView | None = Field(description="总期限；受理前为空")
    promised_clock: ClockView | None = Field(
        description="承诺办结时限，区县未公布的为空；不影响法定的总期限"
    )
    step_clock: ClockView | None = Field(description="本环节的期限，没有时为空")
    flags: list[str]
    prolonged: str = Field(description="延长期限的原因代码，未延长时为空")
    actions: list[Action]
    correction: CorrectionView | None
    etag: str = Field(description="修改本件时作为 If-Match 传回")


class StepView(BaseModel):
    """已办理的一步。"""

    model_config = ConfigDict(validate_by_name=True)

    position: int
    name: str
    title: str
    from_: str = Field(alias="from", description="办理前的状态")
    from_title: str
    to: str = Field(description="办理后的状态")
    to_title: str
    actor: str = Field(description="办理人")
    organisation: str = Field(description="办理机构")
    at: datetime
    reason: str
    clock: Clock = Field(
        description="对期限的作用：start 起算，suspend 中止，resume 恢复，stop 停止，none 无"
    )


class History(BaseModel):
    """办理经过。"""

    items: list[StepView]


class DocumentItem(BaseModel):
    """一份文书。"""

    id: UUID
    kind: str = Field(description="文书种类")
    number: str = Field(description="文号")
    title: str
    digest: str = Field(description="内容的 SM3 摘要")
    made_at: datetime
    made_by: str
    due_delivery_on: date | None = Field(description="送达期限")
    delivered_on: date | None
    delivered_how: DeliveryMethod | None


class DocumentList(BaseModel):
    items: list[DocumentItem]


class DocumentView(DocumentItem):
    """一份文书及其制作时的内容。"""

    snapshot: dict[str, Any] = Field(description="制作时的内容")


class ArchivedDocument(BaseModel):
    """归档目录中的一份文书。"""

    position: int = Field(description="序号")
    number: str = Field(description="文号")
    title: str
    digest: str = Field(description="内容的 SM3 摘要")
    made_at: datetime


class ArchivedPublicity(BaseModel):
    """归档目录中的一次公示。"""

    kind: PublicityKind
    posted_on: date
    last_day: date
    closed_on: date | None
    outcome: PublicityOutcome | None


class Catalogue(BaseModel):
    """归档目录。"""

    documents: list[ArchivedDocument]
    publicities: list[ArchivedPublicity]
    steps: int = Field(description="办理步骤数")


class ArchiveView(BaseModel):
    """办结后的归档记录。"""

    id: UUID
    case: UUID
    archived_on: date = Field(description="归档日期")
    retention: str = Field(description="保管期限：long_term 长期")
    catalogue: Catalogue
    digest: str = Field(description="目录的 SM3 摘要")


class DeliveryIn(BaseModel):
    """登记送达。"""

    model_config = ConfigDict(extra="forbid")

    how: DeliveryMethod = Field(
        description="in_person 直接，entrusted 委托，mail 邮寄，electronic 电子，"
        "left 留置，announced 公告"
    )
    on: Day = Field(description="送达日期")
    received_by: Annotated[str, text(60), Field(description="签收人")]


class PublicityView(BaseModel):
    """正在公示的一件：只含规定公示的项目。"""

    id: UUID
    case: UUID
    matter_title: str
    kind: PublicityKind = Field(description="opinion 初审意见，again 再次公示，result 确认结果")
    division: str | None
    division_name: str | None
    posted_on: date
    last_day: date
    content: dict[str, Any] = Field(description="公示内容")


class CaseQuery(BaseModel):
    """办件列表的条件。"""

    matter: str | None = Field(default=None, max_length=40, description="事项代码")
    state: str | None = Field(default=None, max_length=40, description="状态代码")
    process: str | None = Field(default=None, max_length=40, description="环节")
    light: Light | None = Field(default=None, description=LIGHTS)
    q: Annotated[str, text(40)] | None = Field(
        default=None, description="统一受理编号，或其开头的若干位"
    )
    division: DivisionCode | None = Field(default=None, description="区划代码，含其下各级")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")


class TodoQuery(BaseModel):
    """待办列表的条件。"""

    process: str | None = Field(default=None, max_length=40, description="环节")
    light: Light | None = Field(default=None, description=LIGHTS)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="每页条数")
    cursor: str | None = Field(default=None, max_length=500, description="上一页返回的 next_cursor")
