"""CloudEvents 1.0 in structured JSON, with the extensions of this house."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from contracts.model import Contract

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class CloudEvent(Contract):
    """One event on the wire: `subject` and key are the aggregate's id, `sequence` is gapless."""

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str = "application/json"
    sequence: int = Field(ge=1)
    traceparent: str | None = None
    actor: str
    cause: str | None = None
    data: dict[str, Any]
