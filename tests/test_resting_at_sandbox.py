"""A purchase that rests, from the decision to its end, at an exchange that checks signatures and matches."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Price, Pusd, Shares, from_e6, to_e6
from polyb0t.data.fills import Role
from polyb0t.data.markets import Market, Outcome
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.execution.intents import IntentStatus, OrderType, TradeIntent
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.proposing import Frame, opening_intent
from polyb0t.execution.scope import SANDBOX, Regime, Scope
from polyb0t.models.chances import Candidate
from polyb0t.models.execution_choice import ExecutionRules
from polyb0t.models.kill_switches import KillSwitchManager
from polyb0t.models.movement import Movement
from polyb0t.models.proposal import decide_openings
from polyb0t.models.risk import ControlContext, RiskLimits
from polyb0t.models.signals import Belief, MarketState, ProbEstimate
from polyb0t.runtime.watching import MarketWatch
from polyb0t.runtime.withdrawing import Withdrawing, cancelling_at
from polyb0t.venue.account import PolymarketAccount
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores, sqlite_url
from tests.support.decisions import a_desk, terms_of
from tests.support.engine_room import EngineRoom
from tests.support.fake_gateway import FakeGateway
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import Trader
from tests.support.trading import FakeBooks, a_book, a_market
from tests.venue.connected import Connected, connected

LOOSE = RiskLimits(
    collar_pusd=Decimal(1),
    collar_fraction=Decimal(1),
    spread_max=Decimal(1),
    edge_suspicious=Decimal(1),
    order_max_pusd=Decimal(10),
)
CALM = Movement(Decimal("0.4"), Decimal("0.4"))
SURE = Decimal("0.03")  # above the middle: what the model of these tests says
LIFE = 7_200


@dataclass
class Quiet:
    """An engine of the first practice account beside a market that nobody else trades in."""

    room: EngineRoom
    link: Connected
    stranger: Trader
    market: Market

    @property
    def asset(self) -> AssetId:
        return self.market.outcomes[0].asset_id

    def book(self) -> OrderBook:
        view = self.link.sandbox.world.book(self.asset)
        return a_book(
            asset_id=self.asset,
            condition_id=self.market.condition_id,
            bids=tuple(Level(Price(from_e6(p)), Shares(from_e6(s))) for p, s in reversed(view.bids)),
            asks=tuple(Level(Price(from_e6(p)), Shares(from_e6(s))) for p, s in reversed(view.asks)),
            observed_at=self.room.clock.now(),
        )

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        return self.book()

    def others(self, price: str, shares: int, *, outcome: int = 0) -> None:
        """Somebody else bids; for the other outcome that is an offer of this one."""
        token = self.market.outcomes[outcome].asset_id
        done = self.stranger.place(token, "BUY", to_e6(Decimal(price)), shares * 1_000_000)
        assert done.status_code == 200, done.text

    def proposed(self, **changes: Any) -> TradeIntent:
        """What the engine proposes for this book, with a model that sees three cents more."""
        book, now = self.book(), self.room.clock.now()
        assert book.mid is not None
        q = book.mid + SURE
        view = ProbEstimate(
            q=q,
            low=q - SURE,
            high=q + SURE,
            sd=Decimal("0.001"),
            anchor=Price(book.mid),
            spread=Decimal("0.02"),
            model="market calibration",
            version="1",
            validated=True,
            independent=False,
            parts=(),
            because="A test says so.",
        )
        state = MarketState(self.market, terms_of(self.market), (book, None), now)
        desk = a_desk(
            now=now,
            limits=LOOSE,
            execution=ExecutionRules(allowed=True, life_seconds=LIFE),
            movement_of=lambda _market: CALM,
        )
        openings = decide_openings([Candidate(state, view)], desk)
        assert len(openings.proposals) == 1, openings
        frame = Frame(self.room.stores.scope, Regime.LIVE, now, 60)
        return replace(opening_intent(openings.proposals[0], frame), **changes)

    def order(self, intent: TradeIntent) -> OrderRecord:
        return self.room.order(intent)

    def settle(self) -> None:
        """Let every trade come to its end on chain."""
        for _ in range(6):
            self.link.sandbox.step(20_000)
            self.room.reconciler.run()

    def withdrawing(self, *, sees_edge: bool = True) -> Withdrawing:
        room, asset = self.room, self.asset

        class Watch:
            def book(_self, _asset: AssetId) -> OrderBook | None:
                return self.book()

        class Situation:
            def control_context(
                _self, intent: TradeIntent, book: OrderBook, *, at_submit: bool = True
            ) -> ControlContext:
                return replace(room.situation.control_context(intent, book), at_submit=at_submit)

        sees = (
            Belief(Decimal("0.97"), Decimal("0.96"), Decimal("0.98"), Decimal("0.01")) if sees_edge else None
        )
        return Withdrawing(
            room.stores,
            room.lease,
            cast("MarketWatch", Watch()),
            Situation(),
            lambda _market, given, _now: sees if given == asset else None,
            cancelling_at(room.gateway, room.stores, room.reconciler.follow),
        )


def cost_of(intent: TradeIntent) -> Pusd:
    assert intent.max_cost is not None
    return intent.max_cost


@dataclass
class Stuck:
    """Always the same book."""

    seen: OrderBook

    def fresh_book(self, asset_id: AssetId) -> OrderBook:
        return self.seen


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """Nobody trades in it but who is told to."""
    with running_sandbox(markets=6, crowd=False) as running:
        yield running


@pytest.fixture
def quiet(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Quiet]:
    """Bid 46, offered 48, two hundred shares on both sides."""
    specs = (view.spec for view in sandbox.world.markets())
    spec = next(each for each in specs if each.tick_e6 == 10_000 and not each.neg_risk)
    stranger = Trader(sandbox, sandbox.account(5))
    for token, price in zip(spec.token_ids, (460_000, 520_000), strict=True):
        assert stranger.place(token, "BUY", price, 200 * 1_000_000).status_code == 200
    with connected(sandbox) as link:
        clock = FakeClock(SystemClock().now())
        scope = Scope(SANDBOX, 137, link.wallet, link.environment.world_id)
        sqlite_stores(tmp_path, clock, scope).close()
        world = World(sqlite_url(tmp_path), clock, scope)
        room = EngineRoom(world=world)
        room.gateway = cast("FakeGateway", link.gateway)
        yes, no = spec.token_ids
        market = a_market(
            condition_id=spec.condition_id,
            outcomes=(Outcome("Yes", AssetId(yes)), Outcome("No", AssetId(no))),
            end_date=clock.now() + timedelta(days=20),
        )
        quiet = Quiet(room, link, stranger, market)
        room.books = cast("FakeBooks", quiet)
        room.situation.market = market
        room.situation.changes = {"limits": LOOSE}
        account = PolymarketAccount(link.environment, link.wallet, link.reader, clock, api=link.api)
        room.read_cash, room.read_held = account.cash_pusd, account.held_shares
        room.start()
        yield quiet
        stranger.http.close()
        world.close()


def test_it_is_proposed_approved_rests_and_a_taker_fills_it_without_a_fee(quiet: Quiet) -> None:
    intent = quiet.proposed()
    assert (intent.order_type, intent.post_only, intent.life_seconds) == (OrderType.GTD, True, LIFE)
    assert (intent.worst_price, intent.amount) == (Decimal("0.46"), None)
    cash = quiet.room.read_cash()
    assert cash is not None
    quiet.room.execute(intent)
    assert quiet.order(intent).status is OrderStatus.LIVE
    assert quiet.room.stores.orders.reserved_pusd() == intent.max_cost
    assert intent.shares is not None
    assert cost_of(intent) == intent.shares * Decimal("0.46")

    quiet.others("0.54", 300, outcome=1)  # through everything that is bid at 46 cents
    quiet.settle()

    order, (fill,) = quiet.order(intent), quiet.room.stores.orders.fills()
    assert order.status is OrderStatus.FILLED
    assert (fill.role, fill.price, fill.shares, fill.fee) == (
        Role.MAKER,
        Decimal("0.46"),
        intent.shares,
        ZERO,
    )
    assert quiet.room.stores.orders.reserved_pusd() == ZERO
    assert quiet.room.read_cash() == cash - cost_of(intent)


def test_the_part_that_filled_is_bought_and_the_rest_stays_reserved_until_it_is_taken_back(
    quiet: Quiet,
) -> None:
    intent = quiet.proposed()
    quiet.room.execute(intent)
    quiet.others("0.54", 205, outcome=1)  # five shares are left for ours
    quiet.settle()
    assert (quiet.order(intent).status, quiet.order(intent).filled_shares) == (OrderStatus.LIVE, Decimal(5))
    left = cost_of(intent) - 5 * Decimal("0.46")
    assert quiet.room.stores.orders.reserved_pusd() == left

    assert quiet.withdrawing(sees_edge=False).look() == 1

    order = quiet.order(intent)
    assert (order.status, order.filled_shares) == (OrderStatus.CANCELLED, Decimal(5))
    assert quiet.room.stores.orders.reserved_pusd() == ZERO


def test_what_does_not_fill_ends_at_the_exchange_by_itself(quiet: Quiet) -> None:
    intent = quiet.proposed()
    quiet.room.execute(intent)
    quiet.link.sandbox.step((LIFE - 5) * 1_000)
    quiet.room.reconciler.run()
    assert quiet.order(intent).status is OrderStatus.LIVE
    quiet.link.sandbox.step(10_000)
    quiet.room.advance(minutes=1)
    quiet.room.reconciler.run()
    assert quiet.order(intent).status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
    assert quiet.order(intent).filled_shares == ZERO
    assert quiet.room.stores.orders.reserved_pusd() == ZERO


def test_it_is_left_alone_until_the_model_is_silent_and_then_taken_back_at_the_exchange(
    quiet: Quiet,
) -> None:
    intent = quiet.proposed()
    quiet.room.execute(intent)
    assert quiet.withdrawing().look() == 0
    quiet.room.advance(minutes=5)
    assert quiet.withdrawing().look() == 0
    quiet.others("0.53", 100, outcome=1)  # offered at 47: a cent nearer, and our own bid holds the middle
    assert quiet.withdrawing().look() == 0
    assert quiet.order(intent).status is OrderStatus.LIVE
    assert quiet.withdrawing(sees_edge=False).look() == 1
    assert quiet.order(intent).status is OrderStatus.CANCELLED


def test_a_halt_takes_it_back(quiet: Quiet) -> None:
    intent = quiet.proposed()
    quiet.room.execute(intent)
    KillSwitchManager(quiet.room.stores.switches).halt(actor="user:anna", reason="enough")
    quiet.room.reconciler.run()
    quiet.room.reconciler.run()
    assert quiet.order(intent).status is OrderStatus.CANCELLED
    assert quiet.room.stores.orders.reserved_pusd() == ZERO


def test_an_offer_that_comes_down_in_the_last_moment_is_refused_by_the_exchange_and_told(
    quiet: Quiet,
) -> None:
    """Our own look is two seconds old at most; what happens after it, the exchange sees."""
    intent = quiet.proposed()
    seen = quiet.book()
    quiet.others("0.54", 250, outcome=1)  # takes all bids and offers the rest at 46
    quiet.room.books = cast("FakeBooks", Stuck(seen))
    quiet.room.start()
    done = quiet.room.execute(intent)
    assert done.status is IntentStatus.FAILED
    assert "crosses" in done.result_detail, done
    assert quiet.room.stores.orders.fills() == ()
    assert quiet.room.stores.orders.reserved_pusd() == ZERO


def test_an_engine_that_dies_while_it_rests_finds_the_one_order_again(quiet: Quiet) -> None:
    intent = quiet.proposed()
    quiet.room.execute(intent)
    quiet.room.restart()
    quiet.room.restart()
    assert len(quiet.room.gateway.open_orders()) == 1
    assert quiet.order(intent).status is OrderStatus.LIVE
    assert quiet.room.stores.orders.reserved_pusd() == intent.max_cost
    assert quiet.withdrawing(sees_edge=False).look() == 1
    assert quiet.order(intent).status is OrderStatus.CANCELLED
