from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import moment
from contracts.events.relief import Programme
from services.relief.database import Base
from services.relief.parameters.rules import Basis, Level, Raw


class ParameterRow(Base):
    """A value of a parameter as a county set it: never changed, only superseded by another.

    No wall: the law is no personal data, and every town of the county goes by it.
    """

    __tablename__ = "parameter_row"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="in_order"),
        Index(
            "uq_parameter_row_standing",
            "unit_id",
            "key",
            "valid_from",
            unique=True,
            postgresql_where="superseded_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str]
    value: Mapped[Raw] = mapped_column(JSONB)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]
    confirmed: Mapped[bool]
    note: Mapped[str]
    reason: Mapped[str]
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
    superseded_at: Mapped[moment | None]
    version: Mapped[int] = mapped_column(default=1)


class AuthorityRow(Base):
    """Who decides for a town from a day on; its ends are rows of their own.

    `county_id` is the county that the town stood under on that day.

    No wall, as for parameters: who decides is public.
    """

    __tablename__ = "authority"
    __table_args__ = (Index("ix_authority_town", "unit_id", "programme"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    county_id: Mapped[int] = mapped_column(BigInteger)
    programme: Mapped[Programme]
    level: Mapped[Level]
    basis: Mapped[Basis]
    document: Mapped[str]
    valid_from: Mapped[date]
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class AuthorityEnding(Base):
    """The last day of an authority, by its document; the one recorded last counts."""

    __tablename__ = "authority_ending"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), index=True)
    valid_to: Mapped[date]
    document: Mapped[str]
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
