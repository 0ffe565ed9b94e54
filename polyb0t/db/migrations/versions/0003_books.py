"""What moved the wallet besides our orders, and the marks of its equity."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from polyb0t.db.triggers import postgres_statements, sqlite_statements

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOVEMENT_CONTENT = (
    *("scope", "key", "kind", "at", "transaction_hash", "pusd", "shares", "condition_id", "asset_id"),
    *("outcome_label", "side", "copy", "taken", "recorded_at"),
)
GUARDED = {"wallet_movements": ("key", MOVEMENT_CONTENT)}


def upgrade() -> None:
    op.create_table(
        "wallet_movements",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.String(length=80), nullable=False),
        sa.Column("pusd", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=True),
        sa.Column("asset_id", sa.String(length=100), nullable=True),
        sa.Column("outcome_label", sa.Text(), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("copy", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("pusd >= 0 AND shares >= 0", name=op.f("ck_wallet_movements_not_negative")),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_wallet_movements")),
    )
    op.create_table(
        "equity_marks",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("opening_pusd", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("flows_pusd", sa.BigInteger(), nullable=True),
        sa.Column("peak_pusd", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.String(length=10), nullable=True),
        sa.Column("day_start_pusd", sa.BigInteger(), nullable=True),
        sa.Column("day_base_pusd", sa.BigInteger(), nullable=True),
        sa.Column("day_flows_pusd", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "regime IN ('dry_run', 'live', 'paper')", name=op.f("ck_equity_marks_regime_known")
        ),
        sa.PrimaryKeyConstraint("scope", "regime", name=op.f("pk_equity_marks")),
    )
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    # The refusing function of PostgreSQL is there since the first migration.
    for statement in sqlite_statements(GUARDED) if on_sqlite else postgres_statements(GUARDED)[1:]:
        op.get_bind().exec_driver_sql(statement)
    _version(3)


def downgrade() -> None:
    op.drop_table("equity_marks")
    op.drop_table("wallet_movements")  # and its triggers with it
    _version(2)


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
