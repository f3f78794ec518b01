"""What the other departments answer: by a script, else by the hash of the document's number."""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from chassis import sm3

KEPT_ANSWERS = 50_000
HAVE_MONEY = 153
"""Of 256 persons: who has something in the bank."""
HELD_SECONDS = 60.0
"""How long a source that times out keeps the caller waiting, where the script does not say."""
LATE_SECONDS = 5.0
ANY = "*"

Kept = TypeVar("Kept")


class Behaviour(StrEnum):
    ANSWER = "answer"  # 查得
    NONE = "none"  # 查无
    REFUSE = "refuse"  # 拒绝查询
    FAIL = "fail"  # 故障
    TIMEOUT = "timeout"  # 不应答
    LATE = "late"  # 稍后应答


class Item(BaseModel):
    """One thing that a source knows of a person; `amount` in yuan, `area` in m²."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(min_length=1, max_length=40)
    amount: Decimal | None = None
    area: Decimal | None = None
    months: int | None = None
    on: date | None = None
    note: str = Field(default="", max_length=200)


class Scripted(BaseModel):
    """How a source (`*`: all) behaves for a number (`*`: everybody)."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1, max_length=40)
    number: str = Field(min_length=1, max_length=40)
    behaviour: Behaviour
    items: list[Item] = Field(default_factory=list, max_length=100)
    after_seconds: float | None = Field(default=None, ge=0, le=31_536_000)
    data_day: date | None = None


class Answer(BaseModel):
    """`found` with what was found, or `none`; as the source knew it on `data_day`."""

    status: str
    data_day: date
    items: list[Item] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Promise:
    """The answer comes in so many seconds."""

    retry_after: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A query under way: whose it is, for which day it was asked, and when it came."""

    person: bytes
    as_of: date
    came: float


@dataclass(slots=True)
class Departments:
    """Everything that is kept, in memory alone: scripts and queries, by digests of the numbers.

    Whoever asks again under the same request gets the answer that was given first.
    """

    scripts: dict[tuple[str, bytes | None], Scripted] = field(default_factory=dict)
    _waiting: OrderedDict[tuple[str, str], _Waiting] = field(default_factory=OrderedDict)
    _given: OrderedDict[tuple[str, str], Answer] = field(default_factory=OrderedDict)

    def script(self, scripted: Scripted) -> None:
        """Have a source behave so from now on; the number itself is not kept."""
        person = None if scripted.number == ANY else _digest(scripted.number)
        key = (scripted.source, person)
        self.scripts[key] = scripted.model_copy(update={"number": ANY})

    def forget(self) -> None:
        """Be as at the start."""
        self.scripts.clear()
        self._waiting.clear()
        self._given.clear()

    def behaviour(self, source: str, number: str) -> Scripted:
        """How the source behaves for a number."""
        return self._behaviour(source, _digest(number))

    def behaviour_to(self, source: str, request_id: str) -> Scripted | None:
        """How it behaves for the one whom a waiting query is about; None where none waits."""
        waiting = self._waiting.get((source, request_id))
        return None if waiting is None else self._behaviour(source, waiting.person)

    def ask(self, source: str, request_id: str, number: str, as_of: date) -> Answer | Promise:
        """Take a query in; a query that is known is asked on."""
        key = (source, request_id)
        if key not in self._given and key not in self._waiting:
            _keep(self._waiting, key, _Waiting(_digest(number), as_of, time.monotonic()))
        told = self.ask_again(source, request_id)
        if told is None:
            raise LookupError("a query that was taken in is gone")
        return told

    def ask_again(self, source: str, request_id: str) -> Answer | Promise | None:
        """The answer to a query, when it is there; None where no such query is known."""
        key = (source, request_id)
        if key in self._given:
            return self._given[key]
        waiting = self._waiting.get(key)
        if waiting is None:
            return None
        scripted = self._behaviour(source, waiting.person)
        if scripted.behaviour is Behaviour.LATE:
            told = LATE_SECONDS if scripted.after_seconds is None else scripted.after_seconds
            left = waiting.came + told - time.monotonic()
            if left > 0:
                return Promise(max(math.ceil(left), 1))
        del self._waiting[key]
        answer = _answer(scripted, waiting.as_of)
        _keep(self._given, key, answer)
        return answer

    def _behaviour(self, source: str, person: bytes) -> Scripted:
        for key in ((source, person), (ANY, person), (source, None), (ANY, None)):
            if key in self.scripts:
                return self.scripts[key]
        return by_hash(source, person)


def by_hash(source: str, person: bytes) -> Scripted:
    """What a source answers by itself: always the same for the same person.

    The register knows everybody, three in five have a little in the bank. What would turn or
    delay a decision is not made up: that is scripted.
    """
    drawn = sm3.digest(source.encode() + person)
    items: list[Item] = []
    if source == "household_register":
        items.append(Item(kind="registered"))
    elif source == "bank" and drawn[0] < HAVE_MONEY:
        items.append(Item(kind="deposit", amount=Decimal(100 + 10 * drawn[1])))
    behaviour = Behaviour.ANSWER if items else Behaviour.NONE
    return Scripted(source=source, number=ANY, behaviour=behaviour, items=items)


def _answer(scripted: Scripted, as_of: date) -> Answer:
    items = [] if scripted.behaviour is Behaviour.NONE else scripted.items
    return Answer(
        status="found" if items else "none", data_day=scripted.data_day or as_of, items=items
    )


def _digest(number: str) -> bytes:
    return sm3.digest(number.strip().upper().encode())


def _keep(kept: OrderedDict[tuple[str, str], Kept], key: tuple[str, str], value: Kept) -> None:
    kept[key] = value
    if len(kept) > KEPT_ANSWERS:
        kept.popitem(last=False)
