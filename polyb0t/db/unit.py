"""One write unit: the gate is locked first, then time is read, then the work is done and journalled."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import BindParameter, Connection, RowMapping, Table, Update, bindparam, select, update

from polyb0t.core.errors import ConflictError, DatabaseError, LeaseLostError, PolybotError
from polyb0t.db import journal
from polyb0t.db.engine import Database
from polyb0t.db.tables import engine_lease, gates, journal_head, kill_switches
from polyb0t.execution.scope import LEASE_SECONDS, Scope
from polyb0t.execution.store import Lease
from polyb0t.models.kill_switches import KillSwitchType, Override, Stance, SwitchState, stance_of

T = TypeVar("T")

SCHEMA_VERSION: Final = 8
ENGINE: Final = "engine"  # the actor of what the engine does by itself
ROLES: Final = ("engine", "claims")


# Made once: a statement that is made anew for each unit costs more than running it.
_SCOPE: Final[BindParameter[str]] = bindparam("scope")
_GATE: Final = select(gates).where(gates.c.scope == _SCOPE).with_for_update()
# Who appends to the journal holds the gate, so its head is locked with it: one statement less in every unit.
_GATE_AND_HEAD: Final = (
    select(
        gates,
        journal_head.c.sequence.label("head_sequence"),
        journal_head.c.hash.label("head_hash"),
        journal_head.c.at.label("head_at"),
    )
    .join(journal_head, journal_head.c.scope == gates.c.scope)
    .where(gates.c.scope == _SCOPE)
    .with_for_update()
)
_LEASE: Final = select(engine_lease).where(
    engine_lease.c.scope == _SCOPE, engine_lease.c.role == bindparam("role")
)
_SWITCHES: Final = select(kill_switches).where(kill_switches.c.scope == _SCOPE).order_by(kill_switches.c.name)
_SWITCHES_LOCKED: Final = _SWITCHES.with_for_update()


class Unit:
    """A transaction that holds the gate. `now` never moves back."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        scope: Scope,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.connection = connection
        self.database = database
        self.scope = scope
        self.lease_seconds = lease_seconds
        self.gate, self._head = self._locked_gate()
        self.now = monotonic_now(connection, database, self._head)
        self._epoch = int(self.gate["epoch"])
        self._switches: tuple[SwitchState, ...] | None = None
        self._leases: dict[str, RowMapping | None] = {}  # by role, as they stand behind the gate

    @property
    def epoch(self) -> int:
        return self._epoch

    def raise_epoch(self) -> int:
        """Every trip does: what was approved before it is not permitted after it."""
        self._epoch += 1
        where = gates.c.scope == str(self.scope)
        self.connection.execute(update(gates).where(where).values(epoch=self._epoch))
        return self._epoch

    def switches(self) -> Sequence[SwitchState]:
        """The rows as they stand, locked; a trip waits behind us or we behind it."""
        if self._switches is None:
            self._switches = self._locked_switches()
        return self._switches

    def stance(self) -> Stance:
        return stance_of(self.switches())

    def require_lease(self, lease: Lease) -> RowMapping:
        """The lease's row.

        Raises:
            LeaseLostError: another engine has taken over, or the lease was given back.
        """
        if lease.role not in self._leases:
            self._leases[lease.role] = self._lease(lease.role)
        row, current = self._leases[lease.role], self.token(lease.role)
        if row is None or row["released"] or not lease.token == row["token"] == current:
            raise LeaseLostError(
                "Nothing was written.",
                why=f"This process had lease {lease.token} of {lease.role}; the present one is {current}.",
                do="Another engine has taken over; stop this one.",
            )
        return row

    def token(self, role: str) -> int:
        return int(self.gate[f"{role}_token"])

    def lease_lasts_until(self, lease: Lease) -> datetime:
        """When a standby may take over, by database time."""
        beat: datetime = self.require_lease(lease)["beat_at"]
        return beat + timedelta(seconds=self.lease_seconds)

    def note(self, kind: str, subject: str, payload: Mapping[str, object], *, actor: str) -> int:
        """Append to the journal; the sequence of the entry."""
        self._head = journal.append(
            self.connection,
            self.scope,
            self._head,
            at=self.now,
            actor=actor,
            kind=kind,
            subject=subject,
            payload=payload,
        )
        return self._head.sequence

    # -- what a unit reads before it writes --------------------------------------------------------

    def _locked_gate(self) -> tuple[RowMapping, journal.Head | None]:
        return _gate_and_head(self.connection, self.scope)

    def _lease(self, role: str) -> RowMapping | None:
        whose = {"scope": str(self.scope), "role": role}
        return self.connection.execute(_LEASE, whose).mappings().one_or_none()

    def _locked_switches(self) -> tuple[SwitchState, ...]:
        return switch_states(self.connection, self.scope, lambda: self.now, lock=True)


class Units:
    """Runs write units and reads of one scope."""

    def __init__(
        self,
        database: Database,
        scope: Scope,
        lease_seconds: float = LEASE_SECONDS,
        unit: type[Unit] = Unit,
    ) -> None:
        self.database = database
        self.scope = scope
        self._lease_seconds = lease_seconds
        self._unit = unit

    def write(self, work: Callable[[Unit], T]) -> T:
        """`work` in one transaction; an error that it raises undoes everything."""
        return self.database.write(
            lambda connection: work(self._unit(connection, self.database, self.scope, self._lease_seconds))
        )

    def decide(self, work: Callable[[Unit], T | PolybotError]) -> T:
        """As `write`; an error that `work` returns is raised after its changes are committed (an intent
        that was found to be too late stays expired)."""
        result = self.write(work)
        if isinstance(result, PolybotError):
            raise result
        return result

    def read(self, work: Callable[[Connection], T]) -> T:
        return self.database.read(work)

    def now(self) -> datetime:
        """max(database time, time of the journal's head)."""
        return self.read(lambda connection: time_of(connection, self.database, self.scope))


def monotonic_now(connection: Connection, database: Database, head: journal.Head | None) -> datetime:
    """Database time, never before the newest journal entry."""
    now = database.now(connection)
    return now if head is None or head.at is None else max(now, head.at)


def time_of(connection: Connection, database: Database, scope: Scope) -> datetime:
    """As `monotonic_now`, for who holds no gate and has not read the head."""
    return monotonic_now(connection, database, journal.head_of(connection, scope))


def switch_states(
    connection: Connection, scope: Scope, now: Callable[[], datetime], *, lock: bool = False
) -> tuple[SwitchState, ...]:
    """Every switch row that exists. `now` is asked only where an override may have ended."""
    rows = connection.execute(_SWITCHES_LOCKED if lock else _SWITCHES, {"scope": str(scope)}).mappings()
    return tuple(
        SwitchState(
            type=KillSwitchType(row["name"]),
            tripped=row["tripped"],
            at=row["changed_at"],
            by=row["changed_by"],
            reason=row["reason"],
            value=row["measured"],
            limit=row["threshold"],
            override=_override(row, now),
        )
        for row in rows
    )


def _override(row: RowMapping, now: Callable[[], datetime]) -> Override | None:
    until: datetime | None = row["override_until"]
    if until is None:
        return None
    return Override(until, row["override_by"], row["override_reason"], over=until <= now())


def changed(connection: Connection, statement: Update, values: Mapping[str, object] | None = None) -> bool:
    """Whether the conditional update moved exactly one row; `values` are its conditions and new columns."""
    return connection.execute(statement, values).rowcount == 1


def locked_gate(connection: Connection, scope: Scope) -> RowMapping:
    """The gate's row.

    Raises:
        DatabaseError: it is missing, or of another schema version.
        ConflictError: `foreign_scope`.
    """
    gate = connection.execute(_GATE, {"scope": str(scope)}).mappings().one_or_none()
    if gate is None:
        raise _no_gate(connection, gates, scope)
    return _known_version(gate)


def _gate_and_head(connection: Connection, scope: Scope) -> tuple[RowMapping, journal.Head | None]:
    both = connection.execute(_GATE_AND_HEAD, {"scope": str(scope)}).mappings().one_or_none()
    if both is None:  # or there is no head: then nothing can be appended, and that is said where it is tried
        return locked_gate(connection, scope), None
    return _known_version(both), journal.Head(both["head_sequence"], both["head_hash"], both["head_at"])


def _known_version(gate: RowMapping) -> RowMapping:
    if gate["schema_version"] != SCHEMA_VERSION:
        raise version_error(int(gate["schema_version"]))
    return gate


def _no_gate(connection: Connection, table: Table, scope: Scope) -> PolybotError:
    other = connection.scalar(select(table.c.scope))
    if other is None:
        return DatabaseError(
            "The database was not used.",
            why="Its gate row is missing, so nothing can be decided safely.",
            do="Restore a copy of it.",
            code="database_damaged",
        )
    return foreign_scope(str(other), scope)


def foreign_scope(owner: str, asked: Scope) -> ConflictError:
    """This database is another account's."""
    return ConflictError(
        "The database was not used.",
        why=f"It belongs to {owner or 'nobody yet'}, and this is {asked}.",
        do="Give every account its own database: set POLYBOT_DATABASE_URL or leave it unset.",
        code="foreign_scope",
    )


def version_error(found: int) -> DatabaseError:
    """The schema is not the one that this program was written for."""
    newer = found > SCHEMA_VERSION
    return DatabaseError(
        "The database was not used.",
        why=f"Its schema is version {found}; this program knows version {SCHEMA_VERSION}.",
        do="Install the newer polyb0t." if newer else "Bring it up with `polyb0t db upgrade`.",
        code="schema_newer" if newer else "schema_older",
    )
