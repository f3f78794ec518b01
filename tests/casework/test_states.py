"""The table of a matter refuses what it does not say."""

from dataclasses import replace

import pytest

from casework.states import Party, State, Transition, same_hands
from tests.casework.toy_matter import MATTER
from tests.support.matters import (
    every_case_can_end,
    every_ending_stops_the_clock,
    every_other_step_is_refused,
    every_step_has_its_source,
)


def test_each_transition_not_in_the_table_is_refused() -> None:
    rows = sum(len(one.sources) for one in MATTER.transitions)
    assert every_other_step_is_refused(MATTER) == len(MATTER.states) * 12 - rows


def test_every_case_can_end_and_every_step_says_why() -> None:
    every_case_can_end(MATTER)
    every_step_has_its_source(MATTER)
    every_ending_stops_the_clock(MATTER)


def test_a_state_that_nothing_leads_to_is_no_matter() -> None:
    lost = State("lost", "无路可至", "受理", Party.TOWN)
    with pytest.raises(ValueError, match="not reached"):
        replace(MATTER, states=(*MATTER.states, lost))


def test_a_final_state_is_left_for_no_other() -> None:
    again = Transition(
        "again", "重开", frozenset({"closed"}), "submitted", "toy:accept", "noted", "无"
    )
    with pytest.raises(ValueError, match="leaves a final state"):
        replace(MATTER, transitions=(*MATTER.transitions, again))


def test_who_accepted_does_not_decide() -> None:
    decide = MATTER.transition("awaiting", "decide")
    taken = [("open", "a"), ("accept", "a"), ("publicise", "b")]
    assert same_hands(decide, taken, "a") == "accept"
    assert same_hands(decide, taken, "b") is None
