"""The staff's pages in a browser; a client of the gateway like any other."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI, Request, Response
from nicegui import Client, ui
from nicegui import app as nicegui_app
from pydantic import BaseModel

from chassis import private_file
from chassis.app import asked_on_this_machine
from chassis.clock import open_clock
from chassis.telemetry import metrics
from services.console import (
    awards,
    board,
    case_list,
    cases,
    days,
    editions,
    exports,
    facilities,
    frame,
    household,
    login,
    matrix,
    provisions,
    todo,
)
from services.console.filters import DAYS, FACILITIES, PLAN, Filters
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings

TITLE = "民政业务平台"
FAVICON = "民"
SECRET_BYTES = 32


class Health(BaseModel):
    """进程状态。"""

    status: str


def create_console() -> FastAPI:
    """The console by this process's environment; once in a process, NiceGUI knows only one app."""
    settings = ConsoleSettings()
    gateway = Gateway(settings.gateway_url, settings.clients)
    days.use(open_clock(settings.clock or None, deployment=settings.deployment))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await gateway.close()

    app = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    _add_operations(app)
    app.include_router(exports.router(gateway))
    _add_pages(gateway, publishes=settings.console_publishes)
    _add_login(gateway, settings)
    _add_desk()
    ui.add_head_html(frame.style(), shared=True)
    ui.run_with(
        app,
        title=TITLE,
        favicon=FAVICON,
        language="zh-CN",
        tailwind=False,
        reconnect_timeout=10,
        show_welcome_message=False,
        storage_secret=_storage_secret(settings.state),
    )
    return app


def _storage_secret(state: Path) -> str:
    """Signs the browser's session cookie; kept, so that a restart ends no session."""
    kept = private_file.read_or_create(
        state / "console-secret", lambda: secrets.token_urlsafe(SECRET_BYTES).encode()
    )
    return kept.decode()


def _add_operations(app: FastAPI) -> None:
    @app.get("/-/health")
    async def health() -> Health:
        return Health(status="ok")

    @app.get("/-/metrics")
    async def metrics_route(request: Request) -> Response:
        if not asked_on_this_machine(request):
            return Response(status_code=404)
        content, media_type = metrics.exposition()
        return Response(content, media_type=media_type)

    @app.get("/-/ready")
    async def ready() -> Health:
        """Ready without the gateway, too: the pages say that it is away."""
        return Health(status="ready")


def _add_pages(gateway: Gateway, *, publishes: bool) -> None:
    @ui.page(board.PATH, title=f"规划指标 · {TITLE}")
    def board_page(request: Request, open: str = "") -> None:  # noqa: A002 - the URL's own word
        board.show(gateway, Filters.read(request.query_params, PLAN), open)

    @ui.page(matrix.PATH, title=f"镇街对比 · {TITLE}")
    def matrix_page(request: Request) -> None:
        matrix.show(gateway, Filters.read(request.query_params, DAYS))

    @ui.page(editions.PATH, title=f"发布版 · {TITLE}")
    def editions_page() -> None:
        editions.show(gateway, publishes=publishes)

    @ui.page(editions.PATH + "/{edition_id}", title=f"发布版 · {TITLE}")
    def edition_page(edition_id: str) -> None:
        _with_id(edition_id, lambda known: editions.show_one(gateway, known))

    @ui.page(facilities.PATH, title=f"养老服务设施 · {TITLE}")
    def facilities_page(request: Request) -> None:
        facilities.show(gateway, Filters.read(request.query_params, FACILITIES))

    @ui.page(facilities.PATH + "/{facility_id}", title=f"养老服务设施 · {TITLE}")
    def facility_page(facility_id: str, request: Request) -> None:
        filters = Filters.read(request.query_params, DAYS)
        _with_id(facility_id, lambda known: facilities.show_one(gateway, known, filters))

    @nicegui_app.exception_handler(404)
    def not_found(request: Request, _: Exception) -> Response:
        with Client(ui.page(""), request=request) as client:
            _show_not_found()
        return client.build_response(request, 404)


def _add_login(gateway: Gateway, settings: ConsoleSettings) -> None:
    @ui.page(frame.LOGIN, title=f"登录 · {TITLE}")
    def login_page(goal: str = "") -> None:
        login.show(gateway, settings.clerks, goal)

    @nicegui_app.get(login.ENTER, include_in_schema=False)
    async def enter(request: Request, ticket: str = "", goal: str = "") -> Response:
        return login.enter(request, ticket, goal)


def _add_desk() -> None:
    """The pages of a clerk who is logged in."""

    @ui.page(frame.DESK, title=f"待办 · {TITLE}")
    def todo_page(request: Request) -> Response | None:
        return todo.show(todo.Choice.read(request.query_params))

    @ui.page(case_list.PATH, title=f"全部办件 · {TITLE}")
    def cases_page(request: Request) -> Response | None:
        return case_list.show(case_list.Search.read(request.query_params))

    @ui.page(cases.PATH + "/{case_id}", title=f"办件 · {TITLE}")
    def case_page(case_id: str) -> Response | None:
        return _with_id(case_id, cases.show)

    @ui.page(awards.PATH, title=f"低保家庭 · {TITLE}")
    def awards_page(request: Request) -> Response | None:
        return awards.show(awards.Search.read(request.query_params))

    @ui.page(awards.PATH + "/{award_id}", title=f"低保家庭 · {TITLE}")
    def award_page(award_id: str) -> Response | None:
        return _with_id(award_id, awards.show_one)

    @ui.page(household.PATH + "/{household_id}", title=f"家庭 · {TITLE}")
    def household_page(household_id: str, request: Request) -> Response | None:
        chosen = household.Choice.read(request.query_params)
        return _with_id(household_id, lambda known: household.show(known, chosen))

    @ui.page(provisions.PATH, title=f"标准与参数 · {TITLE}")
    def provisions_page(request: Request) -> Response | None:
        return provisions.show(Filters.read(request.query_params, ("division",)))

    @nicegui_app.get(cases.PATH + "/{case_id}/documents/{document_id}", include_in_schema=False)
    async def document(request: Request, case_id: UUID, document_id: UUID) -> Response:
        return await exports.document(request.session.get("id", ""), case_id, document_id)


def _with_id(text: str, show: Callable[[str], Response | None]) -> Response | None:
    """The page of one thing, if what stands in the URL can be the id of one."""
    try:
        known = str(UUID(text))
    except ValueError:
        _show_not_found()
        return None
    return show(known)


def _show_not_found() -> None:
    with frame.page(""):
        frame.text("没有这个页面", name="h1")
        frame.text("地址可能有误，或内容已不在。", "muted")
        frame.anchor("回到规划指标", board.PATH, "button")
