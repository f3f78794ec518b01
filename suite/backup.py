"""A backup of a whole embedded run, taken while it runs, and the way back from it.

All databases and the embedded bus are in one PostgreSQL server: what is copied is that server at
one moment, with the keys without which nobody reads it. On Kafka this does not hold: there the
databases' own tools and the brokers' replicas do it (docs/operations.md).
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from chassis import private_file
from suite.data import DataFolder

MANIFEST = "manifest.json"
FORMAT = 1
_CHUNK = 1024 * 1024
_CLUSTER = Path("postgres/cluster")
_WAL = _CLUSTER / "pg_wal"
_LABEL = _CLUSTER / "backup_label"
_SEGMENT = 24
"""How many characters the name of a file of the write-ahead log has."""
_NOT_OF_THE_RUN = {"logs", "endpoints.json"}
_NOT_OF_THE_SERVER = {"log", "log.1"}
_OF_THE_SERVER_ALONE = {
    *("postmaster.pid", "postmaster.opts", "pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify"),
    *("pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"),
}
"""What PostgreSQL makes anew at its start."""
_EMPTY_FOLDERS = (
    *("pg_wal/archive_status", "pg_wal/summaries", "pg_replslot", "pg_dynshmem", "pg_notify"),
    *("pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans", "pg_tblspc", "pg_twophase"),
    *("pg_commit_ts", "pg_stat", "pg_logical/snapshots", "pg_logical/mappings"),
)
"""Folders that must be there though nothing of them is kept, or nothing was in them."""


class BackupError(RuntimeError):
    """There is nothing whole to copy, or nowhere to put it; the message says which, in Chinese."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What was put away: how many files and bytes, and as of when."""

    files: int
    bytes: int
    made_at: str


def backup(data: Path, goal: Path) -> Backup:
    """Copy a running suite to a new folder: as it is at one moment between begin and end.

    Everything that was answered before the begin is in it. The folder has the keys in clear and is
    open to its owner alone.

    Raises:
        BackupError: the folder is there already, or the suite runs on Kafka.
    """
    folder = DataFolder.at(data)
    if json.loads(folder.endpoints.read_text())["bus"].startswith("kafka:"):
        raise BackupError(
            "使用 Kafka 的套件请用数据库和 Kafka 各自的工具备份，见 docs/operations.md"
        )
    if goal.exists():
        raise BackupError(f"{goal} 已存在，请另选一个文件夹")
    fresh = goal.with_name(goal.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    made_at = datetime.now(UTC).isoformat()
    digests = asyncio.run(_copy(folder, fresh))
    manifest = {"format": FORMAT, "made_at": made_at, "files": digests}
    private_file.replace(fresh / MANIFEST, json.dumps(manifest, indent=1).encode())
    os.sync()
    # Renamed when whole: what is there under its name is a backup.
    fresh.rename(goal)
    size = sum((goal / name).stat().st_size for name in digests)
    return Backup(len(digests), size, made_at)


def restore(source: Path, data: Path) -> Backup:
    """Make a data folder from a backup; `minzheng run --data` goes on from there.

    Raises:
        BackupError: there is no backup, a file of it is missing or another than it was, or the
            data folder is not empty.
    """
    try:
        manifest = json.loads((source / MANIFEST).read_text())
        digests: dict[str, str] = manifest["files"]
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(f"{source} 不是完整的备份") from error
    if manifest["format"] != FORMAT:
        raise BackupError(f"{source} 由另一版本的程序备份，请用该版本恢复")
    if data.exists() and any(data.iterdir()):
        raise BackupError(f"{data} 不是空的；请恢复到新的数据目录")
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    for name, digest in digests.items():
        if not (source / name).is_file() or _copied(source / name, fresh / name) != digest:
            shutil.rmtree(fresh)
            raise BackupError(f"备份中的 {name} 缺失或与备份时不同")
    for name in _EMPTY_FOLDERS:
        (fresh / _CLUSTER / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    DataFolder.at(fresh).postgres().adopt()
    os.sync()
    if data.exists():
        data.rmdir()
    fresh.rename(data)
    size = sum((source / name).stat().st_size for name in digests)
    return Backup(len(digests), size, manifest["made_at"])


async def _copy(folder: DataFolder, goal: Path) -> dict[str, str]:
    """Copy everything; digest (SHA-256) by name below the data folder.

    PostgreSQL's own way (low-level base backup): while its files are copied they may tear, what the
    log has of that time mends them at the next start. The slot keeps the log until it is copied.
    """
    digests: dict[str, str] = {}

    async def keep(path: Path) -> None:
        name = str(path.relative_to(folder.path))
        with contextlib.suppress(FileNotFoundError):  # of a table that was dropped meanwhile
            digests[name] = await asyncio.to_thread(_copied, path, goal / name)

    server = await asyncpg.connect(folder.postgres().admin_dsn())
    try:
        await server.fetch(
            "SELECT pg_create_physical_replication_slot($1, true, true)", f"backup_{os.getpid()}"
        )
        first = await server.fetchval("SELECT pg_walfile_name(pg_backup_start('minzheng', true))")
        for path in _files(folder.path):
            await keep(path)
        stop = await server.fetchrow(
            "SELECT pg_walfile_name(lsn) AS last, labelfile FROM pg_backup_stop(false)"
        )
        for path in sorted((folder.path / _WAL).iterdir()):
            if len(path.name) == _SEGMENT and first <= path.name <= stop["last"]:
                await keep(path)
    finally:
        await server.close()
    private_file.replace(goal / _LABEL, stop["labelfile"].encode())
    digests[str(_LABEL)] = hashlib.sha256(stop["labelfile"].encode()).hexdigest()
    return digests


def _files(root: Path) -> Iterator[Path]:
    """What is copied, the control file of PostgreSQL last of all."""
    last = []
    for name_of, names, files in os.walk(root):
        folder = Path(name_of)
        below = folder.relative_to(root)
        left_out = {
            Path(): _NOT_OF_THE_RUN,
            Path("postgres"): _NOT_OF_THE_SERVER,
            _CLUSTER: _OF_THE_SERVER_ALONE,
        }.get(below, set())
        names[:] = sorted(set(names) - left_out)
        for name in sorted(set(files) - left_out - {"lock", "pg_internal.init"}):
            if below == _CLUSTER / "global" and name == "pg_control":
                last.append(folder / name)
            else:
                yield folder / name
    yield from last


def _copied(source: Path, goal: Path) -> str:
    """Copy one file with its mode; its digest."""
    goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as reading, goal.open("xb") as writing:
        os.fchmod(writing.fileno(), source.stat().st_mode & 0o777)
        while part := reading.read(_CHUNK):
            digest.update(part)
            writing.write(part)
    return digest.hexdigest()
