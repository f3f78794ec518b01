"""Every step that a clerk can take has a form, and what is sent is what the service takes."""

import itertools
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from casework.models import DeliveryMethod, ObjectionMethod
from casework.schemas import DeliveryIn
from casework.states import Matter
from chassis.identity import DocumentKind
from contracts.events.relief import AwardState, StandardCode
from services.console import case_list, case_words, forms, household_forms
from services.console.case_answers import Light
from services.console.dossier import Member
from services.console.forms import FORMS, Field, Form, Kind, Of
from services.relief.applications import materials
from services.relief.applications.routes import router as applications
from services.relief.applications.rules import (
    DIBAO,
    HouseholdSignature,
    Outcome,
    Prolongation,
    SurveyMethod,
    TerminationGround,
)
from services.relief.awards.routes import router as awards
from services.relief.awards.rules import MATTER as DIBAO_CHANGE
from services.relief.awards.rules import ChangeKind, Effect, HearingMethod
from services.relief.awards.schemas import ChangeIn, JobOfferIn, ReviewIn
from services.relief.checks.rules import Status
from services.relief.checks.schemas import Acceptance as MissingAccepted
from services.relief.entitlement.facts import (
    ConsumptionKind,
    DisabilityKind,
    Education,
    FactSource,
    IncomeKind,
    PropertyKind,
    Relation,
    WorkCapacity,
)
from services.relief.entitlement.rules import Outcome as Assessed
from services.relief.households.kinds import JoinReason, LeaveReason, RelativeOf
from services.relief.households.schemas import (
    AuthorisationIn,
    ConsentIn,
    FactCorrection,
    FactIn,
    LeaveIn,
    MemberIn,
    SupporterIn,
)
from services.relief.parameters.rules import Basis
from services.relief.parameters.schemas import AuthoritySet
from services.relief.standards.schemas import StandardSet
from suite.demo.people import person
from tests.services.console.stand_in_cases import member_of

ME = "500112002-01"
SOMEBODY = "0199f3a0-0000-7000-8000-000000000001"
MATTERS = (DIBAO, DIBAO_CHANGE)
WITHOUT_A_FORM = {
    "dibao": {
        "open",  # at the door
        "note_late",  # by the source that answers late
        "appraise",  # comes with the objection that is to be appraised
        "reassign",  # by the day on which another organ decides
        "lapse",  # by the day after which nobody waits for a draft any more
        "hand_over",  # comes with the move of the award
    },
    "dibao_change": {
        "open",  # on the award's page
        "tell",  # comes with the proposal
        "close",  # with the delivery
        "hand_over",  # comes with the move of the award
    },
}
OFFERED = {
    Of.MEMBERS: {SOMEBODY: "张**（申请人）"},
    Of.LACKING: {f"check_authorisation:{SOMEBODY}": "核对授权书", "entrustment:": "委托书"},
    Of.PERIODS: {SOMEBODY: "2024-02-01 起"},
    Of.DISTRICTS: {"500112000000": "渝北区"},
    Of.TOWNS: {"500112002000": "双龙湖街道"},
}
WORDS = {
    "amount": "3000.00",
    "income": "8000.00",
    "persons": "3",
    "owed": "1",
    "area": "88",
    "document_number": person(0, 0, 0, 1976)["document_number"],
    "phone": "13800000000",
    "name": "张三",
    "telephone": "023-67212345",
    "division": "500112101001",
    "months": "3",
    "participants": "5",
}
ON_AN_AWARD = (
    (forms.PROPOSE, ChangeIn),
    (forms.REVIEW, ReviewIn),
    (forms.JOB_OFFER, JobOfferIn),
)


ON_A_HOUSEHOLD: dict[str, Any] = {
    "facts": FactIn,
    "members": MemberIn,
    "leave": LeaveIn,
    "authorisation": AuthorisationIn,
    "supporters": SupporterIn,
    "consent": ConsentIn,
    "correction": FactCorrection,
    "standards": StandardSet,
    "authorities": AuthoritySet,
}
"""By the last part of the path to which a form is sent."""
SITUATION = {"severe_illness": True, "disability": {"kind": "physical", "grade": 2}}
RECORDED = [
    *household_forms.of_family(),
    *household_forms.of_member(Member.model_validate(member_of() | {"situation": SITUATION})),
    household_forms.withdrawal(SOMEBODY),
    *household_forms.of_supporter(SOMEBODY),
    forms.STANDARD,
    forms.AUTHORITY,
]
ALL = [(matter, form) for matter in MATTERS for form in FORMS[matter.code]]


@pytest.mark.parametrize("matter", MATTERS, ids=lambda one: one.code)
def test_every_step_of_the_table_that_a_clerk_takes_has_one_form(matter: Matter) -> None:
    taken = [step for form in FORMS[matter.code] for step in form.steps]
    by_hand = {one.name for one in matter.transitions} - WITHOUT_A_FORM[matter.code]
    assert len(taken) == len(set(taken))
    assert set(taken) == by_hand


@pytest.mark.parametrize(("matter", "form"), ALL, ids=lambda one: getattr(one, "title", ""))
def test_a_form_is_sent_where_the_service_takes_it(matter: Matter, form: Form) -> None:
    assert route_of(matter, form) is not None


def route_of(matter: Matter, form: Form) -> APIRoute | None:
    router = applications if matter is DIBAO else awards
    known = "{case_id}" if matter is DIBAO else "{change_id}"
    step = form.path.format(objection="{objection_id}")
    path = f"{forms.PATHS[matter.code]}/{known}/{step}"
    routes = (one for one in router.routes if isinstance(one, APIRoute) and "POST" in one.methods)
    return next((one for one in routes if one.path == path), None)


def filled(form: Form) -> Iterator[dict[str, Any]]:
    """The form filled in, once for each way in which some of its fields depend on others."""
    deciding = [one for one in form.fields if any(other.when and other.when[0] == one.name
                                                  for other in form.fields)]  # fmt: skip
    for chosen in itertools.product(*(choices_of(one) for one in deciding)):
        given = {one.name: value_of(one) for one in form.fields}
        yield given | dict(zip((one.name for one in deciding), chosen, strict=True))


def choices_of(one: Field) -> list[str]:
    return list(OFFERED[one.choices] if isinstance(one.choices, Of) else one.choices)


def value_of(one: Field) -> Any:
    match one.kind:
        case Kind.DAY:
            return "2025-06-30"
        case Kind.CHOICE:
            return choices_of(one)[0]
        case Kind.MANY:
            return choices_of(one)
        case Kind.CHECK:
            return True
        case Kind.WORDS:
            return ["500112002-02"]
        case _:
            return WORDS.get(one.name, "写明的理由")


@pytest.mark.parametrize(("matter", "form"), ALL, ids=lambda one: getattr(one, "title", ""))
def test_what_a_form_sends_is_what_the_step_takes(matter: Matter, form: Form) -> None:
    route = route_of(matter, form)
    assert route is not None
    asked = None if route.body_field is None else route.body_field.field_info.annotation
    for given in filled(form):
        sent = forms.body(form, given, ME)
        if asked is None:
            assert sent == {}
        else:
            TypeAdapter(asked).validate_python(sent)


@pytest.mark.parametrize(("form", "asked"), ON_AN_AWARD, ids=lambda one: getattr(one, "title", ""))
def test_what_is_sent_for_an_award_is_what_it_takes(form: Form, asked: Any) -> None:
    for given in filled(form):
        TypeAdapter(asked).validate_python(forms.body(form, given, ME))


@pytest.mark.parametrize("form", RECORDED, ids=lambda one: one.title)
def test_what_is_recorded_of_a_household_or_as_in_force_is_what_is_taken(form: Form) -> None:
    asked = TypeAdapter(ON_A_HOUSEHOLD[form.path.rpartition("/")[2]])
    for given in filled(form):
        if given.get("document_kind", "none") in {"resident_id", "none"}:
            asked.validate_python(forms.body(form, given, ME))


def test_what_stands_of_a_member_is_filled_in_and_what_is_not_ticked_is_told_as_not_so() -> None:
    health = next(one for one in RECORDED if one.title == "登记健康状况")
    assert [one.preset for one in health.fields[:2]] == [True, False]
    untouched = {one.name: one.preset for one in health.fields} | {"valid_from": "2025-06-30"}
    told = forms.body(health, untouched, ME)
    assert (told["severe_illness"], told["bedridden"]) == (True, False)


def test_who_stops_working_has_no_day_since_when() -> None:
    since = {"employed": True, "employed_since": "2025-03-01"}
    member = Member.model_validate(member_of() | {"situation": since})
    work = next(one for one in household_forms.of_member(member) if one.path == "facts"
                and any(field.name == "employed_since" for field in one.fields))  # fmt: skip
    given = {one.name: one.preset for one in work.fields}
    assert forms.body(work, given, ME)["employed_since"] == "2025-03-01"
    stopped = forms.body(work, given | {"employed": False}, ME)
    assert (stopped["employed"], "employed_since" in stopped) == (False, False)


@pytest.mark.parametrize(
    ("form", "asked"),
    [(forms.DELIVERY, DeliveryIn), (forms.ACCEPT_MISSING, MissingAccepted)],
    ids=["delivery", "acceptance"],
)
def test_what_is_sent_for_a_document_or_a_source_is_what_it_takes(
    form: Form, asked: type[BaseModel]
) -> None:
    for given in filled(form):
        asked.model_validate(forms.body(form, given, ME))


def choices(form_title: str, name: str) -> set[str]:
    form = next(one for _, one in ALL if one.title == form_title)
    found = next(one for one in form.fields if one.name == name).choices
    return set() if isinstance(found, Of) else set(found)


@pytest.mark.parametrize(
    ("offered", "kinds"),
    [
        (forms.OUTCOMES, Outcome),
        (forms.METHODS, SurveyMethod),
        (forms.SIGNATURES, HouseholdSignature),
        (forms.HANDLED, ObjectionMethod),
        (forms.DELIVERIES, DeliveryMethod),
        (forms.HEARINGS, HearingMethod),
        (forms.RECALCULATED | forms.ENDED, ChangeKind),
        (choices("延长办理期限", "ground"), Prolongation),
        (choices("终止审核确认", "ground"), TerminationGround),
        (choices("近亲属备案", "of"), RelativeOf),
        (case_words.RELATIONS, Relation),
        (case_words.INCOMES, IncomeKind),
        (case_words.STATUSES, Status),
        (case_words.RESULTS, Assessed),
        (case_words.DISABILITIES, DisabilityKind),
        (case_words.AWARD_STATES, AwardState),
        (case_words.EFFECTS, Effect),
        (case_words.HEARD, HearingMethod),
        (case_words.RELATIVES_OF, RelativeOf),
        (case_words.LIGHTS, Light),
        (case_words.EDUCATIONS, Education),
        (case_words.CAPACITIES, WorkCapacity),
        (case_words.CONSUMPTIONS, ConsumptionKind),
        (case_words.FACT_SOURCES, FactSource),
        (case_words.JOINED, JoinReason),
        (case_words.LEFT, LeaveReason),
        (case_words.PAPERS, DocumentKind),
        (forms.STANDARDS, StandardCode),
        (forms.BASES, Basis),
    ],
)
def test_every_code_has_its_word(offered: Any, kinds: type[StrEnum]) -> None:
    assert set(offered) == {one.value for one in kinds}


def test_a_source_names_every_kind_of_property() -> None:
    assert {one.value for one in PropertyKind} - {"other"} <= set(case_words.FOUND)


def test_only_what_cannot_be_looked_up_is_asked_of_an_applicant() -> None:
    """社会救助法 art. 62: what sharing supplies is not demanded."""
    free = {one.code for one in materials.MATERIALS if one.shared_from is None}
    assert set(forms.MATERIALS) == free - set(forms.SIGNED)
    titles = {one.code: one.title for one in materials.MATERIALS}
    assert all(titles[code] == title for code, title in forms.MATERIALS.items())


def test_all_cases_are_found_by_every_process_of_the_tables() -> None:
    processes = {state.process for matter in MATTERS for state in matter.states}
    assert set(case_list.PROCESSES) == processes
    assert set(case_list.MATTERS) == {one.code for one in MATTERS}


def survey() -> Form:
    return next(form for _, form in ALL if "survey" in form.steps)


class TestFields:
    def test_who_signed_is_asked_only_where_somebody_did(self) -> None:
        """民发〔2021〕57号 art. 16."""
        signed = forms.present(survey(), {"household_signature": "signed"})
        assert "signed_by" in signed
        assert "refusal" not in signed
        refused = forms.present(survey(), {"household_signature": "refused"})
        assert "refusal" in refused
        assert "signed_by" not in refused

    def test_whoever_records_a_survey_is_one_of_the_surveyors(self) -> None:
        """民发〔2021〕57号 art. 16: two at least."""
        given = next(filled(survey()))
        assert forms.body(survey(), given, ME)["surveyors"] == [ME, "500112002-02"]

    def test_what_lacks_is_named(self) -> None:
        given = {**next(filled(survey())), "findings": "", "methods": []}
        assert forms.lacking(survey(), given) == "请填写：调查方式、调查所见。"
        assert forms.lacking(survey(), next(filled(survey()))) == ""

    def test_a_fraud_is_told_with_a_stop_alone(self) -> None:
        """社会救助法 art. 73."""
        stop = {"kind": "stop", "fraud": "yes", "since": "2024-01-05", "reason": "隐瞒收入"}
        fraud = forms.body(forms.PROPOSE, stop, ME)["fraud"]
        assert fraud == {"since": "2024-01-05", "serious": False}
        death = {**stop, "kind": "death", "person": SOMEBODY, "died_on": "2025-06-01"}
        assert set(forms.body(forms.PROPOSE, death, ME)) == {"kind", "reason", "person", "died_on"}

    def test_signatures_and_papers_that_have_come_are_told_apart(self) -> None:
        form = next(form for _, form in ALL if "complete" in form.steps)
        received = [f"truth_commitment:{SOMEBODY}", f"check_authorisation:{SOMEBODY}",
                    "entrustment:"]  # fmt: skip
        sent = forms.body(form, {"received": received}, ME)
        assert sent["materials"] == ["entrustment"]
        assert [one["member"] for one in sent["undertakings"]] == [SOMEBODY]
        assert sent["undertakings"][0]["truth_committed"]
        assert sent["undertakings"][0]["check_authorised"]

    def test_what_was_typed_is_read_as_it_was_meant(self) -> None:
        assert forms.read(Kind.WORDS, "a-01 b-02、c-03\n") == ["a-01", "b-02", "c-03"]
        assert forms.read(Kind.LONG, "  写明\n") == "写明"
        assert forms.read(Kind.MANY, ["x"]) == ["x"]
