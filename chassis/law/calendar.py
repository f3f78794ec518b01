"""Working days (工作日) by the State Council's yearly notices on holidays (节假日安排的通知)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from chinese_calendar import holidays, workdays

_DAY = timedelta(days=1)
_SATURDAY = 5
# The earliest day on which a notice so far changed the year before its own (2007-12-29).
_REACH_OF_NEXT_NOTICE = (12, 29)


@dataclass(frozen=True, slots=True)
class Notice:
    """One year's notice: days off and make-up workdays (调休上班); it may touch the years beside.

    Raises:
        ValueError: a day is named both off and working.
    """

    year: int
    document: str
    days_off: frozenset[date]
    workdays: frozenset[date]

    def __post_init__(self) -> None:
        if self.days_off & self.workdays:
            raise ValueError(f"{self.document}: 同一天既放假又上班")


class Calendar:
    """The notices packaged with `chinesecalendar`, then `notices` in order, the later one winning.

    A day that no notice has settled counts by the week alone, and `settled` says so.
    """

    def __init__(self, notices: Iterable[Notice] = ()) -> None:
        self._off = set(holidays)
        self._working = set(workdays)
        self._years = {day.year for day in holidays}
        for notice in notices:
            self._off = (self._off - notice.workdays) | notice.days_off
            self._working = (self._working - notice.days_off) | notice.workdays
            self._years.add(notice.year)

    def is_working(self, day: date) -> bool:
        if day in self._working:
            return True
        return day.weekday() < _SATURDAY and day not in self._off

    def settled(self, day: date) -> bool:
        """Whether no further notice is expected to say anything about the day."""
        if (day.month, day.day) >= _REACH_OF_NEXT_NOTICE:
            return {day.year, day.year + 1} <= self._years
        return day.year in self._years

    def next_working(self, day: date) -> date:
        """The day itself if working, else the first working day after it (民法典 art. 203)."""
        while not self.is_working(day):
            day += _DAY
        return day
