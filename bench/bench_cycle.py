"""A full cycle over 500 markets: wall time, this process's CPU, and where they go.

The sandbox is another process; the cycles come at the pace of the engine (every 10 s), so that the
market socket delivers in between and quiet books grow old as they do in use.
"""

import time
from collections.abc import Sequence
from typing import cast

from polymarket import PublicClient

from bench import rival_sdk
from bench.figures import Section, median
from bench.worlds import EVERY_MARKET, Workbench, engine_here, home_with_sandbox, pause
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId
from polyb0t.runtime.cycle import CycleReport
from polyb0t.venue.live_books import LiveBooks
from tests.e2e.household import Household

MARKETS = 500
CYCLES = 15
EVERY_SECONDS = 10.0
RIVAL_BOOKS = 100


def measure(cycles: int = CYCLES) -> Section:
    section = Section(
        f"A full cycle over {MARKETS} markets",
        rival=f"{rival_sdk.NAME} reads the same books one by one with get_order_book "
        f"({RIVAL_BOOKS} measured, scaled to all)",
    )
    with home_with_sandbox(MARKETS) as home, engine_here(home, SystemClock(), **EVERY_MARKET) as bench:
        first = _timed(bench)
        pause(EVERY_SECONDS)
        steady = [_paced(bench) for _ in range(cycles)]
        cold = [_cold(bench) for _ in range(5)]
        assets = _assets(bench)
        rival_wall, rival_cpu = _one_by_one(home, assets)
    walls, cpus = [run.wall for run in steady], [run.cpu for run in steady]
    section.add("wall, p50", median(walls), "s", target=1.5, rival=rival_wall)
    section.add("CPU of this process, p50", median(cpus), "s", target=0.8, rival=rival_cpu)
    section.add(
        "decisions alone, p50",
        1000 * median([run.report.stages["decide"] for run in steady]),
        "ms",
        target=150,
    )
    for name in steady[0].report.stages:
        if name != "decide":
            section.add(f"  stage {name}, p50", 1000 * median([r.report.stages[name] for r in steady]), "ms")
    section.add("every book read anew, wall p50", median([r.wall for r in cold]), "s", rival=rival_wall)
    section.add("every book read anew, CPU p50", median([r.cpu for r in cold]), "s", rival=rival_cpu)
    section.add("the very first cycle, wall", first.wall, "s")
    section.add("the very first cycle, CPU", first.cpu, "s")
    section.notes.append(
        f"{len(assets)} books watched; {cycles} cycles, {EVERY_SECONDS:.0f} s apart; "
        f"slowest {max(walls):.3f} s; failed stages: {sum(len(r.report.failed) for r in steady)}"
    )
    return section


class Timed:
    """One cycle's report with its times in seconds."""

    def __init__(self, report: CycleReport, wall: float, cpu: float) -> None:
        self.report, self.wall, self.cpu = report, wall, cpu


def _timed(bench: Workbench) -> Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    report = bench.engine.cycle.run()
    return Timed(report, time.perf_counter() - wall, time.process_time() - cpu)


def _paced(bench: Workbench) -> Timed:
    timed = _timed(bench)
    pause(max(0.0, EVERY_SECONDS - timed.wall))
    return timed


def _cold(bench: Workbench) -> Timed:
    """As after a gap on every connection: no book is believed, all come through `/books`."""
    books = cast("LiveBooks", bench.engine.watch._books_source)  # noqa: SLF001 - a gap on demand
    books._cache.mark_stale(_assets(bench), "bench")  # noqa: SLF001
    return _timed(bench)


def _assets(bench: Workbench) -> Sequence[AssetId]:
    universe = bench.engine.watch.universe
    assert universe is not None, "no cycle came through"
    return [outcome.asset_id for market in universe.tradable for outcome in market.outcomes]


def _one_by_one(home: Household, assets: Sequence[AssetId]) -> tuple[float, float]:
    """Wall and CPU seconds for all of `assets`, from some of them."""
    with PublicClient(environment=rival_sdk.environment_of(home)) as client:
        client.get_order_book(token_id=assets[0])
        wall, cpu = time.perf_counter(), time.process_time()
        for asset in assets[:RIVAL_BOOKS]:
            client.get_order_book(token_id=asset)
        scale = len(assets) / RIVAL_BOOKS
        return (time.perf_counter() - wall) * scale, (time.process_time() - cpu) * scale
