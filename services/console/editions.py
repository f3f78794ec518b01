"""Published editions (发布版): the list, a new one, and one as it was frozen, for print."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID, uuid4, uuid5

from nicegui import ui

from services.console import wording
from services.console.answers import Edition, EditionHead, EditionPage, Figure, PlanView
from services.console.filters import day
from services.console.frame import (
    anchor,
    button,
    cell,
    heads,
    page,
    panel,
    refusal,
    show_pill,
    tag,
    text,
)
from services.console.gateway import Away, Gateway, Refused

PATH = "/editions"
EDITIONS = "/v1/plan/editions"
LIMIT = "200"
LIST_HEADS = ("版次", "名称", "截至日", "按何日所知", "发布时间", "说明")
FIGURE_HEADS = ("序号", "指标", "基线", "发布值", "目标", "状态", "还缺什么", "数据来源")


def show(gateway: Gateway, *, publishes: bool) -> None:
    """The list, newest first, with the form for a new one."""

    async def load() -> tuple[PlanView, EditionPage]:
        return await asyncio.gather(
            gateway.read(PlanView, "/v1/plan"),
            gateway.read(EditionPage, EDITIONS, {"limit": LIMIT}),
        )

    with page(PATH):
        text("发布版", name="h1")
        text("发布版一经发布不再改变；数据有更正时，另发更正版并写明理由。", "muted")
        panel(load, lambda loaded: _show_list(gateway, *loaded, publishes=publishes))


def _show_list(gateway: Gateway, plan: PlanView, found: EditionPage, *, publishes: bool) -> None:
    editions = sorted(found.items, key=lambda one: one.number, reverse=True)
    if publishes:
        with ui.expansion("发布新版").classes("new-edition"):
            _Form(gateway, plan, editions).show()
    if not editions:
        text("还没有发布版。", "notice")
        return
    with tag("table", "plain cards"):
        heads(LIST_HEADS)
        with tag("tbody"):
            for one in editions:
                _show_head(one, editions)


def _show_head(edition: EditionHead, editions: list[EditionHead]) -> None:
    with tag("tr"):
        cell(LIST_HEADS[0], words=str(edition.number))
        with cell(LIST_HEADS[1]):
            anchor(edition.title, f"{PATH}/{edition.id}")
        cell(LIST_HEADS[2], "nowrap", wording.day(edition.as_of))
        cell(LIST_HEADS[3], "nowrap", str(edition.known_on or "发布时"))
        cell(LIST_HEADS[4], "nowrap", wording.moment(edition.frozen_at))
        cell(LIST_HEADS[5], words=_why(edition, editions))


def _why(edition: EditionHead, editions: list[EditionHead]) -> str:
    """What it corrects and why, and what corrects it."""
    numbers = {one.id: one.number for one in editions}
    words = []
    if edition.restates is not None:
        which = numbers.get(edition.restates, "…")
        words.append(f"更正第 {which} 版：{edition.reason or ''}")
    if edition.restated_by is not None:
        words.append(f"已被第 {numbers.get(edition.restated_by, '…')} 版更正")
    return "；".join(words)


@dataclass
class _Form:
    """What is to be published. One form publishes the same content once, however often asked."""

    gateway: Gateway
    plan: PlanView
    editions: list[EditionHead]
    form: UUID = field(default_factory=uuid4)

    def show(self) -> None:
        with tag("div", "form"):
            self.title = ui.input("名称", placeholder="如：2025 年度规划指标").props("outlined")
            self.as_of = _day_input("截至日", self.plan.default_as_of.isoformat())
            self.known_on = _day_input("按何日所知（不填为现在）", "")
            choices = {"": "不是更正版"}
            choices |= {str(one.id): f"第 {one.number} 版 {one.title}" for one in self.editions}
            self.restates = ui.select(choices, value="", label="更正哪一版").props("outlined")
            self.reason = ui.input("更正的理由").props("outlined").classes("wide")
            self.reason.bind_visibility_from(self.restates, "value", backward=bool)
            self.answer = tag("div", "wide")
            with tag("div", "wide"):
                button("发布", self._publish, "button primary")

    def body(self) -> dict[str, str]:
        given = {
            "title": self.title.value,
            "as_of": self.as_of.value,
            "known_on": self.known_on.value,
            "restates": self.restates.value,
            "reason": self.reason.value if self.restates.value else "",
        }
        return {name: value.strip() for name, value in given.items() if value and value.strip()}

    async def _publish(self) -> None:
        body = self.body()
        self.answer.clear()
        if wrong := wrong_in(body):
            with self.answer:
                text(wrong, "notice refused").props('role="alert"')
            return
        key = str(uuid5(self.form, repr(sorted(body.items()))))
        try:
            edition = await self.gateway.create(Edition, EDITIONS, body, key)
        except Away as away:
            with self.answer:
                text(f"{away}。尚未发布，请稍后再按一次。", "notice away").props('role="alert"')
        except Refused as refused:
            with self.answer:
                refusal(refused)
        else:
            ui.navigate.to(f"{PATH}/{edition.id}")


def wrong_in(body: dict[str, str]) -> str:
    """What has to be filled in before it can be published; empty when nothing."""
    if "title" not in body:
        return "请填写名称。"
    days = [name for name in ("as_of", "known_on") if name in body]
    if "as_of" not in days or not all(day(body[name]) for name in days):
        return "请按 年-月-日 填写截至日。"
    if "restates" in body and "reason" not in body:
        return "更正版须写明理由。"
    return ""


def _day_input(label: str, value: str) -> ui.date_input:
    return ui.date_input(label, value=value).props('outlined mask="####-##-##" stack-label')


def show_one(gateway: Gateway, edition_id: str) -> None:
    """One edition as it was frozen; prints on A4, landscape."""
    with page(PATH):
        panel(
            lambda: gateway.read(Edition, f"{EDITIONS}/{edition_id}"),
            _show_edition,
        )


def _show_edition(edition: Edition) -> None:
    with tag("section", "edition"):
        text(edition.title, name="h1")
        known = f"按 {edition.known_on} 所知" if edition.known_on else ""
        about = [
            f"第 {edition.number} 版",
            f"截至 {wording.chinese_day(edition.as_of)}",
            known,
            f"发布于 {wording.moment(edition.frozen_at)}",
        ]
        text(" · ".join(one for one in about if one), "muted")
        text(wording.verdict(wording.verdict_of(edition.figures)), "strong")
        if edition.restates is not None:
            with tag("div", "restates"):
                text(f"更正版。理由：{edition.reason or ''}", name="span")
                anchor("看被更正的一版", f"{PATH}/{edition.restates}")
        if edition.restated_by is not None:
            with tag("div", "restates"):
                text("这一版已被更正。", name="span")
                anchor("看更正后的一版", f"{PATH}/{edition.restated_by}")
        with tag("div", "actions"):
            button("打印", lambda: ui.run_javascript("window.print()"), "button")
            anchor("下载 Excel", f"/exports/editions/{edition.id}.xlsx", "button")
            anchor("全部发布版", PATH, "button")
        with tag("table", "plain figures"):
            heads(FIGURE_HEADS)
            with tag("tbody"):
                for figure in edition.figures:
                    _show_figure(figure, restated=edition.restates is not None)


def _show_figure(figure: Figure, *, restated: bool) -> None:
    with tag("tr", "binding" if figure.binding else ""):
        text(str(figure.no), "no", name="td")
        with tag("td", "name"):
            text(figure.name, name="span")
            if figure.binding:
                text("约束性", "mark binding-mark", name="span")
        with cell(FIGURE_HEADS[2], "number"):
            text(wording.quantity(figure.baseline, figure.unit))
        with cell(FIGURE_HEADS[3], "number"):
            text(wording.quantity(figure.value, figure.unit), "value")
            text(wording.fraction(figure.numerator, figure.denominator), "sub")
            if restated and figure.before != figure.value:
                text(f"更正前 {wording.quantity(figure.before, figure.unit)}", "sub before")
        with cell(FIGURE_HEADS[4]):
            text(wording.governing_goal(figure))
            if others := wording.other_goals(figure):
                text(f"另有：{others}", "sub conflict")
        with tag("td", "status"):
            show_pill(figure.status)
        with tag("td", "lacking"):
            for each in wording.lacking(figure):
                text(each)
        with cell(FIGURE_HEADS[7], "origin"):
            text(wording.origin(figure))
            text(wording.reported(figure), "sub")
