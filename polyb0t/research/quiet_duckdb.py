"""One way to open DuckDB: in memory, with one thread, and silent.

On a terminal its bar of progress would be printed between our own lines, and into what `--json` writes.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Limit = str | bool | int | float | list[str]


def in_memory(**limits: Limit) -> "DuckDBPyConnection":
    """A database of its own, gone when it is closed. `limits` are settings of DuckDB."""
    import duckdb  # noqa: PLC0415 - slow to load, and needed for files of history alone

    config: dict[str, Limit] = {"threads": 1, **limits}
    opened = duckdb.connect(config=config)
    opened.execute("SET enable_progress_bar = false")
    return opened
