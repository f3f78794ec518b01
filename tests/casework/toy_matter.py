"""A permit that no law knows: the smallest matter that has everything a case may have."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict

from casework import archive, corrections, documents, publicity, repository, service
from casework.clock import TimeLimit
from casework.corrections import Missing
from casework.models import LINEAGE, CaseFile, CasePublicity, PublicityKind, PublicityOutcome
from casework.routes import router as casework_router
from casework.service import Limits, case_event
from casework.states import Clock, Matter, Party, State, Transition
from chassis.access import Principal
from chassis.conditional import IfMatch, require_version, set_etag
from chassis.database import metadata
from chassis.idempotency import Idempotent, Route
from chassis.law.deadlines import Term, TermUnit
from chassis.problems import NotFound
from chassis.requests import Transaction, VisibleUnits, require
from chassis.service import Service
from contracts.events.casework import Case, Outcome
from contracts.topics import Topic

TOWN, OTHER_TOWN = 500112002000, 500112004000
SIDE, OTHER_SIDE = 500112002001, 500112004001
TEMPLATES = Path(__file__).parent / "templates"
VALID_FROM = date(2016, 5, 1)


def working(count: int, code: str, *excludes: str) -> TimeLimit:
    term = Term(count, TermUnit.WORKING_DAYS, "玩具条例第一条", VALID_FROM)
    return TimeLimit(code, f"{count}个工作日", term, frozenset(excludes))


TOTAL = working(30, "total", "publicity")
LONGER = working(45, "special", "publicity")
LIMITS = Limits(
    TOTAL,
    {"accepted": working(3, "survey"), "granted": working(3, "delivery")},
    promised=working(10, "promised"),
)


def step(
    name: str,
    title: str,
    sources: str,
    target: str,
    scope: str,
    *,
    event: str,
    clock: Clock = Clock.NONE,
    apart_from: str = "",
    needs_reason: bool = False,
) -> Transition:
    return Transition(
        name,
        title,
        frozenset(sources.split()),
        target,
        f"toy:{scope}",
        event,
        "玩具条例",
        clock,
        frozenset(apart_from.split()),
        needs_reason,
    )


MATTER = Matter(
    code="permit",
    title="玩具许可",
    short="TOY",
    initial="submitted",
    states=(
        State("submitted", "已提交", "受理", Party.TOWN),
        State("correcting", "待补正", "补正", Party.APPLICANT),
        State("accepted", "已受理", "调查", Party.TOWN),
        State("publicised", "公示中", "公示", Party.TOWN),
        State("awaiting", "待决定", "决定", Party.DECIDER),
        State("granted", "已准予", "送达", Party.TOWN),
        State("closed", "已办结", "归档", Party.NOBODY, final=True),
        State("withdrawn", "已撤回", "归档", Party.NOBODY, final=True),
    ),
    transitions=(
        step("tell", "一次性告知", "submitted", "correcting", "accept", event="told"),
        step("corrected", "补正收讫", "correcting", "submitted", "accept", event="submitted"),
        step(
            "accept",
            "受理",
            "submitted",
            "accepted",
            "accept",
            event="accepted",
            clock=Clock.START,
        ),
        step(
            "publicise",
            "公示",
            "accepted",
            "publicised",
            "accept",
            event="publicised",
            clock=Clock.SUSPEND,
        ),
        step("note", "备注", "accepted publicised", "", "accept", event="noted"),
        step("move", "移交", "accepted", "", "accept", event="moved"),
        step(
            "publicity_closed",
            "公示期满",
            "publicised",
            "awaiting",
            "accept",
            event="forwarded",
            clock=Clock.RESUME,
        ),
        step(
            "return",
            "退回",
            "awaiting",
            "accepted",
            "decide",
            event="returned",
            needs_reason=True,
        ),
        step("prolong", "延长期限", "accepted awaiting", "", "decide", event="prolonged"),
        step(
            "decide",
            "决定",
            "awaiting",
            "granted",
            "decide",
            event="decided",
            clock=Clock.STOP,
            apart_from="accept",
        ),
        step("deliver", "送达", "granted", "closed", "accept", event="delivered"),
        step(
            "withdraw",
            "撤回",
            "submitted correcting accepted publicised awaiting",
            "withdrawn",
            "accept",
            event="withdrawn",
            clock=Clock.STOP,
        ),
    ),
)
VERBS = ("opened", *dict.fromkeys(one.event for one in MATTER.transitions))


class ToyCase(Case):
    """The case's event on the toy's own topic."""


TOPIC = Topic("minzheng.permit.case", ToyCase, VERBS, "玩具办件")
EVENT = case_event(ToyCase)


class Opened(BaseModel):
    """登记。"""

    model_config = ConfigDict(extra="forbid")

    unit: int = SIDE
    label: str = "张**等3人"


class Step(BaseModel):
    """办理一步。"""

    model_config = ConfigDict(extra="forbid")

    reason: str = ""
    data: dict[str, str] = {}
    name: str = "张三丰"
    minor: bool = False
    flags: list[str] = []


class Answer(BaseModel):
    """答复。"""

    id: UUID
    number: str
    state: str


Clerk = Annotated[Principal, Depends(require("toy:read"))]
toy = APIRouter(prefix="/v1/toy/permits", route_class=Route)


@toy.post("", status_code=201, dependencies=[Idempotent])
async def open_permit(
    asked: Opened, _: Clerk, session: Transaction, units: VisibleUnits, response: Response
) -> Answer:
    """登记一件。"""
    if asked.unit not in units:
        raise NotFound
    case = await service.open_case(
        session, MATTER, unit=asked.unit, label=asked.label, channel="window", event=EVENT
    )
    set_etag(response, case.version)
    return Answer(id=case.id, number=case.number, state=case.state)


@toy.post("/{case_id}/{name}", dependencies=[Idempotent])
async def take_step(
    case_id: UUID,
    name: str,
    asked: Step,
    principal: Clerk,
    session: Transaction,
    units: VisibleUnits,
    response: Response,
    if_match: IfMatch = None,
) -> Answer:
    """办理一步。"""
    case = await repository.find(session, units, case_id, lock=True)
    if case is None:
        raise NotFound
    require_version(if_match, case.version)
    if name == "prolong":
        await service.prolong(
            session, case, MATTER, limit=LONGER, reason_code="hard_survey", event=EVENT
        )
    else:
        posted = await _before(session, case, name, asked)
        await service.advance(
            session,
            case,
            MATTER,
            name,
            event=EVENT,
            reason=asked.reason,
            data=asked.data,
            clock_reason="publicity" if name.startswith("publici") else "",
            clock_until=posted.last_day if posted is not None else None,
            limits=LIMITS if name == "accept" else None,
            flags=asked.flags,
            outcome=OUTCOMES.get(name),
            actor_may=principal.may,
        )
    if MATTER.state(case.state).final:
        await archive.keep(session, case, retention="long_term")
    set_etag(response, case.version)
    return Answer(id=case.id, number=case.number, state=case.state)


OUTCOMES: Mapping[str, Outcome] = {"decide": Outcome.GRANTED, "withdraw": Outcome.WITHDRAWN}


async def _before(
    session: Transaction, case: CaseFile, name: str, asked: Step
) -> CasePublicity | None:
    """What goes with a step; what is posted by it."""
    match name:
        case "tell":
            await corrections.tell(session, case, [Missing("photo", "照片", "申请人张三丰未交")])
        case "corrected":
            await corrections.fulfil(session, case)
        case "publicise":
            return await publicity.post(
                session,
                case,
                kind=PublicityKind.OPINION,
                fields={"applicant_name": asked.name, "members": 3, "amount": "850.00"},
                days=7,
                minor=asked.minor,
            )
        case "publicity_closed":
            posted = await repository.publicities_of(session, case.id)
            await publicity.close(session, posted[-1], outcome=PublicityOutcome.UNCHALLENGED)
        case "decide":
            await documents.make(
                session,
                case,
                templates=TEMPLATES,
                kind="permit",
                title="准予许可决定书",
                number="玩许〔2025〕1号",
                snapshot=decision(asked.name),
            )
        case "move":
            await service.hand_over(session, case, unit=int(asked.data["unit"]))
    return None


def decision(name: str) -> dict[str, object]:
    return {
        "addressee": name,
        "amount": "850.00",
        "reasons": [
            {
                "title": "家庭人均月收入",
                "fact": "640.00元",
                "threshold": "低于770.00元",
                "source": "核对",
                "source_day": date(2025, 3, 1),
                "article": "玩具条例第九条",
                "remedy": "收入变化",
            }
        ],
        "remedies": ["可在六十日内申请行政复议，或在六个月内提起行政诉讼。"],
    }


SERVICE = Service(
    name="casetoy",
    title="玩具",
    description="供测试。",
    routers=(
        casework_router(
            "toy",
            {MATTER.code: MATTER},
            {MATTER.code: TEMPLATES},
            read_scope="toy:read",
            tag="玩具办件",
        ),
        toy,
    ),
    metadata=metadata(),
    migrations=TEMPLATES,
    further=(LINEAGE,),
    publishes={TOPIC.name: CaseFile},
)
