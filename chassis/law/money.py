"""Yuan (元) as exact decimals: no float comes near an amount."""

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction

Yuan = Decimal
"""An amount in yuan with at most two decimals, as `parse_yuan` and `round_half_up` give it."""

MAX_YUAN = Decimal("999999999999.99")  # what NUMERIC(14, 2) holds


class AmountError(ValueError):
    """The text is no amount in yuan; the message is for the user."""


def parse_yuan(text: str | int | Decimal) -> Yuan:
    """Read an amount in yuan: at most two decimals, within ±`MAX_YUAN`, no exponent lost.

    Raises:
        AmountError: anything else; nothing is rounded silently.
    """
    try:
        amount = Decimal(text.strip() if isinstance(text, str) else text)
    except InvalidOperation as error:
        raise AmountError("金额不是数字") from error
    if not amount.is_finite():
        raise AmountError("金额不是数字")
    if abs(amount) > MAX_YUAN:
        raise AmountError("金额超出范围")
    cents = amount.quantize(Decimal("0.01"))
    if cents != amount:
        raise AmountError("金额最多两位小数")
    return cents + 0  # no negative zero


def round_half_up(value: Decimal | Fraction | int, places: int = 2) -> Decimal:
    """Round half away from zero (四舍五入) to `places` decimals, exactly."""
    scaled = abs(Fraction(value)) * 10**places
    whole = math.floor(scaled + Fraction(1, 2))
    return _shifted(whole if value >= 0 else -whole, places)


def ceil_yuan(value: Decimal | Fraction | int) -> Yuan:
    """Round up to whole yuan (不足1元按1元计)."""
    return Decimal(math.ceil(Fraction(value)))


def published_percent(ratio: Decimal | Fraction | int) -> str:
    """A ratio (1 is 100 %) as it is published: per cent, two decimals, half up; 13/22 → "59.09"."""
    return str(round_half_up(Fraction(ratio) * 100))


def equal_shares(total: Yuan, parts: int) -> tuple[Yuan, ...]:
    """Split a total into equal shares in whole cents; what is left over goes to the last.

    Raises:
        AmountError: the total is negative or has more than two decimals.
        ValueError: there are no parts.
    """
    if parts < 1:
        raise ValueError("份数至少为1")
    cents = int(parse_yuan(total) * 100)
    if cents < 0:
        raise AmountError("金额不能为负数")
    share, rest = divmod(cents, parts)
    return (_shifted(share, 2),) * (parts - 1) + (_shifted(share + rest, 2),)


def _shifted(whole: int, places: int) -> Decimal:
    """`whole` × 10^-places without the rounding of the decimal context."""
    sign, digits, _ = Decimal(whole).as_tuple()
    return Decimal((sign, digits, -places))
