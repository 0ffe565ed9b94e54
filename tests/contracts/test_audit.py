"""`audit verify`: whoever alters a row, adds one or takes one away is found, on both databases."""

from typing import Any

import pytest

from polyb0t.data.fills import FillStatus
from polyb0t.execution.orders import OrderStatus
from polyb0t.models.kill_switches import KillSwitchType
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


def _sale() -> dict[str, Any]:
    sale = a_close()
    names = ("side", "worst_price", "amount", "shares", "least_shares", "max_cost")
    return {name: getattr(sale, name) for name in names}


def disarm(world: World) -> None:
    """Take the triggers away, as somebody would who controls the database."""
    for table in ("trade_intents", "orders", "journal", "kill_switch_events"):
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
