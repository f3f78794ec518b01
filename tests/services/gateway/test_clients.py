"""Clients (接入方) are administered by API: scope, walls, idempotency, versions, change-over."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chassis.ids import new_id
from services.gateway.clients.rules import CHANGE_OVER, Secret, ends_after_new, valid
from tests.services.gateway.house import DISTRICT, TOWN, House, problem

URL = "/v1/gateway/clients"
NOW = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)


def body(**changes: Any) -> dict[str, Any]:
    return {
        "client_id": f"made-{new_id().hex[-12:]}",
        "name": "一门受理平台",
        "organisation": "区政务服务中心",
        "scopes": ["relief:read"],
        "divisions": [DISTRICT],
    } | changes


def admin(house: House, *divisions: str) -> dict[str, str]:
    return house.bearer("gateway:admin", divisions=divisions or (DISTRICT,))


def token(house: House, client_id: str, secret: str) -> httpx.Response:
    data = {"grant_type": "client_credentials"}
    return house.http.post("/oauth2/token", data=data, auth=(client_id, secret))


def made(house: House, headers: dict[str, str], **changes: Any) -> tuple[str, str]:
    """A registered client's URL and ETag."""
    answer = house.http.post(URL, json=body(**changes), headers=headers)
    assert answer.status_code == 201
    return answer.headers["location"], answer.headers["etag"]


class TestAccess:
    def test_without_a_token(self, house: House) -> None:
        assert problem(house.http.get(URL))["status"] == 401

    def test_without_the_scope_and_the_denial_is_audited(self, house: House) -> None:
        client_id, secret = house.client("relief:read")
        bearer = {
            "Authorization": f"Bearer {token(house, client_id, secret).json()['access_token']}"
        }
        for answer in (
            house.http.get(URL, headers=bearer),
            house.http.post(URL, json=body(), headers=bearer),
            house.http.post(f"{URL}/{client_id}/secret", headers=bearer),
            house.http.delete(f"{URL}/{client_id}", headers=bearer),
        ):
            assert problem(answer)["status"] == 403
        denied = house.rows(
            "SELECT * FROM chassis.audit_entry WHERE actor = $1 AND result = 'denied'", client_id
        )
        assert len(denied) == 4

    def test_administrator_of_a_town_sees_nothing_of_the_district(self, house: House) -> None:
        district, town = admin(house), admin(house, TOWN)
        url, etag = made(house, district)
        below, _ = made(house, town, divisions=[TOWN])
        assert problem(house.http.get(url, headers=town))["status"] == 404
        changed = {**town, "If-Match": etag}
        assert problem(house.http.post(f"{url}/secret", headers=changed))["status"] == 404
        assert problem(house.http.delete(url, headers=changed))["status"] == 404
        assert house.http.get(below, headers=district).status_code == 200
        listed = house.http.get(f"{URL}?limit=200", headers=town).json()["items"]
        assert {code for item in listed for code in item["divisions"]} == {TOWN}

    def test_administrator_of_a_town_grants_no_more_than_it_has(self, house: House) -> None:
        asked = body(divisions=[TOWN, DISTRICT])
        answer = house.http.post(URL, json=asked, headers=admin(house, TOWN))
        assert [error["pointer"] for error in problem(answer)["errors"]] == ["/divisions/1"]


class TestRegistering:
    def test_registered_without_a_secret_and_found_again(self, house: House) -> None:
        headers = admin(house)
        asked = body()
        answer = house.http.post(URL, json=asked, headers=headers)
        assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
        assert answer.json()["secrets"] == []
        assert house.http.get(answer.headers["location"], headers=headers).json() == answer.json()
        assert token(house, asked["client_id"], "").status_code == 401
        audited = house.rows(
            "SELECT action FROM chassis.audit_entry WHERE subject = $1", asked["client_id"]
        )
        assert [row["action"] for row in audited] == [
            "gateway.client.registered",
            "POST /oauth2/token",
        ]

    def test_the_same_key_registers_once(self, house: House) -> None:
        headers = {**admin(house), "Idempotency-Key": new_id().hex}
        asked = body()
        first = house.http.post(URL, json=asked, headers=headers)
        again = house.http.post(URL, json=asked, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotency-replayed"] == "true"

    def test_an_id_is_given_once(self, house: House) -> None:
        headers = admin(house)
        asked = body()
        house.http.post(URL, json=asked, headers=headers)
        answer = house.http.post(URL, json=asked, headers=headers)
        assert problem(answer)["type"].endswith("client-already-registered")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"client_id": "Upper"},
            {"client_id": "event:1"},
            {"client_id": "a b c"},
            {"name": ""},
            {"name": "a\nb"},
            {"scopes": []},
            {"scopes": ["relief read"]},
            {"divisions": ["5001"]},
            {"divisions": ["999999999999"]},
            {"secret": "mine"},
        ],
    )
    def test_ill_formed(self, house: House, wrong: dict[str, Any]) -> None:
        answer = house.http.post(URL, json=body(**wrong), headers=admin(house))
        assert problem(answer)["status"] == 422

    def test_pages(self, house: House) -> None:
        headers = admin(house)
        ids = sorted(
            made(house, headers, client_id=f"page-{new_id().hex[-12:]}")[0].rsplit("/", 1)[-1]
            for _ in range(3)
        )
        found: list[str] = []
        cursor = ""
        while cursor is not None:
            query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = house.http.get(URL, params=query, headers=headers).json()
            found += [item["client_id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert found == sorted(set(found))
        assert set(ids) <= set(found)


class TestSecrets:
    def test_issued_once_and_kept_nowhere_in_clear(self, house: House) -> None:
        headers = admin(house)
        url, etag = made(house, headers)
        key = new_id().hex
        answer = house.http.post(
            f"{url}/secret", headers={**headers, "If-Match": etag, "Idempotency-Key": key}
        )
        assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
        issued = answer.json()
        assert issued["previous_valid_until"] is None
        assert token(house, issued["client_id"], issued["client_secret"]).status_code == 200
        kept = house.rows("SELECT answer FROM chassis.idempotency_key")
        assert not any(issued["client_secret"].encode() in row["answer"] for row in kept)
        shown = house.http.get(url, headers=headers)
        assert issued["client_secret"] not in shown.text
        assert shown.json()["secrets"][0]["first_used_at"] is not None

    def test_needs_the_version_that_it_is_based_on(self, house: House) -> None:
        headers = admin(house)
        url, etag = made(house, headers)
        assert problem(house.http.post(f"{url}/secret", headers=headers))["status"] == 428
        headers["If-Match"] = etag
        assert house.http.post(f"{url}/secret", headers=headers).status_code == 201
        assert problem(house.http.post(f"{url}/secret", headers=headers))["status"] == 412

    def test_both_count_during_the_change_over(self, house: House) -> None:
        headers = admin(house)
        client_id, old = house.client()
        assert token(house, client_id, old).status_code == 200
        url = f"{URL}/{client_id}"
        etag = house.http.get(url, headers=headers).headers["etag"]
        issued = house.http.post(f"{url}/secret", headers={**headers, "If-Match": etag}).json()
        assert issued["previous_valid_until"] is not None
        assert token(house, client_id, old).status_code == 200
        assert token(house, client_id, issued["client_secret"]).status_code == 200

    def test_one_whose_answer_was_lost_ends_with_the_next(self, house: House) -> None:
        headers = admin(house)
        client_id, old = house.client()
        assert token(house, client_id, old).status_code == 200
        url = f"{URL}/{client_id}"
        issued = []
        for _ in range(2):
            etag = house.http.get(url, headers=headers).headers["etag"]
            answer = house.http.post(f"{url}/secret", headers={**headers, "If-Match": etag})
            issued.append(answer.json()["client_secret"])
        lost, received = issued
        assert [token(house, client_id, one).status_code for one in (old, lost, received)] == [
            *(200, 401, 200)
        ]

    def test_ended_secret_is_refused_though_it_was_verified_lately(self, house: House) -> None:
        client_id, secret = house.client()
        assert token(house, client_id, secret).status_code == 200
        house.rows("UPDATE client_secret SET ends_at = now() WHERE client_id = $1", client_id)
        assert token(house, client_id, secret).status_code == 401


class TestDisabling:
    def test_no_more_tokens_and_no_more_secrets(self, house: House) -> None:
        headers = admin(house)
        client_id, secret = house.client()
        assert token(house, client_id, secret).status_code == 200
        url = f"{URL}/{client_id}"
        assert problem(house.http.delete(url, headers=headers))["status"] == 428
        changed = {**headers, "If-Match": house.http.get(url, headers=headers).headers["etag"]}
        assert house.http.delete(url, headers=changed).status_code == 204
        assert token(house, client_id, secret).status_code == 401
        shown = house.http.get(url, headers=headers)
        assert shown.json()["disabled_at"] is not None
        assert problem(house.http.delete(url, headers=changed))["status"] == 412
        changed["If-Match"] = shown.headers["etag"]
        assert problem(house.http.post(f"{url}/secret", headers=changed))["status"] == 409


def secret(minutes: int, *, used: bool = False, ends: timedelta | None = None) -> Secret:
    created = NOW + timedelta(minutes=minutes)
    return Secret(
        new_id(), "", created, created if used else None, None if ends is None else NOW + ends
    )


class TestRules:
    def test_first_secret_ends_nothing(self) -> None:
        assert ends_after_new([], NOW) == {}

    def test_the_one_in_use_goes_on_for_a_week(self) -> None:
        used = secret(-10, used=True)
        assert ends_after_new([used], NOW) == {used.id: NOW + CHANGE_OVER}

    def test_an_end_is_never_put_off(self) -> None:
        used = secret(-10, used=True, ends=timedelta(hours=1))
        assert ends_after_new([used], NOW) == {used.id: NOW + timedelta(hours=1)}

    def test_of_two_in_use_the_older_ends(self) -> None:
        old, new = secret(-10, used=True), secret(-5, used=True)
        assert ends_after_new([old, new], NOW) == {old.id: NOW, new.id: NOW + CHANGE_OVER}

    def test_at_most_two_count(self) -> None:
        three = [secret(-3), secret(-2), secret(-1)]
        assert valid(three, NOW) == [three[2], three[1]]

    def test_none_counts_from_its_end_on(self) -> None:
        assert valid([secret(-3, ends=timedelta())], NOW) == []
