"""Seeing what holds trading back and lifting it: a person's word, with a reason, in the journal."""

import pytest

from polyb0t.models.kill_switches import KillSwitchType
from tests.cli.conftest import Place

RECONCILIATION = KillSwitchType.RECONCILIATION


@pytest.fixture
def tripped(place: Place) -> Place:
    place.stores.switches.trip(RECONCILIATION, actor="engine", reason="more shares than were signed for")
    return place


def test_all_seven_are_listed_with_what_holds_and_why(tripped: Place) -> None:
    shown = tripped.type("kill-switches", "list")
    assert shown.code == 0
    for switch in KillSwitchType:
        assert switch.value in shown.out
    assert "more shares than were signed for" in shown.out
    assert 'polyb0t kill-switches clear RECONCILIATION --reason "..."' in shown.out
    assert [
        row["type"] for row in tripped.type("kill-switches", "list", "--json").json if row["tripped"]
    ] == ["RECONCILIATION"]


def test_clearing_needs_a_reason_and_is_journalled(tripped: Place) -> None:
    refused = tripped.type("kill-switches", "clear", "RECONCILIATION")
    assert refused.code == 2
    assert any(state.tripped for state in tripped.stores.switches.list())

    cleared = tripped.type("kill-switches", "clear", "reconciliation", "--reason", "compared on the website")

    assert cleared.code == 0
    assert cleared.out.startswith("RECONCILIATION is clear: trading allowed.")
    assert not any(state.tripped for state in tripped.stores.switches.list())
    last = tripped.stores.engine.journal()[-1]
    assert (last.kind, last.subject) == ("switch.cleared", "RECONCILIATION")
    assert last.actor.startswith("user:")


def test_a_halt_of_a_person_is_lifted_by_resume_only(place: Place) -> None:
    place.type("halt", "--reason", "lunch")
    refused = place.type("kill-switches", "clear", "MANUAL", "--reason", "back")
    assert refused.code == 2
    assert "resume" in refused.err
    assert any(state.tripped for state in place.stores.switches.list())


def test_an_unknown_switch_is_named(place: Place) -> None:
    refused = place.type("kill-switches", "clear", "DRAWDWN", "--reason", "x")
    assert refused.code == 3
    assert "DRAWDOWN" in refused.err
