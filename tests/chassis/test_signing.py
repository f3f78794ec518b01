import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.access import Principal, PublicKeys, Rejection, TokenRejected, TokenVerifier
from chassis.signing import SigningKey

CLAIMS = {
    "iss": "minzheng",
    "aud": "minzheng",
    "sub": "client-1",
    "org": "渝北区民政局",
    "divisions": ["500112000000"],
    "scope": "relief:accept relief:decide",
}
VALID = timedelta(minutes=10)


async def test_an_issued_token_is_verified_by_the_published_keys(tmp_path: Path) -> None:
    key = SigningKey.load_or_create(tmp_path)
    verifier = TokenVerifier(PublicKeys(key.public_jwks()), "minzheng", "minzheng")
    assert await verifier.verify(key.issue(CLAIMS, VALID)) == Principal(
        subject="client-1",
        organisation="渝北区民政局",
        divisions=("500112000000",),
        scopes=frozenset({"relief:accept", "relief:decide"}),
        act=None,
    )


async def test_the_caller_cannot_lengthen_a_tokens_life(tmp_path: Path) -> None:
    key = SigningKey.load_or_create(tmp_path)
    verifier = TokenVerifier(PublicKeys(key.public_jwks()), "minzheng", "minzheng")
    token = key.issue({**CLAIMS, "exp": 9_999_999_999}, timedelta(minutes=-10))
    with pytest.raises(TokenRejected) as rejected:
        await verifier.verify(token)
    assert rejected.value.reason is Rejection.EXPIRED


def test_two_tokens_of_the_same_claims_differ(tmp_path: Path) -> None:
    key = SigningKey.load_or_create(tmp_path)
    assert key.issue(CLAIMS, VALID) != key.issue(CLAIMS, VALID)


def test_what_is_published_holds_no_private_part(tmp_path: Path) -> None:
    key = SigningKey.load_or_create(tmp_path)
    private = json.loads((tmp_path / "signing-key.json").read_bytes())["d"]
    published = key.public_jwks()
    assert private not in json.dumps(published)
    assert private not in repr(key)
    assert {"kty", "crv", "x", "y", "kid", "use", "alg"} == set(published["keys"][0])


def test_the_key_is_private_and_stays_over_a_restart(tmp_path: Path) -> None:
    first = SigningKey.load_or_create(tmp_path / "gateway").public_jwks()
    file = tmp_path / "gateway" / "signing-key.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SigningKey.load_or_create(tmp_path / "gateway").public_jwks() == first


def test_processes_that_start_at_once_sign_by_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(SigningKey.load_or_create, [tmp_path] * 8))
    assert len({key.public_jwks()["keys"][0]["kid"] for key in keys}) == 1
