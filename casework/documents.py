"""Decision documents (文书): made once from a snapshot that is kept, shown from that alone."""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import chain, count
from pathlib import Path
from typing import Any
from uuid import UUID

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.ext.asyncio import AsyncSession

from casework import repository
from casework.models import CaseDocument, CaseFile, DeliveryMethod
from casework.problems import AlreadyDelivered
from casework.sealed import canonical, reveal_json, seal_json
from chassis import audit, sm3
from chassis.database import day_of, now, today
from chassis.ids import new_id
from chassis.privacy import Cell
from chassis.problems import FieldError, Problem, Unprocessable
from chassis.sealing import seal

FRAME = Path(__file__).parent / "templates"


class DocumentChanged(Problem):
    """The snapshot is not the one that was made: somebody wrote past the application."""

    slug, title = "document-changed", "文书内容与制作时不符"


async def make(  # noqa: PLR0913 - each names a part of the document
    session: AsyncSession,
    case: CaseFile,
    *,
    templates: Path,
    kind: str,
    title: str,
    number: str,
    snapshot: Mapping[str, Any],
    template_version: int = 1,
    due_delivery_on: date | None = None,
) -> CaseDocument:
    """Make a document: all that its page shows, now and for ever.

    A number (文号) that the case has given out before gets the next ordinal: `…-2`.

    `kind` names the template in `templates`, and what it shows must stand in the snapshot. `organ`
    and `date` are the caller's organisation and today where the snapshot does not say otherwise;
    floats are refused.

    Raises:
        UndefinedError: the snapshot lacks what the template of today shows.
    """
    document_id = new_id()
    number = await _unused(session, case, number)
    whole = {
        "organ": session.info["organisation"],
        "date": today(session),
        **snapshot,
        "number": number,
        "title": title,
        "template_version": template_version,
    }
    kept: dict[str, Any] = json.loads(canonical(whole))
    _rendered(templates, kind, kept, whole=True)
    made = CaseDocument(
        id=document_id,
        case_id=case.id,
        unit_id=case.unit_id,
        kind=kind,
        template_version=template_version,
        number=number,
        title=title,
        snapshot=seal_json(session, whole, _cell(document_id, "snapshot")),
        digest=_digest(whole),
        made_at=now(session),
        made_by=session.info["actor"],
        due_delivery_on=due_delivery_on,
    )
    session.add(made)
    await session.flush()
    await audit.record(session, action=f"document.{kind}", subject=str(document_id))
    return made


async def _unused(session: AsyncSession, case: CaseFile, number: str) -> str:
    used = {one.number for one in await repository.documents_of(session, case.id)}
    stem, end = (number[:-1], "号") if number.endswith("号") else (number, "")
    again = (f"{stem}-{ordinal}{end}" for ordinal in count(2))
    return next(one for one in chain([number], again) if one not in used)


async def read(session: AsyncSession, document: CaseDocument, purpose: str) -> dict[str, Any]:
    """The snapshot as it was made; the reading is audited.

    Raises:
        DocumentChanged: it does not fit its digest.
    """
    cell = _cell(document.id, "snapshot")
    snapshot: dict[str, Any] = await reveal_json(
        session, document.snapshot, cell, of=str(document.id), purpose=purpose
    )
    if _digest(snapshot) != document.digest:
        raise DocumentChanged("请停止使用该文书并联系管理员")
    return snapshot


def page(templates: Path, kind: str, snapshot: Mapping[str, Any]) -> str:
    """The document as HTML that prints on A4.

    A template that changes keeps its old text under `<kind>.<version>.html`, so that what was made
    by it reads as before. What a template has come to show since and an old snapshot lacks is
    left blank: `make` has seen to it that nothing else is.
    """
    return _rendered(templates, kind, snapshot, whole=False)


def _rendered(templates: Path, kind: str, snapshot: Mapping[str, Any], *, whole: bool) -> str:
    names = [f"{kind}.{snapshot['template_version']}.html", f"{kind}.html"]
    return _environment(templates, whole=whole).select_template(names).render(snapshot)


async def deliver(
    session: AsyncSession,
    document: CaseDocument,
    *,
    how: DeliveryMethod | str,
    on: date,
    received_by: str,
) -> None:
    """Record that a document was delivered (送达): once, not before it was made nor ahead."""
    if document.delivered_on is not None:
        raise AlreadyDelivered("该文书已登记送达")
    if not day_of(document.made_at) <= on <= today(session):
        raise Unprocessable(
            "送达日期有误", errors=[FieldError("/on", "送达日期应在制作之日至今天之间")]
        )
    document.delivered_on = on
    document.delivered_how = DeliveryMethod(how)
    document.received_by = seal(session, received_by, _cell(document.id, "received_by"))
    await audit.record(session, action="document.delivered", subject=str(document.id))
    await session.flush()


def _cell(document_id: UUID, column: str) -> Cell:
    return Cell("case_document", column, document_id)


def _digest(snapshot: Mapping[str, Any]) -> str:
    return sm3.digest(canonical(dict(snapshot)).encode()).hex()


@cache
def _environment(templates: Path, *, whole: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([templates, FRAME]),
        autoescape=True,
        undefined=StrictUndefined if whole else ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["day"] = _day_text
    return environment


def _day_text(day: str | ChainableUndefined) -> str:
    """`2025-03-03` as it is written in a document: 2025年3月3日."""
    if isinstance(day, ChainableUndefined):
        return ""
    found = date.fromisoformat(day)
    return f"{found.year}年{found.month}月{found.day}日"
