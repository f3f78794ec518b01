"""Which article says it, on which day (law/: the texts; relief.md §1, §14)."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chassis.law.standards import version_on

_ORDINANCE = "重庆市城乡居民最低生活保障条例（2016年修订）"
_MEASURES = "民发〔2021〕57号"
_NOTICE = "民发〔2022〕83号"
_LAW = "社会救助法（2026）"
ORDINANCE_FROM, MEASURES_FROM, NOTICE_FROM, LAW_FROM = (
    date(2016, 5, 1),
    date(2021, 7, 1),
    date(2022, 10, 20),
    date(2026, 7, 1),
)
"""From when the texts hold: 条例 art. 39, 57号 art. 42, the day of 83号, 社会救助法 art. 78."""
_2016, _2021, _2022, _2026 = ORDINANCE_FROM, MEASURES_FROM, NOTICE_FROM, LAW_FROM


class Subject(StrEnum):
    """What is ruled."""

    MEMBERS = "members"
    BELOW_STANDARD = "below_standard"
    EDGE = "edge"
    INCOME_WINDOW = "income_window"
    INCOME = "income"
    EMPLOYMENT_COST = "employment_cost"
    IMPUTED = "imputed"
    DISREGARDED = "disregarded"
    PROPERTY = "property"
    CONSUMPTION = "consumption"
    SPENDING = "spending"
    WHOLE_FAMILY = "whole_family"
    SOURCES = "sources"
    EDGE_FAMILY = "edge_family"
    UNEMPLOYED_DISABLED = "unemployed_disabled"
    CLERGY = "clergy"
    SPECIAL_HARDSHIP = "special_hardship"
    APART_FROM_PARENTS = "apart_from_parents"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class _Version:
    valid_from: date
    text: str


_ARTICLES: dict[Subject, tuple[_Version, ...]] = {
    Subject.MEMBERS: (
        _Version(_2016, f"{_ORDINANCE}第十一条"),
        _Version(_2021, f"{_MEASURES}第七条"),
    ),
    Subject.BELOW_STANDARD: (
        _Version(_2016, f"{_ORDINANCE}第十条"),
        _Version(_2026, f"{_LAW}第十八条"),
    ),
    Subject.EDGE: (
        _Version(_2021, f"{_MEASURES}第八条"),
        _Version(_2022, f"{_NOTICE}一（四）"),
        _Version(_2026, f"{_LAW}第二十一条"),
    ),
    Subject.INCOME_WINDOW: (_Version(_2016, f"{_ORDINANCE}第十二条"),),
    Subject.INCOME: (
        _Version(_2016, f"{_ORDINANCE}第十二条"),
        _Version(_2021, f"{_MEASURES}第十三条"),
    ),
    Subject.EMPLOYMENT_COST: (
        _Version(_2016, f"{_ORDINANCE}第十二条"),
        _Version(_2021, f"{_MEASURES}第十三条第一款第（一）项"),
    ),
    Subject.IMPUTED: (
        _Version(_2016, f"{_ORDINANCE}第十二条"),
        _Version(_2022, f"{_NOTICE}一（一）"),
    ),
    Subject.DISREGARDED: (_Version(_2022, f"{_NOTICE}一（一）"),),
    Subject.PROPERTY: (
        _Version(_2016, f"{_ORDINANCE}第十三条"),
        _Version(_2021, f"{_MEASURES}第十四条"),
    ),
    Subject.CONSUMPTION: (
        _Version(_2016, f"{_ORDINANCE}第十条"),
        _Version(_2021, f"{_MEASURES}第十七条"),
    ),
    Subject.SPENDING: (_Version(_2016, f"{_ORDINANCE}第十条"),),
    Subject.WHOLE_FAMILY: (
        _Version(_2016, f"{_ORDINANCE}第十条"),
        _Version(_2021, f"{_MEASURES}第四条"),
        _Version(_2022, f"{_NOTICE}一（一）"),
    ),
    Subject.SOURCES: (
        _Version(_2016, f"{_ORDINANCE}第二十七条"),
        _Version(_2021, f"{_MEASURES}第十七条"),
        _Version(_2026, f"{_LAW}第四十一条"),
    ),
    Subject.EDGE_FAMILY: (
        _Version(_2021, f"{_MEASURES}第八条第一款第（一）、（二）项"),
        _Version(_2022, f"{_MEASURES}第八条第一款第（一）、（二）项，{_NOTICE}一（四）"),
        _Version(_2026, f"{_LAW}第二十一条，{_MEASURES}第八条第一款第（一）、（二）项"),
    ),
    Subject.UNEMPLOYED_DISABLED: (_Version(_2022, f"{_NOTICE}一（一）"),),
    Subject.CLERGY: (_Version(_2021, f"{_MEASURES}第八条第一款第（三）项"),),
    Subject.SPECIAL_HARDSHIP: (
        _Version(_2021, f"{_MEASURES}第八条第一款第（四）项"),
        _Version(_2022, f"{_MEASURES}第八条第一款第（四）项，{_NOTICE}一（四）"),
        _Version(_2026, f"{_LAW}第二十一条"),
    ),
    Subject.APART_FROM_PARENTS: (_Version(_2016, f"{_ORDINANCE}第十一条"),),
    Subject.ALONE: (
        _Version(_2016, f"{_ORDINANCE}第十一条"),
        _Version(_2021, f"{_MEASURES}第八条"),
        _Version(_2022, f"{_MEASURES}第八条，{_NOTICE}一（一）、一（四）"),
        _Version(_2026, f"{_LAW}第二十一条，{_MEASURES}第八条，{_NOTICE}一（一）"),
    ),
}


def article(subject: Subject, day: date) -> str:
    """The document and article in force on a day.

    Raises:
        NotInForceError: before the first that is known here.
    """
    return version_on(_ARTICLES[subject], day).text
