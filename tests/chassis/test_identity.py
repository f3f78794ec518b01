import contextlib
import hmac
import re
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.identity import (
    DocumentKind,
    IdDoubt,
    InvalidNumber,
    ResidentId,
    Sex,
    check_resident_id,
    check_uscc,
    document_number,
    mask_name,
    mask_number,
    mask_phone,
    pseudonym,
    undocumented_person,
)

TODAY = date(2025, 6, 30)
KEY = bytes(range(32))
ID_CHARACTERS = "0123456789X"
USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

# The remainder's value by ISO 7064, not by the table that the code uses.
first_17 = st.text("0123456789", min_size=17, max_size=17)


def with_check(body: str) -> str:
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + ID_CHARACTERS[(1 - total) % 11]


@pytest.mark.parametrize(
    ("number", "born", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), Sex.FEMALE),  # the standard's own example
        ("440524188001010014", date(1880, 1, 1), Sex.MALE),
        ("500112199706010017", date(1997, 6, 1), Sex.MALE),
        ("500112200002290028", date(2000, 2, 29), Sex.FEMALE),
        ("510218199506010018", date(1995, 6, 1), Sex.MALE),
    ],
)
def test_gb_11643_numbers_whose_checksum_holds_are_valid(number: str, born: date, sex: Sex) -> None:
    assert check_resident_id(number, today=TODAY) == ResidentId(number, number[:6], born, sex)


def test_a_code_younger_than_its_holder_is_valid_because_the_checksum_is_the_truth() -> None:
    found = check_resident_id("500112199006010016", today=TODAY)  # 500112 began in 1997
    assert found.doubts == ()


@pytest.mark.parametrize(
    ("body", "doubts"),
    [
        ("99011219900601001", (IdDoubt.PLACE_UNKNOWN,)),
        ("50011220010229001", (IdDoubt.DATE_IMPOSSIBLE,)),
        ("50011200000000001", (IdDoubt.DATE_IMPOSSIBLE,)),
        ("50011220250701001", (IdDoubt.BORN_LATER,)),
        ("00000020991301001", (IdDoubt.PLACE_UNKNOWN, IdDoubt.DATE_IMPOSSIBLE)),
    ],
)
def test_odd_places_and_dates_raise_a_doubt_and_no_refusal(
    body: str, doubts: tuple[IdDoubt, ...]
) -> None:
    assert check_resident_id(with_check(body), today=TODAY).doubts == doubts


@given(first_17)
def test_of_the_eleven_last_characters_exactly_one_is_right(body: str) -> None:
    right = with_check(body)
    assert check_resident_id(right, today=TODAY).number == right
    for last in ID_CHARACTERS.replace(right[17], ""):
        with pytest.raises(InvalidNumber, match="校验位"):
            check_resident_id(body + last, today=TODAY)


@given(first_17, st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(body: str, place: int, shift: int) -> None:
    digit = str((int(body[place]) + shift) % 10)
    with pytest.raises(InvalidNumber):
        check_resident_id(body[:place] + digit + with_check(body)[place + 1 :], today=TODAY)


@given(first_17, st.integers(0, 15))
def test_two_digits_swapped_are_found(body: str, place: int) -> None:
    left, right = body[place], body[place + 1]
    swapped = body[:place] + right + left + with_check(body)[place + 2 :]
    if left != right:
        with pytest.raises(InvalidNumber):
            check_resident_id(swapped, today=TODAY)


@pytest.mark.parametrize(
    "typed",
    ["11010519491231002x", " 110105 19491231 002X\n", "１１０１０５１９４９１２３１００２Ｘ"],
)
def test_case_width_and_spaces_do_not_matter(typed: str) -> None:
    assert check_resident_id(typed, today=TODAY).number == "11010519491231002X"


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "X" * 18,
        "110105491231002",  # the fifteen digits of the first generation
        "1101051949123100X2",
        "11010519491231002X0",
        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",  # noqa: PLE2515, RUF100 - digits, but not GB 11643's
        "11010519491231002\0",
        "'; DROP TABLE --XX",
    ],
)
def test_what_is_no_number_is_refused(hostile: str) -> None:
    with pytest.raises(InvalidNumber):
        check_resident_id(hostile, today=TODAY)


@given(st.text(max_size=40))
def test_any_text_is_refused_without_a_digit_of_it(typed: str) -> None:
    with pytest.raises(InvalidNumber) as refusal:
        check_resident_id(typed + "?", today=TODAY)
    numbers = re.findall(r"[0-9]{3,}", typed)
    assert not any(number in str(refusal.value) for number in numbers)


def test_a_checked_number_does_not_show_itself_in_a_repr() -> None:
    assert "1949" not in repr(check_resident_id("11010519491231002X", today=TODAY))


# --- pseudonyms ---


def test_a_pseudonym_is_hmac_sm3_of_kind_and_number_cut_to_a_uuid_of_version_8() -> None:
    made = pseudonym(KEY, DocumentKind.RESIDENT_ID, "11010519491231002X")
    digest = hmac.digest(KEY, b"resident_id\x0011010519491231002X", "sm3")
    expected = bytearray(digest[:16])
    expected[6] = 0x80 | expected[6] & 0x0F
    expected[8] = 0x80 | expected[8] & 0x3F
    assert made.bytes == bytes(expected)
    assert made.version == 8


def test_the_pseudonym_of_today_is_the_pseudonym_of_all_years() -> None:
    made = pseudonym(KEY, DocumentKind.RESIDENT_ID, "11010519491231002X")
    assert made == UUID("40589d16-e837-85ba-aaa8-c1a9ca97eb78")


def test_one_person_typed_in_several_ways_is_one_person() -> None:
    typed = ["11010519491231002X", "11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ"]
    assert len({pseudonym(KEY, DocumentKind.RESIDENT_ID, number) for number in typed}) == 1


def test_kind_number_and_key_each_make_another_person() -> None:
    passport = pseudonym(KEY, DocumentKind.PASSPORT, "E12345678")
    assert passport != pseudonym(KEY, DocumentKind.MILITARY_ID, "E12345678")
    assert passport != pseudonym(KEY, DocumentKind.PASSPORT, "E12345679")
    assert passport != pseudonym(KEY[::-1], DocumentKind.PASSPORT, "E12345678")


def test_a_wrong_number_makes_no_second_person() -> None:
    with pytest.raises(InvalidNumber):
        pseudonym(KEY, DocumentKind.RESIDENT_ID, "110105194912310020")


def test_a_short_key_makes_no_pseudonym() -> None:
    with pytest.raises(ValueError, match="too short"):
        pseudonym(b"", DocumentKind.RESIDENT_ID, "11010519491231002X")


def test_who_has_no_document_gets_a_random_id() -> None:
    assert undocumented_person() != undocumented_person()
    assert undocumented_person().version == 4


@pytest.mark.parametrize(
    ("kind", "typed", "written"),
    [
        (DocumentKind.PASSPORT, "e 1234-5678", "E12345678"),
        (DocumentKind.TRAVEL_PERMIT_HK_MACAO, "Ｈ0123456700", "H0123456700"),
        (DocumentKind.MILITARY_ID, "军字第2001988号", "军字第2001988号"),
        (DocumentKind.RESIDENCE_PERMIT, with_check("81000019900101001"), None),
    ],
)
def test_other_documents_have_one_written_form(
    kind: DocumentKind, typed: str, written: str | None
) -> None:
    assert document_number(kind, typed) == (written or typed)


@pytest.mark.parametrize("typed", ["", "A1", "A" * 31, "E1234\x00678", "E1234;DROP", "护照"])
def test_what_cannot_be_a_document_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidNumber):
        document_number(DocumentKind.PASSPORT, typed)


def test_a_residence_permit_is_checked_as_gb_11643() -> None:
    with pytest.raises(InvalidNumber):
        document_number(DocumentKind.RESIDENCE_PERMIT, "H0123456700")


# --- organisations ---


def test_gb_32100_number_of_the_district_bureau_is_valid() -> None:
    assert check_uscc(" 11500112009315949d ") == "11500112009315949D"


@pytest.mark.parametrize("place", range(18))
def test_every_single_wrong_character_of_a_uscc_is_found(place: int) -> None:
    right = "11500112009315949D"
    for character in USCC_CHARACTERS.replace(right[place], ""):
        with pytest.raises(InvalidNumber):
            check_uscc(right[:place] + character + right[place + 1 :])


@given(st.text(USCC_CHARACTERS, min_size=11, max_size=11), st.integers(0, 999_999))
def test_of_all_last_characters_exactly_one_makes_a_uscc_valid(body: str, place: int) -> None:
    valid = 0
    for last in USCC_CHARACTERS:
        with contextlib.suppress(InvalidNumber):
            valid += bool(check_uscc(f"{body[:2]}{place:06}{body[2:]}{last}"))
    assert valid == 1


@pytest.mark.parametrize(
    "hostile", ["", "I" * 18, "O15001120093159490", "11500112009315949D1", "1150011200931594\0D"]
)
def test_what_is_no_uscc_is_refused(hostile: str) -> None:
    with pytest.raises(InvalidNumber):
        check_uscc(hostile)


def test_the_values_of_the_seeds_number_add_up_by_hand() -> None:
    code = "11500112009315949D"
    total = sum(USCC_CHARACTERS.index(c) * 3**i for i, c in enumerate(code[:17]))
    assert USCC_CHARACTERS[-total % 31] == "D"


# --- masking ---


def test_an_id_number_shows_its_first_six_and_last_four() -> None:
    assert mask_number("500112199706011234") == "500112********1234"


@pytest.mark.parametrize(
    ("number", "shown"), [("E12345678", "E******78"), ("A12", "***"), ("", "")]
)
def test_a_shorter_number_shows_less(number: str, shown: str) -> None:
    assert mask_number(number) == shown


@pytest.mark.parametrize(
    ("name", "shown"), [("张三丰", "张**"), ("李四", "李*"), ("王", "*"), ("", "")]
)
def test_a_name_shows_its_first_character_and_never_all_of_itself(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [("13812345678", "138****5678"), ("67182345", "******45"), ("12", "**")],
)
def test_a_phone_shows_its_ends(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@given(st.text(max_size=30))
def test_a_mask_keeps_the_length_and_hides_something(text: str) -> None:
    for mask in (mask_number, mask_name, mask_phone):
        shown = mask(text)
        assert len(shown) == len(text)
        assert not text or "*" in shown
