"""`query`: the 18 indicators over HTTP at a growing ledger, beside the same SQL by hand.

The ledger of a district: its facilities, social workers, figures and awards stay as many, their
history grows over six years. Of 100 entries 5 are of facilities, 5 of social workers, 2 of figures
and 88 of awards, which stand beside the plan. `dense` is no district: every entry is one that the
indicators read.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from bench.load import fire, request
from bench.rounds import Bar, Row, Side, Spread, alternate, beside
from bench.stage import PEERS, Stage
from contracts.places import scopes
from services.indicator.plans.loader import load_plan

SIZES = (10_000, 100_000, 1_000_000)
QUICK = (1_000, 2_000)
CONNECTIONS = 4
OURS, HAND = "minzheng", "SQL by hand"
EMPTY = (
    "TRUNCATE projection.entry, projection.movement, projection.year_movement,"
    " projection.register_mark"
)
FILL = """
INSERT INTO projection.entry (topic, subject, measure, key, unit_id, effective, event_id,
  event_type, recorded_at, amount)
SELECT 'minzheng.bench', md5((n % {subjects})::text)::uuid, measures[1 + n % {measures}],
  CASE WHEN {persons} THEN md5((n % {subjects})::text)::uuid::text ELSE '' END,
  units[1 + n % {subjects} % {units}], date '2020-01-01' + (n::bigint * 7919 % 2400)::int,
  gen_random_uuid(), 'minzheng.bench.changed.v1', now(), CASE WHEN {persons} THEN 1 ELSE 2 END
FROM generate_series(1, {count}) AS n, (SELECT $1::text[] AS measures, $2::bigint[] AS units) AS a
"""
SUMS = """
INSERT INTO projection.movement (measure, day, key, unit_id, amount)
SELECT measure, effective, key, unit_id, sum(amount) FROM projection.entry GROUP BY 1, 2, 3, 4;
INSERT INTO projection.year_movement (measure, year, key, unit_id, amount)
SELECT measure, extract(year FROM effective)::int, key, unit_id, sum(amount)
FROM projection.entry GROUP BY 1, 2, 3, 4;
INSERT INTO projection.register_mark (marker, effective, recorded_on, amount)
SELECT topic || '#known', date '2020-01-01', date '2020-01-01', 1
FROM unnest(ARRAY['minzheng.eldercare.facility', 'minzheng.community.social_worker',
  'minzheng.relief.award']) AS topic;
"""


@dataclass(frozen=True)
class Part:
    """Entries of some measures: their share of the ledger and how many subjects have them."""

    measures: tuple[str, ...]
    share: float
    subjects: int
    persons: bool = False


Mix: TypeAlias = Callable[[tuple[str, ...]], list[Part]]

FACILITIES = (
    *("eldercare.beds", "eldercare.institution.count", "eldercare.institution.beds"),
    *("eldercare.institution.nursing_beds", "eldercare.institution.government_beds"),
    *("eldercare.institution.passed", "eldercare.comprehensive"),
)
WORKERS = ("community.social_workers", "community.social_workers.certified")
AWARDS = ("relief.award.households", "relief.award.persons", "relief.award.amount")


def district(figures: tuple[str, ...]) -> list[Part]:
    return [
        Part(FACILITIES, 0.05, 400),
        Part(WORKERS, 0.05, 2_000, persons=True),
        Part(figures, 0.02, 100),
        Part(AWARDS, 0.88, 12_000),
    ]


def dense(figures: tuple[str, ...]) -> list[Part]:
    return [
        Part(FACILITIES, 0.6, 400),
        Part(WORKERS, 0.3, 2_000, persons=True),
        Part(figures, 0.1, 100),
    ]


async def run(stage: Stage, *, rounds: int, quick: bool) -> list[Row]:
    seconds = 0.3 if quick else 2.0
    await stage.database("indicator")
    await stage.database(PEERS)
    asked = request("GET", "/v1/plan/indicators", stage.bearer("plan:read"))
    rows: list[Row] = []
    sizes = QUICK if quick else SIZES
    with (
        stage.serving("indicator") as ours,
        stage.peer("by_hand", LEDGER_URL=stage.admin_url("indicator")) as by_hand,
    ):
        ports = {OURS: ours, HAND: by_hand}

        def side(name: str) -> Side:
            async def play(_: int) -> float:
                fired = await fire(
                    ports[name],
                    itertools.repeat(asked),
                    connections=CONNECTIONS,
                    seconds=seconds,
                    expected=200,
                )
                return fired.rate

            return Side(name, play)

        first: Spread | None = None
        for mix in (district, dense):
            for size in sizes if mix is district else sizes[-1:]:
                await _fill(stage, mix, size)
                found = await alternate([side(OURS), side(HAND)], rounds)
                what = f"18 indicators, {size:,} entries ({mix.__name__})"
                bar = Bar(least=0.8) if mix is district else Bar()
                row = beside("query", what, "/s", found, OURS, HAND, bar)
                rows.append(row)
                if first is None:
                    first = row.ours
                elif mix is district:
                    rows.append(_itself(row, first, sizes[0]))
    return rows


def _itself(row: Row, first: Spread, size: int) -> Row:
    """How many times as long as with the smallest ledger."""
    figure = first.median / row.ours.median
    ratio = Spread(figure, first.least / row.ours.most, first.most / row.ours.least)
    bar = Bar(most=1.5)
    return Row("query", f"{row.what}, time", "/s", row.ours, f"at {size:,}", first, ratio, bar)


async def _fill(stage: Stage, mix: Mix, size: int) -> None:
    plan = load_plan()
    units = sorted(next(one for one in scopes() if one.code == plan.scope).periods[-1].units)
    reported = [one for one in plan.measures.values() if one.topic is None]
    figures = tuple(code for one in reported for code in (one.code, one.marker))
    admin = await asyncpg.connect(stage.admin_url("indicator"), command_timeout=300)
    try:
        await admin.execute(EMPTY)
        for part in mix(figures):
            await admin.execute(
                FILL.format(
                    subjects=part.subjects,
                    measures=len(part.measures),
                    units=len(units),
                    persons=str(part.persons),
                    count=int(size * part.share),
                ),
                list(part.measures),
                units,
            )
        await admin.execute(SUMS)
        await admin.execute("VACUUM ANALYZE")
    finally:
        await admin.close()
