"""The hard limits, judged under the claim's locks with the reservation of every unresolved order.

The controls judge the same before and after, by what was read a moment ago. Here two claims cannot both
take the last of a limit, because the second one sees the first one's reservation.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import bindparam, case, exists, func, or_, select

from polyb0t.core.units import ZERO, Pusd, Shares
from polyb0t.db import types
from polyb0t.db.fill_book import FILL_RECORDED
from polyb0t.db.tables import journal, orders, reservations, trade_intents
from polyb0t.db.unit import Unit
from polyb0t.execution.intents import IntentStatus, IntentType, TradeIntent
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.store import ClaimLimits, Denied
from polyb0t.models.wording import at_most, limit, shares, short_hex

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
            trade_intents.c.status == IntentStatus.EXECUTING,
            trade_intents.c.status == IntentStatus.EXECUTED,
            orders.c.id.is_not(None),
        ),
    )
    .scalar_subquery()
)
_HELD: Final = reservations.c.scope == bindparam("scope")
_FILL_SINCE: Final = exists().where(
    # So that no index by scope is used: the few entries after `as_of` are looked at, not the whole journal.
    journal.c.scope.concat("") == bindparam("scope"),
    journal.c.sequence > bindparam("as_of"),
    journal.c.kind == FILL_RECORDED,
)
# Something of ours may be there that nobody can see yet: nothing new is opened beside it.
_UNSEEN: Final = (
    select(func.min(orders.c.id))
    .where(
        orders.c.scope == bindparam("scope"),
        orders.c.condition_id == bindparam("condition_id"),
        or_(
            *(
                orders.c.status == each
                for each in (OrderStatus.SIGNED, OrderStatus.UNKNOWN, OrderStatus.VANISHED)
            )
        ),
    )
    .scalar_subquery()
)
_OF_ASSET: Final = case((reservations.c.asset_id == bindparam("asset_id"), reservations.c.shares))
_LOOK: Final = select(  # one statement: each costs more on its way than in the database
    func.sum(reservations.c.pusd, type_=types.E6),
    func.sum(_OF_ASSET, type_=types.E6),
    _TAKEN_UP,
    _UNSEEN,
    _FILL_SINCE,
).where(_HELD)


class Taken(NamedTuple):
    """What of the limits is taken under the claim's locks, by every order that is not resolved."""

    pusd: Pusd
    shares: Shares  # of the intent's asset, in sales
    openings: int  # carried out within the hour
    unseen: str | None  # an order on this market of which nobody knows whether it is there
    moved: bool  # a fill was stored after the account was looked at


def taken(unit: Unit, intent: TradeIntent, limits: ClaimLimits) -> Taken:
    """One look at everything. The gate is locked, so nothing comes after it.

    Where a fill `moved` the account, its reservation is smaller by now, and its cost and its shares are not
    yet in `limits`.
    """
    pusd, in_sales, openings, unseen, moved = unit.connection.execute(
        _LOOK,
        {
            "scope": str(unit.scope),
            "regime": intent.regime,
            "intent_id": intent.id,
            "asset_id": intent.asset_id,
            "condition_id": intent.condition_id,
            "as_of": limits.as_of,
            "since": unit.now - timedelta(hours=1),
            "created": unit.now - _LONGEST,
        },
    ).one()
    return Taken(Pusd(pusd or ZERO), Shares(in_sales or ZERO), openings, unseen, bool(moved))


def money_left(intent: TradeIntent, limits: ClaimLimits, now: Taken) -> Denied | None:
    """Whether a purchase fits into every limit, or the first that it does not fit into."""
    cost = intent.max_cost or ZERO
    return (
        _affordable(cost, now.pusd, limits)
        or _at_risk(cost, now.pusd, limits)
        or _bought(cost, now.pusd, limits)
        or _pace(intent, limits, now.openings)
        or _market_clear(now.unseen)
    )


def shares_left(intent: TradeIntent, limits: ClaimLimits, now: Taken) -> Denied | None:
    """Whether a sale finds its shares free of every other sale."""
    wanted = intent.shares or ZERO
    if limits.closable_shares is None:
        return Denied("shares_unknown", "The shares that we hold are not known, so nothing is sold.")
    free = limits.closable_shares - now.shares
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


def _market_clear(unseen: str | None) -> Denied | None:
    if unseen is None:
        return None
    return Denied("market_blocked", f"What became of order {short_hex(unseen)} on this market is not known.")


def _pace(intent: TradeIntent, limits: ClaimLimits, taken_up: int) -> Denied | None:
    if intent.intent_type is not IntentType.OPEN_POSITION or taken_up < limits.max_orders_hour:
        return None
    most = limits.max_orders_hour
    return Denied("orders_hour", f"There were {taken_up} orders in the last hour; at most {most} are.")
