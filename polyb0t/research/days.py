"""A period day by day: what each UTC day of the books came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import IntentRecord
from polyb0t.models.bookkeeping import ledger_of
from polyb0t.research.what_if import Fate, fate_of

NOTHING: Final = Pusd(ZERO)


@dataclass(frozen=True, slots=True)
class DayRow:
    """pUSD. `equity_pusd` at its first look; `change_pusd` until the next day's, or until the end of the
    period, without money that was moved. None: no engine looked at that time."""

    day: str
    equity_pusd: Pusd | None
    change_pusd: Pusd | None
    moved_pusd: Pusd
    settled_pusd: Pusd
    fees_pusd: Pusd
    fills: int
    proposed: int
    approved: int


@dataclass(frozen=True, slots=True)
class _Sofar:
    """What the books had come to at an instant."""

    realised: Pusd
    flows: Pusd


@dataclass(frozen=True, slots=True)
class Period:
    """What its days are made of. `starts` is the equity at each day's first look, `end_equity` the last."""

    since: datetime
    until: datetime
    fills: Sequence[Fill]
    booked: Sequence[Booked]
    intents: Sequence[IntentRecord]
    starts: Mapping[str, Pusd]
    end_equity: Pusd | None


def day_rows(period: Period) -> tuple[DayRow, ...]:
    """Days on which something happened, oldest first."""
    return tuple(_row(day, period) for day in _days(period))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _days(period: Period) -> list[date]:
    instants = [
        *(fill.matched_at for fill in period.fills),
        *(entry.movement.at for entry in period.booked),
        *(record.intent.created_at for record in period.intents),
        *(midnight(date.fromisoformat(day)) for day in period.starts),
    ]
    inside = [each for each in instants if period.since <= each < period.until]
    return sorted({each.astimezone(UTC).date() for each in inside})


def _row(day: date, period: Period) -> DayRow:
    start = midnight(day)
    next_day = start + timedelta(days=1)
    end = min(next_day, period.until)
    before, after = _so_far(period, start), _so_far(period, end)
    moved = Pusd(after.flows - before.flows)
    here = period.starts.get(day.isoformat())
    then = period.starts.get(next_day.date().isoformat()) if next_day < period.until else period.end_equity
    today = [fill for fill in period.fills if start <= fill.matched_at < end]
    asked = [record for record in period.intents if start <= record.intent.created_at < end]
    return DayRow(
        day=day.isoformat(),
        equity_pusd=here,
        change_pusd=None if here is None or then is None else Pusd(then - here - moved),
        moved_pusd=moved,
        settled_pusd=Pusd(after.realised - before.realised),
        fees_pusd=Pusd(sum((fill.fee for fill in today), ZERO)),
        fills=len(today),
        proposed=len(asked),
        approved=sum(fate_of(record) is Fate.APPROVED for record in asked),
    )


def _so_far(period: Period, at: datetime) -> _Sofar:
    ledger = ledger_of(
        NOTHING,
        [fill for fill in period.fills if fill.matched_at < at],
        [entry for entry in period.booked if entry.movement.at < at],
    )
    return _Sofar(ledger.portfolio.realised, ledger.flows)
