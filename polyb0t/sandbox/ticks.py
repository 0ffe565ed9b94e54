"""The grid of a market's prices, which becomes finer near 0 and 1 while the market is open.

The venue says when (a price above 0.96 or below 0.04) and not what happens to orders between the new
steps, which can only be when a grid becomes coarser or does not divide the old one: here they are
cancelled, and their owners hear of it.
"""

from typing import Final

from polyb0t.core.errors import UsageError
from polyb0t.sandbox.market import Market
from polyb0t.sandbox.rules import AMOUNT_DECIMALS
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.types import MILLION, OrderStatus, TickSizeChange

EDGE_E6: Final = 40_000  # below 0.04 and above 0.96 the tick is finer
# A tenth of a cent stays one at the edge: recorded markets at half a cent have it (May 2026).
FINER: Final = {100_000: 10_000, 10_000: 1_000, 5_000: 1_000, 2_500: 1_000, 1_000: 1_000, 100: 100}


class Ticks(WorldState):
    """Changes of the grid."""

    def set_tick(self, condition_id: str, tick_e6: int) -> None:
        """Give a market another grid; what rests between its steps is cancelled.

        Raises:
            NotFoundError: no such market.
            UsageError: the venue has no such grid.
        """
        market = self._market(condition_id)
        if tick_e6 not in AMOUNT_DECIMALS:
            raise UsageError(f"A tick of {tick_e6} millionths does not exist.")
        self._change_tick(market, tick_e6)
        self._settle_up()

    def _watch_tick(self, market: Market) -> None:
        """Once a market's price is at the edge, its tick is the finer one, and stays."""
        price = market.midpoint()
        finer = FINER[market.spec.tick_e6]
        if price is None or market.tick <= finer or EDGE_E6 <= price <= MILLION - EDGE_E6:
            return
        self._change_tick(market, finer)

    def _change_tick(self, market: Market, tick_e6: int) -> None:
        old, market.tick = market.tick, tick_e6
        if old == tick_e6:
            return
        market.touch(self.now_ms)
        spec = market.spec
        self.engine.news.add(TickSizeChange(spec.condition_id, spec.token_ids, old, tick_e6, self.now_ms))
        resting = [*market.book.bids.orders(), *market.book.asks.orders()]
        for order in resting:
            if order.yes % tick_e6:
                self.engine.withdraw(order, OrderStatus.CANCELED, self.now_ms)
