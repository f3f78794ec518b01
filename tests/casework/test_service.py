"""A case and its steps: one transaction each, state and event and audit together."""

import asyncio
import json
from datetime import date, timedelta
from uuid import UUID

import pytest

from casework import reckoning, repository, service
from casework.models import CaseFile, CaseStep
from casework.service import crowded, limits_of
from chassis.database import Database
from chassis.jobs import JobRunner
from chassis.migrate import downgrade, drift, lineages, upgrade
from contracts.places import place_units
from suite.postgres import Postgres
from tests.casework.conftest import CLERK, DECIDER, Permits
from tests.casework.toy_matter import EVENT, MATTER, OTHER_SIDE, SERVICE, SIDE, ToyCase
from tests.support.services import fresh_databases


def database(permits: Permits) -> Database:
    return permits.running.runtime.database


async def last_event(permits: Permits) -> ToyCase:
    return ToyCase.model_validate((await permits.events())[-1].data)


class TestAdvance:
    async def test_a_case_goes_its_way_and_each_step_is_an_event_in_order(
        self, permits: Permits
    ) -> None:
        case = await permits.granted()
        await permits.steps(case, "deliver")
        events = await permits.events()
        verbs = [one.type.split(".")[-2] for one in events]
        assert verbs == [*("opened", "accepted", "publicised", "forwarded", "decided", "delivered")]
        assert [one.sequence for one in events] == [1, 2, 3, 4, 5, 6]
        last = ToyCase.model_validate(events[-1].data)
        assert [(one.from_, one.state) for one in last.periods] == [
            (date(2025, 3, 3), "publicised"),
            (date(2025, 3, 12), "closed"),
        ]
        assert (last.accepted_on, last.decided_on, last.closed_on) == (
            date(2025, 3, 3),
            date(2025, 3, 12),
            date(2025, 3, 12),
        )
        assert last.outcome == "granted"
        row = await permits.row(case)
        assert (row["version"], row["ended"], row["state"]) == (6, "granted", "closed")

    async def test_a_step_that_the_table_lacks_is_refused_with_what_is_possible(
        self, permits: Permits
    ) -> None:
        case = await permits.open()
        refused = await permits.step(case, "decide", by=DECIDER)
        assert refused.status_code == 409
        problem = refused.json()
        assert problem["type"] == "urn:minzheng:problem:case-state"
        assert problem["detail"] == (
            "现在处于“已提交”，不能“决定”；可以：“一次性告知”、“受理”、“撤回”"
        )
        assert len(await permits.events()) == 1

    async def test_who_accepted_does_not_decide(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept publicise")
        permits.running.at("2025-03-12")
        await permits.steps(case, "publicity_closed")
        refused = await permits.step(case, "decide", by=CLERK)
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:minzheng:problem:four-eyes"
        assert "受理" in refused.json()["detail"]
        assert (await permits.row(case))["state"] == "awaiting"

    async def test_a_return_needs_its_reason_which_is_kept_sealed(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept publicise")
        permits.running.at("2025-03-12")
        await permits.steps(case, "publicity_closed")
        refused = await permits.step(case, "return", by=DECIDER, reason="  ")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/reason")
        told = "请补充张三丰的收入"
        assert (await permits.step(case, "return", by=DECIDER, reason=told)).status_code == 200
        (step,) = await permits.running.rows("SELECT * FROM case_step WHERE name = 'return'")
        assert told.encode() not in step["reason"]
        history = (await permits.get(f"cases/{case}/history")).json()["items"]
        assert history[-1]["reason"] == told
        assert (history[-1]["from"], history[-1]["to_title"]) == ("awaiting", "已受理")
        read = ("read case_step.reason", case)
        assert read in await permits.audited()
        assert ("case.history", case) in await permits.audited()

    async def test_a_step_that_stays_does_not_enter_the_state_again(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept")
        permits.running.at("2025-03-05")
        answer = await permits.step(case, "note", flags=["near_relative"])
        assert answer.status_code == 200
        row = await permits.row(case)
        assert (row["state"], row["entered_on"]) == ("accepted", date(2025, 3, 3))
        assert row["flags"] == ["near_relative"]

    async def test_the_scope_of_the_step_is_asked_for(self, permits: Permits) -> None:
        case = await permits.open()
        assert (await permits.step(case, "accept", scopes="read decide")).status_code == 403

    async def test_two_at_once_take_one_step(self, permits: Permits) -> None:
        case = await permits.open()
        headers = permits.headers() | {"If-Match": await permits.version(case)}
        url = f"/v1/toy/permits/{case}/accept"
        answers = await asyncio.gather(
            *(permits.running.http.post(url, json={}, headers=headers) for _ in range(2))
        )
        assert sorted(one.status_code for one in answers) == [200, 412]

    async def test_what_fails_after_the_step_leaves_nothing(self, permits: Permits) -> None:
        case = await permits.open()

        async def broken() -> None:
            async with database(permits).transaction(
                actor=CLERK, organisation="镇", units=[SIDE]
            ) as session:
                found = await repository.find(session, [SIDE], UUID(case), lock=True)
                assert found is not None
                await service.advance(session, found, MATTER, "accept", event=EVENT)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await broken()
        assert (await permits.row(case))["state"] == "submitted"
        assert len(await permits.events()) == 1
        assert ("case.accept", case) not in await permits.audited()

    async def test_each_step_is_audited_with_actor_and_organisation(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept")
        rows = await permits.running.rows(
            "SELECT actor, organisation FROM chassis.audit_entry WHERE action = 'case.accept'"
        )
        assert [(row["actor"], row["organisation"]) for row in rows] == [(CLERK, "渝北区民政局")]
        (step,) = await permits.running.rows("SELECT * FROM case_step WHERE name = 'accept'")
        assert (step["actor"], step["organisation"]) == (CLERK, "渝北区民政局")


class TestClock:
    async def test_limits_are_fixed_at_acceptance_and_the_nearest_is_kept(
        self, permits: Permits
    ) -> None:
        case = await permits.open()
        assert (await permits.row(case))["due_on"] is None
        await permits.steps(case, "accept")
        row = await permits.row(case)
        assert row["due_on"] == date(2025, 3, 6)  # three working days for the survey
        assert set(json.loads(row["limits"])["steps"]) == {"accepted", "granted"}
        shown = (await permits.get(f"cases/{case}")).json()
        assert shown["clock"]["due"] == "2025-04-15"
        assert shown["step_clock"]["due"] == "2025-03-06"
        assert shown["clock"]["source"] == "玩具条例第一条"

    async def test_publicity_that_the_source_leaves_out_pauses_the_case(
        self, permits: Permits
    ) -> None:
        case = await permits.open()
        await permits.steps(case, "accept publicise")
        assert (await permits.row(case))["paused"]
        permits.running.at("2025-03-10")
        assert (await permits.get(f"cases/{case}")).json()["clock"]["light"] == "paused"
        permits.running.at("2025-03-20")
        assert (await permits.get(f"cases/{case}")).json()["clock"]["light"] == "green"
        await permits.steps(case, "publicity_closed")
        row = await permits.row(case)
        # Its own seven days, 4 to 10 March, held five working days; that it hung on moves nothing.
        assert (row["paused"], row["due_on"]) == (False, date(2025, 4, 22))

    async def test_after_the_decision_only_the_delivery_has_a_limit(self, permits: Permits) -> None:
        case = await permits.granted()
        assert (await permits.row(case))["due_on"] == date(2025, 3, 17)
        shown = (await permits.get(f"cases/{case}")).json()
        assert shown["clock"]["stopped_on"] == "2025-03-12"
        assert (await last_event(permits)).due_on == date(2025, 4, 22)
        await permits.steps(case, "deliver")
        assert (await permits.row(case))["due_on"] is None

    async def test_a_limit_is_prolonged_once(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept prolong")
        shown = (await permits.get(f"cases/{case}")).json()
        assert (shown["clock"]["count"], shown["prolonged"]) == (45, "hard_survey")
        again = await permits.step(case, "prolong", by=DECIDER)
        assert (again.status_code, again.json()["type"]) == (
            409,
            "urn:minzheng:problem:case-prolonged",
        )
        assert (await permits.events())[-1].type.endswith(".prolonged.v1")

    def test_a_case_that_went_to_and_fro_can_still_be_ended_and_told_of(self) -> None:
        def went(times: int) -> list[CaseStep]:
            return [
                CaseStep(
                    on_day=date(2025, 3, 3) + timedelta(days=day),
                    target=("accepted", "awaiting")[day % 2],
                    responsible=SIDE,
                )
                for day in range(times)
            ]

        assert not crowded(went(390))
        assert crowded(went(391))
        steps = went(390)
        assert not crowded([*steps, steps[-1]])  # a note begins no period
        file = CaseFile(
            id=UUID(int=1), matter="permit", number="1", opened_on=date(2025, 3, 3), limits={}
        )
        assert len(EVENT(file, went(400)).model_dump()["periods"]) == 400

    async def test_a_provisional_day_is_reckoned_anew(self, permits: Permits) -> None:
        permits.running.at("2031-09-01")
        case = await permits.open()
        await permits.steps(case, "accept")
        assert (await permits.row(case))["provisional"]
        async with database(permits).transaction(actor="job:1", units=[SIDE]) as session:
            (found,) = await repository.unsettled(session)
            found.due_on = None
            await service.recompute(session, found, date(2031, 9, 2))
            assert found.due_on == date(2031, 9, 4)
            assert limits_of(found).total is not None

    async def test_the_daily_job_reckons_provisional_days_anew(self, permits: Permits) -> None:
        permits.running.at("2031-09-01")
        case = await permits.open()
        await permits.steps(case, "accept")
        due = (await permits.row(case))["due_on"]
        await permits.running.rows("UPDATE case_file SET due_on = NULL")
        runtime = permits.running.runtime
        runner = JobRunner(
            runtime.database,
            {reckoning.KIND: reckoning.daily()},
            runtime.places.everywhere,
            daily=(reckoning.KIND,),
        )
        await runner.plan_days()
        assert await runner.run_one()
        assert (await permits.row(case))["due_on"] == due

    async def test_withdrawn_is_no_decision(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept withdraw")
        row = await permits.row(case)
        assert (row["decided_on"], row["closed_on"], row["ended"]) == (
            None,
            date(2025, 3, 3),
            "withdrawn",
        )


class TestHandOver:
    async def test_a_case_that_moves_takes_all_its_rows_along(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "tell corrected accept")
        permits.running.at("2025-03-04")
        moved = await permits.step(case, "move", data={"unit": str(OTHER_SIDE)})
        assert moved.status_code == 200
        assert (await permits.row(case))["unit_id"] == OTHER_SIDE
        for table in ("case_step", "case_correction"):
            units = await permits.running.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - two names of our own
            assert [row["unit_id"] for row in units] == [OTHER_SIDE]
        periods = (await last_event(permits)).periods
        assert [(one.unit, one.state) for one in periods] == [
            (SIDE, "accepted"),
            (OTHER_SIDE, "accepted"),
        ]

    async def test_the_old_town_no_longer_sees_it(self, permits: Permits) -> None:
        case = await permits.open()
        await permits.steps(case, "accept")
        old = {"divisions": [code_of(SIDE)]}
        assert (await permits.get(f"cases/{case}", **old)).status_code == 200
        await permits.step(case, "move", data={"unit": str(OTHER_SIDE)})
        assert (await permits.get(f"cases/{case}", **old)).status_code == 404
        new = {"divisions": [code_of(OTHER_SIDE)]}
        assert (await permits.get(f"cases/{case}", **new)).status_code == 200


async def test_a_case_has_its_number_for_ever(permits: Permits) -> None:
    first, second = await permits.open(), await permits.open()
    numbers = [(await permits.row(case))["number"] for case in (first, second)]
    assert numbers[0].startswith("50011220250303TOY")
    assert len(set(numbers)) == 2


async def test_no_row_of_a_case_is_seen_without_its_unit(permits: Permits) -> None:
    case = await permits.granted()
    tables = ("case_file", "case_step", "case_publicity", "case_document")
    for units, seen in (([SIDE], True), ([OTHER_SIDE], False), (None, False)):
        async with database(permits).transaction(actor=CLERK, units=units) as session:
            connection = await session.connection()
            for table in tables:
                count = await connection.exec_driver_sql(f"SELECT count(*) FROM {table}")  # noqa: S608 - names of our own
                assert (count.scalar_one() > 0) == seen, (table, units)
    assert case


async def test_the_migrated_tables_are_the_models(postgres: Postgres) -> None:
    databases = await fresh_databases(postgres, SERVICE)
    assert await drift(SERVICE, databases.owner) == []
    (casework,) = (one for one in lineages(SERVICE) if one.name == "casework")
    await downgrade(databases.owner, casework)
    await upgrade(databases.owner, casework, "casetoy_template_app")
    assert await drift(SERVICE, databases.owner) == []


def code_of(unit: int) -> str:
    assert any(one.id == unit for one in place_units())
    return str(unit)
