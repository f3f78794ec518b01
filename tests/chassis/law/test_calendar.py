from datetime import date, timedelta

import pytest

from chassis.law.calendar import Calendar, Notice

CALENDAR = Calendar()


def notice(year: int, days_off: set[date], workdays: set[date]) -> Notice:
    return Notice(year, f"国办发明电〔{year - 1}〕1号", frozenset(days_off), frozenset(workdays))


@pytest.mark.parametrize(
    ("year", "count"),
    [(2020, 249), (2021, 250), (2022, 249), (2023, 249), (2024, 251), (2025, 248), (2026, 248)],
)
def test_working_days_of_a_year_as_the_notices_set_them(year: int, count: int) -> None:
    days = [date(year, 1, 1) + timedelta(n) for n in range(366)]
    assert sum(CALENDAR.is_working(day) for day in days if day.year == year) == count


def test_make_up_saturday_works_and_holiday_weekday_does_not() -> None:
    assert CALENDAR.is_working(date(2021, 9, 18))
    assert not CALENDAR.is_working(date(2021, 10, 7))


def test_the_spring_festival_of_2020_was_prolonged_to_2_february() -> None:
    assert not CALENDAR.is_working(date(2020, 1, 31))
    assert CALENDAR.is_working(date(2020, 2, 3))


def test_the_next_working_day_is_the_day_itself_if_it_works() -> None:
    assert CALENDAR.next_working(date(2026, 6, 1)) == date(2026, 6, 1)
    assert CALENDAR.next_working(date(2026, 5, 31)) == date(2026, 6, 1)
    assert CALENDAR.next_working(date(2025, 5, 31)) == date(2025, 6, 3)  # 端午


def test_beyond_the_last_notice_weekends_alone_count() -> None:
    assert CALENDAR.is_working(date(2027, 10, 1))  # a Friday
    assert not CALENDAR.is_working(date(2027, 10, 2))
    assert not CALENDAR.settled(date(2027, 10, 1))
    assert CALENDAR.settled(date(2026, 12, 28))


def test_the_last_days_of_a_year_wait_for_the_notice_of_the_next_as_in_2007_and_2018() -> None:
    assert not CALENDAR.is_working(date(2018, 12, 31))  # set by the notice for 2019
    assert not CALENDAR.settled(date(2026, 12, 29))
    assert Calendar([notice(2027, set(), set())]).settled(date(2026, 12, 29))


def test_before_the_first_notice_nothing_is_settled() -> None:
    assert not CALENDAR.settled(date(2003, 12, 28))
    assert CALENDAR.settled(date(2004, 1, 1))


def test_a_loaded_notice_settles_its_year_and_reaches_into_the_one_before() -> None:
    loaded = Calendar(
        [notice(2027, {date(2026, 12, 31), date(2027, 1, 1)}, {date(2026, 12, 26)})],
    )
    assert loaded.settled(date(2027, 6, 1))
    assert not loaded.is_working(date(2027, 1, 1))
    assert not loaded.is_working(date(2026, 12, 31))
    assert loaded.is_working(date(2026, 12, 26))  # a Saturday
    assert CALENDAR.is_working(date(2027, 1, 1))  # the other calendar is untouched


def test_a_later_notice_takes_back_what_an_earlier_one_said() -> None:
    first = notice(2027, {date(2027, 1, 4)}, {date(2027, 1, 9)})
    second = notice(2027, {date(2027, 1, 9)}, {date(2027, 1, 4)})
    loaded = Calendar([first, second])
    assert loaded.is_working(date(2027, 1, 4))
    assert not loaded.is_working(date(2027, 1, 9))


def test_a_notice_that_contradicts_itself_is_refused() -> None:
    day = date(2027, 1, 1)
    with pytest.raises(ValueError, match="既放假又上班"):
        notice(2027, {day}, {day})
