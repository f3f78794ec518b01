"""Back-entry of history (补录) from a workbook, and what goes out in workbooks."""

from datetime import date, datetime, time
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.services.eldercare.clerk import LUOQI, READ, SHIHE, Clerk, beds, events
from tests.services.eldercare.workbooks import (
    HOME,
    Row,
    bed_change,
    change,
    filled,
    saved,
    with_part,
)
from tests.support.services import Running


def midnight(year: int, month: int, day: int) -> datetime:
    """How a workbook gives back a date."""
    return datetime.combine(date(year, month, day), time())


HISTORY = [
    bed_change(date(2021, 3, 1), 50),
    change("运营方变更", "2021-03-15", 运营方名称="康养公司", 运营方性质="民办营利"),
    bed_change("2021-02-01", 40.0),
    change("服务质量评估", midnight(2022, 5, 1), 评估结果="达标", 评估得分=86.5),
    change("迁址", "2022-06-01", 区划代码=500112144000, 地址="洛碛镇新街 3 号"),
    change("服务功能变更", "2022-07-01", 服务功能="全托，日托 上门服务;对下指导"),
    change("更名", "2022-08-01", 设施名称="洛碛镇幸福院"),
    change("类型变更", "2022-09-01", 类型="养老服务综合体"),
    change("停办", "2023-01-01"),
    change("恢复运营", "2024-01-01"),
]


async def saved_nothing(running: Running) -> bool:
    tables = ("facility", "facility_fact", "imported_history", "chassis.outbox")
    return not any([await running.rows(f"SELECT 1 FROM {table}") for table in tables])  # noqa: S608 - named above


async def test_a_good_history_equals_the_same_by_api(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    answer = await clerk.send(filled([HOME], HISTORY))
    assert answer.status_code == 201, answer.text
    assert answer.json() == {"facilities": 1, "facts": 17}
    by_hand = await clerk.register()
    await clerk.change(by_hand, "beds", "2021-02-01", beds=beds(40))
    await clerk.change(by_hand, "beds", "2021-03-01", beds=beds(50))
    company = {"name": "康养公司", "kind": "private_forprofit"}
    await clerk.change(by_hand, "operator", "2021-03-15", operator=company)
    await clerk.change(by_hand, "assessment", "2022-05-01", passed=True, score=86.5)
    address = "洛碛镇新街 3 号"
    await clerk.change(by_hand, "place", "2022-06-01", division=LUOQI, address=address)
    functions = ["full_care", "day_care", "home_service", "guidance"]
    await clerk.change(by_hand, "functions", "2022-07-01", functions=functions)
    await clerk.change(by_hand, "name", "2022-08-01", name="洛碛镇幸福院")
    await clerk.change(by_hand, "kind", "2022-09-01", kind="complex")
    await clerk.change(by_hand, "closing", "2023-01-01")
    await clerk.change(by_hand, "opening", "2024-01-01")
    imported = (await clerk.get()).json()["items"][0]["id"]
    published = {event["subject"]: event for event in await events(eldercare)}
    assert published[imported]["sequence"] == 1
    assert published[imported]["type"] == "minzheng.eldercare.facility.registered.v1"
    same = [{**published[each]["data"], "id": ""} for each in (imported, by_hand)]
    assert same[0] == same[1]
    for day in ("2021-02-15", "2022-06-30", "2023-06-01", "2025-03-03"):
        one, other = [
            {**(await clerk.get(f"/{each}", as_of=day)).json(), "id": ""}
            for each in (imported, by_hand)
        ]
        assert one == other
    assert (await Clerk(eldercare, LUOQI).get(f"/{imported}")).status_code == 200


WRONG_ROWS: list[tuple[Row, list[Row], str, str]] = [
    ({"核定床位": 5}, [], "/设施登记/2/核定床位", "护理型床位不能多于核定床位"),
    ({"核定床位": "许多"}, [], "/设施登记/2/核定床位", "应为整数"),
    ({"核定床位": 30.5}, [], "/设施登记/2/核定床位", "应为整数"),
    ({"核定床位": True}, [], "/设施登记/2/核定床位", "应为文字"),
    ({"核定床位": 999999999}, [], "/设施登记/2/核定床位", "数值过大"),
    ({"核定床位": "9" * 400}, [], "/设施登记/2/核定床位", "应为整数"),
    ({"设施名称": None}, [], "/设施登记/2/设施名称", "缺少必填项"),
    ({"文件依据": 13800138000}, [], "/设施登记/2/文件依据", "不得含身份证号、电话"),
    ({"开办日期": date(1900, 1, 1)}, [], "/设施登记/2/开办日期", "1949-10-01 至 2099-12-31"),
    ({"开办日期": "2021-02-30"}, [], "/设施登记/2/开办日期", "没有这一天"),
    ({"设施序号": None}, [], "/设施登记/2/设施序号", "缺少必填项"),
    ({"类型": "宾馆"}, [], "/设施登记/2/类型", "须为：养老机构、"),
    ({"服务功能": "全托、唱歌"}, [], "/设施登记/2/服务功能", "须为：全托、"),
    ({"服务功能": None}, [], "/设施登记/2/服务功能", "缺少必填项"),
    ({"开办日期": "2021/1/1"}, [], "/设施登记/2/开办日期", "日期应为 YYYY-MM-DD"),
    ({"开办日期": 44197}, [], "/设施登记/2/开办日期", "应为日期"),
    (
        {"开办日期": datetime.combine(date(2021, 1, 1), time(9))},
        [],
        "/设施登记/2/开办日期",
        "不带时刻",
    ),
    ({"开办日期": "2099-01-01"}, [], "/设施登记/2/区划代码", "当日没有此区划代码"),
    ({"区划代码": "500157104000"}, [], "/设施登记/2/区划代码", "当日没有此区划代码"),
    ({"区划代码": "500112000000"}, [], "/设施登记/2/区划代码", "须填到镇街或村居"),
    ({}, [bed_change("2020-12-31", 40)], "/后续变更/2/生效日期", "早于开办日期"),
    (
        {},
        [change("停办", "2022-01-01"), bed_change("2022-02-01", 9, 0)],
        "/后续变更/3/生效日期",
        "停办期间",
    ),
    (
        {},
        [bed_change("2021-02-01", 40), bed_change("2021-02-01", 41)],
        "/后续变更/3/生效日期",
        "已登记过",
    ),
    ({}, [{**bed_change("2021-02-01", 40), "设施序号": "2"}], "/后续变更/2/设施序号", "没有此序号"),
    ({}, [change("庆典", "2021-02-01")], "/后续变更/2/事项", "须为：床位变更、"),
    ({}, [change("停办", "2021-02-01", 核定床位=3)], "/后续变更/2/核定床位", "不认识的字段"),
    ({}, [change("床位变更", "2021-02-01", 核定床位=3)], "/后续变更/2/护理型床位", "缺少必填项"),
    ({}, [change("床位变更", "2021-02-01")], "/后续变更/2/核定床位", "缺少必填项"),
    (
        {},
        [change("服务质量评估", "2022-02-01", 评估结果="优")],
        "/后续变更/2/评估结果",
        "须为：达标、",
    ),
    (
        {},
        [change("服务质量评估", "2022-02-01", 评估结果="达标", 评估得分="高")],
        "/后续变更/2/评估得分",
        "应为数字",
    ),
    (
        {},
        [change("迁址", "2022-02-01", 区划代码="500157109000", 地址="新街")],
        "/后续变更/2/区划代码",
        "当日没有此区划代码",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("home", "changes", "pointer", "told"), WRONG_ROWS)
async def test_a_wrong_row_is_told_in_chinese_and_nothing_is_saved(
    eldercare: Running, home: Row, changes: list[Row], pointer: str, told: str
) -> None:
    good = {**HOME, "设施序号": "甲", "设施名称": "好的"}
    answer = await Clerk(eldercare).send(filled([{**HOME, **home}, good], changes))
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["type"] == "urn:minzheng:problem:import-refused"
    found = {error["pointer"]: error["detail"] for error in problem["errors"]}
    assert told in found[pointer]
    sheet, row, heading = pointer[1:].split("/")
    assert found[pointer].startswith(f"“{sheet}”第 {row} 行“{heading}”：")
    assert await saved_nothing(eldercare)


async def test_all_wrong_rows_are_told_at_once(eldercare: Running) -> None:
    homes = [{**HOME, "设施序号": number, "类型": "宾馆"} for number in range(1, 300)]
    problem = (await Clerk(eldercare).send(filled(homes))).json()
    assert problem["detail"].startswith("共发现 299 处错误")
    assert len(problem["errors"]) == 200


async def test_two_facilities_of_one_number_are_told(eldercare: Running) -> None:
    problem = (await Clerk(eldercare).send(filled([HOME, HOME]))).json()
    assert [error["pointer"] for error in problem["errors"]] == ["/设施登记/3/设施序号"]


async def test_a_foreign_town_in_the_file_is_refused_and_nothing_is_saved(
    eldercare: Running,
) -> None:
    town = Clerk(eldercare, SHIHE)
    foreign = {**HOME, "设施序号": "2", "区划代码": LUOQI}
    problem = (await town.send(filled([HOME, foreign]))).json()
    assert [error["pointer"] for error in problem["errors"]] == ["/设施登记/3/区划代码"]
    assert await saved_nothing(eldercare)
    assert (await town.send(filled([HOME]))).status_code == 201


async def test_the_same_content_is_taken_in_once(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    content = filled([HOME], HISTORY)
    first = await clerk.send(content, key="back-entry-0001")
    again = await clerk.send(content, key="back-entry-0001")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    resaved = saved(load_workbook(BytesIO(content)))
    refused = await clerk.send(resaved)
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:minzheng:problem:already-imported"
    assert len(await events(eldercare)) == 1


async def test_the_template_holds_an_explanation_of_every_column_and_can_be_sent_back(
    eldercare: Running,
) -> None:
    clerk = Clerk(eldercare)
    answer = await clerk.get("/import/template")
    assert answer.status_code == 200
    book = load_workbook(BytesIO(answer.content))
    assert book.sheetnames == ["填写说明", "设施登记", "后续变更"]
    explained = {(row[0], row[1]) for row in book["填写说明"].iter_rows(values_only=True)}
    for title in ("设施登记", "后续变更"):
        for heading in next(book[title].iter_rows(values_only=True)):
            assert (title, heading) in explained
    for title, offered in (("设施登记", {"C", "G"}), ("后续变更", {"B", "I", "K", "O"})):
        lists = book[title].data_validations.dataValidation
        assert {str(one.sqref)[0] for one in lists} == offered
    empty = await clerk.send(answer.content)
    assert empty.status_code == 422
    assert "没有可补录的内容" in empty.json()["errors"][0]["detail"]
    assert (await Clerk(eldercare, scopes=(READ,)).get("/import/template")).status_code == 403


SHEET = (
    b'<?xml version="1.0"?>%s<worksheet '
    b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s'
    b"</sheetData></worksheet>"
)
BOMB = SHEET % (b"", b" " * (40 * 1024 * 1024))
ENTITIES = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(9))
LAUGHS = SHEET % (
    b'<!DOCTYPE l [<!ENTITY a "ha">%s]>' % ENTITIES,
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>&j;</t></is></c></row>',
)
FAR_ROW = SHEET % (b"", b'<row r="999999999999"><c r="A999999999999"><v>1</v></c></row>')


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 broken",
        b"%PDF-1.7",
        filled([HOME])[:-200],
        with_part(filled([HOME]), "xl/worksheets/sheet2.xml", BOMB),
        with_part(filled([HOME]), "xl/worksheets/sheet2.xml", LAUGHS),
        with_part(filled([HOME]), "xl/worksheets/sheet2.xml", FAR_ROW),
        with_part(filled([HOME]), "xl/worksheets/sheet2.xml", b"<worksheet"),
        with_part(filled([HOME]), "xl/workbook.xml", b"<workbook/>"),
    ],
    ids=["empty", "broken", "pdf", "cut", "bomb", "laughs", "far_row", "cut_sheet", "no_sheets"],
)
async def test_a_hostile_file_is_refused_with_a_problem(eldercare: Running, content: bytes) -> None:
    answer = await Clerk(eldercare).send(content)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:minzheng:problem:unreadable-workbook"
    assert await saved_nothing(eldercare)


async def test_a_file_over_2_mib_or_5000_rows_is_refused(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    assert (await clerk.send(b"x" * (2 * 1024 * 1024 + 1))).status_code == 413
    too_many = [bed_change("2021-02-01", 40)] * 5_000
    refused = await clerk.send(filled([HOME], too_many))
    assert refused.json()["detail"] == "一次最多补录 5000 行，请分几次补录"


@pytest.mark.parametrize("heading", ["核定床位数", None])
async def test_another_heading_than_the_templates_is_told(
    eldercare: Running, heading: str | None
) -> None:
    book = load_workbook(BytesIO(filled([HOME])))
    book["设施登记"]["H1"] = heading
    refused = await Clerk(eldercare).send(saved(book))
    assert refused.json()["detail"] == "工作表“设施登记”的表头与模板不符"


async def test_columns_may_stand_in_another_order(eldercare: Running) -> None:
    book = load_workbook(BytesIO(filled([HOME])))
    sheet = book["设施登记"]
    rows = [[cell.value for cell in row][::-1] for row in sheet.iter_rows()]
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            sheet.cell(number, column).value = value  # type: ignore[assignment]
    assert (await Clerk(eldercare).send(saved(book))).status_code == 201


async def test_the_export_holds_what_is_readable_as_of_a_day(eldercare: Running) -> None:
    clerk = Clerk(eldercare)
    facility = await clerk.register(name="=HYPERLINK(A1)")
    await clerk.change(facility, "beds", "2022-01-01", beds=beds(50))
    await clerk.change(facility, "assessment", "2022-05-01", passed=True, score="86.5")
    await clerk.change(facility, "closing", "2023-01-01")

    async def exported(**query: object) -> dict[str, Any]:
        answer = await clerk.get("/export", **query)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        sheet = load_workbook(BytesIO(answer.content))["养老服务设施"]
        headings, row = sheet.iter_rows()
        assert row[0].data_type == "s"
        return {str(h.value): c.value for h, c in zip(headings, row, strict=True)}

    now, then = await exported(), await exported(as_of="2021-12-31")
    assert (then["状态"], then["核定床位"], then["评估结果"]) == ("在办", 30, None)
    assert (now["状态"], now["核定床位"], now["停办日期"]) == ("已停办", 50, midnight(2023, 1, 1))
    assert (now["设施名称"], now["镇街"], now["区划代码"]) == ("=HYPERLINK(A1)", "石船镇", SHIHE)
    assert (now["类型"], now["服务功能"]) == ("敬老院", "全托、日托")
    assert (now["评估结果"], now["评估得分"]) == ("达标", 86.5)
