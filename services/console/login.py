"""The way in for clerks; in a demonstration its clerks are offered by name."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from itertools import groupby, takewhile
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from services.console import clerks, desk
from services.console.clerks import Known
from services.console.frame import DESK, LOGIN, Handler, button, page, refusal, tag, text
from services.console.gateway import Away, Credentials, Gateway, Refused

ENTER = f"{LOGIN}/enter"


def show(gateway: Gateway, file: Path | None, goal: str) -> None:
    """`goal` is the page of ours that the clerk wanted."""
    _Login(gateway, clerks.browser(), _ours(goal), clerks.of_demonstration(file)).show()


def enter(request: Request, ticket: str, goal: str) -> RedirectResponse:
    """Give the browser its new id, and the clerk the page that they came for."""
    renewed = clerks.let_in(ticket, request.session.get("id", ""))
    if renewed is None:
        return RedirectResponse(LOGIN, HTTPStatus.SEE_OTHER)
    request.session["id"] = renewed
    seat, wanted = clerks.seat_at(renewed), _ours(goal)
    if seat is not None and wanted == DESK:
        wanted = desk.home(seat)
    return RedirectResponse(wanted, HTTPStatus.SEE_OTHER)


def _ours(goal: str) -> str:
    """A path of this console, nothing that leads elsewhere."""
    plain = re.fullmatch(r"/(?!/)[A-Za-z0-9_./?=&%+-]*", goal) is not None
    return goal if plain and not goal.startswith(LOGIN) else DESK


def _post(one: Known) -> str:
    """What somebody is, without the place that stands before it and in the organisation too."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one.name, one.organisation, strict=False))
    return one.name[len(list(same)) :] or one.name


class _Login:
    def __init__(self, gateway: Gateway, browser: str, goal: str, offered: list[Known]) -> None:
        self._gateway = gateway
        self._browser = browser
        self._goal = goal
        self._offered = offered

    def show(self) -> None:
        with page(LOGIN), tag("div", "large login"):
            text("登录", name="h1")
            if self._goal != DESK:
                text("请先登录；登录后回到刚才的页面。半小时没有操作会自动退出。", "muted")
            with tag("div", "login-form"):
                self._id = ui.input("工号").props("outlined autofocus autocomplete=username")
                self._secret = ui.input("口令", password=True).props(
                    "outlined autocomplete=current-password"
                )
                self._secret.on("keydown.enter", self._typed)
                self._answer = tag("div", "answer")
                button("登录", self._typed, "button primary")
            if self._offered:
                self._show_offered()

    def _show_offered(self) -> None:
        text("演示人员", name="h2")
        text("点一个岗位，即以其身份登录。人员和数据均为虚构。", "muted")
        with tag("dl", "offered"):
            for organisation, known in groupby(self._offered, lambda one: one.organisation):
                self._show_organisation(organisation, list(known))

    def _show_organisation(self, organisation: str, known: Sequence[Known]) -> None:
        with tag("dt"):
            text(organisation)
            text(known[0].note, "sub")
        with tag("dd"):
            for one in known:
                shown = button(_post(one), self._as(one), "button")
                shown.props["aria-label"] = one.name

    def _as(self, one: Known) -> Handler:
        async def enter() -> None:
            await self._enter(Credentials(one.client_id, one.client_secret))

        return enter

    async def _typed(self) -> None:
        await self._enter(Credentials((self._id.value or "").strip(), self._secret.value or ""))

    async def _enter(self, credentials: Credentials) -> None:
        self._answer.clear()
        if not credentials.client_id or not credentials.secret:
            self._say("请填写工号和口令。", "refused")
            return
        try:
            ticket = await clerks.ticket(self._browser, self._gateway, credentials)
        except Refused as refused:
            with self._answer:
                refusal(refused)
        except Away as away:
            self._say(f"{away}，请稍后再试。", "away")
        else:
            ui.navigate.to(f"{ENTER}?{urlencode({'ticket': ticket, 'goal': self._goal})}")

    def _say(self, words: str, kind: str) -> None:
        with self._answer:
            text(words, f"notice {kind}").props('role="alert"')
