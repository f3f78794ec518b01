from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.law.calendar import Calendar, Notice
from chassis.law.deadlines import (
    Deadline,
    StartRule,
    Suspension,
    Term,
    TermUnit,
    days_used,
    deadline,
    latest_day_before,
)

CALENDAR = Calendar()
FIRST = date(2000, 1, 1)
DAY = timedelta(days=1)


def d(text: str) -> date:
    return date.fromisoformat(text)


def working(count: int) -> Term:
    return Term(count, TermUnit.WORKING_DAYS, "行政许可法第42条", FIRST)


def days(count: int, *, roll: bool = True, start: StartRule = StartRule.DAY_AFTER) -> Term:
    return Term(count, TermUnit.DAYS, "民法典第201条", FIRST, start, roll)


def months(count: int, *, roll: bool = True, start: StartRule = StartRule.DAY_AFTER) -> Term:
    return Term(count, TermUnit.MONTHS, "民法典第202条", FIRST, start, roll)


def due(term: Term, start: str, *suspensions: Suspension) -> str:
    found = deadline(term, d(start), CALENDAR, suspensions)
    assert not found.provisional
    return found.day.isoformat()


def before(term: Term, event: str) -> str:
    found = latest_day_before(term, d(event), CALENDAR)
    assert not found.provisional
    return found.day.isoformat()


def suspended(from_: str, to: str, reason: str = "公示") -> Suspension:
    return Suspension(d(from_), d(to), reason)


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            ("2021-07-01", 3, "2021-07-06"),
            ("2021-07-01", 10, "2021-07-15"),
            ("2021-07-01", 25, "2021-08-05"),
            ("2021-07-01", 30, "2021-08-12"),
            ("2021-07-01", 40, "2021-08-26"),
            ("2021-07-01", 45, "2021-09-02"),
            ("2021-09-15", 3, "2021-09-18"),
            ("2021-09-15", 10, "2021-09-29"),
            ("2021-09-15", 25, "2021-10-26"),
            ("2021-09-15", 30, "2021-11-02"),
            ("2021-09-15", 40, "2021-11-16"),
            ("2021-09-15", 45, "2021-11-23"),
            ("2022-01-20", 3, "2022-01-25"),
            ("2022-01-20", 10, "2022-02-08"),
            ("2022-01-20", 25, "2022-03-01"),
            ("2022-01-20", 30, "2022-03-08"),
            ("2022-01-20", 40, "2022-03-22"),
            ("2022-01-20", 45, "2022-03-29"),
            ("2020-01-20", 10, "2020-02-11"),
            ("2021-09-24", 10, "2021-10-13"),
            ("2021-09-24", 30, "2021-11-10"),
        ],
    )
    def test_vectors_of_domain_b0(self, start: str, count: int, expected: str) -> None:
        assert due(working(count), start) == expected

    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            ("2022-10-21", 20, "2022-11-18"),
            ("2022-10-21", 30, "2022-12-02"),
            ("2022-10-21", 45, "2022-12-23"),
            ("2026-07-01", 15, "2026-07-22"),
            ("2026-07-01", 20, "2026-07-29"),
            ("2026-07-01", 25, "2026-08-05"),
            ("2026-07-01", 30, "2026-08-12"),
            ("2026-07-01", 40, "2026-08-26"),
            ("2026-07-01", 45, "2026-09-02"),
            ("2026-09-15", 15, "2026-10-12"),
            ("2026-09-15", 20, "2026-10-19"),
            ("2026-09-15", 25, "2026-10-26"),
            ("2026-09-15", 30, "2026-11-02"),
        ],
    )
    def test_relief_accepted_vectors_13_to_15(self, start: str, count: int, expected: str) -> None:
        assert due(working(count), start) == expected

    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            # filing of an institution, 10 working days
            ("2021-07-01", 10, "2021-07-15"),
            ("2022-01-20", 10, "2022-02-08"),
            ("2023-09-15", 10, "2023-10-07"),
            ("2024-09-24", 10, "2024-10-12"),
            ("2026-02-05", 10, "2026-02-26"),
            # check after filing, 20 working days
            ("2021-07-01", 20, "2021-07-29"),
            ("2023-09-15", 20, "2023-10-19"),
            ("2026-02-05", 20, "2026-03-11"),
        ],
    )
    def test_eldercare_filing_and_check(self, start: str, count: int, expected: str) -> None:
        assert due(working(count), start) == expected

    @pytest.mark.parametrize(
        ("start", "counts", "expected"),
        [
            ("2021-09-15", (3, 10, 3), ("2021-09-18", "2021-10-09", "2021-10-13")),
            ("2025-09-24", (3, 10, 3), ("2025-09-28", "2025-10-17", "2025-10-22")),
            (
                "2025-09-24",
                (3, 15, 15, 3),
                ("2025-09-28", "2025-10-24", "2025-11-14", "2025-11-19"),
            ),
            ("2025-09-26", (15, 15), ("2025-10-23", "2025-11-13")),
        ],
    )
    def test_steps_each_used_to_the_last_day_welfare_vectors_1_to_4(
        self, start: str, counts: tuple[int, ...], expected: tuple[str, ...]
    ) -> None:
        for count, day in zip(counts, expected, strict=True):
            start = due(working(count), start)
            assert start == day

    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            ("2026-02-10", 7, "2026-02-26"),  # 6: DNA request, Spring Festival inside
            ("2026-02-12", 5, "2026-02-26"),  # 26: credit datum
            ("2026-01-20", 60, "2026-04-21"),  # 32: registration
            ("2026-01-20", 30, "2026-03-09"),
            ("2026-01-20", 20, "2026-02-24"),
            ("2026-04-10", 20, "2026-05-12"),  # 33: publication of a trust
            # paper and electronic death certificate, funeral-place-marriage.md 9
            ("2026-07-06", 15, "2026-07-27"),
            ("2026-07-06", 5, "2026-07-13"),
            ("2026-09-21", 5, "2026-09-29"),
            ("2026-09-21", 15, "2026-10-19"),
        ],
    )
    def test_other_vectors_in_working_days(self, start: str, count: int, expected: str) -> None:
        assert due(working(count), start) == expected

    def test_mental_rehabilitation_is_registered_then_referred_welfare_vector_5(self) -> None:
        assert due(working(5), "2025-09-26") == "2025-10-10"
        assert due(working(5), "2025-10-10") == "2025-10-16"


class TestNaturalDays:
    @pytest.mark.parametrize(
        ("received", "cooling", "window"),
        [
            ("2021-06-01", "2021-07-01", "2021-08-02"),
            ("2021-06-04", "2021-07-05", "2021-08-04"),
            ("2021-09-01", "2021-10-08", "2021-11-08"),
            ("2025-09-01", "2025-10-09", "2025-11-10"),
            ("2025-12-02", "2026-01-04", "2026-02-03"),
            ("2026-01-15", "2026-02-14", "2026-03-16"),
            ("2026-01-16", "2026-02-24", "2026-03-26"),
            ("2026-03-02", "2026-04-01", "2026-05-06"),
            ("2026-09-10", "2026-10-10", "2026-11-09"),
        ],
    )
    def test_divorce_both_ends_roll_and_the_second_counts_from_the_first_art_1077(
        self, received: str, cooling: str, window: str
    ) -> None:
        assert due(days(30), received) == cooling
        assert due(days(30), cooling) == window

    @pytest.mark.parametrize(
        ("received", "expected"),
        [
            ("2026-03-02", "2026-04-01"),
            ("2026-01-20", "2026-02-24"),
            ("2026-09-02", "2026-10-08"),
        ],
    )
    def test_adoption_is_decided_in_30_days(self, received: str, expected: str) -> None:
        assert due(days(30), received) == expected

    def test_the_60_days_of_the_notice_are_not_counted_in_the_30_of_an_adoption(self) -> None:
        notice_ends = due(days(60, roll=False), "2026-03-02")
        assert notice_ends == "2026-05-01"
        notice = suspended("2026-03-02", notice_ends, "收养公告")
        used = days_used(days(30), d("2026-02-20"), d(notice_ends), CALENDAR, [notice])
        assert used == 9
        assert due(days(30), "2026-02-20", notice) == "2026-05-22"

    @pytest.mark.parametrize(
        ("start", "expected"),
        [
            ("2022-06-01", "2022-06-16"),
            ("2026-02-05", "2026-02-24"),
            ("2026-09-17", "2026-10-08"),
            ("2026-06-10", "2026-06-25"),
            ("2026-06-01", "2026-06-16"),
            ("2026-06-16", "2026-07-01"),
        ],
    )
    def test_place_names_are_filed_and_announced_in_15_days(
        self, start: str, expected: str
    ) -> None:
        assert due(days(15), start) == expected

    def test_storage_of_a_body_does_not_roll(self) -> None:
        assert due(days(3, roll=False), "2026-04-01") == "2026-04-04"

    @pytest.mark.parametrize(
        ("start", "count", "roll", "expected"),
        [
            ("2026-02-10", 10, False, "2026-02-20"),  # 6: 滞留 is a state
            ("2026-03-20", 10, True, "2026-03-30"),  # 22: hand-over after an election
            ("2026-02-01", 10, True, "2026-02-11"),  # 30: emergency campaign
            ("2026-01-20", 60, True, "2026-03-23"),  # 32
            ("2026-01-20", 30, True, "2026-02-24"),
            ("2026-01-20", 20, True, "2026-02-09"),
            ("2026-04-10", 7, True, "2026-04-17"),  # 33
            ("2026-04-10", 20, True, "2026-04-30"),
        ],
    )
    def test_welfare_and_community_vectors(
        self, start: str, count: int, roll: bool, expected: str
    ) -> None:
        assert due(days(count, roll=roll), start) == expected

    def test_the_first_day_may_count(self) -> None:
        assert due(days(3, start=StartRule.FIRST_DAY), "2026-03-02") == "2026-03-04"


class TestMonths:
    def test_without_the_date_the_last_day_of_the_month_art_202(self) -> None:
        assert due(months(1, roll=False), "2021-01-31") == "2021-02-28"
        assert due(months(12, roll=False), "2020-02-29") == "2021-02-28"

    def test_a_last_day_on_a_rest_day_rolls_art_203(self) -> None:
        assert due(months(1), "2026-01-17") == "2026-02-24"

    def test_settlement_of_a_vagrant_after_three_months_welfare_vector_6(self) -> None:
        assert due(months(3, roll=False), "2026-02-10") == "2026-05-10"

    def test_two_years_on_the_abnormal_list_welfare_vector_27(self) -> None:
        assert due(months(24, roll=False), "2024-03-01") == "2026-03-01"

    def test_one_year_since_registration_of_a_charity_welfare_vector_29(self) -> None:
        assert due(months(12, roll=False), "2023-10-10") == "2024-10-10"

    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            ("2027-01-01", 60, "2031-12-31"),  # evaluation, welfare vector 28
            ("2027-01-01", 24, "2028-12-31"),
            ("2026-03-15", 1, "2026-04-14"),
            ("2026-01-31", 1, "2026-02-28"),
        ],
    )
    def test_a_term_from_its_first_day_ends_the_day_before(
        self, start: str, count: int, expected: str
    ) -> None:
        assert due(months(count, roll=False, start=StartRule.FIRST_DAY), start) == expected

    def test_suspended_days_are_added_at_the_end(self) -> None:
        pause = suspended("2026-03-10", "2026-03-14", "鉴定")
        assert due(months(1), "2026-03-02", pause) == "2026-04-07"

    def test_a_pause_after_the_nominal_end_but_inside_the_longer_one_counts_too(self) -> None:
        pauses = suspended("2026-03-10", "2026-03-14"), suspended("2026-04-03", "2026-04-12")
        assert due(months(1), "2026-03-02", *pauses) == "2026-04-17"


class TestBackwards:
    @pytest.mark.parametrize(
        ("check", "sent_by"),
        [
            ("2023-10-09", "2023-09-28"),
            ("2026-02-24", "2026-02-12"),
            ("2026-10-09", "2026-09-29"),
        ],
    )
    def test_notice_three_working_days_before_a_check(self, check: str, sent_by: str) -> None:
        assert before(working(3), check) == sent_by

    @pytest.mark.parametrize(
        ("event", "count", "expected"),
        [
            ("2025-03-31", 30, "2025-03-01"),  # closing of an institution; a Saturday stays
            ("2026-03-20", 20, "2026-02-28"),  # voter list
            ("2026-02-01", 10, "2026-01-22"),  # plan of a campaign
        ],
    )
    def test_natural_days_before_an_event(self, event: str, count: int, expected: str) -> None:
        assert before(days(count), event) == expected

    def test_months_before_an_event(self) -> None:
        assert before(months(1), "2026-03-31") == "2026-02-28"


class TestSuspension:
    def test_publicity_and_hearing_are_not_counted(self) -> None:
        assert due(working(30), "2021-07-01") == "2021-08-12"
        publicity = suspended("2021-07-12", "2021-07-18")
        hearing = suspended("2021-08-02", "2021-08-03", "听证")
        assert due(working(30), "2021-07-01", publicity) == "2021-08-19"
        assert due(working(30), "2021-07-01", publicity, hearing) == "2021-08-23"

    def test_days_in_two_suspensions_are_left_out_once(self) -> None:
        overlapping = suspended("2021-07-12", "2021-07-14"), suspended("2021-07-13", "2021-07-16")
        once = suspended("2021-07-12", "2021-07-16")
        assert due(working(10), "2021-07-01", *overlapping) == due(working(10), "2021-07-01", once)

    def test_a_suspension_after_the_end_changes_nothing(self) -> None:
        assert due(working(3), "2021-07-01", suspended("2021-07-07", "2021-07-30")) == "2021-07-06"

    def test_a_rolled_last_day_does_not_fall_into_a_suspension(self) -> None:
        # 2021-07-31 is a Saturday
        assert due(days(30), "2021-07-01", suspended("2021-08-01", "2021-08-03")) == "2021-08-04"

    def test_a_suspension_that_ends_before_it_begins_is_refused(self) -> None:
        with pytest.raises(ValueError, match="早于"):
            suspended("2021-07-02", "2021-07-01")


class TestUsed:
    def test_the_count_stands_still_in_a_suspension_and_goes_on_after_the_limit(self) -> None:
        pause = [suspended("2021-07-06", "2021-07-12")]

        def used(on: str) -> int:
            return days_used(working(3), d("2021-07-01"), d(on), CALENDAR, pause)

        assert [used("2021-07-01"), used("2021-07-02"), used("2021-07-05")] == [0, 1, 2]
        assert [used("2021-07-06"), used("2021-07-12")] == [2, 2]
        assert [used("2021-07-13"), used("2021-07-14")] == [3, 4]

    def test_nothing_is_used_before_the_start(self) -> None:
        assert days_used(working(3), d("2021-07-01"), d("2021-06-01"), CALENDAR) == 0

    def test_months_have_no_days_to_count(self) -> None:
        with pytest.raises(ValueError, match="按月"):
            days_used(months(1), d("2021-07-01"), d("2021-07-05"), CALENDAR)


class TestProvisional:
    def test_beyond_the_last_notice_a_deadline_is_provisional(self) -> None:
        assert deadline(working(10), d("2026-12-28"), CALENDAR) == Deadline(
            d("2027-01-11"), provisional=True
        )
        assert not deadline(working(3), d("2026-12-21"), CALENDAR).provisional

    def test_it_is_reckoned_again_when_the_notice_is_loaded(self) -> None:
        new_year = Notice(
            2027,
            "2027年节假日安排的通知",
            frozenset({d("2027-01-01")}),
            frozenset({d("2027-01-09")}),
        )
        assert deadline(working(10), d("2026-12-28"), Calendar([new_year])) == Deadline(
            d("2027-01-11"), provisional=False
        )
        later = Notice(2027, "2027年节假日安排的通知", frozenset({d("2027-01-01")}), frozenset())
        assert deadline(working(10), d("2026-12-28"), Calendar([later])).day == d("2027-01-12")

    def test_natural_days_ask_the_calendar_only_where_they_end(self) -> None:
        assert deadline(days(30), d("2027-03-02"), CALENDAR).provisional
        assert not deadline(days(30, roll=False), d("2027-03-02"), CALENDAR).provisional
        assert deadline(months(1), d("2026-12-15"), CALENDAR).provisional
        assert not deadline(months(1, roll=False), d("2026-12-15"), CALENDAR).provisional

    def test_backwards_too(self) -> None:
        assert latest_day_before(working(3), d("2027-10-09"), CALENDAR).provisional
        assert not latest_day_before(days(3), d("2027-10-09"), CALENDAR).provisional


def test_a_term_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="至少为1"):
        working(0)


any_day = st.dates(date(2019, 1, 1), date(2026, 6, 30))
any_unit = st.sampled_from(TermUnit)
any_term = st.builds(
    Term,
    st.integers(1, 24),
    any_unit,
    st.just("民法典"),
    st.just(FIRST),
    st.sampled_from(StartRule),
    st.booleans(),
)
any_pause = st.builds(
    lambda start, length: Suspension(start, start + length * DAY, "听证"),
    any_day,
    st.integers(0, 90),
)
any_pauses = st.lists(any_pause, max_size=4)


@given(any_day, st.integers(1, 60), any_pauses)
def test_a_suspended_working_day_clock_never_runs_backwards(
    start: date, count: int, pauses: list[Suspension]
) -> None:
    term = working(count)
    day_due = deadline(term, start, CALENDAR, pauses).day
    counts = [
        days_used(term, start, start + n * DAY, CALENDAR, pauses)
        for n in range((day_due - start).days + 1)
    ]
    for (today, tomorrow), n in zip(pairwise(counts), range(1, len(counts)), strict=True):
        assert today <= tomorrow <= today + 1
        if any(pause.covers(start + n * DAY) for pause in pauses):
            assert tomorrow == today
    assert counts[-1] == count
    assert counts[-2] == count - 1


@given(any_day, any_term, any_pauses, any_pause)
def test_one_more_suspension_never_makes_a_deadline_earlier(
    start: date, term: Term, pauses: list[Suspension], more: Suspension
) -> None:
    without = deadline(term, start, CALENDAR, pauses).day
    assert deadline(term, start, CALENDAR, [*pauses, more]).day >= without


@given(any_day, any_term, any_pauses, st.integers(0, 30))
def test_a_suspension_that_runs_on_never_makes_a_deadline_earlier(
    start: date, term: Term, pauses: list[Suspension], longer: int
) -> None:
    extended = [Suspension(pause.from_, pause.to + longer * DAY, "听证") for pause in pauses]
    assert (
        deadline(term, start, CALENDAR, extended).day >= deadline(term, start, CALENDAR, pauses).day
    )


@given(any_day, any_term, any_pauses)
def test_a_later_start_never_ends_earlier(
    start: date, term: Term, pauses: list[Suspension]
) -> None:
    first = deadline(term, start, CALENDAR, pauses).day
    assert deadline(term, start + DAY, CALENDAR, pauses).day >= first


@given(any_day, any_term, any_pauses)
def test_a_deadline_that_rolls_ends_on_a_working_day_outside_every_suspension(
    start: date, term: Term, pauses: list[Suspension]
) -> None:
    day = deadline(term, start, CALENDAR, pauses).day
    if term.roll_last_day:
        assert CALENDAR.is_working(day)
        assert not any(pause.covers(day) for pause in pauses)
