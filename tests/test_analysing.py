"""What analytics read of an account's own rows: what was paid, and which money was no result."""

from datetime import timedelta
from decimal import Decimal

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Pusd, Shares
from polyb0t.data.cash_flows import Booked
from polyb0t.runtime.analysing import flows_of, paid_out
from tests.research.analytics.ideas import fill
from tests.research.analytics.test_attribution import paid
from tests.support.builders import NOW, a_deposit

A = AssetId("a")


@pytest.mark.parametrize(
    ("shares", "pusd", "pays"),
    [
        ("33.333333", "33.333333", "1"),
        ("33.333333", "16.666666", "0.5"),  # cut down to the millionth, as the chain does
        ("0.010001", "0.005", "0.5"),
        ("0.000001", "0", "0"),
        ("100", "0", "0"),
        ("10", "3", "0.3"),
    ],
)
def test_the_rounding_of_a_payout_is_no_other_price(shares: str, pusd: str, pays: str) -> None:
    assert paid_out([paid("a", shares, pusd)]) == {A: Decimal(pays)}


def test_what_left_without_a_price_and_what_is_no_payout_says_nothing_of_what_an_outcome_pays() -> None:
    assert paid_out([paid("a", "10", None), Booked(a_deposit())]) == {}


def test_money_that_came_is_told_at_its_day_and_a_payout_is_none() -> None:
    later = NOW + timedelta(days=2)
    booked = [
        Booked(a_deposit("250")),
        paid("a", "100", "100", at_hours=24),
        Booked(a_deposit("40", at=later, kind="WITHDRAWAL", transaction_hash="0x1")),
    ]

    assert [(each.at, each.pusd) for each in flows_of([fill()], booked)] == [
        (NOW, Pusd(Decimal(250))),
        (later, Pusd(Decimal(-40))),
    ]
    assert flows_of([fill(shares="100")], [paid("a", "100", "100")]) == ()


def test_shares_are_exact() -> None:
    (value,) = paid_out([paid("a", str(Shares(Decimal("7.000001"))), "3.500000")]).values()

    assert value == Decimal("0.5")
