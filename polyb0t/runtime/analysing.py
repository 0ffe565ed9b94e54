"""Reads what analytics need of an account: its rows, and what was recorded around them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from polyb0t.core.clock import utc
from polyb0t.core.ids import AssetId
from polyb0t.core.units import E6, ONE, ZERO, Price, Pusd, plain
from polyb0t.data.cash_flows import Booked, MovementKind
from polyb0t.data.fills import Fill
from polyb0t.execution.books import Opening
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import Stores
from polyb0t.models.bookkeeping import ledger_of
from polyb0t.research.analytics.analysis import Analysis, analyse
from polyb0t.research.analytics.files import rows
from polyb0t.research.analytics.recorded import recorded, recorded_themes
from polyb0t.research.analytics.records import EquityPoint, Flow, Records
from polyb0t.research.analytics.sides import By
from polyb0t.runtime.facts import read_facts
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.places import scope_dir
from polyb0t.runtime.reporting import day_starts, span_of
from polyb0t.runtime.views import View, to_millionth, value_view

_PAYS: Final = (ZERO, Decimal("0.5"), ONE)


def read_analysis(opened: OpenedStore, since: str | None, until: str | None) -> Analysis:
    """Of the engine's regime: what was proposed from `since` (the first proposal) to the end of `until`
    (now), judged by all that is known now.

    Raises:
        UsageError: `bad_date`. DatabaseError: the rows could not be read.
    """
    return analyse(read_records(opened, since, until))


def read_records(opened: OpenedStore, since: str | None, until: str | None) -> Records:
    """Raises UsageError (`bad_date`) and DatabaseError."""
    stores, regime, now = opened.stores, opened.regime(), opened.stores.intents.now()
    intents = [each for each in stores.intents.list(limit=None) if each.intent.regime is regime]
    span = span_of(since or _first_day(intents, until), until, now)
    fills, booked, opening = stores.orders.fills(), stores.books.movements(), stores.books.opening(regime)
    folder = scope_dir(opened.settings, opened.scope) / "record"
    seen = recorded(folder)
    prices, marks = stores.prices.all(), read_facts(opened.engine()).marks
    bids = {asset: price.bid for asset, price in prices.items() if price.bid is not None}
    pays = {asset: price.payout for asset, price in prices.items() if price.payout is not None}
    return Records(
        regime=regime,
        since=span.since,
        until=now,
        asked_until=span.until if span.over else None,
        intents=intents,
        orders=[each for each in stores.orders.orders(limit=None) if each.regime is regime],
        fills=fills,
        booked=booked,
        bids={**bids, **marks},
        pays={**paid_out(booked), **pays},
        opening_pusd=opening.pusd if opening else None,
        equity=_equity(opened, stores, regime, opening, (span.since, now)),
        flows=flows_of(fills, booked),
        books=seen.books,
        watched=seen.watched,
        themes=recorded_themes(folder, {each.intent.condition_id for each in intents}),
    )


def paid_out(booked: Sequence[Booked]) -> Mapping[AssetId, Price]:
    """What a share of each outcome was paid, from the payouts themselves: rounding of the whole payout to
    the millionth is taken off again where it paid nothing, a half or all."""
    found: dict[AssetId, Price] = {}
    for entry in booked:
        if entry.movement.kind != MovementKind.REDEEM:
            continue
        for taken in entry.taken:
            if taken.pusd is not None and taken.shares > 0:
                found[taken.asset_id] = _paid(taken.pusd, taken.shares)
    return found


def _paid(pusd: Decimal, shares: Decimal) -> Price:
    for whole in _PAYS:
        if abs(shares * whole - pusd) <= E6:
            return Price(whole)
    return Price((pusd / shares).quantize(E6))


def flows_of(fills: Sequence[Fill], booked: Sequence[Booked]) -> tuple[Flow, ...]:
    """Money that came or went and is no result, at the last movement of each day that had one."""
    last: dict[date, datetime] = {}
    for entry in booked:
        day = utc(entry.movement.at).date()
        last[day] = max(last.get(day, entry.movement.at), entry.movement.at)
    found, before = [], ZERO
    for at in sorted(last.values()):
        flows = ledger_of(
            Pusd(ZERO),
            [fill for fill in fills if fill.matched_at <= at],
            [entry for entry in booked if entry.movement.at <= at],
        ).flows
        if flows != before:
            found.append(Flow(at, Pusd(flows - before)))
        before = flows
    return tuple(found)


def _equity(
    opened: OpenedStore,
    stores: Stores,
    regime: Regime,
    opening: Opening | None,
    span: tuple[datetime, datetime],
) -> list[EquityPoint]:
    """The first look of each day, and now."""
    starts = day_starts(stores, *span, regime)
    begun = opening.at if opening else None
    points = [EquityPoint(_looked(day, begun), equity) for day, equity in starts.items()]
    health = read_facts(opened.engine()).health
    if health is not None and health.equity_pusd is not None:
        points.append(EquityPoint(health.marked_at, health.equity_pusd))
    return points


def _looked(day: str, begun: datetime | None) -> datetime:
    start = datetime.combine(date.fromisoformat(day), time(), UTC)
    return start if begun is None or begun >= start + timedelta(days=1) else max(start, begun)


def _first_day(intents: Sequence[IntentRecord], until: str | None) -> str | None:
    """Of the first proposal; where `until` is before it, that day, which then has none."""
    first = min((each.intent.created_at for each in intents), default=None)
    if first is None:
        return None
    day = f"{utc(first):%Y-%m-%d}"
    return day if until is None or day <= until else until


def analysis_view(made: Analysis) -> View:
    """The same as data: money as plain decimal text, statistics as numbers, None for what is not known."""
    view = {spec.name: plain_view(getattr(made, spec.name)) for spec in fields(made) if spec.name != "scored"}
    return {**view, "enough": made.enough, "intents": rows(made, By.INTENT)}


def plain_view(value: object) -> object:
    """Any figure as JSON has it; a length of time is in seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {spec.name: plain_view(getattr(value, spec.name)) for spec in fields(value)}
    if isinstance(value, tuple):
        return [plain_view(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain_view(each) for key, each in value.items()}
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return plain(to_millionth(value) or ZERO)
    return value_view(value)
