"""The Chinese words of the facilities: for timelines, lists and workbooks."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from contracts.events.eldercare import FacilityFunction, FacilityKind, OperatorKind
from services.eldercare.facilities.rules import (
    Assessment,
    Beds,
    Functions,
    Kind,
    Life,
    Name,
    Operator,
    Place,
    Series,
    State,
    Value,
)

KINDS: Mapping[FacilityKind, str] = {
    FacilityKind.INSTITUTION: "养老机构",
    FacilityKind.TOWN_CENTRE: "镇街养老服务中心",
    FacilityKind.COMMUNITY_STATION: "社区养老服务站",
    FacilityKind.RURAL_HOME: "敬老院",
    FacilityKind.MUTUAL_AID_POINT: "互助养老点",
    FacilityKind.MEAL_POINT: "助餐点",
    FacilityKind.INTENSIVE_CARE_CENTRE: "集中照护中心",
    FacilityKind.COMPLEX: "养老服务综合体",
}
OPERATOR_KINDS: Mapping[OperatorKind, str] = {
    OperatorKind.GOVERNMENT: "公建公营",
    OperatorKind.PUBLIC_BUILT_PRIVATE_RUN: "公建民营",
    OperatorKind.PRIVATE_NONPROFIT: "民办非营利",
    OperatorKind.PRIVATE_FORPROFIT: "民办营利",
}
FUNCTIONS: Mapping[FacilityFunction, str] = {
    FacilityFunction.FULL_CARE: "全托",
    FacilityFunction.DAY_CARE: "日托",
    FacilityFunction.HOME_SERVICE: "上门服务",
    FacilityFunction.GUIDANCE: "对下指导",
    FacilityFunction.MEALS: "助餐",
    FacilityFunction.MUTUAL_AID: "互助",
}
STATES: Mapping[State, str] = {
    State.PLANNED: "待开办",
    State.OPEN: "在办",
    State.CLOSED: "已停办",
    State.VOID: "登记作废",
}
SERIES: Mapping[Series, str] = {
    Series.LIFE: "开办与停办",
    Series.NAME: "名称",
    Series.KIND: "类型",
    Series.PLACE: "地址",
    Series.OPERATOR: "运营方",
    Series.BEDS: "床位",
    Series.FUNCTIONS: "服务功能",
    Series.ASSESSMENT: "服务质量评估",
}
PASSED: Mapping[bool, str] = {True: "达标", False: "未达标"}


def functions_text(functions: Collection[FacilityFunction]) -> str:
    return "、".join(FUNCTIONS[one] for one in FacilityFunction if one in functions)


def score_text(score: Decimal | None) -> str:
    return "" if score is None else f"，得分 {score.normalize():f}"


def value_text(value: Value, place_name: str = "") -> str:  # noqa: PLR0911 - one line a series
    """One sentence that says what holds from the fact's day on."""
    match value:
        case Life(open=True):
            return "开办"
        case Life():
            return "停办"
        case Name(name):
            return f"名称：{name}"
        case Kind(kind):
            return f"类型：{KINDS[kind]}"
        case Place(address=address):
            return f"位于{place_name}，地址：{address}"
        case Operator(name, kind):
            return f"运营方：{name}（{OPERATOR_KINDS[kind]}）"
        case Beds(beds, nursing, in_use):
            return f"核定床位 {beds} 张，其中护理型 {nursing} 张；投入使用 {in_use} 张"
        case Functions(functions):
            return f"服务功能：{functions_text(functions) or '无'}"
        case Assessment(passed, score):
            return f"服务质量评估{PASSED[passed]}{score_text(score)}"
