"""The pages of the door: Chinese, nothing from another host, readable on a phone."""

import os
import re
import shutil
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from playwright.sync_api import sync_playwright

from services.gateway.pages.landing import PartLine, page
from services.gateway.settings import GatewaySettings
from tests.services.gateway.house import House


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.linked.append(given["href"] or "")
            return
        urls = [value for name in ("src", "href") if (value := given.get(name))]
        self.loaded += urls
        self.inline += tag == "script" and not urls


def links(html: str) -> Links:
    found = Links()
    found.feed(html)
    return found


class TestOffline:
    @pytest.mark.parametrize("url", ["/", "/docs"])
    def test_everything_a_page_loads_is_ours_and_there(self, house: House, url: str) -> None:
        answer = house.http.get(url)
        found = links(answer.text)
        assert found.loaded
        assert found.inline == 0
        for loaded in found.loaded:
            assert re.fullmatch(r"/assets/[a-z0-9.-]+", loaded)
            assert house.http.get(loaded).status_code == 200

    @pytest.mark.parametrize("url", ["/", "/docs"])
    def test_the_browser_is_told_to_load_nothing_else(self, house: House, url: str) -> None:
        policy = house.http.get(url).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy

    @pytest.mark.parametrize("name", ["docs.js", "page.css"])
    def test_our_own_assets_name_no_host(self, house: House, name: str) -> None:
        assert not re.search(r"//[a-z]|https?:", house.http.get(f"/assets/{name}").text)

    def test_swagger_ui_asks_no_validator(self, house: House) -> None:
        assert "validatorUrl: null" in house.http.get("/assets/docs.js").text

    @pytest.mark.parametrize("name", ["index.html", "..%2fdocs.py", "__init__.py", "docs.js.map"])
    def test_nothing_but_the_named_assets(self, house: House, name: str) -> None:
        assert house.http.get(f"/assets/{name}").status_code == 404


class TestDocs:
    def test_title_in_chinese(self, house: House) -> None:
        assert "<title>民政业务平台 · 接口文档</title>" in house.http.get("/docs").text

    def test_document_is_one_that_swagger_ui_4_reads(self, house: House) -> None:
        found = house.http.get("/docs/openapi.json").json()
        assert found["openapi"].startswith("3.0.")
        assert "/oauth2/token" in found["paths"]


@pytest.mark.browser
class TestInABrowser:
    def test_docs_show_the_operations_and_ask_no_other_host(self, house: House) -> None:
        chromium = shutil.which("chromium")
        if chromium is None and os.environ.get("CI") != "true":
            pytest.skip("chromium is missing: deploy/setup-browser")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{house.url}/docs")
            page.get_by_text("取得访问令牌").wait_for()
            page.get_by_text("授权", exact=True).first.wait_for()
            browser.close()
        assert [url for url in asked if not url.startswith(f"{house.url}/")] == []


class TestLanding:
    def test_leads_to_console_docs_and_status(self, house: House) -> None:
        text = house.http.get("/").text
        assert links(text).linked == [
            "http://127.0.0.1:8080/?a=1&b=2",
            *("/docs", "/openapi.json", "/-/status"),
        ]
        assert '<html lang="zh-CN">' in text
        assert 'name="viewport" content="width=device-width, initial-scale=1"' in text

    def test_without_a_console_no_link_to_it(self) -> None:
        assert "工作台" not in page("", [])

    def test_says_what_is_up_down_and_not_yet_known(self) -> None:
        since = datetime(2025, 3, 3, 2, 0, tzinfo=UTC)
        text = page(
            "",
            [
                PartLine("社会救助", up=True, since=since),
                PartLine("养老服务", up=False, since=since),
                PartLine("规划指标", up=None, since=None),
            ],
        )
        assert "社会救助<span>正常（自 03-03 10:00）" in text
        assert "养老服务<span>不可用（自 03-03 10:00）" in text
        assert "规划指标<span>正在检查" in text

    def test_text_is_escaped(self) -> None:
        assert "<b>" not in page("", [PartLine("<b>", up=None, since=None)])


class TestSettings:
    @pytest.mark.parametrize(
        "url",
        ["ftp://x", "relief:9000", "http://", "http://h/path", "http://h?q", "http://u@h"],
    )
    def test_an_upstream_is_an_origin(self, url: str) -> None:
        with pytest.raises(ValueError, match="host"):
            GatewaySettings(upstream_relief=url)

    def test_names_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MINZHENG_UPSTREAM_RELIEF", "http://127.0.0.1:9001/")
        monkeypatch.setenv("MINZHENG_CONSOLE_URL", "http://127.0.0.1:8001")
        settings = GatewaySettings()
        assert settings.upstream("relief") == "http://127.0.0.1:9001"
        assert settings.console_url == "http://127.0.0.1:8001"

    def test_a_deployment_says_where_its_key_is(self) -> None:
        with pytest.raises(ValueError, match="MINZHENG_KEYS"):
            GatewaySettings(deployment=True)

    @pytest.mark.parametrize("url", ["javascript:alert(1)", 'http://a"onclick', "http://a b"])
    def test_console_is_an_address(self, url: str) -> None:
        with pytest.raises(ValueError, match="console_url"):
            GatewaySettings(console_url=url)
