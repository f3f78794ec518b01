"""The clerks' pages in a real browser: in, what waits, a step taken or refused, and out."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.services.console import stand_in_cases as stand
from tests.services.console.conftest import DESK, IN_A_BROWSER, Console, settled, shown
from tests.services.console.stand_in_cases import (
    AWAITING,
    AWARD,
    CHANGE,
    CHECKER,
    CHECKING,
    CLERKS,
    DOCUMENT,
    GRANTED,
    HEAD,
    HOUSEHOLD,
    LAW,
    MEMBER,
    POSTED,
    SECRET,
    SUBMITTED,
    SURVEYED,
    SURVEYOR,
    WINDOW,
    Office,
)

pytestmark = IN_A_BROWSER
PAGES = ("/todo", "/cases", f"/cases/{AWAITING}", f"/cases/{CHECKING}", f"/cases/{CHANGE}",
         "/awards", f"/awards/{AWARD}", f"/households/{HOUSEHOLD}", "/provisions",
         "/login")  # fmt: skip


def log_in(
    page: Page, console: Console, clerk: str, secret: str = SECRET, goal: str = "/todo"
) -> None:
    """With what a clerk types."""
    shown(page, console, f"/login?goal={goal}")
    page.get_by_label("工号").fill(clerk)
    page.get_by_label("口令").fill(secret)
    page.get_by_role("button", name="登录", exact=True).click()


def seated(page: Page, console: Console, clerk: str, path: str) -> Page:
    """A page as a clerk sees it."""
    log_in(page, console, clerk, goal=path)
    expect(page.locator(".clerk")).to_contain_text(CLERKS[clerk][0])
    page.wait_for_url(f"**{path}")
    return settled(page)


def form(page: Page, title: str) -> Locator:
    """The form of a step, unfolded."""
    found = page.locator("details.act", has=page.locator("summary", has_text=title)).first
    if found.get_attribute("open") is None:
        found.locator("> summary").click()
    return found


def choose(page: Page, within: Locator, label: str, choice: str) -> None:
    within.locator(".field", has_text=label).first.locator(".q-select").click()
    page.get_by_role("option", name=choice, exact=True).click()


def typed(page: Page, field: Locator, text: str) -> None:
    """Typed once what was chosen before has come back: the answer to it may clear the field."""
    for _ in range(20):
        field.fill(text)
        page.wait_for_timeout(150)
        if field.input_value() == text:
            return
    raise AssertionError(f"{text} does not stay")


@pytest.mark.usefixtures("office")
class TestLogin:
    def test_a_page_of_the_desk_asks_for_the_login_and_then_opens(
        self, desk: Page, console: Console
    ) -> None:
        desk.goto(f"{console.url}/cases/{AWAITING}")
        expect(desk.locator("h1")).to_have_text("登录")
        assert desk.url.endswith(f"/login?goal=%2Fcases%2F{AWAITING}")
        (before,) = desk.context.cookies()
        desk.get_by_label("工号").fill(HEAD)
        desk.get_by_label("口令").fill(SECRET)
        desk.get_by_label("口令").press("Enter")
        desk.wait_for_url(f"**/cases/{AWAITING}")
        expect(desk.locator("h1")).to_have_text("张**等3人")
        planted = httpx.get(f"{console.url}/todo", cookies={before["name"]: before["value"]})
        assert planted.status_code == 307

    def test_a_wrong_word_says_so_and_lets_nobody_in(self, desk: Page, console: Console) -> None:
        log_in(desk, console, WINDOW, "wrong")
        expect(desk.locator(".answer .refused")).to_have_text("工号或口令不正确")
        desk.get_by_label("工号").fill("")
        desk.get_by_role("button", name="登录", exact=True).click()
        expect(desk.locator(".answer .refused")).to_have_text("请填写工号和口令。")
        assert httpx.get(f"{console.url}/todo", follow_redirects=False).status_code == 307

    def test_a_demonstration_offers_its_clerks_by_name(self, desk: Page, console: Console) -> None:
        shown(desk, console, "/login")
        expect(desk.locator(".offered dt")).to_have_text(["双龙湖街道办事处", "渝北区民政局"])
        expect(desk.locator(".offered button")).to_have_text(
            ["受理员", "调查初审员", "核对员", "救助科科长", "政策管理员"]
        )
        desk.get_by_role("button", name="渝北区民政局救助科科长").click()
        desk.wait_for_url("**/todo")
        expect(desk.locator(".clerk")).to_contain_text("渝北区民政局救助科科长")

    def test_who_has_no_cases_lands_where_the_standards_are_kept(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        log_in(desk, console, LAW)
        desk.wait_for_url("**/provisions")
        expect(settled(desk).locator(".tabs a")).to_have_text(["标准与参数"])
        expect(desk.locator(".case-main")).to_contain_text("750.00 元")
        expect(desk.locator(".parameters")).to_contain_text("20 个工作日")
        within = form(desk, "登记救助标准")
        choose(desk, within, "区县", "渝北区")
        choose(desk, within, "城乡", "农村")
        typed(desk, within.get_by_label("每人每月"), "610.00")
        typed(desk, within.get_by_label("施行日期"), "2025-07-01")
        typed(desk, within.get_by_label("依据的文件"), "渝民发〔2025〕7号")
        within.get_by_role("button", name="登记救助标准").click()
        expect(desk.locator(".notice.done")).to_be_visible()
        assert office.sent[-1][1]["division"] == "500112000000"
        shown(desk, console, "/todo")
        expect(desk.locator("h1")).to_have_text("您的岗位不办理这一页的事项")

    def test_who_leaves_in_one_window_is_out_in_all_of_them(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, WINDOW, f"/cases/{SUBMITTED}")
        other = desk.context.new_page()
        shown(other, console, "/todo")
        other.get_by_role("button", name="退出").click()
        expect(other.locator("h1")).to_have_text("登录")
        desk.get_by_role("button", name="受理", exact=True).click()
        expect(desk.locator(".answer .refused")).to_contain_text("请填写")
        expect(desk.locator("h1")).to_have_text("登录", timeout=20_000)
        expect(desk.locator("body")).to_contain_text("登录后回到刚才的页面")

    def test_a_step_on_a_page_that_outlived_its_login_is_refused(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, SURVEYOR, f"/cases/{SURVEYED}")
        within = form(desk, "提出初审意见")
        choose(desk, within, "初审意见", "符合条件")
        typed(desk, within.get_by_label("意见的说明"), "经调查核实")
        other = desk.context.new_page()
        shown(other, console, "/todo")
        other.get_by_role("button", name="退出").click()
        expect(other.locator("h1")).to_have_text("登录")
        within.get_by_role("button", name="提出初审意见").click()
        expect(within.locator(".answer .refused")).to_contain_text("您已退出登录")
        assert office.sent == []

    def test_two_browsers_do_not_share_a_session(
        self, desk: Page, browser: Browser, console: Console
    ) -> None:
        seated(desk, console, WINDOW, "/todo")
        other = browser.new_context(viewport=DESK, locale="zh-CN")  # type: ignore[arg-type]
        page = other.new_page()
        page.goto(f"{console.url}/todo")
        expect(page.locator("h1")).to_have_text("登录")
        seated(page, console, HEAD, "/todo")
        expect(shown(desk, console, "/todo").locator(".clerk")).to_contain_text("受理员")
        other.close()

    @pytest.mark.parametrize("goal", ["//elsewhere.cn", "/%5Celsewhere.cn", "https://elsewhere.cn",
                                      "/%09/elsewhere.cn"])  # fmt: skip
    def test_the_way_in_leads_nowhere_else(self, desk: Page, console: Console, goal: str) -> None:
        shown(desk, console, f"/login?goal={goal}")
        desk.get_by_role("button", name="双龙湖街道受理员").click()
        desk.wait_for_url(f"{console.url}/todo")

    def test_while_the_gateway_is_away_the_login_says_so(
        self, desk: Page, console: Console
    ) -> None:
        shown(desk, console, "/login")
        console.gateway.state.away = True
        try:
            desk.get_by_role("button", name="双龙湖街道受理员").click()
            expect(desk.locator(".answer .away")).to_contain_text("请稍后再试")
        finally:
            console.gateway.state.away = False


@pytest.mark.usefixtures("office")
class TestTodo:
    def test_one_sentence_says_how_many_wait_and_how_many_are_late(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, HEAD, "/todo")
        expect(desk.locator("h1")).to_have_text("等您办理 12 件，其中 1 件已经逾期。")
        expect(desk.locator(".light-box.red .count")).to_have_text("1")
        first = desk.locator(".desk-list tbody tr").first
        expect(first).to_contain_text("逾期")
        expect(first).to_contain_text("已逾期 5 天")
        expect(desk.locator(".processes a").first).to_contain_text("审核确认")

    def test_a_light_is_chosen_and_given_back(self, desk: Page, console: Console) -> None:
        seated(desk, console, HEAD, "/todo")
        desk.locator(".light-box.red").click()
        desk.wait_for_url(re.compile("light=red"))
        expect(desk.locator(".desk-list tbody tr")).to_have_count(1)
        desk.get_by_role("link", name="显示全部").click()
        expect(desk.locator(".desk-list tbody tr")).to_have_count(12)

    def test_a_process_is_chosen(self, desk: Page, console: Console) -> None:
        seated(desk, console, WINDOW, "/todo")
        expect(desk.locator(".processes li a")).to_have_count(2)
        desk.locator(".processes a", has_text="送达").click()
        desk.wait_for_url(re.compile("process="))
        rows = desk.locator(".desk-list tbody tr")
        expect(rows.first).to_contain_text("已确认")
        expect(rows.filter(has_text="受理")).to_have_count(0)

    def test_all_cases_are_found_page_after_page_and_by_number(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, WINDOW, "/cases")
        rows = desk.locator(".desk-list tbody tr")
        expect(rows).to_have_count(50)
        desk.get_by_role("button", name="再看 50 件").click()
        expect(rows).to_have_count(71)
        expect(desk.get_by_role("button", name="再看 50 件")).to_have_count(0)
        desk.get_by_label("受理编号").fill("50011220250610DB0000012")
        desk.get_by_role("button", name="查找").click()
        desk.wait_for_url(re.compile("q=50011220250610DB0000012"))
        expect(rows).to_have_count(1)

    def test_while_the_gateway_is_away_the_list_waits_and_comes_by_itself(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, HEAD, "/todo")
        console.gateway.state.away = True
        try:
            desk.reload()
            expect(desk.locator(".notice.away")).to_contain_text("自动重试")
        finally:
            console.gateway.state.away = False
        expect(desk.locator("h1")).to_contain_text("等您办理")


@pytest.mark.usefixtures("office")
class TestCase:
    def test_the_head_says_whose_it_is_how_it_stands_and_until_when(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        expect(desk.locator(".title-line .state")).to_have_text("待确认")
        clock = desk.locator(".clock")
        expect(clock).to_contain_text("逾期")
        expect(clock).to_contain_text("2025年6月25日到期，共 25 个工作日，已用 12")
        expect(desk.locator(".result")).to_have_text("符合低保条件")
        expect(desk.locator(".situation")).to_contain_text(
            "770.00 元 × 3 人 − 480.00 元 ＝ 每月 1,830.00 元"
        )
        expect(desk.locator(".case-main")).to_contain_text("肢体残疾2级、就业")
        desk.locator(".more-rows > summary", has_text="收入逐项（4 项）").click()
        rows = desk.locator(".more-rows[open] tbody tr")
        expect(rows.nth(2)).to_contain_text("应给付 300.00 元")
        expect(rows.nth(3)).to_contain_text("渝民发〔2025〕9号，2025年1月1日起")
        expect(rows.last).to_contain_text("480.00 元")
        expect(desk.locator(".case-main")).to_contain_text("经营亏损，按规定不冲抵其他收入")
        expect(desk.locator(".history li").first).to_contain_text("双龙湖街道调查初审员")

    def test_a_decision_is_taken_with_a_word_on_what_was_done(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        expect(desk.locator(".actions-side > .act > summary")).to_have_text(["确认同意"])
        desk.get_by_role("button", name="确认同意").click()
        expect(desk.locator(".answer .refused")).to_contain_text("请填写：我已核对测算依据")
        assert office.sent == []
        desk.locator(".q-checkbox").click()
        desk.get_by_role("button", name="确认同意").click()
        expect(desk.locator(".notice.done")).to_have_text("已办理：确认同意。")
        expect(desk.locator(".title-line .state")).to_have_text("已确认")
        assert office.sent == [
            (f"/v1/relief/applications/{AWAITING}/decide", {"outcome": "grant", "confirmed": True})
        ]

    def test_an_application_is_accepted(self, desk: Page, console: Console, office: Office) -> None:
        seated(desk, console, WINDOW, f"/cases/{SUBMITTED}")
        within = form(desk, "受理")
        choose(desk, within, "城乡类别", "城市")
        typed(desk, within.get_by_label("按此确定的理由"), "户籍在社区")
        within.get_by_role("button", name="受理").click()
        expect(desk.locator(".title-line .state")).to_have_text("已受理")
        assert office.sent[-1][1] == {"area": "urban", "area_reason": "户籍在社区"}
        expect(desk.locator(".actions-side > .muted")).to_contain_text("现在没有要您办理的")

    def test_a_survey_asks_for_who_signed_or_why_nobody_did(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        """民发〔2021〕57号 art. 16."""
        seated(desk, console, SURVEYOR, f"/cases/{SURVEYED}")
        desk.locator(".further > summary").click()
        within = form(desk, "登记入户调查")
        expect(within.locator(".field", has_text="签字的成员")).to_be_visible()
        choose(desk, within, "家庭成员签字", "在场成员拒绝签字")
        expect(within.locator(".field", has_text="签字的成员")).to_be_hidden()
        typed(desk, within.get_by_label("拒绝签字的情况"), "不愿签字")
        typed(desk, within.get_by_label("同行调查人员的工号"), WINDOW)
        typed(desk, within.get_by_label("调查所见"), "家中陈设简单")
        within.get_by_role("button", name="登记入户调查").click()
        expect(desk.locator(".title-line .state")).to_have_text("调查待签")
        sent = office.sent[-1][1]
        assert sent["surveyors"] == [SURVEYOR, WINDOW]
        assert sent["refusal"] == "不愿签字"
        assert "signed_by" not in sent

    def test_a_refused_step_says_why_in_chinese_and_keeps_what_was_written(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, SURVEYOR, f"/cases/{SURVEYED}")
        within = form(desk, "提出初审意见")
        choose(desk, within, "初审意见", "不符合条件")
        typed(desk, within.get_by_label("意见的说明"), "收入超过标准")
        within.get_by_role("button", name="提出初审意见").click()
        expect(within.locator(".answer .refused")).to_contain_text("与按规定测算的结果不一致")
        expect(within.get_by_label("意见的说明")).to_have_value("收入超过标准")
        assert office.cases[SURVEYED].state == "surveyed"

    def test_a_case_that_another_has_changed_meanwhile_is_to_be_read_again(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        office.stale = True
        desk.locator(".q-checkbox").click()
        desk.get_by_role("button", name="确认同意").click()
        expect(desk.locator(".answer .refused")).to_contain_text("请重新读取最新内容")

    def test_while_the_gateway_is_away_a_step_is_not_taken_and_can_be_sent_again(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        desk.locator(".q-checkbox").click()
        console.gateway.state.away = True
        try:
            desk.get_by_role("button", name="确认同意").click()
            expect(desk.locator(".answer .away")).to_contain_text("尚未办理", timeout=30_000)
        finally:
            console.gateway.state.away = False
        desk.get_by_role("button", name="确认同意").click()
        expect(desk.locator(".notice.done")).to_be_visible()
        assert len(office.keys) == 1

    def test_a_case_is_handed_over_to_a_village_chosen_by_its_town(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        desk.locator(".further > summary").click()
        within = form(desk, "移交其他镇街")
        within.locator(".of-village").click()
        desk.get_by_role("option", name="玉峰山镇", exact=True).click()
        within.locator(".field", has_text="接收的村").locator(".q-select").last.click()
        desk.get_by_role("option", name="玉峰山社区", exact=True).click()
        typed(desk, within.get_by_label("理由"), "户籍已迁")
        within.get_by_role("button", name="移交其他镇街").click()
        expect(desk.locator(".notice.done")).to_be_visible()
        assert office.sent[-1][1] == {"division": "500112129001", "reason": "户籍已迁"}

    def test_four_eyes_show_as_barred_with_the_reason(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        office.cases[AWAITING].taken.append(("survey", HEAD))
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        expect(desk.locator(".barred").first).to_contain_text("确认同意")
        expect(desk.locator(".barred").first).to_contain_text("须由他人办理")
        expect(desk.get_by_role("button", name="确认同意")).to_have_count(0)

    def test_a_source_that_is_silent_is_accepted_with_a_reason(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, CHECKER, f"/cases/{CHECKING}")
        expect(desk.locator(".waits")).to_contain_text("还有 1 项查询没有答复")
        expect(desk.locator(".result")).to_have_text("尚不能认定")
        within = form(desk, "接受缺失并说明理由")
        typed(desk, within.get_by_label("理由"), "已当面核实")
        within.get_by_role("button", name="接受缺失并说明理由").click()
        expect(desk.locator(".notice.done")).to_contain_text("接受缺失")
        assert office.sent[-1][1] == {"reason": "已当面核实"}
        expect(desk.get_by_role("button", name="出具核对报告")).to_be_visible()

    def test_publicity_says_until_when(self, desk: Page, console: Console) -> None:
        seated(desk, console, SURVEYOR, f"/cases/{POSTED}")
        expect(desk.locator(".waits")).to_have_text("公示至2025年7月2日，期满后报送。")

    def test_names_are_revealed_for_a_purpose_alone(self, desk: Page, console: Console) -> None:
        seated(desk, console, WINDOW, f"/cases/{SUBMITTED}")
        expect(desk.locator("body")).not_to_contain_text("张建国")
        desk.locator(".reveal > summary").click()
        desk.get_by_role("button", name="查看", exact=True).click()
        expect(desk.locator(".reveal .refused")).to_have_text("请填写查阅目的。")
        desk.get_by_label("查阅目的").fill("入户调查前核对身份")
        desk.get_by_role("button", name="查看", exact=True).click()
        expect(desk.locator(".reveal")).to_contain_text("张建国")
        expect(desk.locator(".reveal")).to_contain_text("演示路1号")

    def test_who_may_not_reveal_is_not_asked_to(self, desk: Page, console: Console) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        expect(desk.locator(".reveal")).to_have_count(0)

    def test_a_decided_case_leads_to_the_award(self, desk: Page, console: Console) -> None:
        seated(desk, console, HEAD, f"/cases/{GRANTED}")
        expect(desk.locator(".case-main")).to_contain_text("区民政局决定：确认同意")
        desk.get_by_role("link", name="查看低保待遇").click()
        expect(desk.locator("h1")).to_have_text("孙**等2人")

    @pytest.mark.parametrize("path", ["/cases/nonsense", f"/cases/{stand.identity(1, 999)}"])
    def test_a_case_that_is_not_there_is_said_to_be_missing(
        self, desk: Page, console: Console, path: str
    ) -> None:
        seated(desk, console, HEAD, path)
        expect(desk.locator("body")).to_contain_text(re.compile("没有这个页面|未找到该办件"))


@pytest.mark.usefixtures("office")
class TestHousehold:
    def test_a_member_joins_earns_and_leaves_as_far_as_the_service_takes_it(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, WINDOW, f"/cases/{SUBMITTED}")
        desk.get_by_role("link", name="登记家庭情况").click()
        expect(desk.locator("h1")).to_have_text("张**的家庭情况")
        within = form(desk, "登记新成员")
        typed(desk, within.get_by_label("姓名"), "张小宝")
        choose(desk, within, "证件", "没有证件")
        expect(within.get_by_label("证件号码")).to_be_hidden()
        choose(desk, within, "与申请人的关系", "子女")
        typed(desk, within.get_by_label("出生日期"), "2025-06-20")
        choose(desk, within, "怎样成为成员", "出生")
        within.get_by_role("button", name="登记新成员").click()
        expect(desk.locator(".notice.done")).to_have_text("已办理：登记新成员。")
        born = office.sent[-1][1]
        assert (born["document_kind"], born["independent"]) == (None, False)

        desk.get_by_role("link", name="登记", exact=True).click()
        within = form(desk, "登记收入")
        choose(desk, within, "项目", "工资性收入")
        typed(desk, within.get_by_label("所属各月合计"), "3000.00")
        typed(desk, within.get_by_label("首月"), "2025-05-01")
        within.get_by_role("button", name="登记收入").click()
        expect(desk.locator(".notice.done")).to_be_visible()
        assert office.sent[-1][1] == {
            "fact": "income", "member": MEMBER, "kind": "wage", "amount": "3000.00",
            "first_month": "2025-05-01", "months": 1, "source": "declared",
        }  # fmt: skip

        within = form(desk, "登记离开家庭")
        choose(desk, within, "原因", "死亡")
        within.get_by_role("button", name="登记离开家庭").click()
        expect(within.locator(".refused")).to_contain_text("请先变更申请人")
        desk.get_by_role("link", name="回到办件").click()
        desk.wait_for_url(f"**/cases/{SUBMITTED}")

    def test_who_is_in_another_file_is_shown_without_the_other_towns_file(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, WINDOW, f"/cases/{SUBMITTED}")
        own, other = desk.locator(".case-main .dots").all()[:2]
        expect(own).to_contain_text("张**（申请人）：正在领取低保")
        expect(own.get_by_role("link")).to_have_attribute("href", f"/awards/{AWARD}")
        expect(other).to_contain_text("申请正在办理，不在您管辖范围内")
        expect(other.get_by_role("link")).to_have_count(0)


@pytest.mark.usefixtures("office")
class TestDocuments:
    def test_a_document_opens_beside_the_case(self, desk: Page, console: Console) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        with desk.context.expect_page() as opened:
            desk.get_by_role("link", name="受理通知书").click()
        expect(opened.value).to_have_title(re.compile("^受理通知书 低保受"))

    def test_it_is_shown_to_the_same_browser_alone(self, desk: Page, console: Console) -> None:
        seated(desk, console, HEAD, f"/cases/{AWAITING}")
        url = f"{console.url}/cases/{AWAITING}/documents/{DOCUMENT}"
        answer = desk.request.get(url)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        stranger = httpx.get(url)
        assert stranger.status_code == 401
        assert stranger.text == "请先登录。"

    def test_its_delivery_is_recorded(self, desk: Page, console: Console, office: Office) -> None:
        seated(desk, console, WINDOW, f"/cases/{SUBMITTED}")
        within = form(desk, "登记送达")
        typed(desk, within.get_by_label("签收人"), "申请人本人")
        within.get_by_role("button", name="登记送达").click()
        expect(desk.locator(".notice.done")).to_be_visible()
        assert office.sent[-1] == (
            f"/v1/relief/cases/{SUBMITTED}/documents/{DOCUMENT}/delivery",
            {"how": "in_person", "on": "2025-06-30", "received_by": "申请人本人"},
        )


@pytest.mark.usefixtures("office")
class TestAwards:
    def test_the_list_shows_what_is_paid_and_what_is_overdue_for_review(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        seated(desk, console, SURVEYOR, "/awards")
        rows = desk.locator(".desk-list tbody tr")
        expect(rows).to_have_count(50)
        expect(rows.first).to_contain_text("1,340.00 元")
        expect(rows.first).to_contain_text("已逾期 29 天")
        desk.get_by_role("button", name="再看 50 户").click()
        expect(rows).to_have_count(60)
        office.deaths = 2
        shown(desk, console, "/todo")
        desk.get_by_role("link", name="有 2 户家庭成员死亡，最早的须在2025年7月1日前").click()
        expect(rows).to_have_count(2)
        expect(rows.first.locator(".due.amber")).to_have_text("还有 1 天")

    def test_one_award_has_its_timeline_its_persons_and_their_extras(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, SURVEYOR, f"/awards/{AWARD}")
        expect(desk.locator(".situation")).to_contain_text("2025年6月1日前（已逾期 29 天）")
        expect(desk.locator(".persons li")).to_contain_text("重病患者 60.00 元")
        expect(desk.locator(".history li")).to_contain_text("在保，2 人，每月 1,340.00 元")

    def test_a_change_is_proposed_heard_and_goes_on(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        office.cases[CHANGE].state = "withdrawn"
        seated(desk, console, SURVEYOR, f"/awards/{AWARD}")
        within = form(desk, "提出变动")
        expect(within.locator(".field", has_text="自哪一日起骗取")).to_be_hidden()
        choose(desk, within, "变动的种类", "停发")
        choose(desk, within, "是否骗取低保金", "是")
        typed(desk, within.get_by_label("自哪一日起骗取"), "2025-01-05")
        typed(desk, within.get_by_label("事由与依据的事实"), "隐瞒收入")
        within.get_by_role("button", name="提出变动").click()
        expect(desk.locator(".waits")).to_have_text("正在办理变动：停发。")
        assert office.sent[-1][1] == {
            "kind": "stop", "reason": "隐瞒收入",
            "fraud": {"since": "2025-01-05", "serious": False},
        }  # fmt: skip
        desk.get_by_role("link", name="去办理").click()
        expect(desk.locator(".waits")).to_contain_text("须先听取家庭的意见")
        hearing = form(desk, "记录听取意见")
        choose(desk, hearing, "听取了谁的意见", "孙**（1948-03-05 生）")
        typed(desk, hearing.get_by_label("意见原话或要点"), "没有不同意见")
        hearing.get_by_role("button", name="记录听取意见").click()
        expect(desk.locator(".title-line .state")).to_have_text("已听取意见")

    def test_who_may_not_review_is_offered_nothing(
        self, desk: Page, console: Console, office: Office
    ) -> None:
        office.cases[CHANGE].state = "withdrawn"
        seated(desk, console, WINDOW, f"/awards/{AWARD}")
        expect(desk.locator(".act")).to_have_count(0)


@pytest.mark.usefixtures("office")
class TestLooks:
    def test_nothing_overflows_on_a_phone_and_nothing_comes_from_outside(
        self, phone: Page, console: Console, strangers: list[str]
    ) -> None:
        seated(phone, console, HEAD, "/todo")
        for path in (*PAGES, f"/cases/{AWAITING}/documents/{DOCUMENT}"):
            shown(phone, console, path)
            phone.wait_for_function(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            )
        assert strangers == []

    def test_the_letters_are_large_enough_for_a_clerk_of_fifty(
        self, desk: Page, console: Console
    ) -> None:
        seated(desk, console, HEAD, "/todo")
        for path in PAGES:
            shown(desk, console, path)
            letters = ".large :is(div, dt, dd, li, span, td):not(:has(*))"
            sizes = desk.locator(letters).evaluate_all(
                """found => found
                    .filter(one => one.textContent.trim() && one.checkVisibility())
                    .filter(one => !one.closest('.filters, .q-field'))
                    .map(one => parseFloat(getComputedStyle(one).fontSize))"""
            )
            assert sizes
            assert min(sizes) >= 15

    def test_on_a_phone_what_is_to_be_done_comes_before_what_was_found(
        self, phone: Page, console: Console
    ) -> None:
        seated(phone, console, HEAD, f"/cases/{AWAITING}")
        button = phone.get_by_role("button", name="确认同意").bounding_box()
        result = phone.locator(".result").bounding_box()
        assert button is not None
        assert result is not None
        assert button["y"] < result["y"]

    def test_the_words_of_every_light_can_be_read_against_their_ground(
        self, desk: Page, console: Console, contrasts: str
    ) -> None:
        """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
        seated(desk, console, HEAD, "/todo")
        ratios = desk.locator(".lights .light").evaluate_all(contrasts)
        assert len(ratios) == 4
        assert min(ratios) >= 4.5
