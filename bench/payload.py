"""What is sent: applications of families that exist nowhere, each with numbers of its own."""

from datetime import date, timedelta
from typing import Any

VILLAGE = "500112129001"
CHECKS = "0123456789X"
FIRST_DAY = date(1950, 1, 1)
DAYS, OF_A_DAY = 16_000, 900
PERSONS = 2


def number(person: int) -> tuple[str, date]:
    """A citizen's number whose checksum holds (GB 11643), and the birthday that it names."""
    born = FIRST_DAY + timedelta(days=person % DAYS)
    body = f"500112{born:%Y%m%d}{person // DAYS % OF_A_DAY + 100:03}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + CHECKS[(1 - total) % 11], born


def application(which: int) -> dict[str, Any]:
    """A couple with an income each and a deposit, as the one door (一门受理) would send it."""
    first, second = which * PERSONS, which * PERSONS + 1
    return {
        "division": VILLAGE,
        "channel": "window",
        "materials": ["application_form"],
        "household": {
            "address": "玉峰山镇梧桐路 7 号 3-2",
            "members": [
                _member("a", "self", first, "1500.00"),
                _member("b", "spouse", second, "300.00"),
            ],
            "properties": [{"kind": "deposit", "member": "a", "amount": "20000.00"}],
        },
    }


def _member(ref: str, relation: str, person: int, wage: str) -> dict[str, Any]:
    document, born = number(person)
    return {
        "ref": ref,
        "relation": relation,
        "born": born.isoformat(),
        "name": "欧阳清风" if ref == "a" else "慕容听雨",
        "document_number": document,
        "phone": "13800138321",
        "truth_committed": True,
        "check_authorised": True,
        "authorisation": "核对授权书 2021 版",
        "incomes": [{"kind": "wage", "amount": wage}],
    }
