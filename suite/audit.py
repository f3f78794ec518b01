"""`minzheng audit`: verify the chains of audit entries, rotate their key, go on after a restore."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from chassis.audit_anchors import Anchor, read_anchors
from chassis.audit_chain import declare_break
from chassis.audit_keys import AuditKeys, open_audit_keys
from chassis.audit_verify import Verified, verify
from chassis.clock import open_clock
from chassis.database import Database
from chassis.settings import Settings
from contracts.events.audit import AuditHead
from contracts.topics import BY_DATA
from suite import catalogue
from suite.data import DataFolder


@dataclass(frozen=True, slots=True)
class Audited:
    """One service's chain: where it stands, its keys, and where others keep its anchors."""

    service: str
    app_url: str
    owner_url: str
    keys: AuditKeys
    keepers: tuple[str, ...]

    async def anchors(self) -> list[Anchor]:
        kept = [await read_anchors(url, self.service) for url in self.keepers]
        return [anchor for anchors in kept for anchor in anchors]

    async def verify(self) -> Verified:
        # The anchors first: what was told before cannot be missing from the chain afterwards.
        anchors = await self.anchors()
        return await verify(self.owner_url, self.service, self.keys, anchors)

    async def resume(self) -> int:
        """Declare the break that a restore has left; the position from which the chain goes on."""
        database = Database(self.app_url, open_clock(None, deployment=True), source=self.service)
        try:
            furthest = max((anchor.position for anchor in await self.anchors()), default=0)
            return await declare_break(database, self.keys, furthest)
        finally:
            await database.close()


def in_folder(data: Path, services: Sequence[str] = catalogue.NAMES) -> list[Audited]:
    """The chains of an embedded run; its databases must be up."""
    folder = DataFolder.at(data)
    postgres = folder.postgres()
    keys = AuditKeys.load(folder.keys / "audit")
    found = []
    for name in services:
        app_url, owner_url = folder.urls(postgres, name)
        keepers = tuple(
            folder.urls(postgres, keeper)[0]
            for keeper in BY_DATA[AuditHead].subscribers
            if keeper != name
        )
        found.append(Audited(name, app_url, owner_url, keys, keepers))
    return found


def of_settings(service: str, settings: Settings) -> Audited:
    """One service's chain on servers of the bureau, by the environment."""
    keepers = tuple(url.strip() for url in settings.anchor_database_urls.split(",") if url.strip())
    keys = open_audit_keys(settings)
    return Audited(service, settings.database_url, settings.owner_database_url, keys, keepers)


def show(audited: Sequence[Audited], out: Console) -> int:
    """Verify and say what was found, a line each; 1 when anything was."""

    async def do() -> list[Verified]:
        return [await one.verify() for one in audited]

    found = 0
    for one, verified in zip(audited, asyncio.run(do()), strict=True):
        word = "不完好" if verified.findings else "完好"
        out.print(f"{one.service}：{word}，{verified.links} 环，待封存 {verified.waiting} 条")
        for told in verified.breaks:
            out.print(f"{one.service}：{told}", soft_wrap=True)
        for finding in verified.findings:
            out.print(f"{one.service}：{finding}", soft_wrap=True)
        found += len(verified.findings)
    return 1 if found else 0
