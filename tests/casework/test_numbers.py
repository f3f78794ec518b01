"""统一受理编号: domain.md C1; check character by ISO 7064 MOD 37,36."""

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from casework.numbers import case_number, check_character, is_case_number

SIDE = 500112002001
any_number = st.builds(
    case_number,
    st.just(SIDE),
    st.dates(date(2015, 1, 1), date(2035, 1, 1)),
    st.sampled_from(["DB", "TOY", "ZMQZ"]),
    st.integers(1, 10**8),
)


def test_the_number_says_division_day_matter_and_sequence() -> None:
    number = case_number(SIDE, date(2025, 3, 3), "DB", 42)
    assert number[:-1] == "50011220250303DB0000042"
    assert is_case_number(number)


def test_the_check_character_of_the_grids_published_example() -> None:
    """Global Release Identifier A1-2425G-ABC1234002-M, by the same MOD 37,36."""
    assert check_character("A12425GABC1234002") == "M"


@given(any_number)
def test_gb_17710_a_number_is_digits_and_capitals_alone(number: str) -> None:
    assert re.fullmatch("[0-9A-Z]+", number)


@given(any_number, st.data())
def test_one_wrong_character_is_found(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(number) - 2))
    other = data.draw(st.sampled_from("0123456789").filter(lambda one: one != number[place]))
    assert not is_case_number(number[:place] + other + number[place + 1 :])


def test_two_digits_changed_about_are_nearly_always_found() -> None:
    """ISO 7064: not all of them, but for a few pairs at few places."""
    turned = [
        number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        for n in range(300)
        for number in [case_number(SIDE, date(2015, 1, 1) + timedelta(days=13 * n), "DB", n * 7919)]
        for place in range(13)
        if number[place] != number[place + 1]
    ]
    assert sum(map(is_case_number, turned)) < len(turned) / 100
