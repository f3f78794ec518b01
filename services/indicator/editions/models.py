from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import moment
from services.indicator.database import Base


class EditionRow(Base):
    """A published edition of a plan's figures; a restatement is another one, with its reason."""

    __tablename__ = "edition"
    __table_args__ = (
        UniqueConstraint("plan", "number"),
        CheckConstraint("(restates IS NULL) = (reason = '')", name="reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    plan: Mapped[str]
    number: Mapped[int]
    title: Mapped[str]
    as_of: Mapped[date]
    known_on: Mapped[date | None]
    frozen_at: Mapped[moment]
    frozen_by: Mapped[str]
    definition_version: Mapped[int]
    restates: Mapped[UUID | None] = mapped_column(ForeignKey("edition.id"), unique=True)
    reason: Mapped[str]


class EditionFigureRow(Base):
    """One indicator as published: `shown` is the whole item, with the version of its definition."""

    __tablename__ = "edition_figure"

    edition_id: Mapped[UUID] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str]
    definition_version: Mapped[int]
    value: Mapped[str | None]
    shown: Mapped[dict[str, Any]] = mapped_column(JSONB)
