"""What the chain says about one send: whose transaction paid, whether it is the amount, whether it stands."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Pusd
from polyb0t.execution.settlement.booking import total_of
from polyb0t.execution.settlement.parts import ClaimParts
from polyb0t.execution.settlement.ports import ClaimRoute, Payout
from polyb0t.execution.settlement.sends import SendRecord


class Own(NamedTuple):
    """A transaction that is proven to be of `send`."""

    send: SendRecord
    tx_hash: str


class Evidence:
    """Reads only. Raises VenueUnreachableError and DatabaseError."""

    def __init__(self, parts: ClaimParts) -> None:
        self._parts = parts

    def others(self, send: SendRecord, conditions: Sequence[ConditionId]) -> tuple[Payout, ...]:
        """What other transactions paid for these markets since it was made."""
        if not conditions:
            return ()
        found = self._parts.chain.payouts(send.wallet, tuple(conditions), from_block=send.from_block)
        return tuple(each for each in found if each.tx_hash.lower() != send.tx_hash)

    def own(self, send: SendRecord, paid: Sequence[Payout]) -> Own | None:
        """The one among the payments that is ours all the same: of the same nonce and known by its hash, or
        carried by a relayer that never told us its name."""
        hashes = list(dict.fromkeys(each.tx_hash.lower() for each in paid))
        for sibling in self._parts.stores.claims.sends():
            same = (sibling.route, sibling.nonce, sibling.wallet) == (send.route, send.nonce, send.wallet)
            if same and sibling.tx_hash and sibling.tx_hash in hashes:
                return Own(sibling, sibling.tx_hash)
        if send.route is not ClaimRoute.RELAYER or send.raw is None:
            return None
        found = next((each for each in hashes if self._parts.chain.carries(each, send.raw)), None)
        return None if found is None else Own(send, found)

    def difference(self, send: SendRecord, total: Pusd, elsewhere: Sequence[Payout]) -> str:
        """What nothing explains between what was expected and what the chain says."""
        apart = send.expected - total - total_of(elsewhere)
        if apart:
            return f"it paid {total} pUSD and {send.expected} were expected."
        came = self._parts.chain.balance(send.wallet) - send.balance_before
        if came < total and not self._spent_since(send):
            return f"it paid {total} pUSD and the balance rose by {came} only."
        return ""

    def taken_back(self, tx_hash: str) -> bool:
        """Whether another block lies where its payments were: a node that is behind proves nothing."""
        booked = [
            entry.payout
            for entry in self._parts.stores.claims.payouts()
            if entry.payout.tx_hash == tx_hash.lower()
        ]
        return not booked or any(self.moved(payout) for payout in booked)

    def moved(self, payout: Payout) -> bool:
        lies = self._parts.chain.block_hash(payout.block_number)
        return lies is not None and lies != payout.block_hash.lower()

    def _spent_since(self, send: SendRecord) -> bool:
        """Whether anything of ours may have taken money since: then the balance proves nothing."""
        stores = self._parts.stores
        recent = any(
            fill.matched_at >= send.created_at - timedelta(minutes=5) for fill in stores.orders.fills()
        )
        moved = any(
            entry.movement.at >= send.created_at for entry in stores.books.movements() if not entry.taken
        )
        return recent or moved
