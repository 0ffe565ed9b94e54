"""Closing: what is sold, at which floor, for how much at least, and why not."""

from typing import Any

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.models.closing import CannotClose, CloseProposal, close_proposal
from polyb0t.models.kill_switches import Stance
from tests.support.decisions import a_book, a_context, a_market, d, terms_of

YES = AssetId("tram-yes")


def close(
    asset: AssetId = YES, *, context: dict[str, Any] | None = None, **how: Any
) -> CloseProposal | CannotClose:
    return close_proposal(asset, context=a_context(**(context or {})), reason="You asked for it.", **how)


def proposed(*args: Any, **how: Any) -> CloseProposal:
    answer = close(*args, **how)
    assert isinstance(answer, CloseProposal), answer
    return answer


def refused(*args: Any, **how: Any) -> str:
    answer = close(*args, **how)
    assert isinstance(answer, CannotClose), answer
    return answer.code


def test_everything_that_can_be_closed_goes_at_a_floor_under_the_bid() -> None:
    answer = proposed(context={"closable_shares": Shares(d("120.006"))})
    assert answer.shares == d("120")
    assert answer.worst_price == d("0.58")
    assert answer.least_proceeds == d("68.43072")  # 120 x 0.58 less the fee of 1.16928
    assert answer.likely_shares == 120
    assert answer.likely_proceeds == d("69.638880")  # 120 x 0.59 less 1.16112
    assert answer.reason == "You asked for it. The bid is 59¢; not sold under 58¢."
    assert all(control.passed for control in answer.controls)


def test_a_part_can_be_sold() -> None:
    assert proposed(shares=Shares(d(40))).shares == 40


def test_no_more_is_sold_than_there_is() -> None:
    assert proposed(shares=Shares(d(1_000))).shares == 150


def test_a_floor_is_raised_to_the_grid() -> None:
    assert proposed(floor=Price(d("0.575"))).worst_price == d("0.58")


def test_a_cheap_outcome_is_not_given_a_whole_cent_away() -> None:
    """One cent under four is a quarter of the price, and the collar would refuse it for ever."""
    cheap = a_book("tram-yes", [("0.04", 900)], [("0.05", 900)])
    assert proposed(context={"book": cheap}).worst_price == d("0.04")


def test_never_under_the_least_price() -> None:
    assert proposed(least=Price(d("0.59"))).worst_price == d("0.59")
    assert proposed(least=Price(d("0.10"))).worst_price == d("0.58")


def test_the_likely_sale_stops_at_the_floor() -> None:
    thin = a_book("tram-yes", [("0.59", 50), ("0.58", 30), ("0.57", 900)], [("0.60", 10)])
    answer = proposed(context={"book": thin})
    assert answer.likely_shares == 80
    assert answer.likely_fee == d("0.48380") + d("0.29232")


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ({"book": None}, "no_bid"),
        ({"book": a_book("tram-yes", [], [("0.60", 10)])}, "no_bid"),
        ({"market": None}, "no_bid"),
        ({"closable_shares": None}, "not_known"),
        ({"market": a_market(fee=None), "terms": terms_of(a_market(fee=None))}, "not_known"),
        ({"stance": Stance.HALTED}, "stance"),
        ({"closable_shares": Shares(d("4.99"))}, "below_minimum"),
        ({"closable_shares": Shares(d(0))}, "below_minimum"),
    ],
)
def test_each_obstacle_is_named(context: dict[str, Any], code: str) -> None:
    assert refused(context=context) == code


def test_a_floor_above_the_bid_does_not_fill_now() -> None:
    assert refused(floor=Price(d("0.60"))) == "price_worse"


def test_a_close_works_while_openings_are_stopped() -> None:
    assert proposed(context={"stance": Stance.REDUCING, "spendable_pusd": Pusd(d(0))}).shares == 150
