"""Money and shares never come from nowhere."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyb0t.sandbox.fees import rate_e6, taker_fee_e6
from polyb0t.sandbox.ledger import PUSD, Ledger, LedgerBrokenError

TOKENS = ("yes", "no")


def funded() -> Ledger:
    ledger = Ledger()
    ledger.deposit("alice", 100)
    ledger.deposit("bob", 100)
    return ledger


def test_splitting_locks_what_merging_gives_back() -> None:
    ledger = funded()
    ledger.split("alice", "market", TOKENS, 40)
    assert (ledger.balance("alice"), ledger.balance("alice", "yes"), ledger.locked["market"]) == (60, 40, 40)
    ledger.check([("market", TOKENS)])
    ledger.split("alice", "market", TOKENS, -40)
    assert (ledger.balance("alice"), ledger.locked["market"]) == (100, 0)
    ledger.check([("market", TOKENS)])


@pytest.mark.parametrize(
    "legs",
    [
        [("alice", PUSD, -10), ("bob", PUSD, 9)],
        [("alice", PUSD, -10), ("bob", PUSD, 10), ("alice", "yes", 1)],
    ],
)
def test_a_trade_that_does_not_balance_is_refused(legs: list[tuple[str, str, int]]) -> None:
    with pytest.raises(LedgerBrokenError):
        funded().settle("market", TOKENS, legs, 0)


def test_nobody_goes_below_zero() -> None:
    with pytest.raises(LedgerBrokenError):
        funded().settle("market", TOKENS, [("alice", PUSD, -101), ("bob", PUSD, 101)], 0)


def test_nothing_is_given_back_twice() -> None:
    ledger = funded()
    ledger.reserve("alice", PUSD, 5)
    with pytest.raises(LedgerBrokenError):
        ledger.reserve("alice", PUSD, -6)


def test_reserved_and_matched_amounts_are_not_available() -> None:
    ledger = funded()
    ledger.reserve("alice", PUSD, 30)
    legs = (("alice", PUSD, -20), ("alice", "yes", 20))
    ledger.hold(legs)
    assert ledger.available("alice") == 50
    ledger.hold(legs, release=True)
    assert ledger.available("alice") == 70


def test_the_check_notices_stolen_money() -> None:
    ledger = funded()
    ledger.balances["alice"][PUSD] += 1
    with pytest.raises(LedgerBrokenError):
        ledger.check([])


class TestFees:
    @pytest.mark.parametrize(
        ("shares", "price", "rate", "fee"),
        [  # the venue's own table: 100 shares
            (100, "0.50", "0.04", "1"),
            (100, "0.50", "0.05", "1.25"),
            (100, "0.50", "0.07", "1.75"),
            (100, "0.05", "0.05", "0.2375"),
            (100, "0.95", "0.07", "0.3325"),
            (100, "0.50", "0", "0"),
        ],
    )
    def test_the_published_examples(self, shares: int, price: str, rate: str, fee: str) -> None:
        price_e6 = int(Decimal(price) * 10**6)
        assert taker_fee_e6(shares * 10**6, price_e6, rate=rate, exponent=1) == int(Decimal(fee) * 10**6)

    def test_a_fee_is_at_least_a_hundred_thousandth(self) -> None:
        assert taker_fee_e6(100, 10_000, rate="0.04", exponent=1) == 10

    @given(
        shares=st.integers(1, 10**12),
        price=st.integers(1, 9_999),
        rate=st.sampled_from(["0.04", "0.05", "0.07", "0.0325"]),
        exponent=st.sampled_from([1, 2]),
    )
    def test_it_agrees_with_the_formula_in_decimals(
        self, shares: int, price: int, rate: str, exponent: int
    ) -> None:
        chance = Decimal(price) / 10_000
        exact = Decimal(shares) / 10**6 * Decimal(rate) * (chance * (1 - chance)) ** exponent
        expected = max(exact.quantize(Decimal("0.00001"), ROUND_HALF_UP), Decimal("0.00001"))
        fee = taker_fee_e6(shares, price * 100, rate=rate, exponent=exponent)
        assert Decimal(fee) / 10**6 == expected

    @pytest.mark.parametrize("text", ["", "x", "-0.1", "0.1234567", "1e-2"])
    def test_a_rate_that_is_none(self, text: str) -> None:
        with pytest.raises(ValueError):
            rate_e6(text)
