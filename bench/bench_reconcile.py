"""One comparison of our records with the exchange: 1,000 open orders that have 10,000 fills.

Every order rests, was filled in ten confirmed pieces and is asked about by id; shares and cash are compared
besides. The exchange is in this process and answers at once, so the CPU time is what polyb0t itself
needs. "Nothing new" is the pass that comes every five seconds; "one new fill each" stores a thousand.

    .venv/bin/python -m bench reconcile
"""

import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from bench.figures import Section
from polyb0t.core.ids import AssetId, ConditionId, TradeId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.execution.intents import IntentRecord, OrderType
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.reconciler import ReconcileReport
from polyb0t.execution.scope import Regime
from polyb0t.runtime.logging import configure_logging
from tests.support.builders import a_fill, an_intent, an_order_for, wide_limits
from tests.support.engine_room import EngineRoom

ORDERS = 1_000
PIECES = 10  # fills of each order
PASSES = 5
TARGET_SECONDS = 1.0
MEMORY = Path("/dev/shm")
PIECE = Shares(Decimal(2))
WANTED = Shares(Decimal(100))
_MUCH = Pusd(Decimal(10**9))
_ROOM = wide_limits(spendable_pusd=_MUCH, max_exposure_pusd=_MUCH)


def measure(orders: int = ORDERS) -> Section:
    section = Section(
        f"One comparison with the exchange, {orders} open orders and {orders * PIECES} fills, CPU",
        rival="sqlite3: reading the same rows of orders and fills, and comparing nothing",
    )
    memory = MEMORY if MEMORY.is_dir() else None  # CPU is measured: no need to wait for a disk
    with tempfile.TemporaryDirectory(prefix="polyb0t-bench-", dir=memory) as name:
        folder = Path(name)
        configure_logging(folder / "log", "error")
        room = EngineRoom(folder)
        held: Counter[AssetId] = Counter()
        room.read_held = lambda asset_id: Shares(held[asset_id] * PIECE)
        placed = _placed(room, orders)
        rival = min(_cpu(lambda: _rows(folder)) for _ in range(PASSES))
        first = _cpu(lambda: _agreed(room))
        quiet = min(_cpu(lambda: _agreed(room)) for _ in range(PASSES))
        for order in placed:
            _fill(room, order, PIECES)
            held[order.asset_id] = PIECES + 1
        news = _cpu(lambda: _agreed(room))
        assert len(room.stores.orders.fills()) == orders * (PIECES + 1)
        for order in placed:
            room.gateway.change(order.id, status="CANCELED")
        _agreed(room)
        assert not room.stores.orders.watched()
        ended = min(_cpu(lambda: _agreed(room)) for _ in range(PASSES))
    section.add("the first after a start", first, "s", target=TARGET_SECONDS, rival=rival)
    section.add("nothing new", quiet, "s", target=TARGET_SECONDS, rival=rival)
    section.add("all ended: shares and cash", ended, "s", target=TARGET_SECONDS, rival=rival)
    section.add("one new fill each, stored", news, "s")
    return section


def _placed(room: EngineRoom, orders: int) -> list[OrderRecord]:
    """Resting orders on assets of their own, each filled in part."""
    placed = []
    for number in range(orders):
        order = _resting(room, number)
        pieces = [_fill(room, order, piece) for piece in range(PIECES)]
        room.stores.orders.record_fills(order.id, pieces, room.lease)
        placed.append(order)
    return placed


def _resting(room: EngineRoom, number: int) -> OrderRecord:
    intent = an_intent(
        order_type=OrderType.GTC,
        post_only=True,
        amount=None,
        least_shares=None,
        shares=WANTED,
        asset_id=AssetId(str(10**70 + number)),
        condition_id=ConditionId(f"0x{number:064x}"),
    )
    room.approve(intent)
    claimed = room.stores.intents.claim(intent.id, room.lease, Regime.LIVE, _ROOM)
    assert isinstance(claimed, IntentRecord), claimed
    prepared = room.gateway.prepare(intent, room.clock.now())
    permitted = room.stores.intents.permit(
        an_order_for(intent, id=prepared.order_id), room.lease, post_budget_seconds=10
    )
    assert isinstance(permitted, OrderRecord), permitted
    room.gateway.take(prepared)
    live = OrderStatus.LIVE
    return room.stores.orders.settle(
        prepared.order_id, room.lease, status=live, code="accepted", detail="", venue_status=live
    )


def _fill(room: EngineRoom, order: OrderRecord, piece: int) -> Fill:
    """One more confirmed piece at the exchange."""
    fill = a_fill(
        order.id,
        trade_id=TradeId(f"{order.asset_id}-{piece}"),
        condition_id=order.condition_id,
        asset_id=order.asset_id,
        role=Role.MAKER,
        shares=PIECE,
        status=FillStatus.CONFIRMED,
        transaction_hash="0xfeed",
    )
    room.gateway.trades[fill.trade_id] = fill
    seen = room.gateway.orders[order.id]
    room.gateway.change(
        order.id,
        matched_shares=Shares(seen.matched_shares + PIECE),
        trade_ids=(*seen.trade_ids, fill.trade_id),
    )
    return fill


def _agreed(room: EngineRoom) -> ReconcileReport:
    report = room.reconciler.run()
    assert report.ok, report.problems
    assert not report.alerts, report.alerts
    return report


def _rows(folder: Path) -> int:
    connection = sqlite3.connect(folder / "polyb0t.db")
    rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("orders", "fills")]
    connection.close()
    return sum(map(len, rows))


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
