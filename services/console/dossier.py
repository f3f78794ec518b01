"""What a case is about, as its matter tells it beside the case itself."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.console import case_words, forms
from services.console.award_answers import Award, Change
from services.console.case_answers import CaseView, Missing
from services.console.clerks import LoggedOut, Seat
from services.console.forms import Of
from services.console.gateway import Refused

AWARDS = "/v1/relief/awards"
CHECKS = "/v1/relief/checks"


class Member(BaseModel):
    id: UUID
    name: str
    number: str | None
    relation: str
    born: date
    present: bool
    left_on: date | None = None
    left_reason: str | None = None
    truth_committed_on: date | None
    check_authorised_on: date | None
    situation: dict[str, Any] = {}
    warnings: list[str] = []


class Supporter(BaseModel):
    """Who owes a member support without being of the household."""

    id: UUID
    name: str
    number: str | None
    relation: str
    consented_on: date | None
    checkable: bool


class Household(BaseModel):
    id: UUID
    members: list[Member]
    area: str | None
    supporters: list[Supporter]


class CheckItem(BaseModel):
    """One thing that a source knows; an income's amount is of all its months."""

    kind: str
    amount: Decimal | None
    area: Decimal | None


class CheckLine(BaseModel):
    """What one source has answered about one member."""

    request: UUID
    member: UUID
    name: str
    source_title: str
    status: str
    note: str
    data_day: date | None
    items: list[CheckItem]
    accepted: bool

    @property
    def answered(self) -> bool:
        return self.status in {"none", "returned"}


class Finding(BaseModel):
    """Where declared and found differ; without a member, in what the family owns together."""

    member: UUID | None
    kind: str
    title: str
    declared: Decimal | None
    found: Decimal | None


class Late(BaseModel):
    source_title: str
    items: int


class Check(BaseModel):
    id: UUID
    state: str
    lines: list[CheckLine]
    findings: list[Finding]
    missing: list[dict[str, Any]]
    late: list[Late]

    @property
    def silent(self) -> list[CheckLine]:
        return [one for one in self.lines if not one.answered]

    @property
    def is_open(self) -> bool:
        return self.state != "closed"


class Signature(BaseModel):
    surveyor: str
    signed_at: str | None


class Survey(BaseModel):
    by_bureau: bool
    visited_on: date
    findings: str
    refusal: str | None
    signatures: list[Signature]
    withdrawn_on: date | None

    @property
    def waits_for(self) -> list[str]:
        """Who has not signed yet; nobody has to any more where it was withdrawn."""
        if self.withdrawn_on is not None:
            return []
        return [one.surveyor for one in self.signatures if one.signed_at is None]


class Opinion(BaseModel):
    outcome: str
    statement: str
    given_on: date
    given_by: str


class Publicity(BaseModel):
    kind: str
    posted_on: date
    last_day: date
    closed_on: date | None


class Appraisal(BaseModel):
    held_on: date
    participants: int
    outcome: str


class Elsewhere(BaseModel):
    """A member's claim elsewhere; `possible` where only name and birth are the same.

    `file` is the case or, where `state` is awarded, the award; none of another's district or town.
    """

    member: UUID
    state: str
    file: UUID | None
    possible: bool


class Objection(BaseModel):
    id: UUID
    received_on: date
    objector: str
    content: str
    finding: str | None
    upheld: bool | None
    answered_on: date | None
    appraisal: Appraisal | None


class Complaint(BaseModel):
    received_on: date
    content: str


class NearRelative(BaseModel):
    member: UUID
    of: str
    relation: str


class MissingOf(Missing):
    """What still lacks before the acceptance, of whom, and why it is needed."""

    why: str
    member: UUID | None


class Condition(BaseModel):
    title: str
    passed: bool | None
    fact: str
    threshold: str
    source: str
    source_day: date | None
    article: str
    remedy: str


class Line(BaseModel):
    member: str
    kind: str
    amount: Decimal
    counted: bool
    deducted: Decimal
    note: str


class SupportDue(BaseModel):
    """What a supporter owes; `added` to the income is what was not given already."""

    member: str
    supporter: str
    amount: Decimal
    added: Decimal
    article: str
    valid_from: date
    note: str


class Deduction(BaseModel):
    """What is taken off for a member's disability or illness."""

    member: str
    ground: str
    amount: Decimal
    article: str
    valid_from: date


class Income(BaseModel):
    """Both last are missing where a decision has kept what was told before there were any."""

    total: Decimal
    per_capita: Decimal | None
    lines: list[Line]
    support: list[SupportDue] = []
    deductions: list[Deduction] = []


class Standard(BaseModel):
    amount: Decimal
    document: str


class Extra(BaseModel):
    member: str
    category: str
    amount: Decimal


class Alone(BaseModel):
    """Who can be taken in without the family; `asked` for it."""

    member: str
    amount: Decimal
    asked: bool


class Assessment(BaseModel):
    outcome: str
    persons: int
    standard: Standard
    income: Income
    base: Decimal | None
    total: Decimal | None
    extras: list[Extra]
    alone: list[Alone]
    conditions: list[Condition]
    payable_from: date | None
    notes: list[str] = []


class Decision(BaseModel):
    outcome: str
    level: str
    decided_on: date
    decided_by: str
    award: UUID | None
    assessment: Assessment


class Application(BaseModel):
    applied_on: date
    materials: list[str]
    missing_items: list[MissingOf]
    household: Household
    conflicts: list[Elsewhere]
    applicant_left: bool
    near_relatives: list[NearRelative]
    complaints: list[Complaint]
    check: Check | None
    surveys: list[Survey]
    appraisal_required: bool
    opinions: list[Opinion]
    publicities: list[Publicity]
    objections: list[Objection]
    decision: Decision | None

    @property
    def open_objections(self) -> list[Objection]:
        """Those that wait for their finding, the oldest first."""
        return [one for one in self.objections if one.answered_on is None]

    @property
    def running(self) -> Publicity | None:
        """What of the opinion is posted now."""
        posted = (one for one in self.publicities if one.closed_on is None)
        return next((one for one in posted if one.kind != "result"), None)


class Now(BaseModel):
    """What the rules say today; `outcome` is empty while they cannot say."""

    as_of: date
    outcome: str | None
    level: str
    flagged: str
    assessment: Assessment


@dataclass(frozen=True, slots=True)
class Dossier:
    """An application has the first two, a change of an award the last two."""

    application: Application | None = None
    now: Now | None = None
    change: Change | None = None
    award: Award | None = None
    choices: dict[Of, dict[str, str]] = field(default_factory=dict)
    """What the fields of the forms offer that name something of this case."""

    @property
    def members(self) -> dict[str, str]:
        return self.choices.get(Of.MEMBERS, {})

    @property
    def names(self) -> dict[str, str]:
        """Of everybody whom an assessment names: the members and who owes them support."""
        outside = self.application.household.supporters if self.application else []
        return self.members | {
            str(one.id): f"{one.name}（{case_words.relation(one.relation)}）" for one in outside
        }


async def load(seat: Seat, case: CaseView) -> Dossier:
    """What the matter has beside the case; raises as `Seat.read`."""
    if case.matter == "dibao_change":
        return await _of_change(seat, case)
    path = f"{forms.APPLICATIONS}/{case.id}"
    application = await seat.read(Application, path)
    choices = {
        Of.MEMBERS: {
            str(one.id): f"{one.name}（{case_words.relation(one.relation)}）"
            for one in application.household.members
            if one.present
        },
        Of.LACKING: _lacking(case, application),
    }
    under_review = case.accepted_on is not None and case.decided_on is None
    now = await _now(seat, path) if under_review and case.closed_on is None else None
    return Dossier(application, now, choices=choices)


async def _of_change(seat: Seat, case: CaseView) -> Dossier:
    change = await seat.read(Change, f"{forms.CHANGES}/{case.id}")
    award = await seat.read(Award, f"{AWARDS}/{change.award}")
    return Dossier(change=change, award=award, choices={Of.MEMBERS: award.names})


async def _now(seat: Seat, path: str) -> Now | None:
    """Nothing where the rules have no answer: a case can be looked at all the same."""
    try:
        return await seat.read(Now, f"{path}/assessment")
    except LoggedOut:
        raise
    except Refused:
        return None


def _lacking(case: CaseView, application: Application) -> dict[str, str]:
    """What may have come in meanwhile: what lacks by itself, and what a clerk asked for."""
    found = {f"{one.code}:{one.member or ''}": one.title for one in application.missing_items}
    asked = case.correction.items if case.correction else []
    return found | {
        f"{one.code}:": one.title
        for one in asked
        if one.code not in forms.SIGNED and one.code not in application.materials
    }
