"""A price crashes: DRAWDOWN trips, what was approved stops, what is protected is sold, and a person decides
how trading goes on. `tests/e2e/crash.py` ruins the price by real trades."""

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
        home.start_api()
        self.ask = home.ask

    def intent(self, intent_id: str) -> Any:
        return self.ask("GET", f"/intents/{intent_id}")

    def waiting(self) -> list[Any]:
        return [each for each in self.ask("GET", "/intents?status=PENDING") if can_crash(each)]

    def switch(self, name: str) -> Any:
        return next(row for row in self.ask("GET", "/kill-switches") if row["type"] == name)

    def position(self, asset: str) -> Any:
        held = self.ask("GET", "/positions")["positions"]
        return next((row for row in held if row["asset_id"] == asset), None)

    def left_of(self, asset: str) -> Decimal:
        """Shares; sales are in whole hundredths, so a crumb may stay."""
        row = self.position(asset)
        return Decimal(row["shares"]) if row else Decimal(0)

    def protect(self, asset: str) -> Any:
        """Approve its exits down to 2¢: the crash leaves 4¢."""
        (standing,) = self.ask("POST", f"/positions/{asset}/protect", {"worst_price": "0.02"})
        return standing

    def exit_of(self, standing: Any) -> Any:
        """What was sold in the standing approval's name."""
        rows = self.ask("GET", "/intents?status=EXECUTED")
        return next((row for row in rows if row["decided_by"] == f"standing:{standing['id']}"), None)

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


def test_a_crash_stops_openings_and_sells_what_is_protected_until_a_person_accepts_the_loss(
    trading: Trading,
) -> None:
    large, other = eventually(lambda: two_trades(trading), what="two trades")
    trading.ask("POST", f"/intents/{large['id']}/approve")
    eventually(lambda: trading.intent(large["id"])["status"] == "EXECUTED", what="the purchase")
    held = eventually(lambda: trading.position(large["asset_id"]), what="the position")
    standing = trading.protect(large["asset_id"])
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

    sold = eventually(lambda: trading.exit_of(standing), what="the protected exit")
    assert (sold["side"], sold["asset_id"]) == ("SELL", large["asset_id"])
    assert Decimal(sold["shares"]) <= Decimal(held["shares"]), "never more than was bought"
    eventually(lambda: trading.left_of(large["asset_id"]) < Decimal("0.01"), what="the end of the position")
    assert trading.switch("DRAWDOWN")["tripped"], "a sale heals nothing"

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
    assert "intent(s)" not in trading.home.command("audit", "verify")
