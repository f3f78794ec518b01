"""A hash of the ledger that depends on what it says alone, not on when or in which order."""

import hashlib

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import add_units
from services.indicator.ledger import repository

ENTRIES = text(
    """
SELECT measure, key, unit_id, encode(sha256(convert_to(string_agg(
    concat_ws('|', topic, subject, effective, extract(epoch FROM recorded_at), event_id, event_type,
      trim_scale(amount)),
    E'\\n' ORDER BY topic, subject, effective, recorded_at, event_id), 'UTF8')), 'hex') AS said
FROM entry GROUP BY measure, key, unit_id
ORDER BY measure COLLATE "C", key COLLATE "C", unit_id
"""
)
SUMS = text(
    """
SELECT measure, key, unit_id, encode(sha256(convert_to(string_agg(
    concat_ws('|', day, what, trim_scale(amount)), E'\\n' ORDER BY day, what), 'UTF8')), 'hex')
FROM (
  SELECT measure, key, unit_id, day, 1 AS what, amount FROM movement WHERE amount <> 0
  UNION ALL
  SELECT measure, key, unit_id, make_date(year, 1, 1), 0, amount FROM year_movement
  WHERE amount <> 0
) sums GROUP BY measure, key, unit_id
ORDER BY measure COLLATE "C", key COLLATE "C", unit_id
"""
)
MARKS = text(
    """
SELECT marker, effective, recorded_on, amount FROM register_mark WHERE amount <> 0
ORDER BY marker COLLATE "C", effective, recorded_on
"""
)


async def fingerprint(session: AsyncSession) -> str:
    """Equal for two ledgers that hold the same entries and sums; run it with all units in sight.

    Units that the register does not know yet are brought in sight here.
    """
    await add_units(session, await repository.strangers(session))
    digest = hashlib.sha256()
    for statement in (ENTRIES, SUMS, MARKS):
        for row in await session.execute(statement):
            digest.update(("|".join(map(str, row)) + "\n").encode())
        digest.update(b"\n")
    return digest.hexdigest()
