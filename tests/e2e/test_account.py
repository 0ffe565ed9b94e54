"""The account of a running engine: a deposit, and a market that is paid, over real processes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e with money")


@pytest.fixture
def home(tmp_path: Path):
    with household(tmp_path) as running:
        yield running


def test_a_deposit_is_no_gain_a_won_market_is_and_an_unknown_movement_stops_everything(
    home: Household,
) -> None:
    home.start_sandbox()
    home.http("PUT", "/sandbox/chain", {"data_lag_ms": 0})
    home.start_engine(practice=True, POLYBOT_LOOP_INTERVAL_SECONDS="1")
    home.start_api()
    proposal = home.waiting()
    home.command("intents", "approve", proposal["id"], "--yes", "--wait", "10")
    account = home.ask("GET", "/status")["wallet"]

    def known() -> Any:
        found = home.ask("GET", "/account")
        return found if found["equity"] is not None and found["positions"] not in (None, "0") else None

    before = eventually(known, what="the account with its position")
    home.http("POST", "/sandbox/balances", {"wallet": account, "change": "2500"})

    def explained() -> Any:
        found = home.ask("GET", "/account")
        return found if Decimal(found["day_flows"]) == 2500 else None

    after = eventually(explained, within=40, what="the deposit, explained")
    assert Decimal(after["unexplained"]) == 0
    assert abs(Decimal(after["day_result"]) - Decimal(before["day_result"])) < 100, (
        "the deposit is in no result"
    )
    assert Decimal(after["equity"]) > Decimal(before["equity"]) + 2400

    condition = proposal["condition_id"]
    (held,) = [row for row in home.ask("GET", "/positions")["positions"] if row["condition_id"] == condition]
    first = held["outcome_label"].lower() == "yes"
    home.http(
        "POST", f"/sandbox/markets/{condition}/resolve", {"payouts": ["1", "0"] if first else ["0", "1"]}
    )
    home.http("POST", "/sandbox/redemptions", {"wallet": account, "condition": condition})

    def paid() -> Any:
        found = home.ask("GET", "/account")
        return found if any(each["taken"] for each in found["movements"]) else None

    won = eventually(paid, within=90, what="the payout")
    (movement,) = [each for each in won["movements"] if each["taken"]]
    assert movement["kind"] == "REDEEM"
    assert movement["taken"][0]["shares"] == held["shares"]
    assert Decimal(won["realised"]) == Decimal(held["shares"]) - Decimal(held["cost"])
    assert [
        row for row in home.ask("GET", "/positions")["positions"] if row["condition_id"] == condition
    ] == []
    eventually(
        lambda: Decimal(home.ask("GET", "/account")["unexplained"]) == 0,
        within=30,
        what="nothing unexplained",
    )
    assert home.ask("GET", "/status")["stance"] == "ACTIVE"

    # A word that nobody knows: what it did to the account is not known, so everything stops.
    home.http("POST", "/sandbox/credits", {"wallet": account, "type": "NOVELTY", "amount": "1"})

    def tripped() -> Any:
        rows = home.ask("GET", "/kill-switches")
        return next((row for row in rows if row["type"] == "RECONCILIATION" and row["tripped"]), None)

    switch = eventually(tripped, within=40, what="the trip")
    assert "NOVELTY" in switch["reason"]
    assert home.ask("GET", "/status")["stance"] == "HALTED"
