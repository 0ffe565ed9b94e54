"""Before a claim is signed: is it the call that was approved, and would it pay exactly what was said?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from polyb0t.core.errors import ConfigurationError, ConflictError
from polyb0t.core.units import ZERO, Shares
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.settlement.booking import expected_of, total_of
from polyb0t.execution.settlement.ports import ChainHead, ClaimCall, ClaimChain, Payout
from polyb0t.execution.settlement.terms import ClaimTerms, terms_of

LEAST_BLOCK_SECONDS = 1  # no chain that we speak of makes blocks faster


@dataclass(frozen=True, slots=True)
class Ready:
    """A claim that may be signed now."""

    record: IntentRecord
    terms: ClaimTerms
    call: ClaimCall
    gas: int


@dataclass(frozen=True, slots=True)
class Over:
    """A claim that comes to nothing. `paid` is what others' transactions brought for it."""

    code: str
    detail: str
    paid: tuple[Payout, ...] = ()


def check(record: IntentRecord, chain: ClaimChain, head: ChainHead) -> Ready | Over:
    """Judge one approved claim by the chain as it is now.

    Raises:
        VenueUnreachableError: not readable now; nothing is concluded.
    """
    try:
        terms = terms_of(record.intent)
    except ConflictError as error:
        return Over(error.code, error.why)
    told = terms.holding
    held = [
        chain.shares(terms.wallet, asset, version=told.version, neg_risk=told.neg_risk)
        for asset in told.asset_ids
    ]
    counted = _counted(terms, held)
    if not any(share > 0 and price > 0 for share, price in zip(counted, terms.payouts, strict=True)):
        paid = chain.payouts(
            terms.wallet, (told.condition_id,), from_block=_since(record.intent.created_at, head)
        )
        if paid:
            return Over("already_paid", f"{total_of(paid)} pUSD came in by {paid[-1].tx_hash}.", paid)
        return Over("nothing_to_claim", "The wallet holds no share that pays. Nothing was sent.")
    expected = expected_of(counted, terms.payouts)
    if expected != told.expected:
        detail = f"It would pay {expected} pUSD now, and {told.expected} were approved. Nothing was sent."
        return Over("payout_differs", detail)
    return _simulated(record, terms, chain, counted)


def _simulated(
    record: IntentRecord, terms: ClaimTerms, chain: ClaimChain, counted: tuple[Shares, Shares]
) -> Ready | Over:
    try:
        call = chain.build(terms.wallet, replace(terms.holding, shares=counted))
    except ConfigurationError as error:
        return Over(error.code, f"{error.what} {error.why}")
    if not terms.fits(call):
        return Over("call_differs", "The call is another than the one that was approved. Nothing was sent.")
    simulation = chain.simulate((call,))
    if simulation.pays is None:
        return Over("would_revert", f"The chain would refuse it: {simulation.why or 'no reason told'}.")
    if simulation.pays != call.expected:
        detail = f"Simulated, it pays {simulation.pays} pUSD, not {call.expected}. Nothing was sent."
        return Over("payout_differs", detail)
    return Ready(record, terms, call, simulation.gas)


def pays_together(ready: Sequence[Ready], chain: ClaimChain) -> bool:
    """Whether the calls of a batch pay all that they pay one by one."""
    if len(ready) == 1:
        return True
    simulation = chain.simulate([each.call for each in ready])
    return simulation.pays == sum((each.call.expected for each in ready), ZERO)


def _counted(terms: ClaimTerms, held: Sequence[Shares]) -> tuple[Shares, Shares]:
    """What the call would take of what is there. Protocol V2 takes the amounts that it names."""
    if terms.holding.version == "v2":
        held = [Shares(min(pair)) for pair in zip(held, terms.holding.shares, strict=True)]
    return (held[0], held[1])


def _since(at: datetime, head: ChainHead) -> int:
    """A block that is no younger than `at`, however fast they came."""
    seconds = max(0, int((head.at - at).total_seconds())) + 600
    return max(0, head.number - seconds // LEAST_BLOCK_SECONDS)
