"""What is wrong after a history of claims, by the chain's ledger and the database alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import ZERO, Pusd, floor_e6
from polyb0t.execution.intents import IntentRecord, IntentStatus, IntentType
from polyb0t.models.kill_switches import KillSwitchType
from polyb0t.models.portfolio import NO_MONEY, portfolio_of
from tests.support.claim_room import ClaimRoom

COLUMNS: Final = ("doubled", "lost", "unexplained")
PAID: Final = ("claimed", "already_paid")


@dataclass
class Verdict:
    """Sentences by column."""

    found: dict[str, list[str]] = field(default_factory=lambda: {column: [] for column in COLUMNS})

    @property
    def clean(self) -> bool:
        return not any(self.found.values())

    def sentences(self) -> list[str]:
        return [f"{column}: {one}" for column, found in self.found.items() for one in found]


def judge(
    room: ClaimRoom, may_fail: tuple[str, ...], two_alive: set[ConditionId], *, alerts: bool
) -> Verdict:
    """`may_fail`: results with which a claim may end unpaid; `two_alive`: markets of which two transactions
    could have been mined at one moment; `alerts`: a person may have been told."""
    verdict = Verdict()
    verdict.found["doubled"] += _doubled(room)
    verdict.found["doubled"] += [f"two transactions for {one} could be mined" for one in sorted(two_alive)]
    verdict.found["lost"] += _lost(room, may_fail)
    verdict.found["unexplained"] += _unexplained(room, alerts=alerts)
    return verdict


def _doubled(room: ClaimRoom) -> Iterator[str]:
    sent: Counter[ConditionId] = Counter()
    for mined in room.chain.mined:
        sent.update(call.condition_id for call in mined.calls if mined.ours)
    yield from (f"{condition} was sent {count} times" for condition, count in sent.items() if count > 1)


def _lost(room: ClaimRoom, may_fail: tuple[str, ...]) -> Iterator[str]:
    yield from (f"send {send.id} is {send.status}" for send in room.sends() if send.is_open)
    paid = {payout.condition_id for mined in room.chain.mined for payout in mined.payouts}
    by_us = {each.condition_id for mined in room.chain.mined if mined.ours for each in mined.payouts}
    for record in _claims(room):
        condition, result = record.intent.condition_id, record.result or ""
        if record.status in (IntentStatus.APPROVED, IntentStatus.EXECUTING):
            yield f"claim {record.id} is {record.status}"
        elif condition in paid and result not in PAID:
            yield f"claim {record.id} ended as {result}, and the chain paid it"
        elif condition in by_us and record.status is not IntentStatus.EXECUTED:
            yield f"claim {record.id} ended as {result}, and we were paid for it"
        elif condition not in paid and result not in may_fail:
            yield f"claim {record.id} ended as {record.status}, {result}, and nothing was paid"


def _unexplained(room: ClaimRoom, *, alerts: bool) -> Iterator[str]:
    stores = room.world.stores
    ledger = {(p.tx_hash, p.log_index, p.block_hash, p.pusd) for m in room.chain.mined for p in m.payouts}
    books = {
        (p.tx_hash, p.log_index, p.block_hash, p.pusd)
        for p in (entry.payout for entry in stores.claims.payouts())
    }
    yield from (f"the chain paid {row}, the books do not have it" for row in sorted(ledger - books))
    yield from (f"the books have {row}, the chain does not" for row in sorted(books - ledger))
    came = Pusd(sum((row[3] for row in ledger), ZERO))
    if room.chain.money - room.opening != came:
        yield "the pretended chain itself does not add up"
    portfolio = portfolio_of(stores.orders.fills(), starting_cash=NO_MONEY, booked=stores.books.movements())
    yield from portfolio.contradictions
    ours = _ours(room)
    if portfolio.brought != ours:
        yield f"the results have {portfolio.brought} pUSD of {ours}"
    for position in portfolio.held():
        there = room.chain.held.get(position.asset_id, ZERO)
        if there != position.shares:
            yield f"{position.shares} of {position.asset_id} in the books, {there} on the chain"
    tripped = any(
        switch.type is KillSwitchType.RECONCILIATION and switch.tripped for switch in stores.switches.list()
    )
    if tripped and not alerts:
        yield "a person was told of a difference, and there is none"
    yield from room.world.engine.audit().findings


def _ours(room: ClaimRoom) -> Pusd:
    """What was paid for shares that were bought here; the wallet had others beside them."""
    paid = {payout.condition_id for mined in room.chain.mined for payout in mined.payouts}
    brought = ZERO
    for fill in room.world.stores.orders.fills():
        payouts = room.chain.markets[fill.condition_id].payouts
        if fill.condition_id in paid and payouts is not None:
            brought += floor_e6(fill.shares * payouts[0])  # of each market the first outcome was bought
    return Pusd(brought)


def _claims(room: ClaimRoom) -> tuple[IntentRecord, ...]:
    return room.world.intents.list(types=(IntentType.CLAIM_SETTLEMENT,), limit=None)
