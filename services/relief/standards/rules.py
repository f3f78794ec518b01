"""The law of standards (救助标准): a stored amount by date, never computed from another.

社会救助暂行办法 art. 10; domain.md R-11. A standard is set by a notice for a day on;
a correction takes the place of what was recorded, which is kept beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from contracts.events.relief import Area, StandardCode

CITY_AREAS = frozenset({Area.URBAN, Area.RURAL})
AREAS_OF: dict[StandardCode, frozenset[Area]] = {
    StandardCode.DIBAO: CITY_AREAS,
    StandardCode.TEKUN_BASIC: frozenset({Area.ALL}),
    StandardCode.TEKUN_CARE_FULL: frozenset({Area.ALL}),
    StandardCode.TEKUN_CARE_HALF: frozenset({Area.ALL}),
    StandardCode.TEKUN_CARE_SELF: frozenset({Area.ALL}),
}
MOST_AMOUNTS = 200
"""Standing amounts of one series: one or two notices a year, with room."""

TEKUN_FLOOR = Decimal("1.3")
"""特困 basic ≥ 1.3 × urban 低保 (社会救助暂行办法 art. 15 practice): a warning, not a rule."""


@dataclass(frozen=True, slots=True)
class Amount:
    """One recorded amount: in force from `valid_from`, unless `superseded`."""

    id: UUID
    valid_from: date
    amount: Decimal
    document: str
    recorded_at: datetime
    superseded: bool = False


def area_fits(code: StandardCode, area: Area) -> bool:
    """Whether a standard is set per urban and rural area, or for all alike."""
    return area in AREAS_OF[code]


def in_force(amounts: Iterable[Amount], day: date) -> Amount | None:
    """The amount in force on a day, as known now."""
    standing = [one for one in amounts if not one.superseded and one.valid_from <= day]
    return max(standing, key=lambda one: one.valid_from, default=None)


def timeline(amounts: Iterable[Amount]) -> list[Amount]:
    """What is known now, one amount a day, in order."""
    return sorted((one for one in amounts if not one.superseded), key=lambda one: one.valid_from)


def below_floor(tekun_basic: Decimal, urban_dibao: Decimal) -> bool:
    """Whether the basic 特困 amount stays below 1.3 times the urban 低保 amount (relief.md §3)."""
    return tekun_basic < TEKUN_FLOOR * urban_dibao
