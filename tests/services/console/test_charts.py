import re
from datetime import date
from decimal import Decimal

from services.console import charts
from services.console.answers import Goal, PathPoint, Point, Series

END = date(2025, 12, 31)


def series(*values: str | None, straight: tuple[str, str] | None = ("80", "85")) -> Series:
    points = [
        Point(on=date(2020 + place, 12, 31), value=None if value is None else Decimal(value))
        for place, value in enumerate(values)
    ]
    path = []
    if straight is not None:
        days = (date(2020, 12, 31), END)
        path = [
            PathPoint(on=on, value=Decimal(one)) for on, one in zip(days, straight, strict=True)
        ]
    return Series(points=points, path=path, target=Goal(operator=">=", value=Decimal(85)))


def lines(svg: str, kind: str) -> list[list[tuple[float, float]]]:
    found = re.findall(rf'<polyline class="{kind}" points="([^"]*)"', svg)
    return [[tuple(map(float, place.split(","))) for place in one.split()] for one in found]  # type: ignore[misc]


def test_the_line_rises_with_the_values_and_ends_before_the_plan_does() -> None:
    (actual,) = lines(charts.sparkline(series("80", "81", "83"), END), "actual")
    heights = [y for _, y in actual]
    assert heights == sorted(heights, reverse=True)
    assert actual[-1][0] < charts.WIDTH / 2


def test_the_straight_path_goes_from_the_baseline_to_the_target() -> None:
    (path,) = lines(charts.sparkline(series("80", "81"), END), "path")
    assert path == [
        (charts.MARGIN, charts.HEIGHT - charts.MARGIN),
        (charts.WIDTH - charts.MARGIN, charts.MARGIN),
    ]


def test_a_value_that_is_not_known_breaks_the_line() -> None:
    svg = charts.sparkline(series("80", None, "82", "83"), END)
    assert [len(run) for run in lines(svg, "actual")] == [1, 2]


def test_without_a_known_value_there_is_no_line() -> None:
    assert charts.sparkline(series(None, None), END) == ""


def test_an_indicator_that_does_not_move_is_drawn_all_the_same() -> None:
    svg = charts.sparkline(series("100", "100", straight=None), END)
    assert len(lines(svg, "actual")[0]) == 2
    assert lines(svg, "path") == []


def test_the_line_can_be_heard() -> None:
    assert 'aria-label="2020-12-31 为 80，2021-12-31 为 81.5"' in charts.sparkline(
        series("80", "81.5"), END
    )


def test_the_large_chart_shows_actual_path_and_target() -> None:
    drawn = charts.options(series("80", None, "82"), "%", END)["series"]
    assert [one["name"] for one in drawn] == ["实际", "直线进度", "目标"]
    assert [value for _, value in drawn[0]["data"]] == [80.0, None, 82.0]
    assert drawn[2]["data"] == [["2020-12-31", 85.0], ["2025-12-31", 85.0]]


def test_a_target_that_moves_has_no_line() -> None:
    moving = series("2.58", "3.1", straight=None)
    moving.target = Goal(operator=">=", value=None)
    assert [one["name"] for one in charts.options(moving, "%", END)["series"]] == ["实际"]
