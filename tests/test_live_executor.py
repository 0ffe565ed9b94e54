"""An approval becomes at most one order, whatever happens on the way."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from structlog.testing import capture_logs

from polyb0t.core.errors import ConfigurationError, DatabaseError, LeaseLostError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, IntentId, OrderId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.order_book import Side
from polyb0t.execution.gateway import (
    Accepted,
    AcceptedStatus,
    NoFill,
    NotSent,
    PreparedOrder,
    Refused,
    SendOutcome,
    Unknown,
)
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentStatus, IntentType, OrderType, TradeIntent
from polyb0t.execution.live_executor import ExecutorSettings, LiveExecutor
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import ClaimLimits, Denied
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of
from tests.support.builders import a_cancel, a_close, an_intent, wide_limits
from tests.support.engine_room import CrashError, EngineRoom, Tripwire
from tests.support.trading import a_book

WAITING = (IntentStatus.APPROVED, IntentStatus.EXECUTING)


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


# -- each class of answer ----------------------------------------------------------------------


def test_an_accepted_order_ends_the_intent_and_its_fills_are_there_at_once(room: EngineRoom) -> None:
    intent = an_intent()

    done = room.execute(intent)

    order = room.order(intent)
    assert (done.status, done.result) == (IntentStatus.EXECUTED, "accepted")
    assert order.id == room.order_id(intent)
    assert order.status is OrderStatus.MATCHED
    assert order.filled_shares == Decimal("20.833333")
    assert order.provisional_shares == order.filled_shares
    assert room.gateway.sent == [order.id]


@pytest.mark.parametrize("status", [AcceptedStatus.LIVE, AcceptedStatus.DELAYED])
def test_an_order_that_the_exchange_holds_keeps_its_money_reserved(
    room: EngineRoom, status: AcceptedStatus
) -> None:
    room.gateway.answers.append(Accepted(status, ()))
    intent = an_intent()

    assert room.execute(intent).status is IntentStatus.EXECUTED

    assert room.order(intent).status is OrderStatus[status.name]
    assert room.stores.orders.reserved_pusd() == intent.max_cost


def test_no_fill_is_normal_life(room: EngineRoom) -> None:
    room.gateway.answers.append(NoFill("no orders found to match with FAK order."))
    intent = an_intent()

    done = room.execute(intent)

    assert (done.status, done.result) == (IntentStatus.FAILED, "no_fill")
    assert room.order(intent).status is OrderStatus.CANCELLED
    assert room.stores.orders.reserved_pusd() == ZERO


def test_a_refusal_keeps_the_text_and_frees_the_money(room: EngineRoom) -> None:
    room.gateway.answers.append(Refused("not_enough_balance", "not enough balance / allowance"))
    intent = an_intent()

    done = room.execute(intent)

    assert (done.status, done.result) == (IntentStatus.FAILED, "not_enough_balance")
    assert room.order(intent).status is OrderStatus.REFUSED
    assert room.order(intent).detail == "not enough balance / allowance"
    assert room.stores.orders.reserved_pusd() == ZERO


def test_no_answer_is_not_a_refusal(room: EngineRoom) -> None:
    room.gateway.answers.append(Unknown("no answer within 10 s"))
    intent = an_intent()

    done = room.execute(intent)

    assert done.status is IntentStatus.EXECUTING
    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert room.stores.orders.reserved_pusd() == intent.max_cost
    assert len(room.gateway.sent) == 1


def test_an_unknown_order_blocks_openings_in_its_market(room: EngineRoom) -> None:
    room.gateway.answers.append(Unknown("no answer within 10 s"))
    room.execute(an_intent())

    done = room.execute(an_intent(asset_id=AssetId("2"), outcome_label="No"))

    assert (done.status, done.result) == (IntentStatus.FAILED, "market_blocked")
    assert len(room.gateway.signed) == 1


def test_an_answer_about_another_order_stops_everything(room: EngineRoom) -> None:
    room.gateway.answers.append(Unknown("the answer names 0xdead", foreign_id=True))
    intent = an_intent()

    room.execute(intent)

    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert stance_of(room.stores.switches.list()) is Stance.HALTED
    assert room.executor.stopped is not None


# -- one copy ----------------------------------------------------------------------------------


def test_a_connection_that_never_came_about_is_tried_again_with_the_same_bytes(room: EngineRoom) -> None:
    room.gateway.answers.extend([NotSent("refused"), NotSent("refused")])
    intent = an_intent()

    done = room.execute(intent)

    assert done.status is IntentStatus.EXECUTED
    assert len(room.gateway.signed) == 1
    assert room.gateway.sent == [room.order_id(intent)]


def test_it_is_not_tried_past_the_budget_of_one_send(room: EngineRoom) -> None:
    room.gateway.answers.extend([NotSent("refused")] * 1_000)
    intent = an_intent()
    before = room.clock.now()

    done = room.execute(intent)

    assert (done.status, done.result) == (IntentStatus.FAILED, "not_sent")
    assert room.order(intent).status is OrderStatus.REFUSED
    assert (room.clock.now() - before).total_seconds() <= 10
    assert room.stores.orders.reserved_pusd() == ZERO


def test_it_is_not_tried_past_execute_by(room: EngineRoom) -> None:
    intent = an_intent()
    room.approve(intent)
    room.advance(seconds=57)
    room.gateway.answers.extend([NotSent("refused")] * 1_000)

    done = room.executor.execute(intent.id)

    assert done.result == "not_sent"
    assert done.execute_by is not None
    assert room.clock.now() <= done.execute_by


def test_a_process_that_was_suspended_after_signing_sends_nothing(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit = room.stores.intents.permit

    def permit_then_sleep(*args: Any, **kwargs: Any) -> OrderRecord | Denied:
        permitted = permit(*args, **kwargs)
        room.clock.advance(seconds=11)
        return permitted

    monkeypatch.setattr(room.stores.intents, "permit", permit_then_sleep)
    intent = an_intent()

    done = room.execute(intent)

    assert (done.status, done.result) == (IntentStatus.FAILED, "not_sent")
    assert room.gateway.sent == []


def test_a_trip_between_two_tries_ends_them(room: EngineRoom) -> None:
    def trip_and_refuse(_prepared: PreparedOrder) -> SendOutcome:
        room.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="enough")
        return NotSent("refused")

    room.gateway.answers.append(trip_and_refuse)

    done = room.execute(an_intent())

    assert (done.status, done.result) == (IntentStatus.FAILED, "halted")
    assert room.gateway.sent == []


def test_after_any_byte_may_have_left_nothing_is_sent_again(room: EngineRoom) -> None:
    room.gateway.answers.extend([NotSent("refused"), Unknown("reset")])
    intent = an_intent()

    room.execute(intent)
    room.executor.execute(intent.id)

    assert len(room.gateway.sent) == 1
    assert room.order(intent).status is OrderStatus.UNKNOWN


# -- what stops it -----------------------------------------------------------------------------


def test_what_was_approved_too_long_ago_is_never_sent(room: EngineRoom) -> None:
    intent = an_intent()
    record = room.approve(intent)
    assert record.execute_by is not None
    room.clock.advance(seconds=(record.execute_by - room.clock.now()).total_seconds())

    room.executor.execute(intent.id)

    assert room.status(intent) is IntentStatus.EXPIRED
    assert room.gateway.signed == []


def test_a_tripped_switch_stops_an_approved_opening(room: EngineRoom) -> None:
    intent = an_intent()
    room.approve(intent)
    room.stores.switches.trip(KillSwitchType.DRAWDOWN, actor="engine:risk", reason="down 16%")

    room.executor.execute(intent.id)

    assert room.status(intent) is IntentStatus.REJECTED
    assert room.gateway.signed == []


def test_a_trip_between_claim_and_permit_stops_it_too(room: EngineRoom) -> None:
    intent = an_intent()
    room.approve(intent)
    fresh_book = room.books.fresh_book

    def trip_first(asset_id: AssetId) -> object:
        # After the controls were read: the permit has to see it by itself.
        return fresh_book(asset_id)

    room.books.fresh_book = trip_first  # type: ignore[method-assign, assignment]
    prepare = room.gateway.prepare

    def trip_then_sign(*args: object) -> PreparedOrder:
        room.stores.switches.trip(KillSwitchType.STALE_DATA, actor="engine:risk", reason="74 s old")
        return prepare(*args)  # type: ignore[arg-type]

    room.gateway.prepare = trip_then_sign  # type: ignore[method-assign, assignment]

    done = room.executor.execute(intent.id)

    assert (done.status, done.result) == (IntentStatus.FAILED, "halted")
    assert room.gateway.sent == []
    assert room.stores.orders.reserved_pusd() == ZERO


def test_a_reducing_switch_lets_a_close_through_and_a_halt_does_not(room: EngineRoom) -> None:
    room.stores.switches.trip(KillSwitchType.DRAWDOWN, actor="engine:risk", reason="down 16%")
    sold = a_sale()
    assert room.execute(sold).status is IntentStatus.EXECUTED

    kept = a_sale(asset_id=AssetId("9"))
    room.approve(kept)
    room.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="enough")
    room.executor.execute(kept.id)

    assert room.gateway.sent == [room.order_id(sold)]
    assert room.status(kept) not in (IntentStatus.EXECUTED, IntentStatus.EXECUTING)


def test_a_close_of_unknown_fate_raises_an_alarm(room: EngineRoom) -> None:
    room.gateway.answers.append(Unknown("no answer within 10 s"))

    with capture_logs() as logged:
        room.execute(a_sale())

    alarms = [line for line in logged if line["event"] == "order.unknown" and line["log_level"] == "error"]
    assert [alarm["intent_type"] for alarm in alarms] == [IntentType.CLOSE_POSITION]
    assert room.stores.orders.reserved_shares(a_sale().asset_id) == Decimal(20)


def test_the_halt_file_stops_it_when_the_database_cannot(room: EngineRoom) -> None:
    room.halted_by_file = True
    intent = an_intent()

    done = room.execute(intent)

    assert (done.status, done.result) == (IntentStatus.FAILED, "halted")
    assert room.gateway.signed == []


def test_the_halt_file_is_looked_at_once_more_right_before_the_send(room: EngineRoom) -> None:
    prepare = room.gateway.prepare

    def halt_then_sign(*args: object) -> PreparedOrder:
        room.halted_by_file = True
        return prepare(*args)  # type: ignore[arg-type]

    room.gateway.prepare = halt_then_sign  # type: ignore[method-assign, assignment]
    intent = an_intent()

    done = room.execute(intent)

    assert (done.status, done.result) == (IntentStatus.FAILED, "halted")
    assert room.gateway.sent == []
    assert room.order(intent).status is OrderStatus.REFUSED


def test_a_wall_clock_that_was_set_blocks_permits_and_says_so(room: EngineRoom) -> None:
    intent = an_intent()
    room.approve(intent)
    room.clock.jump_wall(seconds=2.5)

    done = room.executor.execute(intent.id)

    assert (done.status, done.result) == (IntentStatus.FAILED, "clock_jumped")
    assert "set forward by 2.5 s" in done.result_detail
    assert room.gateway.signed == []


def test_a_machine_that_slept_is_not_a_clock_that_was_set(room: EngineRoom) -> None:
    room.advance(minutes=45)

    assert room.execute(an_intent(created_at=room.clock.now())).status is IntentStatus.EXECUTED


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("price_worse", lambda room: setattr(room.books, "book", a_book("0.51", "0.52"))),
        ("depth_thin", lambda room: setattr(room.books, "book", a_book(shares="19"))),
        ("book_stale", lambda room: setattr(room.books, "age_seconds", 2.5)),
        ("no_fresh_book", lambda room: setattr(room.books, "book", None)),
        ("not_tradable", lambda room: setattr(room.situation, "market", _closed(room))),
        ("clock_skew", lambda room: room.situation.changes.update(clock_skew_seconds=None)),
        ("balance_unknown", lambda room: setattr(room.situation, "limits", wide_limits(spendable_pusd=None))),
    ],
)
def test_a_control_that_does_not_pass_fails_the_intent_with_its_code(
    room: EngineRoom, code: str, spoil: Callable[[EngineRoom], object]
) -> None:
    spoil(room)

    done = room.execute(an_intent())

    assert (done.status, done.result) == (IntentStatus.FAILED, code)
    assert room.gateway.signed == []
    assert room.stores.orders.reserved_pusd() == ZERO


def test_the_journal_keeps_value_and_limit_of_every_control_that_did_not_pass(room: EngineRoom) -> None:
    room.books.book = a_book("0.51", "0.56")

    done = room.execute(an_intent())

    told = room.stores.engine.latest_entry(done.id)
    assert told is not None
    assert told.kind == "intent.failed"
    assert json.loads(told.payload)["controls"] == [
        {"name": "price_worse", "value": "56¢", "limit": "50¢ or less"},
        {"name": "price_collar", "value": "50¢", "limit": "53.5¢ ± 3¢"},
        {"name": "spread_wide", "value": "5¢", "limit": "3¢"},
        {"name": "depth_thin", "value": "20.00", "limit": "0.00"},
    ]


def test_a_price_that_moved_away_is_told_with_both_prices(room: EngineRoom) -> None:
    room.books.book = a_book("0.51", "0.52")

    done = room.execute(an_intent())

    assert "You allowed 50¢ or less; the best offer is 52¢." in done.result_detail
    assert done.result_detail.startswith("Nothing was signed or sent.")


def test_two_orders_cannot_both_take_the_last_of_the_money(room: EngineRoom) -> None:
    room.situation.limits = replace(room.situation.limits, spendable_pusd=Pusd(Decimal(15)))
    room.gateway.answers.append(Accepted(AcceptedStatus.LIVE, ()))
    room.execute(an_intent())

    done = room.execute(an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32)))

    assert (done.status, done.result) == (IntentStatus.FAILED, "balance_too_low")
    assert len(room.gateway.sent) == 1


def test_an_intent_of_another_regime_is_refused(tmp_path: Path) -> None:
    room = EngineRoom(tmp_path, regime=Regime.DRY_RUN)
    dry = an_intent(regime=Regime.DRY_RUN)
    room.approve(dry)

    room.regime = Regime.LIVE
    room.restart()
    done = room.executor.execute(dry.id)

    assert (done.status, done.result) == (IntentStatus.FAILED, "wrong_regime")
    assert room.gateway.signed == []


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "EXPIRED", "EXECUTED", "FAILED"])
def test_only_an_approved_intent_is_executed(room: EngineRoom, status: str) -> None:
    intent = an_intent()
    room.propose(intent)
    match status:
        case "REJECTED":
            room.stores.intents.reject(intent.id, actor="user:anna", reason="no")
        case "EXPIRED":
            room.stores.intents.expire(intent.id, actor="user:anna")
        case "EXECUTED" | "FAILED":
            if status == "FAILED":
                room.gateway.answers.append(NoFill("no match"))
            room.stores.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
            room.executor.execute(intent.id)
    before = list(room.gateway.sent)

    after = room.executor.execute(intent.id)

    assert after.status == status
    assert room.gateway.sent == before


# -- dry run -----------------------------------------------------------------------------------


def test_a_fill_between_the_look_at_the_limits_and_the_claim_asks_for_another_look(room: EngineRoom) -> None:
    room.execute(an_intent())  # its fill is stored
    fresh = room.situation.limits
    looks: list[IntentId] = []

    def look(intent: TradeIntent) -> ClaimLimits:
        looks.append(intent.id)
        return replace(fresh, as_of=0) if len(looks) < 3 else fresh

    room.situation.claim_limits = look  # type: ignore[method-assign]
    done = room.execute(an_intent(condition_id=ConditionId("0x77"), asset_id=AssetId("77")))

    assert len(looks) == 3
    assert done.status is IntentStatus.EXECUTED


def test_a_dry_run_notes_what_the_book_would_have_filled_and_signs_nothing(tmp_path: Path) -> None:
    room = EngineRoom(tmp_path, regime=Regime.DRY_RUN)

    done = room.execute(an_intent(regime=Regime.DRY_RUN))

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "dry_run")
    assert "The book would have filled 20.83 YES at 48¢ for 10.10 pUSD." in done.result_detail
    assert room.gateway.signed == []
    assert room.stores.orders.orders() == ()


def test_a_dry_run_executor_cannot_be_given_a_way_to_send(room: EngineRoom) -> None:
    with pytest.raises(ConfigurationError):
        LiveExecutor(
            room.stores,
            room.lease,
            gateway=room.gateway,
            books=room.books,
            situation=room.situation,
            clock=room.clock,
            settings=ExecutorSettings(Regime.DRY_RUN),
            halt_file=lambda: False,
            in_flight=InFlight(),
            spool=room.spool,
            anchor=room.anchor.advance,
        )


def test_a_dry_run_row_never_becomes_an_order_whatever_is_configured_later(tmp_path: Path) -> None:
    room = EngineRoom(tmp_path, regime=Regime.DRY_RUN)
    executed, waiting = (
        an_intent(regime=Regime.DRY_RUN),
        an_intent(regime=Regime.DRY_RUN, asset_id=AssetId("5")),
    )
    room.execute(executed)
    room.approve(waiting)

    room.regime = Regime.LIVE
    room.restart()
    dispatcher = room.dispatcher()
    dispatcher.run_due()
    dispatcher.close()
    room.executor.execute(executed.id)

    assert room.gateway.signed == []
    assert room.gateway.sent == []
    assert room.stores.orders.orders() == ()


# -- cancels -----------------------------------------------------------------------------------


def a_resting_order(room: EngineRoom) -> TradeIntent:
    """20 shares at 50¢, in the book."""
    resting = an_intent(
        order_type=OrderType.GTC, amount=None, shares=Decimal(20), least_shares=None, post_only=True
    )
    room.execute(resting)
    assert room.order(resting).status is OrderStatus.LIVE
    return resting


def test_a_cancel_takes_the_order_back_and_frees_its_money(room: EngineRoom) -> None:
    resting = a_resting_order(room)

    done = room.execute(a_cancel(room.order(resting).id))

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "cancelled")
    assert room.order(resting).status is OrderStatus.CANCELLED
    assert room.stores.orders.reserved_pusd() == ZERO


def test_a_cancel_passes_every_switch_and_a_stopped_process(room: EngineRoom) -> None:
    resting = a_resting_order(room)
    room.stores.switches.trip(KillSwitchType.MANUAL, actor="user:bob", reason="enough")
    room.halted_by_file = True
    room.clock.jump_wall(seconds=30)

    def unreadable(_intent: TradeIntent) -> ClaimLimits:
        raise VenueUnreachableError("The balance could not be read.")

    room.situation.claim_limits = unreadable  # type: ignore[method-assign, assignment]

    done = room.execute(a_cancel(room.order(resting).id, created_at=room.clock.now()))

    assert done.result == "cancelled"


def test_a_cancel_without_an_answer_is_sent_again(room: EngineRoom) -> None:
    resting = a_resting_order(room)
    cancel = a_cancel(room.order(resting).id)
    room.gateway.down = True
    assert room.execute(cancel).status is IntentStatus.EXECUTING

    room.gateway.down = False
    room.restart()
    done = room.executor.execute(cancel.id)

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "cancelled")


def test_a_cancel_of_an_order_that_ended_says_so(room: EngineRoom) -> None:
    bought = an_intent()
    room.execute(bought)
    room.gateway.settle_trades()

    done = room.execute(a_cancel(room.order(bought).id))

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "already_ended")
    assert room.order(bought).status is OrderStatus.FILLED


def test_a_cancel_of_somebody_elses_order_is_not_sent(room: EngineRoom) -> None:
    done = room.execute(a_cancel(OrderId("0x" + "77" * 32)))

    assert (done.status, done.result) == (IntentStatus.FAILED, "foreign_order")
    assert room.gateway.cancels == []


def test_a_cancel_in_dry_run_is_noted_and_not_sent(tmp_path: Path) -> None:
    room = EngineRoom(tmp_path, regime=Regime.DRY_RUN)

    done = room.execute(a_cancel(OrderId("0x" + "77" * 32), regime=Regime.DRY_RUN))

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "dry_run")
    assert room.gateway.cancels == []


# -- crashes -----------------------------------------------------------------------------------


def crossings(folder: Path) -> list[str]:
    """Every call between an approval and its end that passes a part of the engine."""
    wire = Tripwire()
    room = EngineRoom(folder)
    room.start(wire)
    intent = an_intent()
    room.approve(intent)
    wire.calls.clear()
    room.executor.execute(intent.id)
    return list(wire.calls)


@pytest.mark.parametrize("reply_lost", [False, True], ids=["answered", "reply-lost"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_leaves_one_order_at_most_and_never_a_wrong_belief(
    tmp_path: Path, after: bool, reply_lost: bool
) -> None:
    calls = crossings(tmp_path / "count")
    assert {"intents.claim", "intents.permit", "gateway.send", "orders.settle"} <= set(calls)

    for at in range(1, len(calls) + 1):
        where = f"{'after' if after else 'before'} call {at}, {calls[at - 1]}"
        room = EngineRoom(tmp_path / f"{at}")
        intent = an_intent()
        room.approve(intent)
        if reply_lost:
            room.gateway.answers.append(room.gateway.take_and_lose_the_reply)
        room.start(Tripwire(at=at, after=after))
        with suppress(CrashError):
            room.executor.execute(intent.id)
        sent_before = len(room.gateway.sent)

        report = room.restart()
        if room.status(intent) is IntentStatus.APPROVED:  # nothing had begun; the new process may send it
            assert sent_before == 0, where
            room.executor.execute(intent.id)
        room.reconciler.run()

        assert report.ok, (where, report)
        assert len(room.gateway.sent) <= 1, where
        _check_belief(room, intent.id, where)


def _check_belief(room: EngineRoom, intent_id: IntentId, where: str) -> None:
    """What is stored agrees with what happened, or says that it is not known and keeps the money."""
    record = room.stores.intents.get(intent_id)
    if room.gateway.sent:
        assert record.order_id == room.gateway.sent[0], where
        assert record.status is IntentStatus.EXECUTED, where
        order = room.stores.orders.order(record.order_id)
        assert order.status is OrderStatus.MATCHED, where
        assert order.filled_shares == Decimal("20.833333"), where
    elif record.order_id is None:
        assert record.status is IntentStatus.FAILED, where
        assert record.result == "interrupted", where
        assert room.stores.orders.reserved_pusd() == ZERO, where
    else:
        assert room.stores.orders.order(record.order_id).status is OrderStatus.UNKNOWN, where
        assert record.status is IntentStatus.EXECUTING, where
        assert room.stores.orders.reserved_pusd() == record.intent.max_cost, where


def test_a_reply_lost_after_acceptance_is_found_by_asking(room: EngineRoom) -> None:
    room.gateway.answers.append(room.gateway.take_and_lose_the_reply)
    room.gateway.down = True
    intent = an_intent()
    room.execute(intent)
    assert room.order(intent).status is OrderStatus.UNKNOWN

    room.gateway.down = False
    report = room.reconciler.run()

    assert report.ok
    assert report.unresolved == ()
    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.status(intent) is IntentStatus.EXECUTED
    assert len(room.gateway.sent) == 1


def test_an_answer_that_cannot_be_written_stops_further_sends(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = room.stores.orders.settle

    def full(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("The database is full.")

    monkeypatch.setattr(room.stores.orders, "settle", full)
    room.gateway.down = True  # nothing can be read back either
    first, second = an_intent(), an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    room.execute(first)
    assert room.order(first).status is OrderStatus.SIGNED

    monkeypatch.setattr(room.stores.orders, "settle", settle)
    room.execute(second)

    assert room.status(second) is IntentStatus.APPROVED
    assert len(room.gateway.sent) == 1
    assert "could not be written" in (room.executor.stopped or "")


def test_it_stops_also_what_was_claimed_and_not_yet_permitted(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = an_intent(), an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    room.approve(first)
    room.approve(second)
    prepare = room.gateway.prepare

    def full(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("The database is full.")

    def send_the_first_meanwhile(*args: object) -> PreparedOrder:
        monkeypatch.setattr(room.gateway, "prepare", prepare)
        monkeypatch.setattr(room.stores.orders, "settle", full)
        room.executor.execute(first.id)
        return prepare(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(room.gateway, "prepare", send_the_first_meanwhile)

    done = room.executor.execute(second.id)

    assert (done.status, done.result) == (IntentStatus.FAILED, "stopped")
    assert room.gateway.sent == [room.order_id(first)]


def test_a_stop_reaches_what_was_permitted_and_has_not_left(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = an_intent(), an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    room.approve(first)
    room.approve(second)

    def full(*_args: object, **_kwargs: object) -> None:
        raise DatabaseError("The database is full.")

    def stop_meanwhile(_prepared: PreparedOrder) -> SendOutcome:
        with monkeypatch.context() as patch:
            patch.setattr(room.stores.orders, "settle", full)
            room.executor.execute(first.id)
        return NotSent("refused")

    room.gateway.answers.append(stop_meanwhile)

    done = room.executor.execute(second.id)

    assert (done.status, done.result) == (IntentStatus.FAILED, "stopped")
    assert room.gateway.sent == [room.order_id(first)]


def test_two_executors_send_once(room: EngineRoom) -> None:
    """The one that lost its lease may be anywhere between claim and send."""
    intent = an_intent()
    room.approve(intent)
    old = room.executor
    prepare = room.gateway.prepare

    def take_over_then_sign(*args: object) -> PreparedOrder:
        room.gateway.prepare = prepare  # type: ignore[method-assign]
        room.restart()
        room.executor.execute(intent.id)
        return prepare(*args)  # type: ignore[arg-type]

    room.gateway.prepare = take_over_then_sign  # type: ignore[method-assign, assignment]
    with pytest.raises(LeaseLostError):
        old.execute(intent.id)

    assert room.gateway.sent == []
    record = room.stores.intents.get(intent.id)
    assert record.result == "interrupted"
    assert record.result_detail == "It was interrupted before its order was permitted. Nothing was sent."


# -- the dispatcher ----------------------------------------------------------------------------


@pytest.fixture
def hanging(room: EngineRoom) -> Iterator[tuple[Event, Event]]:
    """The first send hangs until the test lets it go."""
    begun, let_go = Event(), Event()

    def hang(prepared: PreparedOrder) -> SendOutcome:
        begun.set()
        assert let_go.wait(10)
        return room.gateway.take(prepared)

    room.gateway.answers.append(hang)
    yield begun, let_go
    let_go.set()


def test_one_hanging_send_starves_nobody_but_its_own_market(
    room: EngineRoom, hanging: tuple[Event, Event]
) -> None:
    begun, let_go = hanging
    first = an_intent()
    same_market = a_sale(asset_id=AssetId("2"), outcome_label="No")
    elsewhere = an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    dispatcher = room.dispatcher()
    room.approve(first)
    assert dispatcher.run_due() == 1
    assert begun.wait(10)

    room.approve(same_market)
    room.approve(elsewhere)
    assert dispatcher.run_due() == 1
    until = Thread(target=lambda: _wait_for(room, elsewhere.id))
    until.start()
    until.join(10)

    assert room.status(elsewhere) is IntentStatus.EXECUTED
    assert room.status(same_market) is IntentStatus.APPROVED
    assert room.status(first) is IntentStatus.EXECUTING
    let_go.set()
    assert dispatcher.wait_idle(10)
    assert dispatcher.run_due() == 1
    dispatcher.close()
    assert room.status(same_market) is IntentStatus.EXECUTED


def _wait_for(room: EngineRoom, intent_id: IntentId) -> None:
    pause = Event()
    while room.stores.intents.get(intent_id).status in WAITING:
        pause.wait(0.01)


def test_reconciliation_leaves_an_order_to_the_thread_that_sends_it(
    room: EngineRoom, hanging: tuple[Event, Event]
) -> None:
    begun, let_go = hanging
    intent = an_intent()
    room.approve(intent)
    dispatcher = room.dispatcher()
    dispatcher.run_due()
    assert begun.wait(10)

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.SIGNED
    let_go.set()
    dispatcher.close()
    assert room.order(intent).status is OrderStatus.MATCHED


def test_the_oldest_decision_goes_first(room: EngineRoom) -> None:
    late, early = an_intent(), an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    room.propose(late)
    room.approve(early)
    room.clock.advance(seconds=1)
    room.stores.intents.approve(late.id, digest=late.digest, actor="user:anna", grace_seconds=10)
    dispatcher = room.dispatcher(workers=1)

    assert dispatcher.run_due() == 2
    dispatcher.close()

    assert room.gateway.sent == [room.order_id(early), room.order_id(late)]


def test_while_records_do_not_agree_only_cancels_are_begun(room: EngineRoom) -> None:
    resting = a_resting_order(room)
    cancel, opening = a_cancel(room.order(resting).id), an_intent(asset_id=AssetId("5"))
    room.approve(cancel)
    room.approve(opening)
    dispatcher = room.dispatcher()

    assert dispatcher.run_due(trading=False) == 1
    dispatcher.close()

    assert room.status(cancel) is IntentStatus.EXECUTED
    assert room.status(opening) is IntentStatus.APPROVED


def test_a_thread_that_meets_a_fault_hurts_no_other_intent(room: EngineRoom) -> None:
    broken, fine = an_intent(), an_intent(asset_id=AssetId("5"), condition_id=ConditionId("0x" + "cd" * 32))
    context = room.situation.control_context

    def fail_for_broken(intent: object, book: object) -> object:
        if getattr(intent, "id", None) == broken.id:
            raise RuntimeError("a fault of ours")
        return context(intent, book)  # type: ignore[arg-type]

    room.situation.control_context = fail_for_broken  # type: ignore[method-assign, assignment]
    room.approve(broken)
    room.approve(fine)
    dispatcher = room.dispatcher()
    with capture_logs() as logged:
        dispatcher.run_due()
        dispatcher.close()

    assert [(entry["event"], entry["intent_id"]) for entry in logged if entry["log_level"] == "error"] == [
        ("executor.failed", broken.id)
    ]
    assert room.status(fine) is IntentStatus.EXECUTED
    room.reconciler.run()
    ended = room.stores.intents.get(broken.id)
    assert ended.result == "interrupted"
    assert "engine" not in ended.result_detail  # it runs on: only this one was broken off


def test_a_claim_that_names_no_call_is_not_approved(room: EngineRoom) -> None:
    claim = an_intent(
        intent_type=IntentType.CLAIM_SETTLEMENT,
        side=None,
        order_type=None,
        worst_price=None,
        amount=None,
        shares=Decimal(20),
        least_shares=None,
        max_cost=None,
    )
    room.propose(claim)

    with pytest.raises(Exception, match="does not say what would be called"):
        room.stores.intents.approve(claim.id, digest=claim.digest, actor="user:anna", grace_seconds=10)


def _closed(room: EngineRoom) -> object:
    return replace(room.situation.market, accepting_orders=False)


def a_sale(**changes: Any) -> TradeIntent:
    """20 shares at 45¢ or more, near enough to the bid of 47¢."""
    return a_close(worst_price=Decimal("0.45"), **changes)


def test_a_sale_is_bounded_by_shares(room: EngineRoom) -> None:
    sold = a_sale()

    assert room.execute(sold).status is IntentStatus.EXECUTED

    order = room.order(sold)
    assert (order.side, order.shares, order.filled_shares) == (Side.SELL, Decimal(20), Decimal(20))
