"""The account: what was read, what was not and why, and never an empty answer for a failed read."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Shares
from polyb0t.execution.gateway import Accepted
from polyb0t.sandbox.faults import Fault
from polyb0t.venue.account import PolymarketAccount
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.venue.connected import Connected, connected

UPDATE = "/clob/balance-allowance/update"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6) as running:
        yield running


@pytest.fixture
def venue(sandbox: RunningSandbox) -> Iterator[Connected]:
    sandbox.faults.clear()
    with connected(sandbox) as link:
        yield link
    sandbox.faults.clear()


def account(venue: Connected, *, live: bool = True) -> PolymarketAccount:
    return PolymarketAccount(
        venue.environment, venue.wallet, venue.reader, venue.clock, api=venue.api if live else None
    )


def test_the_live_account_has_cash_allowances_orders_and_positions(venue: Connected) -> None:
    bought = venue.gateway.prepare(venue.intent(), venue.now())
    outcome = venue.gateway.send(bought)
    assert isinstance(outcome, Accepted)
    venue.sandbox.step(60_000)
    resting = venue.gateway.prepare(venue.resting(), venue.now())
    assert isinstance(venue.gateway.send(resting), Accepted)

    state = account(venue).read()

    fills = venue.gateway.fills(bought.order_id, outcome.trade_ids)
    assert state.missing == {}
    assert state.wallet == venue.wallet
    assert state.cash_pusd == 10_000 - sum(fill.notional + fill.fee for fill in fills)
    assert state.open_orders is not None
    assert resting.order_id in {order.order_id for order in state.open_orders}
    assert state.positions is not None
    (position,) = [one for one in state.positions if one.asset_id == fills[0].asset_id]
    assert position.shares == sum(fill.shares for fill in fills)
    assert state.allowances_pusd is not None
    assert state.allowances_pusd[venue.environment.contracts["exchange_v2"]] > 0
    assert account(venue).held_shares(position.asset_id) == position.shares
    venue.gateway.cancel([resting.order_id])


def test_outside_the_live_regime_only_what_is_public_is_read(venue: Connected) -> None:
    venue.sandbox.faults.replace([Fault("status", "/clob", status=500)])
    state = account(venue, live=False).read()
    assert state.positions is not None
    assert (state.cash_pusd, state.allowances_pusd, state.open_orders) == (None, None, None)
    assert set(state.missing) == {"cash_pusd", "allowances_pusd", "open_orders"}
    assert account(venue, live=False).held_shares(AssetId("7")) is None
    assert {one["struck"] for one in venue.sandbox.faults.listing()} == {0}


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/data/v2/positions", "positions"),
        ("/clob/balance-allowance", "cash_pusd"),
        ("/clob/data/orders", "open_orders"),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        {"action": "drop_before"},
        {"action": "status", "status": 500, "body": {"error": "x"}},
        {"action": "status", "status": 200, "body": "<html></html>"},
        {"action": "status", "status": 200, "body": {}},
        {"action": "status", "status": 200, "body": []},
    ],
)
def test_a_part_that_can_not_be_read_is_missing_with_its_reason(
    venue: Connected, path: str, part: str, fault: dict[str, object]
) -> None:
    venue.sandbox.faults.replace([Fault(path=path, **fault)])  # type: ignore[arg-type]
    state = account(venue).read()
    assert getattr(state, part) is None
    assert state.missing[part].endswith(".")
    intact = {"positions", "cash_pusd", "open_orders"} - {part}
    assert all(getattr(state, name) is not None for name in intact)
    assert "allowances_pusd" not in state.missing or part == "cash_pusd"


def test_held_shares_are_asked_for_only_after_the_ledger_was_refreshed(venue: Connected) -> None:
    asset = AssetId(venue.book().token_id)
    assert account(venue).held_shares(asset) is not None
    venue.sandbox.faults.replace([Fault("status", UPDATE, status=500, body={"error": "x"})])
    assert account(venue).held_shares(asset) is None


def test_positions_are_read_over_all_pages(venue: Connected) -> None:
    bought = venue.gateway.prepare(venue.intent(), venue.now())
    assert isinstance(venue.gateway.send(bought), Accepted)
    venue.sandbox.step(60_000)
    first = account(venue).read().positions
    assert first
    page = {"data": [], "pagination": {"has_more": True, "next_cursor": "MA=="}}
    venue.sandbox.faults.replace([Fault("status", "/data/v2/positions", status=200, body=page, count=1)])
    assert account(venue).read().positions == first  # an empty first page is not the end
    venue.sandbox.faults.replace([Fault("status", "/data/v2/positions", status=200, body=page)])
    assert "does not end" in account(venue).read().missing["positions"]


def test_one_position_that_can_not_be_read_makes_the_part_missing(venue: Connected) -> None:
    good = {
        "token_id": "7",
        "condition_id": "0x" + "5f" * 32,
        "current_size": 3.5,
        "outcome": "Yes",
        "title": "t",
    }
    for rows, known in (([good], True), ([good, {**good, "current_size": None}], False)):
        page = {"data": rows, "pagination": {"has_more": False, "next_cursor": None}}
        venue.sandbox.faults.replace([Fault("status", "/data/v2/positions", status=200, body=page)])
        positions = account(venue).read().positions
        assert (positions is not None) is known
        if positions is not None:
            assert positions[0].shares == Shares(Decimal("3.5"))


def test_what_an_exchange_may_take_of_our_shares_is_read_from_the_ledger(venue: Connected) -> None:
    asset, spender = AssetId(venue.book().token_id), venue.environment.contracts["exchange_v2"]
    told = account(venue).share_allowances(asset)
    assert told is not None
    assert told[spender] > 0
    venue.sandbox.world.set_allowance(venue.wallet, spender, 0, asset)
    told = account(venue).share_allowances(asset)
    assert told is not None
    assert told[spender] == 0
    venue.sandbox.faults.replace([Fault("status", UPDATE, status=500, body={"error": "x"})])
    assert account(venue).share_allowances(asset) is None
