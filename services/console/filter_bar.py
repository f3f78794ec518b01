"""The filters on top of the pages about the plan: changing one opens the page's other address."""

from collections.abc import Mapping

from nicegui import ui
from nicegui.element import Element
from nicegui.events import ValueChangeEventArguments

from services.console.answers import Matrix, PlanView
from services.console.filters import Filters, day
from services.console.frame import anchor, tag, text
from services.console.gateway import Away, Gateway, Refused

WHOLE = "全区"
AGAIN_SECONDS = 5.0


def show(gateway: Gateway, filters: Filters, path: str, *, by_town: bool = True) -> None:
    """Day, as known on, town (if `by_town`), the plan's year ends, and a way back to no filter."""
    with bar():
        show_day("截至日", "as_of", filters, path)
        show_day("按何日所知", "known_on", filters, path)
        if by_town:
            show_towns(gateway, filters, path)
        _show_years(gateway, filters, path)
        anchor("重置", path, "reset")


def bar() -> Element:
    """Where the filters stand; on a phone behind a button, the matter comes first."""
    text("筛选 ▾", "filters-button", name="button").props('type="button"').on(
        "click", js_handler="(event) => event.target.nextElementSibling.classList.toggle('shown')"
    )
    return tag("div", "filters").props('role="search" aria-label="筛选"')


def show_day(label: str, name: str, filters: Filters, path: str) -> None:
    before = getattr(filters, name)

    def changed(event: ValueChangeEventArguments[str | None]) -> None:
        chosen = day(event.value or "")
        if chosen == before or (event.value and not chosen):
            return  # half a day is being typed
        ui.navigate.to(filters.with_(**{name: chosen}).url(path))

    ui.date_input(label, value=before, on_change=changed).props(
        'dense outlined clearable mask="####-##-##" stack-label placeholder="年-月-日"'
    ).classes("filter-day")


def show_choice(
    label: str, name: str, choices: Mapping[str, str], filters: Filters, path: str
) -> ui.select:
    """One filter of several choices; the empty one takes it away."""

    def changed(event: ValueChangeEventArguments[str]) -> None:
        ui.navigate.to(filters.with_(**{name: event.value}).url(path))

    chosen = getattr(filters, name)
    options = {**choices, chosen: choices.get(chosen, chosen)}
    select = ui.select(options, value=chosen, label=label, on_change=changed)
    return select.props("dense outlined options-dense stack-label").classes("filter-choice")


def show_towns(gateway: Gateway, filters: Filters, path: str) -> None:
    """The towns of the day, whose names only the gateway knows."""
    towns = show_choice("区划", "division", {"": WHOLE}, filters, path)

    async def fill() -> None:
        try:
            found = await town_names(gateway, filters)
        except Away:
            ui.timer(AGAIN_SECONDS, fill, once=True)
        except Refused:
            return
        else:
            towns.set_options({"": WHOLE, **found}, value=filters.division)

    ui.timer(0, fill, once=True)


async def town_names(gateway: Gateway, filters: Filters) -> dict[str, str]:
    """The towns of the scope by the codes of the day; one without a code cannot be asked for."""
    params = {"as_of": filters.as_of, "known_on": filters.known_on}
    matrix = await gateway.read(Matrix, "/v1/plan/matrix", params)
    found = {row.division: row.name for row in matrix.rows if row.division}
    if filters.division:
        found.setdefault(filters.division, filters.division)
    return found


def _show_years(gateway: Gateway, filters: Filters, path: str) -> None:
    """The year ends of the plan, one click away."""
    years = tag("div", "years")

    async def fill() -> None:
        try:
            plan = await gateway.read(PlanView, "/v1/plan")
        except Away:
            ui.timer(AGAIN_SECONDS, fill, once=True)
        except Refused:
            return
        else:
            with years:
                _link_years(plan, filters, path)

    ui.timer(0, fill, once=True)


def _link_years(plan: PlanView, filters: Filters, path: str) -> None:
    text("年末", "years-label", name="span")
    for year in range(plan.baseline_on.year, plan.period_to.year + 1):
        year_end = f"{year}-12-31"
        link = anchor(str(year), filters.with_(as_of=year_end).url(path))
        if filters.as_of == year_end:
            link.props('aria-current="true"')
