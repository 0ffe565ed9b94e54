"""From a purchase to the money in the wallet, for every kind of market and both kinds of wallet.

One sandbox with a real chain under it; for each of two wallets an engine, its HTTP API and a claims process.
The engines see an edge everywhere (a model file of the test), so that each kind of market is proposed.
Everything that is bought and claimed was approved over HTTP; what is compared at the end is the chain's own
balance, asked of its node.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from polyb0t.sandbox.abi import call_data
from polyb0t.sandbox.chain.anvil import find_anvil
from polyb0t.sandbox.contracts import CONTRACTS
from tests.e2e.household import Household, eventually

pytestmark = pytest.mark.xdist_group("e2e with money")
PROJECT = Path(__file__).resolve().parents[2]
COEFFICIENTS = PROJECT / "polyb0t" / "models" / "coefficients" / "market_calibration_v1.json"
FUNDED = Decimal(10_000)
HALF, WON, LOST = ("0.5", "0.5"), ("1", "0"), ("0", "1")
Row = dict[str, Any]
T = TypeVar("T")

# What becomes of the markets that are bought: kind of market, and what our outcome pays.
PLAN: Mapping[str, tuple[str, tuple[str, str]]] = {
    "won": ("standard", WON),
    "won neg-risk": ("neg-risk", WON),
    "won v2": ("v2", WON),
    "half": ("standard", HALF),
    "half v2": ("v2", HALF),
    "lost": ("standard", LOST),
    "paid before a proposal": ("neg-risk", WON),
    "paid before the send": ("standard", WON),
}
ENDS = ("EXECUTED", "FAILED", "EXPIRED")
CLAIMED = ("won", "won neg-risk", "won v2", "half", "half v2")


def kind_of(proposal: Row) -> str:
    if proposal["protocol_version"] == "v2":
        return "v2"
    return "neg-risk" if proposal["neg_risk"] else "standard"


@dataclass
class Owner:
    """Somebody with one kind of wallet, who decides over HTTP."""

    home: Household
    kind: str
    wallet: str = ""
    bought: dict[str, Row] = field(default_factory=dict)  # by what becomes of it
    costs: dict[str, Decimal] = field(default_factory=dict)
    shares: dict[str, Decimal] = field(default_factory=dict)

    def start(self, model: Path) -> None:
        self.home.start_engine(
            practice=True,
            POLYBOT_SIGNATURE_TYPE=self.kind,
            POLYBOT_MODEL_FILE=str(model),
            POLYBOT_MOST_WAITING="100",
            POLYBOT_PROMPTS_PER_HOUR="10000",
            POLYBOT_MAX_ORDER_PUSD="10",
            POLYBOT_RECONCILE_SECONDS="2",
        )
        self.home.spawn("api", "-m", "polyb0t", "api", POLYBOT_SIGNATURE_TYPE=self.kind)

    def waiting(self) -> dict[str, Row]:
        """Proposals to open, by market; {} while the API does not answer."""
        try:
            rows = self.home.ask("GET", "/intents?status=PENDING")
        except OSError:
            return {}
        found = rows["intents"] if isinstance(rows, dict) else rows
        return {row["condition_id"]: row for row in found if row["intent_type"] == "OPEN_POSITION"}

    def approve(self, intent_id: str) -> None:
        told = self.home.ask("POST", f"/intents/{intent_id}/approve")
        assert told.get("status") in ("APPROVED", "EXECUTING", "EXECUTED"), told

    def positions(self) -> dict[str, Row]:
        return {row["condition_id"]: row for row in self.home.ask("GET", "/positions")["positions"]}

    def claims(self) -> dict[str, Row]:
        return {row["condition_id"]: row for row in self.home.ask("GET", "/claims")["claims"]}

    def claim(self, fate: str) -> Row | None:
        return self.claims().get(self.condition(fate))

    def say(self, *command: str) -> str:
        return self.home.command(*command, POLYBOT_SIGNATURE_TYPE=self.kind)

    def condition(self, fate: str) -> str:
        return str(self.bought[fate]["condition_id"])

    def settled(self) -> bool:
        """Whether everything that was bought is final, so that its cost is too."""
        held = self.positions()
        wanted = [held.get(self.condition(fate)) for fate in PLAN]
        if any(row is None or Decimal(row["provisional_shares"]) != 0 for row in wanted):
            return False
        self.costs = {fate: Decimal(held[self.condition(fate)]["cost"]) for fate in PLAN}
        self.shares = {fate: Decimal(held[self.condition(fate)]["shares"]) for fate in PLAN}
        return True

    def carries_out(self) -> None:
        arguments = ("-m", "polyb0t", "claims", "run", "--sandbox")
        self.home.spawn("claims", *arguments, POLYBOT_SIGNATURE_TYPE=self.kind)

    def is_killed_while_it_claims(self) -> None:
        """kill -9 as soon as something was signed, and another process in its place."""

        def signed() -> bool:
            claims = [self.claim(fate) for fate in CLAIMED]
            return any(claim is not None and claim["sends"] for claim in claims)

        eventually(signed, what="a signed claim")
        process = self.home.processes["claims"]
        process.kill()
        process.wait()
        self.carries_out()

    def ended(self, fate: str) -> Row | None:
        claim = self.claim(fate)
        return claim if claim is not None and claim["status"] in ENDS else None

    def richer_than(self, money: Decimal) -> bool:
        return self.on_chain() > money

    def on_chain(self) -> Decimal:
        """pUSD as the chain's own node has it."""
        asked = {"to": CONTRACTS["collateral"], "data": call_data("balanceOf(address)", self.wallet)}
        order = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [asked, "latest"]}
        return Decimal(int(self.home.http("POST", "/rpc", order)["result"], 16)).scaleb(-6)


@dataclass
class Town:
    """The sandbox and its two owners."""

    owners: tuple[Owner, Owner]

    @property
    def sandbox(self) -> Household:
        return self.owners[0].home

    def resolve(self, fate: str) -> None:
        """Our outcome pays as planned. Both hold the same one, since both are told by one model."""
        bought = self.owners[0].bought[fate]
        (token,) = self.sandbox.http("GET", f"/data/v2/tokens?token_id={bought['asset_id']}")["data"]
        pays = PLAN[fate][1] if token["outcome_index"] == 0 else PLAN[fate][1][::-1]
        path = f"/sandbox/markets/{bought['condition_id']}/resolve"
        self.sandbox.http("POST", path, {"payouts": list(pays)})

    def auto_redeem(self, *, on: bool) -> None:
        self.sandbox.http("PUT", "/sandbox/auto-redeem", {"on": on})

    def each(self, look: Callable[[Owner], T | None], what: str) -> list[T]:
        return [
            eventually(partial(look, owner), within=60, what=f"{what} of wallet {owner.kind}")
            for owner in self.owners
        ]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    if find_anvil(os.environ, PROJECT) is None:
        if os.environ.get("CI") == "true":
            pytest.fail("needs anvil, which `make install` brings where npm is present")
        pytest.skip("needs anvil, which `make install` brings where npm is present")
    own, deposit = tmp_path / "own-key", tmp_path / "deposit"
    own.mkdir()
    deposit.mkdir()
    first = Household(own)
    homes = (first, Household(deposit, sandbox_port=first.sandbox_port))
    try:
        yield Town((Owner(homes[0], "0"), Owner(homes[1], "3")))
    finally:
        for home in reversed(homes):
            home.stop()


def an_edge_everywhere(folder: Path) -> Path:
    """Coefficients that find every first outcome some cents too cheap."""
    content = json.loads(COEFFICIENTS.read_text())
    for category in content["categories"].values():
        for cell in category["cells"].values():
            cell.update(intercept="0.25", slope="1", sd_intercept="0.01", sd_slope="0.01")
    path = folder / "model.json"
    path.write_text(json.dumps(content))
    return path


def start(town: Town, folder: Path) -> None:
    """Everything but the claims processes."""
    town.sandbox.start_sandbox("--chain", "--past", "0", "--markets", "10", "--seed", "7")
    quick = {"mined_ms": 300, "confirmed_ms": 900, "data_lag_ms": 0}
    town.sandbox.http("PUT", "/sandbox/chain", quick)
    model = an_edge_everywhere(folder)
    accounts = town.sandbox.http("GET", "/sandbox/environment")["accounts"]
    for owner in town.owners:
        owner.wallet = next(row["wallet"] for row in accounts if row["signature_type"] == int(owner.kind))
        owner.start(model)


def buy(town: Town) -> None:
    """One market for each fate, the same for both, as soon as both engines have proposed it."""
    first, second = town.owners

    def choose() -> None:
        ours, theirs = first.waiting(), second.waiting()
        for condition in [name for name in ours if name in theirs]:
            if any(first.condition(fate) == condition for fate in first.bought):
                continue
            kind = kind_of(ours[condition])
            fate = next((fate for fate in PLAN if PLAN[fate][0] == kind and fate not in first.bought), None)
            if fate is not None:
                for owner, proposals in ((first, ours), (second, theirs)):
                    owner.approve(proposals[condition]["id"])
                    owner.bought[fate] = proposals[condition]

    def all_chosen() -> bool:
        choose()
        return len(first.bought) == len(PLAN)

    eventually(all_chosen, within=60, what="a proposal of every kind")
    town.each(Owner.settled, "what was bought, final")


def test_every_cent_of_every_market_is_in_the_wallet_and_in_the_books(town: Town, tmp_path: Path) -> None:
    start(town, tmp_path)
    buy(town)
    the_venue_pays_before_a_proposal(town)
    the_venue_pays_before_the_send(town)
    the_rest_is_claimed(town)
    for owner in town.owners:
        assert owner.condition("lost") not in owner.claims()
        every_cent_is_there(owner)
        the_socket_had_the_results_read(owner)
        the_anchor_knows_of_every_transaction(owner)


def the_venue_pays_before_a_proposal(town: Town) -> None:
    """Nothing is left to claim."""
    fate = "paid before a proposal"
    town.auto_redeem(on=True)
    town.resolve(fate)
    town.each(lambda owner: owner.condition(fate) not in owner.positions(), "the end of the position")
    town.auto_redeem(on=False)


def the_venue_pays_before_the_send(town: Town) -> None:
    """Approved, and it is first all the same: recognised and booked, no error and no transaction."""
    fate = "paid before the send"
    town.resolve(fate)
    before = [owner.on_chain() for owner in town.owners]
    for claim, owner in zip(town.each(lambda one: one.claim(fate), "a claim"), town.owners, strict=True):
        owner.approve(claim["id"])
    town.auto_redeem(on=True)
    for owner, money in zip(town.owners, before, strict=True):
        eventually(partial(owner.richer_than, money), what="the payment")
    town.auto_redeem(on=False)
    for owner in town.owners:
        owner.carries_out()
    for claim in town.each(lambda owner: owner.ended(fate), "the end of the late claim"):
        assert (claim["result"], claim["sends"]) == ("already_paid", []), claim


def the_rest_is_claimed(town: Town) -> None:
    """Proposed, approved and paid; what is lost is closed in the books."""
    for fate in (*CLAIMED, "lost"):
        town.resolve(fate)
    town.each(lambda owner: all(owner.claim(fate) for fate in CLAIMED), "a claim of each market")
    for owner in town.owners:
        for fate in CLAIMED[1:]:
            owner.approve(owner.claims()[owner.condition(fate)]["id"])
        owner.say("intents", "approve", owner.claims()[owner.condition(CLAIMED[0])]["id"], "--yes")
    for owner in town.owners:
        owner.is_killed_while_it_claims()
    for fate in CLAIMED:
        for claim in town.each(partial(Owner.ended, fate=fate), f"the end of {fate}"):
            assert (claim["status"], claim["result"]) == ("EXECUTED", "claimed"), claim
            assert claim["paid"] == claim["expected"]
    town.each(lambda owner: not owner.positions(), "the end of every position")
    for owner in town.owners:
        shown = json.loads(
            owner.say("claims", "show", owner.claims()[owner.condition("won")]["id"], "--json")
        )
        assert shown["claim"]["route"] == ("transaction" if owner.kind == "0" else "relayer")
        assert [send["status"] for send in shown["sends"]] == ["CONFIRMED"]


def every_cent_is_there(owner: Owner) -> None:
    """Cash, result and positions are what the chain has, to the millionth."""
    paid = sum(_payout(owner.shares[fate], PLAN[fate][1][0]) for fate in PLAN)
    cost = sum(owner.costs.values())
    assert owner.on_chain() == FUNDED + paid - cost

    def agrees() -> Row | None:
        told: Row = owner.home.ask("GET", "/account")
        known = told["cash"] is not None and told["unexplained"] is not None
        exact = known and Decimal(told["cash"]) == owner.on_chain() and Decimal(told["unexplained"]) == 0
        return told if exact else None

    account = eventually(agrees, within=30, what=f"the books of wallet {owner.kind}")
    assert Decimal(account["realised"]) == paid - cost
    assert owner.home.ask("GET", "/status")["stance"] == "ACTIVE"
    owner.say("audit", "verify")


def the_socket_had_the_results_read(owner: Owner) -> None:
    log = Path(owner.home.environment["POLYBOT_DATA_DIR"]) / "polyb0t.log"
    lines = log.read_text(encoding="utf-8").splitlines()
    told = [line[line.index("{") :] for line in lines if '"resolution.hinted"' in line]
    hinted = {json.loads(each)["condition_id"] for each in told}
    # The first to end was bought a moment before: it may be read before anybody listens for it.
    assert {owner.condition(fate) for fate in CLAIMED} <= hinted


def the_anchor_knows_of_every_transaction(owner: Owner) -> None:
    """A backup from before one of them would be known as one."""
    (anchor,) = Path(owner.home.environment["POLYBOT_DATA_DIR"]).rglob("anchor.json")
    known = json.loads(anchor.read_text(encoding="utf-8"))["sequence"]
    for fate in CLAIMED:
        told = json.loads(owner.say("audit", "show", owner.claims()[owner.condition(fate)]["id"], "--json"))
        stored = [step["sequence"] for step in told if step["kind"] == "claim.prepared"]
        assert stored, told
        assert max(stored) <= known, (stored, known)


def _payout(shares: Decimal, price: str) -> Decimal:
    """The contract cuts down to whole millionths."""
    return Decimal(int((shares * Decimal(price)).scaleb(6))).scaleb(-6)
