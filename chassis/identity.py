"""Who a person or an organisation is: numbers checked, pseudonyms made, all of it shown masked."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID, uuid4

from chassis import sm3

PSEUDONYM_KEY_BYTES = 32


class InvalidNumber(ValueError):  # noqa: N818 - says what happened
    """A number that cannot be one of its kind; the message is Chinese and does not repeat it."""


class DocumentKind(StrEnum):
    """What proves who a person is (证件类型)."""

    RESIDENT_ID = "resident_id"  # 居民身份证
    RESIDENCE_PERMIT = "residence_permit"  # 港澳台居民居住证
    PERMANENT_RESIDENCE = "permanent_residence"  # 外国人永久居留身份证
    PASSPORT = "passport"  # 护照
    TRAVEL_PERMIT_HK_MACAO = "travel_permit_hk_macao"  # 港澳居民来往内地通行证
    TRAVEL_PERMIT_TAIWAN = "travel_permit_taiwan"  # 台湾居民来往大陆通行证
    MILITARY_ID = "military_id"  # 军官证、士兵证
    BIRTH_CERTIFICATE = "birth_certificate"  # 出生医学证明


class Sex(StrEnum):
    MALE = "male"
    FEMALE = "female"


class IdDoubt(StrEnum):
    """Why somebody should look at an ID number whose checksum holds."""

    PLACE_UNKNOWN = "place_unknown"
    DATE_IMPOSSIBLE = "date_impossible"
    BORN_LATER = "born_later"


@dataclass(frozen=True, slots=True)
class ResidentId:
    """A citizen's number (公民身份号码): 18 characters, the checksum holds."""

    number: str
    division: str  # six digits, of the year the number was given
    born: date | None  # None where the eight digits are no date
    sex: Sex
    doubts: tuple[IdDoubt, ...] = ()

    def __repr__(self) -> str:
        return "ResidentId(…)"


_ID_LENGTH = 18
_ID_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123]")
_EIGHTEEN_DIGITS = frozenset({DocumentKind.RESIDENT_ID, DocumentKind.RESIDENCE_PERMIT})
_DOCUMENT_SHAPE = re.compile(r"[0-9A-Z\u4e00-\u9fff]{5,30}")


def check_resident_id(text: str, *, today: date) -> ResidentId:
    """Read a citizen's number as somebody typed it (GB 11643, ISO 7064 MOD 11-2).

    The checksum decides. Place and date only raise doubts: real numbers carry codes that came or
    went in other years than the tables say, and impossible birthdays.

    Raises:
        InvalidNumber: wrong length, characters or checksum.
    """
    number = _resident_number(text)
    born = _date(number[6:14])
    doubts = []
    if not _PROVINCE.match(number):
        doubts.append(IdDoubt.PLACE_UNKNOWN)
    if born is None:
        doubts.append(IdDoubt.DATE_IMPOSSIBLE)
    elif born > today:
        doubts.append(IdDoubt.BORN_LATER)
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return ResidentId(number, number[:6], born, sex, tuple(doubts))


def document_number(kind: DocumentKind, text: str) -> str:
    """The number in its one written form: half width, capitals, without spaces and hyphens.

    Raises:
        InvalidNumber: not a number of this kind; numbers of foreign make are checked by shape.
    """
    if kind in _EIGHTEEN_DIGITS:
        return _resident_number(text)
    number = _written(text)
    if not _DOCUMENT_SHAPE.fullmatch(number):
        raise InvalidNumber("证件号码应为 5 至 30 位数字、字母或汉字")
    return number


def pseudonym(key: bytes, kind: DocumentKind, number: str) -> UUID:
    """By which id all services know the holder of a document.

    HMAC-SM3(key, kind ‖ 0x00 ‖ number) cut to 128 bits, marked as UUID version 8 (RFC 9562, 5.8).
    Who has the key can try all numbers, so a pseudonym is personal data too.

    Raises:
        InvalidNumber: as `document_number`, so that no typing slip makes a second person.
    """
    if len(key) < PSEUDONYM_KEY_BYTES:
        raise ValueError("the pseudonym key is too short")
    message = f"{kind.value}\0{document_number(kind, number)}".encode()
    bits = int.from_bytes(sm3.mac(key, message)[:16])
    bits = bits & ~(0xF << 76) | 8 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=bits)


def undocumented_person() -> UUID:
    """A random id for who has no document (a foundling); joined to a pseudonym later."""
    return uuid4()


_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_SHAPE = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def check_uscc(text: str) -> str:
    """An organisation's number (统一社会信用代码) in its one written form (GB 32100, MOD 31).

    Raises:
        InvalidNumber: wrong length, characters or checksum.
    """
    code = _written(text)
    if not _USCC_SHAPE.fullmatch(code):
        raise InvalidNumber("统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z）")
    values = [_USCC_ALPHABET.index(character) for character in code]
    total = sum(weight * value for weight, value in zip(_USCC_WEIGHTS, values, strict=False))
    if (total + values[17]) % 31:
        raise InvalidNumber("统一社会信用代码校验位不符")
    return code


_LONG_NUMBER, _LONG_PHONE = 15, 11


def mask_number(number: str) -> str:
    """`500112********1234`; of shorter numbers than 15 only the first and the last two."""
    return _starred(number, 6, 4) if len(number) >= _LONG_NUMBER else _starred(number, 1, 2)


def mask_name(name: str) -> str:
    """The first character: 张三丰 → 张**."""
    return _starred(name, 1, 0)


def mask_phone(phone: str) -> str:
    """`138****5678`; of shorter numbers than 11 only the last two."""
    return _starred(phone, 3, 4) if len(phone) >= _LONG_PHONE else _starred(phone, 0, 2)


def _starred(text: str, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    if hidden <= 0:
        return "*" * len(text)
    return text[:head] + "*" * hidden + text[len(text) - tail :]


def _written(text: str) -> str:
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()


def _resident_number(text: str) -> str:
    number = _written(text)
    if len(number) != _ID_LENGTH:
        raise InvalidNumber("身份证号码应为 18 位")
    if not _ID_SHAPE.fullmatch(number):
        raise InvalidNumber("身份证号码前 17 位应为数字，末位为数字或 X")
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    if _ID_CHECKS[total % 11] != number[17]:
        raise InvalidNumber("身份证号码校验位不符，请核对")
    return number


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
