"""Every parser that takes bytes from outside: its own refusals, and never anything else.

| from outside | parsers |
|---|---|
| whoever calls | bodies, queries, path, If-Match, traceparent, lengths, cursors, ID numbers |
| with a token or for one | JWT and its claims, the request for a token with its credentials |
| with a file | the two workbooks |
| other systems | events on the topics, the issuer's keys, departments' answers |
| a browser | the console's filters |

Request lines, header fields and chunks are read by httptools, in C: test_attacks_door.py.
"""

import base64
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import Discriminator, TypeAdapter, ValidationError

from chassis import limits
from chassis.access import PublicKeys, TokenRejected, TokenVerifier
from chassis.bus import Record
from chassis.conditional import require_version
from chassis.consumption import UnreadableError, read_event
from chassis.fields import BirthDay, Day, DivisionCode, Document, PlainDecimal
from chassis.identity import (
    DocumentKind,
    InvalidNumber,
    check_resident_id,
    check_uscc,
    document_number,
    mask_name,
    mask_number,
)
from chassis.paging import decode_cursor, encode_cursor
from chassis.problems import Problem, from_validation, problem_response
from chassis.signing import SigningKey
from chassis.spreadsheet import Form, Sheet, read, write
from chassis.telemetry import masked, next_span
from contracts.topics import TOPICS
from services.console.filters import FACILITIES, PLAN, Filters
from services.eldercare.facilities import workbook as facilities
from services.eldercare.facilities.schemas import FacilityChange, FacilityRegister
from services.gateway.clients.schemas import ClientNew
from services.gateway.proxy import rules as door
from services.gateway.tokens import rules as tokens
from services.indicator.figures import importing as figures
from services.indicator.figures.schemas import FigureReport
from services.relief.applications.schemas import ApplicationIn, Finding, Survey
from services.relief.awards.schemas import ChangeIn, ListQuery
from services.relief.checks import departments
from services.relief.entitlement.schemas import CalculatorIn
from services.relief.households.schemas import AnyFact, FactCorrection
from tests.services.relief.applications import window as counter
from tests.support.fuzzing import fuzzed

OFTEN, LONG = 400, 60_000
EVENTS = Path(__file__).parents[2] / "contracts/events/examples"
DAY = date(2026, 3, 1)


@dataclass(frozen=True)
class Target:
    """A parser, what it may refuse with, and inputs that it takes; a hundredth of slow ones."""

    parse: Callable[[bytes], Any]
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[Exception], ...] = ()
    share: float = 1


def finished(asked: Coroutine[Any, Any, Any]) -> Any:
    """The result of something that never waits."""
    try:
        asked.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waits")


# --- events, tokens, keys ------------------------------------------------------------------------


def event(content: bytes) -> None:
    for topic in TOPICS:
        try:
            read_event(Record(topic.name, 0, 0, "key", content, (), 0))
        except UnreadableError:
            continue


def events() -> list[bytes]:
    return [file.read_bytes() for file in sorted(EVENTS.glob("*/*.json"))]


@cache
def signing() -> tuple[SigningKey, TokenVerifier]:
    with tempfile.TemporaryDirectory() as folder:
        key = SigningKey.load_or_create(Path(folder))
    return key, TokenVerifier(PublicKeys(key.public_jwks()), "minzheng", "minzheng")


CLAIMS = {
    "iss": "minzheng",
    "aud": "minzheng",
    "sub": "clerk-1",
    "org": "渝北区民政局",
    "divisions": ["500112000000"],
    "scope": "relief:read",
}


def token(content: bytes) -> None:
    finished(signing()[1].verify(content.decode("latin-1")))


def a_token() -> list[bytes]:
    whole = signing()[0].issue(CLAIMS, timedelta(hours=1)).encode()
    head, body, signature = whole.split(b".")
    return [whole, head + b"..", b"e30.e30.e30", body + b"." + head + b"." + signature]


def claims(content: bytes) -> None:
    """As they are read of a token that is genuine."""
    signing()[1]._principal(content)  # noqa: SLF001 - behind a signature no change gets there


def some_claims() -> list[bytes]:
    told = CLAIMS | {"iat": 1_700_000_000, "nbf": 1_700_000_000, "exp": 4_000_000_000}
    return [json.dumps(told).encode(), b'{"aud": ["a", 1], "exp": 1e400}']


def head_of_a_token(content: bytes) -> None:
    """Any header on a token whose other parts are well-formed."""
    encoded = base64.urlsafe_b64encode(content).rstrip(b"=")
    token(
        encoded + b"." + signing()[0].issue(CLAIMS, timedelta(hours=1)).encode().split(b".", 1)[1]
    )


def heads() -> list[bytes]:
    kid = signing()[0].public_jwks()["keys"][0]["kid"]
    told: dict[str, Any] = {"alg": "ES256", "kid": kid, "typ": "JWT"}
    more: dict[str, Any] = {"b64": False, "crit": ["b64"], "jku": "http://x", "jwk": {}, "x5c": []}
    return [json.dumps(one).encode() for one in (told, told | more, told | {"alg": "none"})]


def keys(content: bytes) -> None:
    """As `Jwks` fetches them, with what it takes as an answer that is none."""
    PublicKeys(json.loads(content))


def some_keys() -> list[bytes]:
    public = signing()[0].public_jwks()
    rsa = {"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"}
    okp = {"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": "AQAB", "alg": "EdDSA"}
    whole = {"keys": [*public["keys"], rsa, okp, {"kty": "oct", "k": "AQAB"}]}
    return [json.dumps(one).encode() for one in (public, whole, {"keys": [rsa]})]


# --- what comes with a request -------------------------------------------------------------------


def cursor(content: bytes) -> None:
    for kinds in ((str,), (str, int), (int, str, str)):
        decode_cursor(content.decode("latin-1"), kinds)


def version(content: bytes) -> None:
    require_version(content.decode("latin-1"), 3)


TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def trace(content: bytes) -> None:
    assert TRACEPARENT.fullmatch(next_span(content.decode("latin-1")))


def path(content: bytes) -> None:
    raw, _, query = content.partition(b"?")
    told = door.target(raw, "relief", query)
    assert told.startswith(b"/v1/relief")
    assert not re.search(rb"[\x00-\x20\x7f-\xff]|/\.\.?(/|\?|$)", told.partition(b"?")[0])


def headers(content: bytes) -> None:
    pairs = [tuple(line.partition(b":")[::2]) for line in content.split(b"\n")]
    given = [(name.lower(), value) for name, value in pairs]
    length = limits._declared(given)  # noqa: SLF001 - read before there is an app
    assert length is None or length >= 0
    door.bearer(given)
    door.request_id(content.decode("latin-1"))
    door.downwards(given, "http://127.0.0.1:8000")
    door.upwards(given)


def token_request(content: bytes) -> None:
    authorization, _, body = content.partition(b"\n")
    given = [authorization.decode("latin-1")] if authorization else []
    tokens.read(query=b"", content_types=[tokens.FORM], authorizations=given, body=body)


def token_requests() -> list[bytes]:
    basic = b"Basic " + base64.b64encode("town-1:秘密%20+:x".encode())
    form = b"grant_type=client_credentials&scope=relief:read"
    return [basic + b"\n" + form, b"\n" + form + b"&client_id=a&client_secret=b"]


def words(content: bytes) -> None:
    """ID numbers, codes, days, amounts: of each only the one refusal of its kind."""
    text = content.decode("utf-8", "replace")
    for checked in (
        lambda: check_resident_id(text, today=DAY),
        lambda: check_uscc(text),
        *(lambda kind=kind: document_number(kind, text) for kind in DocumentKind),
    ):
        try:
            checked()
        except InvalidNumber:
            continue
    for adapter in FIELDS:
        try:
            adapter.validate_python(text)
        except ValidationError:
            continue
    mask_name(text)
    mask_number(text)
    masked(text)


FIELDS = [TypeAdapter[Any](kind) for kind in (Day, BirthDay, DivisionCode, PlainDecimal, Document)]


def some_words() -> list[bytes]:
    number = counter.number("1970-05-01", 3)
    texts = (number, number.lower(), f" {number[:6]}-{number[6:14]}-{number[14:]}", "2025-02-28")
    more = ("91500112MA5U3XXK1J", "500112129000", "-1300.05", "渝北民政〔2021〕12号", "E12345678")
    return [one.encode() for one in (*texts, *more, "诸葛·云帆", "13912345678")]


BODIES: dict[str, tuple[TypeAdapter[Any], list[Any]]] = {
    "application": (
        TypeAdapter(ApplicationIn),
        [counter.body(counter.applicant(phone="13800138321"), submit=True)],
    ),
    "survey": (
        TypeAdapter(Survey),
        [
            {
                "visited_on": "2025-03-03",
                "methods": ["household_visit"],
                "surveyors": ["a-1", "a-2"],
                "household_signature": "refused",
                "refusal": "不愿",
                "findings": "属实",
            }
        ],
    ),
    "finding": (
        TypeAdapter(Finding),
        [{"handled_by": "resurvey", "finding": "属实", "upheld": True, "opinion": None}],
    ),
    "fact": (
        TypeAdapter(Annotated[AnyFact, Discriminator("fact")]),
        [
            {
                "fact": "income",
                "member": str(UUID(int=1)),
                "kind": "wage",
                "amount": "1.00",
                "first_month": "2025-02-01",
            },
            {"fact": "address", "valid_from": "2025-02-01", "address": "某路"},
        ],
    ),
    "correction": (TypeAdapter(FactCorrection), [{"reason": "误记", "replacement": None}]),
    "change": (
        TypeAdapter(ChangeIn),
        [{"kind": "stop", "reason": "超标", "fraud": {"since": "2025-01-01", "serious": True}}],
    ),
    "calculator": (
        TypeAdapter(CalculatorIn),
        [{"area": "urban", "members": [{"ref": "a", "relation": "self", "born": "1970-05-01"}]}],
    ),
    "facility": (
        TypeAdapter(FacilityRegister),
        [
            {
                "name": "敬老院",
                "kind": "rural_home",
                "division": "500112142000",
                "address": "中心街 2 号",
                "operator": {"name": "镇政府", "kind": "government"},
                "beds": {"total": 9, "nursing": 3, "in_use": 9},
                "functions": ["day_care"],
                "opened_on": "2021-01-01",
                "document": "文",
            }
        ],
    ),
    "facility change": (
        TypeAdapter(FacilityChange),
        [{"change": "name", "valid_from": "2021-03-01", "document": "文", "name": "院"}],
    ),
    "figure": (
        TypeAdapter(FigureReport),
        [{"measure": "a.b", "division": "5" * 12, "on": "2020-12-31", "value": "1"}],
    ),
    "client": (
        TypeAdapter(ClientNew),
        [{"client_id": "a-b-c", "name": "a", "organisation": "b", "scopes": ["a:b"]}],
    ),
}


def body_of(kind: str) -> Callable[[bytes], None]:
    adapter = BODIES[kind][0]

    def parse(content: bytes) -> None:
        """As the framework does it: JSON, the model, and a problem of what is wrong."""
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return
        validated(adapter, value)

    return parse


def validated(adapter: TypeAdapter[Any], value: Any) -> None:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        told = problem_response(from_validation(RequestValidationError(error.errors())))
        assert told.status_code in {400, 422}
        assert len(bytes(told.body)) < 20_000


LISTED = TypeAdapter(ListQuery)


def query(content: bytes) -> None:
    pairs = dict(parse_qsl(content.decode("latin-1"), keep_blank_values=True))
    validated(LISTED, pairs)
    for names in (PLAN, FACILITIES):
        Filters.read(pairs, names).url("/")


# --- files and other systems ---------------------------------------------------------------------

PARTS = ("xl/worksheets/sheet2.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml")


def workbook_of(read: Callable[[bytes], Any], made: Callable[[], bytes]) -> Target:
    """The bytes of the file, or of one of its parts put into a whole file again."""

    def parse(content: bytes) -> None:
        kind, content = content[:1], content[1:]
        place = b"0123".find(kind)
        read(with_part(made(), PARTS[place], content) if kind and place >= 0 else content)

    def seeds() -> list[bytes]:
        with zipfile.ZipFile(BytesIO(made())) as file:
            names = file.namelist()
            parts = [
                str(number).encode() + file.read(name)
                for number, name in enumerate(PARTS)
                if name in names
            ]
        return [*parts, b"-" + made()]

    return Target(parse, seeds, (Problem,), share=0.05)


def with_part(whole: bytes, part: str, content: bytes) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(whole)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
        new.writestr(part, content)
    return made.getvalue()


CELLS = ["甲", "500112142000", "2025-01-01", 9, 1.5, "敬老院", "是", "=1+1"]
"""What a user fills in; none of it need fit."""


@cache
def facilities_filled() -> bytes:
    return filled(facilities.FORMS.values())


@cache
def figures_filled() -> bytes:
    return filled([figures.FORM])


def filled(forms: Iterable[Form]) -> bytes:
    return write(
        Sheet(
            form.title, form.headings, [(CELLS * 9)[at : at + len(form.columns)] for at in (0, 3)]
        )
        for form in forms
    )


def read_figures(content: bytes) -> None:
    found = read(content, [figures.FORM], most_rows=figures.MOST_ROWS, verb="填报")
    for line in found[figures.FORM.title]:
        figures.FORM.body(line)


def answer(content: bytes) -> None:
    status, _, body = content.partition(b"\n")
    given = int(status) if status.isdigit() and len(status) == 3 and status >= b"200" else 200
    told = departments._outcome(QUERY, httpx.Response(given, content=body))  # type: ignore[arg-type]  # noqa: SLF001 - what is answered, without a server
    assert isinstance(told, departments.Answered | departments.Promised | departments.Refused)


QUERY = departments.Query(
    UUID(int=1), "bank", "resident_id", "1", "核对", "依据", "授权书", "clerk", "1", DAY
)


def answers() -> list[bytes]:
    location = f"/v1/sources/bank/queries/{QUERY.request_id}"
    items = [{"kind": "deposit", "amount": "1.00", "months": 1, "on": "2025-01-01"}]
    found = {"status": "found", "data_day": "2025-01-01", "items": items}
    promise = {"location": location, "retry_after": 3}
    return [
        b"200\n" + json.dumps(found).encode(),
        b"202\n" + json.dumps(promise).encode(),
        b"404\n",
    ]


TARGETS: dict[str, Target] = {
    "event": Target(event, events, share=0.2),
    "token": Target(token, a_token, (TokenRejected,)),
    "token's head": Target(head_of_a_token, heads, (TokenRejected,), share=0.2),
    "token's claims": Target(claims, some_claims, (TokenRejected,)),
    "keys": Target(keys, some_keys, (ValueError, RecursionError)),
    "cursor": Target(cursor, lambda: [encode_cursor("a", 1).encode(), b"W10"], (Problem,)),
    "version": Target(version, lambda: [b'"3"', b'W/"3"', b"*"], (Problem,)),
    "traceparent": Target(trace, lambda: [b"00-" + b"ab" * 16 + b"-" + b"cd" * 8 + b"-01"]),
    "path": Target(
        path, lambda: [b"/v1/relief/a%20b/c?q=1&d=%E6%B0%91", b"/v1/relief"], (door.Refused,)
    ),
    "headers": Target(
        headers,
        lambda: [b"Authorization:Bearer x\nContent-Length:12\nLocation:http://127.0.0.1:8000/x"],
        (door.Refused,),
    ),
    "token request": Target(token_request, token_requests, (tokens.TokenRefused,)),
    "words": Target(words, some_words, share=0.3),
    "query": Target(query, lambda: [b"as_of=2025-01-01&q=a&limit=5&state=paid&cursor=W10"]),
    "answer of a department": Target(answer, answers),
    "workbook of facilities": workbook_of(facilities.read_history, facilities_filled),
    "workbook of figures": workbook_of(read_figures, figures_filled),
    **{
        f"body of {kind}": Target(
            body_of(kind), lambda kind=kind: [json.dumps(one).encode() for one in BODIES[kind][1]]
        )
        for kind in BODIES
    },
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_refuses_as_it_says_and_never_otherwise(name: str) -> None:
    target = TARGETS[name]
    times = max(20, int(OFTEN * target.share))
    assert fuzzed(target.parse, target.seeds(), target.refusals, times=times) == {}


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_refuses_as_it_says_whatever_comes(name: str) -> None:
    target = TARGETS[name]
    times = int(LONG * target.share)
    assert fuzzed(target.parse, target.seeds(), target.refusals, times=times) == {}


def test_the_fuzzer_finds_what_lies_behind_two_conditions() -> None:
    """Guided by what it covers: by chance alone it would not come there."""

    def parse(content: bytes) -> None:
        door.request_id(content.decode("latin-1"))
        if content[:1] == b"[" and b"null" in content:
            raise LookupError("found")

    assert list(fuzzed(parse, [b"{}", b"[1]"], (), times=2_000)) == ["LookupError: found"]
