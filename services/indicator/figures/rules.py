"""Which figures can be reported (填报): of what, for whom, for which day, how finely."""

from datetime import date
from decimal import Decimal

from contracts.events.placename import UnitLevel
from services.indicator.ledger.rules import Measure, MeasureKind, ReportedAt

MOST_DIGITS = 9
"""Digits before the point: the largest amount of the plan has six."""
LEAST_RATE, MOST_RATE = -100, 1_000
"""Per cent: nothing shrinks by more than all of it, and tenfold growth is a slip of the pen."""
TOWN_LEVELS = frozenset({UnitLevel.STREET, UnitLevel.TOWN})


def value_mistake(measure: Measure, value: Decimal) -> str | None:
    """What is wrong with a value, in Chinese. A rate of growth alone may be negative."""
    if measure.kind is MeasureKind.LEVEL:
        if not LEAST_RATE <= value <= MOST_RATE:
            return f"应在 {LEAST_RATE} 至 {MOST_RATE} 之间"
    elif value < 0:
        return "不能为负数"
    if value >= 10**MOST_DIGITS:
        return "数值过大"
    if value != round(value, measure.decimals):
        return f"最多 {measure.decimals} 位小数" if measure.decimals else "应为整数"
    return None


def day_mistake(measure: Measure, on: date, today: date) -> str | None:
    """What is wrong with the day that a figure is of, in Chinese."""
    if on > today:
        return "不能晚于今天"
    if measure.yearly and (on.month, on.day) != (12, 31):
        return "该项为年度数据，应填所属年份的12月31日"
    return None


def unit_mistake(measure: Measure, level: UnitLevel | None, *, is_district: bool) -> str | None:
    """What is wrong with the unit that a figure is for, in Chinese; `level` is None of no unit.

    A measure is reported at one level alone, so that nothing is counted at two of them.
    """
    if measure.reported_at is ReportedAt.DISTRICT:
        return None if is_district else "该项按全区填报，应填规划所属区县的代码"
    if level is None:
        return "当日没有此区划"
    return None if level in TOWN_LEVELS else "该项按镇街填报，应填镇街的代码"
