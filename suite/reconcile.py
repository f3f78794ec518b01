"""`minzheng reconcile`: what outbox, topics and inboxes of a service disagree about, and its mend.

After a restore the topics know more than the database. The events of the lost hours are taken back
into the outbox; what is true is what the database says, and is told anew behind them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy import Table, inspect

from chassis.bus import TopicPartition
from chassis.clock import SHANGHAI
from chassis.ids import new_id
from chassis.outbox import RECONCILING, RESTORED
from chassis.work import consumers_of
from contracts.events.envelope import CloudEvent
from contracts.topics import BY_NAME, topic_of_type
from suite.topic_copy import RELEASE, Part, copy_topics, held

SHOWN = 20

INBOXED = """CREATE TEMP TABLE inboxed AS
SELECT consumer, event_id FROM projection.inbox UNION ALL
SELECT consumer, event_id FROM acting.inbox"""
PARKED = """CREATE TEMP TABLE parked AS
SELECT consumer, sha256(body) AS hash FROM projection.dead_letter UNION ALL
SELECT consumer, sha256(body) FROM acting.dead_letter"""
OFFSETS = """SELECT consumer, topic, partition, next FROM projection.consumer_offset UNION ALL
SELECT consumer, topic, partition, next FROM acting.consumer_offset"""

NOT_ON_TOPIC = """
SELECT topic, key, array_agg(sequence ORDER BY sequence) AS sequences, min(recorded_at) AS since
FROM chassis.outbox
WHERE published_at < $1 AND topic = ANY($2::text[])
  AND NOT EXISTS (SELECT FROM told WHERE told.id = outbox.id)
GROUP BY topic, key ORDER BY min(seq)"""
NOT_IN_OUTBOX = """
SELECT topic, key, array_agg(DISTINCT sequence ORDER BY sequence) AS sequences, min(at) AS since,
  array_agg(type ORDER BY sequence) AS types, max(at) AS until,
  EXISTS (
    SELECT FROM chassis.outbox WHERE outbox.topic = told.topic AND outbox.key = told.key
  ) AS known
FROM told
WHERE own AND body IS NOT NULL
  AND NOT EXISTS (SELECT FROM chassis.outbox WHERE outbox.id = told.id)
  AND NOT EXISTS (  -- another has its number, and what is true was told behind both
    SELECT FROM chassis.outbox AS other JOIN chassis.outbox AS later USING (topic, key)
    WHERE other.topic = told.topic AND other.key = told.key
      AND other.sequence = told.sequence AND later.sequence > told.sequence)
GROUP BY topic, key ORDER BY min(at)"""
OTHER_BODY = """
SELECT topic, key, sequence, id, at AS since FROM told
WHERE own AND body IS NOT NULL AND EXISTS (SELECT FROM chassis.outbox WHERE outbox.id = told.id)
ORDER BY at"""
TWICE_NUMBERED = """
SELECT topic, key, sequence, min(at) AS since FROM told WHERE own
GROUP BY topic, key, sequence HAVING count(DISTINCT id) > 1 ORDER BY min(at)"""
NOT_OURS = """
SELECT topic, count(*) AS count, min(at) AS since FROM told
WHERE NOT own AND topic = ANY($1::text[]) GROUP BY topic ORDER BY topic"""
GAPS = """
SELECT topic, key, max(sequence) AS last, count(*) AS count, min(recorded_at) AS since
FROM chassis.outbox WHERE topic = ANY($1::text[])
GROUP BY topic, key HAVING max(sequence) <> count(*) ORDER BY topic, key"""
NEVER_TOLD = """
SELECT consumer, array_agg(event_id) AS ids FROM inboxed
WHERE consumer = ANY($1::text[])
  AND NOT EXISTS (SELECT FROM told WHERE told.id = inboxed.event_id)
  AND NOT EXISTS (SELECT FROM chassis.outbox WHERE outbox.id = inboxed.event_id)
GROUP BY consumer ORDER BY consumer"""
PASSED_OVER = """
SELECT read.consumer, told.topic, told.key, min(told.at) AS since,
  array_agg(told.sequence ORDER BY told."offset") AS sequences
FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[])
  AS read(consumer, topic, partition, next)
JOIN told ON told.topic = read.topic AND told.partition = read.partition
  AND told."offset" < read.next
WHERE told.id IS NOT NULL
  AND NOT EXISTS (
    SELECT FROM inboxed WHERE inboxed.consumer = read.consumer AND event_id = told.id)
  AND NOT EXISTS (
    SELECT FROM parked WHERE parked.consumer = read.consumer AND parked.hash = told.hash)
GROUP BY read.consumer, told.topic, told.key ORDER BY min(told.at)"""

WERE_PUBLISHED = """UPDATE chassis.outbox SET published_at = now()
WHERE published_at IS NULL AND id IN (SELECT id FROM told)"""
AGAIN = """UPDATE chassis.outbox SET published_at = NULL
WHERE published_at < $1 AND topic = ANY($2::text[])
  AND NOT EXISTS (SELECT FROM told WHERE told.id = outbox.id)"""
KEPT_OF = """SELECT id, sequence, type, body, recorded_at, published_at FROM chassis.outbox
WHERE topic = $1 AND key = $2 ORDER BY sequence"""
TOLD_OF = """SELECT DISTINCT ON (sequence, id) id, sequence, type, body, at AS recorded_at,
  now() AS published_at
FROM told WHERE own AND topic = $1 AND key = $2 ORDER BY sequence, id, "offset" """
FORGET = "DELETE FROM chassis.outbox WHERE id = ANY($1::uuid[])"
KEEP = """INSERT INTO chassis.outbox
(topic, key, id, sequence, type, body, recorded_at, published_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


@dataclass(frozen=True, slots=True)
class Gone:
    """Something that was made in the lost hours: the topics know it, the database no more."""

    topic: str
    key: str
    number: str
    verbs: tuple[str, ...]
    sequence: int
    since: datetime
    until: datetime

    def __str__(self) -> str:
        title = BY_NAME[self.topic].title if self.topic in BY_NAME else self.topic
        name = f"{title} {self.key}" + (f"（编号 {self.number}）" if self.number else "")
        when = f"{_when(self.since)} 至 {_when(self.until)}"
        return f"{name}：{when}，事件 {'、'.join(self.verbs)}，最后序号 {self.sequence}"


@dataclass(slots=True)
class Found:
    """What differs at one service: what a mend sets right, and what is only named."""

    service: str
    mendable: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    strays: dict[str, list[UUID]] = field(default_factory=dict)
    """Consumer → events in its inbox of which this database and the topics know nothing."""

    @property
    def is_whole(self) -> bool:
        return not self.mendable and not self.named


@dataclass(slots=True)
class Mended:
    """What a mend did: events to be published again, taken back, told anew; what it found."""

    found: Found
    again: int = 0
    taken_back: int = 0
    told_anew: int = 0
    gone: int = 0


async def compare(part: Part) -> Found:
    """Look, and change nothing; the service may work meanwhile."""
    async with part.connected() as connection:
        found, _, _ = await _compare(part, connection)
        return found


async def mend(part: Part) -> Mended:
    """Look while nothing is published, mend what can be mended, and end the hold of a restore.

    Raises:
        NotMendedError: whoever publishes does not let go.
    """
    async with part.connected() as connection, held(part, connection, RECONCILING):
        found, since, lost = await _compare(part, connection)
        mended = Mended(found)
        await connection.execute(WERE_PUBLISHED)
        for topic, key in lost:
            async with connection.transaction():
                await _take_back(part, connection, topic, key, mended)
        again = await connection.execute(AGAIN, since, [*part.publishes])
        mended.again = int(again.rpartition(" ")[2])
        await connection.execute(RELEASE, [RESTORED])
        return mended


async def _compare(
    part: Part, connection: asyncpg.Connection
) -> tuple[Found, datetime, list[tuple[str, str]]]:
    """What differs; since when what was published must be on the topics; keys that lost events.

    The order matters while others work: what was published, read or passed is noted before the
    topics are read, so that it must be on them.
    """
    since = await connection.fetchval("SELECT clock_timestamp()")
    read = await connection.fetch(OFFSETS)
    await connection.execute("DROP TABLE IF EXISTS inboxed, parked")
    await connection.execute(INBOXED)
    await connection.execute("CREATE INDEX ON inboxed (consumer, event_id)")
    ends = await copy_topics(part, connection, {*part.publishes, *part.reads})
    await connection.execute(PARKED)
    await connection.execute("ANALYZE inboxed, parked")
    found = Found(part.name)
    lost = await _compare_outbox(part, connection, found, since)
    await _compare_inboxes(part, connection, found, read, ends)
    return found, since, lost


async def _compare_outbox(
    part: Part, connection: asyncpg.Connection, found: Found, since: datetime
) -> list[tuple[str, str]]:
    own = [*part.publishes]
    found.mendable += [
        f"主题缺少已发布的事件：{_place(row)}，将重新发布"
        for row in await connection.fetch(NOT_ON_TOPIC, since, own)
    ]
    lost = await connection.fetch(NOT_IN_OUTBOX)
    for row in lost:
        if row["known"]:
            found.mendable.append(f"发件箱缺少主题上的事件：{_place(row)}，将取回并重述现状")
            continue
        gone = await _gone(connection, row)
        found.gone.append(gone)
        found.mendable.append(f"数据库中已没有：{gone}；其事件将取回，并告知作废")
    found.named += [
        f"同一事件（{row['id']}）在主题上内容不同：{_place(row)}"
        for row in await connection.fetch(OTHER_BODY)
    ]
    found.named += [
        f"同一序号有不同的事件：{_place(row)}" for row in await connection.fetch(TWICE_NUMBERED)
    ]
    found.named += [
        f"主题 {row['topic']} 上有 {row['count']} 条不是本服务发布或无法读的记录"
        for row in await connection.fetch(NOT_OURS, [*part.service.publishes])
    ]
    missing = {(row["topic"], row["key"]) for row in lost}
    found.named += [
        f"发件箱的序号不连续：{row['topic']} {row['key']}，最后 {row['last']}，共 {row['count']} 条"
        for row in await connection.fetch(GAPS, own)
        if (row["topic"], row["key"]) not in missing
    ]
    return sorted(missing)


async def _compare_inboxes(
    part: Part,
    connection: asyncpg.Connection,
    found: Found,
    read: Sequence[asyncpg.Record],
    ends: dict[TopicPartition, int],
) -> None:
    consumers = {one.name: one.topics for one in consumers_of(part.service)}
    own = [row for row in read if row["topic"] in consumers.get(row["consumer"], ())]
    for row in own:
        if row["next"] > ends[TopicPartition(row["topic"], row["partition"])]:
            found.named.append(
                f"{row['consumer']} 已读到 {row['topic']} 分区 {row['partition']} 的末尾之后："
                "消息日志已丢失或换过，请执行 minzheng republish"
            )
    columns = [[row[name] for row in own] for name in ("consumer", "topic", "partition", "next")]
    found.named += [
        f"{row['consumer']} 已越过而未处理：{_place(row)}"
        for row in await connection.fetch(PASSED_OVER, *columns)
    ]
    for row in await connection.fetch(NEVER_TOLD, [*consumers]):
        found.strays[row["consumer"]] = row["ids"]


async def know_strays(found: Sequence[Found], parts: Sequence[Part]) -> None:
    """Of what inboxes hold beyond their topics, name what no outbox within reach knows either."""
    known: set[UUID] = set()
    asked = [event for one in found for ids in one.strays.values() for event in ids]
    for part in parts if asked else ():
        async with part.connected() as connection:
            rows = await connection.fetch(
                "SELECT id FROM chassis.outbox WHERE id = ANY($1::uuid[])", asked
            )
            known |= {row["id"] for row in rows}
    for one in found:
        for consumer, ids in one.strays.items():
            strays = [str(event) for event in ids if event not in known]
            if strays:
                shown = "、".join(strays[:SHOWN])
                one.named.append(
                    f"{consumer} 处理过 {len(strays)} 条发件箱和主题都没有的事件：{shown}"
                )


async def _gone(connection: asyncpg.Connection, row: asyncpg.Record) -> Gone:
    last = (await connection.fetch(TOLD_OF, row["topic"], row["key"]))[-1]
    return Gone(
        row["topic"],
        row["key"],
        str(CloudEvent.read(last["body"]).data.get("number", "")),
        tuple(one.split(".")[-2] for one in row["types"]),
        row["sequences"][-1],
        row["since"],
        row["until"],
    )


async def _take_back(
    part: Part, connection: asyncpg.Connection, topic: str, key: str, mended: Mended
) -> None:
    """Make the archive of one key whole, and tell behind it what is true.

    What waits to be published was numbered as if the lost events had never been: it comes behind
    them. Rows are written anew in order, for the order of the archive is that of a republish.
    """
    table = cast("Table", inspect(part.publishes[topic]).local_table).name
    # The row lock that `emit` takes first: nothing of this key is numbered meanwhile.
    standing = await connection.fetchval(
        f"UPDATE {table} SET event_seq = event_seq WHERE id = $1 RETURNING event_seq",  # noqa: S608 - a table of ours
        UUID(key),
    )
    kept = [dict(row) for row in await connection.fetch(KEPT_OF, topic, key)]
    told = [dict(row) for row in await connection.fetch(TOLD_OF, topic, key)]
    on_topic = {row["id"] for row in told}
    waiting = [r for r in kept if r["published_at"] is None and r["id"] not in on_topic]
    known = [row for row in kept if row not in waiting]
    ids, numbers = {row["id"] for row in known}, {row["sequence"] for row in known}
    strange = [row for row in told if row["id"] not in ids]
    # Of two under one number the archive takes one: its own, or else any.
    lost = [*{row["sequence"]: row for row in strange if row["sequence"] not in numbers}.values()]
    last = max(row["sequence"] for row in told + known)
    behind = [row for row in known if lost and row["sequence"] > lost[0]["sequence"]]
    await connection.execute(FORGET, [row["id"] for row in behind + waiting])
    rows = sorted(behind + lost, key=lambda row: row["sequence"])
    for number, row in enumerate(waiting, last + 1):
        rows.append(_numbered(row, number))
    own_last = known[-1]["sequence"] if known else 0
    if not waiting and any(row["sequence"] >= own_last for row in strange):
        anew = _told_anew(part, known, told, last + 1)
        rows += [anew] if anew else []
        mended.told_anew += bool(anew)
    await connection.executemany(KEEP, [(topic, key, *_values(row)) for row in rows])
    mended.taken_back += len(lost)
    if standing is None:
        mended.gone += 1
        if known:
            mended.found.named.append(f"有事件而没有记录：{topic} {key}，请报开发方")
        return
    await connection.execute(
        f"UPDATE {table} SET event_seq = $2 WHERE id = $1",  # noqa: S608 - as above
        UUID(key),
        max([last, *(row["sequence"] for row in rows)]),
    )


def _told_anew(
    part: Part, known: Sequence[dict[str, Any]], told: Sequence[dict[str, Any]], number: int
) -> dict[str, Any] | None:
    """The state of the database as a new event: the last one that it knows carried it whole.

    Of what it does not know, that there is nothing.
    """
    last = CloudEvent.read((known or told)[-1]["body"])
    topic = topic_of_type(last.type)
    if topic is None:
        return None
    data, verb = last.data, "restored"
    if not known:
        try:
            was = topic.data.model_validate(last.data, extra="ignore")
        except ValidationError:
            return None
        void = was.void()
        if void is was:
            return None
        data, verb = void.model_dump(mode="json"), "voided"
    now = datetime.now(UTC)
    event = CloudEvent(
        id=new_id(),
        source=f"urn:minzheng:{part.name}",
        type=topic.type_of(verb),
        subject=last.subject,
        time=now,
        sequence=number,
        actor=f"job:{new_id()}",
        cause=str(last.id),
        data=data,
    )
    return _row(event, now)


def _numbered(row: dict[str, Any], number: int) -> dict[str, Any]:
    event = CloudEvent.read(row["body"]).model_copy(update={"sequence": number})
    return _row(event, row["recorded_at"])


def _row(event: CloudEvent, recorded_at: datetime) -> dict[str, Any]:
    body = event.model_dump_json(exclude_none=True).encode()
    told = {"id": event.id, "sequence": event.sequence, "type": event.type, "body": body}
    return told | {"recorded_at": recorded_at, "published_at": None}


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    names = ("id", "sequence", "type", "body", "recorded_at", "published_at")
    return tuple(row[name] for name in names)


def _place(row: asyncpg.Record) -> str:
    numbers = row["sequences"] if "sequences" in row else [row["sequence"]]
    shown = "、".join(map(str, numbers[:SHOWN])) + ("…" if len(numbers) > SHOWN else "")
    since = f"，自 {_when(row['since'])}" if row["since"] else ""
    return f"{row['topic']} {row['key']}，序号 {shown}{since}"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


async def look(parts: Sequence[Part], reach: Sequence[Part], out: Console) -> int:
    """Say what differs, a line each; 1 when anything does."""
    found = [await compare(part) for part in parts]
    await know_strays(found, reach)
    for one in found:
        if one.is_whole:
            out.print(f"{one.service}：一致")
            continue
        _say(one.service, one.mendable, out)
        _say(one.service, one.named, out)
    if any(one.mendable for one in found):
        out.print("用 --mend 修复以上可修复的各项")
    return 0 if all(one.is_whole for one in found) else 1


async def mend_all(parts: Sequence[Part], reach: Sequence[Part], out: Console) -> int:
    """Mend, and say what was done and what is left for people; 1 when anything is."""
    mended = [await mend(part) for part in parts]
    await know_strays([one.found for one in mended], reach)
    left = False
    for one in mended:
        name, found = one.found.service, one.found
        if found.is_whole:
            out.print(f"{name}：一致")
            continue
        _say(name, found.mendable, out)
        _say(name, found.named, out)
        out.print(
            f"{name}：已修复，重新发布 {one.again} 条，取回 {one.taken_back} 条，"
            f"重述 {one.told_anew} 件",
            soft_wrap=True,
        )
        if found.gone:
            out.print(f"{name}：以下 {len(found.gone)} 件请经办人重新登记：", soft_wrap=True)
            for gone in found.gone:
                out.print(f"{name}：　{gone}", soft_wrap=True)
        left |= bool(found.named)
    return 1 if left else 0


def _say(service: str, lines: Sequence[str], out: Console) -> None:
    for line in lines[:SHOWN]:
        out.print(f"{service}：{line}", soft_wrap=True)
    if len(lines) > SHOWN:
        out.print(f"{service}：……另有 {len(lines) - SHOWN} 项", soft_wrap=True)
