"""What the gateway answers about cases (办件), as far as the pages show it."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Light(StrEnum):
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    PAUSED = "paused"
    NONE = "none"


class CaseItem(BaseModel):
    id: UUID
    number: str
    matter_title: str
    label: str
    state_title: str
    process: str
    division_name: str | None
    light: Light
    due: date | None
    days_left: int | None
    opened_on: date


class CasePage(BaseModel):
    items: list[CaseItem]
    next_cursor: str | None = None


class ProcessCount(BaseModel):
    process: str
    title: str
    count: int
    green: int = 0
    amber: int = 0
    red: int = 0
    paused: int = 0


class TodoList(BaseModel):
    as_of: date
    processes: list[ProcessCount]
    items: CasePage


class ClockView(BaseModel):
    title: str
    due: date | None
    used: int | None
    count: int
    unit: str
    light: Light
    provisional: bool
    stopped_on: date | None
    source: str


class Action(BaseModel):
    name: str
    barred: str | None


class Missing(BaseModel):
    code: str
    title: str


class Correction(BaseModel):
    items: list[Missing]


class CaseView(BaseModel):
    id: UUID
    number: str
    matter: str
    matter_title: str
    state: str
    state_title: str
    process: str
    division: str | None
    division_name: str | None
    label: str
    accepted_on: date | None
    decided_on: date | None
    closed_on: date | None
    subject: UUID | None
    clock: ClockView | None
    promised_clock: ClockView | None
    step_clock: ClockView | None
    flags: list[str]
    prolonged: str
    actions: list[Action]
    correction: Correction | None
    etag: str


class Step(BaseModel):
    model_config = ConfigDict(validate_by_name=True)

    title: str
    to_title: str
    actor: str
    organisation: str
    at: datetime
    reason: str


class History(BaseModel):
    items: list[Step]


class DocumentItem(BaseModel):
    id: UUID
    kind: str
    number: str
    title: str
    made_at: datetime
    due_delivery_on: date | None
    delivered_on: date | None


class DocumentList(BaseModel):
    items: list[DocumentItem]


class Done(BaseModel):
    """The answer to a step: that it was taken."""
