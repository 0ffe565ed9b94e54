"""The database's own guard: content of intents and orders and rows of the journal cannot be changed.

Text of one version of the schema; a migration that changes a guarded table drops and makes them anew.
"""

from typing import Final

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
)

# table -> (key, columns that never change)
GUARDED: Final = {
    "trade_intents": ("id", INTENT_CONTENT),
    "orders": ("id", ORDER_CONTENT),
    "journal": ("sequence", JOURNAL_CONTENT),
    "kill_switch_events": ("sequence", EVENT_CONTENT),
}


def sqlite_statements() -> tuple[str, ...]:
    """CREATE TRIGGER statements. The one on INSERT stops `INSERT OR REPLACE`, which deletes silently."""
    statements: list[str] = []
    for table, (key, columns) in GUARDED.items():
        refusal = f"BEGIN SELECT RAISE(ABORT, '{table}: this row cannot be changed'); END"
        existing = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608 - names from the table above
        statements += [
            f"CREATE TRIGGER {table}_content BEFORE UPDATE OF {', '.join(columns)} ON {table} {refusal}",
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refusal}",
            f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} WHEN {existing} {refusal}",
        ]
    return tuple(statements)


def postgres_statements() -> tuple[str, ...]:
    """The refusing function and the triggers that call it."""
    body = "BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ': this row cannot be changed'; END"
    statements = [f"CREATE FUNCTION polyb0t_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"]
    call = "EXECUTE FUNCTION polyb0t_refuse()"
    for table, (_key, columns) in GUARDED.items():
        # Compared by value: another trigger could change a column that the statement did not name.
        changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)
        statements += [
            f"CREATE TRIGGER {table}_content BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) {call}",
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} FOR EACH ROW {call}",
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}",
        ]
    return tuple(statements)
