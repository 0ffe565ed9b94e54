"""Whether the chain still has what the books have of it, for a while after it was believed.

A block that lies deep enough is not taken back, says the confirmation depth. Where it happens all the same,
the payment leaves the books, a person is told, and its transaction is looked for again.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Final

import structlog

from polyb0t.core.units import ZERO, Pusd
from polyb0t.execution.settlement.evidence import Evidence
from polyb0t.execution.settlement.parts import ClaimParts
from polyb0t.execution.settlement.ports import Receipt
from polyb0t.execution.settlement.sends import SendRecord, SendStatus
from polyb0t.execution.settlement.store import BookedPayout, SendNews

log = structlog.get_logger(__name__)

_GONE: Final = "Its block was taken back by the chain after it was deep enough."


class Rechecker:
    """Asks one thing of each block with a payment: whether it still lies there."""

    def __init__(self, parts: ClaimParts, *, alert: Callable[[str, str], None]) -> None:
        """`alert` gets the name of what it is about, and a sentence."""
        self._parts = parts
        self._alert = alert
        self._evidence = Evidence(parts)
        self._looked_at = float("-inf")

    def look(self) -> None:
        """Once in a while; the first look of a process is at once.

        Raises:
            VenueUnreachableError: the chain was not read; the next look goes on.
            DatabaseError, LeaseLostError: what came of it could not be written.
        """
        now = self._parts.clock.boot_seconds()
        if now - self._looked_at < self._parts.settings.recheck_seconds:
            return
        entries = self._parts.stores.claims.payouts(with_removed=True)
        sends = {send.id: send for send in self._parts.stores.claims.sends()}
        if entries:
            self._compare(entries, sends)
        self._looked_at = now

    def _compare(self, entries: tuple[BookedPayout, ...], sends: dict[str, SendRecord]) -> None:
        oldest = self._parts.head().number - self._parts.settings.watch_blocks
        by_hash = sorted(entries, key=lambda entry: entry.payout.tx_hash)
        for tx_hash, group in groupby(by_hash, key=lambda entry: entry.payout.tx_hash):
            paid = tuple(group)
            send = next((sends[entry.send_id] for entry in paid if entry.send_id in sends), None)
            if send is not None and send.is_open:
                continue  # it is followed anyway
            if all(entry.payout.block_number <= oldest for entry in paid):
                self._over(send)
            else:
                self._payment(tx_hash, paid, send)

    def _over(self, send: SendRecord | None) -> None:
        if send is not None and send.status is SendStatus.CONFIRMED and send.raw is not None:
            self._parts.stores.claims.finish(send.id, self._parts.lease)

    def _payment(self, tx_hash: str, paid: tuple[BookedPayout, ...], send: SendRecord | None) -> None:
        standing = [entry for entry in paid if entry.removed_at is None]
        if standing and not any(self._evidence.moved(entry.payout) for entry in standing):
            return
        receipt = self._parts.chain.receipt(tx_hash)
        if receipt is not None and not standing:
            self._rebook(receipt, paid)
        elif standing:
            self._take_back(tx_hash, standing, send, receipt)
        elif send is not None and send.status is SendStatus.CONFIRMED:
            self._look_again(send)  # a crash came between the booking and the send

    def _take_back(
        self, tx_hash: str, gone: list[BookedPayout], send: SendRecord | None, receipt: Receipt | None
    ) -> None:
        """Told first: a crash in between tells it again, and never not at all."""
        total = sum(entry.payout.pusd for entry in gone)
        if receipt is None:
            self._alert(send.id if send else tx_hash, f"the chain took {tx_hash} back, with {total} pUSD.")
        self._parts.stores.claims.take_back(tx_hash, self._parts.lease, detail=_GONE)
        log.warning("claim.reorganised", tx_hash=tx_hash, payments=len(gone), late=True)
        if receipt is not None:
            self._rebook(receipt, tuple(gone))
        elif send is not None:
            self._look_again(send)

    def _rebook(self, receipt: Receipt, paid: tuple[BookedPayout, ...]) -> None:
        """The same transaction in another block takes the same shares along."""
        before = {entry.payout.condition_id: entry for entry in reversed(paid)}
        again = [
            replace(before.pop(each.condition_id), payout=each, removed_at=None)
            for each in receipt.payouts
            if each.condition_id in before
        ]
        self._parts.stores.claims.book(again, self._parts.lease)

    def _look_again(self, send: SendRecord) -> None:
        if send.status is SendStatus.CONFIRMED:
            detail = f"{_GONE} It is looked for again."
            news = SendNews(SendStatus.UNKNOWN, "reorganised", detail, paid=Pusd(ZERO), gas_cost_wei=0)
            self._parts.stores.claims.settle(send.id, self._parts.lease, news)
