"""The parameters that the product comes with, read from `parameters.yaml` once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from services.relief.parameters import rules
from services.relief.parameters.rules import Bound, Kind, Law, Parameter, Row, SetBy


class _Version(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_: date = Field(alias="from")
    to: date | None = None
    value: Any
    source: str = Field(min_length=1, max_length=200)
    confirmed: bool
    note: str = ""


class _Bound(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_: date = Field(alias="from")
    least: Decimal | None = None
    most: Decimal | None = None
    codes: frozenset[str] = frozenset()
    source: str = Field(min_length=1, max_length=200)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=r"^[a-z]+(\.[a-z0-9_]+)+$")
    title: str = Field(min_length=1)
    kind: Kind
    unit: str = ""
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    options: dict[str, str] = Field(default_factory=dict)
    absent: str = ""
    set_by: SetBy
    bounds: list[_Bound] = Field(default_factory=list)
    versions: list[_Version]


@dataclass(frozen=True, slots=True)
class Seed:
    """The parameters by key, in the order of the file, and their seeded rows by date."""

    parameters: Mapping[str, Parameter]
    rows: tuple[Row, ...]


@cache
def seed() -> Seed:
    """What the file says.

    Raises:
        ValueError: it is not a register of parameters; says at which key.
    """
    text = files(__package__).joinpath("parameters.yaml").read_text(encoding="utf-8")
    entries = [_Entry.model_validate(one) for one in yaml.safe_load(text)]
    parameters = {entry.key: _parameter(entry) for entry in entries}
    if len(parameters) != len(entries):
        raise ValueError("parameters.yaml: a key stands twice")
    rows = tuple(row for entry in entries for row in _rows(entry, parameters[entry.key]))
    return Seed(MappingProxyType(parameters), rows)


def law_on(day: date) -> Law:
    """The law of the day as seeded, without what a bureau has set."""
    return rules.law_on(day, seed().rows)


def _parameter(entry: _Entry) -> Parameter:
    return Parameter(
        entry.key,
        entry.title,
        entry.kind,
        entry.unit,
        entry.least,
        entry.most,
        MappingProxyType(entry.options),
        entry.absent,
        entry.set_by,
        tuple(Bound(one.from_, one.source, one.least, one.most, one.codes) for one in entry.bounds),
    )


def _rows(entry: _Entry, parameter: Parameter) -> list[Row]:
    days = [one.from_ for one in entry.versions]
    if days != sorted(set(days)):
        raise ValueError(f"parameters.yaml: {entry.key}: versions must be in order, one a day")
    return [
        Row(
            entry.key,
            rules.value_of(parameter, one.value, source=one.source, valid_from=one.from_),
            one.source,
            one.from_,
            one.to,
            confirmed=one.confirmed,
            note=one.note,
        )
        for one in entry.versions
    ]
