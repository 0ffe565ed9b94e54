"""A sandbox with every kind of market, as a process of its own: `python -m tests.strangers.exchange PORT`."""

import asyncio
import sys

from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.sandbox.app import create_app
from polyb0t.sandbox.kinds import KINDS
from polyb0t.sandbox.serving import SandboxServer, bind
from polyb0t.sandbox.world import World


def main(port: int) -> None:
    clock = SystemClock()
    world = World(seed=7, markets=20, kinds=KINDS, start_ms=milliseconds(clock.now()))
    asyncio.run(SandboxServer(create_app(world, clock=clock), bind("127.0.0.1", port)).serve_until_stopped())


if __name__ == "__main__":
    main(int(sys.argv[1]))
