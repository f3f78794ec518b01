from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import moment
from chassis.identity import DocumentKind, Sex
from contracts.events.relief import Area, Programme
from services.relief.database import Base
from services.relief.entitlement.facts import FactSource, Relation
from services.relief.households.kinds import (
    ClaimRole,
    ClaimState,
    FactKind,
    LeaveReason,
    RelativeOf,
)

sealed = Mapped[bytes]
sealed_or_none = Mapped[bytes | None]


class HouseholdRow(Base):
    """One household (家庭); who belongs to it, where and how it lives stands in its facts.

    `unit_id` is the village or community now responsible. The area is fixed once, at acceptance.
    """

    __tablename__ = "household"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(area, area_reason, area_fixed_on) IN (0, 3)", name="area_reasoned"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    version: Mapped[int]
    declared_on: Mapped[date]
    area: Mapped[Area | None]
    area_reason: sealed_or_none = mapped_column(LargeBinary)
    area_fixed_on: Mapped[date | None]


class MemberRow(Base):
    """A person in a household; known elsewhere by the pseudonym `person` alone.

    `born`, `joined_on`, `left_on` and `left_reason` are what the facts say as known now;
    `document_born` is what the number says. From `left_on` on the person is no member.
    """

    __tablename__ = "household_member"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(document_kind, number, number_masked) IN (0, 3)", name="document"
        ),
        CheckConstraint(
            "num_nonnulls(near_relative_of, near_relative) IN (0, 2)", name="near_relative"
        ),
        CheckConstraint("num_nonnulls(left_on, left_reason) IN (0, 2)", name="left_for_a_reason"),
        Index("ix_household_member_person", "person"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    person: Mapped[UUID]
    name: sealed = mapped_column(LargeBinary)
    name_masked: Mapped[str]
    name_index: Mapped[bytes]
    document_kind: Mapped[DocumentKind | None]
    number: sealed_or_none = mapped_column(LargeBinary)
    number_masked: Mapped[str | None]
    phone: sealed_or_none = mapped_column(LargeBinary)
    born: Mapped[date]
    document_born: Mapped[date | None]
    sex: Mapped[Sex | None]
    doubts: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    near_relative_of: Mapped[RelativeOf | None]
    near_relative: sealed_or_none = mapped_column(LargeBinary)
    joined_on: Mapped[date]
    left_on: Mapped[date | None]
    left_reason: Mapped[LeaveReason | None]
    declared_at: Mapped[moment]
    truth_committed_on: Mapped[date | None]
    check_authorised_on: Mapped[date | None]
    authorisation: Mapped[str]


class FactRow(Base):
    """A fact as recorded: nothing of it is ever changed, only superseded by another."""

    __tablename__ = "household_fact"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="days"),
        CheckConstraint("superseded_by IS NULL OR superseded_at IS NOT NULL", name="superseded"),
        Index("ix_household_fact_household", "household_id", "kind", "valid_from"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("household_member.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    kind: Mapped[FactKind]
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[FactSource]
    source_day: Mapped[date | None]
    note: sealed_or_none = mapped_column(LargeBinary)
    known_at: Mapped[moment]
    recorded_by: Mapped[str]
    superseded_at: Mapped[moment | None]
    superseded_by: Mapped[UUID | None]
    superseded_reason: sealed_or_none = mapped_column(LargeBinary)


class SupporterRow(Base):
    """Somebody outside the household who owes it support (外部义务人)."""

    __tablename__ = "supporter"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(person, document_kind, number, number_masked) IN (0, 4)", name="document"
        ),
        CheckConstraint(
            "(consented_on IS NULL) = (consent_document = '')", name="consent_in_writing"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, index=True)
    person: Mapped[UUID | None]
    name: sealed = mapped_column(LargeBinary)
    name_masked: Mapped[str]
    document_kind: Mapped[DocumentKind | None]
    number: sealed_or_none = mapped_column(LargeBinary)
    number_masked: Mapped[str | None]
    relation: Mapped[Relation]
    recorded_at: Mapped[moment]
    consented_on: Mapped[date | None]
    consent_document: Mapped[str]


class ClaimRow(Base):
    """Who asks for a programme or is paid by it, by pseudonym alone: seen by every town.

    The file's household is under row-level security, so that only its own town learns more.
    `likeness` is equal for equal names and birthdays, of which it shows nothing: by it alone is
    found again who has no document.
    """

    __tablename__ = "person_claim"
    __table_args__ = (
        Index(
            "uq_person_claim_applicant",
            "programme",
            "person",
            unique=True,
            postgresql_where="role = 'applicant' AND state = 'open'",
        ),
        Index(
            "uq_person_claim_awarded",
            "programme",
            "person",
            unique=True,
            postgresql_where="state = 'awarded'",
        ),
        Index("ix_person_claim_file", "file_id"),
        Index("ix_person_claim_person", "person"),
        Index("ix_person_claim_household", "household_id"),
        Index("ix_person_claim_likeness", "likeness"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID]
    programme: Mapped[Programme]
    file_id: Mapped[UUID]
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"))
    role: Mapped[ClaimRole]
    state: Mapped[ClaimState]
    since: Mapped[moment]
    likeness: Mapped[bytes | None] = mapped_column(LargeBinary)
    documented: Mapped[bool]
