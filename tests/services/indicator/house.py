"""The indicator service among its neighbours: what they publish, and what one can ask."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from chassis.bus import Message
from chassis.ids import new_id
from chassis.relay import HEADERS
from contracts.events.community import SocialWorker, SocialWorkerPeriod
from contracts.events.eldercare import (
    Facility,
    FacilityAssessment,
    FacilityFunction,
    FacilityKind,
    FacilityPeriod,
    OperatorKind,
)
from contracts.events.envelope import CloudEvent
from contracts.events.relief import (
    Area,
    Award,
    AwardPeriod,
    AwardState,
    Programme,
    Standard,
    StandardCode,
    StandardPeriod,
)
from contracts.model import Contract
from contracts.topics import BY_DATA
from tests.support.services import DISTRICT, Running

DISTRICT_UNIT = 500112000000
SHUANGLONGHU, YUFENGSHAN, LONGXING, TONGJING = (
    500112002000,
    500112129000,
    500112131000,
    500112133000,
)
YUFENGSHAN_VILLAGE = 500112129201
YUANYANG = 500112007000
"""One of the eight streets of the 30 that are not among the 22."""
COMPREHENSIVE = (
    FacilityFunction.FULL_CARE,
    FacilityFunction.DAY_CARE,
    FacilityFunction.HOME_SERVICE,
    FacilityFunction.GUIDANCE,
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def period(first: str, unit: int = YUFENGSHAN, **changes: object) -> FacilityPeriod:
    """A private institution of 40 beds, 10 of them for nursing, unless said otherwise."""
    values: dict[str, object] = {
        "from_": day(first),
        "unit": unit,
        "kind": FacilityKind.INSTITUTION,
        "operator": OperatorKind.PRIVATE_NONPROFIT,
        "open": True,
        "beds": 40,
        "nursing_beds": 10,
        "beds_in_use": 40,
    }
    return FacilityPeriod.model_validate(values | changes)


def facility(
    *periods: FacilityPeriod, id_: UUID | None = None, assessed: Mapping[str, bool] | None = None
) -> Facility:
    return Facility(
        id=id_ or new_id(),
        periods=periods,
        assessments=tuple(
            FacilityAssessment(assessed_on=day(on), passed=passed)
            for on, passed in (assessed or {}).items()
        ),
    )


def standard(
    area: Area, amounts: Mapping[str, str], *, code: StandardCode = StandardCode.DIBAO
) -> Standard:
    return Standard(
        id=new_id(),
        unit=DISTRICT_UNIT,
        code=code,
        area=area,
        periods=tuple(
            StandardPeriod(from_=day(on), amount=Decimal(amount), document="渝民发〔2020〕1号")
            for on, amount in amounts.items()
        ),
    )


def worker(
    person: UUID, *periods: tuple[str, int, bool], certified: bool = False, id_: UUID | None = None
) -> SocialWorker:
    return SocialWorker(
        id=id_ or new_id(),
        person=person,
        periods=tuple(
            SocialWorkerPeriod(
                from_=day(first), unit=unit, registered=registered, certified=certified
            )
            for first, unit, registered in periods
        ),
    )


def award_period(first: str, unit: int = YUFENGSHAN_VILLAGE, **changes: object) -> AwardPeriod:
    """A rural household of three, 810 yuan a month and 100 for its persons, unless said otherwise.

    One that is stopped gets nothing.
    """
    values: dict[str, object] = {
        "from_": day(first),
        "unit": unit,
        "area": Area.RURAL,
        "state": AwardState.PAID,
        "persons": 3,
        "amount": Decimal(810),
        "extras": Decimal(100),
    }
    if changes.get("state") is AwardState.STOPPED:
        values |= {"persons": 0, "amount": Decimal(0), "extras": Decimal(0)}
    return AwardPeriod.model_validate(values | changes)


def award(*periods: AwardPeriod, id_: UUID | None = None) -> Award:
    return Award(id=id_ or new_id(), programme=Programme.DIBAO, case=new_id(), periods=periods)


VERBS = {
    "minzheng.eldercare.facility": "changed",
    "minzheng.relief.standard": "set",
    "minzheng.relief.award": "changed",
    "minzheng.community.social_worker": "changed",
    "minzheng.placename.unit": "changed",
}


@dataclass
class House:
    """Publishes by hand what other services would, and keeps all that it published."""

    running: Running
    published: list[CloudEvent] = field(default_factory=list)
    _sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def event(
        self, data: Contract, *, at: str, sequence: int | None = None, verb: str = ""
    ) -> CloudEvent:
        """The next event of its subject, recorded at a day's (or a time's) Asia/Shanghai."""
        topic = BY_DATA[type(data)]
        subject = str(getattr(data, "id"))  # noqa: B009 - every aggregate of ours has one
        if sequence is None:
            self._sequences[subject] += 1
            sequence = self._sequences[subject]
        moment = at if "T" in at else f"{at}T10:00:00"
        return CloudEvent(
            id=new_id(),
            source=f"urn:minzheng:{topic.publishers[0]}",
            type=f"{topic.name}.{verb or VERBS[topic.name]}.v1",
            subject=subject,
            time=datetime.fromisoformat(f"{moment}+08:00"),
            sequence=sequence,
            actor="clerk-7",
            data=data.model_dump(mode="json"),
        )

    async def send(self, *events: CloudEvent) -> None:
        """Append to the topics, and have the indicator service take it."""
        await self.publish(*events)
        await self.running.consume()

    async def publish(self, *events: CloudEvent) -> None:
        """Append to the topics; nobody has read it yet."""
        messages = [
            Message(
                event.type.rsplit(".", 2)[0],
                event.subject,
                event.model_dump_json(exclude_none=True).encode(),
                HEADERS,
            )
            for event in events
        ]
        async with self.running.bus.producer() as producer:
            for start in range(0, len(messages), 500):
                await producer.send(messages[start : start + 500], timeout=20)
        self.published += events

    async def tell(self, *data: Contract, at: str) -> list[CloudEvent]:
        events = [self.event(one, at=at) for one in data]
        await self.send(*events)
        return events

    async def report(
        self,
        measure: str,
        on: str,
        value: str,
        *,
        division: str = DISTRICT,
        status: int = 201,
        **claims: object,
    ) -> Any:
        """Report a figure through the service's own API; `settle` makes it count."""
        answer = await self.post(
            "/v1/plan/figures",
            {
                "measure": measure,
                "division": division,
                "on": on,
                "value": value,
                "document": "渝北民政统〔2021〕1号",
            },
            "plan:report",
            **claims,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def settle(self) -> None:
        """The service's own events come back to it by consumption, like everything else."""
        await self.running.relay()
        await self.running.consume()

    async def post(
        self,
        path: str,
        body: object,
        *scopes: str,
        headers: Mapping[str, str] | None = None,
        **claims: object,
    ) -> httpx.Response:
        authorised = self.running.headers(*scopes, **claims) | dict(headers or {})
        return await self.running.http.post(path, json=body, headers=authorised)

    async def get(
        self, path: str, params: Mapping[str, object] | None = None, **claims: object
    ) -> httpx.Response:
        return await self.running.http.get(
            path,
            params={key: str(value) for key, value in (params or {}).items()},
            headers=self.running.headers("plan:read", **claims),
        )

    async def board(self, **asked: object) -> dict[str, Any]:
        """The indicators by code; parameters as of the API, claims as `divisions=(…,)`."""
        claims = {key: asked.pop(key) for key in ("divisions",) if key in asked}
        answer = await self.get("/v1/plan/indicators", asked, **claims)
        assert answer.status_code == 200, answer.text
        return {one["code"]: one for one in answer.json()["items"]}

    async def value(self, code: str, **asked: object) -> str | None:
        found = (await self.board(**asked))[code]["value"]
        assert found is None or isinstance(found, str)
        return found

    async def beside(self, **asked: object) -> dict[str, dict[str, str | None]]:
        """What stands beside the indicators, by code: the total and the two areas."""
        claims = {key: asked.pop(key) for key in ("divisions",) if key in asked}
        answer = await self.get("/v1/plan/beside", asked, **claims)
        assert answer.status_code == 200, answer.text
        return {
            one["code"]: {part: one[part] for part in ("value", "urban", "rural")}
            for one in answer.json()["items"]
        }

    async def lineage(
        self, code: str, *, of: str = "indicators", **asked: object
    ) -> list[dict[str, Any]]:
        """All pages."""
        claims = {key: asked.pop(key) for key in ("divisions",) if key in asked}
        items: list[dict[str, Any]] = []
        while True:
            answer = await self.get(f"/v1/plan/{of}/{code}/lineage", asked, **claims)
            assert answer.status_code == 200, answer.text
            items += answer.json()["items"]
            if answer.json()["next_cursor"] is None:
                return items
            asked["cursor"] = answer.json()["next_cursor"]


def sums(items: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """The amounts of a lineage by measure."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in items:
        found[one["measure"]] += Decimal(one["amount"])
    return dict(found)


def spread(total: int, parts: int) -> Sequence[int]:
    """Whole numbers that add up to `total`."""
    whole, rest = divmod(total, parts)
    return [whole + (number < rest) for number in range(parts)]
