"""A claim as the engine proposes it: with the call, and what it pays."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import Wallet
from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.proposing import Frame
from polyb0t.execution.scope import Regime
from polyb0t.execution.settlement.ports import ClaimRoute
from polyb0t.execution.settlement.proposing import claiming_intent, holding_of
from polyb0t.models.gas import Gas
from polyb0t.models.portfolio import Position
from polyb0t.models.settling import Won, expected_payout
from polyb0t.venue.claims_calls import claim_call
from polyb0t.venue.environment import POLYMARKET
from tests.support.builders import WALLET, a_scope, an_intent
from tests.support.trading import a_market


def a_whole_claim(
    *,
    shares: tuple[str, str] = ("20", "0"),
    payouts: tuple[str, str] = ("1", "0"),
    route: ClaimRoute = ClaimRoute.TRANSACTION,
    gas: Gas | None = None,
    **overrides: Any,
) -> TradeIntent:
    """Of the builders' market, whose outcome YES is ours."""
    market = a_market()
    held = (Shares(Decimal(shares[0])), Shares(Decimal(shares[1])))
    pays = (Price(Decimal(payouts[0])), Price(Decimal(payouts[1])))
    position = Position(market.outcomes[0].asset_id, market.condition_id, confirmed=held[0])
    won = Won(market, position, pays, held, Pusd(expected_payout(held, pays)))
    call = claim_call(Wallet(WALLET), holding_of(won), POLYMARKET.contracts)
    now = SystemClock().now() - timedelta(seconds=1)
    frame = Frame(a_scope(), Regime.LIVE, now, 86_400)
    return replace(claiming_intent(won, call, route, an_intent(), frame, gas=gas), **overrides)
