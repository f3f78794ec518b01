"""The language in which a plan's yaml says how an indicator is computed.

Numbers, names of measures, `+ - * /`, and the functions `min`, `max`, `first(a, b, …)` (the first
that is known), `year_before(x)` (the same day a year earlier), `growth(x)` (per cent over the
year before) and `towns()` (number of towns and streets asked for). Arithmetic is exact; a value
that is not known, and a division by zero, make the whole NA (None).
"""

import ast
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Protocol, TypeAlias

from services.indicator.ledger.rules import year_earlier

TOWNS = "towns"
"""Name under which `Values` is asked for the number of towns; no measure has a name like it."""

Need: TypeAlias = tuple[str, date]


class ExpressionError(ValueError):
    """The text is no expression of this language, or names a measure that is not declared."""


class Values(Protocol):
    """What the measures are worth on the ground asked for; None where that is not known."""

    def value(self, measure: str, day: date) -> Fraction | Decimal | None: ...


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Figure:
    measure: str


@dataclass(frozen=True, slots=True)
class YearBefore:
    part: "Expression"


@dataclass(frozen=True, slots=True)
class First:
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Combined:
    operation: Callable[[Fraction, Fraction], Fraction | None]
    left: "Expression"
    right: "Expression"


Expression: TypeAlias = Number | Figure | YearBefore | First | Combined


def evaluate(expression: Expression, values: Values, day: date) -> Fraction | None:
    """The exact value on `day`, or None for NA."""
    match expression:
        case Number(value):
            return value
        case Figure(measure):
            told = values.value(measure, day)
            return None if told is None else Fraction(told)
        case YearBefore(part):
            return evaluate(part, values, year_earlier(day))
        case First(parts):
            known = _first_known(parts, values, day)
            return None if known is None else evaluate(known, values, day)
        case Combined(operation, left, right):
            a, b = evaluate(left, values, day), evaluate(right, values, day)
            return None if a is None or b is None else operation(a, b)


def requirements(expression: Expression, day: date) -> frozenset[Need]:
    """Every measure and day that `evaluate` may ask for."""
    match expression:
        case Number():
            return frozenset()
        case Figure(measure):
            return frozenset({(measure, day)})
        case YearBefore(part):
            return requirements(part, year_earlier(day))
        case First(parts):
            return frozenset[Need]().union(*(requirements(part, day) for part in parts))
        case Combined(_, left, right):
            return requirements(left, day) | requirements(right, day)


def used(expression: Expression, values: Values, day: date) -> frozenset[Need]:
    """What the value on `day` is made of: as `requirements`, without the alternatives not taken."""
    match expression:
        case YearBefore(part):
            return used(part, values, year_earlier(day))
        case First(parts):
            known = _first_known(parts, values, day)
            return frozenset() if known is None else used(known, values, day)
        case Combined(_, left, right):
            return used(left, values, day) | used(right, values, day)
        case _:
            return requirements(expression, day)


def _first_known(parts: tuple[Expression, ...], values: Values, day: date) -> Expression | None:
    return next((part for part in parts if evaluate(part, values, day) is not None), None)


def _add(a: Fraction, b: Fraction) -> Fraction:
    return a + b


def _subtract(a: Fraction, b: Fraction) -> Fraction:
    return a - b


def _multiply(a: Fraction, b: Fraction) -> Fraction:
    return a * b


def _divide(a: Fraction, b: Fraction) -> Fraction | None:
    return a / b if b else None


def percentage(part: Expression, whole: Expression) -> Expression:
    """`part` of each hundred of `whole`."""
    return Combined(_divide, Combined(_multiply, Number(Fraction(100)), part), whole)


def parse(text: str, measures: Collection[str]) -> Expression:
    """Compile `text`; raises ExpressionError with what is wrong in it."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"{text!r}: {error.msg}") from error
    return _expression(tree.body, measures)


_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction | None]] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mult: _multiply,
    ast.Div: _divide,
}


def _expression(node: ast.expr, measures: Collection[str]) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Number(Fraction(repr(number)))
        case ast.Attribute() | ast.Name():
            return _measure(node, measures)
        case ast.BinOp(left, operator, right) if type(operator) in _OPERATIONS:
            operation = _OPERATIONS[type(operator)]
            return Combined(operation, _expression(left, measures), _expression(right, measures))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, tuple(_expression(part, measures) for part in arguments))
    raise ExpressionError(f"{ast.unparse(node)!r} is not part of the language")


def _measure(node: ast.expr, measures: Collection[str]) -> Figure:
    name = ast.unparse(node)
    if name not in measures:
        raise ExpressionError(f"{name!r} is not a declared measure")
    return Figure(name)


def _call(name: str, parts: tuple[Expression, ...]) -> Expression:
    match name, parts:
        case "towns", ():
            return Figure(TOWNS)
        case "year_before", (part,):
            return YearBefore(part)
        case "growth", (part,):
            before = YearBefore(part)
            return percentage(Combined(_subtract, part, before), before)
        case "first", (_, _, *_):
            return First(parts)
        case "min", (_, _, *_):
            return reduce(lambda a, b: Combined(min, a, b), parts)
        case "max", (_, _, *_):
            return reduce(lambda a, b: Combined(max, a, b), parts)
    raise ExpressionError(f"{name}() with {len(parts)} arguments is not part of the language")
