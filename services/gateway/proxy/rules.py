"""What may pass the door (RFC 9110, 9112): paths, queries, headers; what may be asked again."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

Headers = list[tuple[bytes, bytes]]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
LONGEST_PATH = 2_048
LONGEST_QUERY = 8_192

_SEGMENT = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})+")
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")
_HIDDEN = re.compile(rb"%(?:2e|2f|5c|25)", re.IGNORECASE)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

UP_ONCE = frozenset(
    {b"authorization", b"content-type", b"idempotency-key", b"if-match", b"if-none-match"}
)
"""Headers that the services know; twice the same could be read in two ways, so it is refused."""

UP_MANY = frozenset({b"accept", b"accept-language"})
DOWN = frozenset(
    {
        *(b"cache-control", b"content-disposition", b"content-encoding", b"content-language"),
        b"content-security-policy",
        *(b"content-length", b"content-type", b"etag", b"idempotency-replayed", b"last-modified"),
        *(b"link", b"location", b"retry-after", b"vary", b"www-authenticate"),
    }
)


class Refused(Exception):  # noqa: N818 - an answer, no fault
    """The request is not forwarded; the message is for the client."""


def target(raw_path: bytes, prefix: str, query: bytes) -> bytes:
    """The request target as it came, when every server reads it in the same way.

    Raises:
        Refused: dot segments, empty segments, anything encoded that hides one, no UTF-8.
    """
    if len(raw_path) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        raise Refused("地址过长")
    domain = b"/v1/" + prefix.encode()
    segments = raw_path.removeprefix(domain + b"/").split(b"/")
    known = raw_path == domain or raw_path.startswith(domain + b"/")
    if not known or (raw_path != domain and not all(_is_plain(one) for one in segments)):
        raise Refused("路径不合规范")
    if _QUERY.fullmatch(query) is None:
        raise Refused("查询参数不合规范")
    return raw_path + (b"?" + query if query else b"")


def _is_plain(segment: bytes) -> bool:
    if segment in (b".", b"..") or _SEGMENT.fullmatch(segment) is None:
        return False
    if _HIDDEN.search(segment):
        return False
    try:
        text = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return text.isprintable()


def bearer(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a token is there at all; the service verifies it."""
    values = [value for name, value in headers if name == b"authorization"]
    return len(values) == 1 and re.fullmatch(rb"(?i:bearer) +\S+", values[0].strip()) is not None


def upwards(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """The client's headers that go on to the service.

    Raises:
        Refused: one that may stand once is there twice.
    """
    passed = [(name, value) for name, value in headers if name in UP_ONCE | UP_MANY]
    once = [name for name, _ in passed if name in UP_ONCE]
    if len(once) != len(set(once)):
        raise Refused("请求头重复")
    return passed


def downwards(headers: Iterable[tuple[bytes, bytes]], origin: str) -> Headers:
    """The service's headers that go back; a `Location` within the house loses its inner origin."""
    passed = [(name.lower(), value) for name, value in headers if name.lower() in DOWN]
    return [
        (name, _outside(value, origin.encode()) if name == b"location" else value)
        for name, value in passed
    ]


def _outside(location: bytes, origin: bytes) -> bytes:
    inner = location == origin or location.startswith(origin + b"/")
    return (location[len(origin) :] or b"/") if inner else location


def request_id(given: str | None) -> str | None:
    """The client's own id of the request, when it is fit for a log line."""
    return given if given and _REQUEST_ID.fullmatch(given) else None


def may_repeat_unsent(method: str, *, has_key: bool) -> bool:
    """Whether to try again when no connection came about."""
    return method in ("GET", "HEAD", "PUT", "DELETE") or has_key


def may_repeat_sent(method: str) -> bool:
    """Whether to try again when the connection broke and the service may have acted."""
    return method in ("GET", "HEAD")
