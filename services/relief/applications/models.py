from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from casework.models import ObjectionMethod
from chassis.database import moment
from contracts.events.relief import Area
from services.relief.applications.rules import (
    HouseholdSignature,
    Outcome,
    TerminationGround,
)
from services.relief.database import Base
from services.relief.households.kinds import RelativeOf
from services.relief.parameters.rules import Level

sealed = Mapped[bytes]
sealed_or_none = Mapped[bytes | None]


class ApplicationRow(Base):
    """What an application for 低保 has besides its case: `id` is the case's.

    `level` is the organ by whose limit the case goes, from the acceptance on.
    """

    __tablename__ = "application"
    __table_args__ = (
        CheckConstraint("num_nonnulls(area, level) IN (0, 2)", name="fixed_together"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    applied_on: Mapped[date]
    entrusted: Mapped[bool]
    materials: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    place_basis: Mapped[str]
    area: Mapped[Area | None]
    level: Mapped[Level | None]
    check_id: Mapped[UUID | None] = mapped_column(ForeignKey("economic_check.id"))
    applicant_id: Mapped[UUID | None]
    """The member who took the place of the first applicant, who has left."""
    terminated_for: Mapped[TerminationGround | None]


class SurveyRow(Base):
    """One survey of the household (入户调查); it counts when every surveyor has signed it."""

    __tablename__ = "application_survey"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    by_bureau: Mapped[bool]
    resurvey: Mapped[bool]
    visited_on: Mapped[date]
    methods: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    emergency: Mapped[bool]
    surveyors: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    household_signature: Mapped[HouseholdSignature]
    signed_by: Mapped[UUID | None]
    refusal: sealed_or_none = mapped_column(LargeBinary)
    findings: sealed = mapped_column(LargeBinary)
    recorded_at: Mapped[moment]
    withdrawn_on: Mapped[date | None]


class AppraisalRow(Base):
    """An appraisal: of an objection (民主评议), or of a household before its opinion (群众评议)."""

    __tablename__ = "application_appraisal"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    objection_id: Mapped[UUID | None] = mapped_column(unique=True)
    held_on: Mapped[date]
    participants: Mapped[int]
    disputed: Mapped[bool]
    result: sealed = mapped_column(LargeBinary)
    recorded_by: Mapped[str]


class SignatureRow(Base):
    """A surveyor's signature, given with the surveyor's own login."""

    __tablename__ = "application_survey_signature"
    __table_args__ = (UniqueConstraint("survey_id", "surveyor"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("application_survey.id"), index=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    surveyor: Mapped[str]
    signed_at: Mapped[moment]


class OpinionRow(Base):
    """A first opinion (初审意见) with the rules' assessment as it was on its day."""

    __tablename__ = "application_opinion"
    __table_args__ = (UniqueConstraint("case_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    position: Mapped[int]
    outcome: Mapped[Outcome]
    assessment: sealed = mapped_column(LargeBinary)
    statement: sealed = mapped_column(LargeBinary)
    after_objection: Mapped[bool]
    handled_by: Mapped[ObjectionMethod | None]
    given_on: Mapped[date]
    given_by: Mapped[str]


class NearRelativeRow(Base):
    """A near relative of staff or of the village committee, filed apart (近亲属备案)."""

    __tablename__ = "near_relative_filing"
    __table_args__ = (UniqueConstraint("case_id", "member_id", "of"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("household_member.id"))
    of: Mapped[RelativeOf]
    relation: sealed = mapped_column(LargeBinary)
    filed_on: Mapped[date]
    filed_by: Mapped[str]


class ComplaintRow(Base):
    """A complaint or report received while the case is under review (57号 art. 20)."""

    __tablename__ = "application_complaint"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    received_on: Mapped[date]
    content: sealed = mapped_column(LargeBinary)
    recorded_by: Mapped[str]


class DecisionRow(Base):
    """The decision (审核确认) with what it stood on; `id` is the case's."""

    __tablename__ = "application_decision"

    id: Mapped[UUID] = mapped_column(ForeignKey("application.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    outcome: Mapped[Outcome]
    level: Mapped[Level]
    authority: Mapped[dict[str, Any]] = mapped_column(JSONB)
    decided_on: Mapped[date]
    decided_by: Mapped[str]
    assessment: sealed = mapped_column(LargeBinary)
    award_id: Mapped[UUID | None]
