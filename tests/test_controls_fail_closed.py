"""Controls as a whole: none passes on what is not known, and none passes more when its limit is tighter."""

from collections.abc import Callable
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.models.limits import CONTROLS, check
from polyb0t.models.risk import (
    Allowance,
    ControlContext,
    ControlResult,
    ProposedTrade,
    RiskLimits,
    ShareAllowance,
)
from polyb0t.models.usage import SmallOrders, Usage, UsualSpread
from tests.support.decisions import a_close, a_context, a_market, a_trade, d, terms_of

LIVE = a_context(
    market=a_market(tags=("trams",)),
    regime="live",
    allow_unvalidated=True,
    at_submit=True,
    limits=RiskLimits(budget_pusd=d(9_000)),
    small_orders=SmallOrders(3, 20, Pusd(d(200))),
    share_allowance=ShareAllowance("0x", Shares(d(10_000))),
)


def optional(kind: type) -> list[str]:
    hints = get_type_hints(kind)
    return [name for name in hints if type(None) in get_args(hints[name])]


def verdicts(trade: ProposedTrade, context: ControlContext) -> dict[str, ControlResult]:
    return {result.name: result for result in check(trade, context)}


class TestMissingInputs:
    """Every input is taken away in turn: no control that looks at it may say that it passes."""

    def test_with_everything_known_everything_passes(self) -> None:
        assert [each.name for each in check(a_trade(), LIVE) if not each.passed] == []
        assert [each.name for each in check(a_close(), LIVE) if not each.passed] == []

    @pytest.mark.parametrize(
        "name", sorted(set(optional(ControlContext)) - {"closable_shares", "share_allowance"})
    )
    def test_no_purchase_passes_without(self, name: str) -> None:
        nothing: dict[str, Any] = {name: None}
        assert not all(each.passed for each in check(a_trade(), replace(LIVE, **nothing)))

    @pytest.mark.parametrize(
        "name", ["stance", "market", "terms", "book", "closable_shares", "own_orders", "share_allowance"]
    )
    def test_no_sale_passes_without(self, name: str) -> None:
        nothing: dict[str, Any] = {name: None}
        assert not all(each.passed for each in check(a_close(), replace(LIVE, **nothing)))

    @pytest.mark.parametrize("name", ["amount", "min_shares", "edge_now", "edge_at_worst", "model_validated"])
    def test_no_trade_passes_that_does_not_say_its(self, name: str) -> None:
        nothing: dict[str, Any] = {name: None}
        assert not all(each.passed for each in check(replace(a_trade(), **nothing), LIVE))

    @pytest.mark.parametrize("name", ["rules_hash", "model", "order_type", "intent_type", "condition_id"])
    def test_no_trade_passes_with_an_empty(self, name: str) -> None:
        empty: dict[str, Any] = {name: ""}
        assert not all(each.passed for each in check(replace(a_trade(), **empty), LIVE))

    @pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.__name__)
    def test_a_context_in_which_nothing_is_known_passes_no_control_that_looks_at_one(
        self, control: Callable[[ProposedTrade, ControlContext], Any]
    ) -> None:
        nothing: dict[str, Any] = dict.fromkeys(optional(ControlContext))
        alone = {"wrong_side", "decimals", "unit_mismatch", "edge_low", "edge_too_good", "model_unvalidated"}
        alone |= {"near_market"}  # about test orders only, and those are judged in a file of their own
        alone |= {"exposure_dependent"}  # about trades without own information only (test_limits)
        alone |= {"no_longer_rests"}  # about what was proposed to rest only (test_execution_choice)
        blind = replace(LIVE, identity_proven=False, allow_unvalidated=False, **nothing)
        if control.__name__ not in alone:
            assert not verdicts(a_trade(), blind)[control.__name__].passed

    @pytest.mark.parametrize("part", [spec.name for spec in fields(Usage)])
    @pytest.mark.parametrize("nonsense", ["NaN", "Infinity"])
    def test_a_use_that_makes_no_sense_is_no_room(self, part: str, nonsense: str) -> None:
        assert LIVE.usage is not None
        odd: dict[str, Any] = {part: Decimal(nonsense)}
        assert not all(
            each.passed for each in check(a_trade(), replace(LIVE, usage=replace(LIVE.usage, **odd)))
        )


# Which way each limit is tightened: a control that refuses must go on refusing beyond.
LOWER_IS_TIGHTER = {
    "order_fraction": "order_too_large",
    "order_max_pusd": "order_too_large",
    "order_max_shares": "order_too_large",
    "market_fraction": "exposure_market",
    "event_fraction": "exposure_event",
    "theme_fraction": "exposure_theme",
    "category_fraction": "exposure_category",
    "far_fraction": "exposure_far",
    "far_days": "exposure_far",
    "dependent_fraction": "exposure_dependent",
    "total_fraction": "exposure_total",
    "tail_fraction": "portfolio_tail",
    "budget_pusd": "budget",
    "open_orders_max": "open_orders",
    "open_fraction": "open_money",
    "turnover_multiple": "turnover_day",
    "orders_hour_max": "orders_hour",
    "depth_fraction": "depth_thin",
    "edge_suspicious": "edge_too_good",
    "spread_max": "spread_wide",
    "spread_multiple": "spread_unusual",
    "spread_unjudged": "spread_unusual",
    "collar_pusd": "price_collar",
    "collar_fraction": "price_collar",
    "price_high": "price_collar",
    "book_age_signal_seconds": "book_stale",
    "book_age_submit_seconds": "book_stale",
    "clock_skew_seconds": "clock_skew",
}
HIGHER_IS_TIGHTER = {
    "cash_floor_fraction": "cash_floor",
    "edge_min": "edge_low",
    "hours_to_end_min": "ends_soon",
    "marketable_min_pusd": "below_minimum",
    "price_low": "price_collar",
}
NO_CONTROLS = {  # of sizing, or of the choice of a price
    "drawdown_fraction", "drift_fraction", "kelly_fraction", "kelly_fraction_dependent", "edge_sd_multiple", "edge_given_up",
}  # fmt: skip


def test_every_limit_is_tightened_below() -> None:
    assert {spec.name for spec in fields(RiskLimits)} == {*LOWER_IS_TIGHTER, *HIGHER_IS_TIGHTER} | NO_CONTROLS


def amount(most: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, most, places=3, allow_nan=False)


small_fraction = st.decimals(0, 1, places=4, allow_nan=False)


@st.composite
def moments(draw: st.DrawFn) -> ControlContext:
    usage = Usage(
        draw(st.integers(0, 40)),
        Pusd(draw(amount(3_000))),
        Pusd(draw(amount(9_000))),
        draw(st.integers(0, 12)),
        Pusd(draw(amount(500))),
        Pusd(draw(amount(3_000))),
    )
    return replace(
        LIVE,
        at_submit=draw(st.booleans()),
        bankroll_pusd=Pusd(draw(amount(20_000))),
        spendable_pusd=Pusd(draw(amount(20_000))),
        usage=usage,
        usual_spread=UsualSpread(draw(st.none() | small_fraction)),
        clock_skew_seconds=draw(st.decimals(-4, 4, places=1)),
    )


@st.composite
def trades(draw: st.DrawFn) -> ProposedTrade:
    cost = draw(amount(400))
    return a_trade(
        worst_price=Price(draw(st.sampled_from([d("0.58"), d("0.60"), d("0.61"), d("0.62"), d("0.66")]))),
        max_cost=Pusd(cost),
        amount=Pusd(cost),
        min_shares=Shares(draw(amount(6_000))),
        edge_now=draw(st.decimals("-0.1", "0.2", places=3)),
        edge_at_worst=draw(st.decimals("-0.1", "0.2", places=3)),
        edge_required=None,
    )


@pytest.mark.parametrize("name", sorted({*LOWER_IS_TIGHTER, *HIGHER_IS_TIGHTER}))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_tighter_limit_never_lets_more_through(name: str, data: st.DataObject) -> None:
    values = small_fraction if name.endswith("_fraction") else amount(10_000)
    low, high = sorted([data.draw(values), data.draw(values)])
    trade, moment = data.draw(trades()), data.draw(moments())
    tight, wide = (low, high) if name in LOWER_IS_TIGHTER else (high, low)
    control = {**LOWER_IS_TIGHTER, **HIGHER_IS_TIGHTER}[name]
    found = {}
    for kind, value in (("tight", tight), ("wide", wide)):
        changed: dict[str, Any] = {name: value}
        limits = replace(moment.limits, **changed)
        found[kind] = verdicts(trade, replace(moment, limits=limits))[control].passed
    assert found["wide"] or not found["tight"]


@given(trade=trades(), moment=moments(), cost=amount(400))
@settings(max_examples=30, deadline=None)
def test_a_dearer_trade_passes_no_limit_of_money_that_a_cheaper_one_does_not(
    trade: ProposedTrade, moment: ControlContext, cost: Decimal
) -> None:
    low, high = sorted([trade.max_cost, Pusd(cost)])
    cheap, dear = (verdicts(replace(trade, max_cost=Pusd(each)), moment) for each in (low, high))
    for name in ("order_too_large", "small_orders", "exposure_total", "budget", "open_money", "turnover_day"):
        assert cheap[name].passed or not dear[name].passed, name


def test_a_control_that_cannot_judge_says_so_and_refuses() -> None:
    market = a_market()
    odd = replace(LIVE, market=market, terms=replace(terms_of(market), tick=Price(d(0))))
    found = verdicts(a_trade(), odd)["off_tick"]
    assert not found.passed
    assert "could not be judged" in found.detail


def test_every_result_has_a_value_or_says_why_not() -> None:
    for result in check(a_trade(), replace(LIVE, allowance=Allowance("0xE1", Pusd(d(9_000))))):
        assert result.value or result.detail, result.name
