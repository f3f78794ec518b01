"""The figures counted again straight from the services' own tables, by plain loops.

Nothing of the ledger, its measures or its expressions is used: only the words of 表1 and A10.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg

from contracts.events.placename import UnitLevel
from contracts.places import place_units, scopes

Numbers = tuple[Decimal | None, Decimal | None]
INSTITUTIONS = {"institution", "rural_home", "intensive_care_centre", "complex"}
COMPREHENSIVE = {"full_care", "day_care", "home_service", "guidance"}
DISTRICT = 500112000000
FACTS = """SELECT f.* FROM facility_fact f WHERE NOT f.withdrawn
AND NOT EXISTS (SELECT 1 FROM facility_fact g WHERE g.supersedes = f.id)"""
AMOUNTS = """SELECT s.code, s.area, a.valid_from, a.amount FROM standard_amount a
JOIN standard_series s ON s.id = a.series_id WHERE a.superseded_at IS NULL"""
FIGURES = """SELECT s.measure, s.unit_id, f.day, f.value FROM figure f
JOIN figure_series s ON s.id = f.series_id WHERE f.superseded_at IS NULL"""
AWARDS = """SELECT p.*, (
    SELECT coalesce(sum(l.amount), 0) FROM award_line l WHERE l.period_id = p.id
) AS extras FROM award_period p WHERE p.superseded_at IS NULL"""


def served_towns() -> set[int]:
    return set(next(one for one in scopes() if one.code == "YUBEI22").periods[0].units)


def town_by_unit() -> dict[int, int]:
    """The town of every unit; villages of the 22 never moved between towns."""
    towns = {UnitLevel.STREET, UnitLevel.TOWN}
    return {
        unit.id: unit.id if unit.periods[0].level in towns else (unit.periods[0].parent or 0)
        for unit in place_units()
    }


class Facilities:
    """What was true of each facility of the 22 on a day."""

    def __init__(self, rows: Iterable[asyncpg.Record]) -> None:
        self._facts: dict[Any, dict[str, list[asyncpg.Record]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for row in sorted(rows, key=lambda one: one["valid_from"]):
            self._facts[row["facility_id"]][row["series"]].append(row)
        self._towns = town_by_unit()

    def open_on(self, day: date) -> list[dict[str, Any]]:
        found = []
        for series in self._facts.values():
            last = {
                name: standing[-1]
                for name, facts in series.items()
                if (standing := [fact for fact in facts if fact["valid_from"] <= day])
            }
            if "life" not in last or not last["life"]["open"]:
                continue
            town = self._towns[last["place"]["unit_id"]]
            if town not in served_towns():
                continue
            assessed = last.get("assessment")
            passed = (
                assessed is not None
                and assessed["passed"]
                and day < _year_on(assessed["valid_from"])
            )
            found.append(
                {
                    "town": town,
                    "kind": last["kind"]["kind"],
                    "operator": last["operator"]["operator_kind"],
                    "beds": last["beds"]["beds"],
                    "nursing": last["beds"]["nursing_beds"],
                    "in_use": last["beds"]["beds_in_use"],
                    "functions": set(last["functions"]["functions"]),
                    "passed": passed,
                }
            )
        return found


def _year_on(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def count_facilities(rows: Iterable[asyncpg.Record], day: date) -> dict[int, Numbers]:
    """Indicators 14–18: (value, None) or (numerator, denominator)."""
    standing = Facilities(rows).open_on(day)
    homes = [one for one in standing if one["kind"] in INSTITUTIONS]
    beds = Decimal(sum(one["beds"] for one in homes))
    government = sum(one["beds"] for one in homes if one["operator"] == "government")
    towns = {one["town"] for one in standing if one["functions"] >= COMPREHENSIVE}
    return {
        14: (Decimal(sum(one["in_use"] for one in standing)), None),
        15: (Decimal(sum(one["nursing"] for one in homes)), beds),
        16: (Decimal(sum(one["passed"] for one in homes)), Decimal(len(homes))),
        17: (Decimal(government), beds),
        18: (Decimal(len(towns)), Decimal(22)),
    }


def count_standards(rows: Iterable[asyncpg.Record], day: date) -> dict[int, Numbers]:
    """Indicator 2: rural over urban."""

    def in_force(area: str) -> Decimal | None:
        known = [
            (row["valid_from"], row["amount"])
            for row in rows
            if row["code"] == "dibao" and row["area"] == area and row["valid_from"] <= day
        ]
        return max(known)[1] if known else None

    return {2: (in_force("rural"), in_force("urban"))}


def count_figures(rows: list[asyncpg.Record], day: date) -> dict[int, Numbers]:
    """Indicators by reported figures: the last one of each unit up to the day, added up."""

    def latest(measure: str, *, flow: bool = False) -> Decimal | None:
        last: dict[int, tuple[date, Decimal]] = {}
        for row in rows:
            if row["measure"] != measure or row["day"] > day:
                continue
            if flow and row["day"].year != day.year:
                continue
            if row["unit_id"] != DISTRICT and row["unit_id"] not in served_towns():
                continue
            if row["unit_id"] not in last or last[row["unit_id"]][0] < row["day"]:
                last[row["unit_id"]] = (row["day"], row["value"])
        return sum((value for _, value in last.values()), Decimal(0)) if last else None

    def stations() -> Decimal | None:
        last: dict[int, tuple[date, Decimal]] = {}
        for row in rows:
            if row["measure"] == "welfare.protection.stations" and row["day"] <= day:
                last[row["unit_id"]] = max(
                    last.get(row["unit_id"], (date.min, Decimal(0))), (row["day"], row["value"])
                )
        return Decimal(sum(value > 0 for _, value in last.values())) if last else None

    welfare, community = "welfare.", "community."
    return {
        3: (latest(f"{welfare}living_subsidy.paid"), latest(f"{welfare}living_subsidy.entitled")),
        4: (latest(f"{welfare}care_subsidy.paid"), latest(f"{welfare}care_subsidy.entitled")),
        5: (latest(f"{welfare}lottery.outlets"), None),
        6: (latest(f"{community}facility.area"), latest(f"{community}households")),
        7: (latest(f"{community}social_workers.reported"), None),
        8: (latest(f"{community}donations", flow=True), None),
        9: (
            latest(f"{community}facility.with_volunteer_station"),
            latest(f"{community}facility.count"),
        ),
        10: (
            latest("marriage.cross_province.enabled"),
            latest("marriage.cross_province.required"),
        ),
        11: (stations(), Decimal(22)),
        12: (
            latest(f"{welfare}vagrant.returned", flow=True),
            latest(f"{welfare}vagrant.needing", flow=True),
        ),
        13: (latest("funeral.public_burial.facilities"), None),
    }


@dataclass(slots=True)
class Beside:
    """What is paid on a day: households, persons and yuan a month, in all and by area."""

    households: Counter[str] = field(default_factory=Counter)
    persons: Counter[str] = field(default_factory=Counter)
    amount: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def shown(self) -> dict[str, dict[str, Decimal]]:
        """As the board shows it."""
        parts = {"value": "", "urban": "urban", "rural": "rural"}
        return {
            "relief_households": {one: Decimal(self.households[of]) for one, of in parts.items()},
            "relief_persons": {one: Decimal(self.persons[of]) for one, of in parts.items()},
            "relief_amount": {one: self.amount[of] for one, of in parts.items()},
        }


def count_awards(rows: Iterable[asyncpg.Record], day: date) -> dict[int, Beside] | None:
    """What is paid in each town on a day; None before anything was ever paid anywhere."""
    towns = town_by_unit()
    standing: dict[Any, asyncpg.Record] = {}
    for row in sorted(rows, key=lambda one: one["valid_from"]):
        if row["valid_from"] <= day:
            standing[row["award_id"]] = row
    if not standing:
        return None
    found: dict[int, Beside] = defaultdict(Beside)
    for row in standing.values():
        if row["state"] == "stopped":
            continue
        beside = found[towns[row["place"]]]
        for part in ("", row["area"]):
            beside.households[part] += 1
            beside.persons[part] += len(row["persons"])
            beside.amount[part] += row["base"] + row["extras"]
    return found


def together(towns: Iterable[Beside]) -> Beside:
    """Several towns as one."""
    whole = Beside()
    for one in towns:
        whole.households.update(one.households)
        whole.persons.update(one.persons)
        for part, amount in one.amount.items():
            whole.amount[part] += amount
    return whole
