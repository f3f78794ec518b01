"""What is in force (标准与参数): the standards, who decides where, and what the texts set."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi import Response
from nicegui import ui
from nicegui.events import ValueChangeEventArguments
from pydantic import BaseModel

from services.console import case_words, days, desk, filter_bar, forms, places, steps, wording
from services.console.case_words import yuan
from services.console.clerks import Seat
from services.console.filters import Filters
from services.console.forms import Of
from services.console.frame import cell, heads, panel, tag, text
from services.console.gateway import Refused
from services.console.steps import Way

PATH = desk.PROVISIONS
STANDARDS, PARAMETERS = "/v1/relief/standards", "/v1/relief/parameters"
AUTHORITIES = "/v1/relief/authorities"
STANDARD_HEADS = ("标准", "每人每月", "施行日期", "文件")
AUTHORITY_HEADS = ("镇街", "由谁审核确认", "起止", "依据")
NOT_FOUND = 404
PARAMETER_HEADS = ("参数", "现行规定", "施行日期", "依据")


class Amount(BaseModel):
    valid_from: date
    amount: Decimal
    document: str


class Standard(BaseModel):
    code: str
    area: str
    division: str | None
    in_force: Amount | None


class Standards(BaseModel):
    items: list[Standard]


class Authority(BaseModel):
    division_name: str | None
    level: str
    basis: str
    document: str
    valid_from: date
    valid_to: date | None


class Authorities(BaseModel):
    items: list[Authority]


class Version(BaseModel):
    value: Any
    source: str
    valid_from: date
    confirmed: bool
    note: str


class Parameter(BaseModel):
    key: str
    title: str
    unit: str
    options: dict[str, str]
    in_force: Version | None
    absent: str


class Parameters(BaseModel):
    as_of: date
    items: list[Parameter]


@dataclass(frozen=True, slots=True)
class _Loaded:
    district: str
    standards: Standards
    authorities: Authorities
    parameters: Parameters


def show(filters: Filters) -> Response | None:
    """What is in force today in the district that is asked for, or in the clerk's own."""
    return desk.show(
        PATH,
        filters.url(PATH),
        lambda seat: _Page(seat, filters.division).show(),
        scope="relief:read",
    )


class _Page:
    """Read again after each thing that was recorded."""

    def __init__(self, seat: Seat, asked: str) -> None:
        self._seat = seat
        self._asked = asked
        self._box = tag("div", "case")

    def show(self, done: str = "") -> None:
        self._box.clear()
        with self._box:
            if done:
                steps.show_done(done)
            panel(self._load, self._show)

    async def _load(self) -> _Loaded:
        standards, authorities = await asyncio.gather(
            self._seat.read(Standards, STANDARDS), self._seat.read(Authorities, AUTHORITIES)
        )
        district, parameters = await self._parameters()
        return _Loaded(district, standards, authorities, parameters)

    async def _parameters(self) -> tuple[str, Parameters]:
        """Of the district asked for, else of the first that is the clerk's."""
        *others, last = [self._asked] if self._asked else places.districts(days.today())
        for code in others:
            try:
                return code, await self._of(code)
            except Refused as refused:
                if refused.status != NOT_FOUND:
                    raise
        return last, await self._of(last)

    async def _of(self, code: str) -> Parameters:
        return await self._seat.read(Parameters, PARAMETERS, {"division": code})

    def _show(self, loaded: _Loaded) -> None:
        text("标准与参数", name="h1")
        name = places.districts(days.today()).get(loaded.district, "")
        text(f"{name}，{wording.chinese_day(loaded.parameters.as_of)}施行。", "muted")
        _show_districts(loaded.district)
        with tag("div", "case-columns"):
            with tag("section", "actions-side"):
                self._show_forms(loaded.district)
            with tag("div", "case-main"):
                own = [one for one in loaded.standards.items if one.division == loaded.district]
                _show_standards(own)
                _show_authorities(loaded.authorities.items)
                _show_parameters(loaded.parameters.items)

    def _show_forms(self, district: str) -> None:
        text("可以办理", name="h2")
        if not self._seat.may("relief:standards"):
            text("标准和确认权限由区民政局登记，您可以查看。", "muted")
            return
        today = days.today()
        choices = {
            Of.DISTRICTS: places.districts(today),
            Of.TOWNS: places.towns_of(district, today),
        }
        for form, path in ((forms.STANDARD, STANDARDS), (forms.AUTHORITY, AUTHORITIES)):
            steps.show(form, Way(self._seat, path, steps.on(""), self.show, choices))
        text("参数的登记和更正须经接口办理。", "sub")


def _show_districts(chosen: str) -> None:
    def changed(event: ValueChangeEventArguments[str]) -> None:
        ui.navigate.to(Filters(division=event.value).url(PATH))

    with filter_bar.bar():
        found = places.districts(days.today())
        select = ui.select(found, value=chosen, label="区县", on_change=changed)
        select.props("dense outlined options-dense stack-label").classes("filter-choice")


def _show_standards(found: Sequence[Standard]) -> None:
    text("救助标准", name="h2")
    in_force = [(one, one.in_force) for one in found if one.in_force is not None]
    if not in_force:
        text("本区县没有登记施行的标准。", "notice")
        return
    with tag("table", "plain cards"):
        heads(STANDARD_HEADS)
        with tag("tbody"):
            for one, amount in in_force:
                with tag("tr"):
                    cell(STANDARD_HEADS[0], "strong", _standard(one))
                    cell(STANDARD_HEADS[1], "number", yuan(amount.amount))
                    cell(STANDARD_HEADS[2], "nowrap", amount.valid_from.isoformat())
                    cell(STANDARD_HEADS[3], "", amount.document)


def _standard(one: Standard) -> str:
    area = case_words.AREAS.get(one.area)
    name = forms.STANDARDS.get(one.code, one.code)
    return f"{name}（{area}）" if area else name


def _show_authorities(found: Sequence[Authority]) -> None:
    text("确认权限", name="h2")
    text("没有登记的镇街，由区民政局审核确认。", "muted")
    if not found:
        return
    with tag("details", "more-rows"):
        text(f"登记的确认权限（{len(found)} 项）", name="summary")
        with tag("table", "plain cards"):
            heads(AUTHORITY_HEADS)
            with tag("tbody"):
                for one in found:
                    _show_authority(one)


def _show_authority(one: Authority) -> None:
    with tag("tr"):
        cell(AUTHORITY_HEADS[0], "strong", one.division_name or wording.ABSENT)
        cell(AUTHORITY_HEADS[1], "", case_words.LEVELS.get(one.level, ""))
        until = f"至 {one.valid_to}" if one.valid_to else "起"
        cell(AUTHORITY_HEADS[2], "", f"{one.valid_from} {until}")
        with cell(AUTHORITY_HEADS[3]):
            text(one.document)
            text(forms.BASES.get(one.basis, ""), "sub")


def _show_parameters(found: Sequence[Parameter]) -> None:
    """Behind two headings: what the bureau still has to confirm, and the rest."""
    text("参数", name="h2")
    open_ = [one for one in found if one.in_force is not None and not one.in_force.confirmed]
    for title, some in (
        ("待民政部门确认的", open_),
        ("已核对的", [one for one in found if one not in open_]),
    ):
        if some:
            with tag("details", "more-rows"):
                text(f"{title}（{len(some)} 项）", name="summary")
                _parameter_table(some)


def _parameter_table(found: Sequence[Parameter]) -> None:
    with tag("table", "plain cards parameters"):
        heads(PARAMETER_HEADS)
        with tag("tbody"):
            for one in found:
                _show_parameter(one)


def _show_parameter(one: Parameter) -> None:
    version = one.in_force
    with tag("tr"):
        with cell(PARAMETER_HEADS[0]):
            text(one.title, "strong")
            text(one.key, "sub")
        with cell(PARAMETER_HEADS[1]):
            text(one.absent or wording.ABSENT if version is None else value(one, version.value))
        cell(PARAMETER_HEADS[2], "nowrap", version.valid_from.isoformat() if version else "")
        with cell(PARAMETER_HEADS[3]):
            text(version.source if version else "")
            text(version.note if version else "", "sub")


def value(one: Parameter, given: Any) -> str:  # noqa: ANN401 - as the parameter's kind has it
    """What is in force, in words: 「20 个工作日」, 「是」, 「配偶、子女」."""
    match given:
        case bool():
            return "是" if given else "否"
        case {"count": count, "unit": unit}:
            return f"{count} {case_words.UNITS.get(str(unit), '')}"
        case dict():
            return "；".join(f"{_option(one, code)} {said}" for code, said in given.items())
        case list():
            return "、".join(_option(one, code) for code in given) or "无"
        case str() if given in one.options:
            return one.options[given]
    return f"{given} {one.unit}".strip()


def _option(one: Parameter, code: Any) -> str:  # noqa: ANN401 - a code as it is written
    options: Mapping[str, str] = one.options
    return options.get(str(code), str(code))
