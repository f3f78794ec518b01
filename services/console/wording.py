"""The words and numbers of the pages: pure functions from answers to Chinese."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from chassis.clock import SHANGHAI
from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from contracts.topics import topic_of_type
from services.console.answers import (
    Assessment,
    Beds,
    Cell,
    Counts,
    Fact,
    Gap,
    Goal,
    Item,
    Origin,
    Period,
    Place,
    State,
    Status,
    Target,
    Verdict,
)

ABSENT = "——"
"""What stands for a value that is not known, as in the plan's Table 1; never a zero."""

TO_CONFIRM = "待确认"
NAMES_SHOWN = 10
STALE_DAYS = 365

STATUSES = {
    Status.DONE: "已完成",
    Status.ON_COURSE: "进度正常",
    Status.BEHIND: "落后",
    Status.NOT_ASSESSABLE: "无法评判",
}
SIGNS = {
    Status.DONE: "✓",
    Status.ON_COURSE: "●",
    Status.BEHIND: "▼",
    Status.NOT_ASSESSABLE: "–",
}
"""Beside the colour, for print and for who does not tell colours apart."""

KINDS = {
    FacilityKind.INSTITUTION: "养老机构",
    FacilityKind.TOWN_CENTRE: "镇街养老服务中心",
    FacilityKind.COMMUNITY_STATION: "社区养老服务站",
    FacilityKind.RURAL_HOME: "敬老院",
    FacilityKind.MUTUAL_AID_POINT: "互助养老点",
    FacilityKind.MEAL_POINT: "助餐点",
    FacilityKind.INTENSIVE_CARE_CENTRE: "集中照护中心",
    FacilityKind.COMPLEX: "养老服务综合体",
}
OPERATOR_KINDS = {
    OperatorKind.GOVERNMENT: "公建公营",
    OperatorKind.PUBLIC_BUILT_PRIVATE_RUN: "公建民营",
    OperatorKind.PRIVATE_NONPROFIT: "民办非营利",
    OperatorKind.PRIVATE_FORPROFIT: "民办营利",
}
FUNCTIONS = {
    FacilityFunction.FULL_CARE: "全托",
    FacilityFunction.DAY_CARE: "日托",
    FacilityFunction.HOME_SERVICE: "上门服务",
    FacilityFunction.GUIDANCE: "对下指导",
    FacilityFunction.MEALS: "助餐",
    FacilityFunction.MUTUAL_AID: "互助",
}
STATES = {
    State.PLANNED: "待开办",
    State.OPEN: "在办",
    State.CLOSED: "已停办",
    State.VOID: "登记作废",
}
ORIGINS = {
    Origin.EVENTS: "事件自动汇总",
    Origin.REPORTED: "填报",
    Origin.MIXED: "自动汇总与填报",
}
VERBS = {
    "registered": "登记",
    "changed": "变更",
    "corrected": "更正",
    "assessed": "评估",
    "closed": "停办",
    "set": "发布",
    "reported": "填报",
    "founded": "设立",
    "abolished": "撤销",
    "removed": "注销",
    "approved": "确认",
    "reduced": "调减",
    "stopped": "停发",
    "moved": "迁移",
    "restored": "还原",
    "voided": "作废",
}
_OPERATORS = {">=": "≥", "<=": "≤", "==": "", ">": ">", "<": "<"}


def number(value: Decimal | int | None) -> str:
    """With thousands separators and the decimals that it has."""
    return (
        ABSENT if value is None else f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    )


def quantity(value: Decimal | int | None, unit: str) -> str:
    if value is None:
        return ABSENT
    return f"{number(value)}%" if unit == "%" else f"{number(value)} {unit}"


def fraction(numerator: Decimal | None, denominator: Decimal | None) -> str:
    """Numerator over denominator; empty where the indicator is none of the kind."""
    if numerator is None and denominator is None:
        return ""
    return f"{number(numerator)} / {number(denominator)}"


def goal(target: Target | Goal, unit: str) -> str:
    """The target as the plan would print it; a moving one in words with today's value."""
    if isinstance(target, Target) and target.reference is not None:
        now = "" if target.goal is None else f"（{_compared(target.operator, target.goal, unit)}）"
        return f"{target.reference}{now}"
    return ABSENT if target.value is None else _compared(target.operator, target.value, unit)


def _compared(operator: str, value: Decimal, unit: str) -> str:
    return f"{_OPERATORS.get(operator, operator)}{quantity(value, unit)}"


def governing_goal(item: Item) -> str:
    return ABSENT if item.governing is None else goal(item.governing, item.unit)


def other_goals(item: Item) -> str:
    """The targets that contradict the governing one, with where they stand; empty without any."""
    if not item.conflict or item.governing is None:
        return ""
    others = [
        target
        for target in item.targets
        if not target.governing
        and target.standing != TO_CONFIRM
        and (target.operator, target.value, target.reference)
        != (item.governing.operator, item.governing.value, item.governing.reference)
    ]
    return "；".join(f"{target.section} {goal(target, item.unit)}" for target in others)


def gap(found: Gap) -> str:
    """「还差 1,454 张护理型床位」 or, where it is too much, 「超出 250 张政府运营床位」."""
    return f"{'还差' if found.more else '超出'} {number(found.amount)} {found.thing}"


def names(places: Sequence[Place], shown: int = NAMES_SHOWN) -> str:
    """The places by name; of many the first ones, and how many there are."""
    text = "、".join(place.name for place in places[:shown])
    return text if len(places) <= shown else f"{text} 等"


def lacking(item: Item) -> list[str]:
    """What is missing, in things and names; nothing where the target is met or not judged."""
    lines = []
    if item.governing is not None and item.governing.gap is not None:
        lines.append(gap(item.governing.gap))
    if item.missing and item.status is not Status.DONE:
        lines.append(f"尚无的 {len(item.missing)} 个：{names(item.missing)}")
    return lines


def course(item: Item) -> str:
    """Where the straight line to the target is, for what is not done yet; else empty."""
    target = item.governing
    if target is None or item.status not in (Status.ON_COURSE, Status.BEHIND):
        return ""
    if target.due_passed:
        return "期限已过"
    if target.path is None or target.reference is not None:
        return ""
    return f"按进度应为 {quantity(target.path, item.unit)}"


def is_judged_by_year(item: Item) -> bool:
    """Whether the last whole year was judged, not the day shown: so for flows."""
    target = item.governing
    return target is not None and target.judged_on not in (None, item.as_of)


def judged(item: Item) -> str:
    """The value that was judged where it is not that of the day shown; else empty."""
    return f"评判用 {held_value(item)}" if is_judged_by_year(item) else ""


def held_value(item: Item) -> str:
    """The value that is held against the target, with its year where it is not the day's."""
    target = item.governing
    if target is None or target.judged_on is None or not is_judged_by_year(item):
        return quantity(item.value, item.unit)
    return f"{target.judged_on.year} 年 {quantity(target.measured_value, item.unit)}"


def origin(item: Item) -> str:
    """Where the figure comes from."""
    return "暂无数据" if item.origin is None else ORIGINS[item.origin]


def reported(item: Item) -> str:
    """The day that the last reported figure speaks of, and how long before the day shown."""
    if item.reported_on is None:
        return ""
    age = f"，距截至日 {number(item.age_days)} 天" if item.age_days else ""
    return f"{day(item.reported_on)} 的数{age}"


def is_stale(item: Item) -> bool:
    return item.age_days is not None and item.age_days > STALE_DAYS


def verdict(found: Verdict) -> str:
    """The one sentence for who has no minute."""
    binding = _verdict_on("约束性指标", found.binding)
    return f"{binding}；{_verdict_on('预期性指标', found.expected)}。"


def verdict_of(items: Sequence[Item]) -> Verdict:
    """How many stand how, of indicators that come without a verdict."""

    def counted(*, binding: bool) -> Counts:
        found = [item.status for item in items if item.binding is binding]
        return Counts(**{status.value: found.count(status) for status in Status})

    return Verdict(binding=counted(binding=True), expected=counted(binding=False))


def _verdict_on(kind: str, counts: Counts) -> str:
    if counts.behind:
        return f"{kind} {counts.total} 项中 {counts.behind} 项落后"
    if counts.not_assessable == counts.total:
        return f"{kind}均无法评判"
    if counts.done == counts.total:
        return f"{kind} {counts.total} 项全部完成"
    if counts.not_assessable:
        return f"{kind}没有落后，{counts.not_assessable} 项无法评判"
    return f"{kind} {counts.total} 项全部完成或进度正常"


def is_yes_or_no(cells: Iterable[Cell]) -> bool:
    """Whether a town has it or not: the coverage of towns, seen town by town."""
    known = [cell.denominator for cell in cells if cell.denominator is not None]
    return bool(known) and all(denominator == 1 for denominator in known)


def has(cell: Cell) -> str:
    return "有" if cell.numerator else "尚无"


def day(value: date | None) -> str:
    return ABSENT if value is None else value.isoformat()


def chinese_day(value: date) -> str:
    return f"{value.year}年{value.month}月{value.day}日"


def moment(value: datetime) -> str:
    """The minute in Asia/Shanghai."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def event(event_type: str) -> str:
    """「养老服务设施 · 变更」; a type that is not known stays as it is."""
    topic = topic_of_type(event_type)
    if topic is None:
        return event_type
    verb = event_type.split(".")[-2]
    return f"{topic.title} · {VERBS.get(verb, verb)}"


def beds(found: Beds) -> str:
    return (
        f"核定床位 {number(found.total)} 张，其中护理型 {number(found.nursing)} 张；"
        f"投入使用 {number(found.in_use)} 张"
    )


def functions(found: Sequence[FacilityFunction]) -> str:
    return "、".join(word for code, word in FUNCTIONS.items() if code in found) or "无"


def period(found: Period) -> dict[str, str]:
    """What holds in a period, by the name of each thing, for a comparison with the one before."""
    return {
        "状态": "在办" if found.open else "未营业",
        "类型": KINDS[found.kind],
        "所在": found.division_name or ABSENT,
        "运营方性质": OPERATOR_KINDS[found.operator_kind],
        "床位": beds(found.beds),
        "服务功能": functions(found.functions),
    }


def assessment(found: Assessment | None) -> str:
    """The latest one: 「2023年5月1日 达标，得分 86」."""
    if found is None:
        return "没有评估记录"
    score = "" if found.score is None else f"，得分 {found.score.normalize():f}"
    return f"{chinese_day(found.assessed_on)} {'达标' if found.passed else '未达标'}{score}"


def entries(facts: Iterable[Fact]) -> list[list[Fact]]:
    """The record in the order in which it was made; what was entered in one go stands together.

    A fact that corrects or was corrected stands alone, with its reason.
    """

    def together(fact: Fact) -> tuple[datetime, date, str, str, str]:
        alone = str(fact.id) if fact.supersedes or fact.superseded_by else ""
        return fact.recorded_at, fact.valid_from, fact.document, fact.recorded_by, alone

    return [list(found) for _, found in groupby(sorted(facts, key=together), together)]


def corrections(fact: Fact, by_id: Mapping[UUID, Fact]) -> list[str]:
    """What this entry corrects and why, and which later entry corrects it."""
    lines = []
    before = by_id.get(fact.supersedes) if fact.supersedes else None
    if before is not None:
        lines.append(f"更正了{chinese_day(before.valid_from)}起的登记「{before.text}」")
    if fact.reason:
        lines.append(f"理由：{fact.reason}")
    if fact.superseded_by is not None:
        after = by_id.get(fact.superseded_by)
        when = "" if after is None else f"于 {moment(after.recorded_at)} "
        lines.append(f"已{when}更正")
    return lines
