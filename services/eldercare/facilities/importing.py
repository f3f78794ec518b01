"""Back-entry of history (补录): all rows of a workbook, or none."""

import asyncio
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.database import today
from chassis.problems import Conflict, Problem
from chassis.spreadsheet import CellError, ImportRefused
from services.eldercare.facilities import repository, rules, service
from services.eldercare.facilities.rules import Fact
from services.eldercare.facilities.schemas import ImportResult
from services.eldercare.facilities.service import Territory
from services.eldercare.facilities.workbook import (
    CHANGES,
    FORMS,
    REFERENCE,
    REGISTRATIONS,
    History,
    read_history,
)


class AlreadyImported(Conflict):
    slug, title = "already-imported", "该文件的内容已经补录过"


@dataclass(slots=True)
class Drafts:
    """The facts of each facility of the file, the row of each fact, and what is wrong."""

    facts: dict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    errors: list[CellError] = field(default_factory=list)

    def add(self, reference: str, sheet: str, row: int, facts: list[Fact]) -> None:
        self.facts[reference] += facts
        self.rows.update((fact.id, (sheet, row)) for fact in facts)

    def refuse(self, sheet: str, row: int, problem: Problem) -> None:
        """Keep what a use case would have answered to the row."""
        self.errors += FORMS[sheet].refused(row, problem)


async def import_history(
    session: AsyncSession, territory: Territory, content: bytes
) -> ImportResult:
    """Take in a workbook: one `registered` event a facility, with its whole timeline.

    Raises:
        UnreadableWorkbook: it is no workbook of the template's form, or too large.
        ImportRefused: with each wrong cell; nothing is saved.
        AlreadyImported: the same content was taken in before.
    """
    history = await asyncio.to_thread(read_history, content)
    drafts = _drafts(session, territory, history)
    if not drafts.errors and not drafts.facts:
        drafts.errors.append(CellError(REGISTRATIONS, 2, REFERENCE, "没有可补录的内容"))
    if drafts.errors:
        raise ImportRefused(drafts.errors)
    if not await repository.first_import(session, _fingerprint(history), len(drafts.facts)):
        raise AlreadyImported("如需更正，请到设施的历史中逐项更正")
    for facts in drafts.facts.values():
        await service.found(session, facts)
    await audit.record(
        session,
        action="eldercare.facility.import",
        subject=_fingerprint(history).hex(),
        purpose="补录历史情况",
    )
    return ImportResult(
        facilities=len(drafts.facts), facts=sum(len(facts) for facts in drafts.facts.values())
    )


def _drafts(session: AsyncSession, territory: Territory, history: History) -> Drafts:
    drafts = Drafts(errors=list(history.errors))
    for line in history.registrations:
        try:
            facts = service.stated_at_opening(session, territory, line.asked)
        except Problem as problem:
            drafts.refuse(REGISTRATIONS, line.row, problem)
        else:
            drafts.add(line.reference, REGISTRATIONS, line.row, facts)
    for change in history.changes:
        if change.reference not in history.references:
            text = f"“{REGISTRATIONS}”中没有此序号"
            drafts.errors.append(CellError(CHANGES, change.row, REFERENCE, text))
            continue
        try:
            value = service.value_of(territory, change.asked)
        except Problem as problem:
            drafts.refuse(CHANGES, change.row, problem)
        else:
            fact = service.new_fact(session, value, change.asked.valid_from, change.asked.document)
            drafts.add(change.reference, CHANGES, change.row, [fact])
    _check(session, drafts)
    return drafts


def _check(session: AsyncSession, drafts: Drafts) -> None:
    day = today(session)
    for facts in drafts.facts.values():
        told = set()
        for violation in rules.violations(facts, day):
            sheet, row = drafts.rows[violation.fact.id]
            if (row, violation.text) not in told:
                told.add((row, violation.text))
                heading = "开办日期" if sheet == REGISTRATIONS else "生效日期"
                drafts.errors.append(CellError(sheet, row, heading, violation.text))


def _fingerprint(history: History) -> bytes:
    """Of what the rows say, whatever the file's bytes: saved again, it is still the same."""
    said = hashlib.sha256()
    for line in history.registrations:
        said.update(f"{line.reference}\n{line.asked.model_dump_json()}\n".encode())
    for change in history.changes:
        said.update(f"{change.reference}\n{change.asked.model_dump_json()}\n".encode())
    return said.digest()
