"""A switch's override with its end, and what was known when a switch tripped."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from polyb0t.db.triggers import postgres_content, sqlite_content

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BEFORE = (
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
AFTER = (*BEFORE, "until", "known")


def upgrade() -> None:
    op.add_column("kill_switches", sa.Column("override_until", sa.BigInteger(), nullable=True))
    op.add_column(
        "kill_switches", sa.Column("override_by", sa.String(length=200), server_default="", nullable=False)
    )
    op.add_column("kill_switches", sa.Column("override_reason", sa.Text(), server_default="", nullable=False))
    op.add_column("kill_switch_events", sa.Column("until", sa.BigInteger(), nullable=True))
    op.add_column("kill_switch_events", sa.Column("known", sa.Text(), server_default="{}", nullable=False))
    _guard(AFTER)
    _version(2)


def downgrade() -> None:
    _guard(BEFORE)
    op.drop_column("kill_switch_events", "known")
    op.drop_column("kill_switch_events", "until")
    op.drop_column("kill_switches", "override_reason")
    op.drop_column("kill_switches", "override_by")
    op.drop_column("kill_switches", "override_until")
    _version(1)


def _guard(columns: tuple[str, ...]) -> None:
    """The trigger on the events' content, over these columns."""
    table, on_sqlite = "kill_switch_events", op.get_bind().dialect.name == "sqlite"
    op.get_bind().exec_driver_sql(f"DROP TRIGGER {table}_content" + ("" if on_sqlite else f" ON {table}"))
    op.get_bind().exec_driver_sql((sqlite_content if on_sqlite else postgres_content)(table, columns))


def _version(number: int) -> None:
    gates = sa.table("gates", sa.column("schema_version"))
    op.get_bind().execute(sa.update(gates).values(schema_version=number))
