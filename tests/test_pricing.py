"""Edge and worst price: golden numbers, and the definition checked tick by tick."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.units import Price
from polyb0t.data.markets import FeeSchedule
from polyb0t.models.pricing import NO_RESERVE, Purchase, Reserve, Sale, reserve_for
from polyb0t.models.wording import signed_cents
from tests.support.decisions import NOW, POLITICS_FEE, a_market, d

CENT = Price(d("0.01"))
WIDE = d(1)


def test_the_golden_highest_price() -> None:
    assert Purchase(d("0.66"), POLITICS_FEE).highest_price(d("0.015")).quantize(d("0.0001")) == d("0.6357")


def test_without_a_fee_the_highest_price_is_the_value_less_the_edge() -> None:
    assert Purchase(d("0.66"), FeeSchedule(d(0), d(1))).highest_price(d("0.015")) == d("0.645")


def test_the_edges_of_the_screen() -> None:
    # 66 % against an offer of 60 cents, two months out, with a source that decides: +3.9 now, +2.9 at 61.
    purchase = Purchase(d("0.66"), POLITICS_FEE, reserve_for(a_market(), NOW))
    assert signed_cents(purchase.edge(d("0.60"))) == "+3.9¢"
    assert signed_cents(purchase.edge(d("0.61"))) == "+2.9¢"


def test_the_limit_gives_at_most_a_third_of_the_edge_to_the_wait() -> None:
    purchase = Purchase(d("0.66"), POLITICS_FEE, reserve_for(a_market(), NOW))
    limit = purchase.limit(Price(d("0.60")), edge_min=d("0.015"), given_up=d("0.35"), ceiling=WIDE, tick=CENT)
    assert limit == d("0.61")


def test_a_fine_grid_uses_the_whole_allowance() -> None:
    purchase = Purchase(d("0.66"), POLITICS_FEE)
    limit = purchase.limit(
        Price(d("0.60")), edge_min=d("0.015"), given_up=d("0.35"), ceiling=WIDE, tick=Price(d("0.001"))
    )
    assert limit == d("0.617")  # 0.60 + 0.35 x 0.0504 = 0.61764


def test_an_offer_that_is_too_dear_gives_no_limit() -> None:
    purchase = Purchase(d("0.61"), POLITICS_FEE)
    assert (
        purchase.limit(Price(d("0.60")), edge_min=d("0.015"), given_up=d("0.35"), ceiling=WIDE, tick=CENT)
        is None
    )


def test_an_offer_off_the_grid_or_above_the_ceiling_gives_no_limit() -> None:
    purchase = Purchase(d("0.9"), POLITICS_FEE)
    off = purchase.limit(Price(d("0.605")), edge_min=d("0.015"), given_up=d(0), ceiling=WIDE, tick=CENT)
    above = purchase.limit(
        Price(d("0.60")), edge_min=d("0.015"), given_up=d("0.35"), ceiling=d("0.59"), tick=CENT
    )
    assert off is None
    assert above is None


def test_a_closer_end_or_a_named_source_needs_less_reserve() -> None:
    sourced = reserve_for(a_market(), NOW)
    unsourced = reserve_for(a_market(resolution_source=""), NOW)
    sooner = reserve_for(a_market(end_date=NOW + timedelta(days=6)), NOW)
    assert sourced.dispute == d("0.0018")
    assert unsourced.dispute == d("0.0030")
    assert sooner.carry < sourced.carry
    assert reserve_for(a_market(end_date=None), NOW).carry == d("0.1")


probability = st.integers(50, 950).map(lambda k: Decimal(k) / 1000)
schedule = st.builds(
    FeeSchedule,
    st.sampled_from([d(0), d("0.04"), d("0.07"), d("0.25")]),
    st.sampled_from([d(1), d("0.5"), d(2)]),
)
reserves = st.sampled_from([NO_RESERVE, Reserve(d("0.003"), d("0.0164"))])
ticks = st.sampled_from([Price(d("0.1")), CENT, Price(d("0.005")), Price(d("0.001"))])


@given(
    q=probability, fee=schedule, reserve=reserves, tick=ticks, least=st.sampled_from([d("0.015"), d("0.03")])
)
def test_the_worst_price_is_the_highest_tick_that_still_earns_enough(
    q: Decimal, fee: FeeSchedule, reserve: Reserve, tick: Price, least: Decimal
) -> None:
    purchase = Purchase(q, fee, reserve)
    by_definition = [n * tick for n in range(1, int(1 / tick)) if purchase.edge(n * tick) >= least]
    assert purchase.worst_price(least, ceiling=WIDE, tick=tick) == (
        max(by_definition) if by_definition else None
    )


@given(held=probability, fee=schedule, tick=ticks, bid=st.integers(1, 9))
def test_the_worst_sale_is_never_above_the_bid_and_still_gains(
    held: Decimal, fee: FeeSchedule, tick: Price, bid: int
) -> None:
    sale, best = Sale(held, fee), Price(Decimal(bid) / 10)
    limit = sale.limit(best, edge_min=d("0.01"), given_up=d("0.35"), tick=tick)
    if limit is None:
        assert sale.edge(best) < d("0.01")
    else:
        assert limit <= best
        assert sale.edge(limit) >= d("0.01")


def test_the_lowest_price_of_a_sale_mirrors_the_highest_of_a_purchase() -> None:
    sale = Sale(d("0.60"), POLITICS_FEE)
    price = sale.lowest_price(d("0.01"))
    assert abs(price - POLITICS_FEE.rate * price * (1 - price) - d("0.61")) < d("1e-20")


@pytest.mark.parametrize("given_up", ["0", "0.35"])
def test_a_sale_worth_less_than_holding_is_not_made(given_up: str) -> None:
    sale = Sale(d("0.70"), POLITICS_FEE)
    assert sale.limit(Price(d("0.70")), edge_min=d("0.01"), given_up=d(given_up), tick=CENT) is None
