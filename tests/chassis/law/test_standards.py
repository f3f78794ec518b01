from dataclasses import dataclass
from datetime import date

import pytest

from chassis.law.standards import Entry, NotInForceError, Series, version_on


def entry(valid_from: date, value: int | None, known_from: date) -> Entry[int]:
    return Entry(valid_from, value, f"渝民发〔{valid_from.year}〕1号", known_from)


URBAN = Series(
    (
        entry(date(2021, 9, 1), 636, date(2021, 9, 1)),
        entry(date(2022, 9, 1), 717, date(2022, 9, 1)),
        entry(date(2023, 9, 1), 735, date(2023, 9, 1)),
    )
)


def value_on(series: Series[int], day: date, known_on: date | None = None) -> int | None:
    found = series.in_force(day, known_on)
    return found.value if found else None


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2021, 8, 31), None),
        (date(2021, 9, 1), 636),
        (date(2022, 8, 31), 636),
        (date(2022, 9, 1), 717),
        (date(2030, 1, 1), 735),
    ],
)
def test_the_standard_of_the_day_is_the_last_that_has_begun(day: date, value: int | None) -> None:
    assert value_on(URBAN, day) == value


def test_a_standard_is_not_in_force_before_it_was_known() -> None:
    late = Series((entry(date(2021, 9, 1), 636, date(2021, 10, 8)),))
    assert value_on(late, date(2021, 9, 15), known_on=date(2021, 10, 7)) is None
    assert value_on(late, date(2021, 9, 15), known_on=date(2021, 10, 8)) == 636


def test_a_correction_replaces_the_value_and_the_old_one_is_still_seen_as_known_then() -> None:
    corrected = Series((*URBAN.entries, entry(date(2022, 9, 1), 718, date(2022, 12, 1))))
    assert value_on(corrected, date(2022, 10, 1)) == 718
    assert value_on(corrected, date(2022, 10, 1), known_on=date(2022, 11, 30)) == 717
    assert value_on(corrected, date(2023, 9, 1)) == 735


def test_of_two_corrections_of_one_day_the_later_entered_stands() -> None:
    day = date(2022, 9, 1)
    twice = Series((entry(day, 1, day), entry(day, 2, day)))
    assert value_on(twice, day) == 2


def test_what_is_taken_back_was_never_set() -> None:
    wrong_day = Series(
        (
            *URBAN.entries,
            entry(date(2022, 9, 1), None, date(2022, 9, 10)),
            entry(date(2022, 10, 1), 717, date(2022, 9, 10)),
        )
    )
    assert value_on(wrong_day, date(2022, 9, 15)) == 636
    assert value_on(wrong_day, date(2022, 10, 1)) == 717
    assert value_on(wrong_day, date(2022, 9, 15), known_on=date(2022, 9, 9)) == 717


def test_what_stands_is_listed_in_order_of_validity() -> None:
    shuffled = Series(tuple(reversed(URBAN.entries)))
    assert shuffled.as_known() == URBAN.entries


def test_the_document_comes_with_the_value() -> None:
    found = URBAN.in_force(date(2022, 12, 31))
    assert found
    assert found.document == "渝民发〔2022〕1号"


@dataclass(frozen=True)
class Instrument:
    valid_from: date
    name: str


INSTRUMENTS = (
    Instrument(date(2022, 12, 30), "GB/T 42195"),
    Instrument(date(2013, 10, 1), "MZ/T 039"),
)


@pytest.mark.parametrize(
    ("assessed", "name"),
    [(date(2022, 12, 29), "MZ/T 039"), (date(2022, 12, 30), "GB/T 42195")],
)
def test_the_version_of_a_rule_is_that_of_the_day(assessed: date, name: str) -> None:
    assert version_on(INSTRUMENTS, assessed).name == name


def test_there_is_no_version_before_the_first() -> None:
    with pytest.raises(NotInForceError):
        version_on(INSTRUMENTS, date(2013, 9, 30))
