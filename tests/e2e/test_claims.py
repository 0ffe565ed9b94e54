"""Buy, resolve, claim, paid: real processes, and real contracts on a local chain."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.sandbox.chain.anvil import find_anvil
from tests.e2e.household import Household, eventually, household

pytestmark = pytest.mark.xdist_group("e2e with money")
PROJECT = Path(__file__).resolve().parents[2]
EOA, DEPOSIT_WALLET = "0", "3"


@dataclass
class Owner:
    """Somebody with one kind of wallet, at the keyboard."""

    home: Household
    kind: str

    def told(self, *command: str) -> Any:
        return json.loads(self.say(*command, "--json"))

    def say(self, *command: str) -> str:
        return self.home.command(*command, POLYBOT_SIGNATURE_TYPE=self.kind)

    def start(self) -> None:
        self.home.start_sandbox("--chain")
        self.home.start_engine(practice=True, POLYBOT_SIGNATURE_TYPE=self.kind)

    def buys(self) -> dict[str, Any]:
        """A proposal that was approved and whose shares are final."""
        proposal: dict[str, Any] = eventually(lambda: self.told("intents", "list"), what="a proposal")[0]
        self.say("intents", "approve", proposal["id"], "--yes", "--wait", "10")
        eventually(lambda: self._final(proposal["id"]), what="the final fill")
        return proposal

    def resolve(self, bought: dict[str, Any], ours: str, theirs: str) -> None:
        market = self.home.http("GET", f"/gamma/markets?condition_ids={bought['condition_id']}")[0]
        told = market["clobTokenIds"]
        assets = [str(each) for each in (json.loads(told) if isinstance(told, str) else told)]
        pays = [ours, theirs] if assets[0] == bought["asset_id"] else [theirs, ours]
        self.home.http("POST", f"/sandbox/markets/{bought['condition_id']}/resolve", {"payouts": pays})

    def claim(self) -> dict[str, Any]:
        found: dict[str, Any] = eventually(
            lambda: next(iter(self.told("claims", "list")["claims"]), None), within=60, what="a claim"
        )
        return found

    def carries_out(self) -> None:
        self.home.spawn(
            "claims", "-m", "polyb0t", "claims", "run", "--sandbox", POLYBOT_SIGNATURE_TYPE=self.kind
        )

    def ended(self, claim_id: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            claim: dict[str, Any] = self.told("claims", "show", claim_id)
            return claim if claim["status"] in ("EXECUTED", "FAILED", "EXPIRED") else None

        found: dict[str, Any] = eventually(over, within=60, what="the end of the claim")
        return found

    def holds(self, bought: dict[str, Any]) -> bool:
        return any(row["asset_id"] == bought["asset_id"] for row in self.told("positions"))

    def _final(self, intent_id: str) -> bool:
        return any(
            row["status"] == "FILLED" and Decimal(row["provisional_shares"]) == 0
            for row in self.told("orders", "list")
            if row["intent_id"] == intent_id
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Household]:
    if find_anvil(os.environ, PROJECT) is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs anvil, which `make install` brings where npm is present")
        pytest.skip("needs anvil, which `make install` brings where npm is present")
    with household(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("kind", "pays"), [(EOA, ("1", "0")), (DEPOSIT_WALLET, ("1", "0")), (DEPOSIT_WALLET, ("0.5", "0.5"))]
)
def test_winnings_come_into_the_wallet_after_an_approval(
    home: Household, kind: str, pays: tuple[str, str]
) -> None:
    owner = Owner(home, kind)
    owner.start()
    bought = owner.buys()
    owner.resolve(bought, *pays)
    claim = owner.claim()
    owner.carries_out()
    owner.say("intents", "approve", claim["id"], "--yes")

    paid = owner.ended(claim["id"])

    assert (paid["status"], paid["result"]) == ("EXECUTED", "claimed"), (paid, home.output("claims"))
    assert paid["paid"] == paid["expected"]
    assert not owner.holds(bought)


def test_what_is_lost_is_closed_in_the_books_without_a_transaction(home: Household) -> None:
    owner = Owner(home, EOA)
    owner.start()
    bought = owner.buys()
    owner.resolve(bought, "0", "1")
    eventually(lambda: not owner.holds(bought), within=60, what="the end of the position")
    assert owner.told("claims", "list") == {"claims": [], "by_hand": []}
