"""The synthetic district (domain.md E): what its history is, as data. No real person or firm.

On 2020-12-31 it gives Table 1's column of 2020. Every choice marked ◇ in domain.md E stands here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from chassis.law.units import Register
from contracts.events.placename import PlaceUnit, UnitLevel
from contracts.places import place_units, scopes
from suite.clients import DISTRICT_DIVISIONS

PLAN_SCOPE = "YUBEI22"
ORDINARY_BEDS, CENTRE_BEDS, STATION_BEDS, LARGE_STATION_BEDS = 125, 50, 7, 8
STATIONS, LARGE_STATIONS, POINTS = 163, 9, 63
INSTITUTIONS, GOVERNMENT_RUN, PASSED, LARGER_NURSING = 40, 18, 26, 26
COMPREHENSIVE = "全托、日托、上门服务、对下指导"
COMPREHENSIVE_CODES = ("full_care", "day_care", "home_service", "guidance")
RURAL_HOMES = (
    ("统景镇", "统景敬老院"),
    ("统景镇", "黄印敬老院"),
    ("统景镇", "龙安敬老院"),
    ("统景镇", "兴发敬老院"),
    ("石船镇", "石船敬老院"),
    ("石船镇", "胆沟敬老院"),
    ("木耳镇", "木耳敬老院"),
    ("木耳镇", "石鞋敬老院"),
    ("大湾镇", "红竹敬老院"),
    ("茨竹镇", "华蓥敬老院"),
)
"""表2 #2: the first eight are merged, the last two upgraded."""
MERGED = RURAL_HOMES[:8]
COMPREHENSIVE_TOWNS_2020 = ("龙兴镇", "洛碛镇")


@dataclass(frozen=True, slots=True)
class Town:
    id: int
    name: str
    is_street: bool
    units: tuple[tuple[str, str], ...]
    """(code, name) of its villages and communities, by the codes of the plan's years."""

    @property
    def code(self) -> str:
        return str(self.id)

    @property
    def left_on(self) -> date | None:
        """The day on which the town went to a district that is not the bureau's; or None."""
        home = {int(code) for code in DISTRICT_DIVISIONS}
        unit = next(one for one in place_units() if one.id == self.id)
        days = [period.from_ for period in unit.periods if period.parent not in home]
        return min(days, default=None)

    def district_on(self, day: date) -> str:
        """The name of the district that the town belongs to."""
        county = _register().county_of(self.id, day)
        return "" if county is None else _register().name_of(county, day) or ""

    def code_on(self, day: date) -> str:
        """The code of the day, or the last one where that of the day is not known."""
        return _register().last_code_of(self.id, day) or self.code


@dataclass(frozen=True, slots=True)
class Facility:
    """One facility as it stood at the end of 2020."""

    name: str
    kind: str
    code: str
    place: str
    operator: str
    operator_kind: str
    beds: int
    nursing: int
    functions: str
    opened_on: date
    assessed: bool | None = None


@cache
def _register() -> Register:
    return Register(place_units())


@cache
def towns() -> tuple[Town, ...]:
    """The 22 towns and streets that the bureau serves, streets first."""
    members = next(scope for scope in scopes() if scope.code == PLAN_SCOPE).periods[0].units
    below: dict[int, list[tuple[str, str]]] = {member: [] for member in members}
    heads: dict[int, PlaceUnit] = {}
    for unit in place_units():
        first = unit.periods[0]
        if unit.id in below:
            heads[unit.id] = unit
        elif first.parent in below and first.code is not None:
            below[first.parent].append((first.code, first.name))
    found = [
        Town(
            unit,
            heads[unit].periods[0].name,
            heads[unit].periods[0].level == UnitLevel.STREET,
            tuple(sorted(below[unit])),
        )
        for unit in members
    ]
    return tuple(sorted(found, key=lambda town: (not town.is_street, town.id)))


def town(name: str) -> Town:
    return next(one for one in towns() if one.name == name)


def streets() -> tuple[Town, ...]:
    return tuple(one for one in towns() if one.is_street)


def rural() -> tuple[Town, ...]:
    return tuple(one for one in towns() if not one.is_street)


def units() -> list[tuple[Town, str, str]]:
    """(town, code, name) of every village and community."""
    return [(one, code, name) for one in towns() for code, name in one.units]


def _opened(number: int) -> date:
    return date(2009 + number % 11, 1 + number % 12, 1 + number % 28)


def institutions() -> Iterator[Facility]:
    """40 × 125 beds, 18 of them run by the government, 26 passed, 1,546 nursing beds in all."""
    for number in range(INSTITUTIONS):
        if number < len(RURAL_HOMES):
            name, kind = RURAL_HOMES[number][1], "敬老院"
            home = town(RURAL_HOMES[number][0])
        else:
            home = towns()[number % len(towns())]
            kind = "敬老院" if number < GOVERNMENT_RUN else "养老机构"
            name = home.name[:-2] if home.is_street else home.name[:-1]
            name += "第二敬老院" if kind == "敬老院" else f"康寿养老院{_ordinal(number)}"
        government = number < GOVERNMENT_RUN
        comprehensive = home.name in COMPREHENSIVE_TOWNS_2020 and not government
        yield Facility(
            name=name,
            kind=kind,
            code=home.code,
            place=home.name,
            operator=f"{home.name}人民政府" if government else f"{name}（民办非企业单位）",
            operator_kind=_operator_kind(number),
            beds=ORDINARY_BEDS,
            nursing=39 if number < LARGER_NURSING else 38,
            functions=COMPREHENSIVE if comprehensive else "全托",
            opened_on=_opened(number),
            assessed=number % INSTITUTIONS < PASSED,
        )


def _operator_kind(number: int) -> str:
    if number < GOVERNMENT_RUN:
        return "公建公营"
    return ("公建民营", "民办非营利", "民办营利")[number % 3]


def _ordinal(number: int) -> str:
    return "" if number < len(towns()) + 10 else "二院"


def centres() -> Iterator[Facility]:
    """The 11 street centres, 50 beds each, all with comprehensive functions."""
    for number, home in enumerate(streets()):
        yield Facility(
            name=f"{home.name}养老服务中心",
            kind="镇街养老服务中心",
            code=home.code,
            place=home.name,
            operator="渝北区颐和养老服务中心（民办非企业单位）",
            operator_kind="公建民营",
            beds=CENTRE_BEDS,
            nursing=10,
            functions=COMPREHENSIVE,
            opened_on=date(2019, 1 + number, 15),
        )


def stations() -> Iterator[Facility]:
    """163 community stations: 154 × 7 + 9 × 8 beds."""
    urban = [one for one in units() if one[2].endswith("社区")]
    for number in range(STATIONS):
        home, code, name = urban[number % len(urban)]
        beds = LARGE_STATION_BEDS if number < LARGE_STATIONS else STATION_BEDS
        yield Facility(
            name=f"{home.name}{name}养老服务站",
            kind="社区养老服务站",
            code=code,
            place=f"{home.name}{name}",
            operator="渝北区邻里养老服务社（民办非企业单位）",
            operator_kind="民办非营利",
            beds=beds,
            nursing=0,
            functions="日托、助餐",
            opened_on=date(2018 + number % 3, 1 + number % 12, 1 + number % 28),
        )


def points() -> Iterator[Facility]:
    """63 mutual-aid points in villages, without beds."""
    villages = [one for one in units() if one[2].endswith("村")]
    for number in range(POINTS):
        home, code, name = villages[number * len(villages) // POINTS]
        yield Facility(
            name=f"{home.name}{name}互助养老点",
            kind="互助养老点",
            code=code,
            place=f"{home.name}{name}",
            operator=f"{name}村民委员会",
            operator_kind="民办非营利",
            beds=0,
            nursing=0,
            functions="互助、助餐",
            opened_on=date(2019 + number % 2, 1 + number % 12, 1 + number % 28),
        )


def facilities() -> list[Facility]:
    return [*institutions(), *centres(), *stations(), *points()]


def shared(total: int, parts: int) -> list[int]:
    """Whole numbers as equal as can be that add up to `total`."""
    return [total // parts + (1 if part < total % parts else 0) for part in range(parts)]
