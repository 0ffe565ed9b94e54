"""An analysis in tables of plain text."""

from dataclasses import replace
from typing import Final

from polyb0t.models import wording
from polyb0t.research.analytics.analysis import Analysis, FateRow
from polyb0t.research.analytics.edge import Decile
from polyb0t.research.analytics.fates import Fate, Scored
from polyb0t.research.analytics.markouts import HorizonRow
from polyb0t.research.analytics.sides import By
from polyb0t.research.analytics.words import cents, interval
from polyb0t.research.report_words import Heading, Sheet, plus

_FATE: Final = (
    Heading("IDEAS"),
    Heading("EVENTS"),
    Heading("EXPECTED", signed=True),
    Heading("REALISED (95 %)", signed=True),
    Heading("IF TAKEN", signed=True),
    Heading("MADE", signed=True),
    Heading("BETS TO SEE IT"),
)
_HORIZON: Final = (
    Heading("AFTER", text=True),
    Heading("IDEAS"),
    Heading("EVENTS"),
    Heading("DRIFT (95 %)", signed=True),
    Heading("NET OF HALF SPREAD (95 %)", signed=True),
    Heading("NOT KNOWN", text=True),
)
_DECILE: Final = (
    Heading("EXPECTED", signed=True),
    Heading("IDEAS"),
    Heading("EVENTS"),
    Heading("REALISED (95 %)", signed=True),
)
_INTENT: Final = (
    Heading("INTENT", text=True),
    Heading("PROPOSED", text=True),
    Heading("FATE", text=True),
    Heading("EXPECTED", signed=True),
    Heading("NET 1 H", signed=True),
    Heading("NET 24 H", signed=True),
    Heading("IF TAKEN", signed=True),
    Heading("MADE", signed=True),
    Heading("MARKET", text=True),
)


def sheet(made: Analysis, by: By) -> Sheet:
    """The analysis' table `by` one of its sides."""
    match by:
        case By.HORIZON:
            return Sheet(_HORIZON, tuple(_horizon_row(row) for row in made.markouts), None)
        case By.DECILE:
            return Sheet(_DECILE, tuple(_decile_row(row) for row in made.edge.deciles), None)
        case By.INTENT:
            return Sheet(_INTENT, tuple(_intent_row(each) for each in made.scored), None)
        case _:
            fates = (*made.fates, *made.beside)
            rows = {By.FATE: fates, By.CATEGORY: made.categories, By.MODEL: made.models}[by]
            headings = (Heading(by.value.upper(), text=True), *_FATE)
            total = _fate_row(_total(made, by)) if len(rows) > 1 else None
            return Sheet(headings, tuple(_fate_row(row) for row in rows), total)


def _total(made: Analysis, by: By) -> FateRow:
    """Of all openings; by fate, where closes are a row, with the net result."""
    if by is not By.FATE or not made.beside:
        return made.all
    return replace(made.all, name="all, net", outcome_pusd=made.attribution.net_pusd)


def _fate_row(row: FateRow) -> tuple[str, ...]:
    return (
        wording.one_line(row.name),
        f"{row.proposals:,}",
        f"{row.events:,}",
        "-" if row.expected_now is None else cents(row.expected_now.mean),
        interval(row.per_share, cents),
        "-" if row.if_taken_pusd is None else plus(row.if_taken_pusd),
        "-" if row.outcome_pusd is None else plus(row.outcome_pusd),
        "-" if row.needed is None else f"{row.needed:,}",
    )


def _horizon_row(row: HorizonRow) -> tuple[str, ...]:
    rows, events = (0, 0) if row.drift is None else (row.drift.rows, row.drift.events)
    missing = "; ".join(f"{count:,} {why}" for why, count in row.missing.items())
    return (
        row.horizon.value,
        f"{rows:,}",
        f"{events:,}",
        interval(row.drift, cents),
        interval(row.net, cents),
        missing or "-",
    )


def _decile_row(row: Decile) -> tuple[str, ...]:
    return (
        cents(row.expected),
        f"{row.realised.rows:,}",
        f"{row.realised.events:,}",
        interval(row.realised, cents),
    )


def _intent_row(each: Scored) -> tuple[str, ...]:
    nets = [each.markouts[horizon].net for horizon in each.markouts if horizon in ("1 h", "24 h")]
    return (
        each.record.id[:6],
        f"{each.intent.created_at:%m-%d %H:%M}",
        each.fate.value if each.fate else "open",
        wording.edge(each.expected_now),
        *(wording.edge(net) for net in nets),
        "-" if each.counterfactual_pusd is None else plus(each.counterfactual_pusd),
        plus(each.outcome_pusd) if each.fate is Fate.FILLED and each.outcome_pusd is not None else "-",
        wording.one_line(each.intent.question),
    )
