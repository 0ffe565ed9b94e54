"""Every screen of a running practice system on a terminal as people have them: nothing runs over the edge."""

import os
import re
from collections.abc import Iterator

import pytest

from polyb0t.cli.main import run
from tests.e2e.household import Household, eventually, household
from tests.e2e.test_first_five_minutes import Terminal
from tests.e2e.warm import warm

pytestmark = pytest.mark.xdist_group("e2e")

SIZES = ((30, 100), (24, 80))
DIGEST = re.compile(r"[0-9a-f]{64}")
KEYS = r"H halt"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    with household(tmp_path_factory.mktemp("widths")) as running:
        running.start_sandbox()
        running.start_engine(practice=True, POLYBOT_MOST_WAITING="40")
        bought = running.waiting()
        running.command("intents", "approve", bought["id"], "--yes", "--wait", "10")
        eventually(lambda: running.json("orders", "list"), what="the order")
        eventually(lambda: _measured(running), what="a cycle's look at the limits")
        yield running


def _measured(home: Household) -> bool:
    return warm().run(("risk",), cwd=home.folder, environment=home.environment).code == 0


def over(screen: str, columns: int) -> list[str]:
    """A digest in full is one word, whatever the screen is: it is there to be copied."""
    return [line for line in screen.splitlines() if len(line) > columns and not DIGEST.search(line)]


READS = (
    ("intents", "list"),
    ("intents", "list", "--all"),
    ("intents", "show", "INTENT"),
    ("intents", "show", "INTENT", "--checks"),
    ("intents", "show", "INTENT", "--rules"),
    ("intents", "mutes"),
    ("universe", "--why"),
    ("positions",),
    ("orders", "list"),
    ("orders", "show", "ORDER"),
    ("status",),
    ("account",),
    ("risk",),
    ("kill-switches", "list"),
    ("claims", "list"),
    ("report",),
    ("report", "--by", "market"),
    ("report", "--by", "category"),
    ("report", "--by", "model"),
    ("report", "--by", "day"),
    ("audit", "verify"),
)
LOOKING = (("doctor", "--live"),)  # it opens sockets, which its process's end closes


@pytest.mark.parametrize("columns", [100, 80, 60])
def test_no_line_of_a_command_is_wider_than_the_terminal(
    home: Household, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, which costs a tenth of starting each anew; what is printed is the same."""
    ids = {"INTENT": home.waiting()["id"], "ORDER": home.json("orders", "list")[0]["id"]}
    for name in [name for name in os.environ if name.startswith("POLYB")]:
        monkeypatch.delenv(name)
    for name, value in {**home.environment, "COLUMNS": str(columns), "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)

    for words in READS:
        capsys.readouterr()
        assert run([ids.get(word, word) for word in words]) == 0, words
        fits(capsys.readouterr().out, words, columns)
    for words in LOOKING:
        fits(home.command(*words, COLUMNS=str(columns), NO_COLOR="1"), words, columns)


def fits(screen: str, words: tuple[str, ...], columns: int) -> None:
    assert screen.strip(), words
    assert "\x1b" not in screen, words
    assert over(screen, columns) == [], words


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_the_watch_screen_fits_and_always_shows_its_keys(home: Household, rows: int, columns: int) -> None:
    home.waiting()
    watch = Terminal(home, "intents", "watch", rows=rows, columns=columns)
    try:
        watch.read_until(KEYS)
        first = watch.text.partition("\x1b[2J")[2].partition("\x1b[?1049h")[0]  # drawn line by line
        shown = ESCAPES.sub("", first).replace("\a", "").replace("\r", "").rstrip("\n")
        assert shown
        assert over(shown, columns) == []
        assert len(shown.splitlines()) <= rows
        watch.type("a")
        watch.read_until("y = approve")  # the question is on the screen, however much waits
        asked = len(watch.text)
        watch.type("n")
        watch.read_until(f"(?s).{{{asked}}}.*{KEYS}")  # the question is gone, the keys are back
        watch.type("q")
        assert watch.process.wait(10) == 0
    finally:
        watch.close()
