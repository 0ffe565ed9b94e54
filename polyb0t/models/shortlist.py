"""Which chances deserve a person's minute: growth times the chance that the order still fills after the wait.

    score = growth x chance of fill

An order that takes finds its price after the wait unless the offer has gone beyond it:

    chance = F((worst price - offer + half a tick) / reach),    F the logistic curve nearest to the normal one
    reach  = p (1 - p) x sd of the log-odds over the wait  +  a quarter of the spread

The first part is how far the price drifts, the second how far an offer jumps when somebody else takes it.
Where a market's own movement is not known, half a log-odds a day is assumed. Times how often our own
approved orders found their price, once there are enough of them. What rests carries its own chance
(`execution_choice`). The curve's constant is Haley's 1.702 (1952): at most a hundredth from the normal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from polyb0t.core.units import ONE, ZERO
from polyb0t.data.markets import Market
from polyb0t.models.chances import Chance
from polyb0t.models.logit import expit
from polyb0t.models.movement import Movement
from polyb0t.models.wording import percent

USUAL_MOVEMENT: Final = Decimal("0.5")  # standard deviation of the log-odds over a day
LEAST_ORDERS: Final = 30  # before our own rate says anything
_JUMP: Final = Decimal("0.25")  # of the spread
_HALEY: Final = Decimal("1.702")
_CERTAIN: Final = Decimal(20)  # of these units, beyond which the curve is flat
_DAY: Final = Decimal(86_400)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a person may take, and how our own approved orders fared: `filled` of `sent`."""

    seconds: Decimal = Decimal(60)
    filled: int = 0
    sent: int = 0

    @property
    def rate(self) -> Decimal:
        """How often an approved order found its price; 1 until there are enough to say so."""
        return Decimal(self.filled) / Decimal(self.sent) if self.sent >= LEAST_ORDERS else ONE


USUAL_WAIT: Final = Waiting()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chance with its place: `rank` 1 is the best of `of`."""

    chance: Chance
    fill: Decimal
    score: Decimal
    rank: int = 0
    of: int = 0

    @property
    def words(self) -> str:
        """`Number 2 of 7: growth 0.00123 x chance of fill 87%.`"""
        growth = self.score / self.fill if self.fill else ZERO
        return f"Number {self.rank} of {self.of}: growth {growth:.5f} x chance of fill {percent(self.fill)}."


def shortlist(
    chances: Sequence[Chance], waiting: Waiting, movement_of: Callable[[Market], Movement | None]
) -> list[Ranked]:
    """The best first; the same chances in any order give the same list."""
    found = []
    for chance in chances:
        fill = fill_chance(chance, waiting, movement_of(chance.market))
        growth = chance.growth  # of what rests, times its own chance
        score = growth if chance.resting is not None else growth * fill
        found.append((score, fill, chance))
    found.sort(key=lambda each: (-each[0], each[2].side.outcome.asset_id))
    return [Ranked(chance, fill, score, n, len(found)) for n, (score, fill, chance) in enumerate(found, 1)]


def fill_chance(chance: Chance, waiting: Waiting, movement: Movement | None) -> Decimal:
    """How likely the order still fills when a person has taken all of his time."""
    if chance.resting is not None:
        return chance.resting.chance
    book, ask = chance.side.book, chance.side.ask
    daily = USUAL_MOVEMENT if movement is None else movement.most
    drift = ask * (ONE - ask) * daily * (waiting.seconds / _DAY).sqrt()
    reach = drift + _JUMP * (book.spread or ZERO)
    slack = chance.worst_price - ask + chance.terms.tick / 2
    steps = min(_CERTAIN, _HALEY * slack / reach) if reach > 0 else _CERTAIN
    return expit(steps) * waiting.rate
