"""The trades of real histories: what is approved, and how the book moves while the order is on its way."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.clock import Clock
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import OrderType, TradeIntent
from polyb0t.models.calibration import MarketCalibrationModel, packaged_coefficients
from tests.faults.process import buying, resting, selling
from tests.faults.real.exchange import Ledger, Moves, nothing_moves, offer_goes, offer_shrinks

Build = Callable[[Ledger, Clock, str], TradeIntent]
AT_HALF: Final[Mapping[str, Any]] = {"worst_price": Price(Decimal("0.5")), "max_cost": Pusd(Decimal("15.6"))}


@dataclass(frozen=True, slots=True)
class Shape:
    """`first`: what has to be bought before, in the same history, so that it can be sold."""

    build: Build
    moves: Moves = nothing_moves
    first: Build | None = None


def fak_buy(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    return _of_this_market(buying(ledger, clock, scope), ledger)  # type: ignore[arg-type]


def fok_buy(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    """9.60 pUSD buy whole units of the offer, so that it fills to the last millionth."""
    intent = fak_buy(ledger, clock, scope)
    return replace(
        intent, order_type=OrderType.FOK, amount=Pusd(Decimal("9.6")), least_shares=Shares(Decimal("19.2"))
    )


def gtc(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    built = resting(ledger, clock, scope, **AT_HALF)  # type: ignore[arg-type]
    return _of_this_market(built, ledger)


def gtd(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    return replace(gtc(ledger, clock, scope), order_type=OrderType.GTD, life_seconds=120)


def post_only(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    return replace(gtc(ledger, clock, scope), post_only=True)


def gtc_crossing(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    return replace(gtc(ledger, clock, scope), shares=Shares(Decimal(30)))


def fak_sell(ledger: Ledger, clock: Clock, scope: str) -> TradeIntent:
    return _of_this_market(selling(ledger, clock, scope), ledger)  # type: ignore[arg-type]


SHAPES: Final[Mapping[str, Shape]] = {
    "fak_buy": Shape(fak_buy),
    "fok_buy": Shape(fok_buy),
    "fak_partial": Shape(fak_buy, offer_shrinks),
    "fak_no_fill": Shape(fak_buy, offer_goes),
    "gtc": Shape(gtc, offer_goes),
    "gtd": Shape(gtd, offer_goes),
    "post_only": Shape(post_only, offer_goes),
    "gtc_crossing": Shape(gtc_crossing, offer_shrinks),
    "fak_sell": Shape(fak_sell, first=fak_buy),
}


def _of_this_market(intent: TradeIntent, ledger: Ledger) -> TradeIntent:
    """With the rules that the exchange shows and the model that runs, so that a real engine finds nothing
    changed, and with time for processes that have to start first."""
    rules = ledger.spec.description
    later = intent.deadline - intent.created_at
    model = MarketCalibrationModel(packaged_coefficients())
    return replace(
        intent,
        rules_text=rules,
        rules_hash=hashlib.sha256(rules.encode()).hexdigest(),
        model_name=model.name,
        model_version=model.version,
        deadline=intent.created_at + 3 * later,
    )
