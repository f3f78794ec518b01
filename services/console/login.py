"""The way in for clerks; in a demonstration its clerks are offered by name."""

from itertools import groupby
from pathlib import Path

from nicegui import ui

from services.console import clerks
from services.console.frame import Handler, button, page, refusal, tag, text, waiting
from services.console.gateway import Away, Credentials, Gateway, Refused

PATH = "/login"
HOME = "/todo"


def show(gateway: Gateway, file: Path | None, goal: str) -> None:
    """`goal` is the page of ours that the clerk wanted."""
    _Login(gateway, clerks.browser(), _ours(goal), clerks.of_demonstration(file)).show()


def _ours(goal: str) -> str:
    """A path of this console, nothing that leads elsewhere."""
    plain = goal.startswith("/") and not goal.startswith("//") and "\\" not in goal
    return goal if plain and goal != PATH else HOME


class _Login:
    def __init__(
        self, gateway: Gateway, browser: str, goal: str, offered: list[clerks.Known]
    ) -> None:
        self._gateway = gateway
        self._browser = browser
        self._goal = goal
        self._offered = offered

    def show(self) -> None:
        with page(PATH), tag("div", "login"):
            text("登录", name="h1")
            with tag("div", "form"):
                self._id = ui.input("工号").props("outlined autofocus autocomplete=username")
                self._secret = ui.input("口令", password=True).props(
                    "outlined autocomplete=current-password"
                )
                self._secret.on("keydown.enter", self._typed)
                self._answer = tag("div", "wide")
                with tag("div", "wide"):
                    button("登录", self._typed, "button primary")
            if self._offered:
                self._show_offered()

    def _show_offered(self) -> None:
        text("演示人员", name="h2")
        text("仅供演示：点姓名即以其身份登录。数据均为虚构。", "muted")
        for organisation, known in groupby(self._offered, lambda one: one.organisation):
            with tag("section", "offered"):
                text(organisation, name="h3")
                for one in known:
                    button(one.name, self._as(one), "button")

    def _as(self, one: clerks.Known) -> Handler:
        async def enter() -> None:
            await self._enter(Credentials(one.client_id, one.client_secret))

        return enter

    async def _typed(self) -> None:
        await self._enter(Credentials((self._id.value or "").strip(), self._secret.value or ""))

    async def _enter(self, credentials: Credentials) -> None:
        self._answer.clear()
        if not credentials.client_id or not credentials.secret:
            with self._answer:
                text("请填写工号和口令。", "notice refused").props('role="alert"')
            return
        try:
            await clerks.log_in(self._browser, self._gateway, credentials)
        except Refused as refused:
            with self._answer:
                refusal(refused)
        except Away as away:
            with self._answer:
                waiting(away)
        else:
            ui.navigate.to(self._goal)
