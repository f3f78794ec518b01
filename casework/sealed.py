"""Sealed JSON: what is kept as data though it may name people."""

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.privacy import Cell, Sealed
from chassis.sealing import reveal, seal


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, decimals and days as strings.

    Raises:
        TypeError: it holds a float, or what JSON has no word for.
    """
    return json.dumps(
        _plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )


def seal_json(session: AsyncSession, value: object, cell: Cell) -> Sealed:
    return seal(session, canonical(value), cell)


async def reveal_json(
    session: AsyncSession, sealed: bytes, cell: Cell, *, of: str, purpose: str
) -> Any:  # noqa: ANN401 - JSON as it was kept
    return json.loads(await reveal(session, sealed, cell, of=of, purpose=purpose))


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Decimal():
            return format(value, "f")
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical JSON")
