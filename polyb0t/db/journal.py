"""The hash-chained journal: gap-free, in commit order, verifiable by anyone who has the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from polyb0t.core.canonical import canonical_text, sha256_hex
from polyb0t.core.clock import microseconds
from polyb0t.core.errors import DatabaseError
from polyb0t.db.tables import journal, journal_head
from polyb0t.execution.scope import Scope
from polyb0t.execution.store import JournalEntry

GENESIS: Final = "0" * 64
_COLUMNS: Final = tuple(field.name for field in fields(JournalEntry))
_HEAD: Final = select(journal_head.c.sequence, journal_head.c.hash, journal_head.c.at).where(
    journal_head.c.scope == bindparam("of_scope")
)
_NEWEST: Final = (
    select(journal)
    .where(journal.c.scope == bindparam("of_scope"), journal.c.subject == bindparam("of_subject"))
    .order_by(journal.c.sequence.desc())
    .limit(1)
)
_APPEND: Final = insert(journal)
_MOVE_HEAD: Final = (
    update(journal_head)
    .where(
        journal_head.c.scope == bindparam("of_scope"),
        journal_head.c.sequence == bindparam("was"),
        journal_head.c.hash == bindparam("was_hash"),
    )
    .values(sequence=bindparam("sequence"), hash=bindparam("hash"), at=bindparam("at"))
)


class Head(NamedTuple):
    """The last entry: what the next one continues, and before which no time is."""

    sequence: int
    hash: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """How far the chain holds: `broken_at` is the first sequence that does not follow, or None."""

    entries: int
    head: str
    broken_at: int | None
    detail: str

    @property
    def intact(self) -> bool:
        return self.broken_at is None


def head_of(connection: Connection, scope: Scope) -> Head | None:
    """Where the chain ends. Who holds the gate reads it once: nobody else appends meanwhile."""
    row = connection.execute(_HEAD, {"of_scope": str(scope)}).one_or_none()
    return None if row is None else Head(*row)


def append(
    connection: Connection,
    scope: Scope,
    head: Head | None,
    *,
    at: datetime,
    actor: str,
    kind: str,
    subject: str,
    payload: Mapping[str, object],
) -> Head:
    """Add one entry behind `head`; the new head.

    Raises:
        DatabaseError: the chain does not end there; nothing may be written.
    """
    if head is None:
        raise _elsewhere("It is missing.")
    body = canonical_text(payload)
    entry = JournalEntry(head.sequence + 1, at, actor, kind, subject, body, head.hash, "")
    row = {name: getattr(entry, name) for name in _COLUMNS}  # `asdict` copies each value deeply
    row |= {"hash": entry_hash(scope, entry), "scope": str(scope)}
    connection.execute(_APPEND, row)
    moved = Head(entry.sequence, row["hash"], at)
    was = {"of_scope": str(scope), "was": head.sequence, "was_hash": head.hash}
    if connection.execute(_MOVE_HEAD, {**was, **moved._asdict()}).rowcount != 1:
        raise _elsewhere("It moved although nobody may move it now.")
    return moved


def entry_hash(scope: Scope, entry: JournalEntry) -> str:
    """SHA-256 of the previous hash and the canonical text of the entry, its payload taken as text."""
    content = {
        "sequence": entry.sequence,
        "scope": str(scope),
        "at": microseconds(entry.at),
        "actor": entry.actor,
        "kind": entry.kind,
        "subject": entry.subject,
        "payload": entry.payload,
    }
    return sha256_hex(entry.previous_hash + canonical_text(content))


def entries(
    connection: Connection, scope: Scope, *, after: int = 0, limit: int = 1000, subject: str | None = None
) -> tuple[JournalEntry, ...]:
    """Entries behind sequence `after`, oldest first."""
    query = select(journal).where(journal.c.scope == str(scope), journal.c.sequence > after)
    if subject is not None:
        query = query.where(journal.c.subject == subject)
    rows = connection.execute(query.order_by(journal.c.sequence).limit(limit)).mappings()
    return tuple(_entry(row) for row in rows)


def newest(connection: Connection, scope: Scope, subject: str) -> JournalEntry | None:
    """The last entry about `subject`; None without one."""
    about = {"of_scope": str(scope), "of_subject": subject}
    row = connection.execute(_NEWEST, about).mappings().one_or_none()
    return None if row is None else _entry(row)


def verify_chain(connection: Connection, scope: Scope) -> ChainReport:
    """Recompute every hash and compare the last with the head."""
    previous, expected = GENESIS, 0
    rows = connection.execute(
        select(journal).where(journal.c.scope == str(scope)).order_by(journal.c.sequence)
    ).mappings()
    for entry in map(_entry, rows):
        expected += 1
        fault = _fault(entry, expected, previous, scope)
        if fault:
            return ChainReport(expected - 1, previous, expected, fault)
        previous = entry.hash
    head = connection.execute(select(journal_head).where(journal_head.c.scope == str(scope))).one()
    if (head.sequence, head.hash) != (expected, previous):
        detail = f"the head says {head.sequence}, the last entry is {expected}"
        return ChainReport(expected, previous, expected + 1, detail)
    return ChainReport(expected, previous, None, "")


def _fault(entry: JournalEntry, expected: int, previous: str, scope: Scope) -> str:
    if entry.sequence != expected:
        return f"entry {expected} is missing"
    if entry.previous_hash != previous:
        return "it does not continue the entry before it"
    return "" if entry_hash(scope, entry) == entry.hash else "its content was altered"


def _elsewhere(why: str) -> DatabaseError:
    return DatabaseError(
        "Nothing was written: the journal's head is not where it was.",
        why=why,
        do="Run `polyb0t audit verify`.",
        code="database_damaged",
    )


def _entry(row: RowMapping) -> JournalEntry:
    return JournalEntry(
        sequence=row["sequence"],
        at=row["at"],
        actor=row["actor"],
        kind=row["kind"],
        subject=row["subject"],
        payload=row["payload"],
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
