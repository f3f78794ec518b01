"""Clients of the gateway that are made past it: the console's, and an operator's first one."""

import getpass
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import private_file
from chassis.clock import RealClock
from chassis.database import Database
from services.gateway.clients.models import Client
from services.gateway.clients.service import create_client

DISTRICT_DIVISIONS = ("500112000000", "500157000000")


@dataclass(frozen=True)
class NewClient:
    client_id: str
    name: str
    organisation: str
    scopes: tuple[str, ...]
    divisions: tuple[str, ...]
    note: str = ""
    """What who chooses one of the demonstration's should know of it."""


CONSOLE = NewClient(
    "console",
    "工作页面",
    "渝北区民政局",
    ("plan:read", "relief:read", "eldercare:read"),
    DISTRICT_DIVISIONS,
)


async def make_client(gateway_url: str, client: NewClient) -> str:
    """Register one client; its secret, which is shown nowhere else.

    Raises:
        ValueError: the id, a scope or a division is not well formed.
        AlreadyRegistered: the id is taken.
    """
    database = Database(gateway_url, RealClock(), source="suite", pool_size=1)
    try:
        async with database.transaction(actor=f"operator:{getpass.getuser()}") as session:
            return await _made(session, client)
    finally:
        await database.close()


async def _made(session: AsyncSession, client: NewClient) -> str:
    return await create_client(
        session,
        client_id=client.client_id,
        name=client.name,
        organisation=client.organisation,
        scopes=client.scopes,
        divisions=client.divisions,
    )


async def make_clients(gateway_url: str, clients: Sequence[NewClient], file: Path) -> None:
    """Register clients once; their secrets stand in `file` (0600) and nowhere else.

    `gateway_url` is the app's URL of the gateway's database.
    """
    database = Database(gateway_url, RealClock(), source="suite", pool_size=1)
    try:
        async with database.transaction(actor=f"operator:{getpass.getuser()}") as session:
            if await session.get(Client, clients[0].client_id) is not None:
                return
            made = [
                {
                    "client_id": client.client_id,
                    "client_secret": await _made(session, client),
                    "name": client.name,
                    "organisation": client.organisation,
                    "scope": " ".join(client.scopes),
                    "divisions": list(client.divisions),
                    "note": client.note,
                }
                for client in clients
            ]
            # Before the commit: after a crash between the two the clients are made anew with other
            # secrets; the other way round they could never be used.
            text = json.dumps(made, ensure_ascii=False, indent=2)
            private_file.replace(file, text.encode())
    finally:
        await database.close()
