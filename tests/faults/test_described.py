"""What the OpenAPI documents promise, tried with requests made of them (schemathesis).

No request is answered by a failure of ours (5xx), with a status that its operation does not
describe, or with a problem that is none (RFC 9457).
"""

import contextlib
import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from suite import catalogue
from tests.faults.conftest import Opened
from tests.faults.worlds import SCOPES, XLSX
from tests.support.services import Running

FEW, MANY = 2, 60
UNDESCRIBED = {405}
"""What the framework answers for a method that a path does not have."""


UNICODE = r"^[^\p{C}\p{Zl}\p{Zp}]+$"
AS_PYTHON_HAS_IT = r"^[^\x00-\x1f\x7f-\x9f]+$"


def drawn(document: dict[str, Any], many: int, every: int) -> list[Case]:
    """Requests that fit their operation, and requests that do not, the same at each run."""
    cases: list[Case] = []
    readable = json.dumps(document).replace(json.dumps(UNICODE), json.dumps(AS_PYTHON_HAS_IT))
    schema = schemathesis.openapi.from_dict(json.loads(readable))
    for found in list(schema.get_all_operations())[::every]:
        operation = found.ok()
        if XLSX in operation.definition.raw.get("requestBody", {}).get("content", ()):
            continue  # test_attacks_workbooks.py
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)

            @given(case=strategy)
            @settings(
                max_examples=many,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def draw(case: Case) -> None:
                cases.append(case)

            with contextlib.suppress(Unsatisfiable):  # a route that asks for nothing
                draw()
    return cases


async def sent(running: Running, case: Case, headers: dict[str, str]) -> httpx.Response:
    asked = case.as_transport_kwargs(base_url="http://service")
    body = asked.get("json", asked.get("data"))
    content = json.dumps(body).encode() if "json" in asked else body
    return await running.http.request(
        asked["method"],
        asked["url"],
        params=asked.get("params"),
        content=content if isinstance(content, bytes | str | None) else None,
        data=content if isinstance(content, dict) else None,
        headers=[
            (name.encode(), value.encode("utf-8"))
            for name, value in [*(asked.get("headers") or {}).items(), *headers.items()]
        ],
    )


def wrong_with(case: Case, answer: httpx.Response) -> str:
    described = case.operation.definition.raw["responses"]
    if answer.status_code >= 500:
        return "a failure"
    if str(answer.status_code) not in described and answer.status_code not in UNDESCRIBED:
        return "a status that is not described"
    if answer.status_code < 400 or "application/problem+json" not in json.dumps(
        described.get(str(answer.status_code), "")
    ):
        return ""
    if answer.headers["content-type"] != "application/problem+json":
        return "no problem"
    return wrong_problem(answer)


def wrong_problem(answer: httpx.Response) -> str:
    body = answer.json()
    if not set(body) <= {"type", "title", "status", "detail", "errors"}:
        return "a problem with fields of its own"
    if body["status"] != answer.status_code or not body["type"].startswith("urn:minzheng:problem:"):
        return "a problem that contradicts its answer"
    if body["title"].isascii():
        return "a problem without a Chinese title"
    if answer.status_code in {429, 503} and "retry-after" not in answer.headers:
        return "no Retry-After"
    return ""


async def tried(running: Running, many: int, every: int = 1) -> dict[str, str]:
    """What was wrong, by operation, with the first request that showed it."""
    document = (await running.http.get("/openapi.json")).json()
    headers = running.headers(*SCOPES)
    wrong: dict[str, str] = {}
    cases = drawn(document, many, every)
    assert len(cases) > len(document["paths"]) / every
    for case in cases:
        answer = await sent(running, case, headers)
        if told := wrong_with(case, answer):
            name = f"{case.method} {case.operation.path}: {answer.status_code}, {told}"
            wrong.setdefault(name, f"{case.as_curl_command()}\n{answer.text[:300]}")
    return wrong


@pytest.mark.parametrize("service", catalogue.NAMES)
async def test_every_answer_is_one_that_is_described(opened: Opened, service: str) -> None:
    async with opened(service) as running:
        operations = len((await running.http.get("/openapi.json")).json()["paths"])
        assert await tried(running, FEW, every=max(1, operations // 6)) == {}


@pytest.mark.soak
@pytest.mark.parametrize("service", catalogue.NAMES)
async def test_every_answer_is_one_that_is_described_for_longer(
    opened: Opened, service: str
) -> None:
    async with opened(service) as running:
        assert await tried(running, MANY) == {}
