"""One person in two households or two towns: architecture.md (Access), domain.md C1."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from chassis.ids import new_id
from chassis.problems import Conflict
from contracts.events.relief import Programme
from services.relief.households import service
from services.relief.households.kinds import ClaimRole, ClaimState
from tests.services.relief.households.family import (
    LUOQI,
    READ,
    SELF,
    SHIHE,
    WIFE,
    Clerk,
    family,
    number,
    persons,
)
from tests.support.services import DISTRICT, Running

Persons = dict[UUID, ClaimRole]


async def apply(clerk: Clerk, household: UUID, case: UUID, of: Persons | None = None) -> None:
    async with clerk.transaction() as session:
        await service.claim(
            session,
            programme=Programme.DIBAO,
            file_id=case,
            household_id=household,
            persons=await persons(clerk, household) if of is None else of,
        )


async def award(
    clerk: Clerk, household: UUID, case: UUID, award_id: UUID, of: Persons | None = None
) -> None:
    async with clerk.transaction() as session:
        await service.award_claims(
            session,
            programme=Programme.DIBAO,
            case_id=case,
            award_id=award_id,
            household_id=household,
            persons=await persons(clerk, household) if of is None else of,
        )


async def states(relief: Running) -> list[tuple[UUID, str]]:
    rows = await relief.rows("SELECT file_id, state FROM person_claim ORDER BY id")
    return [(row["file_id"], row["state"]) for row in rows]


async def asked(clerk: Clerk, member: dict[str, Any]) -> dict[str, Any]:
    answer = await clerk.relief.http.post(
        "/v1/relief/persons/check",
        json={"document_kind": "resident_id", "document_number": member["document_number"]},
        headers=clerk.headers(),
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_person_claimed_in_another_town_is_found_without_that_towns_file(
    relief: Running,
) -> None:
    own, foreign, district = Clerk(relief), Clerk(relief, LUOQI), Clerk(relief, DISTRICT)
    household, case = await own.create(), new_id()
    await apply(own, household, case)
    other, other_case = await foreign.create(family(WIFE | {"relation": "self"})), new_id()
    await apply(foreign, other, other_case)
    (wife,) = await persons(foreign, other)

    async def found(clerk: Clerk, but: UUID) -> list[service.Elsewhere]:
        units = await relief.runtime.places.visible(
            await relief.runtime.verifier.verify(
                clerk.headers()["Authorization"].removeprefix("Bearer ")
            )
        )
        async with clerk.transaction(units=units) as session:
            return await service.elsewhere(
                session, units, programme=Programme.DIBAO, persons=[wife], but=but
            )

    (seen,) = await found(foreign, other_case)
    assert (seen.person, seen.state, seen.role) == (wife, ClaimState.OPEN, ClaimRole.MEMBER)
    assert (seen.file_id, seen.household_id, seen.unit_id) == (None, None, None)
    (seen,) = await found(district, other_case)
    assert (seen.file_id, seen.household_id, seen.unit_id) == (case, household, int(SHIHE))


async def test_c1_a_new_person_is_checked_and_another_towns_file_not_shown(
    relief: Running,
) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    household, case, award_id = await own.create(), new_id(), new_id()
    assert await asked(foreign, WIFE) == {"claimed": False, "claims": []}
    await apply(own, household, case)
    await award(own, household, case, award_id)
    assert await asked(own, WIFE) == {
        "claimed": True,
        "claims": [
            {
                "programme": "dibao",
                "state": "awarded",
                "file": str(award_id),
                "division": SHIHE,
                "division_name": "石船镇",
            }
        ],
    }
    (claim,) = (await asked(foreign, WIFE))["claims"]
    assert claim == {
        "programme": "dibao",
        "state": "awarded",
        "file": None,
        "division": None,
        "division_name": None,
    }
    entries = await relief.rows(
        "SELECT subject FROM chassis.audit_entry WHERE action = 'relief.person.checked'"
    )
    wife = list(await persons(own, household))[1]
    assert [one["subject"] for one in entries] == [str(wife)] * 3


async def test_a_check_takes_a_true_number_and_the_windows_scope(relief: Running) -> None:
    body = {"document_kind": "resident_id", "document_number": "500112198005010011"}
    url = "/v1/relief/persons/check"
    answer = await relief.http.post(url, json=body, headers=Clerk(relief).headers())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/document_number"
    assert body["document_number"] not in answer.text
    reader = Clerk(relief, scopes=(READ,)).headers()
    assert (await relief.http.post(url, json=body, headers=reader)).status_code == 403


async def test_an_applicant_has_one_open_case_and_a_member_may_stand_in_two(
    relief: Running,
) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    first, case = await own.create(family(SELF, WIFE)), new_id()
    await apply(own, first, case)
    second = await foreign.create(family(SELF, WIFE))
    with pytest.raises(service.AlreadyApplied) as refused:
        await apply(foreign, second, new_id())
    applicant, _ = await persons(own, first)
    assert refused.value.persons == {applicant}
    assert (refused.value.status, refused.value.slug) == (409, "already-applied")
    assert len(await states(relief)) == 2  # nothing of the refused one is left
    third = await foreign.create(family(WIFE | {"relation": "self"}))
    await apply(foreign, third, new_id())
    await apply(own, first, case)  # once more: it stands already
    assert len(await states(relief)) == 3


async def test_a_case_that_ends_sets_its_persons_free(relief: Running) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    first, case = await own.create(family(SELF)), new_id()
    await apply(own, first, case)
    async with own.transaction() as session:
        await service.release_claims(session, file_id=case)
    await apply(foreign, await foreign.create(family(SELF)), new_id())


async def test_a_person_is_in_one_award_of_a_programme(relief: Running) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    first, case, award_id = await own.create(family(SELF, WIFE)), new_id(), new_id()
    await apply(own, first, case)
    await award(own, first, case, award_id)
    second, other_case = await foreign.create(family(WIFE | {"relation": "self"})), new_id()
    await apply(foreign, second, other_case)
    with pytest.raises(service.AlreadyAwarded) as refused:
        await award(foreign, second, other_case, new_id())
    _, wife = await persons(own, first)
    assert refused.value.persons == {wife}
    assert (refused.value.status, refused.value.slug) == (409, "already-awarded")
    await award(
        own,
        first,
        case,
        award_id,
        {p: r for p, r in (await persons(own, first)).items() if p != wife},
    )
    await award(foreign, second, other_case, new_id())  # the wife has left the first one
    assert [state for _, state in await states(relief)].count("awarded") == 2


async def test_the_same_award_again_changes_nothing(clerk: Clerk) -> None:
    household, case, award_id = await clerk.create(), new_id(), new_id()
    await apply(clerk, household, case)
    await award(clerk, household, case, award_id)
    before = await states(clerk.relief)
    await award(clerk, household, case, award_id)
    assert await states(clerk.relief) == before
    assert before == [(case, "closed")] * 3 + [(award_id, "awarded")] * 3


async def test_of_two_applications_at_once_one_is_refused(relief: Running) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    first, second = await own.create(), await foreign.create()
    outcomes = await at_once(
        (own, lambda: claiming(first)), (foreign, lambda: claiming(second)), persons_of=(own, first)
    )
    assert sorted(outcomes) == ["already-applied", "done"]
    assert len({file for file, _ in await states(relief)}) == 1


async def test_of_two_awards_at_once_one_is_refused_and_none_waits_for_ever(
    relief: Running,
) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    first, second = await own.create(), await foreign.create()
    outcomes = await at_once(
        (own, lambda: awarding(first)), (foreign, lambda: awarding(second)), persons_of=(own, first)
    )
    assert sorted(outcomes) == ["already-awarded", "done"]
    assert len({file for file, _ in await states(relief)}) == 1


def claiming(household: UUID) -> Any:
    async def act(session: Any, of: Persons) -> None:
        await service.claim(
            session,
            programme=Programme.DIBAO,
            file_id=new_id(),
            household_id=household,
            persons=of,
        )

    return act


def awarding(household: UUID) -> Any:
    async def act(session: Any, of: Persons) -> None:
        await service.award_claims(
            session,
            programme=Programme.DIBAO,
            case_id=new_id(),
            award_id=new_id(),
            household_id=household,
            persons=of,
        )

    return act


async def at_once(*sides: tuple[Clerk, Any], persons_of: tuple[Clerk, UUID]) -> list[str]:
    """Both transactions are open before either one writes; the orders of persons are opposite."""
    of = list((await persons(*persons_of)).items())
    barrier = asyncio.Barrier(len(sides))

    async def run(clerk: Clerk, act: Any, ordered: Persons) -> str:
        try:
            async with clerk.transaction() as session:
                await session.connection()
                await barrier.wait()
                await act(session, ordered)
        except Conflict as conflict:
            return conflict.slug
        return "done"

    (own, one), (foreign, other) = sides
    return list(
        await asyncio.gather(run(own, one(), dict(of)), run(foreign, other(), dict(reversed(of))))
    )


async def open_claims(relief: Running) -> list[tuple[UUID, str]]:
    rows = await relief.rows("SELECT person, role FROM person_claim WHERE state = 'open'")
    return sorted((row["person"], row["role"]) for row in rows)


async def test_who_comes_in_the_middle_of_a_case_is_found_elsewhere_and_who_goes_no_more(
    relief: Running,
) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    household, case = await own.create(family(SELF)), new_id()
    await apply(own, household, case)
    joining = WIFE | {"joined_on": "2025-03-02", "join_reason": "marriage"}
    view = await own.done(household, "/members", joining)
    wife = next(one["id"] for one in view["members"] if one["relation"] == "spouse")
    (claim,) = (await asked(foreign, WIFE))["claims"]
    assert (claim["state"], claim["file"]) == ("open", None)
    leaving = {"left_on": "2025-03-03", "reason": "divorce"}
    view = await own.done(household, f"/members/{wife}/leave", leaving)
    assert (await asked(foreign, WIFE))["claimed"] is False
    left = next(one["id"] for one in view["facts"] if one["value"].get("state") == "out")
    withdrawn = {"replacement": None, "reason": "登记有误"}
    await own.done(household, f"/facts/{left}/correction", withdrawn)
    assert (await asked(foreign, WIFE))["claimed"] is True
    assert [role for _, role in await open_claims(relief)].count("applicant") == 1


async def test_an_applicant_who_has_left_still_asks_as_long_as_the_case_is_open(
    relief: Running,
) -> None:
    own = Clerk(relief)
    household, case = await own.create(family(SELF, WIFE)), new_id()
    await apply(own, household, case)
    before = await open_claims(relief)
    members = (await own.seen(household))["members"]
    relief.at("2025-03-10")
    leaving = {"left_on": "2025-03-10", "reason": "moved_out"}
    await own.done(household, f"/members/{members[0]['id']}/leave", leaving)
    assert await open_claims(relief) == before


async def test_with_a_household_that_asks_for_nothing_nobody_is_claimed(clerk: Clerk) -> None:
    household = await clerk.create(family(SELF))
    await clerk.done(household, "/members", WIFE | {"join_reason": "marriage"})
    assert await states(clerk.relief) == []


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        ({}, {}, True),
        ({}, {"document_kind": "resident_id", "document_number": SELF["document_number"]}, True),
        ({}, {"born": "1980-05-02"}, False),
        ({}, {"name": "欧阳清"}, False),
    ],
)
async def test_c1_who_has_no_number_is_found_as_possibly_the_same_by_name_and_birthday(
    relief: Running, first: dict[str, Any], second: dict[str, Any], found: bool
) -> None:
    """Shown to both, without the other town's file; it stands in nobody's way."""
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    nameless = {**SELF, "document_kind": None, "document_number": None}
    household, case = await own.create(family({**nameless, **first})), new_id()
    await apply(own, household, case)
    other, other_case = await foreign.create(family({**nameless, **second})), new_id()
    await apply(foreign, other, other_case)
    for clerk, own_household, own_case in ((own, household, case), (foreign, other, other_case)):
        asking = list(await persons(clerk, own_household))
        async with clerk.transaction() as session:
            seen = await service.elsewhere(
                session, clerk.units, programme=Programme.DIBAO, persons=asking, but=own_case
            )
        assert [(one.person, one.possible, one.file_id) for one in seen] == (
            [(asking[0], True, None)] if found else []
        )


async def test_c1_two_numbers_are_two_persons_whatever_they_are_called(relief: Running) -> None:
    own, foreign = Clerk(relief), Clerk(relief, LUOQI)
    namesake = {**SELF, "document_number": number("1980-05-01", 9)}
    for clerk, member in ((own, SELF), (foreign, namesake)):
        household = await clerk.create(family(member))
        await apply(clerk, household, new_id())
    async with foreign.transaction() as session:
        asking = await persons(foreign, household)
        assert [
            one.possible for one in await service.elsewhere(session, foreign.units, persons=asking)
        ] == [False]
