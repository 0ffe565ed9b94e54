"""Tests that share what is dear to make are run by one worker."""

import pytest

from tests.support.groups import group_of


@pytest.mark.xdist_group("a few")
def test_a_test_of_a_group_carries_its_name_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    assert group_of(request.node) == "a few"
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@a few")


def test_another_one_does_not(request: pytest.FixtureRequest) -> None:
    assert group_of(request.node) == ""
    assert "@" not in request.node.nodeid
