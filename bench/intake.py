"""`intake`: POST an application, everything on, beside what carries none or some of it.

All take the same bodies over the same connections, with as many connections to the database. The
house checks a token and the persons' numbers, seals names, numbers and phones, keeps the household,
its facts and claims, the case and its steps, the audit, two events and the answer to the key.
"""

import itertools
from collections.abc import Iterator

from bench.load import fire, request
from bench.payload import application
from bench.rounds import Bar, Row, Side, alternate, beside
from bench.stage import PEERS, Stage

URL = "/v1/relief/applications"
CONNECTIONS = 16
OURS, BARE, CRUD, GUARDED = "minzheng", "FastAPI + asyncpg", "FastAPI + ORM", "ORM + outbox + key"
BARS = {BARE: Bar(least=0.4), CRUD: Bar(least=0.7), GUARDED: Bar(least=1.0)}

_numbers = itertools.count(1)


def requests(headers: dict[str, str]) -> Iterator[bytes]:
    """No family and no key comes twice."""
    for which in _numbers:
        keyed = headers | {"Idempotency-Key": f"bench-{which:012}"}
        yield request("POST", URL, keyed, application(which))


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    seconds = 0.5 if quick else 4.0
    await stage.database("relief")
    await stage.database(PEERS)
    headers = stage.bearer("relief:accept", "relief:files")
    with (
        stage.serving("relief") as ours,
        stage.peer("bare") as bare,
        stage.peer("crud") as crud,
        stage.peer("crud", GUARDED="1") as guarded,
    ):
        ports = {OURS: ours, BARE: bare, CRUD: crud, GUARDED: guarded}

        def side(name: str, port: int) -> Side:
            async def play(_: int) -> float:
                # Made before the clock starts: the generator must not cost what the server costs.
                made = list(itertools.islice(requests(headers), int(seconds * 3_000) + 100))
                fired = await fire(
                    port, iter(made), connections=CONNECTIONS, seconds=seconds, expected=201
                )
                return fired.rate

            return Side(name, play)

        found = await alternate([side(*one) for one in ports.items()], rounds)
    what = f"POST an application, {CONNECTIONS} connections"
    return [beside("intake", what, "/s", found, OURS, peer, bar) for peer, bar in BARS.items()]
