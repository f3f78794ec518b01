"""Lives the history through the services' own APIs, with the clock driven from day to day.

Every POST has a key of its own: a history that was interrupted is lived again from its start, and
what was done before is answered again and done no second time.
"""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from typing import Any

from openpyxl import Workbook

from suite.demo import district
from suite.demo.caller import Caller, expect_success
from suite.demo.history import (
    Action,
    BackEntry,
    Change,
    Day,
    Delegation,
    Edition,
    Figure,
    FigureCorrection,
    Parameter,
    Register,
    Standard,
)

AT_ONCE = 6
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KEY_REUSED = ":idempotency-key-reused"
FIGURES = ("计量项目", "区划代码", "日期", "数值", "文件依据")
REGISTRATION = (
    *("设施序号", "设施名称", "类型", "区划代码", "地址", "运营方名称", "运营方性质"),
    *("核定床位", "护理型床位", "投入使用床位", "服务功能", "开办日期", "文件依据"),
)
CHANGES = (
    *("设施序号", "事项", "生效日期", "文件依据", "核定床位", "护理型床位", "投入使用床位"),
    *("运营方名称", "运营方性质", "服务功能", "类型", "设施名称", "区划代码", "地址"),
    *("评估结果", "评估得分"),
)


@dataclass
class Driver:
    """One run through the history against a gateway."""

    caller: Caller
    until_settled: Callable[[], Awaitable[None]]
    _facilities: dict[str, str] = field(default_factory=dict)
    _editions: dict[str, str] = field(default_factory=dict)

    async def live(self, day: Day) -> None:
        """Do what is done on one day, in the order in which it depends on each other."""
        if any(isinstance(action, BackEntry) for action in day.actions):
            await self._back_entry()
        figures = [one for one in day.actions if isinstance(one, Figure)]
        if figures:
            await self._report(figures)
        await self._at_once([self._post_one(one) for one in day.actions if _stands_alone(one)])
        by_facility: dict[str, list[Change]] = {}
        for action in day.actions:
            if isinstance(action, Change):
                by_facility.setdefault(action.facility, []).append(action)
        await self._at_once([self._changes(changes) for changes in by_facility.values()])
        for action in day.actions:
            if isinstance(action, FigureCorrection):
                await self._correct(action)
            if isinstance(action, Edition):
                await self.until_settled()
                await self._publish(action)

    async def _at_once(self, calls: Sequence[Coroutine[Any, Any, None]]) -> None:
        limit = asyncio.Semaphore(AT_ONCE)

        async def limited(call: Coroutine[Any, Any, None]) -> None:
            async with limit:
                await call

        async with asyncio.TaskGroup() as tasks:
            for call in calls:
                tasks.create_task(limited(call))

    async def _post_one(self, action: Action) -> None:
        match action:
            case Standard():
                await self.caller.post(
                    "/v1/relief/standards",
                    {
                        "code": action.code,
                        "area": action.area,
                        "division": action.division,
                        "amount": action.amount,
                        "valid_from": action.valid_from.isoformat(),
                        "document": action.document,
                    },
                )
            case Parameter():
                await self.caller.post(
                    "/v1/relief/parameters",
                    {
                        "key": action.key,
                        "division": action.division,
                        "value": action.value,
                        "valid_from": action.valid_from.isoformat(),
                        "source": action.source,
                    },
                )
            case Delegation():
                await self.caller.post(
                    "/v1/relief/authorities",
                    {
                        "programme": "dibao",
                        "division": action.division,
                        "level": "town",
                        "basis": "bureau",
                        "valid_from": action.valid_from.isoformat(),
                        "document": action.document,
                    },
                )
            case Register():
                made = await self.caller.post("/v1/eldercare/facilities", action.body)
                self._facilities[action.body["name"]] = made.json()["id"]

    async def _report(self, figures: Sequence[Figure]) -> None:
        """All figures of a day in one workbook, under a key of its content.

        A workbook bears its hour: a key that stands under another one says that it was taken in.
        """
        rows = [(one.measure, one.division, one.on, one.value, one.document) for one in figures]
        answer = await self.caller.send(
            "POST",
            "/v1/plan/figures/import",
            content=await asyncio.to_thread(figures_workbook, rows),
            headers={
                "Content-Type": XLSX,
                "Idempotency-Key": "demo-" + hashlib.sha256(repr(rows).encode()).hexdigest(),
            },
        )
        if not answer.is_success and not answer.json()["type"].endswith(KEY_REUSED):
            expect_success(answer)

    async def _changes(self, changes: Sequence[Change]) -> None:
        for one in changes:
            path = f"/v1/eldercare/facilities/{await self._facility(one.facility)}"
            etag = (await self.caller.get(path)).headers["etag"]
            await self.caller.post(f"{path}/changes", one.change, etag=etag, once=True)

    async def _facility(self, name: str) -> str:
        if name not in self._facilities:
            cursor: str | None = None
            while True:
                query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
                page = (await self.caller.get("/v1/eldercare/facilities", query)).json()
                self._facilities.update({one["name"]: one["id"] for one in page["items"]})
                cursor = page["next_cursor"]
                if cursor is None:
                    break
        return self._facilities[name]

    async def _correct(self, action: FigureCorrection) -> None:
        query = {
            "measure": action.measure,
            "division": action.division,
            "on": action.on.isoformat(),
        }
        items = (await self.caller.get("/v1/plan/figures", query)).json()["items"]
        standing = next(one for one in items if one["superseded_at"] is None)
        if standing["document"] == action.document:
            return
        path = f"/v1/plan/figures/{standing['id']}"
        etag = (await self.caller.get(path)).headers["etag"]
        await self.caller.post(
            f"{path}/correction",
            {"value": action.value, "document": action.document, "reason": action.reason},
            etag=etag,
        )

    async def _publish(self, action: Edition) -> None:
        body: dict[str, Any] = {"title": action.title, "as_of": action.as_of.isoformat()}
        if action.restates:
            body |= {"restates": self._editions[action.restates], "reason": action.reason}
        made = await self.caller.post("/v1/plan/editions", body)
        self._editions[action.title] = made.json()["id"]

    async def _back_entry(self) -> None:
        answer = await self.caller.send(
            "POST",
            "/v1/eldercare/facilities/import",
            content=await asyncio.to_thread(back_entry_workbook),
            headers={"Content-Type": XLSX},
        )
        already = answer.status_code == HTTPStatus.CONFLICT
        if not already:
            expect_success(answer)


def _stands_alone(action: Action) -> bool:
    return isinstance(action, Delegation | Parameter | Register | Standard)


def figures_workbook(rows: Sequence[tuple[str, str, date, str, str]]) -> bytes:
    """Figures as the import's form has them."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("填报数")
    for row in (FIGURES, *rows):
        sheet.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def back_entry_workbook() -> bytes:
    """The facilities that stood at the end of 2020, as a clerk would enter them afterwards."""
    book = Workbook(write_only=True)
    registrations = book.create_sheet("设施登记")
    registrations.append(REGISTRATION)
    changes = book.create_sheet("后续变更")
    changes.append(CHANGES)
    for number, one in enumerate(district.facilities(), 1):
        registrations.append(
            (
                *(number, one.name, one.kind, one.code, f"渝北区{one.place}", one.operator),
                *(one.operator_kind, one.beds, one.nursing, one.beds, one.functions),
                *(one.opened_on, "历史台账补录"),
            )
        )
        if one.assessed is not None:
            result = "达标" if one.assessed else "未达标"
            day = date(2020, 10, 1 + number % 15)
            blank = (None,) * 10
            assessed = (number, "服务质量评估", day, "2020年评估报告", *blank, result, None)
            changes.append(assessed)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
