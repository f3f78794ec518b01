"""An attacker's afternoon at the door as it is served: smuggling, floods, slowness."""

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from chassis import http_server
from chassis.http_server import MAX_HEAD_BYTES, MAX_HEADERS
from chassis.limits import MAX_BODY_BYTES
from services.gateway.app import SERVICE
from suite.ports import HOST
from suite.postgres import Postgres
from tests.faults.door import TOKEN, Door, is_closed, rest_of, running_door, statuses
from tests.support.services import Databases, fresh_databases

HEAD = b"POST /v1/relief/x HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer a.b.c\r\n"
GET = HEAD.replace(b"POST", b"GET")
SMUGGLED = b"GET /v1/relief/smuggled HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\n\r\n"
PROBLEM = b"application/problem+json"


@pytest.fixture(scope="module")
def databases(postgres: Postgres) -> Databases:
    return asyncio.run(fresh_databases(postgres, SERVICE))


@pytest.fixture(scope="module")
def door(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Patient as in a deployment."""
    with running_door(databases, tmp_path_factory.mktemp("door")) as one:
        yield one


@pytest.fixture(scope="module")
def hasty(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A second for a head or a body, and few requests at once."""
    with running_door(
        databases,
        tmp_path_factory.mktemp("hasty"),
        header_seconds=1,
        body_seconds=1,
        requests_at_once=20,
    ) as one:
        yield one


@pytest.fixture(scope="module")
def narrow(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """More patient than a deployment, with few places."""
    folder = tmp_path_factory.mktemp("narrow")
    with running_door(
        databases, folder, connections=100, requests_at_once=5, header_seconds=60
    ) as one:
        yield one


class TestSmuggling:
    """RFC 9112, 6.1, 6.3, 11.2: what could be read in two ways is refused, and nothing after it."""

    FRAMINGS = (
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b" Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"X: a\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: 4, 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 0x4\r\n",
        b"Content-Length: 4 4\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 18446744073709551617\r\n",
        b"Content-Length: " + b"9" * 5_000 + b"\r\n",
    )

    @pytest.mark.parametrize("framing", FRAMINGS)
    def test_a_head_with_two_readings(self, door: Door, framing: bytes) -> None:
        answer = door.said(HEAD + framing + b"\r\n0\r\n\r\n" + SMUGGLED)
        assert statuses(answer) == [400]
        assert PROBLEM in answer
        assert "/v1/relief/smuggled" not in door.behind.targets

    CHUNKS = (
        b"0x4\r\nabcd\r\n0\r\n\r\n",
        b"-1\r\n\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\nabcd\r\n0\r\n\r\n",
        b"4\nabcd\n0\n\n",
        b"4\r\nabcdXX0\r\n\r\n",
        b"\r\n0\r\n\r\n",
        b"g\r\nabcd\r\n0\r\n\r\n",
    )

    @pytest.mark.parametrize("chunks", CHUNKS)
    def test_chunks_that_are_none(self, door: Door, chunks: bytes) -> None:
        head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        answer = door.said(head + chunks + SMUGGLED)
        assert set(statuses(answer)) <= {400}
        assert "/v1/relief/smuggled" not in door.behind.targets

    def test_what_follows_a_body_is_a_request_of_its_own(self, door: Door) -> None:
        """Pipelining is no smuggling: the length is the door's to tell, both are asked apart."""
        second = SMUGGLED.replace(b"smuggled", b"second")
        closing = second.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        answer = door.said(HEAD + b"Content-Length: 4\r\n\r\nabcd" + closing)
        assert statuses(answer) == [200, 200]
        bodies = {target: body for _, target, _, body in door.behind.reached}
        assert bodies["/v1/relief/second"] == b""
        assert bodies["/v1/relief/x"] == b"abcd"

    def test_trailers_do_not_become_headers(self, door: Door) -> None:
        door.said(
            HEAD.replace(b"/x", b"/trailer")
            + b"Connection: close\r\nTransfer-Encoding: chunked\r\nTrailer: If-Match\r\n\r\n"
            + b'4\r\nabcd\r\n0\r\nIf-Match: "1"\r\nIdempotency-Key: trailer-1\r\n\r\n'
        )
        (heads,) = [one for _, target, one, _ in door.behind.reached if target.endswith("/trailer")]
        assert not {"if-match", "idempotency-key"} & set(heads)

    def test_an_upgrade_is_not_followed(self, door: Door) -> None:
        for protocol in (b"h2c", b"websocket", b"TLS/1.0"):
            with door.connect() as connection:
                connection.sendall(
                    GET.replace(b"/x", b"/upgrade")
                    + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                    + protocol
                    + b"\r\n\r\n"
                    + SMUGGLED
                )
                assert statuses(connection.recv(65_536))[0] in {200, 400, 426}
        assert "/v1/relief/smuggled" not in door.behind.targets


class TestHosts:
    @pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/docs", "/"])
    def test_nothing_is_made_of_the_callers_host(self, door: Door, path: str) -> None:
        """Else whoever keeps an answer would send the next client's secret elsewhere."""
        answer = door.said(
            f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n"
            "X-Forwarded-Proto: evil\r\nX-Forwarded-For: 203.0.113.9\r\n"
            "Forwarded: host=evil.example\r\nConnection: close\r\n\r\n".encode()
        )
        assert statuses(answer) == [200]
        assert b"evil" not in answer

    @pytest.mark.parametrize(
        "path",
        [
            "/v1/relief/%c0%ae%c0%ae/x",
            "/v1/relief/%e0%80%ae./x",
            "/v1/relief/x%00",
            "/v1/relief/..%00/x",
            "/v1/relief/x%0d%0aHost:%20evil",
            "/v1/relief/x/..;/..;/-/metrics",
            "/v1/relief/%2e%2e%2f-/metrics",
            "/v1/relief/\\..\\-/metrics",
            "/v1/relief/../-/metrics",
            "/v1/relief//evil.example/x",
            "//evil.example/v1/relief/x",
            "/v1/relief@evil.example/x",
            "/v1/relief:80/x",
            "http://evil.example//v1/relief/x",
            "/v1/-/metrics",
            "/v1/./relief/x",
        ],
    )
    def test_no_path_leads_past_the_services_interface(self, door: Door, path: str) -> None:
        before = len(door.behind.reached)
        answer = door.said(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        assert statuses(answer)[0] in {400, 404}
        assert len(door.behind.reached) == before

    def test_headers_with_line_breaks_are_no_headers(self, door: Door) -> None:
        for value in (b"a\r\n b", b"a\x00b", b"a\rb", b"a\x0bb\x7f"):
            answer = door.said(GET + b"If-Match: " + value + b"\r\nConnection: close\r\n\r\n")
            assert statuses(answer) == [400]


class TestTokenEndpoint:
    def test_a_client_gets_no_scope_that_it_was_not_granted(self, door: Door) -> None:
        admin = door.key.issue(
            {
                "iss": "minzheng",
                "aud": "minzheng",
                "sub": "admin",
                "org": "民政局",
                "divisions": ["500112000000"],
                "scope": "gateway:admin",
            },
            timedelta(hours=1),
        )
        headers = {"Authorization": f"Bearer {admin}"}
        asked = {
            "client_id": "modest-client",
            "name": "窗口",
            "organisation": "镇",
            "scopes": ["relief:read"],
            "divisions": ["500112129000"],
        }
        made = door.http.post("/v1/gateway/clients", json=asked, headers=headers)
        secret = door.http.post(
            f"{made.headers['location']}/secret",
            headers=headers | {"If-Match": made.headers["etag"]},
        ).json()["client_secret"]
        for scope in (
            *("gateway:admin", "relief:read relief:decide", "relief:read\tgateway:admin"),
            *("relief:*", "*", "RELIEF:DECIDE", "relief:read,relief:decide", "relief:read\nx"),
        ):
            answer = self.token(door, secret, scope=scope)
            assert answer.status_code == 400, scope
            assert answer.json()["error"] == "invalid_scope"
        for more in (
            {"divisions": "500112000000"},
            {"sub": "admin"},
            {"subject": "admin", "audience": "else", "act": "admin"},
            {"client_id": "modest-client", "resource": "urn:all"},
        ):
            answer = self.token(door, secret, **more)
            claims = self.claims(answer.json()["access_token"])
            assert (claims["sub"], claims["scope"]) == ("modest-client", "relief:read")
            assert claims["divisions"] == ["500112129000"]
            assert "act" not in claims

    def token(self, door: Door, secret: str, **more: str) -> Any:
        return door.http.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials", **more},
            auth=("modest-client", secret),
        )

    def claims(self, token: str) -> dict[str, Any]:
        payload = token.split(".")[1]
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
        return found


class TestHeads:
    def test_one_that_is_too_large(self, door: Door) -> None:
        answer = door.said(GET + b"If-Match: " + b"a" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n")
        assert statuses(answer) == [431]
        assert PROBLEM in answer

    def test_one_of_too_many_fields(self, door: Door) -> None:
        answer = door.said(GET + b"X: a\r\n" * MAX_HEADERS + b"\r\n")
        assert statuses(answer) == [431]

    def test_one_without_an_end(self, door: Door) -> None:
        for line in (b"GET /" + b"a" * 4_000, b"If-Match: " + b"a" * 4_000, b"X: a\r\n" * 700):
            with door.connect() as connection:
                connection.sendall(GET if not line.startswith(b"GET") else b"")
                answer = b""
                try:
                    for _ in range(100):
                        connection.sendall(line)
                except ConnectionError:
                    pass
                answer = rest_of(connection)
            assert set(statuses(answer)) <= {431, 400}

    def test_all_that_a_client_of_ours_sends_fits(self, door: Door) -> None:
        token = "a" * 8_000
        answer = door.http.get(
            "/v1/relief/x?" + "b" * 8_000, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200


class TestSlowness:
    def test_who_says_nothing_is_let_go(self, hasty: Door) -> None:
        with hasty.connect() as connection:
            assert is_closed(connection)

    def test_who_says_nothing_but_line_breaks_is_let_go(self, hasty: Door) -> None:
        with hasty.connect() as connection:
            stop = drip(connection, b"\r\n")
            assert is_closed(connection)
            stop()

    def test_a_head_that_trickles_is_cut_off(self, hasty: Door) -> None:
        with hasty.connect() as connection:
            connection.sendall(GET)
            stop = drip(connection, b"X: a\r\n")
            assert is_closed(connection)
            stop()

    def test_a_second_head_that_trickles_is_cut_off(self, hasty: Door) -> None:
        with hasty.connect() as connection:
            connection.sendall(GET + b"\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
            connection.sendall(GET)
            stop = drip(connection, b"X: a\r\n")
            assert statuses(rest_of(connection)) == [408]
            stop()

    def test_a_body_that_trickles_is_told_408_and_reaches_nobody(self, hasty: Door) -> None:
        with hasty.connect() as connection:
            connection.sendall(HEAD.replace(b"/x", b"/slow") + b"Content-Length: 100\r\n\r\n")
            stop = drip(connection, b"a")
            assert statuses(rest_of(connection)) == [408]
            stop()
        assert "/v1/relief/slow" not in hasty.behind.targets

    def test_who_goes_on_sending_after_the_answer_is_cut_off(self, hasty: Door) -> None:
        with hasty.connect() as connection:
            connection.sendall(HEAD + b"Content-Length: 50000000\r\n\r\n")
            assert b" 413 " in connection.recv(65_536)
            stop = drip(connection, b"a" * 100)
            assert is_closed(connection)
            stop()

    def test_who_does_not_read_what_was_asked_for_is_cut_off(
        self, hasty: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else answers by the thousand would wait in memory for nobody."""
        monkeypatch.setattr(http_server, "STALLED_SECONDS", 0.5)
        asked = 300
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            connection.connect((HOST, hasty.port))
            connection.settimeout(20)
            connection.sendall(b"GET /docs/openapi.json HTTP/1.1\r\nHost: door\r\n\r\n" * asked)
            time.sleep(3)
            assert len(statuses(rest_of(connection))) < asked
        assert hasty.get() == 200

    def test_slow_bodies_take_no_place_among_those_at_work(self, hasty: Door) -> None:
        """More of them than there are places."""
        slow = [hasty.connect() for _ in range(60)]
        for one in slow:
            one.sendall(HEAD + b"Content-Length: 100\r\n\r\n")
        assert [hasty.get() for _ in range(20)] == [200] * 20
        for one in slow:
            one.close()


class TestCrowds:
    def test_a_thousand_idle_and_slow_connections_leave_the_door_open(self, narrow: Door) -> None:
        """Ten times what the door keeps: the oldest that waits is let go, nobody who asks."""
        crowd: list[socket.socket] = []
        try:
            answered = []
            for number in range(1_000):
                one = narrow.connect()
                crowd.append(one)
                if number % 2:
                    one.sendall(GET[: 10 + number % 40])
                if number % 50 == 0:
                    answered.append(narrow.get())
            assert answered == [200] * 20
            assert all(is_closed(one) for one in crowd[:800])
            assert not any(is_closed(one, within=0.01) for one in crowd[-50:])
        finally:
            for one in crowd:
                one.close()
        assert narrow.get() == 200

    def test_who_is_at_work_is_not_let_go_for_a_crowd(self, narrow: Door) -> None:
        narrow.behind.holding.set()
        with narrow.connect() as within:
            within.sendall(GET.replace(b"/x", b"/held") + b"Connection: close\r\n\r\n")
            until(lambda: "/v1/relief/held" in narrow.behind.targets)
            crowd = [narrow.connect() for _ in range(200)]
            narrow.behind.holding.clear()
            assert statuses(rest_of(within)) == [200]
            for one in crowd:
                one.close()

    def test_a_full_door_says_503_at_once_and_serves_those_within(self, narrow: Door) -> None:
        narrow.behind.reached.clear()
        narrow.behind.holding.set()
        held = [narrow.connect() for _ in range(5)]
        for one in held:
            one.sendall(GET.replace(b"/x", b"/held") + b"Connection: close\r\n\r\n")
        until(lambda: narrow.behind.targets.count("/v1/relief/held") == 5)
        late = narrow.http.get("/v1/relief/x", headers=TOKEN)
        assert (late.status_code, late.headers["retry-after"]) == (503, "1")
        assert late.json()["type"] == "urn:minzheng:problem:full"
        assert narrow.http.get("/-/health").status_code == 200
        narrow.behind.holding.clear()
        assert [statuses(rest_of(one)) for one in held] == [[200]] * 5
        for one in held:
            one.close()
        assert narrow.get() == 200


def until(came_about: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if came_about():
            return
        time.sleep(0.01)
    raise TimeoutError


def drip(connection: socket.socket, what: bytes) -> Any:
    """Send a little, again and again, until told to stop or cut off."""
    over = threading.Event()

    def send() -> None:
        try:
            while not over.wait(0.1):
                connection.sendall(what)
        except OSError:
            return

    thread = threading.Thread(target=send)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    return stop


class TestGreatBodies:
    def test_fifty_megabytes_that_are_told_are_refused_before_they_come(self, door: Door) -> None:
        with door.connect() as connection:
            connection.sendall(HEAD + b"Content-Length: 50000000\r\nExpect: 100-continue\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 413")

    def test_fifty_megabytes_are_refused_however_they_come(self, door: Door) -> None:
        def chunks() -> Iterator[bytes]:
            for _ in range(800):
                yield b"a" * 65_536

        for body in (b"a" * 50_000_000, chunks()):
            answer = door.http.post("/v1/relief/great", content=body, headers=TOKEN)
            assert answer.status_code == 413
            assert answer.json()["type"] == "urn:minzheng:problem:too-large"
        assert "/v1/relief/great" not in door.behind.targets
        assert door.get() == 200

    def test_the_token_endpoint_takes_no_more_either(self, door: Door) -> None:
        answer = door.http.post("/oauth2/token", content=b"a=" + b"x" * MAX_BODY_BYTES)
        assert answer.status_code == 413
