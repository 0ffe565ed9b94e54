"""The same time as it was lived and as it was replayed: every trade of either, and why they differ.

A trade is what one proposal bought or sold. The first purchase of an outcome here belongs to its first
purchase there, the second to the second. The lines' results add up to the two results, so no part of
the difference is left without a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.order_book import Side
from polyb0t.models import wording
from polyb0t.research.analytics.analysis import Analysis
from polyb0t.research.analytics.fates import Scored
from polyb0t.research.analytics.records import Records
from polyb0t.research.report_words import Heading, Sheet, plus

CRUMB: Final = Decimal("0.000001")
Kind = tuple[AssetId, Side | None]


class Reason(StrEnum):
    """Why a line is not the same in both."""

    SAME = "the same"
    PRICE = "other price"
    SIZE = "other size"
    FEE = "other fee"
    VALUE = "other value now"
    ONLY_LIVED = "only lived"
    ONLY_REPLAYED = "only replayed"


@dataclass(frozen=True, slots=True)
class Trade:
    """What one proposal came to."""

    scored: Scored
    at: datetime
    shares: Decimal
    notional: Decimal
    fee: Decimal

    @property
    def price(self) -> Decimal:
        return self.notional / self.shares


@dataclass(frozen=True, slots=True)
class Line:
    """One trade in both, or in one. `reasons` in the order in which they matter; `why` tells of the side
    that did not trade what became of its own proposal."""

    question: str
    outcome_label: str
    side: Side | None
    lived: Trade | None
    replayed: Trade | None
    reasons: tuple[Reason, ...]
    why: str

    @property
    def gap_pusd(self) -> Pusd | None:
        """The replay's result less the lived one; None: one has no price."""
        made = [None if each is None else each.scored.outcome_pusd for each in (self.lived, self.replayed)]
        if any(each is not None and each.scored.outcome_pusd is None for each in (self.lived, self.replayed)):
            return None
        return Pusd((made[1] or ZERO) - (made[0] or ZERO))


def line_by_line(lived: tuple[Records, Analysis], replayed: tuple[Records, Analysis]) -> tuple[Line, ...]:
    """Every trade of either, the earliest first."""
    one, other = _trades(*lived), _trades(*replayed)
    lines = []
    for kind in {**one, **other}:
        for here, there in zip_longest(one.get(kind, ()), other.get(kind, ())):
            lines.append(_line(here, there, lived[1], replayed[1]))
    return tuple(sorted(lines, key=_when))


def _when(line: Line) -> tuple[datetime, str]:
    first = min(each.at for each in (line.lived, line.replayed) if each is not None)
    return first, line.question


def _trades(records: Records, made: Analysis) -> Mapping[Kind, Sequence[Trade]]:
    """By outcome and side, in the order in which they happened."""
    found: dict[Kind, list[Trade]] = {}
    for each in made.scored:
        fills = records.fills_of.get(each.record.id, ())
        if fills:
            trade = Trade(
                each,
                min(fill.matched_at for fill in fills),
                sum((fill.shares for fill in fills), ZERO),
                sum((fill.notional for fill in fills), ZERO),
                sum((fill.fee for fill in fills), ZERO),
            )
            found.setdefault((each.intent.asset_id, each.intent.side), []).append(trade)
    for own in found.values():
        own.sort(key=lambda trade: trade.at)
    return found


def _line(lived: Trade | None, replayed: Trade | None, here: Analysis, there: Analysis) -> Line:
    known = lived or replayed
    assert known is not None
    intent = known.scored.intent
    reasons: tuple[Reason, ...]
    if lived is None:
        reasons, why = (Reason.ONLY_REPLAYED,), _became(known.scored, here)
    elif replayed is None:
        reasons, why = (Reason.ONLY_LIVED,), _became(known.scored, there)
    else:
        reasons, why = _reasons(lived, replayed), ""
    return Line(intent.question, intent.outcome_label, intent.side, lived, replayed, reasons, why)


def _reasons(lived: Trade, replayed: Trade) -> tuple[Reason, ...]:
    """Fees are compared at the rate that was paid: more of them for more shares is another size alone."""
    found = []
    if abs(lived.price - replayed.price) > CRUMB:
        found.append(Reason.PRICE)
    if abs(lived.shares - replayed.shares) > CRUMB:
        found.append(Reason.SIZE)
    if abs(lived.fee / lived.shares - replayed.fee / replayed.shares) > CRUMB:
        found.append(Reason.FEE)
    if lived.scored.value != replayed.scored.value:
        found.append(Reason.VALUE)
    return tuple(found) or (Reason.SAME,)


def _became(traded: Scored, there: Analysis) -> str:
    """What became of the same idea where it was not traded: its last proposal, whatever its end."""
    own = [
        each
        for each in there.scored
        if (each.intent.asset_id, each.intent.side) == (traded.intent.asset_id, traded.intent.side)
        and not each.filled
    ]
    if not own:
        return "not proposed once more there" if _traded(traded, there) else "never proposed there"
    last = own[-1]
    result = f" ({last.record.result})" if last.record.result and last.record.result != last.fate else ""
    return f"there {last.fate.value if last.fate else 'still open'}{result}"


def _traded(traded: Scored, there: Analysis) -> bool:
    return any(each.filled and each.intent.asset_id == traded.intent.asset_id for each in there.scored)


_HEADS: Final = (
    *(Heading("AT", text=True), Heading("SIDE", text=True), Heading("LIVED"), Heading("REPLAYED")),
    *(Heading("RESULT", signed=True), Heading("REPLAY'S", signed=True), Heading("GAP", signed=True)),
    *(Heading("WHY", text=True), Heading("MARKET", text=True)),
)


def lines_sheet(lines: Sequence[Line]) -> Sheet:
    """With the sums of the results under them."""
    known = [line.gap_pusd for line in lines]
    total = None
    if all(gap is not None for gap in known) and lines:
        total = _total(lines)
    return Sheet(_HEADS, tuple(_row(line) for line in lines), total)


def _total(lines: Sequence[Line]) -> tuple[str, ...]:
    lived, replayed = (
        sum((trade.scored.outcome_pusd or ZERO for trade in own if trade is not None), ZERO)
        for own in ([line.lived for line in lines], [line.replayed for line in lines])
    )
    return ("Total", "", "", "", plus(lived), plus(replayed), plus(replayed - lived), "", "")


def _row(line: Line) -> tuple[str, ...]:
    first = _when(line)[0]
    reasons = ", ".join(line.reasons)
    return (
        f"{first:%m-%d %H:%M}",
        "" if line.side is None else line.side.value.lower(),
        _trade_words(line.lived),
        _trade_words(line.replayed),
        _made(line.lived),
        _made(line.replayed),
        "-" if line.gap_pusd is None else plus(line.gap_pusd),
        f"{reasons}; {line.why}" if line.why else reasons,
        f"{wording.one_line(line.question)} {wording.outcome(line.outcome_label)}",
    )


def _trade_words(trade: Trade | None) -> str:
    """`152.50 at 61.2¢`."""
    return "-" if trade is None else f"{wording.shares(trade.shares)} at {wording.average(trade.price)}"


def _made(trade: Trade | None) -> str:
    if trade is None:
        return "-"
    return "no price" if trade.scored.outcome_pusd is None else plus(trade.scored.outcome_pusd)
