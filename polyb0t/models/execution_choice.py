"""Take what is offered now, or rest at the bid until a stated time: whichever is worth more a share.

    taking   worth = q - cost(ask) - reserve                             a fill is taken as certain
    resting  worth = chance x (q - bid - reserve - what a fill tells)    no fee

A resting order fills, by the filler's own rule, only when something trades or is offered *through* its
price. Then the middle is a tick under that price or lower, and the purchase is worth so much less:

    what a fill tells = middle - bid + tick
    chance            = P(the middle falls so far within the life), a price without drift
                      = 2 F(-distance / (daily movement x sqrt(life in days))),  F of the standard normal

The distance is in log-odds; the second line is the reflection principle for Brownian motion. Nothing that
an exchange may pay to makers is counted. Resting is for slow signals: where anything that it needs is not
known, the answer is to take or to leave it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from polyb0t.core.units import ONE, Price, Shares, floor_to
from polyb0t.data.markets import Market, TradingTerms
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.fees import NO_FEE, effective_fee
from polyb0t.models.logit import logit
from polyb0t.models.movement import Movement
from polyb0t.models.pricing import Purchase, Reserve
from polyb0t.models.taken_back import TakenBack, terms_at

GTD: Final = "GTD"
LEAST_LIFE_SECONDS: Final = 600
MOST_LIFE_SECONDS: Final = 21_600
HORIZON: Final = timedelta(days=7)
MOST_MOVEMENT: Final = Decimal("0.4")  # of the log-odds, a day
LEAST_TICKS: Final = 2  # of spread: with one there is nothing to be saved by waiting
EVENT_MARGIN: Final = timedelta(hours=1)  # beside the life: for the decision, and games that begin early
LEAST_CHANCE: Final = Decimal("0.1")  # of a fill: with less it is not worth a person's minute
PRIOR_FILLS: Final = 5
PLAYED: Final = frozenset({"sports", "esports"})  # without a known start, one may come at any time
_DAY_SECONDS: Final = 86_400
_STEP: Final = Decimal("0.0001")


class NotResting(StrEnum):
    """Why resting is out of the question."""

    NOT_ALLOWED = "not_allowed"
    FEE = "fee"
    ENDS_SOON = "ends_soon"
    EVENT = "event"
    MOVEMENT_UNKNOWN = "movement_unknown"
    RESTLESS = "restless"
    NO_BOOK = "no_book"
    NARROW = "narrow"
    TOO_DEAR = "too_dear"
    UNLIKELY = "unlikely"


@dataclass(frozen=True, slots=True)
class ExecutionRules:
    """`allowed` is the owner's choice; `life_seconds` is how long an order rests at most. `came_true` is the
    part of the stated chances of a fill that came true so far."""

    allowed: bool = False
    life_seconds: int = 7_200
    came_true: Decimal = ONE

    def __post_init__(self) -> None:
        if not LEAST_LIFE_SECONDS <= self.life_seconds <= MOST_LIFE_SECONDS:
            raise ValueError(f"{self.life_seconds} s is not between ten minutes and six hours")


TAKER_ONLY: Final = ExecutionRules()


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of one outcome when the choice is made. `movement` None: not known."""

    market: Market
    terms: TradingTerms
    book: OrderBook
    movement: Movement | None
    now: datetime


@dataclass(frozen=True, slots=True)
class RestingOffer:
    """A post-only purchase at `price`, in pUSD per share. `edge` is what it earns if it fills, after the
    reserve and after `told`; `edge_before` is the same before what a fill tells."""

    price: Price
    life_seconds: int
    edge: Decimal
    edge_before: Decimal
    told: Decimal
    chance: Decimal  # of a fill within its life
    depth: Shares  # bids at its price or better: what it stands behind
    taken_back: TakenBack

    @property
    def worth(self) -> Decimal:
        """What is expected of a share that is put up, filled or not."""
        return self.edge * self.chance


def rest(
    moment: Moment, q: Decimal, reserve: Reserve, needed: Decimal, rules: ExecutionRules
) -> RestingOffer | NotResting:
    """The order that would rest for an outcome worth `q` a share, or the first reason against it."""
    book, tick = moment.book, moment.terms.tick
    against = _against(moment, rules)
    if against is not None:
        return against
    if book.mid is None or book.spread is None or book.best_bid is None or moment.movement is None:
        return NotResting.NO_BOOK
    told = book.mid - book.best_bid + tick
    buying = Purchase(q, NO_FEE, reserve)
    price = buying.worst_price(needed + told, ceiling=book.best_bid, tick=tick)
    if price is None or price < book.best_bid:
        return NotResting.TOO_DEAR
    stated = fill_chance(book.mid, price - tick, moment.movement.least, rules.life_seconds)
    chance = floor_to(stated * rules.came_true, _STEP)
    if chance < LEAST_CHANCE:
        return NotResting.UNLIKELY
    before = buying.edge(price)
    return RestingOffer(
        price=price,
        life_seconds=rules.life_seconds,
        edge=before - told,
        edge_before=before,
        told=told,
        chance=chance,
        depth=book.depth(Side.SELL, price),
        taken_back=terms_at(book.mid, book.spread, price - tick),
    )


def fill_chance(mid: Decimal, down_to: Decimal, movement: Decimal, life_seconds: int) -> Decimal:
    """The chance, four decimals rounded down, that the middle falls to `down_to` within the life.

    Zero where nothing moves, or where `down_to` is no price.
    """
    if not 0 < down_to < mid < ONE or movement <= 0:
        return Decimal(0)
    spread_out = float(movement) * math.sqrt(life_seconds / _DAY_SECONDS)
    chance = math.erfc(float(logit(mid) - logit(down_to)) / (spread_out * math.sqrt(2)))
    return floor_to(Decimal(repr(chance)), _STEP) if chance >= float(_STEP) else Decimal(0)


def came_true(ended: Iterable[tuple[Decimal, bool]]) -> Decimal:
    """What chances are to be multiplied with: fills of orders that have ended over the fills that their
    stated chances promised, as if `PRIOR_FILLS` had come as promised before; never more than one.

    An order that was taken back early counts as any other: that is what becomes of orders that rest.
    """
    promised, filled = Decimal(PRIOR_FILLS), Decimal(PRIOR_FILLS)
    for chance, got in ended:
        promised, filled = promised + chance, filled + got
    return min(ONE, filled / promised)


def _against(moment: Moment, rules: ExecutionRules) -> NotResting | None:
    """The first condition of resting that does not hold, or is not known to hold."""
    if not rules.allowed:
        return NotResting.NOT_ALLOWED
    market, over = moment.market, moment.now + timedelta(seconds=rules.life_seconds)
    fee = effective_fee(market, moment.terms)
    if fee is None or not fee.taker_only:
        return NotResting.FEE  # only where makers pay nothing is it known what resting costs
    if market.end_date is None or market.end_date - moment.now <= HORIZON:
        return NotResting.ENDS_SOON
    if not _undisturbed(market, over + EVENT_MARGIN):
        return NotResting.EVENT
    if moment.movement is None:
        return NotResting.MOVEMENT_UNKNOWN
    if moment.movement.most > MOST_MOVEMENT:
        return NotResting.RESTLESS
    return _of_the_book(moment.book, moment.terms.tick)


def _undisturbed(market: Market, until: datetime) -> bool:
    """Whether no scheduled start falls before `until`. What is played has one, told or not."""
    if market.game_start is None:
        return not PLAYED.intersection((market.category, *market.tags))
    return market.game_start > until


def _of_the_book(book: OrderBook, tick: Price) -> NotResting | None:
    if book.spread is None or book.best_bid is None or (book.tick is not None and book.tick != tick):
        return NotResting.NO_BOOK  # one-sided, or its grid is changing
    if book.best_bid % tick:
        return NotResting.NO_BOOK
    return NotResting.NARROW if book.spread < LEAST_TICKS * tick else None
