from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Aggregate, moment
from contracts.events.relief import Area, StandardCode
from services.relief.database import Base


class StandardSeries(Aggregate, Base):
    """One standard for one area and unit; its amounts are rows of their own."""

    __tablename__ = "standard_series"
    __table_args__ = (UniqueConstraint("unit_id", "code", "area"),)

    unit_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[StandardCode]
    area: Mapped[Area]


class StandardAmount(Base):
    """An amount as recorded: never changed, only superseded by another."""

    __tablename__ = "standard_amount"
    __table_args__ = (
        CheckConstraint("amount > 0", name="positive"),
        Index(
            "uq_standard_amount_standing",
            "series_id",
            "valid_from",
            unique=True,
            postgresql_where="superseded_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    series_id: Mapped[UUID] = mapped_column(ForeignKey("standard_series.id"), index=True)
    valid_from: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    document: Mapped[str]
    note: Mapped[str]
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
    superseded_at: Mapped[moment | None]
