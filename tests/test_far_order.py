"""A test order may go before the proof that it makes, and for that it is held to next to nothing."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.order_book import Side
from polyb0t.execution import proposing
from polyb0t.execution.intents import OrderType, Purpose
from polyb0t.execution.proposing import TEST_LIFE_SECONDS, Frame, trade_of
from polyb0t.execution.scope import Regime
from polyb0t.models.far_order import FarOrder, far_order
from polyb0t.models.kill_switches import Stance
from polyb0t.models.limits import breaches, check
from polyb0t.models.own_purchase import CannotBuy
from polyb0t.models.risk import ControlContext, ProposedTrade
from tests.support.builders import NOW, a_scope, an_intent
from tests.support.decisions import a_context, a_market, a_trade, d

UNPROVEN: dict[str, Any] = {"regime": "live", "identity_proven": False}


def live(**changes: Any) -> ControlContext:
    return a_context(**{**UNPROVEN, **changes})


def far(**changes: Any) -> FarOrder:
    made = far_order(a_market().outcomes[0].asset_id, context=live(**changes))
    assert isinstance(made, FarOrder), made
    return made


def far_trade(**changes: Any) -> ProposedTrade:
    intent = proposing.test_order_intent(far(), Frame(a_scope(), Regime.LIVE, NOW, 60))
    return replace(trade_of(intent), **changes)


def broken(trade: ProposedTrade, context: ControlContext) -> list[str]:
    return [result.name for result in breaches(check(trade, context))]


def test_it_rests_five_shares_at_a_cent_and_passes_every_control_before_the_proof() -> None:
    order = far()
    assert (order.shares, order.price) == (Decimal(5), Decimal("0.01"))
    assert order.max_cost < Decimal("0.06")
    assert broken(far_trade(), live()) == []


def test_as_an_intent_it_only_rests_ends_by_itself_and_says_what_it_is() -> None:
    intent = proposing.test_order_intent(far(), Frame(a_scope(), Regime.LIVE, NOW, 60))
    assert (intent.post_only, intent.order_type, intent.life_seconds) == (
        True,
        OrderType.GTD,
        TEST_LIFE_SECONDS,
    )
    assert intent.purpose is Purpose.TEST_ORDER
    assert trade_of(intent).test_order


@pytest.mark.parametrize(
    "change",
    [
        {"worst_price": Price(d("0.30"))},  # the bid is 59 cents: half of it is 29.5
        {"max_cost": Pusd(d("1.000001"))},
        {"post_only": False},
        {"order_type": "FAK", "amount": Pusd(d(1)), "shares": None, "min_shares": Shares(d(5))},
        {"order_type": "FOK", "amount": Pusd(d(1)), "shares": None, "min_shares": Shares(d(5))},
        {"side": Side.SELL},
        {"intent_type": "CLOSE_POSITION"},
    ],
)
def test_whatever_could_fill_or_cost_something_is_no_test_order(change: dict[str, Any]) -> None:
    assert "near_market" in broken(far_trade(**change), live())


def test_at_the_border_it_still_passes() -> None:
    trade = far_trade(worst_price=Price(d("0.29")), max_cost=Pusd(d(1)))
    assert "near_market" not in broken(trade, live())


def test_without_a_bid_nobody_knows_where_far_is() -> None:
    assert "near_market" in broken(far_trade(), live(book=None))


@pytest.mark.parametrize("purpose", [Purpose.PERSON, Purpose.STRATEGY])
def test_no_other_intent_gets_what_it_gets(purpose: Purpose) -> None:
    """The same order of anybody else is refused for its price and for the missing proof."""
    trade = far_trade()
    other = replace(trade, test_order=trade_of(an_intent(purpose=purpose)).test_order)
    assert {"identity_unproven", "price_collar"} <= set(broken(other, live()))


def test_an_ordinary_purchase_is_judged_as_before() -> None:
    assert broken(a_trade(), live(allow_unvalidated=True)) == ["identity_unproven"]


@pytest.mark.parametrize("stance", [Stance.REDUCING, Stance.HALTED, None])
def test_a_switch_stops_it_like_any_opening(stance: Stance | None) -> None:
    assert "stance" in broken(far_trade(), live(stance=stance))


def test_a_market_whose_bid_is_low_is_no_place_for_it() -> None:
    context = live()
    assert context.book is not None
    low = replace(context.book, bids=(), asks=context.book.asks)
    answer = far_order(a_market().outcomes[0].asset_id, context=replace(context, book=low))
    assert isinstance(answer, CannotBuy)
