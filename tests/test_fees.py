"""Fees: the exchange's own examples, the greatest cost, and what is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.core.units import Price, Pusd, Shares, to_e6
from polyb0t.data.markets import FeeSchedule
from polyb0t.models.fees import FeeUnboundedError, effective_fee, least_proceeds, taker_fee, worst_case_cost
from polyb0t.sandbox.fees import taker_fee_e6
from tests.support.decisions import POLITICS_FEE, a_market, d, terms_of

JANUARY_2026 = FeeSchedule(rate=d("0.25"), exponent=d(2))


@pytest.mark.parametrize(("price", "fee"), [("0.10", "0.2025"), ("0.50", "1.5625"), ("0.99", "0.00245")])
def test_the_exchanges_examples_of_january_2026(price: str, fee: str) -> None:
    assert taker_fee(d(100), d(price), JANUARY_2026) == d(fee)


@pytest.mark.parametrize(("rate", "peak"), [("0.04", "1.00"), ("0.05", "1.25"), ("0.07", "1.75")])
def test_the_peak_of_today_for_a_hundred_shares_at_50_cents(rate: str, peak: str) -> None:
    assert taker_fee(d(100), d("0.5"), FeeSchedule(d(rate), d(1))) == d(peak)


def test_a_fee_is_rounded_to_five_decimals_and_never_to_nothing() -> None:
    assert taker_fee(d("1.234567"), d("0.61"), POLITICS_FEE) == d("0.01175")
    assert taker_fee(d("0.0001"), d("0.5"), POLITICS_FEE) == d("0.00001")


def test_a_market_without_a_fee_charges_none() -> None:
    assert taker_fee(d(100), d("0.5"), FeeSchedule(d(0), d(1))) == 0


def test_the_worst_case_of_the_screen() -> None:
    assert worst_case_cost(d("91.50"), POLITICS_FEE) == d("95.16")


def test_a_fraction_of_a_millionth_is_counted_as_a_whole_one() -> None:
    assert worst_case_cost(d("0.01"), FeeSchedule(d("0.00001"), d(1))) == d("0.010001")


def test_a_fee_without_a_ceiling_is_refused() -> None:
    with pytest.raises(FeeUnboundedError, match="below 1 no ceiling"):
        worst_case_cost(d(10), FeeSchedule(d("0.03"), d("0.5")))


@given(
    amount=st.integers(100, 50_000_00).map(lambda cents: Decimal(cents) / 100),
    price=st.integers(1, 999).map(lambda tick: Decimal(tick) / 1000),
    rate=st.integers(0, 25).map(lambda percent: Decimal(percent) / 100),
    exponent=st.sampled_from([d(1), d("1.5"), d(2)]),
)
def test_no_price_costs_more_than_the_worst_case(
    amount: Decimal, price: Decimal, rate: Decimal, exponent: Decimal
) -> None:
    fee = FeeSchedule(rate, exponent)
    half_a_step = d("0.000005")  # the exchange rounds the fee to five decimals
    assert amount + taker_fee(amount / price, price, fee) <= worst_case_cost(amount, fee) + half_a_step


@given(
    floor=st.integers(1, 98), better=st.integers(1, 98), rate=st.sampled_from(["0", "0.04", "0.07", "0.25"])
)
def test_no_better_price_brings_less_than_the_floor(floor: int, better: int, rate: str) -> None:
    fee, shares = FeeSchedule(d(rate), d(1)), Shares(d(120))
    low, high = sorted((floor, better))
    least = least_proceeds(shares, Price(d(low) / 100), fee)
    assert shares * d(high) / 100 - taker_fee(shares, d(high) / 100, fee) >= least


@given(
    shares=st.integers(1, 10**10),
    price=st.integers(1, 999).map(lambda tick: tick * 1000),
    rate=st.sampled_from(["0", "0.04", "0.05", "0.07", "0.25"]),
    exponent=st.sampled_from([1, 2]),
)
def test_the_sandbox_reckons_the_same_fee_in_its_own_way(
    shares: int, price: int, rate: str, exponent: int
) -> None:
    ours = taker_fee(Decimal(shares).scaleb(-6), Decimal(price).scaleb(-6), FeeSchedule(d(rate), d(exponent)))
    assert to_e6(ours) == taker_fee_e6(shares, price, rate=rate, exponent=exponent)


class TestWhichScheduleCounts:
    def test_the_exchanges_own_terms_beat_the_catalogue(self) -> None:
        market = a_market(fee=FeeSchedule(d("0.07"), d(1)))
        assert effective_fee(market, terms_of(market, fee=POLITICS_FEE)) == POLITICS_FEE

    def test_an_explicit_no_is_no_fee(self) -> None:
        market = a_market(fees_enabled=False, fee=None)
        fee = effective_fee(market, terms_of(market, fee=None))
        assert fee is not None
        assert fee.rate == 0

    @pytest.mark.parametrize("fees_enabled", [True, None])
    def test_silence_is_not_no_fee(self, fees_enabled: bool | None) -> None:
        market = a_market(fees_enabled=fees_enabled, fee=None)
        assert effective_fee(market, terms_of(market, fee=None)) is None

    def test_without_a_market_nothing_is_known(self) -> None:
        assert effective_fee(None, None) is None


def test_least_proceeds_of_a_sale() -> None:
    # 120 x 0.67 = 80.40, fee 120 x 0.04 x 0.67 x 0.33 = 1.06128
    assert least_proceeds(Shares(d(120)), Price(d("0.67")), POLITICS_FEE) == Pusd(d("79.33872"))
