"""New API credentials in the place of the old ones: verified, swapped, revoked; never under an open order."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.errors import ConflictError, NotAuthorisedError, VenueUnreachableError
from polyb0t.core.ids import AssetId, ConditionId
from polyb0t.core.practice import practice_key
from polyb0t.core.units import Price, Shares
from polyb0t.db.stores import SqlStores
from polyb0t.execution.gateway import Accepted, PreparedOrder
from polyb0t.execution.intents import IntentStatus, OrderType, TradeIntent
from polyb0t.execution.scope import Lease, Regime
from polyb0t.runtime.account import Account, build_account
from polyb0t.runtime.rotating import Rotation, RotationParts, in_force, retired_file
from polyb0t.runtime.signing_in import sign_in
from polyb0t.runtime.surroundings import Surroundings
from polyb0t.sandbox.faults import Fault
from polyb0t.venue.credentials import ApiCredentials, load_credentials
from polyb0t.venue.environment import fetch_sandbox_environment
from polyb0t.venue.signing import SigningKey
from tests.support.builders import an_intent, an_order_for, wide_limits
from tests.support.databases import sqlite_stores
from tests.support.engine_room import EngineRoom
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.support.trader import tradable_book

ANNA = "user:anna"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(markets=6, accounts=30) as running:
        yield running


@dataclass
class Held:
    """A lock that does something the moment before it is held."""

    first: Callable[[], object] = lambda: None
    _lock: Any = field(default_factory=Lock)

    def __enter__(self) -> None:
        self.first()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@dataclass
class Vault:
    """A practice account with its credentials, its database and a rotation."""

    sandbox: RunningSandbox
    folder: Path
    number: int

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        environment = fetch_sandbox_environment(self.sandbox.url, self.clock)
        owner = environment.accounts[self.number]
        self.around = Surroundings(environment, owner.wallet, owner.signature_type)
        self.key = SigningKey(owner.key)
        stores = sqlite_stores(self.folder, self.clock, self.around.scope)
        assert isinstance(stores, SqlStores)
        self.stores = stores
        self.path = self.folder / "credentials.json"
        self.swapped: list[str] = []
        self.permits = Held()
        self.start()

    def start(self) -> None:
        """A process that signs in."""
        self.accounts: list[Account] = getattr(self, "accounts", [])
        got = sign_in(self.around, self.stores, self.path, self.key, self.clock)
        self.account: Account = build_account(self.around, self.stores, got, self.key, self.clock)
        self.accounts.append(self.account)
        assert self.account.api is not None
        assert self.account.gateway is not None
        self.api = self.account.api
        self.gateway = self.account.gateway
        self.rotation = Rotation(
            RotationParts(
                self.stores,
                self.around,
                self.gateway,
                self.api,
                self.key,
                self.path,
                self.clock,
                self.permits,  # type: ignore[arg-type]
                lambda new: self.swapped.append(new.id),
            )
        )

    def close(self) -> None:
        for account in self.accounts:
            account.close()
        self.stores.close()

    def kinds(self) -> list[str]:
        entries = self.stores.engine.journal()
        return [one.kind for one in entries if one.kind.startswith("credentials.")]

    def taken(self, credentials: ApiCredentials) -> bool:
        """Whether the exchange answers them."""
        try:
            self.api.with_credentials(credentials).read("/auth/api-keys")
        except VenueUnreachableError:
            return False
        return True

    def rest_an_order(self) -> PreparedOrder:
        """One that polyb0t's database knows nothing of."""
        book = tradable_book(self.sandbox)
        condition = self.sandbox.world.condition_of(book.token_id) or ""
        market = self.sandbox.world.market(condition)
        intent = an_intent(
            scope=str(self.around.scope),
            asset_id=AssetId(book.token_id),
            condition_id=ConditionId(market.spec.condition_id),
            neg_risk=market.spec.neg_risk,
            created_at=self.clock.now(),
            **_resting(),
        )
        prepared = self.gateway.prepare(intent, self.clock.now())
        assert isinstance(self.gateway.send(prepared), Accepted)
        return prepared

    def permit_an_order(self) -> None:
        """One of the engine's that is signed and not yet answered."""
        lease = self.stores.engine.acquire(
            "engine", holder="h:1", boot_id="b", process_started="1", regime=Regime.LIVE
        )
        assert isinstance(lease, Lease)
        now = self.stores.intents.now()
        intent: TradeIntent = an_intent(scope=str(self.around.scope), created_at=now)
        record = self.stores.intents.propose(intent, lease)
        self.stores.intents.approve(intent.id, digest=record.digest, actor=ANNA, grace_seconds=10)  # type: ignore[union-attr]
        self.stores.intents.claim(intent.id, lease, Regime.LIVE, wide_limits())
        self.stores.intents.permit(an_order_for(intent), lease, post_budget_seconds=10)


def _resting() -> dict[str, Any]:
    low = {"worst_price": Price(Decimal("0.05")), "shares": Shares(Decimal(10))}
    return {"order_type": OrderType.GTC, "amount": None, "least_shares": None, **low}


@pytest.fixture
def vault(sandbox: RunningSandbox, tmp_path: Path) -> Iterator[Vault]:
    sandbox.faults.clear()
    made = Vault(sandbox, tmp_path, next(_used))
    yield made
    sandbox.faults.clear()
    made.close()


_used = count()  # accounts, each test its own, so that nobody's order hangs on another's key


# --- what a rotation does ----------------------------------------------------------------------------


def test_new_ones_are_in_force_everywhere_and_the_exchange_has_forgotten_the_old(vault: Vault) -> None:
    old = vault.api.credentials

    assert vault.rotation.rotate(ANNA, "r1")

    new = vault.api.credentials
    assert new.id != old.id
    assert new.address == old.address
    assert load_credentials(vault.path) == new
    assert vault.swapped == [new.id]
    assert vault.taken(new)
    assert not vault.taken(old)
    assert not retired_file(vault.path).exists()
    assert vault.kinds() == ["credentials.rotated", "credentials.revoked"]


def test_the_journal_says_who_asked_and_holds_no_secret(vault: Vault) -> None:
    old = vault.api.credentials
    vault.rotation.rotate(ANNA, "r1")
    entries = [one for one in vault.stores.engine.journal() if one.kind.startswith("credentials.")]
    assert {one.actor for one in entries} == {ANNA}
    everything = " ".join(one.payload for one in entries)
    for one in (old, vault.api.credentials):
        assert one.id in everything
        assert not {one.api_key, one.secret, one.passphrase} & set(json.loads(entries[0].payload).values())
        assert one.api_key not in everything


def test_orders_placed_before_and_after_it_carry_their_own_credentials(vault: Vault) -> None:
    vault.rotation.rotate(ANNA, "r1")
    prepared = vault.rest_an_order()
    assert prepared.credential_id == vault.api.credentials.id
    assert vault.gateway.cancel([prepared.order_id]).cancelled == (prepared.order_id,)


# --- when it is refused ------------------------------------------------------------------------------


def untouched(vault: Vault, before: ApiCredentials) -> bool:
    return (
        vault.api.credentials == before
        and load_credentials(vault.path) == before
        and vault.taken(before)
        and "credentials.rotated" not in vault.kinds()
    )


def test_it_is_refused_while_an_order_hangs_on_the_credentials(vault: Vault) -> None:
    before, order = vault.api.credentials, vault.rest_an_order()
    with pytest.raises(ConflictError) as refused:
        vault.rotation.rotate(ANNA, "r1")
    assert refused.value.code == "orders_open"
    assert order.order_id[:10] in str(refused.value)
    assert untouched(vault, before)
    vault.gateway.cancel([order.order_id])
    assert vault.rotation.rotate(ANNA, "r2")


def test_an_order_that_is_permitted_while_the_new_ones_are_made_stops_the_swap(vault: Vault) -> None:
    before = vault.api.credentials
    vault.permits.first = vault.permit_an_order
    with pytest.raises(ConflictError) as refused:
        vault.rotation.rotate(ANNA, "r1")
    assert refused.value.code == "orders_open"
    assert untouched(vault, before)


def test_new_ones_that_answer_no_read_are_not_taken(vault: Vault) -> None:
    before = vault.api.credentials
    vault.sandbox.faults.add(Fault("status", "/clob/balance-allowance", status=401, body={"error": "no"}))
    with pytest.raises(VenueUnreachableError):
        vault.rotation.rotate(ANNA, "r1")
    vault.sandbox.faults.clear()
    assert untouched(vault, before)


@pytest.mark.parametrize("actor", ["engine", "standing:x", "engine:paper", ""])
def test_nobody_but_a_person_asks_for_it(vault: Vault, actor: str) -> None:
    before = vault.api.credentials
    with pytest.raises(NotAuthorisedError):
        vault.rotation.rotate(actor, "r1")
    assert untouched(vault, before)


def test_what_the_engine_refuses_it_says_in_the_journal(vault: Vault) -> None:
    vault.rest_an_order()
    vault.stores.engine.note(None, kind="credentials.rotation_asked", subject="r9", payload={}, actor=ANNA)
    entry = vault.stores.engine.journal(subject="r9")[0]
    vault.rotation.begin(entry).join(20)
    told = vault.stores.engine.journal(subject="r9")[-1]
    assert told.kind == "credentials.rotation_refused"
    assert json.loads(told.payload)["code"] == "orders_open"


# --- old ones that the exchange did not forget -------------------------------------------------------


def test_old_ones_that_could_not_be_revoked_are_revoked_at_the_next_start(vault: Vault) -> None:
    old = vault.api.credentials
    vault.sandbox.faults.add(Fault("status", "/clob/auth/api-key", "DELETE", status=503))
    assert not vault.rotation.rotate(ANNA, "r1")
    assert vault.kinds()[-1] == "credentials.not_revoked"
    assert vault.taken(old)

    vault.sandbox.faults.clear()
    vault.start()
    vault.rotation.finish("engine")

    assert not vault.taken(old)
    assert vault.taken(vault.api.credentials)
    assert not retired_file(vault.path).exists()


def test_ones_that_were_to_be_replaced_and_are_in_force_are_not_revoked(vault: Vault) -> None:
    retired_file(vault.path).write_bytes(vault.path.read_bytes())  # it ended before the swap
    retired_file(vault.path).chmod(0o600)
    vault.rotation.finish("engine")
    assert vault.taken(vault.api.credentials)
    assert not retired_file(vault.path).exists()


# --- which ones a start uses -------------------------------------------------------------------------


def test_a_lost_file_brings_back_the_ones_in_force_and_not_the_first(vault: Vault) -> None:
    vault.rotation.rotate(ANNA, "r1")
    now = vault.api.credentials
    vault.path.unlink()
    vault.start()
    assert vault.api.credentials == now


def test_a_machine_that_has_the_old_file_takes_the_new_ones(vault: Vault) -> None:
    """A standby elsewhere: its file is from before the rotation, its database is the same one."""
    before = vault.path.read_bytes()
    vault.rotation.rotate(ANNA, "r1")
    now = vault.api.credentials
    vault.path.write_bytes(before)
    vault.start()
    assert vault.api.credentials == now
    assert load_credentials(vault.path) == now


def test_another_key_has_nothing_to_do_with_the_rotations_of_the_last(vault: Vault) -> None:
    vault.rotation.rotate(ANNA, "r1")
    vault.key = SigningKey(practice_key(60))
    vault.start()
    assert vault.api.credentials.address == vault.key.address
    assert vault.api.credentials.nonce == 0


def test_ones_that_were_revoked_elsewhere_are_replaced_and_the_journal_knows(vault: Vault) -> None:
    vault.sandbox.faults.add(Fault("status", "/clob/auth/derive-api-key", status=400, count=1))
    vault.sandbox.faults.add(Fault("status", "/clob/auth/api-key", "POST", status=400, count=1))
    vault.path.unlink()
    vault.start()
    made = in_force(vault.stores)
    assert made is not None
    assert made.credential_id == vault.api.credentials.id
    assert made.nonce == vault.api.credentials.nonce > 0


# --- an order that was prepared before ---------------------------------------------------------------


def test_an_order_prepared_with_old_credentials_is_not_permitted_after_the_swap(tmp_path: Path) -> None:
    room = EngineRoom(tmp_path)
    prepare = room.gateway.prepare

    def prepared_then_swapped(intent: TradeIntent, at: Any) -> PreparedOrder:
        done = prepare(intent, at)
        room.gateway.credential_id = "another"
        return done

    room.gateway.prepare = prepared_then_swapped  # type: ignore[method-assign]
    intent = an_intent()
    room.execute(intent)
    record = room.stores.intents.get(intent.id)
    assert (record.status, record.result) == (IntentStatus.FAILED, "credentials_changed")
    assert room.gateway.sent == []
    assert room.stores.orders.orders() == ()
