"""`minzheng doctor`: what is up, what is behind, what is parked, what will soon expire."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx

from chassis.bus import BusError
from chassis.clock import open_clock
from chassis.law.calendar import Calendar
from chassis.outbox import HOLDS
from suite import catalogue
from suite.data import DataFolder
from suite.settled import behind

SOON = timedelta(days=60)
STEADY = timedelta(minutes=1)
PARKED = """SELECT count(*) FILTER (WHERE replayed_at IS NULL) FROM (
  SELECT replayed_at FROM projection.dead_letter
  UNION ALL SELECT replayed_at FROM acting.dead_letter
) AS parked"""


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    well: bool
    word: str
    detail: str = ""


async def examine(data: Path) -> list[Finding]:
    """Look at a running suite; the findings that are not well come with what to do."""
    folder = DataFolder.at(data)
    if not folder.endpoints.exists():
        return [Finding("套件", well=False, word="未运行", detail="用 minzheng run 启动")]
    found = await _up(folder)
    try:
        found += await _behind(folder)
        found += await _parked(folder)
        found += await _on_hold(folder)
    except (OSError, BusError, asyncpg.PostgresError) as error:
        found.append(Finding("数据库与消息总线", well=False, word="无法查看", detail=str(error)))
    clock = open_clock(str(folder.clock), deployment=False)
    if abs(clock.now() - datetime.now(UTC)) > STEADY:
        detail = f"现在按 {clock.now():%Y-%m-%d %H:%M} 计；演示数据建成后会恢复真实时间"
        found.append(Finding("时钟", well=False, word="被驱动", detail=detail))
    return [*found, _calendar(clock.today())]


async def _up(folder: DataFolder) -> list[Finding]:
    found = []
    async with httpx.AsyncClient(timeout=5) as http:
        for name, url in folder.read_endpoints().items():
            if not url.startswith("http"):
                continue
            try:
                worker = name.startswith("metrics-")
                answer = await http.get(f"{url}/{'metrics' if worker else '-/ready'}")
                well, detail = answer.is_success, url
            except httpx.HTTPError as error:
                well, detail = False, type(error).__name__
            title = f"服务 {name}".replace("服务 metrics-", "后台 ")
            found.append(Finding(title, well, "在运行" if well else "无应答", detail))
    return found


async def _behind(folder: DataFolder) -> list[Finding]:
    found = []
    for one in await behind(folder):
        late = [f"{consumer} 落后 {count} 条" for consumer, count in one.unread.items() if count]
        if one.unpublished:
            late.append(f"{one.unpublished} 条事件待发布")
        found.append(
            Finding(f"事件 {one.service}", not late, "落后" if late else "已跟上", "；".join(late))
        )
    return found


async def _parked(folder: DataFolder) -> list[Finding]:
    found = []
    postgres = folder.postgres()
    for name in catalogue.NAMES:
        connection = await asyncpg.connect(folder.urls(postgres, name)[0])
        try:
            count = await connection.fetchval(PARKED)
        finally:
            await connection.close()
        if count:
            detail = f"{count} 条；查明原因后用 minzheng dead-letters --replay 重新处理"
            found.append(Finding(f"搁置 {name}", well=False, word="有搁置", detail=detail))
    return found


async def _on_hold(folder: DataFolder) -> list[Finding]:
    """Who publishes nothing, since when, because its database came back from a backup."""
    found = []
    for name in catalogue.NAMES:
        connection = await asyncpg.connect(folder.urls(folder.postgres(), name)[0])
        try:
            holds = await connection.fetch(HOLDS)
        finally:
            await connection.close()
        for hold in holds:
            detail = f"自 {hold['since']:%Y-%m-%d %H:%M}（{hold['reason']}）；"
            detail += f"用 minzheng reconcile {name} --mend 核对并修复后恢复发布"
            found.append(Finding(f"发布 {name}", well=False, word="暂停", detail=detail))
    return found


def _calendar(today: date) -> Finding:
    """The State Council's notice for next year comes in November: deadlines wait for it."""
    calendar = Calendar()
    if calendar.settled(today + SOON):
        return Finding("工作日历", well=True, word="有效", detail=f"已覆盖到 {today + SOON}")
    detail = f"{today + SOON} 尚无放假安排，其间的期限为暂定；通知公布后请更新日历数据"
    return Finding("工作日历", well=True, word="将到期", detail=detail)
