"""For each service something that belongs to one town, and how to ask every route for it."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from chassis.ids import new_id
from tests.services.eldercare.clerk import LUOQI, SHIHE, Clerk
from tests.services.indicator.house import LONGXING, YUFENGSHAN, facility, period
from tests.services.indicator.house import House as IndicatorHouse
from tests.services.relief.applications import window as counter
from tests.services.relief.applications.window import Window
from tests.support.departments import OtherSide
from tests.support.requests_of import BODIES, PATTERNS, Document, Operation
from tests.support.services import DISTRICT, Running

DOCUMENT = "渝北民政〔2025〕9号"
NOBODY = "00000000-0000-4000-8000-000000000000"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Row:
    """One route of the table: `of` is whose rows it speaks of (see ROUTES)."""

    service: str
    method: str
    path: str
    scopes: str
    of: str

    @property
    def scope(self) -> str:
        """What the route itself asks for; any further one is asked for by the case in question."""
        return self.scopes.partition(" ")[0]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def _rows() -> list[Row]:
    with (Path(__file__).parent / "routes.csv").open(encoding="utf-8") as file:
        return [Row(**one) for one in csv.DictReader(file)]


ROUTES = _rows()
"""What each route asks for, checked in: `scopes`, and `of`:

town: what another town gets as 404; list: the same, as a list that has nothing of it;
district: what a town gets as 404; all: whoever has the scope; public: whoever comes;
door: forwarded by the gateway to a service that decides, with a token only.
"""
SCOPES = frozenset(row.scope for row in ROUTES if row.scope)


@dataclass
class World:
    """A service with rows of the town `own`; `marks` are what nobody else may be told."""

    running: Running
    own: str
    foreign: str
    ids: Mapping[str, str]
    bodies: Mapping[str, Any] = field(default_factory=dict)
    marks: Sequence[str] = ()
    parent: str = DISTRICT
    document: Document = field(init=False)
    operations: dict[str, Operation] = field(init=False)

    @property
    def routes(self) -> list[Row]:
        return [row for row in ROUTES if row.service == self.running.service.name]

    @property
    def protected(self) -> list[Row]:
        """The routes that ask for a token and a scope."""
        return [row for row in self.routes if row.scopes]

    async def describe(self) -> "World":
        answer = await self.running.http.get("/openapi.json")
        self.document = Document(answer.json(), PATTERNS)
        self.operations = {f"{one.method} {one.path}": one for one in self.document.operations()}
        return self

    def takes_division(self, row: Row) -> bool:
        described = self.operations[row.name].described
        return any(one["name"] == "division" for one in described.get("parameters", ()))

    async def ask(
        self, row: Row, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """The route as a client would ask it for what is the town's."""
        return await self.send(row, headers, self.body(row), query=query)

    def body(self, row: Row) -> Any:
        """A body that fits; bytes for a workbook, None where the route takes none."""
        described = self.operations[row.name].described
        if "requestBody" not in described:
            return None
        if XLSX in described["requestBody"]["content"]:
            return b"no workbook"
        key = row.path.removeprefix(f"/v1/{row.service}/")
        asked = self.bodies.get(row.path, self.bodies.get(key, BODIES.get(key)))
        return asked or self.document.body(self.operations[row.name])

    def fields(self, row: Row) -> set[str]:
        """What the body may have at its top."""
        content = self.operations[row.name].described["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        return {
            name
            for one in schema.get("oneOf", [schema])
            for name in self.document.resolved(one).get("properties", ())
        }

    async def send(
        self,
        row: Row,
        headers: Mapping[str, str],
        body: Any,
        *,
        query: Mapping[str, str] | None = None,
        ids: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent: dict[str, Any] = {} if body is None else {"json": body}
        if isinstance(body, bytes):
            sent = {"content": body}
        return await self.running.http.request(
            row.method,
            row.path.format_map(ids or self.ids_for(row)),
            params=dict(query or {}),
            headers=dict(headers),
            **sent,
        )

    def url(self, row: Row) -> str:
        return row.path.format_map(self.ids_for(row))

    def ids_for(self, row: Row) -> dict[str, str]:
        """The ids by their names in the path; `part:name` holds for paths with that part."""
        found = {name: value for name, value in self.ids.items() if ":" not in name}
        for name, value in self.ids.items():
            part, _, own = name.partition(":")
            if own and part in row.path:
                found[own] = value
        return found


async def eldercare_world(eldercare: Running) -> World:
    town = Clerk(eldercare, SHIHE)
    facility_id = await town.register()
    fact = (await town.facts(facility_id, "beds"))[0]["id"]
    return await World(
        eldercare,
        own=SHIHE,
        foreign=LUOQI,
        ids={"facility_id": facility_id, "fact_id": fact},
        bodies={
            "facilities": {
                "name": "又一所敬老院",
                "kind": "rural_home",
                "division": SHIHE,
                "address": "石船镇中心街 2 号",
                "operator": {"name": "石船镇人民政府", "kind": "government"},
                "beds": {"total": 9, "nursing": 3, "in_use": 9},
                "functions": ["day_care"],
                "opened_on": "2021-01-01",
                "document": "渝北民政〔2021〕1号",
            },
            "facilities/{facility_id}/changes": {
                "change": "beds",
                "valid_from": "2021-03-01",
                "document": "渝北民政〔2021〕9号",
                "beds": {"total": 50, "nursing": 10, "in_use": 50},
            },
        },
        marks=(facility_id, "石船镇敬老院"),
    ).describe()


async def indicator_world(indicator: Running) -> World:
    house, own = IndicatorHouse(indicator), str(YUFENGSHAN)
    await house.tell(facility(period("2020-01-01")), at="2020-01-02")
    indicator.at("2021-01-15")
    figure = await house.report("welfare.protection.stations", "2020-12-31", "1", division=own)
    edition = await house.post(
        "/v1/plan/editions", {"as_of": "2020-12-31", "title": "年度规划指标"}, "plan:publish"
    )
    return await World(
        indicator,
        own=own,
        foreign=str(LONGXING),
        ids={
            "figure_id": figure["id"],
            "edition_id": edition.json()["id"],
            "code": "eldercare_beds",
            "beside:code": "relief_households",
        },
        bodies={
            "/v1/plan/figures": {
                "measure": "welfare.protection.stations",
                "division": own,
                "on": "2019-12-31",
                "value": "1",
                "document": "渝北民政统〔2021〕1号",
            },
            "/v1/plan/figures/{figure_id}/correction": {
                "value": "0",
                "document": "渝北民政统〔2021〕1号",
                "reason": "误记",
            },
            "/v1/plan/editions": {"as_of": "2020-12-31", "title": "再一次"},
        },
        marks=(figure["id"],),
    ).describe()


async def gateway_world(gateway: Running) -> World:
    own, client = counter.TOWN, f"town-{new_id().hex[-12:]}"
    asked = {
        "client_id": client,
        "name": "一门受理平台",
        "organisation": "玉峰山镇人民政府",
        "scopes": ["relief:read"],
        "divisions": [own],
    }
    headers = gateway.headers("gateway:admin", divisions=[own])
    made = await gateway.http.post("/v1/gateway/clients", json=asked, headers=headers)
    assert made.status_code == 201, made.text
    return await World(
        gateway,
        own=own,
        foreign=counter.OTHER_TOWN,
        ids={"client_id": client},
        bodies={"clients": {**asked, "client_id": f"{client}-2"}},
        marks=(client,),
    ).describe()


async def relief_world(relief: Running, other: OtherSide) -> World:
    """An application that is objected to, and another that was granted, with a change under way."""
    window = Window(relief, other)
    try:
        return await _relief_world(window)
    finally:
        await window.jobs.close()


async def _relief_world(window: Window) -> World:
    await window.set_standards()
    await window.ask_two_sources()
    son = {
        "relation": "child",
        "name": "诸葛远望",
        "document_number": counter.number("1995-01-02", 9),
        "consented_on": "2025-03-01",
        "consent_document": "核对同意书",
    }
    asked = counter.body(counter.applicant(sequence=4), household={"supporters": [son]})
    case = await window.granted(asked)
    told = await window.file(case)
    award = told["decision"]["award"]
    day = window.today().isoformat()
    change = await window.relief.http.post(
        f"/v1/relief/awards/{award}/changes",
        json={
            "kind": "voluntary",
            "reason": "自愿退出",
            "requested_on": day,
            "document": "退出申请书",
        },
        headers=window.relief.headers(
            "relief:files", "relief:review", subject="reviewer", divisions=[counter.TOWN]
        ),
    )
    assert change.status_code == 201, change.text
    objected, objection = await counter.objected(window, "appraisal")
    standards = await _one(window, "/v1/relief/standards")
    parameter = await _one(window, "/v1/relief/parameters?key=dibao.check.sources")
    await window.delegate(day)
    authority = await _one(window, "/v1/relief/authorities")
    household = told["household"]
    ids = {
        "case_id": case.id,
        "objections:case_id": objected.id,
        "objection_id": objection,
        "document_id": told["documents"][0]["id"],
        "household_id": household["id"],
        "member_id": household["members"][0]["id"],
        "fact_id": household["facts"][0]["id"],
        "supporter_id": household["supporters"][0]["id"],
        "check_id": told["check"]["id"],
        "request_id": told["check"]["lines"][0]["request"],
        "award_id": award,
        "change_id": change.json()["id"],
        "series_id": standards["id"],
        "amount_id": standards["amounts"][0]["id"],
        "row_id": next(one["id"] for one in parameter["versions"] if one["id"]),
        "authority_id": authority["id"],
    }
    return await World(
        window.relief,
        own=counter.TOWN,
        foreign=counter.OTHER_TOWN,
        ids=ids,
        bodies={
            "applications": counter.body(counter.applicant(sequence=5)),
            "standards": {
                "code": "dibao",
                "area": "urban",
                "division": DISTRICT,
                "amount": "790",
                "valid_from": "2026-07-01",
                "document": DOCUMENT,
            },
            "parameters": {
                "key": "dibao.check.sources",
                "division": DISTRICT,
                "value": ["bank"],
                "valid_from": "2026-01-01",
                "source": DOCUMENT,
            },
            "parameters/{row_id}/correction": {
                "value": ["bank"],
                "valid_from": "2022-10-21",
                "source": DOCUMENT,
                "reason": "误记",
            },
            "authorities": {
                "programme": "dibao",
                "division": counter.OTHER_TOWN,
                "level": "town",
                "valid_from": "2025-04-01",
                "basis": "bureau",
                "document": DOCUMENT,
            },
            "persons/check": {
                "document_kind": "resident_id",
                "document_number": asked["household"]["members"][0]["document_number"],
            },
        },
        marks=(
            *(case.id, objected.id, award, household["id"], household["members"][0]["id"]),
            told["case"]["number"],
            *counter.NAMES,
        ),
    ).describe()


async def _one(window: Window, path: str) -> dict[str, Any]:
    answer = await window.relief.http.get(path, headers=window.headers("reader", DISTRICT))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["items"][0]
    return found


async def world_of(running: Running, other: OtherSide) -> World:
    match running.service.name:
        case "relief":
            return await relief_world(running, other)
        case "eldercare":
            return await eldercare_world(running)
        case "indicator":
            return await indicator_world(running)
        case "gateway":
            return await gateway_world(running)
    raise AssertionError(f"what belongs to a town of {running.service.name}?")
