"""What a process is told by its environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One service's settings; every name is read from `MINZHENG_<NAME>` (or as said beside it)."""

    model_config = SettingsConfigDict(
        env_prefix="MINZHENG_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    database_url: str = Field(
        default="",
        repr=False,
        validation_alias="DATABASE_URL",
        description="app role: postgresql://…",
    )
    owner_database_url: str = Field(
        default="",
        repr=False,
        validation_alias="OWNER_DATABASE_URL",
        description="owner role, for migrations alone",
    )
    kafka: str = Field(default="", description="host:port of a Kafka broker")
    bus_url: str = Field(default="", repr=False, description="postgresql://… of the embedded bus")
    jwks_url: str = Field(default="", description="where the token issuer publishes its keys")
    issuer: str = "minzheng"
    audience: str = "minzheng"
    state: Path = Field(default=Path("var"), description="folder for what a process may keep")
    keys: Path | None = Field(default=None, description="folder of keys; made when embedded")
    field_keys: str = Field(
        default="", repr=False, description="id:key,… that encrypt fields, current first"
    )
    pseudonym_key: str = Field(default="", repr=False, description="makes persons' pseudonyms")
    name_index_key: str = Field(
        default="", repr=False, description="makes the blind index of names"
    )
    clock: str = Field(default="", description="file of a driven clock; refused in a deployment")
    deployment: bool = False
    metrics_port: int = Field(default=0, description="where a work process shows its metrics")
    pool_size: int = 8

    @model_validator(mode="after")
    def _one_bus(self) -> Self:
        if self.kafka and self.bus_url:
            raise ValueError("either MINZHENG_KAFKA or MINZHENG_BUS_URL, not both")
        return self

    @property
    def key_folder(self) -> Path:
        """Where this process's keys are kept; a deployment names it."""
        return self.keys or self.state / "keys"

    @property
    def bus(self) -> str:
        """The URL of the bus in use."""
        return f"kafka://{self.kafka}" if self.kafka else self.bus_url
