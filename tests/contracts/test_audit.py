"""`audit verify`: whoever alters a row, adds one or takes one away is found, on both databases."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from polyb0t.core.ids import ConditionId
from polyb0t.core.units import Pusd
from polyb0t.data.fills import FillStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.execution.settlement.sends import SendStatus
from polyb0t.models.kill_switches import KillSwitchType
from tests.contracts.test_claims import Claims, a_payout
from tests.support.builders import a_close, a_fill
from tests.support.databases import World


@pytest.fixture
def busy(world: World) -> World:
    """Something of everything, and all of it done by the program."""
    order = world.permitted()
    world.orders.settle(order.id, world.lease, status=OrderStatus.MATCHED, code="accepted", detail="")
    for status in (FillStatus.MATCHED, FillStatus.MINED, FillStatus.CONFIRMED):
        world.orders.record_fills(order.id, [a_fill(order.id, status=status)], world.lease)
    world.orders.settle(order.id, world.lease, status=OrderStatus.FILLED, code="accepted", detail="")
    waiting = world.proposed(asset_id="7")
    world.intents.supersede(waiting.id, world.intent(asset_id="7"), world.lease)
    world.approved(asset_id="8")
    world.switches.trip(KillSwitchType.MANUAL, actor="user:anna", reason="lunch")
    world.switches.clear(KillSwitchType.MANUAL, actor="user:anna", reason="back")
    world.switches.trip(KillSwitchType.DAILY_LOSS, actor="engine:risk", reason="lost")
    world.proposed(asset_id="9", intent_type="CLOSE_POSITION", **_sale())
    return world


@pytest.fixture
def claimed(busy: World) -> World:
    """A claim that a cheaper transaction could not carry and a dearer one did; one that another paid."""
    claims = Claims(busy)
    first, second = claims.executing(1), claims.executing(2)
    cheap = claims.prepared(first, id="cheap", nonce=7)
    claims.settle(cheap, SendStatus.SENT)
    dear = claims.prepared(first, id="dear", nonce=7, replaces="cheap", tx_hash="0x" + "22" * 32)
    paid = replace(a_payout(condition_id=ConditionId("0x" + "01" * 32)), send_id="dear")
    claims.settle(dear, SendStatus.MINED, booked=(paid,), paid=Pusd(Decimal(20)))
    claims.store.take_back(paid.payout.tx_hash, claims.lease, detail="reorganised")
    claims.settle(dear, SendStatus.CONFIRMED, booked=(paid,), paid=Pusd(Decimal(20)))
    other = replace(a_payout(9, condition_id=ConditionId("0x" + "02" * 32)), send_id="")
    late = claims.prepared(second, id="late", nonce=8)
    claims.settle(late, SendStatus.ALREADY_PAID, code="already_paid", booked=(other,))
    return busy


def _sale() -> dict[str, Any]:
    sale = a_close()
    names = ("side", "worst_price", "amount", "shares", "least_shares", "max_cost")
    return {name: getattr(sale, name) for name in names}


GUARDED = ("trade_intents", "orders", "journal", "kill_switch_events")


def disarm(world: World, *tables: str) -> None:
    """Take the triggers away, as somebody would who controls the database."""
    for table in tables or GUARDED:
        if world.is_sqlite:
            for kind in ("content", "delete", "replace"):
                world.sql(f"DROP TRIGGER {table}_{kind}")
        else:
            world.sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


def test_what_the_program_does_verifies(busy: World) -> None:
    report = busy.engine.audit()

    assert report.findings == ()
    assert (report.intents, report.orders, report.fills) == (5, 1, 1)
    assert report.entries == busy.engine.last_sequence()
    assert report.head == busy.engine.anchor_point().head


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE journal SET payload = replace(payload, 'lunch', 'theft')", "altered"),
        ("UPDATE journal SET actor = 'user:bob' WHERE kind = 'intent.approved'", "altered"),
        ("DELETE FROM journal WHERE sequence = 4", "is missing"),
        ("DELETE FROM journal WHERE sequence = (SELECT max(sequence) FROM journal)", "the head says"),
        ("UPDATE journal_head SET sequence = sequence + 1", "the head says"),
        ("UPDATE trade_intents SET canonical = replace(canonical, '\"10\"', '\"90\"')", "its digest"),
        ("UPDATE trade_intents SET max_cost = 1 WHERE asset_id = '8'", "max_cost"),
        ("UPDATE trade_intents SET status = 'EXPIRED' WHERE status = 'PENDING'", "EXPIRED in the table"),
        ("UPDATE orders SET status = 'CANCELLED'", "CANCELLED in the table, FILLED by the journal"),
        ("DELETE FROM orders", "the journal has it, the table does not"),
        ("DELETE FROM trade_intents WHERE asset_id = '8'", "the journal has it, the table does not"),
        ("UPDATE fills SET status = 'FAILED'", "FAILED in the table, CONFIRMED by the journal"),
        ("DELETE FROM fills", "the journal has it, the table does not"),
        ("UPDATE fills SET trade_id = 'another'", "the table has it, the journal does not"),
        ("UPDATE kill_switches SET tripped = NOT tripped WHERE name = 'DAILY_LOSS'", "DAILY_LOSS"),
        ("UPDATE kill_switches SET tripped = NOT tripped WHERE name = 'DRAWDOWN'", "DRAWDOWN"),
        ("UPDATE gates SET epoch = 0", "epoch"),
    ],
)
def test_what_somebody_else_did_is_found(busy: World, statement: str, finding: str) -> None:
    disarm(busy)
    busy.sql(statement)

    findings = busy.engine.audit().findings

    assert any(finding in one for one in findings), findings


def test_what_claims_do_verifies(claimed: World) -> None:
    report = claimed.engine.audit()

    assert report.findings == ()
    assert report.sends == 3


ALTERED = {
    "UPDATE claim_sends SET status = 'DROPPED' WHERE id = 'dear'": "status is DROPPED in the table",
    "UPDATE claim_sends SET nonce = 9 WHERE id = 'dear'": "nonce is 9 in the table, 7 by the journal",
    "UPDATE claim_sends SET expected = 1 WHERE id = 'dear'": "expected is 0.000001 in the table",
    "UPDATE claim_sends SET wallet = '0xthief' WHERE id = 'dear'": "wallet is 0xthief",
    "UPDATE claim_sends SET paid = 19000000 WHERE id = 'dear'": "paid is 19 in the table, 20 by",
    "UPDATE claim_sends SET tx_hash = '0xother' WHERE id = 'dear'": "tx hash is 0xother",
    "UPDATE claim_sends SET raw = '0x02' WHERE id = 'late'": "its signed bytes are still there",
    "DELETE FROM claim_members WHERE send_id = 'dear'": "members is [] in the table",
    "UPDATE chain_payouts SET pusd = 21000000 WHERE log_index = 0": "pusd is 21 in the table, 20 by",
    "UPDATE chain_payouts SET removed_at = 1 WHERE log_index = 0": "in the books is False in the table",
    "UPDATE chain_payouts SET send_id = '' WHERE log_index = 0": "send is  in the table, dear by",
    "UPDATE chain_payouts SET taken = '[]' WHERE log_index = 9": "taken is {} in the table",
    "UPDATE trade_intents SET status = 'EXECUTED' WHERE result = 'already_paid'": "was ever confirmed",
}
REMOVED = {
    "DELETE FROM claim_sends WHERE id = 'late'": "Claim transaction late: the journal has it, the table",
    "DELETE FROM chain_payouts WHERE log_index = 9": ":9: the journal has it, the table does not",
    "UPDATE chain_payouts SET key = 'x' WHERE log_index = 0": "Payment x: the table has it, the journal",
}


@pytest.mark.parametrize("done", [ALTERED, REMOVED], ids=["altered", "removed"])
def test_what_somebody_else_did_to_a_claim_is_found(claimed: World, done: dict[str, str]) -> None:
    disarm(claimed, "trade_intents", "claim_sends", "chain_payouts")
    for statement in done:
        claimed.sql(statement)

    findings = claimed.engine.audit().findings

    missed = [each for each in done.values() if not any(each in one for one in findings)]
    assert missed == [], findings


NOT_SO: dict[str, tuple[str, str, dict[str, object]]] = {
    "goes from ALREADY_PAID to SENT, which": (
        "claim.settled",
        "late",
        {"from": "ALREADY_PAID", "to": "SENT"},
    ),
    "and it was CONFIRMED": ("claim.settled", "dear", {"from": "MINED", "to": "CONFIRMED"}),
    "and it was never begun": ("claim.settled", "gone", {"from": "MINED", "to": "CONFIRMED"}),
    "and it is not confirmed": ("claim.final", "late", {"tx_hash": "0x"}),
    "and it was not in the books": ("payout.taken_back", "0xnone:1", {"tx_hash": "0x", "pusd": "1"}),
    "of a claim transaction that was never begun": (
        "payout.booked",
        "0xnone:1",
        {"condition_id": "0x", "pusd": "1", "send": "gone", "tx_hash": "0x", "taken": {}},
    ),
}


def test_an_entry_about_a_claim_that_cannot_be_is_found(claimed: World) -> None:
    for kind, subject, payload in NOT_SO.values():
        claimed.engine.note(None, kind=kind, subject=subject, payload=payload, actor="engine")

    findings = claimed.engine.audit().findings

    missed = [each for each in NOT_SO if not any(each in one for one in findings)]
    assert missed == [], findings


def test_a_move_that_is_not_legal_is_found_even_where_the_chain_holds(busy: World) -> None:
    """Somebody who can write entries as the program does, and does not keep its rules."""
    record = busy.proposed(asset_id="11", intent_type="CLOSE_POSITION", **_sale())
    payload = {"from": "PENDING", "to": "EXECUTED", "digest": record.digest, "code": "x", "detail": ""}
    busy.engine.note(None, kind="intent.executed", subject=record.id, payload=payload, actor="engine")

    findings = busy.engine.audit().findings

    assert any("no legal move" in one for one in findings), findings
    assert any("PENDING in the table, EXECUTED by the journal" in one for one in findings)


def test_an_entry_that_cannot_be_read_is_a_finding_and_no_crash(busy: World) -> None:
    busy.engine.note(None, kind="order.settled", subject="0x1", payload={"to": "SOLD"}, actor="engine")

    assert any("cannot be read" in one for one in busy.engine.audit().findings)
