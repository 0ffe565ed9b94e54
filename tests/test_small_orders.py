"""The first orders with real money: what counts as settled as predicted, and what begins the count anew."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.config.settings import load_settings
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.order_book import Side
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Regime
from polyb0t.execution.small_orders import FEES, agrees, phase_of
from polyb0t.models.shortlist import Waiting
from polyb0t.models.usage import SmallOrders
from polyb0t.runtime.choices import limit_settings
from polyb0t.runtime.prompting import Prompting
from tests.support.builders import a_close, a_fill, an_intent
from tests.support.clock import FakeClock
from tests.support.databases import World, sqlite_stores, sqlite_url
from tests.support.trading import an_order_record

FIVE = Pusd(Decimal(5))


def d(text: str) -> Decimal:
    return Decimal(text)


INTENT = an_intent()  # 10 pUSD at 50 cents or less, fee 2 %: 10.2 at most
FILL = a_fill(
    OrderId("0x1"), shares=Shares(d("20")), price=Price(d("0.48")), fee=Pusd(d("0.09984")),
    status=FillStatus.CONFIRMED,
)  # fmt: skip


def settled(*fills: Fill, **changes: Any) -> OrderRecord:
    filled = sum((fill.shares for fill in fills if fill.status is not FillStatus.FAILED), Decimal(0))
    return an_order_record(INTENT, OrderStatus.FILLED, str(filled), **changes)


class TestAgreeing:
    def test_an_order_that_went_as_predicted_agrees(self) -> None:
        assert agrees(settled(FILL), INTENT, [FILL])

    def test_so_does_one_that_was_cancelled_with_a_part_filled(self) -> None:
        part = replace(settled(FILL), status=OrderStatus.CANCELLED)
        assert agrees(part, INTENT, [FILL])

    @pytest.mark.parametrize("status", [FillStatus.MATCHED, FillStatus.MINED, FillStatus.RETRYING])
    def test_a_fill_that_is_not_final_has_to_be_waited_for(self, status: FillStatus) -> None:
        fill = replace(FILL, status=status)
        assert not agrees(settled(fill), INTENT, [fill])

    @pytest.mark.parametrize("status", [OrderStatus.MATCHED, OrderStatus.UNKNOWN, OrderStatus.LIVE])
    def test_an_order_that_has_not_ended_does_not_count(self, status: OrderStatus) -> None:
        assert not agrees(replace(settled(FILL), status=status), INTENT, [FILL])

    def test_an_order_that_found_nothing_proves_nothing(self) -> None:
        assert not agrees(replace(settled(), status=OrderStatus.CANCELLED), INTENT, [])
        failed = replace(FILL, status=FillStatus.FAILED)
        assert not agrees(settled(failed), INTENT, [failed])

    @pytest.mark.parametrize("fee", ["0.09983", "0.09985", "0", "0.2"])
    def test_another_fee_than_predicted_does_not_agree(self, fee: str) -> None:
        fill = replace(FILL, fee=Pusd(d(fee)))
        assert not agrees(settled(fill), INTENT, [fill])

    def test_a_maker_pays_none(self) -> None:
        assert agrees(settled(FILL), INTENT, [replace(FILL, role=Role.MAKER, fee=Pusd(d("0")))])
        assert not agrees(settled(FILL), INTENT, [replace(FILL, role=Role.MAKER)])

    def test_a_worse_price_than_approved_does_not_agree(self) -> None:
        fee = Pusd(d("0.09996"))  # what the schedule gives at 51 cents
        fill = replace(FILL, price=Price(d("0.51")), fee=fee)
        assert not agrees(settled(fill), INTENT, [fill])

    def test_more_paid_than_the_approver_saw_does_not_agree(self) -> None:
        less = replace(INTENT, max_cost=Pusd(d("9.69")))
        assert not agrees(settled(FILL), less, [FILL])

    def test_fills_that_do_not_sum_up_to_the_order_do_not_agree(self) -> None:
        assert not agrees(an_order_record(INTENT, OrderStatus.FILLED, "21"), INTENT, [FILL])

    def test_a_sale_agrees_at_its_floor_or_above(self) -> None:
        sale = a_close()  # 20 at 40 cents or more
        sold = replace(FILL, side=Side.SELL)
        assert agrees(an_order_record(sale, OrderStatus.FILLED, "20"), sale, [sold])
        cheap = replace(sold, price=Price(d("0.39")), fee=Pusd(d("0.09516")))
        assert not agrees(an_order_record(sale, OrderStatus.FILLED, "20"), sale, [cheap])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = FakeClock()
    sqlite_stores(tmp_path, clock).close()  # makes the database
    world = World(sqlite_url(tmp_path), clock)
    yield world
    world.close()


def trade(world: World, number: int, fee: str = "0.09984") -> OrderRecord:
    """One order from proposal to a final fill."""
    order = world.permitted(asset_id=AssetId(str(number)), condition_id=ConditionId(f"0x{number}"))
    fill = replace(
        FILL,
        order_id=order.id,
        trade_id=TradeId(f"trade-{number}"),
        asset_id=order.asset_id,
        condition_id=order.condition_id,
        fee=Pusd(d(fee)),
    )
    world.orders.record_fills(order.id, [fill], world.lease)
    return world.orders.settle(
        order.id, world.lease, status=OrderStatus.FILLED, code="filled", detail="", venue_status="MATCHED"
    )


class TestCounting:
    def phase(self, world: World, needed: int = 3) -> SmallOrders:
        return phase_of(world.stores, needed=needed, most_pusd=FIVE)

    def test_it_counts_what_agrees_and_ends_with_the_last(self, world: World) -> None:
        assert (self.phase(world).agreed, self.phase(world).active) == (0, True)
        trade(world, 1)
        trade(world, 2, fee="0.2")
        trade(world, 3)
        assert (self.phase(world).agreed, self.phase(world).active) == (2, True)
        trade(world, 4)
        assert (self.phase(world).agreed, self.phase(world).active) == (3, False)

    def test_a_fee_that_the_balance_shows_to_be_another_begins_it_anew(self, world: World) -> None:
        for number in range(3):
            trade(world, number)
        assert not self.phase(world).active
        world.clock.advance(seconds=1)
        world.engine.note(world.lease, kind="fee.differed", subject=FEES, payload={}, actor="engine")
        assert (self.phase(world).agreed, self.phase(world).active) == (0, True)
        world.clock.advance(seconds=1)
        trade(world, 7)
        assert self.phase(world).agreed == 1

    def test_an_order_whose_sums_differed_does_not_count(self, world: World) -> None:
        order = trade(world, 1)
        world.engine.note(world.lease, kind="order.differed", subject=order.id, payload={}, actor="engine")
        assert self.phase(world).agreed == 0

    def test_what_was_judged_is_not_read_again_until_it_moves(self, world: World) -> None:
        trade(world, 1)
        judged: dict[Any, Any] = {}
        assert phase_of(world.stores, needed=3, most_pusd=FIVE, judged=judged).agreed == 1
        assert len(judged) == 1
        assert phase_of(world.stores, needed=3, most_pusd=FIVE, judged=judged).agreed == 1

    def test_where_none_is_needed_there_is_no_phase(self, world: World) -> None:
        assert not self.phase(world, needed=0).active
        assert self.phase(world, needed=0).words == ""


class TestWhereItApplies:
    def needed(self, regime: Regime, venue: str) -> int:
        return limit_settings(load_settings(venue=venue), regime).small_orders

    def test_with_real_money_only(self) -> None:
        assert self.needed(Regime.LIVE, "polymarket") == 20
        assert self.needed(Regime.DRY_RUN, "polymarket") == 0
        assert self.needed(Regime.PAPER, "polymarket") == 0
        assert self.needed(Regime.LIVE, "sandbox") == 0


def test_the_words_say_how_far_it_is_and_what_an_order_may_cost() -> None:
    assert SmallOrders(3, 20, FIVE).words == "3 of 20 settled orders agree; at most 5 pUSD an order"
    assert SmallOrders(20, 20, FIVE).words == "passed: 20 of 20 settled orders agree"


class TestOwnRate:
    """What the shortlist knows of how approved purchases fared (`Prompting.waiting`)."""

    def rate(self, world: World) -> tuple[int, int]:
        prompting = Prompting(
            world.stores, Regime.LIVE, per_hour=6, per_day=30, most_waiting=5, decide_seconds=60
        )
        waiting = prompting.waiting()
        return waiting.filled, waiting.sent

    def test_what_was_filled_of_what_ended(self, world: World) -> None:
        assert self.rate(world) == (0, 0)
        trade(world, 1)
        order = world.permitted(asset_id=AssetId("2"), condition_id=ConditionId("0x2"))
        assert self.rate(world) == (1, 1)  # not over yet
        world.orders.settle(
            order.id, world.lease, status=OrderStatus.CANCELLED, code="no_fill", detail="", venue_status=""
        )
        assert self.rate(world) == (1, 2)

    def test_it_is_counted_anew_every_ten_minutes(self, world: World) -> None:
        prompting = Prompting(
            world.stores, Regime.LIVE, per_hour=6, per_day=30, most_waiting=5, decide_seconds=60
        )
        prompting.waiting()
        trade(world, 1)
        assert prompting.waiting().sent == 0
        world.clock.advance(minutes=10)
        assert prompting.waiting() == Waiting(Decimal(60), 1, 1)
