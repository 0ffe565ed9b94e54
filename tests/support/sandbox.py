"""A sandbox in a thread of this process, for tests that talk to it over HTTP and sockets."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from polyb0t.core.clock import Clock, SystemClock, milliseconds
from polyb0t.sandbox.app import SandboxApp, create_app
from polyb0t.sandbox.environment import environment
from polyb0t.sandbox.faults import Faults
from polyb0t.sandbox.serving import SandboxServer, bind
from polyb0t.sandbox.types import MarketSpec, PracticeAccount
from polyb0t.sandbox.world import World

T = TypeVar("T")


@dataclass
class RunningSandbox:
    """`world` and `faults` may be touched directly while no request is under way; `call` and `step`
    do it on the server's own thread, which also lets its sockets speak."""

    url: str
    app: SandboxApp
    _loop: asyncio.AbstractEventLoop

    @property
    def world(self) -> World:
        return self.app.world

    @property
    def faults(self) -> Faults:
        return self.app.faults

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def environment(self) -> dict[str, object]:
        """What `GET /sandbox/environment` answers."""
        return environment(self.world, self.host)

    def urls(self) -> dict[str, str]:
        found = self.environment()["urls"]
        assert isinstance(found, dict)
        return found

    def account(self, index: int = 0) -> PracticeAccount:
        return self.world.accounts[index]

    def call(self, act: Callable[[], T]) -> T:
        """Run `act` on the server's thread."""

        async def run() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=60)

    def step(self, milliseconds: int) -> None:
        """Let the paused world's time pass."""
        self.call(lambda: self.app.step(milliseconds))

    def cut_sockets(self) -> int:
        return self.call(self.app.sockets.cut_all)


@contextmanager
def running_sandbox(
    *,
    seed: int = 7,
    markets: int | list[MarketSpec] = 12,
    paused: bool = True,
    speed: float = 1.0,
    crowd: bool = True,
    port: int = 0,
    clock: Clock | None = None,
    world: World | None = None,
    accounts: int = 10,
    kinds: Sequence[str] = (),
) -> Iterator[RunningSandbox]:
    """A sandbox on a free port of 127.0.0.1, stopped at the end.

    `clock` (default: the system's) is where the world starts and what signatures are checked against.
    """
    clock = clock or SystemClock()
    if world is None:
        start_ms = milliseconds(clock.now())
        world = World(
            seed=seed,
            markets=markets,
            speed=speed,
            start_ms=start_ms,
            crowd=crowd,
            accounts=accounts,
            kinds=kinds,
        )
    if paused:
        world.pause()
    app = create_app(world, clock=clock)
    ready = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    server = SandboxServer(app, bind("127.0.0.1", port), ready=lambda _url: ready.set())

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve_until_stopped()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="sandbox", daemon=True)
    thread.start()
    try:
        assert ready.wait(timeout=30), "the sandbox did not start"
        yield RunningSandbox(server.url, app, loops[0])
    finally:
        server.stop()
        thread.join(timeout=15)
        assert not thread.is_alive(), "the sandbox did not stop"
