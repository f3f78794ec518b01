"""The calculator: the rules' answer for a household that is described in the request."""

from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import today
from chassis.law.dates import add_months
from chassis.law.money import round_half_up
from chassis.law.standards import NotInForceError
from chassis.law.units import Register
from chassis.problems import FieldError, NotFound, Unprocessable
from contracts.events.relief import Area, StandardCode
from services.relief.entitlement.facts import (
    Consumption,
    Disability,
    EdgeFinding,
    FactSource,
    Household,
    Income,
    Member,
    Property,
    Relation,
    Support,
)
from services.relief.entitlement.rules import Assessment, assess
from services.relief.entitlement.schemas import (
    AloneOut,
    CalculatorIn,
    CalculatorOut,
    CitedOut,
    ConditionOut,
    ConsumptionIn,
    DeductionOut,
    EdgeFindingIn,
    ExtraOut,
    IncomeIn,
    IncomeOut,
    LineOut,
    MemberIn,
    PropertyIn,
    StandardOut,
    StandingOut,
    SupportDueOut,
)
from services.relief.parameters import repository as parameters
from services.relief.parameters.rules import Cited, written
from services.relief.standards import repository as standards
from services.relief.standards import rules as standard_rules


async def calculate(
    session: AsyncSession, *, register: Register, units: Collection[int], asked: CalculatorIn
) -> CalculatorOut:
    """Assess by the law and the standard of the day; nothing is kept."""
    day = asked.as_of or today(session)
    applied_on = asked.applied_on or day
    if wrong := list(_mistakes(asked, day, applied_on)):
        raise Unprocessable("请按提示更正后重新提交", errors=wrong)
    county = _county(register, units, asked.division, day)
    standard = await standard_of(session, county, asked.area, day)
    if standard is None:
        raise _of_day("当日没有登记施行的低保标准")
    law = await parameters.law(session, day, county=county)
    try:
        found = assess(household_of(asked, applied_on), day=day, law=law, standard=standard)
    except NotInForceError as error:
        raise _of_day("当日没有收录生效的低保规定") from error
    return shown(found)


async def standard_of(
    session: AsyncSession, county: int, area: Area, day: date
) -> Cited[Decimal] | None:
    """The county's 低保 standard in force on a day, with the notice that sets it."""
    series = await standards.listed(session, [county], StandardCode.DIBAO)
    fitting = [one.id for one in series if one.area is area]
    rows = (await standards.amounts_of(session, fitting)).values()
    amounts = [
        standard_rules.Amount(
            row.id,
            row.valid_from,
            row.amount,
            row.document,
            row.recorded_at,
            superseded=row.superseded_at is not None,
        )
        for of_series in rows
        for row in of_series
    ]
    found = standard_rules.in_force(amounts, day)
    if found is None:
        return None
    return Cited(
        "dibao.standard", found.amount, found.document, found.valid_from, confirmed=True, note=""
    )


def household_of(asked: CalculatorIn, applied_on: date) -> Household:
    """The facts of the request, as the rules take them."""
    return Household(
        members=tuple(_member(one) for one in asked.members),
        area=asked.area,
        applied_on=applied_on,
        incomes=tuple(
            _income(member.ref, one, applied_on)
            for member in asked.members
            for one in member.incomes
        ),
        properties=tuple(
            Property(**one.model_dump(), source=_found(one, essential=one.essential))
            for one in asked.properties
        ),
        consumptions=tuple(
            Consumption(**one.model_dump(), source=_found(one)) for one in asked.consumptions
        ),
        supports=tuple(Support(**one.model_dump()) for one in asked.supports),
        edge_finding=_edge_finding(asked.edge_finding),
        alone=frozenset(one.ref for one in asked.members if one.alone),
        missing_sources=tuple((one.member, one.source) for one in asked.missing),
    )


def _edge_finding(asked: EdgeFindingIn | None) -> EdgeFinding | None:
    if asked is None:
        return None
    return EdgeFinding(asked.met, FactSource.JUDGEMENT, reason=asked.reason)


def _found(asked: PropertyIn | ConsumptionIn, *, essential: bool = False) -> FactSource:
    """The calculator is told of what would be found: a judgement counts as a person's."""
    judged = asked.judged is not None or essential
    return FactSource.JUDGEMENT if judged else FactSource.DECLARED


def shown(found: Assessment) -> CalculatorOut:
    """The answer of the rules as it is published."""
    return CalculatorOut(
        as_of=found.day,
        area=found.area,
        outcome=found.outcome,
        family=found.family,
        standard=StandardOut(
            amount=found.standard.value,
            document=found.standard.source,
            valid_from=found.standard.valid_from,
        ),
        persons=found.persons,
        members=[
            StandingOut(ref=one.ref, counted=one.counted, reason=one.reason, article=one.article)
            for one in found.members
        ],
        income=_income_shown(found),
        base=_cents(found.base),
        extras=[
            ExtraOut(
                member=one.member,
                category=one.category,
                amount=round_half_up(one.amount),
                article=one.article,
            )
            for one in found.extras
        ],
        total=_cents(found.total),
        alone=[
            AloneOut(
                member=one.member,
                path=one.path,
                amount=round_half_up(one.amount),
                extras=round_half_up(one.total - one.amount),
                article=one.article,
                asked=one.asked,
            )
            for one in found.alone
        ],
        conditions=[
            ConditionOut(
                code=one.code,
                title=one.title,
                passed=one.passed,
                fact=one.fact,
                threshold=one.threshold,
                source=one.source,
                source_day=one.source_day,
                article=one.article,
                remedy=one.remedy,
                member=one.member or None,
            )
            for one in found.conditions
        ],
        payable_from=found.payable_from,
        law=[
            CitedOut(
                key=one.key,
                value=written(one.value),
                source=one.source,
                valid_from=one.valid_from,
                confirmed=one.confirmed,
            )
            for one in found.law
        ],
        notes=list(found.notes),
    )


def _income_shown(found: Assessment) -> IncomeOut:
    return IncomeOut(
        total=round_half_up(found.income.total),
        per_capita=_cents(found.per_capita),
        lines=[
            LineOut(
                member=one.member,
                kind=one.kind,
                amount=round_half_up(one.amount),
                counted=one.counted,
                deducted=round_half_up(one.deducted),
                article=one.article,
                note=one.note,
            )
            for one in found.income.lines
        ],
        support=[
            SupportDueOut(
                member=one.fact.member,
                supporter=one.fact.supporter,
                amount=round_half_up(one.amount),
                added=round_half_up(one.added),
                article=one.source,
                valid_from=one.valid_from,
                note=one.note,
            )
            for one in found.income.support
        ],
        deductions=[
            DeductionOut(
                member=one.member,
                ground=one.ground,
                amount=round_half_up(one.amount),
                article=one.source,
                valid_from=one.valid_from,
            )
            for one in found.income.deductions
        ],
    )


def _cents(amount: Decimal | Fraction | None) -> Decimal | None:
    return None if amount is None else round_half_up(amount)


def _of_day(detail: str) -> Unprocessable:
    return Unprocessable("无法测算", errors=[FieldError("/as_of", detail)])


def _county(register: Register, units: Collection[int], code: str | None, day: date) -> int:
    """The county whose standard and law hold: that of the division, or the caller's own."""
    if code is None:
        counties = {register.county_of(one, day) for one in units} - {None}
        if len(counties) != 1:
            raise Unprocessable("未指明区划", errors=[FieldError("/division", "请填写区划代码")])
        return next(one for one in counties if one is not None)
    unit = register.by_code(code, day)
    if unit is None:
        raise Unprocessable("区划代码有误", errors=[FieldError("/division", "该日没有此区划代码")])
    if unit not in {*units, *register.ever_above(units, day)}:
        raise NotFound("未找到该区划，或不在您的管辖范围内")
    county = register.county_of(unit, day)
    if county is None:
        raise Unprocessable("区划级别有误", errors=[FieldError("/division", "应为区县或其下级")])
    return county


def _mistakes(asked: CalculatorIn, day: date, applied_on: date) -> Iterator[FieldError]:
    if asked.area is Area.ALL:
        yield FieldError("/area", "低保分城市（urban）、农村（rural）")
    if applied_on > day:
        yield FieldError("/applied_on", "申请之日不得晚于测算之日")
    applicants = [one for one in asked.members if one.relation is Relation.SELF]
    if len(applicants) != 1:
        yield FieldError("/members", f"应有且只有一名申请人（self），现有 {len(applicants)} 名")
    seen: set[str] = set()
    for place, member in enumerate(asked.members):
        if member.ref in seen:
            yield FieldError(f"/members/{place}/ref", "代称重复")
        seen.add(member.ref)
        yield from _mistakes_of_member(member, f"/members/{place}", day)
    yield from _unknown_refs(asked, seen)
    for place, one in enumerate(asked.consumptions):
        if one.on is not None and one.on > day:
            yield FieldError(f"/consumptions/{place}/on", "不得晚于测算之日")


def _mistakes_of_member(member: MemberIn, at: str, day: date) -> Iterator[FieldError]:
    if member.born > day:
        yield FieldError(f"{at}/born", "出生日期不得晚于测算之日")
    if member.employed_since is not None and not member.born < member.employed_since <= day:
        yield FieldError(f"{at}/employed_since", "应在出生之后，且不得晚于测算之日")
    if member.clergy_since is not None and not member.born < member.clergy_since <= day:
        yield FieldError(f"{at}/clergy_since", "应在出生之后，且不得晚于测算之日")
    for place, one in enumerate(member.incomes):
        if one.first_month is not None and one.first_month > day:
            yield FieldError(f"{at}/incomes/{place}/first_month", "不得晚于测算之日")


def _unknown_refs(asked: CalculatorIn, refs: Collection[str]) -> Iterator[FieldError]:
    for place, owned in enumerate(asked.properties):
        if owned.member is not None and owned.member not in refs:
            yield FieldError(f"/properties/{place}/member", "没有此代称的成员")
    for place, support in enumerate(asked.supports):
        if support.member not in refs:
            yield FieldError(f"/supports/{place}/member", "没有此代称的成员")
    for place, gap in enumerate(asked.missing):
        if gap.member not in refs:
            yield FieldError(f"/missing/{place}/member", "没有此代称的成员")


def _member(asked: MemberIn) -> Member:
    return Member(
        ref=asked.ref,
        relation=asked.relation,
        born=asked.born,
        education=asked.education,
        full_time=asked.full_time,
        disability=Disability(asked.disability.kind, asked.disability.grade)
        if asked.disability
        else None,
        severe_illness=asked.severe_illness,
        work_capacity=asked.work_capacity,
        employed=asked.employed,
        employed_since=asked.employed_since,
        bedridden=asked.bedridden,
        independent=asked.independent,
        lives_together=asked.lives_together,
        legal_duty=asked.legal_duty,
        clergy_since=asked.clergy_since,
        lives_in_religious_site=asked.in_religious_site,
        in_prison=asked.in_prison,
        in_compulsory_rehabilitation=asked.in_compulsory_rehabilitation,
        declared_missing=asked.declared_missing,
        soldier_unmarried=asked.unmarried_soldier,
        special_hardship=asked.special_hardship,
    )


def _income(ref: str, asked: IncomeIn, applied_on: date) -> Income:
    return Income(
        member=ref,
        kind=asked.kind,
        amount=asked.amount,
        first_month=asked.first_month or add_months(applied_on, -1),
        months=asked.months,
        reason=asked.reason,
        disregarded=asked.disregarded,
    )
