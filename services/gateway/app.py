"""The one public door (统一入口): tokens, routing to the services, one OpenAPI, two pages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from chassis.access import PublicKeys
from chassis.app import create_app
from chassis.service import Service
from chassis.settings import Settings
from chassis.signing import SigningKey
from services.gateway.clients.routes import router as clients
from services.gateway.database import Base
from services.gateway.pages import documents
from services.gateway.pages.openapi import merged
from services.gateway.pages.routes import router as pages
from services.gateway.parts import PARTS
from services.gateway.proxy.routes import router as proxy
from services.gateway.proxy.upstream import Upstream
from services.gateway.settings import GatewaySettings
from services.gateway.state import Gateway
from services.gateway.tokens.routes import router as tokens
from services.gateway.tokens.secret_check import SecretCheck
from services.gateway.tokens.throttle import Throttle
from services.gateway.watch import Watch


def own_keys(settings: Settings) -> PublicKeys:
    """The issuer verifies with its own key, not by HTTP to itself."""
    return PublicKeys(SigningKey.load_or_create(settings.key_folder).public_jwks())


SERVICE = Service(
    name="gateway",
    title="统一接入",
    description="民政业务平台的统一入口：访问令牌、接入方管理，以及各业务服务的接口。",
    # The proxy's pattern matches every path under /v1: it stands last.
    routers=(tokens, clients, pages, proxy),
    metadata=Base.metadata,
    migrations=Path(__file__).parent / "migrations",
    keys=own_keys,
)


@asynccontextmanager
async def opened(settings: GatewaySettings) -> AsyncIterator[Gateway]:
    """Connections to the parts and the watch over them, for the life of the process."""
    async with AsyncExitStack() as stack:
        upstreams: dict[str, Upstream] = {}
        for part in PARTS:
            if origin := settings.upstream(part.name):
                upstream = Upstream(part, origin, seconds=settings.upstream_seconds)
                stack.push_async_callback(upstream.close)
                upstreams[part.name] = upstream
        watch = Watch(upstreams, every=settings.probe_seconds)
        looking = asyncio.create_task(watch.run())
        stack.push_async_callback(_ended, looking)
        yield Gateway(
            settings=settings,
            signing_key=SigningKey.load_or_create(settings.key_folder),
            secrets=SecretCheck(),
            throttle=Throttle(),
            upstreams=upstreams,
            watch=watch,
        )


def create_gateway_app(settings: GatewaySettings | None = None) -> FastAPI:
    """The door's HTTP application; without settings, by the environment of the process."""
    settings = settings or GatewaySettings()
    app = create_app(SERVICE, settings)
    chassis_lifespan, own_document = app.router.lifespan_context, app.openapi
    whole: dict[str, Any] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with chassis_lifespan(app), opened(settings) as gateway:
            app.state.gateway = gateway
            yield

    def document() -> dict[str, Any]:
        if not whole:
            whole.update(merged(own_document(), documents.read()))
        return whole

    app.router.lifespan_context = lifespan
    # A redirect to add a slash would be made of the caller's Host header.
    app.router.redirect_slashes = False
    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way
    return app


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
