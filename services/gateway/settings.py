"""What the gateway is told by its environment, beside what every service is told."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from chassis.settings import Settings


def _origin(url: str) -> str:
    """An origin without a path: what is asked for is appended to it as it came."""
    if not url:
        return url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("expected http(s)://host[:port]")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("expected http(s)://host[:port]")
    return f"{parts.scheme}://{parts.netloc}"


Origin = Annotated[str, AfterValidator(_origin)]


class GatewaySettings(Settings):
    """Names as of the chassis: `MINZHENG_<NAME>`; an empty upstream is not part of this house."""

    upstream_relief: Origin = ""
    upstream_eldercare: Origin = ""
    upstream_indicator: Origin = ""
    upstream_seconds: float = Field(default=30, gt=0, description="until a part begins to answer")
    probe_seconds: float = Field(default=2, gt=0, description="between two looks at the parts")
    public_url: Origin = Field(default="", description="the door as clients see it")
    console_url: str = Field(default="", pattern=r"^(https?://[^\s\"'<>]+)?$")
    token_seconds: int = Field(default=3600, gt=0, le=24 * 3600)

    @model_validator(mode="after")
    def _keys_given(self) -> Self:
        if self.deployment and self.keys is None:
            raise ValueError("a deployment says where the signing key is kept: MINZHENG_KEYS")
        return self

    def upstream(self, part: str) -> str:
        """The origin of a part; empty when this house has none."""
        url: str = getattr(self, f"upstream_{part}")
        return url
