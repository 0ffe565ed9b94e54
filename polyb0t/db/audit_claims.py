"""Claims against the journal: what was signed, each of its moves, every payment with the shares it took."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from polyb0t.core.canonical import canonical_value
from polyb0t.db.claim_store import (
    PAYOUT_BOOKED,
    PAYOUT_TAKEN_BACK,
    SEND_CONTENT,
    SEND_FINAL,
    SEND_PREPARED,
    SEND_SETTLED,
)
from polyb0t.db.tables import chain_payouts, claim_members, claim_sends, trade_intents
from polyb0t.execution.intents import IntentStatus, IntentType
from polyb0t.execution.scope import Scope
from polyb0t.execution.settlement.sends import SEND_TRANSITIONS, SendStatus

_NEWS: Final = ("tx_hash", "transaction_id", "paid", "gas_cost_wei")
_MONEY: Final = ("condition_id", "pusd", "send", "tx_hash", "taken")


@dataclass(slots=True)
class _Send:
    content: dict[str, Any]
    status: SendStatus
    news: dict[str, Any]
    was_confirmed: bool = False


@dataclass(slots=True)
class _Paid:
    content: dict[str, Any]
    standing: bool = True


@dataclass(slots=True)
class ToldClaims:
    """What the journal, read so far, says of signed claims and of payments."""

    sends: dict[str, _Send] = field(default_factory=dict)
    payouts: dict[str, _Paid] = field(default_factory=dict)

    def apply(self, kind: str, subject: str, payload: Mapping[str, Any]) -> str:
        """Take one entry in; what is wrong with it, or nothing.

        Raises:
            KeyError, ValueError: it is not what the program writes.
        """
        if kind == SEND_PREPARED:
            return self._prepared(subject, payload)
        if kind == SEND_SETTLED:
            return self._settled(subject, payload)
        if kind == SEND_FINAL:
            known = self.sends.get(subject)
            final = known is not None and known.status is SendStatus.CONFIRMED
            return "" if final else f"claim transaction {subject} is called final, and it is not confirmed"
        if kind == PAYOUT_BOOKED:
            return self._booked(subject, payload)
        if kind == PAYOUT_TAKEN_BACK:
            return self._taken_back(subject)
        return ""

    def _prepared(self, subject: str, payload: Mapping[str, Any]) -> str:
        again = subject in self.sends
        content = {name: payload[name] for name in (*SEND_CONTENT, "members")}
        self.sends[subject] = _Send(content, SendStatus.PREPARED, {"tx_hash": payload["tx_hash"].lower()})
        return f"claim transaction {subject} begins a second time" if again else ""

    def _settled(self, subject: str, payload: Mapping[str, Any]) -> str:
        before, after = SendStatus(payload["from"]), SendStatus(payload["to"])
        known = self.sends.get(subject)
        if known is None:
            return f"claim transaction {subject} leaves {before}, and it was never begun"
        was, known.status = known.status, after
        known.news |= {name: payload[name] for name in _NEWS if name in payload}
        known.was_confirmed |= after is SendStatus.CONFIRMED
        if was is not before:
            return f"claim transaction {subject} leaves {before}, and it was {was}"
        if after is before or after in SEND_TRANSITIONS[before]:
            return ""
        return f"claim transaction {subject} goes from {before} to {after}, which is no legal move"

    def _booked(self, subject: str, payload: Mapping[str, Any]) -> str:
        known = self.payouts.get(subject)
        self.payouts[subject] = _Paid({name: payload[name] for name in _MONEY})
        if payload["send"] and payload["send"] not in self.sends:
            return f"payment {subject} is of a claim transaction that was never begun"
        return f"payment {subject} is booked twice" if known is not None and known.standing else ""

    def _taken_back(self, subject: str) -> str:
        known = self.payouts.get(subject)
        if known is None or not known.standing:
            return f"payment {subject} is taken back, and it was not in the books"
        known.standing = False
        return ""


def claim_findings(connection: Connection, scope: Scope, told: ToldClaims) -> list[str]:
    """Where the tables say something else than the journal."""
    return [
        *_sends(connection, scope, told),
        *_payouts(connection, scope, told),
        *_executed(connection, scope, told),
    ]


def _sends(connection: Connection, scope: Scope, told: ToldClaims) -> list[str]:
    query = select(claim_sends).where(claim_sends.c.scope == str(scope))
    stored = {row["id"]: row for row in connection.execute(query).mappings()}
    members = _members(connection)
    found = _absent("Claim transaction", told.sends.keys(), stored.keys())
    for send_id in sorted(told.sends.keys() & stored.keys()):
        by_journal, row = told.sends[send_id], stored[send_id]
        here = {name: canonical_value(row[name]) for name in (*SEND_CONTENT, *by_journal.news)}
        here |= {"members": members.get(send_id, []), "status": row["status"]}
        there = {**by_journal.content, **by_journal.news, "status": by_journal.status.value}
        found += _apart(f"Claim transaction {send_id}", here, there)
        if row["raw"] is not None and by_journal.status in _VOID:
            found.append(
                f"Claim transaction {send_id}: {row['status']}, and its signed bytes are still there."
            )
    return found


_VOID: Final = frozenset({SendStatus.REVERTED, SendStatus.DROPPED, SendStatus.ALREADY_PAID})


def _payouts(connection: Connection, scope: Scope, told: ToldClaims) -> list[str]:
    query = select(chain_payouts).where(chain_payouts.c.scope == str(scope))
    stored = {row["key"]: row for row in connection.execute(query).mappings()}
    found = _absent("Payment", told.payouts.keys(), stored.keys())
    for key in sorted(told.payouts.keys() & stored.keys()):
        by_journal, row = told.payouts[key], stored[key]
        here = {**_money(row), "in the books": row["removed_at"] is None}
        there = {**by_journal.content, "in the books": by_journal.standing}
        found += _apart(f"Payment {key}", here, {**there, "tx_hash": there["tx_hash"].lower()})
    return found


def _executed(connection: Connection, scope: Scope, told: ToldClaims) -> list[str]:
    """A claim is executed by its own transaction and by nothing else."""
    query = select(trade_intents.c.id).where(
        trade_intents.c.scope == str(scope),
        trade_intents.c.intent_type == IntentType.CLAIM_SETTLEMENT,
        trade_intents.c.status == IntentStatus.EXECUTED,
    )
    paid = {
        member for send in told.sends.values() if send.was_confirmed for member in send.content["members"]
    }
    return [
        f"Claim {intent_id}: EXECUTED, and no transaction of it was ever confirmed."
        for intent_id in connection.scalars(query)
        if intent_id not in paid
    ]


def _money(row: RowMapping) -> dict[str, Any]:
    taken = {one["asset_id"]: one["shares"] for one in json.loads(row["taken"])}
    content = {name: row[name] for name in ("condition_id", "pusd", "tx_hash")}
    return {name: canonical_value(value) for name, value in {**content, "send": row["send_id"]}.items()} | {
        "taken": taken
    }


def _members(connection: Connection) -> dict[str, list[str]]:
    query = select(claim_members).order_by(claim_members.c.send_id, claim_members.c.place)
    found: dict[str, list[str]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["send_id"], []).append(row["intent_id"])
    return found


def _absent(what: str, told: Any, stored: Any) -> list[str]:
    gone = [f"{what} {key}: the journal has it, the table does not." for key in sorted(told - stored)]
    return gone + [f"{what} {key}: the table has it, the journal does not." for key in sorted(stored - told)]


def _apart(what: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    return [
        f"{what}: {name.replace('_', ' ')} is {here[name]} in the table, {told} by the journal."
        for name, told in sorted(there.items())
        if here[name] != told
    ]
