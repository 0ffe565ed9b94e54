"""The fee that was charged, read off the balance, against the fee that was predicted."""

from decimal import Decimal

import pytest

from polyb0t.core.ids import OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.data.order_book import Side
from polyb0t.execution.fee_check import FeeCheck, FeeDifference
from tests.support.builders import a_fill

ORDER = OrderId("0x" + "12" * 32)


def cash(amount: str) -> Pusd:
    return Pusd(Decimal(amount))


def bought(number: int = 1, status: FillStatus = FillStatus.CONFIRMED, **changes: object) -> Fill:
    """20 shares at 0.48, predicted fee 0.096: 9.60 and the fee."""
    return a_fill(ORDER, trade_id=TradeId(f"trade-{number}"), status=status, **changes)


@pytest.fixture
def check() -> FeeCheck:
    check = FeeCheck()
    assert check.observe(cash("100"), [], under_way=False) is None
    return check


def twice(check: FeeCheck, balance: str, fills: list[Fill]) -> FeeDifference | None:
    first = check.observe(cash(balance), fills, under_way=False)
    assert first is None, "a balance may be a moment behind"
    return check.observe(cash(balance), fills, under_way=False)


def test_the_predicted_fee_is_no_news(check: FeeCheck) -> None:
    assert twice(check, "90.304", [bought()]) is None


def test_a_fee_that_is_higher_than_predicted_is_told_once(check: FeeCheck) -> None:
    found = twice(check, "90.2", [bought()])
    assert found == FeeDifference(cash("0.2"), cash("0.096"), 1)
    assert found.sentence == "The exchange charged 0.2 pUSD for 1 fills; 0.096 were predicted."
    assert check.observe(cash("90.2"), [bought()], under_way=False) is None


def test_a_fee_that_is_lower_than_predicted_is_told_too(check: FeeCheck) -> None:
    found = twice(check, "90.4", [bought()])
    assert found is not None
    assert found.charged == 0


def test_a_sale_brings_its_price_less_the_fee(check: FeeCheck) -> None:
    sold = bought(side=Side.SELL)
    assert twice(check, "109.504", [sold]) is None
    another = bought(2, side=Side.SELL)
    found = twice(check, "118.604", [sold, another])
    assert found is not None
    assert found.charged == Decimal("0.5")


def test_a_balance_that_catches_up_is_no_difference(check: FeeCheck) -> None:
    assert check.observe(cash("100"), [bought()], under_way=False) is None
    assert check.observe(cash("90.304"), [bought()], under_way=False) is None
    assert check.observe(cash("90.304"), [bought()], under_way=False) is None


def test_a_cent_is_not_told(check: FeeCheck) -> None:
    assert twice(check, "90.294", [bought()]) is None


def test_nothing_is_compared_while_something_is_under_way(check: FeeCheck) -> None:
    for _ in range(3):
        assert check.observe(cash("80"), [bought()], under_way=True) is None
        assert check.observe(cash("80"), [bought(status=FillStatus.MINED)], under_way=False) is None
        assert check.observe(None, [bought()], under_way=False) is None
    assert twice(check, "90.2", [bought()]) is not None


def test_a_trade_that_failed_cost_nothing(check: FeeCheck) -> None:
    assert twice(check, "90.304", [bought(), bought(2, FillStatus.FAILED)]) is None


@pytest.mark.parametrize("balance", ["190.304", "40"], ids=["deposit", "withdrawal"])
def test_what_could_not_be_a_fee_is_not_told_as_one(check: FeeCheck, balance: str) -> None:
    assert twice(check, balance, [bought()]) is None


def test_money_that_moves_without_a_fill_is_somebody_elses_business(check: FeeCheck) -> None:
    assert twice(check, "60", []) is None
    assert twice(check, "50.304", [bought()]) is None  # and the next fill is measured from there


def test_fills_of_before_the_first_look_are_not_measured() -> None:
    check = FeeCheck()
    assert twice(check, "90", [bought()]) is None


def test_each_price_is_paid_in_whole_millionths(check: FeeCheck) -> None:
    odd = bought(price=Price(Decimal("0.333")), shares=Shares(Decimal("0.000001")), fee=cash("0"))
    assert twice(check, "99.999999", [odd]) is None
