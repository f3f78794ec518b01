from datetime import date

import pytest

from chassis.law.dates import add_months, add_years


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2021, 1, 31), 1, date(2021, 2, 28)),
        (date(2020, 1, 31), 1, date(2020, 2, 29)),
        (date(2021, 11, 30), 3, date(2022, 2, 28)),
        (date(2021, 12, 15), 1, date(2022, 1, 15)),
        (date(2021, 5, 31), -3, date(2021, 2, 28)),
        (date(2021, 1, 1), -1, date(2020, 12, 1)),
        (date(2021, 3, 31), 0, date(2021, 3, 31)),
    ],
)
def test_months_end_on_the_same_date_or_the_last_of_the_month_art_202(
    day: date, months: int, expected: date
) -> None:
    assert add_months(day, months) == expected


def test_a_year_from_29_february_ends_on_28_february_art_202() -> None:
    assert add_years(date(2020, 2, 29), 1) == date(2021, 2, 28)
    assert add_years(date(2020, 2, 29), 4) == date(2024, 2, 29)


def test_a_boundary_inspected_on_20_september_2019_is_due_five_years_later() -> None:
    assert add_years(date(2019, 9, 20), 5) == date(2024, 9, 20)
