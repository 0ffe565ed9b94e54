"""The sandbox as one ASGI application: faults first, then routes and sockets over one world.

Everything runs on one event loop and therefore one request at a time; the world needs no locks.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from polyb0t.core.clock import Clock, milliseconds
from polyb0t.sandbox import (
    account,
    auto_redeem,
    chain_panel,
    clob,
    clob_lists,
    control,
    data_api,
    gamma,
    purse_panel,
    relayer,
    rpc_door,
)
from polyb0t.sandbox.auth import KeyRing
from polyb0t.sandbox.books import Books
from polyb0t.sandbox.connections import Message, Receive, Send
from polyb0t.sandbox.environment import environment
from polyb0t.sandbox.faults import Faults, pause_ms
from polyb0t.sandbox.heartbeats import Heartbeats
from polyb0t.sandbox.holding import hold_ms
from polyb0t.sandbox.house import House, VenueClock
from polyb0t.sandbox.node import NodeError
from polyb0t.sandbox.panel import Panel
from polyb0t.sandbox.rates import Rates
from polyb0t.sandbox.scenario import Timetable
from polyb0t.sandbox.socket_faults import SocketFaults
from polyb0t.sandbox.sockets import Sockets
from polyb0t.sandbox.wire import Reply, Request, Router, WireError, json_reply
from polyb0t.sandbox.world import World

CUT: Final = "polyb0t.cut"  # scope extension: cuts the connection under a request
TICK_S: Final = 0.1
SLICE_MS: Final = 1_000  # how much of the world's time passes before requests are looked at again
AWAY_MS: Final = 5 * 60_000
MOST_BODY: Final = 4 * 1024 * 1024  # bytes


def create_app(
    world: World, *, clock: Clock, faults: Faults | None = None, keys: KeyRing | None = None
) -> "SandboxApp":
    """The application over `world`; `clock` is what signatures are checked against."""
    venue_clock = VenueClock(clock)
    return SandboxApp(world, venue_clock, faults or Faults(), keys or KeyRing(venue_clock))


class SandboxApp:
    """Routes, sockets and the task that lets the world's time pass."""

    def __init__(self, world: World, clock: VenueClock, faults: Faults, keys: KeyRing) -> None:
        self.world = world
        self.clock = clock
        self.house = House(world, clock)
        self.rates = Rates(clock)
        self.socket_faults = SocketFaults()
        self.faults = faults
        self.keys = keys
        books = Books(world)
        self.heartbeats = Heartbeats(world, clock)
        self.sockets = Sockets(world, books, keys, self.socket_faults)
        self.router = Router()
        self.timetable = Timetable(self.router.answer)
        gamma.add_routes(self.router, world)
        clob.add_routes(self.router, world, books, clock)
        clob_lists.add_routes(self.router, world)
        account.add_routes(self.router, keys, self.heartbeats, self.house, self.rates)
        data_api.add_routes(self.router, world)
        chain_panel.add_routes(self.router, world)
        auto_redeem.add_routes(self.router, world)
        purse_panel.add_routes(self.router, world)
        relayer.add_routes(self.router, world)
        rpc_door.add_routes(self.router, world)
        control.add_routes(self.router, world, self.step)
        Panel(
            self.house, self.rates, (faults, self.socket_faults), self.timetable, self.sockets.cut_all
        ).add_routes(self.router)
        self.router.add("GET", "/", self._front)
        self.router.add("GET", "/api/geoblock", self._geoblock)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI."""
        match scope["type"]:
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await self._websocket(scope, receive, send)
            case _:
                await self._http(scope, receive, send)

    async def run_clock(self) -> None:
        """Let the world follow the clock unless it is paused, a slice at a time."""
        while True:
            await asyncio.sleep(TICK_S)
            self.heartbeats.sweep()
            self._follow_chain()
            goal = milliseconds(self.clock.now())
            while not self.world.paused and self.world.now_ms < goal:
                behind = goal - self.world.now_ms
                # After a long absence the world itself knows how to catch up in one go.
                self._advance(goal if behind > AWAY_MS else goal - max(0, behind - SLICE_MS))
                await asyncio.sleep(0)

    def _follow_chain(self) -> None:
        """Bring results to the local chain and book what it paid; a chain that is down is asked again."""
        with contextlib.suppress(NodeError):
            if self.world.chain is not None:
                self.world.chain.tick()

    def step(self, milliseconds: int) -> None:
        """Let a paused world's time pass; what a scenario planned in between happens in between."""
        goal = self.world.now_ms + milliseconds
        for due in self._stations(goal):
            self.world.step(max(0, due - self.world.now_ms))
            self.timetable.run_due(due)
        self._follow_chain()

    def _advance(self, goal_ms: int) -> None:
        """The same for a clock that runs, until a step of the scenario stops it."""
        for due in self._stations(goal_ms):
            self.world.advance_to(due)
            self.timetable.run_due(self.world.now_ms)

    def _stations(self, goal_ms: int) -> Iterator[int]:
        """The instants on the way at which a scenario wants something done, then the goal."""
        while (due := self.timetable.next_due()) is not None and due < goal_ms:
            yield due
        yield goal_ms

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        ticking = asyncio.create_task(self.run_clock())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        body = await _read_body(receive)
        delay, fault = (0, None) if path.startswith("/sandbox") else self.faults.strike(method, path)
        await pause_ms(delay)
        action = "" if fault is None else fault.action
        if action in ("drop_before", "hang_before"):
            await _lose(scope, receive, cut=action == "drop_before")
            return
        if fault is not None and action == "status":
            await _answer(send, fault.reply())
            return
        await pause_ms(hold_ms(self.world, method, path, body))
        reply = self._reply(scope, body)
        if not path.startswith("/sandbox"):
            self.timetable.saw(method, path, self.world.now_ms)
        if action in ("drop_after", "hang_after"):  # it was handled, and nobody will hear of it
            await _lose(scope, receive, cut=action == "drop_after")
        elif action == "cut_body":
            await _half_answer(send, reply)
            await _lose(scope, receive, cut=True)
        else:
            await _answer(send, reply if fault is None else fault.altered(reply))

    def _reply(self, scope: Message, body: bytes | None) -> Reply:
        if body is None:
            return WireError(413, "Payload exceeds the limit").reply()
        headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        return self.router.answer(Request(scope["method"], scope["path"], query, headers, body))

    async def _websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        path = scope["path"]
        delay, fault = self.faults.strike("GET", path)
        await pause_ms(delay)
        serve = {"/ws/market": self.sockets.market, "/ws/user": self.sockets.user}.get(path)
        if fault is not None and fault.action != "status":
            await _lose(scope, receive, cut=True)
        elif fault is not None or serve is None:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "websocket.accept"})
            await serve(receive, send, _cutter(scope))

    def _front(self, request: Request) -> Reply:
        """`GET /`: what this is, for whoever opens it in a browser."""
        host = request.headers.get("host", "127.0.0.1")
        return json_reply(
            {"what": "polyb0t sandbox: a local Polymarket, practice money only"}
            | {"environment": environment(self.world, host)["urls"]}
        )

    def _geoblock(self, _request: Request) -> Reply:
        """`GET /api/geoblock`: whether whoever asks may trade from where they are."""
        blocked, country = self.house.geoblocked, self.house.country
        return json_reply({"blocked": blocked, "ip": "127.0.0.1", "country": country, "region": ""})


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is larger than any request of the venue."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= MOST_BODY:
            parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts) if size <= MOST_BODY else None


async def _answer(send: Send, reply: Reply) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
    await send({"type": "http.response.body", "body": reply.body})


async def _half_answer(send: Send, reply: Reply) -> None:
    """The head and half of the body; the head says that there will be more."""
    await send({"type": "http.response.start", "status": reply.status, "headers": _headers(reply)})
    await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})


def _headers(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.lower().encode(), text.encode()) for name, text in reply.headers),
    ]


def _cutter(scope: Message) -> Callable[[], None] | None:
    found: Callable[[], None] | None = (scope.get("extensions") or {}).get(CUT)
    return found


async def _lose(scope: Message, receive: Receive, *, cut: bool) -> None:
    """Say nothing more: cut the connection, or leave it open until the client has had enough."""
    if cut:
        cutter = _cutter(scope)
        if cutter is None:
            raise RuntimeError("this server gives no way to cut a connection")
        cutter()
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
