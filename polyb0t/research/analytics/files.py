"""An analysis as a file: comma-separated values, and one page of HTML with its charts."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import iso
from polyb0t.core.units import plain
from polyb0t.models import wording
from polyb0t.research import pages
from polyb0t.research.analytics.analysis import Analysis, FateRow
from polyb0t.research.analytics.clusters import Mean
from polyb0t.research.analytics.fates import Scored
from polyb0t.research.analytics.markouts import Horizon, HorizonRow
from polyb0t.research.analytics.runs import Run, caveats, head, run_sentences
from polyb0t.research.analytics.sides import By
from polyb0t.research.analytics.tables import sheet
from polyb0t.research.analytics.words import sentences
from polyb0t.research.charts import Axis, Point, curve_chart, interval_chart, reliability_plot, span_of
from polyb0t.research.report_files import cell
from polyb0t.research.report_words import period

Row = Mapping[str, object]
_SECTIONS: Final = (
    (By.FATE, "By what became of it"),
    (By.HORIZON, "Markouts: where the middle went after the proposal"),
    (By.DECILE, "By expected edge"),
    (By.CATEGORY, "By category"),
    (By.MODEL, "By model"),
)


def rows(made: Analysis, by: By) -> list[Row]:
    """The table `by` one of its sides as data: money exact, statistics as floats, None: not known."""
    match by:
        case By.INTENT:
            return [intent_row(each) for each in made.scored]
        case By.HORIZON:
            return [_horizon_row(each) for each in made.markouts]
        case By.DECILE:
            return [
                {"expected": each.expected, **_mean("realised", each.realised)} for each in made.edge.deciles
            ]
        case _:
            fates = (*made.fates, *made.beside)
            found = {By.FATE: fates, By.CATEGORY: made.categories, By.MODEL: made.models}[by]
            return [_fate_row(each) for each in found]


def as_csv(made: Analysis, by: By) -> str:
    """One line a row after a heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS[by])
    writer.writerows([cell(row[name]) for name in _COLUMNS[by]] for row in rows(made, by))
    return text.getvalue()


def _of(name: str) -> tuple[str, ...]:
    """The columns of a mean."""
    return (name, *(f"{name}_{part}" for part in ("low", "high", "rows", "events")))


_GROUP: Final = (
    *("name", "proposals", "events", "priced"),
    *_of("expected_now"),
    *_of("expected_worst"),
    *_of("realised"),
    *("outcome_pusd", "if_taken_pusd", "bets_needed"),
)
_COLUMNS: Final[Mapping[By, tuple[str, ...]]] = {
    By.FATE: _GROUP,
    By.CATEGORY: _GROUP,
    By.MODEL: _GROUP,
    By.HORIZON: ("after", "not_known", *_of("drift"), *_of("net")),
    By.DECILE: ("expected", *_of("realised")),
    By.INTENT: (
        *("id", "proposed_at", "type", "fate", "result", "decided_by", "decided_at", "event", "category"),
        *("model", "question", "outcome", "asset_id", "model_probability", "expected_edge_now"),
        *("expected_edge_worst", "shares", "cost_pusd", "value", "resolved", "outcome_pusd"),
        "counterfactual_pusd",
        *(f"{kind}_{name.value.replace(' ', '')}" for kind in ("drift", "net") for name in Horizon),
    ),
}


def intent_row(each: Scored) -> Row:
    """One proposal with everything that it was scored by."""
    intent, record = each.intent, each.record
    drifts = {
        f"{kind}_{name.value.replace(' ', '')}": _exact(getattr(markout, kind))
        for kind in ("drift", "net")
        for name, markout in each.markouts.items()
    }
    return {
        "id": record.id,
        "proposed_at": iso(intent.created_at),
        "type": intent.intent_type.value,
        "fate": each.fate.value if each.fate else None,
        "result": record.result,
        "decided_by": record.decided_by,
        "decided_at": None if record.decided_at is None else iso(record.decided_at),
        "event": each.event,
        "category": each.category,
        "model": each.model,
        "question": intent.question,
        "outcome": intent.outcome_label,
        "asset_id": intent.asset_id,
        "model_probability": _exact(intent.model_probability),
        "expected_edge_now": _exact(each.expected_now),
        "expected_edge_worst": _exact(each.expected_worst),
        "shares": _exact(each.shares),
        "cost_pusd": _exact(each.cost),
        "value": _exact(each.value),
        "resolved": each.over,
        "outcome_pusd": _exact(each.outcome_pusd),
        "counterfactual_pusd": _exact(each.counterfactual_pusd),
        **drifts,
    }


def _exact(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _fate_row(row: FateRow) -> Row:
    return {
        "name": row.name,
        "proposals": row.proposals,
        "events": row.events,
        "priced": row.priced,
        **_mean("expected_now", row.expected_now),
        **_mean("expected_worst", row.expected_worst),
        **_mean("realised", row.per_share),
        "outcome_pusd": _exact(row.outcome_pusd),
        "if_taken_pusd": _exact(row.if_taken_pusd),
        "bets_needed": row.needed,
    }


def _horizon_row(row: HorizonRow) -> Row:
    return {
        "after": row.horizon.value,
        "not_known": sum(row.missing.values()),
        **_mean("drift", row.drift),
        **_mean("net", row.net),
    }


def _mean(name: str, found: Mean | None) -> dict[str, object]:
    if found is None:
        return dict.fromkeys(_of(name))
    figures = (found.mean, found.low, found.high, found.rows, found.events)
    return dict(zip(_of(name), figures, strict=True))


# -- the page ------------------------------------------------------------------------------------


def as_html(made: Analysis, title: str, before: Sequence[str] = ()) -> str:
    """One page; `before` is HTML that stands ahead of every figure."""
    when = pages.paragraph(f"{period(made.since, made.until)}. Money in pUSD, edges in cents a share.")
    tables = (line for by, name in _SECTIONS for line in pages.section(name, sheet(made, by)))
    return pages.page(title, [when, *before, *pages.facts(sentences(made)), *charts(made), *tables])


def run_page(run: Run, made: Analysis) -> str:
    """A replay's page: what it is worth stands before every figure."""
    said = [
        part
        for name, lines in caveats(run)
        for part in (f"<h2>{name}</h2>", pages.bullets(lines))  # names are ours
    ]
    tables = (line for by, name in _SECTIONS for line in pages.section(name, sheet(made, by)))
    figures = ["<h2>What came of it</h2>", *pages.facts(run_sentences(run, made)), *charts(made), *tables]
    return pages.page(f"Backtest {run.id}", [*pages.facts(head(run)), *said, *figures])


def charts(made: Analysis) -> Iterator[str]:
    """Those for which there is something to draw."""
    if len(made.curve.points) > 1:
        yield from _curve(made)
    if made.edge.deciles:
        yield from _edge(made)
    if made.forecast.gain is not None:
        yield "<h2>Said and happened</h2>"
        yield reliability_plot(made.forecast.model_bins, made.forecast.price_bins)
        yield pages.paragraph(
            "Filled: the model, with 95 % intervals. Open: the market's middle at the proposal."
        )
    if any(row.net is not None for row in made.markouts):
        yield from _markouts(made)


def _curve(made: Analysis) -> Iterator[str]:
    points = made.curve.points
    start = points[0].at
    places = [Point((each.at - start) / timedelta(days=1), float(each.equity_pusd)) for each in points]
    time = Axis(0.0, places[-1].x, f"{start:%Y-%m-%d}", f"{points[-1].at:%Y-%m-%d}")
    low, high = min(each.y for each in places), max(each.y for each in places)
    money = Axis(low, high, f"{low:,.2f}", f"{high:,.2f}")
    yield "<h2>Equity at the bid</h2>" + curve_chart("Equity", places, time, money)
    falls = _falls([float(each) for each in made.curve.index])
    drops = [Point(place.x, fall) for place, fall in zip(places, falls, strict=True)]
    depth = min([*falls, -0.0001])
    fall = Axis(depth, 0.0, f"{depth * 100:.1f}%", "0%")
    yield "<h2>Under its peak</h2>" + curve_chart("Drawdown", drops, time, fall, under=True)


def _falls(index: Sequence[float]) -> list[float]:
    falls, peak = [], 0.0
    for level in index:
        peak = max(peak, level)
        falls.append(level / peak - 1 if peak else 0.0)
    return falls


def _edge(made: Analysis) -> Iterator[str]:
    points = [
        Point(each.expected, each.realised.mean, each.realised.low, each.realised.high)
        for each in made.edge.deciles
    ]
    low, high = span_of(points)
    left, right = min(each.x for each in points), max(each.x for each in points)
    across = Axis(left, right, _cents(left), _cents(right))
    up = Axis(low, high, _cents(low), _cents(high))
    yield "<h2>Realised edge by expected edge</h2>"
    yield interval_chart("Realised edge by expected edge", points, across, up, diagonal=True)
    yield pages.paragraph("On the line, what was expected came. Intervals are 95 %, by event.")
    gaps = made.edge.gaps
    running = [Point((at - gaps[0][0]) / timedelta(days=1), gap) for at, gap in gaps]
    low, high = span_of(running)
    time = Axis(0.0, running[-1].x, f"{gaps[0][0]:%Y-%m-%d}", f"{gaps[-1][0]:%Y-%m-%d}")
    yield "<h2>Realised less expected, added up</h2>"
    yield curve_chart("Realised less expected", running, time, Axis(low, high, f"{low:,.2f}", f"{high:,.2f}"))


def _markouts(made: Analysis) -> Iterator[str]:
    told = [(number, row.net) for number, row in enumerate(made.markouts) if row.net is not None]
    points = [Point(float(number), net.mean, net.low, net.high) for number, net in told]
    low, high = span_of(points)
    across = Axis(-0.5, len(Horizon) - 0.5, "", "")
    yield "<h2>Markouts, net of half the spread</h2>"
    yield interval_chart(
        "Markouts",
        points,
        across,
        Axis(low, high, _cents(low), _cents(high)),
        [made.markouts[number].horizon.value for number, _ in told],
    )


def _cents(value: float) -> str:
    return f"{wording.round_to(Decimal(str(round(value, 6))) * 100, 1):+.1f}¢"
