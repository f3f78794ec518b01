"""What a route asks for: who calls, with which scope, and the request's one transaction."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import audit
from chassis.access import KeysUnavailable, Principal, TokenRejected
from chassis.problems import Forbidden, Unauthorized, Unavailable, problem_of, problem_response
from chassis.service import Runtime

bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="由 `POST /oauth2/token` 取得的 JWT"
)


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


async def current_runtime(request: Request) -> Runtime:
    """As `runtime_of`; a dependency that is no coroutine would be run in a thread, each time."""
    return runtime_of(request)


CurrentRuntime = Annotated[Runtime, Depends(current_runtime)]


async def caller(
    request: Request,
    runtime: CurrentRuntime,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Principal:
    """The principal of a verified token, who does not ask too often.

    Every service verifies for itself.
    """
    if credentials is None:
        raise Unauthorized("请在 Authorization 头中提供 Bearer 令牌")
    try:
        principal = await runtime.verifier.verify(credentials.credentials)
    except TokenRejected as error:
        raise Unauthorized("令牌无效或已过期") from error
    except KeysUnavailable as error:
        raise Unavailable("令牌的签发方尚未就绪，请稍后重试") from error
    request.state.principal = principal
    runtime.callers.take(principal.subject)
    return principal


Caller = Annotated[Principal, Depends(caller)]


@dataclass(frozen=True, slots=True)
class require:  # noqa: N801 - reads as the verb that it is: Depends(require("relief:read"))
    """A dependency: the caller, who holds `scope`."""

    scope: str

    async def __call__(self, principal: Caller) -> Principal:
        if not principal.may(self.scope):
            raise Forbidden(f"需要权限 {self.scope}", of=self.scope)
        return principal


async def looking_up(runtime: CurrentRuntime, principal: Caller) -> None:
    """Count one look-up of a person, of which a caller has fewer than of other requests."""
    runtime.lookups.take(principal.subject)


LookUp = Depends(looking_up)


async def denied(request: Request, error: Exception) -> Response:
    """Answer a denial, by a scope or by what a case asks for, with an entry in the audit.

    The request's transaction is undone by then; the entry has one of its own.
    """
    problem = problem_of(error)
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is not None:
        async with runtime_of(request).database.transaction(
            actor=principal.subject, organisation=principal.organisation
        ) as session:
            await audit.record(
                session,
                action=f"{request.method} {request.scope['route'].path}",
                subject=getattr(error, "of", "")
                or "/".join(map(str, request.path_params.values())),
                purpose=problem.title,
                result="denied",
            )
    return problem_response(problem)


async def visible_units(runtime: CurrentRuntime, principal: Caller) -> frozenset[int]:
    return await runtime.places.visible(principal)


VisibleUnits = Annotated[frozenset[int], Depends(visible_units)]


async def transaction(
    runtime: CurrentRuntime, principal: Caller, units: VisibleUnits
) -> AsyncIterator[AsyncSession]:
    """The request's transaction: committed before the answer goes out, or not at all."""
    async with runtime.database.transaction(
        actor=principal.subject, organisation=principal.organisation, units=units
    ) as session:
        yield session


Transaction = Annotated[AsyncSession, Depends(transaction, scope="function")]
