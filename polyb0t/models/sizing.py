"""How much: a fraction of the growth-optimal stake, shrunk by doubt, cut by caps.

    best stake   f* = (q - c) / (1 - c)                   of the bankroll, at all-in cost c
    doubt        k  = e^2 / (e^2 + sd^2)                  e the edge, sd how unsure q is
    stake        f  = fraction x k x f*                   a quarter; an eighth without own information

Sources: Kelly (1956) for f*; Baker and McHale (2013) for the form that k reduces to. The caps are
counted at the greatest possible cost, fee included.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, floor_e6, floor_to
from polyb0t.data.markets import FeeSchedule, Market
from polyb0t.models.fees import worst_case_cost
from polyb0t.models.risk import Exposure, RiskLimits, room
from polyb0t.models.wording import money

CENT: Final = Decimal("0.01")


def kelly(q: Decimal, cost: Decimal) -> Decimal:
    """The fraction of wealth whose stake at `cost` a share grows wealth fastest; zero without an edge."""
    return max(ZERO, (q - cost) / (ONE - cost))


def doubt(edge: Decimal, sd: Decimal) -> Decimal:
    """The factor, 0 to 1, by which not knowing q exactly shrinks a stake."""
    if edge <= 0:
        return ZERO
    return edge * edge / (edge * edge + sd * sd)


@dataclass(frozen=True, slots=True)
class Funds:
    """What a size is measured against; `exposure` counts reservations at worst-case cost."""

    bankroll: Pusd
    spendable: Pusd
    exposure: Exposure


@dataclass(frozen=True, slots=True)
class Wish:
    """A purchase that is worth making: `edge` and `cost` per share at the worst price."""

    edge: Decimal
    cost: Decimal
    sd: Decimal
    independent: bool
    worst_price: Price
    best_ask: Price
    depth: Shares  # offered at the worst price or better
    min_shares: Shares
    fee: FeeSchedule


@dataclass(frozen=True, slots=True)
class SizeChain:
    """Every step from the best stake to the wish in pUSD, then each cap in pUSD, and which one bound."""

    best_stake: Decimal
    doubt: Decimal
    fraction: Decimal
    wanted: Pusd
    caps: tuple[tuple[str, Pusd], ...]
    bound: str  # a cap's name, or "stake"


@dataclass(frozen=True, slots=True)
class Size:
    """Spend `amount` for `min_shares` or more; it can cost `max_cost` at most."""

    amount: Pusd
    min_shares: Shares
    max_cost: Pusd
    chain: SizeChain


@dataclass(frozen=True, slots=True)
class NoSize:
    """Nothing can be bought, with the reason; `bound` is the cap that was in the way."""

    reason: str
    bound: str


def size_purchase(wish: Wish, market: Market, funds: Funds, limits: RiskLimits) -> Size | NoSize:
    """The amount for a taker BUY, rounded down to the cent.

    Raises:
        FeeUnboundedError: the fee's exponent is below 1.
    """
    chain = _chain(wish, market, funds, limits)
    budget = floor_e6(min([chain.wanted, *(cap for _, cap in chain.caps)]))
    amount = Pusd(floor_to(budget / (ONE + wish.fee.rate), CENT))
    shares = Shares(floor_to(amount / wish.worst_price, CENT))
    least = max(limits.marketable_min_pusd, wish.min_shares * wish.worst_price)
    if amount < limits.marketable_min_pusd or shares < wish.min_shares:
        left = money(max(amount, ZERO))
        return NoSize(
            f"The {chain.bound} limit leaves {left} pUSD; the smallest order is {money(least)}.", chain.bound
        )
    return Size(amount, shares, worst_case_cost(amount, wish.fee), chain)


def _chain(wish: Wish, market: Market, funds: Funds, limits: RiskLimits) -> SizeChain:
    best = max(ZERO, wish.edge / (ONE - wish.cost))  # kelly() at q less the reserve
    shrink = doubt(wish.edge, wish.sd)
    fraction = limits.kelly_fraction if wish.independent else limits.kelly_fraction_dependent
    wanted = Pusd(fraction * shrink * best * funds.bankroll)
    caps = _caps(wish, market, funds, limits)
    name, tightest = min(caps, key=lambda cap: cap[1])
    return SizeChain(best, shrink, fraction, wanted, caps, name if tightest < wanted else "stake")


def _caps(wish: Wish, market: Market, funds: Funds, limits: RiskLimits) -> tuple[tuple[str, Pusd], ...]:
    """Room under each limit in pUSD of greatest cost, in the order in which limits are listed."""
    # A bankroll that shrinks a little while a person decides must not make the size too large.
    bankroll, exposure = Pusd(funds.bankroll * (ONE - limits.drift_fraction)), funds.exposure
    # The largest number of shares that a sum can buy is what it buys at the best ask.
    depth = limits.depth_fraction * wish.depth * wish.best_ask * (ONE + wish.fee.rate)
    shares = limits.order_max_shares * wish.best_ask * (ONE + wish.fee.rate)
    cash = funds.spendable - limits.cash_floor_fraction * funds.bankroll
    return (
        ("order", Pusd(min(limits.order_fraction * bankroll, limits.order_max_pusd))),
        ("shares", Pusd(shares)),
        ("market", room(limits.market_fraction, bankroll, exposure.market(market))),
        ("event", room(limits.event_fraction, bankroll, exposure.event(market))),
        ("category", room(limits.category_fraction, bankroll, exposure.category(market))),
        ("total", room(limits.total_fraction, bankroll, exposure.total)),
        ("cash", Pusd(max(ZERO, cash))),
        ("depth", Pusd(depth)),
    )
