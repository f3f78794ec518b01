"""A lineage of migrations: a folder of revisions that owns some tables of one schema."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData


@dataclass(frozen=True)
class Lineage:
    name: str
    folder: Path
    schema: str
    metadata: MetaData
    others: frozenset[str] = frozenset()
    """Tables of other lineages that stand in the same schema."""

    @property
    def version_table(self) -> str:
        return f"alembic_version_{self.name}"
