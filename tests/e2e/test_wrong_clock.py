"""The exchange's clock goes wrong under a running engine: nothing is sent until it is right again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e with money")

PRACTICE_MS = 30_000  # inside of what the exchange's signature check tolerates: it would take the order


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    with household(tmp_path) as running:
        yield running


def set_clock(home: Household, milliseconds: int) -> None:
    home.http("PUT", "/sandbox/venue", {"clock_offset_ms": milliseconds})


def problem_of(home: Household) -> str:
    return str(home.json("status")["problem"])


def test_an_exchange_half_a_minute_ahead_gets_no_order(home: Household) -> None:
    home.start_sandbox()
    home.start_engine(practice=True)
    wallet = str(home.http("GET", "/sandbox/environment")["accounts"][0]["wallet"])
    proposal = home.waiting()
    set_clock(home, PRACTICE_MS)
    eventually(lambda: "behind the exchange's" in problem_of(home), what="the problem on the status")

    home.command("intents", "approve", proposal["id"], "--yes", "--wait", "20", code=4)

    ended = home.json("intents", "show", proposal["id"])
    assert (ended["status"], ended["result"]) == ("FAILED", "clock_skew")
    assert home.ledger_orders(wallet) == []
    assert float(home.json("status")["clock_skew_seconds"]) < -28
    assert "s behind the exchange's" in home.command("status")

    set_clock(home, 0)
    eventually(lambda: "behind" not in problem_of(home), what="the end of the problem")
    again = home.waiting()
    home.command("intents", "approve", again["id"], "--yes", "--wait", "20")
    assert len(home.ledger_orders(wallet)) == 1
