"""Every screen of a running practice system on a terminal as people have them: nothing runs over the edge."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.household import Household, eventually, household
from tests.e2e.test_first_five_minutes import Terminal

pytestmark = pytest.mark.xdist_group("e2e")

SIZES = ((30, 100), (24, 80))
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("widths")) as running:
        running.start_sandbox()
        running.start_engine(practice=True, POLYBOT_MOST_WAITING="40")
        bought = running.waiting()
        running.command("intents", "approve", bought["id"], "--yes", "--wait", "10")
        eventually(lambda: running.json("orders", "list"), what="the order")
        yield running


def over(screen: str, columns: int) -> list[str]:
    return [line for line in screen.splitlines() if len(line) > columns]


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_no_line_of_a_command_is_wider_than_the_terminal(home: Household, rows: int, columns: int) -> None:
    waiting, order = home.waiting(), home.json("orders", "list")[0]
    asked = (
        ("intents", "list"),
        ("intents", "list", "--all"),
        ("intents", "show", waiting["id"]),
        ("intents", "show", waiting["id"], "--checks"),
        ("universe", "--why"),
        ("positions",),
        ("orders", "list"),
        ("orders", "show", order["id"]),
        ("status",),
    )

    def screen_of(words: tuple[str, ...]) -> str:
        return home.command(*words, COLUMNS=str(columns), LINES=str(rows), NO_COLOR="1")

    with ThreadPoolExecutor(2) as pool:
        screens = list(pool.map(screen_of, asked))

    for words, screen in zip(asked, screens, strict=True):
        assert screen.strip(), words
        assert "\x1b" not in screen, words
        assert over(screen, columns) == [], words


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_the_watch_screen_fits_and_always_shows_its_keys(home: Household, rows: int, columns: int) -> None:
    home.waiting()
    watch = Terminal(home, "intents", "watch", rows=rows, columns=columns)
    try:
        watch.read_until(r"q quit")
        shown = ESCAPES.sub("", watch.text).replace("\a", "").split("SANDBOX, practice money")[-1]
        assert over(shown.partition("\n")[2], columns) == []
        assert len(shown.splitlines()) <= rows
        watch.type("a")
        watch.read_until("y = approve")  # the question is on the screen, however much waits
        asked = len(watch.text)
        watch.type("n")
        watch.read_until(f"(?s).{{{asked}}}.*q quit")  # the question is gone, the keys are back
        watch.type("q")
        assert watch.process.wait(10) == 0
    finally:
        watch.close()
