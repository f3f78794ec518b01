"""What a step of a case is refused for."""

from casework.states import Matter, NotPermitted
from chassis.problems import Conflict, FieldError, Forbidden, Unprocessable


class NotNow(Conflict):
    """The step is not in the matter's table for the state in which the case is."""

    slug, title = "case-state", "办件当前状态不允许此操作"

    @classmethod
    def of(cls, matter: Matter, name: str, refused: NotPermitted) -> "NotNow":
        asked = next((one.title for one in matter.transitions if one.name == name), name)
        possible = "、".join(f"“{one.title}”" for one in refused.possible) or "无（已办结）"
        return cls(f"现在处于“{refused.state.title}”，不能“{asked}”；可以：{possible}")


class SameHands(Forbidden):
    """Four eyes: who took an earlier step may not take this one."""

    slug, title = "four-eyes", "须由他人办理"


class ReasonMissing(Unprocessable):
    """The step needs a reason."""

    slug, title = "reason-missing", "须说明理由"

    def __init__(self, asked: str) -> None:
        super().__init__(f"“{asked}”须说明理由", errors=[FieldError("/reason", "缺少理由")])


class AlreadyProlonged(Conflict):
    slug, title = "case-prolonged", "办理期限已经延长"


class TooOften(Conflict):
    """A case that has gone to and fro so often that its event is nearly full."""

    slug, title = "too-often", "办理次数过多"


class AlreadyTold(Conflict):
    slug, title = "already-told", "已经一次性告知"


class PublicityRunning(Conflict):
    slug, title = "publicity-running", "公示尚未期满"


class PublicityClosed(Conflict):
    slug, title = "publicity-closed", "公示已经结束"


class AlreadyPosted(Conflict):
    slug, title = "already-posted", "公示正在进行"


class AlreadyAnswered(Conflict):
    slug, title = "objection-answered", "异议已经答复"


class AlreadyDelivered(Conflict):
    slug, title = "already-delivered", "文书已经送达"
