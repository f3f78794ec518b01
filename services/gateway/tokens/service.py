"""Authenticate a client and issue its token; no transaction is open while a secret is checked."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis import audit
from chassis.service import Runtime
from services.gateway.clients import repository
from services.gateway.clients import rules as client_rules
from services.gateway.clients.models import Client
from services.gateway.clients.service import facts
from services.gateway.state import Gateway
from services.gateway.tokens import rules
from services.gateway.tokens.schemas import TokenAnswer


class TooManyFailures(Exception):  # noqa: N818 - an answer, no fault
    """The client failed too often; `wait` is in seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__()
        self.wait = wait


async def issue(gateway: Gateway, runtime: Runtime, request: rules.TokenRequest) -> TokenAnswer:
    """A token for the client of the request.

    Raises:
        TokenRefused: unknown or disabled client, wrong secret, a scope that was not granted.
        TooManyFailures: after too many wrong secrets; not for one that was verified lately.
        Busy: too many secrets wait to be checked.
    """
    client = await _authenticated(gateway, runtime, request)
    scope = rules.granted(request.scopes, client.scopes)
    settings = gateway.settings
    claims = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": client.id,
        "client_id": client.id,
        "org": client.organisation,
        "divisions": client.divisions,
        "scope": scope,
    }
    token = gateway.signing_key.issue(claims, timedelta(seconds=settings.token_seconds))
    return TokenAnswer(access_token=token, expires_in=settings.token_seconds, scope=scope)


async def _authenticated(gateway: Gateway, runtime: Runtime, request: rules.TokenRequest) -> Client:
    client, stored = await _known(runtime, request.client_id)
    if client and gateway.secrets.remembered(client.id, request.client_secret, stored):
        return client
    wait = gateway.throttle.wait(request.client_id)
    if wait > 0:
        raise TooManyFailures(wait)
    secret = await gateway.secrets.matching(request.client_id, request.client_secret, stored)
    if client is None or secret is None:
        gateway.throttle.failed(request.client_id)
        if client is not None:
            await _note_denial(runtime, client)
        raise rules.invalid_client()
    await _note_use(runtime, client, secret, stored)
    return client


async def _known(
    runtime: Runtime, client_id: str
) -> tuple[Client | None, list[client_rules.Secret]]:
    """The client and its secrets that count; nothing for whoever is none."""
    known = client_id if client_rules.is_client_id(client_id) else ""
    async with runtime.database.transaction() as session:
        client = await repository.enabled(session, known)
        rows = await repository.secrets_of(session, [known])
    if client is None:
        return None, []
    return client, client_rules.valid(facts(rows), datetime.now(UTC))


async def _note_denial(runtime: Runtime, client: Client) -> None:
    async with runtime.database.transaction(
        actor=client.id, organisation=client.organisation
    ) as session:
        await audit.record(session, action="POST /oauth2/token", subject=client.id, result="denied")


async def _note_use(
    runtime: Runtime, client: Client, secret: UUID, stored: list[client_rules.Secret]
) -> None:
    """From its first use on, a secret is given the change-over when it is replaced."""
    if any(one.id == secret and one.used_at is not None for one in stored):
        return
    async with runtime.database.transaction(actor=client.id) as session:
        await repository.mark_used(session, secret, datetime.now(UTC))
