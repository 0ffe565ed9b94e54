"""A paper run: the same claims, controls and limits, fills by the books as they are, an account made of rows."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.errors import ConfigurationError, NotAuthorisedError
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Price, Pusd, Shares
from polyb0t.data.fills import Role
from polyb0t.data.order_book import Level
from polyb0t.execution.executor import Preparing
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentStatus, IntentType, OrderType, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.paper import PaperExecutor
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Denied
from polyb0t.models.fees import taker_fee
from polyb0t.models.kill_switches import KillSwitchManager
from tests.support.builders import ASSET, a_cancel, an_intent
from tests.support.engine_room import CrashError, EngineRoom, Tripwire
from tests.support.paper_room import BANKROLL, SCOPE, PaperRoom
from tests.support.trading import FEE, a_book


@pytest.fixture
def room(tmp_path: Path) -> PaperRoom:
    return PaperRoom(tmp_path)


def a_resting_bid(room: PaperRoom, limit: str = "0.45", shares: str = "20", **changes: Any) -> TradeIntent:
    """A BUY that nothing offered matches yet."""
    given = {
        "order_type": OrderType.GTC,
        "post_only": True,
        "worst_price": Price(Decimal(limit)),
        "amount": None,
        "least_shares": None,
        "shares": Shares(Decimal(shares)),
        "max_cost": Pusd(Decimal(limit) * Decimal(shares) * Decimal("1.02")),  # with room for a fee
    }
    return room.intent(**{**given, **changes})


# -- takers ------------------------------------------------------------------------------------


def test_a_purchase_fills_by_the_book_pays_the_fee_and_its_rows_say_paper(room: PaperRoom) -> None:
    intent = room.intent()

    done = room.execute(intent)

    order, (fill,) = room.order(intent), room.stores.orders.fills()
    assert (done.status, done.decided_by) == (IntentStatus.EXECUTED, "engine:paper")
    assert (order.status, order.regime, order.signed_order) == (OrderStatus.FILLED, Regime.PAPER, None)
    assert order.id == f"p-{intent.id}"
    assert (fill.price, fill.shares, fill.role) == (Decimal("0.48"), Decimal("20.8333"), Role.TAKER)
    assert fill.fee == taker_fee(fill.shares, fill.price, FEE)
    assert room.cash == BANKROLL - fill.notional - fill.fee
    assert room.stores.orders.reserved_pusd() == ZERO


def test_it_meets_the_book_that_is_there_when_it_arrives(room: PaperRoom) -> None:
    intent = room.intent()
    record = room.approve(intent)
    looks: list[Any] = []

    def moved(_intent: TradeIntent) -> float:
        looks.append(room.books.book)
        room.books.book = a_book("0.48", "0.49")
        return 0.5

    room.on_the_way = moved
    before = room.clock.now()
    room.executor.execute(record.id)

    (fill,) = room.stores.orders.fills()
    assert fill.price == Decimal("0.49")
    assert room.clock.now() - before == timedelta(seconds=0.5)


def test_a_book_that_moved_away_on_the_way_is_no_fill_and_frees_the_money(room: PaperRoom) -> None:
    intent = room.intent()
    record = room.approve(intent)

    def gone(_intent: TradeIntent) -> float:
        room.books.book = a_book("0.50", "0.51")
        return 0

    room.on_the_way = gone
    done = room.executor.execute(record.id)

    assert (done.status, done.result) == (IntentStatus.FAILED, "no_fill")
    assert (room.cash, room.stores.orders.reserved_pusd()) == (BANKROLL, ZERO)


def test_a_book_that_cannot_be_read_on_arrival_simulates_nothing(room: PaperRoom) -> None:
    record = room.approve(room.intent())

    def blind(_intent: TradeIntent) -> float:
        room.books.book = None
        return 0

    room.on_the_way = blind
    done = room.executor.execute(record.id)

    assert (done.status, done.result, room.cash) == (IntentStatus.FAILED, "no_fresh_book", BANKROLL)


def test_the_controls_are_the_same_and_are_asked_again_before_it_leaves(room: PaperRoom) -> None:
    room.books.book = a_book("0.50", "0.52")

    done = room.execute(room.intent())

    assert (done.status, done.result) == (IntentStatus.FAILED, "price_worse")
    assert "Nothing was simulated." in done.result_detail
    assert room.stores.orders.orders() == ()


def test_the_claim_has_the_same_limits(room: PaperRoom) -> None:
    room.situation.limits = replace(room.situation.limits, max_order_pusd=Pusd(Decimal(1)))

    done = room.execute(room.intent())

    assert (done.status, done.result) == (IntentStatus.FAILED, "order_too_large")


def test_a_tripped_switch_stops_it_like_any_other(room: PaperRoom) -> None:
    record = room.approve(room.intent())
    KillSwitchManager(room.stores.switches).halt(actor="user:anna", reason="enough")

    room.executor.execute(record.id)

    assert room.stores.intents.get(record.id).status is IntentStatus.REJECTED
    assert room.stores.orders.orders() == ()


def test_the_halt_file_stops_it_when_the_database_could_not_be_written(room: PaperRoom) -> None:
    room.halted_by_file = True

    assert room.execute(room.intent()).result == "halted"
    assert room.stores.orders.orders() == ()


def test_what_one_order_took_the_next_does_not_get_again_also_not_after_a_restart(room: PaperRoom) -> None:
    room.books.book = a_book(shares="20.8333")
    room.execute(room.intent())

    room.advance(minutes=16)  # the idea rests that long
    again = room.execute(room.intent())
    room.restart()
    room.advance(minutes=16)
    anew = room.execute(room.intent())

    assert (again.result, anew.result) == ("no_fill", "no_fill")


def test_a_sale_brings_its_proceeds_less_the_fee(room: PaperRoom) -> None:
    room.execute(room.intent())
    before = room.cash

    room.execute(room.sale("20.83"))

    sold = room.stores.orders.fills()[-1]
    assert (sold.price, sold.shares) == (Decimal("0.47"), Decimal("20.83"))
    assert room.cash == before + sold.notional - sold.fee
    assert room.held(ASSET) == Decimal("0.0033")


# -- resting -----------------------------------------------------------------------------------


def test_what_is_not_matched_rests_with_its_money_reserved_until_the_market_trades_through(
    room: PaperRoom,
) -> None:
    intent = a_resting_bid(room)
    done = room.execute(intent)
    assert (done.status, room.order(intent).status) == (IntentStatus.EXECUTED, OrderStatus.LIVE)
    assert room.stores.orders.reserved_pusd() == Decimal("9.18")

    room.show(a_book("0.44", "0.45"))  # at its price: it is last in the queue
    room.keeper.run()
    assert room.order(intent).filled_shares == 0

    room.clock.advance(seconds=1)
    room.show(a_book("0.43", "0.44", shares="8"))  # through it
    report = room.keeper.run()

    order, (fill,) = room.order(intent), room.stores.orders.fills()
    assert (order.status, order.filled_shares, report.open_orders) == (OrderStatus.LIVE, Decimal(8), 1)
    assert (fill.price, fill.role, fill.fee) == (Decimal("0.45"), Role.MAKER, ZERO)
    assert room.stores.orders.reserved_pusd() == Decimal("9.18") * 12 / 20


def test_trades_of_others_through_its_price_fill_it_and_those_before_it_rested_do_not(
    room: PaperRoom,
) -> None:
    room.exchange.traded(ASSET, Price(Decimal("0.40")), Shares(Decimal(99)), room.clock.now())
    intent = a_resting_bid(room)
    room.execute(intent)
    room.clock.advance(seconds=1)
    room.exchange.traded(ASSET, Price(Decimal("0.45")), Shares(Decimal(99)), room.clock.now())
    room.keeper.run()
    assert room.order(intent).filled_shares == 0

    room.exchange.traded(ASSET, Price(Decimal("0.44")), Shares(Decimal(99)), room.clock.now())
    room.keeper.run()

    assert room.order(intent).status is OrderStatus.FILLED
    assert room.cash == BANKROLL - Decimal(9)


def test_an_order_with_an_end_expires_and_gives_its_money_back(room: PaperRoom) -> None:
    intent = a_resting_bid(room, order_type=OrderType.GTD, life_seconds=120)
    room.execute(intent)

    room.clock.advance(seconds=118)  # it was a second on its way
    room.keeper.run()
    assert room.order(intent).status is OrderStatus.LIVE
    room.clock.advance(seconds=2)
    room.keeper.run()

    assert room.order(intent).status is OrderStatus.EXPIRED
    assert room.stores.orders.reserved_pusd() == ZERO


def test_an_approved_cancel_takes_it_out_of_the_book(room: PaperRoom) -> None:
    intent = a_resting_bid(room)
    room.execute(intent)
    cancel = a_cancel(
        room.order(intent).id, scope=str(SCOPE), regime=Regime.PAPER, created_at=room.clock.now()
    )

    done = room.execute(cancel)

    assert (done.status, done.result) == (IntentStatus.EXECUTED, "cancelled")
    assert room.order(intent).status is OrderStatus.CANCELLED


def test_a_halt_takes_resting_orders_back(room: PaperRoom) -> None:
    intent = a_resting_bid(room)
    room.execute(intent)
    KillSwitchManager(room.stores.switches).halt(actor="user:anna", reason="enough")

    room.keeper.run()

    assert room.order(intent).status is OrderStatus.CANCELLED


def test_a_resting_order_goes_on_resting_after_a_restart(room: PaperRoom) -> None:
    intent = a_resting_bid(room)
    room.execute(intent)

    report = room.restart()
    room.show(a_book("0.43", "0.44"))
    room.keeper.run()

    assert report.open_orders == 1
    assert room.order(intent).status is OrderStatus.FILLED


# -- results -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("pays", "brings"), [("1", "20.8333"), ("0", "0"), ("0.5", "10.41665")])
def test_a_resolved_market_pays_once_won_lost_or_split(room: PaperRoom, pays: str, brings: str) -> None:
    room.execute(room.intent())
    before = room.cash
    room.results.pays[ASSET] = Price(Decimal(pays))

    room.keeper.run()
    room.restart()
    room.clock.advance(minutes=5)
    room.keeper.run()

    assert room.cash == before + Decimal(brings)
    assert room.held(ASSET) == 0
    position = room.account.portfolio().positions[ASSET]
    assert position.cost == 0
    assert position.realised == Decimal(brings) - (BANKROLL - before)


def test_a_market_that_is_not_resolved_pays_nothing_and_is_asked_again(room: PaperRoom) -> None:
    room.execute(room.intent())
    held = room.held(ASSET)
    room.results.down = True
    report = room.keeper.run()
    assert report.ok
    assert report.alerts

    room.results.down = False
    room.clock.advance(seconds=61)
    room.keeper.run()

    assert (room.held(ASSET), room.results.asked) == (held, 2)


def test_orders_that_rest_on_a_resolved_market_are_cancelled(room: PaperRoom) -> None:
    intent = a_resting_bid(room)
    room.execute(intent)
    room.results.pays[ASSET] = Price(Decimal(1))

    room.keeper.run()

    assert room.order(intent).status is OrderStatus.CANCELLED
    assert room.cash == BANKROLL


def test_the_account_is_opened_once_whatever_a_later_start_asks_for(room: PaperRoom) -> None:
    room.execute(room.intent())
    before = room.cash

    room.restart()
    room.stores.books.open_books(Regime.PAPER, Pusd(Decimal(5_000_000)), room.lease)

    assert room.cash == before


# -- interruptions -----------------------------------------------------------------------------


def crash_points(folder: Path, room_of: Any) -> list[str]:
    """The calls to storage between a claim and the end, counted by a run that is not interrupted."""
    room, wire = room_of(folder / "probe"), Tripwire()
    record = room.approve(room.intent())
    room.start(wire)
    room.executor.execute(record.id)
    return wire.calls


@pytest.mark.parametrize("after", [False, True])
def test_an_interruption_at_any_step_ends_in_nothing_or_in_the_whole_once(
    tmp_path: Path, *, after: bool
) -> None:
    calls = crash_points(tmp_path, PaperRoom)
    assert "intents.permit" in calls
    assert "orders.record_fills" in calls

    for at in range(1, len(calls) + 1):
        room = PaperRoom(tmp_path / f"{at}-{after}")
        intent = room.intent()
        record = room.approve(intent)
        room.start(Tripwire(at=at, after=after))
        with pytest.raises(CrashError):
            room.executor.execute(record.id)
        room.restart()
        if room.stores.intents.get(record.id).status is IntentStatus.APPROVED:
            room.executor.execute(record.id)
        room.restart()

        done = room.stores.intents.get(record.id)
        paid = sum((fill.notional + fill.fee for fill in room.stores.orders.fills()), ZERO)
        whole = done.status is IntentStatus.EXECUTED
        assert done.status in (IntentStatus.EXECUTED, IntentStatus.FAILED), (calls[at - 1], done.status)
        assert room.cash == BANKROLL - paid
        assert len(room.stores.orders.fills()) == (1 if whole else 0), calls[at - 1]
        assert room.stores.orders.reserved_pusd() == ZERO
        if not whole:
            assert done.result == "interrupted"
        assert room.stores.engine.audit().findings == ()


def test_a_payout_that_is_interrupted_is_paid_once(tmp_path: Path) -> None:
    for at in range(1, 30, 2):
        room = PaperRoom(tmp_path / str(at))
        room.execute(room.intent())
        before = room.cash
        room.results.pays[ASSET] = Price(Decimal(1))
        wire = Tripwire(at=at, after=at % 2 == 0)
        room.start(wire)
        with suppress(CrashError):
            room.keeper.run()
        room.restart()
        assert room.cash == before + Decimal("20.8333")
        if len(wire.calls) < at:
            return
    raise AssertionError("the pass never came to its end")


# -- what can never become an order --------------------------------------------------------------


def test_its_executor_is_given_no_gateway_and_takes_no_other_regime(room: PaperRoom) -> None:
    preparing = Preparing(room.stores, room.lease, Regime.LIVE, room.books, room.situation, lambda: False)

    with pytest.raises(ConfigurationError, match="paper runs only"):
        PaperExecutor(preparing, InFlight(), room.exchange, room.clock, delay_of=lambda _intent: 0)


@pytest.mark.parametrize("regime", [Regime.LIVE, Regime.DRY_RUN])
def test_no_other_regime_is_proposed_in_a_paper_scope_nor_paper_in_an_accounts(
    room: PaperRoom, regime: Regime
) -> None:
    refused = room.stores.intents.propose(room.intent(regime=regime), room.lease)

    assert isinstance(refused, Denied)
    assert refused.code == "wrong_regime"


def test_the_engine_decides_nothing_but_paper(tmp_path: Path) -> None:
    live = EngineRoom(tmp_path)
    intent = an_intent()
    live.propose(intent)

    with pytest.raises(NotAuthorisedError):
        live.stores.intents.approve(intent.id, digest=intent.digest, actor="engine:paper", grace_seconds=10)
    refused = live.stores.intents.propose(an_intent(regime=Regime.PAPER, asset_id=AssetId("5")), live.lease)
    assert isinstance(refused, Denied)
    assert refused.code == "wrong_regime"


def test_the_account_is_read_from_its_rows(room: PaperRoom) -> None:
    """The account's own view: positions, cash and open orders come from rows, and nothing is guessed."""
    room.execute(room.intent())
    room.books.book = a_book(asks=(Level(Price(Decimal("0.60")), Shares(Decimal(5))),))
    room.execute(a_resting_bid(room, asset_id=AssetId("7")))

    state = room.account.read()

    assert state.cash_pusd == room.cash
    assert state.positions is not None
    assert [(each.asset_id, each.shares) for each in state.positions] == [(ASSET, room.held(ASSET))]
    assert state.open_orders is not None
    assert [order.asset_id for order in state.open_orders] == [AssetId("7")]
    assert IntentType.CLAIM_SETTLEMENT not in {r.intent.intent_type for r in room.stores.intents.list()}
