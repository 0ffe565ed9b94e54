"""What the markets showed is written down once, survives a crash, and is forgotten in its time."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock, microseconds
from polyb0t.core.ids import AssetId
from polyb0t.core.units import Price, Shares
from polyb0t.data.order_book import Level, OrderBook, Side
from polyb0t.data.outside_views import OutsideView
from polyb0t.research.convert import convert, forget, read_table
from polyb0t.research.observing import FeatureSeen, Observation, SeenTrade
from polyb0t.research.recorder import WRITE_SECONDS, Changes, Recorder
from polyb0t.research.rows import LEVELS, TABLES, book_row, trade_row
from polyb0t.research.spool import Spool
from tests.support.clock import FakeClock
from tests.support.decisions import terms_of
from tests.support.trading import a_book, a_market

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GONE = 2**22 + 1  # more than any process id


def seen(at: datetime = NOON, **changes: Any) -> Observation:
    """One market with its terms and one book, all seen at `at`."""
    market = a_market(observed_at=at)
    content = {
        "books": (book(at),),
        "markets": (market,),
        "terms": (replace(terms_of(market), observed_at=at),),
    }
    return Observation(at, **{**content, **changes})


FEATURES = (FeatureSeen(NOON, AssetId("7132"), a_market().condition_id, "spread.1", -0.0123456),)
VIEWS = (OutsideView(a_market().condition_id, "consensus", Decimal("0.6"), Decimal("0.04"), NOON, NOON),)


def book(at: datetime = NOON, bid: str = "0.47", **changes: Any) -> OrderBook:
    return a_book(bid, "0.49", observed_at=at, **changes)


def a_trade(at: datetime = NOON) -> SeenTrade:
    return SeenTrade(AssetId("7132"), Price(Decimal("0.48")), Shares(Decimal("12.5")), Side.BUY, None, at)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found = read_table(folder, table)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


# -- rows --------------------------------------------------------------------------------------


def test_a_book_is_its_best_levels_and_the_depth_of_all_of_them_in_whole_millionths() -> None:
    asks = tuple(Level(Price(Decimal(50 + step) / 100), Shares(Decimal("1.5"))) for step in range(12))
    row = book_row(book(asks=asks))
    assert row["ask_prices_e6"] == [500_000 + 10_000 * step for step in range(LEVELS)]
    assert row["ask_shares_e6"] == [1_500_000] * LEVELS
    assert row["ask_depth_e6"] == 18_000_000
    assert row["at_us"] == microseconds(NOON)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_exactly_the_columns_of_its_table(table: str) -> None:
    batches = Changes().of([seen(features=FEATURES, outside=VIEWS), a_trade()])
    assert set(batches) == set(TABLES)
    assert [list(row) for row in batches[table]] == [list(TABLES[table])]


def test_no_number_in_a_row_is_a_float() -> None:
    for batch in Changes().of([seen(features=FEATURES, outside=VIEWS), a_trade()]).values():
        for value in batch[0].values():
            parts = value if isinstance(value, list) else [value]
            assert not any(isinstance(part, float) for part in parts)


# -- only what changed -------------------------------------------------------------------------


def test_what_has_not_changed_is_not_written_again() -> None:
    changes = Changes()
    assert changes.of([seen()])
    later = NOON + timedelta(seconds=10)
    assert changes.of([seen(later)]) == {}
    assert list(changes.of([seen(later, books=(book(later, bid="0.46"),))])) == ["books"]


def test_rules_are_written_when_their_text_changes() -> None:
    changes = Changes()
    changes.of([seen()])
    amended = a_market(rules_text="It resolves otherwise.", rules_hash="0123")
    batches = changes.of([seen(markets=(amended,))])
    assert batches["rules"][0]["text"] == "It resolves otherwise."


def test_each_utc_day_can_be_read_by_itself() -> None:
    changes = Changes()
    changes.of([seen()])
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    assert set(changes.of([seen(midnight)])) == {"books", "seen", "terms", "markets", "rules"}


# -- that somebody looked ----------------------------------------------------------------------


def test_once_a_minute_it_is_written_that_somebody_looked() -> None:
    changes = Changes()
    looks = [changes.of([seen(NOON + timedelta(seconds=10 * n))]) for n in range(13)]
    assert [n for n, batches in enumerate(looks) if "seen" in batches] == [0, 6, 12]
    assert looks[12] == {"seen": [{"at_us": microseconds(NOON) + 120_000_000, "books": 1, "lost": []}]}


def test_a_book_that_nobody_looks_at_any_more_is_told_and_written_again_when_it_is_back() -> None:
    changes = Changes()
    changes.of([seen()])
    gone, back = NOON + timedelta(seconds=10), NOON + timedelta(seconds=20)
    assert changes.of([seen(gone, books=())])["seen"][0]["lost"] == [book().asset_id]
    assert list(changes.of([seen(back)])) == ["books"]


def test_a_book_of_minutes_ago_was_not_looked_at() -> None:
    changes = Changes()
    changes.of([seen()])
    later = NOON + timedelta(minutes=2)
    batches = changes.of([seen(later, books=(book(NOON),))])
    assert "books" not in batches
    assert batches["seen"][0]["lost"] == [book().asset_id]


def test_after_a_silence_every_book_is_written_anew() -> None:
    changes = Changes()
    changes.of([seen()])
    assert "books" in changes.of([seen(NOON + timedelta(minutes=6))])


# -- segments and conversion -------------------------------------------------------------------


def test_segments_become_parquet_by_day_and_are_then_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write({"books": [book_row(book())], "trades": [trade_row(a_trade())]}, NOON)
    spool.close()
    made = convert(tmp_path, writer=os.getpid())
    day = [path.relative_to(tmp_path).parts[:2] for path in made]
    assert day == [("books", "2026-11-22"), ("trades", "2026-11-22")]
    (row,) = rows(tmp_path, "books")
    assert row == dict(book_row(book()))
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_segment_ends_with_its_hour_and_with_its_day(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    late = datetime(2026, 11, 22, 23, 59, 50, tzinfo=UTC)
    for at in (
        NOON,
        NOON + timedelta(minutes=59),
        NOON + timedelta(minutes=61),
        late,
        late + timedelta(seconds=20),
    ):
        spool.write({"books": [book_row(book(at))]}, at)
    spool.close()
    convert(tmp_path, writer=os.getpid())
    parts = {path.parent.name: 0 for path in (tmp_path / "books").glob("*/*.parquet")}
    assert sorted(parts) == ["2026-11-22", "2026-11-23"]
    assert [row["at_us"] for row in rows(tmp_path, "books")] == sorted(
        row["at_us"] for row in rows(tmp_path, "books")
    )
    assert len(rows(tmp_path, "books")) == 5


def test_a_torn_last_line_is_left_out_and_everything_before_it_is_kept(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write({"trades": [trade_row(a_trade()) for _ in range(3)]}, NOON)
    (path,) = list((tmp_path / "spool").iterdir())
    spool.close()
    path.write_bytes(path.read_bytes()[:-25])
    convert(tmp_path, writer=os.getpid())
    assert len(rows(tmp_path, "trades")) == 2


def test_a_segment_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write({"trades": [trade_row(a_trade())]}, NOON)
    assert convert(tmp_path, writer=os.getpid(), leave=spool.open_names()) == []
    assert convert(tmp_path, writer=GONE) == []  # its writer is another process, and it runs
    spool.close()
    assert len(convert(tmp_path, writer=os.getpid())) == 1


def test_what_a_crashed_run_left_behind_is_converted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write({"trades": [trade_row(a_trade())]}, NOON)
    spool.close()
    (path,) = list((tmp_path / "spool").iterdir())
    path.rename(path.with_name(path.name.replace(f"-{os.getpid()}.", f"-{GONE}.")))
    assert len(convert(tmp_path)) == 1


def test_a_segment_that_another_process_converted_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write({"books": [book_row(book())], "trades": [trade_row(a_trade())]}, NOON)
    spool.close()
    (gone,) = (tmp_path / "spool").glob("books*")
    gone.unlink()
    gone.symlink_to(tmp_path / "nowhere")  # it was listed, and is not there any more when it is read
    assert [path.parts[-3] for path in convert(tmp_path, writer=os.getpid())] == ["trades"]


def test_a_crash_between_writing_and_removing_converts_again_to_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write({"trades": [trade_row(a_trade())]}, NOON)
    spool.close()

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", crash)
        with pytest.raises(KeyboardInterrupt):
            convert(tmp_path, writer=os.getpid())
    convert(tmp_path, writer=os.getpid())
    assert len(rows(tmp_path, "trades")) == 1


def test_days_past_their_time_are_removed_and_no_others(tmp_path: Path) -> None:
    for day in ("2026-08-01", "2026-08-02", "2026-11-22"):
        (tmp_path / "books" / day).mkdir(parents=True)
        (tmp_path / "books" / day / "1.parquet").touch()
    (tmp_path / "books" / "notes").mkdir()
    assert [path.name for path in forget(tmp_path, before=date(2026, 8, 2))] == ["2026-08-01"]
    assert sorted(path.name for path in (tmp_path / "books").iterdir()) == [
        "2026-08-02",
        "2026-11-22",
        "notes",
    ]


# -- the recorder ------------------------------------------------------------------------------


def test_what_was_handed_over_is_there_after_the_end(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, FakeClock(), retention_days=90)
    recorder.start()
    recorder.observe(seen(features=FEATURES, outside=VIEWS))
    recorder.traded(a_trade())
    recorder.close()
    convert(tmp_path, writer=os.getpid())
    assert {table: len(rows(tmp_path, table)) for table in TABLES} == dict.fromkeys(TABLES, 1)
    assert recorder.dropped == 0


def test_whoever_stops_the_engine_does_not_wait_for_the_next_batch(tmp_path: Path) -> None:
    recorder, clock = Recorder(tmp_path, FakeClock(), retention_days=90), SystemClock()
    recorder.start()
    began = clock.boot_seconds()
    recorder.close()
    assert clock.boot_seconds() - began < WRITE_SECONDS / 2


def test_what_can_not_be_written_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    recorder = Recorder(tmp_path, FakeClock(), retention_days=90)
    recorder.start()
    recorder.observe(seen())
    recorder.close()
    assert recorder.dropped == 1
    assert not recorder._thread.is_alive()


def test_after_kill_9_everything_that_was_handed_over_is_still_there(tmp_path: Path) -> None:
    program = f"""
import os, signal, threading
from pathlib import Path
from polyb0t.core.clock import SystemClock
from polyb0t.research.recorder import Recorder
from tests.test_recorder import a_trade
recorder = Recorder(Path({str(tmp_path)!r}), SystemClock(), retention_days=90)
recorder.start()
for _ in range(500):
    recorder.traded(a_trade())
while not (recorder._queue.empty() and any(Path({str(tmp_path)!r}, "spool").glob("trades*"))):
    threading.Event().wait(0.01)
threading.Event().wait(0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], timeout=60, check=False, cwd=Path(__file__).parents[1]
    )
    assert done.returncode == -9
    convert(tmp_path)
    assert len(rows(tmp_path, "trades")) == 500


def test_reading_what_was_never_recorded_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no recorded books"):
        read_table(tmp_path, "books")


def test_duckdb_is_not_in_the_engine() -> None:
    program = "import sys, polyb0t.runtime.wiring; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
