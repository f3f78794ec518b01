"""Persons of the demonstration: invented names, numbers that check and that nobody bears.

A number's sequence begins with 9, which no register gives out (domain.md E); whoever was born
before the district was bears the code of the county that it was made of.
"""

from datetime import date, timedelta
from typing import Any

from suite.demo.district import Town

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = ("安", "宁", "文", "秀", "国", "春", "明", "淑", "德", "玉", "家", "素", "永", "桂", "光")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
DISTRICT_SINCE = date(1997, 1, 1)
PLACES = 4
"""Members of one household at most."""


def person(
    town: int, case: int, place: int, born_in: int, *, female: bool = False
) -> dict[str, Any]:
    """Name, number and birthday of one member; the same for the same place in the district."""
    index = (town * 40 + case) * PLACES + place
    born = date(born_in, 1, 1) + timedelta(days=index % 365)
    code = "500112" if born >= DISTRICT_SINCE else "510218"
    sequence = 900 + 2 * (index // 365 % 50) + (0 if female else 1)
    body = f"{code}{born:%Y%m%d}{sequence}"
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True))
    return {
        "name": SURNAMES[(town + case) % len(SURNAMES)] + _given(index),
        "document_number": body + "10X98765432"[total % 11],
        "born": born.isoformat(),
    }


def _given(index: int) -> str:
    return GIVEN[index % len(GIVEN)] + GIVEN[index // len(GIVEN) % len(GIVEN)]


def village_of(town: Town, case: int) -> tuple[str, str]:
    """(code, name) of the village or community in which a case's household lives."""
    return town.units[case % len(town.units)]
