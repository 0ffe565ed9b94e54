"""What the bets came to: how often they won beside how often they had to.

A hit rate alone says nothing: who buys at 95 cents wins 95 times in a hundred and earns nothing. Without
skill the hit rate equals the mean of what a share of ALL the bets cost, fees in it, losers as well.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from polyb0t.core.units import ONE, ZERO, Pusd
from polyb0t.research.analytics.clusters import Mean, clustered_mean
from polyb0t.research.analytics.enough import bets_needed
from polyb0t.research.analytics.fates import Fate, Scored


@dataclass(frozen=True, slots=True)
class Hits:
    """Of bets whose market has ended with a winner. `above` is hit rate less break-even rate, with its
    interval; `void` ended with none and are no part of it."""

    bets: int
    events: int
    won: int
    hit_rate: float | None
    break_even_rate: float | None
    above: Mean | None
    void: int


@dataclass(frozen=True, slots=True)
class Gains:
    """pUSD of bets that ended, fees in it. `profit_factor`: gains over losses; None without a loss."""

    gained_pusd: Pusd
    lost_pusd: Pusd

    @property
    def profit_factor(self) -> Decimal | None:
        return self.gained_pusd / self.lost_pusd if self.lost_pusd else None


@dataclass(frozen=True, slots=True)
class Sent:
    """Of approved proposals that were sent: how many found a trade, and how much of what was wanted."""

    sent: int
    filled: int
    rate: float | None
    shares_rate: Decimal | None
    refused: tuple[tuple[str, int], ...]  # by code, the most frequent first


def hits(scored: Sequence[Scored]) -> Hits:
    """Of the filled openings among them."""
    ended = [each for each in scored if each.opening and each.filled and each.over]
    void = [each for each in ended if each.value not in (ZERO, ONE)]
    counted = [each for each in ended if each.value in (ZERO, ONE)]
    won = [float(each.value or ZERO) for each in counted]
    cost = [float(each.cost_per_share or ZERO) for each in counted]
    events = [each.event for each in counted]
    n = len(counted)
    return Hits(
        bets=n,
        events=len(set(events)),
        won=sum(value == 1 for value in won),
        hit_rate=sum(won) / n if n else None,
        break_even_rate=sum(cost) / n if n else None,
        above=clustered_mean([one - paid for one, paid in zip(won, cost, strict=True)], events),
        void=len(void),
    )


def gains(scored: Sequence[Scored]) -> Gains:
    """Of what was filled and has ended, sales against keeping the shares among it."""
    made = [each.outcome_pusd for each in scored if each.filled and each.over]
    known = [each for each in made if each is not None]
    return Gains(
        Pusd(sum((each for each in known if each > 0), ZERO)),
        Pusd(-sum((each for each in known if each < 0), ZERO)),
    )


def sent(scored: Sequence[Scored]) -> Sent:
    """Refusals are counted beside: they were never sent."""
    tried = [each for each in scored if each.fate in (Fate.FILLED, Fate.NOT_FILLED)]
    filled = [each for each in tried if each.filled]
    wanted = sum((_wanted(each) for each in tried), ZERO)
    got = sum((min(each.shares, _wanted(each)) for each in filled), ZERO)
    codes = Counter(
        each.record.result or "unknown" for each in scored if each.fate in (Fate.REFUSED, Fate.NOT_FILLED)
    )
    return Sent(
        sent=len(tried),
        filled=len(filled),
        rate=len(filled) / len(tried) if tried else None,
        shares_rate=got / wanted if wanted else None,
        refused=tuple(sorted(codes.items(), key=lambda each: (-each[1], each[0]))),
    )


def needed(scored: Sequence[Scored]) -> int | None:
    """Bets that it takes to see the edge that these proposals expected, at their mean cost."""
    found = [each for each in scored if each.expected_edge is not None and each.cost_per_share is not None]
    if not found:
        return None
    price = sum(float(each.cost_per_share or ZERO) for each in found) / len(found)
    edge = sum(float(each.expected_edge or ZERO) for each in found) / len(found)
    return bets_needed(price, edge)


def _wanted(scored: Scored) -> Decimal:
    intent = scored.intent
    return intent.estimated_shares or intent.shares or ZERO
