"""Controls of the crowd: what all orders together may use, of time, of money and of a person's trust."""

from decimal import Decimal

from polyb0t.core.units import plain
from polyb0t.models.money_controls import against
from polyb0t.models.risk import ControlContext, ProposedTrade, Verdict, not_for_closes, unknown
from polyb0t.models.wording import at_most, limit


def open_orders(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Not too many orders are under way at a time."""
    if not trade.opening:
        return not_for_closes()
    if context.usage is None:
        return unknown("How many orders are under way is")
    count, most = context.usage.open_orders + 1, context.limits.open_orders_max
    detail = "" if count <= most else f"{count - 1} orders are under way; at most {plain(most)} are."
    return Verdict(count <= most, str(count), plain(most), detail)


def open_money(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What all orders under way may still cost, with this one."""
    if not trade.opening:
        return not_for_closes()
    if context.usage is None or context.bankroll_pusd is None:
        return unknown("What the orders under way may cost is")
    most = context.limits.open_fraction * context.bankroll_pusd
    return against(context.usage.open_pusd + trade.max_cost, most, "All orders under way")


def budget(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is in use of the wallet, with this trade: our positions, orders under way and what has been
    lost so far. A gain makes the budget no larger."""
    if not trade.opening:
        return not_for_closes()
    if context.limits.budget_pusd is None:
        return Verdict(True, "no budget is set")
    if context.usage is None:
        return unknown("What is in use is")
    used, most = context.usage.used_pusd + trade.max_cost, context.limits.budget_pusd
    detail = (
        ""
        if used <= most
        else f"With this {at_most(used)} pUSD of the wallet would be in use; the budget is {limit(most)}."
    )
    return Verdict(used <= most, at_most(used), limit(most), detail)


def small_orders(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """The first orders with real money are small, until enough of them went as they were predicted."""
    if not trade.opening:
        return not_for_closes()
    phase = context.small_orders
    if phase is None:
        return unknown("Whether the phase of small orders is over is")
    if not phase.active:
        return Verdict(True, phase.words or "no such phase here")
    passed = trade.max_cost <= phase.most_pusd
    detail = "" if passed else f"The first orders are small: {phase.words}."
    return Verdict(passed, at_most(trade.max_cost), limit(phase.most_pusd), detail)


def turnover_day(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """What is bought in a UTC day, with this trade. Sales do not count."""
    if not trade.opening:
        return not_for_closes()
    if context.usage is None or context.bankroll_pusd is None:
        return unknown("What was bought today is")
    most = context.limits.turnover_multiple * context.bankroll_pusd
    bought: Decimal = context.usage.bought_today_pusd + trade.max_cost
    detail = (
        "" if bought <= most else f"Today {at_most(bought)} pUSD would be bought; {limit(most)} is allowed."
    )
    return Verdict(bought <= most, at_most(bought), limit(most), detail)


def orders_hour(trade: ProposedTrade, context: ControlContext) -> Verdict:
    """Not too many openings in an hour. Sales do not count and are not held back."""
    if not trade.opening:
        return not_for_closes()
    if context.usage is None:
        return unknown("How many orders there were in the last hour is")
    count, most = context.usage.orders_last_hour + 1, context.limits.orders_hour_max
    detail = (
        "" if count <= most else f"There were {count - 1} orders in the last hour; at most {plain(most)} are."
    )
    return Verdict(count <= most, str(count), plain(most), detail)
