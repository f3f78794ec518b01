"""Workbooks and documents of the gateway handed through: the token stays on this side."""

from collections.abc import Awaitable
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from chassis.http_client import Response as Download
from services.console import clerks
from services.console.filters import FACILITIES, PLAN, Filters
from services.console.gateway import Away, Gateway, Refused

KEPT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-security-policy",
    "content-type",
)


def router(gateway: Gateway) -> APIRouter:
    exports = APIRouter(prefix="/exports", include_in_schema=False)

    @exports.get("/board.xlsx")
    async def board(request: Request) -> Response:
        filters = Filters.read(request.query_params, PLAN)
        return await _handed_through(gateway.download("/v1/plan/indicators/export", filters.params))

    @exports.get("/editions/{edition_id}.xlsx")
    async def edition(edition_id: UUID) -> Response:
        return await _handed_through(gateway.download(f"/v1/plan/editions/{edition_id}/export"))

    @exports.get("/facilities.xlsx")
    async def facilities(request: Request) -> Response:
        filters = Filters.read(request.query_params, FACILITIES)
        return await _handed_through(
            gateway.download("/v1/eldercare/facilities/export", filters.params)
        )

    return exports


async def document(browser: str, case_id: UUID, document_id: UUID) -> Response:
    """A case's document as it prints, for the clerk at that browser alone."""
    seat = clerks.seat_at(browser)
    if seat is None:
        return PlainTextResponse("请先登录。", 401)
    path = f"/v1/relief/cases/{case_id}/documents/{document_id}/page"
    return await _handed_through(seat.download(path))


async def _handed_through(asked: Awaitable[Download]) -> Response:
    try:
        answer = await asked
    except Away as away:
        return PlainTextResponse(f"{away}，请稍后再试。", 503, {"Retry-After": "5"})
    except Refused as refused:
        return PlainTextResponse(f"{refused.title}。{refused.detail}", refused.status)
    kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    return Response(answer.content, headers=kept)
