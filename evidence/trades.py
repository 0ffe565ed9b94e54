"""What the decision code would have bought on a synthetic market, and what that was worth in truth.

The same `find_chance` as in the engine decides, on a book that shows the price with a spread of a cent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

import numpy as np

from polyb0t.core.clock import from_microseconds
from polyb0t.core.ids import AssetId, ConditionId, EventId
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.data.markets import FeeSchedule, Market, Outcome, ProtocolVersion, TradingTerms
from polyb0t.data.order_book import Level, OrderBook
from polyb0t.models.calibration import Z90
from polyb0t.models.chances import Candidate, Chance, find_chance
from polyb0t.models.pricing import Purchase
from polyb0t.models.risk import RiskLimits
from polyb0t.models.signals import MarketState, ProbEstimate
from polyb0t.research.evaluation.observations import Flags, Floats
from polyb0t.research.evaluation.walk_forward import Forecasts

FEE: Final = FeeSchedule(Decimal("0.04"), Decimal(1))
CENT: Final = Price(Decimal("0.01"))
HALF_SPREAD: Final = Decimal("0.005")
_MILLIONTH: Final = Decimal("0.000001")
_LIMITS: Final = RiskLimits()


@dataclass(frozen=True, slots=True)
class Bet:
    """pUSD per share: what was expected, what it was worth in truth, and what it brought."""

    event: int
    expected: float
    true: float
    realised: float


def bets(forecasts: Forecasts, truth: Floats, chosen: Flags) -> Iterator[Bet]:
    """Every purchase that passes the trade's own gate among the rows of `chosen`."""
    rows = forecasts.rows
    for at in np.flatnonzero(chosen):
        chance = find_chance(_candidate(forecasts, int(at)), _LIMITS)
        if not isinstance(chance, Chance):
            continue
        first = chance.side.outcome.label == "Yes"
        likely = float(truth[at]) if first else 1 - float(truth[at])
        won = float(rows.outcome[at]) if first else 1 - float(rows.outcome[at])
        yield Bet(
            event=int(rows.event[at]),
            expected=float(chance.side.edge),
            true=float(_edge(chance, Decimal(repr(likely)))),
            realised=float(_edge(chance, Decimal(repr(won)))),
        )


def _edge(chance: Chance, q: Decimal) -> Decimal:
    bought = chance.side.purchase
    return Purchase(q, bought.fee, bought.reserve).edge(chance.side.ask)


def _candidate(forecasts: Forecasts, at: int) -> Candidate:
    rows = forecasts.rows
    price, q, sd = (_decimal(each[at]) for each in (rows.price, forecasts.q, forecasts.sd))
    now = from_microseconds(int(rows.at_us[at]))
    market = _market(at, from_microseconds(int(rows.ends_us[at])))
    first, second = (outcome.asset_id for outcome in market.outcomes)
    books = _book(first, price, now), _book(second, 1 - price, now)
    terms = TradingTerms(
        market.condition_id, CENT, Shares(Decimal(5)), FEE, 0, neg_risk=False, observed_at=now
    )
    estimate = ProbEstimate(
        q=q,
        low=q - Z90 * sd,
        high=q + Z90 * sd,
        sd=sd,
        anchor=Price(price),
        spread=2 * HALF_SPREAD,
        model="market calibration",
        version="evidence",
        validated=True,
        independent=False,
        parts=(),
        because="",
    )
    return Candidate(MarketState(market, terms, books, now), estimate)


def _book(asset: AssetId, mid: Decimal, now: datetime) -> OrderBook:
    ask = (mid + HALF_SPREAD).quantize(CENT, ROUND_CEILING)
    bid = (mid - HALF_SPREAD).quantize(CENT, ROUND_FLOOR)
    deep = Shares(Decimal(10_000))
    return OrderBook(
        asset_id=asset,
        condition_id=ConditionId("0x" + "00" * 32),
        bids=(Level(Price(bid), deep),),
        asks=(Level(Price(ask), deep),),
        tick=CENT,
        min_shares=Shares(Decimal(5)),
        neg_risk=False,
        last_trade_price=None,
        hash="",
        venue_time=None,
        observed_at=now - timedelta(seconds=1),
    )


def _market(at: int, ends: datetime) -> Market:
    return Market(
        market_id=str(at),
        condition_id=ConditionId("0x" + f"{at:064x}"),
        question="Will it happen?",
        slug=str(at),
        page_url="",
        category="",
        tags=(),
        event_id=EventId(str(at)),
        event_title="",
        outcomes=(Outcome("Yes", AssetId(f"{at}1")), Outcome("No", AssetId(f"{at}2"))),
        version=ProtocolVersion.V1,
        neg_risk=False,
        active=True,
        closed=False,
        archived=False,
        accepting_orders=True,
        order_book_enabled=True,
        end_date=ends,
        game_start=None,
        tick=CENT,
        min_shares=Shares(Decimal(5)),
        fees_enabled=True,
        fee=FEE,
        taker_delay_seconds=0,
        liquidity_pusd=Pusd(Decimal(10_000)),
        volume_24h_pusd=Pusd(Decimal(1_000)),
        best_bid=None,
        best_ask=None,
        resolution_source="a source",
        resolution_status="",
        rules_text="",
        rules_hash="",
        observed_at=from_microseconds(0),
    )


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(_MILLIONTH)
