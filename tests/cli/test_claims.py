"""`polyb0t claims`: where each claim is, and what a person has to do."""

from decimal import Decimal

import pytest

from polyb0t.core.ids import Wallet, new_intent_id
from polyb0t.core.units import Pusd
from polyb0t.execution.intents import IntentRecord
from polyb0t.execution.scope import Lease, Regime
from polyb0t.execution.settlement.ports import ClaimRoute, Payout
from polyb0t.execution.settlement.sends import NewSend, SendRecord, SendStatus
from polyb0t.execution.settlement.store import BookedPayout, SendNews
from tests.cli.conftest import Place
from tests.support.builders import NOW, WALLET, a_claim, wide_limits

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
