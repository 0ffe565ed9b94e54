"""Alembic environment and versions, carried by the wheel."""
