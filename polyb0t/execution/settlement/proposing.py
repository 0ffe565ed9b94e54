"""A won holding as an intent: exactly what would be called, and what it pays."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import Wallet
from polyb0t.core.units import Pusd
from polyb0t.execution.intents import IntentType, TradeIntent
from polyb0t.execution.proposing import NO_MODEL, Frame, framed
from polyb0t.execution.settlement.ports import ClaimCall, ClaimChain, ClaimRoute, Holding
from polyb0t.execution.settlement.terms import ClaimTerms, call_hash
from polyb0t.models.gas import Gas, gas_of, gas_words
from polyb0t.models.settling import Won
from polyb0t.models.wording import money

_EMPTY: Final = (
    *("side", "order_type", "worst_price", "amount", "least_shares", "fee_rate", "fee_exponent"),
    *("estimated_cost", "max_cost", "estimated_shares", "estimated_fee", "reference_price"),
    *("book_age_seconds", "best_bid", "best_ask", "target_order_id"),
)


REFUSED_DO: Final = "See: polyb0t doctor   Or claim it on the venue's website: Portfolio, the market, Claim."


@dataclass(frozen=True, slots=True)
class Tried:
    """A call that was simulated. `gas` is the most that it would cost now, None where nobody here pays it or
    gas is over the cap. `why` not empty: it is not proposed; `tell`: a person has to do something."""

    call: ClaimCall
    gas: Gas | None = None
    why: str = ""
    tell: bool = False


def try_out(
    won: Won, route: ClaimRoute, chain: ClaimChain, wallet: Wallet, pol_price_pusd: Decimal | None
) -> Tried:
    """What the chain would make of it now.

    Raises:
        ConfigurationError: no one call is known for it. VenueUnreachableError: not read.
    """
    call = chain.build(wallet, holding_of(won))
    simulation = chain.simulate((call,))
    if simulation.pays is None:
        why = f"The chain would refuse the claim: {simulation.why or 'no reason told'}."
        return Tried(call, why=why, tell=True)
    if simulation.pays != call.expected:  # most often somebody redeems it at this moment
        detail = (
            f"The chain would pay {money(simulation.pays)} pUSD, and {money(call.expected)} are expected."
        )
        return Tried(call, why=detail)
    if route is not ClaimRoute.TRANSACTION:
        return Tried(call)
    try:
        gas = gas_of((chain.fees(simulation.gas).most_wei,), pol_price_pusd)
    except ConflictError:  # over the cap now: it may wait a day for a decision, and be cheaper then
        return Tried(call)
    if gas.pusd is not None and gas.pusd >= call.expected:
        # Without the figure, which changes with every block: it is told once.
        why = f"Its gas may cost more now than it brings, {money(call.expected)} pUSD."
        return Tried(call, gas, why, tell=True)
    return Tried(call, gas)


def holding_of(won: Won) -> Holding:
    """What is claimed, in the chain's terms."""
    market = won.market
    assets = (market.outcomes[0].asset_id, market.outcomes[1].asset_id)
    return Holding(
        market.condition_id, market.version.value, market.neg_risk, assets, won.shares, won.expected
    )


def claiming_intent(
    won: Won,
    call: ClaimCall,
    route: ClaimRoute,
    opened_by: TradeIntent,
    frame: Frame,
    *,
    gas: Gas | None = None,
) -> TradeIntent:
    """Its approval permits this call of this wallet and no other."""
    market = won.market
    terms = ClaimTerms(
        route=route,
        wallet=Wallet(call.wallet),
        contract=call.target,
        function=call.function,
        call_hash=call_hash(call),
        holding=holding_of(won),
        payouts=won.payouts,
    )
    content: dict[str, Any] = dict.fromkeys(_EMPTY)
    return TradeIntent(
        **framed(frame, IntentType.CLAIM_SETTLEMENT),
        **NO_MODEL,
        **content,
        question=market.question,
        condition_id=market.condition_id,
        event_id=market.event_id,
        category=market.category,
        protocol_version=market.version.value,
        neg_risk=market.neg_risk,
        end_date=market.end_date,
        page_url=market.page_url,
        resolution_source=market.resolution_source,
        rules_hash=market.rules_hash,
        rules_text=market.rules_text,
        outcome_label=opened_by.outcome_label,
        asset_id=won.position.asset_id,
        tick=market.tick,
        shares=won.shares[[each.asset_id for each in market.outcomes].index(won.position.asset_id)],
        book_hash="",
        reason=_reason(won.expected, route, gas),
        controls=(),
        parent_id=opened_by.id,
        claim=terms.written(),
    )


def _reason(expected: Pusd, route: ClaimRoute, gas: Gas | None) -> str:
    brings = f"This market is resolved; a claim brings {money(expected)} pUSD into your wallet."
    if route is ClaimRoute.RELAYER:
        return f"{brings} The relayer pays the gas."
    most = f", now at most {gas_words(gas)}" if gas is not None else ""
    return f"{brings} The gas is paid by your own wallet{most}."
