from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool

from chassis.fields import Day, DivisionCode, Document, Public, Reason, text
from contracts.events.relief import Programme
from services.relief.parameters.rules import Basis, Kind, Level, Raw, SetBy

ParameterKey = Annotated[
    str,
    Field(pattern=r"^[a-z0-9_.]{1,80}$", description="参数代码", examples=["dibao.limit.total"]),
]
ParameterValue = Annotated[
    JsonValue,
    Field(
        description="参数值，写法由参数的类型决定：integer 整数；decimal 带引号的小数；"
        "choice 代码；flag 真假；term 期限 {count, unit}；codes 代码列表；"
        "amounts 各代码的数值（带引号的小数，须逐项写全）",
        examples=[{"count": 20, "unit": "working_days"}],
    ),
]
Confirmed = Annotated[
    StrictBool, Field(description="数值、施行日期与文件原文核对无误；未核对的标为待确认")
]
Note = Annotated[str, text(500), Public, Field(description="说明，如与其他文件不一致之处")]
ValidTo = Annotated[Day | None, Field(description="最后施行日；为空表示至另行规定")]


class ParameterSet(BaseModel):
    """登记一项参数自某日起的数值。"""

    model_config = ConfigDict(extra="forbid")

    key: ParameterKey
    division: DivisionCode
    value: ParameterValue
    valid_from: Day = Field(description="施行日期")
    valid_to: ValidTo = None
    source: Document
    confirmed: Confirmed = True
    note: Note | None = None


class ParameterCorrection(BaseModel):
    """更正已登记的一项数值；原登记保留并注明已被更正。"""

    model_config = ConfigDict(extra="forbid")

    value: ParameterValue
    valid_from: Day = Field(description="施行日期")
    valid_to: ValidTo = None
    source: Document
    confirmed: Confirmed = True
    note: Note | None = None
    reason: Reason


class VersionView(BaseModel):
    """参数的一个版本。"""

    id: UUID | None = Field(description="登记编号；随系统提供的版本为空")
    value: Raw
    source: str = Field(description="依据的文件及条款")
    valid_from: date
    valid_to: date | None
    confirmed: bool = Field(description="为假时数值、日期或效力待民政部门确认")
    note: str
    seeded: bool = Field(description="随系统提供；否则为本区县登记")
    reason: str = Field(description="更正的理由")
    recorded_at: datetime | None
    superseded_at: datetime | None


class ParameterView(BaseModel):
    """一项参数：所查日期施行的版本与全部版本。"""

    key: str
    title: str
    kind: Kind
    unit: str = Field(description="数值的单位")
    options: dict[str, str] = Field(description="可用的代码及其名称")
    in_force: VersionView | None = Field(description="所查日期施行的版本；没有时见 absent")
    absent: str = Field(description="最早版本之前没有规定的原因")
    set_by: SetBy = Field(
        description="text 上级文件已作规定，区县不得另定；county 由区县自登记之日起另定；"
        "operation 由区县登记，可以补登以往日期"
    )
    versions: list[VersionView]


class ParameterList(BaseModel):
    as_of: date
    division: str | None = Field(description="所查区县的区划代码")
    items: list[ParameterView]


class RecordedView(VersionView):
    """区县登记的一项参数。"""

    key: str
    title: str
    division: str | None


class AuthoritySet(BaseModel):
    """登记由哪一级作出确认决定。"""

    model_config = ConfigDict(extra="forbid")

    programme: Programme = Field(description="救助项目：dibao 低保")
    division: DivisionCode
    level: Level = Field(description="town 乡镇、街道，county 区县民政局")
    basis: Basis = Field(description="bureau 区县民政部门下放，municipal 市级政府规定")
    document: Document
    valid_from: Day = Field(description="第一天")
    valid_to: Annotated[Day | None, Field(description="最后一天；为空表示未定")] = None


class EndingSet(BaseModel):
    """登记或更正一项权限的最后一天。"""

    model_config = ConfigDict(extra="forbid")

    valid_to: Day = Field(description="最后一天；误登的填第一天的前一天，即自始不生效")
    document: Document


class EndingView(BaseModel):
    valid_to: date
    document: str
    recorded_at: datetime


class AuthorityView(BaseModel):
    """一项登记的确认权限。"""

    id: UUID
    programme: Programme
    unit: int = Field(description="乡镇、街道的固定编号")
    division: str | None = Field(description="现行区划代码；未知或已撤销时为空")
    division_name: str | None
    level: Level
    basis: Basis
    document: str
    valid_from: date
    valid_to: date | None
    recorded_at: datetime
    endings: list[EndingView] = Field(description="历次登记的最后一天，以最后登记的为准")


class AuthorityList(BaseModel):
    items: list[AuthorityView]


class CompetenceView(BaseModel):
    """某日由哪一级作出确认决定。"""

    programme: Programme
    division: str
    division_name: str | None
    as_of: date
    level: Level
    basis: Basis | None = Field(description="没有登记的由区县民政局确认，依据为空")
    document: str
    flagged: str = Field(description="登记的下放不生效的原因；没有则为空")
