from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Numeric
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Aggregate, moment
from contracts.events.relief import Area, AwardState, Programme
from services.relief.awards.rules import ChangeKind, Effect, HearingMethod
from services.relief.database import Base

sealed = Mapped[bytes]
sealed_or_none = Mapped[bytes | None]


class AwardRow(Aggregate, Base):
    """One household's award; what is paid stands in its periods.

    `unit_id` is the village or community now responsible; `number` that of the application.
    """

    __tablename__ = "award"
    __table_args__ = (Index("ix_award_review_due", "unit_id", "review_due_on"),)

    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    programme: Mapped[Programme]
    number: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), unique=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    applicant: Mapped[UUID]
    approved_on: Mapped[date]
    review_class: Mapped[str]
    review_due_on: Mapped[date]


class PeriodRow(Base):
    """What is paid from a day on, as recorded: never changed, only superseded.

    `place` is the unit where the household lives then; `case_id` the case that decided it.
    """

    __tablename__ = "award_period"
    __table_args__ = (
        CheckConstraint("base >= 0", name="not_negative"),
        CheckConstraint("(state = 'stopped') = (persons = '{}')", name="nobody_when_stopped"),
        Index(
            "uq_award_period_standing",
            "award_id",
            "valid_from",
            unique=True,
            postgresql_where="superseded_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    case_id: Mapped[UUID | None]
    valid_from: Mapped[date]
    place: Mapped[int] = mapped_column(BigInteger)
    area: Mapped[Area]
    state: Mapped[AwardState]
    persons: Mapped[list[UUID]] = mapped_column(ARRAY(PG_UUID(as_uuid=True)))
    base: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
    superseded_at: Mapped[moment | None]
    superseded_by: Mapped[str | None]
    superseded_reason: sealed_or_none = mapped_column(LargeBinary)


class LineRow(Base):
    """An extra (分类重点救助) of one person, paid to that person beside the family's amount."""

    __tablename__ = "award_line"
    __table_args__ = (CheckConstraint("amount > 0", name="positive"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    period_id: Mapped[UUID] = mapped_column(ForeignKey("award_period.id"), index=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    person: Mapped[UUID]
    category: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    article: Mapped[str]


class ChangeRow(Base):
    """What a change of an award has besides its case: `id` is the case's; one is open at a time.

    `asked` holds codes, days and references of the proposal, `figures` what it comes to: as it was
    when it was proposed, and from `decided_on` as decided.
    """

    __tablename__ = "award_change"
    __table_args__ = (
        Index("uq_award_change_open", "award_id", unique=True, postgresql_where="open"),
        CheckConstraint("decided_on IS NULL OR NOT open", name="decided_once"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[ChangeKind]
    open: Mapped[bool]
    reason: sealed = mapped_column(LargeBinary)
    asked: Mapped[dict[str, Any]] = mapped_column(JSONB)
    proposed_on: Mapped[date]
    decided_on: Mapped[date | None]
    effective_from: Mapped[date]
    effect: Mapped[Effect]
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB)


class HearingRow(Base):
    """The household's opinion, heard before less is paid or nothing (社会救助法 art. 48)."""

    __tablename__ = "award_hearing"

    id: Mapped[UUID] = mapped_column(ForeignKey("award_change.id"), primary_key=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    notified_on: Mapped[date]
    heard_on: Mapped[date]
    method: Mapped[HearingMethod]
    person: Mapped[UUID | None]
    heard: Mapped[str]
    guardian: sealed_or_none = mapped_column(LargeBinary)
    guardian_masked: Mapped[str]
    statement: sealed = mapped_column(LargeBinary)
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]


class DeathRow(Base):
    """A member's death that the award has to follow: work until `settled_on` (83号 1(3)).

    `due_on` is None where the law of the day on which it became known sets no last day.
    `settled_by` is the change or the review; None where the household's facts do not tell of the
    death any more, or nothing is paid that it would change.
    """

    __tablename__ = "award_death"
    __table_args__ = (
        Index(
            "uq_award_death_open",
            "award_id",
            "person",
            unique=True,
            postgresql_where="settled_on IS NULL",
        ),
        CheckConstraint("settled_by IS NULL OR settled_on IS NOT NULL", name="settled"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    person: Mapped[UUID]
    died_on: Mapped[date]
    due_on: Mapped[date | None]
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
    settled_on: Mapped[date | None]
    settled_by: Mapped[UUID | None]


class ReviewRow(Base):
    """A periodic review (定期核查) that left the award as it is."""

    __tablename__ = "award_review"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    reviewed_on: Mapped[date]
    review_class: Mapped[str]
    next_due_on: Mapped[date]
    note: sealed = mapped_column(LargeBinary)
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]


class JobOfferRow(Base):
    """A job that was offered to a member who can work (57号 art. 34), and what came of it."""

    __tablename__ = "award_job_offer"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    award_id: Mapped[UUID] = mapped_column(ForeignKey("award.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    person: Mapped[UUID]
    offered_on: Mapped[date]
    job: sealed = mapped_column(LargeBinary)
    accepted: Mapped[bool]
    excused: Mapped[bool]
    note: sealed_or_none = mapped_column(LargeBinary)
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]


OF_AN_AWARD = (PeriodRow, LineRow, ChangeRow, HearingRow, DeathRow, ReviewRow, JobOfferRow)
"""Rows that go with the award when it is handed over."""
