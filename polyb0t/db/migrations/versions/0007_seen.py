"""Open screens with what is selected there, and the books that the engine shows beside it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "onlookers",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("viewer", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("looking_at", sa.String(length=40), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "viewer", name=op.f("pk_onlookers")),
    )
    op.create_table(
        "shown_books",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "asset_id", name=op.f("pk_shown_books")),
    )
    _version(7)


def downgrade() -> None:
    op.drop_table("shown_books")
    op.drop_table("onlookers")
    _version(6)


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
