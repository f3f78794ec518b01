"""The law as data: parameters by legal source and date, and who decides (domain.md F, B1.1).

Every value that a rule uses is a row with its source, so a decision can name what it stood on.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar, cast
from uuid import UUID

from chassis.law.deadlines import Term, TermUnit
from chassis.law.standards import NotInForceError
from contracts.events.relief import Programme

T = TypeVar("T")
Value: TypeAlias = int | Decimal | str | bool | Term | frozenset[str] | Mapping[str, Decimal]
Raw: TypeAlias = bool | int | str | list[str] | dict[str, str] | dict[str, str | int]
"""A value as it is written in YAML and JSON."""

MUNICIPAL_ONLY = "dibao.delegation.municipal_only"
NO_MUNICIPAL_RULE = "缺少市级政府规定（社会救助法第44条）"
ANOTHER_BUREAU = "该乡镇、街道已划归另一区县，原民政局的下放不再有效"
TOTAL, SPECIAL = "dibao.limit.total", "dibao.limit.special"
PROMISED = "dibao.limit.promised"
MOST_ROWS = 200
"""Standing rows of one parameter and county, and authorities of one town: with room."""

_DAY = timedelta(days=1)


class Kind(StrEnum):
    INTEGER = "integer"
    DECIMAL = "decimal"
    CHOICE = "choice"
    FLAG = "flag"
    TERM = "term"
    CODES = "codes"
    AMOUNTS = "amounts"


class ParameterError(ValueError):
    """A value that the parameter cannot have; the text says why, in Chinese."""


class SetBy(StrEnum):
    """Who sets a parameter, and from when it may hold."""

    TEXT = "text"  # 法律、部委文件或条例已作规定, not a county's
    COUNTY = "county"  # 区县, from the day of recording on
    OPERATION = "operation"  # 区县, also for days that are past: it decides about no right


@dataclass(frozen=True, slots=True)
class Bound:
    """What a higher text demands of what a county sets, of rows valid from a day on.

    `least` and `most` bound numbers, days of a term and each amount; `codes` must all be there.
    """

    valid_from: date
    source: str
    least: Decimal | None = None
    most: Decimal | None = None
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a key may hold. `least` and `most` bound numbers, days of a term and each amount."""

    key: str
    title: str
    kind: Kind
    unit: str = ""
    least: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    options: Mapping[str, str] = field(default_factory=dict)
    """Codes with their Chinese names: of a choice, of a set of codes, of amounts (all needed)."""
    absent: str = ""
    """Why there is no version before the first one, or none at all."""
    set_by: SetBy = SetBy.TEXT
    bounds: tuple[Bound, ...] = ()
    """By day; the last one that has begun holds."""


@dataclass(frozen=True, slots=True)
class Row:
    """One version of a parameter, as one source sets it from `valid_from` on (to `valid_to`).

    Known from the end of `known_from` until `superseded_on`; what is seeded was always known.
    """

    key: str
    value: Value
    source: str
    valid_from: date
    valid_to: date | None = None
    confirmed: bool = True
    note: str = ""
    known_from: date = date.min
    superseded_on: date | None = None
    seeded: bool = True
    id: UUID | None = None

    def known(self, known_on: date | None) -> bool:
        if known_on is None:
            return self.superseded_on is None
        superseded = self.superseded_on is not None and self.superseded_on <= known_on
        return self.known_from <= known_on and not superseded


@dataclass(frozen=True, slots=True)
class Cited(Generic[T]):
    """A value with the source that it stands on, for decisions and answers."""

    key: str
    value: T
    source: str
    valid_from: date
    confirmed: bool
    note: str


def in_force(rows: Iterable[Row], day: date, known_on: date | None = None) -> Row | None:
    """The version in force on a day, as known at the end of another (default: now).

    Of two for one `valid_from` the one that was set counts, not the seeded one. Where what a county
    set has ended, the text's version of the day holds again, not what the county had set before;
    where a version of the text has ended, none does until the next begins.

    Rows are those of one county: what an abolished one had set does not pass on to the county that
    takes its place. Two that are merged may have set two values, and what is left to a county is
    its own bureau's to settle: until it records what it goes on with, the texts hold.
    """
    begun = [row for row in rows if row.known(known_on) and row.valid_from <= day]
    last = max(begun, key=lambda row: (row.valid_from, not row.seeded), default=None)
    if last is None or last.valid_to is None or day <= last.valid_to:
        return last
    return None if last.seeded else in_force([row for row in begun if row.seeded], day, known_on)


class Law:
    """The parameters in force on one day; it remembers which were asked for.

    Raises:
        NotInForceError: (each reading) no version of the parameter is in force on the day.
        TypeError: (each reading) the parameter is of another kind.
    """

    def __init__(self, day: date, rows: Mapping[str, Row]) -> None:
        self.day = day
        self._rows = rows
        self._asked: dict[str, Cited[Value]] = {}

    def integer(self, key: str) -> Cited[int]:
        return self._cited(key, _is_integer, int)

    def decimal(self, key: str) -> Cited[Decimal]:
        return self._cited(key, lambda value: isinstance(value, Decimal), Decimal)

    def choice(self, key: str) -> Cited[str]:
        return self._cited(key, lambda value: isinstance(value, str), str)

    def flag(self, key: str) -> Cited[bool]:
        return self._cited(key, lambda value: isinstance(value, bool), bool)

    def term(self, key: str) -> Cited[Term]:
        return self._cited(key, lambda value: isinstance(value, Term), Term)

    def codes(self, key: str) -> Cited[frozenset[str]]:
        return self._cited(key, lambda value: isinstance(value, frozenset), frozenset[str])

    def amounts(self, key: str) -> Cited[Mapping[str, Decimal]]:
        return self._cited(
            key, lambda value: isinstance(value, Mapping), cast("type", Mapping[str, Decimal])
        )

    def holds(self, key: str) -> bool:
        """Whether any version is in force on the day."""
        return key in self._rows

    def source_of(self, key: str) -> str:
        """The text of the version in force; not remembered as asked for."""
        return self._rows[key].source

    def cited(self) -> tuple[Cited[Value], ...]:
        """What was asked for, in the order of first asking."""
        return tuple(self._asked.values())

    def _cited(self, key: str, fits: Callable[[Value], bool], _: type[T]) -> Cited[T]:
        row = self._rows.get(key)
        if row is None:
            raise NotInForceError(f"{key}（{self.day}）: 当日没有生效的规定")
        if not fits(row.value):
            raise TypeError(f"{key}: asked for as another kind")
        found: Cited[Value] = Cited(
            key, row.value, row.source, row.valid_from, row.confirmed, row.note
        )
        self._asked.setdefault(key, found)
        return cast("Cited[T]", found)


def law_on(day: date, rows: Iterable[Row], known_on: date | None = None) -> Law:
    """The law of the day out of these rows; `seed.law_on(day)` takes the rows of the seed."""
    by_key: dict[str, list[Row]] = {}
    for row in rows:
        by_key.setdefault(row.key, []).append(row)
    found = {key: in_force(of_key, day, known_on) for key, of_key in by_key.items()}
    return Law(day, {key: row for key, row in found.items() if row is not None})


def value_of(parameter: Parameter, raw: object, *, source: str, valid_from: date) -> Value:
    """The value that is written as `raw` (see `Raw`), held against the parameter's bounds.

    Raises:
        ParameterError: it is of another kind, out of bounds, or names an unknown code.
    """
    if parameter.kind is Kind.TERM:
        return _term(parameter, raw, source, valid_from)
    return _READERS[parameter.kind](parameter, raw)


def written(value: Value) -> Raw:
    """A value as it is shown and kept: what `value_of` reads back."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Term):
        return {"count": value.count, "unit": value.unit.value}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return {code: str(amount) for code, amount in sorted(value.items())}
    return value


def check_bounds(parameter: Parameter, value: Value, day: date) -> None:
    """Hold what a county sets for a day on against the text above it.

    Raises:
        ParameterError: it goes beyond; the text names the article.
    """
    begun = [one for one in parameter.bounds if one.valid_from <= day]
    if not begun:
        return
    bound = begun[-1]
    for number in _numbers(value):
        if bound.least is not None and number < bound.least:
            raise ParameterError(f"不得低于 {bound.least}（{bound.source}）")
        if bound.most is not None and number > bound.most:
            raise ParameterError(f"不得超过 {bound.most}（{bound.source}）")
    missing = bound.codes - value if isinstance(value, frozenset) else frozenset()
    if missing:
        names = "、".join(sorted(parameter.options[code] for code in missing))
        raise ParameterError(f"不得缺少：{names}（{bound.source}）")


def _numbers(value: Value) -> list[Decimal]:
    match value:
        case bool() | str() | frozenset():
            return []
        case Term():
            return [Decimal(value.count)]
        case Mapping():
            return list(value.values())
        case _:
            return [Decimal(value)]


def check_limits(law: Law, key: str, value: Term) -> None:
    """A limit is reckoned as the text in force does; the prolonged one is the longer.

    What a county promises (承诺时限) is no longer than the total limit, in its unit or in days.

    Raises:
        ParameterError: says which.
    """
    if law.holds(key) and law.term(key).value.unit is not value.unit:
        raise ParameterError(f"期限的单位须与{law.term(key).source}一致")
    if key == PROMISED and law.holds(TOTAL):
        total_limit = law.term(TOTAL).value
        shorter = value.unit in {total_limit.unit, TermUnit.DAYS}
        if not shorter or value.count > total_limit.count:
            raise ParameterError("承诺时限不得长于总时限，单位须与总时限一致或者为自然日")
    if key in {TOTAL, SPECIAL} and law.holds(TOTAL) and law.holds(SPECIAL):
        total = value.count if key == TOTAL else law.term(TOTAL).value.count
        special = value.count if key == SPECIAL else law.term(SPECIAL).value.count
        if special < total:
            raise ParameterError("特殊情况延长的期限不得短于总时限")


def _flag(_: Parameter, raw: object) -> bool:
    if not isinstance(raw, bool):
        raise ParameterError("应为 true 或 false")
    return raw


def _choice(parameter: Parameter, raw: object) -> str:
    if not isinstance(raw, str) or raw not in parameter.options:
        raise ParameterError(f"应为下列之一：{_named(parameter)}")
    return raw


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _bounded_integer(parameter: Parameter, raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise ParameterError("应为整数")
    _check_bounds(parameter, Decimal(raw))
    return raw


def _bounded_decimal(parameter: Parameter, raw: object) -> Decimal:
    if not isinstance(raw, str) or not _PLAIN_DECIMAL.issuperset(raw) or len(raw) > _LONGEST:
        raise ParameterError('应为用引号写出的小数，如 "1.50"')
    try:
        value = Decimal(raw)
    except ArithmeticError as error:
        raise ParameterError('应为用引号写出的小数，如 "1.50"') from error
    _check_bounds(parameter, value)
    return value


_PLAIN_DECIMAL = frozenset("0123456789.")
_LONGEST = 16


def _check_bounds(parameter: Parameter, value: Decimal) -> None:
    if not parameter.least <= value <= parameter.most:
        raise ParameterError(f"应在 {parameter.least} 至 {parameter.most} 之间")


def _codes(parameter: Parameter, raw: object) -> frozenset[str]:
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise ParameterError("应为代码列表")
    if len(set(raw)) != len(raw) or not parameter.options.keys() >= set(raw):
        raise ParameterError(f"代码不得重复，且应取自：{_named(parameter)}")
    return frozenset(raw)


def _amounts(parameter: Parameter, raw: object) -> Mapping[str, Decimal]:
    if not isinstance(raw, dict) or raw.keys() != parameter.options.keys():
        raise ParameterError(f"应逐项写出：{_named(parameter)}")
    return MappingProxyType({code: _bounded_decimal(parameter, raw[code]) for code in raw})


def _term(parameter: Parameter, raw: object, source: str, valid_from: date) -> Term:
    units = {one.value: one for one in TermUnit}
    if not isinstance(raw, dict) or raw.keys() != {"count", "unit"}:
        raise ParameterError("应写明 count 与 unit")
    if not isinstance(raw["unit"], str) or raw["unit"] not in units:
        raise ParameterError(f"unit 应为 {'、'.join(units)} 之一")
    count = _bounded_integer(parameter, raw["count"])
    return Term(count, units[raw["unit"]], source, valid_from)


def _named(parameter: Parameter) -> str:
    return "、".join(f"{code}（{name}）" for code, name in parameter.options.items())


_READERS: Mapping[Kind, Callable[[Parameter, object], Value]] = MappingProxyType(
    {
        Kind.INTEGER: _bounded_integer,
        Kind.DECIMAL: _bounded_decimal,
        Kind.CHOICE: _choice,
        Kind.FLAG: _flag,
        Kind.CODES: _codes,
        Kind.AMOUNTS: _amounts,
    }
)


class Level(StrEnum):
    TOWN = "town"  # 乡镇人民政府、街道办事处
    COUNTY = "county"  # 区县民政局


class Basis(StrEnum):
    BUREAU = "bureau"  # 区县民政部门下放 (民发〔2021〕57号 art. 2)
    MUNICIPAL = "municipal"  # 市政府规定 (社会救助法 art. 44)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who decides for a town from `valid_from` to `valid_to`, both included.

    `county` is that which the town stood under on the first day.
    """

    programme: Programme
    town: int
    county: int
    level: Level
    basis: Basis
    document: str
    valid_from: date
    valid_to: date | None = None

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class Competence:
    """Who decides on a day, and by what; `flagged` says why a delegation does not hold."""

    level: Level
    basis: Basis | None
    document: str
    flagged: str


def decides(
    rows: Iterable[Authority],
    programme: Programme,
    town: int,
    day: date,
    law: Law,
    *,
    counties: Collection[int],
) -> Competence:
    """Who decides for the town on the day: the bureau, unless power was passed down in due form.

    From 2026-07-01 the bureau's own delegation no longer does: only a rule of the city's
    government lets the town decide (社会救助法 art. 44). Before, it holds for a town that is still
    below the county of the bureau, or below one that took its place: `counties` are the town's on
    the day and those whose heir that is, for who goes on with a bureau's duties goes on with what
    it passed down. A town that went to another county, or took another town's place, has no power
    until it is given to it.
    """
    row = next(
        (one for one in rows if (one.programme, one.town) == (programme, town) and one.covers(day)),
        None,
    )
    if row is None:
        return Competence(Level.COUNTY, None, "", "")
    if row.level is Level.TOWN and row.basis is Basis.BUREAU:
        if law.flag(MUNICIPAL_ONLY).value:
            return Competence(Level.COUNTY, row.basis, row.document, NO_MUNICIPAL_RULE)
        if row.county not in counties:
            return Competence(Level.COUNTY, row.basis, row.document, ANOTHER_BUREAU)
    return Competence(row.level, row.basis, row.document, "")


def overlapping(rows: Collection[Authority], asked: Authority) -> bool:
    """Whether one of these holds on a day on which `asked` does too."""
    return any(_meet(row, asked) for row in rows)


def _meet(one: Authority, other: Authority) -> bool:
    end = min(one.valid_to or date.max, other.valid_to or date.max)
    return max(one.valid_from, other.valid_from) <= end


def earliest_end(valid_from: date) -> date:
    """An authority recorded by mistake ends before it began: it never held."""
    return valid_from - _DAY
