"""What a household owns and how it lives, held against the limits of the day.

57号 arts. 14, 17; 重庆市…条例 (2016) arts. 10, 13; domain.md B1.4. Each test names its fact and its
threshold. What is needed for living or work is exempt, and so is the vehicle that makes up for a
disability; a person's judgement, with its reason, settles what no figure can. Which kinds stand
against a household and which may be exempt are parameters of the day.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from chassis.law.dates import add_months
from chassis.law.money import published_percent
from services.relief.entitlement.articles import Subject, article
from services.relief.entitlement.conditions import Condition, told_from, yuan
from services.relief.entitlement.facts import (
    Consumption,
    ConsumptionKind,
    FactSource,
    Household,
    Property,
    PropertyKind,
)
from services.relief.entitlement.gaps import Gap
from services.relief.parameters.rules import Cited, Law

_MONEY = frozenset({PropertyKind.DEPOSIT, PropertyKind.SECURITIES, PropertyKind.INSURANCE_SAVINGS})
_FOUND = frozenset({FactSource.SURVEYED, FactSource.DOCUMENT, FactSource.JUDGEMENT})
"""Sources that a person of the office has looked at."""
_EXEMPTIBLE = "dibao.property.exemptible"
_DISABILITY_VEHICLE = "disability_vehicle"
_HALF_YEAR = 6
_YEAR = 12


@dataclass(frozen=True, slots=True)
class Means:
    """What is tested, for how many persons.

    `gaps` are the sources that have not answered: what could hide behind one is not settled.
    """

    properties: tuple[Property, ...]
    consumptions: tuple[Consumption, ...]
    persons: int
    standard: Decimal
    applied_on: date
    gaps: tuple[Gap, ...]


def of_family(
    household: Household, counted: frozenset[str], standard: Decimal, gaps: Sequence[Gap]
) -> Means:
    """The means of the members that are counted, and of the family together."""
    return Means(
        tuple(one for one in household.properties if one.member is None or one.member in counted),
        household.consumptions,
        len(counted),
        standard,
        household.applied_on,
        tuple(gaps),
    )


def of_one(household: Household, ref: str, standard: Decimal, gaps: Sequence[Gap]) -> Means:
    """What belongs to one member alone, who is reckoned as a household of one."""
    owned = tuple(one for one in household.properties if one.member == ref)
    return Means(owned, (), 1, standard, household.applied_on, tuple(gaps))


@dataclass(frozen=True, slots=True)
class Limits:
    """The keys of the parameters that property is held against."""

    deposits: str
    dwellings: str
    floor_area: str
    kinds: str

    def set(self, law: Law) -> bool:
        """Whether the law of the day has all of them."""
        keys = (self.deposits, self.dwellings, self.floor_area, self.kinds)
        return all(law.holds(key) for key in keys)


DIBAO = Limits(
    "dibao.property.deposit_multiple",
    "dibao.property.dwellings",
    "dibao.property.dwelling_area_multiple",
    "dibao.property.kinds",
)
EDGE = Limits(
    "dibao.edge.property.deposit_multiple",
    "dibao.edge.property.dwellings",
    "dibao.edge.property.dwelling_area_multiple",
    "dibao.edge.property.kinds",
)
"""Of edge families (低保边缘家庭), where a county has set its own."""


def tested(means: Means, law: Law) -> tuple[Condition, ...]:
    """Every test of property and consumption, in a fixed order."""
    return (*owned(means, law), *lived(means, law))


def owned(means: Means, law: Law, limits: Limits = DIBAO) -> tuple[Condition, ...]:
    """Every test of property: 低保's, or by the limits of others."""
    named = law.codes(limits.kinds)
    tests = [_deposits(means, law, limits), _dwellings(means, law, limits)]
    tests += [
        _absent(means, rule, law, _article(rule.subject, law, named))
        for rule in _within(_OWNED, named)
        if rule.always or rule.facts(means)
    ]
    return tuple(tests)


def lived(means: Means, law: Law) -> tuple[Condition, ...]:
    """Every test of consumption, of the kinds that the law of the day looks at."""
    named = law.codes("dibao.consumption.kinds")
    looked_at = [one for one in means.consumptions if one.kind.value in named.value]
    seen = replace(means, consumptions=tuple(looked_at))
    tests = [
        test(seen, law) for kinds, test in _MEASURED.items() if not kinds.isdisjoint(named.value)
    ]
    tests += [
        _absent(seen, rule, law, article(rule.subject, law.day)) for rule in _within(_LIVED, named)
    ]
    return tuple(tests)


def _within(rules: Iterable["_Absence"], named: Cited[frozenset[str]]) -> list["_Absence"]:
    """The rules for the kinds that are named, each for these alone."""
    fitting = [
        replace(rule, kinds=frozenset(one for one in rule.kinds if one.value in named.value))
        for rule in rules
    ]
    return [rule for rule in fitting if rule.kinds]


def _judged(fact: Property | Consumption) -> bool | None:
    """What a person of the office has found, with the reason: nobody judges in their own matter."""
    found = fact.source is FactSource.JUDGEMENT and fact.reason.strip()
    return fact.judged if found else None


def _exempt(fact: Property | Consumption, law: Law) -> bool:
    if isinstance(fact, Consumption):
        return _judged(fact) is True
    return _needed(fact, law) or (_may_be_exempt(fact, law) and _judged(fact) is True)


def _may_be_exempt(fact: Property, law: Law) -> bool:
    return fact.kind.value in law.codes(_EXEMPTIBLE).value


def _needed(fact: Property, law: Law) -> bool:
    """The exception for the disabled is one for motor vehicles alone (ordinance, art. 13).

    That a thing is essential (57号 art. 14) is found by a person of the office. Money never is:
    what of it is needed for a cure is judged apart.
    """
    of_disabled = fact.disability_vehicle and fact.kind is PropertyKind.VEHICLE
    found = fact.source in _FOUND and fact.kind not in _MONEY and _may_be_exempt(fact, law)
    return (fact.essential and found) or (
        of_disabled and _DISABILITY_VEHICLE in law.codes(_EXEMPTIBLE).value
    )


def _claimed(fact: Property | Consumption, law: Law) -> bool:
    """Whether the family alone says that the thing is essential, and nobody has looked into it.

    A register's answer carries the family's claim on: it does not know what a thing is needed for.
    """
    if not isinstance(fact, Property) or not fact.essential or fact.kind in _MONEY:
        return False
    return _judged(fact) is None and _may_be_exempt(fact, law) and not _needed(fact, law)


def _standing(facts: Iterable[Property], law: Law) -> tuple[list[Property], int]:
    """What counts, and how many are exempt."""
    known = list(facts)
    counting = [one for one in known if not _exempt(one, law)]
    return counting, len(known) - len(counting)


def _condition(
    means: Means,
    code: str,
    *,
    failed: bool,
    review: bool,
    facts: Sequence[Property | Consumption],
    fact: str,
    words: "_Words",
) -> Condition:
    """Fails on what is known; is not settled on what needs review or has not been answered."""
    gap = [one.name for one in means.gaps if one.touches(code)]
    passed: bool | None = not failed
    if passed and (review or gap):
        passed = None
    source, day = told_from(facts)
    remedy = ""
    if passed is False:
        remedy = words.remedy
    elif passed is None:
        remedy = "待经办人查明并认定" if review else "待核对结果返回后再作认定"
    return Condition(
        code=code,
        title=words.title,
        passed=passed,
        fact=f"{fact}；核对尚未返回：{'、'.join(gap)}" if gap else fact,
        threshold=words.threshold,
        article=words.article,
        source=source,
        source_day=day,
        remedy=remedy,
    )


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    threshold: str
    article: str
    remedy: str


def _deposits(means: Means, law: Law, limits: Limits) -> Condition:
    facts = [one for one in means.properties if one.kind in _MONEY]
    counting, exempt = _standing(facts, law)
    rule = law.decimal(limits.deposits)
    limit = means.standard * means.persons * rule.value
    total = sum((one.amount for one in counting if one.amount is not None), Decimal(0))
    unknown = [one for one in counting if one.amount is None]
    fact = f"存款、有价证券和储蓄性保险合计 {yuan(total)}"
    return _condition(
        means,
        "property_deposits",
        failed=total > limit or any(_judged(one) is False for one in unknown),
        review=any(_judged(one) is None for one in unknown),
        facts=facts,
        fact=_with_rest(fact, exempt, len(unknown), "金额"),
        words=_Words(
            "存款等金融资产不超过限额",
            f"不超过 {yuan(limit)}（{means.persons} 人 × {yuan(means.standard)} × {rule.value}）",
            _article(Subject.PROPERTY, law, rule),
            f"金融资产降至 {yuan(limit)} 以内后可重新申请；"
            "属于维持生活、治病必需的，可申请认定豁免",
        ),
    )


def _dwellings(means: Means, law: Law, limits: Limits) -> Condition:
    facts = [one for one in means.properties if one.kind is PropertyKind.DWELLING]
    counting, exempt = _standing(facts, law)
    rule = law.integer(limits.dwellings)
    from_number = rule.value
    multiple = law.decimal(limits.floor_area).value
    each = law.decimal("dibao.property.dwelling_area_per_person").value
    limit = multiple * each * means.persons
    area = _floor_area(counting)
    many = len(counting) >= from_number
    unknown = [one for one in counting if one.area is None]
    sure = [one for one in counting if not _claimed(one, law)]
    over = len(sure) >= from_number and _floor_area(sure) > limit
    fact = f"住房 {len(counting)} 套，建筑面积合计 {area} 平方米"
    return _condition(
        means,
        "property_dwellings",
        failed=over or (many and any(_judged(one) is False for one in unknown)),
        review=many and (area > limit or any(_judged(one) is None for one in unknown)),
        facts=facts,
        fact=_with_rest(fact, exempt, len(unknown), "面积"),
        words=_Words(
            "住房不超过规定的套数和面积",
            f"不同时达到 {from_number} 套以上且合计超过 {limit} 平方米"
            f"（{means.persons} 人 × {each} 平方米 × {multiple}）",
            _article(Subject.PROPERTY, law, rule),
            "住房情况变化后可重新申请；属于唯一居住或维持生活必需的，可申请认定豁免",
        ),
    )


def _floor_area(dwellings: Iterable[Property]) -> Decimal:
    return sum((one.area for one in dwellings if one.area is not None), Decimal(0))


@dataclass(frozen=True, slots=True)
class _Absence:
    """Something that a household in need does not have; `review`: it may, if a person so finds."""

    code: str
    kinds: frozenset[PropertyKind | ConsumptionKind]
    name: str
    subject: Subject
    always: bool = True
    review: bool = False

    def facts(self, means: Means) -> list[Property | Consumption]:
        every: tuple[Property | Consumption, ...] = (*means.properties, *means.consumptions)
        return [one for one in every if one.kind in self.kinds]


_OWNED = (
    _Absence(
        "property_premises", frozenset({PropertyKind.PREMISES}), "商业门面、店铺", Subject.PROPERTY
    ),
    _Absence(
        "property_vehicle",
        frozenset({PropertyKind.VEHICLE}),
        "机动车辆（残疾人功能性补偿代步机动车辆除外）",
        Subject.PROPERTY,
    ),
    _Absence("property_ship", frozenset({PropertyKind.SHIP}), "船舶", Subject.PROPERTY),
    _Absence(
        "property_machinery",
        frozenset({PropertyKind.MACHINERY}),
        "工程机械、大型农机具",
        Subject.PROPERTY,
    ),
    _Absence(
        "property_company",
        frozenset({PropertyKind.COMPANY}),
        "市场主体登记",
        Subject.PROPERTY,
    ),
    _Absence(
        "property_other",
        frozenset({PropertyKind.OTHER}),
        "债权等其他财产",
        Subject.PROPERTY,
        always=False,
        review=True,
    ),
)
_LIVED = (
    _Absence(
        "consumption_study",
        frozenset({ConsumptionKind.STUDY_ABROAD, ConsumptionKind.PRIVATE_SCHOOL}),
        "自费出国留学、高收费学校就读",
        Subject.CONSUMPTION,
    ),
    _Absence(
        "consumption_employing",
        frozenset({ConsumptionKind.EMPLOYING}),
        "雇用他人",
        Subject.SPENDING,
    ),
    _Absence(
        "consumption_vehicle_use",
        frozenset({ConsumptionKind.VEHICLE_USE}),
        "经常使用机动车辆",
        Subject.SPENDING,
    ),
)


def _absent(means: Means, rule: _Absence, law: Law, source: str) -> Condition:
    facts = rule.facts(means)
    counting = [one for one in facts if not _exempt(one, law)]
    auxiliary = law.codes("dibao.consumption.auxiliary").value
    open_ = [
        one
        for one in counting
        if _judged(one) is None
        and (rule.review or one.kind.value in auxiliary or _claimed(one, law))
    ]
    fact = f"{rule.name} {len(counting)} 项" if counting else f"未发现{rule.name}"
    return _condition(
        means,
        rule.code,
        failed=len(counting) > len(open_),
        review=bool(open_),
        facts=facts,
        fact=_with_rest(fact, len(facts) - len(counting), 0, ""),
        words=_Words(
            f"没有{rule.name}",
            f"没有，或经认定豁免（{law.codes(_EXEMPTIBLE).source}）"
            if rule.subject is Subject.PROPERTY
            else "没有，或经认定不影响",
            source,
            f"不再有{rule.name}后可重新申请；属于维持生活、生产必需的，可申请认定豁免",
        ),
    )


def _houses(means: Means, law: Law) -> Condition:
    rule = law.integer("dibao.consumption.house_years")
    years = rule.value
    since = add_months(means.applied_on, -_YEAR * years)
    return _lately(
        means,
        law,
        "consumption_house",
        frozenset({ConsumptionKind.HOUSE, ConsumptionKind.REFIT}),
        since,
        _Words(
            "申请前没有新建、购买住房或豪华装修",
            f"{since} 以后没有（申请前 {years} 年内）",
            _article(Subject.SPENDING, law, rule),
            f"满 {years} 年后可重新申请；因拆迁、灾害等必需的，可申请认定豁免",
        ),
    )


def _lately(
    means: Means, law: Law, code: str, kinds: frozenset[ConsumptionKind], since: date, words: _Words
) -> Condition:
    facts = [one for one in means.consumptions if one.kind in kinds]
    counting = [one for one in facts if not _exempt(one, law)]
    recent = [one for one in counting if one.on is not None and one.on > since]
    undated = [one for one in counting if one.on is None]
    fact = f"共 {len(recent)} 项" if recent else "未发现"
    return _condition(
        means,
        code,
        failed=bool(recent) or any(_judged(one) is False for one in undated),
        review=any(_judged(one) is None for one in undated),
        facts=facts,
        fact=_with_rest(fact, len(facts) - len(counting), len(undated), "日期"),
        words=words,
    )


def _luxury(means: Means, law: Law) -> Condition:
    rule = law.decimal("dibao.consumption.half_year_multiple")
    limit = means.standard * means.persons * rule.value
    since = add_months(means.applied_on, -_HALF_YEAR)
    facts = [one for one in means.consumptions if one.kind is ConsumptionKind.LUXURY]
    counting = [
        one for one in facts if not _exempt(one, law) and (one.on is None or one.on > since)
    ]
    unknown = [one for one in counting if one.on is None or one.amount is None]
    known = [one.amount for one in counting if one.on is not None and one.amount is not None]
    total = sum(known, Decimal(0))
    exempt = sum(_exempt(one, law) for one in facts)
    return _condition(
        means,
        "consumption_luxury",
        failed=bool(known and total >= limit) or any(_judged(one) is False for one in unknown),
        review=any(_judged(one) is None for one in unknown),
        facts=facts,
        fact=_with_rest(
            f"申请前半年非生活必需品消费 {yuan(total)}", exempt, len(unknown), "日期或金额"
        ),
        words=_Words(
            "申请前半年非生活必需品消费低于限额",
            f"低于 {yuan(limit)}（{means.persons} 人 × {yuan(means.standard)} × {rule.value}）",
            _article(Subject.SPENDING, law, rule),
            "消费超过半年后可重新申请；属于治病等必需的，可申请认定豁免",
        ),
    )


def _utilities(means: Means, law: Law) -> Condition:
    rule = law.decimal("dibao.consumption.utilities_share")
    most = Fraction(rule.value)
    facts = [one for one in means.consumptions if one.kind is ConsumptionKind.UTILITIES]
    counting = [one for one in facts if not _exempt(one, law)]
    shares = [(one, _share(one, means)) for one in counting]
    unknown = [one for one, share in shares if share is None]
    over = [one for one, share in shares if share is not None and share > most]
    auxiliary = ConsumptionKind.UTILITIES.value in law.codes("dibao.consumption.auxiliary").value
    refused = [one for one in over if _judged(one) is False or not auxiliary]
    known = [share for _, share in shares if share is not None]
    fact = f"最高为 {_percent(max(known))}" if known else "未登记"
    return _condition(
        means,
        "consumption_utilities",
        failed=bool(refused) or any(_judged(one) is False for one in unknown),
        review=len(over) > len(refused) or any(_judged(one) is None for one in unknown),
        facts=facts,
        fact=_with_rest(fact, len(facts) - len(counting), len(unknown), "比例"),
        words=_Words(
            "水、电、燃气、通讯月费用占家庭低保标准总额的比例不超过限额",
            f"不超过 {_percent(most)}",
            _article(Subject.CONSUMPTION, law, rule),
            "日常费用降低后可重新申请；因治病、护理等必需的，可申请认定豁免",
        ),
    )


def _share(fact: Consumption, means: Means) -> Fraction | None:
    if fact.share is not None:
        return Fraction(fact.share)
    if fact.amount is None or not means.persons:
        return None
    return Fraction(fact.amount) / (Fraction(means.standard) * means.persons)


def _article(subject: Subject, law: Law, limit: Cited[Any]) -> str:
    """The article that asks for the test, and the source of its figure."""
    return f"{article(subject, law.day)}；{limit.source}"


def _percent(share: Fraction) -> str:
    return f"{published_percent(share)}%"


def _with_rest(fact: str, exempt: int, unknown: int, what: str) -> str:
    rest = fact
    if exempt:
        rest += f"；另有 {exempt} 项豁免"
    if unknown:
        rest += f"；{unknown} 项{what}不明"
    return rest


_MEASURED: Mapping[frozenset[str], Callable[[Means, Law], Condition]] = {
    frozenset({ConsumptionKind.HOUSE.value, ConsumptionKind.REFIT.value}): _houses,
    frozenset({ConsumptionKind.UTILITIES.value}): _utilities,
    frozenset({ConsumptionKind.LUXURY.value}): _luxury,
}
"""The tests of consumption that have a figure, each by the kinds that it looks at."""
