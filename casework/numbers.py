"""统一受理编号: `{6 division}{yyyyMMdd}{matter}{7 sequence}{check}`, one for a case, for ever.

The check character is by ISO 7064 MOD 37,36 (GB/T 17710): one of 0-9 and A-Z. It finds every
single wrong character and nearly every transposition, when a number is read over the telephone.
"""

import re
from datetime import date

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS = 36
_SEQUENCES = 10**7
_SHAPE = re.compile(r"[0-9]{14}[A-Z]{2,4}[0-9]{7}[0-9A-Z]", re.ASCII)


def case_number(unit: int, day: date, short: str, sequence: int) -> str:
    """The number of a case opened on `day`.

    The division is the county's, as it was when the unit came into the register: numbers do not
    change with codes. A sequence begins again after ten million cases, on another day.
    """
    body = f"{unit:012d}"[:6] + f"{day:%Y%m%d}{short}{sequence % _SEQUENCES:07d}"
    return body + check_character(body)


def check_character(body: str) -> str:
    """The character whose value brings the hybrid sum of ISO 7064 to 1 modulo 36."""
    product = _MODULUS
    for character in body:
        total = (product + _ALPHABET.index(character)) % _MODULUS or _MODULUS
        product = total * 2 % (_MODULUS + 1)
    return _ALPHABET[(1 - product) % _MODULUS]


def is_case_number(text: str) -> bool:
    """Whether it is shaped like a number of ours and its check character holds."""
    return bool(_SHAPE.fullmatch(text)) and check_character(text[:-1]) == text[-1]
