"""What the desk knows of pace, budget, lists and the first small orders, from real records."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.ids import AssetId, ConditionId, OrderId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.account_state import AccountOrder
from polyb0t.data.fills import FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import LIVE_STATUSES, IntentRecord
from polyb0t.execution.orders import UNRESOLVED_ORDER, OrderStatus, OrderType
from polyb0t.execution.scope import Regime
from polyb0t.execution.using import bought_since, own_orders
from polyb0t.models.risk import RiskLimits
from polyb0t.models.usage import OwnOrder, Usage
from polyb0t.runtime.limit_book import LimitBook, LimitSettings, Records, within_budget
from tests.support.builders import NOW, a_fill, a_scope, an_intent
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores, sqlite_url
from tests.support.trading import an_order_record
from tests.test_small_orders import trade

COST = Decimal("10.2")  # of the builders' intent


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = FakeClock()
    sqlite_stores(tmp_path, clock, a_scope()).close()  # makes the database
    world = World(sqlite_url(tmp_path), clock)
    yield world
    world.close()


def usage(world: World, without: IntentRecord | None = None) -> Usage:
    """As the desk asks for it."""
    reserved = world.orders.reserved_pusd()
    own = (without.intent.max_cost or Decimal(0)) if without else Decimal(0)
    records = Records(
        live=world.intents.list(statuses=tuple(LIVE_STATUSES), limit=None),
        unresolved=world.orders.orders(statuses=tuple(UNRESOLVED_ORDER), limit=None),
        fills=world.orders.fills(),
        reserved=Pusd(max(Decimal(0), reserved - own)),
        realised=Pusd(Decimal(-3)),
        held=Pusd(Decimal(7)),
    )
    book = LimitBook(world.stores, LimitSettings(), Regime.LIVE)
    return book.known(records, None, without=without.id if without else None)["usage"]


def at(number: int) -> dict[str, Any]:
    return {"asset_id": AssetId(str(number)), "condition_id": ConditionId(f"0x{number}")}


class TestWhatIsUsed:
    def test_what_waits_for_a_person_uses_nothing(self, world: World) -> None:
        world.proposed()
        assert (usage(world).open_orders, usage(world).open_pusd) == (0, Decimal(0))

    def test_what_is_approved_counts_at_its_greatest_cost_and_is_no_order_of_the_hour_yet(
        self, world: World
    ) -> None:
        world.approved()
        found = usage(world)
        assert (found.open_orders, found.open_pusd, found.bought_today_pusd) == (1, COST, COST)
        assert found.orders_last_hour == 0

    def test_what_is_claimed_or_sent_counts_once(self, world: World) -> None:
        world.claimed(**at(1))
        world.permitted(**at(2))
        found = usage(world)
        assert (found.open_orders, found.open_pusd, found.orders_last_hour) == (2, 2 * COST, 2)

    def test_the_trade_that_is_judged_is_left_out(self, world: World) -> None:
        own = world.claimed(**at(1))
        world.permitted(**at(2))
        found = usage(world, without=own)
        assert (found.open_orders, found.open_pusd, found.orders_last_hour) == (1, COST, 1)

    def test_a_fill_is_bought_today_and_under_way_no_more(self, world: World) -> None:
        trade(world, 1)
        found = usage(world)
        assert (found.open_orders, found.open_pusd) == (0, Decimal(0))
        assert found.bought_today_pusd == Decimal("9.69984")
        assert found.orders_last_hour == 1

    def test_an_hour_later_there_was_no_order_in_the_last_hour(self, world: World) -> None:
        trade(world, 1)
        world.clock.advance(seconds=3_601)
        assert usage(world).orders_last_hour == 0

    def test_what_was_approved_in_a_dry_run_is_no_order_of_the_live_regime(self, world: World) -> None:
        tried = world.approved(**at(1), regime=Regime.DRY_RUN)
        assert (usage(world).open_orders, usage(world).open_pusd) == (0, Decimal(0))
        world.claim(tried.id, Regime.DRY_RUN)
        world.intents.finish(tried.id, world.lease, code="dry_run", detail="")
        world.claimed(**at(2))
        assert usage(world).orders_last_hour == 1

    def test_losses_count_and_what_is_held_is_in_use(self, world: World) -> None:
        assert usage(world).used_pusd == Decimal(10)


def test_only_purchases_since_midnight_that_did_not_fail_were_bought_today() -> None:
    midnight = NOW.replace(hour=0)
    fill = a_fill(OrderId("0x1"), matched_at=midnight)
    fills = [
        fill,
        replace(fill, side=Side.SELL),
        replace(fill, status=FillStatus.FAILED),
        replace(fill, matched_at=midnight.replace(day=21)),
    ]
    assert bought_since(fills, midnight) == fill.notional + fill.fee


class TestOwnOrders:
    RESTS = an_order_record(an_intent(order_type=OrderType.GTC), OrderStatus.LIVE)
    OURS = OwnOrder(RESTS.asset_id, RESTS.side, RESTS.price)

    def test_what_rests_may_be_met(self) -> None:
        assert own_orders([self.RESTS], [], None) == (self.OURS,)

    @pytest.mark.parametrize("status", [OrderStatus.MATCHED, OrderStatus.UNKNOWN])
    def test_a_taker_that_the_exchange_does_not_hold_rests_nowhere(self, status: OrderStatus) -> None:
        taker = replace(self.RESTS, order_type=OrderType.FAK, status=status)
        assert own_orders([taker], [], None) == ()

    def test_a_taker_that_it_holds_may_be_met(self) -> None:
        held = replace(self.RESTS, order_type=OrderType.FAK, status=OrderStatus.DELAYED)
        assert own_orders([held], [], None) == (self.OURS,)

    def test_an_order_of_the_wallet_that_is_not_ours_may_be_met_too(self) -> None:
        listed = AccountOrder(
            OrderId("0xf"),
            ConditionId("0x1"),
            AssetId("9"),
            Side.SELL,
            Price(Decimal("0.7")),
            Shares(Decimal(5)),
            Shares(Decimal(0)),
            "LIVE",
        )
        assert own_orders([], [listed], None) == (OwnOrder(AssetId("9"), Side.SELL, Price(Decimal("0.7"))),)

    def test_the_order_of_the_trade_that_is_judged_is_not_its_own_counterparty(self) -> None:
        assert own_orders([self.RESTS], [], self.RESTS.intent_id) == ()


class TestWhatIsInForce:
    def test_sizes_are_small_until_enough_orders_agree(self, world: World) -> None:
        book = LimitBook(
            world.stores, LimitSettings(small_orders=2, small_order_pusd=Pusd(Decimal(5))), Regime.LIVE
        )
        assert book.in_force(RiskLimits()).order_max_pusd == 5
        trade(world, 1)
        assert book.in_force(RiskLimits()).order_max_pusd == 5
        trade(world, 2)
        assert book.in_force(RiskLimits()).order_max_pusd == 250

    def test_a_smaller_limit_of_ones_own_stays(self, world: World) -> None:
        book = LimitBook(
            world.stores, LimitSettings(small_orders=2, small_order_pusd=Pusd(Decimal(5))), Regime.LIVE
        )
        assert book.in_force(RiskLimits(order_max_pusd=Decimal(3))).order_max_pusd == 3

    def test_the_bankroll_is_no_larger_than_the_budget(self) -> None:
        limits = RiskLimits(budget_pusd=Decimal(500))
        assert within_budget(Pusd(Decimal(10_000)), limits) == 500
        assert within_budget(Pusd(Decimal(300)), limits) == 300
        assert within_budget(Pusd(Decimal(300)), RiskLimits()) == 300
        assert within_budget(None, limits) is None
