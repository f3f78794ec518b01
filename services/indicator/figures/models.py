from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Aggregate, moment
from services.indicator.database import Base


class FigureSeriesRow(Aggregate, Base):
    """What is reported (填报) of one measure for one unit; its figures are rows of their own."""

    __tablename__ = "figure_series"
    __table_args__ = (UniqueConstraint("measure", "unit_id"),)

    measure: Mapped[str]
    unit_id: Mapped[int] = mapped_column(BigInteger)


class FigureRow(Base):
    """A figure as it was reported: never changed, only superseded by another for the same day."""

    __tablename__ = "figure"
    __table_args__ = (
        Index(
            "uq_figure_standing",
            "series_id",
            "day",
            unique=True,
            postgresql_where="superseded_at IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    series_id: Mapped[UUID] = mapped_column(ForeignKey("figure_series.id"), index=True)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    day: Mapped[date]
    value: Mapped[Decimal] = mapped_column(Numeric(20, 6))
    document: Mapped[str]
    note: Mapped[str]
    reported_at: Mapped[moment]
    reported_by: Mapped[str]
    superseded_at: Mapped[moment | None]
