"""Who decides about an award on a day (57号 art. 2; 社会救助法 art. 44)."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import and_, exists, or_
from sqlalchemy.ext.asyncio import AsyncSession

from casework.models import CaseFile
from casework.repository import among
from casework.todo import Organ
from chassis.database import today
from chassis.law.units import Register
from contracts.events.relief import Programme
from services.relief.applications.problems import NotCompetent
from services.relief.applications.rules import DIBAO, competent
from services.relief.awards.desk import Desk
from services.relief.awards.models import AwardRow, ChangeRow
from services.relief.awards.rules import DECIDE, MATTER, ChangeKind
from services.relief.parameters import service as parameters
from services.relief.parameters.rules import Competence, Level

_ORGANS = {Level.COUNTY: "区县民政部门", Level.TOWN: "乡镇人民政府、街道办事处"}


async def required(desk: Desk, award: AwardRow, *, of_both_places: bool = False) -> Competence:
    """Who decides today; the caller's organ, or the request ends here.

    A move (`of_both_places`) is always the bureau's, which sees where from and where to.
    """
    county = desk.register.county_of(award.unit_id, desk.day) or award.unit_id
    town = desk.register.town_of(award.unit_id, desk.day) or award.unit_id
    found = await parameters.competence(
        desk.session, programme=Programme.DIBAO, town=town, day=desk.day, county=county
    )
    if of_both_places:
        found = replace(found, level=Level.COUNTY)
    if not competent(found.level, holds_county=county in desk.units, holds_town=town in desk.units):
        why = f"；{found.flagged}" if found.flagged else ""
        raise NotCompetent(f"此项变动当日由{_ORGANS[found.level]}决定{why}")
    return found


async def organs(
    session: AsyncSession, register: Register, units: Collection[int]
) -> Mapping[str, Organ]:
    """Which decisions fall today to the organ of a caller who sees these units, by matter."""
    day = today(session)
    towns = {town for unit in units if (town := register.town_of(unit, day))}
    held = await parameters.competences(
        session, programme=Programme.DIBAO, register=register, towns=towns, day=day
    )
    bureaus = {town for town in towns if register.county_of(town, day) in units}
    theirs = {
        town
        for town, found in held.items()
        if competent(found.level, holds_county=town in bureaus, holds_town=town in units)
    }
    decided = among(_below(register, theirs, day))
    moves = exists().where(ChangeRow.id == CaseFile.id, ChangeRow.kind == ChangeKind.MOVE)
    of_both = and_(among(_below(register, bureaus, day)), moves)
    why = f"今日由{_ORGANS[Level.TOWN if bureaus else Level.COUNTY]}审核确认"
    return {
        DIBAO.code: Organ(DECIDE, decided, why),
        MATTER.code: Organ(DECIDE, or_(and_(decided, ~moves), of_both), why),
    }


def _below(register: Register, towns: Collection[int], day: date) -> frozenset[int]:
    return frozenset[int]().union(*(register.below(town, day) for town in towns))
