"""核对: which sources have answered about whom, and where an answer differs from what was declared.

民发〔2021〕57号 arts. 17, 18; 社会救助法 arts. 41, 42; domain.md C2. What is missing is not zero.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from chassis.law.dates import add_months
from services.relief.entitlement.facts import (
    ConsumptionKind,
    Income,
    IncomeKind,
    Property,
    PropertyKind,
)

PURPOSE = "最低生活保障申请家庭经济状况核对"
CENT = Decimal("0.01")


class Role(StrEnum):
    MEMBER = "member"  # 共同生活的家庭成员
    SUPPORTER = "supporter"  # 家庭成员以外的法定赡养、抚养、扶养义务人


class Status(StrEnum):
    """How a request stands."""

    ASKED = "asked"  # 查询中
    NONE = "none"  # 查无
    RETURNED = "returned"  # 查得
    FAILED = "failed"  # 查询失败
    TIMEOUT = "timeout"  # 逾时未答复
    LATE = "late"  # 报告出具后才答复


class State(StrEnum):
    OPEN = "open"  # 核对中
    COMPLETE = "complete"  # 可出具报告
    CLOSED = "closed"  # 已出具报告


class Result(StrEnum):
    AGREES = "agrees"  # 与申报一致
    DIFFERS = "differs"  # 与申报不一致


class Failure(StrEnum):
    """Why there is no answer (yet)."""

    NOT_CONNECTED = "not_connected"
    NO_DOCUMENT = "no_document"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no_answer"
    OUT_OF_ORDER = "out_of_order"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    PROMISED = "promised"
    CASE_ENDED = "case_ended"


FAILURE_TITLES: Mapping[Failure, str] = {
    Failure.NOT_CONNECTED: "未接入",
    Failure.NO_DOCUMENT: "没有可供查询的证件号码",
    Failure.UNREACHABLE: "无法连接",
    Failure.NO_ANSWER: "未在时限内应答",
    Failure.OUT_OF_ORDER: "对方系统故障",
    Failure.REFUSED: "对方拒绝查询",
    Failure.UNREADABLE: "答复无法识别",
    Failure.PROMISED: "对方稍后答复",
    Failure.CASE_ENDED: "办件已经终结，不再查询",
}

ANSWERED = frozenset({Status.NONE, Status.RETURNED})
MISSING = frozenset({Status.ASKED, Status.FAILED, Status.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source knows: `amount` in yuan (an income's: of all `months`), `area` m².

    `on` is the first month of an income, else the day of what is told.
    """

    kind: str
    amount: Decimal | None = None
    area: Decimal | None = None
    months: int = 1
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one source answered about one member (its ref), as it knew it on `day`."""

    member: str
    source: str
    day: date
    items: tuple[Item, ...] = ()


class Difference(StrEnum):
    UNDECLARED = "undeclared"  # 未申报
    MORE = "more"  # 查得多于申报
    LESS = "less"  # 查得少于申报
    NOT_FOUND = "not_found"  # 申报而查无
    DECEASED = "deceased"  # 有殡葬记录


@dataclass(frozen=True, slots=True)
class Finding:
    """Where declared and found differ; of an income by the month, of a dwelling in m².

    `member` is FAMILY where the family declared something of the kind as owned together.
    A figure is None where nothing was declared or found, or where it has none (a vehicle).
    """

    member: str
    kind: str
    difference: Difference
    declared: Decimal | None
    found: Decimal | None
    sources: tuple[str, ...]


INCOME_KINDS = frozenset(kind.value for kind in IncomeKind)
PROPERTY_KINDS = frozenset(kind.value for kind in PropertyKind) - {PropertyKind.OTHER.value}
CONSUMPTION_KINDS = frozenset(kind.value for kind in ConsumptionKind)
AREA_KINDS = frozenset({PropertyKind.DWELLING.value, PropertyKind.PREMISES.value})
DECEASED = "deceased"
FAMILY = ""
"""In the place of a member: what the family owns together."""

KNOWN_TO: Mapping[str, frozenset[str]] = {
    IncomeKind.WAGE.value: frozenset({"tax"}),
    IncomeKind.PENSION.value: frozenset({"social_insurance"}),
    IncomeKind.UNEMPLOYMENT.value: frozenset({"social_insurance"}),
    PropertyKind.DWELLING.value: frozenset({"real_estate"}),
    PropertyKind.PREMISES.value: frozenset({"real_estate"}),
    PropertyKind.COMPANY.value: frozenset({"companies"}),
    PropertyKind.VEHICLE.value: frozenset({"vehicles"}),
    PropertyKind.SHIP.value: frozenset({"vehicles"}),
    PropertyKind.DEPOSIT.value: frozenset({"bank"}),
    PropertyKind.INSURANCE_SAVINGS.value: frozenset({"insurance"}),
    PropertyKind.SECURITIES.value: frozenset({"securities"}),
}
"""Which sources would know of a kind, if there were such."""


def missing(status: Status, *, accepted: bool) -> bool:
    """Whether a source's silence still stands in the way: no answer, and nobody accepts that."""
    return status in MISSING and not accepted


def gives_up(asked_at: datetime, hours: int, now: datetime) -> bool:
    """Whether a source has been silent for so long that it is asked no more."""
    return now >= asked_at + timedelta(hours=hours)


def given_up(failure: Failure) -> Status:
    """As what a request ends that was tried until the end."""
    waited = {Failure.NO_ANSWER, Failure.PROMISED}
    return Status.TIMEOUT if failure in waited else Status.FAILED


def findings(
    incomes: Iterable[Income], properties: Iterable[Property], answers: Sequence[Answer]
) -> list[Finding]:
    """Each member and kind of which a source knows more, less or other than what was declared.

    Of incomes the months are compared that both speak of, or the averages where there are none.
    """
    told = _told(incomes, properties, answers)
    dead = [
        Finding(one.member, DECEASED, Difference.DECEASED, None, None, (one.source,))
        for one in answers
        if any(item.kind == DECEASED for item in one.items)
    ]
    compared = (_compare(key, *figures, answers) for key, figures in sorted(told.items()))
    return dead + [finding for finding in compared if finding is not None]


def kinds_to_adopt(
    incomes: Iterable[Income], properties: Iterable[Property], answers: Sequence[Answer]
) -> set[tuple[str, str]]:
    """(member, kind) whose found figures take the place of the declared ones when a report is made.

    The member is FAMILY where the family declared something of the kind as owned together. What was
    declared beyond what was found stands: nobody declares too much because a register lacks it. A
    clerk who knows better adopts the answer by hand.
    """
    told = _told(incomes, properties, answers)
    return {
        key
        for key, (declared, found) in told.items()
        if found is not None and (declared is None or not _less(found, declared))
    }


def adoptable(item: Item) -> bool:
    """Whether an item is a fact of income, property or consumption; others are read by people."""
    if item.kind in INCOME_KINDS:
        return item.amount is not None
    return item.kind in PROPERTY_KINDS | CONSUMPTION_KINDS


def first_month(item: Item, day: date) -> date:
    """The first month of an income; where the source does not say, the one before its data."""
    return item.on.replace(day=1) if item.on else add_months(day.replace(day=1), -1)


@dataclass(slots=True)
class _Figures:
    """What is told of one member and kind: by month, in total, or just that there is some."""

    monthly: dict[date, Decimal]
    total: Decimal | None = None
    sources: tuple[str, ...] = ()


_Key = tuple[str, str]


def _told(
    incomes: Iterable[Income], properties: Iterable[Property], answers: Iterable[Answer]
) -> dict[_Key, tuple[_Figures | None, _Figures | None]]:
    """What was declared and what was found, by member and kind."""
    owned = list(properties)
    together = {one.kind.value for one in owned if one.member is None}
    declared = _declared(incomes, owned, together)
    found = _found(answers, together)
    return {key: (declared.get(key), found.get(key)) for key in declared.keys() | found.keys()}


def _declared(
    incomes: Iterable[Income], properties: Iterable[Property], together: Collection[str]
) -> dict[_Key, _Figures]:
    told: dict[_Key, _Figures] = defaultdict(lambda: _Figures({}))
    for income in incomes:
        figures = told[income.member, income.kind.value]
        _spread(figures, income.amount, income.months, income.first_month)
    for one in properties:
        kind = one.kind.value
        if kind in PROPERTY_KINDS:
            figures = told[_owner(one.member or FAMILY, kind, together), kind]
            _add(figures, one.area if kind in AREA_KINDS else one.amount)
    return dict(told)


def _found(answers: Iterable[Answer], together: Collection[str]) -> dict[_Key, _Figures]:
    told: dict[_Key, _Figures] = defaultdict(lambda: _Figures({}))
    for answer in answers:
        for item in answer.items:
            if item.kind in INCOME_KINDS and item.amount is not None:
                figures = told[answer.member, item.kind]
                _spread(figures, item.amount, item.months, first_month(item, answer.day))
            elif item.kind in PROPERTY_KINDS:
                figures = told[_owner(answer.member, item.kind, together), item.kind]
                _add(figures, item.area if item.kind in AREA_KINDS else item.amount)
            else:
                continue
            if answer.source not in figures.sources:
                figures.sources += (answer.source,)
    return dict(told)


def _owner(member: str, kind: str, together: Collection[str]) -> str:
    return FAMILY if kind in together else member


def _spread(figures: _Figures, amount: Decimal, months: int, first: date) -> None:
    for number in range(months):
        month = add_months(first.replace(day=1), number)
        figures.monthly[month] = figures.monthly.get(month, Decimal(0)) + amount / months


def _add(figures: _Figures, figure: Decimal | None) -> None:
    if figure is not None:
        figures.total = (figures.total or Decimal(0)) + figure


def _compare(
    key: _Key, declared: _Figures | None, found: _Figures | None, answers: Collection[Answer]
) -> Finding | None:
    member, kind = key
    if found is None:
        return _not_found(member, kind, declared, answers)
    if declared is None:
        figure = _comparable(found, found)[0]
        return Finding(member, kind, Difference.UNDECLARED, None, figure, found.sources)
    said, was = _comparable(declared, found)
    if said == was:
        return None
    difference = Difference.LESS if _less(found, declared) else Difference.MORE
    return Finding(member, kind, difference, said, was, found.sources)


def _not_found(
    member: str, kind: str, declared: _Figures | None, answers: Collection[Answer]
) -> Finding | None:
    """Where everybody who would know has answered, and none of them knows."""
    sources = KNOWN_TO.get(kind)
    asked = {one.member for one in answers} if member == FAMILY else {member}
    answered = {(one.member, one.source) for one in answers}
    if declared is None or not sources or not asked:
        return None
    if any((who, source) not in answered for who in asked for source in sources):
        return None
    said = _comparable(declared, declared)[0]
    return Finding(member, kind, Difference.NOT_FOUND, said, None, tuple(sorted(sources)))


def _less(found: _Figures, declared: _Figures) -> bool:
    said, was = _comparable(declared, found)
    return said is not None and (was is None or was < said)


def _comparable(one: _Figures, other: _Figures) -> tuple[Decimal | None, Decimal | None]:
    if not (one.monthly or other.monthly):
        return one.total, other.total
    both = one.monthly.keys() & other.monthly.keys()
    return _average(one, both), _average(other, both)


def _average(figures: _Figures, months: Collection[date]) -> Decimal | None:
    amounts = [figures.monthly[month] for month in months or figures.monthly]
    return (sum(amounts, Decimal(0)) / len(amounts)).quantize(CENT) if amounts else None
