"""The sandbox's own server as a process of a history: one market, one account, and a memory that survives kill -9.

What the exchange has acknowledged it does not forget: the world is on disk before an answer about an
order leaves. Whatever arrives at its door is noted first, for the judge.
"""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from polyb0t.core.clock import Clock, SystemClock
from polyb0t.sandbox.app import SandboxApp
from polyb0t.sandbox.auth import KeyRing
from polyb0t.sandbox.connections import Message, Receive, Send
from polyb0t.sandbox.exchange import Order
from polyb0t.sandbox.faults import Faults
from polyb0t.sandbox.house import VenueClock
from polyb0t.sandbox.server import KEYS_FILE, WORLD_FILE, save
from polyb0t.sandbox.serving import SandboxServer, bind
from polyb0t.sandbox.types import MILLION, MarketSpec, PracticeAccount, Side
from polyb0t.sandbox.wire import Reply, Request, json_reply
from polyb0t.sandbox.world import World
from tests.faults.exchange import ASK, KEY, Exchange, market_spec, signing_key

PURSE: Final = 10_000 * MILLION  # so that ten pUSD are a small part of it
PAGE: Final = "<!DOCTYPE html><html><body>Just a moment...</body></html>"
ARRIVED: Final = "arrived.jsonl"
CANCELLED: Final = "cancelled.jsonl"
Moves = Callable[[Exchange], None]


def offer_goes(exchange: Exchange) -> None:
    """Somebody takes the offer away while our order is on its way."""
    exchange.withdraw_quotes()
    exchange.quote(520_000, Side.SELL, 100 * MILLION)


def offer_shrinks(exchange: Exchange) -> None:
    exchange.withdraw_quotes()
    exchange.quote(ASK, Side.SELL, 9 * MILLION)


def nothing_moves(_exchange: Exchange) -> None:
    """The book stays as it was."""


class KeptApp(SandboxApp):
    """Saved before it answers for an order; `moves` happens once, before the first order is looked at."""

    def __init__(self, exchange: Exchange, clock: Clock, folder: Path, moves: Moves) -> None:
        venue_clock = VenueClock(clock)
        super().__init__(exchange.world, venue_clock, Faults(), KeyRing(venue_clock))
        self._exchange = exchange
        self._folder = folder
        self._moves = moves
        self._page = False
        self.router.add("POST", "/sandbox/house", self._house_sells)
        self.router.add("POST", "/sandbox/page", self._page_next)
        self.router.add("GET", "/sandbox/page", self._page_told)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _places(scope):
            receive = self._noted(receive, ARRIVED)
        elif scope["type"] == "http" and _cancels(scope):
            receive = self._noted(receive, CANCELLED)
        await super().__call__(scope, receive, send)

    def _noted(self, receive: Receive, name: str) -> Receive:
        parts: list[bytes] = []

        async def noted() -> Message:
            message = await receive()
            parts.append(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body", False):
                with (self._folder / name).open("a") as file:
                    file.write(json.dumps(b"".join(parts).decode()) + "\n")
            return message

        return noted

    def _house_sells(self, _request: Request) -> Reply:
        """Somebody sells into what rests."""
        self._exchange.withdraw_quotes()
        self._exchange.quote(400_000, Side.SELL, 100 * MILLION)
        return json_reply({})

    def _page_next(self, _request: Request) -> Reply:
        """The next order is taken, and a page comes back in place of the answer."""
        self._page = True
        return json_reply({})

    def _page_told(self, _request: Request) -> Reply:
        return json_reply({"waiting": self._page})

    def _reply(self, scope: Message, body: bytes | None) -> Reply:
        if _places(scope):
            moves, self._moves = self._moves, nothing_moves
            moves(self._exchange)
        reply = super()._reply(scope, body)
        if scope["method"] != "GET":
            save(self, self._folder)
        if _places(scope) and self._page:
            self._page = False
            return Reply(200, PAGE.encode(), "text/html")
        return reply


def _places(scope: Message) -> bool:
    return scope["method"] == "POST" and str(scope["path"]).endswith("/order")


def _cancels(scope: Message) -> bool:
    return scope["method"] == "DELETE" and str(scope["path"]).startswith("/clob/order")


def new_world(folder: Path, seed: int) -> None:
    """A fresh exchange with our account on it, saved and not yet running."""
    exchange = Exchange(SystemClock(), seed)  # type: ignore[arg-type]  # any clock does
    key = signing_key()
    exchange.world.accounts = (PracticeAccount(0, KEY, key.address, key.address, 0, PURSE),)
    exchange.world.fund(exchange.wallet, PURSE - exchange.world.balance(exchange.wallet))
    folder.mkdir(parents=True, exist_ok=True)
    exchange.world.save(folder / WORLD_FILE)
    (folder / KEYS_FILE).write_text("[]")


def serve(folder: Path, port: int, moves: Moves) -> None:
    """The body of the exchange's process: go on from what is saved, until SIGTERM."""
    clock = SystemClock()
    app = KeptApp(_loaded(folder), clock, folder, moves)
    app.keys.restore([(address, nonce) for address, nonce in json.loads((folder / KEYS_FILE).read_text())])
    listening = bind("127.0.0.1", port)
    (folder / "listening").touch()
    asyncio.run(SandboxServer(app, listening).serve_until_stopped())
    save(app, folder)


def _loaded(folder: Path) -> Exchange:
    exchange = Exchange.__new__(Exchange)
    exchange.world = World.load(folder / WORLD_FILE)
    exchange.wallet = str(signing_key().address)
    exchange._made = 1_000 + len(exchange.world.engine.orders)
    exchange.spec, exchange.other = _specs(exchange.world)
    exchange.token, exchange.other_token = exchange.spec.token_ids[0], exchange.other.token_ids[0]
    return exchange


def _specs(world: World) -> tuple[MarketSpec, MarketSpec]:
    """The two markets: that of the trades, and the other one."""
    first, other = (world.engine.markets[market_spec(0, number).condition_id].spec for number in (0, 1))
    return first, other


class Ledger:
    """The exchange's books after its process has ended, for the judge."""

    def __init__(self, folder: Path) -> None:
        self.world = World.load(folder / WORLD_FILE)
        self.wallet = str(signing_key().address)
        self.spec, self.other = _specs(self.world)
        self.token, self.other_token = self.spec.token_ids[0], self.other.token_ids[0]
        self.posts, self.cancels = _bodies(folder / ARRIVED), _bodies(folder / CANCELLED)
        self.by_hand: set[str] = set()

    def our_orders(self) -> list[Order]:
        return [order for order in self.world.engine.orders.values() if order.maker == self.wallet]


def _bodies(path: Path) -> list[bytes]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [str(json.loads(line)).encode() for line in lines]


@dataclass(frozen=True, slots=True)
class PanelDoor:
    """The operator's requests to a running exchange."""

    url: str

    def ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            self.ask("GET", "/sandbox/clock")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def break_with(self, *faults: dict[str, object]) -> None:
        self.ask("PUT", "/sandbox/faults", {"faults": list(faults)})

    def mend(self) -> None:
        self.ask("DELETE", "/sandbox/faults")
