"""What an OrderStore promises: order, fills, intent and reservation move together, and only forward."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.errors import AmbiguousError, ConflictError, LeaseLostError, NotFoundError
from polyb0t.core.ids import AssetId, ConditionId, OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import IntentStatus, OrderType
from polyb0t.execution.orders import MARKET_RESOLVED, ORDER_TRANSITIONS, OrderRecord, OrderStatus
from polyb0t.execution.store import Lease
from tests.support.builders import ASSET, NOW, a_fill
from tests.support.databases import World

ORDER, INTENT, F = OrderStatus, IntentStatus, FillStatus


def settle(world: World, order: OrderRecord, status: OrderStatus, code: str = "code") -> OrderRecord:
    return world.orders.settle(order.id, world.lease, status=status, code=code, detail="text of the exchange")


def fill(world: World, order: OrderRecord, *fills: Fill) -> OrderRecord:
    return world.orders.record_fills(order.id, fills, world.lease)


def a_resting_order(world: World) -> OrderRecord:
    order = world.permitted(
        order_type=OrderType.GTC,
        amount=None,
        least_shares=None,
        shares=Shares(Decimal(100)),
        max_cost=Pusd(Decimal(51)),
    )
    return settle(world, order, ORDER.LIVE)


def a_sale(world: World) -> OrderRecord:
    return settle(world, world.permitted(world.close_intent()), ORDER.MATCHED)


class TestSettling:
    @pytest.mark.parametrize(
        ("status", "intent"),
        [
            (ORDER.LIVE, INTENT.EXECUTED),
            (ORDER.MATCHED, INTENT.EXECUTED),
            (ORDER.DELAYED, INTENT.EXECUTED),
            (ORDER.FILLED, INTENT.EXECUTED),
            (ORDER.REFUSED, INTENT.FAILED),
            (ORDER.CANCELLED, INTENT.FAILED),
            (ORDER.UNKNOWN, INTENT.EXECUTING),
        ],
    )
    def test_an_answer_moves_the_order_and_with_it_the_intent(
        self, world: World, status: OrderStatus, intent: IntentStatus
    ) -> None:
        order = settle(world, world.permitted(), status, code="said")
        assert (order.status, order.detail) == (status, "text of the exchange")
        record = world.intents.get(order.intent_id)
        assert record.status is intent
        assert record.result == (None if intent is INTENT.EXECUTING else "said")

    @pytest.mark.parametrize("status", [ORDER.UNKNOWN, ORDER.LIVE, ORDER.DELAYED, ORDER.MATCHED])
    def test_what_may_still_spend_keeps_its_money_and_its_signature(
        self, world: World, status: OrderStatus
    ) -> None:
        order = settle(world, world.permitted(), status)
        assert world.orders.reserved_pusd() == Decimal("10.2")
        assert order.signed_order is not None

    @pytest.mark.parametrize("status", [ORDER.REFUSED, ORDER.CANCELLED, ORDER.EXPIRED, ORDER.FILLED])
    def test_a_proven_end_frees_the_money_and_erases_the_signature(
        self, world: World, status: OrderStatus
    ) -> None:
        order = settle(world, world.permitted(), status)
        assert world.orders.reserved_pusd() == 0
        assert order.signed_order is None

    def test_an_order_of_unknown_fate_is_never_simply_refused(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.UNKNOWN)
        with pytest.raises(ConflictError):
            settle(world, order, ORDER.REFUSED)
        assert world.orders.reserved_pusd() == Decimal("10.2")

    @pytest.mark.parametrize("start", [ORDER.LIVE, ORDER.FILLED, ORDER.CANCELLED, ORDER.REFUSED])
    def test_only_the_arrows_of_the_table_are_taken(self, world: World, start: OrderStatus) -> None:
        for n, end in enumerate(OrderStatus):
            elsewhere = world.intent(asset_id=str(n), condition_id=ConditionId(f"0x{n}"))
            order = settle(world, world.permitted(elsewhere), start)
            if end is start or end in ORDER_TRANSITIONS[start]:
                assert settle(world, order, end).status is end
                continue
            with pytest.raises(ConflictError):
                settle(world, order, end)
            assert world.orders.order(order.id).status is start

    def test_an_accepted_order_that_is_cancelled_leaves_its_intent_executed(self, world: World) -> None:
        order = settle(world, a_resting_order(world), ORDER.CANCELLED)
        assert world.intents.get(order.intent_id).status is INTENT.EXECUTED

    def test_later_evidence_of_life_beats_a_proof_of_absence(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.UNKNOWN)
        settle(world, order, ORDER.ABSENT)
        assert world.intents.get(order.intent_id).status is INTENT.FAILED
        settle(world, order, ORDER.LIVE)
        assert world.intents.get(order.intent_id).status is INTENT.EXECUTED
        assert world.orders.reserved_pusd() == Decimal("10.2")

    def test_the_same_answer_twice_is_one_journal_entry(self, world: World) -> None:
        order = a_resting_order(world)
        before = world.kinds()
        settle(world, order, ORDER.LIVE)
        assert world.kinds() == before

    def test_a_lost_lease_settles_nothing(self, world: World) -> None:
        order = world.permitted()
        with pytest.raises(LeaseLostError):
            world.orders.settle(order.id, Lease("engine", 0), status=ORDER.LIVE, code="", detail="")
        assert world.orders.order(order.id).status is ORDER.SIGNED

    def test_a_lookup_without_an_answer_is_counted(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.UNKNOWN)
        world.orders.record_lookup(order.id, world.lease, detail="not found")
        asked = world.orders.order(order.id)
        assert (asked.lookups, asked.detail, asked.status) == (1, "not found", ORDER.UNKNOWN)
        assert asked.looked_up_at is not None


class TestWhoseOrdersTheyAre:
    def test_ours_are_told_from_others_however_many_are_asked_about(self, world: World) -> None:
        mine = world.permitted()
        others = [OrderId(f"0x{number:064x}") for number in range(1_200)]
        assert world.orders.ours([*others, mine.id, mine.id]) == {mine.id}

    def test_the_beginning_of_an_id_is_not_the_id(self, world: World) -> None:
        mine = world.permitted()
        assert world.orders.ours([OrderId(mine.id[:20])]) == frozenset()

    def test_none_of_nothing_is_ours(self, world: World) -> None:
        assert world.orders.ours([]) == frozenset()


class TestFills:
    def test_a_fill_counts_at_once_and_is_provisional_until_confirmed(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        matched = fill(world, order, a_fill(order.id))
        assert matched.filled_shares == 20
        assert matched.filled_notional == Decimal("9.6")
        assert matched.fees == Decimal("0.096")
        assert matched.provisional_shares == 20
        assert matched.average_price == Decimal("0.48")
        confirmed = fill(world, order, a_fill(order.id, status=F.CONFIRMED))
        assert confirmed.filled_shares == 20
        assert confirmed.provisional_shares == 0

    def test_seeing_a_fill_again_changes_nothing(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        once = fill(world, order, a_fill(order.id))
        before = world.kinds()
        twice = fill(world, order, a_fill(order.id), a_fill(order.id))
        assert twice == once
        assert world.kinds() == before
        assert len(world.orders.fills()) == 1

    def test_a_fill_never_moves_back(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        fill(world, order, a_fill(order.id, status=F.CONFIRMED))
        after = fill(world, order, a_fill(order.id, status=F.MINED), a_fill(order.id, status=F.FAILED))
        assert after.filled_shares == 20
        assert after.provisional_shares == 0
        assert world.orders.fills()[0].status is F.CONFIRMED

    def test_a_failed_trade_takes_its_fill_back_and_its_money_is_reserved_again(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        fill(world, order, a_fill(order.id))
        assert world.orders.reserved_pusd() == Decimal("0.408")  # 0.4 of the 10 pUSD, with fee
        after = fill(world, order, a_fill(order.id, status=F.FAILED))
        assert after.filled_shares == 0
        assert after.filled_notional == 0
        assert after.fees == 0
        assert world.orders.reserved_pusd() == Decimal("10.2")

    def test_failed_then_confirmed_is_a_contradiction_and_changes_nothing(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        fill(world, order, a_fill(order.id, status=F.FAILED))
        with pytest.raises(ConflictError) as error:
            fill(
                world, order, a_fill(order.id, trade_id=TradeId("fine")), a_fill(order.id, status=F.CONFIRMED)
            )
        assert error.value.code == "contradiction"
        assert len(world.orders.fills()) == 1

    def test_a_fill_whose_content_changed_is_a_contradiction(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        fill(world, order, a_fill(order.id))
        with pytest.raises(ConflictError) as error:
            fill(world, order, a_fill(order.id, shares=Shares(Decimal(21))))
        assert error.value.code == "contradiction"

    @pytest.mark.parametrize(
        "other",
        [{"order_id": OrderId("0xother")}, {"side": Side.SELL}, {"asset_id": "other"}],
    )
    def test_a_fill_of_something_else_is_refused(self, world: World, other: dict[str, Any]) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        with pytest.raises(ConflictError) as error:
            fill(world, order, replace(a_fill(order.id), **other))
        assert error.value.code == "foreign_fill"

    def test_buckets_of_one_trade_are_fills_of_their_own(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        parts = [a_fill(order.id, bucket_index=n, shares=Shares(Decimal(5))) for n in range(3)]
        assert fill(world, order, *parts).filled_shares == 15

    def test_money_is_rounded_against_us_to_whole_millionths(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.MATCHED)
        odd = a_fill(order.id, shares=Shares(Decimal("10.333333")), price=Price(Decimal("0.47")))
        assert fill(world, order, odd).filled_notional == Decimal("4.856667")

    def test_a_resting_buy_reserves_what_it_can_still_cost(self, world: World) -> None:
        order = a_resting_order(world)
        fill(world, order, a_fill(order.id, shares=Shares(Decimal(25))))
        assert world.orders.reserved_pusd() == Decimal("38.25")

    def test_sold_shares_stay_reserved_until_the_sale_is_final(self, world: World) -> None:
        order = a_sale(world)
        sold = a_fill(order.id, side=Side.SELL, shares=Shares(Decimal(8)))
        fill(world, order, sold)
        assert world.orders.reserved_shares(ASSET) == 20
        settle(world, order, ORDER.CANCELLED)
        assert world.orders.reserved_shares(ASSET) == 8
        fill(world, order, replace(sold, status=F.CONFIRMED))
        assert world.orders.reserved_shares(ASSET) == 0

    def test_a_cancelled_order_still_accepts_a_fill(self, world: World) -> None:
        order = settle(world, a_resting_order(world), ORDER.CANCELLED)
        after = fill(world, order, a_fill(order.id))
        assert after.status is ORDER.CANCELLED
        assert after.filled_shares == 20

    @pytest.mark.parametrize("status", [ORDER.UNKNOWN, ORDER.REFUSED])
    def test_a_fill_proves_that_an_order_was_accepted(self, world: World, status: OrderStatus) -> None:
        order = settle(world, world.permitted(), status)
        after = fill(world, order, a_fill(order.id))
        assert after.status is ORDER.MATCHED
        assert world.intents.get(order.intent_id).status is INTENT.EXECUTED
        assert world.orders.reserved_pusd() == Decimal("0.408")

    def test_a_failed_fill_proves_nothing(self, world: World) -> None:
        order = settle(world, world.permitted(), ORDER.UNKNOWN)
        after = fill(world, order, a_fill(order.id, status=F.FAILED))
        assert after.status is ORDER.UNKNOWN
        assert world.intents.get(order.intent_id).status is INTENT.EXECUTING


class TestFinding:
    def test_by_a_prefix_of_its_id_or_of_its_intents(self, world: World) -> None:
        order = world.permitted()
        assert world.orders.find_order(order.id[:12]) == order
        assert world.orders.find_order(order.intent_id[:6]) == order

    def test_what_fits_twice_is_ambiguous_and_what_fits_nothing_is_not_found(self, world: World) -> None:
        world.permitted()
        world.permitted(world.intent(asset_id="2", condition_id=ConditionId("0x02")))
        with pytest.raises(AmbiguousError):
            world.orders.find_order("0x")
        for prefix in ("0xno", "", "%"):
            with pytest.raises(NotFoundError):
                world.orders.find_order(prefix)

    def test_watched_is_what_has_no_proven_end_or_a_fill_that_is_not_final(self, world: World) -> None:
        open_one = settle(world, world.permitted(), ORDER.LIVE)
        ended = world.permitted(world.intent(asset_id="2", condition_id=ConditionId("0x02")))
        settle(world, ended, ORDER.FILLED)
        world.advance(1)  # the oldest comes first
        moving = world.permitted(world.intent(asset_id="3", condition_id=ConditionId("0x03")))
        fill(world, moving, a_fill(moving.id, asset_id="3"))
        settle(world, moving, ORDER.FILLED)
        assert [order.id for order in world.orders.watched()] == [open_one.id, moving.id]

    def test_orders_are_listed_by_status(self, world: World) -> None:
        order = a_resting_order(world)
        assert [one.id for one in world.orders.orders(statuses=[ORDER.LIVE])] == [order.id]
        assert world.orders.orders(statuses=[ORDER.FILLED]) == ()

    def test_a_list_of_orders_continues_after_an_order(self, world: World) -> None:
        for number in range(5):
            world.permitted(asset_id=str(number), condition_id=ConditionId(f"0x{number}"))
        every = world.orders.orders()
        assert len(every) == 5
        assert world.orders.orders(limit=2, before=every[1].id) == every[2:4]
        assert world.orders.orders(statuses=[ORDER.SIGNED], before=every[3].id) == every[4:]
        with pytest.raises(NotFoundError):
            world.orders.orders(before=OrderId("0xnone"))

    def test_named_orders_come_together(self, world: World) -> None:
        order = world.permitted()
        assert world.orders.named([order.id, OrderId("0xnone")]) == {order.id: order}


def test_what_is_inferred_absent_is_listed_for_watching_until_its_market_resolved(world: World) -> None:
    open_market, ended = (
        world.permitted(),
        world.permitted(
            asset_id=AssetId("5"),
            condition_id=ConditionId("0x" + "cd" * 32),
            end_date=NOW - timedelta(days=20),  # that says when it should, not that it has
        ),
    )
    for order in (open_market, ended):
        for status in (OrderStatus.UNKNOWN, OrderStatus.ABSENT):
            world.orders.settle(order.id, world.lease, status=status, code="absent", detail="")

    assert {order.id for order in world.orders.absent()} == {open_market.id, ended.id}
    world.orders.settle(
        ended.id,
        world.lease,
        status=OrderStatus.ABSENT,
        code="absent",
        detail="",
        venue_status=MARKET_RESOLVED,
    )
    assert [order.id for order in world.orders.absent()] == [open_market.id]
