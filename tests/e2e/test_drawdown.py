"""A price crashes: DRAWDOWN trips, what was approved stops, and a person decides how trading goes on.

`tests/e2e/crash.py` ruins a price by real trades; a protected position's exit can be joined here.
"""

import json
import urllib.error
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.crash import can_crash, crash
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")

CYCLE_SECONDS = 3
SETTINGS = {
    "POLYBOT_DRAWDOWN_FRACTION": "0.01",
    "POLYBOT_LOOP_INTERVAL_SECONDS": str(CYCLE_SECONDS),
    "POLYBOT_EXECUTION_POLL_SECONDS": "10",  # so that an approval waits for the end of a cycle
    "POLYBOT_COOLDOWN_SECONDS": "3",  # what the trip rejected may be proposed again soon
    "POLYBOT_MAX_ORDER_FRACTION": "0.03",
    "POLYBOT_MAX_MARKET_FRACTION": "0.03",
}


class Trading:
    """An engine with practice money, its API, and a crowd that hardly moves."""

    def __init__(self, home: Household) -> None:
        self.home = home
        home.start_sandbox("--speed", "0.02", "--past", "0")
        home.start_engine(practice=True, **SETTINGS)
        home.spawn("api", "-m", "polyb0t", "api")
        eventually(lambda: self.get("/health"), what="the API")

    def get(self, path: str) -> Any:
        try:
            return self.ask("GET", path)
        except OSError:
            return None

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer, or the problem, of this API."""
        url = f"http://127.0.0.1:{self.home.api_port}{path}"
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        request = urllib.request.Request(url, content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return json.load(refused)

    def intent(self, intent_id: str) -> Any:
        return self.ask("GET", f"/intents/{intent_id}")

    def waiting(self) -> list[Any]:
        return [each for each in self.ask("GET", "/intents?status=PENDING") if can_crash(each)]

    def switch(self, name: str) -> Any:
        return next(row for row in self.ask("GET", "/kill-switches") if row["type"] == name)

    def next_cycle(self) -> None:
        """Wait until a cycle has just ended."""
        log = self.home.folder / "data" / "polyb0t.log"
        before = log.read_text().count("cycle.finished")
        eventually(lambda: log.read_text().count("cycle.finished") > before, what="the end of a cycle")


@pytest.fixture
def trading(tmp_path: Path):
    with household(tmp_path) as home:
        yield Trading(home)


def two_trades(trading: Trading) -> tuple[Any, Any] | None:
    """A large one, and one on another market."""
    trades = sorted(trading.waiting(), key=lambda each: Decimal(each["max_cost"]), reverse=True)
    if not trades or Decimal(trades[0]["max_cost"]) < 150:
        return None
    others = [each for each in trades if each["condition_id"] != trades[0]["condition_id"]]
    return (trades[0], others[0]) if others else None


def test_a_crash_stops_what_was_approved_until_a_person_accepts_the_loss(trading: Trading) -> None:
    large, other = eventually(lambda: two_trades(trading), what="two trades")
    trading.ask("POST", f"/intents/{large['id']}/approve")
    eventually(lambda: trading.intent(large["id"])["status"] == "EXECUTED", what="the purchase")
    assert not trading.switch("DRAWDOWN")["tripped"]

    trading.next_cycle()
    trading.ask("POST", f"/intents/{other['id']}/approve")
    crash(trading.home, large)

    stopped = eventually(
        lambda: (found := trading.intent(other["id"]))["status"] == "REJECTED" and found, what="the trip"
    )
    assert stopped["result"] == "halted"
    assert "DRAWDOWN tripped: equity is " in stopped["result_detail"]
    row = trading.switch("DRAWDOWN")
    assert (row["tripped"], row["limit"]) == (True, "1%")
    assert row["known"]["stopped"] == 1
    assert trading.ask("GET", "/status")["stance"] == "REDUCING"

    eventually(lambda: trading.switch("DRAWDOWN")["cause_holds"], what="the engine's figure")
    refused = trading.home.command("kill-switches", "clear", "DRAWDOWN", "--reason", "let me", code=4)
    assert refused.startswith("Not cleared: equity is ")
    assert "limit 1%. It would trip again at once." in " ".join(refused.split())

    body = {"reason": "I know what happened", "accept_loss": True}
    assert trading.ask("POST", "/kill-switches/DRAWDOWN/clear", body)["tripped"] is False
    known = {large["id"], other["id"]}
    fresh = eventually(
        lambda: [each for each in trading.ask("GET", "/intents?status=PENDING") if each["id"] not in known],
        what="a new proposal",
    )
    trading.next_cycle()
    trading.next_cycle()
    assert not trading.switch("DRAWDOWN")["tripped"], "it is measured from today's equity on"
    trading.ask("POST", f"/intents/{fresh[0]['id']}/approve")
    eventually(lambda: trading.intent(fresh[0]["id"])["status"] == "EXECUTED", what="the next purchase")
