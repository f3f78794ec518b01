"""One-time correction list (一次性告知): domain.md B1.5 step 2."""

from uuid import UUID

import pytest

from casework import corrections, repository
from casework.corrections import Missing
from casework.problems import AlreadyTold
from chassis.problems import NotFound
from tests.casework.conftest import CLERK, Permits
from tests.casework.toy_matter import SIDE


async def test_what_is_missing_is_told_once_a_case(permits: Permits) -> None:
    case = await permits.open()
    await permits.steps(case, "tell corrected")
    again = await permits.step(case, "tell")
    assert (again.status_code, again.json()["type"]) == (409, "urn:minzheng:problem:already-told")
    assert (await permits.row(case))["state"] == "submitted"


async def test_it_is_shown_with_the_case_and_kept_sealed(permits: Permits) -> None:
    case = await permits.open()
    await permits.steps(case, "tell")
    told = (await permits.get(f"cases/{case}")).json()["correction"]
    assert told == {
        "told_on": "2025-03-03",
        "fulfilled_on": None,
        "items": [{"code": "photo", "title": "照片", "why": "申请人张三丰未交"}],
    }
    (row,) = await permits.running.rows("SELECT * FROM case_correction")
    assert "张三丰".encode() not in row["items"]
    permits.running.at("2025-03-05")
    await permits.steps(case, "corrected")
    told = (await permits.get(f"cases/{case}")).json()["correction"]
    assert told["fulfilled_on"] == "2025-03-05"


async def test_an_empty_list_and_a_fulfilment_of_nothing_are_refused(permits: Permits) -> None:
    case = await permits.open()
    async with permits.running.runtime.database.transaction(
        actor=CLERK, organisation="镇", units=[SIDE]
    ) as session:
        file = await repository.find(session, [SIDE], UUID(case), lock=True)
        assert file is not None
        with pytest.raises(NotFound):
            await corrections.fulfil(session, file)
        with pytest.raises(ValueError, match="不能为空"):
            await corrections.tell(session, file, [])
        await corrections.tell(session, file, [Missing("a", "甲", "乙")])
        with pytest.raises(AlreadyTold):
            await corrections.tell(session, file, [Missing("b", "丙", "丁")])
