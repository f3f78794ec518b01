"""The time limits of an application by the law of the day on which it was accepted."""

from dataclasses import replace

from casework.clock import TimeLimit
from casework.service import Limits
from chassis.law.deadlines import TermUnit
from services.relief.parameters.rules import Law, Level

_UNITS = {TermUnit.WORKING_DAYS: "个工作日", TermUnit.DAYS: "日", TermUnit.MONTHS: "个月"}

_PROMISED = "dibao.limit.promised"
_TOTAL, _TOWN, _SPECIAL = "dibao.limit.total", "dibao.limit.town", "dibao.limit.special"
_OF_STATE = {
    "accepted": ("dibao.limit.survey_start", "启动家庭经济状况调查"),
    "awaiting": ("dibao.limit.confirm", "审核确认"),
    "refused": ("dibao.limit.refusal_notice", "书面告知不予确认"),
}


def total_limit(law: Law, level: Level) -> TimeLimit:
    """The whole time (57号 art. 22; 83号 4(1): shorter where the town decides)."""
    key = _TOWN if level is Level.TOWN and law.holds(_TOWN) else _TOTAL
    return _limit(law, key, "审核确认办理期限")


def limits_of(law: Law, level: Level) -> Limits:
    """All limits of a case that is accepted by this law where that organ decides."""
    return Limits(total_limit(law, level), step_limits(law), promised_limit(law))


def promised_limit(law: Law) -> TimeLimit | None:
    """What the county itself promises (承诺时限); None where it has published nothing."""
    return _limit(law, _PROMISED, "承诺办结时限") if law.holds(_PROMISED) else None


def survey_begun(kept: Limits) -> Limits:
    """The limits of a case whose investigation has begun while it stayed accepted (57号 15)."""
    steps = {state: one for state, one in kept.steps.items() if state != "accepted"}
    return replace(kept, steps=steps)


def special_limit(law: Law) -> TimeLimit | None:
    """The whole time in special circumstances; None where the law of the day knows none."""
    return _limit(law, _SPECIAL, "延长后的办理期限") if law.holds(_SPECIAL) else None


def step_limits(law: Law) -> dict[str, TimeLimit]:
    """What single states may take (57号 art. 15, 20, 21), as far as the law of the day says."""
    return {
        state: TimeLimit(key, title, law.term(key).value)
        for state, (key, title) in _OF_STATE.items()
        if law.holds(key)
    }


def words(limit: TimeLimit) -> str:
    """How long a limit is, as documents say it: 25个工作日."""
    return f"{limit.term.count}{_UNITS[limit.term.unit]}"


def _limit(law: Law, key: str, title: str) -> TimeLimit:
    return TimeLimit(key, title, law.term(key).value, law.codes("dibao.limit.excludes").value)
