"""The proof that an exchange names and cancels our orders as computed: what counts as one, and for what."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polyb0t.core.units import Price, Pusd, Shares
from polyb0t.db.stores import SqlStores
from polyb0t.execution.identity_proof import IdentityRule, is_proven, note_proof
from polyb0t.execution.intents import OrderType, Purpose
from polyb0t.execution.orders import OrderRecord, OrderStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.runtime.identity_proofs import IdentityProofs
from tests.support.builders import a_fill, an_intent, an_order_for, wide_limits
from tests.support.clock import FakeClock
from tests.support.databases import sqlite_stores
from tests.support.decisions import a_market
from tests.test_cycle import SPENDER, Desk

CONTRACT = "0xE111180000d2663C0091e4f400237545B87B996B"
RULE = IdentityRule(3, CONTRACT)
TEST_FORM: dict[str, Any] = {
    "purpose": Purpose.TEST_ORDER,
    "order_type": OrderType.GTD,
    "post_only": True,
    "life_seconds": 300,
    "amount": None,
    "least_shares": None,
    "shares": Shares(Decimal(5)),
    "worst_price": Price(Decimal("0.01")),
    "max_cost": Pusd(Decimal("0.051")),
}


@dataclass
class Records:
    """A database in which a test order was sent."""

    stores: SqlStores
    lease: Lease
    clock: FakeClock = field(default_factory=FakeClock)

    def order(self, *ends: OrderStatus, **overrides: Any) -> OrderRecord:
        """A test order that went through `ends`."""
        intent = an_intent(**{**TEST_FORM, **overrides})
        intents, orders = self.stores.intents, self.stores.orders
        intents.propose(intent, self.lease)
        intents.approve(intent.id, digest=intent.digest, actor="user:anna", grace_seconds=10)
        intents.claim(intent.id, self.lease, Regime.LIVE, wide_limits())
        order = intents.permit(an_order_for(intent), self.lease, post_budget_seconds=10)
        assert isinstance(order, OrderRecord), order
        for status in ends:
            order = orders.settle(order.id, self.lease, status=status, code="said", detail="")
        return order

    def proven(self) -> bool:
        return is_proven(self.stores, RULE)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    clock = FakeClock()
    stores = sqlite_stores(tmp_path, clock)
    assert isinstance(stores, SqlStores)
    lease = stores.engine.acquire(
        "engine", holder="here:1", boot_id="b", process_started="1", regime=Regime.LIVE
    )
    assert isinstance(lease, Lease)
    yield Records(stores, lease, clock)
    stores.close()


LIVE, CANCELLED = OrderStatus.LIVE, OrderStatus.CANCELLED


def test_a_test_order_that_rested_and_was_cancelled_is_a_proof_once_it_is_written_down(
    records: Records,
) -> None:
    order = records.order(LIVE, CANCELLED)
    assert not records.proven()
    note_proof(records.stores, RULE, order.id, actor="user:anna")
    assert records.proven()


def test_it_counts_for_this_kind_of_wallet_and_this_contract_only(records: Records) -> None:
    order = records.order(LIVE, CANCELLED)
    note_proof(records.stores, RULE, order.id, actor="user:anna")
    assert not is_proven(records.stores, IdentityRule(1, CONTRACT))
    assert not is_proven(records.stores, IdentityRule(3, "0xe2222d279d744050d28e00520010520000310F59"))


@pytest.mark.parametrize("ends", [(), (LIVE,), (OrderStatus.UNKNOWN,), (OrderStatus.REFUSED,)])
def test_an_order_without_a_cancelled_end_proves_nothing(
    records: Records, ends: tuple[OrderStatus, ...]
) -> None:
    order = records.order(*ends)
    note_proof(records.stores, RULE, order.id, actor="user:anna")
    assert not records.proven()


def test_one_that_was_filled_after_all_proves_nothing(records: Records) -> None:
    order = records.order(LIVE)
    fill = a_fill(order.id, asset_id=order.asset_id, price=Price(Decimal("0.01")), shares=Shares(Decimal(2)))
    records.stores.orders.record_fills(order.id, [fill], records.lease)
    records.stores.orders.settle(order.id, records.lease, status=CANCELLED, code="said", detail="")
    note_proof(records.stores, RULE, order.id, actor="user:anna")
    assert not records.proven()


def test_an_ordinary_order_of_a_person_is_no_test(records: Records) -> None:
    order = records.order(LIVE, CANCELLED, purpose=Purpose.PERSON)
    note_proof(records.stores, RULE, order.id, actor="user:anna")
    assert not records.proven()


def test_an_entry_that_names_no_order_of_ours_is_no_proof(records: Records) -> None:
    engine = records.stores.engine
    for payload in ({}, {"order_id": "0x" + "00" * 32}, {"order_id": 7}):
        engine.note(None, kind="identity.proven", subject=RULE.subject, payload=payload, actor="user:anna")
        assert not records.proven()


def test_the_control_reads_it_while_the_engine_runs(records: Records) -> None:
    proofs = IdentityProofs(records.stores, 3, lambda _market: CONTRACT)
    order = records.order(LIVE, CANCELLED)
    assert not proofs.proven(a_market())
    note_proof(records.stores, RULE, order.id, actor="user:anna")
    assert proofs.proven(a_market())


def test_with_money_a_cycle_proposes_nothing_before_and_something_after_the_proof(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Regime.LIVE, identity_proven=False)
    assert desk.cycle.run().proposed == 0
    stores = desk.stores
    assert isinstance(stores, SqlStores)
    order = Records(stores, desk.lease).order(LIVE, CANCELLED)
    note_proof(stores, IdentityRule(3, SPENDER), order.id, actor="user:anna")
    assert desk.cycle.run().proposed > 0
