"""The screens that README and guide show are those of the program: compared line by line with a fresh practice world."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")

ROOT = Path(__file__).parents[2]
QUESTION = "Will Ondurrel leave the cabinet of Karrendal?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """The world that `make run` begins with, its crowd almost asleep, so that prices stay as they begin."""
    with household(tmp_path_factory.mktemp("samples")) as running:
        running.start_sandbox("--speed", "0.001")
        running.start_engine(practice=False)
        eventually(lambda: len(running.json("intents", "list")) >= 2, what="two proposals")
        yield running


def sample(document: str, first: str) -> list[str]:
    """The lines after `first` up to the end of its block."""
    text = (ROOT / document).read_text(encoding="utf-8")
    assert f"\n{first}\n" in text, first
    block: str = text.partition(f"\n{first}\n")[2].partition("\n```")[0]
    return alike(block)


def alike(screen: str) -> list[str]:
    """Without what differs from one start to the next: times, ids, digests, ages, the room for a name."""
    for pattern, word in (
        (r"\d\d:\d\d:\d\d", "TIME"),
        (r"\b[0-9a-hjkmnp-tv-z]{4}(?=  (?:PENDING|\d+ s)| *$| Less:|    )", "ID"),
        (r"(approve|reject|show) [0-9a-z]{4}\b", r"\1 ID"),
        (r"digest [0-9a-f]{4} [0-9a-f]{4}", "DIGEST"),
        (r"(?:\d+ min )?\b\d+(?:\.\d)? s\b", "AGE"),
        (r"ends in \d+ d", "ENDS"),
        (r"\d+\.\d\d(?= pUSD; the order)", "STAKE"),  # days to the end are in it
        (r"growth 0\.\d+", "GROWTH"),
        (r" +", " "),
    ):
        screen = re.sub(pattern, word, screen)
    return [line.strip() for line in screen.splitlines() if line.strip()]


def test_the_list_in_the_readme(home: Household) -> None:
    shown, real = sample("README.md", "polyb0t> polyb0t intents list"), alike(home.command("intents", "list"))

    assert shown[:4] == real[:4]  # where one is, the headings, and the first two proposals
    assert shown[-1] == real[-1]
    assert shown[-2].partition(" waiting")[2] == real[-2].partition(" waiting")[2]


def test_the_proposal_in_the_guide(home: Household) -> None:
    proposal = next(each for each in home.json("intents", "list") if each["question"] == QUESTION)
    (first,) = re.findall(r"\$ polyb0t intents show [0-9a-z]{4}", (ROOT / "LIVE_MODE_README.md").read_text())

    assert sample("LIVE_MODE_README.md", first) == alike(home.command("intents", "show", proposal["id"]))


def test_every_size_in_a_sample_is_one_that_the_limits_give(home: Household) -> None:
    """Practice money is 10,000 pUSD, an order at most a hundredth, less a margin for what moves meanwhile."""
    most = max(float(each["max_cost"]) for each in home.json("intents", "list"))
    for document in ("README.md", "LIVE_MODE_README.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        told = re.findall(r"(?:at most|pay) (\d+\.\d\d) (?:pUSD|max)", text.partition("## What UNKNOWN")[0])
        assert told
        assert max(map(float, told)) <= most + 0.005
