"""The hard limits, judged under the claim's locks with the reservation of every unresolved order.

The controls judge the same before and after, by what was read a moment ago. Here two claims cannot both
take the last of a limit, because the second one sees the first one's reservation.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import bindparam, func, or_, select

from polyb0t.core.units import ZERO
from polyb0t.db import reservations
from polyb0t.db.tables import orders, trade_intents
from polyb0t.db.unit import Unit
from polyb0t.execution.intents import IntentStatus, IntentType, TradeIntent
from polyb0t.execution.store import ClaimLimits, Denied
from polyb0t.models.wording import at_most, limit, shares

_LONGEST: Final = timedelta(days=2)  # no deadline is longer: older intents need not be looked at
_TAKEN_UP: Final = (  # as `execution.using.openings_taken_up` counts
    select(func.count())
    .select_from(trade_intents.outerjoin(orders, orders.c.intent_id == trade_intents.c.id))
    .where(
        trade_intents.c.scope == bindparam("scope"),
        trade_intents.c.created_at > bindparam("created"),
        trade_intents.c.intent_type == IntentType.OPEN_POSITION,
        trade_intents.c.regime == bindparam("regime"),
        trade_intents.c.decided_at > bindparam("since"),
        trade_intents.c.id != bindparam("intent_id"),
        or_(
            trade_intents.c.status.in_((IntentStatus.EXECUTING, IntentStatus.EXECUTED)),
            orders.c.id.is_not(None),
        ),
    )
)


def money_left(unit: Unit, intent: TradeIntent, limits: ClaimLimits) -> Denied | None:
    """Whether a purchase fits into every limit, or the first that it does not fit into."""
    cost = intent.max_cost or ZERO
    reserved = reservations.reserved_pusd(unit.connection, unit.scope)
    return (
        _affordable(cost, reserved, limits)
        or _at_risk(cost, reserved, limits)
        or _bought(cost, reserved, limits)
        or _pace(unit, intent, limits)
    )


def shares_left(unit: Unit, intent: TradeIntent, limits: ClaimLimits) -> Denied | None:
    """Whether a sale finds its shares free of every other sale."""
    wanted = intent.shares or ZERO
    if limits.closable_shares is None:
        return Denied("shares_unknown", "The shares that we hold are not known, so nothing is sold.")
    free = limits.closable_shares - reservations.reserved_shares(unit.connection, unit.scope, intent.asset_id)
    if wanted > free:
        return Denied("shares_too_few", f"It sells {shares(wanted)} shares; {shares(free)} of ours are free.")
    return None


def _affordable(cost: Decimal, reserved: Decimal, limits: ClaimLimits) -> Denied | None:
    if limits.spendable_pusd is None:
        return Denied("balance_unknown", "The balance could not be read, so nothing is opened.")
    if cost > limits.max_order_pusd:
        most = limit(limits.max_order_pusd)
        return Denied("order_too_large", f"It may cost {at_most(cost)} pUSD; at most {most} is allowed.")
    if cost > limits.spendable_pusd - reserved:
        free = limits.spendable_pusd - reserved
        return Denied("balance_too_low", f"It may cost {at_most(cost)} pUSD; {limit(free)} pUSD is free.")
    return None


def _at_risk(cost: Decimal, reserved: Decimal, limits: ClaimLimits) -> Denied | None:
    exposure = limits.held_cost_pusd + reserved + cost
    if exposure > limits.max_exposure_pusd:
        risk, allowed = at_most(exposure), limit(limits.max_exposure_pusd)
        return Denied("exposure_too_high", f"It would put {risk} pUSD at risk; {allowed} is allowed.")
    if reserved + cost > limits.max_used_pusd:
        used, left = at_most(reserved + cost), limit(limits.max_used_pusd)
        return Denied("budget", f"With it {used} pUSD would be under way; the budget leaves {left}.")
    return None


def _bought(cost: Decimal, reserved: Decimal, limits: ClaimLimits) -> Denied | None:
    bought = limits.bought_today_pusd + reserved + cost
    if bought <= limits.max_turnover_pusd:
        return None
    most = limit(limits.max_turnover_pusd)
    return Denied("turnover_day", f"Today {at_most(bought)} pUSD would be bought; {most} is allowed.")


def _pace(unit: Unit, intent: TradeIntent, limits: ClaimLimits) -> Denied | None:
    if intent.intent_type is not IntentType.OPEN_POSITION:
        return None
    taken_up = unit.connection.scalar(
        _TAKEN_UP,
        {
            "scope": str(unit.scope),
            "regime": intent.regime,
            "intent_id": intent.id,
            "since": unit.now - timedelta(hours=1),
            "created": unit.now - _LONGEST,
        },
    )
    if (taken_up or 0) < limits.max_orders_hour:
        return None
    most = limits.max_orders_hour
    return Denied("orders_hour", f"There were {taken_up} orders in the last hour; at most {most} are.")
