"""A token of one town sees nothing of another: both walls (architecture.md, Access)."""

from io import BytesIO

from openpyxl import load_workbook
from sqlalchemy import text

from contracts.places import place_units
from tests.services.eldercare.clerk import LUOQI, SHIHE, Clerk, beds, changed, home
from tests.support.services import Running

VILLAGES = [
    period.code
    for unit in place_units()
    for period in unit.periods[:1]
    if period.parent == int(SHIHE)
]


async def test_a_town_sees_nothing_of_another_in_lists_counts_exports_and_timelines(
    eldercare: Running,
) -> None:
    facility = await Clerk(eldercare).register()
    own, foreign = Clerk(eldercare, SHIHE), Clerk(eldercare, LUOQI)
    for clerk, seen in ((own, True), (foreign, False)):
        status = 200 if seen else 404
        assert (await clerk.get(f"/{facility}")).status_code == status
        assert (await clerk.get(f"/{facility}/timeline")).status_code == status
        assert len((await clerk.get()).json()["items"]) == seen
        assert (await clerk.get("/summary")).json()["facilities"] == seen
        book = load_workbook(BytesIO((await clerk.get("/export")).content))
        assert len(list(book["养老服务设施"].iter_rows())) == 1 + seen
        assert (await clerk.get("", division=SHIHE)).status_code == status
        assert (await clerk.get("/summary", division=SHIHE)).status_code == status


async def test_a_foreign_facility_is_404_for_every_write_before_its_version_is_looked_at(
    eldercare: Running,
) -> None:
    facility = await Clerk(eldercare).register()
    fact = (await Clerk(eldercare).facts(facility, "beds"))[0]["id"]
    foreign = Clerk(eldercare, LUOQI)
    body = changed("beds", "2021-03-01", beds=beds(50))
    correction = {"reason": "录入有误"}
    for etag in (None, '"1"'):
        answer = await foreign.post(f"/{facility}/changes", body, etag=etag)
        assert answer.status_code == 404
        path = f"/{facility}/facts/{fact}/corrections"
        assert (await foreign.post(path, correction, etag=etag)).status_code == 404
    assert (await foreign.post("", home(division=SHIHE))).status_code == 404


async def test_a_village_sees_its_own_facilities_alone(eldercare: Running) -> None:
    one, other = VILLAGES[:2]
    district = Clerk(eldercare)
    own = await district.register(division=one, name="甲村互助点")
    await district.register(division=other, name="乙村互助点")
    await district.register(division=SHIHE, name="镇敬老院")
    village = Clerk(eldercare, str(one))
    assert [item["id"] for item in (await village.get()).json()["items"]] == [own]
    assert (await village.get("/summary")).json()["facilities"] == 1
    assert len((await Clerk(eldercare, SHIHE).get()).json()["items"]) == 3


async def test_a_query_that_forgot_its_filter_sees_nothing_foreign(eldercare: Running) -> None:
    district = Clerk(eldercare)
    await district.register()
    await district.register(division=LUOQI)
    database = eldercare.runtime.database
    for units, seen in (([int(SHIHE)], 1), ([], 0), (None, 0)):
        async with database.transaction(actor="test", units=units) as session:
            for table, rows in (("facility", 1), ("facility_fact", 7)):
                counted = await session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - named above
                assert counted == rows * seen


async def test_with_a_move_the_new_town_takes_over_with_the_whole_history(
    eldercare: Running,
) -> None:
    facility = await Clerk(eldercare).register()
    move = changed("place", "2024-07-01", division=LUOQI, address="洛碛镇新街 3 号")
    old, new = Clerk(eldercare, SHIHE), Clerk(eldercare, LUOQI)
    assert (await old.try_change(facility, move)).status_code == 404
    assert (await Clerk(eldercare).try_change(facility, move)).status_code == 201
    assert (await old.get(f"/{facility}")).status_code == 404
    history = (await new.get(f"/{facility}/timeline")).json()
    assert len(history["facts"]) == 8
    assert [period["division"] for period in history["periods"]] == [SHIHE, LUOQI]
    assert (await new.get(f"/{facility}", as_of="2024-06-30")).json()["division"] == SHIHE
    within = await Clerk(eldercare).get("", division=SHIHE, as_of="2024-06-30")
    assert len(within.json()["items"]) == 1
    await new.change(facility, "beds", "2024-08-01", beds=beds(5, 0))


async def test_a_wrong_place_put_right_leaves_nothing_with_the_wrong_town(
    eldercare: Running,
) -> None:
    district = Clerk(eldercare)
    facility = await district.register(division=LUOQI)
    wrong = (await district.facts(facility, "place"))[0]["id"]
    right = changed("place", "2021-01-01", division=SHIHE, address="石船镇中心街 1 号")
    assert (await district.correct(facility, wrong, right)).status_code == 201
    assert (await Clerk(eldercare, LUOQI).get(f"/{facility}")).status_code == 404
    assert (await Clerk(eldercare, SHIHE).get(f"/{facility}")).status_code == 200
