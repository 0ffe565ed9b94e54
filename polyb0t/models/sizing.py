"""How much: a fraction of the growth-optimal stake, shrunk by doubt, cut by caps.

    best stake   f* = (q - c) / (1 - c)                   of the bankroll, at all-in cost c
    doubt        k  = e^2 / (e^2 + sd^2)                  e the edge, sd how unsure q is
    stake        f  = fraction x k x f*                   a quarter; an eighth without own information

Where something is held or under way on the event, or several of its outcomes are worth buying, the
stake is scenario Kelly's by somebody whose wealth is fraction x k x bankroll (`event_stakes`). Under its peak
the account bets less: the size falls evenly to nothing where DRAWDOWN trips.

Sources: Kelly (1956) for f*; Baker and McHale (2013) for the form that k reduces to. The caps are
counted at the greatest possible cost, fee included.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ONE, ZERO, Price, Pusd, Shares, floor_e6, floor_to
from polyb0t.data.markets import FeeSchedule, Market
from polyb0t.models.event_stakes import NO_EVENTS, Bet, EventBook, EventStake
from polyb0t.models.fees import worst_case_cost
from polyb0t.models.risk import Exposure, RiskLimits, room
from polyb0t.models.themes import themes
from polyb0t.models.wording import money, percent

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
    """What a size is measured against; `exposure` counts reservations at worst-case cost.

    `drawdown` is how far equity is under its peak, as a fraction; `events` has what is held and what else
    is worth buying.
    """

    bankroll: Pusd
    spendable: Pusd
    exposure: Exposure
    drawdown: Decimal = ZERO
    events: EventBook = NO_EVENTS


@dataclass(frozen=True, slots=True)
class Wish:
    """A purchase that is worth making: `edge` and `cost` per share at the worst price. `far`: its market
    ends later than the limit of what ends late begins."""

    asset_id: AssetId
    edge: Decimal
    cost: Decimal
    sd: Decimal
    independent: bool
    worst_price: Price
    best_ask: Price
    depth: Shares  # offered at the worst price or better
    min_shares: Shares
    fee: FeeSchedule
    far: bool = False


@dataclass(frozen=True, slots=True)
class SizeChain:
    """Every step from the best stake to the wish in pUSD, then each cap in pUSD, and which one bound.

    `event` is what scenario Kelly leaves of the stake beside the rest of the event, None where there is no
    rest; `scale` is what the drawdown leaves of the size.
    """

    best_stake: Decimal
    doubt: Decimal
    fraction: Decimal
    wanted: Pusd
    caps: tuple[tuple[str, Pusd], ...]
    bound: str  # a cap's name, "stake", "event_stake" or "drawdown"
    event: EventStake | None = None
    scale: Decimal = ONE

    @property
    def words(self) -> str:
        """The chain as a person reads it."""
        said = f"Best stake {percent(self.best_stake, 1)} of the bankroll, "
        said += f"x {percent(self.doubt)} for doubt x {percent(self.fraction, 1)}"
        if self.event is not None:
            beside = [f"{money(self.event.held)} pUSD held"] if self.event.held else []
            beside += [f"{self.event.others} other chance(s)"] if self.event.others else []
            said += f", beside {' and '.join(beside)} on the event"
        said += f": {money(self.wanted)} pUSD"
        if self.scale < ONE:
            said += f", x {percent(self.scale)} for the drawdown"
        tightest = dict(self.caps).get(self.bound)
        return said + ("." if tightest is None else f"; the {self.bound} limit leaves {money(tightest)}.")


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


_TOO_LITTLE: Final = {
    "stake": "The stake is {} pUSD",
    "event_stake": "Beside what is held and worth buying on the event the stake is {} pUSD",
    "drawdown": "The account is so far under its peak that {} pUSD may be spent",
}


def size_purchase(wish: Wish, market: Market, funds: Funds, limits: RiskLimits) -> Size | NoSize:
    """The amount for a taker BUY, rounded down to the cent.

    Raises:
        FeeUnboundedError: the fee's exponent is below 1.
    """
    chain = _chain(wish, market, funds, limits)
    budget = floor_e6(chain.scale * min([chain.wanted, *(cap for _, cap in chain.caps)]))
    amount = Pusd(floor_to(budget / (ONE + wish.fee.rate), CENT))
    shares = Shares(floor_to(amount / wish.worst_price, CENT))
    least = max(limits.marketable_min_pusd, wish.min_shares * wish.worst_price)
    if amount < limits.marketable_min_pusd or shares < wish.min_shares:
        left, smallest = money(max(amount, ZERO)), money(least)
        said = _TOO_LITTLE.get(chain.bound, f"The {chain.bound} limit leaves {{}} pUSD").format(left)
        return NoSize(f"{said}; the smallest order is {smallest}.", chain.bound)
    return Size(amount, shares, worst_case_cost(amount, wish.fee), chain)


def _chain(wish: Wish, market: Market, funds: Funds, limits: RiskLimits) -> SizeChain:
    best = max(ZERO, wish.edge / (ONE - wish.cost))  # kelly() at q less the reserve
    shrink = doubt(wish.edge, wish.sd)
    fraction = limits.kelly_fraction if wish.independent else limits.kelly_fraction_dependent
    wanted, name = Pusd(fraction * shrink * best * funds.bankroll), "stake"
    bet = Bet(market, wish.asset_id, wish.edge + wish.cost, wish.cost)
    event = funds.events.stake(bet, fraction * shrink * funds.bankroll)
    if event is not None:
        # What could not be solved well enough is not bought.
        wanted, name = event.amount if event.exact else Pusd(ZERO), "event_stake"
    caps = _caps(wish, market, funds, limits)
    cap, tightest = min(caps, key=lambda cap: cap[1])
    scale = max(ZERO, ONE - funds.drawdown / limits.drawdown_fraction)
    bound = cap if tightest < wanted else name
    return SizeChain(best, shrink, fraction, wanted, caps, bound if scale else "drawdown", event, scale)


def _caps(wish: Wish, market: Market, funds: Funds, limits: RiskLimits) -> tuple[tuple[str, Pusd], ...]:
    """Room under each limit that it touches, in pUSD of greatest cost, in the order of their list."""
    # A bankroll that shrinks a little while a person decides must not make the size too large.
    bankroll, exposure = Pusd(funds.bankroll * (ONE - limits.drift_fraction)), funds.exposure
    # The largest number of shares that a sum can buy is what it buys at the best ask.
    depth = limits.depth_fraction * wish.depth * wish.best_ask * (ONE + wish.fee.rate)
    shares = limits.order_max_shares * wish.best_ask * (ONE + wish.fee.rate)
    cash = funds.spendable - limits.cash_floor_fraction * funds.bankroll
    touched = {"theme": bool(themes(market)), "far": wish.far, "dependent": not wish.independent}
    caps = (
        ("order", Pusd(min(limits.order_fraction * bankroll, limits.order_max_pusd))),
        ("shares", Pusd(shares)),
        ("market", room(limits.market_fraction, bankroll, exposure.market(market))),
        ("event", room(limits.event_fraction, bankroll, exposure.event(market))),
        ("theme", room(limits.theme_fraction, bankroll, exposure.theme(market))),
        ("category", room(limits.category_fraction, bankroll, exposure.category(market))),
        ("far", room(limits.far_fraction, bankroll, exposure.far)),
        ("dependent", room(limits.dependent_fraction, bankroll, exposure.dependent)),
        ("total", room(limits.total_fraction, bankroll, exposure.total)),
        ("cash", Pusd(max(ZERO, cash))),
        ("depth", Pusd(depth)),
    )
    return tuple(cap for cap in caps if touched.get(cap[0], True))
