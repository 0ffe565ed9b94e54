"""What the account's socket says of fills: stored at once, believed no further than it goes."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import Price, Shares
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.execution.fill_intake import FillIntake
from polyb0t.execution.intents import IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from tests.support.builders import a_fill, an_intent
from tests.support.engine_room import EngineRoom

HALF = Shares(Decimal(10))


@dataclass
class Listening:
    """A resting order for 20 shares at 0.50, and the intake of what is told about it."""

    room: EngineRoom
    intent: TradeIntent
    asked: list[OrderId] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.intake = FillIntake(self.room.stores, self.room.lease, self.room.in_flight, self.asked.append)

    @property
    def order(self) -> OrderRecord:
        return self.room.order(self.intent)

    def told(self, **changes: Any) -> None:
        self.intake.take([self.fill(**changes)])

    def fill(self, **changes: Any) -> Fill:
        """Half of the order, bought by somebody who took it."""
        return replace(a_fill(self.order.id, shares=HALF, role=Role.MAKER), **changes)

    def stored(self) -> list[tuple[str, Decimal, FillStatus]]:
        fills = self.room.stores.orders.fills(order_id=self.order.id)
        return [(fill.trade_id, fill.shares, fill.status) for fill in fills]

    def journalled(self, kind: str) -> int:
        return sum(entry.kind == kind for entry in self.room.stores.engine.journal(limit=1_000))


@pytest.fixture
def listening(tmp_path: Path) -> Listening:
    room = EngineRoom(tmp_path)
    intent = an_intent(
        order_type=OrderType.GTC,
        post_only=True,
        amount=None,
        shares=Shares(Decimal(20)),
        least_shares=None,
    )
    assert room.execute(intent).status is IntentStatus.EXECUTED
    assert room.order(intent).status is OrderStatus.LIVE
    return Listening(room, intent)


def test_a_fill_is_stored_the_moment_it_is_told_and_is_provisional(listening: Listening) -> None:
    listening.told()
    assert (listening.order.filled_shares, listening.order.provisional_shares) == (HALF, HALF)
    assert listening.asked == []


def test_hearing_it_again_changes_nothing(listening: Listening) -> None:
    for _ in range(3):
        listening.told()
    assert listening.stored() == [("trade-1", HALF, FillStatus.MATCHED)]
    assert listening.journalled("fill.recorded") == 1


def test_what_comes_late_does_not_move_a_fill_back(listening: Listening) -> None:
    listening.told(status=FillStatus.MINED)
    listening.told(status=FillStatus.MATCHED)
    assert listening.stored() == [("trade-1", HALF, FillStatus.MINED)]


def test_two_buckets_of_one_trade_are_two_fills(listening: Listening) -> None:
    listening.told()
    listening.told(bucket_index=1)
    assert listening.order.filled_shares == 2 * HALF


def test_a_confirmation_is_read_before_it_is_believed(listening: Listening) -> None:
    listening.told(status=FillStatus.CONFIRMED)
    assert listening.stored() == [("trade-1", HALF, FillStatus.MATCHED)]
    assert listening.asked == [listening.order.id]


def test_a_failure_is_read_before_it_takes_a_fill_back(listening: Listening) -> None:
    listening.told()
    listening.told(status=FillStatus.FAILED)
    assert listening.order.filled_shares == HALF
    assert listening.asked == [listening.order.id]


def test_a_failure_of_what_was_never_told_stores_nothing(listening: Listening) -> None:
    listening.told(status=FillStatus.FAILED)
    assert listening.stored() == []
    assert listening.asked == [listening.order.id]


def test_fills_of_an_order_that_is_being_sent_wait_for_its_answer(listening: Listening) -> None:
    with listening.room.in_flight.holding(listening.intent.id):
        listening.told()
        listening.intake.retry()
        assert (listening.stored(), listening.intake.waiting) == ([], 1)
    listening.intake.retry()
    assert (listening.order.filled_shares, listening.intake.waiting) == (HALF, 0)


def test_a_fill_of_an_unknown_order_is_journalled_once_and_applied_nowhere(listening: Listening) -> None:
    for _ in range(2):
        listening.told(order_id=OrderId("0x" + "77" * 32))
    assert listening.room.stores.orders.fills() == ()
    assert listening.journalled("fill.foreign") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"asset_id": AssetId("999")},
        {"condition_id": ConditionId("0x" + "11" * 32)},
        {"side": Side.SELL},
        {"shares": Shares(Decimal(0))},
        {"shares": Shares(Decimal(-5))},
        {"shares": Shares(Decimal("20.01"))},
        {"price": Price(Decimal(0))},
        {"price": Price(Decimal(1))},
        {"price": Price(Decimal("0.51"))},
    ],
    ids=lambda changes: "-".join(f"{key}={value}"[:24] for key, value in changes.items()),
)
def test_what_can_not_be_is_recorded_and_asked_about_and_never_applied(
    listening: Listening, changes: dict[str, Any]
) -> None:
    listening.told(**changes)
    assert listening.order.filled_shares == 0
    assert listening.asked == [listening.order.id]
    assert listening.journalled("fill.not_taken") == 1


def test_together_fills_may_not_be_more_than_was_signed(listening: Listening) -> None:
    listening.told(shares=Shares(Decimal(15)))
    listening.told(trade_id=TradeId("trade-2"), shares=Shares(Decimal(6)))
    assert listening.order.filled_shares == 15
    assert listening.asked == [listening.order.id]


def test_a_purchase_by_money_may_bring_more_shares_but_not_cost_more(tmp_path: Path) -> None:
    room = EngineRoom(tmp_path)
    intent = an_intent()
    room.gateway.offered = Shares(Decimal(1))
    room.execute(intent)
    taking = Listening(room, intent)
    taking.told(trade_id=TradeId("gift"), shares=Shares(Decimal(80)), price=Price(Decimal("0.1")))
    assert taking.order.filled_shares == 81
    taking.told(trade_id=TradeId("alarm"), shares=Shares(Decimal(4)), price=Price(Decimal("0.5")))
    assert taking.order.filled_shares == 81
    assert taking.journalled("fill.not_taken") == 1


def test_a_fill_that_changes_its_content_is_asked_about(listening: Listening) -> None:
    listening.told()
    listening.told(price=Price(Decimal("0.4")), status=FillStatus.MINED)
    assert listening.stored() == [("trade-1", HALF, FillStatus.MATCHED)]
    assert listening.asked == [listening.order.id]


def test_only_orders_of_ours_are_known(listening: Listening) -> None:
    assert listening.intake.knows(listening.order.id)
    assert not listening.intake.knows(OrderId("0x" + "77" * 32))
    assert not listening.intake.knows(OrderId(listening.order.id[:10]))
    assert not listening.intake.knows(OrderId("0x"))


def test_what_reading_says_of_the_same_trade_goes_on_from_what_was_told(listening: Listening) -> None:
    listening.told(status=FillStatus.CONFIRMED)
    read = replace(listening.fill(), status=FillStatus.CONFIRMED, transaction_hash="0xfeed")
    listening.room.stores.orders.record_fills(listening.order.id, [read], listening.room.lease)
    assert listening.stored() == [("trade-1", HALF, FillStatus.CONFIRMED)]
    assert listening.order.provisional_shares == 0
