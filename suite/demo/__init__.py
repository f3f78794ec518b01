"""The demonstration district: made by going through the services' own APIs."""

import asyncio
import json

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis import private_file
from chassis.clock import drive
from suite.data import DataFolder
from suite.demo.caller import Caller, DemoError
from suite.demo.driver import Driver
from suite.demo.history import days
from suite.settled import until_settled


def build_demo(folder: DataFolder) -> None:
    """Live the whole history; what was done by an earlier, interrupted run is not done twice.

    A district that is whole is left alone: living its history again would turn everybody's clock.
    """
    if folder.demo_done.exists():
        return
    try:
        asyncio.run(_build(folder))
    except* DemoError as refused:
        for error in refused.exceptions:
            Console(stderr=True).print(f"演示区县未建成：{error}", soft_wrap=True)
        raise


async def _build(folder: DataFolder) -> None:
    district = json.loads(folder.clients.read_text())[0]
    http = httpx.AsyncClient(timeout=60)
    driver = Driver(
        Caller(
            folder.read_endpoints()["gateway"],
            district["client_id"],
            district["client_secret"],
            http,
        ),
        clock=folder.clock,
        until_settled=lambda: until_settled(folder),
    )
    history = days()
    try:
        with _progress() as progress:
            task = progress.add_task("建立演示区县", total=len(history))
            for day in history:
                progress.update(task, description=f"建立演示区县 {day.on}")
                await driver.live(day)
                progress.advance(task)
        drive(folder.clock, None)
        await until_settled(folder)
    finally:
        drive(folder.clock, None)
        await http.aclose()
    private_file.replace(folder.demo_done, b"{}")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
