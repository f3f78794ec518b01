import base64
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from chassis.privacy import BrokenSeal, Cell, KeyRing, KeysMissing, Sealed, open_keys, rotate

CELL = Cell("applicant", "id_number", UUID(int=1))
RING = KeyRing(
    field_keys={1: bytes(range(16)), 2: bytes(range(16, 32))},
    current=2,
    pseudonym_key=b"p" * 32,
    name_index_key=b"n" * 32,
)
NO_SETTINGS = {"field_keys": "", "pseudonym_key": "", "name_index_key": ""}


class Recorder:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, str, str]] = []

    async def __call__(self, *, what: str, of: str, purpose: str) -> None:
        self.entries.append((what, of, purpose))


async def refusing(*, what: str, of: str, purpose: str) -> None:
    raise ConnectionError(what, of, purpose)


async def opened(ring: KeyRing, sealed: bytes, cell: Cell = CELL) -> str:
    return await ring.reveal(sealed, cell, of="somebody", purpose="测试", audit=Recorder())


# --- the cipher ---


def test_sm4_is_the_standards_gb_t_32907_example_1() -> None:
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encryptor = Cipher(algorithms.SM4(block), modes.ECB()).encryptor()  # noqa: S305 - the vector is for one block
    assert encryptor.update(block).hex() == "681edf34d206965e86b3e94f536e4246"


def test_sm4_gcm_is_rfc_8998_appendix_a_1() -> None:
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    plain = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD"
        "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(
        bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    )
    assert encryptor.update(plain).hex().upper() == (
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    )
    encryptor.finalize()
    assert encryptor.tag.hex().upper() == "83DE3541E4C2B58177E065A9BF7B62EC"


async def test_a_field_sealed_by_hand_as_the_format_says_opens() -> None:
    header, nonce = bytes([1, 0, 0, 0, 2]), bytes(12)
    encryptor = Cipher(algorithms.SM4(RING.field_keys[2]), modes.GCM(nonce)).encryptor()
    place = b"\x00\x09\x00\x09" + b"applicant" + b"id_number" + CELL.row.bytes
    encryptor.authenticate_additional_data(header + place)
    body = encryptor.update("张三".encode()) + encryptor.finalize()
    assert await opened(RING, header + nonce + body + encryptor.tag) == "张三"


@given(st.text(max_size=200))
async def test_what_is_sealed_comes_back_and_is_not_seen_before(text: str) -> None:
    sealed = RING.seal(text, CELL)
    assert await opened(RING, sealed) == text
    assert len(text.encode()) < 4 or text.encode() not in sealed


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert len({bytes(RING.seal("张三", CELL)) for _ in range(50)}) == 50


# --- tampering ---


async def test_every_changed_bit_breaks_the_seal() -> None:
    sealed = RING.seal("500112199706010017", CELL)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BrokenSeal):
            await opened(RING, bytes(changed))


async def test_every_cut_breaks_the_seal() -> None:
    sealed = RING.seal("500112199706010017", CELL)
    for length in range(len(sealed)):
        with pytest.raises(BrokenSeal):
            await opened(RING, sealed[:length])


@given(st.binary(max_size=120))
async def test_any_bytes_but_a_sealed_field_are_refused(data: bytes) -> None:
    with pytest.raises(BrokenSeal):
        await opened(RING, data)


@pytest.mark.parametrize(
    "other",
    [
        replace(CELL, table="member"),
        replace(CELL, column="name"),
        replace(CELL, row=UUID(int=2)),
        Cell("applicanti", "d_number", CELL.row),
    ],
)
async def test_a_field_moved_to_another_cell_does_not_open(other: Cell) -> None:
    with pytest.raises(BrokenSeal):
        await opened(RING, RING.seal("张三", CELL), other)


# --- reading before witnesses ---


async def test_a_reading_is_recorded_with_what_of_whom_and_why() -> None:
    audit = Recorder()
    sealed = RING.seal("500112199706010017", CELL)
    assert await RING.reveal(sealed, CELL, of="person-1", purpose="低保审核", audit=audit)
    assert audit.entries == [("applicant.id_number", "person-1", "低保审核")]


async def test_without_a_record_nothing_is_revealed() -> None:
    with pytest.raises(ConnectionError):
        await RING.reveal(RING.seal("张三", CELL), CELL, of="p", purpose="查询", audit=refusing)


async def test_many_fields_of_one_person_are_read_under_one_record_and_never_without_it() -> None:
    audit = Recorder()
    cells = [CELL, replace(CELL, row=UUID(int=2))]
    sealed = {cell: RING.seal(name, cell) for cell, name in zip(cells, "张李", strict=True)}
    found = await RING.reveal_all(sealed, of="person-1", purpose="核对", audit=audit)
    assert list(found.values()) == ["张", "李"]
    assert audit.entries == [("applicant.id_number", "person-1", "核对")]
    with pytest.raises(ConnectionError):
        await RING.reveal_all(sealed, of="p", purpose="核对", audit=refusing)
    with pytest.raises(ValueError, match="purpose"):
        await RING.reveal_all(sealed, of="p", purpose=" ", audit=audit)
    elsewhere = replace(CELL, column="name")
    with pytest.raises(ValueError, match="unpack"):
        await RING.reveal_all(
            {**sealed, elsewhere: RING.seal("王", elsewhere)}, of="p", purpose="核对", audit=audit
        )
    assert len(audit.entries) == 1


async def test_an_attempt_on_a_broken_seal_is_recorded_too() -> None:
    audit = Recorder()
    with pytest.raises(BrokenSeal):
        await RING.reveal(bytes(60), CELL, of="p", purpose="查询", audit=audit)
    assert len(audit.entries) == 1


@pytest.mark.parametrize("purpose", ["", "  "])
async def test_personal_data_is_not_read_without_a_purpose_pipl_6(purpose: str) -> None:
    audit = Recorder()
    with pytest.raises(ValueError, match="purpose"):
        await RING.reveal(RING.seal("张三", CELL), CELL, of="p", purpose=purpose, audit=audit)


def test_sealed_fields_and_key_rings_show_nothing_of_themselves() -> None:
    sealed = RING.seal("张三", CELL)
    assert {repr(sealed), str(sealed), f"{sealed}", "%s" % sealed} == {"<sealed>"}  # noqa: UP031 - one of the ways
    assert "\\x" not in repr(RING)
    assert "ppp" not in repr(RING)
    assert "nnn" not in repr(RING)


# --- rotation ---


async def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old = replace(RING, current=1).seal("张三", CELL)
    new = RING.seal("张三", CELL)
    assert (old.key_id, new.key_id) == (1, 2)
    assert [await opened(RING, old), await opened(RING, new)] == ["张三", "张三"]


async def test_resealed_under_the_new_key_a_field_outlives_the_old_one() -> None:
    old = replace(RING, current=1).seal("张三", CELL)
    without_old = replace(RING, field_keys={2: RING.field_keys[2]})
    with pytest.raises(BrokenSeal, match="not on the ring"):
        await opened(without_old, old)
    assert await opened(without_old, RING.reseal(old, CELL)) == "张三"


async def test_an_other_key_under_the_same_id_does_not_open() -> None:
    stranger = replace(RING, field_keys={2: b"x" * 16})
    with pytest.raises(BrokenSeal):
        await opened(stranger, RING.seal("张三", CELL))


# --- names ---


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("张三", "张　三 "),
        ("阿依古丽·买买提", "阿依古丽・买买提"),
        ("阿依古丽·买买提", "阿依古丽•买买提"),
        ("Zoë Smith", "ＺＯＥ\u0308 smith"),
    ],
)
def test_a_name_is_found_however_it_is_typed(name: str, typed: str) -> None:
    assert RING.name_index(name) == RING.name_index(typed)


def test_other_names_and_other_keys_have_other_indexes() -> None:
    assert RING.name_index("张三") != RING.name_index("张二")
    assert RING.name_index("张三") != replace(RING, name_index_key=b"m" * 32).name_index("张三")
    assert len(RING.name_index("张三")) == 32


# --- keys ---


def text_of(keys: dict[str, str]) -> KeyRing:
    return KeyRing.from_settings(**keys)


def test_keys_are_read_in_hex_and_base64_and_the_first_field_key_seals() -> None:
    ring = text_of(
        {
            "field_keys": f"7:{RING.field_keys[1].hex()}, 3:"
            + base64.b64encode(RING.field_keys[2]).decode(),
            "pseudonym_key": base64.b64encode(b"p" * 32).decode(),
            "name_index_key": (b"n" * 32).hex(),
        }
    )
    assert ring == replace(
        RING, field_keys={7: RING.field_keys[1], 3: RING.field_keys[2]}, current=7
    )


GOOD = {
    "field_keys": "1:" + "00" * 16,
    "pseudonym_key": "11" * 32,
    "name_index_key": "22" * 32,
}


@pytest.mark.parametrize("missing", ["field_keys", "pseudonym_key", "name_index_key"])
def test_a_missing_key_is_named(missing: str) -> None:
    with pytest.raises(KeysMissing, match=missing.replace("_", " ").removesuffix("s")):
        text_of({**GOOD, missing: " "})


@pytest.mark.parametrize(
    "wrong",
    [
        {"field_keys": "1:" + "ab" * 15},
        {"field_keys": "ab" * 16},
        {"field_keys": "1:" + "ab" * 16 + ",1:" + "cd" * 16},
        {"field_keys": "1:not-a-key!"},
        {"pseudonym_key": "33" * 31},
        {"name_index_key": "33" * 31},
        {"name_index_key": GOOD["pseudonym_key"]},
    ],
)
def test_a_wrong_key_is_refused_and_not_repeated(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        text_of(GOOD | wrong)
    for key in wrong.values():
        assert not re.search(re.escape(key.split(":")[-1]), str(refusal.value))
    assert refusal.value.__cause__ is None


async def test_a_folder_keeps_its_keys_for_the_next_start(tmp_path: Path) -> None:
    first = KeyRing.load_or_create(tmp_path / "keys")
    again = KeyRing.load_or_create(tmp_path / "keys")
    assert again == first
    assert await opened(again, first.seal("张三", CELL)) == "张三"


def test_keys_in_a_folder_are_private_and_all_different(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path / "keys")
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    modes_found = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()}
    assert modes_found == {0o600}
    assert len({ring.pseudonym_key, ring.name_index_key, *ring.field_keys.values()}) == 3


def test_processes_that_start_at_once_come_to_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(KeyRing.load_or_create, [tmp_path / "keys"] * 8))
    assert all(ring == rings[0] for ring in rings)


@pytest.mark.parametrize("lost", ["pseudonym.key", "name-index.key", "field-1.key"])
def test_a_lost_key_is_not_silently_replaced(tmp_path: Path, lost: str) -> None:
    KeyRing.load_or_create(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(KeysMissing, match=lost):
        KeyRing.load_or_create(tmp_path)


def test_a_start_that_was_cut_short_is_completed(tmp_path: Path) -> None:
    (tmp_path / "pseudonym.key").write_bytes(b"p" * 32)
    assert KeyRing.load_or_create(tmp_path).pseudonym_key == b"p" * 32


async def test_a_rotated_folder_seals_under_the_new_key_and_opens_all(tmp_path: Path) -> None:
    old = KeyRing.load_or_create(tmp_path)
    sealed = old.seal("张三", CELL)
    assert rotate(tmp_path) == 2
    new = KeyRing.load(tmp_path)
    assert new.current == 2
    assert await opened(new, sealed) == "张三"
    assert new.pseudonym_key == old.pseudonym_key


def test_a_deployment_without_keys_refuses(tmp_path: Path) -> None:
    with pytest.raises(KeysMissing):
        open_keys(**NO_SETTINGS, folder=None, deployment=True)
    with pytest.raises(KeysMissing):
        open_keys(**NO_SETTINGS, folder=tmp_path / "keys", deployment=True)
    assert not (tmp_path / "keys").exists()


def test_keys_of_the_settings_come_before_those_of_the_folder(tmp_path: Path) -> None:
    KeyRing.load_or_create(tmp_path)
    assert open_keys(**GOOD, folder=tmp_path, deployment=True) == text_of(GOOD)
    assert open_keys(**NO_SETTINGS, folder=tmp_path, deployment=True) == KeyRing.load(tmp_path)


def test_half_of_the_keys_in_the_settings_is_refused_even_with_a_folder(tmp_path: Path) -> None:
    half = {**NO_SETTINGS, "field_keys": GOOD["field_keys"]}
    with pytest.raises(KeysMissing, match="pseudonym key, name index key"):
        open_keys(**half, folder=tmp_path, deployment=False)


def test_an_embedded_run_without_a_folder_refuses() -> None:
    with pytest.raises(KeysMissing):
        open_keys(**NO_SETTINGS, folder=None, deployment=False)


def test_what_is_not_sealed_has_no_key_id() -> None:
    with pytest.raises(BrokenSeal):
        _ = Sealed(b"plain text that was never sealed at all").key_id
