"""What a person does by hand, and a position that is sold while its owner sleeps, over real processes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.crash import can_crash, crash
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")

SETTINGS = {"POLYBOT_MAX_ORDER_FRACTION": "0.01", "POLYBOT_PROMPTS_PER_HOUR": "500"}


class Person:
    """Somebody at a shell beside a running engine with practice money."""

    def __init__(self, home: Household) -> None:
        self.home = home
        home.start_sandbox("--speed", "0.02", "--past", "0")
        home.start_engine(practice=True, **SETTINGS)

    def say(self, *arguments: str) -> Any:
        return self.home.json(*arguments, "--yes")

    def offers(self) -> list[Any]:
        return [each for each in self.home.json("intents", "list") if can_crash(each)]

    def held(self, asset: str) -> Any:
        rows = [row for row in self.home.json("positions") if row["asset_id"] == asset]
        return rows[0] if rows else None

    def confirmed(self, asset: str) -> Decimal:
        row = self.held(asset)
        return Decimal(row["confirmed_shares"]) if row else Decimal(0)

    def holds(self, asset: str, shares: Decimal) -> Any:
        def look() -> Any:
            row = self.held(asset)
            return row if row and Decimal(row["confirmed_shares"]) == shares else None

        return eventually(look, what=f"{shares} confirmed shares")

    def intents(self, asset: str) -> list[Any]:
        rows = self.home.json("intents", "list", "--all")
        return [row for row in rows if row["asset_id"] == asset]


@pytest.fixture
def person(tmp_path: Path) -> Any:
    with household(tmp_path) as home:
        yield Person(home)


def test_less_by_hand_muted_protected_and_sold_by_itself(person: Person) -> None:
    home = person.home
    trade, other = eventually(
        lambda: person.offers() if len(person.offers()) > 1 else None, what="two proposals"
    )[:2]
    asset = trade["asset_id"]

    # Approving less: the smaller form supersedes, with a digest of its own.
    wanted = str(int(Decimal(trade["least_shares"]) / 2))
    less = person.say("intents", "approve", trade["id"], "--shares", wanted, "--wait", "10")
    assert less["parent_id"] == trade["id"]
    assert less["digest"] != trade["digest"]
    assert Decimal(less["max_cost"]) < Decimal(trade["max_cost"])
    (old,) = [row for row in person.intents(asset) if row["id"] == trade["id"]]
    assert (old["status"], old["result"]) == ("EXPIRED", "superseded")
    bought = eventually(lambda: person.confirmed(asset), what="a position")
    assert bought >= int(wanted)

    # A market that stays away, and an own idea on it all the same.
    home.json("intents", "reject", other["id"], "--mute", "24h")
    assert [row["condition_id"] for row in home.json("intents", "mutes")] == [other["condition_id"]]
    words = ("--outcome", other["outcome_label"], "--worst-price", other["best_ask"], "--amount", "10")
    own = person.say("intents", "propose", other["condition_id"], *words, "--wait", "10")
    assert own["model_name"] == ""
    assert {row["value"] for row in own["controls"] if row["name"] == "edge_low"} == {"own idea"}
    eventually(lambda: person.held(other["asset_id"]), what="what the own idea bought")

    # Out by hand, a part of it.
    sold = person.say("positions", "close", asset, "--shares", "5", "--wait", "10")
    assert (sold["side"], sold["shares"], sold["status"]) == ("SELL", "5", "EXECUTED")
    left = person.holds(asset, bought - 5)

    # Protected, and the price falls: it is sold by itself.
    (standing,) = person.say("positions", "protect", asset, "--worst-price", "2c")
    assert Decimal(standing["left"]) >= Decimal(left["shares"])
    crash(home, trade)
    eventually(lambda: person.held(asset) is None, within=45, what="the exit")
    (exit_,) = [row for row in person.intents(asset) if row["decided_by"] == f"standing:{standing['id']}"]
    assert (exit_["side"], exit_["status"]) == ("SELL", "EXECUTED")
    assert "intent(s)" not in home.command("audit", "verify")
