"""Results, capital and the curve in sentences."""

from datetime import timedelta
from typing import TYPE_CHECKING

from polyb0t.models import wording
from polyb0t.research.analytics.attribution import Attribution
from polyb0t.research.analytics.equity import Curve, Drawdown
from polyb0t.research.analytics.ratios import FEWEST_DAYS, Ratios
from polyb0t.research.report_words import plus

if TYPE_CHECKING:
    from polyb0t.research.analytics.analysis import Analysis

PARTS = (
    ("model_edge", "model edge"),
    ("spread", "spread"),
    ("wait", "wait"),
    ("fee", "fees"),
    ("exit_timing", "exit timing"),
    ("dispute_void", "void"),
    ("outside", "outside"),
    ("unproposed", "without a proposal"),
)
_ALWAYS = 4  # parts that are told even when they are nothing


def attribution_words(made: Attribution) -> str:
    """`+12.40 net = model edge +40.12, spread -10.30, wait -2.10, fees -9.90, exit timing -5.42`."""
    if not made.outcomes:
        return f"nothing that was bought in this time has a result yet{_left_out(made)}"
    told = [
        f"{name} {plus(value)}"
        for number, (part, name) in enumerate(PARTS)
        if (value := getattr(made.parts, part)) or number < _ALWAYS
    ]
    return f"{plus(made.net_pusd)} pUSD net = {', '.join(told)}{_left_out(made)}"


def _left_out(made: Attribution) -> str:
    parts = []
    if made.unpriced:
        parts.append(f"{made.unpriced} without a price")
    if made.earlier:
        parts.append(f"{made.earlier} bought earlier")
    return f" (without outcomes: {', '.join(parts)})" if parts else ""


def capital_words(made: "Analysis") -> str:
    """`210.00 at work, at most 480.00; 12.3 days to cash; turnover 2.10`."""
    held = made.exposure
    parts = [f"{wording.money(held.mean_pusd)} at work, at most {wording.money(held.most_pusd)}"]
    if held.days_to_cash is not None:
        least = "at least " if held.still_held_pusd else ""
        parts.append(f"{least}{held.days_to_cash:.1f} days to cash")
    if made.turnover is not None:
        parts.append(f"turnover {made.turnover:.2f}")
    if made.per_capital_day is not None:
        parts.append(f"{made.per_capital_day * 100:+.2f}% per pUSD and day")
    most = (("event", held.by_event), ("theme", held.by_theme), ("category", held.by_category))
    told = [f"{kind} {wording.money(rows[0].most_pusd)}" for kind, rows in most if rows]
    return "; ".join([*parts, f"most in one {', '.join(told)}"] if told else parts)


def curve_words(made: Curve) -> str:
    """`+1.20% time-weighted; deepest fall 3.4%, 34.00 pUSD, in 9.0 days, not made up; longest 12.0 days`."""
    grew = made.time_weighted_return
    text = "-" if grew is None else f"{grew * 100:+.2f}% time-weighted"
    if made.deepest is None:
        return f"{text}; never under its peak"
    return f"{text}; {_fall(made.deepest)}; {days_words(made.longest)} at most under a peak"


def _fall(deepest: Drawdown) -> str:
    depth = f"{deepest.fraction * 100:.2f}%, {wording.money(deepest.pusd)} pUSD"
    took = days_words(deepest.deepest_at - deepest.peak_at)
    if deepest.recovered_at is None:
        return f"deepest fall {depth}, in {took}, not made up"
    return (
        f"deepest fall {depth}, in {took}, made up after {days_words(deepest.recovered_at - deepest.peak_at)}"
    )


def ratio_words(made: Ratios) -> str:
    """A ratio is never told without its days and the chance that it is above zero."""
    if made.sharpe is None:
        days = "1 daily return" if made.days == 1 else f"{made.days} daily returns"
        return (
            f"Sharpe: {days}, too few to say (from {FEWEST_DAYS} on)"
            if not made.mean
            else "Sharpe: no unrest"
        )
    sortino = "" if made.sortino is None else f", Sortino {made.sortino:.2f}"
    chance = "not known" if made.chance is None else f"{made.chance * 100:.0f}%"
    return (
        f"Sharpe {made.sharpe:.2f} a year{sortino}, of {made.days} days at the bid; "
        f"chance of more than 0: {chance}"
    )


def days_words(length: timedelta) -> str:
    """`3.5 days`, `9 h`."""
    if length >= timedelta(days=1):
        return f"{length / timedelta(days=1):.1f} days"
    return wording.span(length.total_seconds())
