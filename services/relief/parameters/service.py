"""Set, correct and show parameters and who decides."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.conditional import require_version
from chassis.database import day_of, now, today
from chassis.ids import new_id
from chassis.law.deadlines import Term
from chassis.law.units import Register
from chassis.places import read_register
from chassis.problems import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from contracts.events.placename import UnitLevel
from contracts.events.relief import Programme
from services.relief.parameters import repository, rules
from services.relief.parameters.models import AuthorityEnding, AuthorityRow, ParameterRow
from services.relief.parameters.rules import (
    Competence,
    Law,
    Parameter,
    ParameterError,
    Raw,
    Row,
    SetBy,
)
from services.relief.parameters.schemas import (
    AuthoritySet,
    AuthorityView,
    EndingSet,
    EndingView,
    ParameterCorrection,
    ParameterSet,
    ParameterView,
    RecordedView,
    VersionView,
)
from services.relief.parameters.seed import seed

_ASKED = "/query/division"


class ParameterAlreadySet(Conflict):
    slug, title = "parameter-already-set", "该日期的参数已登记"


class SetAbove(Forbidden):
    """A text above the county has said it."""

    slug, title = "set-by-higher-text", "上级文件已作规定"


class AuthorityOverlaps(Conflict):
    slug, title = "authority-overlaps", "确认权限的期间重叠"


def readable_county(register: Register, units: Collection[int], code: str | None, day: date) -> int:
    """The county whose law is asked about: that of the code, else the one the caller stands in.

    `day` is the present one: where the caller stands does not hang on what day's law is read.
    """
    county = _own_county(register, units, day) if code is None else register.by_code(code)
    if county is None:
        raise _unknown_code(_ASKED)
    if county not in {*units, *register.ever_above(units, day)}:
        raise NotFound("未找到该区划，或不在您的管辖范围内")
    if register.level_of(county, day) != UnitLevel.COUNTY:
        raise Unprocessable("区划级别有误", errors=[FieldError(_ASKED, "应为区县")])
    return county


async def set_parameter(
    session: AsyncSession, *, register: Register, units: Collection[int], asked: ParameterSet
) -> ParameterRow:
    """Record a value for a day on; a second one for the same day needs a correction."""
    parameter = seed().parameters.get(asked.key)
    if parameter is None:
        raise Unprocessable("没有此项参数", errors=[FieldError("/key", "没有此项参数")])
    county = _county_to_set(register, units, asked.division, asked.valid_from)
    raw = await _checked(session, county, parameter, asked)
    if parameter.set_by is not SetBy.OPERATION:
        _not_before(today(session), asked.valid_from, "/valid_from")
    standing = await repository.parameter_rows(session, county, asked.key)
    if sum(row.superseded_at is None for row in standing) >= rules.MOST_ROWS:
        raise Unprocessable(f"同一参数最多登记 {rules.MOST_ROWS} 项现行数值")
    row = await _insert(session, county, asked.key, asked, raw, reason="")
    await audit.record(session, action="relief.parameter.set", subject=str(row.id))
    return row


async def correct_parameter(
    session: AsyncSession,
    *,
    register: Register,
    units: Collection[int],
    row_id: UUID,
    if_match: str | None,
    asked: ParameterCorrection,
) -> ParameterRow:
    """Put another value in the place of one that was recorded; both stay on record.

    The only way in which what decides about rights holds for a day that is past: from the day
    that was recorded, or on which it was.
    """
    wrong = await recorded(session, register, units, row_id, lock=True)
    if wrong.unit_id not in units:
        raise Forbidden("参数由区县民政局登记")
    require_version(if_match, wrong.version)
    if wrong.superseded_at is not None:
        raise Conflict("该项登记已被更正过，请更正现行的一项")
    parameter = seed().parameters[wrong.key]
    raw = await _checked(session, wrong.unit_id, parameter, asked)
    if parameter.set_by is not SetBy.OPERATION:
        since = min(wrong.valid_from, day_of(wrong.recorded_at))
        _not_before(since, asked.valid_from, "/valid_from")
    wrong.superseded_at = now(session)
    wrong.version += 1
    await session.flush()
    row = await _insert(session, wrong.unit_id, wrong.key, asked, raw, reason=asked.reason)
    await audit.record(session, action="relief.parameter.corrected", subject=str(row.id))
    return row


async def parameters(
    session: AsyncSession,
    county: int,
    *,
    as_of: date,
    known_on: date | None = None,
    key: str | None = None,
) -> list[ParameterView]:
    """Each parameter with what is in force on a day, as known at the end of another."""
    kept = {row.id: row for row in await repository.parameter_rows(session, county, key)}
    versions = [*seed().rows, *repository.set_rows(list(kept.values()))]
    by_key: dict[str, list[Row]] = {}
    for row in versions:
        if known_on is None or row.known_from <= known_on:
            by_key.setdefault(row.key, []).append(row)
    asked = [one for one in seed().parameters.values() if key in (None, one.key)]
    return [_parameter_view(one, by_key.get(one.key, []), kept, as_of, known_on) for one in asked]


async def recorded(
    session: AsyncSession,
    register: Register,
    units: Collection[int],
    row_id: UUID,
    *,
    lock: bool = False,
) -> ParameterRow:
    """One row that the caller's county, or one above the caller's units, has set."""
    above = register.ever_above(units, today(session))
    row = await repository.find_parameter(session, {*units, *above}, row_id, lock=lock)
    if row is None or row.key not in seed().parameters:
        raise NotFound
    return row


def recorded_view(register: Register, row: ParameterRow, day: date) -> RecordedView:
    """One row that was set, with its parameter."""
    parameter = seed().parameters[row.key]
    shown = _version_view(repository.row_of(row), {row.id: row})
    return RecordedView(
        **shown.model_dump(),
        key=row.key,
        title=parameter.title,
        division=register.code_of(row.unit_id, day),
    )


async def set_authority(
    session: AsyncSession, *, register: Register, units: Collection[int], asked: AuthoritySet
) -> AuthorityRow:
    """Record who decides for a town; for one programme and day there is one authority."""
    town = _unit(register, asked.division, asked.valid_from)
    if town not in units:
        raise NotFound("未找到该区划，或不在您的管辖范围内")
    if register.town_of(town, asked.valid_from) != town:
        raise Unprocessable(
            "区划级别有误", errors=[FieldError("/division", "确认权限按乡镇、街道登记")]
        )
    county = register.county_of(town, asked.valid_from)
    if county is None:
        raise Unprocessable(
            "区划级别有误", errors=[FieldError("/division", "该日未找到所属的区县")]
        )
    _require_county(register, units, town, [asked.valid_from, today(session)])
    _not_before(today(session), asked.valid_from, "/valid_from")
    if asked.valid_to is not None and asked.valid_to < asked.valid_from:
        raise _ends_before()
    await repository.lock_town(session, asked.programme, town)
    held = await repository.authorities(session, asked.programme, town)
    if len(held) >= rules.MOST_ROWS:
        raise Unprocessable(f"同一乡镇、街道最多登记 {rules.MOST_ROWS} 项权限")
    wanted = rules.Authority(
        asked.programme,
        town,
        county,
        asked.level,
        asked.basis,
        asked.document,
        asked.valid_from,
        asked.valid_to,
    )
    if rules.overlapping(held, wanted):
        raise AuthorityOverlaps("该期间已有登记的权限，请先登记其最后一天")
    row = AuthorityRow(
        id=new_id(),
        unit_id=town,
        county_id=county,
        programme=asked.programme,
        level=asked.level,
        basis=asked.basis,
        document=asked.document,
        valid_from=asked.valid_from,
        recorded_at=now(session),
        recorded_by=session.info["actor"],
        version=1,
    )
    session.add(row)
    await session.flush()
    if asked.valid_to is not None:
        session.add(_ending(session, row, asked.valid_to, asked.document))
    await audit.record(session, action="relief.authority.set", subject=str(row.id))
    return row


async def end_authority(
    session: AsyncSession,
    *,
    register: Register,
    units: Collection[int],
    authority_id: UUID,
    if_match: str | None,
    asked: EndingSet,
) -> AuthorityRow:
    """Record the last day of an authority, or another in its place; both stay on record."""
    found = await repository.find_authority(session, units, authority_id)
    if found is None:
        raise NotFound
    await repository.lock_town(session, found.programme, found.unit_id)
    row = await repository.find_authority(session, units, authority_id)
    if row is None:
        raise NotFound
    from_day = max(asked.valid_to, row.valid_from)
    _require_county(register, units, row.unit_id, [from_day, today(session)])
    require_version(if_match, row.version)
    if asked.valid_to < rules.earliest_end(row.valid_from):
        raise _ends_before()
    await _refuse_past(session, row, asked.valid_to)
    await _refuse_overlap(session, row, asked.valid_to)
    session.add(_ending(session, row, asked.valid_to, asked.document))
    row.version += 1
    await audit.record(session, action="relief.authority.ended", subject=str(row.id))
    return row


async def authority_views(
    session: AsyncSession, register: Register, rows: Collection[AuthorityRow]
) -> list[AuthorityView]:
    await session.flush()
    endings = await repository.endings_of(session, [row.id for row in rows])
    return [_authority_view(register, row, endings[row.id], today(session)) for row in rows]


async def competence(
    session: AsyncSession,
    *,
    programme: Programme,
    town: int,
    day: date,
    county: int,
    known_on: date | None = None,
) -> Competence:
    """Who decides for the town on the day, as known at the end of another (default: now)."""
    law = await repository.law(session, day, known_on, county=county)
    held = await repository.authorities(session, programme, town, known_on)
    counties = {county}
    if passed_down := {one.county for one in held} - counties:
        counties |= _predecessors(await read_register(session), passed_down, county)
    return rules.decides(held, programme, town, day, law, counties=counties)


async def competences(
    session: AsyncSession,
    *,
    programme: Programme,
    register: Register,
    towns: Collection[int],
    day: date,
) -> dict[int, Competence]:
    """As `competence`, of many towns at once."""
    rows = await repository.authority_rows(session, towns, programme)
    endings = await repository.endings_of(session, [row.id for row in rows])
    held = [repository.authority_of(row, endings[row.id]) for row in rows]
    passed_down = {one.county for one in held}
    found: dict[int, Competence] = {}
    for county in {register.county_of(town, day) or town for town in towns}:
        law = await repository.law(session, day, county=county)
        counties = {county, *_predecessors(register, passed_down, county)}
        for town in register.below(county, day).intersection(towns):
            found[town] = rules.decides(held, programme, town, day, law, counties=counties)
    return found


def readable_town(register: Register, units: Collection[int], code: str, day: date) -> int:
    """The town that has or had the code, within the caller's divisions; it exists on the day."""
    town = register.by_code(code)
    if town is None:
        raise _unknown_code(_ASKED)
    if town not in units:
        raise NotFound("未找到该区划，或不在您的管辖范围内")
    if register.town_of(town, day) != town:
        raise Unprocessable("区划级别有误", errors=[FieldError(_ASKED, "应为当日存在的乡镇、街道")])
    return town


def _predecessors(register: Register, of: Collection[int], county: int) -> set[int]:
    """Those of the counties whose place the county took, at once or by way of others."""

    def heir(unit: int) -> bool:
        return any(one == county or heir(one) for one in register.successors(unit))

    return {one for one in of if heir(one)}


def _own_county(register: Register, units: Collection[int], day: date) -> int:
    counties = {county for unit in units if (county := register.county_of(unit, day))}
    if len(counties) != 1:
        raise Unprocessable(
            "须指明区县", errors=[FieldError(_ASKED, "您管辖的区县不止一个，或当日没有")]
        )
    return counties.pop()


def _unit(register: Register, code: str, day: date) -> int:
    unit = register.by_code(code, day)
    if unit is None:
        raise _unknown_code("/division")
    return unit


def _unknown_code(pointer: str) -> Unprocessable:
    return Unprocessable("区划代码有误", errors=[FieldError(pointer, "没有此区划代码")])


def _county_to_set(register: Register, units: Collection[int], code: str, day: date) -> int:
    county = _unit(register, code, day)
    if county not in units:
        if county in register.ever_above(units, day):
            raise Forbidden("参数由区县民政局登记")
        raise NotFound("未找到该区划，或不在您的管辖范围内")
    if register.county_of(county, day) != county:
        raise Unprocessable(
            "区划级别有误", errors=[FieldError("/division", "参数按施行日期存在的区县登记")]
        )
    return county


def _require_county(
    register: Register, units: Collection[int], town: int, days: Collection[date]
) -> None:
    """Only the bureau above says who decides: no town gives itself the power.

    The bureau in charge now, or the one that was on the day from which the change holds.
    """
    if not any(register.county_of(town, day) in units for day in days):
        raise Forbidden("确认权限由区县民政局登记")


async def _checked(
    session: AsyncSession,
    county: int,
    parameter: Parameter,
    asked: ParameterSet | ParameterCorrection,
) -> Raw:
    law = await repository.law(session, asked.valid_from, county=county)
    if parameter.set_by is SetBy.TEXT:
        raise SetAbove(f"“{parameter.title}”{_said_by(law, parameter.key)}，区县不得另行规定")
    if asked.valid_to is not None and asked.valid_to < asked.valid_from:
        raise _ends_before()
    try:
        value = rules.value_of(
            parameter, asked.value, source=asked.source, valid_from=asked.valid_from
        )
        rules.check_bounds(parameter, value, asked.valid_from)
        if isinstance(value, Term):
            rules.check_limits(law, parameter.key, value)
    except ParameterError as error:
        raise Unprocessable("参数值有误", errors=[FieldError("/value", str(error))]) from error
    return rules.written(value)


def _said_by(law: Law, key: str) -> str:
    return f"由{law.source_of(key)}规定" if law.holds(key) else "由上级文件规定"


def _not_before(first: date, day: date, pointer: str) -> None:
    if day < first:
        detail = f"不得早于 {first}：影响权利的规定不溯及以往"
        raise Unprocessable("日期有误", errors=[FieldError(pointer, detail)])


def _ends_before() -> Unprocessable:
    return Unprocessable(
        "最后一天早于第一天", errors=[FieldError("/valid_to", "最后一天早于第一天")]
    )


async def _insert(
    session: AsyncSession,
    county: int,
    key: str,
    asked: ParameterSet | ParameterCorrection,
    raw: Raw,
    *,
    reason: str,
) -> ParameterRow:
    added = await session.scalars(
        insert(ParameterRow)
        .values(
            id=new_id(),
            unit_id=county,
            key=key,
            value=raw,
            valid_from=asked.valid_from,
            valid_to=asked.valid_to,
            source=asked.source,
            confirmed=asked.confirmed,
            note=asked.note or "",
            reason=reason,
            recorded_at=now(session),
            recorded_by=session.info["actor"],
            version=1,
        )
        .on_conflict_do_nothing()
        .returning(ParameterRow)
    )
    row = added.first()
    if row is None:
        raise ParameterAlreadySet("同一施行日期已有登记，如需改动请用更正")
    return row


async def _refuse_past(session: AsyncSession, row: AuthorityRow, valid_to: date) -> None:
    """Who decided on a day that is past did so with the power that was recorded for it."""
    yesterday = rules.earliest_end(today(session))
    held = repository.authority_of(row, (await repository.endings_of(session, [row.id]))[row.id])
    if held.valid_to is not None and held.valid_to < yesterday:
        raise Unprocessable(
            "日期有误", errors=[FieldError("/valid_to", "该权限已经终止，须另行登记")]
        )
    _not_before(yesterday, valid_to, "/valid_to")


async def _refuse_overlap(session: AsyncSession, row: AuthorityRow, valid_to: date) -> None:
    """An end moved to a later day must not reach into the authority that follows."""
    others = [
        one
        for one in await repository.authority_rows(session, [row.unit_id], row.programme)
        if one.id != row.id
    ]
    endings = await repository.endings_of(session, [one.id for one in others])
    held = [repository.authority_of(one, endings[one.id]) for one in others]
    wanted = replace(repository.authority_of(row, []), valid_to=valid_to)
    if rules.overlapping(held, wanted):
        raise AuthorityOverlaps("该期间已有登记的权限，请先登记其最后一天")


def _ending(
    session: AsyncSession, row: AuthorityRow, valid_to: date, document: str
) -> AuthorityEnding:
    return AuthorityEnding(
        id=new_id(),
        authority_id=row.id,
        valid_to=valid_to,
        document=document,
        recorded_at=now(session),
        recorded_by=session.info["actor"],
    )


def _parameter_view(
    parameter: Parameter,
    versions: list[Row],
    recorded: Mapping[UUID, ParameterRow],
    as_of: date,
    known_on: date | None,
) -> ParameterView:
    current = rules.in_force(versions, as_of, known_on)
    ordered = sorted(versions, key=lambda row: (row.valid_from, not row.seeded, row.known_from))
    return ParameterView(
        key=parameter.key,
        title=parameter.title,
        kind=parameter.kind,
        unit=parameter.unit,
        options=dict(parameter.options),
        in_force=_version_view(current, recorded) if current else None,
        absent=parameter.absent,
        set_by=parameter.set_by,
        versions=[_version_view(row, recorded) for row in ordered],
    )


def _version_view(row: Row, recorded: Mapping[UUID, ParameterRow]) -> VersionView:
    kept = recorded[row.id] if row.id else None
    return VersionView(
        id=row.id,
        value=rules.written(row.value),
        source=row.source,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        confirmed=row.confirmed,
        note=row.note,
        seeded=row.seeded,
        reason=kept.reason if kept else "",
        recorded_at=kept.recorded_at if kept else None,
        superseded_at=kept.superseded_at if kept else None,
    )


def _authority_view(
    register: Register, row: AuthorityRow, endings: list[AuthorityEnding], day: date
) -> AuthorityView:
    return AuthorityView(
        id=row.id,
        programme=row.programme,
        unit=row.unit_id,
        division=register.code_of(row.unit_id, day),
        division_name=register.name_of(row.unit_id, day),
        level=row.level,
        basis=row.basis,
        document=row.document,
        valid_from=row.valid_from,
        valid_to=repository.authority_of(row, endings).valid_to,
        recorded_at=row.recorded_at,
        endings=[
            EndingView(valid_to=one.valid_to, document=one.document, recorded_at=one.recorded_at)
            for one in endings
        ],
    )
