"""The time limits of an application by the law of the day on which it was accepted."""

from casework.clock import TimeLimit
from services.relief.parameters.rules import Law, Level

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


def _limit(law: Law, key: str, title: str) -> TimeLimit:
    return TimeLimit(key, title, law.term(key).value, law.codes("dibao.limit.excludes").value)
