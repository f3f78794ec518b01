"""A household over time: who belongs to it and what is true of it, on two clocks.

A fact holds from a day on (until another, or the next one of its kind) and is known from an
instant on. None is ever changed: a correction takes its place, and both stay on record.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.clock import SHANGHAI
from chassis.identity import IdDoubt
from contracts.events.relief import Area
from services.relief.entitlement import facts as law
from services.relief.households.kinds import MANY, FactKind, LeaveReason

REASONED = "理由已登记"
"""Stands in what is assembled where a reason is kept sealed: that there is one decides, not what
it says."""

MOST_FACTS = 1_000
"""Facts of one household, superseded ones too."""

WARNINGS = {
    IdDoubt.PLACE_UNKNOWN.value: "身份证号码的区划部分有疑问，请核对证件",
    IdDoubt.DATE_IMPOSSIBLE.value: "身份证号码的出生日期部分不是日期，请核对证件",
    IdDoubt.BORN_LATER.value: "身份证号码的出生日期晚于登记之日，请核对证件",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded fact; `value` as JSON keeps it, `noted` whether a reason is sealed beside it."""

    id: UUID
    member: UUID | None
    kind: FactKind
    value: Mapping[str, Any]
    valid_from: date
    valid_to: date | None
    source: law.FactSource
    source_day: date | None
    noted: bool
    known_at: datetime
    superseded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """From when until when (that day no more) somebody belonged to the household, as known now."""

    joined_on: date
    left_on: date | None
    left_reason: LeaveReason | None


def standing(facts: Iterable[Fact], before: datetime | None = None) -> list[Fact]:
    """The facts that are held for true, as known now or just before an instant."""
    return [
        fact
        for fact in facts
        if (before is None or fact.known_at < before)
        and (fact.superseded_at is None or (before is not None and fact.superseded_at >= before))
    ]


def in_force(facts: Iterable[Fact], day: date) -> list[Fact]:
    """Those of the standing facts that hold on the day: of most kinds the latest of each member."""
    running = [
        fact
        for fact in facts
        if fact.valid_from <= day and (fact.valid_to is None or day <= fact.valid_to)
    ]
    latest = {_about(fact): fact for fact in sorted(running, key=_in_order)}
    chosen = {fact.id for fact in latest.values()}
    return [fact for fact in running if fact.id in chosen]


def _about(fact: Fact) -> tuple[object, ...]:
    """What one fact says at a time: of support what each supporter has, else each member's kind.

    Of the other kinds of which there are many each fact is about itself.
    """
    if fact.kind is FactKind.SUPPORT:
        return fact.member, fact.kind, fact.value["supporter"]
    return (fact.id,) if fact.kind in MANY else (fact.member, fact.kind)


def _in_order(fact: Fact) -> tuple[date, bool, datetime]:
    """By the day; who comes and leaves on the same day has left."""
    return fact.valid_from, fact.value.get("state") == "out", fact.known_at


def present(held: Iterable[Fact]) -> list[UUID]:
    """The members among the facts of one day, in the order of their entry on record."""
    return sorted(
        fact.member
        for fact in held
        if fact.kind is FactKind.MEMBERSHIP and fact.value["state"] == "in" and fact.member
    )


def membership(facts: Sequence[Fact], joined_on: date) -> Membership:
    """What the standing facts of one member say of coming and going.

    `joined_on` is the day that is kept of somebody who, as is known now, never belonged.
    """
    moves = sorted((fact for fact in facts if fact.kind is FactKind.MEMBERSHIP), key=_in_order)
    joined = next((fact.valid_from for fact in moves if fact.value["state"] == "in"), None)
    if joined is None:
        return Membership(joined_on, joined_on, LeaveReason.ERROR)
    last = moves[-1]
    if last.value["state"] == "in":
        return Membership(joined, None, None)
    return Membership(joined, last.valid_from, LeaveReason(last.value["reason"]))


def born(facts: Iterable[Fact]) -> date | None:
    """The day of birth that the latest of one member's standing facts gives."""
    stated = [fact for fact in facts if fact.kind is FactKind.PERSON]
    if not stated:
        return None
    return _day(max(stated, key=lambda fact: fact.valid_from).value["born"])


def twice_a_day(held: Iterable[Fact]) -> bool:
    """Whether two standing facts say what holds of one member from the same day on.

    To come and to leave on one day are two: a child may die on the day of its birth.
    """
    seen = [(_about(fact), fact.valid_from, fact.value.get("state")) for fact in held]
    return len(set(seen)) < len(seen)


def violation(held: Sequence[Fact]) -> str | None:
    """What in one member's standing facts cannot be; None when they are sound."""
    moves = sorted((fact for fact in held if fact.kind is FactKind.MEMBERSHIP), key=_in_order)
    if any(move.value["state"] != ("in", "out")[place % 2] for place, move in enumerate(moves)):
        return "进入与离开须先后相间"
    if any(move.valid_to for move in moves):
        return "进入与离开不填截止日期"
    persons = [fact for fact in held if fact.kind is FactKind.PERSON]
    if any(fact.valid_to for fact in persons):
        return "与申请人的关系不填截止日期"
    if moves and all(fact.valid_from > moves[0].valid_from for fact in persons):
        return "成为家庭成员之日起即须有与申请人的关系"
    return None


def assemble(
    facts: Iterable[Fact],
    *,
    day: date,
    area: Area,
    applied_on: date,
    before: datetime | None = None,
    missing: Iterable[tuple[UUID, str]] = (),
    silences: Iterable[law.Silence] = (),
) -> law.Household:
    """The household as the rules of entitlement take it: on a day, as known before an instant.

    What belongs to somebody who is no member on the day is left out. Of income all months up to
    the day are given: which of them count is the rules' business.
    """
    held = in_force(standing(facts, before), day)
    members = present(held)
    there = {*members, None}
    kept = [fact for fact in held if fact.member in there]
    return law.Household(
        members=tuple(_member(member, kept) for member in members),
        area=area,
        applied_on=applied_on,
        incomes=tuple(income(fact) for fact in kept if fact.kind is FactKind.INCOME),
        properties=tuple(_property(fact) for fact in kept if fact.kind is FactKind.PROPERTY),
        consumptions=tuple(
            _consumption(fact) for fact in kept if fact.kind is FactKind.CONSUMPTION
        ),
        supports=tuple(_support(fact) for fact in kept if fact.kind is FactKind.SUPPORT),
        edge_finding=next(
            (_edge_finding(fact) for fact in kept if fact.kind is FactKind.EDGE_PROPERTY), None
        ),
        alone=frozenset(
            str(fact.member)
            for fact in kept
            if fact.kind is FactKind.REQUEST and fact.value["alone"]
        ),
        missing_sources=tuple(
            (str(member), source) for member, source in missing if member in there
        ),
        accepted_silences=tuple(one for one in silences if UUID(one.member) in there),
    )


def warnings(*, doubts: Iterable[str], born: date, document_born: date | None) -> list[str]:
    """What a clerk should look at in a member; nothing is refused for it."""
    found = [WARNINGS[doubt] for doubt in doubts]
    if document_born is not None and document_born != born:
        found.append("申报的出生日期与身份证号码不一致，请核对")
    return found


def birth_doubtful(fact: Fact, document_born: date | None) -> bool:
    """Whether a person's stated birthday differs from the number's and nobody has settled that.

    Settled it is by a judgement with its reason; a birthday decides who is a minor and who is old.
    """
    if fact.kind is not FactKind.PERSON or document_born is None:
        return False
    settled = fact.source is law.FactSource.JUDGEMENT and fact.noted
    return _day(fact.value["born"]) != document_born and not settled


def supporter_checkable(*, consented_on: date | None, day: date, consent_required: bool) -> bool:
    """Whether a supporter outside the household may be checked (社会救助法 art. 41)."""
    return not consent_required or (consented_on is not None and consented_on <= day)


def _member(member: UUID, held: Iterable[Fact]) -> law.Member:
    known: dict[str, Any] = {}
    for fact in held:
        if fact.member == member and fact.kind not in MANY:
            known |= fact.value
    disability = known.get("disability")
    stated = {
        "education": law.Education(known.get("education", law.Education.NONE)),
        "work_capacity": law.WorkCapacity(known.get("work_capacity", law.WorkCapacity.FULL)),
        "clergy_since": _day(known.get("clergy_since")),
        "employed_since": _day(known.get("employed_since")),
        "disability": disability
        and law.Disability(law.DisabilityKind(disability["kind"]), disability["grade"]),
        **{field: known[name] for name, field in _FLAGS.items() if name in known},
    }
    return law.Member(
        ref=str(member),
        relation=law.Relation(known["relation"]),
        born=date.fromisoformat(known["born"]),
        **stated,
    )


_FLAGS = {
    "full_time": "full_time",
    "severe_illness": "severe_illness",
    "bedridden": "bedridden",
    "employed": "employed",
    "independent": "independent",
    "lives_together": "lives_together",
    "legal_duty": "legal_duty",
    "in_religious_site": "lives_in_religious_site",
    "in_prison": "in_prison",
    "in_compulsory_rehabilitation": "in_compulsory_rehabilitation",
    "declared_missing": "declared_missing",
    "unmarried_soldier": "soldier_unmarried",
    "special_hardship": "special_hardship",
}
"""The published names of what is true or false of a member, and the rules' names of it."""


def income(fact: Fact) -> law.Income:
    """A fact of income as the rules of entitlement take it."""
    value = fact.value
    return law.Income(
        member=str(fact.member),
        kind=law.IncomeKind(value["kind"]),
        amount=Decimal(value["amount"]),
        first_month=fact.valid_from,
        months=value["months"],
        disregarded=value["disregarded"],
        **_origin(fact),
    )


def _property(fact: Fact) -> law.Property:
    value = fact.value
    return law.Property(
        kind=law.PropertyKind(value["kind"]),
        member=None if fact.member is None else str(fact.member),
        amount=_decimal(value["amount"]),
        area=_decimal(value["area"]),
        essential=value["essential"],
        disability_vehicle=value["disability_vehicle"],
        judged=value["judged"],
        **_origin(fact),
    )


def _consumption(fact: Fact) -> law.Consumption:
    value = fact.value
    return law.Consumption(
        kind=law.ConsumptionKind(value["kind"]),
        on=_day(value["on"]),
        amount=_decimal(value["amount"]),
        share=_decimal(value["share"]),
        judged=value["judged"],
        **_origin(fact),
    )


def _support(fact: Fact) -> law.Support:
    value = fact.value
    return law.Support(
        member=str(fact.member),
        supporter=value["supporter"],
        income=Decimal(value["income"]),
        persons=value["persons"],
        owed=value["owed"],
        disregarded=value["disregarded"],
        **_origin(fact),
    )


def _edge_finding(fact: Fact) -> law.EdgeFinding:
    return law.EdgeFinding(met=fact.value["met"], **_origin(fact))


def _origin(fact: Fact) -> dict[str, Any]:
    """Where a fact comes from and of which day it is: a declared one of the day it was told."""
    return {
        "source": fact.source,
        "source_day": fact.source_day or fact.known_at.astimezone(SHANGHAI).date(),
        "reason": REASONED if fact.noted else "",
    }


def _day(written: str | None) -> date | None:
    return None if written is None else date.fromisoformat(written)


def _decimal(written: str | None) -> Decimal | None:
    return None if written is None else Decimal(written)
