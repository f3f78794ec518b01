"""The keys of the audit's chain: kept outside of every database, by who seals and who verifies."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from chassis import private_file
from chassis.privacy import MAC_KEY_BYTES, KeysMissing, numbered_key
from chassis.settings import Settings

_FILE = re.compile(r"chain-([0-9]+)\.key")
_COMPLETE = "complete"


@dataclass(frozen=True)
class AuditKeys:
    """Numbered keys: the current one seals, with the others what they sealed is verified."""

    keys: Mapping[int, bytes] = field(repr=False)
    current: int

    def __post_init__(self) -> None:
        if any(number < 1 for number in self.keys):
            raise ValueError("keys of the audit are numbered from 1")
        if any(len(key) < MAC_KEY_BYTES for key in self.keys.values()):
            raise ValueError("a key of the audit has 32 bytes or more")

    @classmethod
    def from_settings(cls, text: str) -> Self:
        """`id:key,id:key` in hex or base64, the first one seals; ids only grow."""
        numbered = [numbered_key(item.strip()) for item in text.split(",")]
        if len(dict(numbered)) != len(numbered):
            raise ValueError("two keys of the audit have one id")
        return cls(dict(numbered), numbered[0][0])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys in a folder; the highest number seals.

        Raises:
            KeysMissing: there are none.
        """
        keys = {
            int(match[1]): path.read_bytes()
            for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
            if (match := _FILE.fullmatch(path.name))
        }
        if not keys:
            raise KeysMissing("chain-1.key in the folder of the audit's keys")
        return cls(keys, max(keys))

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """The keys in a folder, the first one made at the first start (mode 0600).

        A lost key is never made anew: what it sealed could not be verified any more.
        """
        if not (folder / _COMPLETE).exists():
            private_file.create(folder / "chain-1.key", secrets.token_bytes(MAC_KEY_BYTES))
            private_file.create(folder / _COMPLETE, b"")
        return cls.load(folder)

    def next_after(self, last: int) -> int:
        """Which key makes the next link: never an older one than the last link's.

        Raises:
            KeysMissing: the last link's key is newer than this process, which is to start anew.
        """
        if last and last not in self.keys:
            raise KeysMissing(f"key {last} of the audit")
        return max(last, self.current)


def open_audit_keys(settings: Settings) -> AuditKeys:
    """The keys of this process: from settings, else from the folder.

    Raises:
        KeysMissing: a deployment's folder has none: it makes none itself.
    """
    if settings.audit_keys:
        return AuditKeys.from_settings(settings.audit_keys)
    folder = settings.key_folder / "audit"
    return AuditKeys.load(folder) if settings.deployment else AuditKeys.load_or_create(folder)


def rotate(folder: Path) -> int:
    """Add a key to a folder and return its number; it seals as soon as `work` starts anew."""
    new = max(AuditKeys.load(folder).keys) + 1
    private_file.create(folder / f"chain-{new}.key", secrets.token_bytes(MAC_KEY_BYTES))
    return new
