"""Routing through the door: what passes, what is refused, what is said when a part is missing."""

import json
from itertools import pairwise
from typing import Any

import httpx
import pytest

from chassis.ids import new_id
from chassis.limits import MAX_BODY_BYTES
from services.gateway.proxy import rules
from tests.services.gateway.house import House, echo, problem, served

TOKEN = {"Authorization": "Bearer any.token.goes"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def get(house: House, url: str, **headers: str) -> httpx.Response:
    return house.http.get(url, headers=TOKEN | headers)


def seen(answer: httpx.Response) -> dict[str, list[str]]:
    """The headers that reached the service."""
    found: dict[str, list[str]] = {}
    for name, value in answer.json()["headers"]:
        found.setdefault(name, []).append(value)
    return found


class TestPassing:
    def test_path_and_query_arrive_as_they_were_sent(self, house: House) -> None:
        url = "/v1/relief/standards/%E4%B8%AD:a@b%20c?as_of=2025-01-01&x=%2F..&y=a+b&z="
        body = get(house, url).json()
        assert f"{body['target']}?{body['query']}" == url

    def test_the_root_of_a_domain(self, house: House) -> None:
        assert get(house, "/v1/relief?x=1").json()["target"] == "/v1/relief"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_methods_and_bodies(self, house: House, method: str) -> None:
        answer = house.http.request(method, "/v1/relief/x", content=b"a" * 70_000, headers=TOKEN)
        assert (answer.json()["method"], answer.json()["length"]) == (method, 70_000)

    def test_head(self, house: House) -> None:
        answer = house.http.head("/v1/relief/x", headers=TOKEN)
        assert (answer.status_code, answer.content) == (200, b"")

    @pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "CONNECT", "PROPFIND"])
    def test_other_methods(self, house: House, method: str) -> None:
        status, *_ = house.raw(
            f"{method} /v1/relief/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert status in (400, 404, 405)

    def test_headers_that_the_services_know_and_no_others(self, house: House) -> None:
        answer = house.http.post(
            "/v1/relief/x",
            content=b"{}",
            headers=TOKEN
            | {
                "Content-Type": "application/json",
                "Idempotency-Key": "key-0001",
                "If-Match": '"3"',
                "If-None-Match": '"4"',
                "Accept-Language": "zh-CN",
                "traceparent": TRACE,
                "X-Request-Id": "req-1",
                "Cookie": "a=b",
                "X-Forwarded-For": "1.2.3.4",
                "X-Forwarded-Host": "evil",
                "Forwarded": "for=1.2.3.4",
                "X-Original-Url": "/admin",
                "X-Http-Method-Override": "DELETE",
                "Host": "evil",
                "Proxy-Authorization": "Basic x",
                "TE": "trailers",
                "Upgrade": "h2c",
                "Connection": "keep-alive, If-Match",
            },
        )
        found = seen(answer)
        assert found["authorization"] == ["Bearer any.token.goes"]
        assert found["idempotency-key"] == ["key-0001"]
        assert (found["if-match"], found["if-none-match"]) == (['"3"'], ['"4"'])
        assert found["x-request-id"] == ["req-1"]
        assert found["traceparent"][0].split("-")[1] == TRACE.split("-")[1]
        assert found["host"] == [house.relief.removeprefix("http://")]
        assert found["accept-encoding"] == ["identity"]
        assert set(found) <= {
            *(name.decode() for name in rules.UP_ONCE | rules.UP_MANY),
            *("host", "connection", "accept-encoding", "user-agent", "content-length"),
            *("x-request-id", "traceparent"),
        }
        assert answer.headers["x-request-id"] == "req-1"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a;b", "请求"])
    def test_request_id_unfit_for_a_log_line_is_replaced(self, house: House, given: str) -> None:
        answer = house.http.get(
            "/v1/relief/x",
            headers=[(b"Authorization", b"Bearer a"), (b"X-Request-Id", given.encode())],
        )
        assert seen(answer)["x-request-id"] == [answer.headers["x-request-id"]]
        assert answer.headers["x-request-id"] != given

    def test_answer_comes_back_without_the_inner_house(self, house: House) -> None:
        location = f"{house.relief}/v1/relief/a?b=1"
        answer = get(house, f"/v1/relief/answer?location={location}")
        assert (answer.status_code, answer.text) == (409, "好")
        assert answer.headers["etag"] == '"7"'
        assert answer.headers["location"] == "/v1/relief/a?b=1"
        assert answer.headers["retry-after"] == "3"
        assert answer.headers["idempotency-replayed"] == "true"
        assert answer.headers["content-type"] == "application/problem+json"
        hidden = {"keep-alive", "server", "set-cookie", "x-inner"}
        assert not hidden & set(answer.headers)

    @pytest.mark.parametrize(
        "location", ["/v1/relief/a", "https://example.org/x", "http://127.0.0.1:1/x"]
    )
    def test_other_locations_stay(self, house: House, location: str) -> None:
        answer = get(house, f"/v1/relief/answer?location={location}")
        assert answer.headers["location"] == location

    def test_a_name_that_only_begins_like_the_inner_origin_stays(self) -> None:
        headers = [(b"Location", b"http://relief.example.org/x")]
        assert rules.downwards(headers, "http://relief") == [(b"location", headers[0][1])]

    def test_export_of_four_megabytes(self, house: House) -> None:
        answer = get(house, "/v1/relief/xlsx")
        assert len(answer.content) == 64 * 65_536
        assert answer.content[-1] == 63
        assert answer.headers["content-disposition"] == 'attachment; filename="a.xlsx"'

    def test_plan_and_indicator_are_one_service(self, house: House) -> None:
        get(house, "/v1/plan/drop-once?plan")
        get(house, "/v1/indicator/drop-once?indicator")
        assert house.rough.asked["/v1/plan/drop-once?plan"]
        assert house.rough.asked["/v1/indicator/drop-once?indicator"]


class TestRefusing:
    @pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Bearer", "Bearer a b"])
    def test_without_a_token_nothing_is_forwarded(
        self, house: House, authorization: str | None
    ) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = house.http.get("/v1/indicator/untold", headers=headers)
        assert problem(answer)["status"] == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert house.rough.asked["/v1/indicator/untold"] == 0

    @pytest.mark.parametrize(
        "path",
        [
            "/v1/relief/../gateway/clients",
            "/v1/relief/a/..",
            "/v1/relief/./a",
            "/v1/relief//a",
            "/v1/relief/",
            "/v1/relief/a/",
            "//v1/relief/a",
            "/v1//relief/a",
            "/v1/relief/%2e%2e/x",
            "/v1/relief/.%2E/x",
            "/v1/relief/%2e",
            "/v1/relief%2Fa/b",
            "/v1/relief/a%2fb",
            "/v1/relief/a%5cb",
            "/v1/relief/a\\b",
            "/v1/relief/..%5c",
            "/v1/relief/%252e%252e/x",
            "/v1/relief/a%00b",
            "/v1/relief/a%0d%0aX:1",
            "/v1/relief/a%7f",
            "/v1/relief/%ff",
            "/v1/relief/%zz",
            "/v1/relief/a;b=c",
            "/v1/relief/..;/x",
            "/v1/%72elief/a",
            "/v1/relief/http://127.0.0.1:1/",
            "/v1/relief/a%E2%80%AE",
            "/v1/relief/" + "a" * 3_000,
            "/v1/relief/a?" + "b" * 9_000,
            "/v1/unknown/a",
            "/v1",
            "/-/../v1/relief/a",
        ],
    )
    def test_path_tricks(self, house: House, path: str) -> None:
        status, _, body = house.raw(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        assert status in (400, 404)
        assert b"target" not in body  # what the stand-in would say

    def test_absolute_form_goes_nowhere_else(self, house: House) -> None:
        """RFC 9112 §3.2.2 has servers accept it; only its path counts."""
        status, _, body = house.raw(
            b"GET http://127.0.0.1:1/v1/relief/a HTTP/1.1\r\nHost: evil\r\n"
            b"Authorization: Bearer a\r\nConnection: close\r\n\r\n"
        )
        assert status == 200
        found = json.loads(body)
        assert found["target"] == "/v1/relief/a"
        assert ["host", house.relief.removeprefix("http://")] in found["headers"]

    @pytest.mark.parametrize(
        "lines",
        [
            'If-Match: "1"\r\nIf-Match: "2"',
            "Idempotency-Key: aaaaaaaa\r\nIdempotency-Key: bbbbbbbb",
            "Content-Type: a/b\r\nContent-Type: c/d",
            "If-Match: a\x00b",
            "If-Match: a\r b",
            "X Y: a",
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "Content-Length: 3\r\nContent-Length: 4",
            "Content-Length: -1",
            "Transfer-Encoding: gzip",
        ],
    )
    def test_headers_that_could_be_read_in_two_ways(self, house: House, lines: str) -> None:
        status, *_ = house.raw(
            f"POST /v1/relief/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n{lines}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        assert status == 400

    def test_two_authorizations(self, house: House) -> None:
        status, *_ = house.raw(
            b"GET /v1/relief/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
            b"Authorization: Bearer b\r\nConnection: close\r\n\r\n"
        )
        assert status == 400

    def test_three_megabytes(self, house: House) -> None:
        answer = house.http.post("/v1/indicator/big", content=b"a" * 3_000_000, headers=TOKEN)
        assert answer.status_code == 413
        assert house.rough.asked["/v1/indicator/big"] == 0

    def test_chunked_body_over_the_limit(self, house: House) -> None:
        def chunks() -> Any:
            for _ in range(48):
                yield b"a" * 65_536

        answer = house.http.post("/v1/indicator/chunks", content=chunks(), headers=TOKEN)
        assert problem(answer)["status"] == 413
        assert house.rough.asked["/v1/indicator/chunks"] == 0

    def test_chunked_body_within_the_limit(self, house: House) -> None:
        body = iter([b"a" * 65_536] * 4)
        answer = house.http.post("/v1/relief/x", content=body, headers=TOKEN)
        assert answer.json()["length"] == 4 * 65_536
        assert MAX_BODY_BYTES > 4 * 65_536


class TestMissingParts:
    def test_down_names_the_part_in_chinese(self, house: House) -> None:
        answer = get(house, "/v1/eldercare/facilities")
        assert problem(answer)["status"] == 503
        assert "养老服务" in problem(answer)["detail"]
        assert int(answer.headers["retry-after"]) > 0

    def test_the_others_go_on(self, house: House) -> None:
        assert get(house, "/v1/eldercare/x").status_code == 503
        assert get(house, "/v1/relief/x").status_code == 200

    def test_it_comes_back_by_itself(self, house: House) -> None:
        assert get(house, "/v1/eldercare/x").status_code == 503
        with served(echo(), house.nobody.dup()):
            assert get(house, "/v1/eldercare/x").status_code == 200

    def test_hanging_is_a_time_out(self, house: House) -> None:
        answer = get(house, "/v1/plan/hang")
        assert problem(answer)["status"] == 504
        assert "规划指标" in problem(answer)["detail"]
        assert int(answer.headers["retry-after"]) > 0

    def test_killed_in_the_middle_of_a_get_is_asked_once_more(self, house: House) -> None:
        url = f"/v1/plan/drop-once?{new_id().hex}"
        assert get(house, url).status_code == 200
        assert house.rough.asked[url] == 2

    @pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "key-0001"}])
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_a_change_that_may_have_happened_is_not_repeated(
        self, house: House, method: str, key: dict[str, str]
    ) -> None:
        url = f"/v1/plan/drop-once?{new_id().hex}"
        answer = house.http.request(method, url, headers=TOKEN | key, content=b"{}")
        assert problem(answer)["status"] == 503
        assert "Idempotency-Key" in problem(answer)["detail"]
        assert house.rough.asked[url] == 1

    def test_a_post_is_tried_again_only_with_a_key_and_before_it_was_sent(self) -> None:
        assert rules.may_repeat_unsent("POST", has_key=True)
        assert not rules.may_repeat_unsent("POST", has_key=False)
        assert not rules.may_repeat_sent("POST")

    def test_nonsense_is_a_missing_part(self, house: House) -> None:
        assert problem(get(house, "/v1/plan/nonsense"))["status"] == 503

    def test_cut_answer_is_seen_to_be_cut(self, house: House) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            get(house, "/v1/plan/cut")

    def test_fifty_that_hang_leave_the_others_alone(self, house: House) -> None:
        """Each part has connections of its own."""
        with httpx.Client(base_url=house.url, timeout=0.05) as impatient:
            for _ in range(50):
                with pytest.raises(httpx.TimeoutException):
                    impatient.get("/v1/plan/hang", headers=TOKEN)
        assert get(house, "/v1/relief/x").status_code == 200

    def test_client_that_goes_away_gives_its_connection_back(self, house: House) -> None:
        for _ in range(120):  # more than there are connections to the part
            with house.http.stream("GET", "/v1/relief/xlsx", headers=TOKEN) as answer:
                next(answer.iter_raw())
        assert get(house, "/v1/relief/x").status_code == 200


class TestStatus:
    def wait_for(self, house: House, **wanted: str) -> dict[str, Any]:
        while True:
            body: dict[str, Any] = house.http.get("/-/status").json()
            found = {part["name"]: part["status"] for part in body["parts"]}
            if found == found | wanted:
                return body

    def test_says_which_part_is_down_and_since_when(self, house: House) -> None:
        body = self.wait_for(house, relief="up", eldercare="down", indicator="up")
        assert body["status"] == "down"
        assert all(part["since"] for part in body["parts"])
        times = [self.wait_for(house)["parts"][1]["since"] for _ in range(3)]
        assert all(one == other for one, other in pairwise(times))

    def test_sees_a_part_come_and_go(self, house: House) -> None:
        with served(echo(), house.nobody.dup()):
            self.wait_for(house, eldercare="up")
        self.wait_for(house, eldercare="down")

    def test_health_and_readiness(self, house: House) -> None:
        assert house.http.get("/-/health").json() == {"status": "ok"}
        assert house.http.get("/-/ready").json() == {"status": "ready"}
