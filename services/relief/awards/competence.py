"""Who decides about an award on a day (57号 art. 2; 社会救助法 art. 44)."""

from dataclasses import replace

from chassis.problems import Forbidden
from contracts.events.relief import Programme
from services.relief.applications.rules import competent
from services.relief.awards.desk import Desk
from services.relief.awards.models import AwardRow
from services.relief.parameters import service as parameters
from services.relief.parameters.rules import Competence, Level

_ORGANS = {Level.COUNTY: "区县民政部门", Level.TOWN: "乡镇人民政府、街道办事处"}


class NotCompetent(Forbidden):
    """Another organ decides on the day."""

    slug, title = "not-competent", "本单位当日无权决定此项变动"


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
        raise NotCompetent(f"当日由{_ORGANS[found.level]}决定{why}")
    return found
