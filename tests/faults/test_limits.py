"""What one client may ask of a service: pages, requests in a second, look-ups of persons."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from chassis.limits import Rates
from chassis.paging import MAX_LIMIT
from chassis.settings import Settings
from suite import catalogue
from tests.faults.conftest import Opened, app_of
from tests.services.relief.applications.window import number
from tests.support.services import Running

CHECK = "/v1/relief/persons/check"
STANDARDS = "/v1/relief/standards"


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 429
    assert answer.json()["type"] == "urn:minzheng:problem:too-many-requests"
    assert int(answer.headers["retry-after"]) >= 1


def limited(running: Running, **rates: Rates) -> None:
    app_of(running).state.runtime = replace(running.runtime, **rates)


async def test_a_client_that_asks_too_often_waits_and_no_other_does(opened: Opened) -> None:
    async with opened("relief") as relief:
        limited(relief, callers=Rates(1, burst=5, now=lambda: 0.0))
        hasty = relief.headers("relief:read", subject="hasty")
        answers = [await relief.http.get(STANDARDS, headers=hasty) for _ in range(7)]
        assert [one.status_code for one in answers[:5]] == [200] * 5
        for one in answers[5:]:
            refused(one)
        other = relief.headers("relief:read", subject="other")
        assert (await relief.http.get(STANDARDS, headers=other)).status_code == 200


async def test_forged_tokens_use_up_nobodys_requests(opened: Opened) -> None:
    async with opened("relief") as relief:
        limited(relief, callers=Rates(1, burst=2, now=lambda: 0.0))
        headers = relief.headers("relief:read", subject="victim")
        forged = {"Authorization": headers["Authorization"][:-4] + "AAAA"}
        for _ in range(5):
            assert (await relief.http.get(STANDARDS, headers=forged)).status_code == 401
        assert (await relief.http.get(STANDARDS, headers=headers)).status_code == 200


async def test_persons_are_looked_up_less_often_than_anything_else(opened: Opened) -> None:
    """A window checks whom it serves; who asks for more goes through a list of the district."""
    async with opened("relief") as relief:
        most = Settings.model_fields["lookups_a_minute"].default
        limited(relief, lookups=Rates(most / 60, burst=most, now=lambda: 0.0))
        headers = relief.headers("relief:accept", "relief:read", subject="curious")
        statuses = []
        for sequence in range(most + 3):
            asked: dict[str, Any] = {
                "document_kind": "resident_id",
                "document_number": number("1980-01-01", sequence),
            }
            statuses.append(await relief.http.post(CHECK, json=asked, headers=headers))
        assert [one.status_code for one in statuses[:most]] == [200] * most
        for one in statuses[most:]:
            refused(one)
        assert (await relief.http.get(STANDARDS, headers=headers)).status_code == 200
        entries = await relief.rows(
            "SELECT 1 FROM chassis.audit_entry WHERE action = 'relief.person.checked'"
        )
        assert len(entries) == most


@pytest.mark.parametrize("kind", ["", "/members/{id}", "/facts/{id}"])
async def test_what_is_revealed_of_persons_counts_as_looked_up(opened: Opened, kind: str) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    path = f"/v1/relief/households/{nobody}{kind.format(id=nobody)}/reveal"
    async with opened("relief") as relief:
        limited(relief, lookups=Rates(1, burst=1, now=lambda: 0.0))
        headers = relief.headers("relief:reveal", subject="curious")
        asked = {"purpose": "信访复核"}
        first = await relief.http.post(path, json=asked, headers=headers)
        assert first.status_code == 404
        refused(await relief.http.post(path, json=asked, headers=headers))


@pytest.mark.parametrize("service", catalogue.NAMES)
async def test_no_page_is_longer_than_two_hundred(opened: Opened, service: str) -> None:
    async with opened(service) as running:
        document = (await running.http.get("/openapi.json")).json()
        limits = [
            (path, parameter["schema"])
            for path, methods in document["paths"].items()
            for described in methods.values()
            for parameter in described.get("parameters", ())
            if parameter["name"] == "limit"
        ]
        assert all(schema["maximum"] <= MAX_LIMIT == 200 for _, schema in limits)


@pytest.mark.parametrize("service", catalogue.NAMES)
async def test_the_limits_are_described(opened: Opened, service: str) -> None:
    async with opened(service) as running:
        document = (await running.http.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for described in methods.values():
            expected = {"503"}
            if described.get("security"):
                expected.add("429")
            if "requestBody" in described:
                expected |= {"400", "408", "413"}
            assert expected <= set(described["responses"]), path


@pytest.mark.parametrize("service", catalogue.NAMES)
async def test_how_a_process_fares_is_told_on_its_own_machine_alone(
    opened: Opened, service: str
) -> None:
    """Whoever comes by a door, or through something that stands before it, finds nothing there."""
    async with opened(service) as running:
        for peer, headers, expected in (
            ("127.0.0.1", {}, 200),
            ("203.0.113.9", {}, 404),
            ("10.0.0.7", {}, 404),
            ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
            ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
            ("127.0.0.1", {"Via": "1.1 proxy"}, 404),
        ):
            transport = httpx.ASGITransport(app_of(running), client=(peer, 40_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as http:
                answer = await http.get("/-/metrics", headers=headers)
            assert answer.status_code == expected, (peer, headers)
            assert ("http_request_seconds" in answer.text) == (expected == 200)
