"""The sandbox itself: its engine, orders over HTTP, sockets, listings, and the file of its world.

Rivals do less on purpose: they show how much of a figure is Python, uvicorn or the disk.
"""

import asyncio
import http.client
import json
import pickle
import random
import subprocess
import sys
import tempfile
import time
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import websockets

from bench.figures import Section
from bench.worlds import home_with_sandbox
from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.sandbox.auth import credentials_of, l2_signature
from polyb0t.sandbox.types import OrderRequest, Side
from polyb0t.sandbox.world import World
from tests.e2e.household import Household
from tests.sandbox.worlds import ALICE, BOB, CAROL, CONDITION, NO_TOKEN, YES_TOKEN, quiet_world, request
from tests.support.trader import signed_payload

ENGINE_ORDERS = 10_000
HTTP_ORDERS = 800
SOCKET_MARKETS, UPDATES_A_SECOND, SOCKET_SECONDS = 200, 10, 8
LISTED = 5_000
LIFE_MS = 1_800_000


def measure() -> Section:
    section = Section(
        "The sandbox",
        rival="engine: a naive list matcher without money; HTTP and paging: a bare uvicorn route that sends "
        "as many bytes; sockets: bare uvicorn sending such frames; world: pickle of the state, unchecked",
    )
    _engine(section)
    _orders(section)
    _sockets(section)
    _paging(section)
    _world(section)
    return section


# --- the engine --------------------------------------------------------------------------------------


def _engine(section: Section) -> None:
    orders = _drawn_orders()
    world = quiet_world()
    for who in (ALICE, BOB, CAROL):
        world.fund(who, 10**13)
        world.split(who, CONDITION, 10**12)
    began = time.perf_counter()
    for order in orders:
        world.place(order)
    ours = ENGINE_ORDERS / (time.perf_counter() - began)
    began = time.perf_counter()
    _naive_match(orders)
    naive = ENGINE_ORDERS / (time.perf_counter() - began)
    section.add("engine", ours, "orders/s", target=1_500, rival=naive, at_least=True)


def _drawn_orders() -> list[OrderRequest]:
    draw = random.Random(1)
    return [
        request(
            draw.choice((ALICE, BOB, CAROL)),
            draw.choice(("BUY", "SELL")),
            draw.choice((YES_TOKEN, NO_TOKEN)),
            shares=draw.randint(5, 60),
            price=min(0.99, max(0.01, round(draw.gauss(0.5, 0.06), 2))),
        )
        for _ in range(ENGINE_ORDERS)
    ]


def _naive_match(orders: list[OrderRequest]) -> None:
    """Price-time priority in two sorted lists: no wallets, fees, trades, events or checks."""
    bids: list[tuple[int, int, int]] = []
    asks: list[tuple[int, int, int]] = []
    for number, order in enumerate(orders):
        buying = (order.side is Side.BUY) == (order.token_id == YES_TOKEN)
        shares = order.taker_amount_e6 if order.side is Side.BUY else order.maker_amount_e6
        pusd = order.maker_amount_e6 if order.side is Side.BUY else order.taker_amount_e6
        price = pusd * 1_000_000 // shares
        price = price if order.token_id == YES_TOKEN else 1_000_000 - price
        against, own, limit = (asks, bids, price) if buying else (bids, asks, -price)
        while shares and against and against[0][0] <= limit:
            best, age, left = against.pop(0)
            taken = min(left, shares)
            shares -= taken
            if left > taken:
                against.insert(0, (best, age, left - taken))
        if shares:
            insort(own, (-price if buying else price, number, shares))


# --- orders over HTTP --------------------------------------------------------------------------------


def _orders(section: Section) -> None:
    with home_with_sandbox(60, "--fresh") as home:
        home.http("POST", "/sandbox/clock", {"action": "pause"})
        requests = _signed_orders(home, HTTP_ORDERS)
        server = psutil.Process(home.processes["sandbox"].pid)
        rate, a_core = _posted(server, home.sandbox_url, "/clob/order", requests)
    with _serving("bench.bare_server", "260") as (url, process):
        bare, _ = _posted(psutil.Process(process.pid), url, "/clob/order", requests)
    section.add("POST /order", rate, "orders/s", target=150, rival=bare, at_least=True)
    section.add("  a second of its core", a_core, "orders/s", target=150, at_least=True)


def _signed_orders(home: Household, count: int) -> list[tuple[bytes, dict[str, str]]]:
    """Bodies and headers made beforehand, so that this process does not sign while it measures."""
    account = home.http("GET", "/sandbox/environment")["accounts"][0]
    who = credentials_of(account["address"], 0)
    _create_credentials(home, account)
    row = next(
        each
        for each in home.http("GET", "/gamma/markets/keyset?limit=100")["markets"]
        if each["version"] == "v1" and not each["negRisk"] and each["orderPriceMinTickSize"] == 0.01
    )
    token = json.loads(row["clobTokenIds"])[0]
    made = []
    now = milliseconds(SystemClock().now())
    for index in range(count):
        payload = signed_payload(
            account["key"],
            who.api_key,
            token,
            "BUY",
            50_000,
            5_000_000,
            salt=1_000_000 + index,
            timestamp_ms=now,
        )
        body, stamp = json.dumps(payload).encode(), str(now // 1_000)
        made.append(
            (
                body,
                {
                    "POLY_ADDRESS": who.address,
                    "POLY_API_KEY": who.api_key,
                    "POLY_PASSPHRASE": who.passphrase,
                    "POLY_TIMESTAMP": stamp,
                    "POLY_SIGNATURE": l2_signature(who.secret, stamp, "POST", "/order", body),
                    "Content-Type": "application/json",
                },
            )
        )
    return made


def _create_credentials(home: Household, account: dict[str, str]) -> None:
    from polyb0t.venue.credentials import obtain_credentials
    from polyb0t.venue.one_shot import OneShot
    from polyb0t.venue.signing import SigningKey

    clock = SystemClock()
    one_shot = OneShot(clock, budget_seconds=10)
    obtain_credentials(
        one_shot, f"{home.sandbox_url}/clob", SigningKey(account["key"]), chain_id=137, at=clock.now()
    )
    one_shot.close()


def _posted(
    server: psutil.Process, url: str, path: str, requests: list[tuple[bytes, dict[str, str]]]
) -> tuple[float, float]:
    """Requests a second over one connection, and a second of the server's processor time."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    busy, began = _cpu(server), time.perf_counter()
    for body, headers in requests:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text
    wall, used = time.perf_counter() - began, _cpu(server) - busy
    connection.close()
    return len(requests) / wall, len(requests) / used


# --- sockets -----------------------------------------------------------------------------------------


def _sockets(section: Section) -> None:
    rate = SOCKET_MARKETS * UPDATES_A_SECOND
    with _serving("bench.ticking_sandbox", str(SOCKET_MARKETS)) as (url, process):
        idle = _share(process)
        share, seen, size = asyncio.run(_listen(process, url))
    with _serving("bench.bare_server", str(size)) as (url, process):
        bare, _, _ = asyncio.run(_listen(process, url, rate))
    section.add(f"{SOCKET_MARKETS} markets x {UPDATES_A_SECOND} updates/s", share, "%", target=30, rival=bare)
    section.notes.append(
        f"sockets: {seen:.0f} updates/s arrived, {size} bytes each; "
        f"with nobody listening the engine takes {idle:.1f} %"
    )


def _share(process: "subprocess.Popen[str]") -> float:
    """Percent of a core that the server uses by itself."""
    server = psutil.Process(process.pid)
    busy, began = _cpu(server), time.perf_counter()
    time.sleep(3)
    return 100 * (_cpu(server) - busy) / (time.perf_counter() - began)


async def _listen(process: "subprocess.Popen[str]", url: str, rate: int = 0) -> tuple[float, float, int]:
    """(percent of a core, updates a second, bytes an update) over some seconds."""
    socket_url = url.replace("http", "ws", 1) + (f"/ticks/{rate}" if rate else "/ws/market")
    server = psutil.Process(process.pid)
    tokens = [] if rate else _tokens(url)
    async with websockets.connect(socket_url, max_size=None, compression=None, proxy=None) as listening:
        if tokens:
            await listening.send(json.dumps({"type": "market", "assets_ids": tokens}))
            await _count(listening, 2)  # the first snapshots
        busy, began = _cpu(server), time.perf_counter()
        updates, length = await _count(listening, SOCKET_SECONDS)
        wall, used = time.perf_counter() - began, _cpu(server) - busy
    return 100 * used / wall, updates / wall, length // max(1, updates)


async def _count(listening: websockets.ClientConnection, seconds: float) -> tuple[int, int]:
    updates = length = 0
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        try:
            text = await asyncio.wait_for(listening.recv(), left)
        except TimeoutError:
            break
        frames = json.loads(text)
        updates += len(frames) if isinstance(frames, list) else 1
        length += len(text)
    return updates, length


def _tokens(url: str) -> list[str]:
    """The first outcome of every market."""
    rows = [row for page in _pages(url) for row in page["markets"]]
    return [(row["positionIds"] or json.loads(row["clobTokenIds"]))[0] for row in rows]


# --- listings ----------------------------------------------------------------------------------------


def _paging(section: Section) -> None:
    with home_with_sandbox(LISTED, "--fresh") as home:
        home.http("POST", "/sandbox/clock", {"action": "pause"})
        began = time.perf_counter()
        pages = list(_pages(home.sandbox_url))
        ours = time.perf_counter() - began
    rows = sum(len(page["markets"]) for page in pages)
    assert rows >= LISTED, rows
    size = len(json.dumps(pages[0]))
    with _serving("bench.bare_server", str(size)) as (url, _):
        began = time.perf_counter()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        for _ in pages:
            connection.request("GET", "/gamma/markets/keyset")
            json.loads(connection.getresponse().read())
        bare = time.perf_counter() - began
    section.add(f"{LISTED} markets in pages of 100", ours, "s", target=3, rival=bare)
    section.notes.append(f"paging: {rows} rows on {len(pages)} pages of {size // 1024} KB")


def _pages(url: str) -> "Iterator[dict]":  # type: ignore[type-arg]
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    cursor = ""
    while True:
        connection.request("GET", f"/gamma/markets/keyset?limit=100{cursor}")
        page = json.loads(connection.getresponse().read())
        yield page
        if not page.get("next_cursor"):
            return
        cursor = f"&after_cursor={page['next_cursor']}"


# --- the file of a world -----------------------------------------------------------------------------


def _world(section: Section) -> None:
    world = World(seed=7, markets=60, start_ms=milliseconds(SystemClock().now()))
    world.step(LIFE_MS)
    with tempfile.TemporaryDirectory(prefix="polyb0t-bench-") as folder:
        path, plain = Path(folder) / "world", Path(folder) / "pickle"
        began = time.perf_counter()
        world.save(path)
        saved = time.perf_counter() - began
        began = time.perf_counter()
        loaded = World.load(path)
        restored = time.perf_counter() - began
        assert loaded.state_hash() == world.state_hash()
        state = world.state()
        began = time.perf_counter()
        plain.write_bytes(pickle.dumps(state))
        dumped = time.perf_counter() - began
        began = time.perf_counter()
        pickle.loads(plain.read_bytes())
        unpickled = time.perf_counter() - began
        size = path.stat().st_size
    section.add("world saved", saved, "s", target=1, rival=dumped)
    section.add("world loaded", restored, "s", target=1, rival=unpickled)
    section.notes.append(f"world: 60 markets after {LIFE_MS // 60_000} minutes, {size / 1_048_576:.1f} MB")


# --- processes ---------------------------------------------------------------------------------------


@contextmanager
def _serving(module: str, argument: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server that prints its URL."""
    process = subprocess.Popen([sys.executable, "-m", module, argument], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), url
        yield url, process
    finally:
        process.kill()
        process.wait()


def _cpu(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.user + times.system)
