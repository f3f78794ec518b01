from pydantic import Field

from chassis.settings import Settings


class CheckSettings(Settings):
    """Where the other side of a check is found; read anew for each query."""

    departments_url: str = Field(
        default="", description="base URL of the exchange with other departments; empty: none"
    )
    departments_timeout: float = Field(
        default=10.0, gt=0, le=60, description="seconds that a source has for its answer"
    )
