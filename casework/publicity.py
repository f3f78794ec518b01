"""Publicity (公示) in the village or community: whitelisted fields, whole days, no children.

个人信息保护法 art. 25 and 28, 57号 and the ordinance art. 18: the applicant's name, the number of
members and the amount, never an illness, a disability or a child's name.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository
from casework.models import CaseFile, CasePublicity, PublicityKind, PublicityOutcome
from casework.problems import AlreadyPosted, PublicityClosed, PublicityRunning
from casework.sealed import reveal_json, seal_json
from chassis import audit
from chassis.database import today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.telemetry import masked

WHITELIST = frozenset(
    {
        "applicant_name",
        "members",
        "amount",
        "address_village",
        "result",
        "programme",
        "telephone",
    }
)
SUSPENDS = "publicity"
"""The reason under which publicity suspends the clock."""

_HEALTH = re.compile(r"[病残癌瘫瘤]|精神|艾滋")
_SURNAMES_OF_TWO = re.compile(
    "欧阳|司马|上官|诸葛|夏侯|皇甫|尉迟|公孙|慕容|司徒|令狐|长孙|宇文|东方|南宫|端木"
    "|司空|司寇|独孤|钟离|闻人|淳于|单于|申屠|太史|轩辕|呼延|东郭|西门|百里|鲜于|濮阳|澹台|赫连|拓跋"
)
_SHORTEST_WITH_TWO = 3
"""A name of two characters is a surname of one and a given name: 单于 is 单某某 in public."""


async def post(
    session: AsyncSession,
    case: CaseFile,
    *,
    kind: PublicityKind,
    fields: Mapping[str, Any],
    days: int,
    minor: bool,
) -> CasePublicity:
    """Post a case for so many whole days, of which the day after posting is the first.

    Args:
        session: the transaction.
        case: whose applicant is named.
        kind: of the same kind one runs at a time.
        fields: of the whitelist; `members` is a number, `telephone` the office's.
        days: natural days.
        minor: whether the applicant is under 18; then the surname alone stands there.

    Raises:
        ValueError: a field outside the whitelist, or a text that tells more than it may.
        AlreadyPosted: one of this kind still runs.
    """
    content = content_of(fields, minor=minor)
    running = await repository.publicities_of(session, case.id)
    if any(one.kind == kind and one.closed_on is None for one in running):
        raise AlreadyPosted("同类公示尚未结束")
    day = today(session)
    publicity_id = new_id()
    posted = CasePublicity(
        id=publicity_id,
        case_id=case.id,
        unit_id=case.unit_id,
        kind=PublicityKind(kind),
        content=seal_json(session, content, Cell("case_publicity", "content", publicity_id)),
        posted_on=day,
        last_day=day + timedelta(days=days),
    )
    session.add(posted)
    await session.flush()
    await audit.record(session, action="publicity.posted", subject=str(publicity_id))
    return posted


async def close(
    session: AsyncSession, publicity: CasePublicity, *, outcome: PublicityOutcome
) -> None:
    """Take a posting down: unchallenged only after its last day, for an objection at any time.

    Raises:
        PublicityRunning: its last day has not passed.
        PublicityClosed: it was taken down before.
    """
    if publicity.closed_on is not None:
        raise PublicityClosed("该公示已经结束")
    day = today(session)
    kept_short = outcome == PublicityOutcome.UNCHALLENGED and day <= publicity.last_day
    if kept_short and publicity.kind is not PublicityKind.RESULT:
        raise PublicityRunning(f"公示至{publicity.last_day}期满，次日起方可结束")
    publicity.closed_on = day
    publicity.outcome = PublicityOutcome(outcome)
    await audit.record(session, action="publicity.closed", subject=str(publicity.id))
    await session.flush()


async def content(session: AsyncSession, publicity: CasePublicity) -> dict[str, Any]:
    """What hangs there; the reading is audited."""
    cell = Cell("case_publicity", "content", publicity.id)
    found: dict[str, Any] = await reveal_json(
        session, publicity.content, cell, of=str(publicity.id), purpose="查看公示"
    )
    return found


def over(publicity: CasePublicity, day: date) -> bool:
    """Whether its last day has passed."""
    return day > publicity.last_day


def content_of(fields: Mapping[str, Any], *, minor: bool) -> dict[str, Any]:
    """The fields as they may hang there.

    Raises:
        ValueError: as `post`.
    """
    if surplus := fields.keys() - WHITELIST:
        raise ValueError(f"公示内容只能包括规定的项目，不得公示：{'、'.join(sorted(surplus))}")
    for name, value in fields.items():
        _check(name, value)
    if minor and "applicant_name" in fields:
        return {**fields, "applicant_name": surname_only(str(fields["applicant_name"]))}
    return dict(fields)


def surname_only(name: str) -> str:
    """A child's name as it may be shown: 王某某."""
    of_two = len(name) >= _SHORTEST_WITH_TWO and _SURNAMES_OF_TWO.match(name)
    return f"{name[: 2 if of_two else 1]}某某"


def _check(name: str, value: object) -> None:
    if name == "members":
        fits = isinstance(value, int)
    elif name == "amount":
        fits = isinstance(value, Decimal | str) and _is_amount(str(value))
    else:
        fits = isinstance(value, str) and (name == "telephone" or masked(value) == value)
    if not fits:
        raise ValueError(f"公示项目“{name}”的内容不符合要求")
    if name == "result" and _HEALTH.search(str(value)):
        raise ValueError("公示内容不得涉及疾病、残疾")


def _is_amount(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,2})?", text) is not None
