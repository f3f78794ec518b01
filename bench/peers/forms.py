"""The bodies that the peers take and give: the fields of the house's, checked by type alone."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class IncomeIn(BaseModel):
    kind: str
    amount: Decimal


class MemberIn(BaseModel):
    ref: str
    relation: str
    born: date
    name: str
    document_number: str
    phone: str | None = None
    truth_committed: bool
    check_authorised: bool
    authorisation: str
    incomes: list[IncomeIn] = []


class PropertyIn(BaseModel):
    kind: str
    member: str
    amount: Decimal


class HouseholdIn(BaseModel):
    address: str
    members: list[MemberIn]
    properties: list[PropertyIn] = []


class ApplicationIn(BaseModel):
    division: str
    channel: str
    materials: list[str]
    household: HouseholdIn


class ApplicationView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    division: str
    channel: str
    state: str
    opened_at: datetime
    version: int
