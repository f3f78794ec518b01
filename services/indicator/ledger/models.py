"""The ledger's tables, all of them derived from events.

`entry` is the ledger. `movement` and `year_movement` are what it comes to as known now, by day and
by year: the figure of a day is the sum of the whole years before and of the days since 1 January.
So a late fact changes two rows, whatever is posted after it, and a query reads at most one year of
days. Batches add to the same rows, in any order of time but in one order of rows: they wait for one
another there, and never in a circle.
"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, Numeric, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import moment
from services.indicator.database import Projection


class SubjectState(Projection):
    """The last event of a subject that was applied: the highest sequence alone is the truth.

    A unit of which entries were posted before the register knew it stands here too, with 0.
    """

    __tablename__ = "subject_state"

    topic: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    recorded_at: Mapped[moment]


class LedgerEntry(Projection):
    """Only ever inserted: what one event changed of one subject's sums."""

    __tablename__ = "entry"
    __table_args__ = (
        PrimaryKeyConstraint(
            "topic", "subject", "measure", "key", "unit_id", "effective", "event_id"
        ),
        Index("ix_entry_measure_effective", "measure", "effective"),
    )

    topic: Mapped[str]
    subject: Mapped[UUID]
    measure: Mapped[str]
    key: Mapped[str]
    unit_id: Mapped[int] = mapped_column(BigInteger)
    effective: Mapped[date]
    event_id: Mapped[UUID]
    event_type: Mapped[str]
    recorded_at: Mapped[moment]
    amount: Mapped[Decimal] = mapped_column(Numeric)


class Movement(Projection):
    """What a day adds, as known now."""

    __tablename__ = "movement"
    __table_args__ = (PrimaryKeyConstraint("measure", "day", "key", "unit_id"),)

    measure: Mapped[str]
    day: Mapped[date]
    key: Mapped[str]
    unit_id: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal] = mapped_column(Numeric)


class YearMovement(Projection):
    """What the days of a year add together."""

    __tablename__ = "year_movement"
    __table_args__ = (PrimaryKeyConstraint("measure", "year", "key", "unit_id"),)

    measure: Mapped[str]
    year: Mapped[int] = mapped_column(Integer)
    key: Mapped[str]
    unit_id: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal] = mapped_column(Numeric)


class RegisterMark(Projection):
    """From when a register is kept at all, without saying by whom: every unit may know that.

    `recorded_on` is the day in Asia/Shanghai; the amounts of a day add up to its subjects.
    """

    __tablename__ = "register_mark"
    __table_args__ = (PrimaryKeyConstraint("marker", "effective", "recorded_on"),)

    marker: Mapped[str]
    effective: Mapped[date]
    recorded_on: Mapped[date]
    amount: Mapped[int] = mapped_column(BigInteger)
