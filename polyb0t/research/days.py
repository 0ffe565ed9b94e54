"""A period day by day: what each UTC day of the books came to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill
from polyb0t.execution.intents import IntentRecord
from polyb0t.models.bookkeeping import ledger_of
from polyb0t.models.portfolio import portfolio_of
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
    settled, moved = _settled(period), _moved(period)
    return tuple(_row(day, period, settled[day], moved[day]) for day in _days(period))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _days(period: Period) -> list[date]:
    instants = [
        *(fill.matched_at for fill in period.fills),
        *(entry.movement.at for entry in period.booked),
        *(record.intent.created_at for record in period.intents),
        *(midnight(date.fromisoformat(day)) for day in period.starts),
    ]
    return sorted({_day(each) for each in instants if period.since <= each < period.until})


def _row(day: date, period: Period, settled: Decimal, moved: Decimal) -> DayRow:
    start = midnight(day)
    next_day = start + timedelta(days=1)
    end = min(next_day, period.until)
    here = period.starts.get(day.isoformat())
    then = period.starts.get(next_day.date().isoformat()) if next_day < period.until else period.end_equity
    today = [fill for fill in period.fills if start <= fill.matched_at < end]
    asked = [record for record in period.intents if start <= record.intent.created_at < end]
    return DayRow(
        day=day.isoformat(),
        equity_pusd=here,
        change_pusd=None if here is None or then is None else Pusd(then - here - moved),
        moved_pusd=Pusd(moved),
        settled_pusd=Pusd(settled),
        fees_pusd=Pusd(sum((fill.fee for fill in today), ZERO)),
        fills=len(today),
        proposed=len(asked),
        approved=sum(fate_of(record) is Fate.APPROVED for record in asked),
    )


def _settled(period: Period) -> dict[date, Decimal]:
    """What each day settled. An outcome's lots are its own, so each is replayed alone, and only as often
    as it had a day: a year of many outcomes costs what its trades cost."""
    found: dict[date, Decimal] = defaultdict(Decimal)
    fills: dict[AssetId, list[Fill]] = defaultdict(list)
    taken: dict[AssetId, list[Booked]] = defaultdict(list)
    for fill in period.fills:
        fills[fill.asset_id].append(fill)
    for entry in period.booked:
        for one in entry.taken:
            taken[one.asset_id].append(replace(entry, taken=(one,)))
    for asset, own in fills.items():
        _settle(own, taken[asset], found)
    return found


def _settle(fills: Sequence[Fill], taken: Sequence[Booked], found: dict[date, Decimal]) -> None:
    days = {_day(fill.matched_at) for fill in fills} | {_day(entry.movement.at) for entry in taken}
    before = ZERO
    for day in sorted(days):
        realised = portfolio_of(
            [fill for fill in fills if _day(fill.matched_at) <= day],
            starting_cash=NOTHING,
            booked=[entry for entry in taken if _day(entry.movement.at) <= day],
        ).realised
        found[day] += realised - before
        before = realised


def _moved(period: Period) -> dict[date, Decimal]:
    """What came in or went out each day and is no result; it changes only with a movement of the wallet."""
    found: dict[date, Decimal] = defaultdict(Decimal)
    before = ZERO
    for day in sorted({_day(entry.movement.at) for entry in period.booked}):
        flows = ledger_of(
            NOTHING,
            [fill for fill in period.fills if _day(fill.matched_at) <= day],
            [entry for entry in period.booked if _day(entry.movement.at) <= day],
        ).flows
        found[day] = flows - before
        before = flows
    return found
