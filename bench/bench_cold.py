"""Commands from cold: the whole process, from nothing to the exit code, with compiled bytecode."""

import compileall
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import polyb0t
from bench.figures import Section, median, percentile
from bench.worlds import home_with_sandbox, pause
from tests.e2e.household import Household, eventually

RUNS = 9
MARKETS = 150  # enough for so many proposals
BIN = Path(sys.executable).parent
TARGET = 0.6


def measure(runs: int = RUNS) -> Section:
    section = Section(
        f"Commands from cold, whole processes, median of {runs}",
        rival="`alembic --help` in the same environment: a command line on SQLAlchemy that does no work",
    )
    compileall.compile_dir(str(Path(polyb0t.__file__).parent), quiet=2)
    with home_with_sandbox(MARKETS) as home:
        home.start_engine(practice=False, POLYBOT_MOST_WAITING="40", POLYBOT_LOOP_INTERVAL_SECONDS="10")
        pause(5)  # the engine's own start is another question
        ids = eventually(lambda: _enough(home, runs), within=120, what=f"{runs} proposals to approve")
        listing, approving, alembic = [], [], []
        for id_ in ids[:runs]:  # in turn, so that what else this machine does disturbs all alike
            listing.append(_run(home, "polyb0t", "intents", "list"))
            approving.append(_run(home, "polyb0t", "intents", "approve", id_, "--yes", "--no-wait"))
            alembic.append(_run(home, "alembic", "--help"))
        home.processes["engine"].terminate()
        home.processes["engine"].wait(20)
        quiet = [_run(home, "polyb0t", "intents", "list") for _ in range(runs)]
        bare = [_run(home, "python", "-c", "pass") for _ in range(runs)]
    rival = median([wall for wall, _ in alembic])
    for name, taken in (
        ("intents list", listing),
        ("intents approve ID --yes --no-wait", approving),
        ("intents list, engine stopped", quiet),
    ):
        section.add(name, median([wall for wall, _ in taken]), "s", target=TARGET, rival=rival)
        section.add(
            "  its CPU", median([cpu for _, cpu in taken]), "s", rival=median([c for _, c in alembic])
        )
    section.notes.append(
        f"intents list, slowest tenth {percentile([w for w, _ in listing], 0.9):.3f} s; "
        f"python -c pass {median([wall for wall, _ in bare]):.3f} s"
    )
    return section


def _enough(home: Household, wanted: int) -> list[str] | None:
    """What waits, once it is enough: a cycle proposes only a few."""
    pause(2)
    ids = [each["id"] for each in json.loads(home.command("intents", "list", "--json"))]
    return ids if len(ids) >= wanted else None


def _run(home: Household, name: str, *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of one process."""
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(
        [str(BIN / name), *arguments],
        cwd=home.folder,
        env=home.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - started, os.times()
    assert done.returncode == 0, (name, arguments, done.stdout, done.stderr)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu
