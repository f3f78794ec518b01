"""What a clerk is offered of a case: the next step first, and nothing that would be refused."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from casework.schemas import CaseView as RealCase
from services.console import clerks, days, offers
from services.console.award_answers import Change
from services.console.case_answers import CaseView
from services.console.dossier import Application, Dossier, Now
from services.console.offers import Offers
from services.relief.applications.schemas import ApplicationFile, AssessmentNow
from tests.services.console import stand_in_cases as stand
from tests.services.console.stand_in_cases import CHECKER, HEAD, SURVEYOR, WINDOW, Case

DAY = date(2025, 6, 30)


class _Standing:
    """A clock that stands at one day."""

    def __init__(self, day: date) -> None:
        self._day = day

    def now(self) -> datetime:
        return datetime(self._day.year, self._day.month, self._day.day, 4, tzinfo=UTC)

    def today(self) -> date:
        return self._day


@pytest.fixture(autouse=True)
def on_the_day() -> None:
    days.use(_Standing(DAY))


def case_in(state: str, **more: Any) -> Case:
    return Case(stand.identity(1, 1), 1, state, **more)


def offered(case: Case, clerk: str, **changes: Any) -> Offers:
    """What `clerk` is offered; `changes` are made to the application as it is answered."""
    application = ApplicationFile.model_validate(
        {**stand.application_of(case, clerk), **changes}
    ).model_dump(mode="json", by_alias=True)
    now = AssessmentNow.model_validate(
        {
            "as_of": DAY,
            "outcome": None if case.silent else "grant",
            "level": "county",
            "flagged": "",
            "assessment": stand.assessment_of(case),
        }
    ).model_dump(mode="json")
    view = RealCase.model_validate(stand.view_of(case, clerk)).model_dump(mode="json")
    dossier = Dossier(Application.model_validate(application), Now.model_validate(now))
    return offers.of(CaseView.model_validate(view), dossier, clerk)


def titles(found: Offers) -> list[str]:
    return [one.title for one in found.next]


def further(found: Offers) -> set[str]:
    return {one.title for one in found.further}


def survey_by(*surveyors: tuple[str, str | None], bureau: bool = False) -> dict[str, Any]:
    of_town = stand.application_of(case_in("surveyed"), SURVEYOR)["surveys"][0]
    signatures = [{"surveyor": who, "signed_at": when} for who, when in surveyors]
    return {**of_town, "by_bureau": bureau, "signatures": signatures}


SIGNED = "2025-06-15T02:00:00Z"


def test_an_application_that_is_whole_is_to_be_accepted() -> None:
    assert titles(offered(case_in("submitted"), WINDOW)) == ["受理"]


def test_an_application_that_lacks_something_is_to_be_told_so_once() -> None:
    """民发〔2021〕57号 art. 10."""
    assert titles(offered(case_in("submitted", missing=True), WINDOW)) == ["一次性告知补正"]


def test_what_is_done_on_occasion_stands_apart() -> None:
    found = offered(case_in("accepted"), WINDOW)
    assert titles(found) == []
    assert {"申请人撤回", "登记投诉举报", "近亲属备案"} <= further(found)


def test_a_report_is_made_when_no_source_is_silent() -> None:
    """Missing is not zero (民发〔2021〕57号 art. 17)."""
    silent = offered(case_in("checking", silent=True), CHECKER)
    assert titles(silent) == []
    assert silent.waits.startswith("还有 1 项查询没有答复")
    assert titles(offered(case_in("checking"), CHECKER)) == ["出具核对报告"]


def test_a_survey_is_signed_by_those_who_made_it() -> None:
    """民发〔2021〕57号 art. 16."""
    surveys = [survey_by((SURVEYOR, SIGNED), (WINDOW, None))]
    assert titles(offered(case_in("surveying"), WINDOW, surveys=surveys)) == ["在调查记录上签字"]
    other = offered(case_in("surveying"), SURVEYOR, surveys=surveys)
    assert titles(other) == []
    assert other.waits == f"等{clerks.name_of(WINDOW)}在调查记录上签字。"


def test_a_household_is_surveyed_beside_the_check() -> None:
    """民发〔2021〕57号 art. 15."""
    visit, half = "登记入户调查", [survey_by((SURVEYOR, SIGNED), (WINDOW, None))]
    assert visit in further(offered(case_in("checking", silent=True), SURVEYOR))
    other = offered(case_in("checking", silent=True), WINDOW, surveys=half)
    assert titles(other) == ["在调查记录上签字"]
    closed = offered(case_in("checked"), SURVEYOR, surveys=half)
    assert titles(closed) == []
    assert closed.waits == f"等{clerks.name_of(WINDOW)}在调查记录上签字。"


def test_who_recorded_a_survey_can_take_it_back_until_all_have_signed() -> None:
    surveys = [survey_by((SURVEYOR, SIGNED), (WINDOW, None))]
    withdrawal = "撤回未签齐的调查记录"
    assert withdrawal in further(offered(case_in("surveying"), SURVEYOR, surveys=surveys))
    assert withdrawal not in further(offered(case_in("surveying"), WINDOW, surveys=surveys))


def test_when_the_applicant_is_gone_another_member_applies() -> None:
    found = offered(case_in("accepted"), WINDOW, applicant_left=True)
    assert titles(found) == ["变更申请人"]
    assert found.waits == "申请人已不是家庭成员，须先变更申请人。"


def test_an_opinion_waits_while_an_objection_does() -> None:
    """民发〔2021〕57号 art. 19."""
    objection = {
        "id": stand.identity(12, 1),
        "publicity": stand.identity(10, 1),
        "received_on": "2025-06-27",
        "objector": "村民",
        "content": "外出务工",
        "handled_by": None,
        "finding": None,
        "upheld": None,
        "answered_on": None,
        "appraisal": None,
    }
    opinion = stand.application_of(case_in("opined"), SURVEYOR)["opinions"][0]
    others = {"opinions": [{**opinion, "given_by": "w-09"}]}
    assert titles(offered(case_in("surveyed"), SURVEYOR)) == ["提出初审意见"]
    one = offered(case_in("surveyed"), SURVEYOR, objections=[objection], **others)
    assert titles(one) == ["处理异议并重新提出意见"]
    second = {**objection, "id": stand.identity(12, 2)}
    two = offered(case_in("surveyed"), SURVEYOR, objections=[objection, second], **others)
    assert titles(two) == ["回应异议"]
    own = offered(case_in("surveyed"), SURVEYOR, objections=[objection], opinions=[opinion])
    assert titles(own) == []
    assert [one.form.title for one in own.barred] == ["处理异议并重新提出意见"]


def test_the_community_is_asked_where_the_law_of_the_day_wants_it() -> None:
    """重庆市城乡居民最低生活保障条例(2016) art. 18."""
    calling = {"组织群众评议", "记录群众评议"}
    assert calling <= further(offered(case_in("surveyed"), SURVEYOR, appraisal_required=True))
    assert not calling & further(offered(case_in("surveyed"), SURVEYOR))


def test_a_refusal_is_posted_too_and_passed_on_where_it_need_not_be() -> None:
    """民发〔2021〕57号 art. 19."""
    opinion = stand.application_of(case_in("opined"), SURVEYOR)["opinions"][0]
    granted = offered(case_in("opined"), SURVEYOR)
    assert titles(granted) == ["公示初审意见"]
    refused = offered(case_in("opined"), SURVEYOR, opinions=[{**opinion, "outcome": "refuse"}])
    assert titles(refused) == ["公示初审意见"]
    assert "报送审核确认" in further(refused)


@pytest.mark.parametrize(
    ("day", "title"), [(date(2025, 7, 2), []), (date(2025, 7, 3), ["公示期满报送"])]
)
def test_publicity_ends_after_its_last_day(day: date, title: list[str]) -> None:
    days.use(_Standing(day))
    found = offered(case_in("publicised"), SURVEYOR)
    assert titles(found) == title
    assert found.waits == ("" if title else "公示至2025年7月2日，期满后报送。")


def test_the_decision_is_the_one_that_the_rules_lead_to() -> None:
    assert titles(offered(case_in("awaiting"), HEAD)) == ["确认同意"]
    unsettled = offered(case_in("awaiting", silent=True), HEAD)
    assert titles(unsettled) == []
    assert unsettled.waits == "尚有缺失或待认定的事项，不能作出决定。"


def test_whoever_investigated_sees_that_somebody_else_decides() -> None:
    """Four eyes (民发〔2021〕57号 art. 2)."""
    found = offered(case_in("awaiting", taken=[("survey", HEAD)]), HEAD)
    assert titles(found) == []
    assert [(one.form.title, one.why) for one in found.barred] == [
        ("确认同意", "您办理过“受理”，须由他人办理")
    ]


def test_who_may_not_decide_knows_before_the_rules_have_an_answer() -> None:
    """社会救助法 art. 44: on some days another organ decides."""
    found = offered(case_in("awaiting", silent=True, taken=[("survey", HEAD)]), HEAD)
    assert titles(found) == []
    assert [one.form.title for one in found.barred] == ["确认同意", "不予确认"]


def test_before_the_decision_the_bureau_surveys_where_a_relative_works_there() -> None:
    """民发〔2021〕57号 art. 20."""
    case = case_in("awaiting", flags=["near_relative"])
    assert titles(offered(case, CHECKER)) == ["登记民政部门入户调查"]
    assert titles(offered(case, HEAD)) == []
    waiting = [survey_by((CHECKER, None), bureau=True)]
    assert titles(offered(case, CHECKER, surveys=waiting)) == ["在调查记录上签字"]
    done = [survey_by((CHECKER, SIGNED), bureau=True)]
    assert titles(offered(case, HEAD, surveys=done)) == ["确认同意"]


def change_in(
    state: str, clerk: str = SURVEYOR, taken: Sequence[tuple[str, str]] = (), **more: Any
) -> tuple[CaseView, Change]:
    case = case_in(state, matter="dibao_change", taken=list(taken))
    view = RealCase.model_validate(stand.view_of(case, clerk)).model_dump(mode="json")
    return CaseView.model_validate(view), Change.model_validate({**stand.change_of(case), **more})


def test_who_would_get_less_is_heard_before_anything_is_decided() -> None:
    """社会救助法 art. 48."""
    case, change = change_in("proposed")
    found = offers.of(case, Dossier(change=change), SURVEYOR)
    assert titles(found) == ["记录听取意见"]
    assert [one.title for one in found.further] == ["撤销提出"]
    assert found.barred == []
    case, change = change_in("proposed", clerk=HEAD, taken=[("open", HEAD)])
    found = offers.of(case, Dossier(change=change), HEAD)
    assert [one.form.title for one in found.barred] == ["作出决定"]
    case, change = change_in("proposed", hearing_needed=False)
    assert titles(offers.of(case, Dossier(change=change), SURVEYOR)) == []
