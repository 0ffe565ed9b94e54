"""The only home of SQLAlchemy: tables, transactions, lock order."""
