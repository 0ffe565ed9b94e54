"""A simulated fill is what the exchange's rules give for the book that was shown, or worse; never better."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, to_e6
from polyb0t.data.fills import Role
from polyb0t.data.markets import FeeSchedule
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.execution.filler import (
    MarketRules,
    Met,
    Print,
    SimulatedOrder,
    Standing,
    arrive,
    arrives_at,
    in_effect,
    remaining,
    wait,
)
from polyb0t.execution.liquidity import Taken
from polyb0t.execution.orders import OrderType
from polyb0t.models.fees import taker_fee
from tests.support.builders import ASSET, NOW
from tests.support.trading import a_book

FEE = FeeSchedule(Decimal("0.25"), Decimal(2))
RULES = MarketRules(Price(Decimal("0.01")), Shares(Decimal(5)), FEE)
OTHER = AssetId("2")
NOTHING = Taken()


def levels(*rows: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Price(Decimal(price)), Shares(Decimal(shares))) for price, shares in rows)


DEEP = a_book(
    bids=levels(("0.47", "10"), ("0.46", "100")),
    asks=levels(("0.48", "10"), ("0.50", "4"), ("0.51", "1000")),
)


def an_order(**changes: Any) -> SimulatedOrder:
    """A FAK BUY of 10 pUSD at 0.50 or better."""
    order = SimulatedOrder(
        asset_id=ASSET,
        side=Side.BUY,
        order_type=OrderType.FAK,
        limit=Price(Decimal("0.50")),
        amount=Pusd(Decimal(10)),
        shares=None,
    )
    return replace(order, **changes)


def a_sale(shares: str = "20", limit: str = "0.40", **changes: Any) -> SimulatedOrder:
    size = Shares(Decimal(shares))
    return an_order(side=Side.SELL, limit=Price(Decimal(limit)), amount=None, shares=size, **changes)


def a_bid(shares: str = "20", limit: str = "0.45", **changes: Any) -> SimulatedOrder:
    """A BUY that rests in the book."""
    size = Shares(Decimal(shares))
    given = {"order_type": OrderType.GTC, **changes}
    return an_order(limit=Price(Decimal(limit)), amount=None, shares=size, **given)


def pieces(met: Met) -> list[tuple[str, str]]:
    return [(str(piece.price), str(piece.shares.normalize())) for piece in met.pieces]


# -- a taker -----------------------------------------------------------------------------------


def test_a_purchase_walks_the_offers_up_to_its_limit_and_each_level_pays_its_own_fee() -> None:
    met = arrive(an_order(), DEEP, RULES, NOTHING)

    assert pieces(met) == [("0.48", "1E+1"), ("0.50", "4")]
    assert met.notional == Decimal("6.80")
    assert met.fee == sum(taker_fee(p.shares, p.price, FEE) for p in met.pieces)
    assert (met.standing, met.code) == (Standing.CANCELLED, "partly_filled")


def test_a_purchase_is_bounded_by_its_money() -> None:
    met = arrive(an_order(amount=Pusd(Decimal(2))), DEEP, RULES, NOTHING)

    assert met.standing is Standing.FILLED
    assert met.shares == Decimal("4.1666")  # 2 / 0.48, cut so that the money is whole millionths
    assert met.notional == Decimal("1.999968")


def test_a_sale_is_bounded_by_its_shares_and_takes_the_best_bids_first() -> None:
    met = arrive(a_sale(), DEEP, RULES, NOTHING)

    assert pieces(met) == [("0.47", "1E+1"), ("0.46", "1E+1")]
    assert met.standing is Standing.FILLED


def test_all_or_nothing_is_nothing_when_the_book_is_short_and_takes_no_liquidity() -> None:
    short = arrive(an_order(order_type=OrderType.FOK), DEEP, RULES, NOTHING)
    fits = arrive(an_order(order_type=OrderType.FOK, amount=Pusd(Decimal("6.80"))), DEEP, RULES, short.taken)

    assert (short.standing, short.code, short.pieces) == (Standing.CANCELLED, "no_fill", ())
    assert (fits.standing, fits.shares) == (Standing.FILLED, Decimal(14))


def test_a_book_that_moved_away_is_no_fill() -> None:
    met = arrive(an_order(), a_book("0.51", "0.52"), RULES, NOTHING)

    assert (met.standing, met.code) == (Standing.CANCELLED, "no_fill")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (an_order(limit=Price(Decimal("0.505"))), "off_tick"),
        (an_order(limit=Price(ONE)), "off_tick"),
        (an_order(amount=Pusd(Decimal("0.99"))), "below_minimum"),
        (a_sale("4.99"), "below_minimum"),
        (a_bid("4.99"), "below_minimum"),
        (an_order(amount=None, shares=Shares(Decimal(20))), "unit_mismatch"),
        (an_order(post_only=True), "post_only_type"),
        (a_bid(limit="0.48", post_only=True), "post_only_crosses"),
    ],
)
def test_what_the_exchange_would_refuse_is_refused(order: SimulatedOrder, code: str) -> None:
    met = arrive(order, DEEP, RULES, NOTHING)

    assert (met.standing, met.code, met.pieces) == (Standing.REFUSED, code, ())


# -- when it arrives ---------------------------------------------------------------------------


def test_an_order_meets_the_book_that_is_in_effect_when_it_arrives_not_the_one_it_was_decided_on() -> None:
    books = [replace(DEEP, observed_at=NOW + timedelta(seconds=second)) for second in (0, 1, 3)]

    assert in_effect(books, NOW - timedelta(seconds=1)) is None
    assert in_effect(books, arrives_at(NOW, 0.5)) is books[0]
    assert in_effect(books, arrives_at(NOW, 1)) is books[1]
    assert in_effect(books, arrives_at(NOW, 1, taker_delay_seconds=3)) is books[2]


# -- liquidity ---------------------------------------------------------------------------------


def test_what_was_taken_is_not_taken_again_while_the_book_goes_on_showing_it() -> None:
    first = arrive(an_order(), DEEP, RULES, NOTHING)
    second = arrive(an_order(), replace(DEEP, observed_at=NOW + timedelta(seconds=9)), RULES, first.taken)

    assert second.code == "no_fill"


def test_shares_that_come_on_top_can_be_taken_and_a_level_that_was_gone_is_new() -> None:
    first = arrive(an_order(), DEEP, RULES, NOTHING)
    more = replace(
        DEEP, asks=levels(("0.48", "12.5"), ("0.51", "1000")), observed_at=NOW + timedelta(seconds=1)
    )
    again = replace(DEEP, observed_at=NOW + timedelta(seconds=2))

    on_top = arrive(an_order(), more, RULES, first.taken)
    back = arrive(an_order(), again, RULES, on_top.taken)

    assert pieces(on_top) == [("0.48", "2.5")]
    assert pieces(back) == [("0.50", "4")]


def test_a_look_that_is_older_than_the_last_one_brings_nothing_back() -> None:
    fresh = replace(DEEP, observed_at=NOW + timedelta(seconds=5))
    first = arrive(an_order(), fresh, RULES, NOTHING)
    old = a_book("0.47", "0.52", observed_at=NOW)

    second = arrive(an_order(), fresh, RULES, first.taken.seen(old))

    assert second.code == "no_fill"


def test_the_other_outcome_shows_the_same_orders_so_they_are_gone_from_there_too() -> None:
    rules = replace(RULES, opposite=OTHER)
    first = arrive(an_order(), DEEP, rules, NOTHING)
    mirror = a_book(bids=levels(("0.52", "10"), ("0.50", "4")), asset_id=OTHER)
    sale = a_sale("14", "0.50", asset_id=OTHER)

    assert arrive(sale, mirror, rules, NOTHING).shares == 14
    assert arrive(sale, mirror, rules, first.taken).code == "no_fill"


# -- resting -----------------------------------------------------------------------------------


def test_a_limit_order_takes_what_it_crosses_as_a_taker_and_rests_with_the_remainder() -> None:
    met = arrive(a_bid(limit="0.48"), DEEP, RULES, NOTHING)

    assert met.standing is Standing.RESTING
    assert pieces(met) == [("0.48", "1E+1")]
    assert met.pieces[0].role is Role.TAKER
    assert remaining(a_bid(limit="0.48"), met.shares) == 10


@pytest.mark.parametrize(("price", "filled"), [("0.45", "0"), ("0.46", "0"), ("0.44", "7")])
def test_a_resting_purchase_fills_only_by_a_trade_through_its_price_not_at_it(
    price: str, filled: str
) -> None:
    seen = Print(Price(Decimal(price)), Shares(Decimal(7)))

    met = wait(a_bid(), Shares(Decimal(20)), RULES, NOTHING, prints=[seen])

    assert met.shares == Decimal(filled)
    assert met.standing is Standing.RESTING


@pytest.mark.parametrize(("price", "filled"), [("0.55", "0"), ("0.54", "0"), ("0.56", "7")])
def test_a_resting_sale_likewise(price: str, filled: str) -> None:
    order = a_sale(limit="0.55", order_type=OrderType.GTC)
    seen = Print(Price(Decimal(price)), Shares(Decimal(7)))

    assert wait(order, Shares(Decimal(20)), RULES, NOTHING, prints=[seen]).shares == Decimal(filled)


def test_an_offer_through_its_price_fills_it_at_its_own_price_without_a_fee() -> None:
    at_it, through = a_book("0.40", "0.45"), a_book("0.40", "0.44", shares="8")

    none = wait(a_bid(), Shares(Decimal(20)), RULES, NOTHING, book=at_it)
    part = wait(a_bid(), Shares(Decimal(20)), RULES, NOTHING, book=through)

    assert none.pieces == ()
    assert pieces(part) == [("0.45", "8")]
    assert (part.pieces[0].role, part.fee) == (Role.MAKER, ZERO)


def test_an_offer_and_the_trade_that_took_it_fill_once() -> None:
    through = a_book("0.40", "0.44", shares="8")
    order, size = a_bid(), Shares(Decimal(20))

    offered = wait(order, size, RULES, NOTHING, book=through)
    traded = wait(
        order,
        Shares(size - 8),
        RULES,
        offered.taken,
        prints=[Print(Price(Decimal("0.44")), Shares(Decimal(8)))],
    )

    assert (offered.shares, traded.shares) == (Decimal(8), ZERO)


def test_an_order_with_an_end_is_over_at_that_instant_and_fills_no_more() -> None:
    order = a_bid(order_type=OrderType.GTD, expires_at=NOW)
    through = [Print(Price(Decimal("0.01")), Shares(Decimal(99)))]

    before = wait(order, Shares(Decimal(20)), RULES, NOTHING, prints=through, now=NOW - timedelta(seconds=1))
    after = wait(order, Shares(Decimal(20)), RULES, NOTHING, prints=through, now=NOW)

    assert (before.standing, before.shares) == (Standing.FILLED, Decimal(20))
    assert (after.standing, after.pieces) == (Standing.EXPIRED, ())


# -- properties --------------------------------------------------------------------------------

TICKS = (Decimal("0.01"), Decimal("0.001"), Decimal("0.0025"), Decimal("0.0001"))
sizes = st.integers(1, 5_000_000_000).map(lambda e6: Shares(Decimal(e6).scaleb(-6)))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[OrderBook, MarketRules, SimulatedOrder]:
    """A legal book of some tick, and an order that the exchange would take."""
    tick = draw(st.sampled_from(TICKS))
    top = int(1 / tick) - 1
    places = sorted(draw(st.sets(st.integers(1, top), min_size=2, max_size=9)))
    middle = draw(st.integers(0, len(places)))
    rows = [Level(Price(place * tick), draw(sizes)) for place in places]
    bids, asks = tuple(reversed(rows[:middle])), tuple(rows[middle:])
    fee = FeeSchedule(
        draw(st.sampled_from([ZERO, Decimal("0.02"), Decimal("0.25")])),
        draw(st.sampled_from([ONE, Decimal(2)])),
    )
    rules = MarketRules(Price(tick), Shares(Decimal(5)), fee)
    side, kind = draw(st.sampled_from(list(Side))), draw(st.sampled_from(list(OrderType)))
    money = side is Side.BUY and kind.takes
    size = Decimal(draw(st.integers(500, 1_000_000))).scaleb(-2)
    order = SimulatedOrder(
        asset_id=ASSET,
        side=side,
        order_type=kind,
        limit=Price(draw(st.integers(1, top)) * tick),
        amount=Pusd(size) if money else None,
        shares=None if money else Shares(size),
    )
    return a_book(bids=bids, asks=asks), rules, order


def best_possible(book: OrderBook, order: SimulatedOrder, shares: Decimal) -> Decimal:
    """The least that a purchase of `shares` can cost by this book, or the most that a sale can bring."""
    money, left = ZERO, shares
    for level in book.offers(order.side):
        part = min(level.shares, left)
        money, left = money + part * level.price, left - part
    assert left == 0, "more was filled than is shown"
    return money


@given(worlds())
def test_no_fill_is_better_than_the_book_or_worse_than_the_limit(
    world: tuple[OrderBook, MarketRules, SimulatedOrder],
) -> None:
    book, rules, order = world
    met = arrive(order, book, rules, NOTHING)

    buys = order.side is Side.BUY
    best = best_possible(book, order, met.shares)
    assert met.notional >= best if buys else met.notional <= best
    assert all(piece.price <= order.limit if buys else piece.price >= order.limit for piece in met.pieces)
    if order.amount is not None:
        assert met.notional <= order.amount
    if order.shares is not None:
        assert met.shares <= order.shares


@given(worlds())
def test_money_and_shares_are_whole_millionths_and_fees_are_the_venues_own(
    world: tuple[OrderBook, MarketRules, SimulatedOrder],
) -> None:
    book, rules, order = world

    for piece in arrive(order, book, rules, NOTHING).pieces:
        to_e6(piece.notional), to_e6(piece.shares), to_e6(piece.fee)
        assert piece.fee == taker_fee(piece.shares, piece.price, rules.fee)


@given(worlds(), st.integers(1, 1_000))
def test_more_is_filled_for_a_larger_order_and_at_no_better_an_average(
    world: tuple[OrderBook, MarketRules, SimulatedOrder], more: int
) -> None:
    book, rules, order = world
    if order.order_type is OrderType.FOK:
        order = replace(order, order_type=OrderType.FAK)
    larger = replace(
        order,
        amount=None if order.amount is None else Pusd(order.amount + more),
        shares=None if order.shares is None else Shares(order.shares + more),
    )
    small, large = arrive(order, book, rules, NOTHING), arrive(larger, book, rules, NOTHING)

    assert large.shares >= small.shares
    assert large.notional >= small.notional
    if small.shares:
        # average x shares, so that nothing is divided
        one, other = large.notional * small.shares, small.notional * large.shares
        slack = rules.step * large.shares  # where money ends a level, the last part is cut to the step
        assert one >= other - slack if order.side is Side.BUY else one <= other + slack


@given(worlds(), st.integers(2, 5))
def test_however_often_it_is_asked_no_level_gives_more_than_it_shows(
    world: tuple[OrderBook, MarketRules, SimulatedOrder], times: int
) -> None:
    book, rules, order = world
    taken, got = NOTHING, dict[Price, Decimal]()
    for _ in range(times):
        met = arrive(order, book, rules, taken)
        taken = met.taken
        for piece in met.pieces:
            got[piece.price] = got.get(piece.price, ZERO) + piece.shares

    shown = {level.price: level.shares for level in book.offers(order.side)}
    assert all(shares <= shown[price] for price, shares in got.items())


@given(worlds(), st.lists(st.tuples(st.integers(1, 99), sizes), max_size=5), st.integers(500, 100_000))
def test_a_resting_order_never_gets_more_than_was_left_nor_another_price_than_its_own(
    world: tuple[OrderBook, MarketRules, SimulatedOrder], seen: Sequence[tuple[int, Shares]], cents: int
) -> None:
    book, rules, order = world
    left = Shares(Decimal(cents).scaleb(-2))
    resting = replace(order, order_type=OrderType.GTC, amount=None, shares=left)
    prints = [Print(Price(Decimal(price).scaleb(-2)), shares) for price, shares in seen]

    met = wait(resting, left, rules, NOTHING, book=book, prints=prints)

    assert met.shares <= left
    assert all(piece.price == order.limit and piece.fee == ZERO for piece in met.pieces)
    to_e6(met.notional)
