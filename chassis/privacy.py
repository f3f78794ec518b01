"""Personal data at rest: sealed field by field, found by an index, opened only before witnesses.

SM4-GCM (GB/T 32907) with a random 96-bit nonce. A sealed field is

    format (1 byte) ‖ key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16)

and is bound to its table, column and row: moved to another place it does not open.
"""

import base64
import binascii
import hmac
import os
import re
import secrets
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from chassis import private_file, sm3

FIELD_KEY_BYTES = 16
MAC_KEY_BYTES = 32

_FORMAT = 1
_HEADER = struct.Struct(">BI")
_NONCE_BYTES = 12
_TAG_BYTES = 16
SHORTEST = _HEADER.size + _NONCE_BYTES + _TAG_BYTES
_FIELD_KEY_FILE = re.compile(r"field-([0-9]+)\.key")
_COMPLETE = "complete"
_FIELD_KEY_SETTING = re.compile(r"([0-9]{1,9}):(\S+)")
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・●﹒．.", "·"))


def sealed_header(key_id: int) -> bytes:
    """What every field that is sealed under a key begins with."""
    return _HEADER.pack(_FORMAT, key_id)


class KeysMissing(Exception):  # noqa: N818 - says what happened
    """No keys, or not all of them, where personal data would be kept; names what is missing."""


class BrokenSeal(Exception):  # noqa: N818 - says what happened
    """A sealed field was changed, moved, or sealed under a key that this process does not have."""


class Sealed(bytes):
    """A sealed field, as it is stored; it shows nothing of itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__

    @property
    def key_id(self) -> int:
        """Under which key it was sealed."""
        if len(self) < SHORTEST or self[0] != _FORMAT:
            raise BrokenSeal("no sealed field")
        key_id: int = _HEADER.unpack_from(self)[1]
        return key_id


@dataclass(frozen=True, slots=True)
class Cell:
    """The one place where a sealed field opens."""

    table: str
    column: str
    row: UUID

    def bound(self, header: bytes) -> bytes:
        table, column = self.table.encode(), self.column.encode()
        lengths = struct.pack(">HH", len(table), len(column))
        return header + lengths + table + column + self.row.bytes


class AuditRecorder(Protocol):
    """Writes the audit entry of a reading into the transaction in which it happens."""

    async def __call__(self, *, what: str, of: str, purpose: str) -> None:
        """Record that `what` (`table.column`) of the person or record `of` is read, and why."""
        ...


@dataclass(frozen=True)
class KeyRing:
    """The keys of personal data. Field keys rotate: the current one seals, the others still open.

    The pseudonym key changes only by `republish`, the name index key with a new index.
    """

    field_keys: Mapping[int, bytes] = field(repr=False)
    current: int
    pseudonym_key: bytes = field(repr=False)
    name_index_key: bytes = field(repr=False)
    folder: Path | None = field(default=None, repr=False, compare=False)
    """Where a field key is looked for that came after this process began."""

    def __post_init__(self) -> None:
        if self.current not in self.field_keys:
            raise KeysMissing(f"field key {self.current}")
        if any(len(key) != FIELD_KEY_BYTES for key in self.field_keys.values()):
            raise ValueError("a field key has 16 bytes")
        if min(len(self.pseudonym_key), len(self.name_index_key)) < MAC_KEY_BYTES:
            raise ValueError("the pseudonym key and the name index key have 32 bytes or more")
        if self.pseudonym_key == self.name_index_key:
            raise ValueError("the pseudonym key and the name index key must differ")

    @classmethod
    def from_settings(cls, *, field_keys: str, pseudonym_key: str, name_index_key: str) -> Self:
        """Keys in hex or base64; `field_keys` is `id:key,id:key`, the first one seals.

        A new key is first added behind the current one everywhere, then moved to the front: so no
        process meets a field that it cannot open.
        """
        given = {
            "field keys": field_keys,
            "pseudonym key": pseudonym_key,
            "name index key": name_index_key,
        }
        missing = [name for name, text in given.items() if not text.strip()]
        if missing:
            raise KeysMissing(", ".join(missing))
        numbered = [numbered_key(item.strip()) for item in field_keys.split(",")]
        keys = dict(numbered)
        if len(keys) != len(numbered):
            raise ValueError("two field keys have one id")
        return cls(keys, numbered[0][0], _key(pseudonym_key), _key(name_index_key))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The keys in a folder; of the field keys the highest number seals.

        Raises:
            KeysMissing: not all of them are there.
        """
        field_keys = {
            int(match[1]): path.read_bytes()
            for path in (sorted(folder.iterdir()) if folder.is_dir() else ())
            if (match := _FIELD_KEY_FILE.fullmatch(path.name))
        }
        files = {name: folder / name for name in ("pseudonym.key", "name-index.key")}
        missing = [name for name, path in files.items() if not path.is_file()]
        if not field_keys:
            missing.append("field-1.key")
        if missing:
            raise KeysMissing(f"{', '.join(missing)} in the folder of keys")
        return cls(
            field_keys,
            max(field_keys),
            files["pseudonym.key"].read_bytes(),
            files["name-index.key"].read_bytes(),
            folder,
        )

    @classmethod
    def load_or_create(cls, folder: Path) -> Self:
        """The keys in a folder, made at the first start (mode 0600); an embedded run's way.

        Once complete, a folder is never filled again: in a lost key's place a new one would not
        open what that sealed, and would make every person a stranger.
        """
        if not (folder / _COMPLETE).exists():
            _make_all(folder)
        return cls.load(folder)

    def seal(self, text: str, cell: Cell) -> Sealed:
        """Encrypt a field under the current key."""
        header = sealed_header(self.current)
        nonce = os.urandom(_NONCE_BYTES)
        cipher = Cipher(algorithms.SM4(self.field_keys[self.current]), modes.GCM(nonce))
        encryptor = cipher.encryptor()
        encryptor.authenticate_additional_data(cell.bound(header))
        body = encryptor.update(text.encode()) + encryptor.finalize()
        return Sealed(header + nonce + body + encryptor.tag)

    async def reveal(
        self, sealed: bytes, cell: Cell, *, of: str, purpose: str, audit: AuditRecorder
    ) -> str:
        """Decrypt a field, after the reading is recorded; there is no other way to read one.

        Args:
            sealed: what is stored in the cell.
            cell: where it is stored.
            of: whose data it is, as the audit names them (a pseudonym or a record's id).
            purpose: for what it is read (个人信息保护法 art. 6).
            audit: records it; where that fails, nothing is revealed.

        Raises:
            BrokenSeal: changed, moved, or under an unknown key. The attempt stays recorded.
        """
        if not purpose.strip():
            raise ValueError("personal data is read for a purpose")
        await audit(what=f"{cell.table}.{cell.column}", of=of, purpose=purpose)
        return self._open(sealed, cell)

    async def reveal_all(
        self,
        sealed: Mapping[Cell, bytes],
        *,
        of: str,
        purpose: str,
        audit: AuditRecorder,
    ) -> dict[Cell, str]:
        """As `reveal`, of any number of cells of one column and one person, under one entry.

        The entry names the person, not the cells: `purpose` says of what they are.
        """
        if not sealed:
            return {}
        (column,) = {f"{cell.table}.{cell.column}" for cell in sealed}
        if not purpose.strip():
            raise ValueError("personal data is read for a purpose")
        await audit(what=column, of=of, purpose=purpose)
        return {cell: self._open(text, cell) for cell, text in sealed.items()}

    def reseal(self, sealed: bytes, cell: Cell) -> Sealed:
        """The same field under the current key, shown to nobody; so that an old key can go.

        Raises:
            BrokenSeal: as `reveal`.
        """
        return self.seal(self._open(sealed, cell), cell)

    def name_index(self, name: str) -> bytes:
        """By what a name is found without being read: 32 bytes, equal for equal names.

        Width, case, spaces and the kind of the middle dot (阿依古丽·买买提) do not matter.
        """
        text = unicodedata.normalize("NFKC", name).translate(_MIDDLE_DOTS)
        return sm3.mac(self.name_index_key, "".join(text.split()).casefold().encode())

    def request_index(self, content: bytes) -> bytes:
        """By what a request is known to be the same: 32 bytes that tell nobody what it says."""
        return hmac.digest(self.name_index_key, b"request\n" + content, "sha256")

    def _field_key(self, key_id: int) -> bytes | None:
        key = self.field_keys.get(key_id)
        if key is not None or self.folder is None:
            return key
        # Another process was started anew after a rotation and seals under a key of since then.
        file = self.folder / f"field-{key_id}.key"
        return file.read_bytes() if file.is_file() else None

    def _open(self, sealed: bytes, cell: Cell) -> str:
        key = self._field_key(Sealed(sealed).key_id)
        if key is None:
            raise BrokenSeal("sealed under a key that is not on the ring")
        header, rest = sealed[: _HEADER.size], sealed[_HEADER.size :]
        nonce, body, tag = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:-_TAG_BYTES], rest[-_TAG_BYTES:]
        decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(cell.bound(header))
        plain = decryptor.update(body)
        try:
            plain += decryptor.finalize()
        except InvalidTag as error:
            raise BrokenSeal(f"the seal of {cell.table}.{cell.column} is broken") from error
        return plain.decode()


def rotate(folder: Path) -> int:
    """Add a field key to a folder and return its id; it seals as soon as a process starts anew."""
    new = max(KeyRing.load(folder).field_keys) + 1
    private_file.create(folder / f"field-{new}.key", secrets.token_bytes(FIELD_KEY_BYTES))
    return new


def open_keys(
    *,
    field_keys: str,
    pseudonym_key: str,
    name_index_key: str,
    folder: Path | None,
    deployment: bool,
) -> KeyRing:
    """The keys of this process: from settings, else from the folder.

    Raises:
        KeysMissing: neither is given, or a deployment's folder lacks keys: it makes none itself.
    """
    if field_keys or pseudonym_key or name_index_key:
        return KeyRing.from_settings(
            field_keys=field_keys, pseudonym_key=pseudonym_key, name_index_key=name_index_key
        )
    if folder is None:
        raise KeysMissing("neither keys nor a folder of keys are set")
    return KeyRing.load(folder) if deployment else KeyRing.load_or_create(folder)


def _make_all(folder: Path) -> None:
    for name, size in (
        ("pseudonym.key", MAC_KEY_BYTES),
        ("name-index.key", MAC_KEY_BYTES),
        ("field-1.key", FIELD_KEY_BYTES),
    ):
        private_file.create(folder / name, secrets.token_bytes(size))
    # Last, so that a start that was cut short, or runs beside this one, comes to the same keys.
    private_file.create(folder / _COMPLETE, b"")


def numbered_key(item: str) -> tuple[int, bytes]:
    """A key as settings write it, `id:key`, the key in hex or base64."""
    match = _FIELD_KEY_SETTING.fullmatch(item)
    if match is None:
        raise ValueError("a numbered key is written id:key")
    return int(match[1]), _key(match[2])


def _key(text: str) -> bytes:
    text = text.strip()
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a key is written in hex or base64") from None
