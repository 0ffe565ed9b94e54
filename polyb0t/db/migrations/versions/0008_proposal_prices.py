"""What is paid now for what was proposed once, so that a report can compare what was taken and what not."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "proposal_prices",
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("asset_id", sa.String(length=100), nullable=False),
        sa.Column("bid", sa.BigInteger(), nullable=True),
        sa.Column("bid_at", sa.BigInteger(), nullable=True),
        sa.Column("payout", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("bid > 0 AND bid < 1000000", name=op.f("ck_proposal_prices_bid_inside_unit")),
        sa.CheckConstraint(
            "payout BETWEEN 0 AND 1000000", name=op.f("ck_proposal_prices_payout_inside_unit")
        ),
        sa.PrimaryKeyConstraint("scope", "asset_id", name=op.f("pk_proposal_prices")),
    )
    _version(8)


def downgrade() -> None:
    op.drop_table("proposal_prices")
    _version(7)


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
