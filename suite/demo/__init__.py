"""The demonstration district: made by going through the services' own APIs."""

import asyncio
import json
from collections import defaultdict
from datetime import UTC, date, datetime, time

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis import private_file
from chassis.clock import SHANGHAI, drive
from suite import catalogue
from suite.data import DataFolder
from suite.demo.caller import Caller, DemoError
from suite.demo.cases import Scenario, scenarios
from suite.demo.district import towns
from suite.demo.driver import Driver
from suite.demo.history import days
from suite.demo.windows import Windows, course
from suite.settled import until_jobs_done, until_settled

WORKING_HOURS = time(10, 0)


def build_demo(folder: DataFolder, case_towns: int) -> None:
    """Live the whole history; what was done by an earlier, interrupted run is not done twice.

    A district that is whole is left alone: living its history again would turn everybody's clock.
    """
    if folder.demo_done.exists():
        return
    try:
        asyncio.run(_build(folder, case_towns))
    except* DemoError as refused:
        for error in refused.exceptions:
            Console(stderr=True).print(f"演示区县未建成：{error}", soft_wrap=True)
        raise


async def _build(folder: DataFolder, case_towns: int) -> None:
    endpoints = folder.read_endpoints()
    district = json.loads(folder.clients.read_text())[0]
    clerks = {
        one["client_id"]: one["client_secret"] for one in json.loads(folder.clerks.read_text())
    }
    http = httpx.AsyncClient(timeout=60)
    driver = Driver(
        Caller(endpoints["gateway"], district["client_id"], district["client_secret"], http),
        until_settled=lambda: until_settled(folder),
    )
    windows = Windows(
        endpoints["gateway"],
        endpoints[catalogue.DEPARTMENTS],
        clerks,
        http,
        until_answered=lambda: until_jobs_done(folder, "relief"),
    )

    history = {day.on: day for day in days()}
    steps = _steps(_first_day(folder), case_towns)
    try:
        with _progress() as progress:
            task = progress.add_task("建立演示区县", total=len(history.keys() | steps.keys()))
            for on in sorted(history.keys() | steps.keys()):
                progress.update(task, description=f"建立演示区县 {on}")
                drive(folder.clock, datetime.combine(on, WORKING_HOURS, SHANGHAI).astimezone(UTC))
                if on in history:
                    await driver.live(history[on])
                await windows.live(on, steps.get(on, []))
                progress.advance(task)
        drive(folder.clock, None)
        await until_settled(folder)
    finally:
        drive(folder.clock, None)
        await http.aclose()
    private_file.replace(folder.demo_done, b"{}")


def _first_day(folder: DataFolder) -> date:
    """The day on which the demonstration was begun; a second attempt lives the same one again."""
    today = datetime.now(SHANGHAI).date().isoformat()
    kept = private_file.read_or_create(folder.demo_day, today.encode)
    return date.fromisoformat(kept.decode())


def _steps(today: date, case_towns: int) -> dict[date, list[tuple[Scenario, str]]]:
    """What is done at the windows of so many towns on each day, in the order of each case."""
    found: defaultdict[date, list[tuple[Scenario, str]]] = defaultdict(list)
    every = towns()
    for number in {place * len(every) // case_towns for place in range(case_towns)}:
        for scenario in scenarios(every[number], number, today):
            for on, step in course(scenario, today):
                found[on].append((scenario, step))
    return found


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
