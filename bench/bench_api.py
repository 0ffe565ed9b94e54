"""The HTTP API: a page of trades against a bare route, and approvals beside many listeners.

Each server is a process of its own. `wrk` measures where it is installed, else a client in Python does,
which is slower than the servers and takes the same from both.
"""

import asyncio
import http.client
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench.figures import Section, median, percentile
from polyb0t.core.clock import SystemClock
from polyb0t.core.ids import AssetId, IntentId, new_intent_id
from polyb0t.db.proposals import propose
from polyb0t.db.stores import SqlStores
from polyb0t.db.unit import Unit, Units
from polyb0t.execution.cooldown import cooldowns_of
from polyb0t.execution.intents import TradeIntent
from polyb0t.execution.scope import Lease, Regime
from tests.cli.scenes import tram
from tests.support.builders import a_scope
from tests.support.databases import sqlite_stores

ROWS, PAGE = 10_000, "/intents?limit=20"
REQUESTS, ROUNDS = 300, 5
LISTENERS, APPROVALS = 200, 800  # half of them beside the listeners: a p99 of 400 is the fifth worst
AT_ONCE = 500
FORK = multiprocessing.get_context("fork")
COOLDOWNS = cooldowns_of(a_scope(), opening_seconds=900, closing_seconds=60)


def measure() -> Section:
    section = Section(
        "The HTTP API", rival="a bare FastAPI route that answers a constant, in a process of its own"
    )
    with tempfile.TemporaryDirectory(prefix="polyb0t-bench-") as place:
        folder = Path(place)
        stores = sqlite_stores(folder, SystemClock())
        waiting = _fill(stores)
        with (
            _server("bench.api_server", str(folder)) as (url, ours),
            _server("bench.api_server") as (bare_url, bare),
        ):
            _page(section, url, ours, bare_url, bare)
            _decisions(section, url, waiting)
        stores.close()
    return section


def _fill(stores: SqlStores) -> list[IntentId]:
    """10,000 proposals, of which the last ones are approved by and by; many in one transaction, since what
    they cost to write is not measured here."""
    lease = stores.engine.acquire(
        "engine", holder="bench:1", boot_id="b", process_started="1.0", regime=Regime.DRY_RUN
    )
    assert isinstance(lease, Lease)
    began, made = SystemClock().now(), []
    units = Units(stores.database, a_scope())
    for start in range(0, ROWS, AT_ONCE):
        intents = [_intent(number, began) for number in range(start, start + AT_ONCE)]
        units.write(partial(_propose, intents, lease))
        made += [intent.id for intent in intents]
    assert len(stores.intents.list(limit=None)) == ROWS
    return made[-APPROVALS:]


def _propose(intents: list[TradeIntent], lease: Lease, unit: Unit) -> None:
    for intent in intents:
        propose(unit, intent, lease, COOLDOWNS)


def _intent(number: int, began: datetime) -> TradeIntent:
    return replace(
        tram(),
        id=new_intent_id(),
        scope=str(a_scope()),
        regime=Regime.DRY_RUN,
        created_at=began + timedelta(microseconds=number),
        deadline=began + timedelta(hours=6),
        asset_id=AssetId(str(number)),
    )


def _page(section: Section, url: str, ours: psutil.Process, bare_url: str, bare: psutil.Process) -> None:
    """Turns about, so that what else the machine does meets both; the median of the rounds counts."""
    rates, bare_rates, costs, bare_costs, slow = [], [], [], [], []
    _rate(url + PAGE, ours)
    _rate(bare_url + "/bare", bare)
    for _ in range(ROUNDS):
        rate, cost, _ = _rate(bare_url + "/bare", bare)
        bare_rates.append(rate)
        bare_costs.append(cost)
        rate, cost, worst = _rate(url + PAGE, ours)
        rates.append(rate)
        costs.append(cost)
        slow.append(worst)
    ratios = [one / other for one, other in zip(rates, bare_rates, strict=True)]
    section.add(
        "GET /intents?limit=20, 10,000 rows",
        median(rates),
        "requests/s",
        rival=median(bare_rates),
        at_least=True,
    )
    section.add("  part of the bare route's rate", median(ratios), "x", target=0.25, at_least=True)
    section.add("  CPU of its server", median(costs), "ms", rival=median(bare_costs))
    section.add("  p99, one client", median(slow), "ms", target=100)


def _rate(url: str, server: psutil.Process) -> tuple[float, float, float]:
    """Requests a second, milliseconds of the server's CPU for each, and the p99 in milliseconds."""
    busy = _cpu(server)
    if shutil.which("wrk"):
        rate, worst, count = _wrk(url)
    else:
        rate, worst, count = _asked(url)
    return rate, (_cpu(server) - busy) * 1_000 / count, worst


def _wrk(url: str) -> tuple[float, float, int]:
    said = subprocess.run(
        ["wrk", "-t1", "-c4", "-d3s", "--latency", url], capture_output=True, text=True, check=True
    ).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1_000}[unit], count


def _asked(url: str) -> tuple[float, float, int]:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read()
        took.append(time.perf_counter() - began)
        assert answer.status == 200, text
    connection.close()
    return len(took) / sum(took), percentile(took, 0.99) * 1_000, len(took)


def _decisions(section: Section, url: str, waiting: list[IntentId]) -> None:
    """Approvals one after the other while 200 programs listen, each of which has to hear all of them."""
    alone = _approved(url, waiting[: APPROVALS // 2])
    # In a process of their own: what they do with what they hear is not the API's time.
    begun, heard = FORK.Event(), FORK.Queue()
    listening = FORK.Process(target=_listeners, args=(url, begun, heard), daemon=True)
    listening.start()
    assert begun.wait(60)
    beside = _approved(url, waiting[APPROVALS // 2 :])
    told = heard.get(timeout=60)
    listening.join(60)
    assert told == [APPROVALS // 2] * LISTENERS, told
    p99 = percentile(beside, 0.99)
    section.add(f"approval beside {LISTENERS} listeners, p99", p99, "ms", target=200)
    section.add("  p50", median(beside), "ms")
    section.add("  p50 with no listener", median(alone), "ms")
    section.notes.append(f"each of {LISTENERS} listeners heard all {APPROVALS // 2} approvals, once")


def _approved(url: str, ids: list[IntentId]) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    took = []
    for intent_id in ids:
        began = time.perf_counter()
        connection.request("POST", f"/intents/{intent_id}/approve")
        answer = connection.getresponse()
        text = answer.read()
        took.append((time.perf_counter() - began) * 1_000)
        assert answer.status == 200, text
    connection.close()
    return took


def _listeners(url: str, begun: Any, heard: Any) -> None:
    heard.put(asyncio.run(_listen(url, begun)))


async def _listen(url: str, begun: Any) -> list[int]:
    """How many approvals each listener heard."""
    place = urlsplit(url)
    ready = asyncio.Semaphore(0)
    tasks = [
        asyncio.create_task(_listener(str(place.hostname), place.port or 80, ready)) for _ in range(LISTENERS)
    ]
    for _ in tasks:
        await ready.acquire()
    begun.set()
    return await asyncio.gather(*tasks)


async def _listener(host: str, port: int, ready: asyncio.Semaphore) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /events?kind=intent.approved HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    count, told = 0, False
    while count < APPROVALS // 2:
        line = await asyncio.wait_for(reader.readline(), 60)
        if line.startswith(b"id: ") and not told:
            told = True
            ready.release()
        elif line.startswith(b"data: "):
            assert json.loads(line[6:])["kind"] == "intent.approved"
            count += 1
    writer.close()
    return count


@contextmanager
def _server(module: str, *arguments: str) -> Iterator[tuple[str, psutil.Process]]:
    """A server that prints its URL."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), url
        yield url, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _cpu(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)
