"""What the console is told by its environment."""

from pathlib import Path

from pydantic import Field

from chassis.settings import Settings


class ConsoleSettings(Settings):
    """Names as of the chassis: `MINZHENG_<NAME>`."""

    gateway_url: str = Field(
        default="http://127.0.0.1:8000", description="the public door, without a path"
    )
    console_publishes: bool = Field(
        default=False, description="offer the form that publishes an edition: there is no login yet"
    )
    clients: Path = Field(
        default=Path("clients.json"), description="JSON list of clients; the first one is ours"
    )
