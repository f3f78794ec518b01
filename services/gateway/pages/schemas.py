from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field


class State(StrEnum):
    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"
    ABSENT = "absent"


class PartStatus(BaseModel):
    """一个服务的状态。"""

    name: str
    title: str
    status: State = Field(description="up 正常，down 不可用，unknown 正在检查，absent 未接入")
    since: datetime | None = Field(description="自何时起为此状态（本进程所见）")
    checked_at: datetime | None = Field(description="最近一次检查")


class Status(BaseModel):
    """各服务的状态。"""

    status: State = Field(description="已接入的服务全部正常时为 up")
    parts: list[PartStatus]
