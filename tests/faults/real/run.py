"""Runs real histories, several at a time: they mostly wait. Each follows from (seed, number) and the machine's mood."""

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from polyb0t.core.errors import PolybotError
from tests.faults.judge import Verdict
from tests.faults.real.children import import_everything
from tests.faults.real.history import RealHistory
from tests.faults.real.home import StuckError, Times
from tests.faults.real.plants import REAL_PLANTS
from tests.faults.real.scenario import Scenario
from tests.faults.real.scenarios import SCENARIOS
from tests.faults.real.shapes import SHAPES
from tests.faults.run import Failure, Result, Tally
from tests.support.databases import PostgresServer, migrated_file, postgres_server

KEPT: Final = 30  # folders of failed histories


@dataclass(frozen=True, slots=True)
class Job:
    """One history. `points` are those of its shape, found beforehand."""

    seed: int
    number: int
    scenario: str
    shape: str
    at: int | str | None
    planted: bool = False  # with the bug that its class has to notice


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it; `stuck` is a sentence when it did not come to its end."""

    job: Job
    verdict: Verdict
    faults: list[str]
    points: list[str]
    stuck: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where histories are made: a folder on a memory file system if there is one, and a database for each."""

    folder: Path
    times: Times
    server: str = ""  # of PostgreSQL; empty: SQLite
    until: float = 0.0
    keep: Path | None = None

    @contextmanager
    def database(self, folder: Path) -> Iterator[str]:
        if not self.server:
            path = folder / "polyb0t.db"
            path.write_bytes(migrated_file())
            yield f"sqlite:///{path}"
            return
        server = _server(self.server)
        url = server.migrated_database()
        try:
            yield url
        finally:
            with suppress(SQLAlchemyError):  # it dies with its server
                server.drop(url)


_servers: dict[str, PostgresServer] = {}


def _server(url: str) -> PostgresServer:
    """One template for each worker: making a copy needs it to be nobody else's."""
    if url not in _servers:
        _servers[url] = PostgresServer(url)
    return _servers[url]


def one(job: Job, place: Place, scenario: Scenario | None = None) -> Outcome:
    """One history from beginning to verdict."""
    scenario = scenario or next(each for each in SCENARIOS if each.name == job.scenario)
    random = Random(f"{job.seed}/{job.number}")
    folder = Path(tempfile.mkdtemp(prefix="h", dir=place.folder))
    stuck, verdict, history = "", Verdict(), None
    try:
        with place.database(folder) as url:
            history = RealHistory(folder, url, place.times, random, job.shape)
            history.at = job.at
            try:
                scenario.run(history)
                history.come_to_rest()
                verdict = history.judge()
            except (AssertionError, OSError, PolybotError, SQLAlchemyError) as error:
                stuck = f"{type(error).__name__}: {error}"
            finally:
                history.home.close()
    except StuckError as error:
        stuck = str(error)
    faults = history.faults if history is not None else []
    points = [point.label for point in history.passed()] if history is not None else []
    if (stuck or not verdict.clean) and place.keep is not None:
        _keep(folder, place.keep / f"{job.seed}-{job.number}")
    shutil.rmtree(folder, ignore_errors=True)
    return Outcome(job, verdict, faults, points, stuck)


def _keep(folder: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if len(list(target.parent.iterdir())) < KEPT and not target.exists():
        shutil.copytree(folder, target, dirs_exist_ok=True)


def perform(job: Job, place: Place) -> Outcome | None:
    """In a worker: nothing is begun after the time is over."""
    if time.monotonic() >= place.until:
        return None
    plant = REAL_PLANTS[job.scenario].planted.plant if job.planted else nullcontext
    with plant():
        return one(job, place)


def probe(shape: str, place: Place) -> list[str]:
    """The points of a trade of this shape, passed once without a fault."""
    nothing = Scenario("probe", _without_a_fault)
    outcome = one(Job(0, 0, "probe", shape, None), place, nothing)
    if outcome.stuck or not outcome.verdict.clean:
        raise StuckError(f"the probe of {shape} failed: {outcome.stuck or outcome.verdict.found}")
    if "body sent" not in outcome.points:  # a trade that is refused here would make every history an easy one
        raise StuckError(f"the probe of {shape} sent no order: {outcome.points}")
    return outcome.points


def _without_a_fault(history: RealHistory) -> None:
    engine = history.begin()
    history.approve()
    history.wait_for_strike(engine)


def jobs(numbers: range, seed: int, points: dict[str, list[str]], scenarios: list[Scenario]) -> Iterator[Job]:
    """Round robin over scenarios; each walks through the points of the shape that it got."""
    walked: dict[tuple[str, str], int] = {}
    shapes = list(SHAPES)
    for number in numbers:
        scenario = scenarios[number % len(scenarios)]
        turn = number // len(scenarios)
        shape = shapes[(turn + Random(scenario.name).randrange(len(shapes))) % len(shapes)]
        at = None
        if scenario.counts:
            key = (scenario.name, shape)
            first = walked.setdefault(key, Random(f"{seed}/{key}").randrange(len(points[shape])))
            at = first % len(points[shape])
            walked[key] = first + 1
        yield Job(seed, number, scenario.name, shape, at)


@dataclass
class RealRunner:
    """Histories of one shard on several workers; `result` grows as they end."""

    place: Place
    workers: int
    result: Result = field(default_factory=Result)

    def run(self, numbers: range, seed: int, scenarios: list[Scenario], told: Callable[[], None]) -> Result:
        began = time.monotonic()
        context: Any = multiprocessing.get_context("fork")
        with context.Pool(self.workers, maxtasksperchild=None) as pool:
            shapes = list(SHAPES)
            found = pool.map(partial(probe, place=self.place), shapes, chunksize=1)
            self.result.points = dict(zip(shapes, found, strict=True))
            work = jobs(numbers, seed, self.result.points, scenarios)
            for outcome in pool.imap_unordered(partial(perform, place=self.place), list(work)):
                if outcome is None:
                    continue
                self._add(outcome)
                self.result.seconds = time.monotonic() - began
                told()
            pool.close()
            pool.join()
        return self.result

    def _add(self, outcome: Outcome) -> None:
        job, verdict = outcome.job, outcome.verdict
        if outcome.stuck:
            verdict.add("unexplained", f"it did not come to its end: {outcome.stuck}")
        tally = self.result.tallies.setdefault(job.scenario, Tally())
        at = "" if job.at is None else f"{job.shape} {job.at}"
        tally.add(verdict, struck=bool(outcome.faults), at=at)
        if not verdict.clean:
            found = {column: sentences for column, sentences in verdict.found.items() if sentences}
            self.result.failures.append(
                Failure(job.scenario, job.shape, job.seed, job.number, found, outcome.faults)
            )


@contextmanager
def a_place(
    times: Times, *, postgres: bool, minutes: float, keep: Path | None = None, on_disk: bool = False
) -> Iterator[Place]:
    """A folder for this run, and a PostgreSQL server if one is asked for."""
    import_everything()
    migrated_file()  # before any fork
    shared = Path("/dev/shm")
    parent = shared if shared.is_dir() and not on_disk else None
    folder = Path(tempfile.mkdtemp(prefix="real", dir=parent))
    until = time.monotonic() + minutes * 60
    try:
        if not postgres:
            yield Place(folder, times, until=until, keep=keep)
            return
        with postgres_server() as server:
            yield Place(folder, times, server=server.address, until=until, keep=keep)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
