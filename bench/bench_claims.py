"""Eight who claim at the same moment, on SQLite with every commit on the disk.

Eight contenders are released together; a time is a contender's own, from its call to its answer, so the last
of a round waits for seven others. First all of them want the same approved intent, and exactly one gets it;
then each has an intent of its own, and all of them get theirs, which is eight times the work under one lock.
Once they are threads of one engine, once processes of their own. The rival does the least that a claim can
be: one UPDATE in a transaction of its own, through `sqlite3` as it comes, with the wait that SQLite brings.

Wall time is what a person would wait for; it has in it whatever else the machine does. CPU is the work of a
round's eight claims together, by each contender's own thread: what they take one behind another where nobody
else wants the core and the disk answers at once.

    .venv/bin/python -m bench claims
"""

import gc
import multiprocessing
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

from bench.figures import Section, median, percentile
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, ConditionId, IntentId
from polyb0t.core.units import Pusd
from polyb0t.db.stores import SqlStores
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Regime
from polyb0t.execution.store import ClaimLimits, Denied, Lease
from polyb0t.runtime.interpreter import switch_quickly
from tests.support.builders import an_intent, wide_limits
from tests.support.databases import sqlite_stores

CONTENDERS = 8
ROUNDS = 60
TARGET_MS = 15.0
COLLECTED_EVERY = 50_000  # objects, as the program itself has it
WARM = 5  # rounds before the first that counts: libraries load parts of themselves at first use

Claim = Callable[[str], bool]


def measure(rounds: int = ROUNDS) -> Section:
    gc.set_threshold(COLLECTED_EVERY)
    switch_quickly()
    section = Section(
        f"{CONTENDERS} contenders claim at once, {rounds} rounds, SQLite with synchronous=FULL",
        rival="sqlite3 with its own busy handler: one UPDATE and its commit, nothing checked, nothing kept",
    )
    for name, contest in (("threads of one engine", _threads), ("processes", _processes)):
        contended = [one.wall for one in _contest(contest, rounds, least=False, same=True)]
        section.add(f"one intent, {name}, wall p50", median(contended), "ms")
        section.add(f"one intent, {name}, wall p99", percentile(contended, 0.99), "ms", target=TARGET_MS)
        ours, rival = (_contest(contest, rounds, least=least) for least in (False, True))
        wall, rivals = [one.wall for one in ours], [one.wall for one in rival]
        section.add(f"an intent each, {name}, wall p50", median(wall), "ms", rival=median(rivals))
        section.add(
            f"an intent each, {name}, wall p99",
            percentile(wall, 0.99),
            "ms",
            target=TARGET_MS,
            rival=percentile(rivals, 0.99),
        )
        work, least_work = _rounds(ours), _rounds(rival)
        section.add(
            f"an intent each, {name}, CPU of a round's eight, p50",
            median(work),
            "ms",
            rival=median(least_work),
        )
        section.add(
            f"an intent each, {name}, CPU of a round's eight, p99",
            percentile(work, 0.99),
            "ms",
            target=TARGET_MS,
            rival=percentile(least_work, 0.99),
        )
    return section


class Taken(NamedTuple):
    """Milliseconds of one claim, by the wall clock and of its own thread's work; whether it won."""

    wall: float
    cpu: float
    won: bool


Contest = Callable[[Path, Lease, list[list[IntentId]], bool], list[Taken]]


def _rounds(times: list[Taken]) -> list[float]:
    """The work of each round."""
    starts = range(0, len(times), CONTENDERS)
    return [sum(one.cpu for one in times[start : start + CONTENDERS]) for start in starts]


def _contest(contest: Contest, rounds: int, *, least: bool, same: bool = False) -> list[Taken]:
    """What every claim took, round by round; with `same` all of a round claim one intent."""
    with tempfile.TemporaryDirectory(prefix="polyb0t-bench-") as name:
        folder = Path(name)
        stores = sqlite_stores(folder, SystemClock())
        lease = _engine(stores)
        different = 1 if same else CONTENDERS
        ids = [
            [_approved(stores, lease) for _ in range(different)] * (CONTENDERS // different)
            for _ in range(rounds + WARM)
        ]
        stores.close()
        times = contest(folder, lease, ids, least)
    won = sum(one.won for one in times)
    assert won == different * len(ids), f"{won} claims won, {different * len(ids)} had to"
    return times[WARM * CONTENDERS :]


def _threads(folder: Path, lease: Lease, ids: list[list[IntentId]], least: bool) -> list[Taken]:
    claims = [_plain(folder) for _ in range(CONTENDERS)] if least else [_whole(folder, lease)] * CONTENDERS
    times: list[Taken] = []
    with ThreadPoolExecutor(CONTENDERS) as pool:
        for of_round in ids:
            ready = threading.Barrier(CONTENDERS)
            times += pool.map(lambda claim, one, go=ready: _timed(claim, one, go.wait), claims, of_round)
    return times


def _processes(folder: Path, lease: Lease, ids: list[list[IntentId]], least: bool) -> list[Taken]:
    spawn = multiprocessing.get_context("spawn")
    ready, lines = spawn.Barrier(CONTENDERS), [spawn.Pipe() for _ in range(CONTENDERS)]
    people = [
        spawn.Process(target=_contend, args=(folder, lease, least, ready, theirs), daemon=True)
        for _, theirs in lines
    ]
    for person in people:
        person.start()
    times: list[Taken] = []
    for of_round in ids:
        for (mine, _), one in zip(lines, of_round, strict=True):
            mine.send(one)
        times += [mine.recv() for mine, _ in lines]
    for mine, _ in lines:
        mine.send(None)
    for person in people:
        person.join()
    return times


def _contend(
    folder: Path, lease: Lease, least: bool, ready: Barrier, line: "Connection[Taken, str | None]"
) -> None:
    """One process: claim what is named, when all are ready."""
    gc.set_threshold(COLLECTED_EVERY)
    claim = _plain(folder) if least else _whole(folder, lease)
    while (named := line.recv()) is not None:
        line.send(_timed(claim, named, ready.wait))


def _timed(claim: Claim, intent_id: str, ready: Callable[[], object]) -> Taken:
    ready()
    began, worked = time.perf_counter(), time.thread_time()
    won = claim(intent_id)
    return Taken((time.perf_counter() - began) * 1000, (time.thread_time() - worked) * 1000, won)


def _whole(folder: Path, lease: Lease) -> Claim:
    stores = sqlite_stores(folder, SystemClock())
    limits = _limits()

    def claim(intent_id: str) -> bool:
        return not isinstance(stores.intents.claim(IntentId(intent_id), lease, Regime.LIVE, limits), Denied)

    return claim


def _plain(folder: Path) -> Claim:
    """Without journal, limits or reservations; and without the triggers that guard them."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS intents (id TEXT PRIMARY KEY, status TEXT)")

    def claim(intent_id: str) -> bool:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO intents VALUES (?, 'EXECUTING')", (intent_id,))
        connection.execute("COMMIT")
        return True

    return claim


def _limits() -> ClaimLimits:
    much = Pusd(Decimal(10**9))
    unlimited = ("max_exposure_pusd", "spendable_pusd", "max_used_pusd", "max_turnover_pusd")
    return wide_limits(**dict.fromkeys(unlimited, much), max_orders_hour=10**6)


def _engine(stores: SqlStores) -> Lease:
    lease = stores.engine.acquire(
        "engine", holder="bench:1", boot_id="boot", process_started="now", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease), lease
    return lease


def _approved(stores: SqlStores, lease: Lease) -> IntentId:
    """An intent on a market of its own, approved."""
    number = time.perf_counter_ns()
    intent = an_intent(
        created_at=stores.intents.now(),
        asset_id=AssetId(str(number)),
        condition_id=ConditionId(f"0x{number:064x}"),
    )
    proposed = stores.intents.propose(intent, lease)
    assert isinstance(proposed, IntentRecord), proposed
    stores.intents.approve(intent.id, digest=intent.digest, actor="user:bench", grace_seconds=3600)
    return intent.id
