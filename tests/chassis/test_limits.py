"""What a process takes on at once, and what one caller may ask of it."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from chassis import limits
from chassis.limits import MAX_BODY_BYTES, Admission, BodyLimit, Rates, TooManyRequests

OPEN = [(b"transfer-encoding", b"chunked")]


class TestRates:
    def test_a_burst_and_then_so_many_a_second(self) -> None:
        now = 0.0
        rates = Rates(2, burst=3, now=lambda: now)
        for _ in range(3):
            rates.take("window")
        with pytest.raises(TooManyRequests) as refused:
            rates.take("window")
        assert refused.value.headers == {"Retry-After": "1"}
        now = 0.5
        rates.take("window")
        with pytest.raises(TooManyRequests):
            rates.take("window")

    def test_each_caller_for_itself(self) -> None:
        rates = Rates(1, burst=1, now=lambda: 0.0)
        rates.take("one")
        rates.take("other")
        with pytest.raises(TooManyRequests):
            rates.take("one")

    def test_who_rests_gets_no_more_than_a_burst(self) -> None:
        now = 0.0
        rates = Rates(1, burst=2, now=lambda: now)
        rates.take("window")
        now = 1_000.0
        rates.take("window")
        rates.take("window")
        with pytest.raises(TooManyRequests):
            rates.take("window")

    def test_how_long_to_wait_is_told_in_whole_seconds(self) -> None:
        rates = Rates(1 / 60, burst=1, now=lambda: 0.0)
        rates.take("window")
        with pytest.raises(TooManyRequests) as refused:
            rates.take("window")
        assert refused.value.headers["Retry-After"] == "60"

    def test_zero_is_no_limit(self) -> None:
        rates = Rates(0, burst=1, now=lambda: 0.0)
        for _ in range(1_000):
            rates.take("window")

    def test_only_the_latest_are_remembered(self) -> None:
        rates = Rates(1, burst=1, kept=10, now=lambda: 0.0)
        for number in range(1_000):
            rates.take(str(number))
        assert len(rates._left) == 10  # noqa: SLF001 - the memory that is meant


class Caller:
    """One request to an ASGI app; its body comes as `parts`, None is a pause for ever."""

    def __init__(
        self, parts: Iterable[bytes | None] = (), headers: Any = (), path: str = "/x"
    ) -> None:
        self.parts = list(parts)
        self.scope: Scope = {
            "type": "http",
            "path": path,
            "method": "POST",
            "headers": list(headers),
        }
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if not self.parts:
            return {"type": "http.disconnect"}
        part = self.parts.pop(0)
        if part is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def ask(self, app: Any) -> int:
        await app(self.scope, self.receive, self.send)
        status: int = self.sent[0]["status"]
        return status

    @property
    def header(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}


class Eater:
    """An app that reads its body and answers 200 when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.let.set()
        self.bodies: list[bytes] = []
        self.end = asyncio.Event()
        self.end.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", bool(scope["headers"])
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        await self.let.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()
        await send({"type": "http.response.body", "body": b""})


class TestBodies:
    async def test_one_arrives_whole_in_one_part(self) -> None:
        eater = Eater()
        assert await Caller([b"a", b"", b"b"], OPEN).ask(BodyLimit(eater)) == 200
        assert eater.bodies == [b"ab"]

    @pytest.mark.parametrize("headers", [[(b"content-length", b"2097153")], OPEN])
    async def test_one_that_is_too_large_reaches_nobody(self, headers: Any) -> None:
        eater = Eater()
        caller = Caller([b"a" * MAX_BODY_BYTES, b"a", b""], headers)
        assert await caller.ask(BodyLimit(eater)) == 413
        assert eater.bodies == []

    async def test_one_that_does_not_come_is_told_408(self) -> None:
        eater = Eater()
        assert await Caller([b"a", None], OPEN).ask(BodyLimit(eater, 0.05)) == 408
        assert eater.bodies == []

    async def test_whoever_goes_away_is_no_failure(self) -> None:
        caller = Caller([], OPEN)
        assert await caller.ask(BodyLimit(Eater())) == 499

    async def test_of_too_many_bytes_at_once_the_oldest_is_let_go(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "RECEIVED_AT_ONCE_BYTES", 1_000)
        app = BodyLimit(Eater())
        slow = asyncio.create_task(Caller([b"a" * 600, None], OPEN).ask(app))
        await asyncio.sleep(0)
        assert await Caller([b"b" * 600, b"b"], OPEN).ask(app) == 200
        assert await slow == 408


class TestAdmission:
    async def test_who_comes_when_all_places_are_taken_is_told_503_at_once(self) -> None:
        eater = Eater()
        eater.let.clear()
        app = Admission(eater, most=2)
        within = [asyncio.create_task(Caller().ask(app)) for _ in range(2)]
        await asyncio.sleep(0)
        late = Caller()
        assert await late.ask(app) == 503
        assert late.header["retry-after"] == "1"
        eater.let.set()
        assert await asyncio.gather(*within) == [200, 200]
        assert await Caller().ask(app) == 200

    async def test_a_place_is_free_when_the_answer_begins(self) -> None:
        """Whoever reads slowly keeps nobody out."""
        eater = Eater()
        eater.end.clear()
        app = Admission(eater, most=1)
        reading = asyncio.create_task(Caller().ask(app))
        await asyncio.sleep(0)
        eater.end.set()
        assert await Caller().ask(app) == 200
        assert await reading == 200

    async def test_a_failure_gives_its_place_back(self) -> None:
        async def broken(*_: object) -> None:
            raise ValueError("broken")

        app = Admission(broken, most=1)
        for _ in range(3):
            with pytest.raises(ValueError, match="broken"):
                await Caller().ask(app)

    async def test_a_full_process_still_says_that_it_lives(self) -> None:
        eater = Eater()
        eater.let.clear()
        app = Admission(eater, most=1)
        within = asyncio.create_task(Caller().ask(app))
        await asyncio.sleep(0)
        health = asyncio.create_task(Caller(path="/-/health").ask(app))
        await asyncio.sleep(0)
        eater.let.set()
        assert await health == await within == 200

    async def test_operations_have_a_bound_of_their_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "OPERATIONS_AT_ONCE", 1)
        eater = Eater()
        eater.let.clear()
        app = Admission(eater, most=5)
        first = asyncio.create_task(Caller(path="/-/ready").ask(app))
        await asyncio.sleep(0)
        assert await Caller(path="/-/ready").ask(app) == 503
        eater.let.set()
        assert await first == 200
