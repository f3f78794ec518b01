"""`minzheng audit verify`: walk a service's chain and name every entry that is not as it was.

Each link is checked behind the link that is stored before it, so that one changed entry is one
finding. What the chain itself cannot tell, that its tail was cut or that all of it was made anew,
the anchors in other services' databases tell.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import asyncpg

from chassis.audit_anchors import Anchor
from chassis.audit_chain import BEFORE_ALL, ENTRY, Link, stored_text
from chassis.audit_keys import AuditKeys

READ_AHEAD = 2_000
TRIED = 24
"""With more links than these that do not fit, what went where is not looked for."""
LATE = timedelta(hours=1)
"""What is sealed and anchored within seconds and a minute is late after so long."""

CHAIN = f"""SELECT link.position, link.seq AS sealed, link.floor, link.key, link.sealed_at,
  link.mac, {", ".join(f"entry.{name}" for name in ENTRY)}
FROM chassis.audit_link AS link LEFT JOIN chassis.audit_entry AS entry ON entry.seq = link.seq
ORDER BY link.position"""  # noqa: S608 - names of our own columns
UNSEALED = """SELECT entry.seq, entry.seq <= $1 AS below, entry.recorded_at
FROM chassis.audit_entry AS entry
WHERE NOT EXISTS (SELECT FROM chassis.audit_link AS link WHERE link.seq = entry.seq)
ORDER BY entry.seq"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was; `seqs` are the entries that it names."""

    what: str
    seqs: tuple[int, ...] = ()
    more: str = ""

    def __str__(self) -> str:
        numbers = f"：第 {_ranges(self.seqs)} 条" if self.seqs else ""
        return f"{self.what}{numbers}{self.more}"


@dataclass(slots=True)
class Verified:
    """What was found in one service's chain."""

    links: int = 0
    waiting: int = 0
    """Entries that are not sealed yet, as it should be."""
    breaks: list[str] = field(default_factory=list)
    """Declared by who has the key, after a restore: told, but no finding."""
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A link that does not fit: behind which stored MAC it stands, and the entry found for it."""

    link: Link
    previous: bytes
    entry: tuple[Any, ...]


@dataclass(slots=True)
class _Walk:
    """Goes along the chain, link by link."""

    keys: AuditKeys
    service: str
    anchors: dict[int, list[Anchor]]
    last: Link = BEFORE_ALL
    floor: int = 0
    fits: int = 0
    newest_key: int = 0
    removed: list[Link] = field(default_factory=list)
    suspects: list[_Suspect] = field(default_factory=list)
    behind: set[bytes] = field(default_factory=set)
    """All behind which a suspect may have stood."""
    older_key: list[Link] = field(default_factory=list)
    unknown_key: list[Link] = field(default_factory=list)
    lost: list[tuple[Link, Link]] = field(default_factory=list)
    declared: list[tuple[Link, Link]] = field(default_factory=list)
    foreign: list[Anchor] = field(default_factory=list)
    """What others were told of links that are not these."""
    agreed: int = 0
    """The last position before that on which others were told the same."""

    def step(self, link: Link, entry: Sequence[Any] | None) -> None:
        if link.key < self.newest_key:
            self.older_key.append(link)
        self.newest_key = max(self.newest_key, link.key)
        told = self.anchors.get(link.position, ())
        # After a chain was made anew others may have been told of both.
        self.foreign += [anchor for anchor in told if anchor.mac != link.mac.hex()]
        if told and not self.foreign:
            self.agreed = link.position
        self._check(link, entry)
        self.last = link

    def _check(self, link: Link, entry: Sequence[Any] | None) -> None:
        gap = link.position != self.last.position + 1
        if entry is None:
            self.removed.append(link)
            if gap:
                self.lost.append((self.last, link))
        elif link.key not in self.keys.keys:
            self.unknown_key.append(link)
        elif self._made(link, self.last.mac, entry) == link.mac:
            self.fits += 1
            self.floor = max(self.floor, link.floor)
            if gap:
                self.declared.append((self.last, link))
        elif gap:
            self.lost.append((self.last, link))
        else:
            self.suspects.append(_Suspect(link, self.last.mac, tuple(entry)))

    def _made(self, link: Link, previous: bytes, entry: Sequence[Any]) -> bytes:
        return link.made(self.keys, self.service, previous, entry)

    def explained(self) -> Iterator[Finding]:
        """What became of the links that do not fit."""
        if not self.suspects:
            return
        if not self.fits and len(self.suspects) > 1:
            told = "整条链被重写，没有一环出自审计密钥"
            yield Finding(told, _seqs(one.link for one in self.suspects))
            return
        if len(self.suspects) > TRIED:
            told = "与封存时不符（被改动、调换，或链被重写）"
            yield Finding(told, _seqs(one.link for one in self.suspects))
            return
        self.behind = self._all_behind()
        fates: dict[str, list[Link]] = {}
        for suspect in self.suspects:
            if not self._stands(suspect):
                fates.setdefault(self._fate(suspect), []).append(suspect.link)
        for fate, links in fates.items():
            yield Finding(fate, _seqs(links))

    def _fate(self, suspect: _Suspect) -> str:
        if self._was_moved(suspect):
            return "次序被调换"
        if self._only_link_changed(suspect):
            return "封条被改动，所封的记录未变"
        return "被改动"

    def _all_behind(self) -> set[bytes]:
        """The MACs of links as they are stored, and as they must have been."""
        found = {BEFORE_ALL.mac, *(one.previous for one in self.suspects)}
        found |= {one.link.mac for one in self.suspects}
        return found | {self._made(one.link, one.previous, one.entry) for one in self.suspects}

    def _stands(self, suspect: _Suspect) -> bool:
        """Whether only what stands before it was changed or moved."""
        link = suspect.link
        return any(
            self._made(link, previous, suspect.entry) == link.mac
            for previous in self.behind - {suspect.previous}
        )

    def _was_moved(self, suspect: _Suspect) -> bool:
        """Whether the link fits another entry, or another place in the chain."""
        link = suspect.link
        for other in self.suspects:
            if other is suspect:
                continue
            as_now = replace(link, seq=other.link.seq)
            for candidate, entry in (
                (link, (link.seq, *other.entry[1:])),
                (as_now, other.entry),
            ):
                if self._made(candidate, suspect.previous, entry) == link.mac:
                    return True
            elsewhere = replace(link, position=other.link.position)
            if any(
                self._made(elsewhere, previous, suspect.entry) == link.mac
                for previous in self.behind
            ):
                return True
        return False

    def _only_link_changed(self, suspect: _Suspect) -> bool:
        """Whether the next link stands behind what this one's MAC must have been."""
        made = self._made(suspect.link, suspect.previous, suspect.entry)
        return any(self._made(one.link, made, one.entry) == one.link.mac for one in self.suspects)


async def verify(
    owner_url: str, service: str, keys: AuditKeys, anchors: Iterable[Anchor]
) -> Verified:
    """Verify the chain in a service's database against anchors that were read before."""
    kept: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        kept.setdefault(anchor.position, []).append(anchor)
    walk = _Walk(keys, service, kept)
    verified = Verified()
    unanchored: Link | None = None
    last_anchored = max(kept, default=0)
    async with _snapshot(owner_url) as connection:
        async for row in connection.cursor(CHAIN, prefetch=READ_AHEAD):
            link = Link(
                row["position"],
                row["sealed"],
                row["floor"],
                row["key"],
                row["sealed_at"],
                row["mac"],
            )
            walk.step(link, _entry(row))
            verified.links += 1
            if unanchored is None and link.position > last_anchored:
                unanchored = link
        unsealed = await connection.fetch(UNSEALED, walk.floor)
    verified.waiting = sum(not row["below"] for row in unsealed)
    verified.breaks = [
        f"恢复后续链：第 {before.position + 1} 至 {after.position - 1} 环缺，"
        f"{after.sealed_at.astimezone():%Y-%m-%d %H:%M} 由持钥者声明"
        for before, after in walk.declared
    ]
    verified.findings = [
        *_of_links(walk),
        *_of_unsealed(walk, unsealed),
        *walk.explained(),
        *_of_anchors(walk, unanchored),
    ]
    return verified


@asynccontextmanager
async def _snapshot(owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Entries and links as they stand at one moment, while others go on writing."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection
    finally:
        await connection.close()


def _entry(row: asyncpg.Record) -> Sequence[Any] | None:
    """The text of a link's entry; empty when it seals none, None when the entry is gone."""
    if row["sealed"] is None:
        return ()
    return None if row["seq"] is None else stored_text(row)


def _of_links(walk: _Walk) -> Iterator[Finding]:
    if walk.removed:
        yield Finding("被删除", _seqs(walk.removed))
    for before, after in walk.lost:
        between = f"（在第 {before.seq} 条与第 {after.seq} 条之间，后者无从核对）"
        yield Finding(
            f"链的第 {before.position + 1} 至 {after.position - 1} 环被删除", more=between
        )
    if walk.older_key:
        yield Finding("换钥以后又以旧密钥封存", _seqs(walk.older_key))
    if walk.unknown_key:
        keys = "、".join(sorted({str(link.key) for link in walk.unknown_key}))
        told = f"封存所用的密钥 {keys} 不在手边（若是旧密钥，请补上后再核对）"
        yield Finding(told, _seqs(walk.unknown_key))


def _of_unsealed(walk: _Walk, unsealed: Sequence[asyncpg.Record]) -> Iterator[Finding]:
    before = datetime.now(UTC) - LATE
    inserted = tuple(row["seq"] for row in unsealed if row["below"])
    late = tuple(row["seq"] for row in unsealed if not row["below"] and row["recorded_at"] < before)
    if inserted and walk.lost:
        yield Finding("没有封条（封条被删除，或为插入）", inserted)
    elif inserted:
        yield Finding("被插入（此前的业务早已提交或撤销，封存时没有这些记录）", inserted)
    if late:
        yield Finding("一小时以上没有封存", late)


def _of_anchors(walk: _Walk, unanchored: Link | None) -> Iterator[Finding]:
    if walk.foreign:
        anchor = walk.foreign[0]
        where = f"自第 {walk.agreed + 1} 至 {anchor.position} 环之间起不是原来的链"
        told = f"（他库存有第 {anchor.position} 环，密钥 {anchor.key}，至第 {anchor.seq} 条）"
        yield Finding(f"链与他库的锚不符：{where}", more=told)
    last = walk.last.position
    beyond = [anchor for kept in walk.anchors.values() for anchor in kept if anchor.position > last]
    if beyond:
        furthest = max(beyond, key=lambda one: one.position)
        told = f"，他库的锚至第 {furthest.position} 环、第 {furthest.seq} 条"
        yield Finding(f"链尾被截断：链止于第 {last} 环", more=told)
    elif unanchored and datetime.now(UTC) - unanchored.sealed_at > LATE:
        yield Finding(
            f"链尾没有锚：自 {unanchored.sealed_at.astimezone():%Y-%m-%d %H:%M} 起"
            "他库没有收到本链的链尾"
        )


def _seqs(links: Iterable[Link]) -> tuple[int, ...]:
    return tuple(link.seq for link in links if link.seq is not None)


def _ranges(seqs: Iterable[int]) -> str:
    """`3、5–8`: numbers that follow one another together."""
    found = []
    for _, run in groupby(enumerate(sorted(set(seqs))), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        found.append(f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}")
    return "、".join(found)
