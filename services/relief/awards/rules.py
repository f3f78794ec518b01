"""Awards of 低保 (在保) over time, and the matter of changing one (动态管理).

社会救助法(2026) arts. 46–48, 73; 民发〔2021〕57号 arts. 30–34; 民发〔2022〕83号 1(3), 5(5);
重庆市城乡居民最低生活保障条例(2016) arts. 26, 28, 29, 36. Amounts are those of a whole month: what
holds on its first day is paid for it.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from casework.clock import Light
from casework.states import Clock, Matter, Party, State, Transition
from chassis.law.dates import add_months
from contracts.events.relief import Area, AwardPeriod, AwardState
from services.relief.entitlement.facts import Household, Income, IncomeKind

REVIEW, DECIDE = "relief:review", "relief:decide"
BY_ITSELF = ""
"""The scope of what nobody is offered: it comes with another step."""
HAND_OVER = "hand_over"
"""The step by which a decided case follows its award to another village."""

NOTHING = Decimal("0.00")

MOST_PERIODS = 400
"""As many as an event holds."""


class ChangeKind(StrEnum):
    """On what ground an award is changed."""

    INCREASE = "increase"  # 增发
    REDUCE = "reduce"  # 减发
    STOP = "stop"  # 停发
    GRACE = "grace"  # 渐退
    DEATH = "death"  # 成员死亡
    MOVE = "move"  # 迁移
    VOLUNTARY = "voluntary"  # 自愿退出
    JOB_REFUSALS = "job_refusals"  # 连续拒绝就业
    NOT_COOPERATING = "not_cooperating"  # 拒不配合核查
    MEMBERS_CHANGED = "members_changed"  # 人口变化
    STANDARD_CHANGED = "standard_changed"  # 标准调整
    CORRECTION = "correction"  # 更正


KIND_TITLES = {
    ChangeKind.INCREASE: "增发",
    ChangeKind.REDUCE: "减发",
    ChangeKind.STOP: "停发",
    ChangeKind.GRACE: "渐退",
    ChangeKind.DEATH: "家庭成员死亡",
    ChangeKind.MOVE: "迁移",
    ChangeKind.VOLUNTARY: "自愿退出",
    ChangeKind.JOB_REFUSALS: "连续三次拒绝就业",
    ChangeKind.NOT_COOPERATING: "拒不配合核查",
    ChangeKind.MEMBERS_CHANGED: "家庭成员变化",
    ChangeKind.STANDARD_CHANGED: "标准调整",
    ChangeKind.CORRECTION: "更正",
}


class Effect(StrEnum):
    """What a change does to what is paid."""

    RAISED = "raised"
    LOWERED = "lowered"
    STOPPED = "stopped"
    GRACE = "grace"
    UNCHANGED = "unchanged"


class HearingMethod(StrEnum):
    """How the household's opinion is heard (社会救助法 art. 48 asks for no form)."""

    IN_PERSON = "in_person"  # 当面
    PHONE = "phone"  # 电话
    VIDEO = "video"  # 视频
    WRITING = "writing"  # 书面
    WAIVED = "waived"  # 明确放弃
    ABSENT = "absent"  # 已告知，逾期未提出意见


MATTER = Matter(
    code="dibao_change",
    title="低保动态管理",
    short="DC",
    initial="proposed",
    states=(
        State("proposed", "已提出", "听取意见", Party.TOWN),
        State("heard", "已听取意见", "动态管理决定", Party.DECIDER),
        State("decided", "已决定", "送达", Party.TOWN),
        State("delivered", "已送达", "办结", Party.TOWN),
        State("closed", "已办结", "归档", Party.NOBODY, final=True),
        State("withdrawn", "已撤销", "归档", Party.NOBODY, final=True),
    ),
    transitions=(
        Transition(
            "open", "提出变动", frozenset(), "proposed", REVIEW, "opened",
            "民发〔2021〕57号第三十一条",
        ),
        Transition(
            "tell", "告知并听取意见", frozenset({"proposed"}), "", BY_ITSELF, "told",
            "社会救助法第四十八条",
        ),
        Transition(
            "hear", "记录听取意见", frozenset({"proposed"}), "heard", REVIEW, "heard",
            "社会救助法第四十八条",
        ),
        Transition(
            "decide", "作出决定", frozenset({"proposed", "heard"}), "decided", DECIDE, "decided",
            "社会救助法第四十七条；民发〔2021〕57号第三十二条",
            clock=Clock.STOP, apart_from=frozenset({"open"}),
        ),
        Transition(
            "deliver", "送达", frozenset({"decided"}), "delivered", REVIEW, "delivered",
            "社会救助法第四十八条；民发〔2021〕57号第三十二条",
        ),
        Transition(
            "close", "办结归档", frozenset({"delivered"}), "closed", REVIEW, "closed",
            "重庆市城乡居民最低生活保障条例(2016)第三十一条",
        ),
        Transition(
            "withdraw", "撤销提出", frozenset({"proposed", "heard"}), "withdrawn", REVIEW,
            "withdrawn", "民发〔2021〕57号第三十二条", clock=Clock.STOP, needs_reason=True,
        ),
        Transition(
            HAND_OVER, "随待遇移交", frozenset({"decided", "delivered", "closed", "withdrawn"}), "",
            BY_ITSELF, "moved", "重庆市城乡居民最低生活保障条例(2016)第三十一条",
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """What one person gets on top of the family's amount (分类重点救助), in yuan a month."""

    person: UUID
    category: str
    amount: Decimal
    article: str


@dataclass(frozen=True, slots=True)
class Period:
    """What is paid each month from a day on; `unit` is where the household then lives."""

    from_: date
    unit: int
    area: Area
    state: AwardState
    persons: tuple[UUID, ...]
    base: Decimal
    lines: tuple[Line, ...] = ()

    @property
    def extras(self) -> Decimal:
        return sum((line.amount for line in self.lines), NOTHING)

    @property
    def total(self) -> Decimal:
        return self.base + self.extras


@dataclass(frozen=True, slots=True)
class Recorded:
    """A period as recorded; it stands until another takes its place."""

    id: UUID
    period: Period
    recorded_at: datetime
    superseded_at: datetime | None

    def known(self, before: datetime | None) -> bool:
        """Whether it stands now, or stood just before an instant."""
        if before is None:
            return self.superseded_at is None
        return self.recorded_at < before and (
            self.superseded_at is None or self.superseded_at >= before
        )


def timeline(recorded: Iterable[Recorded], before: datetime | None = None) -> tuple[Period, ...]:
    """What stands now (or stood just before an instant), by day."""
    standing = (one.period for one in recorded if one.known(before))
    return tuple(sorted(standing, key=lambda period: period.from_))


def in_force(periods: Sequence[Period], day: date) -> Period | None:
    """The period that holds on a day; None before the first."""
    index = bisect_right([period.from_ for period in periods], day) - 1
    return None if index < 0 else periods[index]


def published(periods: Iterable[Period]) -> tuple[AwardPeriod, ...]:
    """The periods as the event tells them: numbers, not persons."""
    return tuple(
        AwardPeriod(
            from_=one.from_,
            unit=one.unit,
            area=one.area,
            state=one.state,
            persons=len(one.persons),
            amount=one.base,
            extras=one.extras,
        )
        for one in periods
    )


def stopped(period: Period) -> Period:
    """Nothing is paid, to nobody."""
    return replace(period, state=AwardState.STOPPED, persons=(), base=NOTHING, lines=())


def overlay(
    periods: Sequence[Period], day: date, change: Callable[[Period], Period]
) -> tuple[Period, ...]:
    """The timeline with everything from `day` on changed; two alike in a row are one.

    Where the first period begins later than `day`, the change holds from its beginning.
    """
    before = [one for one in periods if one.from_ < day]
    after = [one for one in periods if one.from_ >= day]
    if before and (not after or after[0].from_ > day):
        after.insert(0, replace(before[-1], from_=day))
    return merged([*before, *(change(one) for one in after)])


def merged(periods: Sequence[Period]) -> tuple[Period, ...]:
    """Without those that only go on with what is."""
    kept = list(periods[:1])
    kept += [one for last, one in pairwise(periods) if replace(one, from_=last.from_) != last]
    return tuple(kept)


def lowered(before: Sequence[Period], after: Sequence[Period]) -> bool:
    """Whether on any day less is paid than was known to be: 调减 or 终止."""
    return any(_total(after, day) < _total(before, day) for day in _days(before, after))


def raised(before: Sequence[Period], after: Sequence[Period]) -> bool:
    return any(_total(after, day) > _total(before, day) for day in _days(before, after))


def effect(before: Sequence[Period], after: Sequence[Period]) -> Effect:
    """What the change comes to in the end; where it lowers and raises, it counts as lowering."""
    states = {one.state for one in after if one not in before}
    if AwardState.GRACE in states:
        return Effect.GRACE
    if AwardState.STOPPED in states and after[-1].state is AwardState.STOPPED:
        return Effect.STOPPED
    if lowered(before, after):
        return Effect.LOWERED
    return Effect.RAISED if raised(before, after) else Effect.UNCHANGED


def paid(periods: Sequence[Period], first: date, until: date) -> Decimal:
    """What these come to for the months from that of `first` to the one before `until`."""
    return sum((_total(periods, month) for month in _months(first, until)), NOTHING)


def overpaid(before: Sequence[Period], after: Sequence[Period], until: date) -> Decimal:
    """What the months before `until` were paid too much, by what is known now."""
    if not before:
        return NOTHING
    months = _months(before[0].from_, until)
    too_much = (_total(before, month) - _total(after, month) for month in months)
    return sum((one for one in too_much if one > 0), NOTHING)


def without_own_part(
    period: Period, person: UUID, rounded: Callable[[Fraction], Decimal]
) -> Period:
    """The period without one person's own part (57号 art. 34): an equal share and the extras.

    The text names 本人的最低生活保障金, and no way to tell it from the family's amount; the person
    stays a member of the household.
    """
    others = tuple(one for one in period.persons if one != person)
    if not others:
        return stopped(period)
    share = Fraction(period.base) * len(others) / len(period.persons)
    base = cents(rounded(share))
    lines = tuple(line for line in period.lines if line.person != person)
    return replace(period, persons=others, base=base, lines=lines)


def after_death(
    periods: Sequence[Period],
    person: UUID,
    *,
    died_on: date,
    rounded: Callable[[Fraction], Decimal],
    measured: Period | None = None,
    from_: date = date.max,
) -> tuple[Period, ...]:
    """What is paid after a member's death (83号 1(3)): two steps, each by the law of its decision.

    From the month after the death what was decided before holds for the others, without the dead
    person's own part; where they are due no less than the whole was, their loss has cost them more
    than it saved, and the family's amount stays. From `from_` on they get what they are measured
    at, by the law and the standard of the day of decision.

    Args:
        periods: the timeline that stands.
        person: who died.
        died_on: when.
        rounded: how a share is rounded.
        measured: what the others are given; None leaves them what they have.
        from_: the first day of that.
    """
    month = month_after(died_on)

    def ended(one: Period) -> Period:
        if person not in one.persons:
            return one
        others = without_own_part(one, person, rounded)
        due = measured is not None and measured.base >= one.base
        return replace(others, base=one.base) if due and others.persons else others

    after = overlay(periods, month, ended)
    if measured is None:
        return after
    return overlay(after, max(month, from_), lambda one: amounts_of(one, measured))


def amounts_of(one: Period, granted: Period) -> Period:
    """What is granted, from when and where the household then lives."""
    return replace(granted, from_=one.from_, unit=one.unit, area=one.area)


def follows_death(
    periods: Sequence[Period], person: UUID, *, died_on: date, approved_on: date
) -> bool:
    """Whether an award has to follow a death: under it, or of somebody whom it still covers."""
    covered = paid_for_after_death(periods, person, died_on)
    return covered or (died_on >= approved_on and bool(_paid_after(periods, died_on)))


def paid_for_after_death(periods: Sequence[Period], person: UUID, died_on: date) -> bool:
    """Whether the dead are counted in for a month after that of the death."""
    return any(person in one.persons for one in _paid_after(periods, died_on))


def _paid_after(periods: Sequence[Period], died_on: date) -> list[Period]:
    """What is paid from the month after a death on."""
    month = max(month_after(died_on), periods[0].from_)
    ahead = [in_force(periods, month), *(one for one in periods if one.from_ > month)]
    return [one for one in ahead if one is not None and one.state is not AwardState.STOPPED]


def death_light(died_on: date, due_on: date, day: date) -> Light:
    """The light of the work after a death: amber in the last fifth of its time."""
    if day > due_on:
        return Light.RED
    return Light.AMBER if day >= due_on - (due_on - died_on) // 5 else Light.GREEN


ONCE = frozenset({IncomeKind.COMPENSATION, IncomeKind.DONATION})
"""Kinds that are received once (赔偿收入、接受捐赠): they count in the months they are of alone."""


def carried(household: Household, day: date) -> Household:
    """The household with every income that was last established reckoned up to the last month.

    What was established holds until something else is (57号 art. 31): an income of which nothing
    newer is recorded has not ended. One that has is recorded with nothing for a later month. What
    is received once is of its own months and of no later ones (57号 art. 13: what goes on is
    recorded again).
    """
    last = add_months(day.replace(day=1), -1)
    ends: dict[tuple[str, IncomeKind], date] = {}
    for income in household.incomes:
        key = (income.member, income.kind)
        ends[key] = max(ends.get(key, date.min), _last_month(income))
    return replace(
        household,
        incomes=tuple(_carried(one, ends[one.member, one.kind], last) for one in household.incomes),
    )


def _last_month(income: Income) -> date:
    return add_months(income.first_month.replace(day=1), income.months - 1)


def _carried(income: Income, end: date, last: date) -> Income:
    if income.kind in ONCE or end >= last or _last_month(income) != end:
        return income
    return replace(income, first_month=add_months(last, 1 - income.months))


def cents(amount: Decimal) -> Decimal:
    """The amount as it is written everywhere, with two places."""
    return amount.quantize(Decimal("0.01"))


def month_after(day: date) -> date:
    """The first day of the next month."""
    return add_months(day.replace(day=1), 1)


def _total(periods: Sequence[Period], day: date) -> Decimal:
    period = in_force(periods, day)
    return NOTHING if period is None else period.total


def _days(*timelines: Sequence[Period]) -> list[date]:
    return sorted({one.from_ for periods in timelines for one in periods})


def _months(first: date, until: date) -> Iterable[date]:
    month = first.replace(day=1)
    while month < until:
        yield month
        month = add_months(month, 1)
