"""Date arithmetic of the Civil Code (民法典): months end on the same date, or on the last."""

import calendar
from datetime import date

EARLIEST_DAY, LATEST_DAY = date(1949, 10, 1), date(2099, 12, 31)
"""The days that anything recorded here can be of."""

EARLIEST_BIRTH = date(1900, 1, 1)
"""Before which nobody who is alive was born."""


def add_months(day: date, months: int) -> date:
    """The corresponding day `months` later (earlier if negative).

    Where that month has no such day, its last day (民法典 art. 202).
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def add_years(day: date, years: int) -> date:
    """The corresponding day `years` later; 29 February ends on 28 February (民法典 art. 202)."""
    return add_months(day, 12 * years)
