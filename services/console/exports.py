"""Workbooks of the gateway handed through, so that the token stays on this side."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from services.console.filters import FACILITIES, PLAN, Filters
from services.console.gateway import Away, Gateway, Refused

KEPT_HEADERS = ("content-type", "content-disposition")


def router(gateway: Gateway) -> APIRouter:
    exports = APIRouter(prefix="/exports", include_in_schema=False)

    async def hand_through(path: str, params: dict[str, str] | None = None) -> Response:
        try:
            answer = await gateway.download(path, params)
        except Away as away:
            return PlainTextResponse(f"{away}，请稍后再试。", 503, {"Retry-After": "5"})
        except Refused as refused:
            return PlainTextResponse(f"{refused.title}。{refused.detail}", refused.status)
        kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        return Response(answer.content, headers=kept)

    @exports.get("/board.xlsx")
    async def board(request: Request) -> Response:
        filters = Filters.read(request.query_params, PLAN)
        return await hand_through("/v1/plan/indicators/export", filters.params)

    @exports.get("/editions/{edition_id}.xlsx")
    async def edition(edition_id: UUID) -> Response:
        return await hand_through(f"/v1/plan/editions/{edition_id}/export")

    @exports.get("/facilities.xlsx")
    async def facilities(request: Request) -> Response:
        filters = Filters.read(request.query_params, FACILITIES)
        return await hand_through("/v1/eldercare/facilities/export", filters.params)

    return exports
