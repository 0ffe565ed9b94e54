"""The examples of the description, taken from a real exchange of words on practice money.

    python -m tests.api.examples        writes polyb0t/api/examples.json anew

Ids, times and hashes differ each time; a test holds what is written against the description.
"""

import getpass
import json
import os
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from polyb0t.core.ids import ConditionId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.models.equity import AccountHealth
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.runtime.current import process_started
from polyb0t.runtime.health_facts import health_fact
from polyb0t.runtime.risk_facts import RISK
from tests.api.conftest import Service
from tests.cli.test_risk import facts
from tests.support.builders import NOW, a_fill, a_scope, an_order_for, wide_limits
from tests.support.claims import a_whole_claim

TARGET = Path(__file__).resolve().parents[2] / "polyb0t" / "api" / "examples.json"
OWN = {"market": "0x" + "ab" * 32, "outcome": "Yes", "worst_price": "0.61", "amount": "10"}
CLOSE = {"shares": "50", "worst_price": "0.45"}


class Told:
    """Asks, and keeps what was answered under the route's own name."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.kept: dict[str, dict[str, Any]] = {}

    def ask(self, method: str, path: str, *, name: str = "", body: Any = None) -> Any:
        answer = self._service.http.request(method, path, json=body)
        assert answer.is_success, (method, path, answer.text)
        found: dict[str, Any] = {} if body is None else {"body": body}
        self.kept[f"{method} {name or path}"] = {**found, "answer": answer.json()}
        return answer.json()


def bought(service: Service) -> OrderRecord:
    """An approved purchase that was filled."""
    record = service.propose(regime=Regime.LIVE, condition_id=ConditionId("0x" + "cd" * 32))
    stores, lease = service.stores, service.lease
    stores.intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=60)
    stores.intents.claim(record.id, lease, Regime.LIVE, wide_limits())
    order = stores.intents.permit(an_order_for(record.intent), lease, post_budget_seconds=10)
    assert isinstance(order, OrderRecord), order
    fill = a_fill(
        order.id,
        trade_id=TradeId("t-5b0c9a71"),
        asset_id=record.intent.asset_id,
        condition_id=record.intent.condition_id,
        price=Price(Decimal("0.6")),
        shares=Shares(Decimal("152.5")),
        fee=Pusd(Decimal("1.464")),
        status=FillStatus.CONFIRMED,
        transaction_hash="0x" + "5e" * 32,
    )
    stores.orders.record_fills(order.id, [fill], lease)
    return stores.orders.settle(
        order.id, lease, status=OrderStatus.FILLED, code="filled", detail="", venue_status="matched"
    )


def engine(service: Service, order: OrderRecord) -> None:
    """What a running engine publishes."""
    money = {name: Pusd(Decimal(text)) for name, text in (("day", "10000"), ("equity", "10002.38"))}
    health = AccountHealth(
        NOW, money["equity"], Pusd(Decimal("10006.10")), "2026-11-22", money["day"], money["day"]
    )
    published = {
        "cash_pusd": Pusd(Decimal("9907.04")),
        "equity_pusd": money["equity"],
        "day": "2026-11-22",
        "day_result_pusd": Pusd(Decimal("2.38")),
        "marks": {order.asset_id: Price(Decimal("0.62"))},
        "mark_times": {order.asset_id: NOW},
        "marked_at": NOW,
        "health": health_fact(health),
        RISK: facts(),
        "clock_skew": "0.2",
    }
    service.stores.engine.beat(service.lease, cycle=31, facts=published)


def told(folder: Path) -> dict[str, dict[str, Any]]:
    """Every example."""
    service = Service(folder, a_scope(), Regime.LIVE)
    service.stores.engine.release(service.lease)
    lease = service.stores.engine.acquire(
        "engine",
        holder=f"trader:{os.getpid()}",
        boot_id="b",
        process_started=str(process_started()),
        regime=Regime.LIVE,
    )
    assert isinstance(lease, Lease)
    service.lease = lease
    try:
        return _asked(service)
    finally:
        service.close()


def _asked(service: Service) -> dict[str, dict[str, Any]]:
    order, ask = bought(service), Told(service)
    service.stores.books.record_movements((), service.lease)
    engine(service, order)
    position = ask.ask("GET", "/positions")["positions"][0]["id"]
    for path in (
        "/health",
        "/ready",
        "/status",
        "/account",
        "/risk",
        "/report",
        "/report/decisions",
        "/orders",
        "/fills",
    ):
        ask.ask("GET", path)
    ask.ask("GET", f"/orders/{order.id}", name="/orders/{order_id}")
    _decided(service, ask)
    _by_hand(ask, position)
    claim = service.stores.intents.propose(
        a_whole_claim(scope=str(service.scope), regime=Regime.LIVE, created_at=service.stores.intents.now()),
        service.lease,
    )
    ask.ask("GET", "/claims")
    ask.ask("GET", f"/claims/{claim.id}", name="/claims/{claim_id}")  # type: ignore[union-attr]
    _switches(ask)
    return dict(sorted(ask.kept.items()))


def _decided(service: Service, ask: Told) -> None:
    one, other, muted = (
        service.propose(regime=Regime.LIVE, condition_id=ConditionId(f"0x{n}" + "e" * 63)) for n in range(3)
    )
    listed = ask.ask("GET", "/intents")
    ask.kept["GET /intents"]["answer"] = listed[:1]
    ask.ask("GET", f"/intents/{one.id}", name="/intents/{intent_id}")
    ask.ask(
        "POST",
        f"/intents/{one.id}/approve",
        name="/intents/{intent_id}/approve",
        body={"digest": one.digest},
    )
    proposed = ask.kept["GET /intents/{intent_id}"]["answer"]
    ask.kept["POST /intents"] = {"body": OWN, "answer": proposed}
    ask.kept["POST /positions/{position_id}/close"] = {"body": CLOSE, "answer": proposed}
    rejection = {"reason": "the wording is unclear", "mute_hours": 24}
    ask.ask("POST", f"/intents/{other.id}/reject", name="/intents/{intent_id}/reject", body=rejection)
    service.http.post(f"/intents/{muted.id}/reject", json={"mute_hours": 24})
    ask.ask("GET", "/mutes")
    ask.ask("DELETE", f"/mutes/{muted.intent.condition_id}", name="/mutes/{condition_id}")


def _by_hand(ask: Told, position: str) -> None:
    where = f"/positions/{position}"
    terms = {"triggers": ["stop_loss", "take_profit"], "worst_price": "0.5", "hours": 48}
    ask.ask("POST", f"{where}/protect", name="/positions/{position_id}/protect", body=terms)
    ask.ask("POST", f"{where}/unprotect", name="/positions/{position_id}/unprotect")


def _switches(ask: Told) -> None:
    ask.ask("GET", "/kill-switches")
    manual, stale = f"/kill-switches/{KillSwitchType.MANUAL}", f"/kill-switches/{KillSwitchType.STALE_DATA}"
    ask.ask("POST", f"{manual}/trip", name="/kill-switches/{name}/trip", body={"reason": "odd prices"})
    ask.ask("POST", f"{manual}/clear", name="/kill-switches/{name}/clear", body={"reason": "prices are fine"})
    ask.ask("POST", f"{stale}/trip", name="/kill-switches/{name}/trip", body={"reason": "odd prices"})
    lasting = {"for": "2h", "reason": "the feed is known to be slow tonight"}
    ask.ask("POST", f"{stale}/override", name="/kill-switches/{name}/override", body=lasting)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        written = json.dumps(told(Path(place)), indent=1, ensure_ascii=False) + "\n"
    written = written.replace(place, "").replace(f"user:{getpass.getuser()}@http", "user:anna@http")
    TARGET.write_text(written, encoding="utf-8")
