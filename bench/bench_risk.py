"""Risk and exits of a large account: a thousand positions, five hundred candidates, one cycle's CPU.

Books, marks, exposure, every exit rule and every control. The rival copies the same positions, markets
and contexts field by field, concludes nothing and keeps nothing.

    .venv/bin/python -m bench risk
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from bench.bench_controls import CANDIDATES, _best, _candidate
from bench.exit_house import ExitHouse
from bench.figures import Section
from polyb0t.core.ids import AssetId, ConditionId, EventId, OrderId, TradeId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.fills import Fill, FillStatus, Role
from polyb0t.data.markets import Market
from polyb0t.data.order_book import OrderBook, Side
from polyb0t.models.bookkeeping import Ledger, ledger_of
from polyb0t.models.exit_manager import decide_exit
from polyb0t.models.exit_rules import ExitRules, ExitView, HeldPosition, entry_of
from polyb0t.models.exposure import AtRisk, exposure_of
from polyb0t.models.limits import check
from polyb0t.models.marks import Mark, Marks
from tests.support.decisions import NOW, POLITICS_FEE, a_book, a_market, d

POSITIONS: Final = 1_000
IN_EVENT: Final = 4  # markets of each neg-risk event
TARGET_MS: Final = 100.0


def measure() -> Section:
    section = Section(
        f"{POSITIONS:,} positions and {CANDIDATES} candidates",
        rival="the same values copied field by field, nothing concluded",
    )
    markets = {market.condition_id: market for market in map(_market, range(POSITIONS))}
    fills = [_fill(market, number) for number, market in enumerate(markets.values())]
    books = {fill.asset_id: _book(fill, number) for number, fill in enumerate(fills)}
    pairs = [_candidate(number) for number in range(CANDIDATES)]
    ledger = ledger_of(Pusd(d(1_000_000)), fills, ())
    held = ledger.portfolio.held()
    at_risk = [AtRisk(each.condition_id, each.asset_id, each.shares, each.cost) for each in held]
    views = _views(ledger, markets, books)
    steps: dict[str, Callable[[], object]] = {
        "books of so many fills": lambda: ledger_of(Pusd(d(1_000_000)), fills, ()),
        "marks and equity": lambda: _marked(ledger, books),
        "exposure at its worst end": lambda: exposure_of(at_risk, markets.get),
        "exit rules": lambda: [decide_exit(view, ExitRules(), Shares(d(5))) for view in views],
        f"controls of {CANDIDATES} candidates": lambda: [check(*pair) for pair in pairs],
    }
    for name, step in steps.items():
        section.add(f"{name}, CPU", _best(step), "ms")
    section.add(
        "all of it, CPU",
        _best(lambda: [step() for step in steps.values()]),
        "ms",
        target=TARGET_MS,
        rival=_best(
            lambda: (
                [replace(fill) for fill in fills],
                [replace(market) for market in markets.values()],
                [replace(view) for view in views],
                [(replace(trade), replace(context)) for trade, context in pairs],
            )
        ),
    )
    _with_what_it_reads(section)
    return section


def _with_what_it_reads(section: Section) -> None:
    """The desk and the exits stage of the cycle over SQLite: what they read of the stores is in it."""
    with tempfile.TemporaryDirectory() as folder:
        house = ExitHouse(Path(folder), POSITIONS)
        section.add("the desk and what it reads, CPU", _best(house.desk.desk), "ms")
        section.add("the exits stage and what it reads, CPU", _best(house.stage.propose), "ms")


def _market(number: int) -> Market:
    neg_risk = number % 2 == 0
    return a_market(
        f"m{number}",
        condition_id=ConditionId(f"0x{number:064x}"),
        event_id=EventId(f"event-{number // (2 * IN_EVENT) if neg_risk else number}"),
        neg_risk=neg_risk,
        tags=("politics", f"theme-{number % 40}"),
        category=f"category-{number % 10}",
    )


def _fill(market: Market, number: int) -> Fill:
    return Fill(
        TradeId(f"t{number}"),
        0,
        OrderId(f"0x{number:064x}"),
        market.condition_id,
        market.outcomes[number % 2].asset_id,
        Side.BUY,
        Role.TAKER,
        Price(Decimal(20 + number % 60) / 100),
        Shares(Decimal(500 + number) / 10),
        Pusd(d("0.25")),
        FillStatus.CONFIRMED,
        NOW,
        f"0x{number:064x}",
    )


def _book(fill: Fill, number: int) -> OrderBook:
    bid = fill.price - Decimal(number % 7) / 100
    bids = [(str(bid - Decimal(step) / 100), 40 + step) for step in range(5)]
    asks = [(str(bid + Decimal(step + 1) / 100), 40 + step) for step in range(5)]
    book = a_book("tram-yes", bids, asks)
    return replace(book, asset_id=fill.asset_id, condition_id=fill.condition_id, observed_at=NOW)


def _marked(ledger: Ledger, books: dict[AssetId, OrderBook]) -> Pusd:
    held = ledger.portfolio.held()
    assets = [each.asset_id for each in held]
    seen = {
        asset: Mark(book.best_bid, book.observed_at)
        for asset in assets
        if (book := books[asset]).best_bid is not None
    }
    marks = Marks().after(seen, assets)
    marks.stale(assets, NOW)
    return marks.value(held)


def _views(
    ledger: Ledger, markets: dict[ConditionId, Market], books: dict[AssetId, OrderBook]
) -> list[ExitView]:
    return [
        ExitView(
            HeldPosition(
                each.asset_id,
                each.condition_id,
                each.shares,
                each.confirmed,
                each.cost,
                entry_of(books[each.asset_id]),
            ),
            NOW,
            markets[each.condition_id],
            books[each.asset_id],
            POLITICS_FEE,
        )
        for each in ledger.portfolio.held()
    ]
