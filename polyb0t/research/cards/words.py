"""A card in words, for a terminal and for the head of its page."""

from typing import Final

from polyb0t.research.cards.card import CALIBRATION, Card, CellLine
from polyb0t.research.evaluation.scores import Gain, events_needed, murphy

NOWHERE: Final = "no category: it beats the price nowhere, so the price is taken as right"
TABLE: Final = ("CATEGORY", "HORIZON", "EVENTS", "PRICE", "MODEL", "GAIN (95 %)", "SLOPE")


def facts(card: Card) -> list[tuple[str, str]]:
    """Name and value, in the order in which one asks."""
    window = "no rows" if card.first_row is None else f"{card.first_row:%Y-%m-%d} to {card.last_row:%Y-%m-%d}"
    rows = (
        f"{card.rows:,} rows of {card.events:,} events; {card.void_rows:,} of markets that paid both outcomes"
    )
    intercept, slope = (
        "/".join(f"{each:g}" for each in part) for part in (card.prior.intercept, card.prior.slope)
    )
    prior = f"intercepts {intercept}, slopes {slope}: over all, by category, by horizon in it"
    simpler = "; ".join(
        f"{each.name}: Brier {each.brier:.5f}, log loss {each.log_loss:.5f}" for each in card.baselines
    )
    return [
        ("Model", f"{card.kind} {card.id}, for the venue {card.venue}"),
        ("Fitted", f"{card.fitted_at:%Y-%m-%d %H:%M} UTC, expires {card.expires_at:%Y-%m-%d}"),
        ("Data", f"{card.source}, SHA-256 {card.data_hash[:12]}, {card.markets:,} markets, {window}"),
        ("Rows", f"{rows}, on Mondays at 00:00 UTC"),
        *([("Prior", prior)] if card.kind == CALIBRATION else card.more),
        ("Trials", f"{card.trials}: each further one makes a good score mean less"),
        *([("Simpler", simpler)] if simpler else []),
        *([("Brier's parts", _apart(card))] if card.model_bins else []),
        ("May speak in", ", ".join(card.live) or NOWHERE),
    ]


def _apart(card: Card) -> str:
    """The Brier scores in their parts (Murphy 1973): the price's in brackets."""
    model, price = murphy(card.model_bins), murphy(card.price_bins)
    return (
        f"reliability {model.reliability:.5f} (price {price.reliability:.5f}; less is better), resolution "
        f"{model.resolution:.5f} ({price.resolution:.5f}; more is better), uncertainty "
        f"{model.uncertainty:.5f}; over ten bins of equal mass"
    )


def verdict(gain: Gain | None) -> str:
    """The whole of it in one sentence."""
    if gain is None:
        return "Nothing could be judged: no row had an earlier month to learn from."
    better = "better" if gain.brier > 0 else "worse"
    return (
        f"On {gain.rows:,} rows of {gain.events:,} events that it had not seen, its Brier score is "
        f"{gain.model_brier:.5f}, the price's {gain.price_brier:.5f}: {abs(gain.brier):.5f} {better} "
        f"(95 %: {gain.low:+.5f} to {gain.high:+.5f}), log loss {gain.model_log_loss:.5f} against "
        f"{gain.price_log_loss:.5f}. An error of 2 cents at a price of 80 takes "
        f"{events_needed(0.8, 0.02):,} events to see."
    )


def reasons(card: Card) -> list[str]:
    """Every category with why it is live, or why not."""
    return [f"{name}: {'live' if each.live else 'not live'}. {each.why}" for name, each in card.standings]


def rows(card: Card) -> list[list[str]]:
    """The table by category and horizon, without cells that have no unseen row."""
    return [_row(line) for line in card.lines if line.gain is not None]


def _row(line: CellLine) -> list[str]:
    gain = line.gain
    assert gain is not None
    slope = f"{1 + line.cell.slope:.2f} ±{1.96 * line.cell.var_slope**0.5:.2f}"
    return [
        line.category,
        line.horizon,
        f"{gain.events:,}",
        f"{gain.price_brier:.4f}",
        f"{gain.model_brier:.4f}",
        f"{gain.brier:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})",
        slope,
    ]
