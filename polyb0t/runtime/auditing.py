"""Verifying the journal, and telling one intent's whole story."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from polyb0t.core.clock import iso
from polyb0t.core.ids import OrderId
from polyb0t.execution.anchor import AnchorFile, restored
from polyb0t.execution.intents import IntentRecord, IntentType
from polyb0t.execution.settlement.store import ClaimStores
from polyb0t.execution.store import AuditReport, JournalEntry
from polyb0t.runtime.opened import OpenedStore
from polyb0t.runtime.places import anchor_path
from polyb0t.runtime.views import View

_MANY = 100_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`anchor` is how the journal stands to the anchor file, as a sentence."""

    report: AuditReport
    anchor: str
    findings: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return not self.findings

    def view(self) -> View:
        """The same as data."""
        report = self.report
        return {
            "intact": self.intact,
            "entries": report.entries,
            "head": report.head,
            "intents": report.intents,
            "orders": report.orders,
            "fills": report.fills,
            "claim_transactions": report.sends,
            "anchor": self.anchor,
            "findings": list(self.findings),
        }


def verify(opened: OpenedStore) -> Verdict:
    """The whole journal against the tables and against the anchor beside the database.

    Raises:
        DatabaseError: it could not be read.
    """
    report = opened.stores.engine.audit()
    anchor = AnchorFile(anchor_path(opened.settings, opened.scope), opened.stores.engine)
    behind = restored(opened.stores, anchor)
    if behind is not None:
        return Verdict(report, behind.why, (*report.findings, f"Anchor: {behind.why}"))
    try:
        last = anchor.read()
    except ValueError:
        last = None
    said = "There is none yet: nothing was sent." if last is None else f"It holds, at entry {last.sequence}."
    return Verdict(report, said, report.findings)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a story. `seconds` since the step before it."""

    at: datetime
    seconds: float
    actor: str
    kind: str
    subject: str
    payload: Mapping[str, Any]
    sequence: int

    def view(self) -> View:
        """The same as data."""
        return {
            "sequence": self.sequence,
            "at": iso(self.at),
            "seconds_after": f"{self.seconds:.6f}",
            "actor": self.actor,
            "kind": self.kind,
            "subject": self.subject,
            "payload": dict(self.payload),
        }


def story(stores: ClaimStores, record: IntentRecord) -> tuple[Step, ...]:
    """Everything journalled of the intent, its order and the order's fills, of a claim its transactions and
    payments, in the order of the journal."""
    entries = list(stores.engine.journal(subject=record.id, limit=_MANY))
    if record.intent.intent_type is IntentType.CLAIM_SETTLEMENT:
        entries += _of_claim(stores, record)
    if record.order_id is not None:
        entries += stores.engine.journal(subject=record.order_id, limit=_MANY)
        for trade in dict.fromkeys(fill.trade_id for fill in stores.orders.fills(order_id=record.order_id)):
            found = stores.engine.journal(subject=trade, limit=_MANY)
            entries += [entry for entry in found if _is_of(entry, record.order_id)]
    steps: list[Step] = []
    for entry in sorted(entries, key=lambda one: one.sequence):
        seconds = (entry.at - steps[-1].at).total_seconds() if steps else 0.0
        content = json.loads(entry.payload)
        steps.append(Step(entry.at, seconds, entry.actor, entry.kind, entry.subject, content, entry.sequence))
    return tuple(steps)


def _of_claim(stores: ClaimStores, record: IntentRecord) -> list[JournalEntry]:
    """Its transactions; and the payments of its market, but for those by another claim's."""
    sends = [send.id for send in stores.claims.sends(intent_id=record.id)]
    paid = stores.claims.payouts((record.intent.condition_id,), with_removed=True)
    ours = [entry.payout for entry in paid if not entry.send_id or entry.send_id in sends]
    subjects = [*sends, *(f"{payout.tx_hash}:{payout.log_index}" for payout in ours)]
    return [entry for each in subjects for entry in stores.engine.journal(subject=each, limit=_MANY)]


def _is_of(entry: JournalEntry, order_id: OrderId) -> bool:
    return bool(json.loads(entry.payload).get("order") == order_id)
