"""What a step of an application is refused for, beyond what every case's step is."""

from chassis.problems import Conflict, FieldError, Forbidden, Problem, Unprocessable
from services.relief.applications.rules import Refusal
from services.relief.entitlement.problems import ContradictsRules


class NotCompetent(Forbidden):
    """Another organ decides on the day (57号 art. 2; 社会救助法 art. 44)."""

    slug, title = "not-competent", "本单位当日无权决定"


class Incomplete(Conflict):
    slug, title = "incomplete", "申请尚不齐备"


class NotDemandable(Unprocessable):
    slug, title = "not-demandable", "不得要求申请人提供"


class NotHere(Conflict):
    slug, title = "wrong-place", "不属于本镇街受理"


class OpinionOutdated(Conflict):
    """The household is no longer what the first opinion was given and posted on (57号 art. 19)."""

    slug, title = "opinion-outdated", "初审意见所依据的情况已有变化"


class ApplicantLeft(Conflict):
    """Nobody can be named or addressed: the applicant is of the household no more."""

    slug, title = "applicant-left", "申请人已不是家庭成员"


class StepRefused(Conflict):
    slug, title = "step-refused", "不符合办理条件"


def refused(refusal: Refusal) -> Problem:
    """A guard's answer as a problem: 422 where a field is at fault, else 409."""
    if refusal.code in {"contradicts-rules", "undecided", "disqualified"}:
        return ContradictsRules(refusal.detail)
    if refusal.pointer:
        return Unprocessable(refusal.detail, errors=[FieldError(refusal.pointer, refusal.detail)])
    return StepRefused(refusal.detail)


def check(refusal: Refusal | None) -> None:
    """Raise what a guard refuses."""
    if refusal is not None:
        raise refused(refusal)
