"""What every matter (事项) tells of a case: how it stands, by references alone."""

from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field

from contracts.model import Contract, UnitId


class Outcome(StrEnum):
    """How a case ended."""

    GRANTED = "granted"  # 准予、确认
    REFUSED = "refused"  # 不予
    WITHDRAWN = "withdrawn"  # 撤回
    TERMINATED = "terminated"  # 终止


class CasePeriod(Contract):
    """The state in which the case was at the end of the day, and the unit responsible."""

    from_: date = Field(alias="from")
    unit: UnitId
    state: str = Field(min_length=1, max_length=40)


class Case(Contract):
    """A case's whole public state; each service's topic has a class of its own."""

    id: UUID
    matter: str = Field(min_length=1, max_length=40)
    number: str = Field(min_length=1, max_length=40)
    periods: tuple[CasePeriod, ...] = Field(min_length=1, max_length=400)
    opened_on: date
    accepted_on: date | None = None
    due_on: date | None = None
    decided_on: date | None = None
    closed_on: date | None = None
    outcome: Outcome | None = None
    parent: UUID | None = None

    def void(self) -> Self:
        """Ended without a decision, on the last day that was told."""
        ended = {"closed_on": self.closed_on or self.periods[-1].from_, "decided_on": None}
        return self.model_copy(update={**ended, "outcome": Outcome.TERMINATED})
