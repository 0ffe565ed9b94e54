"""`polyb0t claims`: where each claim is, and what a person has to do."""

from dataclasses import replace
from decimal import Decimal

import pytest

from polyb0t.core.ids import Wallet, new_intent_id
from polyb0t.core.units import Pusd
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.ports import ClaimRoute, Payout
from polyb0t.execution.settlement.sends import NewSend, SendRecord, SendStatus
from polyb0t.execution.settlement.store import BookedPayout, SendNews
from polyb0t.models.gas import gas_of
from polyb0t.venue.environment import POLYMARKET
from tests.cli.conftest import Place
from tests.support.builders import NOW, WALLET, a_claim, wide_limits
from tests.support.claims import a_whole_claim

HASH = "0x" + "5a" * 32


def proposed(place: Place) -> IntentRecord:
    intent = a_claim(created_at=place.stores.intents.now())
    record = place.stores.intents.propose(intent, place.lease)
    assert isinstance(record, IntentRecord), record
    return record


def paid(place: Place, record: IntentRecord) -> None:
    """Approved, sent, in a block deep enough."""
    stores = place.stores
    lease = stores.engine.acquire(
        "claims", holder="host:2", boot_id="b", process_started="2", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    stores.intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10)
    stores.intents.claim(record.id, lease, Regime.LIVE, wide_limits())
    send = NewSend(
        id=new_intent_id(),
        members=(record.id,),
        wallet=Wallet(WALLET),
        route=ClaimRoute.TRANSACTION,
        nonce=7,
        raw="0x02secret",
        tx_hash=HASH,
        deadline=None,
        expected=Pusd(Decimal(20)),
        balance_before=Pusd(Decimal(0)),
        from_block=1,
    )
    assert isinstance(stores.claims.prepare(send, lease, budget_seconds=1), SendRecord)
    payout = Payout(HASH, 3, "0xb", 1001, record.intent.condition_id, Wallet(WALLET), Pusd(Decimal(20)), NOW)
    news = SendNews(SendStatus.CONFIRMED, "claimed", "Paid.", paid=Pusd(Decimal(20)), gas_cost_wei=10**15)
    stores.claims.settle(send.id, lease, news, booked=(BookedPayout(payout, send.id, (), NOW),))


def test_without_any_it_says_where_they_come_from(place: Place) -> None:
    assert "has resolved" in place.type("claims", "list").out


def test_one_that_waits_says_so(place: Place) -> None:
    record = proposed(place)
    [claim] = place.type("claims", "list", "--json").json["claims"]
    assert (claim["id"], claim["stands"], claim["expected"]) == (record.id, "waits for you", "20")
    assert "waits for you" in place.type("claims", "list").out


def test_one_that_was_paid_tells_transaction_gas_and_block(place: Place) -> None:
    record = proposed(place)
    paid(place, record)
    screen = place.type("claims", "show", record.id[:6]).out
    assert "paid 20.00 pUSD" in screen
    assert HASH in screen
    assert "gas 0.001000 POL" in screen
    assert "block 1001" in screen


@pytest.mark.parametrize("columns", ["100", "80", "60"])
def test_the_approver_sees_all_that_an_approval_permits(
    place: Place, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    gas = gas_of([2 * 10**16], Decimal("0.25"))
    claim = a_whole_claim(shares=("20", "3"), payouts=("0.5", "0.5"), gas=gas)
    record = place.stores.intents.propose(replace(claim, regime=Regime.DRY_RUN), place.lease)
    assert isinstance(record, IntentRecord)

    answer = place.type("intents", "show", record.id[:6])

    assert all(len(line) <= int(columns) for line in answer.out.splitlines())
    told = "".join(answer.out.split())  # a long word goes on in the next line
    for fact in (
        "CLAIM 20 shares of YES",
        "It does 11.50 pUSD come back",
        "For 20 shares of YES at 0.5 pUSD each and 3 shares of the other outcome at 0.5 pUSD each",
        "Calls redeemPositions(address,bytes32,bytes32,uint256[])",
        f"Contract {POLYMARKET.contracts['collateral_adapter']}",
        f"Paid to {WALLET}, your wallet",
        "Sent by a transaction of your own key, which pays the gas",
        "now at most 0.020000 POL, about 0.0050 pUSD.",
    ):
        assert "".join(fact.split()) in told, fact
    assert "Checks" not in told
    assert "get 11.50" in place.type("intents", "list").out
    assert " CLAIM YES" in " ".join(place.type("status").out.split())


def test_a_deposit_wallets_says_who_pays_the_gas(place: Place) -> None:
    claim = replace(a_whole_claim(route=ClaimRoute.RELAYER), regime=Regime.DRY_RUN)
    record = place.stores.intents.propose(claim, place.lease)
    assert isinstance(record, IntentRecord)
    told = place.type("intents", "show", record.id[:6]).out
    assert "the venue's relayer, which pays the gas" in told
    assert "asks nothing for it" in place.type("claims", "show", record.id[:6]).out


def test_what_gas_cost_is_told_in_pusd_where_a_price_is_set(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = proposed(place)
    assert "gas none yet" in place.type("claims", "show", record.id[:6]).out
    paid(place, record)
    monkeypatch.setenv("POLYBOT_POL_PRICE_PUSD", "0.25")
    screen = place.type("claims", "show", record.id[:6]).out
    assert "gas 0.001000 POL, about 0.0002 pUSD, paid beside the books" in screen
    answer = place.type("claims", "show", record.id[:6], "--json").json
    assert (answer["gas_pol"], answer["gas_pusd"]) == ("0.001", "0.00025")


def test_the_report_has_gas_beside_the_books(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYBOT_POL_PRICE_PUSD", "0.25")
    paid(place, proposed(place))
    place.stores.engine.release(place.lease)
    place.stores.engine.acquire("engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE)
    told = " ".join(place.type("report").out.split())
    cost = "0.001000 POL, about 0.0002 pUSD for 1 transaction of claims, paid beside these books"
    assert f"Gas {cost}" in told
    gas = place.type("report", "--json").json["gas"]
    assert gas == {"transactions": 1, "pol": "0.001", "pusd": "0.00025"}


def test_it_is_found_by_its_transaction_and_the_signed_bytes_are_not_told(place: Place) -> None:
    record = proposed(place)
    paid(place, record)
    answer = place.type("claims", "show", HASH[:12], "--json")
    assert answer.json["id"] == record.id
    assert "secret" not in answer.out


def test_another_kind_of_intent_is_no_claim(place: Place) -> None:
    other = place.propose()
    answer = place.type("claims", "show", other.id, "--json")
    assert answer.code == 3
    assert answer.problem["code"] == "claim_not_found"


def test_nothing_is_claimed_in_a_dry_run(place: Place) -> None:
    answer = place.type("claims", "run")
    assert answer.code == 2
    assert "nothing is claimed" in answer.err


def test_it_says_what_an_approved_claim_waits_for(place: Place) -> None:
    record = proposed(place)
    place.stores.intents.approve(record.id, digest=record.digest, actor="user:anna", grace_seconds=10)
    assert "Start it: polyb0t claims run" in place.type("claims", "list").out
    assert place.type("claims", "list", "--json").json["process"] == {"running": False, "problem": ""}

    lease = place.stores.engine.acquire(
        "claims", holder="host:2", boot_id="b", process_started="2", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    place.stores.engine.beat(lease, cycle=0, facts={"relayer": False, "problem": ""})
    assert "The claims process runs." in place.type("claims", "list").out
    place.stores.engine.beat(lease, cycle=0, facts={"relayer": False, "problem": "Gas is dear."})
    assert "The claims process runs and waits: Gas is dear." in place.type("claims", "list").out
    assert place.type("claims", "list", "--json").json["process"]["problem"] == "Gas is dear."
