import re
import stat
import subprocess
import sys

import httpx
import pytest

from tests.services.console.conftest import Console
from tests.services.console.stand_in import identity


def get(console: Console, path: str) -> httpx.Response:
    return httpx.get(f"{console.url}{path}", timeout=20)


def test_it_says_that_it_lives_and_is_ready(console: Console) -> None:
    assert get(console, "/-/health").json() == {"status": "ok"}
    assert get(console, "/-/ready").json() == {"status": "ready"}


def test_the_session_secret_is_kept_and_readable_by_its_owner_alone(console: Console) -> None:
    secret = console.state / "console-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_text()) >= 32


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/exports/board.xlsx?as_of=2024-12-31", b"PKboard"),
        ("/exports/facilities.xlsx?kind=institution", b"PKfacilities"),
        (f"/exports/editions/{identity('edition', 1)}.xlsx", b"PK"),
    ],
)
def test_workbooks_are_handed_through_without_the_token(
    console: Console, path: str, content: bytes
) -> None:
    answer = get(console, path)
    assert answer.content.startswith(content)
    assert "attachment" in answer.headers["content-disposition"]
    assert "token" not in str(answer.headers).lower()


def test_a_workbook_carries_the_filters_of_the_page(console: Console) -> None:
    get(console, "/exports/board.xlsx?as_of=2024-12-31&division=500112101000&open=x")
    asked = "/v1/plan/indicators/export?as_of=2024-12-31&division=500112101000"
    assert console.gateway.state.seen[-1] == asked


def test_while_the_gateway_is_away_a_workbook_is_promised_for_later(console: Console) -> None:
    console.gateway.state.away = True
    try:
        answer = get(console, "/exports/board.xlsx")
    finally:
        console.gateway.state.away = False
    assert answer.status_code == 503
    assert "稍后再试" in answer.text
    assert answer.headers["retry-after"] == "5"


def test_the_page_comes_from_here_alone_and_in_chinese(console: Console) -> None:
    page = get(console, "/")
    assert page.status_code == 200
    assert 'lang="zh-CN"' in page.text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page.text)
    assert "token-" not in page.text


@pytest.mark.parametrize("path", ["/nope", "/nope/deeper"])
def test_an_unknown_page_says_so_in_chinese(console: Console, path: str) -> None:
    answer = get(console, path)
    assert answer.status_code == 404
    assert "没有这个页面" in answer.text


def test_it_can_be_forked_after_its_import() -> None:
    """The suite forks its processes from one that has loaded them: no thread, no loop by then."""
    alone = "import threading, services.console.app; assert threading.active_count() == 1"
    subprocess.run([sys.executable, "-W", "ignore", "-c", alone], check=True)
