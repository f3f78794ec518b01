"""`minzheng republish`: the archive told again on topics that have lost it, or never had it.

The same events under the same ids, in their order; what is there already stays as it is. Whoever
reads these topics begins them anew, and knows by the inbox what was seen before.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack

import asyncpg

from chassis.outbox import REPUBLISHING, RESTORED
from suite.reconcile import WERE_PUBLISHED
from suite.topic_copy import NotMendedError, Part, copy_topics, held, holds

LOST = """SELECT count(*) FROM told WHERE own AND body IS NOT NULL
AND NOT EXISTS (SELECT FROM chassis.outbox WHERE outbox.id = told.id)"""
AGAIN = """UPDATE chassis.outbox SET published_at = NULL
WHERE published_at IS NOT NULL AND topic = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM told WHERE told.id = outbox.id)"""
FROM_THE_START = """WITH acting AS (
  DELETE FROM acting.consumer_offset WHERE topic = ANY($1::text[])
)
DELETE FROM projection.consumer_offset WHERE topic = ANY($1::text[])"""


async def republish(parts: Sequence[Part], readers: Sequence[Part]) -> dict[str, int]:
    """Have the relays publish what the topics lack; service → how many events.

    `readers` begin those topics anew; one that is alone, without who publishes what it reads,
    begins all that it reads anew. It may be repeated, also when it was cut short.

    Raises:
        NotMendedError: a database came back from a backup and was not reconciled; or whoever
            publishes does not let go.
    """
    topics = {topic for part in parts for topic in part.publishes}
    if len(readers) == 1:
        topics |= readers[0].reads
    async with AsyncExitStack() as stack:
        # All stand still until all have marked and the readers were set back.
        opened = [(part, await stack.enter_async_context(part.connected())) for part in parts]
        for part, connection in opened:
            if RESTORED in await holds(connection):
                raise NotMendedError(
                    f"{part.name} 由备份恢复后尚未核对，请先 minzheng reconcile {part.name} --mend"
                )
        for part, connection in opened:
            await stack.enter_async_context(held(part, connection, REPUBLISHING))
        counts = {part.name: await _mark(part, connection) for part, connection in opened}
        for reader in readers:
            async with reader.connected() as connection:
                await connection.execute(FROM_THE_START, [*topics])
        return counts


async def _mark(part: Part, connection: asyncpg.Connection) -> int:
    await copy_topics(part, connection, [*part.publishes])
    if lost := await connection.fetchval(LOST):
        raise NotMendedError(
            f"{part.name}：主题上有 {lost} 条事件是发件箱没有的，请先"
            f" minzheng reconcile {part.name} --mend"
        )
    await connection.execute(WERE_PUBLISHED)
    marked = await connection.execute(AGAIN, [*part.publishes])
    return int(marked.rpartition(" ")[2])
