"""Cases and awards as the console meets them over HTTP: the real tables, shapes and refusals.

Every answer goes through the service's own schema, and what is sent through that of the request:
a page that asks for something else than the service has does not stand here either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import TypeAdapter, ValidationError

from casework.documents import page as page_of
from casework.routes import PAGE_HEADERS
from casework.schemas import CaseItem, CaseView, DeliveryIn, DocumentList, History, TodoList
from casework.states import Matter, Transition
from chassis.paging import Page
from services.relief.applications.documents import TEMPLATES
from services.relief.applications.rules import DIBAO
from services.relief.applications.schemas import (
    Acceptance,
    ApplicationFile,
    AssessmentNow,
    Contest,
    Decision,
    Delivery,
    Move,
    Opinion,
    Publicity,
    Survey,
)
from services.relief.awards.rules import MATTER as DIBAO_CHANGE
from services.relief.awards.schemas import (
    AwardItem,
    AwardView,
    ChangeIn,
    ChangeList,
    ChangeView,
    HearingIn,
    ReviewIn,
)
from services.relief.checks.schemas import Acceptance as MissingAccepted
from services.relief.checks.schemas import CheckReport
from services.relief.households.schemas import (
    FactIn,
    HouseholdView,
    LeaveIn,
    MemberIn,
    RevealedHousehold,
    RevealedMember,
    RevealIn,
)
from services.relief.parameters.schemas import AuthorityList, ParameterList
from services.relief.standards.schemas import StandardList, StandardSet

MATTERS: Mapping[str, Matter] = {one.code: one for one in (DIBAO, DIBAO_CHANGE)}
WINDOW, SURVEYOR, CHECKER, HEAD, LAW = "w-01", "w-02", "b-check", "b-head", "b-law"
SECRET = "口令 with:signs"
CLERKS = {
    WINDOW: ("双龙湖街道受理员", "双龙湖街道办事处", "relief:accept relief:survey relief:reveal"),
    SURVEYOR: ("双龙湖街道调查初审员", "双龙湖街道办事处",
               "relief:survey relief:opine relief:review"),
    CHECKER: ("渝北区民政局核对员", "渝北区民政局", "relief:check relief:survey"),
    HEAD: ("渝北区民政局救助科科长", "渝北区民政局", "relief:decide"),
    LAW: ("渝北区民政局政策管理员", "渝北区民政局", "relief:standards"),
}  # fmt: skip
DONE = 200
DAY, DECIDED = "2025-06-30", "2025-06-20"
NUMBERS = 70
"""Cases in all: two pages of the list and more."""


def identity(kind: int, number: int) -> str:
    return f"0199f3a1-{kind:04x}-7000-8000-{number:012x}"


@dataclass(slots=True)
class Case:
    """One case: what its steps change, the rest is generated."""

    id: str
    number: int
    state: str
    matter: str = "dibao"
    version: int = 1
    due: str = "2025-07-20"
    taken: list[tuple[str, str]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    silent: bool = False
    missing: bool = False


@dataclass(slots=True)
class Office:
    """Everything that the tests change, set up anew by `reset`."""

    cases: dict[str, Case] = field(default_factory=dict)
    deaths: int = 0
    keys: set[str] = field(default_factory=set)
    sent: list[tuple[str, Any]] = field(default_factory=list)
    stale: bool = False

    def reset(self) -> None:
        self.keys.clear()
        self.sent.clear()
        self.stale = False
        self.deaths = 0
        self.cases = {}
        states = ("submitted", "awaiting", "checking", "surveyed", "granted", "publicised")
        for number in range(NUMBERS):
            case = Case(identity(1, number), number, states[number % len(states)])
            case.due = f"2025-07-{1 + number % 28:02}"
            self.cases[case.id] = case
        first = [self.cases[identity(1, number)] for number in range(6)]
        first[1].due = "2025-06-25"
        first[1].taken = [("accept", WINDOW), ("survey", SURVEYOR)]
        first[2].silent = True
        change = Case(identity(1, NUMBERS), NUMBERS, "proposed", "dibao_change")
        self.cases[change.id] = change


AWAITING, SUBMITTED, CHECKING = identity(1, 1), identity(1, 0), identity(1, 2)
SURVEYED, GRANTED, POSTED = identity(1, 3), identity(1, 4), identity(1, 5)
CHANGE, AWARD, MEMBER, PERSON = (
    identity(1, NUMBERS), identity(2, 1), identity(3, 1), identity(4, 1),
)  # fmt: skip
SUPPORTER = identity(14, 1)
DOCUMENT, REQUEST, CHECK, HOUSEHOLD, FACT = (identity(kind, 1) for kind in (5, 6, 7, 8, 12))
VILLAGE = "500112002001"


def problem(status: int, title: str, detail: str = "") -> Response:
    body = {"type": "urn:minzheng:problem:x", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def scopes_of(clerk: str) -> set[str]:
    if clerk not in CLERKS:
        return set()
    files = set() if clerk == LAW else {"relief:files"}
    return {"relief:read", *files, *CLERKS[clerk][2].split()}


def item_of(case: Case) -> dict[str, Any]:
    state = MATTERS[case.matter].state(case.state)
    light = "red" if case.due < DAY else "amber" if case.due < "2025-07-05" else "green"
    return {
        "id": case.id,
        "number": f"50011220250610DB{case.number:07}X",
        "matter": case.matter,
        "matter_title": MATTERS[case.matter].title,
        "label": f"张**等{case.number % 3 + 2}人",
        "state": state.code,
        "state_title": state.title,
        "process": state.process,
        "process_title": state.process,
        "division": VILLAGE,
        "division_name": "秀城社区",
        "light": light,
        "due": case.due,
        "days_left": -5 if light == "red" else 10,
        "opened_on": "2025-06-10",
        "entered_on": "2025-06-12",
        "flags": case.flags,
    }


def steps_for(case: Case, clerk: str) -> list[Transition]:
    held = scopes_of(clerk)
    return [one for one in MATTERS[case.matter].permitted(case.state) if one.scope in held]


def barred(case: Case, step: Transition, clerk: str) -> str | None:
    done = {name for name, who in case.taken if who == clerk}
    return "您办理过“受理”，须由他人办理" if done & step.apart_from else None


def view_of(case: Case, clerk: str) -> dict[str, Any]:
    accepted = case.state not in ("submitted", "correcting", "draft")
    clock = {
        "title": "审核确认办理期限",
        "due": case.due,
        "used": 12,
        "count": 25,
        "unit": "working_days",
        "light": item_of(case)["light"],
        "provisional": False,
        "paused": False,
        "stopped_on": None,
        "source": "渝民发〔2023〕3号",
    }
    is_change = case.matter == "dibao_change"
    decided = case.state in ("granted", "delivered", "closed", "decided")
    return {
        **{name: value for name, value in item_of(case).items()
           if name not in ("light", "due", "days_left", "entered_on", "process_title")},
        "channel": "window",
        "accepted_on": "2025-06-12" if accepted and not is_change else None,
        "decided_on": DECIDED if decided else None,
        "closed_on": None,
        "outcome": None,
        "parent": None,
        "subject": AWARD if is_change else None,
        "clock": clock if accepted and not is_change else None,
        "promised_clock": None,
        "step_clock": None,
        "prolonged": "",
        "actions": [
            {"name": one.name, "title": one.title, "scope": one.scope,
             "needs_reason": one.needs_reason, "barred": barred(case, one, clerk)}
            for one in steps_for(case, clerk)
        ],
        "correction": None,
        "etag": f'"{case.version}"',
    }  # fmt: skip


def history_of(case: Case) -> dict[str, Any]:
    names = [("submit", WINDOW), *case.taken]
    steps = {one.name: one for one in MATTERS[case.matter].transitions}
    return {
        "items": [
            {
                "position": place,
                "name": name,
                "title": steps[name].title if name in steps else name,
                "from": "draft",
                "from_title": "草稿",
                "to": "submitted",
                "to_title": "已提交",
                "actor": who,
                "organisation": CLERKS[who][1],
                "at": "2025-06-10T02:30:00Z",
                "reason": "",
                "clock": "none",
            }
            for place, (name, who) in enumerate(names, 1)
        ]
    }


def member_of() -> dict[str, Any]:
    return {
        "id": MEMBER,
        "name": "张**",
        "document_kind": "resident_id",
        "number": "510218********9116",
        "phone_known": True,
        "relation": "self",
        "born": "1976-01-08",
        "sex": "male",
        "present": True,
        "joined_on": "2025-06-10",
        "left_on": None,
        "left_reason": None,
        "truth_committed_on": "2025-06-10",
        "check_authorised_on": "2025-06-10",
        "near_relative_of": None,
        "situation": {"employed": True, "disability": {"kind": "physical", "grade": 2}},
        "warnings": [],
    }


def assessment_of(case: Case) -> dict[str, Any]:
    fails = {
        "code": "property_vehicle",
        "title": "没有机动车辆",
        "passed": None if case.silent else True,
        "fact": "核对尚未返回" if case.silent else "未发现机动车辆",
        "threshold": "没有，或经认定豁免",
        "source": "",
        "source_day": None,
        "article": "民发〔2021〕57号第十四条",
        "remedy": "待核对结果返回后再作认定" if case.silent else "",
        "member": None,
    }
    return {
        "outcome": "undecided" if case.silent else "entitled",
        "persons": 3,
        "standard": {"amount": "770.00", "document": "渝民规〔2025〕6号"},
        "income": {
            "total": "480.00",
            "per_capita": "160.00",
            "lines": [{"member": MEMBER, "kind": "wage", "amount": "600.00", "counted": True,
                       "deducted": "120.00", "article": "", "note": "已扣除就业成本"},
                      {"member": MEMBER, "kind": "scholarship", "amount": "50.00",
                       "counted": False, "deducted": "0.00", "article": "", "note": ""}],
            "support": [{"member": MEMBER, "supporter": SUPPORTER, "amount": "300.00",
                         "added": "250.00", "article": "渝民发〔2025〕8号",
                         "valid_from": "2025-01-01", "note": "高于标准 2 倍的部分的 0.5"}],
            "deductions": [{"member": MEMBER, "ground": "残疾", "amount": "250.00",
                            "article": "渝民发〔2025〕9号", "valid_from": "2025-01-01"}],
        },
        "base": None if case.silent else "1830.00",
        "total": None if case.silent else "1930.00",
        "extras": [{"member": MEMBER, "category": "disabled", "amount": "40.00", "article": ""}],
        "alone": [],
        "conditions": [fails],
        "payable_from": "2025-07-01",
        "notes": ["经营亏损，按规定不冲抵其他收入"],
    }  # fmt: skip


def line_of(*, silent: bool) -> dict[str, Any]:
    return {
        "request": REQUEST if silent else identity(6, 2),
        "member": MEMBER,
        "name": "张**",
        "role": "member",
        "source": "bank" if silent else "tax",
        "source_title": "银行存款" if silent else "税务",
        "status": "failed" if silent else "returned",
        "note": "对方系统故障" if silent else "",
        "attempts": 1,
        "data_day": None if silent else "2025-06-14",
        "answered_at": None,
        "items": [] if silent else [{"kind": "wage", "amount": "1200.00", "area": None,
                                     "months": 2, "on": None}],
        "accepted": False,
        "adopted": False,
    }  # fmt: skip


def check_of(case: Case) -> dict[str, Any]:
    lines = [line_of(silent=False), *([line_of(silent=True)] if case.silent else [])]
    missing = [{"member": MEMBER, "source": "bank", "source_title": "银行存款"}]
    open_ = "open" if case.silent else "complete"
    return {
        "id": CHECK,
        "case": case.id,
        "case_number": "x",
        "household": HOUSEHOLD,
        "state": open_ if case.state == "checking" else "closed",
        "requested_on": "2025-06-12",
        "due_on": "2025-06-17",
        "started_on": "2025-06-12",
        "closed_on": None,
        "result": None,
        "legal_basis": "",
        "lines": lines,
        "missing": missing if case.silent else [],
        "findings": [{"member": MEMBER, "kind": "deposit", "difference": "undeclared",
                      "title": "未申报", "declared": None, "found": "1520.00",
                      "sources": ["bank"]}],
        "late": [],
    }  # fmt: skip


def application_of(case: Case, clerk: str) -> dict[str, Any]:
    lacks = {"code": "check_authorisation", "title": "张**的家庭成员核对授权书",
             "why": "民发〔2021〕57号第九条", "member": MEMBER}  # fmt: skip
    investigated = case.state not in ("submitted", "accepted", "checking")
    survey = {
        "id": identity(9, 1), "by_bureau": False, "resurvey": False, "visited_on": "2025-06-15",
        "methods": ["household_visit"], "emergency": False, "household_signature": "signed",
        "signed_by": MEMBER, "refusal": None, "findings": "家中陈设简单。", "withdrawn_on": None,
        "signatures": [{"surveyor": SURVEYOR, "signed_at": "2025-06-15T02:00:00Z"}],
    }  # fmt: skip
    opinion = {
        "position": 1, "outcome": "grant", "statement": "经调查核实", "after_objection": False,
        "handled_by": None, "given_on": "2025-06-16", "given_by": SURVEYOR, "assessment": {},
    }  # fmt: skip
    posted = {
        "id": identity(10, 1), "kind": "opinion", "posted_on": "2025-06-25",
        "last_day": "2025-07-02", "closed_on": None, "outcome": None, "fields": {},
    }  # fmt: skip
    decision = {
        "outcome": "grant", "level": "county", "authority": {}, "decided_on": DECIDED,
        "decided_by": HEAD, "award": AWARD, "assessment": assessment_of(case),
    }  # fmt: skip
    return {
        "case": view_of(case, clerk),
        "applied_on": "2025-06-10",
        "entrusted": False,
        "materials": ["application_form"],
        "place_basis": "domicile",
        "missing_items": [lacks] if case.missing else [],
        "household": household_of(),
        "conflicts": office_conflicts(case),
        "applicant": MEMBER,
        "applicant_left": False,
        "near_relatives": [],
        "complaints": [],
        "check": check_of(case) if case.state not in ("submitted", "accepted") else None,
        "surveys": [survey] if investigated else [],
        "appraisal_required": False,
        "appraisals": [],
        "opinions": [opinion] if investigated and case.state != "surveyed" else [],
        "publicities": [posted] if case.state == "publicised" else [],
        "objections": [],
        "decision": decision if case.state == "granted" else None,
        "documents": [],
    }  # fmt: skip


def office_conflicts(case: Case) -> list[dict[str, Any]]:
    """Of the first case: a member in a file of the clerk's own, and in one of another town."""
    if case.number:
        return []
    own = {"member": MEMBER, "person": PERSON, "state": "awarded", "file": AWARD}
    return [own | {"possible": False}, own | {"state": "open", "file": None, "possible": True}]


def household_of() -> dict[str, Any]:
    wage = {
        "id": FACT, "fact": "income", "title": "收入与转移支出", "member": MEMBER,
        "value": {"kind": "wage", "amount": "600.00", "months": 1, "disregarded": False},
        "valid_from": "2025-05-01", "valid_to": "2025-05-31", "in_force": False,
        "source": "declared", "source_day": None, "has_reason": False,
        "known_at": "2025-06-10T02:00:00Z", "recorded_by": WINDOW,
        "superseded_at": None, "superseded_by": None,
    }  # fmt: skip
    return {
        "id": HOUSEHOLD, "as_of": DAY, "known_on": None, "division": VILLAGE,
        "division_name": "秀城社区", "declared_on": "2025-06-10", "area": "urban",
        "area_fixed_on": None, "members": [member_of()], "facts": [wage], "supporters": [],
    }  # fmt: skip


def document_of() -> dict[str, Any]:
    return {
        "id": DOCUMENT, "kind": "acceptance", "number": "低保受〔2025〕1号", "title": "受理通知书",
        "digest": "0" * 64, "made_at": "2025-06-12T02:00:00Z", "made_by": WINDOW,
        "due_delivery_on": "2025-06-22", "delivered_on": None, "delivered_how": None,
    }  # fmt: skip


def snapshot_of(case_id: str) -> dict[str, Any]:
    """What the frame of a document has, with its widest part: a table of six columns."""
    told = dict.fromkeys(("title", "fact", "article"), "依据民发〔2021〕57号第十三条认定")
    rest = {"threshold": "770.00 元", "source": "税务", "source_day": DAY, "remedy": "收入减少"}
    return {
        "organ": "双龙湖街道办事处", "date": DAY, "title": "受理通知书",
        "number": "低保受〔2025〕50011220250610DB0000001X号", "template_version": 1,
        "case_number": case_id, "applied_on": DAY, "accepted_on": DAY, "due_on": DAY,
        "reasons": [told | rest],
    }  # fmt: skip


def change_of(case: Case) -> dict[str, Any]:
    return {
        "id": case.id, "award": AWARD, "number": "DC1", "kind": "stop", "kind_title": "停发",
        "state": case.state, "state_title": DIBAO_CHANGE.state(case.state).title,
        "proposed_on": "2025-06-20", "decided_on": None, "effective_from": "2025-07-01",
        "effect": "stopped", "before": "1220.00", "after": "0.00", "ends_on": None,
        "overpaid": "0.00", "fraud": None, "unreported": False, "hearing": None,
        "hearing_needed": case.state == "proposed", "hearing_note": "", "documents": [],
        "correction": None, "interim": None, "settles_on": None,
        "etag": f'"{case.version}"',
    }  # fmt: skip


def award_item(number: int = 1) -> dict[str, Any]:
    return {
        "id": identity(2, number), "number": f"50011220240105DB{number:07}X", "label": "孙**等2人",
        "division": VILLAGE, "division_name": "宁庭社区", "area": "urban", "state": "paid",
        "persons": 2, "amount": "1240.00", "extras": "100.00", "paid_from": "2024-02-01",
        "review_class": "B", "review_due_on": "2025-06-01", "death_review_due_on": None,
        "death_open": False, "death_light": "none",
    }  # fmt: skip


def bereft(number: int) -> dict[str, Any]:
    """An award that has a member's death to follow."""
    death = {"death_open": True, "death_review_due_on": f"2025-07-{number:02}"}
    return award_item(number) | death | {"death_light": "amber"}


def award_of(version: int) -> dict[str, Any]:
    period = {
        "id": identity(11, 1), "from_": "2024-02-01", "division": None,
        "division_name": "宁庭社区", "area": "urban", "state": "paid", "persons": 2,
        "amount": "1240.00", "extras": "100.00", "covered": [PERSON],
        "lines": [{"person": PERSON, "category": "severely_ill", "amount": "60.00",
                   "article": ""}],
        "case": None, "recorded_at": "2024-01-20T02:00:00Z", "superseded_at": None,
    }  # fmt: skip
    return {
        **award_item(),
        "household": HOUSEHOLD,
        "case": identity(1, 4),
        "periods": [period],
        "persons_known": [
            {"person": PERSON, "name": "孙**", "born": "1948-03-05", "covered": True}
        ],
        "reviews": [],
        "deaths": [],
        "job_offers": [],
        "etag": f'"{version}"',
    }


def told(schema: Any, found: Any, version: int | None = None) -> Response:
    """The answer in the service's own shape."""
    shaped = TypeAdapter(schema).validate_python(found, by_name=True, by_alias=True)
    body = TypeAdapter(schema).dump_python(shaped, mode="json", by_alias=True)
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return JSONResponse(body, headers=headers)


BODIES: Mapping[str, Any] = {
    "accept": Acceptance,
    "contest": Contest,
    "survey": Survey,
    "opinion": Opinion,
    "publicise": Publicity,
    "decide": Decision,
    "deliver": Delivery,
    "move": Move,
}
STEPS: Mapping[str, str] = {
    "accept": "accept",
    "check": "start_check",
    "check-closed": "close_check",
    "survey": "survey",
    "opinion": "opine",
    "publicise": "publicise",
    "decide": "grant",
    "deliver": "deliver",
    "move": "move",
}


def add_cases(app: FastAPI) -> None:
    """`state.office` holds the cases, and what was sent."""
    office = Office()
    office.reset()
    app.state.office = office
    add_lists(app, office)
    add_case(app, office)
    add_application(app, office)
    add_checks(app, office)
    add_awards(app, office)
    add_reveal(app)
    add_household(app, office)
    add_provisions(app, office)


def clerk_of(request: Request) -> str:
    return str(request.headers["authorization"]).removeprefix("Bearer clerk-")


def unknown() -> Response:
    return problem(404, "未找到", "未找到该办件，或不在您的管辖范围内")


def paged(cases: list[Case], query: Mapping[str, str]) -> dict[str, Any]:
    start, limit = int(query.get("cursor", "0")), int(query["limit"])
    more = start + limit < len(cases)
    items = [item_of(one) for one in cases[start : start + limit]]
    return {"items": items, "next_cursor": str(start + limit) if more else None}


def counted(cases: list[Case]) -> list[dict[str, Any]]:
    counts: dict[str, dict[str, Any]] = {}
    for one in map(item_of, cases):
        name = one["process"]
        count = counts.setdefault(name, {"process": name, "title": name, "count": 0})
        count["count"] += 1
        count[one["light"]] = count.get(one["light"], 0) + 1
    return list(counts.values())


def wanted(case: Case, query: Mapping[str, str]) -> bool:
    item = item_of(case)
    named = item["number"].startswith(query.get("q", ""))
    return named and all(
        query.get(name) in (None, item[name]) for name in ("process", "light", "matter")
    )


def add_lists(app: FastAPI, office: Office) -> None:
    turns = {
        WINDOW: ("submitted", "granted"),
        SURVEYOR: ("surveyed",),
        CHECKER: ("checking",),
        HEAD: ("awaiting",),
    }

    @app.get("/v1/relief/todo")
    async def todo(request: Request) -> Response:
        query = dict(request.query_params)
        turn = turns[clerk_of(request)]
        cases = [one for one in office.cases.values() if one.state in turn]
        cases.sort(key=lambda one: one.due)
        kept = [one for one in cases if wanted(one, query)]
        found = {"as_of": DAY, "processes": counted(cases), "items": paged(kept, query)}
        return told(TodoList, found)

    @app.get("/v1/relief/cases")
    async def cases(request: Request) -> Response:
        query = dict(request.query_params)
        kept = [one for one in office.cases.values() if wanted(one, query)]
        return told(Page[CaseItem], paged(kept, query))


def add_case(app: FastAPI, office: Office) -> None:
    @app.get("/v1/relief/cases/{case_id}")
    async def one_case(case_id: str, request: Request) -> Response:
        case = office.cases.get(case_id)
        return unknown() if case is None else told(CaseView, view_of(case, clerk_of(request)))

    @app.get("/v1/relief/cases/{case_id}/history")
    async def history(case_id: str) -> Response:
        case = office.cases.get(case_id)
        return unknown() if case is None else told(History, history_of(case))

    @app.get("/v1/relief/cases/{case_id}/documents")
    async def documents(case_id: str) -> Response:
        known = case_id in office.cases
        return told(DocumentList, {"items": [document_of()]}) if known else unknown()

    @app.get(f"/v1/relief/cases/{{case_id}}/documents/{DOCUMENT}/page")
    async def page(case_id: str) -> Response:
        content = page_of(TEMPLATES, "acceptance", snapshot_of(case_id))
        return HTMLResponse(content, headers=PAGE_HEADERS)

    @app.post(f"/v1/relief/cases/{{case_id}}/documents/{DOCUMENT}/delivery")
    async def delivered(case_id: str, request: Request) -> Response:
        return await taken(office, request, office.cases[case_id], DeliveryIn)


def add_application(app: FastAPI, office: Office) -> None:
    @app.get("/v1/relief/applications/{case_id}")
    async def application(case_id: str, request: Request) -> Response:
        found = application_of(office.cases[case_id], clerk_of(request))
        return told(ApplicationFile, found)

    @app.get("/v1/relief/applications/{case_id}/assessment")
    async def assessment(case_id: str) -> Response:
        case = office.cases[case_id]
        now = {
            "as_of": DAY,
            "outcome": None if case.silent else "grant",
            "level": "county",
            "flagged": "",
            "assessment": assessment_of(case),
        }
        return told(AssessmentNow, now)

    @app.post("/v1/relief/applications/{case_id}/{step:path}")
    async def take(case_id: str, step: str, request: Request) -> Response:
        case, clerk = office.cases[case_id], clerk_of(request)
        answer = await taken(office, request, case, BODIES.get(step))
        if answer.status_code != DONE:
            return answer
        transition = DIBAO.transition(case.state, STEPS[step])
        if transition.scope not in scopes_of(clerk) or barred(case, transition, clerk):
            return problem(403, "须由他人办理")
        case.state = transition.target or case.state
        case.taken.append((transition.name, clerk))
        return told(CaseView, view_of(case, clerk))


async def taken(office: Office, request: Request, case: Case, schema: Any) -> Response:
    """What every step is asked for: a key, the version that stands, a body that is right."""
    key, body = request.headers["idempotency-key"], await request.json()
    office.sent.append((request.url.path, body))
    if key in office.keys:
        return told(dict, {})
    if office.stale or request.headers.get("if-match") != f'"{case.version}"':
        return problem(412, "数据已被他人修改", "请重新读取最新内容，核对后再提交")
    if schema is not None:
        try:
            TypeAdapter(schema).validate_python(body)
        except ValidationError as error:
            return problem(422, "填写内容有误", str(error.errors()[0]["loc"]))
    if body.get("outcome") == "refuse":
        return problem(409, "与按规定测算的结果不一致", "初审意见与按规定测算的结果不一致")
    office.keys.add(key)
    case.version += 1
    return told(dict, {})


def add_checks(app: FastAPI, office: Office) -> None:
    def case_of() -> Case:
        return office.cases[CHECKING]

    @app.get(f"/v1/relief/checks/{CHECK}")
    async def check() -> Response:
        return told(CheckReport, check_of(case_of()), 7)

    @app.post(f"/v1/relief/checks/{CHECK}/requests/{REQUEST}/{{act}}")
    async def act(act: str, request: Request) -> Response:
        body = await request.json()
        office.sent.append((request.url.path, body))
        if request.headers.get("if-match") != '"7"':
            return problem(412, "数据已被他人修改")
        if act == "acceptance":
            MissingAccepted.model_validate(body)
        case_of().silent = False
        return told(CheckReport, check_of(case_of()), 8)


def add_awards(app: FastAPI, office: Office) -> None:
    award = Case(AWARD, 1, "granted")

    @app.get("/v1/relief/awards")
    async def awards(request: Request) -> Response:
        query = request.query_params
        start = int(query.get("cursor", "0"))
        items = [award_item(number) for number in range(1, 61)]
        kept = items if query.get("state") in (None, "paid") else []
        if query.get("death_open") == "true":
            kept = [bereft(number) for number in range(1, office.deaths + 1)]
        limit = int(query["limit"])
        more = start + limit < len(kept)
        return told(
            Page[AwardItem],
            {
                "items": kept[start : start + limit],
                "next_cursor": str(start + limit) if more else None,
            },
        )

    @app.get(f"/v1/relief/awards/{AWARD}")
    async def one() -> Response:
        return told(AwardView, award_of(award.version), award.version)

    @app.get(f"/v1/relief/awards/{AWARD}/changes")
    async def changes() -> Response:
        case = office.cases[CHANGE]
        items = [] if case.state == "withdrawn" else [change_of(case)]
        return told(ChangeList, {"items": items})

    @app.post(f"/v1/relief/awards/{AWARD}/changes")
    async def propose(request: Request) -> Response:
        body = await request.json()
        office.sent.append((request.url.path, body))
        TypeAdapter(ChangeIn).validate_python(body)
        office.cases[CHANGE].state = "proposed"
        return told(ChangeView, change_of(office.cases[CHANGE]))

    @app.post(f"/v1/relief/awards/{AWARD}/reviews")
    async def review(request: Request) -> Response:
        award.version = int(request.headers["if-match"].strip('"'))
        return await taken(office, request, award, ReviewIn)

    @app.get("/v1/relief/award-changes/{change_id}")
    async def change(change_id: str) -> Response:
        return told(ChangeView, change_of(office.cases[change_id]))

    @app.post("/v1/relief/award-changes/{change_id}/hearing")
    async def hear(change_id: str, request: Request) -> Response:
        case = office.cases[change_id]
        answer = await taken(office, request, case, HearingIn)
        if answer.status_code == DONE:
            case.state = "heard"
        return answer


HOUSEHOLD_BODIES: Mapping[str, Any] = {
    "facts": FactIn,
    "members": MemberIn,
    f"members/{MEMBER}/leave": LeaveIn,
}


def add_household(app: FastAPI, office: Office) -> None:
    """Everything is recorded but the leaving of who applies."""
    known = Case(HOUSEHOLD, 1, "")

    @app.get(f"/v1/relief/households/{HOUSEHOLD}")
    async def household() -> Response:
        return told(HouseholdView, household_of(), known.version)

    @app.post(f"/v1/relief/households/{HOUSEHOLD}/{{what:path}}")
    async def record(what: str, request: Request) -> Response:
        if what.endswith("leave"):
            return problem(409, "申请人不能离开", "请先变更申请人")
        answer = await taken(office, request, known, HOUSEHOLD_BODIES[what])
        if answer.status_code != DONE:
            return answer
        return told(HouseholdView, household_of(), known.version)


def add_provisions(app: FastAPI, office: Office) -> None:
    amount = {
        "id": identity(13, 1), "valid_from": "2024-09-01", "amount": "750.00", "note": "",
        "document": "渝民发〔2024〕7号", "recorded_at": DAY, "superseded_at": None,
    }  # fmt: skip
    standard = {
        "id": identity(13, 2), "code": "dibao", "area": "urban", "unit": 1,
        "division": "500112000000", "division_name": "渝北区", "in_force": amount,
        "amounts": [amount],
    }  # fmt: skip
    version = {
        "id": None, "value": {"count": 20, "unit": "working_days"}, "source": "57号第二十二条",
        "valid_from": "2021-07-01", "valid_to": None, "confirmed": False, "note": "",
        "seeded": True, "reason": "", "recorded_at": None, "superseded_at": None,
    }  # fmt: skip
    limit = {
        "key": "dibao.limit.total", "title": "审核确认期限", "kind": "term", "unit": "",
        "options": {}, "in_force": version, "absent": "", "set_by": "text", "versions": [],
    }  # fmt: skip

    @app.get("/v1/relief/standards")
    async def standards() -> Response:
        return told(StandardList, {"as_of": DAY, "items": [standard]})

    @app.post("/v1/relief/standards")
    async def set_standard(request: Request) -> Response:
        office.sent.append((request.url.path, await request.json()))
        StandardSet.model_validate(office.sent[-1][1])
        return told(dict, {})

    @app.get("/v1/relief/authorities")
    async def authorities() -> Response:
        return told(AuthorityList, {"items": []})

    @app.get("/v1/relief/parameters")
    async def parameters() -> Response:
        return told(ParameterList, {"as_of": DAY, "division": None, "items": [limit]})


def add_reveal(app: FastAPI) -> None:
    @app.post(f"/v1/relief/households/{HOUSEHOLD}/reveal")
    async def address(request: Request) -> Response:
        RevealIn.model_validate(await request.json())
        return told(RevealedHousehold, {"address": "演示路1号", "area_reason": None})

    @app.post(f"/v1/relief/households/{HOUSEHOLD}/members/{MEMBER}/reveal")
    async def person(request: Request) -> Response:
        RevealIn.model_validate(await request.json())
        known = {"name": "张建国", "document_kind": "resident_id", "number": "51021819760108911X",
                 "phone": "13800000000", "near_relative": None}  # fmt: skip
        return told(RevealedMember, known)
