"""Is this household entitled to 低保, to how much, and if not, why not (domain.md B1.2–B1.6).

重庆市…条例 (2016) arts. 10–13, 20; 57号 arts. 7, 8, 13, 14, 23; 83号 1; 社会救助法 arts. 18, 21.
The law of the day of decision decides; the same facts give the same answer in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from contracts.events.relief import Area
from services.relief.entitlement import property as means
from services.relief.entitlement.alone import Alone, Case, alone
from services.relief.entitlement.amounts import Extra, due, extras_of
from services.relief.entitlement.articles import Subject, article
from services.relief.entitlement.awards import payable_from
from services.relief.entitlement.conditions import Condition, all_of, told_from, yuan
from services.relief.entitlement.facts import (
    FactSource,
    Household,
    IncomeKind,
    Member,
    Relation,
    Silence,
)
from services.relief.entitlement.gaps import Gap
from services.relief.entitlement.income import Reckoning, reckon, unreasoned
from services.relief.entitlement.membership import (
    Standing,
    standings,
    titles,
    upkeep_disregarded,
)
from services.relief.parameters.rules import Cited, Law, Value


class Outcome(StrEnum):
    ENTITLED = "entitled"  # 全家纳入低保
    ALONE = "alone"  # 家庭不符合，提出单独申请的成员纳入
    EDGE = "edge"  # 低保边缘家庭
    NOT_ENTITLED = "not_entitled"  # 不符合
    UNDECIDED = "undecided"  # 尚不能认定


class Family(StrEnum):
    """The class of the whole family, whatever single members ask for."""

    DIBAO = "dibao"
    EDGE = "edge"
    NONE = "none"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer of the rules, with all that it stands on.

    `base` is the family's amount, `extras` the lines of its members; `total` is what is paid a
    month: base and extras, or (`ALONE`) what the members who asked are paid together.
    """

    day: date
    area: Area
    outcome: Outcome
    family: Family
    standard: Cited[Decimal]
    persons: int
    members: tuple[Standing, ...]
    income: Reckoning
    per_capita: Fraction | None
    base: Decimal | None
    extras: tuple[Extra, ...]
    total: Decimal | None
    alone: tuple[Alone, ...]
    conditions: tuple[Condition, ...]
    payable_from: date | None
    law: tuple[Cited[Value], ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> tuple[Condition, ...]:
        """What stands in the way: the reasons of a refusal."""
        return tuple(one for one in self.conditions if one.passed is False)

    @property
    def unsettled(self) -> tuple[Condition, ...]:
        """What is still missing, or waits for a person's judgement."""
        return tuple(one for one in self.conditions if one.passed is None)


@dataclass(frozen=True, slots=True)
class _Family:
    """The whole family under the law; `dibao` and `edge` None: not settled yet."""

    standings: tuple[Standing, ...]
    counted: frozenset[str]
    gaps: tuple[Gap, ...]
    names: dict[str, str]
    income: Reckoning
    conditions: tuple[Condition, ...]
    dibao: bool | None
    edge: bool | None

    @property
    def persons(self) -> int:
        return len(self.counted)

    @property
    def per_capita(self) -> Fraction | None:
        return self.income.total / self.persons if self.persons else None

    @property
    def kind(self) -> Family:
        if self.dibao:
            return Family.DIBAO
        if self.dibao is None or self.edge is None:
            return Family.UNDECIDED
        return Family.EDGE if self.edge else Family.NONE


_Trials = dict[str, tuple[Alone | None, tuple[Condition, ...]]]


def assess(household: Household, *, day: date, law: Law, standard: Cited[Decimal]) -> Assessment:
    """What the law of the day says of the household.

    Args:
        household: its facts; every ref in them names a member.
        day: the day of decision, on which ages are reckoned.
        law: the parameters in force on that day.
        standard: of the household's area on the day, with the notice that sets it.

    Raises:
        NotInForceError: the day is before the first law that is known here (2016-05-01).
    """
    family = _family(household, day, law, standard.value)
    trials = _trials(household, family, day, law, standard.value)
    asked = {ref: trial for ref, trial in trials.items() if ref in household.alone}
    candidates = tuple(granted for granted, _ in trials.values() if granted is not None)
    outcome = _outcome(family, asked)
    entitled = outcome is Outcome.ENTITLED
    base = due(standard.value, family.persons, family.income.total, law) if entitled else None
    extras = _extras(household, family, day, law) if entitled else ()
    return Assessment(
        day=day,
        area=household.area,
        outcome=outcome,
        family=family.kind,
        standard=standard,
        persons=family.persons,
        members=family.standings,
        income=family.income,
        per_capita=family.per_capita,
        base=base,
        extras=extras,
        total=_total(outcome, base, extras, candidates),
        alone=candidates,
        conditions=(*family.conditions, *(one for _, told in asked.values() for one in told)),
        payable_from=payable_from(day, law) if outcome in _PAID else None,
        law=law.cited(),
        notes=_notes(household, family, candidates),
    )


_PAID = (Outcome.ENTITLED, Outcome.ALONE)


def _family(household: Household, day: date, law: Law, standard: Decimal) -> _Family:
    told = standings(household, day=day, law=law)
    counted = frozenset(one.ref for one in told if one.counted)
    names = titles(household)
    gaps = tuple(
        Gap(ref, source, names[ref]) for ref, source in sorted(set(household.missing_sources))
    )
    income = _reckoned(household, counted, law, standard)
    whole = _Family(told, counted, gaps, names, income, (), dibao=False, edge=False)
    if not counted:
        return replace(whole, conditions=(_nobody(told, law),))
    return _settled(whole, household, law, standard)


def _reckoned(
    household: Household, counted: frozenset[str], law: Law, standard: Decimal
) -> Reckoning:
    disregarding = upkeep_disregarded(household.members, law)
    return reckon(household, counted, law=law, standard=standard, disregarding=disregarding)


def _nobody(told: tuple[Standing, ...], law: Law) -> Condition:
    """Why a household of which nobody is counted is refused: a refusal has its reasons."""
    return Condition(
        code="household_has_members",
        title="有计入的共同生活家庭成员",
        passed=False,
        fact="；".join(sorted({one.reason for one in told})),
        threshold="至少有一名成员计入共同生活的家庭成员",
        article=article(Subject.MEMBERS, law.day),
        remedy="不计入的情形消失后可重新申请",
    )


def _settled(family: _Family, household: Household, law: Law, standard: Decimal) -> _Family:
    gaps = [one for one in family.gaps if one.member in family.counted]
    below = _income_test(family, household, law, standard, _BELOW)
    known = means.of_family(household, family.counted, standard, gaps)
    owned, lived = means.owned(known, law), means.lived(known, law)
    silences = [one for one in household.accepted_silences if one.member in family.counted]
    others = [*lived, *_imputed(family, household, law), _sources(family, gaps, silences, law)]
    dibao = all_of(one.passed for one in (below, *owned, *others))
    edge = _Edge(passed=False, conditions=())
    if law.holds("dibao.edge.multiple"):
        within = _income_test(family, household, law, standard, _EDGE)
        edge = _edge(household, within, known, owned, law)
    # Of a family that is taken in whole nothing of the edge stands in the way.
    told = edge.conditions[:1] if dibao else edge.conditions
    conditions = [below, *told, *owned, *others]
    conditions += _whole_family(dibao, family, household, law)
    not_dibao = None if dibao is None else not dibao
    of_edge = all_of((not_dibao, edge.passed, *(one.passed for one in others)))
    return replace(family, conditions=tuple(conditions), dibao=dibao, edge=of_edge)


@dataclass(frozen=True, slots=True)
class _Edge:
    """The edge family (低保边缘家庭): `conditions` are those it has besides those of 低保."""

    passed: bool | None
    conditions: tuple[Condition, ...]


def _edge(
    household: Household,
    within: Condition,
    known: means.Means,
    owned: Sequence[Condition],
    law: Law,
) -> _Edge:
    """Whether income and property are those of an edge family.

    Property by 低保's own limits, or apart where the law of the day does not hold it to these.
    """
    if law.flag("dibao.edge.property_as_dibao").value:
        return _Edge(all_of(one.passed for one in (within, *owned)), (within,))
    apart = _edge_property(household, known, owned, law)
    return _Edge(all_of((within.passed, apart.passed)), (within, apart))


def _edge_property(
    household: Household, known: means.Means, owned: Sequence[Condition], law: Law
) -> Condition:
    """By the county's limits for edge families; where it has set none, a person judges."""
    if means.EDGE.set(law):
        return _by_limits(means.owned(known, law, means.EDGE), law)
    condition = Condition(
        code="edge_property",
        title=_EDGE_PROPERTY,
        passed=None,
        fact="没有登记低保边缘家庭的财产限额，家庭财产不符合低保的规定或者尚未查明，尚无认定",
        threshold="符合低保的财产规定，或者经认定符合低保边缘家庭的规定",
        article=article(Subject.EDGE, law.day),
        remedy=_TO_BE_JUDGED,
    )
    finding = household.edge_finding
    found = finding is not None and finding.source is FactSource.JUDGEMENT
    if finding is not None and found and finding.reason.strip():
        return replace(
            condition,
            passed=finding.met,
            fact=f"经办人认定{'符合' if finding.met else '不符合'}低保边缘家庭的财产规定",
            source="认定",
            source_day=finding.source_day,
            remedy="" if finding.met else "家庭财产变化后可重新申请",
        )
    if all_of(one.passed for one in owned):
        return replace(condition, passed=True, fact="家庭财产符合低保的规定", remedy="")
    return condition


_EDGE_PROPERTY = "财产状况符合低保边缘家庭的规定"
_TO_BE_JUDGED = (
    "由提出初审意见的经办人调查后认定：以“认定”（judgement）登记家庭的低保边缘家庭财产认定"
    "（edge_property），写明理由；或者由区县民政局登记低保边缘家庭的财产限额"
)


def _by_limits(tests: Sequence[Condition], law: Law) -> Condition:
    open_ = [one for one in tests if one.passed is not True]
    days = [one.source_day for one in open_ if one.source_day is not None]
    return Condition(
        code="edge_property",
        title=_EDGE_PROPERTY,
        passed=all_of(one.passed for one in tests),
        fact="；".join(one.fact for one in open_) or "未发现超过规定的财产",
        threshold="；".join(one.threshold for one in open_ or tests),
        article=f"{article(Subject.EDGE, law.day)}；{law.decimal(means.EDGE.deposits).source}",
        source="、".join(sorted({one.source for one in open_ if one.source})),
        source_day=max(days, default=None),
        remedy="；".join(dict.fromkeys(one.remedy for one in open_)),
    )


@dataclass(frozen=True, slots=True)
class _Limit:
    code: str
    title: str
    subject: Subject
    multiple: str


_BELOW = _Limit("income_below_standard", "家庭人均收入低于低保标准", Subject.BELOW_STANDARD, "")
_EDGE = _Limit(
    "income_below_edge",
    "家庭人均收入低于低保边缘家庭标准",
    Subject.EDGE,
    "dibao.edge.multiple",
)


def _income_test(
    family: _Family, household: Household, law: Law, standard: Decimal, rule: _Limit
) -> Condition:
    """Strictly below: at the limit exactly it is not (domain.md B1.6)."""
    each = standard * (law.decimal(rule.multiple).value if rule.multiple else 1)
    limit = Fraction(each) * family.persons
    total, certain = family.income.total, _certain(family, household, law, standard)
    waiting = [
        one.name for one in family.gaps if one.member in family.counted and one.touches(rule.code)
    ]
    passed: bool | None = certain < limit
    if passed and (total >= limit or waiting):
        passed = None
    source, day = told_from(line.fact for line in family.income.lines if line.counted)
    fact = f"家庭月收入 {yuan(total)}，共 {family.persons} 人，人均 {yuan(total / family.persons)}"
    return Condition(
        code=rule.code,
        title=rule.title,
        passed=passed,
        fact=f"{fact}；核对尚未返回：{'、'.join(waiting)}" if waiting else fact,
        threshold=f"人均低于 {yuan(each)}，即合计低于 {yuan(limit)}（等于的不符合）",
        article=article(rule.subject, law.day),
        source=source,
        source_day=day,
        remedy=_income_remedy(passed, total - limit, limit),
    )


def _certain(family: _Family, household: Household, law: Law, standard: Decimal) -> Fraction:
    """The income without what is imputed and not reasoned yet."""
    doubtful = unreasoned(household, family.counted)
    if not doubtful:
        return family.income.total
    rest = tuple(one for one in household.incomes if one not in doubtful)
    sure = replace(household, incomes=rest)
    return _reckoned(sure, family.counted, law, standard).total


def _income_remedy(passed: bool | None, over: Fraction, limit: Fraction) -> str:  # noqa: FBT001 - a result
    if passed:
        return ""
    if passed is None:
        return "待核对结果返回、推定收入说明理由后再作认定"
    excess = f"高出 {yuan(over)}" if over else "恰好等于限额"
    return f"家庭月收入须低于 {yuan(limit)}，现{excess}；收入减少或家庭人口变化后可重新申请"


def _imputed(family: _Family, household: Household, law: Law) -> list[Condition]:
    """Imputed income yields to the real situation: a person says why it stands (83号 1(1))."""
    facts = [
        line.fact
        for line in family.income.lines
        if line.kind is IncomeKind.IMPUTED and line.member in family.counted
    ]
    if not facts:
        return []
    open_ = unreasoned(household, family.counted)
    source, day = told_from(facts)
    return [
        Condition(
            code="imputed_income_reasoned",
            title="推定收入已由经办人结合实际情况说明理由",
            passed=None if open_ else True,
            fact=f"推定收入 {len(facts)} 项，其中 {len(open_)} 项未说明理由",
            threshold="每项均有理由",
            article=article(Subject.IMPUTED, law.day),
            source=source,
            source_day=day,
            remedy="由经办人核实是否确实难以就业或较长时间无法获得收入，并写明理由"
            if open_
            else "",
        )
    ]


def _sources(
    family: _Family, gaps: Sequence[Gap], silences: Sequence[Silence], law: Law
) -> Condition:
    """Which sources are missing, and which of them somebody has answered for: none is zero."""
    told = [f"尚缺：{'、'.join(one.name for one in gaps)}"] if gaps else []
    told += [_accepted(one, family) for one in sorted(silences, key=_of_silence)]
    return Condition(
        code="sources_complete",
        title="家庭经济状况信息核对齐全",
        passed=None if gaps else True,
        fact="；".join(told) or "没有未返回的信息",
        threshold="各来源均已返回，或已说明理由接受缺项（缺项不视为没有）",
        article=article(Subject.SOURCES, law.day),
        remedy="待所缺信息返回，或由经办人说明理由后接受" if gaps else "",
    )


def _of_silence(silence: Silence) -> tuple[str, str]:
    return silence.member, silence.source


def _accepted(silence: Silence, family: _Family) -> str:
    name = Gap(silence.member, silence.source, family.names[silence.member]).name
    late = "，报告出具后已有答复，未用于本次测算" if silence.answered_late else ""
    return f"{name}缺失，经说明理由接受（查询编号 {silence.reference}）{late}"


def _whole_family(
    dibao: bool | None,  # noqa: FBT001 - a result
    family: _Family,
    household: Household,
    law: Law,
) -> list[Condition]:
    """A family that qualifies is taken in whole, never some of its members (83号 1(1))."""
    asked = sorted(family.names[ref] for ref in household.alone & family.counted)
    if not asked or dibao is None:
        return []
    return [
        Condition(
            code="whole_family",
            title="家庭符合条件的，全家纳入，不单独纳入个别成员",
            passed=not dibao,
            fact=f"{'、'.join(asked)}提出单独申请；家庭{'' if dibao else '不'}符合低保条件",
            threshold="家庭不符合低保条件时，方可按规定单独纳入",
            article=article(Subject.WHOLE_FAMILY, law.day),
            remedy="全家一并纳入低保，无须单独申请" if dibao else "",
        )
    ]


def _trials(
    household: Household, family: _Family, day: date, law: Law, standard: Decimal
) -> _Trials:
    """Who could be taken alone: nobody counted in a family that is, or may yet be, taken whole."""
    case = Case(
        household,
        family.counted,
        family.edge,
        family.per_capita,
        family.gaps,
        family.names,
        day,
        law,
        standard,
    )
    return {
        one.ref: alone(case, one)
        for one in household.members
        if family.dibao is False or one.ref not in family.counted
    }


def _outcome(family: _Family, asked: _Trials) -> Outcome:
    if family.dibao:
        return Outcome.ENTITLED
    open_ = any(
        granted is None and all(one.passed is not False for one in told)
        for granted, told in asked.values()
    )
    if family.dibao is None or open_:
        return Outcome.UNDECIDED
    if any(granted is not None for granted, _ in asked.values()):
        return Outcome.ALONE
    if family.edge is None:
        return Outcome.UNDECIDED
    return Outcome.EDGE if family.edge else Outcome.NOT_ENTITLED


def _extras(household: Household, family: _Family, day: date, law: Law) -> tuple[Extra, ...]:
    members = (one for one in household.members if one.ref in family.counted)
    return tuple(extra for one in members for extra in extras_of(one, day, law))


def _total(
    outcome: Outcome,
    base: Decimal | None,
    extras: tuple[Extra, ...],
    candidates: tuple[Alone, ...],
) -> Decimal | None:
    if base is not None:
        return base + sum((one.amount for one in extras), Decimal(0))
    if outcome is Outcome.ALONE:
        return sum((one.total for one in candidates if one.asked), Decimal(0))
    return None


def _notes(household: Household, family: _Family, candidates: tuple[Alone, ...]) -> tuple[str, ...]:
    notes = [*family.income.notes, *_adjusted(family)]
    if not family.persons:
        notes.append("没有计入的共同生活家庭成员")
    elif any(_applicant_left_out(one, family, household) for one in household.members):
        notes.append("申请人不计入共同生活的家庭成员，应由其他成员提出申请")
    for one in candidates:
        name = family.names[one.member]
        if not one.asked:
            notes.append(f"{name}可以参照单人户单独提出申请（{one.article}）")
    return tuple(notes)


def _adjusted(family: _Family) -> list[str]:
    """What makes the income another than the sum of its lines, with figure, source and date."""
    income = family.income
    owed = [
        f"{family.names[one.fact.member]}应得的赡养（抚养、扶养）费每月 {yuan(one.amount)}，"
        f"除实际给付的外计入 {yuan(one.added)}（{one.note}；{one.source}，自 {one.valid_from} 起）"
        for one in income.support
    ]
    return owed + [
        f"{family.names[one.member]}因{one.ground}增加的刚性支出每月扣减 {yuan(one.amount)}"
        f"（{one.source}，自 {one.valid_from} 起）"
        for one in income.deductions
    ]


def _applicant_left_out(member: Member, family: _Family, household: Household) -> bool:
    left_out = member.relation is Relation.SELF and member.ref not in family.counted
    return left_out and member.ref not in household.alone
