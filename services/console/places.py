"""The villages that a form offers, below their towns, by the names and codes of the day."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache

from chassis.law.units import Register
from contracts.events.placename import UnitLevel
from contracts.places import place_units

Villages = Mapping[str, Mapping[str, str]]
"""By the town's name its villages and communities: the name of each by its code."""


@cache
def _register() -> Register:
    return Register(place_units())


def villages_around(code: str | None, day: date) -> Villages:
    """All of the district in which the unit of that code lies on the day; streets come first.

    What bears no known code on the day goes by the last one, as it does where it is sent.
    """
    register = _register()
    found = {
        register.name_of(town, day) or "": _codes(
            register, sorted(register.below(town, day) - {town}), day
        )
        for town in _towns(code, day)
    }
    return {town: villages for town, villages in found.items() if villages}


def towns_of(code: str | None, day: date) -> dict[str, str]:
    """The towns of the district in which the unit of that code lies, by their codes."""
    return _codes(_register(), _towns(code, day), day)


def districts(day: date) -> dict[str, str]:
    """The districts of the day by their codes, the one with the most towns first."""
    register = _register()
    above = Counter(register.county_of(town, day) for town in register.towns(day))
    return _codes(register, [one for one, _ in above.most_common() if one], day)


def _towns(code: str | None, day: date) -> list[int]:
    register = _register()
    unit = register.by_code(code) if code else None
    county = None if unit is None else register.county_of(unit, day)
    if county is None:
        return []
    towns = register.below(county, day).intersection(register.towns(day))
    return sorted(towns, key=lambda one: (register.level_of(one, day) is UnitLevel.TOWN, one))


def _codes(register: Register, units: Iterable[int], day: date) -> dict[str, str]:
    """The units' names by their codes, in the order given."""
    return {
        code: register.name_of(one, day) or code
        for one in units
        if (code := register.last_code_of(one, day))
    }
