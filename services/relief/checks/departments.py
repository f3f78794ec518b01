"""The other side of a check: one query to one source, over HTTP."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis import sm3
from chassis.fields import Day
from chassis.http_client import HttpClient, Response, UpstreamTimeout, UpstreamUnavailable
from services.relief.checks.rules import Failure

MOST_ITEMS = 200
SHORTEST_WAIT, LONGEST_WAIT = 1, 86_400
"""Seconds; what a source says beyond is taken as these."""

_NOT_NOW = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})

_HEADERS = {"Connection": "close"}
"""The client lives as long as its process: no connection is left open between two queries."""

Figure = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]


class AnsweredItem(BaseModel):
    """One thing that a source told; what else it says is not kept (最小必要)."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]
    amount: Figure | None = None
    area: Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)] | None = None
    months: Annotated[int, Field(ge=1, le=60)] | None = None
    on: Day | None = None


class SourceAnswer(BaseModel):
    """What a source knows of a person, as of `data_day`; kept sealed."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    status: Literal["found", "none"]
    data_day: Day
    items: list[AnsweredItem] = Field(default_factory=list, max_length=MOST_ITEMS)


class _Promise(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    location: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Query:
    """Who is asked about, for what purpose, on which basis (domain.md C2)."""

    request_id: UUID
    source: str
    document_kind: str
    document_number: str = field(repr=False)
    purpose: str
    legal_basis: str
    authorisation: str
    requester: str
    case_number: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer; `digest` is the SM3 of the bytes that came, in hex."""

    answer: SourceAnswer
    digest: str


@dataclass(frozen=True, slots=True)
class Promised:
    """The answer comes later: ask again at `location` in so many seconds."""

    location: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The source will not answer this query, however often it is asked."""

    failure: Failure


Outcome = Answered | Promised | Refused


class NoAnswer(Exception):  # noqa: N818 - says what happened
    """No answer this time; to be asked again."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


async def ask(client: HttpClient, query: Query, location: str = "") -> Outcome:
    """Put a query, or ask on at the `location` that an earlier answer named.

    A source that knows nothing of the location any more is put the query again: the same request,
    so it is one query to the source.

    Raises:
        NoAnswer: the source is down or slow.
    """
    if location:
        response = await _send(client, "GET", location, query)
        if response.status_code != HTTPStatus.NOT_FOUND:
            return _outcome(query, response)
    return _outcome(query, await _send(client, "POST", _path(query.source), query))


async def _send(client: HttpClient, method: str, path: str, query: Query) -> Response:
    body = None
    if method == "POST":
        body = {
            "request_id": str(query.request_id),
            "document_kind": query.document_kind,
            "document_number": query.document_number,
            "purpose": query.purpose,
            "legal_basis": query.legal_basis,
            "authorisation": query.authorisation,
            "requester": query.requester,
            "case_number": query.case_number,
            "as_of": query.as_of.isoformat(),
        }
    try:
        response = await client.request(
            method, path, json=body, headers=_HEADERS | {"Idempotency-Key": str(query.request_id)}
        )
    except UpstreamTimeout as error:
        raise NoAnswer(Failure.NO_ANSWER) from error
    except UpstreamUnavailable as error:
        raise NoAnswer(Failure.UNREACHABLE) from error
    if response.is_server_error or response.status_code in _NOT_NOW:
        raise NoAnswer(Failure.OUT_OF_ORDER)
    return response


def _outcome(query: Query, response: Response) -> Outcome:
    try:
        match response.status_code:
            case HTTPStatus.OK:
                answer = SourceAnswer.model_validate_json(response.content)
                return Answered(answer, sm3.digest(response.content).hex())
            case HTTPStatus.ACCEPTED:
                promise = _Promise.model_validate_json(response.content)
            case _:
                return Refused(Failure.REFUSED)
    except ValidationError:
        return Refused(Failure.UNREADABLE)
    # Nowhere else than where this query stands: an answer must not lead us to another address.
    if promise.location != f"{_path(query.source)}/{query.request_id}":
        return Refused(Failure.UNREADABLE)
    return Promised(promise.location, min(max(promise.retry_after, SHORTEST_WAIT), LONGEST_WAIT))


def _path(source: str) -> str:
    return f"/v1/sources/{source}/queries"
