"""The demonstration's callers: the district, a town, another department, and who builds it."""

from dataclasses import dataclass

from chassis.clock import RealClock
from chassis.database import Database
from services.gateway.clients.models import Client
from services.gateway.clients.service import create_client
from suite.data import DataFolder

DISTRICT_DIVISIONS = ("500112000000", "500157000000")
TOWN_DIVISION = "500112015000"
EVERYTHING = (
    "plan:read",
    "plan:report",
    "plan:publish",
    "plan:operate",
    "relief:read",
    "relief:standards",
    "eldercare:read",
    "eldercare:write",
    "gateway:admin",
)


@dataclass(frozen=True)
class DemoClient:
    client_id: str
    name: str
    organisation: str
    scopes: tuple[str, ...]
    divisions: tuple[str, ...]


CLIENTS = (
    DemoClient(
        "yubei-bureau", "渝北区民政局业务系统", "渝北区民政局", EVERYTHING, DISTRICT_DIVISIONS
    ),
    DemoClient(
        "yuelai-street",
        "悦来街道办事处业务系统",
        "悦来街道办事处",
        ("plan:read", "plan:report", "relief:read", "eldercare:read", "eldercare:write"),
        (TOWN_DIVISION,),
    ),
    DemoClient(
        "disabled-federation",
        "渝北区残疾人联合会数据共享",
        "渝北区残疾人联合会",
        ("plan:read", "relief:read", "eldercare:read"),
        DISTRICT_DIVISIONS,
    ),
)


async def make_clients(folder: DataFolder, gateway_url: str) -> None:
    """Register the demonstration's clients once; their secrets stand in the data folder alone."""
    database = Database(gateway_url, RealClock(), source="suite", pool_size=1)
    made: list[dict[str, object]] = []
    try:
        async with database.transaction(actor="suite:demo") as session:
            if await session.get(Client, CLIENTS[0].client_id) is not None:
                return
            for client in CLIENTS:
                secret = await create_client(
                    session,
                    client_id=client.client_id,
                    name=client.name,
                    organisation=client.organisation,
                    scopes=client.scopes,
                    divisions=client.divisions,
                )
                made.append(
                    {
                        "client_id": client.client_id,
                        "client_secret": secret,
                        "name": client.name,
                        "organisation": client.organisation,
                        "scope": " ".join(client.scopes),
                        "divisions": list(client.divisions),
                    }
                )
            # Before the commit: after a crash between the two the clients are made anew with other
            # secrets; the other way round they could never be used.
            folder.write_clients(made)
    finally:
        await database.close()
