"""Workbooks that are bombs, where files come in: refused, and in little memory."""

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from chassis.spreadsheet import MEDIA_TYPE, MOST_BYTES_UNPACKED, MOST_PARTS
from tests.faults.conftest import Opened

DOORS = {
    "eldercare": ("/v1/eldercare/facilities/import", "eldercare:write"),
    "indicator": ("/v1/plan/figures/import", "plan:report"),
}
MOST_MEMORY = 250 * 1024
SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LAUGHS = "".join(
    f'<!ENTITY l{depth} "{f"&l{depth - 1};" * 10}">' if depth else '<!ENTITY l0 "lol">'
    for depth in range(10)
)


def changed(template: bytes, parts: dict[str, bytes]) -> bytes:
    """The template with parts in the place of its own."""
    made = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(template)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return made.getvalue()


def peak() -> int:
    """The most memory that this process has had, in KiB (Linux; elsewhere zero)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1])


def forget_the_peak() -> int:
    """Begin anew to measure it: how much there is now."""
    if (refs := Path("/proc/self/clear_refs")).exists():
        refs.write_text("5")
    return peak()


def zeros(template: bytes) -> bytes:
    return changed(template, {SHEET: b"0" * (MOST_BYTES_UNPACKED + 1)})


def zeros_that_are_denied(template: bytes) -> bytes:
    """The directory says that the part is small."""
    made = bytearray(zeros(template))
    size = struct.pack("<I", MOST_BYTES_UNPACKED + 1)
    return bytes(made.replace(size, struct.pack("<I", 100)))


def many_parts(template: bytes) -> bytes:
    return changed(template, {f"xl/{number}.xml": b"" for number in range(MOST_PARTS + 1)})


def told(document_type: str, entity: str) -> bytes:
    """A sheet whose one cell is an entity of its document type."""
    cell = f'<row><c t="inlineStr"><is><t>&{entity};</t></is></c></row>'
    body = f"<worksheet {NAMESPACE}><sheetData>{cell}</sheetData></worksheet>"
    return f"<!DOCTYPE x [{document_type}]>{body}".encode()


def laughter(template: bytes) -> bytes:
    return changed(template, {SHEET: told(LAUGHS, "l9")})


def outside(template: bytes) -> bytes:
    return changed(template, {SHEET: told('<!ENTITY f SYSTEM "file:///etc/passwd">', "f")})


def depth(template: bytes) -> bytes:
    return changed(template, {SHEET: b"<a>" * 1_000_000 + b"</a>" * 1_000_000})


def litter(template: bytes) -> bytes:
    """Elements by the million that no workbook has."""
    text = f"<worksheet {NAMESPACE}>" + "<a/>" * 7_000_000 + "</worksheet>"
    return changed(template, {SHEET: text.encode()})


def strings(template: bytes) -> bytes:
    """Strings by the million, none of which is in any cell."""
    text = f"<sst {NAMESPACE}>" + "<si/>" * 1_500_000 + "</sst>"
    return changed(template, {"xl/sharedStrings.xml": text.encode()})


def far_rows(template: bytes) -> bytes:
    rows = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    text = f"<worksheet {NAMESPACE}><sheetData>{rows}</sheetData></worksheet>"
    return changed(template, {SHEET: text.encode()})


def itself(template: bytes) -> bytes:
    return changed(template, {"xl/embeddings/book.xlsx": template * 20})


BOMBS: tuple[Callable[[bytes], bytes], ...] = (
    *(zeros, zeros_that_are_denied, many_parts, laughter, outside),
    *(depth, litter, strings, far_rows, itself),
)


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("service", DOORS)
async def test_a_bomb_is_refused_in_little_memory(
    opened: Opened, service: str, bomb: Callable[[bytes], bytes]
) -> None:
    path, scope = DOORS[service]
    async with opened(service) as running:
        headers = running.headers(scope) | {"Content-Type": MEDIA_TYPE}
        template = await running.http.get(f"{path}/template", headers=headers)
        content = bomb(template.content)
        before = forget_the_peak()
        answer = await running.http.post(path, content=content, headers=headers)
        taken = peak() - before
    assert answer.status_code in {413, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "root:" not in answer.text
    assert taken < MOST_MEMORY
