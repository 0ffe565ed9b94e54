"""Payments of the chain with the shares of ours that went for them."""

from collections.abc import Sequence

from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.units import Shares
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.settlement.booking import shares_of
from polyb0t.execution.settlement.ports import Payout
from polyb0t.execution.settlement.store import BookedPayout, ClaimStores
from polyb0t.execution.settlement.terms import ClaimTerms, terms_of
from polyb0t.models.portfolio import NO_MONEY, portfolio_of


def booked_payouts(
    stores: ClaimStores, payouts: Sequence[Payout], claims: Sequence[IntentRecord], send_id: str
) -> tuple[BookedPayout, ...]:
    """`payouts` as the books take them. Those that the books have already take nothing a second time."""
    known = {(entry.payout.tx_hash.lower(), entry.payout.log_index) for entry in stores.claims.payouts()}
    new = [each for each in payouts if (each.tx_hash.lower(), each.log_index) not in known]
    own, terms = _own(stores), _terms(claims)
    booked, done = [], set[ConditionId]()
    for payout in new:
        told = terms.get(payout.condition_id)
        first = payout.condition_id not in done
        taken = tuple(shares_of(told.holding, told.payouts, own)) if told is not None and first else ()
        done.add(payout.condition_id)
        booked.append(BookedPayout(payout, send_id, taken, payout.at))
    return tuple(booked)


def _own(stores: ClaimStores) -> dict[AssetId, Shares]:
    portfolio = portfolio_of(stores.orders.fills(), starting_cash=NO_MONEY, booked=stores.books.movements())
    return {position.asset_id: position.confirmed for position in portfolio.held()}


def _terms(claims: Sequence[IntentRecord]) -> dict[ConditionId, ClaimTerms]:
    found = {}
    for record in claims:
        try:
            found[record.intent.condition_id] = terms_of(record.intent)
        except ConflictError:
            continue
    return found
