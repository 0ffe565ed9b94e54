"""What is on the wallet and not from polyb0t is in the data of lists as well, told apart by a field."""

from typing import Any

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, ConditionId, OrderId, Wallet
from polyb0t.core.units import Price, Shares
from polyb0t.data.account_state import AccountOrder, AccountPosition, AccountState
from polyb0t.data.order_book import Side
from polyb0t.models.portfolio import Position
from polyb0t.runtime.holdings import FIELDS, Holding
from tests.cli.conftest import Place
from tests.cli.scenes import D, tram
from tests.support.builders import CONDITION

THEIR_ORDER = AccountOrder(
    OrderId("0x" + "fe" * 32),
    ConditionId("0xa"),
    AssetId("77"),
    Side.BUY,
    Price(D("0.40")),
    Shares(D("100")),
    Shares(D("25")),
    "LIVE",
)
THEIR_SHARES = AccountPosition(
    AssetId("78"), CONDITION, "No", "Rain?", Shares(D("30")), Price(D("0.5")), None, redeemable=False
)


def read_by_an_engine(place: Place) -> None:
    state = AccountState(
        observed_at=SystemClock().now(),
        wallet=Wallet("0xf00d"),
        positions=(THEIR_SHARES,),
        cash_pusd=None,
        allowances_pusd=None,
        open_orders=(THEIR_ORDER,),
    )
    place.stores.engine.save_account_state(state, place.lease)


def the_one(rows: list[dict[str, Any]]) -> dict[str, Any]:
    (row,) = rows
    return row


def test_somebody_elses_order_is_a_row_that_says_so(place: Place) -> None:
    read_by_an_engine(place)
    row = the_one(place.type("orders", "list", "--json").json)
    assert row["foreign"] is True
    assert (row["id"], row["side"], row["price"]) == (THEIR_ORDER.order_id, "BUY", "0.4")
    assert (row["shares"], row["filled_shares"], row["venue_status"]) == ("100", "25", "LIVE")
    assert row["intent_id"] is None and row["status"] is None
    assert "0xfefe" in place.type("orders", "list").out


def test_somebody_elses_shares_are_a_row_that_says_so(place: Place) -> None:
    read_by_an_engine(place)
    row = the_one(place.type("positions", "--json").json)
    assert row["foreign"] is True
    assert (row["asset_id"], row["outcome_label"], row["shares"]) == ("78", "No", "30")
    assert (row["average_cost"], row["bid"], row["cost"]) == ("0.5", None, None)
    assert row.keys() == {*FIELDS, "foreign"}


def test_a_foreign_row_has_the_fields_of_ours() -> None:
    position = Position(tram().asset_id, tram().condition_id, confirmed=Shares(D("1")))
    assert tuple(Holding(position, tram(), None, redeemable=False).view()) == FIELDS
