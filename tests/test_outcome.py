"""EXECUTED never stands alone: what came of an intent, in words."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.outcome import outcome_of
from polyb0t.execution.scope import Regime
from tests.support.builders import NOW, an_intent


def a_record(intent: TradeIntent, status: IntentStatus, **changes: Any) -> IntentRecord:
    content: dict[str, Any] = {
        "intent": intent,
        "digest": intent.digest,
        "status": status,
        "decided_at": None,
        "decided_by": None,
        "execute_by": None,
        "result": None,
        "result_detail": "",
        "seen_at": None,
        "order_id": None,
        "updated_at": NOW,
    }
    return IntentRecord(**{**content, **changes})


def an_order(intent: TradeIntent, status: OrderStatus, filled: str = "0", **changes: Any) -> OrderRecord:
    shares = intent.shares or intent.least_shares
    content: dict[str, Any] = {
        "id": OrderId("0x" + "12" * 32),
        "intent_id": intent.id,
        "scope": intent.scope,
        "regime": Regime.LIVE,
        "status": status,
        "condition_id": intent.condition_id,
        "asset_id": intent.asset_id,
        "side": intent.side,
        "order_type": intent.order_type,
        "price": intent.worst_price,
        "shares": shares,
        "amount": intent.amount,
        "signed_order": None,
        "l2_timestamp": 0,
        "credential_id": "",
        "copies": 1,
        "created_at": NOW,
        "updated_at": NOW - timedelta(minutes=5),
        "filled_shares": Shares(Decimal(filled)),
        "filled_notional": Pusd(Decimal(filled) / 2),
        "fees": Pusd(Decimal(0)),
        "provisional_shares": Shares(Decimal(0)),
        "venue_status": "",
        "detail": "",
        "lookups": 0,
        "looked_up_at": None,
    }
    return OrderRecord(**{**content, **changes})


TAKER = an_intent(least_shares=Shares(Decimal(150)))
RESTING = an_intent(
    order_type=OrderType.GTC, amount=None, shares=Shares(Decimal(50)), worst_price=Price(Decimal("0.3"))
)


@pytest.mark.parametrize(
    ("intent", "status", "filled", "provisional", "words"),
    [
        (TAKER, OrderStatus.FILLED, "152.50", "0", "filled 152.50 of 150.00+"),
        (TAKER, OrderStatus.MATCHED, "152.50", "152.50", "filled 152.50 of 150.00+, provisional"),
        (TAKER, OrderStatus.CANCELLED, "0", "0", "no fill"),
        (TAKER, OrderStatus.REFUSED, "0", "0", "refused by the exchange"),
        (TAKER, OrderStatus.UNKNOWN, "0", "0", "sent, outcome unknown"),
        (TAKER, OrderStatus.SIGNED, "0", "0", "sent, outcome unknown"),
        (RESTING, OrderStatus.LIVE, "0", "0", "resting 0.00 of 50.00"),
        (RESTING, OrderStatus.LIVE, "20", "0", "resting 20.00 of 50.00"),
        (RESTING, OrderStatus.CANCELLED, "20", "0", "filled 20.00 of 50.00, rest cancelled"),
        (RESTING, OrderStatus.EXPIRED, "0", "0", "expired at the exchange"),
        (RESTING, OrderStatus.VANISHED, "0", "0", "vanished from the exchange, filled 0.00 of 50.00"),
        (RESTING, OrderStatus.DELAYED, "0", "0", "accepted, held back by the exchange"),
    ],
)
def test_an_order_is_told_by_what_was_filled_of_what(
    intent: TradeIntent, status: OrderStatus, filled: str, provisional: str, words: str
) -> None:
    order = an_order(intent, status, filled, provisional_shares=Shares(Decimal(provisional)))

    assert outcome_of(a_record(intent, IntentStatus.EXECUTED), order) == words


def test_every_status_of_an_order_has_words() -> None:
    for status in OrderStatus:
        assert outcome_of(a_record(TAKER, IntentStatus.EXECUTED), an_order(TAKER, status))


@pytest.mark.parametrize(
    ("status", "result", "words"),
    [
        (IntentStatus.PENDING, None, ""),
        (IntentStatus.APPROVED, None, "approved, waiting for the engine"),
        (IntentStatus.EXECUTING, None, "being sent"),
        (IntentStatus.EXECUTED, "dry_run", "dry run, nothing sent"),
        (IntentStatus.EXECUTED, "already_ended", "already ended"),
        (IntentStatus.FAILED, "price_worse", "price worse"),
        (IntentStatus.EXPIRED, "superseded", "superseded"),
        (IntentStatus.REJECTED, None, "rejected"),
    ],
)
def test_without_an_order_the_result_speaks(status: IntentStatus, result: str | None, words: str) -> None:
    assert outcome_of(a_record(TAKER, status, result=result), None) == words
