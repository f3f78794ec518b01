"""An application as an ORM keeps it: the facts that the house keeps, a table each, in clear."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Identity, LargeBinary, MetaData, Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Crud(DeclarativeBase):
    metadata = MetaData()


class Household(Crud):
    __tablename__ = "household"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    address: Mapped[str]
    members: Mapped[list["Member"]] = relationship(lazy="raise")
    properties: Mapped[list["Property"]] = relationship(lazy="raise")


class Application(Crud):
    __tablename__ = "application"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    division: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int]
    materials: Mapped[list[str]] = mapped_column(JSONB)
    household: Mapped[Household] = relationship(lazy="raise")


class Member(Crud):
    __tablename__ = "member"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    relation: Mapped[str]
    born: Mapped[date]
    name: Mapped[str]
    document_number: Mapped[str] = mapped_column(index=True)
    phone: Mapped[str | None]
    truth_committed: Mapped[bool]
    check_authorised: Mapped[bool]
    authorisation: Mapped[str]
    incomes: Mapped[list["Income"]] = relationship(lazy="raise")


class Income(Crud):
    __tablename__ = "income"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), index=True)
    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))


class Property(Crud):
    __tablename__ = "property"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    household_id: Mapped[UUID] = mapped_column(ForeignKey("household.id"), index=True)
    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 2))


class Outbox(Crud):
    __tablename__ = "outbox"

    seq: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    topic: Mapped[str]
    key: Mapped[str]
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class IdempotencyKey(Crud):
    __tablename__ = "idempotency_key"

    key: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[int]
    answer: Mapped[bytes] = mapped_column(LargeBinary)
