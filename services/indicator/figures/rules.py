"""Which figures can be reported (填报): of what, for whom, how finely."""

from decimal import Decimal

from contracts.events.placename import UnitLevel
from services.indicator.ledger.rules import KeyKind, Measure, MeasureKind

MOST_DIGITS = 12
"""Digits before the point: the largest amount of the plan has six."""


def value_mistake(measure: Measure, value: Decimal) -> str | None:
    """What is wrong with a value, in Chinese."""
    if value < 0 and measure.kind is not MeasureKind.LEVEL:
        return "不能为负数"
    if abs(value) >= 10**MOST_DIGITS:
        return "数值过大"
    if value != round(value, measure.decimals):
        return f"最多 {measure.decimals} 位小数" if measure.decimals else "应为整数"
    return None


def unit_mistake(measure: Measure, level: UnitLevel | None, *, is_district: bool) -> str | None:
    """What is wrong with the unit that a figure is for, in Chinese."""
    if level is None:
        return "当日没有此区划"
    if level is not UnitLevel.COUNTY:
        return None
    if not is_district:
        return "全区的数据应填规划所属区县"
    if measure.key is KeyKind.TOWN:
        return "该项按镇街计数，须分镇街填报"
    return None
