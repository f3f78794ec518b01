"""A recount straight from what was published, by simple loops, without the ledger's code."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from chassis.clock import SHANGHAI
from contracts.events.envelope import CloudEvent
from contracts.places import place_units, scopes

Count: TypeAlias = Fraction | None
FUNCTIONS = {"full_care", "day_care", "home_service", "guidance"}
INSTITUTIONS = {"institution", "rural_home", "intensive_care_centre", "complex"}
PARENTS = {unit.id: unit.periods for unit in place_units()}
SCOPE = next(one for one in scopes() if one.code == "YUBEI22").periods[0]
DISTRICT = 500112000000


def town_of(unit: int, day: date) -> int | None:
    """The town that a village belongs to on the day; a town is its own."""
    period = [one for one in PARENTS[unit] if one.from_ <= day][-1]
    if period.level in {"town", "street"}:
        return unit
    return period.parent if period.level in {"village", "community"} else None


@dataclass(frozen=True)
class Where:
    """A town, or the scope of the 22."""

    town: int | None

    def holds(self, unit: int, day: date) -> bool:
        town = town_of(unit, day)
        if self.town is not None:
            return town == self.town
        return town in SCOPE.units or unit == DISTRICT

    @property
    def home(self) -> int:
        return self.town or DISTRICT

    def towns(self) -> int:
        return 1 if self.town else len(SCOPE.units)


class Recount:
    """Counts on what had been published by the end of a day."""

    def __init__(self, published: Iterable[CloudEvent], known_on: date | None) -> None:
        end = datetime.max.replace(tzinfo=SHANGHAI)
        if known_on is not None:
            end = datetime.combine(known_on + timedelta(days=1), time.min, SHANGHAI)
        self.latest: dict[str, CloudEvent] = {}
        for event in published:
            before = self.latest.get(event.subject)
            if event.time < end and (before is None or before.sequence < event.sequence):
                self.latest[event.subject] = event

    def _states(self, aggregate: str) -> Iterator[dict[str, Any]]:
        for event in self.latest.values():
            if f".{aggregate}." in event.type:
                yield event.data

    def _facilities(self, day: date) -> Iterator[tuple[dict[str, Any], bool]]:
        """Each facility as it is on the day, and whether it passed within a year."""
        for one in self._states("facility"):
            past = [period for period in one["periods"] if _day(period["from"]) <= day]
            if past:
                yield past[-1], _passed(one["assessments"], day)

    def _known(self, aggregate: str, counts: str, day: date) -> bool:
        """Whether by the day any subject has had a period that counts."""
        return any(
            period[counts] and _day(period["from"]) <= day
            for one in self._states(aggregate)
            for period in one["periods"]
        )

    def beds(self, day: date, where: Where) -> Count:
        if not self._known("facility", "open", day):
            return None
        return Fraction(
            sum(
                one["beds_in_use"]
                for one, _ in self._facilities(day)
                if one["open"] and where.holds(one["unit"], day)
            )
        )

    def institutions(self, day: date, where: Where) -> Mapping[str, Count]:
        """Number, approved beds, nursing beds, government beds, passed."""
        names = ("count", "beds", "nursing", "government", "passed")
        if not self._known("facility", "open", day):
            return dict.fromkeys(names)
        totals = dict.fromkeys(names, Fraction(0))
        for one, passed in self._facilities(day):
            if not one["open"] or one["kind"] not in INSTITUTIONS:
                continue
            if not where.holds(one["unit"], day):
                continue
            totals["count"] += 1
            totals["beds"] += one["beds"]
            totals["nursing"] += one["nursing_beds"]
            totals["government"] += one["beds"] if one["operator"] == "government" else 0
            totals["passed"] += passed
        return totals

    def comprehensive_towns(self, day: date, where: Where) -> Count:
        if not self._known("facility", "open", day):
            return None
        towns = {
            town_of(one["unit"], day)
            for one, _ in self._facilities(day)
            if one["open"] and set(one["functions"]) >= FUNCTIONS and where.holds(one["unit"], day)
        }
        return Fraction(len(towns))

    def awards(self, day: date, where: Where, area: str = "") -> Mapping[str, Count]:
        """Households, persons and yuan a month of the awards that are paid or in their grace."""
        names = ("relief_households", "relief_persons", "relief_amount")
        in_scope = where.town is not None or SCOPE.from_ <= day <= (SCOPE.to or date.max)
        known = any(
            period["state"] != "stopped" and _day(period["from"]) <= day
            for one in self._states("award")
            for period in one["periods"]
        )
        if not known or not in_scope:
            return dict.fromkeys(names)
        totals = dict.fromkeys(names, Fraction(0))
        for one in self._states("award"):
            past = [period for period in one["periods"] if _day(period["from"]) <= day]
            if not past or past[-1]["state"] == "stopped" or not where.holds(past[-1]["unit"], day):
                continue
            if area in ("", past[-1]["area"]):
                totals["relief_households"] += 1
                totals["relief_persons"] += past[-1]["persons"]
                totals["relief_amount"] += Fraction(past[-1]["amount"])
                totals["relief_amount"] += Fraction(past[-1]["extras"])
        return totals

    def workers(self, day: date, where: Where) -> Count:
        if not self._known("social_worker", "registered", day):
            return None
        persons = set()
        for one in self._states("social_worker"):
            past = [period for period in one["periods"] if _day(period["from"]) <= day]
            if past and past[-1]["registered"] and where.holds(past[-1]["unit"], day):
                persons.add(one["person"])
        return Fraction(len(persons))

    def standard(self, area: str, day: date, where: Where) -> Count:
        for one in self._states("standard"):
            if one["area"] == area and one["code"] == "dibao" and one["unit"] == where.home:
                past = [period for period in one["periods"] if _day(period["from"]) <= day]
                return Fraction(past[-1]["amount"]) if past else None
        return None

    def reported(self, measure: str, day: date, where: Where, *, flow: bool = False) -> Count:
        """The last figure of each unit by the day; of a flow, of the day's year."""
        told = []
        for one in self._states("figure"):
            if one["measure"] != measure or not where.holds(one["unit"], day):
                continue
            past = [
                figure
                for figure in one["figures"]
                if _day(figure["on"]) <= day and (not flow or _day(figure["on"]).year == day.year)
            ]
            if past:
                told.append(Fraction(max(past, key=lambda figure: figure["on"])["value"]))
        return sum(told, Fraction(0)) if told else None

    def stations(self, day: date, where: Where) -> Count:
        if self.reported("welfare.protection.stations", day, where) is None:
            return None
        towns = SCOPE.units if where.town is None else (where.town,)
        told = (self.reported("welfare.protection.stations", day, Where(town)) for town in towns)
        return Fraction(sum(1 for one in told if one))

    def board(self, day: date, where: Where) -> dict[str, tuple[Count, Count]]:
        """By indicator: numerator and denominator, or the value and nothing."""
        if where.town is None and not SCOPE.from_ <= day <= (SCOPE.to or date.max):
            return {}
        institutions = self.institutions(day, where)
        workers = self.workers(day, where)
        if workers is None:
            workers = self.reported("community.social_workers.reported", day, where)
        return {
            "rural_urban_dibao_ratio": (
                self.standard("rural", day, where),
                self.standard("urban", day, where),
            ),
            "eldercare_beds": (self.beds(day, where), None),
            "nursing_bed_share": (institutions["nursing"], institutions["beds"]),
            "government_bed_share": (institutions["government"], institutions["beds"]),
            "institution_quality_rate": (institutions["passed"], institutions["count"]),
            "comprehensive_coverage": (
                self.comprehensive_towns(day, where),
                Fraction(where.towns()),
            ),
            "social_workers": (workers, None),
            "charity_donations": (
                self.reported("community.donations", day, where, flow=True),
                None,
            ),
            "community_facility_area": (
                self.reported("community.facility.area", day, where),
                self.reported("community.households", day, where),
            ),
            "child_protection_coverage": (self.stations(day, where), Fraction(where.towns())),
        }


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _passed(assessments: Iterable[Mapping[str, Any]], day: date) -> bool:
    """The last assessment by the day, unless it is a year old."""
    past = [one for one in assessments if _day(one["assessed_on"]) <= day]
    if not past:
        return False
    last = max(past, key=lambda one: str(one["assessed_on"]))
    on = _day(last["assessed_on"])
    is_leap_day = (on.month, on.day) == (2, 29)
    expires = date(on.year + 1, 2, 28) if is_leap_day else on.replace(year=on.year + 1)
    return bool(last["passed"]) and day < expires


def as_shown(count: Count) -> Decimal | None:
    return None if count is None else Decimal(count.numerator) / Decimal(count.denominator)
