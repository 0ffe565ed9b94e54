"""Standing approvals and their uses, muted markets, and what exits came to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from polyb0t.db.triggers import postgres_statements, sqlite_statements

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STANDING_CONTENT = (
    *("id", "scope", "regime", "opening_id", "asset_id", "digest", "canonical", "until", "created_at"),
    *("approved_by", "approved_at"),
)
USE_CONTENT = ("intent_id", "scope", "standing_id", "version", "shares", "at")
GUARDED = {
    "standing_approvals": ("id", STANDING_CONTENT),
    "standing_uses": ("intent_id", USE_CONTENT),
}
REGIMES = "regime IN ('dry_run', 'live', 'paper')"


def upgrade() -> None:
    _standing()
    _mutes()
    _exits()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    # The refusing function of PostgreSQL is there since the first migration.
    for statement in sqlite_statements(GUARDED) if on_sqlite else postgres_statements(GUARDED)[1:]:
        op.get_bind().exec_driver_sql(statement)
    _version(4)


def downgrade() -> None:
    for table in ("exit_records", "mutes", "standing_uses", "standing_approvals"):
        op.drop_table(table)  # and its triggers with it
    _version(3)


def _standing() -> None:
    op.create_table(
        "standing_approvals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("opening_id", sa.String(length=40), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String(length=200), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=200), nullable=True),
        sa.Column("revoke_reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(REGIMES, name=op.f("ck_standing_approvals_regime_known")),
        sa.CheckConstraint(
            "substr(approved_by, 1, 5) = 'user:' OR substr(approved_by, 1, 6) = 'token:'",
            name=op.f("ck_standing_approvals_approved_by_a_person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_approvals")),
    )
    op.create_index(
        "ix_standing_approvals_opening", "standing_approvals", ["scope", "opening_id"], unique=False
    )
    op.create_table(
        "standing_uses",
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("standing_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("shares > 0", name=op.f("ck_standing_uses_shares_positive")),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_standing_uses")),
    )


def _mutes() -> None:
    op.create_table(
        "mutes",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "condition_id", name=op.f("pk_mutes")),
    )


def _exits() -> None:
    op.create_table(
        "exit_records",
        sa.Column("intent_id", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("regime", sa.String(length=10), nullable=False),
        sa.Column("condition_id", sa.String(length=80), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("triggers", sa.Text(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("proceeds", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("payout", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(REGIMES, name=op.f("ck_exit_records_regime_known")),
        sa.CheckConstraint("shares > 0", name=op.f("ck_exit_records_shares_positive")),
        sa.CheckConstraint("payout BETWEEN 0 AND 1000000", name=op.f("ck_exit_records_payout_inside_unit")),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_exit_records")),
    )
    op.create_index("ix_exit_records_open", "exit_records", ["scope", "resolved_at"], unique=False)


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
