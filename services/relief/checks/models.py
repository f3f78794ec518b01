from datetime import date
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import moment
from services.relief.checks.rules import Result, Role, Status
from services.relief.database import Base


class CheckRow(Base):
    """One check of a household (家庭经济状况核对); of a case at most one is not closed.

    `requested_by` asks in the name of `organisation`; `due_on` is the last day to start it, which
    it is when the first source is asked: `started_on` is open while the county is not connected.
    `report` is the closed report as it was made, sealed.
    """

    __tablename__ = "economic_check"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(closed_on, closed_by, result, report) IN (0, 4)",
            name="closed_with_result",
        ),
        Index(
            "uq_economic_check_open", "case_id", unique=True, postgresql_where="closed_on IS NULL"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(index=True)
    case_number: Mapped[str]
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    version: Mapped[int]
    requested_by: Mapped[str]
    organisation: Mapped[str]
    requested_on: Mapped[date]
    due_on: Mapped[date | None]
    started_on: Mapped[date | None]
    legal_basis: Mapped[str]
    closed_on: Mapped[date | None]
    closed_by: Mapped[str | None]
    result: Mapped[Result | None]
    report: Mapped[bytes | None] = mapped_column(LargeBinary)


class RequestRow(Base):
    """What is asked of one source about one person; `round` counts how often it was begun anew."""

    __tablename__ = "check_request"
    __table_args__ = (
        UniqueConstraint("check_id", "member_id", "source"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        CheckConstraint(
            "num_nonnulls(accepted_reason, accepted_by, accepted_at) IN (0, 3)", name="accepted"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("economic_check.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    role: Mapped[Role]
    member_id: Mapped[UUID]
    person: Mapped[UUID | None]
    label: Mapped[str]
    source: Mapped[str]
    authorisation: Mapped[str]
    status: Mapped[Status]
    round: Mapped[int]
    attempts: Mapped[int]
    asked_at: Mapped[moment]
    location: Mapped[str]
    failure: Mapped[str]
    answered_at: Mapped[moment | None]
    data_day: Mapped[date | None]
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted_by: Mapped[str | None]
    accepted_at: Mapped[moment | None]
    adopted_at: Mapped[moment | None]


class ExchangeRow(Base):
    """One query sent to a source, kept for at least three years (网络数据安全管理条例 art. 12).

    `outcome` "" says that no answer was recorded: the process ended in between. `digest` is the
    SM3 of the answer in hex.
    """

    __tablename__ = "check_exchange"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("check_request.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    source: Mapped[str]
    person: Mapped[UUID | None]
    case_number: Mapped[str]
    requester: Mapped[str]
    organisation: Mapped[str]
    purpose: Mapped[str]
    legal_basis: Mapped[str]
    authorisation: Mapped[str]
    asked_at: Mapped[moment]
    ended_at: Mapped[moment | None]
    outcome: Mapped[str]
    digest: Mapped[str]
