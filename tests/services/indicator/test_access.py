"""A town sees nothing of another: issue 3; architecture.md, Access."""

from collections.abc import AsyncIterator
from io import BytesIO
from uuid import uuid4

import pytest
import pytest_asyncio
from openpyxl import load_workbook
from sqlalchemy import select

from chassis.paging import encode_cursor
from services.indicator.app import SERVICE
from services.indicator.figures.models import FigureRow, FigureSeriesRow
from services.indicator.ledger.models import LedgerEntry, Movement, YearMovement
from suite.postgres import Postgres
from tests.services.indicator.house import (
    COMPREHENSIVE,
    LONGXING,
    YUFENGSHAN,
    YUFENGSHAN_VILLAGE,
    House,
    award,
    award_period,
    facility,
    period,
    worker,
)
from tests.support.services import DISTRICT, running_service

OWN = {"divisions": (str(YUFENGSHAN),)}
AS_OF = {"as_of": "2020-12-31"}
OWN_FACILITY = facility(period("2020-01-01", YUFENGSHAN_VILLAGE, functions=COMPREHENSIVE))
FOREIGN_FACILITY = facility(period("2020-01-01", LONGXING, beds=99, beds_in_use=99))
OWN_AWARD = award(award_period("2020-01-01"))


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Two towns with a facility and a person registered in each."""
    folder = tmp_path_factory.mktemp("access")
    async with running_service(postgres, SERVICE, folder) as running:
        house = House(running)
        running.at("2021-01-05")
        await house.tell(
            OWN_FACILITY,
            FOREIGN_FACILITY,
            worker(uuid4(), ("2020-01-01", YUFENGSHAN, True)),
            worker(uuid4(), ("2020-01-01", LONGXING, True)),
            OWN_AWARD,
            award(award_period("2020-01-01", LONGXING, persons=5)),
            at="2020-01-02",
        )
        await house.report("welfare.lottery.outlets", "2020-12-31", "411")
        await house.settle()
        yield house


async def test_without_a_division_a_town_gets_its_own_figures(house: House) -> None:
    answer = (await house.get("/v1/plan/indicators", AS_OF, **OWN)).json()
    assert (answer["division"], answer["scope"]) == (str(YUFENGSHAN), str(YUFENGSHAN))
    board = {one["code"]: one for one in answer["items"]}
    assert board["eldercare_beds"]["value"] == "40"
    assert board["social_workers"]["value"] == "1"
    assert board["comprehensive_coverage"]["denominator"] == "1"
    assert board["lottery_outlets"]["value"] is None  # recorded for the district alone


@pytest.mark.parametrize("division", [str(LONGXING), DISTRICT, "500112999000", "500157000000"])
@pytest.mark.parametrize(
    "path",
    [
        "indicators",
        "indicators/eldercare_beds",
        "indicators/eldercare_beds/series",
        "indicators/eldercare_beds/lineage",
        "indicators/export",
        "beside",
        "beside/relief_households/lineage",
        "figures",
    ],
)
async def test_other_units_and_the_districts_live_figures_are_not_found(
    house: House, path: str, division: str
) -> None:
    answer = await house.get(f"/v1/plan/{path}", {"division": division}, **OWN)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_lineage_shows_own_events_alone(house: House) -> None:
    for code in ("eldercare_beds", "nursing_bed_share", "social_workers"):
        items = await house.lineage(code, **AS_OF, **OWN)
        assert items
        assert {one["unit"] for one in items} <= {str(YUFENGSHAN), str(YUFENGSHAN_VILLAGE)}
    subjects = {one["subject"] for one in await house.lineage("eldercare_beds", **AS_OF)}
    assert subjects == {str(OWN_FACILITY.id), str(FOREIGN_FACILITY.id)}


async def test_reading_the_persons_of_a_figure_is_audited(house: House) -> None:
    on = "2020-11-30"
    await house.lineage("eldercare_beds", as_of=on, **OWN)
    await house.lineage("social_workers", as_of=on, **OWN)
    rows = await house.running.rows(
        "SELECT action, subject FROM chassis.audit_entry WHERE subject LIKE '%2020-11-30'"
    )
    assert [tuple(row) for row in rows] == [("indicator.lineage.read", f"social_workers {on}")]


async def test_matrix_and_export_hold_the_own_town_alone(house: House) -> None:
    matrix = (await house.get("/v1/plan/matrix", AS_OF, **OWN)).json()
    assert [row["division"] for row in matrix["rows"]] == [str(YUFENGSHAN)]
    assert matrix["rows"][0]["cells"]["eldercare_beds"]["value"] == "40"
    export = await house.get("/v1/plan/indicators/export", AS_OF, **OWN)
    book = load_workbook(BytesIO(export.content))
    heads, *rows = book["规划指标"].iter_rows(values_only=True)
    shown = {row[1]: dict(zip(heads, row, strict=True)) for row in rows}
    assert shown["养老服务床位"]["数值"] == 40
    # The plan's numbers of 2020 are the district's, and a unit has a name.
    assert {(one["2020年"], one["口径"]) for one in shown.values()} == {("——", "玉峰山镇")}
    assert {row[1] for row in book["说明"].iter_rows(values_only=True)} >= {"玉峰山镇"}


async def test_of_what_stands_beside_a_town_sees_its_own_alone(house: House) -> None:
    beside = (await house.get("/v1/plan/beside", AS_OF, **OWN)).json()
    assert (beside["division"], beside["scope_name"]) == (str(YUFENGSHAN), "玉峰山镇")
    assert (await house.beside(**AS_OF, **OWN))["relief_persons"]["value"] == "3"
    assert (await house.beside(**AS_OF))["relief_persons"]["value"] == "8"
    items = await house.lineage("relief_persons", of="beside", **AS_OF, **OWN)
    assert {(one["subject"], one["unit"]) for one in items} == {
        (str(OWN_AWARD.id), str(YUFENGSHAN_VILLAGE))
    }
    matrix = (await house.get("/v1/plan/beside/matrix", AS_OF, **OWN)).json()
    assert [row["division"] for row in matrix["rows"]] == [str(YUFENGSHAN)]
    both = {"divisions": (str(YUFENGSHAN), str(LONGXING))}
    assert (await house.get("/v1/plan/beside", AS_OF, **both)).status_code == 422


async def test_a_village_sees_itself(house: House) -> None:
    village = {"divisions": (str(YUFENGSHAN_VILLAGE),)}
    assert await house.value("eldercare_beds", **AS_OF, **village) == "40"
    assert await house.value("social_workers", **AS_OF, **village) == "0"
    assert (await house.beside(**AS_OF, **village))["relief_households"]["value"] == "1"
    asked = {**AS_OF, "division": str(YUFENGSHAN)}
    assert (await house.get("/v1/plan/indicators", asked, **village)).status_code == 404


async def test_several_towns_have_to_name_one(house: House) -> None:
    both = {"divisions": (str(YUFENGSHAN), str(LONGXING))}
    assert (await house.get("/v1/plan/indicators", **both)).status_code == 422
    assert await house.value("eldercare_beds", **AS_OF, division=LONGXING, **both) == "99"
    matrix = (await house.get("/v1/plan/matrix", AS_OF, **both)).json()
    assert [row["division"] for row in matrix["rows"]] == [str(YUFENGSHAN), str(LONGXING)]


async def test_a_token_without_a_division_sees_nothing(house: House) -> None:
    none = {"divisions": ()}
    assert (await house.get("/v1/plan/indicators", **none)).status_code == 404
    assert (await house.get("/v1/plan/matrix", AS_OF, **none)).json()["rows"] == []
    assert (await house.get("/v1/plan/beside", **none)).status_code == 404
    assert (await house.get("/v1/plan/beside/matrix", AS_OF, **none)).json()["rows"] == []
    assert (await house.get("/v1/plan/figures", **none)).json()["items"] == []


@pytest.mark.parametrize("table", [LedgerEntry, Movement, YearMovement, FigureRow, FigureSeriesRow])
async def test_a_query_that_forgot_its_filter_sees_nothing_foreign(
    house: House, table: type[LedgerEntry]
) -> None:
    runtime, own = house.running.runtime, {YUFENGSHAN, YUFENGSHAN_VILLAGE}
    everything = await runtime.places.everywhere()
    seen = {}
    for units in (frozenset(own), everything, None):
        async with runtime.database.transaction(actor="test", units=units) as session:
            seen[units] = set(await session.scalars(select(table.unit_id)))
    assert seen[frozenset(own)] == seen[everything] & own != seen[everything]
    assert seen[None] == set()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/plan"),
        ("GET", "/v1/plan/indicators"),
        ("GET", "/v1/plan/indicators/export"),
        ("GET", "/v1/plan/indicators/eldercare_beds"),
        ("GET", "/v1/plan/indicators/eldercare_beds/series"),
        ("GET", "/v1/plan/indicators/eldercare_beds/lineage"),
        ("GET", "/v1/plan/matrix"),
        ("GET", "/v1/plan/beside"),
        ("GET", "/v1/plan/beside/matrix"),
        ("GET", "/v1/plan/beside/relief_households/lineage"),
        ("GET", "/v1/plan/measures"),
        ("GET", "/v1/plan/figures"),
        ("POST", "/v1/plan/figures"),
        ("POST", "/v1/plan/figures/import"),
        ("GET", "/v1/plan/figures/import/template"),
        ("GET", "/v1/plan/editions"),
        ("POST", "/v1/plan/editions"),
        ("GET", "/v1/indicator/dead-letters"),
        ("POST", "/v1/indicator/dead-letters/replay"),
    ],
)
async def test_every_route_wants_a_token_and_its_scope(
    house: House, method: str, path: str
) -> None:
    http, other = house.running.http, house.running.headers("relief:read")
    assert (await http.request(method, path)).status_code == 401
    assert (await http.request(method, path, headers=other)).status_code == 403


async def test_parked_events_are_for_who_operates_the_service(house: House) -> None:
    path = "/v1/indicator/dead-letters"
    reader = house.running.headers("plan:read")
    assert (await house.running.http.get(path, headers=reader)).status_code == 403
    operator = house.running.headers("indicator:operate")
    answer = await house.running.http.get(path, headers=operator)
    assert answer.json() == {"items": [], "count": 0}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("indicators", {"as_of": "2020-02-30"}),
        ("indicators", {"as_of": "0001-01-01"}),
        ("indicators", {"as_of": "9999-12-31"}),
        ("indicators", {"as_of": "1949-09-30"}),
        ("indicators", {"known_on": "1609459200"}),
        ("indicators", {"division": "500112' OR 1=1"}),
        ("indicators", {"unit": "500112129000"}),
        ("indicators/eldercare_beds/series", {"from": "2000-01-01", "step": "month"}),
        (
            "indicators/eldercare_beds/series",
            {"from": "2000-01-01", "to": "2099-12-31", "step": "quarter"},
        ),
        ("indicators/eldercare_beds/lineage", {"cursor": "x"}),
        (
            "indicators/eldercare_beds/lineage",
            {"cursor": encode_cursor("9999-99-99", "a", "b", "c", "d", 1)},
        ),
        ("indicators/eldercare_beds/lineage", {"limit": "0"}),
        ("beside", {"as_of": "2020-02-30"}),
        ("beside", {"area": "urban"}),
        ("beside/matrix", {"division": "500112129000"}),
        ("beside/relief_households/lineage", {"area": "all"}),
        ("beside/relief_households/lineage", {"cursor": "x"}),
        ("editions", {"cursor": "WyJhIl0"}),
        ("editions", {"limit": "0"}),
        ("editions", {"as_of": "2020-12-31"}),
        ("editions/00000000-0000-4000-8000-000000000000", {"as_of": "2020-12-31"}),
        ("editions/00000000-0000-4000-8000-000000000000/export", {"as_of": "2020-12-31"}),
        ("measures", {"division": "500112129000"}),
        ("figures/00000000-0000-4000-8000-000000000000", {"on": "2020-12-31"}),
    ],
)
async def test_hostile_questions_are_refused(
    house: House, path: str, asked: dict[str, object]
) -> None:
    answer = await house.get(f"/v1/plan/{path}", asked)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("day", ["1949-10-01", "2099-12-31"])
@pytest.mark.parametrize(
    "path",
    [
        "indicators",
        "indicators/eldercare_beds",
        "indicators/eldercare_beds/lineage",
        "matrix",
        "beside",
        "beside/relief_amount/lineage",
        "beside/matrix",
    ],
)
async def test_the_first_and_the_last_day_have_no_figures_and_no_error(
    house: House, path: str, day: str
) -> None:
    answer = await house.get(f"/v1/plan/{path}", {"as_of": day, "known_on": day})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("code", ["%00", "..%2f..", "x' OR 1=1", "a" * 5000])
async def test_hostile_paths_are_not_found(house: House, code: str) -> None:
    assert (await house.get(f"/v1/plan/indicators/{code}")).status_code == 404
    assert (await house.get(f"/v1/plan/beside/{code}/lineage")).status_code == 404


async def test_the_plan_itself_takes_no_parameter(house: House) -> None:
    answer = await house.get("/v1/plan", {"as_of": "2020-12-31"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/query/as_of", "detail": "不认识的字段"}]
