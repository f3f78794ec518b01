"""The demonstration's applications for 低保: twenty a town, some in every state; all invented.

Those that are decided have days of their own between 2021 and 2026, so that each stands under
another law and standard; those that are open stand in the days before the house is first opened. A
town that went to another district has those of the years before alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from suite.demo.district import Town
from suite.demo.people import person

Body = dict[str, Any]


class Ending(StrEnum):
    """How far a case has come."""

    GRANTED = "granted"
    REFUSED = "refused"
    CONTESTED = "contested"  # granted after an objection
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    CORRECTING = "correcting"
    ACCEPTED = "accepted"
    CHECKING = "checking"
    CHECKED = "checked"
    SURVEYING = "surveying"
    SURVEYED = "surveyed"
    OPINED = "opined"
    PUBLICISED = "publicised"
    OBJECTED = "objected"
    AWAITING = "awaiting"
    DECIDED = "decided"  # to be delivered


class Later(StrEnum):
    """What became of an award."""

    KEPT = ""
    STOPPED = "stop"
    GRACE = "grace"
    DEATH = "death"
    VOLUNTARY = "voluntary"
    MOVED = "move"
    RAISED = "raise"  # to the standard of 2025-07
    REVIEWED = "review"


_SINCE = {Later.STOPPED, Later.MOVED, Later.RAISED, Later.REVIEWED}
"""What happened in 2026, when some towns had gone to another district."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One household of a town, from its application to its end."""

    number: int
    town: Town
    town_number: int
    starts: date
    ending: Ending
    household: Body
    later: Later = Later.KEPT
    near_relative: bool = False
    scripted: tuple[Body, ...] = field(default=())
    """How the other departments behave for its members, where it matters."""

    @property
    def delegated(self) -> bool:
        """Every other town had the power to decide handed down (plan 3.2: 审核权限下放至镇街)."""
        return self.town_number % 2 == 0

    @property
    def rural(self) -> bool:
        return not self.town.is_street


BATCHES = (
    date(2021, 3, 1),
    date(2021, 10, 11),
    date(2023, 10, 9),
    date(2025, 8, 4),
    date(2026, 3, 2),
    date(2026, 7, 20),
)
UNASKED: Body = {}
CONSENTS: Body = {"consented_on": "2026-07-18", "consent_document": "核对同意书"}
"""Of a child outside the household: whether they agreed to be looked up (社会救助法 art. 41)."""
ROTATING = (
    *(Ending.SUBMITTED, Ending.ACCEPTED, Ending.CHECKED, Ending.SURVEYING, Ending.SURVEYED),
    *(Ending.OPINED, Ending.OBJECTED, Ending.DECIDED),
)
TODAY_MINUS = {  # days before the house is first opened on which an open case was brought in
    Ending.DRAFT: 2,
    Ending.CORRECTING: 5,
    Ending.SUBMITTED: 1,
    Ending.ACCEPTED: 6,
    Ending.CHECKING: 8,
    Ending.CHECKED: 10,
    Ending.SURVEYING: 12,
    Ending.SURVEYED: 16,
    Ending.OPINED: 18,
    Ending.PUBLICISED: 15,
    Ending.OBJECTED: 30,
    Ending.AWAITING: 26,
    Ending.DECIDED: 33,
}
BIRTHS = 1_955, 1_976, 1_979, 2_011
OLDEST = 1_934
LONGEST_COURSE = 60
"""Days within which a case that is granted comes to its end."""


def scenarios(town: Town, number: int, today: date) -> list[Scenario]:
    """The twenty cases of a town; of one that went to another district, all from before.

    What its people applied for since is that district's business, and stands in no book of ours.
    """
    made = [*_decided(town, number), *_open(town, number, today)]
    if town.left_on is not None:
        made = [_before(one, town.left_on) for one in made]
    return [one for one in made if one.starts <= today]


def _before(scenario: Scenario, left_on: date) -> Scenario:
    """The same household, its matter brought to an end before the town left."""
    kept = scenario.later if scenario.later not in _SINCE else Later.KEPT
    if scenario.starts < left_on - timedelta(days=LONGEST_COURSE):
        return replace(scenario, later=kept)
    return replace(
        scenario,
        starts=BATCHES[scenario.number % 3],
        ending=Ending.GRANTED,
        later=Later.KEPT,
        near_relative=False,
        scripted=(),
        household=_signed(scenario.household),
    )


def _signed(household: Body) -> Body:
    return {
        **household,
        "members": [{**one, "check_authorised": True} for one in household["members"]],
    }


def _decided(town: Town, number: int) -> Iterator[Scenario]:
    def at(case: int, batch: int, ending: Ending, household: Body, **more: Any) -> Scenario:  # noqa: ANN401 - fields of a scenario
        return Scenario(case, town, number, BATCHES[batch], ending, household, **more)

    make = _Maker(number)
    granted, raised = Ending.GRANTED, Later.RAISED
    yield at(0, 0, granted, make.family(0, wage="900.00"), later=raised)
    yield at(
        1,
        0,
        granted,
        make.old_person(1, child=UNASKED),
        later=Later.DEATH if number % 2 else raised,
    )
    yield at(2, 0, granted, make.mother_and_disabled(2), later=raised)
    yield at(3, 1, granted, make.farmers(3), later=raised if number % 5 else Later.VOLUNTARY)
    yield at(4, 1, granted, make.family(4, wage="800.00"), later=Later.GRACE)
    yield at(5, 2, granted, make.father_and_two(5), later=raised)
    yield at(6, 2, Ending.REFUSED, make.couple(6, wage="3000.00"))
    car = make.couple(7, wage="500.00")
    yield at(7, 3, Ending.REFUSED, car, scripted=(_script(car, 0, "vehicles", "vehicle"),))
    yield at(8, 3, granted, make.family(8, wage="2700.00", ill=True), later=Later.REVIEWED)
    yield at(9, 3, Ending.WITHDRAWN, make.couple(9, wage="600.00"))
    yield at(10, 3, Ending.TERMINATED, make.couple(10, wage="600.00"))
    moved = Later.MOVED if number == 0 else Later.KEPT
    yield at(11, 4, Ending.CONTESTED, make.family(11, wage="950.00"), later=moved)
    yield at(12, 5, granted, make.couple(12, wage="400.00"), later=Later.STOPPED)
    yield at(13, 5, granted, make.old_person(13, child=CONSENTS), near_relative=True)


def _open(town: Town, number: int, today: date) -> Iterator[Scenario]:
    def at(case: int, ending: Ending, household: Body, **more: Any) -> Scenario:  # noqa: ANN401 - as above
        starts = today - timedelta(days=TODAY_MINUS[ending])
        return Scenario(case, town, number, starts, ending, household, **more)

    make = _Maker(number)
    yield at(14, Ending.DRAFT, make.couple(14, wage="500.00"))
    unsigned = make.family(15, wage="700.00")
    unsigned["members"][1]["check_authorised"] = False
    yield at(15, Ending.CORRECTING, unsigned)
    silent = make.couple(16, wage="300.00")
    behaviour = "fail" if number % 2 else "late"
    yield at(
        16,
        Ending.CHECKING,
        silent,
        scripted=({**_script(silent, 0, "bank", "", behaviour), "after_seconds": 30_000_000},),
    )
    yield at(17, Ending.PUBLICISED, make.old_person(17, child=UNASKED))
    yield at(18, Ending.AWAITING, make.with_grandmother(18, wage="600.00"))
    yield at(19, ROTATING[number % len(ROTATING)], make.father_and_two(19))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Households of one town, as they are declared at its window."""

    town: int

    def member(self, case: int, place: int, relation: str, born: int, **more: Any) -> Body:  # noqa: ANN401 - fields of a member
        who = person(self.town, case, place, born, female=place % 2 == 1)
        return {
            **who,
            "ref": f"m{place}",
            "relation": relation,
            "truth_committed": True,
            "check_authorised": True,
            "authorisation": "核对授权书",
            **more,
        }

    def family(self, case: int, *, wage: str, ill: bool = False) -> Body:
        """A couple with a child at school; one of them works."""
        return _household(
            self.member(case, 0, "self", BIRTHS[1], employed=True, incomes=[_income("wage", wage)]),
            self.member(case, 1, "spouse", BIRTHS[2], severe_illness=ill, alone=ill),
            self.member(case, 2, "child", BIRTHS[3], education="compulsory", full_time=True),
        )

    def old_person(self, case: int, *, child: Body) -> Body:
        """Somebody of over eighty, alone, with the basic pension, which does not count.

        A child lives elsewhere and owes support: who has not consented is not looked up.
        """
        pension = _income("basic_pension", "140.00")
        born = OLDEST + (self.town + case) % 12
        alone = self.member(case, 0, "self", born, work_capacity="none", incomes=[pension])
        who = person(self.town, case, 3, born + 26, female=case % 2 == 0)
        del who["born"]
        return {**_household(alone), "supporters": [{**who, "relation": "child", **child}]}

    def with_grandmother(self, case: int, *, wage: str) -> Body:
        """The family of three and the mother of one, in her eighties."""
        pension = _income("basic_pension", "140.00")
        family = self.family(case, wage=wage)
        mother = self.member(case, 3, "parent", OLDEST + 6, work_capacity="none", incomes=[pension])
        return {**family, "members": [*family["members"], mother]}

    def mother_and_disabled(self, case: int) -> Body:
        disability = {"kind": "intellectual", "grade": 1}
        return _household(
            self.member(case, 1, "self", BIRTHS[0], work_capacity="none"),
            self.member(
                case,
                0,
                "child",
                BIRTHS[2],
                disability=disability,
                independent=False,
                work_capacity="none",
            ),
        )

    def farmers(self, case: int) -> Body:
        harvest = {
            "kind": "farming",
            "amount": "3600.00",
            "months": 12,
            "first_month": "2020-10-01",
        }
        return _household(
            self.member(case, 0, "self", BIRTHS[0] + 4, incomes=[harvest], work_capacity="partial"),
            self.member(case, 1, "spouse", BIRTHS[0] + 6, work_capacity="partial"),
        )

    def father_and_two(self, case: int) -> Body:
        return _household(
            self.member(
                case, 0, "self", BIRTHS[2], employed=True, incomes=[_income("wage", "700.00")]
            ),
            self.member(case, 1, "child", BIRTHS[3], education="compulsory", full_time=True),
            self.member(case, 2, "child", BIRTHS[3] + 3, education="compulsory", full_time=True),
        )

    def couple(self, case: int, *, wage: str) -> Body:
        return _household(
            self.member(case, 0, "self", BIRTHS[1], employed=True, incomes=[_income("wage", wage)]),
            self.member(case, 1, "spouse", BIRTHS[2]),
        )


def _household(*members: Body) -> Body:
    return {"address": "演示路1号", "members": list(members), "properties": []}


def _income(kind: str, amount: str) -> Body:
    return {"kind": kind, "amount": amount, "months": 1}


def _script(
    household: Body, member: int, source: str, item: str, behaviour: str = "answer"
) -> Body:
    return {
        "source": source,
        "number": household["members"][member]["document_number"],
        "behaviour": behaviour,
        "items": [{"kind": item}] if item else [],
    }
