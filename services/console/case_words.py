"""The words of cases and awards: from the codes of the answers to Chinese."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.console import wording
from services.console.case_answers import ClockView, Light

LIGHTS = {
    Light.RED: ("●", "逾期"),
    Light.AMBER: ("▲", "将到期"),
    Light.GREEN: ("○", "正常"),
    Light.PAUSED: ("‖", "中止计时"),
    Light.NONE: ("–", "无期限"),
}
"""A sign beside the colour, for print and for who does not tell colours apart."""

UNITS = {"working_days": "个工作日", "days": "日", "months": "个月"}
FLAGS = {
    "near_relative": "近亲属备案",
    "objection": "公示有异议",
    "complaint": "有投诉举报",
    "separate_residence": "人户分离",
    "applied_elsewhere": "异地申办",
    "late_answer": "核对结果迟到",
}
RELATIONS = {
    "self": "申请人",
    "spouse": "配偶",
    "child": "子女",
    "parent": "父母",
    "grandchild": "孙子女",
    "grandparent": "祖父母",
    "sibling": "兄弟姐妹",
    "other": "其他",
}
INCOMES = {
    "wage": "工资性收入",
    "farming": "种养殖净收入",
    "business": "经营净收入",
    "property": "财产净收入",
    "support_received": "赡养（抚养、扶养）费",
    "pension": "养老金、离退休金",
    "unemployment": "失业保险金",
    "compensation": "赔偿收入",
    "donation": "接受捐赠",
    "other_transfer": "其他转移性收入",
    "tax_paid": "缴纳税款",
    "insurance_paid": "社会保障支出",
    "support_paid": "赡养支出",
    "other_paid": "其他转移性支出",
    "imputed": "核算收入",
    "other": "其他收入",
    "veterans_allowance": "优待抚恤金",
    "family_planning_award": "计划生育奖扶金",
    "scholarship": "奖学金",
    "bravery_award": "见义勇为奖励",
    "government_relief": "政府救助款物",
    "basic_pension": "基础养老金",
    "disability_subsidy": "残疾人两项补贴",
    "unattended_child_allowance": "事实无人抚养儿童补贴",
    "other_exempt": "其他不计入的收入",
}
PROPERTIES = {
    "deposit": "存款",
    "securities": "有价证券",
    "insurance_savings": "储蓄性保险",
    "dwelling": "住房",
    "premises": "商业门面",
    "vehicle": "机动车辆",
    "ship": "船舶",
    "machinery": "大型机械",
    "company": "市场主体登记",
}
FOUND = (
    INCOMES
    | PROPERTIES
    | {
        "registered": "户籍登记",
        "married": "婚姻登记",
        "deceased": "殡葬记录",
    }
)
"""What a source can know of somebody, as far as there is a word for it."""

STATUSES = {
    "asked": "查询中",
    "none": "查无",
    "returned": "查得",
    "failed": "查询失败",
    "timeout": "逾时未答复",
    "late": "出具报告后才答复",
}
RESULTS = {
    "entitled": "符合低保条件",
    "alone": "全家不符合；提出单独申请的成员可以纳入",
    "edge": "不符合低保条件，属低保边缘家庭",
    "not_entitled": "不符合低保条件",
    "undecided": "尚不能认定",
}
DISABILITIES = {
    "vision": "视力",
    "hearing": "听力",
    "speech": "言语",
    "physical": "肢体",
    "intellectual": "智力",
    "mental": "精神",
    "multiple": "多重",
}
EDUCATIONS = {
    "none": "不在学",
    "preschool": "学前教育",
    "compulsory": "义务教育",
    "senior": "普通高中",
    "vocational": "中等职业教育",
    "bachelor": "专科、本科",
    "postgraduate": "研究生",
}
CAPACITIES = {"full": "有劳动能力", "partial": "部分丧失劳动能力", "none": "丧失劳动能力"}
CONSUMPTIONS = {
    "house": "新建、购买住房",
    "refit": "豪华装修",
    "study_abroad": "自费出国留学",
    "employing": "雇用他人",
    "luxury": "非生活必需品消费",
    "utilities": "水、电、燃气、通讯费用",
    "vehicle_use": "经常使用机动车辆",
    "private_school": "高收费学校就读",
}
FACT_SOURCES = {
    "declared": "申报",
    "checked": "核对",
    "surveyed": "调查",
    "document": "证明材料",
    "judgement": "人工认定",
}
JOINED = {
    "birth": "出生",
    "marriage": "结婚",
    "adoption": "收养",
    "moved_in": "迁入",
    "returned": "刑满、退役等返回",
    "declared": "申报时遗漏",
}
LEFT = {
    "death": "死亡",
    "moved_out": "迁出、分户",
    "marriage": "结婚离家",
    "divorce": "离婚",
    "adoption": "被收养",
    "prison": "服刑",
    "rehabilitation": "强制隔离戒毒",
    "missing": "宣告失踪",
    "clergy": "出家",
    "military": "服役",
    "supported_elsewhere": "另行供养",
    "error": "登记有误，本不是家庭成员",
}
PAPERS = {
    "resident_id": "居民身份证",
    "residence_permit": "港澳台居民居住证",
    "permanent_residence": "外国人永久居留身份证",
    "passport": "护照",
    "travel_permit_hk_macao": "港澳居民来往内地通行证",
    "travel_permit_taiwan": "台湾居民来往大陆通行证",
    "military_id": "军人证件",
    "birth_certificate": "出生医学证明",
}
EXTRAS = {
    "disabled": "残疾人",
    "severely_disabled": "重度残疾人",
    "severely_ill": "重病患者",
    "aged_70": "70周岁以上老年人",
    "preschool": "学龄前儿童",
    "in_school": "在校学生",
}
LEVELS = {"county": "区民政局", "town": "镇街"}
AREAS = {"urban": "城市", "rural": "农村"}
AWARD_STATES = {"paid": "在保", "grace": "渐退", "stopped": "停发"}
EFFECTS = {
    "raised": "增发",
    "lowered": "减发",
    "stopped": "停发",
    "grace": "渐退",
    "unchanged": "金额不变",
}
HEARD = {
    "in_person": "当面",
    "phone": "电话",
    "video": "视频",
    "writing": "书面",
    "waived": "明确放弃",
    "absent": "逾期未提出意见",
}
RELATIVES_OF = {"staff": "低保经办人员", "village_committee": "村（居）委会成员"}


def relation(code: str) -> str:
    return RELATIONS.get(code, "其他")


def yuan(amount: Decimal | None) -> str:
    """「1,510.00 元」."""
    return wording.ABSENT if amount is None else f"{amount:,.2f} 元"


def found(kind: str, amount: Decimal | None, area: Decimal | None) -> str:
    """What a source knows: 「存款 1,520.00 元」, 「住房 88 平方米」, 「户籍登记」."""
    name = FOUND.get(kind, "其他")
    if area is not None:
        return f"{name} {wording.number(area)} 平方米"
    return name if amount is None else f"{name} {yuan(amount)}"


def difference(kind: str, title: str, declared: Decimal | None, known: Decimal | None) -> str:
    """「存款未申报，查得 1,520.00 元」."""
    in_area = kind in {"dwelling", "premises"}

    def figure(value: Decimal) -> str:
        return f"{wording.number(value)} 平方米" if in_area else yuan(value)

    parts = [
        f"{said} {figure(value)}"
        for said, value in (("申报", declared), ("查得", known))
        if value is not None
    ]
    name = "" if kind == "deceased" else FOUND.get(kind, "其他")
    return "，".join([f"{name}{title}", *parts])


def days_left(days: int | None) -> str:
    if days is None:
        return ""
    if days < 0:
        return f"已逾期 {-days} 天"
    return "今天到期" if days == 0 else f"还有 {days} 天"


def clock(found: ClockView) -> str:
    """How much of a limit is used, and on which day it ends or ended."""
    unit = UNITS.get(found.unit, "")
    if found.stopped_on is not None:
        used = "" if found.used is None else f"，用了 {found.used} {unit}"
        return f"{wording.chinese_day(found.stopped_on)}办结{used}"
    if found.due is None:
        return f"{found.count} {unit}"
    used = "" if found.used is None else f"，已用 {found.used}"
    paused = "（中止计时）" if found.light is Light.PAUSED else ""
    provisional = "（放假安排公布后重算）" if found.provisional else ""
    due = wording.chinese_day(found.due)
    return f"{due}到期{paused}{provisional}，共 {found.count} {unit}{used}"


def situation(found: Mapping[str, Any]) -> list[str]:
    """What is not ordinary about a member."""
    words = []
    if disability := found.get("disability"):
        kind = DISABILITIES.get(disability["kind"], "")
        words.append(f"{kind}残疾{disability['grade']}级")
    for name, said in (
        ("severe_illness", "重病"),
        ("bedridden", "长期卧床"),
        ("employed", "就业"),
        ("alone", "申请单独纳入"),
        ("special_hardship", "特殊困难"),
        ("in_prison", "服刑"),
        ("in_compulsory_rehabilitation", "强制隔离戒毒"),
        ("declared_missing", "宣告失踪"),
    ):
        if found.get(name):
            words.append(said)
    if found.get("education") not in (None, "none"):
        words.append("在学")
    capacity = str(found.get("work_capacity", "full"))
    if capacity != "full":
        words.append(CAPACITIES.get(capacity, ""))
    return words


def signed(truth_committed_on: date | None, check_authorised_on: date | None) -> str:
    done = {"已承诺": truth_committed_on, "已授权": check_authorised_on}
    words = [said for said, on in done.items() if on is not None]
    lacking = [said.replace("已", "未") for said, on in done.items() if on is None]
    return "、".join([*words, *lacking])
