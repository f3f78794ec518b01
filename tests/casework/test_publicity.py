"""Publicity (公示): whitelisted fields, whole days (domain.md B0; 个人信息保护法 art. 25, 28)."""

from decimal import Decimal
from uuid import UUID

import pytest

from casework import objections, publicity, repository
from casework.models import ObjectionMethod, PublicityKind, PublicityOutcome
from casework.problems import (
    AlreadyAnswered,
    AlreadyPosted,
    PublicityClosed,
    PublicityRunning,
)
from casework.publicity import WHITELIST, content_of
from tests.casework.conftest import CLERK, Permits
from tests.casework.toy_matter import OTHER_SIDE, SIDE

FIELDS = {
    "applicant_name": "张三丰",
    "members": 3,
    "amount": Decimal("850.00"),
    "address_village": "城北社区",
    "result": "符合条件",
    "programme": "玩具许可",
    "telephone": "023-67821234",
}


class TestContent:
    def test_every_whitelisted_field_may_hang_there(self) -> None:
        assert FIELDS.keys() == WHITELIST
        assert content_of(FIELDS, minor=False) == FIELDS

    @pytest.mark.parametrize(
        "field", ["illness", "disability", "number", "phone", "members_names", "income"]
    )
    def test_no_other_field_may(self, field: str) -> None:
        with pytest.raises(ValueError, match=field):
            content_of({**FIELDS, field: "无"}, minor=False)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("members", "张三丰、李四"),
            ("amount", "张三丰"),
            ("address_village", "城北社区 50011219800101123X"),
            ("result", "因病致贫"),
            ("result", "重度残疾"),
            ("programme", "13812345678"),
        ],
    )
    def test_nor_what_a_field_is_not_for(self, field: str, value: str) -> None:
        with pytest.raises(ValueError, match="公示"):
            content_of({**FIELDS, field: value}, minor=False)

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            *(("王小明", "王某某"), ("欧阳小明", "欧阳某某"), ("李二", "李某某")),
            *(("司空图", "司空某某"), ("百里奚", "百里某某"), ("单于", "单某某")),
        ],
    )
    def test_a_childs_name_is_never_posted(self, name: str, shown: str) -> None:
        assert content_of({"applicant_name": name}, minor=True)["applicant_name"] == shown


async def posted(permits: Permits, *, minor: bool = False) -> str:
    case = await permits.open()
    await permits.steps(case, "accept")
    answer = await permits.step(case, "publicise", minor=minor)
    assert answer.status_code == 200, answer.text
    return case


class TestDays:
    async def test_the_first_day_is_the_one_after_posting(self, permits: Permits) -> None:
        await posted(permits)
        (row,) = await permits.running.rows("SELECT * FROM case_publicity")
        assert (str(row["posted_on"]), str(row["last_day"])) == ("2025-03-03", "2025-03-10")
        assert "张三丰".encode() not in row["content"]

    async def test_it_closes_only_after_its_last_day(self, permits: Permits) -> None:
        case = await posted(permits)
        permits.running.at("2025-03-10", "23:59")
        refused = await permits.step(case, "publicity_closed")
        assert (refused.status_code, refused.json()["type"]) == (
            409,
            "urn:minzheng:problem:publicity-running",
        )
        permits.running.at("2025-03-11", "00:00")
        assert (await permits.step(case, "publicity_closed")).status_code == 200
        (row,) = await permits.running.rows("SELECT * FROM case_publicity")
        assert (str(row["closed_on"]), row["outcome"]) == ("2025-03-11", "unchallenged")

    async def test_one_of_a_kind_runs_at_a_time_and_closes_once(self, permits: Permits) -> None:
        case = await posted(permits)
        async with permits.running.runtime.database.transaction(
            actor=CLERK, organisation="镇", units=[SIDE]
        ) as session:
            file = await repository.find(session, [SIDE], UUID(case), lock=True)
            assert file is not None
            (first,) = await repository.publicities_of(session, file.id)
            again = {"applicant_name": "张三丰"}
            with pytest.raises(AlreadyPosted):
                await publicity.post(
                    session, file, kind=PublicityKind.OPINION, fields=again, days=7, minor=False
                )
            with pytest.raises(PublicityRunning):
                await publicity.close(session, first, outcome=PublicityOutcome.UNCHALLENGED)
            await publicity.close(session, first, outcome=PublicityOutcome.OBJECTION)
            with pytest.raises(PublicityClosed):
                await publicity.close(session, first, outcome=PublicityOutcome.OBJECTION)
            second = await publicity.post(
                session, file, kind=PublicityKind.AGAIN, fields=again, days=3, minor=False
            )
            assert (second.last_day - second.posted_on).days == 3
            assert not publicity.over(second, second.last_day)


class TestBoard:
    async def test_what_hangs_in_a_village_today(self, permits: Permits) -> None:
        case = await posted(permits)
        seen = (await permits.get("publicity", query={"division": str(SIDE)})).json()["items"]
        assert [one["case"] for one in seen] == [case]
        assert seen[0]["content"] == {
            "applicant_name": "张三丰",
            "members": 3,
            "amount": "850.00",
        }
        assert (seen[0]["last_day"], seen[0]["matter_title"]) == ("2025-03-10", "玩具许可")
        elsewhere = await permits.get("publicity", query={"division": str(OTHER_SIDE)})
        assert elsewhere.json()["items"] == []

    async def test_a_child_hangs_there_by_surname_alone(self, permits: Permits) -> None:
        await posted(permits, minor=True)
        seen = (await permits.get("publicity")).json()["items"]
        assert seen[0]["content"]["applicant_name"] == "张某某"

    async def test_taken_down_after_the_last_day_and_on_withdrawal(self, permits: Permits) -> None:
        await posted(permits)
        withdrawn = await posted(permits)
        await permits.steps(withdrawn, "withdraw")
        assert len((await permits.get("publicity")).json()["items"]) == 1
        permits.running.at("2025-03-11")
        assert (await permits.get("publicity")).json()["items"] == []

    async def test_a_foreign_division_is_not_found(self, permits: Permits) -> None:
        answer = await permits.get(
            "publicity", query={"division": str(OTHER_SIDE)}, divisions=[str(SIDE)]
        )
        assert answer.status_code == 404
        unknown = await permits.get("publicity", query={"division": "999999999999"})
        assert unknown.status_code == 422


class TestObjections:
    async def test_an_objection_is_sealed_and_answered_once(self, permits: Permits) -> None:
        case = await posted(permits)
        async with permits.running.runtime.database.transaction(
            actor=CLERK, organisation="镇", units=[SIDE]
        ) as session:
            file = await repository.find(session, [SIDE], UUID(case), lock=True)
            assert file is not None
            (running,) = await repository.publicities_of(session, file.id)
            received = await objections.receive(
                session, file, running, objector="李四", content="其有车"
            )
            await objections.answer(
                session,
                received,
                handled_by=ObjectionMethod.RESURVEY,
                finding="车系租用",
                upheld=False,
            )
            told = await objections.read(session, received, "处理异议")
            assert (told.objector, told.content, told.finding) == ("李四", "其有车", "车系租用")
            with pytest.raises(AlreadyAnswered):
                await objections.answer(
                    session, received, handled_by=ObjectionMethod.APPRAISAL, finding="", upheld=True
                )
            await publicity.close(session, running, outcome=PublicityOutcome.OBJECTION)
            with pytest.raises(PublicityClosed):
                await objections.receive(session, file, running, objector="王五", content="迟")
            assert len(await repository.objections_of(session, file.id)) == 1
            assert await repository.objection(session, file.id, received.id) is received
        (row,) = await permits.running.rows("SELECT * FROM case_objection")
        assert "李四".encode() not in row["objector"]
        assert (row["handled_by"], row["upheld"]) == ("resurvey", False)
        read = [one for one in await permits.audited() if one[0].startswith("read case_objection")]
        assert len(read) == 3
