"""Events of every service's audit (审计)."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from contracts.model import Contract


class AuditHead(Contract):
    """Topic `minzheng.audit.head`: where a service's chain of audit entries ended at a moment.

    Others keep it as an anchor: a chain that was cut or written anew no longer has this link.
    """

    id: UUID
    service: str = Field(pattern=r"^[a-z]+$", max_length=40)
    position: int = Field(ge=1)
    seq: int = Field(ge=0)
    """The highest number of a sealed entry."""
    key: int = Field(ge=1)
    """Under which key the link was made."""
    mac: str = Field(pattern=r"^[0-9a-f]{64}$")
    """HMAC-SM3 of the link, over the one before it."""
    sealed_at: datetime
