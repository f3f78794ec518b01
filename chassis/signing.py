"""The gateway's own tokens: one signing key, kept in a private file, published as JWKS."""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey

from chassis import private_file
from chassis.ids import new_id

ALGORITHM = "ES256"
"""Verified everywhere, and faster than EdDSA here."""


class SigningKey:
    """Signs tokens by ES256; its id is its thumbprint (RFC 7638)."""

    def __init__(self, key: ECKey) -> None:
        key.ensure_kid()
        self._key = key

    def __repr__(self) -> str:
        return f"SigningKey({self._key.kid})"

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """The key in `folder/signing-key.json` (mode 0600), made at the first start."""
        data = private_file.read_or_create(folder / "signing-key.json", _new_key)
        return cls(ECKey.import_key(json.loads(data)))

    def issue(self, claims: Mapping[str, Any], ttl: timedelta) -> str:
        """A token of these claims (`iss, aud, sub, org, divisions, scope, act`), valid for `ttl`.

        `iat`, `nbf`, `exp` and `jti` are set here, by real time.
        """
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + int(ttl.total_seconds())}
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "at+jwt"}
        return jwt.encode(header, {**claims, **times, "jti": str(new_id())}, self._key)

    def public_jwks(self) -> dict[str, Any]:
        """What the issuer publishes."""
        return {"keys": [self._key.as_dict(private=False, use="sig", alg=ALGORITHM)]}


def _new_key() -> bytes:
    return json.dumps(ECKey.generate_key("P-256").as_dict(private=True)).encode()
