"""What a period brought and how it was decided: computed from rows alone, the same in every regime.

Pure: intents, orders, fills and movements go in. Results are what sales and resolved markets brought
beyond their cost, with fees in it (settled), and what is held at the bid against its cost (open).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Final

from polyb0t.core.ids import AssetId
from polyb0t.core.units import ZERO, Price, Pusd
from polyb0t.data.cash_flows import Booked
from polyb0t.data.fills import Fill, FillStatus
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.orders import DOUBTFUL_ORDER, OrderRecord
from polyb0t.execution.scope import Regime
from polyb0t.models.bookkeeping import Ledger, ledger_of
from polyb0t.models.gas import Gas
from polyb0t.models.portfolio import Portfolio, portfolio_of
from polyb0t.research.days import DayRow, Period, day_rows
from polyb0t.research.decisions import Decisions, decisions_of
from polyb0t.research.groups import By, GroupRow, group_rows, origins
from polyb0t.research.model_so_far import ModelSoFar, models_so_far
from polyb0t.research.report_rows import (
    Key,
    MarketRow,
    Sums,
    market_rows,
    open_result,
    traded_sums,
    worth,
)
from polyb0t.research.slippage import Slippage, slippage_by_asset
from polyb0t.research.what_if import IfTaken, if_taken

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
    worth: Mapping[AssetId, Price] = field(default_factory=dict)  # of what was proposed: bid or payout
    day_starts: Mapping[str, Pusd] = field(default_factory=dict)  # equity at each day's first look
    over: bool = False  # the period has ended: prices of now say nothing about its end
    gas: Gas = field(default_factory=Gas)  # of claims in the period: beside the books


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
class Report:
    """One period of one account."""

    regime: Regime
    since: datetime
    until: datetime
    equity: Equity
    results: Results
    decisions: Decisions
    markets: tuple[MarketRow, ...]
    slippage: Slippage
    if_taken: tuple[IfTaken, ...]
    models: tuple[ModelSoFar, ...]
    by_category: tuple[GroupRow, ...]
    by_model: tuple[GroupRow, ...]
    days: tuple[DayRow, ...]
    unknown_orders: int
    unexplained_pusd: Pusd
    over: bool
    gas: Gas


def report(facts: ReportFacts) -> Report:
    """The report of a period."""
    facts = _within(facts)
    fills = facts.fills
    after = portfolio_of(fills, starting_cash=NOTHING, booked=facts.booked)
    before = _portfolio_at(fills, facts.booked, facts.since)
    sums = traded_sums(fills, facts.booked, facts.since)
    slips = slippage_by_asset(fills, facts.intents, facts.since)
    markets = market_rows(sums, after, before, facts.bids, names=origins(facts.intents), slips=slips)
    asked = [each for each in facts.intents if facts.since <= each.intent.created_at < facts.until]
    equity = _equity(facts, after)
    return Report(
        regime=facts.regime,
        since=facts.since,
        until=facts.until,
        equity=equity,
        results=_results(facts, sums, after, Pusd(after.realised - before.realised)),
        decisions=decisions_of(facts.intents, facts.since, facts.until),
        markets=markets,
        slippage=reduce(Slippage.and_, slips.values(), Slippage()),
        if_taken=if_taken(asked, fills, facts.worth),
        models=models_so_far(
            [each for each in fills if each.matched_at >= facts.since], facts.intents, markets
        ),
        by_category=group_rows(By.CATEGORY, markets, asked),
        by_model=group_rows(By.MODEL, markets, asked),
        days=_days(facts, equity.equity_pusd),
        unknown_orders=sum(order.status in DOUBTFUL_ORDER for order in facts.orders),
        unexplained_pusd=facts.unexplained_pusd,
        over=facts.over,
        gas=facts.gas,
    )


def _within(facts: ReportFacts) -> ReportFacts:
    """Without what came after the end, and without prices where the end is past."""
    return replace(
        facts,
        fills=[
            fill
            for fill in facts.fills
            if fill.status is not FillStatus.FAILED and fill.matched_at < facts.until
        ],
        booked=[entry for entry in facts.booked if entry.movement.at < facts.until],
        bids={} if facts.over else facts.bids,
    )


def _results(facts: ReportFacts, sums: Mapping[Key, Sums], after: Portfolio, settled: Pusd) -> Results:
    fees = Pusd(sum((each.fees for each in sums.values()), ZERO))
    return Results(
        settled_pusd=settled,
        open_pusd=open_result(after.held(), facts.bids),
        fees_predicted_pusd=fees,
        fees_charged_pusd=Pusd(fees + facts.fee_differences_pusd),
        fills=sum(each.fills for each in sums.values()),
        payouts_pusd=Pusd(sum((each.paid_out for each in sums.values()), ZERO)),
    )


def _days(facts: ReportFacts, equity: Pusd | None) -> tuple[DayRow, ...]:
    period = Period(
        facts.since, facts.until, facts.fills, facts.booked, facts.intents, facts.day_starts, equity
    )
    return day_rows(period)


def _equity(facts: ReportFacts, portfolio: Portfolio) -> Equity:
    held, fills = portfolio.held(), facts.fills
    unmarked = [position for position in held if position.asset_id not in facts.bids]
    value = sum((worth(position, facts.bids) for position in held), ZERO)
    moved = _moved(fills, facts.booked, facts.since)
    ledger = None if facts.opening_pusd is None else ledger_of(facts.opening_pusd, fills, facts.booked)
    equity = None if ledger is None else Pusd(ledger.cash + value)
    if facts.over:
        equity = facts.day_starts.get(facts.until.date().isoformat())  # as the next day began
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
        positions_pusd=_held(facts, equity, ledger, value),
        unmarked=0 if facts.over else len(unmarked),
    )


def _held(facts: ReportFacts, equity: Pusd | None, ledger: Ledger | None, value: Decimal) -> Pusd | None:
    """Of a period that is over, what was left beside the cash."""
    if not facts.over:
        return Pusd(value)
    return None if equity is None or ledger is None else Pusd(equity - ledger.cash)


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
