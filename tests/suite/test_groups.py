"""Tests that share the house, or the broker, run in one process: a second one costs minutes."""

import os

import pytest


@pytest.mark.xdist_group("house")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one process runs all tests")
def test_a_group_keeps_to_one_process(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@house")
