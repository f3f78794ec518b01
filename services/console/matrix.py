"""The towns beside one another (镇街对比): 22 rows, the indicators that exist per town."""

from services.console import filter_bar, wording
from services.console.answers import Cell, Matrix, MatrixIndicator, MatrixRow, Status
from services.console.filters import Filters
from services.console.frame import anchor, page, panel, tag, text
from services.console.gateway import Gateway

PATH = "/matrix"


def show(gateway: Gateway, filters: Filters) -> None:
    with page(PATH):
        text("镇街对比", name="h1")
        text("点镇街名称看该镇街的全部指标，点指标名称看其构成。", "muted")
        filter_bar.show(gateway, filters, PATH, by_town=False)
        panel(
            lambda: gateway.read(Matrix, "/v1/plan/matrix", filters.params),
            lambda matrix: _show_matrix(matrix, filters),
        )


def _show_matrix(matrix: Matrix, filters: Filters) -> None:
    if not matrix.rows:
        text("这一天没有可以比较的镇街。", "notice")
        return
    with tag("ul", "legend"):
        for status in Status:
            text(f"{wording.SIGNS[status]} {wording.STATUSES[status]}", f"pill {status}", name="li")
    yes_or_no = {
        one.code for one in matrix.indicators if wording.is_yes_or_no(matrix.column(one.code))
    }
    with tag("div", "matrix-scroll").props('tabindex="0"'), tag("table", "matrix"):
        with tag("thead"), tag("tr"):
            text("镇街", name="th").props('scope="col"')
            for indicator in matrix.indicators:
                with tag("th").props('scope="col"'):
                    url = filters.url("/", open=indicator.code)
                    anchor(f"{indicator.no}. {indicator.name}", url)
                    text("有无" if indicator.code in yes_or_no else indicator.unit, "sub")
        with tag("tbody"):
            for row in matrix.rows:
                _show_row(row, matrix.indicators, yes_or_no, filters)


def _show_row(
    row: MatrixRow, indicators: list[MatrixIndicator], yes_or_no: set[str], filters: Filters
) -> None:
    with tag("tr"):
        with tag("th").props('scope="row"'):
            if row.division:
                anchor(row.name, filters.with_(division=row.division).url("/"))
            else:
                text(row.name, name="span")
        for indicator in indicators:
            _show_cell(row.cells.get(indicator.code), yes_or_no=indicator.code in yes_or_no)


def _show_cell(cell: Cell | None, *, yes_or_no: bool) -> None:
    if cell is None or cell.value is None:
        text(wording.ABSENT, "absent", name="td")
        return
    with tag("td", str(cell.status)):
        sign = "" if cell.status is Status.NOT_ASSESSABLE else f"{wording.SIGNS[cell.status]} "
        if yes_or_no:
            text(f"{sign}{wording.has(cell)}")
            return
        text(f"{sign}{wording.number(cell.value)}")
        text(wording.fraction(cell.numerator, cell.denominator), "sub")
