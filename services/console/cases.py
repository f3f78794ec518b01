"""One case (办件): how it stands, what the clerk may do now, what was found, and its history."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4, uuid5

from nicegui import ui
from nicegui.element import Element

from services.console import clerks, dossier, forms, login, todo, wording
from services.console.case_answers import (
    Action,
    CaseView,
    ClockView,
    DocumentItem,
    DocumentList,
    Done,
    History,
    Light,
    Step,
)
from services.console.dossier import Dossier
from services.console.forms import Field, Form, Kind
from services.console.frame import anchor, button, page, panel, refusal, tag, text
from services.console.gateway import Away, Gateway, Refused

PATH = "/cases"
CASES = "/v1/relief/cases"
UNITS = {"working_days": "个工作日", "days": "日", "months": "个月"}
FLAGS = {
    "near_relative": "近亲属备案",
    "objection": "公示有异议",
    "complaint": "有投诉举报",
    "separate_residence": "人户分离",
    "applied_elsewhere": "异地申办",
    "late_answer": "核对结果迟到",
}


@dataclass(frozen=True, slots=True)
class _Loaded:
    case: CaseView
    history: History
    documents: DocumentList
    dossier: Dossier


def show(case_id: str) -> None:
    """The case as the clerk at the browser sees it."""
    clerk = clerks.current()
    if clerk is None:
        ui.navigate.to(f"{login.PATH}?{urlencode({'goal': f'{PATH}/{case_id}'})}")
        return
    gateway = clerk.gateway

    async def load() -> _Loaded:
        path = f"{CASES}/{case_id}"
        case, history, documents = await asyncio.gather(
            gateway.read(CaseView, path),
            gateway.read(History, f"{path}/history"),
            gateway.read(DocumentList, f"{path}/documents"),
        )
        return _Loaded(case, history, documents, await dossier.load(gateway, case))

    with page(todo.PATH), tag("div", "large case"):
        anchor("← 待办", todo.PATH, "back")
        panel(load, lambda loaded: _show(gateway, loaded))


def _show(gateway: Gateway, loaded: _Loaded) -> None:
    case = loaded.case
    with tag("div", "title-line"):
        text(case.label, name="h1")
        text(case.state_title, f"state {case.state}", name="span")
    text(f"{case.matter_title}　{case.number}　{case.division_name or ''}", "muted")
    with tag("ul", "clocks"):
        _show_clock(case.clock)
        _show_clock(case.step_clock)
        for flag in case.flags:
            text(FLAGS.get(flag, flag), "flag", name="li")
    with tag("div", "columns"):
        with tag("div", "main"):
            dossier.show(loaded.dossier)
            _show_documents(case.id, loaded.documents.items)
        with tag("aside", "side"):
            _show_actions(gateway, case, loaded.dossier)
            _show_history(loaded.history.items)


def _show_clock(clock: ClockView | None) -> None:
    if clock is None:
        return
    with tag("li"):
        todo.show_light(clock.light)
        text(f"{clock.title}：{_how_far(clock)}", name="span")
        text(clock.source, "sub", name="span")


def _how_far(clock: ClockView) -> str:
    length = f"{clock.count}{UNITS.get(clock.unit, '')}"
    used = "" if clock.used is None else f"已用 {clock.used}，"
    if clock.stopped_on is not None:
        return f"{length}，{used}{wording.chinese_day(clock.stopped_on)}办结"
    if clock.due is None:
        return length
    provisional = "（放假安排公布后重算）" if clock.provisional else ""
    paused = "，中止计时" if clock.light is Light.PAUSED else ""
    return f"{length}，{used}{wording.chinese_day(clock.due)}到期{provisional}{paused}"


def _show_actions(gateway: Gateway, case: CaseView, facts: Dossier) -> None:
    text("现在可以办理", name="h2")
    known = forms.FORMS.get(case.matter, {})
    offered = [one for one in case.actions if one.name in known]
    if not offered:
        text("目前没有您可以办理的步骤。", "muted")
        return
    for action in offered:
        if action.barred is not None:
            with tag("div", "barred"):
                text(action.title, "strong")
                text(action.barred, "sub")
            continue
        _StepForm(gateway, case, action, known[action.name], facts).show()


@dataclass(slots=True)
class _StepForm:
    """A step that may be taken: a heading that unfolds the fields."""

    gateway: Gateway
    case: CaseView
    action: Action
    form: Form
    facts: Dossier
    key: UUID = field(default_factory=uuid4)
    _values: dict[str, Callable[[], Any]] = field(default_factory=dict)
    _answer: Element = field(init=False)

    def show(self) -> None:
        with tag("details", "step"):
            text(self.action.title, name="summary")
            with tag("div", "form"):
                if self.form.hint:
                    text(self.form.hint, "sub")
                for one in self.form.fields:
                    self._values[one.name] = self._input(one)
                self._answer = tag("div", "wide")
                with tag("div", "wide"):
                    button(self.action.title, self._take, "button primary")

    def _input(self, one: Field) -> Callable[[], Any]:
        label = one.label if one.required else f"{one.label}（可不填）"
        match one.kind:
            case Kind.LONG | Kind.WORDS:
                area = ui.textarea(label, value=one.preset or "").props("outlined autogrow")
                shown: Any = area
            case Kind.DAY:
                shown = ui.date_input(label, value=date.today().isoformat()).props("outlined")  # noqa: DTZ011 - what the form proposes; the service knows the day
            case Kind.CHOICE:
                shown = ui.select(dict(one.choices), value=one.preset, label=label).props(
                    "outlined"
                )
            case Kind.MANY:
                shown = ui.select(
                    dict(one.choices), value=one.preset or [], label=label, multiple=True
                ).props("outlined")
            case Kind.MEMBER:
                shown = ui.select(self.facts.members, label=label).props("outlined")
            case Kind.CHECK:
                shown = ui.checkbox(label)
            case _:
                shown = ui.input(label, value=one.preset or "").props("outlined")
        if one.hint:
            text(one.hint, "sub")
        return lambda: forms.read(one.kind, shown.value)

    async def _take(self) -> None:
        given = {name: value() for name, value in self._values.items()}
        self._answer.clear()
        if wrong := forms.lacking(self.form, given):
            with self._answer:
                text(wrong, "notice refused").props('role="alert"')
            return
        asked = forms.body(self.form, given)
        key = str(uuid5(self.key, repr(sorted(asked.items()))))
        step = self.form.path.format(objection=self.facts.open_objection)
        path = f"{forms.PATHS[self.case.matter]}/{self.case.id}/{step}"
        try:
            await self.gateway.create(Done, path, asked, key, version=self.case.etag)
        except Away as away:
            with self._answer:
                text(f"{away}。尚未办理，请稍后再按一次。", "notice away").props('role="alert"')
        except Refused as refused:
            with self._answer:
                refusal(refused)
        else:
            ui.navigate.reload()


def _show_documents(case_id: UUID, documents: Sequence[DocumentItem]) -> None:
    if not documents:
        return
    text("文书", name="h2")
    with tag("ul", "documents"):
        for one in documents:
            with tag("li"):
                link = anchor(one.title, f"{PATH}/{case_id}/documents/{one.id}", "strong")
                link.props('target="_blank"')
                text(f"{one.number}　{wording.moment(one.made_at)}", "sub", name="span")
                text(_delivered(one), "sub", name="span")


def _delivered(one: DocumentItem) -> str:
    if one.delivered_on is not None:
        return f"{wording.chinese_day(one.delivered_on)}送达"
    if one.due_delivery_on is not None:
        return f"应于{wording.chinese_day(one.due_delivery_on)}前送达"
    return ""


def _show_history(steps: Sequence[Step]) -> None:
    text("办理经过", name="h2")
    with tag("ol", "history"):
        for step in reversed(steps):
            with tag("li"):
                text(wording.moment(step.at), "when")
                text(f"{step.title} → {step.to_title}", "what")
                text(f"{step.organisation}　{step.actor}", "sub")
                if step.reason:
                    text(f"理由：{step.reason}", "sub")
