from collections.abc import Sequence

from chassis.clock import SHANGHAI
from chassis.spreadsheet import Written
from services.indicator.editions.schemas import EditionView
from services.indicator.plans.workbook import workbook


def edition(shown: EditionView) -> bytes:
    """An edition as a workbook, with what it is and, for a restatement, why."""
    about: list[Sequence[Written]] = [
        ["标题", shown.title],
        ["版次", shown.number],
        ["截止日期", shown.as_of],
        ["按何日已知的内容", shown.known_on or "公布时"],
        ["公布时间", shown.frozen_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")],
        ["指标定义版本", shown.definition_version],
    ]
    if shown.reason is not None:
        about.append(["更正的理由", shown.reason])
        about += [
            [f"更正：{one.name}", f"{one.before or '无数据'} → {one.value or '无数据'}"]
            for one in shown.figures
            if one.before != one.value
        ]
    return workbook(shown.figures, about)
