"""Ids of rows and events."""

from uuid import UUID

import uuid6


def new_id() -> UUID:
    """UUIDv7, made in Python so that no insert needs RETURNING; later ids sort after earlier."""
    return UUID(int=uuid6.uuid7().int)
