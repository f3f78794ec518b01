"""A citizen at the window: a family as it is told, and the answer by the law of a day."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from tests.support.services import DISTRICT, Running
from tests.support.standards import set_standards

Json = dict[str, Any]

STANDARDS = (
    ("2018-01-01", "546", "410"),
    ("2020-01-01", "620", "496"),
    ("2021-09-01", "636", "515"),
    ("2022-09-01", "717", "581"),
    ("2023-09-01", "735", "600"),
    ("2024-09-01", "750", "610"),
    ("2025-07-01", "770", "630"),
)
"""design/law/relief.md §3: from, 低保 urban and rural, yuan per person and month."""

NEW_DISTRICT, CODED_FROM = "500157000000", "2025-12-05"
"""两江新区 after 渝北区, by its own code: contracts/places/README.md."""

TODAY = "2026-11-24"
ADULT, PUPIL = "1980-05-01", "2012-01-01"
GROWN = "1999-05-01"
SEVERE = {"kind": "physical", "grade": 1}


def income(kind: str, amount: str, **more: Any) -> Json:
    """Of the month before the application, unless `first_month` and `months` say otherwise."""
    return {"kind": kind, "amount": amount, **more}


def member(ref: str, relation: str, born: str = ADULT, *incomes: Json, **facts: Any) -> Json:
    return {"ref": ref, "relation": relation, "born": born, "incomes": list(incomes), **facts}


def applicant(*incomes: Json, born: str = ADULT, **facts: Any) -> Json:
    return member("a", "self", born, *incomes, **facts)


def spouse(*incomes: Json, **facts: Any) -> Json:
    return member("s", "spouse", ADULT, *incomes, **facts)


def child(*incomes: Json, ref: str = "c", born: str = PUPIL, **facts: Any) -> Json:
    return member(ref, "child", born, *incomes, **facts)


def three(amount: str, **third: Any) -> list[Json]:
    """Applicant with all the income, spouse, and a grown child who cannot live independently."""
    return [
        applicant(income("pension", amount)),
        spouse(),
        child(**{"born": GROWN, "independent": False, **third}),
    ]


def family(members: Iterable[Json], as_of: str, area: str = "urban", **more: Any) -> Json:
    division = NEW_DISTRICT if as_of >= CODED_FROM else DISTRICT
    return {
        "as_of": as_of,
        "area": area,
        "division": division,
        "members": list(members),
        **more,
    }


def by(items: Iterable[Json], key: str) -> dict[str, Json]:
    return {one[key]: one for one in items}


def condition(answer: Json, code: str) -> Json:
    (found,) = (one for one in answer["conditions"] if one["code"] == code)
    return dict(found)


def standard(day: str, area: str) -> Decimal:
    *_, (_, urban, rural) = (one for one in STANDARDS if one[0] <= day)
    return Decimal(urban if area == "urban" else rural)


def line(answer: Json, kind: str) -> Json:
    (found,) = (one for one in answer["income"]["lines"] if one["kind"] == kind)
    return dict(found)


def extras(answer: Json) -> dict[tuple[str, str], str]:
    return {(one["member"], one["category"]): one["amount"] for one in answer["extras"]}


def alone(answer: Json) -> dict[str, Json]:
    return by(answer["alone"], "member")


def counted(answer: Json) -> dict[str, bool]:
    return {one["ref"]: one["counted"] for one in answer["members"]}


def unconfirmed(answer: Json) -> set[str]:
    """Parameters that the texts leave open, as the answer itself owns (relief.md §12, §14)."""
    return {one["key"] for one in answer["law"] if not one["confirmed"]}


def cited(answer: Json) -> dict[str, Json]:
    return by(answer["law"], "key")


@dataclass(frozen=True)
class Window:
    relief: Running

    async def post(
        self, body: object, scope: str = "relief:read", **claims: object
    ) -> httpx.Response:
        return await self.relief.http.post(
            "/v1/relief/calculator",
            json=body,
            headers=self.relief.headers(scope, **claims),
        )

    async def answer(
        self, members: Iterable[Json], as_of: str, area: str = "urban", **more: Any
    ) -> Json:
        found = await self.post(family(members, as_of, area, **more))
        assert found.status_code == 200, found.text
        return dict(found.json())

    async def set_standards(self) -> None:
        await set_standards(self.relief, DISTRICT, STANDARDS)
        await set_standards(self.relief, NEW_DISTRICT, ((CODED_FROM, *STANDARDS[-1][1:]),))

    async def set_standard(self, division: str, area: str, day: str, amount: str) -> None:
        answer = await self.relief.http.post(
            "/v1/relief/standards",
            json={
                "code": "dibao",
                "area": area,
                "division": division,
                "amount": amount,
                "valid_from": day,
                "document": f"渝民发〔{day[:4]}〕1号",
            },
            headers=self.relief.headers("relief:standards", divisions=[division]),
        )
        assert answer.status_code == 201, answer.text
