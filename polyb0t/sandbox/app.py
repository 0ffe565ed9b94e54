"""The sandbox as one ASGI application: faults first, then routes and sockets over one world.

Everything runs on one event loop and therefore one request at a time; the world needs no locks.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from polyb0t.core.clock import Clock, milliseconds
from polyb0t.sandbox import account, clob, clob_lists, control, data_api, gamma
from polyb0t.sandbox.auth import KeyRing
from polyb0t.sandbox.books import Books
from polyb0t.sandbox.environment import environment
from polyb0t.sandbox.faults import Faults, pause_ms
from polyb0t.sandbox.heartbeats import Heartbeats
from polyb0t.sandbox.sockets import Message, Receive, Send, Sockets
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
    return SandboxApp(world, clock, faults or Faults(), keys or KeyRing(clock))


class SandboxApp:
    """Routes, sockets and the task that lets the world's time pass."""

    def __init__(self, world: World, clock: Clock, faults: Faults, keys: KeyRing) -> None:
        self.world = world
        self.clock = clock
        self.faults = faults
        self.keys = keys
        books = Books(world)
        self.heartbeats = Heartbeats(world, clock)
        self.sockets = Sockets(world, books, keys)
        self._router = Router()
        gamma.add_routes(self._router, world)
        clob.add_routes(self._router, world, books, clock)
        clob_lists.add_routes(self._router, world)
        account.add_routes(self._router, world, keys, self.heartbeats)
        data_api.add_routes(self._router, world)
        control.add_routes(self._router, world, faults, self.sockets.cut_all)
        self._router.add("GET", "/", self._front)
        self._router.add("GET", "/api/geoblock", _geoblock)
        self._router.add("GET", "/relayer/deployed", _deployed)

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
            goal = milliseconds(self.clock.now())
            while not self.world.paused and self.world.now_ms < goal:
                behind = goal - self.world.now_ms
                # After a long absence the world itself knows how to catch up in one go.
                self.world.advance_to(goal if behind > AWAY_MS else goal - max(0, behind - SLICE_MS))
                await asyncio.sleep(0)

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
        if fault is not None and fault.action == "drop_before":
            await _drop(scope, receive)
            return
        if fault is not None and fault.action == "status":
            await _answer(send, fault.reply())
            return
        reply = self._reply(scope, body)
        if fault is not None:  # drop_after: it was handled, and nobody will hear of it
            await _drop(scope, receive)
            return
        await _answer(send, reply)

    def _reply(self, scope: Message, body: bytes | None) -> Reply:
        if body is None:
            return WireError(413, "Payload exceeds the limit").reply()
        headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        return self._router.answer(Request(scope["method"], scope["path"], query, headers, body))

    async def _websocket(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        path = scope["path"]
        delay, fault = self.faults.strike("GET", path)
        await pause_ms(delay)
        serve = {"/ws/market": self.sockets.market, "/ws/user": self.sockets.user}.get(path)
        if fault is not None and fault.action != "status":
            await _drop(scope, receive)
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


def _geoblock(_request: Request) -> Reply:
    return json_reply({"blocked": False, "ip": "127.0.0.1", "country": "", "region": ""})


def _deployed(request: Request) -> Reply:
    """`GET /relayer/deployed`: there are no smart wallets here."""
    if not request.param("address"):
        raise WireError(400, "address is required")
    return json_reply({"deployed": False})


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
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def _cutter(scope: Message) -> Callable[[], None] | None:
    found: Callable[[], None] | None = (scope.get("extensions") or {}).get(CUT)
    return found


async def _drop(scope: Message, receive: Receive) -> None:
    """Cut the connection without a byte of reply, and wait until the server has noticed."""
    cut = _cutter(scope)
    if cut is None:
        raise RuntimeError("this server gives no way to cut a connection")
    cut()
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass
