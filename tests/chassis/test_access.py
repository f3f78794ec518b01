import asyncio
import base64
import json
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.registry import HeaderParameter

from chassis.access import (
    Jwks,
    KeysUnavailable,
    Principal,
    PublicKeys,
    Rejection,
    TokenRejected,
    TokenVerifier,
)
from chassis.http_client import HttpClient
from tests.chassis.scripted_server import Answer, answer, hang_up, held, running

Signer = ECKey | RSAKey | OKPKey | OctKey

EC = ECKey.generate_key("P-256", {"kid": "ec"})
OTHER_EC = ECKey.generate_key("P-256", {"kid": "other"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "alg": "EdDSA"})
SET = {"keys": [key.as_dict(private=False) for key in (EC, RSA, ED)]}
VERIFIER = TokenVerifier(PublicKeys(SET), issuer="minzheng", audience="minzheng")


def claims(**changed: object) -> dict[str, Any]:
    now = int(time.time())
    full = {
        "iss": "minzheng",
        "aud": "minzheng",
        "sub": "client-1",
        "org": "双凤桥街道",
        "divisions": ["500112005000"],
        "scope": "eldercare:read relief:accept",
        "iat": now,
        "exp": now + 600,
    } | changed
    return {name: value for name, value in full.items() if value is not ...}


def token(key: Signer = EC, alg: str = "ES256", **changed: object) -> str:
    return jwt.encode({"alg": alg, "kid": key.kid}, claims(**changed), key, algorithms=[alg])


async def reason(text: str, verifier: TokenVerifier = VERIFIER) -> Rejection:
    with pytest.raises(TokenRejected) as rejected:
        await verifier.verify(text)
    return rejected.value.reason


# --- what counts ---


@pytest.mark.parametrize(("key", "alg"), [(EC, "ES256"), (RSA, "RS256"), (ED, "Ed25519")])
async def test_a_token_speaks_for_its_principal(key: Signer, alg: str) -> None:
    signer = OKPKey.import_key(ED.as_dict(private=True) | {"alg": alg}) if key is ED else key
    principal = await VERIFIER.verify(token(signer, alg, act="staff-7"))
    assert principal == Principal(
        subject="client-1",
        organisation="双凤桥街道",
        divisions=("500112005000",),
        scopes=frozenset({"eldercare:read", "relief:accept"}),
        act="staff-7",
    )


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_eddsa_under_its_older_name_is_accepted_rfc_9864() -> None:
    assert (await VERIFIER.verify(token(ED, "EdDSA"))).subject == "client-1"


async def test_a_principal_may_what_its_scopes_say_and_no_more() -> None:
    principal = await VERIFIER.verify(token(scope="relief:accept"))
    assert principal.may("relief:accept")
    assert not principal.may("relief:decide")
    assert not principal.may("relief")
    assert not principal.may("")


async def test_a_token_without_divisions_or_scopes_has_none() -> None:
    principal = await VERIFIER.verify(token(divisions=..., scope=...))
    assert (principal.divisions, principal.scopes, principal.act) == ((), frozenset(), None)


async def test_one_of_several_audiences_is_enough() -> None:
    assert await VERIFIER.verify(token(aud=["else", "minzheng"]))


async def test_thirty_seconds_of_clocks_apart_are_forgiven() -> None:
    now = int(time.time())
    assert await VERIFIER.verify(token(exp=now - 20))
    assert await VERIFIER.verify(token(nbf=now + 20, iat=now + 20))


def test_a_principal_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Principal("a", "b").subject = "c"  # type: ignore[misc]  # the point of the test


# --- what does not ---


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"iss": "stranger"}, Rejection.ISSUER),
        ({"iss": ...}, Rejection.CLAIMS),
        ({"iss": ["minzheng"]}, Rejection.ISSUER),
        ({"aud": "else"}, Rejection.AUDIENCE),
        ({"aud": []}, Rejection.AUDIENCE),
        ({"aud": ...}, Rejection.CLAIMS),
        ({"exp": 1}, Rejection.EXPIRED),
        ({"exp": int(time.time()) - 60}, Rejection.EXPIRED),
        ({"exp": ...}, Rejection.CLAIMS),
        ({"exp": "9999999999"}, Rejection.CLAIMS),
        ({"exp": True}, Rejection.CLAIMS),
        ({"exp": float("nan")}, Rejection.CLAIMS),
        ({"exp": float("inf")}, Rejection.CLAIMS),
        ({"nbf": int(time.time()) + 3_600}, Rejection.NOT_YET_VALID),
        ({"iat": int(time.time()) + 3_600}, Rejection.NOT_YET_VALID),
        ({"iat": ...}, Rejection.CLAIMS),
        ({"sub": ...}, Rejection.CLAIMS),
        ({"sub": ""}, Rejection.CLAIMS),
        ({"sub": 7}, Rejection.CLAIMS),
        ({"sub": "a\nb"}, Rejection.CLAIMS),
        ({"sub": "a\n"}, Rejection.CLAIMS),
        ({"sub": "a" * 201}, Rejection.CLAIMS),
        ({"sub": "job:daily"}, Rejection.CLAIMS),
        ({"sub": "event:1"}, Rejection.CLAIMS),
        ({"org": ...}, Rejection.CLAIMS),
        ({"org": "a\x00b"}, Rejection.CLAIMS),
        ({"divisions": "500112005000"}, Rejection.CLAIMS),
        ({"divisions": ["500112"]}, Rejection.CLAIMS),
        ({"divisions": [500112005000]}, Rejection.CLAIMS),
        ({"divisions": ["50011200500%"]}, Rejection.CLAIMS),
        ({"divisions": ["٥٠٠١١٢٠٠٥٠٠٠"]}, Rejection.CLAIMS),
        ({"divisions": None}, Rejection.CLAIMS),
        ({"scope": ["relief:decide"]}, Rejection.CLAIMS),
        ({"act": {"sub": "x"}}, Rejection.CLAIMS),
    ],
)
async def test_a_genuine_token_with_wrong_claims_is_rejected(
    changed: dict[str, Any], expected: Rejection
) -> None:
    assert await reason(token(**changed)) is expected


def forged(header: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims()).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 1, ["ES256"], {"a": 1}])
async def test_no_algorithm_is_no_signature(alg: object) -> None:
    assert await reason(forged({"alg": alg, "kid": "ec"})) is Rejection.ALGORITHM


async def test_a_public_key_is_no_shared_secret() -> None:
    pem = OctKey.import_key(base64.urlsafe_b64encode(RSA.as_pem(private=False)), {"kid": "rsa"})
    for alg in ("HS256", "HS384", "HS512"):
        assert await reason(token(pem, alg)) is Rejection.ALGORITHM


@pytest.mark.parametrize("alg", ["RS384", "PS256", "ES384", "ES256K", "Ed448"])
async def test_algorithms_off_the_list_are_rejected(alg: str) -> None:
    assert await reason(forged({"alg": alg, "kid": "ec"}, b"x" * 64)) is Rejection.ALGORITHM


@pytest.mark.parametrize(("kid", "alg"), [("rsa", "ES256"), ("ec", "RS256"), ("rsa", "EdDSA")])
async def test_an_algorithm_of_another_kind_of_key_is_rejected(kid: str, alg: str) -> None:
    assert await reason(forged({"alg": alg, "kid": kid}, b"x" * 64)) is Rejection.SIGNATURE


async def test_a_stranger_who_names_our_key_is_rejected() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "ec"})
    assert await reason(token(stranger)) is Rejection.SIGNATURE


async def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "mine"})
    header = {"jwk": stranger.as_dict(private=False), "jku": "http://127.0.0.1:1/"}
    text = forged({"alg": "ES256", "kid": "mine", **header}, b"x" * 64)
    assert await reason(text) in {Rejection.UNKNOWN_KEY, Rejection.MALFORMED}


@pytest.mark.parametrize("kid", [None, 1, ["ec"], "", "nobody", "../ec"])
async def test_without_a_known_key_id_nothing_counts(kid: object) -> None:
    text = forged({"alg": "ES256", "kid": kid}, b"x" * 64)
    assert await reason(text) is Rejection.UNKNOWN_KEY


async def test_what_is_critical_and_unknown_is_rejected_rfc_7515_4_1_11() -> None:
    header = {"alg": "ES256", "kid": "ec", "crit": ["fee"], "fee": 1}
    knows_fee = jws.JWSRegistry({"fee": HeaderParameter("Fee", "int")}, ["ES256"])
    text = jwt.encode(header, claims(), EC, registry=knows_fee)
    assert jwt.decode(text, EC, registry=knows_fee).claims["sub"] == "client-1"
    assert await reason(text) is Rejection.SIGNATURE


async def test_every_changed_character_of_a_token_is_found() -> None:
    text = token()
    for place in range(0, len(text) - 1, 7):
        changed = "A" if text[place] != "A" else "B"
        await reason(text[:place] + changed + text[place + 1 :])


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "a.b.c", "令牌", "x" * 10_000, "e30.e30.", "bnVsbA.bnVsbA.", "W10.W10."],
)
async def test_what_is_no_token_is_rejected(text: str) -> None:
    assert await reason(text) in {Rejection.MALFORMED, Rejection.ALGORITHM}


@given(st.text(max_size=60) | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"))
async def test_any_text_is_rejected_and_nothing_else_is_raised(text: str) -> None:
    await reason(text)


@given(st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ"]), st.from_type(object)))
async def test_any_header_is_rejected_and_nothing_else_is_raised(header: dict[str, Any]) -> None:
    await reason(forged(json.loads(json.dumps(header, default=str)), b"x" * 64))


@pytest.mark.parametrize("payload", [b"[]", b"1", b"null", b"\xff", b"{", b"[" * 5_000])
async def test_a_genuine_signature_over_no_claims_is_rejected(payload: bytes) -> None:
    text = jws.serialize_compact({"alg": "ES256", "kid": "ec"}, payload, EC)
    assert await reason(text) is Rejection.CLAIMS


# --- keys ---


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize(
    "unusable",
    [
        None,
        "key",
        {},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off-curve"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "no-curve"},
        {"kty": "OKP", "crv": "Ed25519", "x": 7, "kid": "number"},
        {"kty": "AKP", "kid": "post-quantum"},
        {"kty": ["EC"], "kid": "list"},
        EC.as_dict(private=False) | {"use": "enc"},
        {name: part for name, part in EC.as_dict(private=False).items() if name != "kid"},
        {"kty": "RSA", "n": "_" * 170 + "8", "e": "AQAB", "kid": "short"},  # 1023 bits
    ],
)
def test_unusable_keys_of_a_set_are_left_out_and_the_others_serve(unusable: object) -> None:
    with pytest.raises(ValueError, match="no usable key"):
        PublicKeys({"keys": [unusable]})
    assert "rsa" in PublicKeys({"keys": [unusable, RSA.as_dict(private=False)]})


@pytest.mark.parametrize("jwks", [None, [], {}, {"keys": None}, {"keys": {}}, {"keys": []}, "x"])
def test_what_is_no_key_set_is_refused(jwks: object) -> None:
    with pytest.raises(ValueError, match="no usable key"):
        PublicKeys(jwks)


def test_private_parts_that_an_issuer_published_are_not_kept() -> None:
    kept = PublicKeys({"keys": [EC.as_dict(private=True), RSA.as_dict(private=True)]}).as_jwks()
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {name for key in kept["keys"] for name in key}


# --- the issuer's keys over HTTP ---

BODY = json.dumps(SET).encode()
OTHER_BODY = json.dumps({"keys": [OTHER_EC.as_dict(private=False)]}).encode()


def closed_port() -> str:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}/"


async def eventually(happened: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if happened():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@asynccontextmanager
async def fetching(url: str, file: Path, **times: float) -> AsyncIterator[Jwks]:
    async with (
        HttpClient(attempts=1) as client,
        Jwks(url, file=file, client=client, **times) as keys,
    ):
        yield keys


def verifier_of(keys: Jwks) -> TokenVerifier:
    return TokenVerifier(keys, "minzheng", "minzheng")


async def test_keys_are_fetched_and_kept_in_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "state" / "jwks.json"
    async with running(answer(200, BODY)) as server, fetching(server.url, file) as keys:
        assert await verifier_of(keys).verify(token())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_bytes())["url"] == server.url


async def test_with_the_issuer_down_a_new_process_verifies_by_the_file(tmp_path: Path) -> None:
    async with running(answer(200, BODY), hang_up) as server:
        async with fetching(server.url, tmp_path / "j") as keys:
            await keys.key("ec")
        async with fetching(server.url, tmp_path / "j") as keys:
            assert await verifier_of(keys).verify(token())


@pytest.mark.parametrize(
    "failure",
    [
        hang_up,
        answer(404, b"{}"),
        answer(500),
        answer(200, b"<html>"),
        answer(200, b'{"keys": []}'),
        answer(200, b"\xff"),
        answer(200, b"not gzip", Content_Encoding="gzip"),
        answer(200, b"[" * 100_000),
        answer(404, OTHER_BODY),
    ],
)
async def test_the_last_known_keys_go_on_being_used_while_the_issuer_fails(
    tmp_path: Path, failure: Answer
) -> None:
    file = tmp_path / "j"
    async with (
        running(answer(200, BODY), failure) as server,
        fetching(server.url, file, refresh=0.01, retry=0.01) as keys,
    ):
        await eventually(lambda: len(server.asked) >= 4)
        assert await verifier_of(keys).verify(token())
        assert "ec" in PublicKeys(json.loads(file.read_bytes())["jwks"])


async def test_a_key_withdrawn_by_the_issuer_no_longer_counts(tmp_path: Path) -> None:
    async with (
        running(answer(200, BODY), answer(200, OTHER_BODY)) as server,
        fetching(server.url, tmp_path / "j", refresh=0.01) as keys,
    ):
        await eventually(lambda: len(server.asked) >= 3)
        assert await reason(token(), verifier_of(keys)) is Rejection.UNKNOWN_KEY


async def test_an_unknown_key_id_makes_it_ask_again(tmp_path: Path) -> None:
    async with (
        running(answer(200, BODY), answer(200, OTHER_BODY)) as server,
        fetching(server.url, tmp_path / "j", ask_again=0) as keys,
    ):
        await verifier_of(keys).verify(token())
        assert await verifier_of(keys).verify(token(OTHER_EC))
    assert len(server.asked) == 2


async def test_forged_key_ids_do_not_flood_the_issuer(tmp_path: Path) -> None:
    texts = [forged({"alg": "ES256", "kid": str(n)}, b"x" * 64) for n in range(50)]
    async with (
        running(answer(200, BODY)) as server,
        fetching(server.url, tmp_path / "j") as keys,
    ):
        found = await asyncio.gather(*(reason(text, verifier_of(keys)) for text in texts))
    assert set(found) == {Rejection.UNKNOWN_KEY}
    assert len(server.asked) == 1


async def test_known_keys_serve_while_the_issuer_hangs(tmp_path: Path) -> None:
    end = asyncio.Event()
    async with (
        running(answer(200, BODY), held(end)) as server,
        fetching(server.url, tmp_path / "j", ask_again=0) as keys,
    ):
        await keys.key("ec")
        stranger = asyncio.create_task(reason(token(OTHER_EC), verifier_of(keys)))
        await eventually(lambda: len(server.asked) == 2)
        assert await verifier_of(keys).verify(token())
        assert not stranger.done()
        stranger.cancel()
        end.set()


async def test_before_any_key_was_seen_nothing_can_be_said(tmp_path: Path) -> None:
    async with fetching(closed_port(), tmp_path / "j") as keys:
        with pytest.raises(KeysUnavailable):
            await verifier_of(keys).verify(token())


async def test_an_issuer_that_starts_late_is_found(tmp_path: Path) -> None:
    async with (
        running(hang_up, hang_up, answer(200, BODY)) as server,
        fetching(server.url, tmp_path / "j", retry=0.01) as keys,
    ):
        await eventually((tmp_path / "j").exists)
        assert await verifier_of(keys).verify(token())


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b'{"url": 1}', b"\xff\xfe", json.dumps({"jwks": SET}).encode()],
)
async def test_a_damaged_file_is_no_obstacle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    async with (
        running(answer(200, BODY)) as server,
        fetching(server.url, tmp_path / "j") as keys,
    ):
        assert await verifier_of(keys).verify(token())


async def test_keys_of_another_issuer_in_the_file_are_nobodys(tmp_path: Path) -> None:
    elsewhere = {"url": "http://127.0.0.1:1/", "jwks": SET}
    (tmp_path / "j").write_bytes(json.dumps(elsewhere).encode())
    async with fetching(closed_port(), tmp_path / "j") as keys:
        with pytest.raises(KeysUnavailable):
            await verifier_of(keys).verify(token())


async def test_a_disk_that_cannot_be_written_does_not_stop_verification(tmp_path: Path) -> None:
    (tmp_path / "j").mkdir()
    async with (
        running(answer(200, BODY)) as server,
        fetching(server.url, tmp_path / "j") as keys,
    ):
        assert await verifier_of(keys).verify(token())
