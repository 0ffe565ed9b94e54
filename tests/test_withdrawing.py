"""Purchases that rest: kept while what was approved holds, taken back by themselves when it does not."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import Role
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook
from polyb0t.execution.intents import (
    IntentStatus,
    IntentType,
    OrderType,
    ProposingRules,
    TradeIntent,
    superseded_because,
)
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.paper import NOTHING_SIMULATED
from polyb0t.execution.proposing import trade_of
from polyb0t.execution.smaller import smaller_form, why_not_smaller
from polyb0t.models.kill_switches import KillSwitchManager, KillSwitchType, Stance
from polyb0t.models.resting import why_take_back
from polyb0t.models.risk import ControlContext
from polyb0t.models.signals import Belief
from polyb0t.models.taken_back import TakenBack
from polyb0t.runtime.watching import MarketWatch
from polyb0t.runtime.withdrawing import Withdrawing, cancelling_at
from tests.support.builders import ASSET, an_intent
from tests.support.engine_room import CrashError, EngineRoom, Tripwire
from tests.support.paper_room import BANKROLL, PaperRoom
from tests.support.trading import a_book

APPROVED = TakenBack(mid=Decimal("0.48"), below=Decimal("0.46"), spread=Decimal("0.04"))
PRICE = Price(Decimal("0.47"))
SHARES = Shares(Decimal(20))
COST = Pusd(PRICE * SHARES)
ROOMS = pytest.mark.parametrize("kind", [EngineRoom, PaperRoom])


def resting_changes(**changes: Any) -> dict[str, Any]:
    """A purchase of 20 shares that rests at 47 cents, with bid 47 and offer 49, for two hours."""
    content: dict[str, Any] = {
        "order_type": OrderType.GTD,
        "post_only": True,
        "life_seconds": 7_200,
        "worst_price": PRICE,
        "amount": None,
        "least_shares": None,
        "shares": SHARES,
        "max_cost": COST,
        "estimated_cost": None,
        "best_bid": PRICE,
        "best_ask": Price(Decimal("0.49")),
        "taken_back": APPROVED,
    }
    return {**content, **changes}


@dataclass
class Watch:
    """What the cycle saw last."""

    seen: OrderBook | None = None

    def book(self, asset_id: AssetId) -> OrderBook | None:
        return self.seen


@dataclass
class Resting:
    """A room with an order that rests in it, and what looks after that."""

    room: Any  # EngineRoom or PaperRoom: both store, execute and restart
    intent: TradeIntent
    watch: Watch = field(default_factory=Watch)
    says: Belief | None = None
    changes: dict[str, Any] = field(default_factory=dict)  # of what is known

    def __post_init__(self) -> None:
        self.says = Belief(Decimal("0.55"), Decimal("0.53"), Decimal("0.57"), Decimal("0.01"))
        self.show()

    def show(self, bid: str = "0.47", ask: str = "0.49", **changes: Any) -> None:
        self.watch.seen = a_book(bid, ask, **{"observed_at": self.room.clock.now(), **changes})

    def control_context(
        self, intent: TradeIntent, book: OrderBook, *, at_submit: bool = True
    ) -> ControlContext:
        context: ControlContext = self.room.situation.control_context(intent, book)
        return replace(context, at_submit=at_submit, **self.changes)

    def look(self) -> int:
        def cancel(order_id: OrderId, why: str) -> object:
            room = self.room
            if isinstance(room, PaperRoom):
                return room.exchange.cancel(order_id, code="taken_back", detail=why)
            return cancelling_at(room.gateway, room.stores, room.reconciler.follow)(order_id, why)

        def belief(_market: Market, _asset: AssetId, _now: datetime) -> Belief | None:
            return self.says

        watch = cast("MarketWatch", self.watch)
        return Withdrawing(self.room.stores, self.room.lease, watch, self, belief, cancel).look()

    @property
    def status(self) -> OrderStatus:
        status: OrderStatus = self.room.order(self.intent).status
        return status

    @property
    def reserved(self) -> Pusd:
        reserved: Pusd = self.room.stores.orders.reserved_pusd()
        return reserved

    def told(self) -> list[str]:
        """The reasons in the journal."""
        order_id = self.room.order(self.intent).id
        entries = self.room.stores.engine.journal(subject=order_id)
        return [entry.payload for entry in entries if entry.kind == "order.taken_back"]


def resting_in(kind: type, folder: Path, **changes: Any) -> Resting:
    room = kind(folder)
    room.books.book = a_book("0.47", "0.49")
    content = resting_changes(**changes)
    intent = room.intent(**content) if isinstance(room, PaperRoom) else an_intent(**content)
    room.execute(intent)
    return Resting(room, intent)


@ROOMS
def test_it_rests_with_its_price_times_its_shares_reserved_and_nothing_for_a_fee(
    tmp_path: Path, kind: type
) -> None:
    resting = resting_in(kind, tmp_path)
    assert resting.status is OrderStatus.LIVE
    assert resting.reserved == COST == Decimal("9.4")


@ROOMS
def test_while_what_was_approved_holds_it_is_left_alone(tmp_path: Path, kind: type) -> None:
    resting = resting_in(kind, tmp_path)
    for bid, ask in (("0.47", "0.49"), ("0.46", "0.48"), ("0.60", "0.63"), ("0.45", "0.47")):
        resting.room.advance(seconds=60)
        resting.show(bid, ask)
        assert resting.look() == 0, (bid, ask)
    assert resting.status is OrderStatus.LIVE


def market_gone(resting: Resting) -> None:
    resting.room.situation.market = replace(resting.room.situation.market, accepting_orders=False)


def new_rules(resting: Resting) -> None:
    resting.room.situation.market = replace(resting.room.situation.market, rules_hash="other")


def proposed_result(resting: Resting) -> None:
    resting.room.situation.market = replace(resting.room.situation.market, resolution_status="proposed")


def disputed_beside_it(resting: Resting) -> None:
    resting.changes = {"frozen_events": frozenset({resting.room.situation.market.event_id})}


def begun(resting: Resting) -> None:
    started = resting.room.clock.now() - timedelta(seconds=1)
    resting.room.situation.market = replace(resting.room.situation.market, game_start=started)


REASONS = [
    ("mid_moved", lambda resting: resting.show("0.45", "0.469")),
    ("spread_wider", lambda resting: resting.show("0.47", "0.51")),
    ("spread_wider", lambda resting: resting.show(bids=())),
    ("book_unseen", lambda resting: setattr(resting.watch, "seen", None)),
    ("book_unseen", lambda resting: resting.room.advance(seconds=61)),
    ("not_tradable", market_gone),
    ("not_tradable", begun),
    ("not_tradable", lambda resting: setattr(resting, "changes", {"market": None})),
    ("being_resolved", proposed_result),
    ("being_resolved", disputed_beside_it),
    ("rules_changed", new_rules),
    ("paused", lambda resting: setattr(resting, "changes", {"stance": Stance.REDUCING})),
    ("paused", lambda resting: setattr(resting, "changes", {"stance": None})),
    ("edge_gone", lambda resting: setattr(resting, "says", None)),
    ("edge_gone", lambda resting: setattr(resting, "says", replace(resting.says, q=Decimal("0.47")))),
]


@ROOMS
@pytest.mark.parametrize(("code", "happens"), REASONS)
def test_it_is_taken_back_for_what_was_approved_told_once_and_its_money_is_free(
    tmp_path: Path, kind: type, code: str, happens: Any
) -> None:
    resting = resting_in(kind, tmp_path)
    happens(resting)
    assert resting.look() == 1
    assert resting.status is OrderStatus.CANCELLED
    assert resting.reserved == ZERO
    (told,) = resting.told()
    assert f'"code":"{code}"' in told
    assert resting.look() == 0


def test_nobody_is_asked_and_no_other_order_is_touched(tmp_path: Path) -> None:
    resting = resting_in(EngineRoom, tmp_path)
    other = an_intent(
        **resting_changes(asset_id=AssetId("2"), taken_back=None, condition_id="0x" + "cd" * 32)
    )
    resting.room.execute(other)
    resting.show("0.45", "0.46")
    assert resting.look() == 1
    assert resting.room.gateway.cancels == [resting.room.order(resting.intent).id]
    assert resting.room.order(other).status is OrderStatus.LIVE
    assert resting.room.stores.intents.list(types=(IntentType.CANCEL_ORDER,)) == ()


def test_what_was_approved_without_conditions_is_never_taken_back_however_the_market_moves(
    tmp_path: Path,
) -> None:
    resting = resting_in(EngineRoom, tmp_path)
    trade = replace(trade_of(resting.intent), taken_back=None)
    gone = resting.room.situation.control_context(resting.intent, a_book("0.10", "0.90"))
    assert why_take_back(trade, gone, None) is None
    assert why_take_back(trade, replace(gone, book=None, market=None, stance=None), None) is None


def test_while_the_exchange_does_not_answer_it_is_asked_again_and_the_money_stays_reserved(
    tmp_path: Path,
) -> None:
    resting = resting_in(EngineRoom, tmp_path)
    resting.show("0.45", "0.46")
    resting.room.gateway.down = True
    assert resting.look() == 0
    assert (resting.status, resting.reserved) == (OrderStatus.LIVE, COST)
    resting.room.gateway.down = False
    assert resting.look() == 1
    assert resting.status is OrderStatus.CANCELLED


def test_what_a_halt_takes_back_is_left_to_the_halt_and_its_setting(tmp_path: Path) -> None:
    resting = resting_in(EngineRoom, tmp_path)
    KillSwitchManager(resting.room.stores.switches).halt(actor="user:anna", reason="enough")
    assert resting.look() == 0
    resting.room.reconciler.run()
    assert (resting.status, resting.reserved) == (OrderStatus.CANCELLED, ZERO)


def test_a_switch_that_only_lets_close_takes_it_back(tmp_path: Path) -> None:
    resting = resting_in(PaperRoom, tmp_path)
    switches = resting.room.stores.switches
    switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="down", value="16", limit="15")
    assert resting.look() == 1
    assert resting.status is OrderStatus.CANCELLED


class TestOnPaper:
    def test_a_trade_through_its_price_fills_it_without_a_fee(self, tmp_path: Path) -> None:
        resting = resting_in(PaperRoom, tmp_path)
        room = resting.room
        room.clock.advance(seconds=1)
        room.exchange.traded(ASSET, PRICE, Shares(Decimal(99)), room.clock.now())
        room.keeper.run()
        assert resting.status is OrderStatus.LIVE  # at its own price it is the last in the queue
        room.exchange.traded(ASSET, Price(Decimal("0.46")), Shares(Decimal(99)), room.clock.now())
        room.keeper.run()
        (fill,) = room.stores.orders.fills()
        assert (fill.role, fill.price, fill.fee) == (Role.MAKER, PRICE, ZERO)
        assert room.cash == BANKROLL - COST
        assert resting.reserved == ZERO

    def test_a_part_that_filled_is_kept_when_the_rest_is_taken_back(self, tmp_path: Path) -> None:
        resting = resting_in(PaperRoom, tmp_path)
        room = resting.room
        room.clock.advance(seconds=1)
        room.exchange.traded(ASSET, Price(Decimal("0.46")), Shares(Decimal(5)), room.clock.now())
        room.keeper.run()
        assert (resting.status, resting.reserved) == (OrderStatus.LIVE, COST * 15 / 20)
        resting.show("0.45", "0.46")
        assert resting.look() == 1
        order = room.order(resting.intent)
        assert (order.status, order.filled_shares) == (OrderStatus.CANCELLED, Decimal(5))
        assert (room.held(ASSET), room.cash) == (Decimal(5), BANKROLL - PRICE * 5)
        assert resting.reserved == ZERO

    def test_what_does_not_fill_within_its_life_ends_by_itself(self, tmp_path: Path) -> None:
        resting = resting_in(PaperRoom, tmp_path)
        resting.room.advance(seconds=7_198)
        resting.room.keeper.run()
        assert resting.status is OrderStatus.LIVE
        resting.room.advance(seconds=2)
        resting.room.keeper.run()
        assert (resting.status, resting.reserved) == (OrderStatus.EXPIRED, ZERO)

    def test_an_offer_that_came_down_to_its_price_is_not_taken_and_it_is_told(self, tmp_path: Path) -> None:
        room = PaperRoom(tmp_path)
        room.books.book = a_book("0.46", "0.47")
        intent = room.intent(**resting_changes())
        done = room.execute(intent)
        assert (done.status, done.result) == (IntentStatus.FAILED, "no_longer_rests")
        assert done.result_detail.startswith(NOTHING_SIMULATED)
        assert "It would trade at once: the offer is 47¢." in done.result_detail

    def test_a_market_that_has_moved_while_a_person_decided_is_not_entered(self, tmp_path: Path) -> None:
        room = PaperRoom(tmp_path)
        room.books.book = a_book("0.44", "0.475")
        done = room.execute(room.intent(**resting_changes()))
        assert (done.status, done.result) == (IntentStatus.FAILED, "no_longer_rests")


def crash_points(folder: Path, kind: type) -> list[str]:
    room, wire = kind(folder / "probe"), Tripwire()
    room.books.book = a_book("0.47", "0.49")
    content = resting_changes()
    record = room.approve(room.intent(**content) if kind is PaperRoom else an_intent(**content))
    room.start(wire)
    room.executor.execute(record.id)
    return wire.calls


@ROOMS
@pytest.mark.parametrize("after", [False, True])
def test_a_process_that_ends_at_any_step_leaves_one_order_at_most_and_its_money_reserved(
    tmp_path: Path, kind: type, *, after: bool
) -> None:
    calls = crash_points(tmp_path, kind)
    assert "intents.permit" in calls
    for at in range(1, len(calls) + 1):
        room = kind(tmp_path / f"{at}-{after}")
        room.books.book = a_book("0.47", "0.49")
        content = resting_changes()
        intent = room.intent(**content) if kind is PaperRoom else an_intent(**content)
        record = room.approve(intent)
        room.start(Tripwire(at=at, after=after))
        with pytest.raises(CrashError):
            room.executor.execute(record.id)
        room.restart()
        if room.stores.intents.get(record.id).status is IntentStatus.APPROVED:
            room.executor.execute(record.id)
        for _ in range(3):  # the proof that something never came about takes its time
            room.advance(minutes=2)
            (room.keeper if kind is PaperRoom else room.reconciler).run()
        done = room.stores.intents.get(record.id)
        alive = done.order_id is not None and room.order(intent).status is OrderStatus.LIVE
        assert room.stores.orders.reserved_pusd() == (COST if alive else ZERO), calls[at - 1]
        assert done.status in (IntentStatus.EXECUTED, IntentStatus.FAILED), calls[at - 1]
        assert (done.status is IntentStatus.EXECUTED) == alive, calls[at - 1]
        if kind is EngineRoom:
            assert len(room.gateway.orders) == (1 if alive else 0), calls[at - 1]


@ROOMS
def test_after_a_restart_it_is_still_looked_after(tmp_path: Path, kind: type) -> None:
    resting = resting_in(kind, tmp_path)
    resting.room.restart()
    assert (resting.status, resting.reserved) == (OrderStatus.LIVE, COST)
    resting.show("0.45", "0.46")
    assert resting.look() == 1
    assert (resting.status, resting.reserved) == (OrderStatus.CANCELLED, ZERO)


class TestWhileItWaitsForAPerson:
    RULES = ProposingRules(edge_min=Decimal("0.015"))

    def newer(self, bid: str, ask: str, **changes: Any) -> TradeIntent:
        quotes = {"best_bid": Price(Decimal(bid)), "best_ask": Price(Decimal(ask))}
        return an_intent(**{**resting_changes(), **quotes, **changes})

    def test_an_offer_above_its_price_is_what_it_rests_for_and_no_reason_to_give_way(self) -> None:
        waiting = an_intent(**resting_changes())
        assert superseded_because(waiting, self.newer("0.47", "0.49"), self.RULES) is None
        assert (
            superseded_because(waiting, self.newer("0.47", "0.49", shares=Shares(Decimal(90))), self.RULES)
            is None
        )

    @pytest.mark.parametrize(("bid", "ask"), [("0.44", "0.46"), ("0.47", "0.51")])
    def test_it_gives_way_where_it_would_be_taken_back(self, bid: str, ask: str) -> None:
        waiting = an_intent(**resting_changes())
        why = superseded_because(waiting, self.newer(bid, ask), self.RULES)
        assert why == "the market moved away from where it would rest"

    def test_what_takes_and_can_still_be_had_does_not_give_way_to_what_would_rest(self) -> None:
        taker = an_intent(worst_price=Price(Decimal("0.49")))
        assert superseded_because(taker, self.newer("0.47", "0.49"), self.RULES) is None
        assert (
            superseded_because(taker, self.newer("0.48", "0.50"), self.RULES)
            == "its worst price no longer fills"
        )

    def test_less_of_it_may_be_approved_under_the_same_conditions(self) -> None:
        waiting = an_intent(**resting_changes())
        less = smaller_form(waiting, shares=Shares(Decimal(10)), worst_price=None, now=waiting.created_at)
        assert (less.shares, less.max_cost) == (Decimal(10), Decimal("4.7"))
        assert (less.taken_back, less.life_seconds, less.post_only) == (APPROVED, 7_200, True)

    def test_other_conditions_are_no_smaller_form(self) -> None:
        waiting = an_intent(**resting_changes())
        less = smaller_form(waiting, shares=Shares(Decimal(10)), worst_price=None, now=waiting.created_at)
        looser = replace(less, taken_back=APPROVED._replace(below=Decimal("0.10")))
        assert why_not_smaller(waiting, looser) == "It differs in taken_back."
