"""The board and an edition as workbooks (xlsx)."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from chassis.spreadsheet import Sheet, Written, write
from services.indicator.plans.rules import STATUS_NAMES
from services.indicator.plans.schemas import IndicatorItem, IndicatorList, TargetView

ORIGINS = {"events": "业务事件", "reported": "填报", "mixed": "业务事件和填报", None: ""}

COLUMNS: Mapping[str, Callable[[IndicatorItem], Written]] = {
    "序号": lambda one: one.no,
    "指标": lambda one: one.name,
    "单位": lambda one: one.unit,
    "性质": lambda one: one.kind,
    "2020年": lambda one: "——" if one.baseline is None else _number(one.baseline),
    "数值": lambda one: _number(one.value) or "无数据",
    "分子": lambda one: _number(one.numerator),
    "分母": lambda one: _number(one.denominator),
    "目标": lambda one: _governing(one).printed,
    "状态": lambda one: STATUS_NAMES[one.status],
    "进度应达": lambda one: _number(_governing(one).path),
    "差距": lambda one: _gap(_governing(one)),
    "尚缺镇街": lambda one: "、".join(town.name or "" for town in one.missing),
    "未填报镇街": lambda one: "、".join(town.name or "" for town in one.unreported),
    "数据来源": lambda one: ORIGINS[one.origin],
    "填报数日期": lambda one: one.reported_on,
    "暂定": lambda one: "是" if one.provisional else "",
    "牵头单位": lambda one: one.owner,
    "口径": lambda one: one.scope_name,
    "定义": lambda one: one.definition,
    "提示": lambda one: "；".join(one.warnings),
    "备注": lambda one: one.note,
}
TARGETS: Mapping[str, Callable[[IndicatorItem, TargetView], Written]] = {
    "序号": lambda one, _: one.no,
    "指标": lambda one, _: one.name,
    "规划章节": lambda _, target: target.section,
    "目标（原文）": lambda _, target: target.printed,
    "期限": lambda _, target: target.due,
    "效力": lambda _, target: target.standing,
    "状态": lambda _, target: STATUS_NAMES[target.status],
    "比较日期": lambda _, target: target.judged_on,
    "比较数值": lambda _, target: _number(target.measured_value),
    "差距": lambda _, target: _gap(target),
    "备注": lambda _, target: target.note,
}


def board(shown: IndicatorList, place: str) -> bytes:
    """The board with its targets; `place` is the name of what was looked at."""
    known = "现在" if shown.known_on is None else shown.known_on.isoformat()
    about: list[Sequence[Written]] = [
        ["所查日期", shown.as_of],
        ["按何日已知的内容", known],
        ["范围", place],
    ]
    return workbook(shown.items, about)


def workbook(items: Sequence[IndicatorItem], about: Sequence[Sequence[Written]]) -> bytes:
    return write(
        [
            Sheet(
                "规划指标",
                list(COLUMNS),
                [[read(one) for read in COLUMNS.values()] for one in items],
            ),
            Sheet(
                "各项目标",
                list(TARGETS),
                [
                    [read(one, target) for read in TARGETS.values()]
                    for one in items
                    for target in one.targets
                ],
            ),
            Sheet("说明", ["项目", "内容"], about, width=30),
        ]
    )


def _governing(one: IndicatorItem) -> TargetView:
    return next(target for target in one.targets if target.governing)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _gap(target: TargetView) -> str:
    if target.gap is None:
        return ""
    return f"{'还差' if target.gap.more else '超出'} {target.gap.amount} {target.gap.thing}"
