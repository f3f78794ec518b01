"""The pages in a real browser, at the width of a desk and of a phone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.services.console.conftest import (
    DESK,
    IN_A_BROWSER,
    PHONE,
    Console,
    running_console,
    shown,
    write_clients,
)
from tests.services.console.stand_in import identity

NURSING = "nursing_bed_share"
PATHS = (
    "/",
    f"/?open={NURSING}",
    "/?open=relief_amount",
    "/matrix",
    "/editions",
    f"/editions/{identity('edition', 1)}",
    "/facilities",
    f"/facilities/{identity('facility', 2)}",
)

pytestmark = IN_A_BROWSER


class TestBoard:
    def test_the_verdict_and_all_binding_indicators_are_on_the_first_screen(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/")
        verdict = desk.locator(".verdict h1")
        expect(verdict).to_have_text("约束性指标 6 项中 1 项落后；预期性指标 12 项中 4 项落后。")
        binding = desk.locator(".half").first
        expect(binding.locator("h2")).to_have_text("约束性指标 6 项")
        expect(binding.locator(".short-list li")).to_have_count(6)
        for place in range(6):
            box = binding.locator(".short-list li").nth(place).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= DESK["height"]

    def test_what_is_behind_says_by_how_much_on_the_first_screen(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/")
        behind = desk.locator(".half").first.locator(".short-list li").first
        expect(behind).to_contain_text("15. 养老机构护理型床位占比")
        expect(behind).to_contain_text("还差 428 张护理型床位")
        box = behind.bounding_box()
        assert box is not None
        assert box["y"] < DESK["height"] / 2

    def test_the_counters_set_the_binding_ones_apart(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        counters = desk.locator(".half .counters")
        words = [re.sub(r"\s+", "", text) for text in counters.all_inner_texts()]
        assert words == ["3已完成1进度正常1落后1无法评判", "6已完成1进度正常4落后1无法评判"]

    def test_the_18_rows_stand_in_order_with_baseline_value_target_and_status(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/")
        rows = desk.locator(".indicator-row")
        expect(rows).to_have_count(18)
        assert desk.locator(".indicator-row .no").all_inner_texts() == [
            str(number) for number in range(1, 19)
        ]
        expect(desk.locator(".indicator-row.binding")).to_have_count(6)
        row = desk.locator(f"#row-{NURSING}")
        expect(row.locator(".baseline")).to_have_text("30.92%")
        expect(row.locator(".now .value")).to_have_text("51.44%")
        expect(row.locator(".now")).to_contain_text("2,572 / 5,000")
        expect(row.locator(".goal")).to_have_text("≥60%")
        expect(row.locator(".status")).to_contain_text("落后")
        expect(row.locator(".status")).to_contain_text("按进度应为 57.07%")

    def test_not_known_stays_a_dash(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        row = desk.locator("#row-cross_province_marriage")
        expect(row.locator(".now .value")).to_have_text("——")
        expect(row.locator(".status")).to_contain_text("无法评判")
        expect(row.locator(".line")).to_have_text("——")

    def test_each_known_indicator_has_its_line(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        expect(desk.locator(".line svg")).to_have_count(17)

    def test_conflicting_targets_are_marked(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        row = desk.locator("#row-child_protection_coverage")
        expect(row).to_contain_text("目标不一致")
        expect(row.locator(".goal")).to_contain_text("专栏4 ≥45%")

    def test_the_towns_without_are_named(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        lacking = desk.locator("#row-comprehensive_coverage .lacking")
        expect(lacking).to_contain_text("还差 7 个镇街")
        expect(lacking).to_contain_text("尚无的 9 个：统景镇、大湾镇")

    def test_a_flow_says_which_year_was_judged(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        row = desk.locator("#row-charity_donations")
        expect(row.locator(".now")).to_contain_text("评判用 2024 年 1,612.35 万元")
        expect(row).to_contain_text("暂定数")


class TestFilters:
    def test_a_year_end_opens_under_its_own_address(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        desk.locator(".years a", has_text="2023").click()
        desk.wait_for_url(re.compile(r"as_of=2023-12-31"))
        expect(desk.locator(".verdict")).to_contain_text("截至 2023年12月31日")
        expect(desk.locator(f"#row-{NURSING} .now .value")).to_have_text("45.90%")

    def test_as_known_on_an_earlier_day_the_old_figure_stands(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/?as_of=2024-12-31&known_on=2025-03-31")
        expect(desk.locator(".verdict")).to_contain_text("按 2025-03-31 所知")
        expect(desk.locator(f"#row-{NURSING} .now .value")).to_have_text("51.80%")

    def test_a_day_is_typed(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        desk.get_by_label("截至日", exact=True).fill("2022-12-31")
        desk.wait_for_url(re.compile(r"as_of=2022-12-31"))
        expect(desk.locator(".verdict")).to_contain_text("2022年12月31日")

    def test_a_town_is_chosen_and_the_reset_leads_back(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        desk.locator(".filter-choice").click()
        desk.get_by_role("option", name="两路街道").click()
        desk.wait_for_url(re.compile(r"division=500112106000"))
        expect(desk.locator(".verdict")).to_contain_text("两路街道")
        expect(desk.locator("#row-lottery_outlets .now .value")).to_have_text("——")
        desk.get_by_role("link", name="重置").click()
        expect(desk.locator(".verdict")).to_contain_text("全区")

    def test_an_unknown_town_is_refused_in_the_words_of_the_service(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/?division=999999999999")
        expect(desk.locator(".notice.refused")).to_contain_text("未找到该区划")


class TestDetails:
    def test_a_row_opens_to_its_chart_targets_towns_and_entries(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/")
        desk.locator(f"#row-{NURSING} .more-button").click()
        details = desk.locator(".details")
        expect(details.locator(".chart svg")).to_be_visible()
        expect(details.locator(".details-targets")).to_contain_text("表1（以此为准）")
        expect(details.locator(".town-list li")).to_have_count(22)
        expect(details.locator(".lineage tbody tr")).to_have_count(20)
        more = desk.locator(f"#row-{NURSING} .more-button")
        expect(more).to_have_attribute("aria-expanded", "true")
        more.click()
        expect(details).to_be_hidden()

    def test_the_entries_go_on_and_lead_to_the_facility(self, desk: Page, console: Console) -> None:
        shown(desk, console, f"/?open={NURSING}")
        rows = desk.locator(".lineage tbody tr")
        expect(rows).to_have_count(20)
        desk.get_by_role("button", name="再看 20 条").click()
        expect(rows).to_have_count(40)
        desk.get_by_role("button", name="再看 20 条").click()
        expect(rows).to_have_count(45)
        expect(desk.get_by_role("button", name="再看 20 条")).to_have_count(0)
        rows.first.get_by_role("link", name="双龙第1养老院").click()
        expect(desk.locator("h1")).to_have_text("双龙第1养老院")

    def test_the_line_is_shown_by_quarters_on_demand(self, desk: Page, console: Console) -> None:
        shown(desk, console, f"/?open={NURSING}")
        expect(desk.locator(".chart svg")).to_be_visible()
        desk.get_by_role("button", name="按季").click()
        for _ in range(100):  # the chart of the years stays in sight until the quarters have come
            if any("step=quarter" in one for one in console.gateway.state.seen):
                break
            desk.wait_for_timeout(100)
        assert any("step=quarter" in one for one in console.gateway.state.seen)
        expect(desk.locator(".chart svg")).to_be_visible()

    def test_a_town_of_the_list_opens_with_the_same_indicator(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, f"/?open={NURSING}")
        desk.locator(".town-list").get_by_role("link", name="古路镇").click()
        desk.wait_for_url(re.compile(rf"division=500112118000&open={NURSING}"))
        expect(desk.locator(".verdict")).to_contain_text("古路镇")


class TestBeside:
    """The figures of the day's work (业务数据), below the 18."""

    def test_households_persons_and_monthly_amount_stand_below_the_board_by_area(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/")
        section = desk.locator(".beside-section")
        expect(section.locator("h2")).to_have_text("业务数据")
        expect(section.locator("thead th")).to_have_text(["项目", "合计", "城市", "农村", ""])
        rows = section.locator(".beside-row")
        expect(rows.locator(".indicator")).to_have_text(
            ["低保在保户数", "低保在保人数", "低保月发放金额"]
        )
        expect(rows.nth(0).locator(".value")).to_have_text(["451 户", "165 户", "286 户"])
        expect(rows.nth(2).locator(".value").first).to_have_text("365,535.50 元/月")
        last = desk.locator(".indicator-row").last.bounding_box()
        below = section.bounding_box()
        assert last is not None
        assert below is not None
        assert below["y"] >= last["y"] + last["height"]

    def test_a_row_opens_to_its_towns_and_its_entries(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/")
        turner = desk.locator("#row-relief_households .more-button")
        turner.click()
        expect(turner).to_have_attribute("aria-expanded", "true")
        details = desk.locator(".beside .details")
        towns = details.locator(".towns tbody tr")
        expect(towns).to_have_count(22)
        expect(towns.first.locator("td")).to_have_text(["双龙湖街道", "10 户", "10 户", "0 户"])
        entries = details.locator(".lineage tbody tr")
        expect(entries).to_have_count(20)
        expect(entries.first).to_contain_text("社会救助待遇 · 确认")
        desk.get_by_role("button", name="再看 20 条").click()
        expect(entries).to_have_count(25)
        details.get_by_role("button", name="农村").click()
        expect(entries).to_have_count(10)
        turner.click()
        expect(details).to_be_hidden()

    def test_a_town_of_the_list_opens_with_its_own_figures(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/?open=relief_persons")
        desk.locator(".towns").get_by_role("link", name="古路镇").click()
        desk.wait_for_url(re.compile(r"division=500112118000&open=relief_persons"))
        row = desk.locator("#row-relief_persons")
        expect(row.locator(".value")).to_have_text(["56 人", "0 人", "56 人"])
        expect(desk.locator(".beside .lineage tbody tr")).to_have_count(20)
        expect(desk.locator(".towns")).to_have_count(0)

    def test_while_they_are_away_the_board_stands_and_they_come_by_themselves(
        self, desk: Page, console: Console
    ) -> None:
        console.gateway.state.beside_away = True
        try:
            shown(desk, console, "/")
            expect(desk.locator(".indicator-row")).to_have_count(18)
            expect(desk.locator(".line svg")).to_have_count(17)
            expect(desk.locator(".beside-section .notice.away")).to_contain_text("自动重试")
        finally:
            console.gateway.state.beside_away = False
        expect(desk.locator(".beside-row")).to_have_count(3)
        expect(desk.locator(".notice.away")).to_have_count(0)


class TestMatrix:
    def test_22_towns_stand_against_the_indicators_that_exist_per_town(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/matrix")
        expect(desk.locator(".matrix tbody tr")).to_have_count(22)
        expect(desk.locator(".matrix thead th")).to_have_count(12)
        last = desk.locator(".matrix tbody tr", has_text="洛碛镇")
        expect(last.locator("td").last).to_have_text("▼ 尚无")
        expect(desk.locator(".matrix tbody tr", has_text="龙山街道")).to_contain_text("——")

    def test_a_town_leads_to_its_board_on_the_same_day(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/matrix?as_of=2024-12-31")
        desk.locator(".matrix").get_by_role("link", name="回兴街道").click()
        desk.wait_for_url(re.compile(r"as_of=2024-12-31&division=500112101000"))
        expect(desk.locator(".verdict")).to_contain_text("回兴街道")


class TestEditions:
    def test_an_edition_is_published_and_opened(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/editions")
        desk.get_by_text("发布新版").click()
        desk.get_by_label("名称").fill("2024 年度规划指标")
        desk.locator(".form").get_by_label("截至日").fill("2024-12-31")
        desk.get_by_role("button", name="发布", exact=True).click()
        expect(desk.locator(".edition h1")).to_have_text("2024 年度规划指标")
        expect(desk.locator(".figures tbody tr")).to_have_count(18)
        link = desk.get_by_role("link", name="下载 Excel")
        assert re.fullmatch(
            r"/exports/editions/[0-9a-f-]{36}\.xlsx", str(link.get_attribute("href"))
        )

    def test_a_restatement_needs_its_reason_and_shows_what_it_was_before(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/editions")
        desk.get_by_text("发布新版").click()
        expect(desk.get_by_label("更正的理由")).to_be_hidden()
        desk.get_by_label("名称").fill("2023 年度规划指标（更正）")
        desk.locator(".form").get_by_label("截至日").fill("2023-12-31")
        desk.get_by_label("更正哪一版").click()
        desk.get_by_role("option", name=re.compile("第 1 版")).click()
        desk.get_by_role("button", name="发布", exact=True).click()
        expect(desk.locator(".form .refused")).to_contain_text("更正版须写明理由")
        desk.get_by_label("更正的理由").fill("一处机构迟报")
        desk.get_by_role("button", name="发布", exact=True).click()
        expect(desk.locator(".restates")).to_contain_text("一处机构迟报")
        expect(desk.locator(".before")).to_have_text(["更正前 49.30%"])

    def test_a_refusal_is_told_and_the_form_stays(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/editions")
        desk.get_by_text("发布新版").click()
        desk.get_by_label("名称").fill("重名")
        desk.get_by_role("button", name="发布", exact=True).click()
        expect(desk.locator(".form .refused")).to_contain_text("已有同名的发布版")
        expect(desk.get_by_label("名称")).to_have_value("重名")

    def test_an_edition_prints_on_one_a4_page_in_landscape(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, f"/editions/{identity('edition', 1)}")
        printed = desk.pdf(prefer_css_page_size=True, print_background=True)
        boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", printed)
        assert len(boxes) == 1
        width, height = (float(one) for one in boxes[0])
        assert (round(width), round(height)) == (842, 595)
        desk.emulate_media(media="print")
        expect(desk.locator(".site")).to_be_hidden()
        expect(desk.locator(".actions")).to_be_hidden()


class TestFacilities:
    def test_the_list_counts_filters_and_goes_on(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/facilities")
        expect(desk.locator(".summary")).to_contain_text("在办 56 处")
        rows = desk.locator(".facilities tbody tr")
        expect(rows).to_have_count(50)
        desk.get_by_role("button", name="再看 50 处").click()
        expect(rows).to_have_count(60)
        desk.locator(".kinds").get_by_role("link", name="敬老院").click()
        desk.wait_for_url(re.compile("kind=rural_home"))
        expect(rows).to_have_count(15)

    def test_a_name_is_searched_for(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/facilities")
        desk.get_by_label("名称", exact=True).fill("茨竹")
        desk.get_by_role("button", name="查找").click()
        desk.wait_for_url(re.compile("q="))
        expect(desk.locator(".facilities tbody tr")).to_have_count(2)

    def test_the_history_tells_what_was_true_who_recorded_it_and_what_was_corrected(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, f"/facilities/{identity('facility', 2)}")
        expect(desk.locator(".periods li")).to_have_count(3)
        last = desk.locator(".periods li").last
        expect(last).to_contain_text("2022年3月15日 至今")
        expect(last).to_contain_text("运营方性质：公建民营（此前：公建公营）")
        replaced = desk.locator(".facts .replaced")
        expect(replaced).to_have_count(1)
        expect(replaced).to_contain_text("已于 2022-05-09 14:45 更正")
        expect(desk.locator(".facts li").last).to_contain_text("理由：原登记日期有误")
        expect(desk.locator(".facts li").last).to_contain_text("由 staff-004 登记")

    def test_its_letters_are_large_enough_for_a_clerk_of_fifty(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, f"/facilities/{identity('facility', 2)}")
        sizes = desk.locator(".large :is(div, dt, dd, li, span):not(:has(*))").evaluate_all(
            """found => found
                .filter(one => one.textContent.trim() && !one.closest('.filters'))
                .map(one => parseFloat(getComputedStyle(one).fontSize))"""
        )
        assert sizes
        assert min(sizes) >= 15

    @pytest.mark.parametrize("number", ["nonsense", "0199f3a0-0000-7000-8000-00000000ffff"])
    def test_a_facility_that_is_not_there_is_said_to_be_missing(
        self, desk: Page, console: Console, number: str
    ) -> None:
        shown(desk, console, f"/facilities/{number}")
        expect(desk.locator("body")).to_contain_text(re.compile("没有这个页面|未找到"))


@pytest.mark.parametrize("path", PATHS)
def test_nothing_overflows_on_a_phone_and_nothing_comes_from_outside(
    phone: Page, console: Console, strangers: list[str], path: str
) -> None:
    shown(phone, console, path)
    # Once it stands: while a folded form is laid out the page is wider for a moment.
    phone.wait_for_function(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    assert strangers == []


def test_on_a_phone_the_verdict_comes_first_and_the_filters_behind_a_button(
    phone: Page, console: Console
) -> None:
    shown(phone, console, "/")
    box = phone.locator(".verdict h1").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < PHONE["height"] / 4
    expect(phone.get_by_label("截至日", exact=True)).to_be_hidden()
    phone.get_by_role("button", name="筛选").click()
    expect(phone.get_by_label("截至日", exact=True)).to_be_visible()


def test_on_a_phone_a_row_is_a_card_with_its_labels(phone: Page, console: Console) -> None:
    shown(phone, console, "/")
    card = phone.locator(f"#row-{NURSING}")
    assert card.evaluate("one => getComputedStyle(one).display") == "grid"
    label = "one => getComputedStyle(one, '::before').content"
    assert card.locator(".now").evaluate(label) == '"现值"'


def test_the_matrix_scrolls_in_its_own_area_with_the_towns_in_sight(
    phone: Page, console: Console
) -> None:
    shown(phone, console, "/matrix")
    phone.locator(".matrix-scroll").evaluate("area => area.scrollLeft = 500")
    box = phone.locator(".matrix tbody th").first.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= 20


def test_the_words_of_every_status_can_be_read_against_their_ground(
    desk: Page, console: Console, contrasts: str
) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    shown(desk, console, "/matrix")
    ratios = desk.locator(".legend .pill").evaluate_all(contrasts)
    assert len(ratios) == 4
    assert min(ratios) >= 4.5


def test_while_the_gateway_is_away_the_page_says_so_and_recovers_by_itself(
    desk: Page, console: Console
) -> None:
    console.gateway.state.away = True
    try:
        desk.goto(console.url)
        expect(desk.locator(".notice.away")).to_contain_text("自动重试")
    finally:
        console.gateway.state.away = False
    expect(desk.locator(".indicator-row")).to_have_count(18)
    expect(desk.locator(".notice.away")).to_have_count(0)
    expect(desk.locator(".years a")).to_have_count(6)


def test_before_there_are_clients_the_page_says_that_the_data_is_being_prepared(
    desk: Page, tmp_path: Path
) -> None:
    with running_console(tmp_path) as young:
        desk.goto(young.url)
        expect(desk.locator(".notice.away")).to_contain_text("数据正在准备")
        write_clients(young.clients)
        expect(desk.locator(".indicator-row")).to_have_count(18)


def test_a_figure_of_the_board_leads_down_to_the_facility_and_its_history(
    desk: Page, console: Console
) -> None:
    shown(desk, console, "/matrix")
    desk.locator(".matrix").get_by_role("link", name="15. 养老机构护理型床位占比").click()
    desk.locator(".lineage").get_by_role("link", name="回兴第2养老院").click()
    expect(desk.locator(".facts li")).to_have_count(4)
