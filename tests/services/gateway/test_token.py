"""The token endpoint: RFC 6749 §4.4, §5, §2.3; RFC 8414; RFC 9068."""

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from chassis.access import PublicKeys, Rejection, TokenRejected, TokenVerifier
from chassis.client_secret import hash_secret
from chassis.ids import new_id
from services.gateway.clients.rules import Secret
from services.gateway.tokens.rules import TokenRefused, granted
from services.gateway.tokens.secret_check import AT_ONCE, WAITING, Busy, SecretCheck
from services.gateway.tokens.throttle import Throttle
from tests.services.gateway.house import DISTRICT, House

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = "grant_type=client_credentials"


def ask(
    house: House,
    body: str | bytes = GRANT,
    *,
    auth: tuple[str, str] | None = None,
    headers: dict[str, str] | None = None,
    url: str = "/oauth2/token",
) -> httpx.Response:
    credentials = auth or httpx.USE_CLIENT_DEFAULT
    return house.http.post(url, content=body, auth=credentials, headers=FORM | (headers or {}))


def basic(text: str | bytes) -> dict[str, str]:
    raw = text.encode() if isinstance(text, str) else text
    return {"Authorization": f"Basic {base64.b64encode(raw).decode()}"}


def refused(answer: httpx.Response, status: int, error: str) -> None:
    """RFC 6749 §5.2: the error, an ASCII description, never stored, a challenge with 401."""
    body = answer.json()
    assert (answer.status_code, body["error"]) == (status, error)
    assert body["error_description"].isascii()
    assert "access_token" not in body
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def verified(house: House, token: str) -> Any:
    keys = PublicKeys(house.http.get("/.well-known/jwks.json").json())
    return await TokenVerifier(keys, "minzheng", "minzheng").verify(token)


class TestGrant:
    def test_basic_client_gets_all_that_it_was_granted(self, house: House) -> None:
        client = house.client("relief:read", "plan:read", organisation="区大数据局")
        answer = ask(house, auth=client)
        body = answer.json()
        assert (answer.status_code, body["token_type"]) == (200, "Bearer")
        assert body["scope"] == "plan:read relief:read"
        assert body["expires_in"] == 3600
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"
        principal = asyncio.run(verified(house, body["access_token"]))
        assert principal.subject == client[0]
        assert principal.organisation == "区大数据局"
        assert principal.divisions == (DISTRICT,)
        assert principal.scopes == {"relief:read", "plan:read"}

    def test_client_may_authenticate_in_the_body(self, house: House) -> None:
        client_id, secret = house.client()
        body = f"{GRANT}&client_id={client_id}&client_secret={secret}"
        assert ask(house, body).status_code == 200

    def test_basic_with_its_own_id_in_the_body_is_one_method(self, house: House) -> None:
        client = house.client()
        assert ask(house, f"{GRANT}&client_id={client[0]}", auth=client).status_code == 200

    def test_basic_parts_are_form_encoded(self, house: House) -> None:
        client_id, secret = house.client()
        encoded = "".join(f"%{byte:02X}" for byte in client_id.encode())
        headers = basic(f"{encoded}:{quote_plus(secret)}")
        assert ask(house, headers=headers).status_code == 200

    def test_fewer_scopes_than_granted(self, house: House) -> None:
        client = house.client("relief:read", "plan:read")
        body = ask(house, f"{GRANT}&scope=plan:read+plan:read", auth=client).json()
        assert body["scope"] == "plan:read"
        principal = asyncio.run(verified(house, body["access_token"]))
        assert principal.scopes == {"plan:read"}

    def test_empty_parameter_counts_as_absent(self, house: House) -> None:
        assert ask(house, f"{GRANT}&scope=", auth=house.client()).json()["scope"] == "relief:read"

    def test_tampered_token_does_not_count(self, house: House) -> None:
        head, payload, signature = house.token("relief:read").split(".")
        claims = base64.urlsafe_b64decode(payload + "==").replace(b"relief:read", b"relief:ruin")
        forged = base64.urlsafe_b64encode(claims).decode().rstrip("=")
        with pytest.raises(TokenRejected) as rejected:
            asyncio.run(verified(house, f"{head}.{forged}.{signature}"))
        assert rejected.value.reason is Rejection.SIGNATURE


class TestScope:
    @pytest.mark.parametrize(
        "scope", ["gateway:admin", "relief:read gateway:admin", "relief:*", "RELIEF:READ"]
    )
    def test_more_than_granted_is_refused_whole(self, house: House, scope: str) -> None:
        body = f"{GRANT}&scope={quote_plus(scope)}"
        refused(ask(house, body, auth=house.client()), 400, "invalid_scope")

    @pytest.mark.parametrize("scope", ["a  b", " a", "a ", 'a"b', "a\\b", "权限", "a\tb", "a\nb"])
    def test_malformed(self, house: House, scope: str) -> None:
        body = f"{GRANT}&scope={quote_plus(scope)}"
        refused(ask(house, body, auth=house.client()), 400, "invalid_scope")

    def test_nothing_granted_is_nothing_more(self) -> None:
        with pytest.raises(TokenRefused, match="exceeds"):
            granted(frozenset({"a"}), [])


class TestAuthentication:
    def test_never_two_methods(self, house: House) -> None:
        client = house.client()
        body = f"{GRANT}&client_id={client[0]}&client_secret={client[1]}"
        refused(ask(house, body, auth=client), 400, "invalid_request")

    def test_another_id_in_the_body(self, house: House) -> None:
        answer = ask(house, f"{GRANT}&client_id=somebody", auth=house.client())
        refused(answer, 400, "invalid_request")

    def test_none(self, house: House) -> None:
        refused(ask(house), 401, "invalid_client")

    def test_id_alone(self, house: House) -> None:
        body = f"{GRANT}&client_id={house.client()[0]}"
        refused(ask(house, body), 401, "invalid_client")

    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "Basic !!!notbase64"},
            {"Authorization": "Basic YQ"},
            {"Authorization": "Basic"},
            {"Authorization": "Bearer abc"},
            {"Authorization": "Digest username=a"},
            basic("no-colon"),
            basic(b"\xff\xfe:\xff"),
            basic("%FF:secret"),
            basic(":"),
            basic("a\x00b:secret"),
            basic("' OR 1=1 --:secret"),
            basic("client:" + "x" * 5_000),
        ],
    )
    def test_unusable_authorization(self, house: House, headers: dict[str, str]) -> None:
        refused(ask(house, headers=headers), 401, "invalid_client")

    def test_unknown_client_and_wrong_secret_get_one_answer(self, house: House) -> None:
        wrong = ask(house, auth=(house.client()[0], "wrong"))
        unknown = ask(house, auth=("nobody-at-all", "wrong"))
        refused(wrong, 401, "invalid_client")
        assert wrong.content == unknown.content
        assert wrong.headers["www-authenticate"] == unknown.headers["www-authenticate"]

    def test_secret_of_another_client(self, house: House) -> None:
        refused(ask(house, auth=(house.client()[0], house.client()[1])), 401, "invalid_client")

    def test_secret_is_kept_as_a_hash_alone(self, house: House) -> None:
        client_id, secret = house.client()
        rows = house.rows("SELECT * FROM client_secret WHERE client_id = $1", client_id)
        assert rows[0]["hash"].startswith("scrypt$")
        assert secret not in str(rows)


class TestRequest:
    @pytest.mark.parametrize(
        "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"]
    )
    def test_wrong_content_type(self, house: House, content_type: str) -> None:
        answer = ask(house, auth=house.client(), headers={"Content-Type": content_type})
        refused(answer, 400, "invalid_request")

    def test_content_type_with_charset(self, house: House) -> None:
        headers = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}
        assert ask(house, auth=house.client(), headers=headers).status_code == 200

    def test_credentials_in_the_address_are_refused(self, house: House) -> None:
        client_id, secret = house.client()
        url = f"/oauth2/token?client_id={client_id}&client_secret={secret}"
        refused(ask(house, url=url), 400, "invalid_request")

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "scope=relief:read",
            f"{GRANT}&{GRANT}",
            f"{GRANT}&scope=a&scope=b",
            b"\xff\xfe",
            "grant_type=%FF",
            "grant_type",
            "&".join(f"a{n}=1" for n in range(50)),
            f"{GRANT}&filler=" + "x" * 20_000,
        ],
    )
    def test_no_form_that_counts(self, house: House, body: str | bytes) -> None:
        refused(ask(house, body, auth=house.client()), 400, "invalid_request")

    def test_three_megabytes(self, house: House) -> None:
        answer = ask(house, "a=" + "x" * 3_000_000, auth=house.client())
        assert answer.status_code in (400, 413)
        assert "access_token" not in answer.text

    @pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "x"])
    def test_other_grants(self, house: House, grant: str) -> None:
        answer = ask(house, f"grant_type={grant}", auth=house.client())
        refused(answer, 400, "unsupported_grant_type")

    def test_authorization_twice(self, house: House) -> None:
        line = basic("{}:{}".format(*house.client()))["Authorization"]
        status, _, body = house.raw(
            f"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM['Content-Type']}\r\n"
            f"Authorization: {line}\r\nAuthorization: {line}\r\nConnection: close\r\n"
            f"Content-Length: {len(GRANT)}\r\n\r\n{GRANT}".encode()
        )
        assert (status, b"invalid_request" in body) == (400, True)

    def test_get_is_no_way_to_ask(self, house: House) -> None:
        assert house.http.get(f"/oauth2/token?{GRANT}").status_code == 405


class TestFailures:
    def test_ten_wrong_secrets_make_the_client_wait(self, house: House) -> None:
        client_id, secret = house.client()
        for _ in range(10):
            refused(ask(house, auth=(client_id, "wrong")), 401, "invalid_client")
        answer = ask(house, auth=(client_id, "wrong"))
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert ask(house, auth=(client_id, secret)).status_code == 429

    def test_whoever_guesses_does_not_lock_out_the_client_itself(self, house: House) -> None:
        client = house.client()
        assert ask(house, auth=client).status_code == 200
        for _ in range(11):
            ask(house, auth=(client[0], "wrong"))
        assert ask(house, auth=client).status_code == 200

    def test_after_a_minute_the_client_may_try_again(self) -> None:
        now = 0.0
        throttle = Throttle(limit=2, window=60, now=lambda: now)
        throttle.failed("a")
        now = 30.0
        throttle.failed("a")
        assert (throttle.wait("a"), throttle.wait("b")) == (30.0, 0)
        now = 60.0
        assert throttle.wait("a") == 0
        throttle.failed("a")
        assert throttle.wait("a") == 30.0

    def test_ids_that_callers_make_up_do_not_fill_the_memory(self) -> None:
        throttle = Throttle(limit=1, kept=2)
        for name in ("a", "b", "c"):
            throttle.failed(name)
        assert [throttle.wait(name) > 0 for name in ("a", "b", "c")] == [False, True, True]


def stored(secret: str) -> Secret:
    return Secret(new_id(), hash_secret(secret), None, None, None)  # type: ignore[arg-type]  # no date needed here


class TestSecretCheck:
    async def test_the_same_work_for_two_secrets_one_and_none(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = [stored("one"), stored("two")]
        derived: list[int] = []
        real = hashlib.scrypt

        def counted(*args: Any, **options: Any) -> bytes:
            derived.append(1)
            return real(*args, **options)

        monkeypatch.setattr(hashlib, "scrypt", counted)
        work = []
        for secrets in (known, known[:1], []):
            derived.clear()
            assert await SecretCheck().matching("a", "wrong", secrets) is None
            work.append(len(derived))
        assert work == [2, 2, 2]

    async def test_either_of_two_valid_secrets(self) -> None:
        known = [stored("one"), stored("two")]
        check = SecretCheck()
        assert await check.matching("a", "two", known) == known[1].id
        assert await check.matching("a", "one", known) == known[0].id

    async def test_remembered_only_for_that_client_and_while_it_counts(self) -> None:
        known = [stored("one")]
        check = SecretCheck()
        assert check.remembered("a", "one", known) is None
        await check.matching("a", "one", known)
        assert check.remembered("a", "one", known) == known[0].id
        assert check.remembered("b", "one", known) is None
        assert check.remembered("a", "two", known) is None
        assert check.remembered("a", "one", []) is None

    async def test_a_flood_is_turned_away_instead_of_queued(self) -> None:
        check = SecretCheck()
        asked = [check.matching("a", "wrong", []) for _ in range(WAITING + 5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in answers].count(Busy) == 5
        assert AT_ONCE < WAITING


class TestMetadata:
    def test_rfc_8414(self, house: House) -> None:
        found = house.http.get("/.well-known/oauth-authorization-server").json()
        assert found["issuer"] == "minzheng"
        assert found["token_endpoint"] == f"{house.url}/oauth2/token"
        assert found["jwks_uri"] == f"{house.url}/.well-known/jwks.json"
        assert found["grant_types_supported"] == ["client_credentials"]
        assert found["token_endpoint_auth_methods_supported"] == [
            "client_secret_basic",
            "client_secret_post",
        ]

    def test_jwks_holds_no_private_part(self, house: House) -> None:
        keys = house.http.get("/.well-known/jwks.json").json()["keys"]
        assert keys
        assert all("d" not in key for key in keys)
