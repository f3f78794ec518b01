"""OAuth 2.0 client credentials (RFC 6749, 4.4): what a token request says, and what is wrong."""

import base64
import binascii
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

FORM = "application/x-www-form-urlencoded"
CLIENT_CREDENTIALS = "client_credentials"
MAX_FIELDS = 20
_SCOPE_TOKENS = r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*"  # RFC 6749, 3.3


class TokenRefused(Exception):  # noqa: N818 - an answer, no fault
    """An error answer (RFC 6749, 5.2): `error`, an ASCII description as it demands, the Chinese."""

    def __init__(self, error: str, description: str, detail: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.detail = detail
        self.status = status


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Who says to be whom, and which scopes are asked for; None is all that were granted."""

    client_id: str
    client_secret: str
    scopes: frozenset[str] | None


def invalid_request(description: str, detail: str) -> TokenRefused:
    return TokenRefused("invalid_request", description, detail)


def invalid_client() -> TokenRefused:
    """One answer for an unknown, a disabled client and a wrong secret."""
    return TokenRefused(
        "invalid_client", "client authentication failed", "接入方标识或密钥有误", status=401
    )


def read(
    *, query: bytes, content_types: Sequence[str], authorizations: Sequence[str], body: bytes
) -> TokenRequest:
    """The request, well formed; nothing of it is verified yet.

    Raises:
        TokenRefused: with the error that RFC 6749, 5.2 names for it.
    """
    if query:
        raise invalid_request("parameters belong in the body", "参数须放在请求体中")
    fields = _fields(content_types, body)
    client_id, client_secret = _credentials(authorizations, fields)
    grant_type = fields.get("grant_type")
    if grant_type is None:
        raise invalid_request("grant_type is missing", "缺少 grant_type")
    if grant_type != CLIENT_CREDENTIALS:
        raise TokenRefused(
            "unsupported_grant_type", "use client_credentials", "仅支持 client_credentials"
        )
    return TokenRequest(client_id, client_secret, _scopes(fields.get("scope")))


def granted(asked: frozenset[str] | None, allowed: Collection[str]) -> str:
    """The token's scope: what was asked for, within what the client may have.

    Raises:
        TokenRefused: `invalid_scope`, when more is asked for.
    """
    if asked is None:
        return " ".join(sorted(allowed))
    if not asked <= set(allowed):
        raise TokenRefused("invalid_scope", "scope exceeds the grant", "申请的权限超出授予范围")
    return " ".join(sorted(asked))


def _fields(content_types: Sequence[str], body: bytes) -> dict[str, str]:
    if [one.partition(";")[0].strip().lower() for one in content_types] != [FORM]:
        raise invalid_request(f"use {FORM}", f"内容类型须为 {FORM}")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise invalid_request("the body is no form", "请求体不是合法的表单") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise invalid_request("a parameter is repeated", "参数不得重复")  # RFC 6749, 3.2
    return {name: value for name, value in fields.items() if value}


def _credentials(authorizations: Sequence[str], fields: dict[str, str]) -> tuple[str, str]:
    if len(authorizations) > 1:
        raise invalid_request("Authorization is repeated", "Authorization 头不得重复")
    if not authorizations:
        if "client_id" not in fields or "client_secret" not in fields:
            raise invalid_client()
        return fields["client_id"], fields["client_secret"]
    client_id, client_secret = _basic(authorizations[0])
    if "client_secret" in fields:  # RFC 6749, 2.3: never more than one method
        raise invalid_request("more than one authentication method", "不得同时使用两种认证方式")
    if fields.get("client_id", client_id) != client_id:
        raise invalid_request("client_id differs from Authorization", "两处 client_id 不一致")
    return client_id, client_secret


def _basic(authorization: str) -> tuple[str, str]:
    """Both parts are form-encoded before they are joined (RFC 6749, 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client()
    try:
        joined = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, colon, client_secret = joined.partition(":")
        pair = _form_decoded(client_id), _form_decoded(client_secret)
    except (binascii.Error, ValueError) as error:
        raise invalid_client() from error
    if not colon:
        raise invalid_client()
    return pair


def _form_decoded(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


def _scopes(scope: str | None) -> frozenset[str] | None:
    if scope is None:
        return None
    if re.fullmatch(_SCOPE_TOKENS, scope) is None:
        raise TokenRefused("invalid_scope", "scope is malformed", "scope 格式有误")
    return frozenset(scope.split(" "))
