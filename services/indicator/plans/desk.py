from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

from chassis.access import Principal
from chassis.law.units import Scope
from chassis.requests import Caller, CurrentRuntime, Transaction, VisibleUnits, require
from contracts.places import scopes
from services.indicator.plans.access import Desk
from services.indicator.plans.loader import load_plan

SCOPES = {one.code: Scope.of(one) for one in scopes()}

Reader = Annotated[Principal, Depends(require("plan:read"))]


class _NoQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")


NoQuery = Annotated[_NoQuery, Query()]
"""Of a route that takes no query parameter: one that it is given all the same is a mistake."""


async def desk(
    session: Transaction, runtime: CurrentRuntime, units: VisibleUnits, principal: Caller
) -> Desk:
    return Desk(
        session, load_plan(), await runtime.places.register(), SCOPES, units, principal.divisions
    )


AtDesk = Annotated[Desk, Depends(desk)]
