"""The whole product with a deposit wallet, the kind that the venue gives new accounts."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import eventually, household

pytestmark = pytest.mark.xdist_group("e2e")


def test_an_approved_order_is_placed_by_the_wallet_and_signed_by_its_owner(tmp_path: Path) -> None:
    with household(tmp_path) as home:
        home.start_sandbox()
        accounts = home.http("GET", "/sandbox/environment")["accounts"]
        account = next(one for one in accounts if one["signature_type"] == 3)
        home.start_engine(practice=True, POLYBOT_SIGNATURE_TYPE="3")

        def told(*command: str) -> Any:
            return json.loads(home.command(*command, "--json", POLYBOT_SIGNATURE_TYPE="3"))

        [proposal, *_] = eventually(lambda: told("intents", "list"), what="a proposal")
        home.command(
            "intents", "approve", proposal["id"], "--yes", "--wait", "10", POLYBOT_SIGNATURE_TYPE="3"
        )

        [taken] = home.ledger_orders(account["wallet"])
        assert account["wallet"] != account["address"]
        assert (taken["maker"], taken["signature_type"]) == (account["wallet"], 3)
        [order] = told("orders", "list")
        assert order["id"] == taken["order_id"]
        filled = eventually(
            lambda: next((row for row in told("orders", "list") if row["status"] == "FILLED"), None),
            what="the final fill",
        )
        [held] = [row for row in told("positions") if row["asset_id"] == proposal["asset_id"]]
        assert held["shares"] == filled["filled_shares"]
