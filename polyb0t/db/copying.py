"""A database into another, empty one: every row of every table, counted and hashed on both sides.

Nobody can write to the source meanwhile, the target gets all of it in one transaction or nothing, and
what was written is read back and compared before that transaction is committed. The database's id goes
along: it is the same database in another place, and no restored one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, delete, insert, make_url, select, text

from polyb0t.core.clock import Clock
from polyb0t.core.errors import ConflictError, DatabaseError
from polyb0t.db.audit import audit
from polyb0t.db.engine import Database, open_database
from polyb0t.db.migrate import refuse_running, upgrade
from polyb0t.db.stores import UNCLAIMED
from polyb0t.db.tables import complete_metadata, gates, journal, journal_head, kill_switches
from polyb0t.db.unit import SCHEMA_VERSION, version_error
from polyb0t.execution.scope import Scope

ROWS_AT_ONCE: Final = 1_000
_FIRST_ROWS: Final = (gates, kill_switches, journal_head)  # what the migrations insert


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in the target now. `rows` by table; `again`: an earlier run had put it there."""

    scope: Scope
    database_id: str
    sequence: int  # of the journal's last entry
    head: str
    rows: dict[str, int]
    again: bool = False


def holds_password(url: str) -> bool:
    """Whether a database URL tells a password: between user and host, or as a parameter."""
    parsed = make_url(url)
    return bool(parsed.password) or "password" in parsed.query


def copy_database(source_url: str, target_url: str, clock: Clock) -> Copied:
    """Copy everything and prove it.

    Raises:
        ConflictError: an engine runs on the source, or the target is in use.
        DatabaseError: one of them cannot be used, or what arrived is not what was sent.
    """
    upgrade(target_url, clock)
    source, target = open_database(source_url, clock), open_database(target_url, clock)
    try:
        return source.write(lambda reading: _from(source, reading, target))
    finally:
        source.close()
        target.close()


def _from(source: Database, reading: Connection, target: Database) -> Copied:
    gate = reading.execute(select(gates)).mappings().one()
    if gate["schema_version"] != SCHEMA_VERSION:
        raise version_error(gate["schema_version"])
    if gate["scope"] == UNCLAIMED:
        raise _refused(f"{source.name} was never used.", "Name the database that the engine ran on.")
    refuse_running(source, reading, "")
    return target.write(lambda writing: _into(reading, gate, target, writing))


def _into(reading: Connection, gate: RowMapping, target: Database, writing: Connection) -> Copied:
    if not target.is_sqlite:  # reading the source takes its time
        writing.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    scope = Scope.parse(gate["scope"])
    if _is_there(reading, gate, target, writing):
        return _told(writing, gate, scope, _count(writing), again=True)
    for table in _FIRST_ROWS:
        writing.execute(delete(table))
    rows = {table.name: _copy(reading, writing, table) for table in complete_metadata().sorted_tables}
    if not target.is_sqlite:
        _continue_numbers(writing)
    _prove(reading, writing, scope)
    return _told(writing, gate, scope, rows, again=False)


def _is_there(reading: Connection, gate: RowMapping, target: Database, writing: Connection) -> bool:
    """Whether the target holds this very database already, which is no reason to complain.

    Raises:
        ConflictError: it holds something else, or has gone on.
    """
    there = writing.execute(select(gates.c.scope, gates.c.database_id)).one()
    if there.scope == UNCLAIMED:
        return False
    mine = reading.execute(select(journal_head)).mappings().one()
    theirs = writing.execute(select(journal_head)).mappings().one()
    if there.database_id == gate["database_id"] and mine["hash"] == theirs["hash"]:
        return True
    raise _refused(f"{target.name} holds {there.scope} already.", "Name an empty database.")


def _copy(reading: Connection, writing: Connection, table: Table) -> int:
    number = 0
    for rows in _batches(reading, table):
        writing.execute(insert(table), rows)
        number += len(rows)
    return number


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings()
    for part in result.partitions(ROWS_AT_ONCE):
        yield [dict(row) for row in part]


def _continue_numbers(writing: Connection) -> None:
    """Numbers that the server gives go on behind those that came along."""
    for table in complete_metadata().sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            of = text("SELECT pg_get_serial_sequence(:table, :column)")
            sequence = writing.scalar(of, {"table": table.name, "column": column.name})
            if sequence is not None:
                last = f"SELECT setval(:sequence, (SELECT coalesce(max({column.name}), 0) + 1 FROM {table.name}), false)"  # noqa: S608, E501 - names of our own tables
                writing.execute(text(last), {"sequence": sequence})


def _prove(reading: Connection, writing: Connection, scope: Scope) -> None:
    """Every table read back, then the journal against the tables, as `audit verify` does it."""
    for table in complete_metadata().sorted_tables:
        sent, arrived = _fingerprint(reading, table), _fingerprint(writing, table)
        if sent != arrived:
            raise _damaged(f"{table.name}: {sent[0]} rows were read and {arrived[0]} arrived, or others.")
    before, after = audit(reading, scope).findings, audit(writing, scope).findings
    if before != after:
        raise _damaged(f"The audit finds {len(after)} differences there and {len(before)} here.")


def _fingerprint(connection: Connection, table: Table) -> tuple[int, int]:
    """How many rows, and the sum of their hashes: the two databases sort texts differently."""
    number, total = 0, 0
    for rows in _batches(connection, table):
        for row in rows:
            content = repr([(name, row[name]) for name in sorted(row)]).encode()
            total += int.from_bytes(hashlib.sha256(content).digest(), "big")
            number += 1
    return number, total % (1 << 256)


def _count(connection: Connection) -> dict[str, int]:
    return {table.name: _fingerprint(connection, table)[0] for table in complete_metadata().sorted_tables}


def _told(
    writing: Connection, gate: RowMapping, scope: Scope, rows: dict[str, int], *, again: bool
) -> Copied:
    head = writing.execute(select(journal_head)).mappings().one()
    assert journal.name in rows
    return Copied(scope, gate["database_id"], int(head["sequence"]), head["hash"], rows, again)


def _refused(why: str, do: str) -> ConflictError:
    return ConflictError("Nothing was copied.", why=why, do=do, code="database_not_empty")


def _damaged(why: str) -> DatabaseError:
    return DatabaseError(
        "Nothing was copied: what arrived is not what was sent.",
        why=why,
        do="Nothing was changed. Look at the disk and the server's log, and try again.",
        code="copy_differs",
    )
