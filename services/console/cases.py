"""One case (办件): how it stands, what the clerk may do now, what was found, and its history."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import Response

from services.console import (
    case_words,
    clerks,
    days,
    desk,
    dossier,
    findings,
    forms,
    household,
    offers,
    reveal,
    steps,
    todo,
    wording,
)
from services.console.case_answers import (
    CaseView,
    ClockView,
    DocumentItem,
    DocumentList,
    History,
    Step,
)
from services.console.clerks import Seat
from services.console.dossier import Dossier
from services.console.forms import Form
from services.console.frame import anchor, panel, tag, text
from services.console.places import villages_around
from services.console.steps import Way

PATH = "/cases"
CASES = "/v1/relief/cases"
HANDED_OVER = frozenset(
    {
        *("acceptance", "correction_list", "disqualification", "termination", "withdrawal"),
        "award_hearing_notice",
    }
)
"""Documents that somebody is handed beside the decision, whose delivery is a step of the case."""
DELIVERED_BY = {"dibao": "relief:accept", "dibao_change": "relief:review"}
"""The scope that it takes to record their delivery, by matter."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    case: CaseView
    history: History
    documents: DocumentList
    dossier: Dossier


def show(case_id: str) -> Response | None:
    """The case as the clerk at the browser sees it."""
    return desk.show("", f"{PATH}/{case_id}", lambda seat: _Page(seat, case_id).show())


class _Page:
    """The case, read again after each step."""

    def __init__(self, seat: Seat, case_id: str) -> None:
        self._seat = seat
        self._path = f"{CASES}/{case_id}"
        self._box = tag("div", "case")

    def show(self, done: str = "") -> None:
        self._box.clear()
        with self._box:
            if done:
                steps.show_done(done)
            panel(self._load, self._show)

    async def _load(self) -> _Loaded:
        case, history, documents = await asyncio.gather(
            self._seat.read(CaseView, self._path),
            self._seat.read(History, f"{self._path}/history"),
            self._seat.read(DocumentList, f"{self._path}/documents"),
        )
        return _Loaded(case, history, documents, await dossier.load(self._seat, case))

    def _show(self, loaded: _Loaded) -> None:
        _show_head(loaded.case)
        with tag("div", "case-columns"):
            with tag("section", "actions-side"):
                self._show_offers(loaded)
            with tag("div", "case-main"):
                findings.show(loaded.dossier, lambda: self._show_household(loaded))
                self._show_documents(loaded)
            with tag("section", "history-side"):
                _show_history(loaded.history.items)

    def _way(self, loaded: _Loaded, path: str) -> Way:
        version = steps.on(loaded.case.etag)
        villages = villages_around(loaded.case.division, days.today())
        return Way(self._seat, path, version, self.show, loaded.dossier.choices, villages)

    def _show_offers(self, loaded: _Loaded) -> None:
        case, facts = loaded.case, loaded.dossier
        found = offers.of(case, facts, self._seat.clerk_id)
        text("现在要办的", name="h2")
        if found.waits:
            text(found.waits, "waits")
        elif not found.next and not found.barred:
            closed = case.closed_on is not None
            where = "本件已经办结" if closed else f"本件在“{case.process}”环节"
            text(f"{where}，现在没有要您办理的。", "muted")
        self._show_silent(loaded)
        for place, form in enumerate(found.next):
            steps.show(form, self._way(loaded, _path_of(form, case, facts)), opened=place == 0)
        for one in found.barred:
            with tag("div", "barred"):
                text(one.form.title, "strong")
                text(f"您不能办理：{one.why}", "sub")
        if found.further:
            with tag("details", "further"):
                text("其他办理", name="summary")
                for form in found.further:
                    steps.show(form, self._way(loaded, _path_of(form, case, facts)))

    def _show_household(self, loaded: _Loaded) -> None:
        """The way to its page, where it is recorded who comes and goes and what they have."""
        application = loaded.dossier.application
        if application is None:
            return
        words = "登记家庭情况" if self._seat.may(household.EDITS) else "查看家庭情况"
        goal = household.Choice(str(loaded.case.id)).url(str(application.household.id))
        with tag("div", "actions"):
            anchor(words, goal, "button")
        reveal.show(self._seat, application.household)

    def _show_silent(self, loaded: _Loaded) -> None:
        """What can be done about the sources that have not answered."""
        application = loaded.dossier.application
        check = application.check if application else None
        if check is None or not check.is_open or not self._seat.may("relief:check"):
            return
        path = f"{dossier.CHECKS}/{check.id}"
        version = partial(self._seat.version, path)
        for line in check.silent:
            if line.accepted:
                continue
            with tag("div", "silent"):
                findings.show_silent(line, loaded.dossier.members)
                retried = [] if line.status == "asked" else [forms.RETRY]
                for form in (*retried, forms.ACCEPT_MISSING):
                    to = f"{path}/requests/{line.request}/{form.path}"
                    steps.show(form, Way(self._seat, to, version, self.show))

    def _show_documents(self, loaded: _Loaded) -> None:
        documents = loaded.documents.items
        if not documents:
            return
        text("文书", name="h2")
        text("点开即为可以打印的页面。", "muted")
        with tag("ul", "documents"):
            for one in documents:
                with tag("li"):
                    self._show_document(loaded, one)

    def _show_document(self, loaded: _Loaded, one: DocumentItem) -> None:
        case_id = loaded.case.id
        link = anchor(one.title, f"{PATH}/{case_id}/documents/{one.id}", "strong")
        link.props('target="_blank"')
        text(f"{one.number}　{wording.moment(one.made_at)}制作", "sub")
        text(_delivered(one), "sub")
        waits = one.kind in HANDED_OVER and one.delivered_on is None
        if waits and self._seat.may(DELIVERED_BY[loaded.case.matter]):
            path = f"{self._path}/documents/{one.id}/{forms.DELIVERY.path}"
            steps.show(forms.DELIVERY, self._way(loaded, path))


def _path_of(form: Form, case: CaseView, facts: Dossier) -> str:
    """Where a step is sent; an objection's finding to the objection that waits longest."""
    waiting = facts.application.open_objections if facts.application else []
    step = form.path.format(objection=waiting[0].id if waiting else "")
    return f"{forms.PATHS[case.matter]}/{case.id}/{step}"


def _show_head(case: CaseView) -> None:
    with tag("div", "title-line"):
        text(case.label, name="h1")
        text(case.state_title, f"state {case.state}", name="span")
        for flag in case.flags:
            text(case_words.FLAGS.get(flag, flag), "flag", name="span")
    about = [case.matter_title, case.division_name, f"受理编号\u00a0{case.number}"]
    text("　".join(one for one in about if one), "muted")
    with tag("ul", "clocks"):
        for clock in (case.step_clock, case.promised_clock, case.clock):
            _show_clock(clock)


def _show_clock(clock: ClockView | None) -> None:
    if clock is None:
        return
    with tag("li", f"clock {clock.light}"):
        todo.show_light(clock.light)
        text(clock.title, "strong", name="span")
        text(case_words.clock(clock), name="span")
        text(clock.source, "sub", name="span")


def _delivered(one: DocumentItem) -> str:
    if one.delivered_on is not None:
        return f"{wording.chinese_day(one.delivered_on)}送达"
    if one.due_delivery_on is not None:
        return f"应于{wording.chinese_day(one.due_delivery_on)}前送达"
    return ""


def _show_history(taken: Sequence[Step]) -> None:
    text("办理经过", name="h2")
    with tag("ol", "history"):
        for step in reversed(taken):
            with tag("li"):
                text(wording.moment(step.at), "when")
                text(step.title, "what")
                text(f"{step.organisation}　{clerks.name_of(step.actor)}", "sub")
                if step.reason:
                    text(f"理由：{step.reason}", "sub")
