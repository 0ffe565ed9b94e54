"""An order that the exchange has and whose answer was lost: how long until polyb0t knows.

Sandbox and engine are processes of their own. The exchange takes every order and cuts the connection before
its answer; a person approves one trade after the other. The time runs from the permit, which is before the
order is sent, to the positive answer in the journal, so it is an upper bound.

    .venv/bin/python -m bench unknown
"""

import time

from bench.bench_execution import ENGINE
from bench.figures import Section, median
from bench.worlds import home_with_sandbox, pause
from polyb0t.config.settings import load_settings
from polyb0t.core.errors import ConflictError
from polyb0t.core.ids import OrderId
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.store import Stores
from polyb0t.runtime.opened import open_store
from tests.e2e.household import Household

LOST = 8
TARGET_SECONDS = 10.0
WITHIN_SECONDS = 180.0
CUT = {"action": "drop_after", "path": "/clob/order", "method": "POST"}


def measure(lost: int = LOST) -> Section:
    section = Section(
        f"An order whose answer was lost, until it is known, {lost} orders",
    )
    with home_with_sandbox(150) as home:
        home.start_engine(practice=True, **ENGINE)
        home.http("PUT", "/sandbox/faults", [CUT])
        times = _times(home, lost)
    section.add("median", median(times), "s")
    section.add("slowest", max(times), "s", target=TARGET_SECONDS)
    return section


def _times(home: Household, lost: int) -> list[float]:
    settings = load_settings(
        venue="sandbox", data_dir=home.folder / "data", sandbox_url=home.sandbox_url, dry_run=False
    )
    stores, times, begun = open_store(settings).stores, list[float](), time.perf_counter()
    while len(times) < lost:
        assert time.perf_counter() - begun < WITHIN_SECONDS, f"only {len(times)} orders were lost and found"
        for record in stores.intents.list(statuses=(IntentStatus.PENDING,))[:1]:
            times += _known_after(stores, record)
        pause(0.2)
    return times


def _known_after(stores: Stores, record: IntentRecord) -> list[float]:
    """Approve it, and the seconds until its order is known; nothing if none was sent."""
    try:
        stores.intents.approve(record.id, digest=record.digest, actor="user:bench", grace_seconds=10)
    except ConflictError:
        return []
    for _ in range(1_000):
        after = stores.intents.get(record.id)
        if after.order_id is not None and after.status is IntentStatus.EXECUTED:
            return _journalled(stores, after.order_id)
        if after.status not in (IntentStatus.APPROVED, IntentStatus.EXECUTING):
            return []
        pause(0.03)
    raise AssertionError(f"order {after.order_id} is not known")


def _journalled(stores: Stores, order_id: OrderId) -> list[float]:
    entries = stores.engine.journal(subject=order_id)
    permitted = next(entry.at for entry in entries if entry.kind == "order.permitted")
    settled = [entry for entry in entries if entry.kind == "order.settled"]
    if '"to":"UNKNOWN"' not in settled[0].payload:
        return []  # its answer arrived after all
    return [(settled[1].at - permitted).total_seconds()]
