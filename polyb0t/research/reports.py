"""What a period brought and how it was decided: computed from rows alone, the same in every regime.

Pure: intents, orders, fills and movements go in. Results are what sales and resolved markets brought
beyond their cost, with fees in it (settled), and what is held at the bid against its cost (open).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Final

from polyb0t.core.ids import AssetId, OrderId
from polyb0t.core.units import ZERO, Price, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.orders import DOUBTFUL_ORDER, OrderRecord
from polyb0t.execution.scope import Regime
from polyb0t.models.bookkeeping import ledger_of
from polyb0t.models.portfolio import Portfolio, portfolio_of
from polyb0t.research.report_rows import MarketRow, Named, market_rows, open_result, traded_sums, worth

ITSELF: Final = "engine:paper"
NOTHING: Final = Pusd(ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """Everything that a report is made of. Intents and orders are those of one regime, of all time;
    `since` and `until` bound the period. None: not known."""

    regime: Regime
    since: datetime
    until: datetime
    opening_pusd: Pusd | None
    opened_at: datetime | None
    start_equity_pusd: Pusd | None  # at the first look of the period
    intents: Sequence[IntentRecord]
    orders: Sequence[OrderRecord]
    fills: Sequence[Fill]
    booked: Sequence[Booked]
    bids: Mapping[AssetId, Price]
    reserved_pusd: Pusd
    peak_pusd: Pusd | None
    unexplained_pusd: Pusd
    fee_differences_pusd: Pusd  # charged beyond what was predicted, in the period


@dataclass(frozen=True, slots=True)
class Equity:
    """At the end of the period. `change_pusd` is since its start, without money that was moved."""

    equity_pusd: Pusd | None
    change_pusd: Pusd | None
    moved_pusd: Pusd
    peak_pusd: Pusd | None
    cash_pusd: Pusd | None
    reserved_pusd: Pusd
    positions_pusd: Pusd | None
    unmarked: int  # holdings without a price: counted at cost in `positions_pusd`

    @property
    def change_fraction(self) -> Decimal | None:
        if self.equity_pusd is None or self.change_pusd is None:
            return None
        start = self.equity_pusd - self.change_pusd - self.moved_pusd
        return self.change_pusd / start if start > 0 else None


@dataclass(frozen=True, slots=True)
class Results:
    """pUSD. `settled` in the period, `open` as it stands at its end; fees are in both."""

    settled_pusd: Pusd
    open_pusd: Pusd | None
    fees_predicted_pusd: Pusd
    fees_charged_pusd: Pusd
    fills: int
    payouts_pusd: Pusd


@dataclass(frozen=True, slots=True)
class Decisions:
    """Of the intents that were proposed in the period. Seconds are from proposal to a person's decision."""

    proposed: int
    approved: int
    by_itself: int  # of those approved: a paper run's own
    rejected: int
    expired: int
    unseen: int  # of those expired: on no screen
    superseded: int
    waiting: int
    rehearsed: int  # noted by a dry run
    median_seconds: float | None
    nine_in_ten_seconds: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """One period of one account."""

    regime: Regime
    since: datetime
    until: datetime
    equity: Equity
    results: Results
    decisions: Decisions
    markets: tuple[MarketRow, ...]
    unknown_orders: int
    unexplained_pusd: Pusd


def report(facts: ReportFacts) -> Report:
    """The report of a period."""
    counted = [fill for fill in facts.fills if fill.status is not FillStatus.FAILED]
    after = portfolio_of(counted, starting_cash=NOTHING, booked=facts.booked)
    before = _portfolio_at(counted, facts.booked, facts.since)
    sums = traded_sums(counted, facts.booked, facts.since)
    fees = Pusd(sum((each.fees for each in sums.values()), ZERO))
    return Report(
        regime=facts.regime,
        since=facts.since,
        until=facts.until,
        equity=_equity(facts, counted, after),
        results=Results(
            settled_pusd=Pusd(after.realised - before.realised),
            open_pusd=open_result(after.held(), facts.bids),
            fees_predicted_pusd=fees,
            fees_charged_pusd=Pusd(fees + facts.fee_differences_pusd),
            fills=sum(each.fills for each in sums.values()),
            payouts_pusd=Pusd(sum((each.paid_out for each in sums.values()), ZERO)),
        ),
        decisions=decisions_of(facts.intents, facts.since, facts.until),
        markets=market_rows(sums, after, before, facts.bids, _names(facts)),
        unknown_orders=sum(order.status in DOUBTFUL_ORDER for order in facts.orders),
        unexplained_pusd=facts.unexplained_pusd,
    )


def decisions_of(intents: Iterable[IntentRecord], since: datetime, until: datetime) -> Decisions:
    """How what was proposed in the period was decided."""
    found = [record for record in intents if since <= record.intent.created_at < until]
    status = [record.status for record in found]
    approved = [record for record in found if record.decided_by and record.status is not _S.REJECTED]
    expired = [record for record in found if record.status is _S.EXPIRED and not record.decided_by]
    superseded = [record for record in expired if record.result == "superseded"]
    alone = [record for record in expired if record.result != "superseded"]
    seconds = sorted(_seconds(record) for record in found if _person(record))
    return Decisions(
        proposed=len(found),
        approved=len(approved),
        by_itself=sum(record.decided_by == ITSELF for record in approved),
        rejected=status.count(_S.REJECTED),
        expired=len(alone),
        unseen=sum(record.seen_at is None for record in alone),
        superseded=len(superseded),
        waiting=status.count(_S.PENDING),
        rehearsed=sum(record.result == "dry_run" for record in found),
        median_seconds=_quantile(seconds, Decimal("0.5")),
        nine_in_ten_seconds=_quantile(seconds, Decimal("0.9")),
    )


_S: Final = IntentStatus


def _person(record: IntentRecord) -> bool:
    kind = (record.decided_by or "").partition(":")[0]
    return kind in ("user", "token") and record.decided_at is not None


def _seconds(record: IntentRecord) -> float:
    assert record.decided_at is not None
    return max(0.0, (record.decided_at - record.intent.created_at).total_seconds())


def _quantile(ordered: Sequence[float], part: Decimal) -> float | None:
    """The smallest that at least `part` of them do not exceed."""
    if not ordered:
        return None
    return ordered[max(0, ceil(len(ordered) * part) - 1)]


def _equity(facts: ReportFacts, fills: Sequence[Fill], portfolio: Portfolio) -> Equity:
    held = portfolio.held()
    unmarked = [position for position in held if position.asset_id not in facts.bids]
    value = sum((worth(position, facts.bids) for position in held), ZERO)
    moved = _moved(fills, facts.booked, facts.since)
    ledger = None if facts.opening_pusd is None else ledger_of(facts.opening_pusd, fills, facts.booked)
    equity = None if ledger is None else Pusd(ledger.cash + value)
    start = facts.start_equity_pusd
    if facts.opened_at is not None and facts.opened_at >= facts.since:
        start = facts.opening_pusd  # the books were opened within the period
    return Equity(
        equity_pusd=equity,
        change_pusd=None if equity is None or start is None else Pusd(equity - start - moved),
        moved_pusd=moved,
        peak_pusd=facts.peak_pusd,
        cash_pusd=None if ledger is None else ledger.cash,
        reserved_pusd=facts.reserved_pusd,
        positions_pusd=Pusd(value),
        unmarked=len(unmarked),
    )


def _moved(fills: Sequence[Fill], booked: Sequence[Booked], since: datetime) -> Pusd:
    """Money that came or went since then and is no result: what the books call flows."""
    until_now = ledger_of(NOTHING, fills, booked).flows
    before = [entry for entry in booked if entry.movement.at < since]
    then = [fill for fill in fills if fill.matched_at < since]
    return Pusd(until_now - ledger_of(NOTHING, then, before).flows)


def _portfolio_at(fills: Sequence[Fill], booked: Sequence[Booked], at: datetime) -> Portfolio:
    return portfolio_of(
        [fill for fill in fills if fill.matched_at < at],
        starting_cash=NOTHING,
        booked=[entry for entry in booked if entry.movement.at < at],
    )


def _names(facts: ReportFacts) -> dict[AssetId, Named]:
    """What a person calls an outcome, from the intent that traded it."""
    traded: set[OrderId] = {fill.order_id for fill in facts.fills}
    return {
        record.intent.asset_id: Named(record.intent.question, record.intent.outcome_label)
        for record in facts.intents
        if record.order_id in traded
    }
