"""An engine that has nothing to do: memory, CPU between its cycles, growth of its database.

100 markets are watched and none is worth proposing. Memory and CPU are those of an engine process,
read from outside for 75 s. The database is measured over an hour of cycles on a clock that is moved on
by hand: the file's size after it minus the size before it, free pages left out.
"""

import json
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import psutil

from bench.figures import Section
from bench.worlds import EVERY_MARKET, ShiftedClock, Workbench, engine_here, home_with_sandbox, pause
from tests.e2e.household import Household

MARKETS = 100
SECONDS = 75.0
SAMPLE_SECONDS = 0.1
NOTHING_IS_WORTH_IT = {"min_edge": "0.9", "suspicious_edge": "0.95"}
CYCLE_SECONDS, HOUR_SECONDS = 10.0, 3_600.0
BEATS_PER_CYCLE = 2
RIVAL = (
    "import fastapi, sqlalchemy, sqlalchemy.dialects.sqlite, psutil;print(psutil.Process().memory_info().rss)"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds since 1970, CPU seconds so far, resident bytes."""

    at: float
    cpu: float
    resident: int


def measure(seconds: float = SECONDS) -> Section:
    section = Section(
        f"An idle engine on {MARKETS} markets",
        rival="a Python process that has imported FastAPI and SQLAlchemy and does nothing",
    )
    with home_with_sandbox(MARKETS) as home:
        samples, cycles = _watched(home, seconds)
        grown, per_table = _an_hour(home)
    done = subprocess.run([sys.executable, "-c", RIVAL], check=True, capture_output=True, text=True)
    between, share = _between(samples, cycles)
    whole = (samples[-1].cpu - samples[0].cpu) / (samples[-1].at - samples[0].at)
    section.add(
        "resident memory, most",
        max(s.resident for s in samples) / 1e6,
        "MB",
        target=200,
        rival=int(done.stdout) / 1e6,
    )
    section.add("CPU between cycles, of a core", 100 * between, "%", target=5)
    section.add("CPU with the cycles, of a core", 100 * whole, "%")
    section.add("database growth", grown / 1024, "KB/h", target=100)
    section.notes.append(f"{len(cycles)} cycles; {100 * share:.0f} % of the time lies between them")
    section.notes.append("bytes of content an hour: " + ", ".join(f"{t} {n}" for t, n in per_table.items()))
    return section


def _watched(home: Household, seconds: float) -> tuple[list[Sample], list[tuple[float, float]]]:
    settings = {
        f"POLYBOT_{name.upper()}": value for name, value in {**EVERY_MARKET, **NOTHING_IS_WORTH_IT}.items()
    }
    engine = home.start_engine(practice=False, POLYBOT_LOOP_INTERVAL_SECONDS=str(CYCLE_SECONDS), **settings)
    process = psutil.Process(engine.pid)
    pause(5)  # the start itself is another question
    samples = []
    for _ in range(int(seconds / SAMPLE_SECONDS)):
        samples.append(_sample(process))
        pause(SAMPLE_SECONDS)
    engine.terminate()
    engine.wait(20)
    return samples, _cycles(home.folder / "data" / "polyb0t.log")


def _sample(process: psutil.Process) -> Sample:
    with process.oneshot():
        times = process.cpu_times()
        return Sample(datetime.now().timestamp(), times.user + times.system, process.memory_info().rss)


def _cycles(log: Path) -> list[tuple[float, float]]:
    """Begin and end of every cycle in seconds since 1970, from the engine's own log."""
    events = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    ends = [
        (datetime.fromisoformat(event["timestamp"]).timestamp(), event["seconds"])
        for event in events
        if event["event"] == "cycle.finished"
    ]
    return [(end - seconds, end) for end, seconds in ends]


def _between(samples: list[Sample], cycles: list[tuple[float, float]]) -> tuple[float, float]:
    """CPU seconds per second outside the cycles, and the share of the time that this is."""
    cpu = time = 0.0
    for one, two in pairwise(samples):
        if not any(begin < two.at and end > one.at for begin, end in cycles):
            cpu, time = cpu + two.cpu - one.cpu, time + two.at - one.at
    return cpu / time, time / (samples[-1].at - samples[0].at)


def _an_hour(home: Household) -> tuple[int, dict[str, int]]:
    """Bytes by which the file grows in an hour, and the content that each table gains."""
    clock = ShiftedClock()
    with engine_here(home, clock, **EVERY_MARKET, **NOTHING_IS_WORTH_IT) as bench:
        for _ in range(int(HOUR_SECONDS / CYCLE_SECONDS / 6)):  # ten minutes settle what is made once
            _quiet_cycle(bench, clock)
        size, content = _size(bench.database), _content(bench.database)
        for _ in range(int(HOUR_SECONDS / CYCLE_SECONDS)):
            _quiet_cycle(bench, clock)
        after = _content(bench.database)
        gained = {table: after[table] - content[table] for table in after if after[table] != content[table]}
        return _size(bench.database) - size, gained


def _quiet_cycle(bench: Workbench, clock: ShiftedClock) -> None:
    report = bench.engine.cycle.run()
    assert not report.proposed, "something was worth proposing"
    for _ in range(BEATS_PER_CYCLE):
        bench.stores.engine.beat(bench.lease, cycle=report.number)
    clock.advance(CYCLE_SECONDS)


def _size(database: Path) -> int:
    """Bytes of the pages in use, with what the write-ahead log holds."""
    with sqlite3.connect(database) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def _content(database: Path) -> dict[str, int]:
    """Bytes of the values in every table."""
    with sqlite3.connect(database) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: _bytes_in(connection, table) for table in tables}


def _bytes_in(connection: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
    lengths = " + ".join(f'coalesce(length(CAST("{column}" AS BLOB)), 0)' for column in columns)
    return int(connection.execute(f'SELECT coalesce(sum({lengths}), 0) FROM "{table}"').fetchone()[0])
