"""Events that the community service (社区与社会组织) will publish."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import Field

from contracts.model import Contract, UnitId


class SocialWorkerPeriod(Contract):
    from_: date = Field(alias="from")
    unit: UnitId
    registered: bool
    certified: bool = False  # 持证


class SocialWorker(Contract):
    """Topic `minzheng.community.social_worker`: one registration; `person` is a pseudonym.

    One person may stand in two registrations: counts go by distinct person (表1 #7).
    """

    id: UUID
    person: UUID
    periods: tuple[SocialWorkerPeriod, ...] = Field(min_length=1, max_length=200)

    def void(self) -> Self:
        first = self.periods[0].model_copy(update={"registered": False})
        return self.model_copy(update={"periods": (first,)})
