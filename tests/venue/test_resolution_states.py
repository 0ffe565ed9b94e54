"""Where a market stands: a proposal is no result, and two that contradict each other prove nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Price
from polyb0t.data.resolution import Resolution, ResolutionState
from polyb0t.sandbox.types import MILLION
from polyb0t.venue.http import HttpReader, ReadLimits
from polyb0t.venue.parsing import Refused
from polyb0t.venue.resolutions_state import PolymarketResolutionStates, against_chain, parse_states
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.rogue import Behaviour, raw, reply, rogue

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = ConditionId("0x" + "5f" * 32)
YES, NO, HALF = ((Price(Decimal(a)), Price(Decimal(b))) for a, b in (("1", "0"), ("0", "1"), ("0.5", "0.5")))
S = ResolutionState


def told(**row: Any) -> Resolution:
    return parse_states({"data": [{"condition_id": NAME, "status": "posed", **row}]}, AT)[NAME]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("initialized", S.OPEN),
        ("posed", S.OPEN),
        ("active", S.OPEN),
        ("proposed", S.PROPOSED),
        ("reproposed", S.PROPOSED),
        ("challenged", S.DISPUTED),
        ("disputed", S.DISPUTED),
        ("arbitration", S.DISPUTED),
        ("something new", S.UNKNOWN),
        ("", S.UNKNOWN),
    ],
)
@pytest.mark.parametrize("payouts", [None, [], [0, 0]])
def test_only_a_result_is_a_result(word: str, state: ResolutionState, payouts: object) -> None:
    found = told(status=word, payouts=payouts)
    assert (found.state, found.payouts) == (state, None)
    assert found.freezes is (state in (S.DISPUTED, S.UNKNOWN))


@pytest.mark.parametrize(
    ("payouts", "each"), [([MILLION, 0], YES), ([0, MILLION], NO), ([500_000, 500_000], HALF)]
)
def test_a_result_with_what_each_outcome_pays(payouts: list[int], each: tuple[Price, Price]) -> None:
    found = told(status="resolved", payouts=payouts, resolved_at=1_780_000_000, was_disputed=True)
    assert (found.state, found.payouts, found.was_disputed) == (S.RESOLVED, each, True)
    assert found.resolved_at == datetime.fromtimestamp(1_780_000_000, UTC)
    assert not found.on_chain


@pytest.mark.parametrize(
    "row",
    [
        {"status": "resolved"},
        {"status": "resolved", "payouts": [MILLION, MILLION]},
        {"status": "resolved", "payouts": [MILLION]},
        {"status": "resolved", "payouts": [MILLION, 0, 0]},
        {"status": "resolved", "payouts": [-1, 1_000_001]},
        {"status": "resolved", "payouts": ["x", 0]},
        {"status": "resolved", "payouts": [600_000, 300_000]},
        {"status": "proposed", "payouts": [MILLION, 0]},
        {"status": "posed", "was_disputed": "yes"},
        {"status": 7},
    ],
)
def test_a_row_that_makes_no_sense_is_unknown_and_never_a_result(row: dict[str, Any]) -> None:
    assert told(**row).state is S.UNKNOWN


def test_told_twice_and_differently_is_unknown() -> None:
    rows = [
        {"condition_id": NAME, "status": "resolved", "payouts": pays} for pays in ([MILLION, 0], [0, MILLION])
    ]
    assert parse_states({"data": rows}, AT)[NAME].state is S.UNKNOWN
    assert parse_states({"data": [rows[0], rows[0]]}, AT)[NAME].payouts == YES


@pytest.mark.parametrize("answer", [[], {}, {"data": {}}, {"data": [{"condition_id": "0x1"}]}, {"data": [7]}])
def test_an_answer_of_another_shape_is_refused_whole(answer: object) -> None:
    with pytest.raises(Refused):
        parse_states(answer, AT)


# --- against the chain -------------------------------------------------------------------------


def indexed(word: str, payouts: list[int] | None = None) -> Resolution:
    return told(status=word, payouts=payouts)


def test_both_say_the_same() -> None:
    found = against_chain(indexed("resolved", [MILLION, 0]), YES)
    assert (found.state, found.payouts, found.on_chain) == (S.RESOLVED, YES, True)


@pytest.mark.parametrize("word", ["posed", "proposed", "challenged"])
def test_the_chain_knows_first(word: str) -> None:
    found = against_chain(indexed(word), HALF)
    assert (found.state, found.payouts, found.on_chain) == (S.RESOLVED, HALF, True)


@pytest.mark.parametrize("chain", [None, NO])
def test_what_the_chain_does_not_confirm_is_unknown(chain: tuple[Price, Price] | None) -> None:
    found = against_chain(indexed("resolved", [MILLION, 0]), chain)
    assert (found.state, found.payouts, found.on_chain) == (S.UNKNOWN, None, False)
    assert "chain" in found.detail


def test_without_a_result_anywhere_the_index_counts() -> None:
    assert against_chain(indexed("proposed"), None) == indexed("proposed")


# --- at the sandbox ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=30, crowd=False, kinds=("v2",)) as running:
        running.world.data_lag_ms = 0
        running.world.liveness_ms = 7_200_000
        yield running


def states(url: str, names: list[ConditionId]) -> dict[ConditionId, Resolution]:
    clock = SystemClock()
    with HttpReader(clock, limits=ReadLimits(attempts=1), sandbox=True) as reader:
        return dict(PolymarketResolutionStates(url, reader, clock).read(names))


def test_a_market_on_its_way_to_a_result(sandbox: RunningSandbox) -> None:
    world, url = sandbox.world, sandbox.urls()["data"]
    name = ConditionId(next(view.spec.condition_id for view in world.markets() if not view.closed))
    seen = [states(url, [name])[name].state]
    for act in (
        lambda: world.propose(name, (MILLION, 0)),
        lambda: world.dispute(name),
        lambda: world.dispute(name),
        lambda: world.resolve(name, (MILLION // 2, MILLION // 2)),
    ):
        sandbox.call(act)
        seen.append(states(url, [name])[name].state)

    assert seen[0] is S.OPEN
    assert seen[1] is S.PROPOSED
    assert S.DISPUTED in seen[2:4]
    assert seen[4] is S.RESOLVED
    found = states(url, [name])[name]
    assert (found.payouts, found.was_disputed) == (HALF, True)


def test_more_markets_than_one_question_takes_and_one_of_the_newer_protocol(sandbox: RunningSandbox) -> None:
    names = [ConditionId(view.spec.condition_id) for view in sandbox.world.markets()]
    found = states(sandbox.urls()["data"], [*names, ConditionId("0x" + "77" * 32)])
    assert set(found) == set(names)
    assert len(names) > 20


@pytest.mark.parametrize(
    "behave", [raw(b""), reply(500, b"{}"), reply(200, b"<html>"), reply(200, b'{"data":7}')]
)
def test_an_index_that_does_not_answer_is_an_error_and_no_state(behave: Behaviour) -> None:
    with rogue(behave) as server, pytest.raises(VenueUnreachableError):
        states(server.url, [NAME])
