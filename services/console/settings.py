"""What the console is told by its environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from chassis.settings import Settings


class ConsoleSettings(Settings):
    """Names as of the chassis: `MINZHENG_<NAME>`."""

    gateway_url: str = Field(
        default="http://127.0.0.1:8000", description="the public door, without a path"
    )
    console_publishes: bool = Field(
        default=False, description="offer the form that publishes an edition: there is no login yet"
    )
    clerks: Path | None = Field(
        default=None, description="JSON list of a demonstration's clerks, offered at the login"
    )
    clients: Path = Field(
        default=Path("clients.json"), description="JSON list of clients; the first one is ours"
    )

    @model_validator(mode="after")
    def _nobody_offered(self) -> Self:
        if self.deployment and self.clerks is not None:
            raise ValueError("a deployment offers nobody's login: MINZHENG_CLERKS")
        return self
