"""What happens in the demonstration district from 2020 to 2026, as data, day by day.

The standards are the published ones (design note on relief, §3) and the change of divisions of
2025-11 is the real one, from the register; everything else is scripted so that some targets are
met, one is reached only after its day (#13), one is missed (#2) and one figure is restated (#8).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from suite.demo import district
from suite.demo.district import COMPREHENSIVE_CODES, MERGED, Facility, Town, shared

DISTRICT = "500112000000"
START = date(2020, 12, 1)
YEARS = range(2020, 2026)
MERGER_YEAR, COMPLEX_YEAR = 2022, 2024
COMPLEX = "渝北区养老服务综合体"


@dataclass(frozen=True, slots=True)
class Standard:
    code: str
    area: str
    amount: str
    valid_from: date
    document: str
    division: str = DISTRICT


@dataclass(frozen=True, slots=True)
class BackEntry:
    """The workbook with the facilities that stood when the system began."""


@dataclass(frozen=True, slots=True)
class Register:
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    facility: str
    change: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    measure: str
    division: str
    on: date
    value: str
    document: str


@dataclass(frozen=True, slots=True)
class FigureCorrection:
    measure: str
    division: str
    on: date
    value: str
    document: str
    reason: str


@dataclass(frozen=True, slots=True)
class Edition:
    """Freeze the figures of a day; `restates` is the title of the edition it takes the place of."""

    title: str
    as_of: date
    restates: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What the bureau sets of the rules of relief."""

    key: str
    value: Any
    valid_from: date
    source: str
    division: str = DISTRICT


@dataclass(frozen=True, slots=True)
class Delegation:
    """The power to decide on 低保, handed down to a town."""

    division: str
    valid_from: date
    document: str


Action = (
    Delegation
    | Parameter
    | Standard
    | BackEntry
    | Register
    | Change
    | Figure
    | FigureCorrection
    | Edition
)


At = Callable[[date], list[Action]]
"""The list of a day's actions, to add to."""


@dataclass(slots=True)
class Day:
    """What is done on one day. Actions of one kind do not depend on each other's order."""

    on: date
    actions: list[Action] = field(default_factory=list)


STANDARDS = (
    # from, urban, rural, 特困, document
    (date(2020, 1, 1), "620", "496", "806", "渝民发〔2020〕2020年度标准（文号待补）"),
    (date(2021, 9, 1), "636", "515", "827", "渝民〔2021〕143号"),
    (date(2022, 9, 1), "717", "581", "932", "2022年度标准（文号待补）"),
    (date(2023, 9, 1), "735", "600", "955", "渝民发〔2023〕10号"),
    (date(2024, 9, 1), "750", "610", "975", "2024年度标准（文号待补）"),
    (date(2025, 7, 1), "770", "630", "1001", "渝民规〔2025〕6号"),
)
CARE = (("tekun_care_full", "300"), ("tekun_care_half", "200"), ("tekun_care_self", "50"))

CHECK_SOURCES = ("household_register", "bank", "vehicles", "social_insurance")
"""The departments that the demonstration's bureau is connected with."""
NEW_COUNTY, NEW_COUNTY_ON = "500157000000", date(2025, 12, 5)
"""The district that most of the towns belong to since 2025-11: it sets what holds there anew."""
CONNECTED = (
    (date(2020, 1, 1), DISTRICT, "重庆市城乡居民最低生活保障条例（2016年修订）第二十七条"),
    (date(2021, 7, 1), DISTRICT, "民发〔2021〕57号第十七条"),
    (date(2022, 10, 20), DISTRICT, "民发〔2022〕83号三（二）"),
    (NEW_COUNTY_ON, NEW_COUNTY, "民发〔2022〕83号三（二）"),
    (date(2026, 7, 1), NEW_COUNTY, "社会救助法（2026）第四十一条"),
)
"""From when, in which district and on which basis these sources are asked: each text names more."""

DELEGATED_ON = date(2021, 7, 1)
"""The power to decide is handed down to every other town (plan 3.2), until a law asks for more."""

PAID = {  # year: living entitled, living paid, care entitled, care paid
    2020: (4_500, 4_500, 10_800, 10_800),
    2021: (4_460, 4_460, 10_870, 10_870),
    2022: (4_420, 4_420, 10_930, 10_930),
    2023: (4_390, 4_390, 11_010, 10_966),
    2024: (4_350, 4_350, 11_050, 11_050),
    2025: (4_310, 4_310, 11_120, 11_120),
}
OUTLETS = {2020: 411, 2021: 470, 2022: 541, 2023: 618, 2024: 702, 2025: 806}
AREA = {2021: 214_700, 2022: 231_900, 2023: 246_300, 2024: 261_100, 2025: 278_900}
HOUSEHOLDS = {2021: 884_000, 2022: 887_300, 2023: 889_800, 2024: 891_600, 2025: 893_900}
SOCIAL_WORKERS = {2020: 2_000, 2021: 2_130, 2022: 2_260, 2023: 2_400, 2024: 2_520, 2025: 2_655}
DONATIONS = {
    2020: "1300.00",
    2021: "1342.60",
    2022: "1428.75",
    2023: "1466.20",
    2024: "1533.08",
    2025: "1652.30",
}
RESTATED_DONATIONS = "1396.15"
PROTECTION_TOWNS = {2021: 6, 2022: 12, 2023: 17, 2024: 22, 2025: 22}
VAGRANTS = {  # needing return, returned
    2020: (0, 0),
    2021: (318, 315),
    2022: (296, 294),
    2023: (341, 340),
    2024: (327, 327),
    2025: (309, 309),
}
CONSUMPTION_GROWTH = {2020: "2.40", 2021: "11.60", 2022: "1.90", 2023: "4.30", 2024: "2.50"}
COMPREHENSIVE_LATER = {
    2021: ("玉峰山镇",),
    2022: ("石船镇", "木耳镇"),
    2023: ("古路镇",),
    2024: ("统景镇", "茨竹镇"),
    2025: ("大湾镇", "兴隆镇"),
}
NEW_RURAL_HOMES = (("统景镇", 2022), ("石船镇", 2022), ("玉峰山镇", 2023), ("木耳镇", 2023))
NURSING = {2021: 44, 2022: 52, 2023: 60, 2024: 66, 2025: 74}
"""Nursing beds of each ordinary institution (of 125) after the year's conversion."""
PASSED = {2021: 27, 2022: 24, 2023: 26, 2024: 28, 2025: 30}


def days() -> list[Day]:
    """The whole history in order."""
    found: dict[date, Day] = {}

    def at(on: date) -> list[Action]:
        return found.setdefault(on, Day(on)).actions

    at(START).append(BackEntry())
    for valid_from, urban, rural, tekun, document in STANDARDS:
        recorded = at(max(START, valid_from))
        recorded.append(Standard("dibao", "urban", urban, valid_from, document))
        recorded.append(Standard("dibao", "rural", rural, valid_from, document))
        recorded.append(Standard("tekun_basic", "all", tekun, valid_from, document))
    for code, amount in CARE:
        at(START).append(
            Standard(code, "all", amount, date(2020, 1, 1), "照料护理标准（文号待补）")
        )
    for valid_from, division, basis in CONNECTED:
        at(max(START, valid_from)).append(
            Parameter("dibao.check.sources", list(CHECK_SOURCES), valid_from, basis, division)
        )
    for area, amount in (("urban", STANDARDS[-1][1]), ("rural", STANDARDS[-1][2])):
        at(NEW_COUNTY_ON).append(
            Standard("dibao", area, amount, NEW_COUNTY_ON, STANDARDS[-1][4], NEW_COUNTY)
        )
    at(DELEGATED_ON).extend(
        Delegation(one.code, DELEGATED_ON, "渝北民政〔2021〕低保确认权限下放通知")
        for one in district.towns()[::2]
    )
    for year in YEARS:
        _facilities(year, at)
        at(date(year + 1, 1, 8)).extend(_figures(year))
        at(date(year + 1, 1, 15)).append(Edition(f"{year}年度", date(year, 12, 31)))
        for quarter, month in enumerate((4, 7, 10), 1):
            if year > START.year:
                at(date(year, month, 6)).append(_donations(year, quarter))
    _turning_points(at)
    _funeral(at)
    _marriage(at)
    restated = at(date(2023, 5, 22))
    restated.append(
        FigureCorrection(
            "community.donations",
            DISTRICT,
            date(2022, 12, 31),
            RESTATED_DONATIONS,
            "慈善组织2022年度工作报告汇总",
            "年度报告核减了退回的捐赠和高估的实物",
        )
    )
    at(date(2023, 5, 31)).append(
        Edition("2022年度（更正）", date(2022, 12, 31), "2022年度", "慈善捐赠总额按年度报告更正")
    )
    return [found[on] for on in sorted(found)]


def _facilities(year: int, at: At) -> None:
    if year == START.year:
        return
    ordinary = [one for one in district.institutions() if one.name not in _merged(year)]
    for one in ordinary:
        at(date(year, 6, 1)).append(_conversion(year, one))
    standing = [one.name for one in ordinary] + _new_homes(before=year)
    for number, name in enumerate(standing):
        at(date(year, 10, 20)).append(_assessment(year, number, name))
    for home_name in COMPREHENSIVE_LATER[year]:
        at(date(year, 8, 10)).append(_comprehensive(year, home_name))
    for home_name, opens in NEW_RURAL_HOMES:
        if opens == year:
            at(date(year, 7, 5)).append(_new_home(year, district.town(home_name)))


def _turning_points(at: At) -> None:
    """The mergers and the complex of 表2, and a change of operator learnt half a year late."""
    for _, name in MERGED:
        closing = _change("closing", date(MERGER_YEAR, 10, 1), "表2第2项：敬老院撤并")
        at(date(MERGER_YEAR, 9, 1)).append(Change(name, closing))
    at(date(COMPLEX_YEAR, 6, 20)).append(_complex())
    operator = {
        "name": "渝北区安颐养老服务中心（民办非企业单位）",
        "kind": "public_built_private_run",
    }
    late = _change("operator", date(2023, 3, 1), "公建民营委托运营协议（补报）")
    at(date(2023, 9, 12)).append(Change("仙桃第二敬老院", {**late, "operator": operator}))


def _change(kind: str, valid_from: date, document: str) -> dict[str, Any]:
    return {"change": kind, "valid_from": valid_from.isoformat(), "document": document}


def _conversion(year: int, one: Facility) -> Change:
    beds = {"total": one.beds, "nursing": NURSING[year], "in_use": one.beds}
    change = _change("beds", date(year, 5, 1), f"渝北民政〔{year}〕床位核定表")
    return Change(one.name, {**change, "beds": beds})


def _assessment(year: int, number: int, name: str) -> Change:
    day = date(year, 10, 1 + number % 15)
    change = _change("assessment", day, f"{year}年养老机构服务质量评估报告")
    return Change(name, {**change, "passed": number < PASSED[year]})


def _merged(year: int) -> set[str]:
    return {name for _, name in MERGED} if year >= MERGER_YEAR else set()


def _new_homes(before: int) -> list[str]:
    homes = [f"{name[:-1]}新建敬老院" for name, opens in NEW_RURAL_HOMES if opens < before]
    return homes + ([COMPLEX] if before > COMPLEX_YEAR else [])


def _new_home(year: int, home: Town) -> Register:
    government = year == MERGER_YEAR  # the towns run those that take the merged ones' place
    return Register(
        {
            "name": f"{home.name[:-1]}新建敬老院",
            "kind": "rural_home",
            "division": home.code,
            "address": f"{home.name}敬老院路1号",
            "operator": {
                "name": f"{home.name}人民政府"
                if government
                else "渝北区颐和养老服务中心（民办非企业单位）",
                "kind": "government" if government else "public_built_private_run",
            },
            "beds": {"total": 150, "nursing": 90, "in_use": 150},
            "functions": ["full_care"],
            "opened_on": f"{year}-07-01",
            "document": "表2第2项：农村养老服务设施全覆盖",
        }
    )


def _complex() -> Register:
    home = district.town("悦来街道")
    return Register(
        {
            "name": COMPLEX,
            "kind": "complex",
            "division": home.code,
            "address": f"{home.name}康养大道1号",
            "operator": {
                "name": "渝北区颐和养老服务中心（民办非企业单位）",
                "kind": "public_built_private_run",
            },
            "beds": {"total": 1_000, "nursing": 800, "in_use": 1_000},
            "functions": list(COMPREHENSIVE_CODES),
            "opened_on": f"{COMPLEX_YEAR}-06-18",
            "document": "表2第3项：养老服务综合体项目",
        }
    )


def _comprehensive(year: int, home_name: str) -> Change:
    standing = [one.name for one in district.institutions() if one.place == home_name]
    facility = next(name for name in standing if name not in _merged(MERGER_YEAR))
    change = _change("functions", date(year, 8, 1), f"{home_name}养老服务中心功能验收")
    return Change(facility, {**change, "functions": list(COMPREHENSIVE_CODES)})


def _figures(year: int) -> Iterator[Figure]:
    on = date(year, 12, 31)
    document = f"{year}年度统计报表"
    living, living_paid, care, care_paid = PAID[year]
    per_town = {
        "welfare.living_subsidy.entitled": living,
        "welfare.living_subsidy.paid": living_paid,
        "welfare.care_subsidy.entitled": care,
        "welfare.care_subsidy.paid": care_paid,
    }
    if year in AREA:
        per_town["community.facility.area"] = AREA[year]
        per_town["community.households"] = HOUSEHOLDS[year]
    towns = district.towns()
    for measure, total in per_town.items():
        for home, value in zip(towns, shared(total, len(towns)), strict=True):
            yield Figure(measure, home.code_on(on), on, str(value), document)
    for home in towns:
        for measure in ("community.facility.count", "community.facility.with_volunteer_station"):
            yield Figure(measure, home.code_on(on), on, str(len(home.units)), document)
    if year in PROTECTION_TOWNS:
        for number, home in enumerate(towns):
            has = "1" if number < PROTECTION_TOWNS[year] else "0"
            yield Figure("welfare.protection.stations", home.code_on(on), on, has, document)
    needing, returned = VAGRANTS[year]
    district_wide = {
        "welfare.lottery.outlets": str(OUTLETS[year]),
        "community.social_workers.reported": str(SOCIAL_WORKERS[year]),
        "community.donations": DONATIONS[year],
        "welfare.vagrant.needing": str(needing),
        "welfare.vagrant.returned": str(returned),
    }
    if year in CONSUMPTION_GROWTH:
        district_wide["statistics.consumption.urban_growth"] = CONSUMPTION_GROWTH[year]
    for measure, amount in district_wide.items():
        yield Figure(measure, DISTRICT, on, amount, document)


def _donations(year: int, quarter: int) -> Figure:
    cumulative = f"{float(DONATIONS[year]) * quarter / 4:.2f}"
    month, day = ((3, 31), (6, 30), (9, 30))[quarter - 1]
    return Figure(
        "community.donations",
        DISTRICT,
        date(year, month, day),
        cumulative,
        f"{year}年第{quarter}季度慈善捐赠快报",
    )


def _funeral(at: At) -> None:
    for recorded, on, count in (
        (date(2021, 1, 8), date(2020, 12, 31), 1),
        (date(2023, 11, 2), date(2023, 10, 20), 2),
        (date(2026, 1, 14), date(2026, 1, 12), 3),
    ):
        at(recorded).append(
            Figure(
                "funeral.public_burial.facilities",
                DISTRICT,
                on,
                str(count),
                "公益性安葬设施批准与开放台账",
            )
        )


def _marriage(at: At) -> None:
    for recorded, on, required, enabled in (
        (date(2021, 1, 8), date(2020, 12, 31), 0, 0),
        (date(2021, 6, 10), date(2021, 6, 1), 2, 2),
        (date(2025, 5, 12), date(2025, 5, 10), 3, 2),
        (date(2025, 6, 12), date(2025, 6, 10), 3, 3),
    ):
        for measure, count in (("required", required), ("enabled", enabled)):
            at(recorded).append(
                Figure(
                    f"marriage.cross_province.{measure}",
                    DISTRICT,
                    on,
                    str(count),
                    "婚姻登记“跨省通办”实施台账",
                )
            )
