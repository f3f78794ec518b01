"""What a process is told by its environment, and by files where that would show a secret."""

import os
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

SECRETS = "MINZHENG_SECRETS"
"""Names the folder of secret files; each is called as the variable that it stands for."""


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
    admin_database_url: str = Field(
        default="",
        repr=False,
        validation_alias="ADMIN_DATABASE_URL",
        description="superuser, to make a service's database and its roles, for nothing else",
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
    audit_keys: str = Field(
        default="", repr=False, description="id:key,… that chain audit entries, current first"
    )
    anchor_database_urls: str = Field(
        default="",
        repr=False,
        description="postgresql://…,… where others keep this service's anchors, to verify by",
    )
    clock: str = Field(default="", description="file of a driven clock; refused in a deployment")
    deployment: bool = False
    metrics_port: int = Field(default=0, description="where a work process shows its metrics")
    metrics_host: str = Field(default="127.0.0.1", description="on which address it does")
    pool_size: int = 8
    connections: int = Field(
        default=2_000, gt=0, description="of clients, per process; then the idlest is let go"
    )
    header_seconds: float = Field(default=10, gt=0, description="for a request's head")
    body_seconds: float = Field(default=30, gt=0, description="for a request's body")
    requests_at_once: int = Field(
        default=256, gt=0, description="under way in a process; the next are told 503"
    )
    requests_a_second: float = Field(
        default=200, ge=0, description="of one client, per process, on average; 0: no limit"
    )
    lookups_a_minute: float = Field(
        default=60, ge=0, description="of persons, by one client; 0: no limit"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment, then the secret files: a process list and a crash show no file."""
        folder = os.environ.get(SECRETS)
        files = (SecretsSettingsSource(settings_cls, folder),) if folder else ()
        return (init_settings, env_settings, *files)

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
