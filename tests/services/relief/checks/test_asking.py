"""核对: one request per authorised member and source, as jobs (民发〔2021〕57号 art. 17; C2)."""

import asyncio
import json
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.jobs import Job, JobHandler, JobRunner, Record
from chassis.problems import Conflict
from services.relief.checks import service
from services.relief.checks.service import NotAuthorised
from services.relief.households import repository as households
from tests.services.relief.checks.checking import NUMBER, Checking
from tests.services.relief.households.family import CHILD, NAMES, SELF, WIFE, family, number
from tests.support.departments import OtherSide

DEPOSIT = [{"kind": "deposit", "amount": "25000.00"}]
SOURCES_OF_2025 = {
    *("household_register", "tax", "social_insurance", "real_estate", "companies"),
    *("housing_fund", "vehicles", "bank", "insurance", "securities", "internet_finance"),
    *("marriage", "funeral"),
}
SUPPORTER = {"name": "诸葛远山", "document_number": number("1955-01-02", 7), "relation": "parent"}


async def test_c2_one_request_per_member_and_source_each_with_a_job(checking: Checking) -> None:
    check = await checking.start(family())
    report = await checking.report(check)
    asked = [(line["member"], line["source"]) for line in report["lines"]]
    assert len(asked) == len(set(asked)) == 3 * len(SOURCES_OF_2025)
    assert {source for _, source in asked} == SOURCES_OF_2025
    jobs = await checking.relief.rows("SELECT key FROM chassis.job WHERE kind = 'relief.check'")
    assert {row["key"] for row in jobs} == {
        f"relief.check:{line['request']}:1" for line in report["lines"]
    }
    assert (report["state"], len(report["missing"])) == ("open", len(asked))


async def test_art_17_the_check_is_due_to_start_three_working_days_after_the_request(
    checking: Checking,
) -> None:
    checking.relief.at("2025-09-29")
    report = await checking.report(await checking.start())
    assert report["requested_on"] == report["started_on"] == "2025-09-29"
    assert report["due_on"] == "2025-10-10"  # National Day and Mid-Autumn are off until the eighth


async def test_a_start_that_fails_leaves_neither_requests_nor_jobs(checking: Checking) -> None:
    household, case = await checking.clerk.create(family(SELF)), await checking.case()
    with pytest.raises(RuntimeError):
        await start_and_fail(checking, household, case)
    for table in ("economic_check", "check_request", "chassis.job"):
        assert not await checking.relief.rows(f"SELECT 1 FROM {table}")  # noqa: S608 - of a literal


async def start_and_fail(checking: Checking, household: UUID, case: UUID) -> None:
    async with checking.clerk.transaction() as session:
        await service.start(
            session,
            case_id=case,
            household_id=household,
            unit=checking.clerk.units[0],
            members=await households.members_of(session, household),
        )
        raise RuntimeError


@pytest.mark.parametrize(
    ("source", "behaviour", "status", "note"),
    [
        ("bank", {"behaviour": "answer", "items": DEPOSIT}, "returned", ""),
        ("bank", {"behaviour": "none"}, "none", ""),
        ("tax", {"behaviour": "refuse"}, "failed", "对方拒绝查询"),
        ("tax", {"behaviour": "fail"}, "asked", "对方系统故障"),
        ("tax", {"behaviour": "timeout", "after_seconds": 2}, "asked", "未在时限内应答"),
        ("tax", {"behaviour": "late", "after_seconds": 3600}, "asked", "对方稍后答复"),
    ],
)
async def test_c2_the_report_says_of_each_source_how_it_answered(
    checking: Checking,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    behaviour: dict[str, object],
    status: str,
    note: str,
) -> None:
    monkeypatch.setenv("MINZHENG_DEPARTMENTS_TIMEOUT", "1")
    checking.other.script(source, NUMBER, **behaviour)  # type: ignore[arg-type]
    check = await checking.start()
    await checking.run()
    line = await checking.line(check, source)
    assert (line["status"], line["note"], line["attempts"]) == (status, note, 1)
    answered = status in {"returned", "none"}
    assert (line["data_day"] == "2025-03-03") is answered
    assert (line["answered_at"] is not None) is answered
    report = await checking.report(check)
    assert [one["source"] for one in report["missing"]] == ([] if answered else [source])
    assert report["state"] == ("complete" if answered else "open")
    async with checking.clerk.transaction() as session:
        missing = await service.missing_of(session, UUID(report["case"]))
    assert [source for _, source in missing] == [one["source"] for one in report["missing"]]


async def test_what_is_returned_is_shown_with_its_data_day_and_sealed_at_rest(
    checking: Checking,
) -> None:
    checking.other.script("bank", NUMBER, "answer", items=DEPOSIT, data_day="2025-02-28")
    check = await checking.start()
    await checking.run()
    line = await checking.line(check, "bank")
    assert line["data_day"] == "2025-02-28"
    assert [(item["kind"], item["amount"]) for item in line["items"]] == [("deposit", "25000.00")]
    (row,) = await checking.relief.rows(
        "SELECT answer FROM check_request WHERE answer IS NOT NULL AND source = 'bank'"
    )
    assert b"deposit" not in row["answer"]
    read = await checking.relief.rows(
        "SELECT subject, purpose FROM chassis.audit_entry"
        " WHERE action = 'read check_request.answer'"
    )
    ((person,),) = await checking.relief.rows("SELECT person::text FROM household_member")
    said = f"{service.READING}（核对 {check}，{len(SOURCES_OF_2025)} 项答复）"
    assert [tuple(entry) for entry in read] == [(person, said)]


async def test_c2_purpose_basis_and_authorisation_go_with_each_query_into_audit_and_record(
    checking: Checking,
) -> None:
    check = await checking.start()
    await checking.run()
    line = await checking.line(check, "bank")
    (sent,) = checking.other.queries("bank")
    report = await checking.report(check)
    assert sent["request_id"] == line["request"]
    assert sent["document_number"] == NUMBER
    assert sent["purpose"] == "最低生活保障申请家庭经济状况核对"
    assert sent["legal_basis"] == report["legal_basis"]
    assert "民发〔2021〕57号第十七条" in sent["legal_basis"]
    assert sent["authorisation"] == f"核对授权书 2021 版（2025-03-03，{line['member']}）"
    (entry,) = await checking.relief.rows(
        "SELECT * FROM chassis.audit_entry WHERE action = 'relief.check.queried' AND subject = $1",
        line["request"],
    )
    for said in (sent["purpose"], sent["legal_basis"], sent["authorisation"]):
        assert said in entry["purpose"]
    answer = await checking.get(check, f"/requests/{line['request']}/exchanges")
    (kept,) = answer.json()["items"]
    assert kept["requester"] == "checker-1"
    assert kept["organisation"] == sent["requester"] == "渝北区民政局"
    assert kept["case_number"] == sent["case_number"] == report["case_number"]
    assert (kept["outcome"], len(kept["digest"])) == ("none", 64)
    assert kept["ended_at"] is not None


async def test_from_2026_07_01_the_basis_is_art_41_of_the_law(checking: Checking) -> None:
    checking.relief.at("2026-07-01")
    report = await checking.report(await checking.start())
    assert "社会救助法" in report["legal_basis"]
    assert "第四十一条" in report["legal_basis"]


async def test_c2_a_member_who_did_not_authorise_cannot_be_asked_about(checking: Checking) -> None:
    without = WIFE | {"check_authorised": False}
    with pytest.raises(NotAuthorised) as refused:
        await checking.start(family(SELF, without))
    assert "尚未授权核对" in refused.value.detail
    assert NAMES[1] not in refused.value.detail
    assert not await checking.relief.rows("SELECT 1 FROM check_request")


@pytest.mark.parametrize(
    ("day", "consent", "asked"),
    [
        ("2026-06-30", False, True),
        ("2026-07-01", False, False),
        ("2026-07-01", True, True),
    ],
)
async def test_law_41_a_supporter_outside_the_household_only_with_consent_from_2026_07_01(
    checking: Checking, day: str, consent: bool, asked: bool
) -> None:
    checking.relief.at(day)
    stated = {"consented_on": day, "consent_document": "同意书 2026 版"} if consent else {}
    household = family(SELF, supporters=[SUPPORTER | stated])
    if not asked:
        with pytest.raises(NotAuthorised):
            await checking.start(household)
        return
    check = await checking.start(household)
    await checking.run()
    report = await checking.report(check)
    theirs = [line for line in report["lines"] if line["role"] == "supporter"]
    assert {line["status"] for line in theirs} == {"none"}
    bodies = checking.other.queries("bank")
    (sent,) = [one for one in bodies if one["document_number"] == SUPPORTER["document_number"]]
    assert ("同意书 2026 版" in sent["authorisation"]) is consent


async def test_who_has_no_document_is_said_to_be_unanswerable_not_poor(checking: Checking) -> None:
    newborn = {key: value for key, value in CHILD.items() if key != "document_number"}
    check = await checking.start(family(SELF, newborn | {"document_kind": None}))
    await checking.run()
    report = await checking.report(check)
    failed = [line for line in report["lines"] if line["status"] == "failed"]
    assert len(failed) == len(SOURCES_OF_2025) == len(report["missing"])
    assert {line["note"] for line in failed} == {"没有可供查询的证件号码"}
    assert len(checking.other.asked) == len(SOURCES_OF_2025)


async def test_without_the_other_side_requests_stay_asked_and_the_report_says_not_connected(
    checking: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINZHENG_DEPARTMENTS_URL", "")
    """It was asked for in time (57号 art. 17) and begins when somebody can be asked."""
    check = await checking.start()
    await checking.run()
    checking.relief.at("2025-04-30")
    await checking.run()
    report = await checking.report(check)
    assert {(line["status"], line["note"]) for line in report["lines"]} == {("asked", "未接入")}
    assert (report["requested_on"], report["started_on"]) == ("2025-03-03", None)
    monkeypatch.setenv("MINZHENG_DEPARTMENTS_URL", checking.other.url)
    checking.relief.at("2025-04-30", "12:00")
    await checking.run()
    report = await checking.report(check)
    assert (report["state"], report["missing"]) == ("complete", [])
    assert report["started_on"] == "2025-04-30"


async def test_the_call_is_made_with_no_transaction_open(checking: Checking) -> None:
    checking.other.script("bank", NUMBER, "timeout", after_seconds=1.5)
    await checking.start()
    running = asyncio.create_task(checking.run())
    while not checking.other.queries("bank"):  # noqa: ASYNC110 - it happens in another thread
        await asyncio.sleep(0.02)
    rows = await checking.relief.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'relief' AND state LIKE 'idle in transaction%'"
    )
    await running
    assert rows == []


def dying_before_it_records(handler: JobHandler) -> JobHandler:
    """As after kill -9 between the call and the record: nothing of the latter is committed."""
    died: set[str] = set()

    async def handle(job: Job) -> Record:
        record = await handler(job)

        async def recorded(session: AsyncSession) -> None:
            await record(session)
            if job.key not in died:
                died.add(job.key)
                raise RuntimeError

        return recorded

    return handle


async def test_killed_between_call_and_record_the_same_request_is_asked_and_recorded_once(
    checking: Checking,
) -> None:
    checking.other.script("bank", NUMBER, "answer", items=DEPOSIT)
    runtime = checking.relief.runtime
    handlers = {kind: dying_before_it_records(one) for kind, one in checking.jobs.handlers.items()}
    checking.runner = JobRunner(runtime.database, handlers, runtime.places.everywhere)
    check = await checking.start()
    await checking.run()
    assert (await checking.line(check, "bank"))["status"] == "asked"
    checking.relief.at("2025-03-04")
    await checking.run_again()
    line = await checking.line(check, "bank")
    assert (line["status"], line["attempts"]) == ("returned", 2)
    assert line["data_day"] == "2025-03-03"  # as the source answered the request at first
    first, second = checking.other.queries("bank")
    assert first["request_id"] == second["request_id"] == line["request"]
    kept = (await checking.get(check, f"/requests/{line['request']}/exchanges")).json()["items"]
    assert [(one["outcome"], one["ended_at"] is None) for one in kept] == [
        ("", True),
        ("returned", False),
    ]
    told = await checking.relief.rows(
        "SELECT 1 FROM chassis.audit_entry WHERE action = 'relief.check.answered' AND subject = $1",
        line["request"],
    )
    assert len(told) == 1


async def test_several_workers_ask_each_source_once(checking: Checking) -> None:
    await checking.start(family())

    async def finish(one: JobRunner) -> None:
        while await one.run_one():
            pass

    async with asyncio.TaskGroup() as workers:
        for _ in range(4):
            workers.create_task(finish(checking.new_runner()))
    sent = [body["request_id"] for _, _, body in checking.other.asked]
    assert len(sent) == len(set(sent)) == 3 * len(SOURCES_OF_2025)


async def test_a_second_check_of_a_case_waits_for_the_first_ones_report(
    checking: Checking,
) -> None:
    household, case = await checking.clerk.create(family(SELF)), await checking.case()
    check = await checking.start(case=case, household=household)
    with pytest.raises(Conflict):
        await checking.start(case=case, household=household)
    await checking.run()
    await checking.closed(check)
    again = await checking.start(case=case, household=household)
    async with checking.clerk.transaction() as session:
        latest = await service.latest(session, case)
        assert len(await service.missing_of(session, case)) == len(SOURCES_OF_2025)
    assert latest is not None
    assert latest.id == again


async def test_two_clerks_starting_at_once_start_one(checking: Checking) -> None:
    household, case = await checking.clerk.create(family(SELF)), await checking.case()
    results = await asyncio.gather(
        *(checking.start(case=case, household=household) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, UUID) for one in results) == 1
    assert len(await checking.relief.rows("SELECT 1 FROM economic_check")) == 1


async def test_sources_down_for_a_day_the_check_stays_open_and_is_answered_when_they_come_back(
    checking: Checking, other: OtherSide
) -> None:
    check = await checking.start()
    other.stop()
    try:
        await checking.run()
        checking.relief.at("2025-03-04", "09:59")
        await checking.run_again()
        lines = (await checking.report(check))["lines"]
        assert {(line["status"], line["note"]) for line in lines} == {("asked", "无法连接")}
        assert {line["attempts"] for line in lines} == {2}
        assert (await checking.post(check, "/close")).status_code == 409
    finally:
        other.start()
    other.script("*", "*", "none")
    await checking.run_again()
    report = await checking.report(check)
    assert {line["status"] for line in report["lines"]} == {"none"}
    assert {line["note"] for line in report["lines"]} == {""}
    assert report["state"] == "complete"


@pytest.mark.parametrize(
    ("behaviour", "status"), [("fail", "failed"), ("timeout", "timeout"), ("late", "timeout")]
)
async def test_after_the_hours_of_the_parameter_a_silent_source_is_given_up(
    checking: Checking, monkeypatch: pytest.MonkeyPatch, behaviour: str, status: str
) -> None:
    if behaviour == "timeout":  # who answers at all has time on a busy machine
        monkeypatch.setenv("MINZHENG_DEPARTMENTS_TIMEOUT", "0.5")
    checking.other.script("tax", NUMBER, behaviour, after_seconds=1 if behaviour != "late" else 9e6)
    check = await checking.start()
    await checking.run()
    checking.relief.at("2025-03-06", "09:59")  # 72 hours but a minute
    await checking.run_again()
    assert (await checking.line(check, "tax"))["status"] == "asked"
    checking.relief.at("2025-03-07", "10:00")
    await checking.run_again()
    assert (await checking.line(check, "tax"))["status"] == status
    assert not await checking.relief.rows("SELECT 1 FROM chassis.job WHERE done_at IS NULL")


async def test_a_promised_answer_is_fetched_when_it_was_promised_by_the_clock(
    checking: Checking,
) -> None:
    checking.other.script("tax", NUMBER, "late", after_seconds=1800)
    check = await checking.start()
    await checking.run()
    line = await checking.line(check, "tax")
    checking.other.script("tax", NUMBER, "answer", items=[{"kind": "wage", "amount": "1500.00"}])
    checking.relief.at("2025-03-03", "10:29")
    await checking.run()
    assert (await checking.line(check, "tax"))["status"] == "asked"
    checking.relief.at("2025-03-03", "10:31")
    await checking.run()
    assert (await checking.line(check, "tax"))["status"] == "returned"
    path = f"/v1/sources/tax/queries/{line['request']}"
    assert [(method, at) for method, at, _ in checking.other.asked if "tax" in at] == [
        ("POST", "/v1/sources/tax/queries"),
        ("GET", path),
    ]


async def test_a_source_that_forgot_its_promise_is_put_the_same_request_again(
    checking: Checking,
) -> None:
    checking.other.script("tax", NUMBER, "late", after_seconds=60)
    check = await checking.start()
    await checking.run()
    checking.other.forget()
    checking.other.script("*", "*", "none")
    checking.relief.at("2025-03-03", "10:05")
    await checking.run()
    line = await checking.line(check, "tax")
    assert line["status"] == "none"
    (sent,) = checking.other.queries("tax")
    assert sent["request_id"] == line["request"]


async def test_one_source_that_hangs_does_not_hold_up_the_others(
    checking: Checking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source `bank` comes first in the queue of each member and never answers."""
    monkeypatch.setenv("MINZHENG_DEPARTMENTS_TIMEOUT", "5")
    checking.other.script("bank", "*", "timeout", after_seconds=6)
    check = await checking.start(family())
    forever = asyncio.create_task(checking.runner.run(at_once=4))
    try:
        async with asyncio.timeout(60):
            while await waiting_for_others(checking):  # noqa: ASYNC110 - it stands in a database
                await asyncio.sleep(0.05)
    finally:
        forever.cancel()
        await asyncio.gather(forever, return_exceptions=True)
    lines = (await checking.report(check))["lines"]
    assert {line["status"] for line in lines if line["source"] == "bank"} == {"asked"}
    assert {line["status"] for line in lines if line["source"] != "bank"} == {"none"}


async def waiting_for_others(checking: Checking) -> bool:
    rows = await checking.relief.rows(
        "SELECT 1 FROM check_request WHERE status = 'asked' AND source <> 'bank'"
    )
    return bool(rows)


async def test_no_number_and_no_name_in_any_clear_column_job_audit_or_log_line(
    checking: Checking, capfd: pytest.CaptureFixture[str]
) -> None:
    checking.other.script("bank", NUMBER, "fail")
    checking.other.script("tax", NUMBER, "refuse")
    check = await checking.start()
    await checking.run()
    checking.relief.at("2025-03-06")
    await checking.on_line(check, "bank", "acceptance", {"reason": f"{NAMES[0]}已提交流水"})
    await checking.on_line(check, "tax", "acceptance", {"reason": f"{NUMBER}无单位"})
    await checking.closed(check)
    tables = ("economic_check", "check_request", "check_exchange", "chassis.job")
    for table in (*tables, "chassis.audit_entry", "chassis.outbox"):
        rows = await checking.relief.rows(f"SELECT row_to_json(t) AS row FROM {table} t")  # noqa: S608 - of literals
        assert rows or table == "chassis.outbox"
        dump = json.dumps([row["row"] for row in rows], ensure_ascii=False)
        assert NUMBER not in dump
        assert NAMES[0] not in dump
        assert "流水" not in dump
    said = capfd.readouterr()
    assert "/v1/sources/{source}/queries" in said.out
    assert NUMBER not in said.out + said.err
    assert NAMES[0] not in said.out + said.err


async def test_a_household_that_moves_takes_its_checks_along(checking: Checking) -> None:
    check = await checking.start()
    await checking.run()
    case = UUID((await checking.report(check))["case"])
    new = 500112144000
    async with checking.clerk.transaction(units=[*checking.clerk.units, new]) as session:
        await service.hand_over(session, case, new)
    assert (await checking.get(check)).status_code == 404
    for table in ("economic_check", "check_request", "check_exchange"):
        rows = await checking.relief.rows(f"SELECT DISTINCT unit_id FROM {table}")  # noqa: S608 - of literals
        assert [row["unit_id"] for row in rows] == [new]


def test_the_days_of_the_sources_are_those_of_the_law() -> None:
    law = service.parameters.rules.law_on(date(2025, 3, 3), service.seed().rows)
    assert law.codes(service.SOURCES).value == SOURCES_OF_2025


@pytest.mark.parametrize("connected", [True, False])
async def test_of_a_case_that_has_ended_no_source_is_asked_any_more(
    checking: Checking, monkeypatch: pytest.MonkeyPatch, connected: bool
) -> None:
    if not connected:
        monkeypatch.setenv("MINZHENG_DEPARTMENTS_URL", "")
    case = await checking.case()
    check = await checking.start(case=case)
    await checking.relief.rows("UPDATE case_file SET closed_on = '2025-03-03' WHERE id = $1", case)
    await checking.run()
    assert checking.other.asked == []
    lines = (await checking.report(check))["lines"]
    assert {(line["status"], line["note"]) for line in lines} == {
        ("failed", "办件已经终结，不再查询")
    }
    waiting = await checking.relief.rows("SELECT 1 FROM chassis.job WHERE done_at IS NULL")
    assert waiting == []
    for action, asked in (("retry", None), ("acceptance", {"reason": "无妨"})):
        answer = await checking.on_line(check, "bank", action, asked)
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "urn:minzheng:problem:case-ended",
        )
    assert (await checking.post(check, "/close")).status_code == 409
