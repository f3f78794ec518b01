"""The households on 低保 (在保家庭): the list, and one award with its timeline and its changes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Self
from urllib.parse import urlencode

from fastapi import Response
from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from services.console import (
    case_words,
    days,
    desk,
    filter_bar,
    forms,
    household,
    steps,
    todo,
    wording,
)
from services.console.award_answers import (
    Award,
    AwardItem,
    AwardPage,
    AwardPeriod,
    Change,
    ChangeList,
)
from services.console.case_answers import Light
from services.console.case_words import yuan
from services.console.clerks import Seat
from services.console.forms import Of
from services.console.frame import anchor, button, cell, heads, more, panel, tag, text
from services.console.places import villages_around
from services.console.steps import Way

PATH = "/awards"
AWARDS = "/v1/relief/awards"
LIMIT = 50
LONGEST_NUMBER = 40
SOON_DAYS = 30
DEATHS = "deaths"
HEADS = ("申请户", "村社区", "人数", "每月合计", "状态", "下次核查")
CHANGE_HEADS = ("变动", "每月合计", "生效", "状态")
ANY = "不限"
DUE = {"": ANY, "1": f"{SOON_DAYS} 天内应核查或已过期", DEATHS: "有成员死亡待办"}


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; it stands in the URL."""

    q: str = ""
    state: str = ""
    due: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        state, due = given.get("state", ""), given.get("due", "")
        return cls(
            given.get("q", "").strip()[:LONGEST_NUMBER],
            state if state in case_words.AWARD_STATES else "",
            due if due in DUE else "",
        )

    @property
    def shown(self) -> dict[str, str]:
        found = {"q": self.q, "state": self.state, "due": self.due}
        return {name: value for name, value in found.items() if value}

    @property
    def params(self) -> dict[str, str]:
        """As the gateway takes them; what is due for review is still paid."""
        found = {"q": self.q, "state": self.state}
        if self.due == DEATHS:
            found["death_open"] = "true"
        elif self.due:
            until = date.fromordinal(days.today().toordinal() + SOON_DAYS)
            found |= {"review_due_by": until.isoformat(), "state": self.state or "paid"}
        return {name: value for name, value in found.items() if value}

    def url(self, **changes: str) -> str:
        query = urlencode(replace(self, **changes).shown)
        return f"{PATH}?{query}" if query else PATH


def show(search: Search) -> Response | None:
    """The awards within the clerk's reach."""

    def fill(seat: Seat) -> None:
        text("低保家庭", name="h1")
        _show_filters(search)
        found = _List(seat, search)
        panel(lambda: found.load(""), found.show)

    return desk.show(PATH, search.url(), fill)


def _show_filters(search: Search) -> None:
    with filter_bar.bar():
        number = ui.input("受理编号", value=search.q, placeholder="编号的开头几位")
        number.props("dense outlined stack-label").classes("filter-number")

        def find() -> None:
            ui.navigate.to(search.url(q=(number.value or "").strip()))

        number.on("keydown.enter", find)
        button("查找", find, "button")
        _show_choice("状态", "state", {"": ANY, **case_words.AWARD_STATES}, search)
        _show_choice("定期核查", "due", DUE, search)
        anchor("重置", PATH, "reset")


def _show_choice(label: str, name: str, choices: Mapping[str, str], search: Search) -> None:
    def changed(event: ValueChangeEventArguments[str]) -> None:
        ui.navigate.to(search.url(**{name: event.value}))

    select = ui.select(dict(choices), value=getattr(search, name), label=label, on_change=changed)
    select.props("dense outlined options-dense stack-label").classes("filter-choice")


class _List:
    """The awards found, page after page."""

    def __init__(self, seat: Seat, search: Search) -> None:
        self._seat = seat
        self._search = search

    async def load(self, cursor: str) -> AwardPage:
        params = {**self._search.params, "limit": str(LIMIT), "cursor": cursor}
        return await self._seat.read(AwardPage, AWARDS, params)

    def show(self, found: AwardPage) -> None:
        if not found.items:
            text("没有符合条件的低保家庭。", "notice")
            return
        self._body, self._after = todo.table(HEADS)
        self._add(found)

    def _add(self, found: AwardPage) -> None:
        with self._body:
            for one in found.items:
                _show_row(one)
        if cursor := found.next_cursor:
            with self._after:
                more(f"再看 {LIMIT} 户", lambda: self._more(cursor))

    async def _more(self, cursor: str) -> None:
        self._add(await self.load(cursor))


def _show_row(one: AwardItem) -> None:
    with tag("tr"):
        with cell(HEADS[0], "who"):
            anchor(one.label, f"{PATH}/{one.id}", "strong")
            text(one.number, "sub")
        with cell(HEADS[1]):
            text(one.division_name or wording.ABSENT)
            text(case_words.AREAS.get(one.area, ""), "sub")
        cell(HEADS[2], "number", f"{one.persons} 人")
        with cell(HEADS[3], "number"):
            text(yuan(one.amount + one.extras))
            text(f"其中重点救助 {yuan(one.extras)}" if one.extras else "", "sub")
        with cell(HEADS[4]):
            _show_state(one.state)
        with cell(HEADS[5], "nowrap"):
            if one.state != "stopped":
                _show_due(one.review_due_on, _review_light(one.review_due_on))
            if one.death_open:
                text("有成员死亡待办", "sub")
            if one.death_review_due_on is not None:
                _show_due(one.death_review_due_on, one.death_light)


def _show_state(state: str | None) -> None:
    words = case_words.AWARD_STATES.get(state or "", "尚未起发")
    text(words, f"state award-{state}", name="span")


def _review_light(day: date) -> Light:
    left = (day - days.today()).days
    return Light.RED if left < 0 else Light.AMBER if left <= SOON_DAYS else Light.GREEN


def _show_due(day: date, light: Light) -> None:
    text(day.isoformat())
    text(case_words.days_left((day - days.today()).days), f"sub due {light}")


def show_one(award_id: str) -> Response | None:
    """One award as the clerk at the browser sees it."""
    return desk.show(PATH, f"{PATH}/{award_id}", lambda seat: _Page(seat, award_id).show())


class _Page:
    """The award, read again after each step."""

    def __init__(self, seat: Seat, award_id: str) -> None:
        self._seat = seat
        self._path = f"{AWARDS}/{award_id}"
        self._box = tag("div", "case")

    def show(self, done: str = "") -> None:
        self._box.clear()
        with self._box:
            if done:
                steps.show_done(done)
            panel(self._load, lambda loaded: self._show(*loaded))

    async def _load(self) -> tuple[Award, ChangeList]:
        return await asyncio.gather(
            self._seat.read(Award, self._path),
            self._seat.read(ChangeList, f"{self._path}/changes"),
        )

    def _show(self, award: Award, changes: ChangeList) -> None:
        _show_head(award)
        with tag("div", "case-columns"):
            with tag("section", "actions-side"):
                self._show_steps(award, changes)
            with tag("div", "case-main"):
                _show_situation(award)
                _show_persons(award)
                _show_changes(changes.items)
                _show_records(award)
            with tag("section", "history-side"):
                _show_periods(award)

    def _show_steps(self, award: Award, changes: ChangeList) -> None:
        text("可以办理", name="h2")
        offered = []
        waiting = next((one for one in changes.items if one.decided_on is None
                        and one.state_title != WITHDRAWN), None)  # fmt: skip
        if self._seat.may("relief:review"):
            offered += [forms.REVIEW, forms.JOB_OFFER]
            offered += [] if waiting else [forms.PROPOSE]
        if waiting is not None:
            text(f"正在办理变动：{waiting.kind_title}。", "waits")
            anchor("去办理", f"{todo.CASES}/{waiting.id}", "button primary")
        elif not offered:
            text("没有要您办理的。", "muted")
        for form in offered:
            steps.show(form, self._way(award, f"{self._path}/{form.path}"))

    def _way(self, award: Award, path: str) -> Way:
        choices = {Of.MEMBERS: award.names, Of.PERIODS: _periods(award)}
        villages = villages_around(award.division, days.today())
        return Way(self._seat, path, steps.on(award.etag), self.show, choices, villages)


WITHDRAWN = "已撤销"


def _periods(award: Award) -> dict[str, str]:
    return {
        str(one.id): f"{one.from_} 起，{case_words.AWARD_STATES.get(one.state, '')}，"
        f"{yuan(one.amount + one.extras)}"
        for one in award.standing
    }


def _show_head(award: Award) -> None:
    with tag("div", "title-line"):
        text(award.label, name="h1")
        _show_state(award.state)
    about = [award.division_name, case_words.AREAS.get(award.area), f"受理编号 {award.number}"]
    text("　".join(one for one in about if one), "muted")


def _show_situation(award: Award) -> None:
    with tag("dl", "situation"):
        for label, words in situation(award).items():
            text(label, name="dt")
            text(words, name="dd")
    with tag("div", "actions"):
        anchor("查看申请", f"{todo.CASES}/{award.case}", "button")
        anchor("家庭情况", household.Choice().url(str(award.household)), "button")


def situation(award: Award) -> dict[str, str]:
    """What holds today, by the name of each thing."""
    found = {
        "每月合计": yuan(award.amount + award.extras),
        "其中": f"家庭 {yuan(award.amount)}，分类重点救助 {yuan(award.extras)}",
        "享受人数": f"{award.persons} 人",
        "起发": wording.chinese_day(award.paid_from),
    }
    if award.state != "stopped":
        left = case_words.days_left((award.review_due_on - days.today()).days)
        found["下次核查"] = f"{wording.chinese_day(award.review_due_on)}前（{left}）"
    if award.death_review_due_on is not None:
        found["死亡后核查"] = f"{wording.chinese_day(award.death_review_due_on)}前办结"
    elif award.death_open:
        found["死亡后核查"] = "有成员死亡，待办"
    return found


def _show_persons(award: Award) -> None:
    standing = [one for one in award.standing if one.from_ <= days.today()]
    lines = standing[-1].lines if standing else []
    text("家庭成员", name="h2")
    with tag("ul", "persons"):
        for one in award.persons_known:
            extras = [
                f"{case_words.EXTRAS.get(line.category, '')} {yuan(line.amount)}"
                for line in lines
                if line.person == one.person
            ]
            with tag("li"):
                text(award.names[str(one.person)], "strong", name="span")
                text("享受" if one.covered else "不享受", "" if one.covered else "sub", name="span")
                text("；".join(extras), "sub", name="span")


def _show_changes(changes: Sequence[Change]) -> None:
    text("历次变动", name="h2")
    if not changes:
        text("没有变动。", "muted")
        return
    with tag("table", "plain cards"):
        heads(CHANGE_HEADS)
        with tag("tbody"):
            for one in changes:
                with tag("tr"):
                    with cell(CHANGE_HEADS[0]):
                        anchor(one.kind_title, f"{todo.CASES}/{one.id}", "strong")
                        text(f"{one.proposed_on} 提出", "sub")
                    cell(CHANGE_HEADS[1], "number", f"{yuan(one.before)} → {yuan(one.after)}")
                    cell(CHANGE_HEADS[2], "nowrap", one.effective_from.isoformat())
                    cell(CHANGE_HEADS[3], "", one.state_title)


def _show_records(award: Award) -> None:
    if award.reviews:
        text("定期核查", name="h2")
        with tag("ul", "dots"):
            for review in award.reviews:
                next_ = wording.chinese_day(review.next_due_on)
                text(f"{wording.chinese_day(review.reviewed_on)}，下次 {next_}前", name="li")
    if award.job_offers:
        text("就业介绍", name="h2")
        with tag("ul", "dots"):
            for offer in award.job_offers:
                excuse = "拒绝，有正当理由" if offer.excused else "拒绝，没有正当理由"
                said = "接受" if offer.accepted else excuse
                who = award.names.get(str(offer.person), "")
                text(f"{wording.chinese_day(offer.offered_on)}　{who}：{said}", name="li")


def _show_periods(award: Award) -> None:
    """The timeline as it stands, the latest first; what was replaced stays below."""
    text("发放经过", name="h2")
    standing = award.standing
    ends = [*(later.from_ for _, later in pairwise(standing)), None]
    with tag("ol", "history"):
        for period, end in reversed(list(zip(standing, ends, strict=True))):
            _show_period(period, end)
    replaced = [one for one in award.periods if one.superseded_at is not None]
    if replaced:
        with tag("details", "more-rows"):
            text(f"已被更正或替代的登记（{len(replaced)} 项）", name="summary")
            with tag("ol", "history replaced"):
                for period in replaced:
                    _show_period(period, None)


def _show_period(period: AwardPeriod, end: date | None) -> None:
    until = "起" if end is None else f"至{wording.chinese_day(end)}前"
    with tag("li"):
        text(f"{wording.chinese_day(period.from_)}{until}", "when")
        state = case_words.AWARD_STATES.get(period.state, "")
        total = yuan(period.amount + period.extras)
        words = (
            state if period.state == "stopped" else f"{state}，{period.persons} 人，每月 {total}"
        )
        text(words, "what")
        text(f"{wording.moment(period.recorded_at)} 登记", "sub")
