"""Names, documents, phones and the address unmasked, for a purpose that the audit keeps."""

from uuid import uuid4

from nicegui import ui
from pydantic import BaseModel

from services.console import case_words
from services.console.clerks import Seat
from services.console.dossier import Household, Member
from services.console.frame import button, cell, heads, refusal, tag, text
from services.console.gateway import Answer, Away, Refused

HOUSEHOLDS = "/v1/relief/households"
SCOPE = "relief:reveal"
HEADS = ("姓名", "关系", "证件号码", "电话")


class _Address(BaseModel):
    address: str | None


class _Person(BaseModel):
    name: str
    number: str | None
    phone: str | None


def show(seat: Seat, household: Household) -> None:
    """The question for the purpose, where the clerk may reveal at all."""
    if seat.may(SCOPE):
        with tag("details", "act reveal"):
            text("查看住址、姓名、证件和电话", name="summary")
            _Reveal(seat, household).show()


class _Reveal:
    def __init__(self, seat: Seat, household: Household) -> None:
        self._seat = seat
        self._household = household

    def show(self) -> None:
        with tag("div", "form"):
            text("须说明查阅目的，查阅记入审计。", "sub wide")
            with tag("div", "field"):
                self._purpose = ui.input("查阅目的").props("outlined")
                text("不写个人信息，如：入户调查前核对身份", "sub")
            with tag("div", "wide"):
                button("查看", self._ask, "button primary")
            self._answer = tag("div", "wide answer")

    async def _ask(self) -> None:
        self._answer.clear()
        purpose = (self._purpose.value or "").strip()
        if not purpose:
            self._say("请填写查阅目的。", "refused")
            return
        try:
            await self._reveal(purpose)
        except Away as away:
            self._say(f"{away}，请稍后再试。", "away")
        except Refused as refused:
            with self._answer:
                refusal(refused)

    async def _reveal(self, purpose: str) -> None:
        path = f"{HOUSEHOLDS}/{self._household.id}"
        address = await self._revealed(_Address, path, purpose)
        present = [one for one in self._household.members if one.present]
        found = [
            (one, await self._revealed(_Person, f"{path}/members/{one.id}", purpose))
            for one in present
        ]
        with self._answer:
            text(f"住址：{address.address or '未登记'}", "strong")
            with tag("table", "plain cards"):
                heads(HEADS)
                with tag("tbody"):
                    for member, person in found:
                        _show_person(member, person)

    async def _revealed(self, kind: type[Answer], path: str, purpose: str) -> Answer:
        return await self._seat.create(kind, f"{path}/reveal", {"purpose": purpose}, str(uuid4()))

    def _say(self, words: str, kind: str) -> None:
        with self._answer:
            text(words, f"notice {kind}").props('role="alert"')


def _show_person(member: Member, person: _Person) -> None:
    with tag("tr"):
        cell(HEADS[0], "strong", person.name)
        cell(HEADS[1], "", case_words.relation(member.relation))
        cell(HEADS[2], "", person.number or "无证件")
        cell(HEADS[3], "", person.phone or "未登记")
