"""Tokens with roles, one-time codes, and the approvals of trades that need more than one word."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from polyb0t.db.triggers import postgres_statements, sqlite_statements

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TOKEN_CONTENT = ("digest", "scope", "name", "role", "created_at", "created_by", "expires_at")
APPROVAL_CONTENT = ("key", "scope", "subject", "digest", "actor", "token", "code_step", "at")
GUARDED = {"access_tokens": ("digest", TOKEN_CONTENT), "approvals": ("key", APPROVAL_CONTENT)}


def upgrade() -> None:
    _tokens()
    _approvals()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    # The refusing function of PostgreSQL is there since the first migration.
    for statement in sqlite_statements(GUARDED) if on_sqlite else postgres_statements(GUARDED)[1:]:
        op.get_bind().exec_driver_sql(statement)
    _version(6)


def downgrade() -> None:
    for table in ("approvals", "access_tokens"):
        op.drop_table(table)  # and its triggers with it
    _version(5)


def _tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(length=200), nullable=True),
        sa.Column("revoke_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("code_step", sa.BigInteger(), nullable=True),
        sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("code_rests_until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "role IN ('admin', 'approver', 'viewer')", name=op.f("ck_access_tokens_role_known")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_tokens")),
    )
    op.create_index("ix_access_tokens_name", "access_tokens", ["scope", "name"], unique=False)


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("key", sa.String(length=240), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("code_step", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("substr(actor, 1, 6) = 'token:'", name=op.f("ck_approvals_by_a_token")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_approvals")),
    )
    op.create_index("ix_approvals_subject", "approvals", ["scope", "subject"], unique=False)


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
