"""Figures of the day's work (业务数据) below the board, each with its towns and its entries."""

from functools import partial

from nicegui import ui

from services.console import wording
from services.console.answers import BesideItem, BesideList, BesideMatrix, BesideRow
from services.console.details import Lineage
from services.console.filters import Filters
from services.console.frame import anchor, button, cell, heads, panel, tag, text, unfold
from services.console.gateway import Gateway

SOURCE = "/v1/plan/beside"
PARTS = {"total": "合计", "urban": "城市", "rural": "农村"}
HEADS = ("项目", *PARTS.values(), "")
TOWN_HEADS = ("镇街", *PARTS.values())


def show(gateway: Gateway, filters: Filters, opened: str) -> None:
    """The section; it is read by itself, so that without it the board stands all the same."""
    with tag("section", "beside-section"):
        text("业务数据", name="h2")
        panel(
            lambda: gateway.read(BesideList, SOURCE, filters.params),
            lambda found: _show_table(gateway, found, filters, opened),
        )


def _show_table(gateway: Gateway, found: BesideList, filters: Filters, opened: str) -> None:
    text(f"{found.scope_name} · 截至 {wording.chinese_day(found.as_of)}", "muted")
    with tag("table", "beside"):
        heads(HEADS)
        with tag("tbody"):
            for item in found.items:
                _show_row(gateway, item, filters, opened=item.code == opened)
    if any(item.code == opened for item in found.items):
        ui.run_javascript(f"document.getElementById('row-{opened}').scrollIntoView()")


def _show_row(gateway: Gateway, item: BesideItem, filters: Filters, *, opened: bool) -> None:
    row = tag("tr", "beside-row").props(f'id="row-{item.code}"')
    with row:
        with tag("td", "name"):
            text(item.name, "indicator")
            text(item.note, "sub")
        for head, value in zip(PARTS.values(), item.parts, strict=True):
            cell(head, "value", wording.quantity(value, item.unit))
        with tag("td", "more"):
            turner = button("详情", lambda: None, "more-button")
    unfold(row, turner, len(HEADS), lambda: _show_details(gateway, item, filters), opened=opened)


def _show_details(gateway: Gateway, item: BesideItem, filters: Filters) -> None:
    with tag("div", "details"):
        if not filters.division:
            _show_towns(gateway, item, filters)
        _show_lineage(gateway, item, filters)


def _show_towns(gateway: Gateway, item: BesideItem, filters: Filters) -> None:
    def show_rows(matrix: BesideMatrix) -> None:
        with tag("table", "plain cards towns"):
            heads(TOWN_HEADS)
            with tag("tbody"):
                for row in matrix.rows:
                    _show_town(row, item, filters)

    with tag("section"):
        text("各镇街", name="h3")
        panel(lambda: gateway.read(BesideMatrix, f"{SOURCE}/matrix", filters.params), show_rows)


def _show_town(row: BesideRow, item: BesideItem, filters: Filters) -> None:
    found = row.cells.get(item.code)
    if found is None:
        return
    with tag("tr"):
        with cell(TOWN_HEADS[0]):
            if row.division:
                anchor(row.name, filters.with_(division=row.division).url("/", open=item.code))
            else:
                text(row.name, name="span")
        for head, value in zip(PARTS.values(), found.parts, strict=True):
            cell(head, words=wording.quantity(value, item.unit))


def _show_lineage(gateway: Gateway, item: BesideItem, filters: Filters) -> None:
    """The entries of the total; of one area on demand."""

    def draw(part: str) -> None:
        box.clear()
        with box:
            Lineage(gateway, f"{SOURCE}/{item.code}/lineage", {**filters.params, "area": part})

    with tag("section"):
        with tag("div", "chart-head"):
            text("由哪些登记汇成", name="h3")
            for part, words in PARTS.items():
                button(words, partial(draw, part), "step")
        box = tag("div")
        draw("total")
