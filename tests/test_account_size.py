"""An account that is too small for any order is told so, with what to change and to what."""

import re
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.models.account_size import Purse, TooSmall, smallest_order, too_small
from polyb0t.models.risk import Exposure, RiskLimits
from polyb0t.models.sizing import Funds, NoSize, Size, Wish, size_purchase
from polyb0t.models.usage import NO_PHASE, SmallOrders
from tests.support.decisions import POLITICS_FEE, a_market, a_state, d, terms_of

NO_OFFER = Pusd(d(1))  # the exchange's minimum for a purchase


def verdict(
    bankroll: str, small: SmallOrders = NO_PHASE, setting: str = "", **limits: str
) -> TooSmall | None:
    wide = RiskLimits(**{name: d(value) for name, value in limits.items()})
    return too_small(Purse(Pusd(d(bankroll)), wide, small, setting), NO_OFFER)


def settings_in(told: TooSmall) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in re.findall(r"(POLYBOT_\w+)=([\d.]+)", told.do)}


def test_one_per_cent_of_a_hundred_is_just_enough() -> None:
    assert verdict("100") is None
    assert verdict("99.99") is not None


def test_it_names_the_settings_and_the_money_that_would_do() -> None:
    told = verdict("60")
    assert told is not None
    assert told.what == (
        "This account is too small for any order: 60.00 pUSD allow orders of at most 0.60, "
        "and the smallest that the exchange takes costs 1.00."
    )
    assert told.do == (
        "Do: POLYBOT_MAX_ORDER_FRACTION=0.053, POLYBOT_MAX_MARKET_FRACTION=0.053, "
        "POLYBOT_MAX_EVENT_FRACTION=0.053 (enough for prices to 60¢), or 100 pUSD or more in the account."
    )


@pytest.mark.parametrize("bankroll", ["13", "25.5", "60", "99"])
def test_what_it_advises_is_enough(bankroll: str) -> None:
    told = verdict(bankroll)
    assert told is not None
    raised = settings_in(told)
    fraction = str(raised["POLYBOT_MAX_ORDER_FRACTION"])
    names = {"order_fraction": "MAX_ORDER", "market_fraction": "MAX_MARKET", "event_fraction": "MAX_EVENT"}
    names |= {"theme_fraction": "MAX_THEME", "category_fraction": "MAX_CATEGORY"}
    names |= {"far_fraction": "MAX_FAR", "dependent_fraction": "MAX_DEPENDENT"}
    names |= {"tail_fraction": "MAX_TAIL"}
    names |= {"open_fraction": "MAX_OPEN_ORDERS", "total_fraction": "MAX_EXPOSURE"}
    done: dict[str, Any] = {
        limit: fraction for limit, name in names.items() if f"POLYBOT_{name}_FRACTION" in raised
    }
    assert verdict(bankroll, **done) is None
    limits = RiskLimits(**{name: d(value) for name, value in done.items()})
    assert isinstance(bought(limits, bankroll), Size)


def bought(limits: RiskLimits, bankroll: str) -> Size | NoSize:
    """What sizing itself makes of a purchase at 60 cents."""
    wish = Wish(
        asset_id=AssetId("tram-yes"),
        edge=d("0.5"),
        cost=d("0.61"),
        sd=d(0),
        independent=True,
        worst_price=Price(d("0.60")),
        best_ask=Price(d("0.60")),
        depth=Shares(d(100_000)),
        min_shares=Shares(d(5)),
        fee=POLITICS_FEE,
    )
    cash = Pusd(d(bankroll))
    return size_purchase(wish, a_market(), Funds(cash, cash, Exposure()), limits)


@pytest.mark.parametrize("drift", ["0", "0.02"])
def test_the_money_that_it_names_is_enough(drift: str) -> None:
    told = verdict("60", drift_fraction=drift)
    assert told is not None
    needed = re.search(r"or (\d+) pUSD or more", told.do)
    assert needed is not None
    assert verdict(needed.group(1), drift_fraction=drift) is None
    assert verdict(str(int(needed.group(1)) - 1), drift_fraction=drift) is not None


def test_an_account_of_a_few_coins_is_told_to_bring_money_and_nothing_else() -> None:
    told = verdict("5")
    assert told is not None
    assert told.do == "Do: 100 pUSD or more in the account."


@pytest.mark.parametrize("setting", ["POLYBOT_BANKROLL_PUSD", "POLYBOT_BUDGET_PUSD"])
def test_a_bankroll_that_is_a_setting_is_raised_there(setting: str) -> None:
    told = verdict("60", setting=setting)
    assert told is not None
    assert settings_in(told)[setting] == 100


def test_an_amount_that_is_in_the_way_is_named_and_no_money_asked_for() -> None:
    told = verdict("1000", order_max_pusd="0.5")
    assert told is not None
    assert told.do == "Do: POLYBOT_MAX_ORDER_PUSD=3.15 (enough for prices to 60¢)."


def test_a_phase_of_orders_that_are_too_small_is_named() -> None:
    told = verdict("1000", small=SmallOrders(3, 20, Pusd(d("0.9"))), order_max_pusd="0.9")
    assert told is not None
    assert settings_in(told) == {"POLYBOT_SMALL_ORDER_PUSD": d("3.15")}
    assert verdict("1000", small=SmallOrders(20, 20, Pusd(d("0.9")))) is None


class TestTheSmallestOrder:
    def test_it_is_the_cheapest_of_what_is_offered(self) -> None:
        # Five shares at 80 cents, or at 21 on the other side, and the fee of four per cent at most.
        assert smallest_order([a_state()], RiskLimits()) == 5 * d("0.21") * d("1.04")

    def test_a_purchase_costs_a_dollar_at_least(self) -> None:
        state = a_state(bid="0.94", ask="0.95")
        assert smallest_order([state], RiskLimits()) == d("1.04")

    def test_a_market_with_a_larger_minimum_asks_for_more(self) -> None:
        market = a_market()
        state = a_state(market, terms=terms_of(market, min_shares=d(100)))
        assert smallest_order([state], RiskLimits()) == 100 * d("0.21") * d("1.04")

    def test_without_markets_it_is_the_exchanges_usual_minimum(self) -> None:
        assert smallest_order([], RiskLimits()) == 1

    def test_what_nobody_offers_does_not_count(self) -> None:
        assert smallest_order([a_state(books=(None, None))], RiskLimits()) == 1
