"""The five exit rules: each looks at one held position and says why it should be sold, or nothing.

Take-profit and stop-loss compare the bid now with the bid at entry, never with what was paid: against
cost, with the spread and the fee in it, a stop would fire on the purchase itself. To add a rule, write the
function, name its trigger, and put both in `RULES`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import ONE, Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.closing import sale_fee
from polyb0t.models.fees import per_share
from polyb0t.models.signals import Belief
from polyb0t.models.wording import cents, coarse, money, percent

# What a sale costs at most, of its proceeds, at the highest fee rate that we plan with: a take-profit
# under it would propose to sell a gain away.
EXIT_COST_FRACTION: Final = Decimal("0.04")
DEPTH_REACH: Final = Price(Decimal("0.03"))  # bids so far under the best one count as depth


class ExitTrigger(StrEnum):
    """Why a position should be sold."""

    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    TIME = "time"
    LIQUIDITY = "liquidity"
    EDGE_GONE = "edge_gone"


ALL_TRIGGERS: Final = frozenset(ExitTrigger)
# What a sleeping person's approval covers unless told otherwise. A market that has become thin is a bad
# moment to sell without anybody looking, so that one waits for a person.
UNATTENDED: Final = (
    ExitTrigger.TAKE_PROFIT,
    ExitTrigger.STOP_LOSS,
    ExitTrigger.TIME,
    ExitTrigger.EDGE_GONE,
)


@dataclass(frozen=True, slots=True)
class ExitRules:
    """Switches and thresholds. `_fraction` of the figure at entry; prices in pUSD per share."""

    enabled: frozenset[ExitTrigger] = ALL_TRIGGERS
    take_profit_fraction: Decimal = Decimal("0.10")
    stop_loss_fraction: Decimal = Decimal("0.05")
    time_hours: Decimal = Decimal(48)  # before the scheduled end
    spread_multiple: Decimal = Decimal(3)  # of the spread at entry
    depth_fraction: Decimal = Decimal("0.25")  # of the bids' depth at entry
    liquidity_seconds: Decimal = Decimal(120)  # how long it has to be worse; one thin moment is none
    edge_gone_pusd: Decimal = Decimal("0.01")  # what the net bid pays beyond the model's value
    book_age_max_seconds: float = 15

    def __post_init__(self) -> None:
        for name in ("take_profit_fraction", "stop_loss_fraction", "depth_fraction"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ValueError(f"{name} is {value}; it has to be above 0 and below 1")
        if self.take_profit_fraction <= EXIT_COST_FRACTION:
            raise ValueError(
                f"take_profit_fraction is {self.take_profit_fraction}; "
                f"selling alone may cost {EXIT_COST_FRACTION}, so it has to be more"
            )
        for name, least in (("time_hours", 0), ("spread_multiple", 1), ("edge_gone_pusd", 0)):
            value = getattr(self, name)
            if value <= least:
                raise ValueError(f"{name} is {value}; it has to be more than {least}")


@dataclass(frozen=True, slots=True)
class Entry:
    """The market as it was when the position was opened; None: not known, then no rule is built on it."""

    bid: Price | None = None
    spread: Decimal | None = None  # pUSD per share
    bid_depth: Shares | None = None  # within DEPTH_REACH of the best bid


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """One of our own lots. `closable` are the confirmed shares that no other sale has claimed; `cost` is
    what all `shares` were bought for, fees in it."""

    asset_id: AssetId
    condition_id: ConditionId
    shares: Shares
    closable: Shares
    cost: Pusd
    entry: Entry


@dataclass(frozen=True, slots=True)
class ExitView:
    """What is known of a position's market now. `thin_seconds`: since when it is less liquid."""

    position: HeldPosition
    now: datetime
    market: Market | None
    book: OrderBook | None
    fee: FeeSchedule | None
    belief: Belief | None = None
    thin_seconds: float = 0.0

    @property
    def bid(self) -> Price | None:
        return None if self.book is None else self.book.best_bid


Rule = Callable[[ExitView, ExitRules], str | None]


def take_profit(view: ExitView, rules: ExitRules) -> str | None:
    """The bid is well above the bid at entry, and selling brings more than was paid."""
    bid, entry = view.bid, view.position.entry.bid
    if bid is None or entry is None or bid < entry * (ONE + rules.take_profit_fraction):
        return None
    gain = _gain(view)
    if gain is None or gain <= 0:
        return None
    return (
        f"Take-profit: the bid is {cents(bid)}, {percent(bid / entry - 1)} above the {cents(entry)} at "
        f"entry; selling brings {money(gain)} pUSD more than was paid."
    )


def stop_loss(view: ExitView, rules: ExitRules) -> str | None:
    """The bid has fallen under the bid at entry by the fraction."""
    bid, entry = view.bid, view.position.entry.bid
    if bid is None or entry is None or bid > entry * (ONE - rules.stop_loss_fraction):
        return None
    return (
        f"Stop-loss: the bid is {cents(bid)}, {percent(1 - bid / entry)} under the {cents(entry)} at entry."
    )


def time_left(view: ExitView, rules: ExitRules) -> str | None:
    """The scheduled end is near."""
    end = None if view.market is None else view.market.end_date
    if end is None or end - view.now > timedelta(hours=float(rules.time_hours)):
        return None
    left = (end - view.now).total_seconds()
    when = f"in {coarse(left)}" if left > 0 else "by now"
    return f"Time: the market is scheduled to end {when}."


def liquidity(view: ExitView, rules: ExitRules) -> str | None:
    """Spread or depth have been worse than at entry for a while."""
    said = thinner(view, rules)
    return said if said is not None and view.thin_seconds >= rules.liquidity_seconds else None


def thinner(view: ExitView, rules: ExitRules) -> str | None:
    """In what way the market is less liquid now than at entry, or None."""
    book, entry = view.book, view.position.entry
    if book is None:
        return None
    spread, tick = book.spread, book.tick or Price(Decimal("0.01"))
    if entry.spread is not None and spread is not None:
        # Two ticks beyond it in any case: with a spread of one tick at entry every wobble is a multiple.
        most = max(entry.spread * rules.spread_multiple, entry.spread + 2 * tick)
        if spread > most:
            return f"Liquidity: the spread is {cents(spread)}, at entry it was {cents(entry.spread)}."
    depth = bid_depth(book)
    if entry.bid_depth is not None and depth < entry.bid_depth * rules.depth_fraction:
        return f"Liquidity: {depth:f} shares are bid for, at entry {entry.bid_depth:f} were."
    return None


def edge_gone(view: ExitView, rules: ExitRules) -> str | None:
    """The bid pays more after the fee than the model says that holding is worth."""
    bid, belief = view.bid, view.belief
    if bid is None or belief is None or view.fee is None:
        return None
    net = bid - per_share(bid, view.fee)
    if net < belief.q + rules.edge_gone_pusd:
        return None
    return (
        f"Edge gone: selling brings {cents(net)} a share after the fee; the model says {percent(belief.q)}."
    )


RULES: Final[Mapping[ExitTrigger, Rule]] = MappingProxyType(
    {
        ExitTrigger.TAKE_PROFIT: take_profit,
        ExitTrigger.STOP_LOSS: stop_loss,
        ExitTrigger.TIME: time_left,
        ExitTrigger.LIQUIDITY: liquidity,
        ExitTrigger.EDGE_GONE: edge_gone,
    }
)


def bid_depth(book: OrderBook) -> Shares:
    """Shares bid for near the best bid."""
    if book.best_bid is None:
        return Shares(Decimal(0))
    return book.depth(Side.SELL, Price(book.best_bid - DEPTH_REACH))


def entry_of(book: OrderBook) -> Entry:
    """The market of `book` as an entry."""
    return Entry(book.best_bid, book.spread, bid_depth(book))


def weighted(figures: Sequence[tuple[Decimal, Shares]]) -> Decimal | None:
    """A figure at entry over several purchases, by their shares; None without any."""
    total = sum((shares for _, shares in figures), Decimal(0))
    if total <= 0:
        return None
    return sum((figure * shares for figure, shares in figures), Decimal(0)) / total


def _gain(view: ExitView) -> Decimal | None:
    """What selling all that can be sold brings now, after the exit's fee, beyond its part of the cost."""
    position, book, fee = view.position, view.book, view.fee
    if book is None or fee is None or not position.shares or not position.closable:
        return None
    least = Price(book.tick or Decimal("0.0001"))
    walk = book.take_shares(Side.SELL, position.closable, least)
    if walk.shares <= 0:
        return None
    proceeds = walk.notional - sale_fee(book, walk.shares, least, fee)
    return proceeds - position.cost * walk.shares / position.shares
