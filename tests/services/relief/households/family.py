"""A family as it declares itself, and what a clerk does with it."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import httpx

from services.relief.entitlement import facts as law
from services.relief.households import repository, service
from services.relief.households.kinds import ClaimRole
from services.relief.households.models import HouseholdRow
from services.relief.households.schemas import HouseholdIn
from tests.support.services import Running

SHIHE = "500112142000"  # 石船镇
LUOQI = "500112144000"  # 洛碛镇
READ, WRITE, REVEAL = "relief:files", "relief:accept", "relief:reveal"
ID_CHARACTERS = "0123456789X"
NAMES = ("欧阳清风", "欧阳明月", "慕容听雨")
PHONE = "13800138321"
ADDRESS = "石船镇梧桐路 7 号 3-2"
DECLARED = "2025-03-03"


def number(born: str, sequence: int = 1) -> str:
    """A citizen's number whose checksum holds, of somebody born on the day."""
    body = f"500112{born.replace('-', '')}{sequence:03}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + ID_CHARACTERS[(1 - total) % 11]


def person(
    ref: str, relation: str, born: str, name: str, sequence: int = 1, **changes: Any
) -> dict[str, Any]:
    return {
        "ref": ref,
        "relation": relation,
        "born": born,
        "name": name,
        "document_number": number(born, sequence),
        "truth_committed": True,
        "check_authorised": True,
        "authorisation": "核对授权书 2021 版",
        **changes,
    }


SELF = person(
    "a",
    "self",
    "1980-05-01",
    NAMES[0],
    phone=PHONE,
    incomes=[{"kind": "wage", "amount": "1500.00"}],
)
WIFE = person(
    "b",
    "spouse",
    "1982-06-02",
    NAMES[1],
    2,
    disability={"kind": "intellectual", "grade": 3},
    incomes=[{"kind": "imputed", "amount": "300", "reason": "有零工收入，邻里证实"}],
)
CHILD = person("c", "child", "2012-07-03", NAMES[2], 3, education="compulsory", full_time=True)


def family(*members: dict[str, Any], **changes: Any) -> dict[str, Any]:
    of = list(members or (SELF, WIFE, CHILD))
    return {
        "address": ADDRESS,
        "members": of,
        "properties": [{"kind": "deposit", "member": of[0]["ref"], "amount": "20000.00"}],
        **changes,
    }


@dataclass
class Clerk:
    """Of a town (by its division), with all scopes of the window unless told otherwise."""

    relief: Running
    division: str = SHIHE
    scopes: tuple[str, ...] = (READ, WRITE, REVEAL)

    @property
    def units(self) -> list[int]:
        return [int(self.division)]

    def headers(self, etag: str | None = None) -> dict[str, str]:
        extra = {} if etag is None else {"If-Match": etag}
        return {**self.relief.headers(*self.scopes, divisions=[self.division]), **extra}

    async def create(self, asked: dict[str, Any] | None = None) -> UUID:
        body = HouseholdIn.model_validate(asked or family())
        async with self.transaction() as session:
            declared = await service.create(session, unit=self.units[0], asked=body)
        return declared.household.id

    def transaction(self, **changes: Any) -> Any:
        return self.relief.runtime.database.transaction(
            **{
                "actor": "clerk-1",
                "organisation": "石船镇人民政府",
                "units": self.units,
                **changes,
            }
        )

    async def found(self, session: Any, household: UUID) -> HouseholdRow:
        row = await repository.find(session, self.units, household)
        assert row is not None
        return row

    async def get(self, household: UUID, **query: str) -> httpx.Response:
        return await self.relief.http.get(
            f"/v1/relief/households/{household}", params=query, headers=self.headers()
        )

    async def seen(self, household: UUID, **query: str) -> dict[str, Any]:
        answer = await self.get(household, **query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def post(
        self, household: UUID, path: str, body: dict[str, Any], *, etag: str | None = "now"
    ) -> httpx.Response:
        if etag == "now":
            etag = (await self.get(household)).headers.get("etag", '"1"')
        return await self.relief.http.post(
            f"/v1/relief/households/{household}{path}", json=body, headers=self.headers(etag)
        )

    async def done(self, household: UUID, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.post(household, path, body)
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def assembled(
        self, household: UUID, day: str, known_on: str | None = None
    ) -> law.Household:
        async with self.transaction() as session:
            return await service.assembled(
                session,
                household,
                day=date.fromisoformat(day),
                known_on=None if known_on is None else date.fromisoformat(known_on),
                area=law.Area.RURAL,
            )


async def persons(clerk: Clerk, household: UUID) -> dict[UUID, ClaimRole]:
    """The pseudonyms of a household: the first one applies."""
    async with clerk.transaction() as session:
        rows = await repository.members_of(session, household)
    return {
        row.person: ClaimRole.MEMBER if place else ClaimRole.APPLICANT
        for place, row in enumerate(rows)
    }
