"""The short form of the fault suite: a few histories of each class, and each class seen to notice a bug."""

import gc
from collections.abc import Iterator

import pytest
import structlog

from tests.faults.judge import Verdict
from tests.faults.machine import Machine
from tests.faults.noticed import NOTICED_AT
from tests.faults.plants import PLANTS
from tests.faults.report import document, summaries, surroundings
from tests.faults.run import Runner
from tests.faults.scenario import Scenario
from tests.faults.scenarios import SCENARIOS
from tests.faults.shapes import SHAPES

SEED = 20_261_122
EACH = 1
TRIES = 80  # histories in which a planted bug has to show


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    machine, thresholds = Machine(), gc.get_threshold()
    gc.freeze()  # what is there by now stays, and looking at it again and again is a fifth of the time
    gc.set_threshold(50_000, 20, 100)
    yield machine
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    machine.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    yield
    structlog.configure(**before)


def _drop(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_whatever_goes_wrong_no_promise_breaks(machine: Machine, scenario: Scenario) -> None:
    runner = Runner(machine, (scenario,))
    for number in range(EACH):
        history, verdict = runner.one(scenario, SEED, number)
        assert verdict.clean, (number, history.faults, _sentences(verdict))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_planted_bug_is_noticed(machine: Machine, scenario: Scenario) -> None:
    runner = Runner(machine, (scenario,))
    likely = NOTICED_AT.get(scenario.name, 0)
    with PLANTS[scenario.name].plant():
        noticed = any(not runner.one(scenario, SEED, number)[1].clean for number in (likely, *range(TRIES)))
    assert noticed, f"{PLANTS[scenario.name].bug}, and nobody noticed"


def test_every_kind_of_trade_comes_to_its_end_without_a_fault(machine: Machine) -> None:
    runner = Runner(machine)
    for name in SHAPES:
        labels = [point.label for point in runner.enumerated(name)]
        assert any(label.startswith("before POST") for label in labels), (name, labels)
        assert labels.count("before a commit") == labels.count("after a commit")


def test_results_of_shards_are_summed_by_commit(machine: Machine) -> None:
    shards = []
    for seed in (1, 2):
        runner = Runner(machine)
        result = runner.run(range(3), seed)
        shards.append({**surroundings(in_memory=True), "seed": seed, "shard": "1/1", **result.as_json()})

    (summary,) = summaries(shards)

    assert summary.runs == 6
    page = document([summary])
    assert "**6 in-process histories on SQLite**" in page
    assert "**0 in-process histories on PostgreSQL**" in page
    assert all(f"| {scenario.name} |" in page for scenario in SCENARIOS)


def _sentences(verdict: Verdict) -> list[str]:
    return [f"{column}: {one}" for column, found in verdict.found.items() for one in found]
