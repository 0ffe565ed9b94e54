"""Which resting orders are worth a person's minute, and that a cancel of one waits for that person."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.intents import (
    IntentManager,
    IntentStatus,
    IntentType,
    OrderType,
    ProposingRules,
    TradeIntent,
)
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.models.resting import RestingOrder, Stale, why_cancel
from polyb0t.runtime.resting_orders import RestingOrders
from polyb0t.runtime.watching import MarketWatch
from tests.support.builders import NOW, a_scope, an_intent
from tests.support.engine_room import EngineRoom
from tests.support.trading import a_book

LATER = NOW + timedelta(minutes=5)


def resting(price: str = "0.45", side: Side = Side.BUY, **changes: object) -> RestingOrder:
    content = {
        "side": side,
        "price": Price(Decimal(price)),
        "takes": False,
        "left": Shares(Decimal(20)),
        "placed_at": NOW,
    }
    return RestingOrder(**{**content, **changes})  # type: ignore[arg-type]


def book(bid: str = "0.46", ask: str = "0.48", seconds_old: float = 0) -> OrderBook:
    return a_book(bid, ask, observed_at=LATER - timedelta(seconds=seconds_old))


def test_an_order_at_the_market_is_left_alone() -> None:
    assert why_cancel(resting("0.46"), book("0.46"), LATER) is None
    assert why_cancel(resting("0.44"), book("0.46"), LATER) is None


@pytest.mark.parametrize(
    ("order", "seen", "stale"),
    [
        (resting("0.45"), book("0.479", "0.49"), False),
        (resting("0.45"), book("0.48", "0.49"), True),
        (resting("0.52", Side.SELL), book("0.46", "0.491"), False),
        (resting("0.52", Side.SELL), book("0.46", "0.49"), True),
        (resting("0.45", Side.SELL), book("0.30", "0.48"), False),  # it is the better offer
    ],
)
def test_an_order_that_the_market_has_left_by_three_cents_is_off_price(
    order: RestingOrder, seen: OrderBook, stale: bool
) -> None:
    found = why_cancel(order, seen, LATER)
    assert (found is not None and found.code is Stale.OFF_PRICE) == stale


def test_what_is_not_known_is_no_reason() -> None:
    far = resting("0.10")
    assert why_cancel(far, None, LATER) is None
    assert why_cancel(far, book(seconds_old=16), LATER) is None
    assert why_cancel(far, book(seconds_old=-5), LATER) is None  # from the future: somebody's clock is wrong
    assert why_cancel(far, a_book(bids=(), observed_at=LATER), LATER) is None
    assert why_cancel(far, book(seconds_old=15), LATER) is not None


def test_an_order_grows_old_after_an_hour() -> None:
    assert why_cancel(resting(), None, NOW + timedelta(hours=1)) is None
    found = why_cancel(resting(), None, NOW + timedelta(hours=1, seconds=1))
    assert found is not None
    assert found.code is Stale.OLD
    assert found.detail == "It has rested for 60 minutes and 20 shares are left."


def test_an_order_that_should_have_filled_or_died_and_did_neither() -> None:
    taker = resting(takes=True, left=Shares(Decimal(0)))
    assert why_cancel(taker, book(), NOW + timedelta(seconds=29)) is None
    found = why_cancel(taker, book(), NOW + timedelta(seconds=31))
    assert found is not None
    assert found.code is Stale.TAKER


def test_nothing_is_left_of_it() -> None:
    assert why_cancel(resting("0.10", left=Shares(Decimal(0))), book(), NOW + timedelta(hours=2)) is None


@dataclass
class Watch:
    seen: OrderBook | None = None

    def book(self, asset_id: AssetId) -> OrderBook | None:
        return self.seen


class Tending:
    """An order of ours at 0.50 and what watches over it."""

    def __init__(self, folder: Path) -> None:
        self.room = EngineRoom(folder)
        self.watch = Watch()
        manager = IntentManager(self.room.stores.intents, ProposingRules(Decimal("0.015")))
        self.orders = RestingOrders(
            self.room.stores,
            self.room.lease,
            cast("MarketWatch", self.watch),
            manager,
            lambda: Frame(a_scope(), Regime.LIVE, self.room.stores.intents.now(), 60),
            decide_seconds=600,
        )
        self.intent = an_intent(
            order_type=OrderType.GTC,
            post_only=True,
            amount=None,
            least_shares=None,
            shares=Shares(Decimal(20)),
        )
        self.room.execute(self.intent)
        assert self.room.order(self.intent).status is OrderStatus.LIVE

    def market_leaves(self) -> None:
        self.room.advance(seconds=60)
        self.watch.seen = a_book("0.55", "0.57", observed_at=self.room.clock.now())

    def cancels(self) -> list[TradeIntent]:
        found = self.room.stores.intents.list(types=(IntentType.CANCEL_ORDER,))
        return [record.intent for record in found]


@pytest.fixture
def tending(tmp_path: Path) -> Tending:
    return Tending(tmp_path)


def test_an_order_at_its_place_brings_no_proposal(tending: Tending) -> None:
    tending.room.advance(seconds=60)
    tending.watch.seen = a_book("0.50", "0.52", observed_at=tending.room.clock.now())
    assert tending.orders.propose() == 0


def test_a_cancel_is_proposed_once_and_waits_for_a_person(tending: Tending) -> None:
    tending.market_leaves()
    assert tending.orders.propose() == 1
    assert tending.orders.propose() == 0
    (cancel,) = tending.cancels()
    assert cancel.target_order_id == tending.room.order(tending.intent).id
    assert cancel.reason == "The best bid is 55¢, this order's is 50¢: the market has left it."
    assert (cancel.deadline - cancel.created_at).total_seconds() == 600
    assert tending.room.gateway.cancels == []


def test_approved_it_takes_the_order_back(tending: Tending) -> None:
    tending.market_leaves()
    tending.orders.propose()
    (cancel,) = tending.cancels()
    tending.room.stores.intents.approve(cancel.id, digest=cancel.digest, actor="user:anna", grace_seconds=10)
    tending.room.executor.execute(cancel.id)
    tending.room.reconciler.run()
    assert tending.room.order(tending.intent).status is OrderStatus.CANCELLED
    assert tending.room.status(cancel) is IntentStatus.EXECUTED
    assert tending.orders.propose() == 0


def test_an_order_of_unknown_fate_belongs_to_reconciliation(tending: Tending) -> None:
    tending.market_leaves()
    order = tending.room.order(tending.intent)
    tending.room.stores.orders.settle(
        order.id, tending.room.lease, status=OrderStatus.VANISHED, code="vanished", detail=""
    )
    assert tending.orders.propose() == 0
