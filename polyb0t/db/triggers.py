"""The database's own guard: content of intents and orders and rows of the journal cannot be changed.

A migration that changes a guarded table drops that table's trigger on content and makes it anew with
the columns of then; the first one names those that it began with.
"""

from collections.abc import Mapping
from typing import Final

Guarded = Mapping[str, tuple[str, tuple[str, ...]]]

INTENT_CONTENT: Final = (
    "id",
    "scope",
    "regime",
    "intent_type",
    "target",
    "digest",
    "canonical",
    "condition_id",
    "asset_id",
    "side",
    "order_type",
    "worst_price",
    "amount",
    "shares",
    "max_cost",
    "approvals_required",
    "created_at",
    "deadline",
    "parent_id",
    "target_order_id",
)
ORDER_CONTENT: Final = (
    "id",
    "intent_id",
    "scope",
    "regime",
    "condition_id",
    "asset_id",
    "side",
    "order_type",
    "price",
    "shares",
    "amount",
    "l2_timestamp",
    "credential_id",
    "copies",
    "created_at",
)
JOURNAL_CONTENT: Final = (
    "sequence",
    "scope",
    "at",
    "actor",
    "kind",
    "subject",
    "payload",
    "previous_hash",
    "hash",
)
EVENT_CONTENT: Final = (
    "sequence",
    "scope",
    "name",
    "tripped",
    "at",
    "actor",
    "reason",
    "measured",
    "threshold",
    "epoch",
    "until",
    "known",
)

MOVEMENT_CONTENT: Final = (
    *("scope", "key", "kind", "at", "transaction_hash", "pusd", "shares", "condition_id", "asset_id"),
    *("outcome_label", "side", "copy", "taken", "recorded_at"),
)

# table -> (key, columns that never change)
GUARDED: Final[Guarded] = {
    "trade_intents": ("id", INTENT_CONTENT),
    "orders": ("id", ORDER_CONTENT),
    "journal": ("sequence", JOURNAL_CONTENT),
    "kill_switch_events": ("sequence", EVENT_CONTENT),
    "wallet_movements": ("key", MOVEMENT_CONTENT),
}

_CALL: Final = "EXECUTE FUNCTION polyb0t_refuse()"


def sqlite_statements(guarded: Guarded = GUARDED) -> tuple[str, ...]:
    """CREATE TRIGGER statements. The one on INSERT stops `INSERT OR REPLACE`, which deletes silently."""
    statements: list[str] = []
    for table, (key, columns) in guarded.items():
        refusal = _sqlite_refusal(table)
        existing = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608 - names from the table above
        statements += [
            sqlite_content(table, columns),
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refusal}",
            f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {existing} {refusal}",
        ]
    return tuple(statements)


def sqlite_content(table: str, columns: tuple[str, ...]) -> str:
    """The one trigger that names columns."""
    event = f"BEFORE UPDATE OF {', '.join(columns)} ON {table}"
    return f"CREATE TRIGGER {table}_content {event} {_sqlite_refusal(table)}"


def _sqlite_refusal(table: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, '{table}: this row cannot be changed'); END"


def postgres_statements(guarded: Guarded = GUARDED) -> tuple[str, ...]:
    """The refusing function and the triggers that call it."""
    body = "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ': this row cannot be changed'; END"
    statements = [f"CREATE FUNCTION polyb0t_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"]
    for table, (_key, columns) in guarded.items():
        statements += [
            postgres_content(table, columns),
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW {_CALL}",
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {_CALL}",
        ]
    return tuple(statements)


def postgres_content(table: str, columns: tuple[str, ...]) -> str:
    """The one trigger that names columns."""
    # Compared by value: another trigger could change a column that the statement did not name.
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
    return f"CREATE TRIGGER {table}_content BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) {_CALL}"
