"""The journal against the tables: every hash, every digest, every transition, from the first entry on."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, select

from polyb0t.core.canonical import sha256_hex
from polyb0t.core.errors import DatabaseError
from polyb0t.db.audit_approvals import approval_findings
from polyb0t.db.audit_claims import ToldClaims, claim_findings
from polyb0t.db.journal import verify_chain
from polyb0t.db.rows import intent_columns, parse_intent
from polyb0t.db.tables import (
    fills,
    gates,
    journal,
    kill_switches,
    orders,
    standing_approvals,
    standing_uses,
    trade_intents,
)
from polyb0t.execution.intents import TRANSITIONS, IntentStatus
from polyb0t.execution.orders import ORDER_TRANSITIONS, OrderStatus
from polyb0t.execution.scope import Scope
from polyb0t.execution.standing import ACTOR
from polyb0t.execution.store import AuditReport

Moves = Mapping[Any, frozenset[Any]]


@dataclass(slots=True)
class _Told:
    """What the journal, read to its end, says how everything stands."""

    intents: dict[str, str]
    digests: dict[str, str]
    orders: dict[str, str]
    fills: dict[tuple[str, int, str], str]
    switches: dict[str, bool]
    epoch: int = 0
    standing: dict[str, str] = field(default_factory=dict)  # digest by id
    adopted: set[str] = field(default_factory=set)  # intents that a restored database had forgotten to send
    claims: ToldClaims = field(default_factory=ToldClaims)


def audit(connection: Connection, scope: Scope) -> AuditReport:
    """Check everything in one read transaction; what is wrong is told, nothing is changed."""
    chain = verify_chain(connection, scope)
    findings = [] if chain.intact else [f"Journal entry {chain.broken_at}: {chain.detail}."]
    told = _Told({}, {}, {}, {}, {})
    rows = connection.execute(
        select(journal.c.sequence, journal.c.kind, journal.c.subject, journal.c.payload)
        .where(journal.c.scope == str(scope))
        .order_by(journal.c.sequence)
    )
    for row in rows:
        try:
            fault = _replay(told, row.kind, row.subject, json.loads(row.payload))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            fault = f"cannot be read ({type(error).__name__} {error})"
        if fault:
            findings.append(f"Journal entry {row.sequence}: {fault}.")
    findings += _intents(connection, scope, told)
    findings += _compare("Order", told.orders, _statuses(connection, scope, orders))
    findings += _compare("Fill", _flat(told.fills), _flat(_stored_fills(connection, scope)))
    findings += _switches(connection, scope, told)
    findings += _standing(connection, scope, told)
    findings += approval_findings(connection, scope, told.digests | told.standing, told.adopted)
    findings += claim_findings(connection, scope, told.claims)
    return AuditReport(
        entries=chain.entries,
        head=chain.head,
        intents=len(told.intents),
        orders=len(told.orders),
        fills=len(told.fills),
        sends=len(told.claims.sends),
        findings=tuple(findings),
    )


def _replay(told: _Told, kind: str, subject: str, payload: Mapping[str, Any]) -> str:
    """Apply one entry; what is wrong with it, or nothing."""
    if kind == "intent.proposed":
        told.digests[subject] = payload["digest"]
        return _begin(told.intents, subject, IntentStatus.PENDING)
    if kind.startswith("intent."):
        if payload["digest"] != told.digests.get(subject):
            return f"intent {subject} has another digest than when it was proposed"
        if payload.get("adopted"):
            told.adopted.add(subject)
        return _go(told.intents, subject, payload, IntentStatus, TRANSITIONS)
    if kind == "order.permitted":
        return _begin(told.orders, subject, OrderStatus.SIGNED)
    if kind == "order.settled":
        return _go(told.orders, subject, payload, OrderStatus, ORDER_TRANSITIONS)
    if kind == "fill.recorded":
        return _fill(told, subject, payload)
    if kind.startswith(("claim.", "payout.")):
        return told.claims.apply(kind, subject, payload)
    if kind == "standing.approved":
        told.standing[subject] = payload["digest"]
    if kind in ("switch.tripped", "switch.cleared"):
        told.switches[subject] = kind == "switch.tripped"
        told.epoch = int(payload["epoch"])
    return ""


def _begin(known: dict[str, str], subject: str, status: str) -> str:
    again = subject in known
    known[subject] = status
    return f"{subject} begins a second time" if again else ""


def _go(known: dict[str, str], subject: str, payload: Mapping[str, Any], statuses: Any, moves: Moves) -> str:
    before, after = statuses(payload["from"]), statuses(payload["to"])
    was = known.get(subject)
    known[subject] = after
    if was != before:
        return f"{subject} leaves {before}, and it was {was or 'never begun'}"
    return (
        "" if after in moves[before] else f"{subject} goes from {before} to {after}, which is no legal move"
    )


def _fill(told: _Told, trade: str, payload: Mapping[str, Any]) -> str:
    key = (trade, int(payload["bucket"]), str(payload["order"]))
    before, after = payload["from"], str(payload["to"])
    was = told.fills.get(key)
    told.fills[key] = after
    return "" if was == before else f"fill {trade} leaves {before}, and it was {was}"


def _intents(connection: Connection, scope: Scope, told: _Told) -> list[str]:
    found = _compare("Intent", told.intents, _statuses(connection, scope, trade_intents))
    query = select(trade_intents).where(trade_intents.c.scope == str(scope))
    for row in connection.execute(query).mappings():
        if sha256_hex(row["canonical"]) != row["digest"]:
            found.append(f"Intent {row['id']}: its text does not have its digest.")
            continue
        if told.digests.get(row["id"]) != row["digest"]:
            found.append(f"Intent {row['id']}: the journal knows another digest.")
        try:
            wanted = intent_columns(parse_intent(row["canonical"], row["digest"]))
        except DatabaseError as error:
            found.append(f"Intent {row['id']}: {error.why}")
            continue
        other = [name for name, value in wanted.items() if row[name] != value]
        if other:
            found.append(f"Intent {row['id']}: {', '.join(other)} beside its text are another than in it.")
    return found


def _switches(connection: Connection, scope: Scope, told: _Told) -> list[str]:
    query = select(kill_switches.c.name, kill_switches.c.tripped).where(kill_switches.c.scope == str(scope))
    stored = {row.name: bool(row.tripped) for row in connection.execute(query)}
    found = [
        f"Switch {name}: {'tripped' if tripped else 'clear'} in its row, the journal says otherwise."
        for name, tripped in sorted(stored.items())
        if tripped != told.switches.get(name, False)
    ]
    epoch = connection.scalar(select(gates.c.epoch).where(gates.c.scope == str(scope)))
    if epoch != told.epoch:
        found.append(f"The gate's epoch is {epoch}; by the journal it is {told.epoch}.")
    return found


def _standing(connection: Connection, scope: Scope, told: _Told) -> list[str]:
    """Every standing approval is the one that was given, and one stands behind each decision in its name."""
    given = select(standing_approvals).where(standing_approvals.c.scope == str(scope))
    stored = {row["id"]: sha256_hex(row["canonical"]) for row in connection.execute(given).mappings()}
    found = _compare("Standing approval", told.standing, stored)
    decided = (
        select(trade_intents.c.id, trade_intents.c.decided_by, standing_uses.c.standing_id)
        .outerjoin(standing_uses, standing_uses.c.intent_id == trade_intents.c.id)
        .where(trade_intents.c.scope == str(scope), trade_intents.c.decided_by.startswith(ACTOR))
    )
    found += [
        f"Intent {row.id}: decided by {row.decided_by}, which no use of one stands behind."
        for row in connection.execute(decided)
        if row.standing_id not in stored or row.decided_by != f"{ACTOR}{row.standing_id}"
    ]
    return found


def _statuses(connection: Connection, scope: Scope, table: Table) -> dict[str, str]:
    query = select(table.c.id, table.c.status).where(table.c.scope == str(scope))
    return {row.id: row.status for row in connection.execute(query)}


def _stored_fills(connection: Connection, scope: Scope) -> dict[tuple[str, int, str], str]:
    table = fills.c
    query = select(table.trade_id, table.bucket_index, table.order_id, table.status)
    rows = connection.execute(query.where(table.scope == str(scope)))
    return {(row.trade_id, row.bucket_index, row.order_id): row.status for row in rows}


def _flat(of: Mapping[tuple[str, int, str], str]) -> dict[str, str]:
    return {f"{trade} ({bucket}) of {order}": status for (trade, bucket, order), status in of.items()}


def _compare(what: str, told: Mapping[str, str], stored: Mapping[str, str]) -> list[str]:
    def faults() -> Iterable[str]:
        for key in sorted(told.keys() | stored.keys()):
            if key not in stored:
                yield f"{what} {key}: the journal has it, the table does not."
            elif key not in told:
                yield f"{what} {key}: the table has it, the journal does not."
            elif told[key] != stored[key]:
                yield f"{what} {key}: {stored[key]} in the table, {told[key]} by the journal."

    return list(faults())
