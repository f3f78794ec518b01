"""`gateway`: a read through the door, beside the same read asked of the service itself.

A light one, the list of standards: the lighter the service, the more the door shows.
"""

import itertools

from bench.load import Connection, fire, request
from bench.rounds import Bar, Row, Side, alternate, beside
from bench.stage import DISTRICT, Stage

CONNECTIONS = 16
STANDARDS = 10
TARGET = "/v1/relief/standards"


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    seconds = 0.5 if quick else 4.0
    for name in ("relief", "gateway"):
        await stage.database(name)
    with stage.serving("relief") as direct, stage.serving("gateway") as door:
        await _set_standards(direct, stage.bearer("relief:standards"))
        asked = request("GET", TARGET, stage.bearer("relief:read"))

        def side(name: str, port: int) -> Side:
            async def play(_: int) -> float:
                fired = await fire(
                    port,
                    itertools.repeat(asked),
                    connections=CONNECTIONS,
                    seconds=seconds,
                    expected=200,
                )
                return fired.rate

            return Side(name, play)

        found = await alternate([side("minzheng", door), side("direct", direct)], rounds)
    what = f"GET {TARGET}, {CONNECTIONS} connections"
    return [beside("gateway", what, "/s", found, "minzheng", "direct", Bar(least=0.6))]


async def _set_standards(port: int, headers: dict[str, str]) -> None:
    connection = await Connection.open(port)
    for year in range(STANDARDS):
        body = {
            "code": "dibao",
            "area": "urban",
            "division": DISTRICT,
            "amount": f"{500 + 20 * year}.00",
            "valid_from": f"{2015 + year}-07-01",
            "document": f"渝民发〔{2015 + year}〕1号",
        }
        await connection.ask(request("POST", TARGET, headers, body), 201)
    connection.close()
