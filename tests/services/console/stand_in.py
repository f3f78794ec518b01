"""The gateway as the console meets it over HTTP, answering from generated figures.

It speaks the interface of the plan, the facilities and the cases, checks the token, refuses unknown
parameters as the real one does, and can be sent away.
"""

import base64
import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID, uuid5

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from tests.services.console.stand_in_cases import CLERKS, SECRET, add_cases, scopes_of

CLIENT_ID, CLIENT_SECRET = "bureau+district", "s3cret/with:signs"
NAMESPACE = UUID("0199f3a0-0000-7000-8000-000000000000")
START, END = date(2020, 12, 31), date(2025, 12, 31)
TODAY = date(2025, 6, 30)
BINDING, EXPECTED = "约束性", "预期性"
TOWNS = [
    "双龙湖街道",
    "回兴街道",
    "龙溪街道",
    "龙山街道",
    "龙塔街道",
    "悦来街道",
    "两路街道",
    "双凤桥街道",
    "王家街道",
    "宝圣湖街道",
    "仙桃街道",
    "玉峰山镇",
    "龙兴镇",
    "统景镇",
    "大湾镇",
    "兴隆镇",
    "木耳镇",
    "茨竹镇",
    "古路镇",
    "石船镇",
    "大盛镇",
    "洛碛镇",
]
CODES = [f"500112{100 + place:03}000" for place in range(len(TOWNS))]
WITHOUT_CENTRE = TOWNS[13:]


@dataclass(frozen=True)
class Row:
    """An indicator with its values at the ends of 2020 to 2024 and in 2025."""

    no: int
    code: str
    name: str
    unit: str
    kind: str
    baseline: str | None
    operator: str
    target: str | None
    thing: str
    origin: str | None
    per_town: bool
    values: tuple[str | None, ...]


def read_rows() -> list[Row]:
    with (Path(__file__).parent / "indicators.csv").open(encoding="utf-8") as file:
        return [
            Row(
                no=int(line["no"]),
                code=line["code"],
                name=line["name"],
                unit=line["unit"],
                kind=line["kind"],
                baseline=line["baseline"] or None,
                operator=line["operator"],
                target=line["target"] or None,
                thing=line["thing"],
                origin=line["origin"] or None,
                per_town=bool(line["per_town"]),
                values=tuple(None if one == "-" else one for one in line["values"].split()),
            )
            for line in csv.DictReader(file)
        ]


ROWS = read_rows()
GROWTH = "不低于上年度城镇居民人均消费支出增速"


def identity(*parts: object) -> str:
    return str(uuid5(NAMESPACE, "/".join(map(str, parts))))


def rounded(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def value_on(row: Row, day: date, known_on: date | None = None) -> Decimal | None:
    """Of the year; what became known of #15 in April 2025 lowers it."""
    found = row.values[min(max(day.year - 2020, 0), 5)]
    if found is None:
        return None
    if row.no == 15 and known_on is not None and known_on < date(2025, 4, 1):
        return Decimal(found) + 2
    return Decimal(found)


def path_on(row: Row, day: date) -> Decimal | None:
    if row.baseline is None or row.target is None:
        return None
    share = Decimal((min(day, END) - START).days) / (END - START).days
    return Decimal(row.baseline) + (Decimal(row.target) - Decimal(row.baseline)) * share


def meets(operator: str, value: Decimal, goal: Decimal) -> bool:
    return {
        ">=": value >= goal,
        ">": value > goal,
        "<=": value <= goal,
        "==": value == goal,
    }[operator]


def status_of(row: Row, value: Decimal | None, goal: Decimal | None, day: date) -> str:
    if value is None or goal is None:
        return "not_assessable"
    if meets(row.operator, value, goal):
        return "done"
    path = path_on(row, day)
    if day >= END:
        return "behind"
    if path is None:
        return "behind" if row.target is None else "not_assessable"
    on_path = value <= path if row.operator == "<=" else value >= path
    return "on_course" if on_path else "behind"


def parts_of(row: Row, value: Decimal | None) -> tuple[str | None, str | None]:
    bases = {3: 4500, 4: 10800, 9: 357, 11: 22, 15: 5000, 16: 40, 17: 5000, 18: 22}
    if value is None or row.no not in bases:
        return None, None
    base = bases[row.no]
    return str((value * base / 100).quantize(Decimal(1))), str(base)


def gap_of(row: Row, value: Decimal | None, goal: Decimal | None) -> Any:
    if value is None or goal is None or meets(row.operator, value, goal):
        return None
    numerator, denominator = parts_of(row, value)
    short = abs(goal - value)
    if numerator is not None and denominator is not None:
        short = abs(goal * int(denominator) / 100 - int(numerator)).quantize(Decimal(1))
    return {"amount": str(short), "more": value <= goal, "thing": row.thing}


def target_of(row: Row, day: date, value: Decimal | None) -> dict[str, Any]:
    goal = Decimal(row.target) if row.target else Decimal("5.20")
    judged_on = date(day.year - 1, 12, 31) if row.no in (1, 8) and day < END else day
    judged = value_on(row, judged_on) if judged_on != day else value
    path = path_on(row, judged_on)
    return {
        "id": f"T1-{row.no:02}",
        "operator": row.operator,
        "value": row.target,
        "reference": None if row.target else GROWTH,
        "printed": f"{row.operator}{row.target}" if row.target else GROWTH,
        "goal": str(goal),
        "due": "2025-12-31",
        "section": "表1",
        "scope": "YUBEI22",
        "standing": "有效",
        "status": status_of(row, judged, goal, judged_on if judged_on == day else day),
        "governing": True,
        "measured_value": None if judged is None else str(judged),
        "judged_on": judged_on.isoformat(),
        "path": None if path is None else rounded(path),
        "due_passed": day >= END,
        "note": "",
        "gap": gap_of(row, judged, goal),
    }


def other_target(day: date, value: Decimal | None) -> dict[str, Any]:
    return {
        "id": "T-07",
        "operator": ">=",
        "value": "45",
        "reference": None,
        "printed": "达到45%以上",
        "goal": "45",
        "due": None,
        "section": "专栏4",
        "scope": "YUBEI22",
        "standing": "以表1为准",
        "status": "done" if value is not None and value >= 45 else "not_assessable",
        "governing": False,
        "measured_value": None if value is None else str(value),
        "judged_on": day.isoformat(),
        "path": None,
        "due_passed": False,
        "note": "与表1的100%不一致,待确认",
        "gap": None,
    }


def item_of(row: Row, day: date, known_on: date | None, division: str | None) -> dict[str, Any]:
    value = value_on(row, day, known_on)
    if division is not None and not row.per_town:
        value = None
    numerator, denominator = parts_of(row, value)
    targets = [target_of(row, day, value)]
    if row.no == 11:
        targets.append(other_target(day, value))
    reported = date(day.year, day.month, 1) - timedelta(days=12)
    is_reported = row.origin in ("reported", "mixed") and value is not None
    missing = WITHOUT_CENTRE if row.no == 18 and division is None else []
    return {
        "no": row.no,
        "code": row.code,
        "name": row.name,
        "unit": row.unit,
        "kind": row.kind,
        "value": None if value is None else str(value),
        "numerator": numerator,
        "denominator": denominator,
        "baseline": row.baseline,
        "targets": targets,
        "status": targets[0]["status"],
        "origin": None if value is None else row.origin,
        "reported_on": reported.isoformat() if is_reported else None,
        "age_days": (day - reported).days if is_reported else None,
        "as_of": day.isoformat(),
        "known_on": known_on.isoformat() if known_on else None,
        "scope": division or "YUBEI22",
        "per_town": row.per_town,
        "provisional": row.no == 8,
        "conflict": row.no == 11,
        "missing": [{"division": CODES[TOWNS.index(name)], "name": name} for name in missing],
        "owner": "区民政局",
        "section": "第六章第三节",
        "definition": "",
        "decimals": 2,
        "note": "",
    }


def board_of(day: date, known_on: date | None, division: str | None) -> dict[str, Any]:
    items = [item_of(row, day, known_on, division) for row in ROWS]
    verdict: dict[str, dict[str, int]] = {}
    for name, kind in (("binding", BINDING), ("expected", EXPECTED)):
        counts = dict.fromkeys(("done", "on_course", "behind", "not_assessable"), 0)
        for one in items:
            if one["kind"] == kind:
                counts[one["status"]] += 1
        verdict[name] = counts
    return {
        "as_of": day.isoformat(),
        "known_on": known_on.isoformat() if known_on else None,
        "division": division,
        "scope": division or "YUBEI22",
        "verdict": verdict,
        "items": items,
    }


def series_of(row: Row, until: date, *, quarters: bool) -> dict[str, Any]:
    ends = [(3, 31), (6, 30), (9, 30), (12, 31)] if quarters else [(12, 31)]
    days = {date(year, month, day) for year in range(2020, 2026) for month, day in ends}
    days = {day for day in days if START <= day <= until} | {until}
    points = []
    for day in sorted(days):
        value = value_on(row, day)
        numerator, denominator = parts_of(row, value)
        points.append(
            {
                "on": day.isoformat(),
                "value": None if value is None else str(value),
                "numerator": numerator,
                "denominator": denominator,
                "status": status_of(row, value, Decimal(row.target) if row.target else None, day),
            }
        )
    straight = [] if path_on(row, END) is None else [START, END]
    return {
        "code": row.code,
        "points": points,
        "path": [{"on": day.isoformat(), "value": str(path_on(row, day))} for day in straight],
        "target": {"operator": row.operator, "value": row.target},
    }


def matrix_of(day: date) -> dict[str, Any]:
    columns = [row for row in ROWS if row.per_town]
    rows = []
    for place, town in enumerate(TOWNS):
        cells = {}
        for row in columns:
            cells[row.code] = town_cell(row, place, town, day)
        rows.append({"division": CODES[place], "name": town, "cells": cells})
    return {
        "as_of": day.isoformat(),
        "known_on": None,
        "indicators": [
            {"no": row.no, "code": row.code, "name": row.name, "unit": row.unit} for row in columns
        ],
        "rows": rows,
    }  # fmt: skip


def town_cell(row: Row, place: int, town: str, day: date) -> dict[str, Any]:
    value = value_on(row, day)
    if value is None or (row.no == 15 and place % 7 == 3):
        return {"value": None, "numerator": None, "denominator": None, "status": "not_assessable"}
    numerator: int | None
    denominator: int | None
    if row.no in (11, 18):
        numerator, denominator = int(row.no == 11 or town not in WITHOUT_CENTRE), 1
        status = "done" if numerator else "behind"
    elif row.unit == "%":
        denominator = 120 + 10 * (place % 5)
        numerator = int(denominator * min(value / 100 + Decimal(place % 4 - 2) / 20, Decimal(1)))
        status = ("behind", "on_course", "done")[place % 3] if value < 100 else "done"
    else:
        shown = (value / 22).quantize(Decimal(1)) + place
        return {
            "value": str(shown),
            "numerator": None,
            "denominator": None,
            "status": "not_assessable",
        }
    share = Decimal(numerator) / denominator * 100
    return {
        "value": rounded(share),
        "numerator": str(numerator),
        "denominator": str(denominator),
        "status": status,
    }


def lineage_of(row: Row, start: int, limit: int) -> dict[str, Any]:
    total = 45 if row.origin == "events" else 3
    items = []
    for each in range(start, min(start + limit, total)):
        eldercare = row.origin == "events" and row.no >= 14
        kind = (
            "minzheng.eldercare.facility.changed.v1"
            if eldercare
            else "minzheng.indicator.figure.reported.v1"
        )
        items.append(
            {
                "event_id": identity("event", each),
                "event_type": kind,
                "type": kind,
                "subject": identity("facility", each),
                "topic": "minzheng.eldercare.facility",
                "measure": "eldercare.institution.nursing_beds",
                "measure_name": "养老机构护理型床位" if eldercare else "填报数",
                "key": "",
                "unit": CODES[each % 22],
                "unit_name": TOWNS[each % 22],
                "effective_date": f"202{each % 5}-03-15",
                "recorded_at": "2021-03-20T02:30:00Z",
                "amount": str(30 + each),
            }
        )  # fmt: skip
    more = start + limit < total
    return {"items": items, "next_cursor": str(start + limit) if more else None}


BESIDE = (
    ("relief_households", "低保在保户数", "户", 0),
    ("relief_persons", "低保在保人数", "人", 0),
    ("relief_amount", "低保月发放金额", "元/月", 2),
)


def beside_parts(place: int, code: str, decimals: int) -> dict[str, str]:
    """Of a town: households by its place in the list, of which the streets' are urban."""
    of_each = {"relief_households": 1, "relief_persons": 2, "relief_amount": Decimal("810.50")}
    value = Decimal((10 + place) * of_each[code])
    urban = value if TOWNS[place].endswith("街道") else Decimal(0)
    parts = {"value": value, "urban": urban, "rural": value - urban}
    return {part: f"{amount:.{decimals}f}" for part, amount in parts.items()}


def beside_of(division: str | None) -> dict[str, Any]:
    places = range(len(TOWNS)) if division is None else [CODES.index(division)]
    items = []
    for code, name, unit, decimals in BESIDE:
        of_towns = [beside_parts(place, code, decimals) for place in places]
        total = {part: str(sum(Decimal(one[part]) for one in of_towns)) for part in of_towns[0]}
        items.append({"code": code, "name": name, "unit": unit, "note": "停发的不计", **total})
    return {
        "as_of": TODAY.isoformat(),
        "division": division,
        "scope_name": "渝北区民政局管辖的22个镇街",
        "items": items,
    }


def beside_matrix() -> dict[str, Any]:
    return {
        "as_of": TODAY.isoformat(),
        "figures": [{"code": code, "name": name, "unit": unit} for code, name, unit, _ in BESIDE],
        "rows": [
            {
                "division": CODES[place],
                "name": town,
                "cells": {code: beside_parts(place, code, end) for code, _, _, end in BESIDE},
            }
            for place, town in enumerate(TOWNS)
        ],
    }


def beside_lineage(start: int, limit: int, area: str) -> dict[str, Any]:
    total = {"total": 25, "urban": 15, "rural": 10}[area]
    items = [
        {
            "event_id": identity("award-event", each),
            "event_type": "minzheng.relief.award.approved.v1",
            "subject": identity("award", each),
            "measure_name": "低保在保户数",
            "unit_name": TOWNS[each % 22],
            "effective_date": f"2025-0{1 + each % 6}-01",
            "recorded_at": "2024-12-20T02:30:00Z",
            "amount": "1",
        }
        for each in range(start, min(start + limit, total))
    ]
    return {"items": items, "next_cursor": str(start + limit) if start + limit < total else None}


def facility_of(place: int) -> dict[str, Any]:
    kinds = ("institution", "town_centre", "rural_home", "community_station")
    return {
        "id": identity("facility", place),
        "as_of": TODAY.isoformat(),
        "state": "closed" if place % 17 == 5 else "open",
        "opened_on": "2018-05-01",
        "closed_on": "2024-03-01" if place % 17 == 5 else None,
        "name": f"{TOWNS[place % 22][:2]}第{place + 1}养老院",
        "kind": kinds[place % 4],
        "division": CODES[place % 22],
        "division_name": TOWNS[place % 22],
        "town_name": TOWNS[place % 22],
        "address": f"{TOWNS[place % 22]}安康路{place + 1}号",
        "operator": {"name": f"渝北{place}号养老服务有限公司", "kind": "public_built_private_run"},
        "beds": {"total": 120 + place, "nursing": 40 + place, "in_use": 100},
        "functions": ["full_care", "day_care", "meals"],
        "assessment": {"assessed_on": "2024-10-12", "passed": True, "score": "86.50"},
        "warnings": [],
    }


FACILITIES = 60


def facilities_found(query: dict[str, str]) -> list[dict[str, Any]]:
    found = [facility_of(place) for place in range(FACILITIES)]
    for name in ("kind", "division", "state"):
        if name in query:
            found = [one for one in found if one[name] == query[name]]
    return [one for one in found if query.get("q", "") in one["name"]]


def beds_text(total: int, nursing: int) -> str:
    return f"核定床位 {total} 张，其中护理型 {nursing} 张；投入使用 100 张"


def timeline_of(facility_id: str) -> dict[str, Any]:
    def period(from_: str, operator: str, total: int, nursing: int) -> dict[str, Any]:
        return {
            "from": from_,
            "division": CODES[0],
            "division_name": TOWNS[0],
            "kind": "institution",
            "operator_kind": operator,
            "open": True,
            "beds": {"total": total, "nursing": nursing, "in_use": 100},
            "functions": ["full_care", "day_care"],
        }

    def fact(number: int, day: str, text: str, recorded: str, **more: str) -> dict[str, Any]:
        plain = {
            "id": identity(facility_id, number),
            "series": "beds",
            "title": "床位",
            "valid_from": day,
            "text": text,
            "document": f"渝北民政〔20{20 + number}〕{number + 3}号",
            "recorded_at": recorded,
            "recorded_by": f"staff-{number:03}",
            "supersedes": None,
            "superseded_by": None,
            "reason": "",
        }
        return {**plain, **more}

    return {
        "id": facility_id,
        "periods": [
            period("2018-05-01", "government", 120, 40),
            period("2022-02-01", "government", 130, 60),
            period("2022-03-15", "public_built_private_run", 130, 80),
        ],
        "facts": [
            fact(1, "2018-05-01", "开办", "2018-05-03T01:00:00Z"),
            fact(2, "2022-03-01", beds_text(130, 50), "2022-03-04T07:20:00Z",
                 superseded_by=identity(facility_id, 4)),
            fact(3, "2022-03-15", "运营方：渝北康养有限公司（公建民营）", "2022-03-16T03:00:00Z"),
            fact(4, "2022-02-01", beds_text(130, 60), "2022-05-09T06:45:00Z",
                 supersedes=identity(facility_id, 2), reason="原登记日期有误，以验收文件为准"),
        ],
    }  # fmt: skip


def edition_of(edition: dict[str, Any]) -> dict[str, Any]:
    head = {name: edition[name] for name in edition if name != "figures"}
    return {**head, "figures": edition["figures"]}


def publish(app: FastAPI, asked: dict[str, Any]) -> dict[str, Any]:
    number = len(app.state.editions) + 1
    day = date.fromisoformat(asked["as_of"])
    figures = [
        {**one, "before": "49.30" if one["no"] == 15 and asked.get("restates") else one["value"]}
        for one in board_of(day, None, None)["items"]
    ]
    edition = {
        "id": identity("edition", number),
        "number": number,
        "title": asked["title"],
        "as_of": asked["as_of"],
        "known_on": asked.get("known_on") or asked["as_of"],
        "frozen_at": datetime(2025, 1, 15, 1, number, tzinfo=UTC).isoformat(),
        "definition_version": 1,
        "restates": asked.get("restates"),
        "restated_by": None,
        "reason": asked.get("reason"),
        "figures": figures,
    }
    for other in app.state.editions:
        if other["id"] == edition["restates"]:
            other["restated_by"] = edition["id"]
    app.state.editions.append(edition)
    return edition


def problem(status: int, title: str, detail: str = "") -> Response:
    body = {"type": "urn:minzheng:problem:x", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


ALLOWED = {
    "/v1/plan": set(),
    "/v1/plan/matrix": {"as_of", "known_on"},
    "/v1/plan/beside": {"as_of", "known_on", "division"},
    "/v1/plan/beside/matrix": {"as_of", "known_on"},
    "/v1/plan/editions": {"limit", "cursor"},
}


def stand_in() -> FastAPI:
    """`state.away` makes it answer 503, `state.beside_away` for what stands beside the plan alone.

    `state.tokens` counts tokens, of which the last is valid.
    """
    app = FastAPI()
    app.state.away = False
    app.state.beside_away = False
    app.state.tokens = 0
    app.state.seen = []
    app.state.editions = []
    app.state.answers = {}
    publish(app, {"title": "2023 年度规划指标", "as_of": "2023-12-31"})

    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        path = request.url.path
        if app.state.away or (app.state.beside_away and path.startswith("/v1/plan/beside")):
            return problem(503, "服务暂时不可用")
        if path.startswith("/v1/"):
            app.state.seen.append(f"{path}?{request.url.query}")
            if request.headers.get("authorization") not in accepted(app):
                return problem(401, "未提供有效的访问令牌")
            if path in ALLOWED and not set(request.query_params) <= ALLOWED[path]:
                return problem(422, "填写内容有误", "不认识的字段")
        answer: Response = await call_next(request)
        return answer

    @app.post("/oauth2/token")
    async def token(request: Request) -> Response:
        given = request.headers.get("authorization")
        clerk = next((one for one in CLERKS if given == basic(one, SECRET)), None)
        if clerk is not None:
            return granted(f"clerk-{clerk}", " ".join(sorted(scopes_of(clerk))))
        if given != basic(CLIENT_ID, CLIENT_SECRET):
            return problem(401, "接入方标识或密钥有误")
        app.state.tokens += 1
        return granted(f"token-{app.state.tokens}", "plan:read")

    add_plan(app)
    add_beside(app)
    add_editions(app)
    add_facilities(app)
    add_cases(app)
    return app


def accepted(app: FastAPI) -> set[str]:
    """The console's last token, and each clerk's."""
    return {f"Bearer token-{app.state.tokens}", *(f"Bearer clerk-{one}" for one in CLERKS)}


def basic(client: str, secret: str) -> str:
    """Both parts form-encoded before they are joined (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def granted(token: str, scope: str) -> Response:
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope}
    return JSONResponse(answer)


def row_of(code: str) -> Row:
    return next(row for row in ROWS if row.code == code)


def day_of(request: Request, name: str) -> date | None:
    text = request.query_params.get(name)
    return date.fromisoformat(text) if text else None


def add_plan(app: FastAPI) -> None:
    @app.get("/v1/plan")
    async def plan() -> dict[str, Any]:
        return {
            "code": "yubei-145",
            "name": "渝北区民政事业发展“十四五”规划",
            "edition": "送审稿",
            "version": 1,
            "period_from": "2021-01-01",
            "period_to": END.isoformat(),
            "baseline_on": START.isoformat(),
            "scopes": [{"code": "YUBEI22", "name": "渝北区民政局管辖的22个镇街"}],
            "default_as_of": TODAY.isoformat(),
            "today": TODAY.isoformat(),
        }

    @app.get("/v1/plan/indicators")
    async def indicators(request: Request) -> Any:
        division = request.query_params.get("division")
        if division is not None and division not in CODES:
            return problem(404, "未找到", "未找到该区划，或不在您的管辖范围内")
        return board_of(day_of(request, "as_of") or TODAY, day_of(request, "known_on"), division)

    @app.get("/v1/plan/indicators/export")
    async def export() -> Response:
        return workbook("board")

    @app.get("/v1/plan/indicators/{code}/series")
    async def series(code: str, request: Request) -> dict[str, Any]:
        quarters = request.query_params.get("step") == "quarter"
        return series_of(row_of(code), day_of(request, "to") or TODAY, quarters=quarters)

    @app.get("/v1/plan/indicators/{code}/lineage")
    async def lineage(code: str, request: Request) -> dict[str, Any]:
        start = int(request.query_params.get("cursor", "0"))
        return lineage_of(row_of(code), start, int(request.query_params["limit"]))

    @app.get("/v1/plan/matrix")
    async def matrix(request: Request) -> dict[str, Any]:
        return matrix_of(day_of(request, "as_of") or TODAY)


def add_beside(app: FastAPI) -> None:
    @app.get("/v1/plan/beside")
    async def beside(request: Request) -> dict[str, Any]:
        return beside_of(request.query_params.get("division"))

    @app.get("/v1/plan/beside/matrix")
    async def matrix() -> dict[str, Any]:
        return beside_matrix()

    @app.get("/v1/plan/beside/{code}/lineage")
    async def lineage(code: str, request: Request) -> Any:
        if code not in {one[0] for one in BESIDE}:
            return problem(404, "未找到", "没有此项业务数据")
        query = request.query_params
        return beside_lineage(int(query.get("cursor", "0")), int(query["limit"]), query["area"])


def add_editions(app: FastAPI) -> None:
    @app.get("/v1/plan/editions")
    async def editions() -> dict[str, Any]:
        return {"items": app.state.editions, "next_cursor": None}

    @app.post("/v1/plan/editions", status_code=201)
    async def new_edition(request: Request) -> Any:
        asked = await request.json()
        key = request.headers["idempotency-key"]
        if ("restates" in asked) != ("reason" in asked):
            return problem(422, "填写内容有误", "只有更正版才填理由")
        if asked["title"] == "重名":
            return problem(409, "与现有数据冲突", "已有同名的发布版")
        if key not in app.state.answers:
            app.state.answers[key] = publish(app, asked)
        return app.state.answers[key]

    @app.get("/v1/plan/editions/{edition_id}")
    async def edition(edition_id: str) -> Any:
        found = [one for one in app.state.editions if one["id"] == edition_id]
        return edition_of(found[0]) if found else problem(404, "未找到")

    @app.get("/v1/plan/editions/{edition_id}/export")
    async def edition_export(edition_id: str) -> Response:
        return workbook(edition_id)


def workbook(name: str) -> Response:
    return Response(
        b"PK" + name.encode(),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"content-disposition": f'attachment; filename="{name}.xlsx"'},
    )


def add_facilities(app: FastAPI) -> None:
    @app.get("/v1/eldercare/facilities")
    async def facilities(request: Request) -> dict[str, Any]:
        found = facilities_found(dict(request.query_params))
        start = int(request.query_params.get("cursor", "0"))
        limit = int(request.query_params["limit"])
        more = start + limit < len(found)
        return {
            "items": found[start : start + limit],
            "next_cursor": str(start + limit) if more else None,
        }

    @app.get("/v1/eldercare/facilities/summary")
    async def summary(request: Request) -> dict[str, Any]:
        found = [
            one for one in facilities_found(dict(request.query_params)) if one["state"] == "open"
        ]
        items = []
        for kind in dict.fromkeys(one["kind"] for one in found):
            of_kind = [one for one in found if one["kind"] == kind]
            items.append(
                {"kind": kind, "title": "", "facilities": len(of_kind), "beds": beds_of(of_kind)}
            )
        return {
            "as_of": TODAY.isoformat(),
            "items": items,
            "facilities": len(found),
            "beds": beds_of(found),
        }  # fmt: skip

    @app.get("/v1/eldercare/facilities/export")
    async def export() -> Response:
        return workbook("facilities")

    @app.get("/v1/eldercare/facilities/{facility_id}")
    async def facility(facility_id: str) -> Any:
        found = [place for place in range(FACILITIES) if identity("facility", place) == facility_id]
        return facility_of(found[0]) if found else problem(404, "未找到")

    @app.get("/v1/eldercare/facilities/{facility_id}/timeline")
    async def timeline(facility_id: str) -> dict[str, Any]:
        return timeline_of(facility_id)


def beds_of(found: list[dict[str, Any]]) -> dict[str, int]:
    return {
        name: sum(one["beds"][name] for one in found) for name in ("total", "nursing", "in_use")
    }
