"""How a result comes about: somebody proposes it, somebody may dispute it, and after a while it stands.

A proposal is not a result. Undisputed it becomes one after the liveness; the first dispute asks for a
new proposal, a further one for a vote, which takes longer. Source: the venue's documentation of its
optimistic oracle, October 2026 (two hours, custom liveness, four to six days for a vote).
"""

from typing import Final

from polyb0t.core.errors import ConflictError
from polyb0t.sandbox.lifecycle import Lifecycle, check_payouts
from polyb0t.sandbox.market import Market

VOTE_LIVENESSES: Final = 4  # so many times the liveness a vote takes here


class Oracle(Lifecycle):
    """Proposals and disputes. With a liveness of zero an end is a result at once."""

    def propose(self, condition_id: str, payouts_e6: tuple[int, int], *, for_ms: int | None = None) -> None:
        """Say how a market ends; it stands after `for_ms`, or else the world's liveness.

        Raises:
            NotFoundError: no such market.
            ConflictError: it is resolved, or a proposal waits.
            UsageError: the payouts are not two amounts that make one pUSD.
        """
        market = self._market(condition_id)
        check_payouts(payouts_e6)
        if market.payouts is not None or market.proposed is not None:
            raise ConflictError("Nothing was proposed.", why="The market is resolved, or a proposal waits.")
        market.proposed = payouts_e6
        self.crowd.leave(market)
        self._stands_at(market, self.liveness_ms if for_ms is None else for_ms)

    def dispute(self, condition_id: str) -> None:
        """Contest the proposal that waits; it stands later, after a new proposal or a vote.

        Raises:
            NotFoundError: no such market.
            ConflictError: nothing is proposed.
        """
        market = self._market(condition_id)
        if market.payouts is not None or market.proposed is None:
            raise ConflictError("Nothing was disputed.", why="No proposal waits for this market.")
        market.disputes += 1
        longer = 1 if market.disputes == 1 else VOTE_LIVENESSES
        self._stands_at(market, longer * max(self.liveness_ms, 1))

    def _ends(self, condition_id: str, payouts_e6: tuple[int, int]) -> None:
        if self.liveness_ms <= 0:
            self.resolve(condition_id, payouts_e6)
        elif self._market(condition_id).proposed is None:
            self.propose(condition_id, payouts_e6)

    def _stands(self, condition_id: str) -> None:
        """A proposal's time is over: it is the result, unless a dispute has moved the time."""
        market = self._market(condition_id)
        waiting = market.payouts is None and market.proposed is not None
        if waiting and market.stands_ms is not None and market.stands_ms <= self.now_ms:
            assert market.proposed is not None
            self.resolve(condition_id, market.proposed)

    def _stands_at(self, market: Market, in_ms: int) -> None:
        market.stands_ms = self.now_ms + in_ms
        market.touch(self.now_ms)
        self._at(market.stands_ms, "stand", market.spec.condition_id)
        self._settle_up()
