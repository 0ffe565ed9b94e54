"""Everything that the first engine needs, with the rows without which nothing may be decided.

The gate, the journal's head and all seven switches (clear) are inserted here, once, under the scope ''
which first use turns into the account's. They are never inserted again: a row that is missing later
is damage, and it reads as tripped.
"""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from polyb0t.db.triggers import GUARDED, postgres_statements, sqlite_statements

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SWITCHES = (
    "DRAWDOWN",
    "DAILY_LOSS",
    "STALE_DATA",
    "SPREAD_ANOMALY",
    "API_ERROR_RATE",
    "RECONCILIATION",
    "MANUAL",
)
EVENT_CONTENT = (
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
TABLES = (
    "journal_head",
    "journal",
    "engine_lease",
    "account_states",
    "kill_switch_events",
    "kill_switches",
    "reservations",
    "fills",
    "orders",
    "trade_intents",
    "gates",
)


def upgrade() -> None:
    _tables()
    _rows()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    guarded = {name: GUARDED[name] for name in ("trade_intents", "orders", "journal")}
    guarded["kill_switch_events"] = ("sequence", EVENT_CONTENT)  # as they were then
    for statement in sqlite_statements(guarded) if on_sqlite else postgres_statements(guarded):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION polyb0t_refuse()")


def _rows() -> None:
    gates = sa.table(
        "gates",
        sa.column("scope"),
        sa.column("database_id"),
        sa.column("schema_version"),
        sa.column("epoch"),
        sa.column("engine_token"),
        sa.column("claims_token"),
    )
    gate = {"scope": "", "database_id": uuid.uuid4().hex, "schema_version": 1}
    op.bulk_insert(gates, [{**gate, "epoch": 0, "engine_token": 0, "claims_token": 0}])
    head = sa.table("journal_head", sa.column("scope"), sa.column("sequence"), sa.column("hash"))
    op.bulk_insert(head, [{"scope": "", "sequence": 0, "hash": "0" * 64}])
    switches = sa.table(
        "kill_switches", sa.column("scope"), sa.column("name"), sa.column("tripped", sa.Boolean())
    )
    op.bulk_insert(switches, [{"scope": "", "name": name, "tripped": False} for name in SWITCHES])


def _tables() -> None:
    op.create_table(
        "account_states",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_states")),
    )
    op.create_index("ix_account_states_newest", "account_states", ["scope", "id"], unique=False)
    op.create_table(
        "engine_lease",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("boot_id", sa.String(length=100), nullable=False),
        sa.Column("process_started", sa.String(length=100), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("cycle", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "regime IN ('dry_run', 'live', 'paper')", name=op.f("ck_engine_lease_regime_known")
        ),
        sa.CheckConstraint("role IN ('claims', 'engine')", name=op.f("ck_engine_lease_role_known")),
        sa.PrimaryKeyConstraint("scope", "role", name=op.f("pk_engine_lease")),
    )
    op.create_table(
        "fills",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("trade_id", sa.String(length=80), nullable=False),
        sa.Column("bucket_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("role", sa.String(length=5), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("matched_at", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.String(length=80), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('MAKER', 'TAKER')", name=op.f("ck_fills_role_known")),
        sa.CheckConstraint("side IN ('BUY', 'SELL')", name=op.f("ck_fills_side_known")),
        sa.CheckConstraint(
            "status IN ('CONFIRMED', 'FAILED', 'MATCHED', 'MINED', 'RETRYING')",
            name=op.f("ck_fills_status_known"),
        ),
        sa.CheckConstraint("price > 0 AND price < 1000000", name=op.f("ck_fills_price_inside_unit")),
        sa.CheckConstraint("shares > 0", name=op.f("ck_fills_shares_positive")),
        sa.PrimaryKeyConstraint("scope", "trade_id", "bucket_index", "order_id", name=op.f("pk_fills")),
    )
    op.create_index("ix_fills_order", "fills", ["order_id"], unique=False)
    op.create_table(
        "gates",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("database_id", sa.String(length=32), nullable=False),
        sa.Column("schema_version", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("engine_token", sa.BigInteger(), nullable=False),
        sa.Column("claims_token", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "epoch >= 0 AND engine_token >= 0 AND claims_token >= 0", name=op.f("ck_gates_never_negative")
        ),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_gates")),
    )
    op.create_table(
        "journal",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_journal")),
    )
    op.create_index("ix_journal_subject", "journal", ["scope", "subject", "sequence"], unique=False)
    op.create_table(
        "journal_head",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_journal_head")),
    )
    op.create_table(
        "kill_switch_events",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("tripped", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("measured", sa.String(length=200), nullable=True),
        sa.Column("threshold", sa.String(length=200), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "name IN ('API_ERROR_RATE', 'DAILY_LOSS', 'DRAWDOWN', 'MANUAL', 'RECONCILIATION', 'SPREAD_ANOMALY', 'STALE_DATA')",
            name=op.f("ck_kill_switch_events_name_known"),
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_kill_switch_events")),
    )
    op.create_table(
        "kill_switches",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("tripped", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("measured", sa.String(length=200), nullable=True),
        sa.Column("threshold", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "name IN ('API_ERROR_RATE', 'DAILY_LOSS', 'DRAWDOWN', 'MANUAL', 'RECONCILIATION', 'SPREAD_ANOMALY', 'STALE_DATA')",
            name=op.f("ck_kill_switches_name_known"),
        ),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_kill_switches")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("order_type", sa.String(length=3), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("l2_timestamp", sa.BigInteger(), nullable=False),
        sa.Column("credential_id", sa.String(length=100), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("signed_order", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("filled_shares", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("filled_notional", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fees", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("provisional_shares", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("venue_status", sa.String(length=60), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("lookups", sa.Integer(), server_default="0", nullable=False),
        sa.Column("looked_up_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "order_type IN ('FAK', 'FOK', 'GTC', 'GTD')", name=op.f("ck_orders_order_type_known")
        ),
        sa.CheckConstraint("regime <> 'dry_run'", name=op.f("ck_orders_none_in_dry_run")),
        sa.CheckConstraint("regime IN ('dry_run', 'live', 'paper')", name=op.f("ck_orders_regime_known")),
        sa.CheckConstraint("side IN ('BUY', 'SELL')", name=op.f("ck_orders_side_known")),
        sa.CheckConstraint(
            "status IN ('ABSENT', 'CANCELLED', 'DELAYED', 'EXPIRED', 'FILLED', 'LIVE', 'MATCHED', 'REFUSED', 'SIGNED', 'UNKNOWN', 'VANISHED')",
            name=op.f("ck_orders_status_known"),
        ),
        sa.CheckConstraint("copies = 1", name=op.f("ck_orders_one_copy")),
        sa.CheckConstraint(
            "filled_shares >= 0 AND filled_notional >= 0", name=op.f("ck_orders_fills_not_negative")
        ),
        sa.CheckConstraint("price > 0 AND price < 1000000", name=op.f("ck_orders_price_inside_unit")),
        sa.CheckConstraint(
            "provisional_shares BETWEEN 0 AND filled_shares", name=op.f("ck_orders_provisional_is_part")
        ),
        sa.CheckConstraint("shares > 0", name=op.f("ck_orders_shares_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_orders_intent_id")),
    )
    op.create_index("ix_orders_newest", "orders", ["scope", "created_at", "id"], unique=False)
    op.create_index("ix_orders_status", "orders", ["scope", "status"], unique=False)
    op.create_table(
        "reservations",
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("pusd", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("pusd >= 0 AND shares >= 0", name=op.f("ck_reservations_not_negative")),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_asset", "reservations", ["scope", "asset_id"], unique=False)
    op.create_table(
        "trade_intents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("intent_type", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=True),
        sa.Column("order_type", sa.String(length=3), nullable=True),
        sa.Column("worst_price", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("shares", sa.BigInteger(), nullable=True),
        sa.Column("max_cost", sa.BigInteger(), nullable=True),
        sa.Column("approvals_required", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.String(length=40), nullable=True),
        sa.Column("target_order_id", sa.String(length=80), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("approved_epoch", sa.BigInteger(), nullable=True),
        sa.Column("execute_by", sa.BigInteger(), nullable=True),
        sa.Column("claim_token", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(length=60), nullable=True),
        sa.Column("result_detail", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "decided_by <> 'engine:paper' OR regime = 'paper'",
            name=op.f("ck_trade_intents_engine_decides_paper_only"),
        ),
        sa.CheckConstraint(
            "intent_type IN ('CANCEL_ORDER', 'CLAIM_SETTLEMENT', 'CLOSE_POSITION', 'OPEN_POSITION')",
            name=op.f("ck_trade_intents_intent_type_known"),
        ),
        sa.CheckConstraint(
            "intent_type NOT IN ('OPEN_POSITION', 'CLOSE_POSITION') OR (side IS NOT NULL AND order_type IS NOT NULL AND worst_price IS NOT NULL AND max_cost IS NOT NULL AND (amount IS NULL) <> (shares IS NULL))",
            name=op.f("ck_trade_intents_trade_complete"),
        ),
        sa.CheckConstraint(
            "order_type IS NULL OR order_type IN ('FAK', 'FOK', 'GTC', 'GTD')",
            name=op.f("ck_trade_intents_order_type_known"),
        ),
        sa.CheckConstraint(
            "regime IN ('dry_run', 'live', 'paper')", name=op.f("ck_trade_intents_regime_known")
        ),
        sa.CheckConstraint(
            "side IS NULL OR side IN ('BUY', 'SELL')", name=op.f("ck_trade_intents_side_known")
        ),
        sa.CheckConstraint(
            "status IN ('APPROVED', 'EXECUTED', 'EXECUTING', 'EXPIRED', 'FAILED', 'PENDING', 'REJECTED')",
            name=op.f("ck_trade_intents_status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('APPROVED', 'EXECUTING', 'EXECUTED') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL AND execute_by IS NOT NULL AND approved_epoch IS NOT NULL AND (substr(decided_by, 1, 5) = 'user:' OR substr(decided_by, 1, 6) = 'token:' OR substr(decided_by, 1, 9) = 'standing:' OR (decided_by = 'engine:paper' AND regime = 'paper')))",
            name=op.f("ck_trade_intents_approved_by_somebody"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_trade_intents_amount_positive")),
        sa.CheckConstraint("approvals_required >= 1", name=op.f("ck_trade_intents_approval_required")),
        sa.CheckConstraint("max_cost >= 0", name=op.f("ck_trade_intents_max_cost_not_negative")),
        sa.CheckConstraint("shares > 0", name=op.f("ck_trade_intents_shares_positive")),
        sa.CheckConstraint(
            "worst_price > 0 AND worst_price < 1000000", name=op.f("ck_trade_intents_price_inside_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_intents")),
    )
    op.create_index(
        "ix_trade_intents_cooling",
        "trade_intents",
        ["scope", "regime", "intent_type", "target", "updated_at"],
        unique=False,
    )
    op.create_index("ix_trade_intents_newest", "trade_intents", ["scope", "created_at", "id"], unique=False)
    op.create_index("ix_trade_intents_status", "trade_intents", ["scope", "status"], unique=False)
    op.create_index(
        "uq_trade_intents_live",
        "trade_intents",
        ["scope", "regime", "intent_type", "target"],
        unique=True,
        sqlite_where=sa.text("status IN ('APPROVED', 'EXECUTING', 'PENDING')"),
        postgresql_where=sa.text("status IN ('APPROVED', 'EXECUTING', 'PENDING')"),
    )
    # ### end Alembic commands ###
