"""What the gateway answers about awards (低保待遇), as far as the pages show it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.console.case_answers import Light


class AwardItem(BaseModel):
    id: UUID
    number: str
    label: str
    division: str | None
    division_name: str | None
    area: str
    state: str | None
    persons: int
    amount: Decimal
    extras: Decimal
    paid_from: date
    review_due_on: date
    death_open: bool
    death_review_due_on: date | None
    death_light: Light


class AwardPage(BaseModel):
    items: list[AwardItem]
    next_cursor: str | None = None


class ExtraLine(BaseModel):
    person: UUID
    category: str
    amount: Decimal


class AwardPeriod(BaseModel):
    """What is paid each month from a day on, until the next one that stands."""

    id: UUID
    from_: Annotated[date, Field(alias="from")]
    division_name: str | None
    state: str
    persons: int
    amount: Decimal
    extras: Decimal
    lines: list[ExtraLine]
    case: UUID | None
    recorded_at: datetime
    superseded_at: datetime | None


class Person(BaseModel):
    """A member of the household; `born` tells two of one masked name apart."""

    person: UUID
    name: str
    covered: bool
    born: date


class Review(BaseModel):
    reviewed_on: date
    next_due_on: date


class JobOffer(BaseModel):
    person: UUID
    offered_on: date
    accepted: bool
    excused: bool


class Award(AwardItem):
    household: UUID
    case: UUID
    periods: list[AwardPeriod]
    persons_known: list[Person]
    reviews: list[Review]
    job_offers: list[JobOffer]
    etag: str

    @property
    def standing(self) -> list[AwardPeriod]:
        """The periods as they are known now, by day."""
        found = (one for one in self.periods if one.superseded_at is None)
        return sorted(found, key=lambda one: one.from_)

    @property
    def names(self) -> dict[str, str]:
        """The persons by their id, each told apart from the others."""
        return {
            str(one.person): f"{one.name}（{one.born.isoformat()} 生）"
            for one in self.persons_known
        }


class Hearing(BaseModel):
    heard_on: date
    method: str
    heard: str


class Fraud(BaseModel):
    since: date
    recovery: Decimal
    fine_least: Decimal | None
    fine_most: Decimal | None


class Corrected(BaseModel):
    """Which period was corrected, and to what; `becomes_from` is empty where it is withdrawn."""

    was_from: date
    becomes_from: date | None


class Change(BaseModel):
    """One change of an award: what it does to what is paid, and who was heard."""

    id: UUID
    award: UUID
    kind_title: str
    state_title: str
    proposed_on: date
    decided_on: date | None
    effective_from: date
    effect: str
    before: Decimal | None
    after: Decimal | None
    interim: Decimal | None = None
    settles_on: date | None = None
    ends_on: date | None
    overpaid: Decimal | None
    fraud: Fraud | None
    unreported: bool
    hearing: Hearing | None
    hearing_needed: bool
    hearing_note: str
    correction: Corrected | None = None


class ChangeList(BaseModel):
    items: list[Change]
