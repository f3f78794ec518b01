"""Secrets of the gateway's clients: made here, shown once, kept as a hash."""

import base64
import hashlib
import hmac
import secrets

_COST, _BLOCK, _LANES = 2**14, 8, 1
_MEMORY = 64 * 1024 * 1024
_SALT_BYTES = 16
_LONGEST = 1_024


def new_secret() -> str:
    """256 random bits; printable."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """`scrypt$n$r$p$salt$hash`. Takes tens of milliseconds: call it in a thread."""
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = _derive(secret, salt, _COST, _BLOCK, _LANES)
    return f"scrypt${_COST}${_BLOCK}${_LANES}${_text(salt)}${_text(derived)}"


def verify_secret(secret: str, stored: str | None) -> bool:
    """Whether it is the secret of the hash; without one the same work is done, and it is not.

    So an unknown client takes as long to refuse as a wrong secret. Call it in a thread.
    """
    _, cost, block, lanes, salt, expected = (stored or _NOBODYS).split("$")
    derived = _derive(secret, base64.b64decode(salt), int(cost), int(block), int(lanes))
    same = hmac.compare_digest(derived, base64.b64decode(expected))
    return same and stored is not None and len(secret) <= _LONGEST


def _derive(secret: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    password = secret[:_LONGEST].encode("utf-8", "surrogatepass")
    return hashlib.scrypt(password, salt=salt, n=cost, r=block, p=lanes, maxmem=_MEMORY, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


_NOBODYS = f"scrypt${_COST}${_BLOCK}${_LANES}${_text(bytes(_SALT_BYTES))}${_text(bytes(32))}"
