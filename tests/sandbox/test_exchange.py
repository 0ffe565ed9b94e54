"""Matching: price, then time, over both outcomes of a market in one book."""

import pytest

from polyb0t.sandbox.types import MILLION, OrderRequest, OrderStatus, OrderType, Refusal, Side
from polyb0t.sandbox.world import World
from tests.sandbox.worlds import (
    ALICE,
    BOB,
    CAROL,
    CONDITION,
    NO_TOKEN,
    NOON_MS,
    YES_TOKEN,
    check_books,
    levels,
    place,
    quiet_world,
    request,
)


def refused(world: World, order: OrderRequest) -> Refusal:
    before = world.state_hash()
    with pytest.raises(Refusal) as caught:
        world.place(order)
    assert _without_sequence(world, before), "a refused order changed the world"
    return caught.value


def _without_sequence(world: World, before: str) -> bool:
    world.engine.order_sequence -= world.state_hash() != before  # the counter is all that may move
    return world.state_hash() == before


class TestMatching:
    def test_a_resting_order_shows_in_both_books_as_its_mirror(self) -> None:
        world = quiet_world()
        place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.45)
        assert levels(world, YES_TOKEN) == ([(0.45, 10)], [])
        assert levels(world, NO_TOKEN) == ([], [(0.55, 10)])

    def test_the_resting_price_counts_so_the_improvement_is_the_takers(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.45)
        done = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.60)
        assert (done.status, done.making_e6, done.taking_e6) == ("matched", 4_500_000, 10_000_000)

    def test_better_prices_go_first_and_at_one_price_the_earlier_order(self) -> None:
        world = quiet_world()
        late = place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.46)
        first = place(world, BOB, "SELL", YES_TOKEN, shares=10, price=0.45)
        second = place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.45)
        place(world, CAROL, "BUY", YES_TOKEN, shares=15, price=0.50)
        matched = [world.order(order.order_id).matched_e6 for order in (first, second, late)]  # type: ignore[union-attr]
        assert matched == [10_000_000, 5_000_000, 0]

    def test_two_buys_of_opposite_outcomes_mint(self) -> None:
        world = quiet_world()
        place(world, ALICE, "BUY", NO_TOKEN, shares=10, price=0.55)
        done = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.45)
        world.step(5_000)
        assert done.making_e6 == 4_500_000
        assert world.balance(ALICE, NO_TOKEN) == 1_010 * MILLION
        assert world.balance(BOB, YES_TOKEN) == 1_010 * MILLION
        assert world.balance(ALICE) == 994_500_000
        assert world.ledger.locked[CONDITION] == 3_010 * MILLION
        check_books(world)

    def test_two_sells_of_opposite_outcomes_merge(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", NO_TOKEN, shares=10, price=0.55)
        done = place(world, BOB, "SELL", YES_TOKEN, shares=10, price=0.40)
        world.step(5_000)
        assert done.taking_e6 == 4_500_000, "the maker's 0.55 leaves 0.45"
        assert world.ledger.locked[CONDITION] == 2_990 * MILLION
        check_books(world)

    def test_a_crossing_gtc_takes_first_and_rests_the_remainder(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=6, price=0.45)
        done = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.46)
        order = world.order(done.order_id)
        assert order is not None
        assert (done.status, order.status, order.matched_e6) == ("matched", OrderStatus.LIVE, 6_000_000)
        assert levels(world, YES_TOKEN) == ([(0.46, 4)], [])

    def test_one_taker_order_makes_one_trade_a_price(self) -> None:
        world = quiet_world()
        for price in (0.44, 0.45, 0.45):
            place(world, ALICE, "SELL", YES_TOKEN, shares=5, price=price)
        done = place(world, BOB, "BUY", YES_TOKEN, shares=15, price=0.45)
        trades = [world.trades(trade_id=name)[0] for name in done.trade_ids]
        assert [(t.price_e6, t.size_e6, len(t.maker_orders), t.bucket_index) for t in trades] == [
            (440_000, 5_000_000, 1, 0),
            (450_000, 10_000_000, 2, 1),
        ]

    def test_what_is_left_below_the_exact_unit_is_dropped_not_rested(self) -> None:
        """A third of a share at 0.333 has no whole count of millionths, so it can never settle."""
        world = quiet_world(tick_e6=1_000)
        place(world, ALICE, "SELL", YES_TOKEN, shares=20, price=0.30)
        third = place(world, BOB, "BUY", YES_TOKEN, pusd=1, price=0.30, kind="FAK", tick_e6=1_000)
        assert third.taking_e6 == 3_333_330
        place(world, CAROL, "BUY", YES_TOKEN, shares=20, price=0.333)
        assert levels(world, YES_TOKEN) == ([(0.333, 3.333)], [])
        assert world.ledger.active(CAROL) == 1_109_889
        check_books(world)


class TestOrderTypes:
    def test_fok_takes_all_or_nothing(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50)
        killed = refused(world, request(BOB, "BUY", YES_TOKEN, pusd=6, price=0.50, kind="FOK"))
        assert killed.text == "order couldn't be fully filled. FOK orders are fully filled or killed."
        done = place(world, BOB, "BUY", YES_TOKEN, pusd=5, price=0.50, kind="FOK")
        assert (done.making_e6, done.taking_e6) == (5_000_000, 10_000_000)

    @pytest.mark.parametrize(("ask", "worst"), [(0.59, 0.62), (0.5825, 0.62), (0.5875, 0.6225), (0.01, 0.99)])
    def test_a_fok_is_filled_when_what_is_left_buys_nothing_at_the_price_it_met(
        self, ask: float, worst: float
    ) -> None:
        world = quiet_world(tick_e6=2_500)
        place(world, ALICE, "SELL", YES_TOKEN, shares=900, price=ask)
        placed = place(world, BOB, "BUY", YES_TOKEN, pusd=6, price=worst, kind="FOK", tick_e6=2_500)
        assert placed.status == "matched"
        assert 6_000_000 - 10_000 < placed.making_e6 <= 6_000_000

    def test_fak_takes_what_is_there_and_never_rests(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50)
        done = place(world, BOB, "BUY", YES_TOKEN, pusd=6, price=0.50, kind="FAK")
        assert (done.status, done.taking_e6) == ("matched", 10_000_000)
        assert levels(world, YES_TOKEN) == ([], [])
        none = refused(world, request(BOB, "BUY", YES_TOKEN, pusd=6, price=0.50, kind="FAK"))
        assert none.text.startswith("no orders found to match with FAK order.")
        assert none.http_status == 400
        assert none.order_id

    def test_a_fak_buy_is_bounded_by_its_collateral_and_gets_more_shares_for_it(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=100, price=0.40)
        done = place(world, BOB, "BUY", YES_TOKEN, pusd=10, price=0.52, kind="FAK")
        assert (done.making_e6, done.taking_e6) == (10_000_000, 25_000_000)

    def test_post_only_never_takes(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50)
        crossing = request(BOB, "BUY", YES_TOKEN, shares=10, price=0.50, post_only=True)
        assert refused(world, crossing).text == "invalid post-only order: order crosses book"
        resting = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.49, post_only=True)
        assert resting.status == "live"
        wrong = request(BOB, "BUY", YES_TOKEN, pusd=5, price=0.50, kind="FAK", post_only=True)
        assert refused(world, wrong).text.endswith("only GTC and GTD order types are allowed")

    def test_gtd_leaves_a_minute_before_it_says(self) -> None:
        world = quiet_world()
        until = NOON_MS // 1_000 + 300
        done = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.4, kind="GTD", expiration_s=until)
        world.step(239_999)
        assert world.order(done.order_id).status is OrderStatus.LIVE  # type: ignore[union-attr]
        world.step(1)
        order = world.order(done.order_id)
        assert order is not None
        assert order.status is OrderStatus.CANCELED_EXPIRED_ORDER
        assert world.reserved(ALICE) == 0

    def test_gtd_needs_three_minutes_and_other_types_no_expiration(self) -> None:
        world, now = quiet_world(), NOON_MS // 1_000
        soon = request(ALICE, "BUY", YES_TOKEN, shares=9, price=0.4, kind="GTD", expiration_s=now + 179)
        assert refused(world, soon).text == "invalid expiration"
        odd = request(ALICE, "BUY", YES_TOKEN, shares=9, price=0.4, expiration_s=now + 900)
        assert refused(world, odd).text == "invalid expiration"

    def test_a_sports_market_holds_marketable_orders(self) -> None:
        world = quiet_world(seconds_delay=3)
        place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.50)
        done = place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.50)
        assert done.status == "delayed"
        kept = world.cancel(f"key of {BOB}", [done.order_id])
        assert kept.not_canceled == {done.order_id: "Order is delayed and cannot be canceled"}
        world.step(3_000)
        order = world.order(done.order_id)
        assert order is not None
        assert (order.status, order.matched_e6) == (OrderStatus.MATCHED, 10_000_000)
        check_books(world)

    def test_a_held_order_that_can_no_longer_be_paid_ends(self) -> None:
        """The ask it waited for got better meanwhile, so its money buys more shares and more fee."""
        world = quiet_world(seconds_delay=3, fee_rate="0.07")
        place(world, ALICE, "SELL", YES_TOKEN, shares=2_000 - 1_001, price=0.90)
        place(world, BOB, "BUY", NO_TOKEN, shares=900, price=0.10, post_only=False)
        spend = place(world, CAROL, "BUY", YES_TOKEN, pusd=990, price=0.90, kind="FAK")
        assert spend.status == "delayed"
        place(world, BOB, "SELL", YES_TOKEN, shares=1_000, price=0.15)
        place(world, BOB, "BUY", NO_TOKEN, shares=900, price=0.60)
        place(world, ALICE, "BUY", NO_TOKEN, shares=900, price=0.70)
        world.step(3_000)
        order = world.order(spend.order_id)
        assert order is not None
        assert order.status is OrderStatus.CANCELED_NOT_ENOUGH_BALANCE
        assert world.reserved(CAROL) == 0
        check_books(world)


class TestRefusals:
    def test_the_same_order_twice(self) -> None:
        world = quiet_world()
        order = request(ALICE, "BUY", YES_TOKEN, shares=10, price=0.45)
        world.place(order)
        assert refused(world, order).text == f"order {order.order_id} is invalid. Duplicated."

    def test_a_price_off_the_grid(self) -> None:
        order = request(ALICE, "BUY", YES_TOKEN, shares=10, price=0.455)
        text = f"order {order.order_id} is invalid. Price (0.455) breaks minimum tick size rule: 0.01"
        assert refused(quiet_world(), order).text == text

    @pytest.mark.parametrize("price", [0.0, 1.0])
    def test_a_price_outside_the_grid(self, price: float) -> None:
        order = OrderRequest(
            "0x1", "k", ALICE, ALICE, YES_TOKEN, Side.BUY, round(price * 10**7) or 1, 10**7, OrderType.GTC
        )
        assert "breaks minimum tick size rule: 0.01" in refused(quiet_world(), order).text

    def test_too_few_shares(self) -> None:
        order = request(ALICE, "BUY", YES_TOKEN, shares=2, price=0.45)
        text = f"order {order.order_id} is invalid. Size (2) lower than the minimum: 5"
        assert refused(quiet_world(), order).text == text

    def test_a_marketable_buy_below_one_dollar(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=50, price=0.05)
        small = request(BOB, "BUY", YES_TOKEN, shares=10, price=0.05)
        assert refused(world, small).text == "invalid amount for a marketable BUY order ($0.5), min size: $1"
        assert place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.04).status == "live"

    def test_a_market_buy_with_too_many_decimals(self) -> None:
        order = OrderRequest(
            "0x1", "k", ALICE, ALICE, YES_TOKEN, Side.BUY, 4_504_500, 10_010_000, OrderType.FAK
        )
        assert refused(quiet_world(), order).text == (
            "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals, "
            "taker amount a max of 4 decimals"
        )

    @pytest.mark.parametrize(
        ("maker", "taker", "side", "kind", "tick"),
        [
            (4_504_500, 10_010_000, "BUY", "GTC", 10_000),
            (2_587_410, 7_770_000, "BUY", "GTC", 1_000),
            (12_340_000, 7_650_800, "SELL", "GTC", 10_000),
            (10_000_000, 19_230_700, "BUY", "FAK", 10_000),
            (10_000_000, 19_230_800, "BUY", "FAK", 10_000),
            (10_560_000, 31_711_710, "BUY", "FAK", 1_000),
            (19_230_000, 9_999_600, "SELL", "FAK", 10_000),
            (4_990_000, 5_252_600, "BUY", "FOK", 10_000),
        ],
    )
    def test_amounts_as_both_kinds_of_clients_round_them_are_understood(
        self, maker: int, taker: int, side: str, kind: str, tick: int
    ) -> None:
        world = quiet_world(tick_e6=tick)
        order = OrderRequest("0x1", "k", ALICE, ALICE, YES_TOKEN, Side(side), maker, taker, OrderType(kind))
        place(world, BOB, "SELL", YES_TOKEN, shares=900, price=0.01)  # so that every kind can trade
        place(world, BOB, "BUY", YES_TOKEN, shares=30, price=0.99)
        if side == "SELL":
            place(world, CAROL, "BUY", YES_TOKEN, shares=900, price=0.99)
        assert world.place(order).status == "matched"

    def test_a_crumb_that_no_crossed_price_can_trade_does_not_rest(self) -> None:
        """A remainder of 0.00005 shares is a whole unit at 0.46 and half of one at 0.49."""
        world = quiet_world()
        place(world, BOB, "BUY", YES_TOKEN, shares=5, price=0.49)
        place(world, BOB, "BUY", YES_TOKEN, shares=15.87, price=0.54)
        place(world, ALICE, "BUY", NO_TOKEN, pusd=5, price=0.46, kind="FAK")
        sold = place(world, ALICE, "SELL", YES_TOKEN, shares=5.01, price=0.46)
        assert sold.status == "matched"
        check_books(world)

    def test_active_orders_reserve_and_the_fee_counts(self) -> None:
        world = quiet_world()
        place(world, ALICE, "BUY", YES_TOKEN, shares=1_000, price=0.90)
        order = request(ALICE, "BUY", NO_TOKEN, shares=1_111, price=0.09)
        assert refused(world, order).text == (
            "not enough balance / allowance: the balance is not enough -> balance: 1000000000, "
            "sum of active orders: 900000000, sum of matched orders: 0, "
            "order amount (inc. fees): 103629640"
        )
        makers_pay_no_fee = place(world, ALICE, "BUY", NO_TOKEN, shares=1_111, price=0.09, post_only=True)
        assert makers_pay_no_fee.status == "live"

    def test_a_crumbs_smallest_fee_is_no_more_than_its_proceeds(self) -> None:
        world = quiet_world(tick_e6=100)
        place(world, ALICE, "BUY", YES_TOKEN, shares=500, price=0.0001)
        place(world, BOB, "SELL", YES_TOKEN, shares=499.99, price=0.0001)
        world.fund("0xpenniless", 6_000_000)
        world.split("0xpenniless", CONDITION, 6_000_000)
        place(world, "0xpenniless", "SELL", YES_TOKEN, shares=6, price=0.0001)
        world.step(10_000)
        assert world.balance("0xpenniless") == 0
        check_books(world)

    def test_shares_that_are_not_there_cannot_be_sold(self) -> None:
        world = quiet_world()
        place(world, ALICE, "SELL", YES_TOKEN, shares=995, price=0.90)
        text = refused(world, request(ALICE, "SELL", YES_TOKEN, shares=6, price=0.91)).text
        assert "balance: 1000000000, sum of active orders: 995000000" in text

    def test_without_an_approval(self) -> None:
        world = quiet_world()
        spender = "0xE111180000d2663C0091e4f400237545B87B996B"
        world.set_allowance(ALICE, spender, 0)
        text = refused(world, request(ALICE, "BUY", YES_TOKEN, shares=6, price=0.5)).text
        assert text.endswith(f"the allowance is not enough -> spender: {spender}, allowance: 0")

    def test_an_unknown_token_and_a_closed_market(self) -> None:
        world = quiet_world()
        assert "not yet ready" in refused(world, request(ALICE, "BUY", "9", shares=6, price=0.5)).text
        world.resolve(CONDITION, (MILLION, 0))
        assert "not yet ready" in refused(world, request(ALICE, "BUY", YES_TOKEN, shares=6, price=0.5)).text


class TestCancelling:
    def test_only_the_owner_and_only_what_lives(self) -> None:
        world = quiet_world()
        mine = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.45).order_id
        assert world.cancel(f"key of {BOB}", [mine]).canceled == ()
        assert world.reserved(ALICE) == 4_500_000
        gone = world.cancel(f"key of {ALICE}", [mine, "0xnone"])
        assert gone.canceled == (mine,)
        assert gone.not_canceled == {"0xnone": "Order not found or already canceled"}
        assert world.reserved(ALICE) == 0
        assert world.orders(f"key of {ALICE}") == []
        assert [view.status for view in world.orders(f"key of {ALICE}", order_id=mine)] == ["CANCELED"]
        assert levels(world, YES_TOKEN) == ([], [])
        again = world.cancel(f"key of {ALICE}", [mine])
        assert again.not_canceled == {mine: "Order not found or already canceled"}

    def test_a_matched_order_says_so(self) -> None:
        world = quiet_world()
        sold = place(world, ALICE, "SELL", YES_TOKEN, shares=10, price=0.45).order_id
        place(world, BOB, "BUY", YES_TOKEN, shares=10, price=0.45)
        done = world.cancel(f"key of {ALICE}", [sold])
        assert done.not_canceled == {sold: "Order already matched"}

    def test_by_token_and_all(self) -> None:
        world = quiet_world()
        yes = place(world, ALICE, "BUY", YES_TOKEN, shares=10, price=0.3).order_id
        no = place(world, ALICE, "BUY", NO_TOKEN, shares=10, price=0.3).order_id
        other = place(world, BOB, "BUY", NO_TOKEN, shares=10, price=0.3).order_id
        assert world.cancel_market(f"key of {ALICE}", asset_id=NO_TOKEN).canceled == (no,)
        assert world.cancel_all(f"key of {ALICE}").canceled == (yes,)
        assert world.order(other).status is OrderStatus.LIVE  # type: ignore[union-attr]
