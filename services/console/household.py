"""A household (家庭): its members and what is recorded of them, and the forms to record more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel

from services.console import (
    case_words,
    clerks,
    desk,
    household_forms,
    reveal,
    steps,
    todo,
    wording,
)
from services.console.case_words import yuan
from services.console.clerks import Seat
from services.console.dossier import Household, Member, Supporter
from services.console.forms import Form, Of
from services.console.frame import anchor, cell, heads, panel, tag, text
from services.console.steps import Way

PATH = "/households"
EDITS = "relief:accept"
MEMBER_HEADS = ("姓名", "关系", "出生日期", "情况", "承诺与授权", "")
FACT_HEADS = ("谁的", "项目", "内容", "期间", "来源", "")
SUPPORTER_HEADS = ("姓名", "关系", "同意核对", "")
ITEMS = ("income", "property", "consumption", "support")
"""Facts of which many stand beside one another; of the others one holds at a time."""


class Fact(BaseModel):
    id: UUID
    fact: str
    title: str
    member: UUID | None
    value: dict[str, Any]
    valid_from: date
    valid_to: date | None
    source: str
    recorded_by: str
    superseded_at: str | None


class HouseholdFile(Household):
    """The household as it stands today, with all that is recorded of it."""

    as_of: date
    division_name: str | None
    declared_on: date
    facts: list[Fact]

    @property
    def standing(self) -> list[Fact]:
        return [one for one in self.facts if one.superseded_at is None]

    @property
    def names(self) -> dict[str, str]:
        return {
            str(one.id): f"{one.name}（{case_words.relation(one.relation)}）"
            for one in self.members
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """From which case one came, and of which member or fact something is to be recorded."""

    case: str = ""
    member: str = ""
    fact: str = ""
    supporter: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        return cls(*(_id(given.get(name, "")) for name in cls.__slots__))

    def url(self, household_id: str, **changes: str) -> str:
        chosen = replace(self, **changes)
        found = {name: getattr(chosen, name) for name in self.__slots__}
        query = urlencode({name: value for name, value in found.items() if value})
        return f"{PATH}/{household_id}" + (f"?{query}" if query else "")


def _id(text_: str) -> str:
    try:
        return str(UUID(text_))
    except ValueError:
        return ""


def show(household_id: str, choice: Choice) -> Response | None:
    """The household as the clerk at the browser sees it."""
    return desk.show(
        "", choice.url(household_id), lambda seat: _Page(seat, household_id, choice).show()
    )


class _Page:
    """The household, read again after each thing that was recorded."""

    def __init__(self, seat: Seat, household_id: str, choice: Choice) -> None:
        self._seat = seat
        self._id = household_id
        self._choice = choice
        self._path = f"{reveal.HOUSEHOLDS}/{household_id}"
        self._box = tag("div", "case")

    def show(self, done: str = "") -> None:
        self._box.clear()
        with self._box:
            if done:
                steps.show_done(done)
            panel(
                lambda: self._seat.read_version(HouseholdFile, self._path),
                lambda found: self._show(*found),
            )

    def _show(self, found: HouseholdFile, version: str) -> None:
        if self._choice.case:
            anchor("‹ 回到办件", f"{todo.CASES}/{self._choice.case}", "back")
        _show_head(found)
        with tag("div", "case-columns"):
            with tag("section", "actions-side"):
                self._show_forms(found, version)
            with tag("div", "case-main"):
                self._show_members(found)
                self._show_items(found)
                self._show_supporters(found.supporters)
                self._show_situations(found)

    def _url(self, **chosen: str) -> str:
        return Choice(self._choice.case).url(self._id, **chosen)

    @property
    def _edits(self) -> bool:
        return self._seat.may(EDITS)

    def _show_forms(self, found: HouseholdFile, version: str) -> None:
        if not self._edits:
            text("家庭情况由镇街受理员登记，您可以查看。", "muted")
            reveal.show(self._seat, found)
            return
        title, offered = self._offered(found)
        text(title, name="h2")
        if title != FAMILY:
            anchor("‹ 全家的登记", self._url(), "back")
        for place, form in enumerate(offered):
            path = f"{self._path}/{form.path}"
            way = Way(self._seat, path, steps.on(version), self.show, {Of.MEMBERS: found.names})
            steps.show(form, way, opened=place == 0 and len(offered) == 1)
        if title == FAMILY:
            text("某一成员的收入、财产、残疾、离开等，点该成员后的“登记”。", "sub")
        reveal.show(self._seat, found)

    def _offered(self, found: HouseholdFile) -> tuple[str, list[Form]]:
        """What can be recorded of whom or what the address names; else of the whole family."""
        for member in found.members:
            if str(member.id) == self._choice.member:
                return found.names[str(member.id)], household_forms.of_member(member)
        for fact in found.standing:
            if str(fact.id) == self._choice.fact:
                return fact.title, [household_forms.withdrawal(str(fact.id))]
        for supporter in found.supporters:
            if str(supporter.id) == self._choice.supporter:
                return supporter.name, household_forms.of_supporter(str(supporter.id))
        return FAMILY, household_forms.of_family()

    def _show_members(self, found: HouseholdFile) -> None:
        present = [one for one in found.members if one.present]
        text(f"家庭成员 {len(present)} 人", name="h2")
        with tag("table", "plain cards"):
            heads(MEMBER_HEADS)
            with tag("tbody"):
                for one in found.members:
                    self._show_member(one)

    def _show_member(self, one: Member) -> None:
        with tag("tr", "" if one.present else "gone"):
            with cell(MEMBER_HEADS[0]):
                text(one.name, "strong")
                text(one.number or "无证件", "sub")
            cell(MEMBER_HEADS[1], "", case_words.relation(one.relation))
            cell(MEMBER_HEADS[2], "nowrap", one.born.isoformat())
            with cell(MEMBER_HEADS[3]):
                _show_situation(one)
            signed = case_words.signed(one.truth_committed_on, one.check_authorised_on)
            cell(MEMBER_HEADS[4], "", signed)
            with cell(MEMBER_HEADS[5]):
                self._link("登记", member=str(one.id))

    def _link(self, words: str, **chosen: str) -> None:
        """To the same page with the forms of one member or thing."""
        if self._edits:
            link = anchor(words, self._url(**chosen), "nowrap")
            if replace(self._choice, case="") == Choice(**chosen):
                link.props('aria-current="true"')

    def _show_items(self, found: HouseholdFile) -> None:
        items = [one for one in found.standing if one.fact in ITEMS]
        text("收入、财产和消费", name="h2")
        if not items:
            text("没有登记收入、财产和消费。", "muted")
            return
        self._show_facts(sorted(items, key=lambda one: ITEMS.index(one.fact)), found)

    def _show_situations(self, found: HouseholdFile) -> None:
        """What else is recorded, behind a heading: the members' situations are above."""
        others = [one for one in found.standing if one.fact not in ITEMS]
        replaced = len(found.facts) - len(found.standing)
        with tag("details", "more-rows"):
            text(f"各项情况的记载（{len(others)} 项）", name="summary")
            self._show_facts(others, found)
        if replaced:
            text(f"另有 {replaced} 项已被更正或撤销，留存备查。", "sub")

    def _show_facts(self, facts: Sequence[Fact], found: HouseholdFile) -> None:
        with tag("table", "plain cards"):
            heads(FACT_HEADS)
            with tag("tbody"):
                for one in facts:
                    self._show_fact(one, found.names)

    def _show_fact(self, one: Fact, names: Mapping[str, str]) -> None:
        with tag("tr"):
            cell(FACT_HEADS[0], "strong", names.get(str(one.member), "全家"))
            cell(FACT_HEADS[1], "", one.title)
            cell(FACT_HEADS[2], "", told(one))
            cell(FACT_HEADS[3], "", span(one))
            with cell(FACT_HEADS[4]):
                text(case_words.FACT_SOURCES.get(one.source, ""))
                text(clerks.name_of(one.recorded_by), "sub")
            with cell(FACT_HEADS[5]):
                self._link("撤销", fact=str(one.id))

    def _show_supporters(self, found: Sequence[Supporter]) -> None:
        if not found:
            return
        text("家庭以外的义务人", name="h2")
        with tag("table", "plain cards"):
            heads(SUPPORTER_HEADS)
            with tag("tbody"):
                for one in found:
                    with tag("tr"):
                        with cell(SUPPORTER_HEADS[0]):
                            text(one.name, "strong")
                            text(one.number or "无证件", "sub")
                        cell(SUPPORTER_HEADS[1], "", case_words.relation(one.relation))
                        cell(SUPPORTER_HEADS[2], "", consented(one))
                        with cell(SUPPORTER_HEADS[3]):
                            self._link("登记", supporter=str(one.id))


FAMILY = "可以登记"


def _show_head(found: HouseholdFile) -> None:
    present = [one for one in found.members if one.present]
    first = present[0].name if present else "家庭"
    label = f"{first}等{len(present)}人" if len(present) > 1 else first
    text(f"{label}的家庭情况", name="h1")
    area = case_words.AREAS.get(found.area or "", "城乡类别未定")
    declared = f"{wording.chinese_day(found.declared_on)}申报"
    about = [found.division_name, area, declared, f"截至{wording.chinese_day(found.as_of)}"]
    text("　".join(one for one in about if one), "muted")


def _show_situation(one: Member) -> None:
    if not one.present:
        reason = case_words.LEFT.get(one.left_reason or "", "")
        left = "" if one.left_on is None else f"{wording.chinese_day(one.left_on)}离开"
        text("，".join(word for word in (left, reason) if word) or "现在不是家庭成员")
        return
    text("、".join(case_words.situation(one.situation)) or wording.ABSENT)
    for warning in one.warnings:
        text(warning, "sub")


def told(one: Fact) -> str:
    """What a fact says, in words: 「工资性收入 3,000.00 元，1 个月合计」."""
    return _TOLD.get(one.fact, _situation)(one.value)


def _income(value: Mapping[str, Any]) -> str:
    name = case_words.INCOMES.get(value["kind"], "")
    return f"{name} {yuan(Decimal(value['amount']))}，{value['months']} 个月合计"


def _property(value: Mapping[str, Any]) -> str:
    name = case_words.PROPERTIES.get(value["kind"], "其他财产")
    return "，".join([_worth(name, value), *_judged(value)])


def _consumption(value: Mapping[str, Any]) -> str:
    name = case_words.CONSUMPTIONS.get(value["kind"], "")
    return "，".join([_worth(name, value), *_judged(value)])


def _membership(value: Mapping[str, Any]) -> str:
    if value["state"] == "in":
        return f"成为成员：{case_words.JOINED.get(value['reason'], '')}"
    return f"离开：{case_words.LEFT.get(value['reason'], '')}"


def _person(value: Mapping[str, Any]) -> str:
    return f"{case_words.relation(value['relation'])}，{value['born']} 生"


def _support(value: Mapping[str, Any]) -> str:
    income = yuan(Decimal(value["income"]))
    return f"义务人家庭 {value['persons']} 人，月收入 {income}，供养 {value['owed']} 人"


def _situation(value: Mapping[str, Any]) -> str:
    return "、".join(case_words.situation(value)) or "没有特殊情况"


_TOLD: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "income": _income,
    "property": _property,
    "consumption": _consumption,
    "membership": _membership,
    "person": _person,
    "support": _support,
    "edge_property": lambda value: "符合规定" if value["met"] else "不符合规定",
    "address": lambda _: "加密保存，须查阅",
}


def _worth(name: str, value: Mapping[str, Any]) -> str:
    if value.get("area") is not None:
        return f"{name} {wording.number(Decimal(value['area']))} 平方米"
    return name if value.get("amount") is None else f"{name} {yuan(Decimal(value['amount']))}"


def _judged(value: Mapping[str, Any]) -> list[str]:
    if value.get("judged") is not None:
        return ["认定不影响资格" if value["judged"] else "认定影响资格"]
    return ["必需财产"] if value.get("essential") else []


def span(one: Fact) -> str:
    """「2025-06-01 起」, 「2025-06-01 至 2025-06-30」."""
    end = "起" if one.valid_to is None else f"至 {one.valid_to}"
    return f"{one.valid_from} {end}"


def consented(one: Supporter) -> str:
    if one.consented_on is None:
        return "可以核对" if one.checkable else "没有同意，不核对"
    return f"{wording.chinese_day(one.consented_on)}书面同意"
