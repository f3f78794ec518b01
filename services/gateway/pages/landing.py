"""The small page at `/`: where to go, and whether everything answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from string import Template

from chassis.clock import SHANGHAI

_PAGE = Template("""\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>民政业务平台</title>
<link rel="stylesheet" href="/assets/page.css">
</head>
<body>
<main>
<h1>民政业务平台</h1>
<p>各业务服务的统一入口。</p>
<ul class="links">
$links
</ul>
<h2>服务状态</h2>
<ul class="parts">
$parts
</ul>
</main>
</body>
</html>
""")
_LINKS = (
    ("/docs", "接口文档", "全部接口、参数与示例"),
    ("/openapi.json", "OpenAPI", "供程序读取的接口定义"),
    ("/-/status", "运行状态", "各服务是否可用"),
)


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part as shown: `up` is None while it is not known."""

    title: str
    up: bool | None
    since: datetime | None


def page(console_url: str, parts: Sequence[PartLine]) -> str:
    console = [(console_url, "工作台", "规划指标与机构，供工作人员使用")] if console_url else []
    links = [
        f'<li><a href="{escape(url)}">{escape(name)}</a><span>{escape(text)}</span></li>'
        for url, name, text in [*console, *_LINKS]
    ]
    lines = [_part(part) for part in parts] or ["<li>本系统未接入业务服务</li>"]
    return _PAGE.substitute(links="\n".join(links), parts="\n".join(lines))


def _part(part: PartLine) -> str:
    if part.up is None or part.since is None:
        return f'<li class="unknown">{escape(part.title)}<span>正在检查</span></li>'
    state, word = ("up", "正常") if part.up else ("down", "不可用")
    since = part.since.astimezone(SHANGHAI).strftime("%m-%d %H:%M")
    return f'<li class="{state}">{escape(part.title)}<span>{word}（自 {since}）</span></li>'
