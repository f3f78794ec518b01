"""Which of the steps that are permitted a clerk is offered: first the one that the case waits for.

The matter's table says what may be done at all and what four eyes forbid; here it is only told
apart what goes on from what is done on occasion, and what the service would refuse anyway is left
out, with a word on what is waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from services.console import clerks, days, forms, wording
from services.console.case_answers import Action, CaseView
from services.console.dossier import Application, Dossier, Now
from services.console.forms import Form


@dataclass(frozen=True, slots=True)
class Barred:
    """A step that somebody else has to take, and why."""

    form: Form
    why: str


@dataclass(slots=True)
class Offers:
    """`next` is what the case waits for; `waits` says what is missing where there is no such."""

    next: list[Form] = field(default_factory=list)
    further: list[Form] = field(default_factory=list)
    barred: list[Barred] = field(default_factory=list)
    waits: str = ""


def of(case: CaseView, dossier: Dossier, me: str) -> Offers:
    """What the clerk of that id can do in a case."""
    found = Offers(waits=_waits(case, dossier, me))
    for form in forms.FORMS.get(case.matter, ()):
        actions = [one for one in case.actions if one.name in _steps(form, case, dossier)]
        if actions:
            _sort(found, form, actions, _place(form, case, dossier, me))
    return found


def _steps(form: Form, case: CaseView, dossier: Dossier) -> frozenset[str]:
    """A survey by the bureau is signed while the case waits for its decision, without a step."""
    application = dossier.application
    if case.state == "awaiting" and application is not None and "sign" in form.steps:
        by_bureau = application.surveys and application.surveys[-1].by_bureau
        return frozenset({"inspect"}) if by_bureau else frozenset()
    return form.steps


def _sort(found: Offers, form: Form, actions: list[Action], place: str) -> None:
    if place == _NOT:
        return
    if all(one.barred is not None for one in actions):
        found.barred.append(Barred(form, actions[0].barred or ""))
    elif place == _OTHERS:
        found.barred.append(Barred(form, "您提出了被异议的初审意见，须由他人处理"))
    elif place == _NEXT:
        found.next.append(form)
    elif place == _FURTHER:
        found.further.append(form)


_NEXT, _FURTHER, _NOT, _OTHERS, _LATER = "next", "further", "not", "others", "later"
"""What is for `later` is not offered yet, but who may not take it then is told so today."""


def _place(form: Form, case: CaseView, dossier: Dossier, me: str) -> str:
    """Where a step stands among the others, by what the case has already."""
    if dossier.change is not None:
        return _in_change(form, case, dossier)
    application = dossier.application
    if application is None:
        return _NOT
    rule = next((_RULES[name] for name in form.steps if name in _RULES), None)
    if rule is None:
        return _FURTHER if form.aside else _NEXT
    return rule(_Standing(case, application, dossier.now, me))


def _in_change(form: Form, case: CaseView, dossier: Dossier) -> str:
    """Who is to be heard is heard before anything is decided (社会救助法 art. 48)."""
    needed = dossier.change is not None and dossier.change.hearing_needed
    if "hear" in form.steps:
        return _NEXT if needed else _NOT
    if "decide" in form.steps:
        return _LATER if needed and case.state == "proposed" else _NEXT
    return _FURTHER if form.aside else _NEXT


@dataclass(frozen=True, slots=True)
class _Standing:
    """A case of 低保 as a clerk finds it."""

    case: CaseView
    application: Application
    now: Now | None
    me: str

    @property
    def opinion(self) -> str:
        """The outcome of the last opinion given."""
        return self.application.opinions[-1].outcome if self.application.opinions else ""

    @property
    def by_me(self) -> bool:
        """Whether that opinion is the clerk's own."""
        return bool(self.application.opinions) and self.application.opinions[-1].given_by == self.me

    @property
    def recorded_by_me(self) -> bool:
        """Whether the clerk has signed the last survey, as whoever records it does at once."""
        surveys = self.application.surveys
        return bool(surveys) and any(
            one.surveyor == self.me and one.signed_at for one in surveys[-1].signatures
        )

    @property
    def unsigned(self) -> list[str]:
        surveys = self.application.surveys
        return surveys[-1].waits_for if surveys else []

    @property
    def to_inspect(self) -> bool:
        """Whether the bureau must survey the household, and has not yet (57号 art. 20)."""
        flagged = {"near_relative", "complaint"}.intersection(self.case.flags)
        done = (one.by_bureau and not one.waits_for for one in self.application.surveys)
        return bool(flagged) and not any(done)

    def decided(self, outcome: str) -> str:
        """By the rules of today; the other decision would be refused."""
        if self.now is None or self.now.outcome is None:
            return _LATER
        if self.now.outcome != outcome:
            return _NOT
        return _LATER if self.to_inspect else _NEXT


def _tell(one: _Standing) -> str:
    if one.case.correction is not None:
        return _NOT
    return _NEXT if one.application.missing_items else _FURTHER


def _survey(one: _Standing) -> str:
    """Beside the check where nobody has surveyed yet (57号 art. 15); after it as the next step."""
    if one.case.state == "checked" and one.unsigned:
        return _FURTHER
    return _NEXT if one.case.state in {"checked", "objected"} else _FURTHER


def _opine(one: _Standing) -> str:
    return _NOT if one.application.open_objections else _NEXT


def _appraise(one: _Standing) -> str:
    return _FURTHER if one.application.appraisal_required else _NOT


def _inspect(one: _Standing) -> str:
    if one.unsigned:
        return _NOT
    return _NEXT if one.to_inspect else _FURTHER


def _start_check(one: _Standing) -> str:
    """Again, too, where a source found something only after the report."""
    check = one.application.check
    found_late = check is not None and any(late.items for late in check.late)
    return _NEXT if one.case.state == "accepted" or found_late else _FURTHER


def _withdraw_survey(one: _Standing) -> str:
    return _FURTHER if one.unsigned and one.recorded_by_me else _NOT


def _handled(objections: Callable[[int], bool]) -> Callable[[_Standing], str]:
    """An objection is not judged by whoever gave the opinion that it is about."""

    def place(one: _Standing) -> str:
        if not objections(len(one.application.open_objections)):
            return _NOT
        return _OTHERS if one.by_me else _NEXT

    return place


def _if(holds: Callable[[_Standing], bool], otherwise: str = _NOT) -> Callable[[_Standing], str]:
    return lambda one: _NEXT if holds(one) else otherwise


_RULES: dict[str, Callable[[_Standing], str]] = {
    "tell": _tell,
    "accept": _if(lambda one: not one.application.missing_items),
    "change_applicant": _if(lambda one: one.application.applicant_left),
    "withdraw_survey": _withdraw_survey,
    "start_check": _start_check,
    "close_check": _if(lambda one: one.application.check is not None
                       and one.application.check.state == "complete"),
    "survey": _survey,
    "sign": _if(lambda one: one.me in one.unsigned),
    "opine": _opine,
    "forward": lambda _: _FURTHER,
    "convene": _appraise,
    "record_appraisal": _appraise,
    "answer": _handled(lambda waiting: waiting > 1),
    "find": _handled(lambda waiting: waiting == 1),
    "close_publicity": _if(lambda one: _over(one.application)),
    "inspect": _inspect,
    "prolong": lambda one: _NOT if one.case.prolonged else _FURTHER,
    "grant": lambda one: one.decided("grant"),
    "refuse": lambda one: one.decided("refuse"),
}  # fmt: skip


def _over(application: Application) -> bool:
    return application.running is not None and application.running.last_day < days.today()


def _waits(case: CaseView, dossier: Dossier, me: str) -> str:
    """What has to happen before somebody can go on; empty where nothing has to."""
    if dossier.change is not None and dossier.change.hearing_needed:
        return "决定之前须先听取家庭的意见。"
    if dossier.application is not None and dossier.application.applicant_left:
        return "申请人已不是家庭成员，须先变更申请人。"
    if dossier.application is None or case.state not in _WAITS:
        return ""
    return _WAITS[case.state](_Standing(case, dossier.application, dossier.now, me))


def _for_answers(one: _Standing) -> str:
    left = len(one.application.check.missing) if one.application.check is not None else 0
    return f"还有 {left} 项查询没有答复：可以重新查询，或说明理由接受缺失。" if left else ""


def _for_signatures(one: _Standing) -> str:
    names = "、".join(clerks.name_of(who) for who in one.unsigned)
    return f"等{names}在调查记录上签字。" if names else ""


def _for_the_last_day(one: _Standing) -> str:
    running = one.application.running
    if running is None or _over(one.application):
        return ""
    return f"公示至{wording.chinese_day(running.last_day)}，期满后报送。"


def _for_the_decision(one: _Standing) -> str:
    if one.unsigned:
        return _for_signatures(one)
    if one.to_inspect:
        return "近亲属备案或有投诉举报的，须先由区民政局入户调查并签齐。"
    if one.now is not None and one.now.outcome is None:
        return "尚有缺失或待认定的事项，不能作出决定。"
    return ""


_WAITS: dict[str, Callable[[_Standing], str]] = {
    "correcting": lambda _: "已一次性告知，等申请人补正。",
    "checking": _for_answers,
    "checked": _for_signatures,
    "surveying": _for_signatures,
    "publicised": _for_the_last_day,
    "objected": lambda _: "有异议待处理。重新调查的，先登记调查并签齐。",
    "awaiting": _for_the_decision,
}
