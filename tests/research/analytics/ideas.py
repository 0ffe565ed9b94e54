"""Proposals, fills and books with figures that one can check in one's head: a bid of 48, an offer of 50."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.ids import AssetId, ConditionId, EventId, IntentId, OrderId, TradeId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.scope import Regime
from polyb0t.research.analytics.records import Records
from polyb0t.research.replay.tape import Sight
from tests.support.builders import NOW, a_close, a_fill, an_intent
from tests.support.trading import a_book

HOUR = timedelta(hours=1)
ANNA = "user:anna"


def price(text: str | Decimal) -> Price:
    return Price(Decimal(text))


def pusd(text: str) -> Pusd:
    return Pusd(Decimal(text))


def idea(
    name: str = "a",
    *,
    event: str | None = None,
    q: str = "0.60",
    bid: str | None = "0.48",
    ask: str = "0.50",
    shares: str = "100",
    fee: str = "0",
    status: IntentStatus = IntentStatus.EXECUTED,
    by: str | None = ANNA,
    after: float = 20,
    at: datetime = NOW,
    result: str | None = None,
    order: str | None = None,
    **intent: Any,
) -> IntentRecord:
    """A purchase of 100 shares at 50 cents that the model gives 60 %; approved 20 seconds later. `name` is
    its asset, its order and, unless said otherwise, its event."""
    cost = Decimal(shares) * Decimal(ask) + Decimal(fee)
    content = {
        "id": IntentId(f"{name:0>16}"),
        "regime": Regime.PAPER,
        "asset_id": AssetId(name),
        "condition_id": ConditionId(f"0x{name}"),
        "event_id": EventId(event or name),
        "created_at": at,
        "model_probability": Decimal(q),
        "best_bid": None if bid is None else price(bid),
        "best_ask": price(ask),
        "reference_price": price(ask),
        "worst_price": price(Decimal(ask) + Decimal("0.02")),
        "estimated_shares": Shares(Decimal(shares)),
        "estimated_cost": Pusd(cost),
        "estimated_fee": pusd(fee),
        "edge_now": Decimal(q) - Decimal(ask),
        "edge_worst": Decimal(q) - Decimal(ask) - Decimal("0.02"),
    }
    made = an_intent(**{**content, **intent})
    return record(made, status, by=by, after=after, result=result, order=order or name)


def closing(name: str = "a", *, order: str, at: datetime, **intent: Any) -> IntentRecord:
    """A sale of 100 shares at the bid of 70 cents, offered at 72."""
    content = {
        "id": IntentId(f"{order:0>16}"),
        "regime": Regime.PAPER,
        "asset_id": AssetId(name),
        "condition_id": ConditionId(f"0x{name}"),
        "event_id": EventId(name),
        "created_at": at,
        "best_bid": price("0.70"),
        "best_ask": price("0.72"),
        "reference_price": price("0.70"),
        "worst_price": price("0.68"),
        "shares": Shares(Decimal(100)),
        "estimated_shares": Shares(Decimal(100)),
        "estimated_cost": pusd("70"),
        "estimated_fee": pusd("0"),
    }
    return record(a_close(**{**content, **intent}), IntentStatus.EXECUTED, by=ANNA, order=order)


def record(
    intent: Any,
    status: IntentStatus,
    *,
    by: str | None = None,
    after: float = 20,
    result: str | None = None,
    order: str = "",
) -> IntentRecord:
    sent = status in (IntentStatus.EXECUTED, IntentStatus.EXECUTING)
    return IntentRecord(
        intent=intent,
        digest="",
        status=status,
        decided_at=intent.created_at + timedelta(seconds=after) if by else None,
        decided_by=by,
        execute_by=None,
        result=result,
        result_detail="",
        seen_at=None,
        order_id=OrderId(order) if sent and order else None,
        updated_at=intent.created_at,
    )


def rejected(name: str, **more: Any) -> IntentRecord:
    return idea(name, status=IntentStatus.REJECTED, **more)


def expired(name: str, **more: Any) -> IntentRecord:
    return idea(name, status=IntentStatus.EXPIRED, by=None, **{"result": "expired", **more})


def refused(name: str, code: str = "edge", **more: Any) -> IntentRecord:
    return idea(name, status=IntentStatus.FAILED, result=code, **more)


def fill(
    name: str = "a",
    at_price: str = "0.50",
    shares: str = "100",
    *,
    order: str | None = None,
    fee: str = "0",
    side: Side = Side.BUY,
    at: datetime = NOW + timedelta(seconds=21),
) -> Fill:
    return a_fill(
        OrderId(order or name),
        trade_id=TradeId(f"t-{order or name}-{at_price}-{shares}-{side}"),
        asset_id=AssetId(name),
        condition_id=ConditionId(f"0x{name}"),
        side=side,
        price=price(at_price),
        shares=Shares(Decimal(shares)),
        fee=pusd(fee),
        status=FillStatus.CONFIRMED,
        matched_at=at,
    )


def records(*intents: IntentRecord, **more: Any) -> Records:
    """A day before the first proposal to ten days after it; every instant was watched."""
    content: dict[str, Any] = {
        "regime": Regime.PAPER,
        "since": NOW - timedelta(days=1),
        "until": NOW + timedelta(days=10),
        "intents": intents,
        "watched": lambda _at: True,
    }
    return Records(**{**content, **more})


def pays(**by_name: str) -> dict[AssetId, Price]:
    return {AssetId(name): price(value) for name, value in by_name.items()}


@dataclass
class Shelf:
    """Books that were seen, asked as the past is asked: the last one at or before an instant."""

    seen: dict[AssetId, list[OrderBook]] = field(default_factory=dict)
    asked: list[Sight] = field(default_factory=list)

    def show(self, name: str, at: datetime, bid: str, ask: str, shares: str = "1000") -> "Shelf":
        book = a_book(bid, ask, shares, asset_id=AssetId(name), observed_at=at)
        self.seen.setdefault(AssetId(name), []).append(book)
        return self

    def books(self, sights: Sequence[Sight]) -> Mapping[Sight, OrderBook]:
        self.asked += sights
        found = {}
        for sight in sights:
            known = [
                book
                for book in self.seen.get(sight.asset_id, ())
                if sight.at - timedelta(days=1) <= book.observed_at <= sight.at
            ]
            if known:
                found[sight] = max(known, key=lambda book: book.observed_at)
        return found


def money(value: Decimal | None) -> Decimal:
    assert value is not None
    return value + ZERO
