"""The table of the matter 低保 and its guards, by article; nothing here reads a database."""

from datetime import date

import pytest

from casework.states import Clock, same_hands
from chassis.law.deadlines import Term, TermUnit
from services.relief.applications import limits, materials, rules
from services.relief.applications.materials import Undertaking
from services.relief.applications.rules import (
    DIBAO,
    HouseholdSignature,
    Outcome,
    Placed,
    Prolongation,
    SurveyMethod,
    TerminationGround,
)
from services.relief.parameters import rules as parameters
from services.relief.parameters.rules import Level, Row
from services.relief.parameters.seed import law_on, seed
from tests.support.matters import (
    every_case_can_end,
    every_ending_stops_the_clock,
    every_other_step_is_refused,
    every_step_has_its_source,
)

OWN = frozenset({"500112129000", "500112129001"})
BEFORE, AFTER = date(2026, 6, 30), date(2026, 7, 1)
VISIT = (SurveyMethod.HOUSEHOLD_VISIT,)


def test_every_step_that_is_not_in_the_table_is_refused() -> None:
    assert every_other_step_is_refused(DIBAO) > 400


def test_the_table_is_whole() -> None:
    every_case_can_end(DIBAO)
    every_step_has_its_source(DIBAO)
    every_ending_stops_the_clock(DIBAO)


@pytest.mark.parametrize(
    ("source", "name", "target"),
    [
        ("draft", "submit", "submitted"),
        ("submitted", "tell", "correcting"),
        ("correcting", "complete", "submitted"),
        ("submitted", "accept", "accepted"),
        ("accepted", "start_check", "checking"),
        ("checking", "close_check", "checked"),
        ("checking", "disqualify", "disqualified"),
        ("disqualified", "contest", "checking"),
        ("checked", "survey", "surveying"),
        ("surveying", "sign", "surveyed"),
        ("surveyed", "opine", "opined"),
        ("opined", "publicise", "publicised"),
        ("publicised", "object", "objected"),
        ("objected", "find", "opined"),
        ("publicised", "close_publicity", "awaiting"),
        ("awaiting", "return_step", "checked"),
        ("publicised", "retract", "surveyed"),
        ("publicised", "retract_disqualified", "disqualified"),
        ("awaiting", "grant", "granted"),
        ("awaiting", "refuse", "refused"),
        ("granted", "deliver", "delivered"),
        ("delivered", "close", "closed"),
    ],
)
def test_domain_md_b1_5_the_way_of_an_application(source: str, name: str, target: str) -> None:
    assert DIBAO.transition(source, name).target == target


def test_57_22_the_clock_runs_from_acceptance_to_the_end() -> None:
    effects = {one.name: one.clock for one in DIBAO.transitions}
    assert effects["accept"] is Clock.START
    assert {name for name, clock in effects.items() if clock is Clock.STOP} == {
        *("grant", "refuse", "withdraw", "terminate", "lapse")
    }
    assert {name for name, clock in effects.items() if clock is Clock.SUSPEND} == {
        *("publicise", "appraise", "convene")
    }


@pytest.mark.parametrize("step", ["accept", "survey", "cosign", "sign", "opine", "find", "inspect"])
@pytest.mark.parametrize("name", ["grant", "refuse"])
def test_57_2_who_accepted_surveyed_or_opined_does_not_decide(step: str, name: str) -> None:
    row = DIBAO.transition("awaiting", name)
    assert same_hands(row, [(step, "zhang")], "zhang") == step
    assert same_hands(row, [(step, "zhang")], "li") is None


@pytest.mark.parametrize(
    ("day", "level", "total", "special"),
    [
        ("2016-05-01", Level.COUNTY, "30 days", None),
        ("2021-06-30", Level.TOWN, "30 days", None),
        ("2021-07-01", Level.COUNTY, "30 working_days", 45),
        ("2021-07-01", Level.TOWN, "30 working_days", 45),
        ("2022-10-20", Level.COUNTY, "30 working_days", 45),
        ("2022-10-20", Level.TOWN, "20 working_days", 45),
        ("2023-03-01", Level.COUNTY, "25 working_days", 40),
        ("2023-03-01", Level.TOWN, "20 working_days", 40),
        ("2026-07-01", Level.COUNTY, "25 working_days", 40),
    ],
)
def test_57_22_83_4_1_the_limit_of_the_day_of_acceptance(
    day: str, level: Level, total: str, special: int | None
) -> None:
    law = law_on(date.fromisoformat(day))
    term = limits.total_limit(law, level).term
    assert f"{term.count} {term.unit}" == total
    longer = limits.special_limit(law)
    assert (None if longer is None else longer.term.count) == special


def test_ordinance_19_alone_leaves_publicity_and_appraisal_out() -> None:
    old = limits.total_limit(law_on(date(2021, 6, 30)), Level.COUNTY)
    new = limits.total_limit(law_on(date(2021, 7, 1)), Level.COUNTY)
    assert old.excludes == {"publicity", "appraisal"}
    assert new.excludes == frozenset()


def test_57_15_20_21_limits_of_single_steps() -> None:
    found = limits.step_limits(law_on(date(2025, 3, 3)))
    assert {state: one.term.count for state, one in found.items()} == {
        "accepted": 3,
        "awaiting": 10,
        "refused": 3,
    }
    assert limits.step_limits(law_on(date(2021, 6, 30))) == {}


def undertaking(member: str, born: date, *, truth: bool = True, check: bool = True) -> Undertaking:
    return Undertaking(member, "张**", born, truth_committed=truth, check_authorised=check)


def test_57_9_every_member_commits_and_authorises_a_minors_guardian_for_it() -> None:
    day = date(2025, 3, 3)
    members = [
        undertaking("a", date(1980, 1, 1)),
        undertaking("b", date(2007, 3, 3), truth=False),
        undertaking("c", date(2007, 3, 4), check=False),
    ]
    found = materials.missing_items(members, ("application_form",), day, entrusted=False)
    assert [(one.code, one.member) for one in found] == [
        ("truth_commitment", "b"),
        ("check_authorisation", "c"),
    ]
    assert "监护人" not in found[0].title  # eighteen on this day
    assert "监护人" in found[1].title


def test_57_6_an_entrusted_application_needs_the_letter() -> None:
    members, day = [undertaking("a", date(1980, 1, 1))], date(2025, 3, 3)
    form = "application_form"
    (item,) = materials.missing_items(members, (form,), day, entrusted=True)
    assert item.code == "entrustment"
    assert materials.missing_items(members, ("entrustment", form), day, entrusted=True) == []


def test_57_4_an_application_is_made_in_writing() -> None:
    members, day = [undertaking("a", date(1980, 1, 1))], date(2025, 3, 3)
    (item,) = materials.missing_items(members, (), day, entrusted=False)
    assert (item.code, item.why) == ("application_form", "民发〔2021〕57号第四条")


@pytest.mark.parametrize(
    "code",
    [
        *("household_register", "identity_card", "income_proof", "property_proof"),
        *("disability_card", "marriage_certificate", "residence_permit"),
    ],
)
def test_57_10_law_62_what_sharing_supplies_is_not_demanded(code: str) -> None:
    assert materials.refused_demands([code], date(2021, 7, 1))
    assert not materials.refused_demands([code], date(2021, 6, 30))


def test_only_what_the_list_holds_is_demanded() -> None:
    ((code, why),) = materials.refused_demands(["no_crime_record"], date(2025, 3, 3))
    assert code == "no_crime_record"
    assert "目录" in why
    assert not materials.refused_demands(["illness_certificate"], date(2025, 3, 3))


@pytest.mark.parametrize(
    ("surveyors", "signature", "methods", "emergency", "fault"),
    [
        (("a", "b"), HouseholdSignature.SIGNED, VISIT, False, None),
        (("a", "b"), HouseholdSignature.REFUSED, VISIT, False, None),
        (("a",), HouseholdSignature.SIGNED, VISIT, False, "surveyors"),
        (("a", "a"), HouseholdSignature.SIGNED, VISIT, False, "surveyors"),
        (("b", "c"), HouseholdSignature.SIGNED, VISIT, False, "surveyors"),
        (("a", "b"), HouseholdSignature.WITHOUT_CONTACT, VISIT, False, "signature"),
        (("a", "b"), HouseholdSignature.WITHOUT_CONTACT, ("neighbours",), False, "visit"),
        (("a", "b"), HouseholdSignature.WITHOUT_CONTACT, ("video",), False, "emergency"),
        (("a", "b"), HouseholdSignature.WITHOUT_CONTACT, ("video",), True, None),
        (("a", "b"), HouseholdSignature.SIGNED, ("phone",), True, "signature"),
    ],
)
def test_57_16_two_surveyors_signed_visits_and_no_contact_in_emergencies_alone(
    surveyors: tuple[str, ...],
    signature: HouseholdSignature,
    methods: tuple[str, ...],
    emergency: bool,
    fault: str | None,
) -> None:
    found = rules.survey_fault(
        surveyors, "a", [SurveyMethod(one) for one in methods], signature, emergency=emergency
    )
    assert (None if found is None else found.code) == fault


@pytest.mark.parametrize(
    ("outcome", "assessed", "disqualified", "objected", "fault"),
    [
        (Outcome.GRANT, Outcome.GRANT, False, False, None),
        (Outcome.REFUSE, Outcome.REFUSE, False, False, None),
        (Outcome.REFUSE, Outcome.REFUSE, True, False, None),
        (Outcome.GRANT, Outcome.REFUSE, False, False, "contradicts-rules"),
        (Outcome.REFUSE, Outcome.GRANT, False, False, "contradicts-rules"),
        (Outcome.GRANT, None, False, False, "undecided"),
        (Outcome.REFUSE, None, False, False, "undecided"),
        (Outcome.GRANT, Outcome.GRANT, True, False, "disqualified"),
        (Outcome.GRANT, Outcome.GRANT, False, True, "objection-open"),
    ],
)
def test_57_19_the_first_opinion_follows_the_rules(
    outcome: Outcome, assessed: Outcome | None, disqualified: bool, objected: bool, fault: str
) -> None:
    found = rules.opinion_fault(
        outcome, assessed, disqualified=disqualified, objection_open=objected
    )
    assert (None if found is None else found.code) == fault


def test_57_19_ordinance_18_publicity_before_and_after_an_objection() -> None:
    assert rules.publicity_days(after_objection=False, days=7, again_days=3) == 7
    assert rules.publicity_days(after_objection=True, days=7, again_days=3) == 3


@pytest.mark.parametrize(
    ("outcome", "refusals_posted", "after_objection", "again_days", "unposted"),
    [
        (Outcome.REFUSE, True, False, 3, False),
        (Outcome.REFUSE, False, False, 3, True),
        (Outcome.REFUSE, True, True, 3, False),
        (Outcome.REFUSE, True, True, 0, True),
        (Outcome.GRANT, True, True, 0, True),
        (Outcome.GRANT, False, True, 3, False),
        (Outcome.GRANT, False, False, 0, False),
    ],
)
def test_57_19_what_goes_to_the_decider_without_publicity(
    outcome: Outcome,
    refusals_posted: bool,
    after_objection: bool,
    again_days: int,
    unposted: bool,
) -> None:
    found = rules.may_forward(
        outcome,
        refusals_posted=refusals_posted,
        after_objection=after_objection,
        again_days=again_days,
    )
    assert (found is None) is unposted
    hung = rules.publicity_fault(outcome, refusals_posted=refusals_posted)
    assert (hung is None) is (outcome is Outcome.GRANT or refusals_posted)


def test_57_19_ordinance_18_a_refusal_is_posted_too_as_neither_excepts_it() -> None:
    for day in (date(2016, 5, 1), date(2021, 7, 1), AFTER):
        posted = law_on(day).flag("dibao.publicity.refusals")
        assert (posted.value, posted.confirmed) == (True, False)


@pytest.mark.parametrize(
    ("taken", "stands"),
    [
        ("survey cosign sign", True),
        ("survey sign start_check disqualify contest", True),
        ("survey cosign", False),
        ("survey sign survey", False),
        ("survey sign survey withdraw_survey", True),
        ("survey withdraw_survey", False),
        ("survey sign return_step start_check", False),
        ("survey sign return_step survey sign", True),
        ("survey sign inspect", True),
        ("", False),
    ],
)
def test_57_15_16_20_a_signed_survey_stands_until_the_case_is_sent_back(
    taken: str, stands: bool
) -> None:
    assert rules.survey_stands(taken.split()) is stands


@pytest.mark.parametrize(
    ("taken", "against"),
    [
        ("disqualify", True),
        ("survey sign disqualify", True),
        ("disqualify survey sign", False),
        ("survey sign disqualify contest close_check_surveyed", False),
        ("disqualify contest close_check", False),
        ("survey sign close_check_surveyed start_check disqualify", True),
    ],
)
def test_57_18_what_a_check_found_is_answered_by_a_survey_or_a_new_check(
    taken: str, against: bool
) -> None:
    assert rules.checked_against(taken.split()) is against


@pytest.mark.parametrize(
    ("taken", "fault"),
    [
        ([("sign", False)], "appraisal-missing"),
        ([("sign", False), ("record_appraisal", False)], None),
        ([("record_appraisal", True)], "appraisal-disputed"),
        ([("record_appraisal", True), ("sign", False)], None),
        ([("record_appraisal", True), ("record_appraisal", False)], None),
    ],
)
def test_ordinance_18_2_the_community_appraises_and_where_it_is_divided_they_survey_anew(
    taken: list[tuple[str, bool]], fault: str | None
) -> None:
    found = rules.community_fault(taken)
    assert (None if found is None else found.code) == fault


@pytest.mark.parametrize(
    ("convened", "held", "participants", "pointer"),
    [
        (date(2021, 6, 1), date(2021, 6, 3), 3, None),
        (None, date(2021, 6, 3), 3, ""),
        (date(2021, 6, 4), date(2021, 6, 3), 3, "/held_on"),
        (date(2021, 6, 1), date(2021, 6, 6), 3, "/held_on"),
        (date(2021, 6, 1), date(2021, 6, 3), 2, "/participants"),
    ],
)
def test_ordinance_18_2_an_appraisal_is_called_for_and_held_by_several(
    convened: date | None, held: date, participants: int, pointer: str | None
) -> None:
    found = rules.convened_fault(convened, held, participants, date(2021, 6, 5))
    assert (None if found is None else found.pointer) == pointer


def test_ordinance_18_2_is_followed_until_2021_07() -> None:
    def asked(day: date) -> bool:
        return law_on(day).flag("dibao.appraisal.required").value

    assert asked(date(2021, 6, 30))
    assert not asked(date(2021, 7, 1))


def test_what_the_county_promises_is_a_limit_of_its_own_beside_the_statutory_one() -> None:
    day, key = date(2025, 3, 3), "dibao.limit.promised"
    kept = limits.limits_of(law_on(day), Level.COUNTY)
    assert (kept.promised, kept.total and kept.total.term.count) == (None, 25)
    term = Term(10, TermUnit.WORKING_DAYS, "渝北民政〔2025〕3号", day)
    row = Row(key, term, term.source, day, seeded=False)
    with_it = limits.limits_of(parameters.law_on(day, [*seed().rows, row]), Level.COUNTY)
    assert with_it.promised is not None
    assert (with_it.promised.code, with_it.promised.term.count) == (key, 10)
    assert (with_it.total, with_it.steps) == (kept.total, kept.steps)


def test_57_15_a_survey_ends_the_three_days_for_beginning_it() -> None:
    kept = limits.limits_of(law_on(date(2025, 3, 3)), Level.COUNTY)
    assert kept.steps.keys() - limits.survey_begun(kept).steps.keys() == {"accepted"}


def test_83_4_1_the_limit_is_prolonged_once_and_on_a_ground_that_is_there() -> None:
    hard = Prolongation.HARD_SURVEY
    assert rules.prolongation_fault(hard, (), "") is None
    assert rules.prolongation_fault(hard, (), "hard_survey") is not None
    assert rules.prolongation_fault(Prolongation.OBJECTION, (), "") is not None
    assert rules.prolongation_fault(Prolongation.OBJECTION, ("objection",), "") is None
    assert rules.prolongation_fault(Prolongation.SEPARATE_RESIDENCE, (), "") is not None
    elsewhere = Prolongation.APPLIED_ELSEWHERE
    assert rules.prolongation_fault(elsewhere, (), "") is not None
    assert rules.prolongation_fault(elsewhere, ("applied_elsewhere",), "") is None


def test_57_20_the_bureau_surveys_near_relatives_and_complaints() -> None:
    assert rules.inspection_required(["near_relative"])
    assert rules.inspection_required(["complaint", "objection"])
    assert not rules.inspection_required(["objection", "hard_survey"])


def test_57_2_law_44_only_the_organ_with_the_power_decides() -> None:
    assert rules.competent(Level.COUNTY, holds_county=True, holds_town=True)
    assert not rules.competent(Level.COUNTY, holds_county=False, holds_town=True)
    assert rules.competent(Level.TOWN, holds_county=False, holds_town=True)
    assert not rules.competent(Level.TOWN, holds_county=True, holds_town=True)
    assert not rules.competent(Level.TOWN, holds_county=False, holds_town=False)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("entitled", Outcome.GRANT),
        ("alone", Outcome.GRANT),
        ("edge", Outcome.REFUSE),
        ("not_entitled", Outcome.REFUSE),
        ("undecided", None),
    ],
)
def test_what_the_rules_lead_to(outcome: str, expected: Outcome | None) -> None:
    assert rules.decided_by_rules(outcome) is expected


def test_57_29_a_death_ends_the_procedure_of_a_single_applicant_alone() -> None:
    assert rules.termination_fault(TerminationGround.DECEASED, 1) is None
    assert rules.termination_fault(TerminationGround.DECEASED, 0) is None
    assert rules.termination_fault(TerminationGround.DECEASED, 2) is not None
    assert rules.termination_fault(TerminationGround.UNCOOPERATIVE, 2) is None


HOME, AWAY = "500112129001", "500112142200"
SICHUAN, GUIZHOU = "511602001001", "520302001001"


@pytest.mark.parametrize(
    ("members", "permit", "basis"),
    [
        ([(None, None)], False, "domicile"),
        ([(HOME, None)], False, "domicile"),
        ([(HOME, AWAY)], False, "domicile"),
        ([(AWAY, HOME)], False, ""),
        ([(AWAY, HOME)], True, "residence_permit"),
        ([(AWAY, None), (HOME, None)], False, "domicile"),  # within a province: one of them
        ([(HOME, HOME), (SICHUAN, HOME)], False, "several_provinces"),
        ([(HOME, SICHUAN), (SICHUAN, SICHUAN)], False, ""),  # who lives where registered: there
        ([(HOME, GUIZHOU), (SICHUAN, GUIZHOU)], False, "several_provinces"),  # nobody does: any
        ([(SICHUAN, HOME)], True, "residence_permit"),
    ],
)
def test_57_4_5_law_37_where_an_application_is_made(
    members: list[tuple[str | None, str | None]], permit: bool, basis: str
) -> None:
    placed = [Placed(str(n), *one) for n, one in enumerate(members)]
    found = rules.place_of_application(placed, OWN, BEFORE, residence_permit=permit)
    assert found.basis == basis
    assert basis or found.detail


def test_law_37_is_cited_from_its_day_on() -> None:
    placed = [Placed("a", AWAY, None)]
    cited = [
        rules.place_of_application(placed, OWN, day, residence_permit=False).article
        for day in (date(2021, 6, 30), BEFORE, AFTER)
    ]
    assert cited == [
        "重庆市城乡居民最低生活保障条例(2016)第十四条",
        "民发〔2021〕57号第四条",
        "社会救助法第三十七条",
    ]


def test_83_4_1_separate_residence_is_found() -> None:
    assert not rules.separated([Placed("a", HOME, HOME), Placed("b", HOME, None)])
    assert rules.separated([Placed("a", HOME, HOME), Placed("b", HOME, AWAY)])


def test_relief_md_1_documents_cite_the_law_of_their_day() -> None:
    before, after = rules.law_basis(BEFORE), rules.law_basis(AFTER)
    assert before.keys() == after.keys()
    assert "社会救助暂行办法" in before["remedy"]
    assert "社会救助法》第七十六条" in after["remedy"]
    assert not any("暂行办法" in text for text in after.values())
    assert not any("社会救助法》" in text for text in before.values())
    oldest = rules.law_basis(date(2021, 6, 30))
    assert oldest.keys() == before.keys()
    assert not any("2021" in text or "社会救助法》" in text for text in oldest.values())
    assert all("57号" in rules.law_basis(date(2021, 7, 1))[name] for name in ("grant", "accept"))


@pytest.mark.parametrize(
    ("day", "level", "organ", "article"),
    [
        ("2023-12-31", Level.COUNTY, "渝北区人民政府或者重庆市民政局", "第九条、第十二条"),
        ("2023-12-31", Level.TOWN, "渝北区人民政府", "第九条、第十三条、第十五条"),
        ("2024-01-01", Level.COUNTY, "渝北区人民政府", "第二十条、第二十四条"),
        ("2026-07-01", Level.TOWN, "渝北区人民政府", "第二十条、第二十四条"),
    ],
)
def test_a_decision_names_term_and_organ_of_review_and_suit(
    day: str, level: Level, organ: str, article: str
) -> None:
    review, suit = rules.remedies(date.fromisoformat(day), level, "渝北区")
    assert f"六十日内向{organ}申请行政复议（《行政复议法》{article}）" in review
    assert "六个月" in suit
