from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from chassis.problems import NotFound
from services.gateway.pages import docs, landing
from services.gateway.pages.openapi import as_3_0
from services.gateway.pages.schemas import PartStatus, State, Status
from services.gateway.parts import PARTS
from services.gateway.state import CurrentGateway, Gateway

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def landing_page(gateway: CurrentGateway) -> HTMLResponse:
    lines = [
        landing.PartLine(part.title, _up(part), part.since)
        for part in _parts(gateway)
        if part.status is not State.ABSENT
    ]
    page = landing.page(gateway.settings.console_url, lines)
    return HTMLResponse(page, headers={**PAGE_HEADERS, "Cache-Control": "no-cache"})


@router.get("/docs")
async def docs_page() -> HTMLResponse:
    return HTMLResponse(docs.PAGE, headers=PAGE_HEADERS)


@router.get("/docs/openapi.json")
async def docs_document(request: Request) -> JSONResponse:
    return JSONResponse(as_3_0(request.app.openapi()))


@router.get("/assets/{name}")
async def asset(name: str) -> Response:
    path = docs.ASSETS.get(name)
    if path is None:
        raise NotFound
    return FileResponse(path, headers={"Cache-Control": "public, max-age=3600", **PAGE_HEADERS})


@router.get("/-/status")
async def status(gateway: CurrentGateway) -> Status:
    parts = _parts(gateway)
    states = {part.status for part in parts} - {State.ABSENT}
    worst = next((one for one in (State.DOWN, State.UNKNOWN) if one in states), State.UP)
    return Status(status=worst, parts=parts)


def _parts(gateway: Gateway) -> list[PartStatus]:
    return [_status(gateway, part.name, part.title) for part in PARTS]


def _status(gateway: Gateway, name: str, title: str) -> PartStatus:
    seen = gateway.watch.seen(name)
    if seen is None:
        state = State.UNKNOWN if name in gateway.upstreams else State.ABSENT
        return PartStatus(name=name, title=title, status=state, since=None, checked_at=None)
    state = State.UP if seen.up else State.DOWN
    return PartStatus(name=name, title=title, status=state, since=seen.since, checked_at=seen.at)


def _up(part: PartStatus) -> bool | None:
    return None if part.status is State.UNKNOWN else part.status is State.UP
