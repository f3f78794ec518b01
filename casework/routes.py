"""The routes that every matter has alike; a service mounts them once for all its matters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse

from casework import archive, documents, repository, views
from casework.models import CaseDocument, CaseFile
from casework.schemas import (
    ArchiveView,
    CaseItem,
    CaseQuery,
    CaseView,
    DeliveryIn,
    DocumentItem,
    DocumentList,
    DocumentView,
    History,
    PublicityView,
    TodoList,
    TodoQuery,
)
from casework.states import DELIVER, Matter
from casework.todo import Organ, Organs
from casework.views import Desk
from chassis.conditional import IfMatch, require_version, set_etag
from chassis.database import today
from chassis.fields import DivisionCode
from chassis.idempotency import Idempotent, Route
from chassis.law.units import Register
from chassis.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from chassis.problems import Forbidden, NotFound, responses
from chassis.requests import Caller, CurrentRuntime, Transaction, VisibleUnits, require

DeliveryGuard = Callable[[Desk, CaseFile, CaseDocument, date], None]
"""Refuses (`Forbidden`) a document whose delivery is another organ's on the day."""

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def router(
    prefix: str,
    matters: Mapping[str, Matter],
    templates: Mapping[str, Path],
    *,
    read_scope: str,
    tag: str,
    organs: Organs | None = None,
    guards: Mapping[str, DeliveryGuard] = MappingProxyType({}),
) -> APIRouter:
    """Lists, to-dos, cases, their history and documents under `/v1/<prefix>`.

    `matters`, `templates` (a folder each) and `guards` are by the matter's code. All take
    `read_scope`; to record a delivery takes besides what the matter's step `deliver` takes, and
    the matter's guard. `organs` tells what falls to the caller's organ, where a step does to one
    of several.
    """
    made = APIRouter(prefix=f"/v1/{prefix}", tags=[tag], route_class=Route)
    scopes = {code: matter.scope_of(DELIVER) for code, matter in matters.items()}
    counter = _Counter(matters, templates, organs, scopes, guards)
    reading = [Depends(require(read_scope))]
    listing, single = responses(401, 403, 404, 422, 503), responses(401, 403, 404, 503)

    made.get("/cases", summary="查询办件", dependencies=reading, responses=listing)(
        counter.list_cases
    )
    made.get("/todo", summary="我的待办", dependencies=reading, responses=listing)(counter.todo)
    made.get("/publicity", summary="正在公示", dependencies=reading, responses=listing)(
        counter.publicity
    )
    made.get("/cases/{case_id}", summary="查看办件", dependencies=reading, responses=single)(
        counter.case
    )
    made.get(
        "/cases/{case_id}/history", summary="办理经过", dependencies=reading, responses=single
    )(counter.history)
    made.get(
        "/cases/{case_id}/archive", summary="归档目录", dependencies=reading, responses=single
    )(counter.archive)
    made.get(
        "/cases/{case_id}/documents", summary="文书目录", dependencies=reading, responses=single
    )(counter.documents)
    made.get(
        "/cases/{case_id}/documents/{document_id}",
        summary="查看文书",
        dependencies=reading,
        responses=single,
    )(counter.document)
    made.get(
        "/cases/{case_id}/documents/{document_id}/page",
        summary="打印文书",
        response_class=HTMLResponse,
        dependencies=reading,
        responses=single,
    )(counter.document_page)
    made.post(
        "/cases/{case_id}/documents/{document_id}/delivery",
        summary="登记送达",
        dependencies=[*reading, Idempotent],
        responses=responses(401, 403, 404, 409, 412, 422, 428, 503),
    )(counter.deliver)
    return made


@dataclass(frozen=True)
class _Counter:
    """The endpoints, for some matters."""

    matters: Mapping[str, Matter]
    templates: Mapping[str, Path]
    organs: Organs | None
    delivery_scopes: Mapping[str, str]
    guards: Mapping[str, DeliveryGuard]

    async def list_cases(
        self,
        asked: Annotated[CaseQuery, Query()],
        principal: Caller,
        session: Transaction,
        runtime: CurrentRuntime,
        units: VisibleUnits,
    ) -> Page[CaseItem]:
        """列出管辖范围内的办件，新登记的在前。"""
        desk = Desk(principal, units, await runtime.places.register(), self.matters)
        return await views.page(session, desk, asked)

    async def todo(
        self,
        asked: Annotated[TodoQuery, Query()],
        principal: Caller,
        session: Transaction,
        runtime: CurrentRuntime,
        units: VisibleUnits,
    ) -> TodoList:
        """本人可以办理的办件，期限先到的在前；依规定须由他人、其他机关办理的不在其中。"""
        register = await runtime.places.register()
        organs = await self._organs(session, register, units)
        desk = Desk(principal, units, register, self.matters, organs)
        return await views.todo_list(session, desk, asked)

    async def publicity(
        self,
        principal: Caller,
        session: Transaction,
        runtime: CurrentRuntime,
        units: VisibleUnits,
        division: Annotated[
            DivisionCode | None, Query(description="区划代码，含其下各级；默认管辖范围内全部")
        ] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[PublicityView]:
        """今天正在公示的内容，只含规定公示的项目；未成年人不公示全名。"""
        desk = Desk(principal, units, await runtime.places.register(), self.matters)
        return await views.posted(session, desk, division, cursor, limit)

    async def case(
        self,
        case_id: UUID,
        principal: Caller,
        session: Transaction,
        runtime: CurrentRuntime,
        units: VisibleUnits,
        response: Response,
    ) -> CaseView:
        """一件的现状、期限，以及本人现在可以办理的各步。查看留痕。"""
        register = await runtime.places.register()
        organs = await self._organs(session, register, units)
        desk = Desk(principal, units, register, self.matters, organs)
        case = await self._case(session, units, case_id)
        set_etag(response, case.version)
        return await views.one(session, desk, case)

    async def history(
        self,
        case_id: UUID,
        principal: Caller,
        session: Transaction,
        runtime: CurrentRuntime,
        units: VisibleUnits,
    ) -> History:
        """各步由谁、何时、因何办理。查看留痕。"""
        desk = Desk(principal, units, await runtime.places.register(), self.matters)
        return await views.history(session, desk, await self._case(session, units, case_id))

    async def archive(
        self, case_id: UUID, session: Transaction, units: VisibleUnits
    ) -> ArchiveView:
        """办结后归档的文书、公示目录；未办结的没有。查看留痕。"""
        kept = await archive.read(session, await self._case(session, units, case_id))
        if kept is None:
            raise NotFound("本件尚未办结归档")
        return views.archive(kept)

    async def documents(
        self, case_id: UUID, session: Transaction, units: VisibleUnits
    ) -> DocumentList:
        """本件制作的全部文书。"""
        return await views.documents_of(session, await self._case(session, units, case_id))

    async def document(
        self, case_id: UUID, document_id: UUID, session: Transaction, units: VisibleUnits
    ) -> DocumentView:
        """文书制作时的内容。查看留痕；内容与制作时不符的不予显示。"""
        _, row = await self._document(session, units, case_id, document_id)
        return await views.document(session, row)

    async def document_page(
        self, case_id: UUID, document_id: UUID, session: Transaction, units: VisibleUnits
    ) -> HTMLResponse:
        """可在 A4 纸上打印的文书，按制作时保存的内容生成。查看留痕。"""
        case, row = await self._document(session, units, case_id, document_id)
        snapshot = await documents.read(session, row, "打印决定文书")
        content = documents.page(self.templates[case.matter], row.kind, snapshot)
        return HTMLResponse(content, headers=PAGE_HEADERS)

    async def deliver(  # noqa: PLR0913, PLR0917 - what the request asks for, one by one
        self,
        case_id: UUID,
        document_id: UUID,
        asked: DeliveryIn,
        principal: Caller,
        session: Transaction,
        runtime: CurrentRuntime,
        units: VisibleUnits,
        response: Response,
        if_match: IfMatch = None,
    ) -> DocumentItem:
        """登记一份文书的送达日期、方式与签收人；每份文书登记一次，所需权限与该事项的送达相同。"""
        case, row = await self._document(session, units, case_id, document_id, lock=True)
        desk = Desk(principal, units, await runtime.places.register(), self.matters)
        self._require_delivery(desk, case, row, today(session))
        require_version(if_match, case.version)
        await documents.deliver(
            session, row, how=asked.how, on=asked.on, received_by=asked.received_by
        )
        case.version += 1
        set_etag(response, case.version)
        return views.document_item(row)

    async def _organs(
        self, session: Transaction, register: Register, units: VisibleUnits
    ) -> Mapping[str, Organ]:
        return {} if self.organs is None else await self.organs(session, register, units)

    def _require_delivery(self, desk: Desk, case: CaseFile, row: CaseDocument, day: date) -> None:
        scope = self.delivery_scopes[case.matter]
        if not desk.principal.may(scope):
            raise Forbidden(f"需要权限 {scope}", of=scope)
        if case.matter in self.guards:
            self.guards[case.matter](desk, case, row, day)

    async def _case(
        self, session: Transaction, units: VisibleUnits, case_id: UUID, *, lock: bool = False
    ) -> CaseFile:
        case = await repository.find(session, units, case_id, lock=lock)
        if case is None or case.matter not in self.matters:
            raise NotFound("未找到该办件，或不在您的管辖范围内")
        return case

    async def _document(
        self,
        session: Transaction,
        units: VisibleUnits,
        case_id: UUID,
        document_id: UUID,
        *,
        lock: bool = False,
    ) -> tuple[CaseFile, CaseDocument]:
        case = await self._case(session, units, case_id, lock=lock)
        row = await repository.document(session, case.id, document_id)
        if row is None:
            raise NotFound("未找到该文书")
        return case, row
