"""The list of pre-trade controls, and how it is run.

Each control is one small pure function; its name is the stable code of its breach. The list is run
when a trade is proposed and again right before it is sent. Each answers with value and limit, and each
fails closed: what is not known does not pass. To add one, write the function and put it in `CONTROLS`.
"""

from collections.abc import Callable
from typing import Final

from polyb0t.models import edge_controls, market_controls, money_controls, order_controls, usage_controls
from polyb0t.models.risk import (
    CLOSE_POSITION,
    OPEN_POSITION,
    ControlContext,
    ControlResult,
    Exposure,
    ProposedTrade,
    RiskLimits,
    Verdict,
)

__all__ = [
    "CLOSE_POSITION",
    "CONTROLS",
    "OPEN_POSITION",
    "ControlContext",
    "ControlResult",
    "Exposure",
    "ProposedTrade",
    "RiskLimits",
    "breaches",
    "check",
]

Control = Callable[[ProposedTrade, ControlContext], Verdict]

CONTROLS: Final[tuple[Control, ...]] = (
    market_controls.stance,
    market_controls.identity_unproven,
    market_controls.not_tradable,
    market_controls.denied,
    market_controls.being_resolved,
    market_controls.rules_changed,
    market_controls.ends_soon,
    market_controls.book_stale,
    market_controls.clock_skew,
    order_controls.wrong_side,
    order_controls.price_worse,
    order_controls.no_longer_rests,
    order_controls.price_collar,
    order_controls.near_market,
    order_controls.spread_wide,
    order_controls.spread_unusual,
    order_controls.depth_thin,
    order_controls.off_tick,
    order_controls.below_minimum,
    order_controls.decimals,
    order_controls.unit_mismatch,
    money_controls.fee_unknown,
    money_controls.balance,
    money_controls.allowance_low,
    money_controls.order_too_large,
    usage_controls.small_orders,
    money_controls.exposure_market,
    money_controls.exposure_event,
    money_controls.exposure_theme,
    money_controls.exposure_category,
    money_controls.exposure_far,
    money_controls.exposure_dependent,
    money_controls.exposure_total,
    money_controls.portfolio_tail,
    usage_controls.budget,
    money_controls.cash_floor,
    usage_controls.open_orders,
    usage_controls.open_money,
    usage_controls.turnover_day,
    usage_controls.orders_hour,
    order_controls.duplicate,
    order_controls.self_trade,
    order_controls.opposite,
    edge_controls.edge_low,
    edge_controls.edge_too_good,
    edge_controls.model_inactive,
    edge_controls.model_unvalidated,
)


_NAMED: Final = tuple((control.__name__, control) for control in CONTROLS)


def check(trade: ProposedTrade, context: ControlContext) -> tuple[ControlResult, ...]:
    """The result of every control, in the order of the list. Nothing is raised: what cannot be judged
    does not pass."""
    return tuple([_run(name, control, trade, context) for name, control in _NAMED])


def breaches(results: tuple[ControlResult, ...]) -> tuple[ControlResult, ...]:
    """The controls that did not pass."""
    return tuple(result for result in results if not result.passed)


def _run(name: str, control: Control, trade: ProposedTrade, context: ControlContext) -> ControlResult:
    try:
        return ControlResult._make((name, *control(trade, context)))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # A value that makes no sense (NaN, a missing part) must refuse the trade, not the whole cycle.
        why = f"{type(error).__name__} {error}"
        return ControlResult(name, False, "not judged", "", f"This could not be judged: {why}.")
