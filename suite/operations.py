"""What an operator does to a running suite from the command line."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from chassis.bus import Bus, open_bus
from chassis.rebuild import rebuild
from chassis.resealing import reseal
from chassis.service import Runtime, running
from chassis.settings import Settings
from chassis.work import consumers_of, consumption
from services.indicator.ledger.fingerprint import fingerprint
from suite import catalogue
from suite.data import DataFolder

FINGERPRINTS = {"indicator": fingerprint}
"""Services whose projections can be proved equal after a rebuild."""


@asynccontextmanager
async def opened(name: str, folder: DataFolder) -> AsyncIterator[tuple[Runtime, Bus]]:
    """A service's parts against the databases and the bus of a running suite."""
    app_url, owner_url = folder.urls(folder.postgres(), name)
    bus_url = json.loads(folder.endpoints.read_text())["bus"]
    settings = Settings.model_validate(
        {
            "DATABASE_URL": app_url,
            "OWNER_DATABASE_URL": owner_url,
            "state": folder.state,
            "keys": folder.keys,
            "clock": str(folder.clock),
            "jwks_url": f"{folder.read_endpoints()['gateway']}/.well-known/jwks.json",
        }
    )
    async with running(catalogue.load(name), settings) as runtime:
        yield runtime, open_bus(bus_url)


def rebuild_service(name: str, data: Path, out: Console) -> int:
    """Rebuild a service's projections and say whether they came out equal; 1 if not."""

    async def do(progress: Progress) -> int:
        task = progress.add_task("由事件重建", total=None)
        async with opened(name, DataFolder.at(data)) as (runtime, bus):
            rebuilt = await rebuild(
                runtime,
                bus,
                fingerprint=FINGERPRINTS[name],
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        same = "与重建前一致" if rebuilt.equal else "与重建前不同，原表保留在 previous 中"
        out.print(f"{name} 已由 {rebuilt.records} 条事件重建，{same}（{rebuilt.after[:16]}…）")
        return 0 if rebuilt.equal else 1

    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=out
    ) as progress:
        return asyncio.run(do(progress))


def reseal_fields(data: Path, out: Console) -> None:
    """Seal every field of every service anew under the newest key."""

    async def do() -> None:
        for name in catalogue.NAMES:
            async with opened(name, DataFolder.at(data)) as (runtime, _):
                count = await reseal(runtime)
            out.print(f"{name}：已换封 {count} 项")

    asyncio.run(do())


async def reseal_service(name: str) -> int:
    """The same of one service on servers of the bureau's own, by the environment."""
    async with running(catalogue.load(name), Settings()) as runtime:
        return await reseal(runtime)


def dead_letters(data: Path, out: Console, *, replay: bool) -> int:
    """List the parked events of every service, or try them again; 1 while any is left."""
    table = Table("服务", "消费者", "主题", "键", "原因", "搁置于")

    async def do() -> int:
        left = 0
        for name in catalogue.NAMES:
            async with opened(name, DataFolder.at(data)) as (runtime, _):
                for consumer in consumers_of(runtime.service):
                    one = consumption(runtime, consumer)
                    if replay:
                        applied, _ = await one.replay()
                        if applied:
                            out.print(f"{consumer.name}：已重新处理 {applied} 条")
                    for letter in await one.parked():
                        left += 1
                        table.add_row(
                            name,
                            consumer.name,
                            letter.topic,
                            letter.key,
                            letter.reason,
                            f"{letter.parked_at:%Y-%m-%d %H:%M}",
                        )
        return left

    left = asyncio.run(do())
    out.print(table if left else "没有被搁置的事件")
    return 1 if left else 0
