"""Every route × every scope × own, parent, foreign division × tokens that do not count.

`routes.csv` is the one table: a route that is not in it fails here, and so does one that answers
anything but 401, 403 or 404 to whoever may not (architecture.md, Access).
"""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from joserfc import jwt
from joserfc.jwk import ECKey

from services.gateway.app import create_gateway_app
from services.gateway.settings import GatewaySettings
from tests.faults.conftest import app_of
from tests.faults.worlds import NOBODY, ROUTES, SCOPES, Row, World
from tests.support.services import DISTRICT, Running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("worlds")]

DENIED = {401, 403, 404}
NOT_THERE_YET = {
    "GET /v1/relief/cases/{case_id}/archive": "本件尚未办结归档",
    "GET /v1/relief/checks/{check_id}/requests/{request_id}/acceptance": "没有接受缺失的记载",
}
"""What whoever may look is told of something that has not come about: a 404, too, with a reason."""


def claims(running: Running, **changed: object) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": running.settings.issuer,
        "aud": running.settings.audience,
        "sub": "clerk-1",
        "org": "渝北区民政局",
        "divisions": [DISTRICT],
        "scope": " ".join(SCOPES),
        "iat": now,
        "nbf": now,
        "exp": now + 600,
    } | changed


def issued(running: Running, **changed: object) -> str:
    """Signed by the issuer's own key, with these claims."""
    key = running.key._key  # noqa: SLF001 - to sign what the issuer never would
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims(running, **changed), key)


def worthless(running: Running) -> Iterator[tuple[str, str | None]]:
    """What each lacks, and the token: all scopes, the whole district."""
    now, own = int(time.time()), running.key._key  # noqa: SLF001 - to imitate its id
    yield "none", None
    yield "expired", issued(running, iat=now - 7_200, nbf=now - 7_200, exp=now - 3_600)
    yield "of tomorrow", issued(running, iat=now + 86_400, nbf=now + 86_400, exp=now + 90_000)
    yield "another issuer", issued(running, iss="somebody")
    yield "another audience", issued(running, aud="somewhere")
    stranger = ECKey.generate_key("P-256", {"kid": own.kid})
    yield (
        "another key",
        jwt.encode({"alg": "ES256", "kid": own.kid}, claims(running), stranger),
    )
    yield "unsigned", f"{unsigned({'alg': 'none', 'kid': own.kid}, claims(running))}."
    shared = unsigned({"alg": "HS256", "kid": own.kid}, claims(running))
    for secret in (own.as_pem(private=False), json.dumps(own.as_dict(private=False)).encode()):
        signature = b64(hmac.digest(secret, shared.encode(), "sha256"))
        yield "public key as a secret", f"{shared}.{signature}"


def unsigned(*parts: dict[str, Any]) -> str:
    return ".".join(b64(json.dumps(part).encode()) for part in parts)


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def status(running: Running, row: Row, token: str | None) -> int:
    path = row.path
    for part in (one for one in row.path.split("/") if one.startswith("{")):
        path = path.replace(part, NOBODY)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer = await running.http.request(row.method, path, headers=headers)
    return answer.status_code


def routes_in(app: FastAPI) -> set[str]:
    """Everything that the app answers, described in its OpenAPI or not."""
    return {
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in (route.methods or set()) - {"HEAD"}
    }


async def test_every_route_has_an_entry_and_every_entry_a_route(world: World) -> None:
    running = world.running
    app = app_of(running)
    if running.service.name == "gateway":
        app = create_gateway_app(GatewaySettings.model_validate(running.settings.model_dump()))
    entries = {row.name for row in world.routes}
    assert routes_in(app) == entries
    assert world.operations.keys() <= entries


async def test_the_table_says_one_thing_of_each_route() -> None:
    assert len({(row.service, row.name) for row in ROUTES}) == len(ROUTES)
    assert {row.of for row in ROUTES} == {"town", "list", "district", "all", "public", "door"}
    assert all((row.of in {"public", "door"}) == (not row.scope) for row in ROUTES)


async def test_a_token_that_does_not_count_opens_nothing(world: World) -> None:
    wrong = {}
    for lack, token in worthless(world.running):
        for row in world.protected:
            given = await status(world.running, row, token)
            if given != 401:
                wrong[row.name, lack] = given
    assert wrong == {}


async def test_all_other_scopes_together_do_not_open_a_route(world: World) -> None:
    """A scope only ever adds: what all of them together do not open, none of them does."""
    wrong = {}
    for row in world.protected:
        for division in (world.own, world.parent, world.foreign):
            token = world.running.token(*(SCOPES - {row.scope}), divisions=[division])
            given = await status(world.running, row, token)
            if given != 403:
                wrong[row.name, division] = given
    assert wrong == {}


@pytest.mark.soak
async def test_no_other_scope_opens_a_route(world: World) -> None:
    """The whole product: every route, every scope, every division."""
    wrong = {}
    for scope in sorted(SCOPES):
        for division in (world.own, world.parent, world.foreign):
            token = world.running.token(scope, divisions=[division], subject=f"only-{scope}")
            for row in world.protected:
                given = await status(world.running, row, token)
                if (given == 403) != (scope != row.scope):
                    wrong[row.name, scope, division] = given
    assert wrong == {}


async def test_another_town_gets_nothing_the_own_and_the_one_above_do(world: World) -> None:
    wrong: dict[tuple[str, str], object] = {}
    for row in sorted(world.protected, key=lambda one: one.method):
        ask = of_a_town if row.of in {"town", "list"} else of_the_district
        for who, answered in await ask(world, row):
            wrong[row.name, who] = answered
    assert wrong == {}


async def of_a_town(world: World, row: Row) -> list[tuple[str, object]]:
    """What is wrong with what the route answers to the foreign town, the own one, the district."""
    wrong: list[tuple[str, object]] = []
    asked = {}
    if world.takes_division(row):
        asked = {"division": world.own}
    foreign = await world.ask(row, headers(world, row, world.foreign), asked)
    hidden = foreign.status_code == 404 or names_only_the_division(row, foreign)
    if (row.of == "town" or asked) and not hidden:
        wrong.append(("foreign", (foreign.status_code, foreign.text)))
    if row.of == "list":
        answer = await world.ask(row, headers(world, row, world.foreign))
        if answer.status_code != 200:
            wrong.append(("foreign list", (answer.status_code, answer.text)))
        wrong += [("foreign list has", mark) for mark in world.marks if mark in answer.text]
    wrong += [("foreign is told", mark) for mark in told(world, row, foreign.text)]
    for who, division in (("own", world.own), ("parent", world.parent)):
        answer = await world.ask(row, headers(world, row, division), asked)
        if row.name in NOT_THERE_YET:
            fine = NOT_THERE_YET[row.name] in answer.text != foreign.text
        else:
            fine = answer.status_code not in DENIED and answer.status_code < 500
        if not fine:
            wrong.append((who, (answer.status_code, answer.text)))
    return wrong


def names_only_the_division(row: Row, answer: httpx.Response) -> bool:
    """A client is registered for several divisions: which of them is not there is told."""
    if row.name != "POST /v1/gateway/clients" or answer.status_code != 422:
        return False
    return [one["pointer"] for one in answer.json()["errors"]] == ["/divisions/0"]


def told(world: World, row: Row, text: str) -> list[str]:
    """Marks that the answer has and the question had not."""
    asked = row.path.format_map(world.ids_for(row)) if "{" in row.path else row.path
    return [mark for mark in world.marks if mark in text and mark not in asked]


async def of_the_district(world: World, row: Row) -> list[tuple[str, object]]:
    wrong: list[tuple[str, object]] = []
    asked = {"division": world.parent} if world.takes_division(row) else {}
    own = await world.ask(row, headers(world, row, world.parent), asked)
    if own.status_code in DENIED or own.status_code >= 500:
        wrong.append(("district", (own.status_code, own.text)))
    town = await world.ask(row, headers(world, row, world.foreign), asked)
    fine = town.status_code in {403, 404} if row.of == "district" else town.status_code < 500
    if not fine:
        wrong.append(("town", (town.status_code, town.text)))
    return wrong


def headers(world: World, row: Row, division: str) -> dict[str, str]:
    """Whoever sits there, with the route's scope alone."""
    return world.running.headers(*row.scopes.split(), divisions=[division], subject="somebody-else")
