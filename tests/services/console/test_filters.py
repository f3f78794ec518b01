from services.console.filters import DAYS, FACILITIES, PLAN, Filters


def test_a_link_carries_the_filters_and_reads_back_the_same() -> None:
    filters = Filters(as_of="2024-12-31", known_on="2025-03-31", division="500112129000")
    url = filters.url("/")
    assert url == "/?as_of=2024-12-31&known_on=2025-03-31&division=500112129000"
    assert Filters.read(filters.params, PLAN) == filters


def test_what_is_no_day_and_no_code_is_left_out() -> None:
    given = {"as_of": "2024-02-30", "known_on": "gestern", "division": "5001", "kind": "castle"}
    assert Filters.read(given, (*PLAN, "kind")) == Filters()


def test_a_page_reads_only_its_own_filters() -> None:
    given = {"as_of": "2024-12-31", "division": "500112129000", "kind": "institution"}
    assert Filters.read(given, DAYS) == Filters(as_of="2024-12-31")
    assert Filters.read(given, FACILITIES).kind == "institution"


def test_without_filters_the_address_is_plain() -> None:
    assert Filters().url("/matrix") == "/matrix"
    assert Filters().url("/", open="eldercare_beds") == "/?open=eldercare_beds"
