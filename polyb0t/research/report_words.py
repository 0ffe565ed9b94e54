"""A report in sentences and tables of plain text: a screen, a page and a file say the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.units import ZERO, Pusd
from polyb0t.models import wording
from polyb0t.models.gas import Gas, gas_words
from polyb0t.research.days import DayRow
from polyb0t.research.decisions import Decisions
from polyb0t.research.groups import By, GroupRow
from polyb0t.research.model_so_far import ENOUGH_SETTLED, ModelSoFar
from polyb0t.research.report_rows import MarketRow
from polyb0t.research.reports import Equity, Report
from polyb0t.research.slippage import Slippage

IF_TAKEN: Final = "If all had been taken"
EXPIRY: Final = "POLYBOT_INTENT_EXPIRY_SECONDS"
NO_PRICE: Final = "no price"
_MOST_CODES: Final = 3


def period(since: datetime, until: datetime) -> str:
    """`Monday 23 November, 00:00 to 12:47 UTC`, or `20 November to 22 November, whole days UTC`."""
    last = until - timedelta(microseconds=1)
    whole = until.time() == since.time()
    if since.date() == last.date():
        day = f"{since:%A} {since.day} {since:%B}"
        return f"{day}, the whole day, UTC" if whole else f"{day}, {since:%H:%M} to {until:%H:%M} UTC"
    end = f"{last.day} {last:%B}, whole days, UTC" if whole else f"{until.day} {until:%B}, {until:%H:%M} UTC"
    return f"{since.day} {since:%B} to {end}"


def sentences(made: Report) -> Iterator[tuple[str, str]]:
    """Label and sentence, in the order in which a person reads them."""
    yield "Equity", _equity(made.equity)
    yield "", _made_of(made.equity)
    yield "Result", _result(made)
    if made.gas.transactions:
        yield "Gas", _gas(made.gas)
    if made.slippage.fills:
        yield "Slippage", _slippage(made.slippage)
    yield "Decisions", _decided(made.decisions)
    if len(made.decisions.deciders) > 1:
        yield "", _deciders(made.decisions)
    if made.decisions.advised_seconds is not None:
        yield "", _advice(made.decisions)
    if any(each.ideas for each in made.if_taken):
        yield IF_TAKEN, _if_taken(made)
    for model in made.models:
        yield "Model", _model(model, named=len(made.models) > 1)
    unknown = "1 order" if made.unknown_orders == 1 else f"{made.unknown_orders} orders"
    yield "Agreement", f"{unknown} unknown, {wording.money(made.unexplained_pusd)} pUSD unexplained"


def _equity(equity: Equity) -> str:
    share = equity.change_fraction
    parts = [
        f"{wording.money(equity.equity_pusd)} pUSD",
        plus(equity.change_pusd) + ("" if share is None else f" ({wording.round_to(share * 100, 2):+}%)"),
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
    parts = [f"settled {plus(results.settled_pusd)}"]
    parts.append(
        "open not known for a time that is over" if _dark(made) else f"open {plus(results.open_pusd)}"
    )
    parts.append(_fees(made))
    if results.payouts_pusd:
        parts.append(f"paid out {wording.money(results.payouts_pusd)}")
    return "   ".join(parts)


def _gas(gas: Gas) -> str:
    of = "1 transaction of claims" if gas.transactions == 1 else f"{gas.transactions} transactions of claims"
    return f"{gas_words(gas)} for {of}, paid beside these books"


def _dark(made: Report) -> bool:
    return made.over and made.results.open_pusd is None


def _fees(made: Report) -> str:
    predicted, charged = made.results.fees_predicted_pusd, made.results.fees_charged_pusd
    if predicted == charged:
        return f"fees in it {wording.money(charged)}, as predicted"
    return f"fees in it {wording.money(charged)}, {wording.money(predicted)} were predicted"


def _slippage(slip: Slippage) -> str:
    """`2.20 pUSD better than your worst prices, 0.10 worse than the book when proposed; none past them.`"""
    side = "better" if slip.drift_pusd >= 0 else "worse"
    drift = f"{wording.money(abs(slip.drift_pusd))} {side} than the book when proposed"
    if not slip.drift_pusd:
        drift = "as the book was when proposed"
    past = f"{slip.past_worst} fills were past them: report this" if slip.past_worst else "none past them"
    return f"{wording.money(slip.saved_pusd)} pUSD better than your worst prices, {drift}; {past}."


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
    return f"{made.proposed} proposed: {', '.join(parts)}.{_fate_of_approved(made)}{_times(made)}"


def _fate_of_approved(made: Decisions) -> str:
    text = f" {made.rehearsed} noted by the dry run." if made.rehearsed else ""
    if made.too_late:
        text += f" {made.too_late} approved too late to be sent."
    if made.failed:
        named = ", ".join(f"{each.code} {each.count}" for each in made.failed[:_MOST_CODES])
        text += f" {sum(each.count for each in made.failed)} came to nothing ({named})."
    return text


def _times(made: Decisions) -> str:
    if made.median_seconds is None or made.nine_in_ten_seconds is None:
        return ""
    median, most = wording.span(made.median_seconds), wording.span(made.nine_in_ten_seconds)
    return f" Median {median}, 9 in 10 in {most}."


def _deciders(made: Decisions) -> str:
    """`anna 3 approved, 1 rejected, median 18 s; bob 1 approved, 1 rejected, median 40 s`."""
    told = []
    for each in made.deciders:
        name = wording.one_line(each.actor.partition(":")[2] or each.actor)
        median = "" if each.median_seconds is None else f", median {wording.span(each.median_seconds)}"
        told.append(f"{name} {each.approved} approved, {each.rejected} rejected{median}")
    return "; ".join(told)


def _advice(made: Decisions) -> str:
    return (
        f"Many ran out of time. {EXPIRY}={made.advised_seconds} gives you more; the price is checked again "
        "before anything is sent."
    )


def _if_taken(made: Report) -> str:
    """`approved +2.38    rejected -1.10    expired +3.80   at the bid now`."""
    parts = []
    for each in made.if_taken:
        missing = each.ideas - each.priced
        doubt = f" ({missing} without a price)" if missing and each.priced else ""
        parts.append(f"{each.fate} {plus(each.made_pusd) if each.priced else _nothing(each.ideas)}{doubt}")
    return "   ".join([*parts, "at the bid now"])


def _nothing(ideas: int) -> str:
    return NO_PRICE if ideas else "none"


def _model(model: ModelSoFar, *, named: bool) -> str:
    """`expected +9.80, so far +2.38 on 3 trades, 1 settled: too few to judge (about 1,000).`"""
    trades = "1 trade" if model.trades == 1 else f"{model.trades} trades"
    verdict = "" if model.enough else f": too few to judge (about {ENOUGH_SETTLED:,})"
    name = f"{wording.one_line(model.model)}: " if named else ""
    so_far = NO_PRICE if model.so_far_pusd is None else plus(model.so_far_pusd)
    expected = plus(model.expected_pusd)
    return f"{name}expected {expected}, so far {so_far} on {trades}, {model.settled} settled{verdict}."


# -- tables --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heading:
    """`signed`: gains and losses. `text` columns are words."""

    name: str
    text: bool = False
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as plain text: headings, rows, and what the rows add up to."""

    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None


_MONEY: Final = (
    Heading("BOUGHT"),
    Heading("SOLD, PAID"),
    Heading("FEES"),
    Heading("SETTLED", signed=True),
    Heading("OPEN", signed=True),
)
_MARKET: Final = (Heading("MARKET", text=True), Heading("OUTCOME", text=True), *_MONEY)
_DAY: Final = (
    Heading("DAY", text=True),
    Heading("EQUITY"),
    Heading("CHANGE", signed=True),
    Heading("SETTLED", signed=True),
    Heading("MOVED"),
    Heading("FEES"),
    Heading("PROPOSED"),
    Heading("APPROVED"),
)


def sheet(made: Report, by: By) -> Sheet:
    """The report's table `by` market, category, model or day."""
    match by:
        case By.MARKET:
            rows = tuple(_market_row(row) for row in made.markets)
            return Sheet(_MARKET, rows, ("Total", "", *_money_total(made.markets)))
        case By.DAY:
            return Sheet(_DAY, tuple(_day_row(row) for row in made.days), None)
        case _:
            groups = made.by_category if by is By.CATEGORY else made.by_model
            name = Heading(by.value.upper(), text=True)
            headings = (name, Heading("PROPOSED"), Heading("APPROVED"), *_MONEY)
            asked = (str(sum(row.proposed for row in groups)), str(sum(row.approved for row in groups)))
            total = ("Total", *asked, *_money_total(groups))
            return Sheet(headings, tuple(_group_row(row) for row in groups), total)


def _market_row(row: MarketRow) -> tuple[str, ...]:
    name = wording.one_line(row.question) or wording.short_hex(row.asset_id)
    return (name, wording.outcome(row.outcome_label), *_money_cells(row))


def _group_row(row: GroupRow) -> tuple[str, ...]:
    return (wording.one_line(row.name), str(row.proposed), str(row.approved), *_money_cells(row))


def _money_cells(row: MarketRow | GroupRow) -> tuple[str, ...]:
    came = row.sold_pusd + row.paid_out_pusd
    return (*(_cell(value) for value in (row.bought_pusd, came, row.fees_pusd)), *_results(row))


def _results(row: MarketRow | GroupRow) -> tuple[str, str]:
    return _signed(row.settled_pusd), _signed(row.open_pusd)


def _money_total(rows: Sequence[MarketRow] | Sequence[GroupRow]) -> tuple[str, ...]:
    def total(of: Callable[[MarketRow | GroupRow], Decimal]) -> Decimal:
        return sum((of(row) for row in rows), ZERO)

    opened = None if any(row.open_pusd is None for row in rows) else total(lambda row: row.open_pusd or ZERO)
    return (
        _cell(total(lambda row: row.bought_pusd)),
        _cell(total(lambda row: row.sold_pusd + row.paid_out_pusd)),
        _cell(total(lambda row: row.fees_pusd)),
        _signed(total(lambda row: row.settled_pusd)),
        _signed(opened),
    )


def _day_row(row: DayRow) -> tuple[str, ...]:
    return (
        row.day,
        "-" if row.equity_pusd is None else wording.money(row.equity_pusd),
        "not known" if row.change_pusd is None else _signed(row.change_pusd),
        _signed(row.settled_pusd),
        _signed(row.moved_pusd),
        _cell(row.fees_pusd),
        str(row.proposed or "-"),
        str(row.approved or "-"),
    )


def plus(value: Decimal | None) -> str:
    """With its sign, but for nothing at all."""
    return wording.money(value, sign=bool(value))


def _cell(value: Decimal) -> str:
    return wording.money(value) if value else "-"


def _signed(value: Decimal | Pusd | None) -> str:
    if value is None:
        return NO_PRICE
    return wording.money(value, sign=True) if value else "-"
