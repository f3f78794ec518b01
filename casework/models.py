"""Tables of every matter (事项). All rows of a case carry the unit now responsible for it.

What may name a person is sealed; the columns in clear hold masked names, codes and days.
"""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Sequence,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from casework.states import Clock
from chassis.database import COLUMN_TYPES, Aggregate, metadata, moment
from chassis.lineage import Lineage
from contracts.events.casework import Outcome


class Base(DeclarativeBase):
    metadata = metadata()
    type_annotation_map = COLUMN_TYPES


class PublicityKind(StrEnum):
    """What is posted (公示)."""

    OPINION = "opinion"  # 初审意见
    AGAIN = "again"  # 异议处理后再次公示
    RESULT = "result"  # 确认结果, posted for as long as it holds


class PublicityOutcome(StrEnum):
    UNCHALLENGED = "unchallenged"  # 公示期满无异议
    OBJECTION = "objection"  # 有异议
    RETRACTED = "retracted"  # 撤下: the opinion that hangs there no longer fits the facts


class ObjectionMethod(StrEnum):
    """How an objection is looked into."""

    RESURVEY = "resurvey"  # 重新调查
    APPRAISAL = "appraisal"  # 民主评议


class DeliveryMethod(StrEnum):
    """How a document is delivered (送达)."""

    IN_PERSON = "in_person"  # 直接送达
    ENTRUSTED = "entrusted"  # 委托送达
    MAIL = "mail"  # 邮寄送达
    ELECTRONIC = "electronic"  # 电子送达
    LEFT = "left"  # 留置送达
    ANNOUNCED = "announced"  # 公告送达


case_sequence = Sequence("case_number", metadata=Base.metadata)
"""Numbers the cases of a service; the migration makes it by hand."""


class CaseFile(Aggregate, Base):
    """`unit_id` is responsible now, `opened_unit_id` took the case in.

    `due_on`, `amber_on` and `paused` (to the end of `paused_until`, where that is known) are those
    of the limit that ends next: the total one or the one of the state; so lights are told by SQL.
    """

    __tablename__ = "case_file"
    __table_args__ = (
        Index("ix_case_file_standing", "unit_id", "matter", "state"),
        Index("ix_case_file_due", "due_on", postgresql_where="closed_on IS NULL"),
    )

    matter: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    opened_unit_id: Mapped[int] = mapped_column(BigInteger)
    label: Mapped[str]
    state: Mapped[str]
    channel: Mapped[str]
    opened_on: Mapped[date]
    entered_on: Mapped[date]
    accepted_on: Mapped[date | None]
    decided_on: Mapped[date | None]
    closed_on: Mapped[date | None]
    ended: Mapped[Outcome | None]
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    limits: Mapped[dict[str, Any]] = mapped_column(JSONB)
    prolonged: Mapped[str]
    due_on: Mapped[date | None]
    amber_on: Mapped[date | None]
    paused: Mapped[bool]
    paused_until: Mapped[date | None]
    provisional: Mapped[bool]
    parent_id: Mapped[UUID | None] = mapped_column(index=True)
    subject_id: Mapped[UUID | None] = mapped_column(index=True)

    def paused_on(self, day: date) -> bool:
        return self.paused and (self.paused_until is None or day <= self.paused_until)


class CaseStep(Base):
    """One step as taken, never changed; `responsible` is the unit that had the case after it.

    `clock_until` is the last day of a suspension that has one of its own.
    """

    __tablename__ = "case_step"
    __table_args__ = (UniqueConstraint("case_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int]
    name: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    actor: Mapped[str]
    organisation: Mapped[str]
    at: Mapped[moment]
    on_day: Mapped[date]
    responsible: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    clock: Mapped[Clock]
    clock_reason: Mapped[str]
    clock_until: Mapped[date | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class CaseCorrection(Base):
    """The one list of what is missing (一次性告知); `items` is sealed JSON."""

    __tablename__ = "case_correction"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    items: Mapped[bytes] = mapped_column(LargeBinary)
    told_on: Mapped[date]
    told_by: Mapped[str]
    fulfilled_on: Mapped[date | None]


class CasePublicity(Base):
    """What hangs in the village or community; `content` is sealed JSON of whitelisted fields."""

    __tablename__ = "case_publicity"
    __table_args__ = (
        CheckConstraint("last_day > posted_on", name="at_least_a_day"),
        Index("ix_case_publicity_hanging", "unit_id", postgresql_where="closed_on IS NULL"),
        Index(
            "uq_case_publicity_running",
            "case_id",
            "kind",
            unique=True,
            postgresql_where="closed_on IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[PublicityKind]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    posted_on: Mapped[date]
    last_day: Mapped[date]
    closed_on: Mapped[date | None]
    outcome: Mapped[PublicityOutcome | None]


class CaseObjection(Base):
    __tablename__ = "case_objection"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    publicity_id: Mapped[UUID] = mapped_column(ForeignKey("case_publicity.id"))
    unit_id: Mapped[int] = mapped_column(BigInteger)
    received_on: Mapped[date]
    objector: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    handled_by: Mapped[ObjectionMethod | None]
    finding: Mapped[bytes | None] = mapped_column(LargeBinary)
    upheld: Mapped[bool | None]
    answered_on: Mapped[date | None]


class CaseDocument(Base):
    """A decision or notice as made: `digest` is SM3 of the snapshot, which is sealed JSON."""

    __tablename__ = "case_document"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    template_version: Mapped[int]
    number: Mapped[str]
    title: Mapped[str]
    snapshot: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str]
    made_at: Mapped[moment]
    made_by: Mapped[str]
    due_delivery_on: Mapped[date | None]
    delivered_on: Mapped[date | None]
    delivered_how: Mapped[DeliveryMethod | None]
    received_by: Mapped[bytes | None] = mapped_column(LargeBinary)


class CaseArchive(Base):
    """What was put away when the case ended: `digest` is SM3 of the canonical `catalogue`.

    `retention` is the matter's code for how long it is kept (保管期限).
    """

    __tablename__ = "case_archive"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case_file.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    archived_on: Mapped[date]
    retention: Mapped[str]
    catalogue: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[str]


OF_A_CASE = (CaseStep, CaseCorrection, CasePublicity, CaseObjection, CaseDocument, CaseArchive)
"""Rows that go with the case when it is handed over."""

LINEAGE = Lineage("casework", Path(__file__).parent / "migrations", "public", Base.metadata)
