"""One pass over everything: what it proposes, and what a part that fails stops and does not stop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from polyb0t.core.errors import DatabaseError, LeaseLostError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId, Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountState
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.markets import Catalogue, Market, SkippedMarket, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.universe import UniverseRules
from polyb0t.execution.access import NO_THRESHOLDS
from polyb0t.execution.in_flight import InFlight
from polyb0t.execution.intents import IntentManager, IntentStatus, OrderType, ProposingRules, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.proposing import Frame, trade_of
from polyb0t.execution.reconciler import Reconciler
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Lease
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from polyb0t.models.execution_choice import ExecutionRules
from polyb0t.models.kill_switches import KillSwitchManager, KillSwitchType
from polyb0t.models.limits import check
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import model_id
from polyb0t.runtime.agreement import Agreement
from polyb0t.runtime.cycle import Cycle, CycleParts
from polyb0t.runtime.desk import AccountDesk, DeskSettings
from polyb0t.runtime.limit_book import LimitSettings
from polyb0t.runtime.snapshots import Snapshots
from polyb0t.runtime.watching import FUNNEL, MarketWatch, WatchSettings
from tests.support.builders import WALLET, a_fill, a_scope, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.decisions import a_market, books_at, terms_of

SPENDER = "0x" + "e1" * 20
NOWHERE = VenueUnreachableError("The exchange does not answer.")


class FakeVenue:
    """Catalogue, terms, books and account of a venue that fails where it is told to."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.markets: list[Market] = [a_market("tram"), a_market("bridge"), a_market("ferry")]
        self.bid, self.ask = "0.79", "0.80"
        self.cash: Pusd | None = Pusd(Decimal(10_000))
        self.allowances: dict[str, Pusd] = {SPENDER: Pusd(Decimal(10_000))}
        self.down: set[str] = set()
        self.watched: list[AssetId] = []
        self.catalogue_reads = 0

    def catalogue(self) -> Catalogue:
        self._answer("catalogue")
        self.catalogue_reads += 1
        end = self.clock.now() + timedelta(days=60)
        quotes: dict[str, Any] = {"best_bid": Price(Decimal(self.bid)), "best_ask": Price(Decimal(self.ask))}
        markets = tuple(replace(market, end_date=end, **quotes) for market in self.markets)
        return Catalogue(markets, (SkippedMarket("odd-one", "three outcomes"),), self.clock.now())

    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        return {m.condition_id: terms_of(m) for m in self.markets if m.condition_id in condition_ids}

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        self._answer("books")
        seen = [book for market in self.markets for book in books_at(market, self.bid, self.ask)]
        now = self.clock.now()
        return {b.asset_id: replace(b, observed_at=now) for b in seen if b.asset_id in asset_ids}

    def read(self, asset_ids: Sequence[AssetId] = ()) -> Any:
        """As the source of books when asked for assets, as the account otherwise."""
        return self.books(asset_ids) if asset_ids else self.account()

    def watch(self, asset_ids: Iterable[AssetId]) -> None:
        self.watched = list(asset_ids)

    def account(self) -> AccountState:
        self._answer("account")
        missing = {} if self.cash is not None else {"cash_pusd": "The exchange did not say."}
        return AccountState(Wallet(WALLET), self.clock.now(), (), self.cash, self.allowances, (), missing)

    def _answer(self, part: str) -> None:
        if part in self.down:
            raise NOWHERE


class Account:
    def __init__(self, venue: FakeVenue) -> None:
        self._venue = venue

    def read(self) -> AccountState:
        return self._venue.account()

    def held_shares(self, asset_id: AssetId) -> None:
        return None


class Desk:
    """A cycle on real storage, a fake venue and a clock that is moved by hand."""

    def __init__(self, folder: Path, regime: Regime = Regime.DRY_RUN, **settings: Any) -> None:
        self.clock = FakeClock()
        self.venue = FakeVenue(self.clock)
        self.stores = sqlite_stores(folder, self.clock, scope=a_scope())
        lease = self.stores.engine.acquire(
            "engine", holder="here:1", boot_id="b", process_started="1", regime=regime
        )
        assert isinstance(lease, Lease)
        self.lease = lease
        rules = WatchSettings(UniverseRules(), refresh_seconds=300)
        watch = MarketWatch(self.venue, self.venue, self.venue, self.clock, rules)
        model = MarketCalibrationModel(packaged_coefficients())
        desk_settings = DeskSettings(
            thresholds=NO_THRESHOLDS,
            **{
                "limits": RiskLimits(),
                "regime": regime,
                "pretend_cash_pusd": Pusd(Decimal(10_000)),
                "allow_unvalidated": True,
                "identity_proven": True,
                "prompts_per_hour": 6,
                "book": LimitSettings(active_model=model_id(model.name, model.version)),
                "most_waiting": 2,
                "cooldown_seconds": 900,
                "reentry_hours": 168,
                "spender_of": lambda _market: SPENDER,
                **settings,
            },
        )
        self.desk = AccountDesk(self.stores, watch, self.clock, desk_settings)
        reconciler = Reconciler(
            self.stores,
            lease,
            None,
            held_shares=lambda _asset: None,
            clock=self.clock,
            in_flight=InFlight(),
        )
        self.agreement = Agreement(reconciler, self.clock, 60)
        self.woken = 0
        self.cycle = Cycle(
            CycleParts(
                stores=self.stores,
                lease=lease,
                clock=self.clock,
                watch=watch,
                account=Account(self.venue),
                desk=self.desk,
                model=model,
                manager=IntentManager(self.stores.intents, ProposingRules(Decimal("0.015"))),
                frame=lambda: Frame(a_scope(), regime, self.stores.intents.now(), 60),
                agreement=self.agreement,
                snapshots=Snapshots(self.stores.engine, lease, self.clock),
                wake_executor=self._wake,
            )
        )

    def _wake(self) -> None:
        self.woken += 1

    def waiting(self) -> list[str]:
        records = self.stores.intents.list(statuses=(IntentStatus.PENDING,))
        return sorted(record.intent.question for record in records)


class OrdersWith:
    """An order store of which only the fills are asked for."""

    def __init__(self, fills: list[Fill]) -> None:
        self._fills = fills

    def fills(self) -> tuple[Fill, ...]:
        return tuple(self._fills)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestAPass:
    def test_the_best_ideas_are_proposed_as_many_as_may_wait(self, desk):
        report = desk.cycle.run()
        assert report.proposed == 2
        assert len(desk.waiting()) == 2
        assert not report.failed
        assert desk.woken == 1

    def test_a_second_pass_proposes_none_of_them_again(self, desk):
        desk.cycle.run()
        before = desk.waiting()
        assert desk.cycle.run().proposed == 0
        assert desk.waiting() == before

    def test_what_is_past_its_time_expires_and_the_idea_rests(self, desk):
        desk.cycle.run()
        first = desk.waiting()
        desk.clock.advance(seconds=61)
        desk.cycle.run()
        assert set(desk.waiting()).isdisjoint(first)

    def test_births_are_spread_over_passes_so_that_not_all_expire_together(self, tmp_path):
        desk = Desk(tmp_path, most_waiting=6)
        assert desk.cycle.run().proposed == 2
        desk.clock.advance(seconds=10)
        assert desk.cycle.run().proposed == 1
        desk.clock.advance(seconds=50)
        desk.cycle.run()
        assert desk.waiting()

    def test_the_desk_rests_what_the_store_would_refuse_and_nothing_else(self, desk):
        desk.cycle.run()
        rejected, switched = desk.stores.intents.list(statuses=(IntentStatus.PENDING,))
        desk.stores.intents.reject(rejected.id, actor="user:anna", reason="no")
        desk.stores.intents.expire(switched.id, actor="engine", code="other_regime")
        assert desk.desk.desk().resting_assets == {rejected.intent.asset_id}

    def test_no_more_than_so_many_an_hour(self, tmp_path):
        desk = Desk(tmp_path, prompts_per_hour=1)
        desk.cycle.run()
        desk.clock.advance(seconds=61)
        assert desk.cycle.run().proposed == 0
        desk.clock.advance(minutes=60)
        assert desk.cycle.run().proposed == 1

    def test_no_more_than_so_many_a_day(self, tmp_path):
        desk = Desk(tmp_path, prompts_per_hour=6, prompts_per_day=1)
        assert desk.cycle.run().proposed == 1
        desk.clock.advance(minutes=120)
        assert desk.cycle.run().proposed == 0
        desk.clock.advance(minutes=22 * 60, seconds=1)
        assert desk.cycle.run().proposed == 1

    def test_what_found_no_place_is_recorded_with_its_rank(self, desk):
        desk.cycle.run()
        [entry] = [entry for entry in desk.stores.engine.journal() if entry.kind == FUNNEL]
        assert '"no_slot":[{"place":"Number 3 of 3: growth ' in entry.payload
        assert '"links_unknown":[]' in entry.payload

    def test_the_catalogue_is_read_when_it_is_due(self, desk):
        for _ in range(5):
            desk.cycle.run()
            desk.clock.advance(seconds=60)
        assert desk.venue.catalogue_reads == 1
        desk.cycle.run()
        assert desk.venue.catalogue_reads == 2

    def test_why_the_others_were_not_traded_is_recorded_once_a_reading(self, desk):
        desk.cycle.run()
        desk.cycle.run()
        [entry] = [entry for entry in desk.stores.engine.journal() if entry.kind == FUNNEL]
        assert '"tradable":3' in entry.payload
        assert "odd-one" in entry.payload

    def test_an_account_state_is_kept_on_change_and_now_and_then(self, desk):
        desk.cycle.run()
        first = desk.stores.engine.latest_account_state()
        desk.clock.advance(seconds=10)
        desk.cycle.run()
        assert desk.stores.engine.latest_account_state() == first
        desk.venue.cash = Pusd(Decimal(9_000))
        desk.cycle.run()
        changed = desk.stores.engine.latest_account_state()
        assert changed is not None
        assert changed.cash_pusd == Decimal(9_000)


class TestWhatIsUnderWay:
    def test_a_purchase_without_own_information_counts_as_one_from_its_approval_on(self, desk):
        desk.cycle.run()
        assert desk.desk.desk().exposure.dependent == 0
        record = desk.stores.intents.list(statuses=(IntentStatus.PENDING,))[0]
        desk.stores.intents.approve(
            record.id, digest=record.intent.digest, actor="user:anna", grace_seconds=10
        )
        now = desk.desk.desk()
        assert record.intent.dependent
        assert now.exposure.dependent == record.intent.max_cost
        (holding,) = now.events.holdings
        assert (holding.asset_id, holding.worth) == (record.intent.asset_id, record.intent.max_cost)
        assert not holding.certain
        assert now.tail.loss() == 100  # 99.996, up to the cent

    def test_at_the_send_its_own_reservation_is_left_out_of_every_limit(self, desk):
        desk.cycle.run()
        record = desk.stores.intents.list(statuses=(IntentStatus.PENDING,))[0]
        desk.stores.intents.approve(
            record.id, digest=record.intent.digest, actor="user:anna", grace_seconds=10
        )
        book = books_at(a_market(), desk.venue.bid, desk.venue.ask)[0]
        context = desk.desk.control_context(record.intent, book)
        assert (context.exposure.dependent, context.exposure.far, context.tail.loss()) == (0, 0, 0)
        names = {each.name: each for each in check(trade_of(record.intent), context)}
        assert names["exposure_dependent"].value == names["portfolio_tail"].value == "100.00"

    def test_an_intent_says_how_its_size_came_about(self, desk):
        desk.cycle.run()
        record = desk.stores.intents.list(statuses=(IntentStatus.PENDING,))[0]
        assert record.intent.size_why.startswith("Best stake ")
        assert record.intent.size_why.endswith("the order limit leaves 100.00.")
        assert record.intent.place.startswith("Number ")


class TestAPartThatFails:
    @pytest.mark.parametrize("part", ["catalogue", "books"])
    def test_without_prices_nothing_is_proposed_and_the_pass_says_why(self, desk, part):
        desk.venue.down = {part}
        report = desk.cycle.run()
        assert report.proposed == 0
        assert list(report.failed.values()) == [NOWHERE.what]
        assert desk.woken == 1

    def test_prices_that_stopped_are_not_traded_on(self, desk):
        desk.cycle.run()
        desk.venue.down = {"books"}
        desk.clock.advance(seconds=61)
        assert desk.cycle.run().proposed == 0

    def test_expiry_goes_on_without_a_venue(self, desk):
        desk.cycle.run()
        desk.venue.down = {"catalogue", "books", "account"}
        desk.clock.advance(seconds=61)
        desk.cycle.run()
        assert desk.waiting() == []

    def test_where_it_is_not_known_what_should_have_tripped_nothing_is_opened(self, desk, monkeypatch):
        def unreadable() -> None:
            raise DatabaseError("The switches could not be read.")

        monkeypatch.setattr(desk.cycle, "_parts", replace(desk.cycle._parts, watch_switches=unreadable))
        report = desk.cycle.run()
        assert set(report.failed) == {"switches"}
        assert report.proposed == 0

    def test_what_trips_in_a_pass_stops_the_proposals_of_that_pass(self, desk, monkeypatch):
        def trips() -> None:
            desk.stores.switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="16% under")

        monkeypatch.setattr(desk.cycle, "_parts", replace(desk.cycle._parts, watch_switches=trips))
        assert desk.cycle.run().proposed == 0

    def test_the_next_pass_works_again(self, desk):
        desk.venue.down = {"catalogue"}
        desk.cycle.run()
        desk.venue.down = set()
        assert desk.cycle.run().proposed == 2

    def test_an_error_of_the_program_ends_its_stage_only(self, desk, monkeypatch):
        def broken() -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(desk.venue, "account", broken)
        report = desk.cycle.run()
        assert set(report.failed) == {"account"}
        assert report.proposed == 2

    def test_a_lost_lease_ends_everything(self, desk):
        desk.stores.engine.acquire(
            "engine",
            holder="there:2",
            boot_id="b",
            process_started="2",
            regime=Regime.DRY_RUN,
            take_over_from=desk.lease.token,
        )
        with pytest.raises(LeaseLostError):
            desk.cycle.run()


class TestMoney:
    def test_with_money_an_unknown_balance_proposes_nothing(self, tmp_path):
        desk = Desk(tmp_path, Regime.LIVE)
        desk.venue.cash = None
        assert desk.cycle.run().proposed == 0
        desk.venue.cash = Pusd(Decimal(10_000))
        assert desk.cycle.run().proposed == 2

    def test_with_money_a_missing_allowance_proposes_nothing(self, tmp_path):
        desk = Desk(tmp_path, Regime.LIVE)
        desk.venue.allowances = {}
        assert desk.cycle.run().proposed == 0
        desk.venue.allowances = {SPENDER: Pusd(Decimal(10_000))}
        assert desk.cycle.run().proposed == 2

    def test_with_money_an_unvalidated_model_needs_leave(self, tmp_path):
        assert Desk(tmp_path, Regime.LIVE, allow_unvalidated=False).cycle.run().proposed == 0

    def test_with_money_the_identity_rule_has_to_be_proven(self, tmp_path):
        assert Desk(tmp_path, Regime.LIVE, identity_proven=False).cycle.run().proposed == 0

    def test_a_fill_that_settles_after_the_balance_was_read_is_still_taken_off_it(self, tmp_path):
        """The exchange debits a moment after the match: the balance read in between shows nothing of it."""
        desk = Desk(tmp_path, Regime.LIVE)
        fill = a_fill(OrderId("0x1"), matched_at=desk.clock.now(), status=FillStatus.MATCHED)
        fills: list[Fill] = [fill]
        stores: Any = replace(desk.stores, orders=cast("Any", OrdersWith(fills)))
        desk.desk._stores = stores
        desk.clock.advance(seconds=2)
        desk.desk.observe(desk.venue.account(), desk.desk.settled())
        spent = Decimal(10_000) - fill.notional - fill.fee
        assert desk.desk.cash_pusd() == spent

        fills[0] = replace(fill, status=FillStatus.CONFIRMED)

        assert desk.desk.cash_pusd() == spent, "the balance was read before it settled"
        desk.venue.cash = Pusd(spent)
        desk.desk.observe(desk.venue.account(), desk.desk.settled())
        assert desk.desk.cash_pusd() == spent, "and now it shows it"

    def test_cash_that_nothing_explains_is_no_bankroll(self, tmp_path):
        desk = Desk(tmp_path, Regime.LIVE)
        desk.desk.observe(desk.venue.account(), desk.desk.settled())
        assert desk.desk.desk().bankroll_pusd == 10_000
        desk.desk._outside = lambda: Pusd(Decimal(9_000))
        assert desk.desk.desk().bankroll_pusd == 1_000

    def test_a_halt_stops_proposing(self, desk):
        KillSwitchManager(desk.stores.switches).halt(actor="user:anna", reason="lunch")
        assert desk.cycle.run().proposed == 0
        desk.stores.switches.clear(KillSwitchType.MANUAL, actor="user:anna", reason="back")
        assert desk.cycle.run().proposed == 2

    def test_nothing_is_proposed_before_our_records_agree_with_the_exchanges(self, desk, monkeypatch):
        monkeypatch.setattr(desk.agreement, "compare_when_due", lambda: None)
        assert desk.cycle.run().proposed == 0


def ended(desk: Desk, asset: str, *, filled: bool) -> None:
    """A purchase of that outcome that rested with an even chance of a fill, and its end."""
    intent = an_intent(
        asset_id=AssetId(asset),
        condition_id=ConditionId(asset),
        event_id=None,
        order_type=OrderType.GTD,
        post_only=True,
        life_seconds=600,
        amount=None,
        least_shares=None,
        shares=Shares(Decimal(20)),
        fill_chance=Decimal("0.5"),
    )
    intents, orders, order = desk.stores.intents, desk.stores.orders, an_order_for(intent)
    intents.propose(intent, desk.lease)
    intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
    intents.claim(intent.id, desk.lease, Regime.LIVE, wide_limits(max_orders_hour=100))
    intents.permit(order, desk.lease, post_budget_seconds=0)
    if filled:
        part = a_fill(order.id, asset_id=intent.asset_id, condition_id=intent.condition_id)
        orders.record_fills(order.id, [replace(part, trade_id=TradeId(asset))], desk.lease)
    for status in (OrderStatus.LIVE, OrderStatus.EXPIRED):
        orders.settle(order.id, desk.lease, status=status, code="ended", detail="")


class TestAPurchaseThatRests:
    """A spread of two cents, of which taking leaves too little: what rests has to be known to be calm."""

    RESTING: ClassVar[dict[str, Any]] = {
        "execution": ExecutionRules(allowed=True, life_seconds=21_600),
        "limits": RiskLimits(edge_min=Decimal("0.034")),
    }

    def watched(self, desk: Desk, hours: int) -> list[TradeIntent]:
        """What was proposed in so many hours, in each of which the price moved by a cent."""
        for hour in range(hours):
            cent = Decimal(f"0.0{(1, 0, 1, 2)[(hours - hour) % 4]}")
            desk.venue.bid, desk.venue.ask = (str(Decimal(price) + cent) for price in ("0.79", "0.81"))
            for _ in range(12):
                desk.clock.advance(minutes=5)
                desk.cycle.run()
        return [record.intent for record in desk.stores.intents.list()]

    def test_what_was_watched_for_hours_may_rest_and_is_proposed_with_all_of_it(self, tmp_path: Path) -> None:
        intent, *_ = self.watched(Desk(tmp_path, **self.RESTING), 5)
        assert (intent.order_type, intent.post_only, intent.life_seconds) == (OrderType.GTD, True, 21_600)
        assert intent.worst_price == intent.best_bid
        assert intent.taken_back is not None
        assert intent.amount is None
        assert intent.shares is not None
        assert intent.worst_price is not None
        assert intent.max_cost == intent.shares * intent.worst_price

    def test_orders_that_rested_and_did_not_fill_make_the_next_one_less_likely(self, tmp_path: Path) -> None:
        desk = Desk(tmp_path, Regime.LIVE, **self.RESTING)
        for number in range(12):
            ended(desk, f"asset-{number}", filled=number == 0)
        assert desk.desk.desk().execution.came_true == Decimal(6) / 11

    def test_after_a_start_it_is_not_known_how_much_anything_moves(self, tmp_path: Path) -> None:
        assert self.watched(Desk(tmp_path, **self.RESTING), 2) == []

    def test_where_it_is_not_allowed_nothing_rests(self, tmp_path: Path) -> None:
        assert self.watched(Desk(tmp_path, limits=self.RESTING["limits"]), 5) == []
