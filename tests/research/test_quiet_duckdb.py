"""DuckDB is opened in one way: nothing of it is printed between our own lines."""

from pathlib import Path

import polyb0t
from polyb0t.research.quiet_duckdb import in_memory


def test_no_bar_of_progress_is_printed() -> None:
    with in_memory(memory_limit="256MB") as opened:
        told = opened.execute("SELECT current_setting('enable_progress_bar'), current_setting('threads')")
        assert told.fetchone() == (False, 1)


def test_nobody_opens_it_in_another_way() -> None:
    folder = Path(polyb0t.__file__).parent
    opening = [path.name for path in folder.rglob("*.py") if "duckdb.connect(" in path.read_text("utf-8")]
    assert opening == ["quiet_duckdb.py"]
