"""Register clients, give them secrets, take them out of use."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.client_secret import hash_secret, new_secret
from chassis.conditional import require_version
from chassis.ids import new_id
from chassis.law.units import Register
from chassis.problems import Conflict, FieldError, NotFound, Unprocessable
from services.gateway.clients import repository, rules
from services.gateway.clients.models import Client, ClientSecret
from services.gateway.clients.schemas import (
    ClientNew,
    ClientView,
    SecretIssued,
    SecretState,
)


class AlreadyRegistered(Conflict):
    slug, title = "client-already-registered", "接入方标识已被使用"


class ClientDisabled(Conflict):
    slug, title = "client-disabled", "接入方已停用"


async def create_client(
    session: AsyncSession,
    *,
    client_id: str,
    name: str,
    organisation: str,
    scopes: Collection[str],
    divisions: Collection[str],
) -> str:
    """Register a client and give it its first secret, returned here and nowhere else.

    Raises:
        ValueError: the id, a scope or a division is not well formed.
        AlreadyRegistered: the id is taken, perhaps by a disabled client.
    """
    asked = ClientNew(
        client_id=client_id,
        name=name,
        organisation=organisation,
        scopes=list(scopes),
        divisions=list(divisions),
    )
    client = await register(session, asked)
    return (await _issue(session, client)).client_secret


async def register(session: AsyncSession, asked: ClientNew) -> Client:
    """A client without a secret: it cannot call until one is issued."""
    if await repository.exists(session, asked.client_id):
        raise AlreadyRegistered("请换一个标识；停用的标识不再分配")
    client = Client(
        id=asked.client_id,
        name=asked.name,
        organisation=asked.organisation,
        scopes=sorted(set(asked.scopes)),
        divisions=sorted(set(asked.divisions)),
        created_at=_now(),
        disabled_at=None,
        version=1,
    )
    session.add(client)
    await session.flush()
    await audit.record(session, action="gateway.client.registered", subject=client.id)
    return client


def refuse_foreign(register: Register, units: Collection[int], divisions: Sequence[str]) -> None:
    """An administrator grants only divisions that it stands above itself."""
    errors = [
        FieldError(f"/divisions/{index}", "没有此区划，或不在您的管辖范围内")
        for index, code in enumerate(divisions)
        if register.by_code(code) not in units
    ]
    if errors:
        raise Unprocessable("管辖区划有误", errors=errors)


async def readable_codes(
    session: AsyncSession, register: Register, units: Collection[int]
) -> list[str]:
    """The granted codes, of any day, whose units the administrator stands above."""
    granted = await repository.division_codes(session)
    return [code for code in granted if register.by_code(code) in units]


async def issue_secret(
    session: AsyncSession, codes: Collection[str], client_id: str, if_match: str | None
) -> tuple[Client, SecretIssued]:
    """A new secret; the one in use counts a little longer (`rules.ends_after_new`)."""
    client = await _for_change(session, codes, client_id, if_match)
    if client.disabled_at is not None:
        raise ClientDisabled("已停用的接入方不再发放密钥")
    issued = await _issue(session, client)
    client.version += 1
    return client, issued


async def disable(
    session: AsyncSession, codes: Collection[str], client_id: str, if_match: str | None
) -> None:
    """No more tokens from now on; those already issued run out by themselves."""
    client = await _for_change(session, codes, client_id, if_match)
    if client.disabled_at is not None:
        return
    client.disabled_at = _now()
    client.version += 1
    await audit.record(session, action="gateway.client.disabled", subject=client.id)


async def views(session: AsyncSession, clients: Sequence[Client]) -> list[ClientView]:
    secrets = await repository.secrets_of(session, [client.id for client in clients])
    now = _now()
    return [
        _view(client, [one for one in secrets if one.client_id == client.id], now)
        for client in clients
    ]


def facts(rows: Sequence[ClientSecret]) -> list[rules.Secret]:
    return [
        rules.Secret(row.id, row.hash, row.created_at, row.used_at, row.ends_at) for row in rows
    ]


async def _for_change(
    session: AsyncSession, codes: Collection[str], client_id: str, if_match: str | None
) -> Client:
    client = await repository.find(session, codes, client_id, lock=True)
    if client is None:
        raise NotFound
    require_version(if_match, client.version)
    return client


async def _issue(session: AsyncSession, client: Client) -> SecretIssued:
    now = _now()
    rows = await repository.secrets_of(session, [client.id])
    ends = rules.ends_after_new(facts(rows), now)
    for row in rows:
        row.ends_at = ends.get(row.id, row.ends_at)
    secret = new_secret()
    session.add(
        ClientSecret(
            id=new_id(),
            client_id=client.id,
            hash=await asyncio.to_thread(hash_secret, secret),
            created_at=now,
            used_at=None,
            ends_at=None,
        )
    )
    await session.flush()
    await audit.record(session, action="gateway.client.secret_issued", subject=client.id)
    return SecretIssued(
        client_id=client.id,
        client_secret=secret,
        previous_valid_until=max((end for end in ends.values() if end > now), default=None),
    )


def _view(client: Client, rows: Sequence[ClientSecret], now: datetime) -> ClientView:
    return ClientView(
        client_id=client.id,
        name=client.name,
        organisation=client.organisation,
        scopes=client.scopes,
        divisions=client.divisions,
        created_at=client.created_at,
        disabled_at=client.disabled_at,
        secrets=[
            SecretState(
                created_at=secret.created_at,
                first_used_at=secret.used_at,
                valid_until=secret.ends_at,
            )
            for secret in rules.valid(facts(rows), now)
        ],
    )


def _now() -> datetime:
    return datetime.now(UTC)  # like tokens, secrets live by real time
