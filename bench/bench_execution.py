"""From an approval that is committed to an order that the exchange has accepted.

Sandbox and engine are processes of their own. The approvals are written by this process, through the
store that `polyb0t intents approve` uses, at moments that have nothing to do with the engine's poll.
Both instants are those of the journal: the approval's is taken inside its transaction, before the
commit, and the order's after the answer has arrived, so the figure is an upper bound.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from polymarket import SecureClient

from bench import rival_sdk
from bench.figures import Section, median, percentile
from bench.worlds import home_with_sandbox, pause
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConflictError
from polyb0t.execution.intents import IntentManager, IntentRecord, IntentStatus, ProposingRules
from polyb0t.execution.orders import OrderRecord
from polyb0t.execution.store import Stores
from polyb0t.runtime.opened import OpenedStore, open_store
from tests.e2e.household import Household

APPROVALS = 60
WITHIN_SECONDS = 120.0
# Small orders and no rest, so that the same markets are proposed again soon and limits never end the run.
ENGINE = {
    "POLYBOT_LOOP_INTERVAL_SECONDS": "5",
    "POLYBOT_MOST_WAITING": "40",
    "POLYBOT_MAX_ORDER_PUSD": "8",
    "POLYBOT_COOLDOWN_SECONDS": "0",
    "POLYBOT_PROMPTS_PER_HOUR": "10000",
    "POLYBOT_ORDERS_PER_HOUR": "10000",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One order's times in milliseconds, and what it bought."""

    claimed: float
    accepted: float
    order: OrderRecord


def measure(approvals: int = APPROVALS) -> Section:
    section = Section(
        f"Approval committed -> accepted by the exchange, {approvals} orders",
        rival=f"{rival_sdk.NAME}: create_market_order + post_order on the same sandbox, "
        "which claims, checks and stores nothing",
    )
    with home_with_sandbox(250) as home:
        home.start_engine(practice=True, **ENGINE)
        settings = load_settings(
            venue="sandbox", data_dir=home.folder / "data", sandbox_url=home.sandbox_url, cooldown_seconds=0
        )
        opened = open_store(settings)
        sent, refused = _approve(opened, approvals)
        rival = _rival(home, [each.order.asset_id for each in sent])
    accepted = [each.accepted for each in sent]
    section.add("p50", median(accepted), "ms", target=250, rival=median(rival))
    section.add("p99", percentile(accepted, 0.99), "ms", target=600, rival=percentile(rival, 0.99))
    section.add("  until claimed and permitted, p50", median([each.claimed for each in sent]), "ms")
    section.notes.append(f"{len(sent)} accepted, {refused} approved but not sent (the market had moved)")
    return section


def _approve(opened: OpenedStore, wanted: int) -> tuple[list[Sent], int]:
    """Approve one after the other until so many were accepted."""
    stores = opened.stores
    known = opened.settings
    manager = IntentManager(stores.intents, ProposingRules(known.min_edge, known.execution_grace_seconds))
    sent, refused = [], 0
    for record in _proposals(stores):
        try:
            manager.approve(record.id, digest=record.digest, actor="user:bench")
        except ConflictError:  # its time was up
            continue
        found = _sent(stores, record)
        refused += found is None
        sent += [] if found is None else [found]
        if len(sent) >= wanted:
            return sent, refused
        pause(random.uniform(0.05, 0.3))  # so that no approval is in step with the poll
    raise AssertionError(f"only {len(sent)} orders came through in {WITHIN_SECONDS:.0f} s")


def _proposals(stores: Stores) -> Iterator[IntentRecord]:
    started = time.perf_counter()
    while time.perf_counter() - started < WITHIN_SECONDS:
        waiting = stores.intents.list(statuses=(IntentStatus.PENDING,), limit=100)
        yield from waiting
        if not waiting:
            pause(0.2)


def _sent(stores: Stores, record: IntentRecord) -> Sent | None:
    """The times of this intent's order, once the exchange has answered; None if it was not sent."""
    for _ in range(200):
        after = stores.intents.get(record.id)
        if after.status is IntentStatus.FAILED:
            return None
        if after.order_id is not None:
            order = stores.orders.order(after.order_id)
            begun = _first(stores, record.id, "intent.approved")
            permitted = _first(stores, order.id, "order.permitted")
            settled = _first(stores, order.id, "order.settled")
            if begun and permitted and settled:
                return Sent(_ms(begun, permitted), _ms(begun, settled), order)
        pause(0.03)
    return None


def _first(stores: Stores, subject: str, kind: str) -> datetime | None:
    """When this first happened; an order settles again when its fills become final."""
    return next((each.at for each in stores.engine.journal(subject=subject) if each.kind == kind), None)


def _ms(begun: datetime, ended: datetime) -> float:
    return (ended - begun).total_seconds() * 1000


def _rival(home: Household, assets: list[str]) -> list[float]:
    """Milliseconds per order of the vendor's SDK on another account, in the same markets."""
    account = rival_sdk.practice_account(home, 1)
    taken = []
    with SecureClient.create(
        private_key=account["key"], wallet=account["wallet"], environment=rival_sdk.environment_of(home)
    ) as client:
        for asset in assets:
            started = time.perf_counter()
            signed = client.create_market_order(
                token_id=asset, side="BUY", amount=Decimal(8), order_type="FAK"
            )
            client.post_order(signed)
            taken.append((time.perf_counter() - started) * 1000)
            pause(0.02)
    return taken
