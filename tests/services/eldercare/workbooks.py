"""Workbooks as a clerk fills them in, and as an attacker does."""

import zipfile
from collections.abc import Sequence
from io import BytesIO

from openpyxl import Workbook, load_workbook

from services.eldercare.facilities.workbook import (
    CHANGES,
    FORMS,
    REGISTRATIONS,
    template,
)

Row = dict[str, object]

HOME: Row = {
    "设施序号": "1",
    "设施名称": "石船镇敬老院",
    "类型": "敬老院",
    "区划代码": "500112142000",
    "地址": "石船镇中心街 1 号",
    "运营方名称": "石船镇人民政府",
    "运营方性质": "公建公营",
    "核定床位": 30,
    "护理型床位": 10,
    "投入使用床位": 30,
    "服务功能": "全托、日托",
    "开办日期": "2021-01-01",
    "文件依据": "渝北民政〔2021〕1号",
}


def change(matter: str, day: object, **values: object) -> Row:
    return {
        "设施序号": "1",
        "事项": matter,
        "生效日期": day,
        "文件依据": "渝北民政〔2021〕9号",
        **values,
    }


def bed_change(day: object, total: object, nursing: object = 10) -> Row:
    return change("床位变更", day, 核定床位=total, 护理型床位=nursing, 投入使用床位=total)


def filled(homes: Sequence[Row], changes: Sequence[Row] = ()) -> bytes:
    """The template with rows in it."""
    book = load_workbook(BytesIO(template()))
    for title, rows in ((REGISTRATIONS, homes), (CHANGES, changes)):
        sheet = book[title]
        for number, row in enumerate(rows, 2):
            for column, each in enumerate(FORMS[title].columns, 1):
                sheet.cell(number, column).value = row.get(each.heading)  # type: ignore[assignment]
    return saved(book)


def saved(book: Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """The workbook with one of its parts replaced or added."""
    changed = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(content)) as old,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        new.writestr(name, part)
    return changed.getvalue()
