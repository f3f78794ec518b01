from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database import moment
from services.gateway.database import Base


class Client(Base):
    """Another system that calls: never deleted, so that an id in the audit keeps its meaning."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    organisation: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    divisions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[moment]
    disabled_at: Mapped[moment | None]
    version: Mapped[int]


class ClientSecret(Base):
    """A secret's hash; `used_at` is its first use."""

    __tablename__ = "client_secret"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"), index=True)
    hash: Mapped[str]
    created_at: Mapped[moment]
    used_at: Mapped[moment | None]
    ends_at: Mapped[moment | None]
