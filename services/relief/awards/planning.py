"""What a change of an award comes to on a day: computed from facts and law, never typed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from chassis.database import day_of
from chassis.law.dates import EARLIEST_DAY
from chassis.law.money import ceil_yuan, round_half_up
from chassis.problems import Conflict, FieldError, Unprocessable
from contracts.events.relief import AwardState
from services.relief.awards import corrections, measuring, repository, rules, service
from services.relief.awards.corrections import AlreadyCorrected, Corrected
from services.relief.awards.desk import Desk
from services.relief.awards.measuring import Measured
from services.relief.awards.models import AwardRow, PeriodRow
from services.relief.awards.rules import ChangeKind, Effect, Period
from services.relief.awards.schemas import (
    AmountChange,
    AnyChange,
    CorrectionChange,
    DeathChange,
    GraceChange,
    MoveChange,
    NotCooperatingChange,
    RefusalsChange,
    StopChange,
    VoluntaryChange,
)
from services.relief.awards.schemas import Fraud as FraudIn
from services.relief.entitlement import awards as law_of_awards
from services.relief.entitlement.articles import LAW_FROM, MEASURES_FROM, NOTICE_FROM
from services.relief.entitlement.awards import Cause
from services.relief.entitlement.facts import IncomeKind
from services.relief.entitlement.problems import ContradictsRules
from services.relief.entitlement.rules import Assessment, Outcome
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.households.kinds import LeaveReason
from services.relief.parameters.rules import Law

_DAY, _REQUEST_HOLDS = timedelta(days=1), timedelta(days=30)
_FROM_WORK = frozenset({IncomeKind.WAGE, IncomeKind.FARMING, IncomeKind.BUSINESS})
_STOPPED = "该户待遇已停发；需要救助的，请重新申请"
_INCOME = "income_below_standard"
_EDGE = "income_below_edge"

_57, _83, _ORDINANCE = (
    "民发〔2021〕57号",
    "民发〔2022〕83号",
    "重庆市城乡居民最低生活保障条例(2016)",
)


class AwardStopped(Conflict):
    slug, title = "award-stopped", "待遇已停发"


class FactsMissing(Conflict):
    slug, title = "facts-missing", "所依据的事实尚未登记"


@dataclass(frozen=True, slots=True)
class Fraud:
    """What is to be returned, and between which amounts a fine may lie, by the law of the day.

    `fine` is None where the law of the day fines serious cases alone, and this is none.
    """

    since: date
    recovery: Decimal
    fine: tuple[Decimal, Decimal] | None
    article: str


@dataclass(frozen=True, slots=True)
class Death:
    """The death that a change follows, and by when it is to be followed (83号 1(3))."""

    person: UUID
    died_on: date
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The timeline before and after, and what stands on the decision.

    `settles_on` is from when what is paid for good holds, where something else holds from
    `effective_from` until then. `unit` is where the household moves to; `nobody_to_hear` says why
    no opinion is heard though less is paid.
    """

    before: tuple[Period, ...]
    after: tuple[Period, ...]
    effective_from: date
    articles: tuple[str, ...]
    law: Law
    assessment: Assessment | None = None
    settles_on: date | None = None
    unit: int | None = None
    ends_on: date | None = None
    death: Death | None = None
    fraud: Fraud | None = None
    correction: Corrected | None = None
    unreported: bool = False
    nobody_to_hear: str = ""

    @property
    def effect(self) -> Effect:
        """What it comes to; a step down on the way to more is told as what it leads to."""
        found = rules.effect(self.before, self.after)
        was, becomes = self.was, self.becomes
        if found is Effect.LOWERED and self.interim and was and becomes:
            return Effect.RAISED if becomes.total > was.total else found
        return found

    @property
    def lowers(self) -> bool:
        """Whether less is paid, now or at the end of a grace period."""
        return rules.lowered(self.before, self.after)

    def overpaid(self, day: date) -> Decimal:
        """What was paid too much up to the month of a day."""
        return rules.overpaid(self.before, self.after, rules.month_after(day))

    @property
    def was(self) -> Period | None:
        return rules.in_force(self.before, max(self.effective_from, self.before[0].from_))

    @property
    def becomes(self) -> Period | None:
        settled = self.settles_on or self.effective_from
        return rules.in_force(self.after, max(settled, self.after[0].from_))

    @property
    def interim(self) -> Period | None:
        """What is paid before it is settled, where that is something else."""
        if self.settles_on is None or self.settles_on <= self.effective_from:
            return None
        return rules.in_force(self.after, max(self.effective_from, self.after[0].from_))

    @property
    def looked_at(self) -> bool:
        """Whether the household was measured for it as it is today, as a review does."""
        return self.assessment is not None and self.correction is None


async def plan(  # noqa: C901, PLR0911 - one line a ground
    desk: Desk, award: AwardRow, asked: AnyChange, *, told_on: date
) -> Plan:
    """What the change comes to if it is decided today; `told_on`: when it was proposed.

    Raises:
        ContradictsRules: the rules say otherwise of the household's facts of today (409).
        AwardStopped: nothing is paid any more; what stopped is applied for anew (57号 art. 28).
        FactsMissing: what the change stands on is not recorded with the household (409).
        Unprocessable: a day or a person is wrong (422).
    """
    planning = await _planning(desk, award, told_on)
    if isinstance(asked, CorrectionChange):
        return await planning.correction(asked)
    if planning.stopped and not isinstance(asked, DeathChange):
        raise AwardStopped(_STOPPED)
    match asked:
        case AmountChange():
            return await planning.amount(asked)
        case StopChange():
            return await planning.stop(asked)
        case GraceChange():
            return await planning.grace(asked)
        case DeathChange():
            return await planning.death(asked)
        case MoveChange():
            return planning.move(asked)
        case VoluntaryChange():
            return planning.voluntary(asked)
        case RefusalsChange():
            return await planning.job_refusals(asked)
        case NotCooperatingChange():
            return planning.not_cooperating(asked)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is to be paid from next month on, and what the rules of today give (None: nothing)."""

    measured: Measured
    coming: Period
    due: Period | None

    @property
    def paid(self) -> bool:
        return self.coming.state is AwardState.PAID


async def standing(desk: Desk, award: AwardRow) -> Standing:
    """The award beside what its household would be given today."""
    planning = await _planning(desk, award, desk.day)
    measured = await planning.measured()
    due = None if measured.amounts is None else await planning.granted(measured)
    return Standing(measured, planning.ahead(planning.stopped_from), due)


async def _planning(desk: Desk, award: AwardRow, told_on: date) -> "_Planning":
    law = await measuring.law_on(desk.session, desk.register, award.unit_id, desk.day)
    return _Planning(desk, award, await service.timeline_of(desk.session, award), law, told_on)


@dataclass(frozen=True, slots=True)
class _Planning:
    desk: Desk
    award: AwardRow
    before: tuple[Period, ...]
    law: Law
    told_on: date

    @property
    def day(self) -> date:
        return self.desk.day

    @property
    def stopped(self) -> bool:
        """Whether nothing is paid from next month on."""
        return self.ahead(self.stopped_from).state is AwardState.STOPPED

    @property
    def raised_from(self) -> date:
        return law_of_awards.payable_from(self.day, self.law)

    @property
    def stopped_from(self) -> date:
        return law_of_awards.stop_from(self.day)

    def ahead(self, day: date) -> Period:
        """What is to be paid on a day, as it stands."""
        period = rules.in_force(self.before, max(day, self.before[0].from_))
        assert period is not None  # noqa: S101 - there is a first period, and the day is not before it
        return period

    async def measured(self) -> Measured:
        return await measuring.measure(
            self.desk.session,
            self.desk.register,
            self.award.household_id,
            unit=self.award.unit_id,
            day=self.day,
        )

    async def granted(self, measured: Measured) -> Period:
        """What the rules give, without the part of those who lost their own (57号 art. 34)."""
        if measured.assessment.outcome is Outcome.UNDECIDED:
            names = "、".join(one.title for one in measured.assessment.unsettled)
            raise ContradictsRules(f"尚有缺失或待人工认定的事项：{names}")
        amounts = measured.amounts
        if amounts is None:
            raise ContradictsRules("按今日的事实与规定，该户不再符合条件，请办理停发或渐退")
        current = self.ahead(self.stopped_from)
        period = service.with_amounts(current, amounts)
        for person in set(amounts.persons) - set(current.persons):
            if await service.refused_in_a_row(self.desk.session, self.award, person, self.law):
                period = rules.without_own_part(period, person, self.rounded())
        return period

    def rounded(self) -> Callable[[Fraction], Decimal]:
        return {
            "ceil_yuan": ceil_yuan,
            "half_up_yuan": lambda value: round_half_up(value, 0),
            "cent": round_half_up,
        }[self.law.choice("dibao.round").value]

    async def amount(self, asked: AmountChange) -> Plan:
        _not_ahead(asked.happened_on, self.day, "/happened_on")
        measured = await self.measured()
        period = await self.granted(measured)
        current = self.ahead(self.stopped_from)
        rises = period.total > current.total
        same = (period.persons, period.base, period.lines, period.state) == (
            current.persons,
            current.base,
            current.lines,
            current.state,
        )
        fits = {
            ChangeKind.INCREASE: rises,
            ChangeKind.REDUCE: period.total < current.total,
        }.get(asked.kind, not same)
        if not fits:
            raise ContradictsRules(
                f"按今日的事实、规定与标准应发 {period.total} 元，"
                f"现定 {current.total} 元，不能办理{rules.KIND_TITLES[asked.kind]}"
            )
        start = self.raised_from if rises else self.stopped_from
        return self._plan(
            start,
            lambda one: rules.amounts_of(one, period),
            articles=self._basis("第三十一条、第三十二条"),
            measured=measured,
            happened_on=asked.happened_on,
        )

    async def stop(self, asked: StopChange) -> Plan:
        _not_ahead(asked.happened_on, self.day, "/happened_on")
        measured = await self.measured()
        if asked.fraud is None:
            outcome = measured.assessment.outcome
            if outcome is Outcome.UNDECIDED:
                await self.granted(measured)
            if measured.amounts is not None:
                raise ContradictsRules("按今日的事实与规定，该户仍符合条件，不能停发")
        found = self._plan(
            self.stopped_from,
            rules.stopped,
            articles=self._basis("第三十一条、第三十二条"),
            measured=measured,
            happened_on=asked.happened_on,
        )
        if asked.fraud is None:
            return found
        first = min(self.award.approved_on, self.before[0].from_)
        service.require_between(asked.fraud.since, first, self.day, "/fraud/since")
        return replace(
            found,
            fraud=self._fraud(asked.fraud),
            articles=(*found.articles, self._fraud_article()),
        )

    async def grace(self, asked: GraceChange) -> Plan:
        service.require_between(
            asked.employed_on, self.award.approved_on + _DAY, self.day, "/employed_on"
        )
        measured = await self.measured()
        ref = next((ref for ref, one in measured.persons.items() if one == asked.person), "")
        member = next((one for one in measured.household.members if one.ref == ref), None)
        if member is None or asked.person not in self.ahead(self.day).persons:
            raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户享受的人员")])
        if not member.employed:
            raise FactsMissing("请先在家庭成员中登记其就业")
        if not await self._earns(ref, asked.employed_on):
            raise FactsMissing("请先登记其就业之后的工资或者经营收入")
        failed = {one.code for one in measured.assessment.failed if not one.member}
        if measured.amounts is not None or _INCOME not in failed or failed - {_INCOME, _EDGE}:
            raise ContradictsRules("渐退只适用于就业后人均收入超过标准、其余条件仍符合的家庭")
        if measured.assessment.outcome is Outcome.UNDECIDED:
            await self.granted(measured)
        period = law_of_awards.grace(
            Cause.EMPLOYMENT,
            stops_from=self.stopped_from,
            last=self._last_grace(),
            law=self.law,
            months=asked.months,
        )
        if period is None:
            raise ContradictsRules("当日没有渐退的规定，或者距上次渐退开始不足规定的间隔")
        ends_on = period.until
        found = self._plan(
            self.stopped_from,
            lambda one: replace(one, state=AwardState.GRACE),
            articles=(
                f"{_57}第三十三条",
                *((f"{_83}一（三）",) if self.day >= NOTICE_FROM else ()),
            ),
            measured=measured,
        )
        return replace(
            found, after=rules.overlay(found.after, ends_on, rules.stopped), ends_on=ends_on
        )

    async def _earns(self, ref: str, since: date) -> bool:
        """Whether an income from work is recorded of the month of employment or a later one."""
        household = await households.assembled(
            self.desk.session, self.award.household_id, day=self.day
        )
        return any(
            one.member == ref
            and one.kind in _FROM_WORK
            and one.amount > 0
            and one.first_month >= since.replace(day=1)
            for one in household.incomes
        )

    def _last_grace(self) -> date | None:
        """The first day of the last grace period that was granted."""
        return max(
            (one.from_ for one in self.before if one.state is AwardState.GRACE), default=None
        )

    async def death(self, asked: DeathChange) -> Plan:
        _not_ahead(asked.died_on, self.day, "/died_on")
        members = await household_rows.members_of(self.desk.session, self.award.household_id)
        if asked.person not in {one.person for one in members}:
            raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户的家庭成员")])
        dead = [one for one in members if one.person == asked.person]
        if not any(
            one.left_reason is LeaveReason.DEATH and one.left_on == asked.died_on for one in dead
        ):
            raise FactsMissing("请先在家庭成员中登记该成员死亡，日期须一致")
        due = law_of_awards.death_review_due(asked.died_on, self.law)
        articles = self._basis("第三十一条、第三十二条")
        if due is not None:
            articles = (*articles, f"{_83}一（三）")
        if not any(one.left_on is None for one in members):
            last = max(one.left_on for one in members if one.left_on is not None)
            found = self._nobody_left(asked, last, articles)
        else:
            found = await self._survivors(asked, articles)
        if self.stopped and found.after == self.before:
            raise AwardStopped(_STOPPED)
        return replace(found, death=Death(asked.person, asked.died_on, due))

    def _nobody_left(self, asked: DeathChange, last: date, articles: tuple[str, ...]) -> Plan:
        """The own part ends with the month of the death, all with that in which the last left."""
        start, ends = rules.month_after(asked.died_on), rules.month_after(last)
        plain = rules.after_death(
            self.before, asked.person, died_on=asked.died_on, rounded=self.rounded()
        )
        return replace(
            self._plan(start, lambda one: one, articles=articles),
            after=rules.overlay(plain, ends, rules.stopped),
            settles_on=ends,
            nobody_to_hear="家庭已无成员，无人可听取意见",
        )

    async def _survivors(self, asked: DeathChange, articles: tuple[str, ...]) -> Plan:
        """The others, measured anew from the decision on; until then see `rules.after_death`."""
        start, rounded = rules.month_after(asked.died_on), self.rounded()
        coming = self.ahead(self.stopped_from)
        plain = rules.after_death(self.before, asked.person, died_on=asked.died_on, rounded=rounded)
        found = self._plan(start, lambda one: one, articles=articles)
        if self.stopped:
            return replace(found, after=plain)
        measured = await self.measured()
        if measured.amounts is None and measured.assessment.outcome is not Outcome.UNDECIDED:
            period = rules.stopped(coming)
        else:
            period = await self.granted(measured)
        found = replace(found, law=measured.law, assessment=measured.assessment)
        if coming.state is AwardState.GRACE:
            return replace(found, after=plain)
        left = rules.in_force(plain, max(self.stopped_from, plain[0].from_))
        rises = left is not None and period.total > left.total
        settles_on = max(start, self.raised_from if rises else self.stopped_from)
        after = rules.after_death(
            self.before,
            asked.person,
            died_on=asked.died_on,
            rounded=rounded,
            measured=period,
            from_=settles_on,
        )
        return replace(found, after=after, settles_on=settles_on)

    def move(self, asked: MoveChange) -> Plan:
        unit = self.desk.village(asked.division, "/division")
        if unit == self.award.unit_id:
            raise Unprocessable("区划有误", errors=[FieldError("/division", "须与现在的村居不同")])
        first = min(self.award.approved_on, self.day)
        if not first <= asked.moved_on <= self.day:
            raise Unprocessable(
                "日期有误",
                errors=[FieldError("/moved_on", f"应在 {first} 至 {self.day} 之间")],
            )
        found = self._plan(
            asked.moved_on,
            lambda one: replace(one, unit=unit),
            articles=(*self._of_57("第三十条"), f"{_ORDINANCE}第二十五条第（四）项"),
        )
        return replace(found, unit=unit)

    def voluntary(self, asked: VoluntaryChange) -> Plan:
        first = max(self.award.approved_on, self.told_on - _REQUEST_HOLDS)
        service.require_between(asked.requested_on, first, self.told_on, "/requested_on")
        found = self._plan(self.stopped_from, rules.stopped, articles=self._basis("第三十二条"))
        return replace(found, nobody_to_hear="家庭书面申请退出，申请即其意见")

    async def job_refusals(self, asked: RefusalsChange) -> Plan:
        if asked.person not in self.ahead(self.stopped_from).persons:
            raise Unprocessable("人员有误", errors=[FieldError("/person", "不是该户享受的人员")])
        session = self.desk.session
        if not await service.refused_in_a_row(session, self.award, asked.person, self.law):
            raise ContradictsRules("登记的就业介绍中，未见无正当理由连续拒绝达到规定次数")
        await self._require_able(asked.person)
        rounded = self.rounded()
        return self._plan(
            self.stopped_from,
            lambda one: rules.without_own_part(one, asked.person, rounded),
            articles=(*self._of_57("第三十四条"), f"{_ORDINANCE}第二十九条第（二）项"),
        )

    async def _require_able(self, person: UUID) -> None:
        """Offers bind a member who can work and does not (57号 art. 34), nobody else."""
        measured = await self.measured()
        for member in measured.household.members:
            named = measured.persons[member.ref] == person
            if named and law_of_awards.could_work(member, self.day, self.law):
                return
        raise ContradictsRules("该成员不属于有就业能力而未就业的人员，不能以拒绝就业减发、停发")

    def not_cooperating(self, asked: NotCooperatingChange) -> Plan:
        _not_ahead(asked.asked_on, self.day, "/asked_on")
        return self._plan(
            self.stopped_from, rules.stopped, articles=(f"{_ORDINANCE}第二十九条第（三）项",)
        )

    async def correction(self, asked: CorrectionChange) -> Plan:
        row, wrong = await self._standing_period(asked.period)
        measured = None
        right: Period | None = None
        if not asked.withdrawn:
            right = wrong
            if asked.recompute:
                measured, right = await self._recomputed(wrong, day_of(row.recorded_at))
            if asked.valid_from is not None:
                from_ = corrections.moved(
                    self.before,
                    wrong,
                    asked.valid_from,
                    first=await self._first_payable(),
                    last=rules.month_after(self.day),
                ).from_
                right = replace(right, from_=from_)
        after = corrections.put_right(self.before, wrong, right)
        if after == self.before:
            raise ContradictsRules("更正后与现有登记相同，无须更正")
        return Plan(
            before=self.before,
            after=after,
            effective_from=min(wrong.from_, right.from_) if right else wrong.from_,
            articles=self._basis("第二十一条、第三十二条"),
            law=self.law if measured is None else measured.law,
            assessment=None if measured is None else measured.assessment,
            correction=Corrected(wrong.from_, right.from_ if right else None),
        )

    async def _standing_period(self, period: UUID) -> tuple[PeriodRow, Period]:
        known = (await repository.recorded(self.desk.session, [self.award.id]))[self.award.id]
        found = next(((row, one) for row, one in known if row.id == period), None)
        if found is None:
            raise Unprocessable("更正有误", errors=[FieldError("/period", "没有该段登记")])
        if found[1].superseded_at is not None:
            raise AlreadyCorrected("请更正现行的一段")
        return found[0], found[1].period

    async def _recomputed(self, wrong: Period, decided_on: date) -> tuple[Measured, Period]:
        """By the facts as they are known now, and the law of the day that was decided on."""
        measured = await measuring.measure(
            self.desk.session,
            self.desk.register,
            self.award.household_id,
            unit=self.award.unit_id,
            day=decided_on,
        )
        if wrong.state is not AwardState.PAID or measured.amounts is None:
            raise ContradictsRules("按现有事实不符合条件或该段不是在保，请另行办理变动")
        return measured, service.with_amounts(wrong, measured.amounts)

    async def _first_payable(self) -> date:
        approved_on = self.award.approved_on
        law = await measuring.law_on(
            self.desk.session, self.desk.register, self.award.unit_id, approved_on
        )
        return law_of_awards.payable_from(approved_on, law)

    def _plan(
        self,
        start: date,
        change: Callable[[Period], Period],
        *,
        articles: tuple[str, ...],
        measured: Measured | None = None,
        happened_on: date | None = None,
    ) -> Plan:
        return Plan(
            before=self.before,
            after=rules.overlay(self.before, start, change),
            effective_from=max(start, self.before[0].from_),
            articles=articles,
            law=self.law if measured is None else measured.law,
            assessment=None if measured is None else measured.assessment,
            unreported=happened_on is not None
            and law_of_awards.unreported(happened_on, self.told_on, self.law),
        )

    def _basis(self, of_57: str) -> tuple[str, ...]:
        law = ("社会救助法第四十七条",) if self.day >= LAW_FROM else ()
        return (*law, *self._of_57(of_57), f"{_ORDINANCE}第二十八条")

    def _of_57(self, article: str) -> tuple[str, ...]:
        return (f"{_57}{article}",) if self.day >= MEASURES_FROM else ()

    def _fraud(self, asked: FraudIn) -> Fraud:
        recovery = rules.paid(self.before, max(asked.since, EARLIEST_DAY), self.stopped_from)
        fine = law_of_awards.fraud_fine(recovery, self.law, serious=asked.serious)
        return Fraud(asked.since, recovery, fine, self._fraud_article())

    def _fraud_article(self) -> str:
        return self.law.amounts("dibao.fraud.fine").source


def _not_ahead(day: date | None, today: date, pointer: str) -> None:
    if day is not None and day > today:
        raise Unprocessable("日期有误", errors=[FieldError(pointer, "不得晚于今天")])
