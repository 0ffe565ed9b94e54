"""The report on a screen, as data, and as comma-separated values."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from polyb0t.cli import words
from polyb0t.cli.scene import Scene, context_line, look
from polyb0t.cli.table import Column, table
from polyb0t.cli.terminal import MEDIUM, Paint, Terminal
from polyb0t.core.units import ZERO, Pusd
from polyb0t.models import wording
from polyb0t.research.report_rows import MarketRow
from polyb0t.research.reports import Decisions, Equity, Report
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.reporting import MARKET_COLUMNS, market_view, read_report, report_view, start_of

_LABEL = 11
_COLUMNS = (
    Column("MARKET", widest=38),
    Column("OUTCOME", widest=12),
    Column("BOUGHT", right=True),
    Column("SOLD, PAID", right=True),
    Column("FEES", right=True),
    Column("SETTLED", right=True),
    Column("OPEN", right=True),
)


def show(terminal: Terminal, opened: OpenedStore, since: str | None, *, as_csv: bool = False) -> None:
    """Print the report since the start of a day.

    Raises:
        UsageError: `bad_date`. DatabaseError: the rows could not be read.
    """
    made = read_report(opened, start_of(since, opened.stores.intents.now()))
    if terminal.json:
        terminal.data(report_view(made))
    elif as_csv:
        terminal.out.write(as_values(made))
    else:
        terminal.show(report_screen(made, look(opened), terminal.paint, terminal.columns))


def as_values(made: Report) -> str:
    """One line for each market, after a heading. Decimals are exact; what is not known is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(MARKET_COLUMNS)
    for row in made.markets:
        view = market_view(row)
        writer.writerow(["" if view[name] is None else _safe(view[name]) for name in MARKET_COLUMNS])
    return text.getvalue()


def _safe(value: object) -> object:
    """A question that a spreadsheet would take for a formula is told as text."""
    text = str(value)
    words_of_others = text[:1] in ("=", "+", "@") or (text[:1] == "-" and not _number(text))
    return f"'{text}" if words_of_others else value


def _number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()


def report_screen(made: Report, scene: Scene, paint: Paint, columns: int) -> list[str]:
    """The whole screen."""
    lines = [*context_line(scene, paint, columns, right=_period(made.since, made.until)).split("\n")]
    for name, text in _facts(made):
        first, *rest = words.fold(text, columns - _LABEL) or [""]
        lines.append(f"{name:<{_LABEL}}{first}")
        lines += [" " * _LABEL + line for line in rest]
    if not made.markets:
        return [*lines, "", "Nothing was traded in this time and nothing is held."]
    if columns < MEDIUM:
        return [*lines, "", *(line for row in made.markets for line in _card(row, columns))]
    return [*lines, "", *table(_COLUMNS, [_row(row, paint) for row in made.markets], columns)]


def _period(since: datetime, until: datetime) -> str:
    """`Monday 23 November, 00:00 to 12:47 UTC`."""
    if since.date() == until.date():
        return f"{since:%A} {since.day} {since:%B}, {since:%H:%M} to {until:%H:%M} UTC"
    return f"{since.day} {since:%B} to {until.day} {until:%B}, {until:%H:%M} UTC"


def _facts(made: Report) -> Iterator[tuple[str, str]]:
    yield "Equity", _equity(made.equity)
    yield "", _made_of(made.equity)
    yield "Result", _result(made)
    yield "Decisions", _decided(made.decisions)
    unknown = "1 order" if made.unknown_orders == 1 else f"{made.unknown_orders} orders"
    yield "Agreement", f"{unknown} unknown, {wording.money(made.unexplained_pusd)} pUSD unexplained"


def _equity(equity: Equity) -> str:
    share = equity.change_fraction
    parts = [
        f"{wording.money(equity.equity_pusd)} pUSD",
        _plus(equity.change_pusd) + ("" if share is None else f" ({wording.round_to(share * 100, 2):+}%)"),
        f"peak {wording.money(equity.peak_pusd)}",
        f"moved in or out {wording.money(equity.moved_pusd)}",
    ]
    return "   ".join(parts)


def _made_of(equity: Equity) -> str:
    held = f" ({wording.money(equity.reserved_pusd)} held for orders)" if equity.reserved_pusd else ""
    doubt = f", {equity.unmarked} of them without a price, at cost" if equity.unmarked else ""
    positions = wording.money(equity.positions_pusd)
    return f"cash {wording.money(equity.cash_pusd)}{held} + positions at bid {positions}{doubt}"


def _result(made: Report) -> str:
    results = made.results
    parts = [
        f"settled {_plus(results.settled_pusd)}",
        f"open {_plus(results.open_pusd)}",
        _fees(made),
    ]
    if results.payouts_pusd:
        parts.append(f"paid out {wording.money(results.payouts_pusd)}")
    return "   ".join(parts)


def _fees(made: Report) -> str:
    predicted, charged = made.results.fees_predicted_pusd, made.results.fees_charged_pusd
    if predicted == charged:
        return f"fees in it {wording.money(charged)}, as predicted"
    return f"fees in it {wording.money(charged)}, {wording.money(predicted)} were predicted"


def _decided(made: Decisions) -> str:
    """`11 proposed: 4 approved, 2 rejected, 5 expired (3 unseen). Median 21 s, 9 in 10 in 44 s.`"""
    if not made.proposed:
        return "Nothing was proposed."
    itself = f" ({made.by_itself} by itself)" if made.by_itself else ""
    unseen = f" ({made.unseen} unseen)" if made.unseen else ""
    parts = [
        f"{made.approved} approved{itself}",
        f"{made.rejected} rejected",
        f"{made.expired} expired{unseen}",
    ]
    if made.superseded:
        parts.append(f"{made.superseded} replaced by newer ones")
    if made.waiting:
        parts.append(f"{made.waiting} waiting")
    text = f"{made.proposed} proposed: {', '.join(parts)}."
    if made.rehearsed:
        text += f" {made.rehearsed} noted by the dry run."
    if made.median_seconds is not None and made.nine_in_ten_seconds is not None:
        median, most = wording.span(made.median_seconds), wording.span(made.nine_in_ten_seconds)
        text += f" Median {median}, 9 in 10 in {most}."
    return text


def _row(row: MarketRow, paint: Paint) -> list[str]:
    return [
        wording.one_line(row.question) or wording.short_hex(row.asset_id),
        wording.outcome(row.outcome_label),
        _money(row.bought_pusd),
        _money(Pusd(row.sold_pusd + row.paid_out_pusd)),
        _money(row.fees_pusd),
        _signed(row.settled_pusd, paint),
        _signed(row.open_pusd if row.shares else Pusd(ZERO), paint),
    ]


def _plus(value: Decimal | None) -> str:
    """With its sign, but for nothing at all."""
    return wording.money(value, sign=bool(value))


def _money(value: Decimal) -> str:
    return wording.money(value) if value else "-"


def _signed(value: Decimal | None, paint: Paint) -> str:
    if value is None:
        return "no price"
    if not value:
        return "-"
    text = wording.money(value, sign=True)
    return paint.green(text) if value > 0 else paint.red(text)


def _card(row: MarketRow, columns: int) -> list[str]:
    plain = _row(row, Paint())
    result = f"{plain[1]}  bought {plain[2]}  sold {plain[3]}  settled {plain[5]}  open {plain[6]}"
    return [words.cut(plain[0], columns), "  " + words.cut(result, columns - 2)]
