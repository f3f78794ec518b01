"""What holds of every matter's table, whatever it says; each matter's tests call these."""

import pytest

from casework.states import Clock, Matter, NotPermitted, Party


def every_other_step_is_refused(matter: Matter) -> int:
    """Each (state, step) that is not in the table is refused, naming what is possible; how many."""
    names = {one.name for one in matter.transitions}
    table = {(source, one.name) for one in matter.transitions for source in one.sources}
    others = {(state.code, name) for state in matter.states for name in names} - table
    for state, name in sorted(others):
        with pytest.raises(NotPermitted) as refused:
            matter.transition(state, name)
        assert refused.value.state.code == state
        assert refused.value.possible == matter.permitted(state)
    for state, name in table:
        assert matter.transition(state, name).name == name
    return len(others)


def every_case_can_end(matter: Matter) -> None:
    """From each state some way leads to a final one; a final state is nobody's turn."""
    ends = {state.code for state in matter.states if state.final}
    assert ends, matter.code
    assert all(matter.state(code).turn is Party.NOBODY for code in ends)
    reached = set(ends)
    while further := {
        source
        for one in matter.transitions
        if one.target in reached
        for source in one.sources
        if source not in reached
    }:
        reached |= further
    assert reached == {state.code for state in matter.states}


def every_step_has_its_source(matter: Matter) -> None:
    """A step cites document or article, names its scope, and bars only for steps that exist."""
    names = {one.name for one in matter.transitions} | {"open"}
    for one in matter.transitions:
        assert one.article, one.name
        assert one.event, one.name
        assert one.apart_from <= names, one.name


def every_ending_stops_the_clock(matter: Matter) -> None:
    """Nobody's clock runs on in a final state: a step that decides or ends has stopped it."""
    stops = [one for one in matter.transitions if one.clock is Clock.STOP]
    starts = [one for one in matter.transitions if one.clock is Clock.START]
    assert not starts or stops, matter.code
