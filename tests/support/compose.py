"""deploy/docker-compose.yml as it is read: the part of the Compose format that we use, no more."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
IMAGE = "minzheng:"
"""How the images of our own processes begin."""

Duration = Annotated[str, StringConstraints(pattern=r"^\d+[smh]$")]
Size = Annotated[str, StringConstraints(pattern=r"^\d+[mg]$")]
Volume = Annotated[str, StringConstraints(pattern=r"^[./a-z0-9-]+:/[^:]+(:ro)?$")]
Port = Annotated[
    str, StringConstraints(pattern=r"^(\d+\.\d+\.\d+\.\d+|\$\{\w+:-[\d.]+\}):\d+:\d+$")
]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Build(Part):
    context: Literal[".."]
    dockerfile: str
    target: str


class Healthcheck(Part):
    test: list[str]
    interval: Duration
    timeout: Duration
    retries: int
    start_period: Duration = "0s"


class Secret(Part):
    source: str
    target: str


class Condition(Part):
    condition: Literal["service_healthy", "service_completed_successfully"]


class Replicas(Part):
    replicas: Annotated[int, Field(ge=1)]


class Logging(Part):
    driver: Literal["json-file"]
    options: dict[str, str]


class Service(Part):
    image: str
    build: Build | None = None
    user: Annotated[str, StringConstraints(pattern=r"^\d+:\d+$")]
    init: Literal[True]
    read_only: Literal[True]
    tmpfs: list[str]
    cap_drop: list[str]
    security_opt: list[str]
    pids_limit: int
    ulimits: dict[str, int] = {}
    mem_limit: Size
    shm_size: Size | None = None
    networks: list[str]
    ports: list[Port] = []
    logging: Logging
    restart: Annotated[str, StringConstraints(pattern=r"^(no|always|on-failure:\d+)$")]
    stop_grace_period: Duration | None = None
    hostname: str | None = None
    command: list[str] = []
    environment: dict[str, str] = {}
    secrets: list[Secret | str] = []
    volumes: list[Volume] = []
    depends_on: dict[str, Condition] = {}
    healthcheck: Healthcheck | None = None
    profiles: list[str] = []
    deploy: Replicas = Replicas(replicas=1)

    @property
    def is_ours(self) -> bool:
        return self.image.startswith(IMAGE)

    @property
    def by_hand(self) -> bool:
        return bool(self.profiles)

    @property
    def runs_once(self) -> bool:
        return self.restart != "always"

    @property
    def secret_files(self) -> dict[str, str]:
        """Name of the file in the container → name of the secret."""
        return dict(
            (one, one) if isinstance(one, str) else (one.target, one.source) for one in self.secrets
        )


class Network(Part):
    internal: bool = False


class SecretFile(Part):
    file: str


class ComposeFile(Part):
    name: str
    services: dict[str, Service]
    networks: dict[str, Network]
    volumes: dict[str, dict[str, Any]]
    secrets: dict[str, SecretFile]

    @property
    def ours(self) -> dict[str, Service]:
        return {name: one for name, one in self.services.items() if one.is_ours}


def read() -> ComposeFile:
    whole = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
    return ComposeFile.model_validate(
        {key: part for key, part in whole.items() if not key.startswith("x-")}
    )


def interpolated(text: str) -> str:
    """The text as Compose makes it where none of its variables is set: `${NAME:-default}`."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
