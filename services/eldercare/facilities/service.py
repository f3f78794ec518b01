"""Register, change and correct the facilities of eldercare."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.conditional import require_version
from chassis.database import now, today
from chassis.ids import new_id
from chassis.law.units import Register
from chassis.outbox import emit
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from contracts.events.eldercare import FacilityFunction
from contracts.events.placename import UnitLevel
from services.eldercare.facilities import repository, rules
from services.eldercare.facilities.models import FacilityRow
from services.eldercare.facilities.rules import (
    SERIES_OF,
    Assessment,
    Beds,
    Fact,
    Functions,
    Kind,
    Life,
    Name,
    Operator,
    Place,
    Value,
)
from services.eldercare.facilities.schemas import (
    AssessmentChange,
    BedCounts,
    BedsChange,
    ClosingChange,
    FacilityChange,
    FacilityRegister,
    FactCorrection,
    FunctionsChange,
    KindChange,
    NameChange,
    OpeningChange,
    OperatorChange,
    OperatorOf,
    PlaceChange,
)


class AlreadyCorrected(Conflict):
    slug, title = "fact-already-corrected", "该项登记已被更正"


class Voided(Conflict):
    slug, title = "facility-void", "该设施的登记已作废"


@dataclass(frozen=True, slots=True)
class Territory:
    """The register of units (区划单位), and those of them that the caller may speak of."""

    register: Register
    units: Collection[int]

    def unit(self, code: str, day: date, pointer: str) -> int:
        """The unit whose code this is on the day; a foreign one is not found."""
        unit_id = self.register.by_code(code, day)
        if unit_id is None:
            raise Unprocessable("区划代码有误", errors=[FieldError(pointer, "当日没有此区划代码")])
        if unit_id not in self.units:
            raise NotFound("未找到该区划，或不在您的管辖范围内")
        return unit_id

    def named(self, code: str, pointer: str) -> int:
        """The unit that ever bore this code; void codes are never used again."""
        unit_id = self.register.by_code(code)
        if unit_id is None:
            raise Unprocessable("区划代码有误", errors=[FieldError(pointer, "没有此区划代码")])
        if unit_id not in self.units:
            raise NotFound("未找到该区划，或不在您的管辖范围内")
        return unit_id

    def site(self, code: str, day: date, pointer: str) -> int:
        """As `unit`; a facility stands in a street, town, community or village."""
        unit_id = self.unit(code, day, pointer)
        if self.register.level_of(unit_id, day) == UnitLevel.COUNTY:
            raise Unprocessable(
                "区划级别有误", errors=[FieldError(pointer, "须填到镇街或村居一级")]
            )
        return unit_id

    def require_existing(self, unit_id: int, day: date) -> None:
        """Refuse a day on which the unit was not yet, or no longer."""
        if self.register.town_of(unit_id, day) is None:
            raise Unprocessable(
                "区划有误",
                errors=[FieldError("/replacement/valid_from", "当日没有设施所在的区划单位")],
            )


async def register(
    session: AsyncSession, territory: Territory, asked: FacilityRegister
) -> FacilityRow:
    """Record a facility with all that holds from its opening day."""
    facts = stated_at_opening(session, territory, asked)
    _check(session, facts, "/opened_on")
    return await found(session, facts)


def stated_at_opening(
    session: AsyncSession, territory: Territory, asked: FacilityRegister
) -> list[Fact]:
    """What a registration says, series by series."""
    unit_id = territory.site(asked.division, asked.opened_on, "/division")
    values: tuple[Value, ...] = (
        Life(open=True),
        Name(asked.name),
        Kind(asked.kind),
        Place(unit_id, asked.address),
        _operator(asked.operator),
        _beds(asked.beds),
        _functions(asked.functions),
    )
    return [new_fact(session, value, asked.opened_on, asked.document) for value in values]


async def found(session: AsyncSession, facts: Sequence[Fact]) -> FacilityRow:
    """Save a new facility with what is known of it, and tell of it in one event."""
    unit_id = rules.responsible_unit(rules.standing(facts))
    facility = FacilityRow(id=new_id(), event_seq=0, version=1, responsible_unit=unit_id)
    session.add(facility)
    await session.flush()
    await _save(session, facility, [], facts, "registered")
    return facility


async def change(
    session: AsyncSession,
    territory: Territory,
    *,
    facility_id: UUID,
    if_match: str | None,
    asked: FacilityChange,
) -> FacilityRow:
    """Record what holds from a day on, whatever is recorded for later days."""
    facility, facts = await _to_change(session, territory, facility_id, if_match)
    value = value_of(territory, asked)
    added = [new_fact(session, value, asked.valid_from, asked.document)]
    _check(session, [*facts, *added], "/valid_from")
    facility.version += 1
    await _save(session, facility, facts, added, _verb(value))
    return facility


async def correct(
    session: AsyncSession,
    territory: Territory,
    *,
    facility_id: UUID,
    fact_id: UUID,
    if_match: str | None,
    asked: FactCorrection,
) -> FacilityRow:
    """Put another fact in the place of one, or withdraw it; the first stays on record."""
    facility, facts = await _to_change(session, territory, facility_id, if_match)
    wrong = next((fact for fact in facts if fact.id == fact_id), None)
    if wrong is None:
        raise NotFound("未找到该项登记")
    held = rules.standing(facts)
    if wrong not in held:
        raise AlreadyCorrected("请更正现行的一项")
    right = _replacement(session, territory, wrong, asked)
    pairs = [(wrong, right), *_moved_along(session, held, wrong, right)]
    added = [replace(new, supersedes=old.id, reason=asked.reason) for old, new in pairs]
    for fact in added:
        if isinstance(fact.value, Place):
            territory.require_existing(fact.value.unit_id, fact.valid_from)
    _check(session, [*facts, *added], "/replacement/valid_from")
    facility.version += 1
    await _save(session, facility, facts, added, "corrected")
    return facility


def value_of(  # noqa: PLR0911 - one line a change
    territory: Territory, asked: FacilityChange, pointer: str = ""
) -> Value:
    """What a change says, with the division looked up on its day."""
    match asked:
        case OpeningChange():
            return Life(open=True)
        case ClosingChange():
            return Life(open=False)
        case NameChange():
            return Name(asked.name)
        case KindChange():
            return Kind(asked.kind)
        case PlaceChange():
            unit_id = territory.site(asked.division, asked.valid_from, f"{pointer}/division")
            return Place(unit_id, asked.address)
        case OperatorChange():
            return _operator(asked.operator)
        case BedsChange():
            return _beds(asked.beds)
        case FunctionsChange():
            return _functions(asked.functions)
        case AssessmentChange():
            return Assessment(asked.passed, asked.score)


def new_fact(session: AsyncSession, value: Value, valid_from: date, document: str) -> Fact:
    """A fact that the caller records now."""
    return Fact(
        id=new_id(),
        series=SERIES_OF[type(value)],
        valid_from=valid_from,
        value=value,
        document=document,
        recorded_at=now(session),
        recorded_by=session.info["actor"],
    )


async def _to_change(
    session: AsyncSession, territory: Territory, facility_id: UUID, if_match: str | None
) -> tuple[FacilityRow, list[Fact]]:
    facility = await repository.find(session, territory.units, facility_id, lock=True)
    if facility is None:
        raise NotFound
    require_version(if_match, facility.version)
    facts = await repository.facts_of(session, facility.id)
    if rules.opened_on(rules.standing(facts)) is None:
        raise Voided("请重新登记该设施")
    return facility, facts


def _check(session: AsyncSession, facts: Iterable[Fact], pointer: str) -> None:
    violations = rules.violations(facts, today(session))
    if violations:
        raise Unprocessable(
            "与该设施的其他登记不符",
            errors=[FieldError(pointer, one.text) for one in violations[:20]],
        )


async def _save(
    session: AsyncSession,
    facility: FacilityRow,
    facts: Sequence[Fact],
    added: Sequence[Fact],
    verb: str,
) -> None:
    known = [*facts, *added]
    unit_id = rules.responsible_unit(rules.standing(known))
    if unit_id != facility.responsible_unit:
        await repository.move(session, facility, unit_id)
    repository.add(session, facility, added)
    await emit(session, facility, verb, rules.timeline(facility.id, known))
    await audit.record(session, action=f"eldercare.facility.{verb}", subject=str(facility.id))


def _replacement(
    session: AsyncSession, territory: Territory, wrong: Fact, asked: FactCorrection
) -> Fact:
    right = asked.replacement
    if right is None:
        return _recorded_again(session, wrong, value=None)
    value = value_of(territory, right, "/replacement")
    same = type(value) is type(wrong.value) and (
        not isinstance(value, Life) or value == wrong.value
    )
    if not same:
        raise Unprocessable(
            "更正的事项不符",
            errors=[FieldError("/replacement/change", "须与原登记为同一事项，或撤销后另行登记")],
        )
    return new_fact(session, value, right.valid_from, right.document)


def _moved_along(
    session: AsyncSession, held: Sequence[Fact], wrong: Fact, right: Fact
) -> list[tuple[Fact, Fact]]:
    """What was stated for an opening day, restated for the corrected one."""
    is_opening = wrong.series == rules.Series.LIFE and wrong.valid_from == rules.opened_on(held)
    if not is_opening or right.value is None or right.valid_from == wrong.valid_from:
        return []
    return [
        (fact, _recorded_again(session, fact, valid_from=right.valid_from))
        for fact in rules.of_opening(held)
    ]


def _recorded_again(session: AsyncSession, fact: Fact, **changed: Any) -> Fact:  # noqa: ANN401 - fields of Fact
    return replace(
        fact,
        id=new_id(),
        recorded_at=now(session),
        recorded_by=session.info["actor"],
        **changed,
    )


def _verb(value: Value) -> str:
    match value:
        case Life(open=False):
            return "closed"
        case Assessment():
            return "assessed"
    return "changed"


def _operator(asked: OperatorOf) -> Operator:
    return Operator(asked.name, asked.kind)


def _beds(asked: BedCounts) -> Beds:
    return Beds(asked.total, asked.nursing, asked.in_use)


def _functions(asked: Iterable[FacilityFunction]) -> Functions:
    chosen = set(asked)
    return Functions(tuple(one for one in FacilityFunction if one in chosen))
