"""A form on a page: its fields, and what becomes of it when it is sent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4, uuid5

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.value_element import ValueElement
from nicegui.events import ValueChangeEventArguments

from services.console import days, forms
from services.console.case_answers import Done
from services.console.clerks import Seat
from services.console.forms import Field, Form, Kind, Of
from services.console.frame import button, refusal, tag, text
from services.console.gateway import Away, Refused
from services.console.places import Villages

Choices = Mapping[Of, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Way:
    """Where a form is sent: `version` is asked for when it is, `after` is told what was done."""

    seat: Seat
    path: str
    version: Callable[[], Awaitable[str]]
    after: Callable[[str], None]
    choices: Choices = field(default_factory=dict)
    villages: Villages = field(default_factory=dict)


def on(etag: str) -> Callable[[], Awaitable[str]]:
    """The version that the page shows."""

    async def known() -> str:
        return etag

    return known


def show_done(words: str) -> None:
    """On top of the page, in sight, that a step was taken."""
    text(words, "notice done").props('role="status"')
    ui.run_javascript("window.scrollTo(0, 0)")


def show(form: Form, way: Way, *, opened: bool = False) -> None:
    """A heading that unfolds the form."""
    with tag("details", "act").props("open" if opened else ""):
        text(form.title, name="summary")
        _Shown(form, way).show()


@dataclass(slots=True)
class _Shown:
    form: Form
    way: Way
    key: UUID = field(default_factory=uuid4)
    _inputs: dict[str, ValueElement[Any]] = field(default_factory=dict)
    _boxes: dict[str, Element] = field(default_factory=dict)
    _answer: Element = field(init=False)
    _sending: bool = False

    def show(self) -> None:
        with tag("div", "form"):
            if self.form.hint:
                text(self.form.hint, "sub wide")
            for one in self.form.fields:
                self._show_field(one)
            self._answer = tag("div", "wide answer")
            with tag("div", "wide"):
                button(self.form.title, self._send, "button primary")
        self._fold()

    def _show_field(self, one: Field) -> None:
        box = tag("div", "field" + (" wide" if one.kind in {Kind.LONG, Kind.CHECK} else ""))
        with box:
            shown = self._input(one)
            if one.hint:
                text(one.hint, "sub")
        shown.on_value_change(self._stirred)
        self._inputs[one.name], self._boxes[one.name] = shown, box

    def _input(self, one: Field) -> ValueElement[Any]:
        optional = not one.required and one.kind is not Kind.CHECK
        label = f"{one.label}（可不填）" if optional else one.label
        match one.kind:
            case Kind.LONG:
                shown: ValueElement[Any] = ui.textarea(label).props("outlined autogrow")
            case Kind.DAY:
                day = days.today().isoformat() if one.preset == forms.TODAY else one.preset or ""
                shown = ui.date_input(label, value=day).props(
                    'outlined stack-label mask="####-##-##" placeholder="年-月-日"'
                )
            case Kind.CHOICE | Kind.MANY:
                shown = self._choice(one, label)
            case Kind.CHECK:
                shown = ui.checkbox(label, value=bool(one.preset))
            case Kind.VILLAGE:
                shown = self._village(label)
            case _:
                shown = ui.input(label, value=one.preset or "").props("outlined")
        return shown

    def _choice(self, one: Field, label: str) -> ValueElement[Any]:
        many = one.kind is Kind.MANY
        offered = self.way.choices.get(one.choices, {}) if isinstance(one.choices, Of) else None
        options = dict(one.choices if offered is None else offered)  # type: ignore[arg-type]
        value = one.preset or ([] if many else None)
        select = ui.select(options, value=value, label=label, multiple=many)
        return select.props("outlined options-cover" + (" use-chips" if many else ""))

    def _village(self, label: str) -> ValueElement[Any]:
        """First the town, then what lies below it."""
        villages = self.way.villages

        def chosen(event: ValueChangeEventArguments[str]) -> None:
            village.set_options(dict(villages.get(event.value, {})), value=None)

        town = ui.select(list(villages), label="镇街", on_change=chosen)
        town.props("outlined options-cover").classes("of-village")
        village = ui.select({}, label=label)
        return village.props("outlined options-cover")

    def _given(self) -> dict[str, Any]:
        return {
            one.name: forms.read(one.kind, self._inputs[one.name].value) for one in self.form.fields
        }

    def _stirred(self) -> None:
        """Typing is a sign of life, and some fields depend on others."""
        self.way.seat.stir()
        self._fold()

    def _fold(self) -> None:
        there = forms.present(self.form, self._given())
        for name, box in self._boxes.items():
            box.set_visibility(name in there)

    async def _send(self) -> None:
        if self._sending:
            return
        self._sending = True
        self._answer.clear()
        try:
            done = await self._sent(self._given())
        finally:
            self._sending = False
        if done:
            self.way.after(f"已办理：{self.form.title}。")

    async def _sent(self, given: dict[str, Any]) -> bool:
        if wrong := forms.lacking(self.form, given):
            self._say(wrong)
            return False
        asked = forms.body(self.form, given, self.way.seat.clerk_id)
        key = str(uuid5(self.key, repr(sorted(asked.items()))))
        try:
            version = await self.way.version()
            await self.way.seat.create(Done, self.way.path, asked, key, version=version)
        except Away as away:
            self._say(f"{away}。尚未办理，请稍后再按一次。", "away")
            return False
        except Refused as refused:
            with self._answer:
                refusal(refused)
            return False
        return True

    def _say(self, words: str, kind: str = "refused") -> None:
        with self._answer:
            text(words, f"notice {kind}").props('role="alert"')
