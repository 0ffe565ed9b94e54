"""A running engine tells the owner's program of everything, and shows its books to who looks."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.db.stores import open_stores
from polyb0t.execution.scope import Scope
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def hook_of(home: Household) -> str:
    """Appends what it is told to `told`."""
    script = home.folder / "hook.py"
    script.write_text(f"import sys\nopen({str(home.folder / 'told')!r}, 'a').write(sys.stdin.read())\n")
    return f"{sys.executable} {script}"


def test_every_event_up_to_the_engines_end_and_a_book_for_who_looks(home: Household) -> None:
    home.start_sandbox()
    engine = home.start_engine(practice=False, POLYBOT_NOTIFY_COMMAND=hook_of(home))
    proposal = home.waiting()
    current = json.loads((home.folder / "data" / "current" / "sandbox.json").read_text())
    stores = open_stores(current["database_url"], Scope.parse(current["scope"]), SystemClock())

    def shown() -> Any:
        stores.onlookers.look("0123456789abcdef", actor="user:bob", looking_at=None)
        return stores.onlookers.glance().books.get(proposal["asset_id"])

    book = eventually(shown, what="the live book")
    assert book.bids or book.asks
    engine.send_signal(signal.SIGINT)
    assert engine.wait(20) == 0
    told = [json.loads(line) for line in (home.folder / "told").read_text().splitlines()]
    journal = {entry.sequence: entry.kind for entry in stores.engine.journal(limit=100_000)}
    stores.close()
    numbers = [each["sequence"] for each in told]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "none left out, none twice"
    assert {number: journal[number] for number in numbers} == {
        each["sequence"]: each["kind"] for each in told
    }
    kinds = [each["kind"] for each in told]
    assert kinds[0] == "engine.started"
    assert kinds[-1] == "engine.stopped"
    assert any(each["intent"] and each["intent"]["id"] == proposal["id"] for each in told)
