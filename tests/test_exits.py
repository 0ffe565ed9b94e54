"""Exits in the cycle: proposed, re-quoted, run by themselves where they were approved, never past that."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.ids import AssetId, ConditionId, TradeId, new_intent_id
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import FillStatus
from polyb0t.data.markets import Catalogue, Market, TradingTerms
from polyb0t.data.order_book import OrderBook
from polyb0t.data.universe import UniverseRules
from polyb0t.execution.access import NO_THRESHOLDS
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType, Purpose
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.execution.standing import StandingApproval, StandingRecord
from polyb0t.models.exit_manager import ExitManager
from polyb0t.models.exit_rules import ExitRules
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import Answer, IdentityModel, MarketState, ProbabilityModel
from polyb0t.runtime.desk import AccountDesk, DeskSettings
from polyb0t.runtime.exit_column import exit_column
from polyb0t.runtime.exits import ExitParts, Exits
from polyb0t.runtime.position_views import PositionViews
from polyb0t.runtime.watching import MarketWatch, WatchSettings
from tests.support.builders import a_fill
from tests.support.clock import FakeClock
from tests.support.databases import World, migrated_file, sqlite_url
from tests.support.decisions import a_market, books_at, d, terms_of

YES, TRAM = AssetId("tram-yes"), ConditionId("0xtram")


class Venue:
    """One market whose price is moved by hand. `listed`: whether the catalogue has it."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.bid, self.ask, self.size = "0.59", "0.60", 5_000
        self.listed = True
        self.days = 60.0
        self.paid: dict[AssetId, Price] = {}

    @property
    def market(self) -> Market:
        return a_market("tram", end_date=self.clock.now() + timedelta(days=self.days))

    def catalogue(self) -> Catalogue:
        return Catalogue((self.market,) if self.listed else (), (), self.clock.now())

    def terms(self, condition_ids: Sequence[ConditionId]) -> Mapping[ConditionId, TradingTerms]:
        return {TRAM: terms_of(self.market)} if TRAM in condition_ids else {}

    def markets_of(self, condition_ids: Sequence[ConditionId]) -> Sequence[Market]:
        return [self.market] if TRAM in condition_ids else []

    def books(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        seen = books_at(self.market, self.bid, self.ask, size=self.size)
        return {b.asset_id: replace(b, observed_at=self.clock.now()) for b in seen if b.asset_id in asset_ids}

    def read(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, OrderBook]:
        return self.books(asset_ids)

    def watch(self, asset_ids: Any) -> None:
        pass

    def resolved(self, asset_ids: Sequence[AssetId]) -> Mapping[AssetId, Price]:
        return {asset: self.paid[asset] for asset in asset_ids if asset in self.paid}


class Broken(IdentityModel):
    """A model whose library has a fault."""

    def estimate_all(self, states: Sequence[MarketState]) -> list[Answer]:
        raise ZeroDivisionError


class House:
    """20 shares held, bought at 60¢ when the bid was 59¢, and the stage that watches over them."""

    def __init__(self, folder: Path) -> None:
        (folder / "polyb0t.db").write_bytes(migrated_file())
        self.clock = FakeClock()
        self.world = World(sqlite_url(folder), self.clock)
        self.venue = Venue(self.clock)
        self.watch = MarketWatch(
            self.venue, self.venue, self.venue, self.clock, WatchSettings(UniverseRules(), 300)
        )
        self.desk = AccountDesk(
            self.world.stores,
            self.watch,
            self.clock,
            DeskSettings(
                thresholds=NO_THRESHOLDS,
                limits=RiskLimits(),
                regime=Regime.LIVE,
                pretend_cash_pusd=Pusd(d(10_000)),
                allow_unvalidated=True,
                identity_proven=True,
                prompts_per_hour=6,
                most_waiting=2,
                cooldown_seconds=900,
                reentry_hours=168,
                spender_of=lambda _market: "0x",
            ),
        )
        self.agrees = True
        self.start()
        self.opening = self.buy("20", trade="t1")

    def start(self, model: ProbabilityModel | None = None) -> None:
        """The stage as a new process has it."""
        world, model = self.world, model or IdentityModel()
        self.exits = Exits(
            ExitParts(
                stores=world.stores,
                lease=world.lease,
                watch=self.watch,
                desk=self.desk,
                views=PositionViews(world.stores, world.lease, self.watch, model, self.clock, self.venue),
                manager=ExitManager(ExitRules()),
                frame=lambda: Frame(world.scope, Regime.LIVE, world.intents.now(), 600),
                clock=self.clock,
                resolutions=self.venue,
                grace_seconds=10,
                may_propose=lambda: self.agrees,
            )
        )

    def buy(self, shares: str, *, trade: str) -> IntentRecord:
        order = self.world.permitted(
            asset_id=YES, condition_id=TRAM, best_bid=Price(d("0.59")), best_ask=Price(d("0.60"))
        )
        self.fill(order, shares, trade, price="0.60")
        return self.world.intents.get(order.intent_id)

    def fill(self, order: OrderRecord, shares: str, trade: str, *, price: str) -> None:
        world = self.world
        world.orders.settle(order.id, world.lease, status=OrderStatus.MATCHED, code="accepted", detail="")
        fill = a_fill(
            order.id,
            trade_id=TradeId(trade),
            shares=Shares(d(shares)),
            price=Price(d(price)),
            side=order.side,
            asset_id=YES,
            condition_id=TRAM,
            status=FillStatus.CONFIRMED,
            matched_at=self.clock.now(),
        )
        world.orders.record_fills(order.id, [fill], world.lease)
        world.orders.settle(order.id, world.lease, status=OrderStatus.CANCELLED, code="accepted", detail="")

    def cycle(self, bid: str | None = None, ask: str | None = None) -> int:
        """Ten seconds later."""
        self.clock.advance(seconds=10)
        self.world.engine.beat(self.world.lease, cycle=1)
        if bid is not None:
            self.venue.bid, self.venue.ask = bid, ask or str(d(bid) + d("0.01"))
        self.watch.refresh()
        self.watch.hold([YES])
        self.watch.read_books()
        self.world.intents.expire_due(self.world.lease)
        return self.exits.propose()

    def protect(self, **changes: Any) -> StandingRecord:
        now, opening = self.world.intents.now(), self.opening.intent
        given: dict[str, Any] = {
            "id": new_intent_id(),
            "scope": opening.scope,
            "regime": opening.regime,
            "opening_id": opening.id,
            "condition_id": TRAM,
            "asset_id": YES,
            "question": opening.question,
            "outcome_label": "Yes",
            "triggers": ("take_profit", "stop_loss", "time"),
            "worst_price": Price(d("0.50")),
            "most_shares": Shares(d(100)),
            "until": now + timedelta(days=5),
            "approvals_required": 1,
            "created_at": now,
        }
        content = StandingApproval(**{**given, **changes})
        return self.world.stores.standing.protect(content, digest=content.digest, actor="user:anna")

    def closes(self, *statuses: IntentStatus) -> list[IntentRecord]:
        return list(
            self.world.intents.list(statuses=statuses, types=(IntentType.CLOSE_POSITION,), limit=None)
        )

    def waiting(self) -> IntentRecord:
        (record,) = self.closes(IntentStatus.PENDING)
        return record

    def sell(self, record: IntentRecord, shares: str, *, trade: str, price: str) -> None:
        assert isinstance(self.world.claim(record.id), IntentRecord)
        order = self.world.permit(record.intent)
        assert isinstance(order, OrderRecord), order
        self.fill(order, shares, trade, price=price)


@pytest.fixture
def house(tmp_path: Path) -> Any:
    made = House(tmp_path)
    yield made
    made.world.close()


class TestProposing:
    def test_a_calm_market_proposes_nothing(self, house: House) -> None:
        assert [house.cycle() for _ in range(5)] == [0] * 5
        assert house.closes() == []

    def test_a_fallen_bid_proposes_to_sell_all_that_is_free(self, house: House) -> None:
        assert house.cycle("0.55") == 1
        intent = house.waiting().intent
        assert intent.triggers == ("stop_loss",)
        assert intent.shares == 20
        assert intent.worst_price == d("0.54")
        assert intent.parent_id == house.opening.id
        assert intent.deadline - intent.created_at == timedelta(minutes=10)
        assert intent.reason.startswith("Stop-loss: the bid is 55¢")

    def test_what_waits_and_still_fills_is_left_alone(self, house: House) -> None:
        house.cycle("0.55")
        first = house.waiting().id
        assert [house.cycle("0.54") for _ in range(5)] == [0] * 5
        assert house.waiting().id == first

    def test_what_no_longer_fills_is_quoted_anew_and_not_at_every_tick(self, house: House) -> None:
        house.cycle("0.55")
        first = house.waiting().id
        assert house.cycle("0.53") == 0
        assert house.cycle("0.52") == 0
        assert house.cycle("0.51") == 1
        second = house.waiting()
        assert second.id != first
        assert second.intent.worst_price == d("0.50")
        assert house.world.intents.get(first).result == "superseded"

    def test_it_is_quoted_anew_before_its_time_is_over_while_its_cause_holds(self, house: House) -> None:
        house.cycle("0.55")
        first = house.waiting().id
        for _ in range(60):
            house.cycle()
        assert house.waiting().id != first
        assert house.world.intents.get(first).result == "superseded"

    def test_after_a_refusal_it_rests_a_minute(self, house: House) -> None:
        house.cycle("0.55")
        house.world.intents.reject(house.waiting().id, actor="user:anna", reason="no")
        assert [house.cycle() for _ in range(6)] == [0, 0, 0, 0, 0, 1]

    def test_openings_stopped_do_not_stop_exits(self, house: House) -> None:
        house.world.switches.trip(KillSwitchType.DRAWDOWN, actor="engine", reason="loss")
        assert house.cycle("0.55") == 1

    def test_a_model_that_breaks_stops_none_that_does_not_need_it(self, house: House) -> None:
        house.start(Broken())
        assert house.cycle("0.55") == 1
        assert house.waiting().intent.triggers == ("stop_loss",)

    def test_everything_halted_stops_them(self, house: House) -> None:
        house.world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="stop")
        assert house.cycle("0.55") == 0

    def test_nothing_is_proposed_while_records_disagree(self, house: House) -> None:
        house.agrees = False
        assert house.cycle("0.55") == 0

    def test_dust_is_never_proposed(self, house: House) -> None:
        house.cycle("0.55")
        record = house.world.approve(house.waiting().id)
        house.sell(record, "16", trade="s1", price="0.54")
        assert [house.cycle("0.50") for _ in range(20)] == [0] * 20

    def test_a_person_who_is_selling_is_not_interfered_with(self, house: House) -> None:
        house.cycle()
        mine = house.world.close_intent(asset_id=YES, condition_id=TRAM, purpose=Purpose.PERSON)
        house.world.stores.by_hand.propose(mine, actor="user:anna")
        assert house.cycle("0.50") == 0
        assert house.waiting().id == mine.id

    def test_a_position_that_the_catalogue_no_longer_lists_is_still_sold(self, house: House) -> None:
        house.venue.listed = False
        house.venue.days = 1
        house.cycle()
        assert house.waiting().intent.triggers == ("time",)

    def test_the_depth_at_entry_survives_a_restart(self, house: House) -> None:
        house.cycle()
        house.start()
        house.venue.size = 500
        for _ in range(14):
            house.cycle()
        assert house.waiting().intent.triggers == ("liquidity",)


class TestStanding:
    def test_a_protected_position_is_sold_by_itself(self, house: House) -> None:
        standing = house.protect()
        assert house.cycle("0.55") == 1
        (record,) = house.closes()
        assert record.status is IntentStatus.APPROVED
        assert record.decided_by == f"standing:{standing.id}"

    def test_protecting_what_already_waits_lets_it_run(self, house: House) -> None:
        house.cycle("0.55")
        house.protect()
        house.cycle("0.55")
        (record,) = house.closes(IntentStatus.APPROVED)
        assert record.intent.shares == 20

    def test_only_the_triggers_that_were_approved(self, house: House) -> None:
        house.protect(triggers=("time",))
        house.cycle("0.55")
        assert house.waiting().decided_by is None

    def test_never_below_its_worst_price(self, house: House) -> None:
        """One cent of slack would go under it, so the floor is the worst price itself."""
        house.protect(worst_price=Price(d("0.55")))
        house.cycle("0.55")
        (record,) = house.closes(IntentStatus.APPROVED)
        assert record.intent.worst_price == d("0.55")

    def test_past_its_worst_price_a_person_is_asked_and_it_is_said_loudly(self, house: House) -> None:
        standing = house.protect(worst_price=Price(d("0.55")))
        house.cycle("0.40")
        assert house.waiting().intent.worst_price == d("0.39")
        assert "standing.passed" in house.world.kinds(standing.id)
        for _ in range(10):
            house.cycle()
        assert house.world.kinds(standing.id).count("standing.passed") == 1

    def test_no_more_than_it_covers(self, house: House) -> None:
        house.protect(most_shares=Shares(d("12.345")))
        house.cycle("0.55")
        (record,) = house.closes(IntentStatus.APPROVED)
        assert record.intent.shares == d("12.34")

    def test_a_position_bought_anew_waits_for_a_person(self, house: House) -> None:
        house.protect()
        house.cycle("0.55")
        (record,) = house.closes()
        house.sell(record, "20", trade="s1", price="0.55")
        house.clock.advance(seconds=1_000)
        house.world.engine.beat(house.world.lease, cycle=1)
        house.buy("20", trade="t2")
        house.cycle("0.50")
        assert house.waiting().decided_by is None

    def test_two_purchases_two_approvals_one_after_the_other(self, house: House) -> None:
        house.protect()
        house.clock.advance(seconds=1_000)
        house.world.engine.beat(house.world.lease, cycle=1)
        house.opening = house.buy("30", trade="t2")
        house.protect()
        sold = Decimal(0)
        for number in range(2):
            house.cycle("0.55")
            (record,) = house.closes(IntentStatus.APPROVED)
            assert record.intent.shares is not None
            sold += record.intent.shares
            house.sell(record, str(record.intent.shares), trade=f"s{number}", price="0.55")
        assert sold == 50


class TestCounterfactual:
    def test_what_was_sold_is_not_bought_back_for_a_week(self, house: House) -> None:
        """The model that liked it still does: bought, stopped and bought again it pays the spread each time."""
        house.cycle("0.55")
        assert house.desk.desk().sold_assets == frozenset()
        sale = house.waiting()
        house.world.intents.approve(sale.id, digest=sale.digest, actor="user:anna", grace_seconds=10)
        house.sell(sale, "20", trade="t2", price="0.55")

        assert house.desk.desk().sold_assets == {YES}
        house.clock.advance(seconds=168 * 3_600 + 60)
        assert house.desk.desk().sold_assets == frozenset()

    def test_what_a_sale_brought_and_what_holding_would_have(self, house: House) -> None:
        house.cycle("0.55")
        record = house.world.approve(house.waiting().id)
        house.sell(record, "20", trade="s1", price="0.54")
        house.cycle()
        (exit_,) = house.world.stores.exits.all()
        assert exit_.triggers == ("stop_loss",)
        assert exit_.proceeds == d("10.704")  # 20 x 54¢ less the fee
        assert exit_.better_by is None
        house.venue.paid = {YES: Price(d(1))}
        for _ in range(31):
            house.cycle()
        (exit_,) = house.world.stores.exits.all()
        assert exit_.held_pusd == 20
        assert exit_.better_by == d("-9.296")
        assert house.world.kinds(record.id)[-2:] == ["exit.recorded", "exit.resolved"]


class TestWhatScreensSay:
    def said(self, house: House) -> str:
        return exit_column(house.world.stores, [YES], house.world.intents.now())[YES]

    def test_in_a_paper_run_that_asks_nobody_no_exit_waits_for_a_person(self, house: House) -> None:
        stores, now = house.world.stores, house.world.intents.now()
        assert exit_column(stores, [YES], now, decides_itself=True)[YES] == "by itself"

    def test_the_exit_column(self, house: House) -> None:
        assert self.said(house) == "waits for you"
        house.cycle("0.55")
        short = house.world.intents.shortest_prefixes([house.waiting().id])[house.waiting().id]
        assert self.said(house) == f"{short}, 10 min"
        house.protect()
        house.cycle("0.55")
        assert self.said(house) == f"{short}, selling"

    def test_what_is_approved_in_advance_and_what_is_spent_of_it(self, house: House) -> None:
        house.protect()
        assert self.said(house) == "until 27 Nov"
        house.cycle("0.55")
        (record,) = house.closes()
        house.sell(record, "20", trade="s1", price="0.55")
        assert self.said(house) == "waits for you"
