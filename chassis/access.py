"""Who calls: tokens verified by every service itself, with keys that outlive their issuer.

Real time only: the driven clock of a demonstration moves the law's days, not a token's hours.
"""

import asyncio
import contextlib
import json
import time
import warnings
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Protocol, Self

from joserfc import jws
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import JWKRegistry, Key, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from chassis import private_file
from chassis.http_client import HttpClient, UpstreamUnavailable
from chassis.telemetry import log

ALGORITHMS = frozenset({"RS256", "ES256", "EdDSA", "Ed25519"})
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 8_192
SHORTEST_RSA_BITS = 2_048
ASYMMETRIC = frozenset({"RSA", "EC", "OKP"})


class Rejection(StrEnum):
    """Why a token does not count. For the log: the client hears only that it does not."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    CLAIMS = "claims"


class TokenRejected(Exception):  # noqa: N818 - says what happened
    """The token does not count; the client gets 401."""

    def __init__(self, reason: Rejection) -> None:
        super().__init__(reason.value)
        self.reason = reason


class KeysUnavailable(Exception):  # noqa: N818 - says what happened
    """No key of the issuer was ever seen: nothing can be said of any token; the client gets 503."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, and what they may: `divisions` are 12-digit codes, each with all below it."""

    subject: str
    organisation: str
    divisions: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()
    act: str | None = None

    def may(self, scope: str) -> bool:
        return scope in self.scopes


class KeySource(Protocol):
    async def key(self, kid: str) -> Key:
        """The issuer's public key of this id.

        Raises:
            TokenRejected: there is none.
            KeysUnavailable: no keys are known at all.
        """
        ...


class PublicKeys:
    """A set of public keys (JWKS); the gateway verifies with its own by this."""

    def __init__(self, jwks: object) -> None:
        """Take what can verify a signature of ours: the rest, and all private parts, are left out.

        Raises:
            ValueError: no JWKS, or nothing usable in it.
        """
        entries = jwks.get("keys") if isinstance(jwks, dict) else None
        usable = [_public_key(entry) for entry in entries] if isinstance(entries, list) else []
        self._keys = {key.kid: key for key in usable if key is not None}
        if not self._keys:
            raise ValueError("no usable key of a JSON Web Key Set")

    async def key(self, kid: str) -> Key:
        found = self._keys.get(kid)
        if found is None:
            raise TokenRejected(Rejection.UNKNOWN_KEY)
        return found

    def __contains__(self, kid: str) -> bool:
        return kid in self._keys

    def as_jwks(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self._keys.values()]}


class Jwks:
    """The issuer's keys: fetched, kept on disk, refreshed; the last known go on being used.

    `async with Jwks(...)` at the start of a process. A key id that is not known makes it ask again,
    at most once in `ask_again` seconds, so that forged tokens cannot make it flood the issuer.
    """

    def __init__(
        self,
        url: str,
        *,
        file: Path,
        client: HttpClient,
        refresh: float = 300,
        retry: float = 2,
        ask_again: float = 10,
    ) -> None:
        self._url = url
        self._file = file
        self._client = client
        self._refresh = refresh
        self._retry = retry
        self._ask_again = ask_again
        self._keys: PublicKeys | None = None
        self._asked = float("-inf")
        self._asking = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._keys = self._read_file()
        self._background = asyncio.create_task(self._keep_fresh())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._background is not None:
            self._background.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._background

    async def key(self, kid: str) -> Key:
        if self._keys is None or kid not in self._keys:
            await self._ask_for(kid)
        if self._keys is None:
            raise KeysUnavailable("the token issuer's keys are not known")
        return await self._keys.key(kid)

    async def _ask_for(self, kid: str) -> None:
        async with self._asking:
            if self._keys is not None and kid in self._keys:
                return
            if time.monotonic() - self._asked >= self._ask_again:
                await self._fetch()

    async def _keep_fresh(self) -> None:
        while True:
            async with self._asking:
                fetched = await self._fetch()
            await asyncio.sleep(self._refresh if fetched else self._retry)

    async def _fetch(self) -> bool:
        self._asked = time.monotonic()
        try:
            response = await self._client.request("GET", self._url)
            keys = PublicKeys(json.loads(response.content) if response.is_success else {})
        except (UpstreamUnavailable, ValueError, RecursionError) as error:
            log().warning("jwks_not_refreshed", error=type(error).__name__)
            return False
        self._keys = keys
        self._write_file(keys)
        return True

    def _read_file(self) -> PublicKeys | None:
        try:
            kept = json.loads(self._file.read_bytes())
            # Keys of another issuer, from before a setting changed, are nobody's here.
            return PublicKeys(kept["jwks"]) if kept["url"] == self._url else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError) as error:
            log().warning("jwks_file_unreadable", error=type(error).__name__)
            return None

    def _write_file(self, keys: PublicKeys) -> None:
        data = json.dumps({"url": self._url, "jwks": keys.as_jwks()}).encode()
        try:
            private_file.replace(self._file, data)
        except OSError as error:
            log().warning("jwks_file_not_written", error=type(error).__name__)


_Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
_Subject = Annotated[
    str,
    # Printable ASCII as OpenID Connect has it; `event:` and `job:` are actors of the house.
    StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$"),
]
_Division = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
_RESERVED_SUBJECTS = ("event:", "job:")


class _Claims(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    sub: _Subject
    org: _Line
    divisions: list[_Division] = []
    scope: str = ""
    act: _Line | None = None


@dataclass(frozen=True)
class TokenVerifier:
    """Reads tokens of one issuer for one audience."""

    keys: KeySource
    issuer: str
    audience: str
    _registry: JWSRegistry = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_registry", _Algorithms(algorithms=ALGORITHMS))

    async def verify(self, token: str) -> Principal:
        """The caller that a token speaks for.

        Raises:
            TokenRejected: it does not count, with the reason.
            KeysUnavailable: the issuer was never reached.
        """
        signature = _parsed(token)
        algorithm, kid = signature.protected.get("alg"), signature.protected.get("kid")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise TokenRejected(Rejection.ALGORITHM)
        if not isinstance(kid, str):
            raise TokenRejected(Rejection.UNKNOWN_KEY)
        key = await self.keys.key(kid)
        try:
            genuine = jws.validate_compact(signature, key, registry=self._registry)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRejected(Rejection.SIGNATURE) from error
        if not genuine:
            raise TokenRejected(Rejection.SIGNATURE)
        return self._principal(signature.payload)

    def _principal(self, payload: bytes) -> Principal:
        try:
            data = json.loads(payload)
            claims = _Claims.model_validate(data)
        except (ValidationError, ValueError, RecursionError) as error:
            raise TokenRejected(Rejection.CLAIMS) from error
        if claims.sub.startswith(_RESERVED_SUBJECTS):
            raise TokenRejected(Rejection.CLAIMS)
        self._check_registered(data)
        return Principal(
            subject=claims.sub,
            organisation=claims.org,
            divisions=tuple(claims.divisions),
            scopes=frozenset(claims.scope.split()),
            act=claims.act,
        )

    def _check_registered(self, claims: dict[str, Any]) -> None:
        registry = JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            registry.validate(claims)
        except ExpiredTokenError as error:
            raise TokenRejected(Rejection.EXPIRED) from error
        except InvalidClaimError as error:
            raise TokenRejected(_REJECTIONS.get(error.claim, Rejection.CLAIMS)) from error
        except MissingClaimError as error:
            raise TokenRejected(Rejection.CLAIMS) from error


_REJECTIONS = {
    "iss": Rejection.ISSUER,
    "aud": Rejection.AUDIENCE,
    "nbf": Rejection.NOT_YET_VALID,
    "iat": Rejection.NOT_YET_VALID,
}


class _Algorithms(JWSRegistry):
    """The allow-list. `EdDSA` is the older name of RFC 9864's Ed25519: that curve, no other."""

    max_payload_length = LONGEST_TOKEN

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library does not export its type
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


def _parsed(token: str) -> jws.CompactSignature:
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise TokenRejected(Rejection.MALFORMED)
    try:
        return jws.extract_compact(token.encode("ascii"))
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenRejected(Rejection.MALFORMED) from error


def _public_key(entry: object) -> Key | None:
    """One key of a set, without its private parts; None where it cannot verify for us."""
    if not isinstance(entry, dict) or str(entry.get("kty")) not in ASYMMETRIC:
        return None
    if entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
        return None
    if entry.get("alg") == "EdDSA":
        entry = {**entry, "alg": "Ed25519"}
    try:
        with warnings.catch_warnings():  # of short keys, which are refused below
            warnings.simplefilter("ignore")
            key = JWKRegistry.import_key(entry)
            public = JWKRegistry.import_key(key.as_dict(private=False))
    except (JoseError, ValueError, TypeError, LookupError):
        return None
    if isinstance(public, RSAKey) and public.public_key.key_size < SHORTEST_RSA_BITS:
        return None
    return public
