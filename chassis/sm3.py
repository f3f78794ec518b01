"""SM3 (GB/T 32905) by the library's own OpenSSL: the interpreter's may be built without it."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC


def digest(data: bytes) -> bytes:
    """32 bytes."""
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SM3, 32 bytes."""
    state = HMAC(key, hashes.SM3())
    state.update(data)
    return state.finalize()
