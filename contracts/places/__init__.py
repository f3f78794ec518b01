"""Reference data: the units of the district over time, and the scopes that its bureau serves.

Sources, dates and what is invented stand in README.md beside the data.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Self

from pydantic import Field, TypeAdapter, model_validator

from contracts.events.placename import PlaceUnit
from contracts.model import Contract, UnitId


class ScopePeriodData(Contract):
    """Units in the scope from `from` to `to`, both included; no `to` means until further notice."""

    from_: date = Field(alias="from")
    to: date | None
    units: tuple[UnitId, ...] = Field(min_length=1)


class ScopeData(Contract):
    """A scope (管辖口径): the units that a body serves, which is not always those below it."""

    code: str = Field(pattern=r"^[A-Z]+[0-9]*$")
    name: str = Field(min_length=1, max_length=50)
    periods: tuple[ScopePeriodData, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        before: date | None = date.min
        for period in self.periods:
            if before is None or period.from_ <= before:
                raise ValueError("periods must be in order and must not overlap")
            before = period.to
        return self


@cache
def place_units() -> tuple[PlaceUnit, ...]:
    """Counties, streets, towns, communities and villages, by id, each with its dated periods."""
    successors: dict[str, list[str]] = defaultdict(list)
    for row in _rows("successors.csv"):
        successors[row["id"]].append(row["successor"])
    periods: dict[str, list[dict[str, str | None]]] = defaultdict(list)
    for row in _rows("units.csv"):
        unit = row.pop("id")
        periods[unit].append({key: value or None for key, value in row.items()})
    return tuple(
        PlaceUnit.model_validate(
            {"id": unit, "periods": periods[unit], "successors": successors[unit]}
        )
        for unit in sorted(periods)
    )


@cache
def scopes() -> tuple[ScopeData, ...]:
    """The scopes YUBEI22 and YUBEI30."""
    data = files(__name__).joinpath("scopes.json").read_bytes()
    return TypeAdapter(tuple[ScopeData, ...]).validate_json(data)


def _rows(name: str) -> Iterator[dict[str, str]]:
    lines = files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return csv.DictReader(lines)
