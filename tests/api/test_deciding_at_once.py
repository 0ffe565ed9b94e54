"""A thousand decisions at once on a hundred trades, through several API processes: exactly a hundred win."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, new_intent_id
from polyb0t.db.stores import SqlStores, open_stores
from polyb0t.execution.intents import IntentRecord, IntentStatus
from polyb0t.execution.scope import Lease, Regime
from polyb0t.venue.tls import trust
from tests.api.test_curl import free_port
from tests.cli.scenes import tram
from tests.contracts.conftest import database_url, postgres  # noqa: F401 - fixtures
from tests.e2e.household import eventually
from tests.e2e.warm import warm
from tests.support.builders import a_scope
from tests.support.sse import EventReader

TRADES = {"sqlite": 100, "postgresql": 30}  # the crowd of the claim once, a smaller one where rows have locks
EACH, PROCESSES = 10, 3

pytestmark = pytest.mark.xdist_group("e2e")  # beside what else is forked from the process that is warm


@pytest.fixture
def stores(database_url: str) -> Iterator[SqlStores]:  # noqa: F811
    opened = open_stores(database_url, a_scope(), SystemClock())
    yield opened
    opened.close()


def propose(stores: SqlStores, count: int) -> list[IntentRecord]:
    lease = stores.engine.acquire(
        "engine", holder="elsewhere:1", boot_id="b", process_started="1.0", regime=Regime.DRY_RUN
    )
    assert isinstance(lease, Lease)
    now, made = SystemClock().now(), []
    for number in range(count):
        intent = replace(
            tram(),
            id=new_intent_id(),
            scope=str(a_scope()),
            regime=Regime.DRY_RUN,
            created_at=now,
            deadline=now + timedelta(minutes=20),
            asset_id=AssetId(str(number)),
        )
        record = stores.intents.propose(intent, lease)
        assert isinstance(record, IntentRecord)
        made.append(record)
    return made


@contextmanager
def api_processes(url: str, folder: Path) -> Iterator[list[str]]:
    """Several `polyb0t api` over one database."""
    environment = {
        **os.environ,
        "POLYBOT_DATABASE_URL": url,
        "POLYBOT_DATA_DIR": str(folder),
        "POLYBOT_API_REQUESTS_PER_MINUTE": "100000",
    }
    ports = [free_port() for _ in range(PROCESSES)]
    said = folder.parent / "said"
    started = [
        warm().start(("api", "--port", str(port)), cwd=folder.parent, environment=environment, out=said)
        for port in ports
    ]
    addresses = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        eventually(lambda: all(each in said.read_text() for each in addresses), what="the servers")
        yield addresses
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(15)


async def decide(addresses: list[str], records: list[IntentRecord]) -> list[tuple[str, httpx.Response]]:
    """Ten approvals of each trade, all asked for before the first answer, spread over the processes."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(trust_env=False, verify=trust(), timeout=120, limits=limits) as http:

        async def approve(number: int, record: IntentRecord) -> tuple[str, httpx.Response]:
            address = addresses[number % len(addresses)]
            return record.id, await http.post(f"{address}/intents/{record.id}/approve")

        steps = [approve(n, record) for n in range(EACH) for record in records]
        return await asyncio.gather(*steps)


def test_of_ten_approvals_of_each_trade_all_at_once_exactly_one_wins(
    stores: SqlStores,
    database_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    trades = TRADES[database_url.partition(":")[0].partition("+")[0]]
    records = propose(stores, trades)
    with api_processes(database_url, tmp_path / "data") as addresses:
        answers = asyncio.run(decide(addresses, records))
    assert len(answers) == trades * EACH
    outcomes = Counter(
        "won" if answer.status_code == 200 else str(answer.json()["code"]) for _, answer in answers
    )
    assert outcomes == {"won": trades, "already_decided": trades * (EACH - 1)}
    winners = Counter(intent_id for intent_id, answer in answers if answer.status_code == 200)
    assert set(winners.values()) == {1}
    assert {record.status for record in stores.intents.list(limit=None)} == {IntentStatus.APPROVED}
    approved = [entry for entry in stores.engine.journal(limit=5_000) if entry.kind == "intent.approved"]
    assert Counter(entry.subject for entry in approved) == Counter(record.id for record in records)
    assert stores.verify_journal().intact


def test_listeners_of_every_process_hear_every_decision_once(
    stores: SqlStores,
    database_url: str,  # noqa: F811
    tmp_path: Path,
) -> None:
    """Each listener goes from process to process while decisions are made through all of them."""
    records = propose(stores, 30)
    begin = stores.engine.last_sequence()
    with api_processes(database_url, tmp_path / "data") as addresses, ThreadPoolExecutor(4) as pool:
        heard = [pool.submit(_listen, addresses, start, begin, len(records)) for start in range(3)]
        asyncio.run(decide_once(addresses, records))
        told = [each.result(60) for each in heard]
    expected = list(range(begin + 1, begin + 1 + len(records)))
    assert told == [expected] * 3


def _listen(addresses: list[str], start: int, begin: int, count: int) -> list[int]:
    """Numbers that a client heard that reads four events of one process and goes on at the next one."""
    found: list[int] = []
    last, turn = str(begin), start
    while len(found) < count:
        address = addresses[turn % len(addresses)]
        turn += 1
        with httpx.Client(base_url=address, trust_env=False, verify=trust(), timeout=30) as http:
            reader = EventReader(http, last_id=last)
            found += [int(event.id) for event in reader.read(min(4, count - len(found)))]
            last = reader.last_id
    return found


async def decide_once(addresses: list[str], records: list[IntentRecord]) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=trust(), timeout=60) as http:
        for number, record in enumerate(records):
            answer = await http.post(f"{addresses[number % len(addresses)]}/intents/{record.id}/approve")
            assert answer.status_code == 200, answer.text
