"""Marked persons planted through every door of a service: they stand nowhere in clear."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from chassis.relay import publish_once
from chassis.telemetry import metrics
from contracts.topics import TOPICS
from suite.broker import Broker
from suite.postgres import Postgres
from tests.faults.conftest import app_of, running_whole
from tests.faults.worlds import SCOPES, World
from tests.services.relief.applications import window as counter
from tests.services.relief.applications.window import Case, Window
from tests.support.buses import quick_bus
from tests.support.departments import OtherSide
from tests.support.marks import (
    NUMBERS,
    PERSON,
    Planted,
    Planting,
    dumped,
    free_texts,
    leaves,
    pattern_of,
)
from tests.support.services import DISTRICT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("worlds")]

BUREAU: dict[str, str] = {"who": "decider", "division": DISTRICT}
TOLD = "待替换的说明"
PUBLIC_PARTS = {"document", "source", "authorisation", "consent_document", "purpose"}
"""Titles of papers, and why somebody looks: in clear, so no person may be written there."""
PUBLIC_ROUTES = ("/standards", "/parameters", "/authorities")
"""Of relief: what is published for everybody. All that the other services take is."""


def is_public(operation: str, pointer: str) -> bool:
    if pointer.rsplit("/", 1)[-1] in PUBLIC_PARTS or "/v1/relief/" not in operation:
        return True
    return any(f"/v1/relief{part}" in operation for part in PUBLIC_ROUTES)


@dataclass
class Marked:
    """A service whose every door has taken marked persons, and all that it has said."""

    window: Window
    planted: Planted
    said: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def marked(
    postgres: Postgres, departments: OtherSide, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Marked]:
    folder = tmp_path_factory.mktemp("marked")
    async with running_whole(postgres, "relief", folder, {}) as relief:
        document = (await World(relief, "", "", {}).describe()).document
        fields = {
            (one.operation, one.pointer): one
            for one in free_texts(document)
            if not is_public(one.operation, one.pointer)
        }
        planted = Planted(fields)
        transport = httpx.ASGITransport(app_of(relief), raise_app_exceptions=False)
        async with Planting(
            planted, document.operations(), transport=transport, base_url="http://service"
        ) as http:
            window = Window(replace(relief, http=http), departments)
            try:
                with pytest.MonkeyPatch.context() as patch:
                    heard = Heard()
                    patch.setattr("sys.stdout", heard)
                    patch.setattr("sys.stderr", heard)
                    await whole_life(window)
                    await refusals(window)
                yield Marked(window, planted, "".join(heard.parts))
            finally:
                await window.jobs.close()
                departments.forget()
                departments.script("*", "*", "none")


class Heard:
    """Everything that the process prints."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        self.parts.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""


# --- doors that take -----------------------------------------------------------------------------


async def whole_life(window: Window) -> None:
    """Every step that takes a word about a person, once."""
    window.relief.at("2021-06-03")
    await window.set_standards()
    await window.ask_two_sources()
    await appraised_by_the_community(window)
    window.relief.at("2025-03-03")
    await declared_at_length(window)
    await contested(window)
    await objected(window)
    await returned_and_moved(window)
    await awarded(window)
    await checked_with_a_gap(window)
    await looked_up(window)


def one(sequence: int, **changes: Any) -> dict[str, Any]:
    return counter.body(counter.applicant(sequence=sequence), **changes)


async def appraised_by_the_community(window: Window) -> None:
    case = await window.surveyed(one(11))
    await window.done(case, "appraisal", {"held_on": "2021-06-08"}, who="opiner")
    window.relief.at("2021-06-08")
    held = {"held_on": "2021-06-08", "participants": 9, "outcome": TOLD, "disputed": False}
    await window.done(case, "appraisal-record", held, who="opiner")


RELATIVE = {"of": "staff", "relation": TOLD, "organisation": TOLD}


async def declared_at_length(window: Window) -> None:
    applicant = counter.applicant(sequence=12, phone="13800139988", near_relative=RELATIVE)
    applicant["incomes"] = [{"kind": "imputed", "amount": "300", "reason": TOLD}]
    supporter = {
        "relation": "child",
        "name": "诸葛远望",
        "document_number": counter.number("1995-01-02", 13),
        "consented_on": "2025-03-01",
        "consent_document": "核对同意书",
    }
    household = {
        "properties": [{"kind": "deposit", "amount": "10.00", "reason": TOLD}],
        "consumptions": [{"kind": "utilities", "on": "2025-01-02", "amount": "9", "reason": TOLD}],
        "supporters": [supporter],
    }
    case = await window.accepted(counter.body(applicant, household=household))
    member = (await window.file(case))["household"]["members"][0]["id"]
    relatives = {"relatives": [{**RELATIVE, "member": member}]}
    await window.done(case, "near-relatives", relatives)
    told = {"received_on": "2025-03-03", "content": TOLD}
    await window.done(case, "complaints", told)
    await household_told(window, case, member)
    await window.done(case, "withdraw", {"reason": TOLD})


async def household_told(window: Window, case: Case, member: str) -> None:
    url = f"/v1/relief/households/{(await window.file(case))['household']['id']}"
    newcomer = counter.member("", "child", "2015-02-03", 14)
    newcomer |= {
        "phone": "13800139977",
        "near_relative": RELATIVE,
        "incomes": [{"kind": "imputed", "amount": "1", "reason": TOLD}],
    }
    del newcomer["ref"]
    await posted(window, url, "/members", newcomer)
    await posted(
        window,
        url,
        "/supporters",
        {
            "relation": "parent",
            "name": "诸葛长庚",
            "document_number": counter.number("1950-01-02", 15),
        },
    )
    income = {"fact": "income", "member": member, "kind": "wage", "amount": "2.00"}
    told = {**income, "first_month": "2025-02-01", "reason": TOLD}
    await posted(window, url, "/facts", told)
    moved = {"fact": "address", "valid_from": "2025-03-02", "address": "玉峰山镇海棠巷 8 号"}
    await posted(window, url, "/facts", moved)
    facts = (await window.file(case))["household"]["facts"]
    (wage,) = [one for one in facts if one["fact"] == "income" and one["value"]["kind"] == "wage"]
    (home,) = [
        one
        for one in facts
        if one["fact"] == "address" and one["valid_from"] == moved["valid_from"]
    ]
    corrected = {"reason": TOLD, "replacement": told}
    await posted(window, url, f"/facts/{wage['id']}/correction", corrected)
    moved = {**moved, "address": "玉峰山镇紫藤巷 8 号"}
    corrected = {"reason": TOLD, "replacement": moved}
    await posted(window, url, f"/facts/{home['id']}/correction", corrected)


async def posted(window: Window, url: str, path: str, body: Any) -> Any:
    """To a household, an award or a change, on the version that stands now."""
    scopes = {"subject": "reviewer", "divisions": [counter.TOWN]}
    headers = window.relief.headers(*SCOPES, **scopes)
    etag = (await window.relief.http.get(url, headers=headers)).headers["etag"]
    answer = await window.relief.http.post(
        f"{url}{path}", json=body, headers=headers | {"If-Match": etag}
    )
    assert answer.is_success, f"{path}: {answer.text}"
    return answer.json()


async def contested(window: Window) -> None:
    case = await window.checked(counter.body(counter.applicant("3000.00", sequence=21)))
    assert case.state == "disqualified"
    await window.done(case, "contest", {"reason": TOLD})
    await window.done(case, "terminate", {"ground": "uncooperative", "reason": TOLD})


async def objected(window: Window) -> None:
    case = await window.publicised(one(22))
    window.later(2)
    asked = {"objector": TOLD, "content": TOLD, "handled_by": "appraisal"}
    await window.done(case, "objections", asked, who="opiner")
    (objection,) = (await window.file(case))["objections"]
    window.later(1)
    found = counter.appraised(window, counter.opinion("grant"))
    await window.done(case, f"objections/{objection['id']}/finding", found, who="opiner-2")
    await window.done(case, "retract", {"reason": TOLD}, who="opiner")


async def returned_and_moved(window: Window) -> None:
    case = await window.checked(one(23))
    await window.done(case, "prolong", {"ground": "hard_survey", "reason": TOLD}, **BUREAU)
    refused = {"household_signature": "refused", "refusal": TOLD, "signed_by": None}
    visit = await window.visit(case, **refused)
    await window.done(case, "survey", visit, who="surveyor-1")
    await window.done(case, "survey/withdraw", {"reason": TOLD}, who="surveyor-1")
    await window.survey(case)
    await window.done(case, "opinion", counter.opinion("grant"), who="opiner")
    await window.sent_on(case)
    await window.done(case, "return", {"reason": TOLD}, **BUREAU)
    moving = {"division": counter.OTHER_VILLAGE, "reason": TOLD}
    await window.done(case, "move", moving, **BUREAU)


async def awarded(window: Window) -> None:
    case = await window.granted(one(24))
    day = window.today().isoformat()
    told = await window.file(case)
    (notice,) = [paper for paper in told["documents"] if paper["kind"] == "acceptance"]
    answer = await window.relief.http.post(
        f"/v1/relief/cases/{case.id}/documents/{notice['id']}/delivery",
        json={"how": "in_person", "on": day, "received_by": TOLD},
        headers=window.headers("acceptor", etag=case.view["etag"]),
    )
    assert answer.is_success, answer.text
    await window.file(case)
    await window.done(case, "deliver", {"how": "in_person", "on": day, "received_by": TOLD})
    award = f"/v1/relief/awards/{told['decision']['award']}"
    seen = await window.relief.http.get(award, headers=window.headers("reader"))
    person = seen.json()["persons_known"][0]["person"]
    await posted(window, award, "/reviews", {"reviewed_on": day, "note": TOLD})
    offer = {"person": person, "offered_on": day, "job": TOLD, "accepted": False, "note": TOLD}
    await posted(window, award, "/job-offers", offer)
    asked = {"kind": "not_cooperating", "reason": TOLD, "asked_on": day}
    change = await posted(window, award, "/changes", asked)
    change_url = f"/v1/relief/award-changes/{change['id']}"
    await posted(window, change_url, "/withdraw", {"reason": TOLD})
    change = await posted(window, award, "/changes", asked)
    change_url = f"/v1/relief/award-changes/{change['id']}"
    heard = {
        "notified_on": day,
        "heard_on": day,
        "method": "in_person",
        "person": person,
        "guardian": TOLD,
        "statement": TOLD,
    }
    await posted(window, change_url, "/hearing", heard)
    headers = window.relief.headers("relief:files", "relief:decide", subject="decider")
    etag = (await window.relief.http.get(change_url, headers=headers)).headers["etag"]
    answer = await window.relief.http.post(
        f"{change_url}/decide", json={"reason": TOLD}, headers=headers | {"If-Match": etag}
    )
    assert answer.is_success, answer.text
    await posted(
        window, change_url, "/deliver", {"how": "in_person", "on": day, "received_by": TOLD}
    )


async def checked_with_a_gap(window: Window) -> None:
    asked = one(25)
    number = asked["household"]["members"][0]["document_number"]
    window.other.script("tax", number, "refuse")
    items = [{"kind": "deposit", "amount": "1.00", "note": "".join(PERSON)}]
    window.other.script("bank", number, "answer", items=items)
    case = await window.accepted(asked)
    if case.state != "checking":
        await window.done(case, "check", who="checker", division=DISTRICT)
    await window.run_jobs()
    check = (await window.file(case))["check"]
    (line,) = [one for one in check["lines"] if one["source"] == "tax"]
    url = f"/v1/relief/checks/{check['id']}"
    read = await window.relief.http.get(url, headers=window.headers("checker", DISTRICT))
    etag = read.headers.get("etag", "")
    answer = await window.relief.http.post(
        f"{url}/requests/{line['request']}/acceptance",
        json={"reason": TOLD},
        headers=window.headers("checker", DISTRICT, etag=etag),
    )
    assert answer.is_success, answer.text


async def looked_up(window: Window) -> None:
    headers = window.headers("acceptor", key="look-up-of-persons")
    number = counter.number("1970-05-01", 24)
    asked = {"document_kind": "resident_id", "document_number": number}
    answer = await window.relief.http.post("/v1/relief/persons/check", json=asked, headers=headers)
    assert answer.is_success, answer.text
    why = {"reason": TOLD}
    family = {
        "area": "urban",
        "members": [
            {
                "ref": "a",
                "relation": "self",
                "born": "1970-05-01",
                "incomes": [{"kind": "wage", "amount": "1", **why}],
            }
        ],
        "properties": [{"kind": "deposit", "amount": "1", **why}],
        "consumptions": [{"kind": "utilities", "on": "2025-01-02", "amount": "1", **why}],
        "supports": [{"member": "a", "supporter": "s", "income": "1", "persons": 1, **why}],
        "edge_finding": {"met": True, **why},
    }
    answer = await window.relief.http.post(
        "/v1/relief/calculator", json=family, headers=window.headers("acceptor")
    )
    assert answer.is_success, answer.text


# --- doors that refuse ---------------------------------------------------------------------------


async def refusals(window: Window) -> None:
    """The same persons where they are refused: 401, 403, 404, 409, 412, 422, 428, and a failure."""
    http = window.relief.http
    asked = one(24)  # has an award
    asked["household"]["members"][0]["phone"] = "13800139966"
    headers = window.headers("acceptor", key="refused-application")
    statuses = {(await http.post(counter.URL, json=asked, headers=headers)).status_code}
    foreign = window.relief.headers(*SCOPES, divisions=[counter.OTHER_TOWN])
    nothing = window.relief.headers("relief:read")
    case = await window.opened(one(26))
    draft = await window.opened(one(27, submit=False))
    for path, body in (
        ("accept", {"area": "urban", "area_reason": TOLD}),
        ("complaints", {"received_on": "2025-03-03", "content": TOLD}),
        ("terminate", {"ground": "uncooperative", "reason": TOLD}),
        ("withdraw", {"reason": TOLD}),
    ):
        url = f"{counter.URL}/{case.id}/{path}"
        for claims in ({}, foreign, nothing, window.headers("acceptor"), stale(window)):
            statuses.add((await http.post(url, json=body, headers=claims)).status_code)
    for path, body in (
        ("opinion", counter.opinion("grant")),
        ("objections", {"objector": TOLD, "content": TOLD, "handled_by": "appraisal"}),
        ("accept", {"area": "urban", "area_reason": TOLD, PERSON[0]: PERSON[1]}),
        ("accept", {"area": PERSON[0], "area_reason": TOLD}),
    ):
        statuses.add((await window.step(draft, path, body)).status_code)
    for field, value in (("born", PERSON[1]), ("relation", PERSON[0]), ("sex", PERSON[0])):
        wrong = one(28)
        wrong["household"]["members"][0][field] = value
        answer = await http.post(counter.URL, json=wrong, headers=window.headers("acceptor"))
        statuses.add(answer.status_code)
    statuses.add(await failing(window))
    assert {401, 403, 404, 409, 412, 422, 428, 500} <= statuses, sorted(statuses)


def stale(window: Window) -> dict[str, str]:
    return window.headers("acceptor", etag='"77"')


async def failing(window: Window) -> int:
    """A database that refuses what it is given, and tells in its refusal what that was."""
    admin = await asyncpg.connect(window.relief.databases.admin)
    try:
        await admin.execute(
            """CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no: %', NEW; END $$;
            CREATE TRIGGER tells BEFORE INSERT ON household_member
            FOR EACH ROW EXECUTE FUNCTION tells()"""
        )
        answer = await window.open(one(29))
        assert answer.status_code == 500, answer.text
        await admin.execute("DROP FUNCTION tells CASCADE")
    finally:
        await admin.close()
    return answer.status_code


# --- what is looked at ---------------------------------------------------------------------------


async def test_every_free_text_about_a_person_was_taken_once(marked: Marked) -> None:
    """A new field is planted above, or the tests below would say nothing of it."""
    untaken = set(marked.planted.fields) - marked.planted.taken
    assert untaken == set()


async def test_no_table_holds_a_mark_in_clear(marked: Marked) -> None:
    """Outbox, audit, kept answers, jobs and dead letters among them; sealed columns as they lie."""
    clear = pattern_of(marked.planted.marks)
    tables = await dumped(marked.window.relief.databases.admin)
    assert {name for name, content in tables.items() if clear.search(content)} == set()
    filled = {name for name, content in tables.items() if len(content) > 100}
    assert {
        *("public.household_member", "public.case_step", "public.award_hearing"),
        *("public.check_exchange", "chassis.outbox", "chassis.audit_entry"),
        *("chassis.idempotency_key", "chassis.job"),
    } <= filled


async def test_no_event_on_the_bus_holds_a_mark(marked: Marked) -> None:
    relief = marked.window.relief
    assert await relief.relay() > 10
    clear = pattern_of(marked.planted.marks)
    tables = await dumped(relief.databases.bus)
    assert {name for name, content in tables.items() if clear.search(content)} == set()
    assert b"minzheng.relief.case" in tables["public.bus_record"]


async def test_no_log_line_no_metric_and_no_problem_holds_a_mark(marked: Marked) -> None:
    clear = pattern_of(marked.planted.marks)
    lines = marked.said.splitlines()
    assert len([one for one in lines if json.loads(one)["event"] == "request"]) > 100
    assert any(json.loads(one)["event"] == "request_failed" for one in lines)
    assert [one for one in lines if clear.search(one.encode())] == []
    problems = [text for _, text in marked.planted.refusals]
    assert len(problems) > 20
    assert [one for one in problems if clear.search(one.encode())] == []
    shown, _ = metrics.exposition()
    assert b"/v1/relief/applications" in shown
    assert not clear.search(shown)


async def test_lists_show_nobody_by_name_and_papers_do_by_purpose(marked: Marked) -> None:
    """A view masks; what opens a seal is a reading that stands in the audit."""
    window = marked.window
    names = pattern_of([*PERSON, *counter.NAMES])
    for path in ("cases", "awards", "todo"):
        answer = await window.relief.http.get(
            f"/v1/relief/{path}", headers=window.headers("reader", DISTRICT)
        )
        assert answer.status_code == 200
        assert not names.search(answer.content), path


async def test_the_patterns_find_what_they_should() -> None:
    """However it is spelt: the tests above would pass with patterns that find nothing."""
    clear = pattern_of(PERSON)
    for mark in PERSON:
        said = f"… {mark} …"
        for content in (
            *(said.encode(), json.dumps(said).encode(), said.encode("utf-16-le")),
            *(said.encode("utf-16-be"), said.encode("gb18030"), said.encode().hex().encode()),
            httpx.URL("http://x", params={"q": said}).raw_path,
        ):
            assert clear.search(content), (mark, content)
    assert not clear.search(b"nobody")


@pytest.mark.kafka
async def test_no_event_on_kafka_holds_a_mark(marked: Marked, kafka: Broker) -> None:
    """The bytes of a record are those of the outbox; keys and headers are looked at too."""
    relief = marked.window.relief
    admin = await asyncpg.connect(relief.databases.admin)
    bus = quick_bus(f"kafka://{kafka.address}")
    topics = [
        row["topic"] for row in await admin.fetch("SELECT DISTINCT topic FROM chassis.outbox")
    ]
    try:
        await bus.ensure_topics({topic.name: topic.partitions for topic in TOPICS})
        await admin.execute("UPDATE chassis.outbox SET published_at = NULL")
        async with bus.producer() as producer:
            while await publish_once(admin, lambda found: producer.send(found, timeout=10)):
                pass
    finally:
        await admin.close()
    ends = await bus.end_offsets(topics)
    records: list[bytes] = []
    async with bus.subscribe("marks", topics, assigned=nothing_taken) as subscription:
        while len(records) < sum(ends.values()):
            for found in (await subscription.fetch(max_records=500, timeout=0.5)).values():
                records += [
                    b"|".join([one.value, one.key.encode(), *(told for _, told in one.headers)])
                    for one in found
                ]
    clear = pattern_of(marked.planted.marks)
    assert [one for one in records if clear.search(one)] == []


async def nothing_taken(_: Any) -> Mapping[Any, int]:
    return {}


# --- texts that everybody may read ---------------------------------------------------------------


async def test_public_texts_take_no_number_of_a_person(world: World) -> None:
    """A register's words are published: who writes a person's number there is told so."""
    wrong = {}
    public = [one for one in free_texts(world.document) if is_public(one.operation, one.pointer)]
    tried = set()
    for row in world.protected:
        body = world.body(row)
        if not isinstance(body, dict):
            continue
        body = json.loads(json.dumps(body))
        at = {one.pointer for one in public if one.operation == row.name}
        for pointer, holder, place, value in list(leaves(body)):
            if pointer not in at:
                continue
            tried.add((row.name, pointer))
            for number in NUMBERS:
                holder[place] = f"见{number}"
                answer = await world.send(row, owner(world), body)
                told = [error["pointer"] for error in answer.json().get("errors", ())]
                if answer.status_code != 422 or not any(shape(one) == pointer for one in told):
                    wrong[row.name, pointer, number] = (answer.status_code, answer.text)
            holder[place] = value
    assert wrong == {}
    assert tried


def shape(pointer: str) -> str:
    return "/".join("[]" if part.isdigit() else part for part in pointer.split("/"))


def owner(world: World) -> dict[str, str]:
    return world.running.headers(*SCOPES, divisions=[world.own], subject="owner")
