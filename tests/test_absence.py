"""That an order does not exist is inferred late, twice, and never against anything positive."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, TradeId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.execution.end_of_watch import ASK_SECONDS, LATE_SECONDS, PROOF_SECONDS
from polyb0t.execution.gateway import (
    Accepted,
    AcceptedStatus,
    NotFound,
    PreparedOrder,
    SendOutcome,
    Unknown,
    Unreadable,
)
from polyb0t.execution.intents import IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.outcome import order_outcome
from polyb0t.execution.reconciler import ReconcileReport
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of
from polyb0t.runtime.taking_back import take_back_if_halted
from tests.support.builders import an_intent
from tests.support.engine_room import EngineRoom
from tests.support.fake_gateway import LOST_REPLY


@pytest.fixture
def room(tmp_path: Path) -> EngineRoom:
    return EngineRoom(tmp_path)


def a_resting(**changes: Any) -> TradeIntent:
    content: dict[str, Any] = {"order_type": OrderType.GTC, "amount": None, "post_only": True}
    return an_intent(**{**content, "shares": Shares(Decimal(20)), "least_shares": None, **changes})


def lost(room: EngineRoom, intent: TradeIntent | None = None) -> TradeIntent:
    """Sent, never answered, and it never arrived."""
    room.gateway.answers.append(Unknown(LOST_REPLY))
    sent = intent or an_intent()
    room.execute(sent)
    assert room.order(sent).status is OrderStatus.UNKNOWN
    return sent


def hidden(room: EngineRoom, intent: TradeIntent | None = None) -> TradeIntent:
    """Sent, accepted, never answered; reads do not show it yet."""
    sent = intent or an_intent()
    room.gateway.hidden.add(room.gateway.order_id(sent))
    room.gateway.answers.append(room.gateway.take_and_lose_the_reply)
    room.execute(sent)
    return sent


def a_pass(room: EngineRoom, *, after: float) -> ReconcileReport:
    room.advance(seconds=after)
    return room.reconciler.run()


def proven(room: EngineRoom) -> ReconcileReport:
    """Long enough for every proof."""
    a_pass(room, after=61)
    return a_pass(room, after=10)


def test_two_rounds_after_the_delay_prove_that_it_was_never_accepted(room: EngineRoom) -> None:
    intent = lost(room)

    a_pass(room, after=61)
    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert room.stores.orders.reserved_pusd() == intent.max_cost
    report = a_pass(room, after=10)

    order = room.order(intent)
    assert order.status is OrderStatus.ABSENT
    assert order.signed_order is None  # signed bytes are a bearer instrument
    assert report.unresolved == ()
    record = room.stores.intents.get(intent.id)
    assert (record.status, record.result) == (IntentStatus.FAILED, "absent")
    assert room.stores.orders.reserved_pusd() == ZERO
    assert len(room.gateway.sent) == 1


def test_no_round_counts_that_was_begun_before_the_delay(room: EngineRoom) -> None:
    intent = lost(room)

    for _ in range(5):
        a_pass(room, after=11)  # the last of them 55 s after the header's time
    assert "60 s" in room.order(intent).detail
    a_pass(room, after=6)

    assert room.order(intent).status is OrderStatus.UNKNOWN


def test_a_round_counts_from_the_moment_at_which_it_was_begun(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order may arrive while a round is being read, after the read that would have shown it."""
    intent = lost(room)
    listed = room.gateway.open_orders

    def slowly() -> object:
        room.advance(seconds=8)
        return listed()

    monkeypatch.setattr(room.gateway, "open_orders", slowly)
    a_pass(room, after=55)  # begun after 55 s, over after 63 s
    a_pass(room, after=5)
    assert room.order(intent).status is OrderStatus.UNKNOWN
    a_pass(room, after=5)
    assert room.order(intent).status is OrderStatus.ABSENT


def test_two_rounds_closer_than_their_distance_are_one(room: EngineRoom) -> None:
    intent = lost(room)

    a_pass(room, after=61)
    for _ in range(9):
        a_pass(room, after=1)

    assert room.order(intent).status is OrderStatus.UNKNOWN


@pytest.mark.parametrize("method", ["open_orders", "market_fills", "control_read", "lookup"])
def test_a_round_of_which_any_read_failed_proves_nothing(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    intent = lost(room)

    def unreachable(*_args: object) -> NoReturn:
        raise VenueUnreachableError("The exchange did not answer.")

    failing = (lambda _order_id: Unreadable("425")) if method == "lookup" else unreachable
    with monkeypatch.context() as patch:
        patch.setattr(room.gateway, method, failing)
        for _ in range(3):
            a_pass(room, after=61)
    assert room.order(intent).status is OrderStatus.UNKNOWN

    a_pass(room, after=61)
    assert room.order(intent).status is OrderStatus.UNKNOWN  # the first that counts
    a_pass(room, after=10)
    assert room.order(intent).status is OrderStatus.ABSENT


def test_other_credentials_see_nothing_and_prove_nothing(room: EngineRoom) -> None:
    intent = lost(room)
    room.gateway.credential_id = "another"

    for _ in range(5):
        a_pass(room, after=61)

    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert "credentials" in room.order(intent).detail


def test_a_clock_that_was_set_forward_hurries_nothing(room: EngineRoom) -> None:
    intent = lost(room)
    room.reconciler.run()  # the process has seen it

    room.clock.jump_wall(seconds=3_600)
    a_pass(room, after=11)
    a_pass(room, after=11)

    assert room.order(intent).status is OrderStatus.UNKNOWN


def test_a_new_process_begins_its_rounds_anew(room: EngineRoom) -> None:
    intent = lost(room)
    a_pass(room, after=61)

    room.advance(seconds=10)
    room.restart()
    assert room.order(intent).status is OrderStatus.UNKNOWN

    a_pass(room, after=10)
    assert room.order(intent).status is OrderStatus.ABSENT


@pytest.mark.parametrize("sees", ["open_orders", "market_fills"])
def test_anything_positive_in_a_round_beats_not_found_by_id(room: EngineRoom, sees: str) -> None:
    intent = a_resting() if sees == "open_orders" else an_intent()
    room.gateway.answers.append(room.gateway.take_and_lose_the_reply)
    room.gateway.lookup = lambda order_id: Unreadable("503")  # type: ignore[method-assign]
    room.execute(intent)
    room.gateway.lookup = lambda order_id: NotFound()  # type: ignore[method-assign]

    proven(room)
    a_pass(room, after=61)

    expected = OrderStatus.LIVE if sees == "open_orders" else OrderStatus.MATCHED
    assert room.order(intent).status is expected
    assert room.status(intent) is IntentStatus.EXECUTED


def test_later_evidence_beats_a_proof_of_absence_and_everybody_hears_of_it(room: EngineRoom) -> None:
    intent = hidden(room)
    proven(room)
    assert room.order(intent).status is OrderStatus.ABSENT
    assert room.status(intent) is IntentStatus.FAILED

    room.gateway.hidden.clear()
    report = a_pass(room, after=60)

    order = room.order(intent)
    assert order.status is OrderStatus.MATCHED
    assert order.filled_shares == Decimal("20.833333")
    assert room.status(intent) is IntentStatus.EXECUTED
    assert any("taken for never accepted" in alert for alert in report.alerts)
    kinds = [entry.kind for entry in room.stores.engine.journal(subject=order.id)]
    assert kinds.count("order.reappeared") == 1


def test_what_reappears_as_open_has_its_money_reserved_again(room: EngineRoom) -> None:
    intent = hidden(room, a_resting())
    proven(room)
    assert room.stores.orders.reserved_pusd() == ZERO

    room.gateway.hidden.clear()
    room.reconciler.follow(room.order_id(intent))  # a hint of the user socket

    assert room.order(intent).status is OrderStatus.LIVE
    assert room.stores.orders.reserved_pusd() == intent.max_cost


def test_an_absent_identity_is_watched_until_its_market_has_resolved(room: EngineRoom) -> None:
    """Its end date alone says nothing: a market may stay open for weeks after it."""
    intent = lost(room)
    proven(room)
    room.clock.advance(minutes=60 * 24 * 30)  # its end date was in 20 days
    room.restart()
    asked = len(room.gateway.lookups)
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)
    a_pass(room, after=LATE_SECONDS)
    assert len(room.gateway.lookups) == asked + 2
    a_pass(room, after=60)
    assert len(room.gateway.lookups) == asked + 2


def test_a_fill_that_shows_late_after_the_resolution_is_still_found(room: EngineRoom) -> None:
    intent = hidden(room)
    proven(room)
    assert room.order(intent).status is OrderStatus.ABSENT
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)
    room.gateway.hidden.clear()
    a_pass(room, after=LATE_SECONDS)
    assert room.order(intent).filled_shares > ZERO


def unproven(room: EngineRoom) -> TradeIntent:
    """Sent with credentials that are gone: nothing can be proven of it, in either direction."""
    intent = lost(room)
    room.gateway.credential_id = "another"
    a_pass(room, after=120)
    assert room.order(intent).status is OrderStatus.UNKNOWN
    return intent


def test_an_unproven_identity_is_not_given_up_while_its_market_may_be_open(room: EngineRoom) -> None:
    intent = unproven(room)

    room.clock.advance(minutes=60 * 24 * 60)
    room.restart()
    a_pass(room, after=LATE_SECONDS)

    assert room.order(intent).status is OrderStatus.UNKNOWN
    assert room.stores.orders.reserved_pusd() == intent.max_cost


def test_a_resolution_that_cannot_be_read_gives_nothing_up(room: EngineRoom) -> None:
    intent = unproven(room)
    room.resolved.add(intent.asset_id)
    room.gateway.down = True
    a_pass(room, after=ASK_SECONDS)
    a_pass(room, after=LATE_SECONDS)
    assert room.stores.orders.reserved_pusd() == intent.max_cost


def test_when_its_market_has_resolved_an_unproven_identity_ends_loudly_and_frees_its_money(
    room: EngineRoom,
) -> None:
    intent = unproven(room)
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)
    assert room.stores.orders.reserved_pusd() == intent.max_cost  # what traded before may still show

    room.advance(seconds=LATE_SECONDS)
    report = room.reconciler.run()

    assert (room.order(intent).status, room.status(intent)) == (OrderStatus.ABSENT, IntentStatus.FAILED)
    assert room.stores.intents.get(intent.id).result == "never_proven"
    assert room.stores.orders.reserved_pusd() == ZERO
    assert "never proven" in " ".join(report.alerts)
    kinds = [entry.kind for entry in room.stores.engine.journal(subject=room.order_id(intent))]
    assert "order.given_up" in kinds
    assert room.stores.engine.audit().findings == ()


# -- vanished ----------------------------------------------------------------------------------


def vanished(room: EngineRoom) -> TradeIntent:
    """It was in the book, and the exchange was restarted without it."""
    intent = a_resting()
    room.execute(intent)
    room.gateway.orders.clear()
    a_pass(room, after=10)
    assert room.order(intent).status is OrderStatus.VANISHED
    return intent


def test_a_vanished_order_keeps_its_money_until_rounds_prove_its_end(room: EngineRoom) -> None:
    intent = vanished(room)
    a_pass(room, after=55)
    a_pass(room, after=3)
    assert room.stores.orders.reserved_pusd() == intent.max_cost

    proven(room)

    order = room.order(intent)
    assert (order.status, order.signed_order) == (OrderStatus.ABSENT, None)
    assert room.stores.orders.reserved_pusd() == ZERO
    assert room.status(intent) is IntentStatus.EXECUTED  # it was accepted once; that stays true
    assert len(room.gateway.sent) == 1


def test_the_delay_of_a_vanished_order_begins_when_it_was_gone(room: EngineRoom) -> None:
    intent = a_resting()
    room.execute(intent)
    room.advance(minutes=10)
    room.gateway.orders.clear()
    room.reconciler.run()

    a_pass(room, after=20)
    a_pass(room, after=20)

    assert room.order(intent).status is OrderStatus.VANISHED


def test_an_order_that_filled_in_part_and_vanished_comes_to_its_end_too(room: EngineRoom) -> None:
    intent = a_resting(post_only=False)
    room.gateway.offered = Shares(Decimal(12))
    room.execute(intent)
    room.gateway.settle_trades()
    a_pass(room, after=5)
    room.gateway.orders.clear()
    a_pass(room, after=10)
    assert room.order(intent).status is OrderStatus.VANISHED

    proven(room)

    order = room.order(intent)
    assert (order.status, order.filled_shares) == (OrderStatus.ABSENT, Decimal(12))
    assert room.stores.orders.reserved_pusd() == ZERO
    assert order_outcome(intent, order) == "filled 12.00 of 20.00, rest vanished from the exchange"


def test_the_trades_of_an_order_that_matched_and_was_forgotten_are_found_in_its_market(
    room: EngineRoom,
) -> None:
    def take_and_forget(prepared: PreparedOrder) -> SendOutcome:
        outcome = room.gateway.take(prepared)
        room.gateway.orders.clear()
        return outcome

    intent = an_intent()
    room.gateway.answers.append(take_and_forget)
    room.execute(intent)
    assert room.order(intent).filled_shares == ZERO

    a_pass(room, after=5)

    assert room.order(intent).filled_shares == sum(fill.shares for fill in room.gateway.trades.values())


def matched_and_forgotten(room: EngineRoom, *, confirmed: bool = True) -> TradeIntent:
    """It took 12 of the 20 shares that it was signed for, and then the exchange knew nothing of it."""

    def take_and_forget(prepared: PreparedOrder) -> SendOutcome:
        outcome = room.gateway.take(prepared)
        room.gateway.orders.clear()
        return Accepted(AcceptedStatus.MATCHED, outcome.trade_ids if isinstance(outcome, Accepted) else ())

    intent = a_resting(post_only=False)
    room.gateway.offered = Shares(Decimal(12))
    room.gateway.answers.append(take_and_forget)
    room.execute(intent)
    if confirmed:
        room.gateway.settle_trades()
    a_pass(room, after=5)
    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.order(intent).filled_shares == Decimal(12)
    return intent


def the_rest(intent: TradeIntent) -> Decimal:
    return (intent.max_cost or ZERO) * 8 / 20


def test_what_matched_and_was_forgotten_keeps_the_money_of_its_rest_while_its_market_may_be_open(
    room: EngineRoom,
) -> None:
    intent = matched_and_forgotten(room)

    proven(room)
    a_pass(room, after=LATE_SECONDS + 86_400)

    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.stores.orders.reserved_pusd() == the_rest(intent)


def test_when_its_market_has_resolved_what_matched_and_was_forgotten_ends_by_proof_and_frees_its_rest(
    room: EngineRoom,
) -> None:
    intent = matched_and_forgotten(room)
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)
    a_pass(room, after=LATE_SECONDS - 60)
    assert room.stores.orders.reserved_pusd() == the_rest(intent)  # what traded before may still show

    a_pass(room, after=61)
    report = a_pass(room, after=10)

    order = room.order(intent)
    assert (order.status, order.filled_shares, order.signed_order) == (
        OrderStatus.CANCELLED,
        Decimal(12),
        None,
    )
    assert "12.00 shares were traded and no more" in order.detail
    assert room.stores.orders.reserved_pusd() == ZERO
    assert room.status(intent) is IntentStatus.EXECUTED
    assert "never proven" not in " ".join(report.alerts)
    assert room.stores.engine.audit().findings == ()
    assert a_pass(room, after=60).open_orders == 0


def test_a_trade_that_shows_in_the_last_round_about_a_forgotten_match_counts(room: EngineRoom) -> None:
    intent = matched_and_forgotten(room)
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)
    (first,) = room.gateway.trades.values()
    room.gateway.trades["late"] = replace(first, trade_id=TradeId("late"), shares=Shares(Decimal(5)))

    a_pass(room, after=LATE_SECONDS + 1)
    a_pass(room, after=10)

    assert room.order(intent).filled_shares == Decimal(17)


@pytest.mark.parametrize("method", ["open_orders", "market_fills", "control_read"])
def test_a_forgotten_match_is_not_ended_by_rounds_of_which_a_read_failed(
    room: EngineRoom, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    intent = matched_and_forgotten(room)
    proven(room)  # before the resolution: it proves nothing of what traded until then
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)

    def failing(*_: object) -> NoReturn:
        raise VenueUnreachableError("The exchange did not answer.")

    monkeypatch.setattr(room.gateway, method, failing)
    a_pass(room, after=LATE_SECONDS)
    a_pass(room, after=10)

    assert room.order(intent).status is OrderStatus.MATCHED
    assert room.stores.orders.reserved_pusd() == the_rest(intent)


def test_a_forgotten_match_of_other_credentials_ends_loudly_a_day_after_its_market(room: EngineRoom) -> None:
    intent = matched_and_forgotten(room)
    room.gateway.credential_id = "another"
    room.resolved.add(intent.asset_id)
    a_pass(room, after=ASK_SECONDS)
    a_pass(room, after=LATE_SECONDS + PROOF_SECONDS - 10)
    assert room.order(intent).status is OrderStatus.MATCHED

    report = a_pass(room, after=10)

    assert room.order(intent).status is OrderStatus.CANCELLED
    assert room.stores.orders.reserved_pusd() == ZERO
    assert "never proven" in " ".join(report.alerts)


def test_a_forgotten_match_whose_final_trades_are_all_that_was_signed_is_filled_at_once(
    room: EngineRoom,
) -> None:
    intent = matched_and_forgotten(room)
    (first,) = room.gateway.trades.values()
    room.gateway.trades["late"] = replace(first, trade_id=TradeId("late"), shares=Shares(Decimal(8)))

    a_pass(room, after=5)
    a_pass(room, after=5)

    assert room.order(intent).status is OrderStatus.FILLED
    assert room.stores.orders.reserved_pusd() == ZERO


# -- halted ------------------------------------------------------------------------------------


def halt(room: EngineRoom) -> None:
    room.stores.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="enough")


def test_halted_an_open_order_is_taken_back(room: EngineRoom) -> None:
    intent = a_resting()
    room.execute(intent)
    halt(room)

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.CANCELLED
    assert room.stores.orders.reserved_pusd() == ZERO


def test_halted_an_unknown_identity_is_cancelled_again_and_again_until_it_is_proven_dead(
    room: EngineRoom,
) -> None:
    intent = lost(room)
    halt(room)

    for _ in range(4):
        a_pass(room, after=5)
    assert room.gateway.cancels == [room.order_id(intent)] * 4
    proven(room)
    assert room.order(intent).status is OrderStatus.ABSENT
    asked = len(room.gateway.cancels)
    a_pass(room, after=60)

    assert len(room.gateway.cancels) == asked
    kinds = [entry.kind for entry in room.stores.engine.journal(subject=room.order_id(intent))]
    assert kinds.count("cancel.requested") == 1  # the same answer again and again is journalled once


def test_an_order_that_arrives_late_while_halted_is_cancelled_when_it_is_there(room: EngineRoom) -> None:
    intent = lost(room, a_resting())
    halt(room)
    a_pass(room, after=5)

    room.gateway.take(room.gateway.prepare(intent, room.clock.now()))  # the old bytes arrive after all
    a_pass(room, after=5)

    assert room.order(intent).status is OrderStatus.CANCELLED


def test_the_halt_file_alone_takes_orders_back_too(room: EngineRoom) -> None:
    intent = a_resting()
    room.execute(intent)
    room.halted_by_file = True

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.CANCELLED


def test_the_trip_of_a_switch_that_halts_takes_them_back_with_the_news_of_it(room: EngineRoom) -> None:
    """Whoever tripped it: the engine reads the journal twice a second, and no comparison is due."""
    intent = a_resting()
    room.execute(intent)
    room.reconciler.run()
    halt(room)

    [entry] = [each for each in room.stores.engine.journal() if each.kind == "switch.tripped"]
    assert take_back_if_halted(entry, room.reconciler.run)

    assert room.order(intent).status is OrderStatus.CANCELLED


def test_the_news_of_a_switch_that_only_reduces_compares_nothing(room: EngineRoom) -> None:
    room.stores.switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="lost")
    for entry in room.stores.engine.journal(subject="DRAWDOWN"):
        assert not take_back_if_halted(entry, room.reconciler.run)
    assert room.gateway.cancels == []


def test_who_wants_his_orders_to_stay_in_a_halt_sets_so(room: EngineRoom) -> None:
    room.cancel_on_halt = False
    room.start()
    intent = a_resting()
    room.execute(intent)
    halt(room)

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.LIVE
    assert room.gateway.cancels == []


@pytest.mark.parametrize("switch", [None, KillSwitchType.DAILY_LOSS])
def test_what_does_not_halt_cancels_nothing(room: EngineRoom, switch: KillSwitchType | None) -> None:
    intent = a_resting()
    room.execute(intent)
    if switch is not None:
        room.stores.switches.trip(switch, actor="engine:risk", reason="lost")

    room.reconciler.run()

    assert room.order(intent).status is OrderStatus.LIVE
    assert room.gateway.cancels == []


# -- what cannot be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        {"price": Price(Decimal(1))},
        {"price": Price(Decimal("-0.1"))},
        {"shares": Shares(Decimal(-5))},
        {"shares": Shares(ZERO)},
        {"asset_id": AssetId("99")},
        {"condition_id": ConditionId("0x99")},
    ],
)
def test_a_fill_that_cannot_be_is_recorded_and_halts_and_is_not_applied(
    room: EngineRoom, nonsense: dict[str, Any]
) -> None:
    intent = an_intent()
    room.gateway.answers.append(room.gateway.take_and_lose_the_reply)
    room.gateway.down = True
    room.execute(intent)
    room.gateway.down = False
    trades = room.gateway.trades
    trades.update({key: replace(fill, **nonsense) for key, fill in trades.items()})

    report = room.reconciler.run()

    assert not report.ok
    assert room.order(intent).filled_shares == ZERO
    assert stance_of(room.stores.switches.list()) is Stance.HALTED
    kinds = [entry.kind for entry in room.stores.engine.journal(subject=room.order_id(intent))]
    assert "order.contradicted" in kinds


@pytest.mark.parametrize("change", [{"matched_shares": Shares(Decimal(-1))}, {"price": Price(Decimal(2))}])
def test_an_order_shown_with_absurd_numbers_halts(room: EngineRoom, change: dict[str, Any]) -> None:
    intent = a_resting()
    room.execute(intent)
    room.gateway.change(room.order_id(intent), **change)

    assert not room.reconciler.run().ok
    assert stance_of(room.stores.switches.list()) is Stance.HALTED


def test_more_collateral_than_signed_halts_and_is_told_with_both_numbers(room: EngineRoom) -> None:
    intent = an_intent()
    room.execute(intent)
    room.gateway.trades["more"] = replace(
        next(iter(room.gateway.trades.values())),
        trade_id="more",  # type: ignore[arg-type]
        shares=Shares(Decimal(10)),
    )
    room.gateway.change(room.order_id(intent), trade_ids=tuple(room.gateway.trades))

    report = room.reconciler.run()

    assert any("were signed" in problem for problem in report.problems)
    assert stance_of(room.stores.switches.list()) is Stance.HALTED


def test_a_trade_that_failed_on_chain_is_taken_back_and_told_once(room: EngineRoom) -> None:
    intent = an_intent()
    room.execute(intent)

    room.gateway.settle_trades(FillStatus.FAILED)
    report = room.reconciler.run()

    assert any("taken back" in alert for alert in report.alerts)
    assert room.order(intent).filled_shares == ZERO
    assert room.reconciler.run().alerts == ()


# -- cash --------------------------------------------------------------------------------------


def has_cash(room: EngineRoom, cash: Pusd) -> None:
    room.read_cash = lambda: cash


def test_cash_that_is_missing_again_and_again_halts_trading(room: EngineRoom) -> None:
    has_cash(room, Pusd(Decimal(100)))
    room.reconciler.run()
    has_cash(room, Pusd(Decimal("98.9")))

    assert room.reconciler.run().ok
    a_pass(room, after=180)
    assert stance_of(room.stores.switches.list()) is Stance.ACTIVE
    report = a_pass(room, after=120)

    assert not report.ok
    assert stance_of(room.stores.switches.list()) is Stance.HALTED


def test_after_a_person_cleared_it_the_cash_that_is_there_is_what_counts(room: EngineRoom) -> None:
    test_cash_that_is_missing_again_and_again_halts_trading(room)
    room.stores.switches.clear(KillSwitchType.RECONCILIATION, actor="user:anna", reason="I paid it out")

    for _ in range(4):
        assert a_pass(room, after=180).ok


def test_what_our_own_trades_paid_is_no_difference(room: EngineRoom) -> None:
    has_cash(room, Pusd(Decimal(100)))
    room.reconciler.run()
    intent = an_intent()
    room.execute(intent)
    room.gateway.settle_trades()
    fill = next(iter(room.gateway.trades.values()))
    has_cash(room, Pusd(Decimal(100) - fill.notional - fill.fee))

    for _ in range(4):
        report = a_pass(room, after=180)
        assert report.ok
        assert report.alerts == ()


def test_cash_that_comes_in_is_shown_and_stops_nothing(room: EngineRoom) -> None:
    has_cash(room, Pusd(Decimal(100)))
    room.reconciler.run()
    has_cash(room, Pusd(Decimal(150)))

    reports = [a_pass(room, after=180) for _ in range(4)]

    assert all(report.ok for report in reports)
    assert reports[0].alerts
    assert reports[-1].alerts == ()  # told; from then on it is what the wallet has


def test_cash_is_not_judged_while_an_order_is_in_flight(room: EngineRoom) -> None:
    has_cash(room, Pusd(Decimal(100)))
    room.reconciler.run()
    lost(room)
    room.gateway.credential_id = "another"
    has_cash(room, Pusd(Decimal(80)))

    for _ in range(4):
        assert a_pass(room, after=180).alerts == ()
