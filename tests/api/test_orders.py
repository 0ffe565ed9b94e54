"""Orders and fills over HTTP: what was sent, what came of it, page by page."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from polyb0t.api.orders import NamedFill, Order, OrderWithFills
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountOrder, AccountState
from polyb0t.data.order_book import Side
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from tests.api.conftest import Service
from tests.api.test_intents import problem
from tests.support.builders import NOW, a_fill, a_scope, an_order_for, wide_limits


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Service]:
    """Practice money: orders exist."""
    made = Service(tmp_path, a_scope(), Regime.LIVE)
    yield made
    made.close()


def sent(service: Service, *, filled: int = 0) -> OrderRecord:
    """An approved trade that the exchange took, with so many fills of one share."""
    number = len(service.stores.intents.list(limit=1000))
    record = service.propose(condition_id=ConditionId(f"0x{number}"))
    manager, lease = service.stores.intents, service.lease
    manager.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=60)
    manager.claim(record.id, lease, Regime.LIVE, wide_limits())
    order = manager.permit(an_order_for(record.intent), lease, post_budget_seconds=10)
    assert isinstance(order, OrderRecord), order
    order = service.stores.orders.settle(order.id, lease, status=OrderStatus.LIVE, code="live", detail="")
    for bucket in range(filled):
        fill = a_fill(
            order.id,
            trade_id=TradeId(f"trade-{number}"),
            bucket_index=bucket,
            asset_id=record.intent.asset_id,
            condition_id=record.intent.condition_id,
            shares=Shares(Decimal(1)),
        )
        order = service.stores.orders.record_fills(order.id, [fill], lease)
    return order


def test_an_order_is_told_with_its_fills(live: Service) -> None:
    order = sent(live, filled=2)
    told = live.http.get(f"/orders/{order.id}").json()
    OrderWithFills.model_validate(told)
    assert (told["status"], told["filled_shares"], told["average_price"]) == ("LIVE", "2", "0.48")
    assert [fill["bucket_index"] for fill in told["fills"]] == [0, 1]
    assert live.http.get(f"/orders/{order.intent_id[:8]}").json() == told


def test_orders_come_newest_first_in_pages_without_a_gap(live: Service) -> None:
    made = [sent(live).id for _ in range(5)]
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        answer = live.http.get(f"/orders?limit=2{cursor}")
        found += [row["id"] for row in answer.json()]
        cursor = f"&cursor={answer.headers.get('x-next-cursor', '')}"
    assert found == made[::-1]
    assert "x-next-cursor" not in answer.headers


def test_orders_are_filtered_by_how_they_stand(live: Service) -> None:
    one, other = sent(live), sent(live, filled=1)
    live.stores.orders.settle(one.id, live.lease, status=OrderStatus.CANCELLED, code="cancelled", detail="")
    assert ids(live, "open=true") == [other.id]
    assert ids(live, "status=CANCELLED") == [one.id]
    assert ids(live, "status=CANCELLED&status=LIVE") == [other.id, one.id]
    problem(live.http.get("/orders?open=true&status=LIVE"), 422, "invalid_request")


def ids(service: Service, query: str) -> list[str]:
    return [row["id"] for row in service.http.get(f"/orders?{query}").json()]


def test_an_order_from_elsewhere_stands_on_the_last_page_and_says_so(live: Service) -> None:
    ours = sent(live)
    theirs = AccountOrder(
        order_id=OrderId("0x" + "9" * 64),
        condition_id=ConditionId("0x77"),
        asset_id=AssetId("77"),
        side=Side.BUY,
        price=Price(Decimal("0.2")),
        original_shares=Shares(Decimal(5)),
        matched_shares=Shares(Decimal(0)),
        status="LIVE",
    )
    state = AccountState(
        wallet=Wallet("0x0"),
        observed_at=NOW,
        cash_pusd=Pusd(Decimal(1)),
        allowances_pusd={},
        positions=(),
        open_orders=(theirs,),
        missing={},
    )
    live.stores.engine.save_account_state(state, live.lease)
    rows = live.http.get("/orders").json()
    assert [(row["id"], row["foreign"]) for row in rows] == [(ours.id, False), (theirs.order_id, True)]
    assert rows[1]["intent_id"] is None
    for row in rows:
        Order.model_validate(row)


def test_fills_come_newest_first_with_what_was_traded(live: Service) -> None:
    first, second = sent(live, filled=2), sent(live, filled=1)
    rows = live.http.get("/fills").json()
    assert {row["order_id"] for row in rows} == {first.id, second.id}
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    for row in rows:
        NamedFill.model_validate(row)
    assert rows[0]["question"].startswith("Will Harbor City approve")
    assert (rows[0]["notional"], rows[0]["shares"], rows[0]["price"]) == ("0.48", "1", "0.48")
    one = live.http.get("/fills?limit=1")
    rest = live.http.get(f"/fills?cursor={one.headers['x-next-cursor']}")
    assert one.json() + rest.json() == rows
    assert "x-next-cursor" not in rest.headers
    assert live.http.get(f"/fills?order={second.id[:10]}").json() == [
        row for row in rows if row["order_id"] == second.id
    ]


def test_what_is_not_there_is_not_found(live: Service) -> None:
    problem(live.http.get("/orders/0xdead"), 404, "order_not_found")
    problem(live.http.get("/orders?cursor=0xdead"), 404, "order_not_found")
    problem(live.http.get("/fills?order=0xdead"), 404, "order_not_found")
    problem(live.http.get("/fills?cursor=x.0.y"), 404, "fill_not_found")


def test_nothing_yet_is_an_empty_list(service: Service) -> None:
    assert service.http.get("/orders").json() == []
    assert service.http.get("/fills").json() == []
