"""A sandbox whose books change at a fixed rate, as a process of its own: `python -m bench.ticking_sandbox`.

Every tenth of a second one resting order comes or goes in each market, through the engine, so that
what is measured contains matching, ledger, frames and sockets. Prints its URL, then serves until killed.
"""

import asyncio
import sys
import time

from polyb0t.core.clock import SystemClock, milliseconds
from polyb0t.sandbox.app import create_app
from polyb0t.sandbox.serving import SandboxServer, bind
from polyb0t.sandbox.types import MILLION, OrderRequest, OrderType, Side
from polyb0t.sandbox.world import World

INTERVAL = 0.1
SHARES_E6 = 10 * MILLION


def main(markets: int) -> None:
    clock = SystemClock()
    world = World(seed=5, markets=markets, start_ms=milliseconds(clock.now()), crowd=False, accounts=1)
    world.pause()
    wallet = world.accounts[0].wallet
    world.fund(wallet, 1_000_000 * MILLION)
    app = create_app(world, clock=clock)
    server = SandboxServer(app, bind("127.0.0.1", 0), ready=lambda url: print(url, flush=True))

    async def tick() -> None:
        tokens = [(view.spec.token_ids[0], view.tick_e6) for view in world.markets() if view.accepting]
        resting: dict[str, str] = {}
        salt, due = 0, time.monotonic()
        while True:
            for token, tick_e6 in tokens:
                salt += 1
                gone = resting.pop(token, None)
                if gone is not None:
                    world.cancel("ticker", [gone])
                    continue
                resting[token] = f"0x{salt:064x}"
                price = tick_e6 * (3 + salt % 3)
                world.place(
                    OrderRequest(
                        order_id=resting[token],
                        owner="ticker",
                        maker=wallet,
                        signer=wallet,
                        token_id=token,
                        side=Side.BUY,
                        maker_amount_e6=price * SHARES_E6 // MILLION,
                        taker_amount_e6=SHARES_E6,
                        order_type=OrderType.GTC,
                        salt=salt,
                    )
                )
            due += INTERVAL
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def serve() -> None:
        ticking = asyncio.create_task(tick())
        await server.serve_until_stopped()
        ticking.cancel()

    asyncio.run(serve())


if __name__ == "__main__":
    main(int(sys.argv[1]))
