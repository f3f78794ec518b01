"""What may be declared, and what is refused: issue 4; GB 11643; 57号 arts. 7, 10, 11."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.relief.households.schemas import EdgePropertyFact, HouseholdIn, WorkFact
from tests.services.relief.households.family import (
    CHILD,
    DECLARED,
    SELF,
    WIFE,
    Clerk,
    family,
    number,
)


def type_of(answer: Any) -> str:
    return str(answer.json()["type"].rsplit(":", 1)[1])


async def test_the_same_person_twice_in_one_household_is_refused(clerk: Clerk) -> None:
    household = await clerk.create()
    answer = await clerk.post(household, "/members", {**CHILD, "name": "另一姓名"})
    assert (answer.status_code, type_of(answer)) == (409, "already-member")


async def test_who_has_no_document_is_known_by_a_random_id(clerk: Clerk) -> None:
    foundling = {**CHILD, "document_kind": None, "document_number": None}
    household = await clerk.create(family(SELF, foundling))
    rows = await clerk.relief.rows(
        "SELECT person FROM household_member WHERE document_kind IS NULL"
    )
    assert rows[0]["person"].version == 4
    again = await clerk.post(household, "/members", foundling)
    assert (again.status_code, type_of(again)) == (409, "already-member")


async def test_an_id_number_gives_the_sex_and_other_documents_take_the_stated_one(
    clerk: Clerk,
) -> None:
    foreign = {
        **WIFE,
        "document_kind": "passport",
        "document_number": "E12345678",
        "sex": "female",
    }
    household = await clerk.create(family(SELF | {"sex": "female"}, foreign))
    own, wife = (await clerk.seen(household))["members"]
    assert (own["sex"], wife["sex"]) == ("male", "female")
    assert wife["number"] == "E******78"
    assert wife["warnings"] == []


async def test_a_doubtful_number_whose_checksum_holds_is_taken_with_a_warning(
    clerk: Clerk,
) -> None:
    strange = {**CHILD, "document_number": number("2012-02-30")}
    household = await clerk.create(family(SELF, strange))
    (warning,) = (await clerk.seen(household))["members"][1]["warnings"]
    assert "不是日期" in warning


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"document_number": "500112198005010011"}, "/document_number"),
        ({"document_number": "12345"}, "/document_number"),
        ({"document_number": None}, ""),
        ({"document_kind": None}, ""),
        ({"name": ""}, "/name"),
        ({"name": "张\u202e三"}, "/name"),
        ({"phone": "电话"}, "/phone"),
        ({"born": "2025-03-04"}, "/born"),
        ({"born": 20120703}, "/born"),
        ({"joined_on": "2025-03-04"}, "/joined_on"),
        ({"relation": "cousin"}, "/relation"),
        ({"disability": {"kind": "vision", "grade": 5}}, "/disability/grade"),
        ({"incomes": [{"kind": "wage", "amount": "-1"}]}, "/incomes/0"),
        ({"incomes": [{"kind": "wage", "amount": "NaN"}]}, "/incomes/0/amount"),
        ({"incomes": [{"kind": "wage", "amount": "1", "months": 0}]}, "/incomes/0/months"),
        ({"domicile": "500112"}, "/domicile"),
        ({"in_prison": "yes"}, "/in_prison"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_a_wrong_member_is_refused_where_it_is_wrong(
    clerk: Clerk, change: dict[str, Any], pointer: str
) -> None:
    household = await clerk.create(family(SELF))
    answer = await clerk.post(household, "/members", {**CHILD, **change})
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "members",
    [
        [],
        [WIFE],
        [SELF, {**WIFE, "relation": "self"}],
        [SELF, {**WIFE, "ref": "a"}],
    ],
)
def test_a_household_has_one_applicant_and_each_member_a_name_of_its_own(
    members: list[dict[str, Any]],
) -> None:
    with pytest.raises(ValidationError):
        HouseholdIn.model_validate({**family(), "members": members})


def test_property_belongs_to_a_declared_member() -> None:
    with pytest.raises(ValidationError):
        HouseholdIn.model_validate(
            family(properties=[{"kind": "deposit", "member": "x", "amount": "1"}])
        )


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"valid_from": "2025-03-04"}, "/valid_from"),
        ({"valid_to": "2025-03-01"}, ""),
        ({"severe_illness": None}, "/severe_illness"),
        ({"member": None}, "/member"),
        ({"source": "checked"}, "/source"),
        ({"fact": "membership"}, "/fact"),
    ],
)
async def test_a_wrong_fact_is_refused_where_it_is_wrong(
    clerk: Clerk, change: dict[str, Any], pointer: str
) -> None:
    household = await clerk.create()
    member = (await clerk.seen(household))["members"][0]["id"]
    asked = {
        "fact": "health",
        "member": member,
        "valid_from": "2025-03-02",
        "severe_illness": True,
        "bedridden": False,
        **change,
    }
    answer = await clerk.post(household, "/facts", asked)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_a_fact_of_several_fields_is_stated_whole(clerk: Clerk) -> None:
    household = await clerk.create()
    member = (await clerk.seen(household))["members"][0]["id"]
    asked = {"fact": "health", "member": member, "valid_from": DECLARED, "bedridden": True}
    answer = await clerk.post(household, "/facts", asked)
    assert answer.status_code == 422
    assert "完整" in answer.text


async def test_a_fact_is_of_a_member_of_this_household(clerk: Clerk) -> None:
    household, other = await clerk.create(), await clerk.create(family(SELF))
    stranger = (await clerk.seen(other))["members"][0]["id"]
    asked = {"fact": "disability", "member": stranger, "valid_from": DECLARED, "disability": None}
    assert (await clerk.post(household, "/facts", asked)).status_code == 404
    leave = {"left_on": DECLARED, "reason": "death"}
    assert (await clerk.post(household, f"/members/{stranger}/leave", leave)).status_code == 404


async def test_nobody_leaves_ahead_of_time_or_before_having_joined(clerk: Clerk) -> None:
    household = await clerk.create()
    member = (await clerk.seen(household))["members"][0]["id"]
    for day in ("2025-03-04", "2025-03-02"):
        leave = {"left_on": day, "reason": "death"}
        answer = await clerk.post(household, f"/members/{member}/leave", leave)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/left_on"


async def test_commitment_and_authorisation_are_given_by_each_member_on_a_day(
    clerk: Clerk,
) -> None:
    unsigned = {**WIFE, "truth_committed": False, "check_authorised": False}
    household = await clerk.create(family(SELF, unsigned))
    own, wife = (await clerk.seen(household))["members"]
    assert (own["truth_committed_on"], own["check_authorised_on"]) == (DECLARED, DECLARED)
    assert (wife["truth_committed_on"], wife["check_authorised_on"]) == (None, None)
    clerk.relief.at("2025-03-10")
    signed = {"truth_committed": True, "check_authorised": True, "authorisation": "授权书 2021 版"}
    view = await clerk.done(household, f"/members/{wife['id']}/authorisation", signed)
    wife = view["members"][1]
    assert (wife["truth_committed_on"], wife["check_authorised_on"]) == ("2025-03-10",) * 2


async def test_a_change_needs_the_version_that_was_read(clerk: Clerk) -> None:
    household = await clerk.create(family(SELF))
    etag = (await clerk.get(household)).headers["etag"]
    assert (await clerk.post(household, "/members", {**CHILD}, etag=None)).status_code == 428
    assert (await clerk.post(household, "/members", {**CHILD}, etag=etag)).status_code == 201
    assert (await clerk.post(household, "/members", {**WIFE}, etag=etag)).status_code == 412


async def test_a_repeated_submission_counts_once(clerk: Clerk) -> None:
    household = await clerk.create(family(SELF))
    etag = (await clerk.get(household)).headers["etag"]
    headers = {**clerk.headers(etag), "Idempotency-Key": "member-0001"}
    url = f"/v1/relief/households/{household}/members"
    first = await clerk.relief.http.post(url, json=CHILD, headers=headers)
    second = await clerk.relief.http.post(url, json=CHILD, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len((await clerk.seen(household))["members"]) == 2


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("欧 阳", "欧*"),
        ("\u3000欧阳 ", "欧*"),
        ("欧\u3000阳  清", "欧**"),
        ("Ou  Yang", "O******"),
        ("阿依·买", "阿***"),
    ],
)
async def test_a_name_is_masked_by_its_own_length_however_it_is_spaced(
    clerk: Clerk, written: str, told: str
) -> None:
    household = await clerk.create(family({**SELF, "name": written}))
    (member,) = (await clerk.seen(household))["members"]
    assert member["name"] == told


@pytest.mark.parametrize(
    ("income", "refused"),
    [
        ({"first_month": "2025-03-31"}, False),
        ({"first_month": "2025-04-01"}, True),
        ({"first_month": "2024-04-01", "months": 12}, False),
        ({"first_month": "2024-05-01", "months": 12}, True),
    ],
)
async def test_57_13_no_income_is_declared_of_months_to_come(
    clerk: Clerk, income: dict[str, Any], refused: bool
) -> None:
    household = await clerk.create(family(SELF))
    spouse = {**WIFE, "incomes": [{"kind": "wage", "amount": "3000", **income}]}
    answer = await clerk.post(household, "/members", spouse)
    assert answer.status_code == (422 if refused else 201), answer.text
    if refused:
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/incomes/0/first_month"


async def test_57_13_an_income_of_no_stated_month_is_of_the_months_before_the_day(
    clerk: Clerk,
) -> None:
    """Also of somebody who has long belonged: all twelve months are looked at, none is ahead."""
    household = await clerk.create(family(SELF))
    year = [{"kind": "wage", "amount": "36000", "months": 12}]
    wife = {**WIFE, "incomes": year, "joined_on": "2010-01-01"}
    await clerk.done(household, "/members", wife)
    found = await clerk.assembled(household, DECLARED)
    (income,) = [one for one in found.incomes if one.months == 12]
    assert (income.first_month.isoformat(), income.amount) == ("2024-03-01", 36000)


@pytest.mark.parametrize("mark", ["name", "document_number", "phone"])
def test_the_title_of_an_authorisation_or_consent_names_nobody(mark: str) -> None:
    """It stands in clear, and goes into the audit and to the sources."""
    one = {**SELF, "phone": "023-67890123"}
    assert HouseholdIn.model_validate(family(one))
    for title in (f"{one[mark]}的核对授权书", f"授权书（{one[mark]}）"):
        with pytest.raises(ValidationError) as error:
            HouseholdIn.model_validate(family({**one, "authorisation": title}))
        assert str(one[mark]) not in str(error.value)
    if mark == "phone":
        return
    signed = {"consented_on": "2025-03-01", "consent_document": f"{SELF[mark]}同意书"}
    supporter = {key: SELF[key] for key in ("name", "document_number", "relation")} | signed
    with pytest.raises(ValidationError):
        HouseholdIn.model_validate(family(SELF, supporters=[supporter]))


def test_a_judgement_on_the_edge_has_its_reason_and_work_its_first_day_only_if_there_is_work() -> (
    None
):
    finding = {"fact": "edge_property", "met": True, "valid_from": "2025-03-01"}
    judged = {**finding, "source": "judgement", "reason": "车辆已报废"}
    assert EdgePropertyFact.model_validate(judged).met
    for wrong in ({**judged, "source": "surveyed"}, {**finding, "source": "judgement"}):
        with pytest.raises(ValidationError):
            EdgePropertyFact.model_validate(wrong)
    work = {"fact": "work", "member": UUID(int=1), "valid_from": "2025-03-01"}
    work |= {"work_capacity": "full", "employed": True}
    assert WorkFact.model_validate(work).employed_since is None
    with pytest.raises(ValidationError):
        WorkFact.model_validate({**work, "employed": False, "employed_since": "2025-03-01"})


@pytest.mark.parametrize("since", ["employed_since", "clergy_since"])
async def test_57_7_13_what_is_told_to_be_so_since_a_day_has_begun(
    clerk: Clerk, since: str
) -> None:
    """A first day that is to come would keep the months of employment from running out."""
    household = await clerk.create(family(SELF))
    today = clerk.relief.runtime.clock.today()
    for day, status in ((today + timedelta(days=1), 422), (today, 201)):
        told = {**WIFE, "joined_on": DECLARED, "employed": True, since: day.isoformat()}
        answer = await clerk.post(household, "/members", told)
        assert answer.status_code == status, answer.text
