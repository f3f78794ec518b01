"""A town and its bureau with awards of households, driven through the API."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import httpx
from pydantic import Discriminator, TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from casework.service import case_event, open_case
from chassis.identity import mask_name
from contracts.events.relief import Area, ReliefCase
from services.relief.applications.models import ApplicationRow
from services.relief.applications.rules import DIBAO
from services.relief.awards import measuring, service
from services.relief.entitlement.facts import WorkCapacity
from services.relief.households import repository as household_rows
from services.relief.households import service as households
from services.relief.households.kinds import ClaimRole, LeaveReason
from services.relief.households.schemas import AnyFact, FactCorrection, HouseholdIn
from tests.services.relief.households.family import family, person
from tests.support.services import DISTRICT, Running
from tests.support.standards import set_standards

TOWN, VILLAGE, NEXT_VILLAGE = "500112002000", "500112002001", "500112002002"  # 双龙湖街道
OTHER, OTHER_VILLAGE = "500112004000", "500112004001"  # 回兴街道
READ, REVIEW, DECIDE = "relief:files", "relief:review", "relief:decide"
NEW_DISTRICT = "500157000000"  # 两江新区, from 2025-11-06
BOTH = (DISTRICT, NEW_DISTRICT)
STANDARDS = (
    ("2021-09-01", "636", "515"),
    ("2024-09-01", "750", "610"),
    ("2025-07-01", "770", "630"),
)
NAME, WIFE_NAME, CHILD_NAME = "欧阳清风", "慕容明月", "欧阳听雨"
REASON = "按核查所见办理"
FACT: TypeAdapter[AnyFact] = TypeAdapter(Annotated[AnyFact, Discriminator("fact")])


def man(wage: str | None = "1500.00", **changes: Any) -> dict[str, Any]:
    incomes = [] if wage is None else [{"kind": "wage", "amount": wage}]
    return person("a", "self", "1980-05-01", NAME, 1, incomes=incomes, **changes)


def wife(**changes: Any) -> dict[str, Any]:
    return person("b", "spouse", "1982-06-02", WIFE_NAME, 2, **changes)


def child(**changes: Any) -> dict[str, Any]:
    return person("c", "child", "2015-07-03", CHILD_NAME, 3, **changes)


def pupil() -> dict[str, Any]:
    return child(education="compulsory", full_time=True)


def three() -> list[dict[str, Any]]:
    """Urban, 2025-07: 770 × 3 − 1500 = 810, if there is no employment cost to deduct."""
    return [man(), wife(work_capacity=WorkCapacity.NONE.value), child()]


@dataclass
class Granted:
    """An award with its household: persons and members by the order of their declaration."""

    id: UUID
    household: UUID
    persons: list[UUID]
    members: list[UUID]


@dataclass
class Office:
    """Whoever sits there holds all scopes unless told otherwise; `clerk` is the login."""

    relief: Running
    divisions: tuple[str, ...] = (TOWN,)
    clerk: str = "town-1"
    scopes: tuple[str, ...] = (READ, REVIEW, DECIDE)

    def headers(self, etag: str | None = None) -> dict[str, str]:
        extra = {} if etag is None else {"If-Match": etag}
        held = self.relief.headers(*self.scopes, divisions=self.divisions, subject=self.clerk)
        return {**held, **extra}

    def transaction(self, units: tuple[str, ...] = (VILLAGE, OTHER_VILLAGE)) -> Any:
        return self.relief.runtime.database.transaction(
            actor=self.clerk,
            organisation="双龙湖街道办事处",
            units=[int(unit) for unit in (*units, TOWN, OTHER, NEXT_VILLAGE)],
        )

    async def standards(self) -> None:
        """The city's standards in both districts that the town has belonged to."""
        await set_standards(self.relief, DISTRICT, STANDARDS)
        await set_standards(self.relief, NEW_DISTRICT, (("2025-12-05", "770", "630"),))

    async def standard(self, district: str, valid_from: str, urban: str, rural: str) -> None:
        await set_standards(self.relief, district, ((valid_from, urban, rural),))

    async def declare(self, *members: dict[str, Any], village: str = VILLAGE) -> UUID:
        body = HouseholdIn.model_validate(family(*members, properties=[]))
        async with self.transaction() as session:
            row = (await households.create(session, unit=int(village), asked=body)).household
            await households.fix_area(session, row, area=Area.URBAN, reason="户籍在城镇")
        return row.id

    async def grant(self, *members: dict[str, Any], village: str = VILLAGE) -> Granted:
        """An award decided today for a household as the rules measure it."""
        declared = members or tuple(three())
        household = await self.declare(*declared, village=village)
        return await self.grant_to(household, name=declared[0]["name"], village=village)

    async def grant_to(self, household: UUID, *, name: str, village: str = VILLAGE) -> Granted:
        async with self.transaction() as session:
            return await self._grant(session, household, name=name, unit=int(village))

    async def _grant(
        self, session: AsyncSession, household: UUID, *, name: str, unit: int
    ) -> Granted:
        register = await self.relief.runtime.places.register()
        day: date = self.relief.runtime.clock.today()
        case = await open_case(
            session,
            DIBAO,
            unit=unit,
            label=mask_name(name),
            channel="window",
            event=case_event(ReliefCase),
        )
        case.state = "granted"
        session.add(
            ApplicationRow(
                id=case.id,
                unit_id=unit,
                household_id=household,
                applied_on=day,
                entrusted=False,
                materials=[],
                place_basis="domicile",
            )
        )
        rows = await household_rows.members_of(session, household)
        measured = await measuring.measure(session, register, household, unit=unit, day=day)
        award = await service.approve(
            session,
            case_id=case.id,
            household_id=household,
            unit=unit,
            area=Area.URBAN,
            persons={
                row.person: ClaimRole.MEMBER if place else ClaimRole.APPLICANT
                for place, row in enumerate(rows)
            },
            assessment=measured.assessment,
            decided_on=day,
            law=measured.law,
        )
        return Granted(award.id, household, [row.person for row in rows], [row.id for row in rows])

    async def fact(self, granted: Granted, **fact: Any) -> None:
        """Record something of the household, as known today."""
        async with self.transaction() as session:
            row = await household_rows.find(
                session, [int(VILLAGE), int(OTHER_VILLAGE)], granted.household
            )
            assert row is not None
            await households.record_fact(session, row, FACT.validate_python(fact))

    async def wage(self, granted: Granted, amount: str, month: str, member: int = 0) -> None:
        await self.fact(
            granted,
            fact="income",
            member=str(granted.members[member]),
            kind="wage",
            amount=amount,
            first_month=month,
            source="checked",
        )

    async def leaves(self, granted: Granted, member: int, left_on: str, reason: str) -> None:
        async with self.transaction() as session:
            row = await household_rows.find(session, [int(VILLAGE)], granted.household)
            assert row is not None
            await households.member_leaves(
                session,
                row,
                granted.members[member],
                left_on=date.fromisoformat(left_on),
                reason=LeaveReason(reason),
            )

    async def death_corrected(self, granted: Granted, member: int, day: str | None) -> None:
        """A member died on another day than was recorded, or (None) not at all."""
        out = {
            "fact": "membership",
            "member": str(granted.members[member]),
            "state": "out",
            "join_reason": None,
            "leave_reason": "death",
            "valid_from": day,
        }
        asked = {"reason": "误记", "replacement": day and out}
        async with self.transaction() as session:
            row = await household_rows.find(session, [int(VILLAGE)], granted.household)
            facts = await household_rows.facts_of(session, granted.household)
            died = [one for one in facts if one.value.get("reason") == "death"]
            (wrong,) = (one for one in died if one.superseded_at is None)
            assert row is not None
            correction = FactCorrection.model_validate(asked)
            await households.correct_fact(session, row, wrong.id, correction)

    async def get(self, path: str, **query: str) -> httpx.Response:
        return await self.relief.http.get(f"/v1/relief{path}", params=query, headers=self.headers())

    async def seen(self, path: str, **query: str) -> Any:
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any, *, etag: str | None = None) -> httpx.Response:
        return await self.relief.http.post(
            f"/v1/relief{path}", json=body, headers=self.headers(etag)
        )

    async def propose(self, granted: Granted, kind: str, **asked: Any) -> httpx.Response:
        return await self.post(
            f"/awards/{granted.id}/changes", {"kind": kind, "reason": REASON, **asked}
        )

    async def proposed(self, granted: Granted, kind: str, **asked: Any) -> Any:
        answer = await self.propose(granted, kind, **asked)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def on_change(self, change: Any, action: str, body: Any) -> httpx.Response:
        """A step of a change, on the version that stands now."""
        current = await self.get(f"/award-changes/{change['id']}")
        return await self.post(
            f"/award-changes/{change['id']}/{action}", body, etag=current.headers.get("etag")
        )

    async def on_award(self, granted: Granted, action: str, body: Any) -> httpx.Response:
        current = await self.get(f"/awards/{granted.id}")
        return await self.post(
            f"/awards/{granted.id}/{action}", body, etag=current.headers.get("etag")
        )

    async def heard(self, granted: Granted, change: Any, day: str) -> Any:
        answer = await self.on_change(
            change,
            "hearing",
            {
                "notified_on": day,
                "heard_on": day,
                "method": "in_person",
                "person": str(granted.persons[0]),
                "statement": "家中确有困难，请求少减",
            },
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def decided(self, change: Any) -> Any:
        answer = await self.on_change(change, "decide", {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def events(self, of: UUID | str) -> list[tuple[str, Any]]:
        """What was published of an award or case: (verb, data)."""
        rows = await self.relief.rows(
            "SELECT type, convert_from(body, 'UTF8')::jsonb -> 'data' AS data"
            " FROM chassis.outbox WHERE key = $1 ORDER BY sequence",
            str(of),
        )
        return [(row["type"].split(".")[3], json.loads(row["data"])) for row in rows]

    async def standing(self, granted: Granted) -> list[tuple[str, str, int, str, str]]:
        """The timeline: (from, state, persons, amount, extras)."""
        periods = (await self.seen(f"/awards/{granted.id}"))["periods"]
        return [
            (one["from"], one["state"], one["persons"], one["amount"], one["extras"])
            for one in sorted(periods, key=lambda one: one["from"])
            if one["superseded_at"] is None
        ]
