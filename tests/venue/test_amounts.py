"""What an intent says becomes two integers that can not be matched at a worse price."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polymarket._internal.actions.orders.limit import _compute_limit_order_amounts
from polymarket._internal.actions.orders.market import _compute_market_order_amounts

from polyb0t.core.units import Price, Pusd, Shares, from_e6
from polyb0t.data.order_book import Side
from polyb0t.execution.intents import OrderType
from polyb0t.venue.amounts import (
    OrderAmounts,
    OrderBuildError,
    amounts_of,
    expiration_of,
    identity_of,
    limit_amounts,
    market_amounts,
    rounding_unit,
    worst_price_on_grid,
)
from tests.venue.intents import an_intent

TICKS = [Decimal(t) for t in ("0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001")]


def d(text: str) -> Decimal:
    return Decimal(text)


# --- the exchange's own check values ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "shares", "price", "tick", "maker", "taker"),
    [
        (Side.BUY, "10", "0.45", "0.01", 4_500_000, 10_000_000),
        (Side.BUY, "10.019", "0.45", "0.01", 4_504_500, 10_010_000),
        (Side.BUY, "7.77", "0.333", "0.001", 2_587_410, 7_770_000),
        (Side.SELL, "12.345", "0.62", "0.01", 12_340_000, 7_650_800),
    ],
)
def test_an_order_that_rests(side: Side, shares: str, price: str, tick: str, maker: int, taker: int) -> None:
    assert limit_amounts(side, d(shares), Price(d(price)), Price(d(tick))) == OrderAmounts(maker, taker)


@pytest.mark.parametrize(
    ("side", "quantity", "worst", "tick", "maker", "taker"),
    [
        (Side.BUY, "10", "0.52", "0.01", 10_000_000, 19_230_700),
        (Side.BUY, "10.567", "0.333", "0.001", 10_560_000, 31_711_710),
        (Side.SELL, "19.237", "0.52", "0.01", 19_230_000, 9_999_600),
        (Side.BUY, "4.99", "0.95", "0.01", 4_990_000, 5_252_600),
    ],
)
def test_an_order_that_takes(
    side: Side, quantity: str, worst: str, tick: str, maker: int, taker: int
) -> None:
    assert market_amounts(side, d(quantity), Price(d(worst)), Price(d(tick))) == OrderAmounts(maker, taker)


# --- equality with the vendor's rounding, and the property that matters ----------------------------


@st.composite
def grid_prices(draw: st.DrawFn) -> tuple[Price, Price]:
    tick = draw(st.sampled_from(TICKS))
    return Price(tick * draw(st.integers(1, int(1 / tick) - 1))), Price(tick)


QUANTITIES = st.integers(1_000_000, 10**12).map(from_e6)


@settings(max_examples=400)
@given(priced=grid_prices(), quantity=QUANTITIES, side=st.sampled_from(list(Side)))
def test_the_vendors_sdk_rounds_to_the_same_amounts(
    priced: tuple[Price, Price], quantity: Decimal, side: Side
) -> None:
    price, tick = priced
    limit = limit_amounts(side, quantity, price, tick)
    taking = market_amounts(side, quantity, price, tick)

    assert (limit.maker_e6, limit.taker_e6) == _compute_limit_order_amounts(
        price=price, size=quantity, side=side.value, tick_size=tick
    )
    assert (taking.maker_e6, taking.taker_e6) == _compute_market_order_amounts(
        amount=quantity, price=price, side=side.value, tick_size=tick
    )


def satisfies(side: Side, amounts: OrderAmounts, price: Decimal) -> bool:
    """Whether a match at `price` lies within what was signed."""
    if side is Side.BUY:
        return price * amounts.taker_e6 <= amounts.maker_e6
    return price * amounts.maker_e6 >= amounts.taker_e6


@settings(max_examples=400)
@given(
    priced=grid_prices(),
    quantity=st.integers(1, 10**12).map(from_e6),
    side=st.sampled_from(list(Side)),
    takes=st.booleans(),
)
def test_no_price_on_the_grid_that_is_worse_satisfies_the_signed_ratio(
    priced: tuple[Price, Price], quantity: Decimal, side: Side, takes: bool
) -> None:
    worst, tick = priced
    try:
        amounts = (market_amounts if takes else limit_amounts)(side, quantity, worst, tick)
    except OrderBuildError:
        assume(False)  # too small to be bounded; a test of its own says when
    away = 1 if side is Side.BUY else -1

    assert satisfies(side, amounts, worst)
    assert not satisfies(side, amounts, worst + away * tick)
    assert not satisfies(side, amounts, worst + away * tick / 10)  # a finer tick, while it is under way


@settings(max_examples=400)
@given(priced=grid_prices(), quantity=QUANTITIES, side=st.sampled_from(list(Side)))
def test_the_ratio_passes_the_worst_price_by_less_than_one_rounding_unit(
    priced: tuple[Price, Price], quantity: Decimal, side: Side
) -> None:
    worst, tick = priced
    amounts = market_amounts(side, quantity, worst, tick)
    money = from_e6(amounts.maker_e6 if side is Side.BUY else amounts.taker_e6)
    shares = from_e6(amounts.taker_e6 if side is Side.BUY else amounts.maker_e6)
    if side is Side.BUY:
        assert worst * shares <= money < worst * (shares + rounding_unit(tick))
    else:
        assert money == worst * shares


@settings(max_examples=200)
@given(priced=grid_prices(), quantity=QUANTITIES, side=st.sampled_from(list(Side)), takes=st.booleans())
def test_never_more_is_offered_than_was_approved(
    priced: tuple[Price, Price], quantity: Decimal, side: Side, takes: bool
) -> None:
    price, tick = priced
    amounts = (market_amounts if takes else limit_amounts)(side, quantity, price, tick)
    offered = from_e6(amounts.maker_e6)
    if side is Side.SELL or takes:
        assert offered <= quantity
    else:
        assert offered <= quantity * price


@given(price=st.decimals("0.02", "0.98", places=6), tick=st.sampled_from(TICKS[1:]))
def test_a_worst_price_is_put_on_the_grid_in_our_favour(price: Decimal, tick: Decimal) -> None:
    buy = worst_price_on_grid(Side.BUY, price, Price(tick))
    sell = worst_price_on_grid(Side.SELL, price, Price(tick))
    assert buy <= price <= sell
    assert sell - buy in (0, tick)
    assert buy % tick == sell % tick == 0


# --- refusals ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "tick", "code"),
    [
        ("0.375", "0.01", "off_tick"),
        ("0", "0.01", "off_tick"),
        ("1", "0.01", "off_tick"),
        ("1.2", "0.01", "off_tick"),
        ("0.5", "0.02", "unknown_tick"),
    ],
)
def test_a_price_off_the_grid_is_refused_not_moved(price: str, tick: str, code: str) -> None:
    for recipe in (limit_amounts, market_amounts):
        with pytest.raises(OrderBuildError) as refused:
            recipe(Side.BUY, d("10"), Price(d(price)), Price(d(tick)))
        assert refused.value.code == code


@pytest.mark.parametrize("quantity", ["0", "0.009", "-5"])
def test_an_order_for_nothing_is_refused(quantity: str) -> None:
    for recipe in (limit_amounts, market_amounts):
        with pytest.raises(OrderBuildError) as refused:
            recipe(Side.BUY, d(quantity), Price(d("0.5")), Price(d("0.01")))
        assert refused.value.code == "too_small"


def test_a_buy_too_small_to_bound_its_price_is_refused() -> None:
    with pytest.raises(OrderBuildError) as refused:
        market_amounts(Side.BUY, d("0.01"), Price(d("0.93")), Price(d("0.01")))
    assert refused.value.code == "too_small"


def test_an_intent_that_promises_more_shares_than_can_be_signed_is_refused() -> None:
    intent = an_intent(amount=Pusd(d("10")), worst_price=Price(d("0.52")), least_shares=Shares(d("19.2307")))
    assert amounts_of(intent).taker_e6 == 19_230_700
    with pytest.raises(OrderBuildError) as refused:
        amounts_of(replace(intent, least_shares=Shares(d("19.2308"))))
    assert refused.value.code == "least_shares_broken"


@pytest.mark.parametrize("field", ["side", "order_type", "worst_price", "tick", "amount"])
def test_an_intent_that_lacks_a_part_is_refused(field: str) -> None:
    with pytest.raises(OrderBuildError) as refused:
        amounts_of(an_intent(**{field: None}))
    assert refused.value.code == "incomplete_intent"


# --- identity and expiry ----------------------------------------------------------------------------


def test_the_identity_is_a_pure_function_of_the_intent() -> None:
    intent = an_intent(created_at=datetime(2026, 11, 22, 12, 0, 0, 123_456, tzinfo=UTC))
    first, again = identity_of(intent), identity_of(replace(intent))
    assert first == again
    assert first.salt < 2**53
    assert first.timestamp_ms == 1_795_348_800_123
    assert identity_of(replace(intent, reason="another")).salt != first.salt
    assert identity_of(replace(intent, created_at=intent.created_at + timedelta(seconds=1))) != first


def test_the_recipe_follows_the_order_type() -> None:
    resting = an_intent(order_type=OrderType.GTC, amount=None, shares=Shares(d("10.019")))
    assert amounts_of(replace(resting, worst_price=Price(d("0.45")))) == OrderAmounts(4_504_500, 10_010_000)
    sale = an_intent(side=Side.SELL, order_type=OrderType.FAK, amount=None, shares=Shares(d("19.237")))
    assert amounts_of(replace(sale, least_shares=None)) == OrderAmounts(19_230_000, 9_999_600)


def test_only_a_gtd_expires_and_a_minute_later_on_the_wire() -> None:
    gtd = an_intent(order_type=OrderType.GTD, life_seconds=120, amount=None, shares=Shares(d("10")))
    assert expiration_of(gtd, 1_000) == 1_180
    assert expiration_of(an_intent(), 1_000) == 0
    for life in (None, 119):
        with pytest.raises(OrderBuildError):
            expiration_of(replace(gtd, life_seconds=life), 1_000)
