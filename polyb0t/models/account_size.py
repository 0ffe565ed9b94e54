"""Whether an account can place any order at all: the largest that its limits allow against the smallest
that the exchange takes, and what would have to change."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from polyb0t.core.units import ONE, ZERO, Pusd, Shares
from polyb0t.models.fees import effective_fee
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import MarketState
from polyb0t.models.usage import SmallOrders
from polyb0t.models.wording import at_most, limit, money

USUAL_PRICE: Final = Decimal("0.60")  # what is suggested leaves room for purchases up to this price
USUAL_MINIMUM: Final = Shares(Decimal(5))
USUAL_FEE: Final = Decimal("0.05")
_STEP: Final = Decimal("0.001")
_MOST: Final = Decimal(
    "0.25"
)  # of the bankroll in one order; beyond that the account, not the limit, is wrong

# Limit of `RiskLimits` and the setting behind it, each a fraction of the bankroll that one order uses up.
_FRACTIONS: Final = (
    ("order_fraction", "POLYBOT_MAX_ORDER_FRACTION"),
    ("market_fraction", "POLYBOT_MAX_MARKET_FRACTION"),
    ("event_fraction", "POLYBOT_MAX_EVENT_FRACTION"),
    ("theme_fraction", "POLYBOT_MAX_THEME_FRACTION"),
    ("category_fraction", "POLYBOT_MAX_CATEGORY_FRACTION"),
    ("far_fraction", "POLYBOT_MAX_FAR_FRACTION"),
    ("dependent_fraction", "POLYBOT_MAX_DEPENDENT_FRACTION"),
    ("tail_fraction", "POLYBOT_MAX_TAIL_FRACTION"),
    ("open_fraction", "POLYBOT_MAX_OPEN_ORDERS_FRACTION"),
    ("total_fraction", "POLYBOT_MAX_EXPOSURE_FRACTION"),
)


@dataclass(frozen=True, slots=True)
class Purse:
    """What orders are sized against. `setting` is where the bankroll comes from, empty for the wallet."""

    bankroll_pusd: Pusd
    limits: RiskLimits
    small_orders: SmallOrders
    setting: str = ""


@dataclass(frozen=True, slots=True)
class TooSmall:
    """No order fits: what is wrong, and what to do."""

    what: str
    do: str

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.do}"


def smallest_order(states: Iterable[MarketState], limits: RiskLimits) -> Pusd:
    """The least that any purchase in these markets costs, fee included; by the exchange's usual minimum
    where none of them has an offer."""
    costs = [cost for state in states for cost in _costs(state, limits)]
    if costs:
        return min(costs)
    return _cost(limits.price_low, USUAL_MINIMUM, ZERO, limits)


def too_small(purse: Purse, smallest: Pusd) -> TooSmall | None:
    """Why nothing can be bought by this account under these limits; None if something can."""
    largest = _largest(purse)
    if largest >= smallest:
        return None
    bankroll = purse.bankroll_pusd
    what = (
        f"This account is too small for any order: {money(bankroll)} pUSD allow orders of at most "
        f"{limit(largest)}, and the smallest that the exchange takes costs {at_most(smallest)}."
    )
    return TooSmall(what, _remedy(purse, smallest))


def _costs(state: MarketState, limits: RiskLimits) -> Iterable[Pusd]:
    fee = effective_fee(state.market, state.terms)
    if state.terms is None or fee is None:
        return
    for book in state.books:
        if book is not None and book.best_ask is not None and book.best_ask <= limits.price_high:
            price = max(book.best_ask, limits.price_low)
            yield _cost(price, state.terms.min_shares, fee.rate, limits)


def _cost(price: Decimal, min_shares: Shares, rate: Decimal, limits: RiskLimits) -> Pusd:
    return Pusd(max(limits.marketable_min_pusd, min_shares * price) * (ONE + rate))


def _largest(purse: Purse) -> Decimal:
    """What one order may cost in an account that holds nothing yet."""
    limits, sized = purse.limits, purse.bankroll_pusd * (ONE - purse.limits.drift_fraction)
    least = min(_tightest(limits), limits.turnover_multiple, ONE - limits.cash_floor_fraction)
    phase = [purse.small_orders.most_pusd] if purse.small_orders.active else []
    return min([least * sized, limits.order_max_pusd, *phase])


def _tightest(limits: RiskLimits) -> Decimal:
    return min(Decimal(getattr(limits, name)) for name, _ in _FRACTIONS)


def _remedy(purse: Purse, smallest: Pusd) -> str:
    """The settings that are in the way, each with the value that lets orders through."""
    usual = _cost(USUAL_PRICE, USUAL_MINIMUM, USUAL_FEE, purse.limits)
    wanted = max(smallest, usual)
    words = f"prices to {int(USUAL_PRICE * 100)}¢" if wanted == usual else "the smallest order"
    raised = [*_amounts(purse, wanted), *_fractions(purse, wanted)]
    needed = _bankroll_for(purse, smallest)
    more = f"{purse.setting}={needed} or more" if purse.setting else f"{needed} pUSD or more in the account"
    if not raised or wanted > _MOST * purse.bankroll_pusd:
        return f"Do: {more}."
    also = f", or {more}" if needed > purse.bankroll_pusd else ""
    return f"Do: {', '.join(raised)} (enough for {words}){also}."


def _amounts(purse: Purse, wanted: Decimal) -> list[str]:
    amount = wanted.quantize(Decimal("0.01"), ROUND_CEILING)
    found = []
    in_phase = purse.small_orders.active and purse.limits.order_max_pusd == purse.small_orders.most_pusd
    if purse.limits.order_max_pusd < wanted and not in_phase:
        found.append(f"POLYBOT_MAX_ORDER_PUSD={amount}")
    if purse.small_orders.active and purse.small_orders.most_pusd < wanted:
        found.append(f"POLYBOT_SMALL_ORDER_PUSD={amount}")
    return found


def _fractions(purse: Purse, wanted: Decimal) -> list[str]:
    sized = purse.bankroll_pusd * (ONE - purse.limits.drift_fraction)
    if sized <= 0:
        return []
    fraction = (wanted / sized).quantize(_STEP, ROUND_CEILING)
    return [f"{setting}={fraction}" for name, setting in _FRACTIONS if getattr(purse.limits, name) < fraction]


def _bankroll_for(purse: Purse, smallest: Decimal) -> Decimal:
    """What the account would need with the limits as they are."""
    limits = purse.limits
    least = min(_tightest(limits), limits.turnover_multiple)
    return (smallest / (least * (ONE - limits.drift_fraction))).quantize(ONE, ROUND_CEILING)
