"""The line of an indicator over the years with the straight path to its target.

Small ones are drawn here as SVG: eighteen of them stand in a page, and print without a script.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.console import wording
from services.console.answers import Goal, Point, Series

WIDTH, HEIGHT, MARGIN = 132, 38, 4

ACCENT = "#123f7a"
PATH_COLOUR = "#767f8c"
GOAL_COLOUR = "#8a5a00"
TEXT = "#3d4653"
YEAR_MILLISECONDS = 365 * 24 * 3600 * 1000
YEAR_END = "value => `${new Date(value).getFullYear() - 1}末`"
"""The axis has its marks on New Year's Day, one day after the year end that they stand for."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Maps days and values into the picture."""

    start: date
    days: int
    low: float
    span: float

    def place(self, on: date, value: Decimal) -> tuple[float, float]:
        x = MARGIN + (WIDTH - 2 * MARGIN) * (on - self.start).days / self.days
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (float(value) - self.low) / self.span
        return round(x, 1), round(y, 1)


def sparkline(series: Series, end: date) -> str:
    """An SVG up to `end`, the plan's last day; empty where no value is known."""
    known = _known(series.points)
    if not known:
        return ""
    frame = _frame(series, known, end)
    path = _polyline([frame.place(one.on, one.value) for one in series.path], "path")
    runs = [[frame.place(on, value) for on, value in run] for run in _runs(series.points)]
    lines = "".join(_polyline(run, "actual") for run in runs)
    x, y = runs[-1][-1]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img"'
        f' aria-label="{_spoken(known)}">{path}{lines}'
        f'<circle class="latest" cx="{x}" cy="{y}" r="3"/></svg>'
    )


def _known(points: Sequence[Point]) -> list[tuple[date, Decimal]]:
    return [(point.on, point.value) for point in points if point.value is not None]


def _runs(points: Sequence[Point]) -> Iterator[list[tuple[date, Decimal]]]:
    """The stretches without a gap: a value that is not known is no point of the line."""
    run: list[tuple[date, Decimal]] = []
    for point in points:
        if point.value is not None:
            run.append((point.on, point.value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _frame(series: Series, known: Sequence[tuple[date, Decimal]], end: date) -> _Frame:
    days = [on for on, _ in known] + [one.on for one in series.path]
    values = [float(value) for _, value in known] + [float(one.value) for one in series.path]
    start, low, high = min(days), min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    return _Frame(start, max((max(*days, end) - start).days, 1), low, high - low)


def _polyline(places: Sequence[tuple[float, float]], kind: str) -> str:
    if not places:
        return ""
    text = " ".join(f"{x},{y}" for x, y in places)
    return f'<polyline class="{kind}" points="{text}"/>'


def _spoken(known: Sequence[tuple[date, Decimal]]) -> str:
    return "，".join(f"{on.isoformat()} 为 {wording.number(value)}" for on, value in known)


def options(series: Series, unit: str, end: date) -> dict[str, Any]:
    """The large one, for ECharts: actual points, straight path, target."""
    drawn = [_actual(series)]
    if series.path:
        drawn.append(_straight(series))
    if series.target is not None and series.target.value is not None and series.points:
        drawn.append(_goal(series.target, series.points[0].on, end))
    return {
        "animation": False,
        "grid": {"left": 8, "right": 28, "top": 56, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "left": 0, "textStyle": {"fontSize": 14}},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {
            "type": "time",
            "max": (end + timedelta(days=1)).isoformat(),
            "axisLabel": {":formatter": YEAR_END, "color": TEXT, "hideOverlap": True},
            "minInterval": YEAR_MILLISECONDS,
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "name": unit,
            "nameTextStyle": {"color": TEXT},
            "axisLabel": {"color": TEXT},
        },
        "series": drawn,
    }


def _actual(series: Series) -> dict[str, Any]:
    points = [
        [point.on.isoformat(), None if point.value is None else float(point.value)]
        for point in series.points
    ]
    return {
        "name": "实际",
        "type": "line",
        "data": points,
        "color": ACCENT,
        "lineStyle": {"width": 3},
        "symbol": "circle",
        "symbolSize": 8,
        "connectNulls": False,
        "z": 3,
    }


def _straight(series: Series) -> dict[str, Any]:
    return {
        "name": "直线进度",
        "type": "line",
        "data": [[one.on.isoformat(), float(one.value)] for one in series.path],
        "color": PATH_COLOUR,
        "lineStyle": {"type": "dashed", "width": 2},
        "symbol": "none",
    }


def _goal(target: Goal, start: date, end: date) -> dict[str, Any]:
    value = float(target.value or 0)
    return {
        "name": "目标",
        "type": "line",
        "data": [[start.isoformat(), value], [end.isoformat(), value]],
        "color": GOAL_COLOUR,
        "lineStyle": {"width": 1.5},
        "symbol": "none",
    }
