"""Claims of settled markets: what was signed and sent, and what the chain paid."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from polyb0t.db.triggers import postgres_statements, sqlite_statements

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SEND_CONTENT = (
    *("id", "scope", "wallet", "route", "nonce", "deadline", "expected", "balance_before", "from_block"),
    *("max_fee_wei", "priority_fee_wei", "replaces", "created_at"),
)
PAYOUT_CONTENT = ("key", "scope", "tx_hash", "log_index", "condition_id", "wallet", "pusd", "recorded_at")
GUARDED = {"claim_sends": ("id", SEND_CONTENT), "chain_payouts": ("key", PAYOUT_CONTENT)}
STATUSES = (
    "status IN ('ALREADY_PAID', 'CONFIRMED', 'DROPPED', 'MINED', 'PREPARED', 'REVERTED', 'SENT', 'UNKNOWN')"
)


def upgrade() -> None:
    _sends()
    _members()
    _payouts()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    # The refusing function of PostgreSQL is there since the first migration.
    for statement in sqlite_statements(GUARDED) if on_sqlite else postgres_statements(GUARDED)[1:]:
        op.get_bind().exec_driver_sql(statement)
    _version(5)


def downgrade() -> None:
    for table in ("chain_payouts", "claim_members", "claim_sends"):
        op.drop_table(table)  # and its triggers with it
    _version(4)


def _sends() -> None:
    op.create_table(
        "claim_sends",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("wallet", sa.String(length=80), nullable=False),
        sa.Column("route", sa.String(length=12), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("expected", sa.BigInteger(), nullable=False),
        sa.Column("balance_before", sa.BigInteger(), nullable=False),
        sa.Column("from_block", sa.BigInteger(), nullable=False),
        sa.Column("max_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("priority_fee_wei", sa.BigInteger(), nullable=False),
        sa.Column("replaces", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("tx_hash", sa.String(length=80), nullable=False),
        sa.Column("transaction_id", sa.String(length=80), server_default="", nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=True),
        sa.Column("gas_cost_wei", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("code", sa.String(length=60), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(STATUSES, name=op.f("ck_claim_sends_status_known")),
        sa.CheckConstraint("route IN ('relayer', 'transaction')", name=op.f("ck_claim_sends_route_known")),
        sa.CheckConstraint("expected > 0", name=op.f("ck_claim_sends_expects_something")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_sends")),
    )
    op.create_index("ix_claim_sends_open", "claim_sends", ["scope", "status"], unique=False)


def _members() -> None:
    op.create_table(
        "claim_members",
        sa.Column("send_id", sa.String(length=40), nullable=False),
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("send_id", "intent_id", name=op.f("pk_claim_members")),
    )
    op.create_index("ix_claim_members_intent", "claim_members", ["intent_id"], unique=False)


def _payouts() -> None:
    op.create_table(
        "chain_payouts",
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("tx_hash", sa.String(length=80), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=False),
        sa.Column("wallet", sa.String(length=80), nullable=False),
        sa.Column("pusd", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.String(length=80), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("send_id", sa.String(length=40), server_default="", nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("pusd >= 0", name=op.f("ck_chain_payouts_not_negative")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_chain_payouts")),
        sa.UniqueConstraint(
            "scope", "tx_hash", "log_index", name=op.f("uq_chain_payouts_scope_tx_hash_log_index")
        ),
    )


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
