"""The books while an engine runs: movements read once, equity marked, what is unexplained kept apart."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from polyb0t.core.errors import VenueUnreachableError
from polyb0t.core.ids import AssetId, OrderId, TradeId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountPosition, AccountState
from polyb0t.data.cash_flows import Movement
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.models.equity import AccountHealth
from polyb0t.models.kill_switches import KillSwitchType, Stance, stance_of
from polyb0t.models.portfolio import fill_key
from polyb0t.runtime.books import AccountBooks
from polyb0t.runtime.facts import Publisher, read_facts
from polyb0t.runtime.movements import MovementReader, WalletSources
from polyb0t.runtime.watching import MarketWatch
from tests.support.builders import ASSET, CONDITION, NOW, a_deposit, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.decisions import a_book, d


class Watch:
    """Books of held assets, as the market watch hands them out."""

    def __init__(self) -> None:
        self.books: dict[AssetId, OrderBook] = {}
        self.held: Sequence[AssetId] = ()

    def hold(self, assets: Sequence[AssetId]) -> None:
        self.held = assets

    def book(self, asset: AssetId) -> OrderBook | None:
        return self.books.get(asset)


class Room:
    """An engine's books over a real database, with a wallet that a test moves."""

    def __init__(self, folder: Path, *, cash: str = "1000", regime: Regime = Regime.LIVE) -> None:
        self.clock = FakeClock()
        self.stores = sqlite_stores(folder, self.clock)
        self.regime = regime
        self.cash: Pusd | None = Pusd(d(cash))
        self.rows: list[Movement] = []
        self.unreadable = False
        self.held: dict[AssetId, Shares | None] = {}
        self.watch = Watch()
        self.positions: tuple[AccountPosition, ...] = ()
        self.asked: list[datetime] = []
        self.pretend = Pusd(d(1000))
        self.start()

    def start(self) -> None:
        """A new engine on the same database."""
        before = self.stores.engine.lease_info("engine")
        lease = self.stores.engine.acquire(
            "engine",
            holder="h:1",
            boot_id="b",
            process_started="1",
            regime=self.regime,
            take_over_from=None if before is None else before.token,
        )
        assert isinstance(lease, Lease)
        self.lease = lease
        sources = WalletSources(self, lambda asset: self.held.get(asset, Shares(d(0))), lambda _c: None)
        self.books = AccountBooks(
            self.stores,
            lease,
            self.regime,
            cast("MarketWatch", self.watch),
            self.clock,
            reader=MovementReader(self.stores, lease, self.clock, sources),
            pretend_pusd=self.pretend,
        )
        self.books.start_with(read_facts(self.stores.engine.lease_info("engine")).last_marks())

    def movements(self, since: datetime) -> tuple[Movement, ...]:
        """The index, as `MovementSource`."""
        self.asked.append(since)
        if self.unreadable:
            raise VenueUnreachableError("The index gave no usable answer.")
        return tuple(row for row in self.rows if row.at >= since.replace(microsecond=0))

    def cycle(self, seconds: float = 10) -> AccountHealth:
        """One cycle; what the account is then."""
        self.clock.advance(seconds=seconds)
        self._refresh()
        self.books.read_movements()
        self._refresh()
        assert self.books.health is not None
        return self.books.health

    def _refresh(self) -> None:
        settled = frozenset(
            fill_key(fill) for fill in self.stores.orders.fills() if fill.status is FillStatus.CONFIRMED
        )
        state = AccountState(Wallet("0x1"), self.clock.now(), self.positions, self.cash, None, None)
        self.books.refresh(state, settled)

    def buy(self, price: str = "0.48", shares: str = "20") -> None:
        """A purchase of ours, settled and paid."""
        intent = an_intent(created_at=self.stores.intents.now())
        self.stores.intents.propose(intent, self.lease)
        self.stores.intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
        self.stores.intents.claim(intent.id, self.lease, Regime.LIVE, wide_limits())
        order = an_order_for(intent)
        self.stores.intents.permit(order, self.lease, post_budget_seconds=10)
        fill = Fill(
            TradeId("t1"),
            0,
            OrderId(order.id),
            CONDITION,
            ASSET,
            Side.BUY,
            Role.TAKER,
            Price(d(price)),
            Shares(d(shares)),
            Pusd(d("0.1")),
            FillStatus.CONFIRMED,
            self.clock.now(),
            "0xfill",
        )
        self.stores.orders.settle(
            order.id, self.lease, status=OrderStatus.MATCHED, code="accepted", detail=""
        )
        self.stores.orders.record_fills(order.id, [fill], self.lease)
        self.stores.orders.settle(order.id, self.lease, status=OrderStatus.FILLED, code="filled", detail="")
        assert self.cash is not None
        self.cash = Pusd(self.cash - fill.notional - fill.fee)
        self.held[ASSET] = fill.shares
        self.bid(price)

    def bid(self, price: str | None) -> None:
        """The best bid of what is held; None: the book has no bids."""
        bids = [(price, 100)] if price is not None else []
        book = a_book("tram-yes", bids, [("0.99", 100)])
        self.watch.books[ASSET] = replace(book, asset_id=ASSET, observed_at=self.clock.now())

    def tell(self, **changes: Any) -> None:
        """The index tells of a movement of a moment ago; its times are whole seconds."""
        self.clock.advance(seconds=1)
        self.rows.append(a_deposit(**{"at": self.clock.now().replace(microsecond=0), **changes}))

    def stance(self) -> Stance:
        return stance_of(self.stores.switches.list())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    room.cycle()
    return room


class TestMoneyThatMoves:
    def test_a_deposit_stays_outside_until_the_index_explains_it_and_is_no_gain_then(
        self, room: Room
    ) -> None:
        room.cash = Pusd(d(1250))
        seen = room.cycle()
        assert (seen.equity_pusd, seen.unexplained_pusd) == (d(1000), d(250))
        assert room.books.outside_pusd == 250
        room.tell()
        seen = room.cycle()
        assert (seen.equity_pusd, seen.unexplained_pusd, seen.peak_pusd) == (d(1250), d(0), d(1250))
        assert (seen.day_result_pusd, seen.drawdown_fraction) == (d(0), d(0))
        assert room.books.outside_pusd == 0

    def test_a_withdrawal_is_no_loss_neither_before_nor_after_it_is_explained(self, room: Room) -> None:
        room.cash = Pusd(d(400))
        seen = room.cycle()
        assert (seen.equity_pusd, seen.unexplained_pusd, seen.drawdown_fraction) == (d(1000), d(-600), d(0))
        room.tell(kind="WITHDRAWAL", pusd=Pusd(d(600)))
        seen = room.cycle()
        assert (seen.equity_pusd, seen.drawdown_fraction, seen.day_result_pusd) == (d(400), d(0), d(0))

    @pytest.mark.parametrize("kind", ["REWARD", "MAKER_REBATE", "TAKER_REBATE", "YIELD", "REFERRAL_REWARD"])
    def test_found_money_makes_no_day_better(self, room: Room, kind: str) -> None:
        room.cash = Pusd(d(1010))
        room.tell(kind=kind, pusd=Pusd(d(10)))
        seen = room.cycle(70)
        assert (seen.equity_pusd, seen.day_result_pusd) == (d(1010), d(0))

    def test_the_index_is_asked_every_minute_and_sooner_while_cash_is_unexplained(self, room: Room) -> None:
        asked = len(room.asked)
        room.cycle(30)
        assert len(room.asked) == asked
        room.cash = Pusd(d(1250))
        room.cycle(5)
        room.cycle(10)
        assert len(room.asked) == asked + 2

    def test_a_row_that_is_told_again_counts_once(self, room: Room) -> None:
        room.cash = Pusd(d(1250))
        room.tell()
        for _ in range(5):
            seen = room.cycle(70)
        assert (seen.equity_pusd, seen.unexplained_pusd) == (d(1250), d(0))

    def test_what_moved_before_the_books_were_opened_never_counts(self, room: Room) -> None:
        opening = room.stores.books.opening(Regime.LIVE)
        assert opening is not None
        room.tell(at=NOW - timedelta(minutes=1))
        room.tell(at=opening.at.replace(microsecond=0))
        assert room.cycle(70).equity_pusd == 1000

    def test_what_moved_while_no_engine_ran_is_read_by_the_next(self, room: Room) -> None:
        room.cash = Pusd(d(1250))
        room.clock.advance(seconds=3_600)
        room.tell()
        room.clock.advance(seconds=3_600)
        room.start()
        seen = room.cycle()
        assert (seen.equity_pusd, seen.unexplained_pusd, seen.day_result_pusd) == (d(1250), d(0), d(0))

    def test_an_index_that_cannot_be_read_stops_nothing_and_says_so(self, room: Room) -> None:
        room.unreadable = True
        room.cash = Pusd(d(1250))
        seen = room.cycle(70)
        assert (seen.equity_pusd, seen.unexplained_pusd) == (d(1000), d(250))
        assert room.books.problem
        assert room.stance() is Stance.ACTIVE

    def test_a_kind_that_nobody_knows_stops_trading_and_explains_nothing(self, room: Room) -> None:
        room.cash = Pusd(d(1250))
        room.tell(kind="AIRDROP")
        seen = room.cycle(70)
        assert seen.unexplained_pusd == 250
        assert room.stance() is Stance.HALTED
        (state,) = [row for row in room.stores.switches.list() if row.type is KillSwitchType.RECONCILIATION]
        assert "AIRDROP" in state.reason

    def test_it_stops_once_for_one_row(self, room: Room) -> None:
        room.tell(kind="AIRDROP")
        room.cycle(70)
        room.stores.switches.clear(KillSwitchType.RECONCILIATION, actor="user:anna", reason="seen")
        room.cycle(70)
        assert room.stance() is Stance.ACTIVE


class TestWhatIsHeld:
    def test_a_purchase_costs_its_fee_and_the_spread_at_once(self, room: Room) -> None:
        room.buy("0.48")
        room.bid("0.47")
        seen = room.cycle()
        assert seen.equity_pusd == d(1000) - d("0.1") - d("0.20")
        assert seen.unexplained_pusd == 0
        assert room.watch.held == [ASSET]

    def test_without_a_bid_the_last_good_one_counts_and_its_age_is_told(self, room: Room) -> None:
        room.buy("0.48")
        room.cycle()
        room.bid(None)
        seen = room.cycle(100)
        assert seen.equity_pusd == d("999.9")
        assert seen.stale_seconds == {ASSET: 110.0}
        room.bid("0.50")
        assert room.cycle().stale_seconds == {}

    def test_a_mark_that_is_not_fresh_raises_no_peak(self, room: Room) -> None:
        room.buy("0.48")
        room.cycle()
        room.bid("0.90")
        room.clock.advance(seconds=100)
        assert room.cycle().peak_pusd == 1000

    def test_the_next_engine_knows_the_last_good_price(self, room: Room) -> None:
        room.buy("0.48")
        room.cycle()
        publisher = Publisher(cast("Any", Desk()), room.books)
        publisher.collect(room.clock.now(), None)
        room.stores.engine.beat(room.lease, cycle=1, facts=publisher.facts())
        room.watch.books.clear()
        room.bid(None)
        room.start()
        seen = room.cycle(300)
        assert seen.equity_pusd == d("999.9")
        assert seen.stale_seconds == {ASSET: 310.0}

    def test_what_never_had_a_price_counts_at_cost(self, room: Room) -> None:
        room.buy("0.48")
        room.watch.books.clear()
        seen = room.cycle()
        assert (seen.equity_pusd, seen.stale_seconds) == (d(1000), {ASSET: None})

    def test_a_resolved_market_is_worth_what_it_pays(self, room: Room) -> None:
        room.buy("0.48")
        room.watch.books.clear()
        room.positions = (
            AccountPosition(ASSET, CONDITION, "Yes", "?", Shares(d(20)), None, Price(d(1)), redeemable=True),
        )
        seen = room.cycle()
        assert seen.equity_pusd == d("1000") - d("9.7") + d(20)
        assert seen.stale_seconds == {}

    def test_a_redemption_turns_it_into_cash_and_a_result(self, room: Room) -> None:
        room.buy("0.48")
        room.cycle()
        room.held[ASSET] = Shares(d(0))
        room.cash = Pusd(d("990.3") + 20)
        room.tell(
            kind="REDEEM", pusd=Pusd(d(20)), shares=Shares(d(20)), condition_id=CONDITION, outcome_label="Yes"
        )
        seen = room.cycle(70)
        assert (seen.equity_pusd, seen.unexplained_pusd) == (d("1010.3"), d(0))
        assert seen.day_result_pusd == d("10.3")
        assert room.watch.held == []

    def test_a_redemption_of_the_other_outcome_takes_nothing_of_ours(self, room: Room) -> None:
        room.buy("0.48")
        room.cycle()
        assert room.cash is not None
        room.cash = Pusd(room.cash + 7)
        room.tell(
            kind="REDEEM", pusd=Pusd(d(7)), shares=Shares(d(7)), condition_id=CONDITION, outcome_label="No"
        )
        seen = room.cycle(70)
        assert (seen.day_flows_pusd, seen.unexplained_pusd) == (d(7), d(0))
        assert room.watch.held == [ASSET]

    def test_what_the_exchange_does_not_say_is_left_is_asked_again(self, room: Room) -> None:
        room.buy("0.48")
        room.held[ASSET] = None
        row = {"pusd": Pusd(d(20)), "shares": Shares(d(20)), "condition_id": CONDITION}
        room.tell(kind="REDEEM", outcome_label="Yes", **row)
        room.cycle(70)
        assert room.stores.books.movements() == ()
        room.held[ASSET] = Shares(d(0))
        room.cycle(70)
        (entry,) = room.stores.books.movements()
        assert entry.taken[0].shares == 20

    def test_our_own_trades_in_the_index_are_no_movements(self, room: Room) -> None:
        room.buy("0.48")
        trade = {"asset_id": ASSET, "condition_id": CONDITION, "side": "BUY", "transaction_hash": "0xfill"}
        room.tell(kind="TRADE", pusd=Pusd(d("9.6")), shares=Shares(d(20)), **trade)
        seen = room.cycle(70)
        assert (seen.unexplained_pusd, room.stores.books.movements()) == (d(0), ())


class TestRegimes:
    def test_another_bankroll_in_a_dry_run_is_no_result(self, tmp_path: Path) -> None:
        room = Room(tmp_path, regime=Regime.DRY_RUN)
        assert room.cycle().equity_pusd == 1000
        room.pretend = Pusd(d(400))
        room.start()
        seen = room.cycle()
        assert (seen.equity_pusd, seen.drawdown_fraction, seen.day_result_pusd) == (d(400), d(0), d(0))

    def test_without_a_balance_the_books_do_not_open(self, tmp_path: Path) -> None:
        room = Room(tmp_path)
        room.cash = None
        with pytest.raises(AssertionError):
            room.cycle()
        assert room.stores.books.opening(Regime.LIVE) is None

    def test_a_balance_that_cannot_be_read_now_is_not_needed_for_equity(self, room: Room) -> None:
        room.cash = None
        assert room.cycle().equity_pusd == 1000

    def test_a_restart_forgets_neither_peak_nor_day(self, room: Room) -> None:
        room.buy("0.48")
        room.bid("0.95")
        room.cycle()
        room.bid("0.48")
        room.start()
        seen = room.cycle()
        assert seen.peak_pusd == d("1009.3")
        assert seen.day_result_pusd == d("-0.1")


class Desk:
    """What a publisher asks of the desk besides the books."""

    def cash_pusd(self) -> Pusd:
        return Pusd(Decimal(990))

    def clock_facts(self) -> tuple[None, None]:
        """No other clock is known here."""
        return None, None

    def risk(self) -> None:
        """No limits are known here."""


def test_the_health_comes_back_as_it_was_published(room: Room) -> None:
    room.buy("0.48")
    health = room.cycle()
    publisher = Publisher(cast("Any", Desk()), room.books)
    publisher.collect(room.clock.now(), None)
    room.stores.engine.beat(room.lease, cycle=1, facts=publisher.facts())
    read = read_facts(room.stores.engine.lease_info("engine"))
    assert read.health == health
    assert read.equity_pusd == health.equity_pusd
    assert read.day_result_pusd == health.day_result_pusd
