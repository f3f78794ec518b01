"""A log that has lost what was published or read: nobody goes on as if nothing were missing.

A broker whose disks are gone, or another bus than before, holds empty topics. Whoever published
on them would begin in the middle; whoever read them would wait for what is there no more.
"""

from collections.abc import Mapping

import asyncpg

from chassis.bus import Bus, TopicPartition
from chassis.telemetry import log

PUBLISHED = """
WITH RECURSIVE told AS (
  (SELECT topic FROM chassis.outbox ORDER BY topic LIMIT 1)
  UNION ALL
  SELECT (SELECT topic FROM chassis.outbox WHERE topic > told.topic ORDER BY topic LIMIT 1)
  FROM told WHERE told.topic IS NOT NULL
)
SELECT topic FROM told WHERE EXISTS (
  SELECT FROM chassis.outbox WHERE topic = told.topic AND published_at IS NOT NULL
)"""
"""Topics on which something was published; one look into the index for each."""


class LogLostError(RuntimeError):
    """The topics hold less than was published or read; the message says what to do, in Chinese."""


async def refuse_to_publish(connection: asyncpg.Connection, bus: Bus, service: str) -> None:
    """Look before a relay publishes.

    Raises:
        LogLostError: a topic is empty on which this service has published.
    """
    topics = [row["topic"] for row in await connection.fetch(PUBLISHED)]
    if not topics:
        return
    ends = await bus.end_offsets(topics)
    for topic in topics:
        if not any(end for partition, end in ends.items() if partition.topic == topic):
            _refuse(service, f"主题 {topic} 是空的，而发件箱已在其上发布过事件")


async def refuse_to_skip(own: Mapping[TopicPartition, int], bus: Bus, consumer: str) -> None:
    """Look before a consumer reads on from its own offsets.

    Raises:
        LogLostError: one lies beyond the end of its partition.
    """
    if not any(own.values()):
        return
    ends = await bus.end_offsets({partition.topic for partition in own})
    for partition, next_ in own.items():
        if next_ > (end := ends.get(partition, 0)):
            place = f"主题 {partition.topic} 的分区 {partition.partition}"
            _refuse(consumer, f"已读到 {place} 的第 {next_} 条，而其中只有 {end} 条")


def _refuse(who: str, what: str) -> None:
    word = f"{who}：{what}。消息日志已丢失或换过，请停下各后台进程，执行 minzheng republish"
    log().error("log_lost", reason=word)
    raise LogLostError(word)
