from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, Index, Numeric
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import Aggregate, moment
from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from services.eldercare.database import Base
from services.eldercare.facilities.rules import Series

FUNCTION = Enum(
    FacilityFunction,
    native_enum=False,
    length=40,
    values_callable=lambda kind: [one.value for one in kind],
)
COLUMNS_OF = {
    Series.LIFE: "open",
    Series.NAME: "name",
    Series.KIND: "kind",
    Series.PLACE: "unit_id, address",
    Series.OPERATOR: "operator_name, operator_kind",
    Series.BEDS: "beds, nursing_beds, beds_in_use",
    Series.FUNCTIONS: "functions",
    Series.ASSESSMENT: "passed",
}
"""The columns that a fact of the series fills, and no fact of another one."""


def _own_columns(series: Series) -> CheckConstraint:
    columns = COLUMNS_OF[series]
    filled = f"CASE WHEN withdrawn OR series <> '{series}' THEN 0 ELSE {columns.count(',') + 1} END"
    return CheckConstraint(f"num_nonnulls({columns}) = {filled}", name=f"columns_of_{series}")


class FacilityRow(Aggregate, Base):
    """One facility; what is true of it stands in its facts.

    `responsible_unit` is the street, town, community or village where it stands now: it decides
    who sees it, and changes with a move.
    """

    __tablename__ = "facility"

    responsible_unit: Mapped[int] = mapped_column(BigInteger, index=True)


class FacilityFactRow(Base):
    """A fact as recorded: nothing of it is ever changed but who is responsible for it now."""

    __tablename__ = "facility_fact"
    __table_args__ = (
        *(_own_columns(series) for series in Series),
        CheckConstraint(
            "nursing_beds BETWEEN 0 AND beds AND beds_in_use BETWEEN 0 AND beds", name="beds"
        ),
        CheckConstraint("score IS NULL OR passed IS NOT NULL", name="score"),
        CheckConstraint("NOT withdrawn OR supersedes IS NOT NULL", name="withdrawal"),
        CheckConstraint("(supersedes IS NULL) = (reason = '')", name="reason"),
        Index("ix_facility_fact_series", "facility_id", "series", "valid_from"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facility.id"))
    responsible_unit: Mapped[int] = mapped_column(BigInteger, index=True)
    series: Mapped[Series]
    valid_from: Mapped[date]
    document: Mapped[str]
    recorded_at: Mapped[moment]
    recorded_by: Mapped[str]
    supersedes: Mapped[UUID | None] = mapped_column(ForeignKey("facility_fact.id"), unique=True)
    reason: Mapped[str]
    withdrawn: Mapped[bool]

    open: Mapped[bool | None]
    name: Mapped[str | None]
    kind: Mapped[FacilityKind | None]
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    address: Mapped[str | None]
    operator_name: Mapped[str | None]
    operator_kind: Mapped[OperatorKind | None]
    beds: Mapped[int | None]
    nursing_beds: Mapped[int | None]
    beds_in_use: Mapped[int | None]
    functions: Mapped[list[FacilityFunction] | None] = mapped_column(ARRAY(FUNCTION))
    passed: Mapped[bool | None]
    score: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))


class ImportedHistory(Base):
    """A back-entry (补录) that was taken in: its content is not taken in a second time."""

    __tablename__ = "imported_history"

    fingerprint: Mapped[bytes] = mapped_column(primary_key=True)
    imported_at: Mapped[moment]
    imported_by: Mapped[str]
    facilities: Mapped[int]
