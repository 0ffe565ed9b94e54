"""What a person does by hand, over real processes. Sold while asleep: `test_drawdown.py`."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.crash import can_crash
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e")

SETTINGS = {"POLYBOT_MAX_ORDER_FRACTION": "0.01", "POLYBOT_PROMPTS_PER_HOUR": "500"}


class Person:
    """Somebody at a shell beside a running engine with practice money."""

    def __init__(self, home: Household) -> None:
        self.home = home
        home.start_sandbox("--speed", "0.02", "--past", "0")
        home.start_engine(practice=True, **SETTINGS)
        home.start_api()

    def say(self, *arguments: str) -> Any:
        return self.home.json(*arguments, "--yes")

    def offers(self) -> list[Any]:
        return [each for each in self.home.ask("GET", "/intents?status=PENDING") if can_crash(each)]

    def held(self, asset: str) -> Any:
        held = self.home.ask("GET", "/positions")["positions"]
        rows = [row for row in held if row["asset_id"] == asset]
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
        rows = self.home.ask("GET", "/intents?status=EXPIRED")
        return [row for row in rows if row["asset_id"] == asset]


@pytest.fixture
def person(tmp_path: Path) -> Any:
    with household(tmp_path) as home:
        yield Person(home)


def test_less_by_hand_muted_an_own_idea_and_a_part_sold(person: Person) -> None:
    home = person.home
    trade, other = eventually(
        lambda: offers[:2] if len(offers := person.offers()) > 1 else None, what="two proposals"
    )
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
    person.holds(asset, bought - 5)
    assert "intent(s)" not in home.command("audit", "verify")
