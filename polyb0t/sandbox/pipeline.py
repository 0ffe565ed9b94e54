"""Trades from their match to their end: mined, confirmed, tried again, or failed."""

from polyb0t.sandbox.settlement import Trade
from polyb0t.sandbox.state import WorldState
from polyb0t.sandbox.types import TradeStatus

UNSETTLED = (TradeStatus.MATCHED, TradeStatus.RETRYING)


class Pipeline(WorldState):
    """What the chain does with matched trades."""

    def _mine(self, trade: Trade, *, last: bool = False) -> None:
        """The block came: balances move, or the transaction failed and comes again or never.

        `last`: there is no time for another attempt.
        """
        if trade.status not in UNSETTLED:
            return
        trade.attempt += trade.status is TradeStatus.RETRYING
        trade.hashed, trade.update_ms = True, self.now_ms
        if self.retry_next > 0 and not last:
            self.retry_next -= 1
            trade.status = TradeStatus.RETRYING
            self._at(self.now_ms + self.engine.settling.retry_ms, "mine", trade.view.trade_id)
        else:
            self._decide(trade)
        self.engine.news.tell_trade(trade, self.now_ms)

    def _decide(self, trade: Trade) -> None:
        legs, trade.legs = trade.legs, ()
        self.ledger.hold(legs, release=True)
        if self.fail_next > 0:
            self.fail_next -= 1
            trade.status = TradeStatus.FAILED
            return
        spec = self.engine.markets[trade.view.condition_id].spec
        trade.status = TradeStatus.MINED
        self.ledger.settle(spec.condition_id, spec.token_ids, legs, trade.minted)
        self.portfolio.settled(spec, trade.current(), self.now_ms)
        settling = self.engine.settling
        wait = max(settling.confirmed_ms - settling.mined_ms, 0)
        self._at(self.now_ms + wait, "confirm", trade.view.trade_id)

    def _confirm(self, trade: Trade) -> None:
        trade.status, trade.update_ms = TradeStatus.CONFIRMED, self.now_ms
        self.engine.news.tell_trade(trade, self.now_ms)
