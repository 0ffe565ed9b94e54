"""Our rows follow what the exchange proves, and nothing else moves them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.gateway import Found, Lookup, NotFound, Unknown, Unreadable, VenueOrder
from polyb0t.execution.intents import IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import ORDER_TRANSITIONS, OrderRecord, OrderStatus
from polyb0t.execution.reconciliation import Correction, Problem, beyond_belief, correct, overspent
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of, tripped
from tests.support.builders import NOW, a_cancel, a_close, a_fill, an_intent
from tests.support.engine_room import EngineRoom, Tripwire
from tests.support.trading import an_order_record

TAKER = an_intent()
RESTING = an_intent(order_type=OrderType.GTC, amount=None, shares=Shares(Decimal(20)), least_shares=None)


def seen(order: OrderRecord, status: str, matched: str = "0", *trades: str, **changes: Any) -> Found:
    """What the exchange shows when asked by id."""
    content: dict[str, Any] = {
        "order_id": order.id,
        "status": status,
        "condition_id": order.condition_id,
        "asset_id": order.asset_id,
        "side": order.side,
        "price": order.price,
        "original_size": order.shares,
        "matched_shares": Shares(Decimal(matched)),
        "trade_ids": trades,
    }
    return Found(VenueOrder(**{**content, **changes}))


def fill(order: OrderRecord, shares: str, status: FillStatus, trade: str = "t1") -> Fill:
    return a_fill(order.id, shares=Shares(Decimal(shares)), status=status, trade_id=TradeId(trade))


def judged(order: OrderRecord, lookup: Lookup, *fills: Fill) -> Correction:
    return correct(order, lookup, fills, NOW)


# -- what a lookup proves ----------------------------------------------------------------------


@pytest.mark.parametrize("status", list(OrderStatus))
def test_a_read_that_failed_proves_nothing_and_stops_trading(status: OrderStatus) -> None:
    correction = judged(an_order_record(TAKER, status), Unreadable("503"))

    assert correction.status is None
    assert correction.problem is Problem.UNREADABLE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (OrderStatus.SIGNED, OrderStatus.UNKNOWN),
        (OrderStatus.UNKNOWN, None),
        (OrderStatus.LIVE, OrderStatus.VANISHED),
        (OrderStatus.DELAYED, OrderStatus.VANISHED),
        (OrderStatus.MATCHED, None),
        (OrderStatus.VANISHED, None),
        (OrderStatus.CANCELLED, None),
    ],
)
def test_not_found_never_ends_an_order(before: OrderStatus, after: OrderStatus | None) -> None:
    assert judged(an_order_record(RESTING, before), NotFound()).status is after


def test_an_order_accepted_a_moment_ago_may_not_show_yet() -> None:
    fresh = an_order_record(RESTING, OrderStatus.LIVE, updated_at=NOW - timedelta(seconds=4))

    assert judged(fresh, NotFound()).status is None


@pytest.mark.parametrize("before", [OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.VANISHED])
@pytest.mark.parametrize(
    ("status", "after", "code"),
    [
        ("LIVE", OrderStatus.LIVE, "accepted"),
        ("MATCHED", OrderStatus.MATCHED, "accepted"),
        ("CANCELED", OrderStatus.CANCELLED, "cancelled"),
        ("CANCELED_MARKET_RESOLVED", OrderStatus.CANCELLED, "market_resolved"),
        ("INVALID", OrderStatus.CANCELLED, "invalid"),
        ("CANCELED_MARKET_NOT_FOUND", OrderStatus.CANCELLED, "market_gone"),
        ("CANCELED_NOT_ENOUGH_BALANCE", OrderStatus.CANCELLED, "not_enough_balance"),
        ("EXPIRED", OrderStatus.EXPIRED, "expired"),
        ("CANCELED_EXPIRED_ORDER", OrderStatus.EXPIRED, "expired"),
        ("CANCELED_ORDER_TIMED_OUT", OrderStatus.EXPIRED, "expired"),
    ],
)
def test_what_is_found_is_believed(before: OrderStatus, status: str, after: OrderStatus, code: str) -> None:
    order = an_order_record(RESTING, before)

    correction = judged(order, seen(order, status))

    assert (correction.status, correction.code) == (after, code)


def test_a_killed_fak_that_matched_nothing_is_a_no_fill() -> None:
    order = an_order_record(TAKER, OrderStatus.UNKNOWN)

    correction = judged(order, seen(order, "CANCELED"))

    assert (correction.status, correction.code) == (OrderStatus.CANCELLED, "no_fill")


@pytest.mark.parametrize("status", ["MATCHED", "CANCELED"])
def test_a_fak_that_matched_in_part_is_filled_once_its_trades_are_final(status: str) -> None:
    """The exchange shows it as matched though its size is not, or as cancelled though it matched."""
    order = an_order_record(TAKER, OrderStatus.UNKNOWN)
    lookup = seen(order, status, "12", "t1")

    waiting = judged(order, lookup, fill(order, "12", FillStatus.MINED))
    done = judged(replace(order, status=OrderStatus.MATCHED), lookup, fill(order, "12", FillStatus.CONFIRMED))

    assert waiting.status is OrderStatus.MATCHED
    assert done.status is OrderStatus.FILLED
    assert done.problem is None


def test_a_matched_order_is_not_final_while_a_trade_is_missing() -> None:
    order = an_order_record(TAKER, OrderStatus.MATCHED)
    first = fill(order, "12", FillStatus.CONFIRMED)

    assert judged(order, seen(order, "MATCHED", "20", "t1", "t2"), first).status is OrderStatus.MATCHED
    assert judged(order, seen(order, "MATCHED", "20", "t1"), first).problem is Problem.DIFFERENCE
    assert judged(order, seen(order, "MATCHED", "20")).status is OrderStatus.MATCHED


def test_fills_that_sum_up_to_something_else_are_shown() -> None:
    order = an_order_record(RESTING, OrderStatus.LIVE)

    correction = judged(order, seen(order, "LIVE", "10", "t1"), fill(order, "7", FillStatus.MATCHED))

    assert correction.problem is Problem.DIFFERENCE
    assert "10 were matched" in correction.detail
    assert "sum up to 7" in correction.detail


def test_a_failed_trade_may_or_may_not_be_taken_out_of_the_exchanges_sum() -> None:
    order = an_order_record(TAKER, OrderStatus.MATCHED)
    fills = (fill(order, "12", FillStatus.CONFIRMED), fill(order, "8", FillStatus.FAILED, "t2"))

    for matched in ("20", "12"):
        correction = judged(order, seen(order, "MATCHED", matched, "t1", "t2"), *fills)
        assert correction.status is OrderStatus.FILLED


def test_an_order_whose_every_trade_failed_bought_nothing() -> None:
    order = an_order_record(TAKER, OrderStatus.MATCHED)

    correction = judged(order, seen(order, "MATCHED", "20", "t1"), fill(order, "20", FillStatus.FAILED))

    assert (correction.status, correction.code) == (OrderStatus.CANCELLED, "trade_failed")


@pytest.mark.parametrize("status", ["", "OPEN", "matched", "LIVE "])
def test_an_unknown_status_is_not_fine(status: str) -> None:
    order = an_order_record(RESTING, OrderStatus.LIVE)

    correction = judged(order, seen(order, status))

    assert (correction.status, correction.problem) == (None, Problem.UNREADABLE)


@pytest.mark.parametrize(
    "other", [{"asset_id": AssetId("9")}, {"side": Side.SELL}, {"order_id": OrderId("0x" + "99" * 32)}]
)
def test_another_order_under_our_id_is_a_contradiction(other: dict[str, Any]) -> None:
    order = an_order_record(RESTING, OrderStatus.UNKNOWN)

    correction = judged(order, seen(order, "LIVE", **other))

    assert (correction.status, correction.problem) == (None, Problem.CONTRADICTION)


def test_no_correction_makes_a_move_that_the_table_does_not_have() -> None:
    words = ("LIVE", "DELAYED", "MATCHED", "CANCELED", "INVALID", "EXPIRED")
    for intent in (TAKER, RESTING):
        for status in OrderStatus:
            order = an_order_record(intent, status)
            some = (fill(order, "20", FillStatus.CONFIRMED),)
            lookups: list[Lookup] = [
                seen(order, word, matched, "t1") for word in words for matched in ("0", "20")
            ]
            for lookup in [*lookups, NotFound(), Unreadable("")]:
                for fills in ((), some):
                    after = judged(order, lookup, *fills).status
                    assert after in (None, status) or after in ORDER_TRANSITIONS[status]


def test_more_than_was_signed_is_an_alarm_and_a_better_price_is_a_gift() -> None:
    def bought(notional: str, shares: str) -> OrderRecord:
        return replace(
            an_order_record(TAKER, OrderStatus.MATCHED, shares), filled_notional=Pusd(Decimal(notional))
        )

    assert overspent(bought("10", "25")) is None
    assert overspent(bought("10.01", "20")) is not None
    assert overspent(an_order_record(RESTING, OrderStatus.MATCHED, "20.01")) is not None
    assert overspent(an_order_record(a_close(), OrderStatus.MATCHED, "20")) is None


# -- the shell ---------------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


def test_before_the_proof_an_identity_that_is_not_found_stays_unknown_with_its_money(
    room: EngineRoom,
) -> None:
    room.gateway.answers.append(Unknown("no answer within 10 s"))
    intent = an_intent()
    room.execute(intent)

    for _ in range(5):
        room.advance(seconds=10)  # too early for a proof of absence
        report = room.reconciler.run()

    order = room.order(intent)
    assert report.ok
    assert report.unresolved == (order.id,)
    assert order.status is OrderStatus.UNKNOWN
    assert order.lookups >= 5
    assert room.status(intent) is IntentStatus.EXECUTING
    assert room.stores.orders.reserved_pusd() == intent.max_cost


def unreachable(*_args: object) -> NoReturn:
    raise VenueUnreachableError("The exchange did not answer.")


@pytest.mark.parametrize(
    ("method", "failing"),
    [
        ("lookup", lambda _order_id: Unreadable("503")),
        ("open_orders", unreachable),
        ("fills", unreachable),
    ],
)
def test_a_failed_read_is_a_reason_not_to_trade(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch, method: str, failing: Callable[..., object]
) -> None:
    intent = an_intent()
    room.execute(intent)
    assert room.reconciler.run().ok
    monkeypatch.setattr(room.gateway, method, failing)

    report = room.reconciler.run()

    assert not report.ok
    assert len(report.problems) == 1
    assert room.order(intent).status is OrderStatus.MATCHED


def test_held_shares_that_cannot_be_read_are_a_reason_not_to_trade(room: EngineRoom) -> None:
    bought(room)
    room.read_held = lambda _asset_id: None

    assert not room.reconciler.run().ok
    assert room.reconciler.run(compare_holdings=False).ok


def test_a_fill_goes_from_provisional_to_final_and_the_order_with_it(room: EngineRoom) -> None:
    intent = an_intent()
    room.execute(intent)
    assert room.order(intent).provisional_shares > ZERO

    room.gateway.settle_trades(FillStatus.MINED)
    room.reconciler.run()
    assert room.order(intent).status is OrderStatus.MATCHED
    room.gateway.settle_trades()
    report = room.reconciler.run()

    order = room.order(intent)
    assert (order.status, order.provisional_shares) == (OrderStatus.FILLED, ZERO)
    assert order.signed_order is None
    assert room.stores.orders.reserved_pusd() == ZERO
    assert report.open_orders == 0
    asked = len(room.gateway.lookups)
    room.reconciler.run()
    assert len(room.gateway.lookups) == asked


def test_a_trade_that_fails_on_chain_takes_its_fill_back(room: EngineRoom) -> None:
    intent = an_intent()
    room.execute(intent)

    room.gateway.settle_trades(FillStatus.FAILED)
    room.reconciler.run()

    order = room.order(intent)
    assert order.status is OrderStatus.CANCELLED
    assert order.filled_shares == ZERO
    assert room.status(intent) is IntentStatus.EXECUTED  # it was accepted; that stays true


def test_a_trade_that_had_failed_and_is_confirmed_halts_trading(room: EngineRoom) -> None:
    intent = an_intent()
    room.execute(intent)
    # A second trade keeps the order watched after the first has failed.
    trade = next(iter(room.gateway.trades.values()))
    room.gateway.trades["t2"] = replace(trade, trade_id=TradeId("t2"), shares=Shares(Decimal(1)))
    room.gateway.change(room.order_id(intent), trade_ids=(trade.trade_id, "t2"))
    room.gateway.trades[trade.trade_id] = replace(trade, status=FillStatus.FAILED)
    room.reconciler.run()

    room.gateway.trades[trade.trade_id] = replace(trade, status=FillStatus.CONFIRMED)
    report = room.reconciler.run()

    assert not report.ok
    assert [state.type for state in tripped(room.stores.switches.list())] == [KillSwitchType.RECONCILIATION]


@pytest.mark.parametrize(
    "intent", [an_intent(), a_close(), RESTING], ids=["buying with an amount", "selling", "resting"]
)
def test_a_trade_beyond_what_was_signed_is_refused_and_the_next_true_reading_believed(
    intent: TradeIntent,
) -> None:
    order = an_order_record(intent, OrderStatus.MATCHED)
    some = replace(fill(order, "10", FillStatus.MATCHED), asset_id=order.asset_id, side=order.side)
    rest = replace(some, trade_id=TradeId("t2"))

    assert beyond_belief(order, [some], ()) is None
    assert beyond_belief(order, [rest], [some]) is None
    assert "signed" in str(beyond_belief(order, [replace(some, shares=Shares(Decimal(100_000)))], ()))
    assert "signed" in str(beyond_belief(order, [replace(rest, shares=Shares(Decimal(12)))], [some]))
    undone = replace(some, status=FillStatus.FAILED)
    assert beyond_belief(order, [undone, replace(rest, shares=Shares(Decimal(12)))], [some]) is None


def test_a_trade_read_far_too_large_is_never_in_our_books(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = room.gateway.fills

    def enlarged(*asked: Any) -> tuple[Fill, ...]:
        return tuple(replace(one, shares=Shares(one.shares * 10_000)) for one in read(*asked))

    intent = an_intent()
    with monkeypatch.context() as patch:
        patch.setattr(room.gateway, "fills", enlarged)
        room.execute(intent)
        report = room.reconciler.run()

    assert room.stores.orders.fills(order_id=room.order(intent).id) == ()
    assert not report.ok and "signed" in report.problems[0]
    assert [state.type for state in tripped(room.stores.switches.list())] == [KillSwitchType.RECONCILIATION]
    kinds = [entry.kind for entry in room.stores.engine.journal(limit=200)]
    assert kinds.count("order.contradicted") == 1

    room.gateway.settle_trades()
    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.FILLED
    assert room.order(intent).filled_shares == Decimal("20.833333")  # 10 pUSD at 0.48


def test_an_order_cancelled_elsewhere_frees_its_money_and_keeps_its_fills(room: EngineRoom) -> None:
    intent = resting(room)
    order_id = room.order(intent).id
    partial = replace(a_fill(order_id), shares=Shares(Decimal(5)), price=Price(Decimal("0.5")))
    room.gateway.trades["t1"] = replace(partial, trade_id=TradeId("t1"))
    room.gateway.change(order_id, status="CANCELED", matched_shares=Shares(Decimal(5)), trade_ids=("t1",))

    report = room.reconciler.run()

    order = room.order(intent)
    assert order.status is OrderStatus.CANCELLED
    assert order.filled_shares == Decimal(5)
    assert room.stores.orders.reserved_pusd() == ZERO
    assert report.open_orders == 1  # its fill is not final yet
    room.gateway.settle_trades()
    assert room.reconciler.run().open_orders == 0


def test_a_fill_of_an_order_that_is_not_found_any_more_is_read_by_its_own_id(room: EngineRoom) -> None:
    intent = resting(room)
    order_id = room.order(intent).id
    room.gateway.trades["t1"] = replace(a_fill(order_id), trade_id=TradeId("t1"), shares=Shares(Decimal(5)))
    room.gateway.change(order_id, status="CANCELED", matched_shares=Shares(Decimal(5)), trade_ids=("t1",))
    room.reconciler.run()
    assert room.order(intent).provisional_shares == Decimal(5)

    room.gateway.orders.clear()
    room.gateway.settle_trades()
    room.reconciler.run()

    assert room.order(intent).provisional_shares == ZERO
    assert room.order(intent).filled_shares == Decimal(5)


def test_an_order_that_vanished_is_never_placed_again_and_may_come_back(room: EngineRoom) -> None:
    intent = resting(room)
    kept = room.gateway.orders.pop(room.order_id(intent))
    room.advance(seconds=10)

    report = room.reconciler.run()

    assert room.order(intent).status is OrderStatus.VANISHED
    assert report.unresolved == (room.order_id(intent),)
    assert room.stores.orders.reserved_pusd() > ZERO
    assert len(room.gateway.sent) == 1
    room.gateway.orders[kept.order_id] = kept
    room.reconciler.run()
    assert room.order(intent).status is OrderStatus.LIVE


def test_a_reading_that_was_overtaken_is_dropped(room: EngineRoom) -> None:
    """The order is cancelled while we ask about it, and the answer is from before."""
    intent = resting(room)
    order_id = room.order_id(intent)
    room.advance(seconds=10)

    def cancelled_meanwhile(asked: OrderId) -> Lookup:
        room.stores.orders.settle(
            asked, room.lease, status=OrderStatus.CANCELLED, code="cancelled", detail="by hand"
        )
        return NotFound()

    room.gateway.lookup = cancelled_meanwhile  # type: ignore[method-assign, assignment]

    report = room.reconciler.run()

    assert report.alerts == ()
    assert room.stores.orders.order(order_id).detail == "by hand"


def test_an_order_that_is_sent_while_we_read_is_not_foreign(room: EngineRoom) -> None:
    intent = an_intent(
        order_type=OrderType.GTC, amount=None, shares=Shares(Decimal(20)), least_shares=None, post_only=True
    )
    room.approve(intent)
    open_orders = room.gateway.open_orders

    def sent_meanwhile() -> tuple[AccountOrder, ...]:
        room.executor.execute(intent.id)
        return open_orders()

    room.gateway.open_orders = sent_meanwhile  # type: ignore[method-assign]

    assert room.reconciler.run().foreign_orders == ()


def test_what_is_on_its_way_in_this_process_is_not_interrupted(room: EngineRoom) -> None:
    intent = an_intent()
    room.approve(intent)
    fresh_book = room.books.fresh_book

    def reconcile_first(asset_id: AssetId) -> OrderBook:
        assert room.reconciler.run().interrupted == ()
        return fresh_book(asset_id)

    room.books.fresh_book = reconcile_first  # type: ignore[method-assign]

    assert room.executor.execute(intent.id).status is IntentStatus.EXECUTED


def test_foreign_orders_are_shown_counted_and_never_touched(room: EngineRoom) -> None:
    intent = resting(room)
    foreign = AccountOrder(
        OrderId("0x" + "77" * 32),
        ConditionId("0x" + "ab" * 32),
        AssetId("5"),
        Side.BUY,
        Price(Decimal("0.1")),
        Shares(Decimal(100)),
        Shares(ZERO),
        "LIVE",
    )
    room.gateway.foreign.append(foreign)

    report = room.reconciler.run()

    assert report.ok
    assert report.foreign_orders == (foreign,)
    assert room.gateway.cancels == []
    assert room.order(intent).status is OrderStatus.LIVE


def test_what_a_crash_left_before_the_permit_is_ended_and_its_money_freed(room: EngineRoom) -> None:
    intent = an_intent()
    room.approve(intent)
    room.stores.intents.claim(intent.id, room.lease, room.regime, room.situation.claim_limits(intent))
    assert room.stores.orders.reserved_pusd() == intent.max_cost

    report = room.restart()

    record = room.stores.intents.get(intent.id)
    assert report.interrupted == (intent.id,)
    assert (record.status, record.result) == (IntentStatus.FAILED, "interrupted")
    assert room.stores.orders.reserved_pusd() == ZERO


def test_a_cancel_that_a_crash_left_is_not_ended_but_sent_again(room: EngineRoom) -> None:
    intent = resting(room)
    cancel = a_cancel(room.order(intent).id)
    room.approve(cancel)
    room.stores.intents.claim(cancel.id, room.lease, room.regime, room.situation.claim_limits(cancel))

    room.restart()
    assert room.status(cancel) is IntentStatus.EXECUTING
    dispatcher = room.dispatcher()
    assert dispatcher.run_due() == 1
    dispatcher.close()

    assert room.status(cancel) is IntentStatus.EXECUTED
    assert room.order(intent).status is OrderStatus.CANCELLED


def test_shares_that_are_missing_again_and_again_halt_trading(room: EngineRoom) -> None:
    bought(room)
    room.read_held = lambda _asset_id: Shares(Decimal(20))

    first = room.reconciler.run()
    room.advance(minutes=3)
    room.reconciler.run()
    assert first.ok
    assert len(first.alerts) == 1
    assert stance_of(room.stores.switches.list()) is Stance.ACTIVE
    room.advance(minutes=2)
    last = room.reconciler.run()

    assert not last.ok
    assert stance_of(room.stores.switches.list()) is Stance.HALTED


def test_shares_that_are_missing_for_less_than_five_minutes_halt_nothing(room: EngineRoom) -> None:
    """However often they are read: the exchange's ledger may be behind its trades for so long."""
    bought(room)
    room.read_held = lambda _asset_id: Shares(Decimal(20))

    reports = []
    for _ in range(10):
        reports.append(room.reconciler.run())
        room.advance(seconds=30)

    assert all(report.ok for report in reports)
    assert stance_of(room.stores.switches.list()) is Stance.ACTIVE


@pytest.mark.parametrize("held", ["20.4", "20.833333", "1000"])
def test_dust_and_somebodys_own_purchases_are_no_difference(room: EngineRoom, held: str) -> None:
    bought(room)
    room.read_held = lambda _asset_id: Shares(Decimal(held))

    reports = []
    for _ in range(4):
        reports.append(room.reconciler.run())
        room.advance(minutes=3)

    assert all(report.ok and not report.alerts for report in reports)


def test_holdings_are_not_compared_while_an_order_on_them_is_open(room: EngineRoom) -> None:
    bought(room)
    sold = a_close(worst_price=Price(Decimal("0.45")))
    room.execute(sold)  # its trade is not final: the exchange may or may not show it
    room.read_held = lambda _asset_id: Shares(ZERO)

    assert room.reconciler.run().alerts == ()


def test_a_difference_is_journalled_once(room: EngineRoom) -> None:
    intent = resting(room)
    room.gateway.change(room.order_id(intent), matched_shares=Shares(Decimal(7)))

    for _ in range(3):
        assert len(room.reconciler.run().alerts) == 1

    kinds = [entry.kind for entry in room.stores.engine.journal(subject=room.order_id(intent))]
    assert kinds.count("order.differed") == 1


def test_reconciling_twice_changes_nothing_more(room: EngineRoom) -> None:
    resting(room)
    bought(room, asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    room.reconciler.run()
    before = room.stores.engine.journal()

    room.reconciler.run()

    assert room.stores.engine.journal() == before


def resting(room: EngineRoom) -> TradeIntent:
    """20 shares at 50¢, in the book."""
    intent = an_intent(
        order_type=OrderType.GTC, amount=None, shares=Shares(Decimal(20)), least_shares=None, post_only=True
    )
    room.execute(intent)
    assert room.order(intent).status is OrderStatus.LIVE
    return intent


def bought(room: EngineRoom, **changes: Any) -> TradeIntent:
    """20.83 shares, confirmed."""
    intent = an_intent(**changes)
    room.execute(intent)
    room.gateway.settle_trades()
    room.reconciler.run()
    assert room.order(intent).status is OrderStatus.FILLED
    return intent


def test_an_order_of_which_there_is_nothing_new_costs_no_read_and_no_write_of_our_own(
    room: EngineRoom,
) -> None:
    resting(room)
    wire = Tripwire()
    room.start(wire)
    room.reconciler.run()
    wire.calls.clear()

    room.reconciler.run()

    per_order = {"orders.order", "orders.settle", "orders.record_lookup", "orders.record_fills"}
    assert per_order.isdisjoint(wire.calls)
    assert wire.calls.count("gateway.lookup") == 1


def test_an_order_of_ours_that_has_ended_is_not_foreign_because_a_list_is_late(room: EngineRoom) -> None:
    intent = resting(room)
    [listed] = room.gateway.open_orders()
    room.gateway.change(room.order_id(intent), status="CANCELED")
    room.reconciler.run()
    assert room.order(intent).status is OrderStatus.CANCELLED
    room.gateway.foreign.append(listed)

    assert room.reconciler.run().foreign_orders == ()
