"""An analysis in sentences and tables of plain text: a screen, a page and a file say the same."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from polyb0t.models import wording
from polyb0t.research.analytics.analysis import Analysis
from polyb0t.research.analytics.clusters import FEWEST_EVENTS, Mean
from polyb0t.research.analytics.edge import ALARM_AT
from polyb0t.research.analytics.money_words import attribution_words, capital_words, curve_words, ratio_words
from polyb0t.research.report_words import plus

TOO_FEW: Final = "too few"
AS_IF_HELD: Final = (
    ". Bets that were sold before the end are scored as if they had been kept: what sales changed is "
    "exit timing in the result"
)
CREDIBLE_SKILL: Final = 0.02  # of the price's Brier score
TOO_GOOD: Final = " (MORE THAN 2%: a leak from the future or luck, until proven otherwise)"
_MOST_CODES: Final = 3


def sentences(made: Analysis) -> Iterator[tuple[str, str]]:
    """Label and sentence, in the order in which a person reads them. What cannot be said is not: from too
    few events on only what was counted and what the money did."""
    yield "Proposals", _proposals(made)
    if not made.all.proposals:
        return
    yield "Certainty", certainty(made)
    yield "Result", attribution_words(made.attribution)
    if made.enough:
        yield from _judged(made)
    if made.sent.sent or made.sent.refused:
        yield "Orders", _orders(made)
    if made.enough:
        yield from _borne(made)
    yield "Person", _person(made)


def _judged(made: Analysis) -> Iterator[tuple[str, str]]:
    """Whether the model knew anything."""
    if made.edge.realised is not None:
        yield "Edge", _edge(made)
    if made.hits.bets:
        yield "Hits", _hits(made)
    if made.forecast.gain is not None:
        yield "Forecast", _forecast(made)
    yield "Markouts", _markouts(made)


def _borne(made: Analysis) -> Iterator[tuple[str, str]]:
    """What it cost and what it bound."""
    if made.costs.filled:
        yield "Cost", _costs(made)
        yield "Capacity", _capacity(made)
        yield "Capital", capital_words(made)
    if len(made.curve.points) > 1:
        yield "Curve", curve_words(made.curve)
        yield "", ratio_words(made.ratios)


def certainty(made: Analysis) -> str:
    """Whether anything can be said at all, and how many bets it would take."""
    ideas, events = made.all.proposals, made.all.events
    of = f"{counted(ideas, 'intent')} of {counted(events, 'event')}"
    if not made.enough:
        return f"{of}: nothing can be said yet. From {FEWEST_EVENTS} events on there are intervals."
    needed = f" To see such an edge: about {made.all.needed:,} bets." if made.all.needed else ""
    return f"{of}; intervals 95 %, by event.{needed}"


def counted(number: int, name: str) -> str:
    """`1 intent`, `12 intents`."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def _proposals(made: Analysis) -> str:
    if not made.all.proposals:
        return "Nothing was proposed and decided in this time, so there is nothing to judge."
    parts = ", ".join(f"{row.proposals:,} {row.name}" for row in made.fates)
    beside = []
    if made.undecided:
        beside.append(f"{made.undecided:,} wait, rest or were replaced")
    if made.closings:
        beside.append(f"{made.closings:,} to close")
    return f"{made.all.proposals:,} to open: {parts}." + (f" Beside: {', '.join(beside)}." if beside else "")


def _edge(made: Analysis) -> str:
    found = made.edge
    assert found.realised is not None
    text = f"expected {cents(found.expected)}, realised {interval(found.realised, cents)} a share"
    if found.line is not None:
        line = found.line
        reach = TOO_FEW if line.low is None else f"{line.low:.2f} to {line.high:.2f}"
        text += f"; slope {line.slope:.2f} ({reach}; 1: as promised)"
    return f"{text}.{_alarm(made)}"


def _alarm(made: Analysis) -> str:
    found = made.edge.cusum
    if found is None:
        return ""
    if found.alarmed_at is not None:
        return f" ALARM since {found.alarmed_at:%Y-%m-%d}: worse than promised by more than luck explains."
    return f" No alarm: {found.level:.1f} of {ALARM_AT:g} after {counted(found.events, 'ended event')}."


def _hits(made: Analysis) -> str:
    """`62 of 99 ended bets, 62.6%; 60.2% were needed to break even: +2.4% (-8.0% to +12.8%)`."""
    found = made.hits
    assert found.above is not None
    void = f"; {found.void} void" if found.void else ""
    factor = made.gains.profit_factor
    ratio = "" if factor is None else f"; profit factor {factor:.2f}"
    sold = AS_IF_HELD if made.closings else ""
    return (
        f"{found.won:,} of {counted(found.bets, 'ended bet')}, {share(found.hit_rate)}; break-even needs "
        f"{share(found.break_even_rate)}: {interval(found.above, signed_share)}{ratio}{void}{sold}"
    )


def _forecast(made: Analysis) -> str:
    found = made.forecast
    assert found.gain is not None
    gain = found.gain
    reach = f"{gain.low:+.4f} to {gain.high:+.4f}" if found.enough else TOO_FEW
    return (
        f"Brier {gain.model_brier:.4f}, the price's {gain.price_brier:.4f}: {gain.brier:+.4f} ({reach}), "
        f"skill {gain.skill * 100:+.2f}%{TOO_GOOD if gain.skill > CREDIBLE_SKILL else ''}, log loss "
        f"{gain.model_log_loss:.4f} against {gain.price_log_loss:.4f}, {counted(found.events, 'event')}"
    )


def _markouts(made: Analysis) -> str:
    """`net of half the spread 1 min +0.1¢ (-0.2¢ to +0.3¢), ...; not known of 3 at 7 d`."""
    told = [f"{row.horizon.value} {interval(row.net, cents)}" for row in made.markouts if row.net is not None]
    dark = [f"{sum(row.missing.values()):,} at {row.horizon.value}" for row in made.markouts if row.missing]
    text = f"net of half the spread {', '.join(told)}" if told else "not known at any time after a proposal"
    return f"{text}; not known of {', '.join(dark)}" if dark else text


def _orders(made: Analysis) -> str:
    found = made.sent
    parts = []
    if found.rate is not None:
        wanted = "" if found.shares_rate is None else f", {share(found.shares_rate)} of the shares"
        parts.append(f"{found.filled:,} of {found.sent:,} sent found a trade ({share(found.rate)}{wanted})")
    if found.refused:
        codes = ", ".join(f"{code} {count}" for code, count in found.refused[:_MOST_CODES])
        parts.append(f"came to nothing: {codes}")
    return "; ".join(parts)


def _costs(made: Analysis) -> str:
    found = made.costs
    parts = [
        f"half-spread {wording.money(found.half_spread_pusd)}, fees {wording.money(found.fees_pusd)} pUSD"
    ]
    steps = (
        ("wait until approval", found.to_approval),
        ("on the way", found.to_arrival),
        ("past arrival", found.slippage),
    )
    parts += [f"{name} {interval(mean, cents)}" for name, mean in steps if mean is not None]
    return "; ".join(parts)


def _capacity(made: Analysis) -> str:
    found = made.costs.capacity
    unseen = made.costs.unseen
    dark = f"; {counted(unseen, 'fill')} without a recorded book" if unseen else ""
    if found.median is None or found.one_in_ten is None:
        return f"not known{dark}"
    return (
        f"the book at arrival had {found.median:.1f} times our size within the worst price, in one of ten "
        f"{found.one_in_ten:.1f} or less{dark}"
    )


def _person(made: Analysis) -> str:
    """`approved 60%, median 21 s, 9 in 10 in 44 s; what was passed on would have made -4.00; ...`."""
    found = made.people
    parts = []
    if found.approval_rate is not None:
        parts.append(f"approved {share(found.approval_rate)} of what was decided")
    median, most, _ = found.seconds
    if median is not None and most is not None:
        parts.append(f"median {wording.span(median)}, 9 in 10 in {wording.span(most)}")
    if found.selection_pusd is not None:
        parts.append(f"what was passed on would have made {plus(-found.selection_pusd)}")
    if found.added is not None and made.enough:
        parts.append(f"approved against passed on {interval(found.added, pusd_words)} pUSD an idea")
    return "; ".join(parts) or "nobody has decided anything yet"


# -- figures -------------------------------------------------------------------------------------


def interval(mean: Mean | None, figure: Callable[[float], str]) -> str:
    """`+1.2¢ (-2.0¢ to +4.4¢)`; without events enough `+1.2¢ (too few to say)`."""
    if mean is None:
        return "-"
    if mean.low is None or mean.high is None:
        return f"{figure(mean.mean)} ({TOO_FEW})"
    return f"{figure(mean.mean)} ({figure(mean.low)} to {figure(mean.high)})"


def cents(value: float | None) -> str:
    return "-" if value is None else f"{round(value * 100, 1) + 0.0:+.1f}¢"


def pusd_words(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.2f}"


def share(value: float | Decimal | None) -> str:
    return "-" if value is None else f"{float(value) * 100:.1f}%"


def signed_share(value: float) -> str:
    return f"{round(value * 100, 1) + 0.0:+.1f}%"
