"""Opens all of a scope's storage. The schema is checked with one cheap read, not with alembic."""

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, make_url, select, update

from polyb0t.core.clock import Clock
from polyb0t.core.errors import DatabaseError
from polyb0t.db.access_store import SqlAccessStore
from polyb0t.db.book_store import SqlBookStore
from polyb0t.db.claim_store import SqlClaimStore
from polyb0t.db.engine import Database, open_database
from polyb0t.db.engine_store import SqlEngineStore
from polyb0t.db.exit_store import SqlExitStore
from polyb0t.db.hand_store import SqlHandStore
from polyb0t.db.intent_store import SqlIntentStore
from polyb0t.db.journal import ChainReport, append, head_of, verify_chain
from polyb0t.db.kill_switch_store import SqlKillSwitchStore
from polyb0t.db.onlooker_store import SqlOnlookerStore
from polyb0t.db.order_store import SqlOrderStore
from polyb0t.db.price_store import SqlProposalPriceStore
from polyb0t.db.standing_store import SqlStandingStore
from polyb0t.db.tables import gates, journal_head, kill_switches
from polyb0t.db.unit import SCHEMA_VERSION, Unit, Units, foreign_scope, version_error
from polyb0t.execution.cooldown import cooldowns_of
from polyb0t.execution.scope import LEASE_SECONDS, Scope
from polyb0t.execution.settlement.store import ClaimStores

UNCLAIMED = ""


@dataclass(frozen=True, slots=True)
class SqlStores(ClaimStores):
    """Stores with the database behind them, for who has to close it."""

    database: Database

    def verify_journal(self) -> ChainReport:
        """Recompute every hash of the journal."""
        return self.database.read(lambda connection: verify_chain(connection, self.scope))

    def close(self) -> None:
        """Give every connection back."""
        self.database.close()


def open_stores(
    url: str,
    scope: Scope,
    clock: Clock,
    *,
    opening_cooldown_seconds: float = 900,
    closing_cooldown_seconds: float = 60,
    lease_seconds: float = LEASE_SECONDS,
) -> SqlStores:
    """The storage of `scope`; the first use of a new database makes it this scope's for ever.

    Raises:
        DatabaseError: missing, unreachable, or of another schema version.
        ConflictError: `foreign_scope`, naming both.
    """
    return stores_of(
        open_database(url, clock),
        scope,
        opening_cooldown_seconds=opening_cooldown_seconds,
        closing_cooldown_seconds=closing_cooldown_seconds,
        lease_seconds=lease_seconds,
    )


def stores_of(
    database: Database,
    scope: Scope,
    *,
    opening_cooldown_seconds: float = 900,
    closing_cooldown_seconds: float = 60,
    lease_seconds: float = LEASE_SECONDS,
    unit: type[Unit] = Unit,
) -> SqlStores:
    """As `open_stores`, in a database that is open; it is closed again if it cannot be used."""
    try:
        _require_scope(database, scope)
    except BaseException:
        database.close()
        raise
    return stores_on(
        database,
        scope,
        opening_cooldown_seconds=opening_cooldown_seconds,
        closing_cooldown_seconds=closing_cooldown_seconds,
        lease_seconds=lease_seconds,
        unit=unit,
    )


def stores_on(
    database: Database,
    scope: Scope,
    *,
    opening_cooldown_seconds: float = 900,
    closing_cooldown_seconds: float = 60,
    lease_seconds: float = LEASE_SECONDS,
    unit: type[Unit] = Unit,
) -> SqlStores:
    """The storage of `scope` in a database that is open and known to be this scope's. What stores remember
    of it is true as long as nobody puts another database in its place."""
    units = Units(database, scope, lease_seconds, unit)
    return SqlStores(
        scope=scope,
        intents=SqlIntentStore(
            units,
            cooldowns_of(
                scope,
                opening_seconds=opening_cooldown_seconds,
                closing_seconds=closing_cooldown_seconds,
            ),
        ),
        orders=SqlOrderStore(units),
        engine=SqlEngineStore(units),
        switches=SqlKillSwitchStore(units),
        books=SqlBookStore(units),
        standing=SqlStandingStore(units),
        by_hand=SqlHandStore(units),
        exits=SqlExitStore(units),
        prices=SqlProposalPriceStore(units),
        access=SqlAccessStore(units),
        onlookers=SqlOnlookerStore(units),
        claims=SqlClaimStore(units),
        database=database,
    )


def peek_scope(url: str) -> Scope | None:
    """Whose database it is; None when it was never used.

    Raises:
        DatabaseError: missing, unreachable, or of another schema version.
    """
    database = open_database(url)
    try:
        gate = database.read(_gate)
    finally:
        database.close()
    return Scope.parse(gate["scope"]) if gate["scope"] != UNCLAIMED else None


def without_password(url: str) -> str:
    """The URL for a person to read."""
    return make_url(url).difference_update_query(["password"]).render_as_string(hide_password=True)


def _require_scope(database: Database, scope: Scope) -> None:
    gate = database.read(_gate)
    if gate["scope"] == UNCLAIMED:
        gate = database.write(lambda connection: _claim_scope(database, connection, scope))
    if gate["scope"] != str(scope):
        raise foreign_scope(gate["scope"], scope)


def _gate(connection: Connection, *, lock: bool = False) -> RowMapping:
    query = select(gates.c.scope, gates.c.schema_version)
    rows = connection.execute(query.with_for_update() if lock else query).mappings().all()
    if len(rows) != 1:
        raise DatabaseError(
            "The database was not used.",
            why=f"It has {len(rows)} gate rows; there has to be exactly one.",
            do="Restore a copy of it.",
            code="database_damaged",
        )
    gate = rows[0]
    if gate["schema_version"] != SCHEMA_VERSION:
        raise version_error(gate["schema_version"])
    return gate


def _claim_scope(database: Database, connection: Connection, scope: Scope) -> RowMapping:
    """Turn the rows of the first migration into this scope's, if nobody was faster."""
    if _gate(connection, lock=True)["scope"] == UNCLAIMED:
        for table in (gates, kill_switches, journal_head):
            connection.execute(update(table).where(table.c.scope == UNCLAIMED).values(scope=str(scope)))
        append(
            connection,
            scope,
            head_of(connection, scope),
            at=database.now(connection),
            actor="engine",
            kind="scope.claimed",
            subject=str(scope),
            payload={"schema_version": SCHEMA_VERSION},
        )
    return _gate(connection)
