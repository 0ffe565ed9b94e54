"""How much of each limit is used now, for a person who looks: the same figures that the controls judge by."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.units import ZERO, Pusd
from polyb0t.models.decision_desk import Desk
from polyb0t.models.usage import LimitUse

PUSD: Final = "pUSD"
ORDERS: Final = "orders"
TOP: Final = 5  # of markets, events, themes and categories each


Labels = Callable[[str, str], str]  # kind of group and its key to words that a person knows it by


def limit_uses(desk: Desk, label_of: Labels) -> tuple[LimitUse, ...]:
    """Every limit of the desk; none while the bankroll, what is at risk or the pace is not known."""
    if desk.bankroll_pusd is None or desk.exposure is None or desk.usage is None:
        return ()
    return (
        *_each_order(desk, desk.bankroll_pusd),
        *_together(desk, desk.bankroll_pusd),
        *_pace(desk, desk.bankroll_pusd),
        *_groups(desk, desk.bankroll_pusd, label_of),
    )


def largest_order(desk: Desk, bankroll: Pusd) -> Pusd:
    """What one order may cost."""
    return Pusd(min(desk.limits.order_fraction * bankroll, desk.limits.order_max_pusd))


def _each_order(desk: Desk, bankroll: Pusd) -> Iterator[LimitUse]:
    name = "order_too_large"
    if desk.small_orders is not None and desk.small_orders.active:
        name = "small_orders"
    yield LimitUse(name, "", None, largest_order(desk, bankroll), PUSD)


def _together(desk: Desk, bankroll: Pusd) -> Iterator[LimitUse]:
    assert desk.exposure is not None
    assert desk.usage is not None
    limits, total = desk.limits, desk.exposure.total
    yield LimitUse("exposure_total", "", total, limits.total_fraction * bankroll, PUSD)
    yield LimitUse("exposure_far", "", desk.exposure.far, limits.far_fraction * bankroll, PUSD)
    yield LimitUse(
        "exposure_dependent", "", desk.exposure.dependent, limits.dependent_fraction * bankroll, PUSD
    )
    if desk.tail is not None:
        yield LimitUse("portfolio_tail", "", desk.tail.loss(), limits.tail_fraction * bankroll, PUSD)
    if limits.budget_pusd is not None:
        yield LimitUse("budget", "", desk.usage.used_pusd, limits.budget_pusd, PUSD)
    if desk.spendable_pusd is not None:
        floor = limits.cash_floor_fraction * bankroll
        # What may be spent before the floor is reached; used is what is spent already.
        spent = max(ZERO, bankroll - desk.spendable_pusd)
        yield LimitUse("cash_floor", "", spent, max(ZERO, bankroll - floor), PUSD)


def _pace(desk: Desk, bankroll: Pusd) -> Iterator[LimitUse]:
    assert desk.usage is not None
    limits, usage = desk.limits, desk.usage
    yield LimitUse("open_orders", "", Decimal(usage.open_orders), limits.open_orders_max, ORDERS)
    yield LimitUse("open_money", "", usage.open_pusd, limits.open_fraction * bankroll, PUSD)
    most = limits.turnover_multiple * bankroll
    yield LimitUse("turnover_day", "", usage.bought_today_pusd, most, PUSD)
    yield LimitUse("orders_hour", "", Decimal(usage.orders_last_hour), limits.orders_hour_max, ORDERS)


def _groups(desk: Desk, bankroll: Pusd, label_of: Labels) -> Iterator[LimitUse]:
    assert desk.exposure is not None
    limits, exposure = desk.limits, desk.exposure
    for kind, used, fraction in (
        ("market", exposure.by_market, limits.market_fraction),
        ("event", exposure.by_event, limits.event_fraction),
        ("theme", exposure.by_theme, limits.theme_fraction),
        ("category", exposure.by_category, limits.category_fraction),
    ):
        for key, amount in _top(used):
            yield LimitUse(f"exposure_{kind}", label_of(kind, key), amount, fraction * bankroll, PUSD)


def _top(used: Mapping[Any, Pusd]) -> Iterable[tuple[str, Pusd]]:
    """The largest first; what has nothing at risk is left out."""
    ranked = sorted(used.items(), key=lambda pair: (-pair[1], pair[0]))
    return [pair for pair in ranked[:TOP] if pair[1] > 0]
