"""EXECUTED never stands alone: what came of an intent, in words."""

from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.units import Price, Shares
from polyb0t.execution.intents import IntentRecord, IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.outcome import outcome_of
from tests.support.builders import NOW, an_intent
from tests.support.trading import an_order_record


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
    order = an_order_record(intent, status, filled, provisional_shares=Shares(Decimal(provisional)))

    assert outcome_of(a_record(intent, IntentStatus.EXECUTED), order) == words


def test_every_status_of_an_order_has_words() -> None:
    for status in OrderStatus:
        assert outcome_of(a_record(TAKER, IntentStatus.EXECUTED), an_order_record(TAKER, status))


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
