"""What the gateway's process holds beside the chassis's runtime."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.signing import SigningKey
from services.gateway.proxy.upstream import Upstream
from services.gateway.settings import GatewaySettings
from services.gateway.tokens.secret_check import SecretCheck
from services.gateway.tokens.throttle import Throttle
from services.gateway.watch import Watch


@dataclass(frozen=True, slots=True)
class Gateway:
    """Made at the start of the process, closed at its end."""

    settings: GatewaySettings
    signing_key: SigningKey
    secrets: SecretCheck
    throttle: Throttle
    upstreams: dict[str, Upstream]
    watch: Watch


def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


CurrentGateway = Annotated[Gateway, Depends(gateway_of)]
