"""What to spend on several outcomes of which one comes true, beside what is held: scenario Kelly.

    maximise   sum over ends s of  chance_s x log(wealth_s)
    wealth_s = wealth before, if the event ends so  -  what is spent  +  what the bought shares pay then
    where nothing is sold short and no more is spent than there is

Concave, so it has one best value; a projected Newton's method finds it. The answer carries a proof of how
near it is: growth is at most `gap` below the best, since a concave function lies under its tangent.
Sources: Kelly (1956); Smoczynski and Tomkins (2010) for exclusive outcomes without holdings, which
this agrees with. Decimals of 28 digits and no logarithm: every machine finds the same digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Final

from polyb0t.core.units import ONE, ZERO

GAP: Final = Decimal("1e-11")  # of log growth; what a stake of this error costs nobody could measure
MOST_STEPS: Final = 100  # a dozen are usual
_DIGITS: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_RIDGE: Final = Decimal("1e-14")  # of the largest curvature: two tokens may pay in the very same ends
_INSIDE: Final = Decimal("0.99")  # of the way to ruin, where the logarithm ends
_BARRIER: Final = Decimal("1e-12")  # weight of the log of what stays in cash: it keeps that above zero
_DUST: Final = Decimal("1e-22")
_SUM: Final = Decimal("1e-9")  # how far chances may be from a sum of 1


@dataclass(frozen=True, slots=True)
class Ends:
    """How an event may end: each end's chance (they sum to 1), and our wealth in it if nothing is bought."""

    chances: tuple[Decimal, ...]
    wealth: tuple[Decimal, ...]

    def __post_init__(self) -> None:
        if len(self.chances) != len(self.wealth) or not self.chances:
            raise ValueError("every end needs one chance and one wealth")
        if any(chance < 0 for chance in self.chances) or abs(sum(self.chances) - ONE) > _SUM:
            raise ValueError(f"chances {self.chances} are not a distribution")


@dataclass(frozen=True, slots=True)
class Token:
    """Something that can be bought: a share pays 1 in some ends. `cost` is all-in, per share."""

    pays: tuple[bool, ...]
    cost: Decimal

    def __post_init__(self) -> None:
        if not 0 < self.cost < 1:
            raise ValueError(f"a share costs {self.cost}; it has to be inside (0, 1)")


@dataclass(frozen=True, slots=True)
class Stakes:
    """What to spend on each token, in the unit of the wealth. `gap` bounds the growth that is missed."""

    spent: tuple[Decimal, ...]
    gap: Decimal

    @property
    def exact(self) -> bool:
        return self.gap <= GAP


def best_stakes(ends: Ends, tokens: Sequence[Token], cash: Decimal) -> Stakes:
    """The spending with the greatest expected log wealth, at most `cash` in all.

    Nothing where some possible end ruins us already: there is no growth to speak of.
    """
    possible = [s for s, chance in enumerate(ends.chances) if chance > 0]
    nothing = Stakes((ZERO,) * len(tokens), ZERO)
    if not tokens or cash <= 0 or any(ends.wealth[s] <= 0 for s in possible):
        return nothing
    with localcontext(_DIGITS):
        unit = max(ends.wealth[s] for s in possible)
        search = _Search(
            chances=[ends.chances[s] for s in possible],
            start=[ends.wealth[s] / unit for s in possible],
            gains=[[(ONE / t.cost if t.pays[s] else ZERO) - ONE for s in possible] for t in tokens],
            cash=cash / unit,
        )
        gap = search.run()
        return Stakes(tuple(+(spent * unit) for spent in search.spent), gap)


class _Search:
    """Newton's method over what is spent, kept above zero.

    `gains[k][s]` is what one pUSD spent on token k adds to the wealth in end s. The last end is the
    cash: it comes with next to no weight, and its logarithm keeps what is spent below what there is.
    """

    def __init__(
        self, chances: list[Decimal], start: list[Decimal], gains: list[list[Decimal]], cash: Decimal
    ) -> None:
        self._chances = [*chances, _BARRIER]
        self._start = [*start, cash]
        self._gains = [[*gain, -ONE] for gain in gains]
        self.spent = [ZERO] * len(gains)

    def run(self) -> Decimal:
        """Search; how far below the best growth the answer may be."""
        gap = ZERO
        for _ in range(MOST_STEPS):
            wealth = self._wealth(self.spent)
            slope = self._slope(wealth)
            gap = self._gap(wealth, slope)
            if gap <= GAP:
                break
            self._go(self._direction(wealth, slope), wealth)
        return gap

    def _gap(self, wealth: Sequence[Decimal], slope: Sequence[Decimal]) -> Decimal:
        """How much more any spending could grow, by the tangent; without the weight of the cash."""
        true = [each + _BARRIER / wealth[-1] for each in slope]
        return max(ZERO, self._start[-1] * max(ZERO, *true) - _dot(true, self.spent))

    def _wealth(self, spent: Sequence[Decimal]) -> list[Decimal]:
        wealth = list(self._start)
        for amount, gain in zip(spent, self._gains, strict=True):
            if amount:
                wealth = [w + amount * g for w, g in zip(wealth, gain, strict=True)]
        return wealth

    def _slope(self, wealth: Sequence[Decimal]) -> list[Decimal]:
        """Growth per pUSD spent on each token, at this wealth."""
        each = [chance / w for chance, w in zip(self._chances, wealth, strict=True)]
        return [_dot(each, gain) for gain in self._gains]

    def _direction(self, wealth: Sequence[Decimal], slope: Sequence[Decimal]) -> list[Decimal]:
        """Newton's step over the tokens that may move: not those at zero that it would push below."""
        free = [k for k, spent in enumerate(self.spent) if spent > 0 or slope[k] > 0]
        while True:
            step = self._newton(free, wealth, slope)
            stuck = {k for k, d in zip(free, step, strict=True) if not self.spent[k] and d < 0}
            if not stuck:
                break
            free = [k for k in free if k not in stuck]
        direction = [ZERO] * len(self.spent)
        for k, d in zip(free, step, strict=True):
            direction[k] = d
        return direction

    def _newton(
        self, free: Sequence[int], wealth: Sequence[Decimal], slope: Sequence[Decimal]
    ) -> list[Decimal]:
        weights = [chance / (w * w) for chance, w in zip(self._chances, wealth, strict=True)]
        weighted = [[w * g for w, g in zip(weights, self._gains[k], strict=True)] for k in free]
        curve = [[_dot(row, self._gains[k]) for k in free] for row in weighted]
        ridge = _RIDGE * max((curve[i][i] for i in range(len(free))), default=ZERO)
        for i in range(len(free)):
            curve[i][i] += ridge
        return _solve(curve, [slope[k] for k in free])

    def _go(self, direction: Sequence[Decimal], wealth: Sequence[Decimal]) -> None:
        """As far along `direction` as growth rises, and never over a border."""
        drift = [a - b for a, b in zip(self._wealth(direction), self._start, strict=True)]
        falling = [w / -d for w, d in zip(wealth, drift, strict=True) if d < 0]
        reach = min([ONE, *(_INSIDE * limit for limit in falling)])
        reach = min([reach, *(-x / d for x, d in zip(self.spent, direction, strict=True) if d < 0)])
        part = self._rising(wealth, drift, reach)
        moved = (x + part * d for x, d in zip(self.spent, direction, strict=True))
        # Rounding of the last digit is no reason to be below zero.
        self.spent = [ZERO if x < _DUST else x for x in moved]

    def _rising(self, wealth: Sequence[Decimal], drift: Sequence[Decimal], reach: Decimal) -> Decimal:
        """The largest part of the step up to `reach` over which growth does not fall, by halving."""

        def slope_at(part: Decimal) -> Decimal:
            parts = zip(self._chances, wealth, drift, strict=True)
            return sum((c * d / (w + part * d) for c, w, d in parts), ZERO)

        if slope_at(reach) >= 0:
            return reach
        low, high, enough = ZERO, reach, slope_at(ZERO) / 4
        while high - low > _DUST:
            middle = (low + high) / 2
            slope = slope_at(middle)
            low, high = (middle, high) if slope >= 0 else (low, middle)
            if 0 <= slope <= enough:
                break
        return low


def _dot(left: Sequence[Decimal], right: Sequence[Decimal]) -> Decimal:
    return sum((a * b for a, b in zip(left, right, strict=True)), ZERO)


def _solve(matrix: Sequence[Sequence[Decimal]], side: Sequence[Decimal]) -> list[Decimal]:
    """The solution of a positive definite system, by elimination."""
    rows = [[*row, value] for row, value in zip(matrix, side, strict=True)]
    for i, row in enumerate(rows):
        rows[i] = pivot = [value / row[i] for value in row]
        for j, other in enumerate(rows):
            if j != i and other[i]:
                rows[j] = [a - other[i] * b for a, b in zip(other, pivot, strict=True)]
    return [row[-1] for row in rows]
