from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from chassis.fields import Public
from chassis.paging import Page
from services.gateway.clients.rules import CLIENT_ID, SCOPE

ClientId = Annotated[
    str, Field(pattern=CLIENT_ID, description="接入方标识", examples=["town-500112105"])
]
Line = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"), Public]
Scope = Annotated[str, Field(pattern=SCOPE)]
Division = Annotated[str, Field(pattern=r"^[0-9]{12}$")]


class ClientNew(BaseModel):
    """登记一个接入方。"""

    model_config = ConfigDict(extra="forbid")

    client_id: ClientId
    name: Line = Field(description="名称", examples=["一门受理平台"])
    organisation: Line = Field(description="所属单位", examples=["区政务服务中心"])
    scopes: list[Scope] = Field(
        min_length=1, max_length=100, description="授予的权限", examples=[["relief:read"]]
    )
    divisions: list[Division] = Field(
        min_length=1,
        max_length=50,
        description="管辖区划的 12 位代码，含其下级",
        examples=[["500112000000"]],
    )


class SecretState(BaseModel):
    """一个密钥的状态；密钥本身不再可见。"""

    created_at: datetime
    first_used_at: datetime | None
    valid_until: datetime | None = Field(description="空为长期有效")


class ClientView(BaseModel):
    """一个接入方。"""

    client_id: str
    name: str
    organisation: str
    scopes: list[str]
    divisions: list[str]
    created_at: datetime
    disabled_at: datetime | None = Field(description="停用时间")
    secrets: list[SecretState] = Field(description="现行有效的密钥，最多两个")


class ClientPage(Page[ClientView]):
    """接入方列表的一页。"""


class SecretIssued(BaseModel):
    """新密钥，仅此一次可见。"""

    client_id: str
    client_secret: str
    previous_valid_until: datetime | None = Field(description="原密钥的失效时间；没有原密钥时为空")
