"""Migrations: each lineage (a folder of revisions) owns one schema's tables and its version.

chassis        what every service stands on, schema `chassis`
acting         inbox, offsets and dead letters of consumers that act, schema `acting`
consumption    the same of consumers that project, schema `projection` (or `next`, in a rebuild)
places         the register of units, schema `projection` (or `next`)
further        what several services have alike (casework), schema `public`
service        the domain's own tables, schema `public`
projection     what the service derives from events, schema `projection` (or `next`)
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from chassis import (  # noqa: F401 - their tables
    audit,
    audit_anchors,
    audit_chain,
    idempotency,
    jobs,
    outbox,
)
from chassis.consumption import consumption_metadata
from chassis.database import ACTING, PROJECTION, async_url
from chassis.lineage import Lineage
from chassis.places import places_metadata
from chassis.service import Service

HERE = Path(__file__).parent / "migrations"
Result = TypeVar("Result")

MIGRATION_LOCK = 7_303
LOCK_TIMEOUT, STATEMENT_TIMEOUT = "5s", "300s"
CHASSIS_GRANTS = (
    "GRANT INSERT ON chassis.audit_entry TO {app}",
    "GRANT SELECT, INSERT ON chassis.audit_link, chassis.audit_anchor TO {app}",
    "GRANT SELECT, INSERT ON chassis.audit_chain TO {app}",
    "GRANT UPDATE (event_seq, anchored_position, anchored_at) ON chassis.audit_chain TO {app}",
    "GRANT EXECUTE ON FUNCTION chassis.audit_waiting(bigint, integer) TO {app}",
    "GRANT SELECT, INSERT, UPDATE (published_at) ON chassis.outbox TO {app}",
    "GRANT SELECT ON chassis.relay_hold TO {app}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON chassis.job TO {app}",
    "GRANT SELECT, INSERT, UPDATE (answer), DELETE ON chassis.idempotency_key TO {app}",
)


def lineages(service: Service, *, projection: str = PROJECTION) -> list[Lineage]:
    """All lineages of a service, in the order in which they are migrated."""
    own = Lineage("service", service.migrations / "service", "public", service.metadata)
    public = (*service.further, own)
    tables = {one.name: frozenset(one.metadata.tables) for one in public}
    found = [
        Lineage("chassis", HERE / "chassis", "chassis", outbox.chassis_metadata),
        Lineage("acting", HERE / "consumption", ACTING, consumption_metadata),
        *(
            replace(one, others=frozenset().union(*tables.values()) - tables[one.name])
            for one in public
        ),
        *projections(service, schema=projection),
    ]
    return [lineage for lineage in found if lineage.metadata.tables]


def projections(service: Service, *, schema: str = PROJECTION) -> list[Lineage]:
    """The lineages that a rebuild makes anew in a schema of its own."""
    found = [
        Lineage("consumption", HERE / "consumption", schema, consumption_metadata),
        Lineage("places", HERE / "places", schema, places_metadata),
    ]
    if service.projection is not None:
        found.append(
            Lineage("projection", service.migrations / "projection", schema, service.projection)
        )
    return found


async def connected(owner_url: str, schema: str, do: Callable[[Connection], Result]) -> Result:
    """Run `do` on the owner's connection that sees one schema alone: names stay unqualified."""
    engine = create_async_engine(
        async_url(owner_url),
        poolclass=pool.NullPool,
        connect_args={"server_settings": {"search_path": schema}},
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(do)
    finally:
        await engine.dispose()


def configuration(lineage: Lineage, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(lineage.folder))
    config.set_main_option(
        "file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.attributes.update(connection=connection, lineage=lineage)
    return config


def environment() -> None:
    """What each lineage's `env.py` runs."""
    config = context.config
    lineage: Lineage = config.attributes["lineage"]
    context.configure(
        connection=config.attributes["connection"],
        target_metadata=lineage.metadata,
        version_table=lineage.version_table,
        include_name=_own(lineage),
    )
    with context.begin_transaction():
        context.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        context.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
        context.run_migrations()


def _own(lineage: Lineage) -> Any:  # noqa: ANN401 - Alembic's callback has no public type
    """Compare a lineage with its own tables: another one may share its schema."""
    others = {
        *consumption_metadata.tables,
        *places_metadata.tables,
        *lineage.others,
    } - {*lineage.metadata.tables}

    def include(name: str | None, kind: str, _: object) -> bool:
        if kind != "table":
            return True
        if lineage.name in {"consumption", "places"}:
            return name in lineage.metadata.tables
        return name not in others and not (name or "").startswith("alembic_version_")

    return include


async def upgrade(owner_url: str, lineage: Lineage, app_role: str, revision: str = "heads") -> None:
    """Bring one lineage to a revision, one process at a time, and grant the app its part."""

    def do(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {lineage.schema}"))
        connection.commit()
        command.upgrade(configuration(lineage, connection), revision)
        connection.execute(text(f"GRANT USAGE ON SCHEMA {lineage.schema} TO {app_role}"))
        for grant in grants(lineage, app_role):
            connection.execute(text(grant))
        connection.commit()

    await connected(owner_url, lineage.schema, do)


async def downgrade(owner_url: str, lineage: Lineage) -> None:
    """Take one lineage back to nothing."""
    await connected(
        owner_url,
        lineage.schema,
        lambda connection: command.downgrade(configuration(lineage, connection), "base"),
    )


def grants(lineage: Lineage, app_role: str) -> list[str]:
    if lineage.name == "chassis":
        return [grant.format(app=app_role) for grant in CHASSIS_GRANTS]
    return [
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {app_role}"
        for table in lineage.metadata.tables
    ] + [f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {lineage.schema} TO {app_role}"]


def app_role_of(database_url: str) -> str:
    role = urlsplit(database_url).username
    if role is None:
        raise ValueError("the app's database URL names no role")
    return role


async def migrate(service: Service, owner_url: str, database_url: str) -> None:
    """Migrate a service's database; safe to run again and from several places at once."""
    for lineage in lineages(service):
        await upgrade(owner_url, lineage, app_role_of(database_url))


async def drift(service: Service, owner_url: str) -> list[str]:
    """How the migrated database differs from the models (`alembic check`); empty when not."""
    found: list[str] = []
    for lineage in lineages(service):
        options = {"include_name": _own(lineage), "version_table": lineage.version_table}

        def compare(
            connection: Connection, lineage: Lineage = lineage, options: dict[str, Any] = options
        ) -> list[Any]:
            compared = MigrationContext.configure(connection, opts=options)
            return list(compare_metadata(compared, lineage.metadata))

        found += [
            f"{service.name}/{lineage.name}: {difference}"
            for difference in await connected(owner_url, lineage.schema, compare)
        ]
    return found


async def new_revision(service: Service, owner_url: str, name: str, message: str) -> None:
    """Write the revision of a lineage that makes the migrated database equal to the models."""
    lineage = next(one for one in lineages(service) if one.name == name)
    await connected(
        owner_url,
        lineage.schema,
        lambda connection: command.revision(
            configuration(lineage, connection), message, autogenerate=True
        ),
    )
