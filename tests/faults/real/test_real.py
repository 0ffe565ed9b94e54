"""The short form: a few histories with real processes, and the same ones seen to notice a planted bug.

They are made by a process of their own, because a process with threads cannot fork safely.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.judge import COLUMNS
from tests.faults.real.page import KIND, section
from tests.faults.real.plants import REAL_PLANTS
from tests.faults.real.run import jobs
from tests.faults.real.scenarios import SCENARIOS
from tests.faults.real.shapes import SHAPES
from tests.faults.real.sown import SHORT

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.xdist_group("real faults"),
    pytest.mark.skipif(sys.platform != "linux", reason="kills and stops processes as Linux does"),
]


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, bool], dict[str, Any]]:
    """What became of each history, by scenario and whether a bug was planted."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.real.sown", "--short", "--workers", "6"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 2 * len(SHORT), (done.stdout[-2000:], done.stderr[-2000:])
    return {(line["scenario"], line["planted"]): line for line in lines}


@pytest.mark.parametrize("scenario", SHORT)
def test_whatever_happens_to_real_processes_no_promise_breaks(
    told: dict[tuple[str, bool], dict[str, Any]], scenario: str
) -> None:
    history = told[scenario, False]

    assert history["faults"], "nothing had happened"
    assert not history["stuck"]
    assert not history["found"], history["faults"]


@pytest.mark.parametrize("scenario", SHORT)
def test_a_planted_bug_is_noticed(told: dict[tuple[str, bool], dict[str, Any]], scenario: str) -> None:
    history = told[scenario, True]

    assert history["found"], f"{REAL_PLANTS[scenario].planted.bug}, and nobody noticed: {history}"


def test_every_class_has_a_bug_that_it_has_to_notice() -> None:
    assert REAL_PLANTS.keys() == {scenario.name for scenario in SCENARIOS}


def test_every_point_of_every_trade_is_struck_in_turn() -> None:
    points = {shape: [f"point {number}" for number in range(20)] for shape in SHAPES}
    killed = [scenario for scenario in SCENARIOS if scenario.name == "killed"]

    planned = list(jobs(range(20 * len(SHAPES)), 1, points, killed))

    assert {(job.shape, job.at) for job in planned} == {
        (shape, number) for shape in SHAPES for number in range(20)
    }


def test_results_are_told_by_database_and_times() -> None:
    tally = {
        "runs": 3,
        "orders": 2,
        "struck": 3,
        "open": 0,
        "certainty": {"21": 2},
        **dict.fromkeys(COLUMNS, 0),
    }
    shard = {"kind": KIND, "commit": "c0ffee", "dirty": False, "seed": 1, "shard": "1/1", "seconds": 60.0}
    more = {"tallies": {"killed": tally}, "points": {"fak_buy": ["before a call"]}}

    page = section(
        [
            {**shard, **more, "database": "sqlite", "factor": 5},
            {**shard, **more, "database": "sqlite", "factor": 1},
            {**shard, **more, "database": "postgres", "factor": 5},
        ]
    )

    assert "| sqlite | 5 times shorter | 3 | 3 | 2 |" in page
    assert "| sqlite | true | 3 |" in page
    assert "| postgres | 5 times shorter | 3 |" in page
    assert "| killed | 9 | 9 |" in page
    assert all(f"| {scenario.name} |" in page for scenario in SCENARIOS)
    assert section([]) == ""
