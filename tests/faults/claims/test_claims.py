"""The short form of the histories of claims, and each planted bug seen to be noticed."""

from collections.abc import Iterator

import pytest
import structlog

from tests.faults.claims.history import Story
from tests.faults.claims.page import KIND, section
from tests.faults.claims.plants import PLANTS, Plant
from tests.faults.claims.run import one, run
from tests.faults.claims.stories import STORIES

SEED = 20_261_122
TRIES = 24  # histories in which a planted bug has to show
BY_NAME = {story.name: story for story in STORIES}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(processors=[_drop])
    yield
    structlog.configure(**before)


def _drop(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_whatever_goes_wrong_a_claim_is_paid_once_and_known(story: Story) -> None:
    for number in range(2, 4):  # of both kinds of wallet, and with a process that ends
        history = one(story, SEED, number)
        assert history.verdict.clean, (number, history.verdict.sentences())


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.bug}: {plant.story}")
def test_a_planted_bug_is_noticed(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.sow(monkeypatch)
    numbers = range(plant.first, plant.first + TRIES)
    noticed = any(not one(BY_NAME[plant.story], SEED, number).verdict.clean for number in numbers)
    assert noticed, f"{plant.bug}, and nobody noticed"


def test_results_are_summed_by_story() -> None:
    story = STORIES[0]
    shards = [
        {
            "kind": KIND,
            "commit": "c0ffee",
            "dirty": False,
            "seed": seed,
            "shard": "1/1",
            **run(seed, range(1), stories=[story]).as_json(),
        }
        for seed in (1, 2)
    ]

    page = section(shards)

    assert f"| {story.name} | 2 | 2 | 0 | 0 | 0 |" in page
    assert "| `c0ffee` | 2:1/1 | 1 | 0 |" in page
    assert all(f"| {plant.bug} | {plant.story} |" in page for plant in PLANTS)
